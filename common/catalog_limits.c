/* catalog_limits.c: the limits of an entity, and the policies of a workspace, as flat records.
 *
 *   usage_limits_json, rate_limits_json -> limit_def[] -> cat_limit[] with the names of their
 * counters conditions_json, group_by_json       -> cat_condition[], items of {u16 length, bytes}
 *
 * The names of counters are made here, once per change, because a hash per limit and request would
 * cost more than the whole check. Invariant: what limits a request and cannot be read refuses the
 * revision; nothing is guessed and nothing is dropped but policies that limit no call of a model.
 */
#include <stdlib.h>

#include "common/catalog_flat.h"
#include "common/json_tree.h"

#define LIMITS_ARENA_BYTES (8u << 20) /* parsing one entity's or one policy's JSON */

/* Everything wrong with what came in is one thing to the node; lack of memory is not. */
static enum status unreadable(enum status status)
{
    return status == ST_OK || status == ST_NO_MEMORY ? status : ST_BAD_FORMAT;
}

/* --- entities --- */

static enum status parse_limits(struct arena *arena, const char *usage_json, const char *rates_json,
                                struct limit_def defs[LIMIT_DEFS_MAX], size_t *count)
{
    TRY(limit_parse_usage(arena, str_c(usage_json), false, defs, count));
    return limit_parse_rates(arena, str_c(rates_json), defs, count);
}

enum status flat_put_limits(struct buf *flat, size_t to, enum limit_level level,
                            const char *usage_json, const char *rates_json, int64_t anew_ms)
{
    struct limit_def defs[LIMIT_DEFS_MAX];
    size_t count = 0, start = flat->n;
    struct cat_head head;
    struct arena arena;
    if (usage_json[0] == '\0' && rates_json[0] == '\0')
        return ST_OK;
    TRY(buf_status(flat));
    memcpy(&head, flat->p, sizeof head);
    arena_init(&arena, LIMITS_ARENA_BYTES);
    enum status status = parse_limits(&arena, usage_json, rates_json, defs, &count);
    arena_free(&arena);
    TRY(unreadable(status));
    for (size_t i = 0; i < count; i++) {
        struct limit_ref ref = {.level = (uint8_t)level,
                                .measure = defs[i].measure,
                                .window = defs[i].window,
                                .nth = defs[i].nth,
                                .org = head.org,
                                .entity = level == LIMIT_ACCESS ? head.parent : head.id,
                                .second = level == LIMIT_ACCESS ? head.id : ID_NONE};
        struct cat_limit limit = {.anew_ms = anew_ms, .def = defs[i]};
        limit_counter_id(&ref, &limit.counter);
        buf_add(flat, &limit, sizeof limit);
    }
    flat_put_ref(flat, to, start);
    return ST_OK;
}

/* --- policies --- */

static const char *const key_texts[] = {
    [CAT_POLICY_API_KEY] = "api_key",
    [CAT_POLICY_WORKSPACE] = "workspace_id",
    [CAT_POLICY_ORGANISATION] = "organisation_id",
    [CAT_POLICY_METADATA] = "metadata.",
    [CAT_POLICY_CONFIG] = "config",
    [CAT_POLICY_PROMPT] = "prompt",
    [CAT_POLICY_ENDPOINT] = "endpoint_type",
    [CAT_POLICY_VIRTUAL_KEY] = "virtual_key",
    [CAT_POLICY_PROVIDER] = "provider",
    [CAT_POLICY_MODEL] = "model",
};

const char *cat_policy_key_text(enum cat_policy_key key)
{
    return (size_t)key < COUNT_OF(key_texts) && key_texts[key] != NULL ? key_texts[key] : "";
}

struct policy_build {
    struct buf *flat;
    struct arena *arena;
};

static enum status key_of(struct str text, enum cat_policy_key *key, struct str *name)
{
    *name = STR_NONE;
    for (size_t i = 1; i < COUNT_OF(key_texts); i++) {
        struct str row = str_c(key_texts[i]);
        bool named = i == CAT_POLICY_METADATA && str_starts(text, row) && text.n > row.n;
        if (!named && (i == CAT_POLICY_METADATA || !str_eq(text, row)))
            continue;
        *key = (enum cat_policy_key)i;
        if (named)
            *name = str_from(text, row.n);
        return ST_OK;
    }
    return ST_BAD_FORMAT;
}

/* A value as it was written: text of a string, digits of a number, true or false. */
static enum status add_item(struct policy_build *build, const struct json *node)
{
    struct str text = node->raw;
    if (node->type == JSON_STRING)
        TRY(json_text(node, build->arena, &text));
    else if (node->type != JSON_NUMBER && !json_is_bool(node))
        return ST_BAD_FORMAT;
    if (text.n > UINT16_MAX)
        return ST_BAD_FORMAT;
    uint16_t n = (uint16_t)text.n;
    buf_add(build->flat, &n, sizeof n);
    buf_add_str(build->flat, text);
    return ST_OK;
}

/* A single value or an array of them. */
static enum status add_items(struct policy_build *build, const struct json *node,
                             struct cat_ref *ref)
{
    size_t start = build->flat->n;
    if (json_is_none(node))
        return ST_OK;
    if (node->type == JSON_ARRAY) {
        for (const struct json *item = node->first; item != NULL; item = item->next)
            TRY(add_item(build, item));
    } else {
        TRY(add_item(build, node));
    }
    *ref = (struct cat_ref){(uint32_t)start, (uint32_t)(build->flat->n - start)};
    return ST_OK;
}

static enum status build_condition(struct policy_build *build, const struct json *item,
                                   struct cat_condition *condition, uint16_t *flags)
{
    enum cat_policy_key key;
    struct str text, name;
    if (!json_is(item, JSON_OBJECT))
        return ST_BAD_FORMAT;
    TRY(json_text(json_get(item, "key"), build->arena, &text));
    TRY(key_of(text, &key, &name));
    *condition = (struct cat_condition){.key = (uint8_t)key};
    if (key >= CAT_POLICY_VIRTUAL_KEY)
        *flags |= CAT_POLICY_OF_TARGET;
    condition->name = (struct cat_ref){(uint32_t)build->flat->n, (uint32_t)name.n};
    buf_add_str(build->flat, name);
    TRY(add_items(build, json_get(item, "value"), &condition->values));
    return add_items(build, json_get(item, "excludes"), &condition->excludes);
}

/* An array of {key, value, excludes}, or of {key}. The rows follow their texts. */
static enum status build_conditions(struct policy_build *build, const char *json,
                                    struct cat_ref *ref, uint16_t *flags)
{
    struct json *root;
    if (json[0] == '\0')
        return ST_OK;
    TRY(json_parse(build->arena, str_c(json), NULL, &root, NULL));
    if (!json_is(root, JSON_ARRAY))
        return ST_BAD_FORMAT;
    struct cat_condition *rows = arena_calloc(build->arena, root->count + 1, sizeof *rows);
    size_t count = 0;
    if (rows == NULL)
        return ST_NO_MEMORY;
    for (const struct json *item = root->first; item != NULL; item = item->next)
        TRY(build_condition(build, item, &rows[count++], flags));
    *ref = (struct cat_ref){(uint32_t)build->flat->n, (uint32_t)(count * sizeof *rows)};
    buf_add(build->flat, rows, count * sizeof *rows);
    return ST_OK;
}

/* The one limit of a policy. ST_NOT_FOUND: it limits no call of a model. */
static enum status policy_limit(struct arena *arena, const struct catalog_policy *row,
                                struct cat_limit *limit)
{
    const Sluice__Policy *policy = row->policy;
    struct limit_def defs[LIMIT_DEFS_MAX];
    size_t count = 0;
    if (policy->status != SLUICE__STATUS__STATUS_ACTIVE ||
        (policy->target[0] != '\0' && !str_eq(str_c(policy->target), STR("llm"))))
        return ST_NOT_FOUND;
    if (row->kind == SLUICE__KIND__KIND_USAGE_POLICY)
        TRY(limit_parse_usage(arena, str_c(policy->limit_json), true, defs, &count));
    else
        TRY(limit_parse_rates(arena, str_c(policy->limit_json), defs, &count));
    if (count == 0)
        return ST_NOT_FOUND;
    *limit = (struct cat_limit){.anew_ms = policy->last_reset_at_ms, .def = defs[0]};
    return count == 1 ? ST_OK : ST_BAD_FORMAT;
}

static enum status build_policy(struct policy_build *build, const struct catalog_policy *row,
                                struct cat_policy *out)
{
    const Sluice__Policy *policy = row->policy;
    struct cat_ref conditions = {0}, groups = {0};
    struct str name = str_c(policy->name);
    struct cat_limit limit;
    uint16_t flags = 0;
    TRY(policy_limit(build->arena, row, &limit));
    if (!str_is_utf8(name))
        return ST_BAD_FORMAT;
    struct cat_ref named = {(uint32_t)build->flat->n, (uint32_t)name.n};
    buf_add_str(build->flat, name);
    TRY(build_conditions(build, policy->conditions_json, &conditions, &flags));
    TRY(build_conditions(build, policy->group_by_json, &groups, &flags));
    *out = (struct cat_policy){.id = row->id,
                               .kind = (uint16_t)row->kind,
                               .flags = flags,
                               .name = named,
                               .conditions = conditions,
                               .groups = groups,
                               .limit = limit};
    return ST_OK;
}

static int policy_compare(const void *left, const void *right)
{
    const struct catalog_policy *a = left, *b = right;
    return memcmp(a->id.b, b->id.b, ID_BYTES);
}

static enum status build_all(struct policy_build *build, const struct catalog_policy *rows,
                             size_t rows_count)
{
    uint32_t count = 0;
    for (size_t i = 0; i < rows_count; i++) {
        struct cat_policy policy;
        enum status status = build_policy(build, &rows[i], &policy);
        if (status == ST_NOT_FOUND)
            continue;
        TRY(unreadable(status));
        flat_put(build->flat, sizeof(struct cat_policies) + count * sizeof policy, &policy,
                 sizeof policy);
        count++;
    }
    flat_put(build->flat, offsetof(struct cat_policies, count), &count, sizeof count);
    return ST_OK;
}

enum status catalog_encode_policies(struct arena *arena, uint64_t revision, const struct id *org,
                                    const struct id *workspace,
                                    const struct catalog_policy *policies, size_t count,
                                    struct str *record)
{
    struct cat_head head = {CAT_KIND_POLICIES, CAT_VERSION, 0, revision, *org, ID_NONE, *workspace};
    struct arena scratch;
    struct buf flat;
    if (count > FLAT_MAX_BYTES / sizeof(struct cat_policy))
        return ST_TOO_LARGE;
    struct catalog_policy *sorted = arena_calloc(arena, count + 1, sizeof *sorted);
    if (sorted == NULL)
        return ST_NO_MEMORY;
    if (count > 0)
        memcpy(sorted, policies, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, policy_compare);
    arena_init(&scratch, LIMITS_ARENA_BYTES + FLAT_MAX_BYTES);
    struct policy_build build = {&flat, &scratch};
    enum status status =
        flat_begin(&flat, sizeof(struct cat_policies) + count * sizeof(struct cat_policy), &head);
    if (status == ST_OK)
        status = build_all(&build, sorted, count);
    if (status == ST_OK)
        status = flat_end(&flat, arena, record);
    buf_free(&flat);
    arena_free(&scratch);
    return status;
}
