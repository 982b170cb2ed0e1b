/* route_doc.c: from a document's tree to a plan, level by level (route_doc.h).
 *
 *     root ---------> nodes[0]                a level is read whole; its targets are appended
 * behind targets[0..2] > nodes[1..3]             all nodes there are, with its settings as theirs
 * to targets[1].targets[0..1] > nodes[4..5]  begin with, and read in their turn
 *
 * Invariant: a plan that comes out opens (route_plan_open), and says the same for the same
 * document. Must never: take a key for something it does not mean, or pass over one in silence.
 */
#include "common/route_build.h"

#define TREE_NODES_MAX 50000u

/* --- what the readers share --- */

struct str route_member_path(struct route_build *b, struct str path, const char *member)
{
    return arena_printf(b->arena, STR_FMT ".%s", STR_ARG(path), member);
}

struct str route_item_path(struct route_build *b, struct str path, size_t index)
{
    return arena_printf(b->arena, STR_FMT "[%zu]", STR_ARG(path), index);
}

enum status route_refuse(struct route_build *b, struct str path, const char *member,
                         const char *rule)
{
    const char *dot = member == NULL ? "" : ".";
    b->why = arena_printf(b->arena, STR_FMT "%s%s: %s.", STR_ARG(path), dot,
                          member == NULL ? "" : member, rule);
    return b->why.p == NULL ? ST_NO_MEMORY : ST_INVALID;
}

void route_warn(struct route_build *b, struct str path, const char *member, const char *sentence)
{
    if (b->warning_count++ == ROUTE_DOC_WARNINGS_MAX)
        buf_add_lit(&b->warnings, "Further warnings are left out.\n");
    if (b->warning_count > ROUTE_DOC_WARNINGS_MAX)
        return;
    buf_add_str(&b->warnings, path);
    if (member != NULL)
        buf_printf(&b->warnings, ".%s", member);
    buf_printf(&b->warnings, ": %s.\n", sentence);
}

struct route_ref route_text(struct route_build *b, struct str text)
{
    struct route_ref ref = {(uint32_t)b->text.n, (uint32_t)text.n};
    buf_add_str(&b->text, text);
    return ref;
}

struct str route_shown(struct arena *arena, struct str key)
{
    size_t n = 0;
    for (size_t step; n < key.n && (step = str_utf8_step(str_from(key, n))) > 0 && n + step <= 64;)
        n += step;
    char *out = arena_alloc(arena, n + 1);
    if (out == NULL)
        return STR_NONE;
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)key.p[i] < 0x20 || key.p[i] == 0x7F ? '?' : key.p[i];
    out[n] = '\0';
    return str_of(out, n);
}

bool route_key_is(struct str key, struct str snake)
{
    size_t at = 0;
    for (size_t i = 0; i < key.n; i++) {
        char c = key.p[i];
        if (c >= 'A' && c <= 'Z') {
            if (at == snake.n || snake.p[at++] != '_')
                return false;
            c = (char)(c + ('a' - 'A'));
        }
        if (at == snake.n || snake.p[at++] != c)
            return false;
    }
    return at == snake.n;
}

enum status route_pick(struct route_build *b, struct str path, const struct json *object,
                       const char *const *names, size_t count, const struct json **values)
{
    for (size_t i = 0; i < count; i++)
        values[i] = NULL;
    for (const struct json *member = object->first; member != NULL; member = member->next) {
        size_t at = 0;
        while (at < count && !route_key_is(member->key, str_c(names[at])))
            at++;
        if (at < count && values[at] != NULL)
            return route_refuse(b, path, names[at], "is given twice");
        if (at < count) {
            values[at] = member;
            continue;
        }
        struct str shown = route_shown(b->arena, member->key);
        if (shown.p == NULL)
            return ST_NO_MEMORY;
        route_warn(b, path, shown.p, "unknown key, not used");
    }
    for (size_t i = 0; i < count; i++)
        values[i] = json_is_none(values[i]) ? NULL : values[i];
    return ST_OK;
}

/* --- one compilation --- */

static void build_begin(struct route_build *b, struct arena *arena, unsigned flags)
{
    *b = (struct route_build){.arena = arena, .flags = flags};
    buf_init(&b->nodes, ROUTE_NODES_MAX * sizeof(struct route_node));
    buf_init(&b->sources, ROUTE_NODES_MAX * sizeof(const struct json *));
    buf_init(&b->conditions, ROUTE_CONDITIONS_MAX * sizeof(struct route_condition));
    buf_init(&b->terms, ROUTE_TERMS_MAX * sizeof(struct route_term));
    buf_init(&b->paths, ROUTE_PATHS_MAX * sizeof(struct route_path));
    buf_init(&b->words, ROUTE_PLAN_MAX);
    buf_init(&b->text, ROUTE_PLAN_MAX);
    buf_init(&b->guards, 1u << 16);
    buf_init(&b->warnings, 1u << 16);
}

static void build_end(struct route_build *b)
{
    struct buf *all[] = {&b->nodes, &b->sources, &b->conditions, &b->terms,   &b->paths,
                         &b->words, &b->text,    &b->guards,     &b->warnings};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        buf_free(all[i]);
}

static enum status build_status(const struct route_build *b)
{
    const struct buf *all[] = {&b->nodes, &b->sources, &b->conditions, &b->terms,   &b->paths,
                               &b->words, &b->text,    &b->guards,     &b->warnings};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        TRY(buf_status(all[i]));
    return ST_OK;
}

/* Puts the sections behind each other. */
static enum status build_plan(struct route_build *b, struct str refusal, struct str *plan)
{
    struct route_head head = {.magic = ROUTE_PLAN_MAGIC, .version = ROUTE_PLAN_VERSION};
    struct route_layout at;
    head.refusal = route_text(b, refusal);
    head.guards = route_text(b, buf_str(&b->guards));
    head.warnings = route_text(b, buf_str(&b->warnings));
    TRY(build_status(b));
    head.nodes = (uint16_t)(b->nodes.n / sizeof(struct route_node));
    head.conditions = (uint16_t)(b->conditions.n / sizeof(struct route_condition));
    head.terms = (uint16_t)(b->terms.n / sizeof(struct route_term));
    head.paths = (uint16_t)(b->paths.n / sizeof(struct route_path));
    head.words = (uint32_t)(b->words.n / sizeof(uint32_t));
    head.text = (uint32_t)b->text.n;
    route_plan_layout(&head, &at);
    if (at.end > ROUTE_PLAN_MAX)
        return ST_TOO_LARGE;
    head.bytes = (uint32_t)at.end;
    char *out = arena_alloc(b->arena, at.end);
    if (out == NULL)
        return ST_NO_MEMORY;
    const struct {
        size_t to;
        struct str bytes;
    } sections[] = {{0, str_of((const char *)&head, sizeof head)},
                    {at.nodes, buf_str(&b->nodes)},
                    {at.conditions, buf_str(&b->conditions)},
                    {at.terms, buf_str(&b->terms)},
                    {at.paths, buf_str(&b->paths)},
                    {at.words, buf_str(&b->words)},
                    {at.text, buf_str(&b->text)}};
    for (size_t i = 0; i < COUNT_OF(sections); i++)
        if (sections[i].bytes.n > 0)
            memcpy(out + sections[i].to, sections[i].bytes.p, sections[i].bytes.n);
    *plan = str_of(out, at.end);
    return ST_OK;
}

/* --- levels --- */

/* Every target of a loadbalance may be 0 but not all: nothing could be drawn. */
static enum status check_weights(struct route_build *b)
{
    const struct route_node *nodes = (const void *)b->nodes.p;
    size_t count = b->nodes.n / sizeof *nodes;
    for (size_t i = 0; i < count; i++) {
        int64_t sum = 0;
        for (size_t k = 0; k < nodes[i].count; k++)
            sum += nodes[nodes[i].first + k].weight;
        struct str path = str_of(b->text.p + nodes[i].path.off, nodes[i].path.len);
        if (nodes[i].mode == ROUTE_LOADBALANCE && sum == 0)
            return route_refuse(b, path, "targets",
                                "all weights are 0, so no target could ever be chosen");
    }
    return ST_OK;
}

static enum status read_levels(struct route_build *b, const struct json *root)
{
    struct route_node first = {.parent = ROUTE_NONE,
                               .otherwise = ROUTE_NONE,
                               .weight = ROUTE_WEIGHT_ONE,
                               .path = route_text(b, STR("config"))};
    buf_add(&b->nodes, &first, sizeof first);
    buf_add(&b->sources, &root, sizeof root);
    for (size_t i = 0; i * sizeof(struct route_node) < b->nodes.n; i++) {
        struct route_node node;
        const struct json *source;
        TRY(build_status(b));
        memcpy(&node, b->nodes.p + i * sizeof node, sizeof node);
        memcpy(&source, b->sources.p + i * sizeof source, sizeof source);
        TRY(route_read_level(b, &node, i, source));
        TRY(build_status(b));
        memcpy(b->nodes.p + i * sizeof node, &node, sizeof node);
    }
    return check_weights(b);
}

static enum status read_document(struct route_build *b, struct str json)
{
    struct json_limits limits = {.max_nodes = TREE_NODES_MAX};
    struct json_error error = {0, "not an object"};
    struct json *root;
    if (json.n > ROUTE_DOC_MAX)
        return route_refuse(b, STR("config"), NULL, "is too large");
    enum status status = json_parse(b->arena, json, &limits, &root, &error);
    if (status == ST_NO_MEMORY)
        return status;
    if (status != ST_OK || !json_is(root, JSON_OBJECT)) {
        b->why = arena_printf(b->arena, "config: is no valid JSON object (%s at byte %zu).",
                              error.what, error.at);
        return b->why.p == NULL ? ST_NO_MEMORY : ST_INVALID;
    }
    return read_levels(b, root);
}

enum status route_doc_compile(struct arena *arena, struct str json, unsigned flags,
                              struct str *plan, struct str *why)
{
    struct route_build b;
    build_begin(&b, arena, flags);
    enum status status = read_document(&b, json);
    if (status == ST_OK)
        status = build_plan(&b, STR(""), plan);
    if (status == ST_TOO_LARGE)
        status = route_refuse(&b, STR("config"), NULL, "is too large once it is laid out");
    if (status == ST_INVALID)
        *why = b.why;
    build_end(&b);
    return status;
}

enum status route_doc_refusal(struct arena *arena, struct str why, struct str *plan)
{
    struct route_build b;
    build_begin(&b, arena, 0);
    enum status status = build_plan(&b, why.n == 0 ? STR("The config cannot be used.") : why, plan);
    build_end(&b);
    return status;
}
