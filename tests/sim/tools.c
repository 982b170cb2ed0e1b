/* tools.c: see tools.h. The order of the offers is the order of the calls; nothing else has a part
 * in the choice, so a request always gets the same calls.
 */
#include "tests/sim/tools.h"

#define TOOLS_WORD_MIN 4

enum status tools_reserve(struct toolbox *box, size_t count, struct arena *arena)
{
    box->offers = arena_calloc(arena, count + 1, sizeof *box->offers);
    return box->offers == NULL ? ST_NO_MEMORY : ST_OK;
}

static struct str tools_text(const struct json *node, const char *name, struct arena *arena)
{
    struct str text = STR_NONE;
    const struct json *member = json_get(node, name);
    return json_is(member, JSON_STRING) && json_text(member, arena, &text) == ST_OK ? text
                                                                                    : STR_NONE;
}

enum status tools_read(struct toolbox *box, const struct json *root, struct arena *arena)
{
    const struct json *tools = json_get(root, "tools"), *choice = json_get(root, "tool_choice");
    const struct json *parallel = json_get(root, "parallel_tool_calls");
    struct str mode = tools_text(root, "tool_choice", arena);
    *box = (struct toolbox){.wanted = tools_text(json_get(choice, "function"), "name", arena),
                            .one_only = parallel != NULL && parallel->type == JSON_FALSE};
    TRY(tools_reserve(box, json_is(tools, JSON_ARRAY) ? tools->count : 0, arena));
    if (box->wanted.p == NULL)
        box->wanted = tools_text(choice, "name", arena);
    box->mode = str_eq(mode, STR("none"))                                ? TOOLS_NONE
                : str_eq(mode, STR("required")) || box->wanted.p != NULL ? TOOLS_DEMANDED
                                                                         : TOOLS_AUTO;
    for (const struct json *tool = json_is(tools, JSON_ARRAY) ? tools->first : NULL; tool != NULL;
         tool = tool->next) {
        const struct json *function = json_get(tool, "function");
        if (function == NULL)
            function = tool;
        struct str name = tools_text(function, "name", arena);
        if (name.p != NULL)
            box->offers[box->count++] =
                (struct tool){.name = name, .schema = json_get(function, "parameters")};
    }
    return ST_OK;
}

static bool tools_has_word(struct str text, struct str word)
{
    for (size_t at = 0; at + word.n <= text.n; at++) {
        if (str_eq_nocase(str_of(text.p + at, word.n), word))
            return true;
    }
    return false;
}

static bool tools_name_is_in(struct str name, struct str text)
{
    size_t start = 0;
    for (size_t i = 0; i <= name.n; i++) {
        if (i < name.n && name.p[i] != '_' && name.p[i] != '-')
            continue;
        struct str word = str_of(name.p + start, i - start);
        if (word.n >= TOOLS_WORD_MIN && tools_has_word(text, word))
            return true;
        start = i + 1;
    }
    return false;
}

size_t tools_pick(const struct toolbox *box, struct str text,
                  struct tool calls[static TOOLS_CALLS_MAX])
{
    size_t most = box->one_only ? 1 : TOOLS_CALLS_MAX, n = 0;
    if (box->mode == TOOLS_NONE)
        return 0;
    for (size_t i = 0; i < box->count && n < most; i++) {
        const struct tool *tool = &box->offers[i];
        if (box->wanted.p != NULL ? str_eq(tool->name, box->wanted)
                                  : tools_name_is_in(tool->name, text))
            calls[n++] = *tool;
    }
    if (n == 0 && box->mode == TOOLS_DEMANDED && box->wanted.p == NULL && box->count > 0)
        calls[n++] = box->offers[0];
    return n;
}
