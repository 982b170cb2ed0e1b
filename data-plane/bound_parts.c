/* bound_parts.c: see bound_parts.h.
 *
 * The lists below are positive: what is named there is text (its bytes bound it), an image or
 * audio; what a provider invents tomorrow is opaque until somebody looked at how it is counted. The
 * same for tools: a kind that is known to be run by the caller costs nothing, every other kind is
 * the provider's. Must never: descend into a tool's arguments or schema, where "type" is the
 * caller's own word.
 */
#include "data-plane/bound_parts.h"

#define PARTS_DEPTH_MAX 8
#define PARTS_WORD_MAX  64

enum part { PART_TEXT, PART_IMAGE, PART_AUDIO, PART_NESTED, PART_OPAQUE };

/* NESTED: what lies in "content" or "output" is a list again. */
static const struct {
    const char *type;
    enum part part;
} part_types[] = {
    {"text", PART_TEXT},
    {"input_text", PART_TEXT},
    {"output_text", PART_TEXT},
    {"refusal", PART_TEXT},
    {"summary_text", PART_TEXT},
    {"reasoning_text", PART_TEXT},
    {"reasoning", PART_TEXT},
    {"thinking", PART_TEXT},
    {"redacted_thinking", PART_TEXT},
    {"tool_use", PART_TEXT},
    {"server_tool_use", PART_TEXT},
    {"function_call", PART_TEXT},
    {"custom_tool_call", PART_TEXT},
    {"message", PART_NESTED},
    {"tool_result", PART_NESTED},
    {"function_call_output", PART_NESTED},
    {"custom_tool_call_output", PART_NESTED},
    {"search_result", PART_NESTED},
    {"image_url", PART_IMAGE},
    {"input_image", PART_IMAGE},
    {"image", PART_IMAGE},
    {"input_audio", PART_AUDIO},
};

/* Tools that the caller runs. */
static const char *const own_tools[] = {"function", "custom", "local_shell", "apply_patch"};
/* Anthropic's, whose kinds carry a date. */
static const char *const own_tool_prefixes[] = {"bash_", "text_editor_", "computer_", "memory_"};

/* The provider's, by the beginning of their kind: dates and "_preview" follow. */
static const struct {
    const char *prefix;
    enum bound_tool kind;
} server_tools[] = {
    {"web_search", BOUND_TOOL_WEB},        {"file_search", BOUND_TOOL_FILE},
    {"code_interpreter", BOUND_TOOL_CODE}, {"code_execution", BOUND_TOOL_CODE},
    {"web_fetch", BOUND_TOOL_QUIET},       {"mcp", BOUND_TOOL_QUIET},
};

/* The text of a short string value; longer ones fit nothing. */
static struct str word_of(struct str raw, char room[PARTS_WORD_MAX])
{
    struct str text;
    if (raw.n < 2 || raw.n > PARTS_WORD_MAX || raw.p[0] != '"' ||
        json_unescape(raw, room, &text) != ST_OK)
        return STR_NONE;
    return text;
}

/* A member of an object, by its unescaped name; the last one, as most parsers take it. */
static struct str member_of(struct str object, const char *name, enum json_type *type)
{
    char room[PARTS_WORD_MAX];
    struct str key, value, found = STR_NONE;
    enum json_type at_type;
    size_t at = 0;
    while (json_scan_next(object, &at, &key, &value, &at_type)) {
        if (!str_eq(word_of(key, room), str_c(name)))
            continue;
        found = value;
        *type = at_type;
    }
    return found;
}

static enum part part_of(struct str object)
{
    char room[PARTS_WORD_MAX];
    enum json_type type;
    struct str word = member_of(object, "type", &type);
    if (word.p == NULL)
        return PART_NESTED; /* a message, or an item of input that is one */
    word = word_of(word, room);
    for (size_t i = 0; i < COUNT_OF(part_types); i++)
        if (str_eq(word, str_c(part_types[i].type)))
            return part_types[i].part;
    return PART_OPAQUE;
}

static void parts_walk(struct str list, enum json_type type, unsigned depth,
                       struct bound_parts *parts);

static void part_add(struct str object, unsigned depth, struct bound_parts *parts)
{
    static const char *const nested[] = {"content", "output"};
    switch (part_of(object)) {
    case PART_TEXT:
        break;
    case PART_IMAGE:
        parts->images++;
        break;
    case PART_AUDIO:
        parts->audios++;
        break;
    case PART_OPAQUE:
        parts->opaque = true;
        break;
    case PART_NESTED:
        for (size_t i = 0; i < COUNT_OF(nested); i++) {
            enum json_type type = JSON_NULL;
            struct str value = member_of(object, nested[i], &type);
            if (value.p != NULL)
                parts_walk(value, type, depth + 1, parts);
        }
        break;
    }
}

static void parts_walk(struct str list, enum json_type type, unsigned depth,
                       struct bound_parts *parts)
{
    struct str name, value;
    enum json_type item;
    size_t at = 0;
    if (type == JSON_OBJECT) {
        part_add(list, depth, parts);
        return;
    }
    if (type != JSON_ARRAY)
        return;
    if (depth > PARTS_DEPTH_MAX) {
        parts->opaque = true;
        return;
    }
    while (json_scan_next(list, &at, &name, &value, &item))
        if (item == JSON_OBJECT)
            part_add(value, depth, parts);
}

void bound_parts_of(struct str list, enum json_type type, struct bound_parts *parts)
{
    parts_walk(list, type, 0, parts);
}

/* --- tools --- */

static bool is_own_tool(struct str kind)
{
    for (size_t i = 0; i < COUNT_OF(own_tools); i++)
        if (str_eq(kind, str_c(own_tools[i])))
            return true;
    for (size_t i = 0; i < COUNT_OF(own_tool_prefixes); i++)
        if (str_starts(kind, str_c(own_tool_prefixes[i])))
            return true;
    return false;
}

static enum bound_tool tool_kind(struct str kind)
{
    for (size_t i = 0; i < COUNT_OF(server_tools); i++)
        if (str_starts(kind, str_c(server_tools[i].prefix)))
            return server_tools[i].kind;
    return BOUND_TOOL_KINDS;
}

static void tool_add(struct str tool, struct bound_tools *found)
{
    char room[PARTS_WORD_MAX];
    enum json_type type;
    uint64_t uses;
    struct str kind = member_of(tool, "type", &type);
    if (kind.p == NULL)
        return; /* {"name", "input_schema"}: Anthropic's form of a function */
    kind = word_of(kind, room);
    if (is_own_tool(kind))
        return;
    enum bound_tool which = tool_kind(kind);
    if (which == BOUND_TOOL_KINDS) {
        found->unknown = true;
        return;
    }
    found->seen[which] = true;
    struct str max = member_of(tool, "max_uses", &type);
    if (max.p != NULL && str_to_u64(max, &uses) == ST_OK && uses <= UINT16_MAX)
        found->uses[which] += uses;
    else
        found->uncapped = true;
}

void bound_tools_of(struct str tools, struct bound_tools *found)
{
    struct str name, value;
    enum json_type type;
    size_t at = 0;
    while (json_scan_next(tools, &at, &name, &value, &type))
        if (type == JSON_OBJECT)
            tool_add(value, found);
}
