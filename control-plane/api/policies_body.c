/* policies_body.c: what a body makes of a policy.
 *
 * The figures become one object that common/limit.h reads; `type` and `target` are fixed once the
 * policy is made, because its counters are named by them. What is checked here is what a node can
 * compile: a policy that it could not would stop every change behind it.
 */
#include "common/wire.h"
#include "control-plane/api/limits.h"
#include "control-plane/api/policies.h"
#include "control-plane/domain/conditions.h"

static enum status read_limit(struct arena *arena, Sluice__Kind kind, const struct json *node,
                              struct limit_def *def, struct limit_error *error)
{
    struct limit_def defs[LIMIT_DEFS_MAX];
    size_t count = 0;
    if (kind == SLUICE__KIND__KIND_USAGE_POLICY)
        TRY(limit_read_usage(arena, node, true, defs, &count, error));
    else
        TRY(limit_read_rates(arena, node, defs, &count, error));
    if (count != 1)
        return ST_INVALID;
    *def = defs[0];
    return ST_OK;
}

enum status policies_limit(struct api_call *call, Sluice__Kind kind, const Sluice__Policy *policy,
                           struct limit_def *def)
{
    struct json *node;
    TRY(json_parse(call->arena, str_c(policy->limit_json), NULL, &node, NULL));
    return read_limit(call->arena, kind, node, def, NULL);
}

/* The figures as one object, over those that were there; whole numbers plain. */
static enum status read_figures(struct api_call *call, const struct policies_kind *kind,
                                Sluice__Policy *policy)
{
    struct limit_error error = {0, "", ""};
    struct limit_def def;
    struct json *limit;
    struct buf patch;
    struct json_writer w;
    struct str merged;
    char *text;
    buf_init(&patch, 64u << 10);
    jw_init(&w, &patch);
    jw_object(&w);
    jw_field_cstr(&w, "type", policy->type);
    for (size_t i = 0; i < kind->figure_count; i++) {
        const struct json *node = api_body(call, kind->figures[i].name);
        if (node == NULL)
            continue;
        jw_key(&w, kind->figures[i].name);
        limits_write_plain(&w, node);
    }
    jw_end(&w);
    TRY(fields_take(call->arena, &patch, &text));
    TRY(json_parse(call->arena, str_c(text), NULL, &limit, NULL));
    TRY(fields_merge(call->arena, str_c(policy->limit_json), limit, &merged));
    TRY(json_parse(call->arena, merged, NULL, &limit, NULL));
    enum status status = read_limit(call->arena, kind->kind, limit, &def, &error);
    if (status == ST_INVALID)
        return api_invalid(call, error.field[0] == '\0' ? "credit_limit" : error.field,
                           error.rule[0] == '\0' ? "is required" : error.rule);
    TRY(status);
    if (kind->kind == SLUICE__KIND__KIND_USAGE_POLICY && def.alert > 0 && def.alert >= def.value)
        return api_invalid(call, "alert_threshold", "must be below credit_limit");
    return api_cstr(call->arena, merged, &policy->limit_json);
}

/* A word that is fixed once the policy is made: counters are named by it. */
static enum status read_fixed(struct api_call *call, const char *name, const char *otherwise,
                              bool creating, char **word)
{
    struct str text;
    TRY(api_body_text(call, name, &text));
    if (text.n == 0 && creating && otherwise == NULL)
        return api_invalid(call, name, "is required");
    if (creating)
        return api_cstr(call->arena, text.n > 0 ? text : str_c(otherwise), word);
    return text.n == 0 || str_eq(text, str_c(*word))
               ? ST_OK
               : api_invalid(call, name, "cannot be changed; make another policy");
}

static enum status read_target(struct api_call *call, const struct policies_kind *kind,
                               bool creating, Sluice__Policy *policy)
{
    if (kind->kind == SLUICE__KIND__KIND_USAGE_POLICY)
        return creating ? api_cstr(call->arena, STR("llm"), &policy->target) : ST_OK;
    TRY(read_fixed(call, "target", "llm", creating, &policy->target));
    if (!str_eq(str_c(policy->target), STR("llm")) &&
        !str_eq(str_c(policy->target), STR("mcp_tools")))
        return api_invalid(call, "target", "must be one of llm, mcp_tools");
    return ST_OK;
}

/* --- slugs of workspaces, as nodes compare ids --- */

/* A value of a workspace_id condition: a slug becomes the id, everything else stays. */
static enum status write_workspace(struct api_call *call, struct json_writer *w,
                                   const struct json *value, bool *changed)
{
    struct record_key key;
    struct str name;
    if (json_is(value, JSON_ARRAY)) {
        jw_array(w);
        for (const struct json *item = value->first; item != NULL; item = item->next)
            TRY(write_workspace(call, w, item, changed));
        jw_end(w);
        return ST_OK;
    }
    if (json_is(value, JSON_STRING) && json_text(value, call->arena, &name) == ST_OK &&
        record_find(call->txn, SLUICE__KIND__KIND_WORKSPACE, &call->auth.org, &ID_NONE, name,
                    &key) == ST_OK) {
        *changed = true;
        jw_id(w, &key.id);
    } else {
        jw_raw(w, value->raw);
    }
    return ST_OK;
}

static enum status write_condition(struct api_call *call, struct json_writer *w,
                                   const struct json *item, bool *changed)
{
    struct str key;
    TRY(json_text(json_get(item, "key"), call->arena, &key));
    if (!str_eq(key, STR("workspace_id"))) {
        jw_raw(w, item->raw);
        return ST_OK;
    }
    jw_object(w);
    for (const struct json *member = item->first; member != NULL; member = member->next) {
        jw_key_str(w, member->key);
        if (str_eq(member->key, STR("value")) || str_eq(member->key, STR("excludes")))
            TRY(write_workspace(call, w, member, changed));
        else
            jw_raw(w, member->raw);
    }
    jw_end(w);
    return ST_OK;
}

static enum status compile(struct api_call *call, const struct json *conditions, char **match)
{
    struct buf out;
    struct json_writer w;
    bool changed = false;
    enum status status = ST_OK;
    buf_init(&out, FIELDS_OBJECT_MAX);
    jw_init(&w, &out);
    jw_array(&w);
    for (const struct json *item = conditions->first; item != NULL && status == ST_OK;
         item = item->next)
        status = write_condition(call, &w, item, &changed);
    jw_end(&w);
    if (status == ST_OK && changed)
        return fields_take(call->arena, &out, match);
    buf_free(&out);
    TRY(status);
    return api_cstr(call->arena, STR(""), match);
}

static enum status read_conditions(struct api_call *call, bool creating, Sluice__Policy *policy)
{
    const struct json *conditions = api_body(call, "conditions"),
                      *groups = api_body(call, "group_by");
    struct conditions_error error = {"", ""};
    bool tools = !str_eq(str_c(policy->target), STR("llm"));
    enum status status = ST_OK;
    if (conditions != NULL || creating) {
        status = conditions_check(call->arena, conditions, tools, &error);
        if (status == ST_OK)
            status = api_cstr(call->arena, conditions->raw, &policy->conditions_json);
        if (status == ST_OK && !tools)
            status = compile(call, conditions, &policy->match_json);
    }
    if (status == ST_OK && creating) {
        status = conditions_check_groups(call->arena, groups, tools, &error);
        if (status == ST_OK)
            status = api_cstr(call->arena, groups->raw, &policy->group_by_json);
    }
    return status == ST_INVALID ? api_invalid(call, error.field, error.rule) : status;
}

enum status policies_read(struct api_call *call, const struct policies_kind *kind, bool creating,
                          Sluice__Policy *policy)
{
    TRY(fields_read(call, kind->fields, policy, creating));
    TRY(read_target(call, kind, creating, policy));
    TRY(read_conditions(call, creating, policy));
    TRY(read_fixed(call, "type", NULL, creating, &policy->type));
    TRY(read_figures(call, kind, policy));
    policy->updated_at_ms = call->now_ms;
    return ST_OK;
}
