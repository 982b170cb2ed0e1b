/* policies.c: /v1/policies/usage-limits and /v1/policies/rate-limits.
 *
 * A policy limits what fits its conditions in its workspace, with one counter per tuple of
 * group_by. Conditions, groups and figures read back exactly as they were sent; beside them stands
 * what nodes need (slugs of workspaces as ids). Updates are three-state and may be {}. Deleting
 * archives: the policy stops at once and can still be read with ?status=archived until newer ones
 * need its place.
 */
#include "control-plane/api/policies.h"

#include "common/wire.h"
#include "control-plane/api/limit_view.h"
#include "control-plane/api/list.h"
#include "control-plane/api/resolve.h"

#define AT(member) FIELD_AT(Sluice__Policy, member)
#define NEXT_RESET "next_usage_reset_at"

static const struct field usage_rows[] = {
    {"name", FIELD_TEXT, FIELD_OUT, AT(name), 0, 255},
    {"description", FIELD_TEXT, FIELD_OUT, AT(description), 0, 500},
    {"conditions", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"group_by", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"workspace_id", FIELD_OTHER, 0, 0, 0, 0},
    {"type", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"credit_limit", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"alert_threshold", FIELD_OTHER, 0, 0, 0, 0},
    {"periodic_reset", FIELD_OTHER, 0, 0, 0, 0},
    {"periodic_reset_days", FIELD_OTHER, 0, 0, 0, 0},
    {"next_usage_reset_at", FIELD_OTHER, 0, 0, 0, 0},
    {"mode", FIELD_OTHER, 0, 0, 0, 0},
    {"on_disconnect", FIELD_OTHER, 0, 0, 0, 0},
    {"amount", FIELD_OTHER, 0, 0, 0, 0},
    {"unpriced_token_price", FIELD_OTHER, 0, 0, 0, 0},
    {"reset_usage_for_value", FIELD_OTHER, 0, 0, 0, 0},
};
const struct field_set api_fields_usage_policy = {"usage_policy", usage_rows, COUNT_OF(usage_rows)};

static const struct field rate_rows[] = {
    {"name", FIELD_TEXT, FIELD_OUT, AT(name), 0, 255},
    {"description", FIELD_TEXT, FIELD_OUT, AT(description), 0, 500},
    {"conditions", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"group_by", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"workspace_id", FIELD_OTHER, 0, 0, 0, 0},
    {"target", FIELD_OTHER, 0, 0, 0, 0},
    {"type", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"unit", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"value", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"burst", FIELD_OTHER, 0, 0, 0, 0},
    {"mode", FIELD_OTHER, 0, 0, 0, 0},
    {"on_disconnect", FIELD_OTHER, 0, 0, 0, 0},
};
const struct field_set api_fields_rate_policy = {"rate_policy", rate_rows, COUNT_OF(rate_rows)};

static const struct policies_figure usage_figures[] = {
    {"credit_limit", true},          {"alert_threshold", true},
    {"periodic_reset", true},        {"periodic_reset_days", true},
    {"next_usage_reset_at", true},   {"mode", false},
    {"on_disconnect", false},        {"amount", false},
    {"unpriced_token_price", false},
};
static const struct policies_figure rate_figures[] = {
    {"unit", true}, {"value", true}, {"burst", false}, {"mode", false}, {"on_disconnect", false}};

const struct policies_kind policies_usage = {
    SLUICE__KIND__KIND_USAGE_POLICY, &api_fields_usage_policy, usage_figures,
    COUNT_OF(usage_figures),         "policy_usage_limits",    "usage_policy"};
const struct policies_kind policies_rate = {
    SLUICE__KIND__KIND_RATE_POLICY, &api_fields_rate_policy, rate_figures,
    COUNT_OF(rate_figures),         "policy_rate_limits",    "rate_policy"};

/* --- finding --- */

enum status policies_find(struct api_call *call, Sluice__Kind kind, bool archived,
                          struct record_key *key, Sluice__Policy **policy)
{
    struct record_key scope;
    Sluice__Workspace *workspace;
    struct id id;
    enum status status = ST_NOT_FOUND;
    TRY(resolve_scope(call, false, &scope, &workspace));
    if (id_from_text(call->params[0], &id) == ST_OK)
        status = record_locate(call->txn, kind, &call->auth.org, &id, key);
    if (status == ST_OK && workspace != NULL && !id_eq(&key->parent, &scope.id))
        status = ST_NOT_FOUND;
    if (status == ST_OK)
        status = record_get(call->txn, key, call->arena, policy, NULL);
    if (status == ST_OK && !archived && (*policy)->status != SLUICE__STATUS__STATUS_ACTIVE)
        status = ST_NOT_FOUND;
    return api_found(call, status, "Policy");
}

/* --- answers --- */

static void write_figures(struct json_writer *w, const struct policies_kind *kind,
                          const struct json *limit)
{
    for (size_t i = 0; i < kind->figure_count; i++) {
        const struct json *node = json_get(limit, kind->figures[i].name);
        bool own = strcmp(kind->figures[i].name, NEXT_RESET) == 0;
        if (own || (node == NULL && !kind->figures[i].always))
            continue;
        jw_key(w, kind->figures[i].name);
        jw_raw(w, node == NULL ? STR("null") : node->raw);
    }
}

/* The time that was sent as long as it is to come, then the next one by rule. */
static enum status write_next_reset(struct api_call *call, const struct record_key *key,
                                    const Sluice__Policy *policy, const struct json *limit)
{
    const struct json *sent = json_get(limit, NEXT_RESET);
    struct limit_def def;
    int64_t next_ms;
    TRY(policies_limit(call, key->kind, policy, &def));
    if (sent != NULL && def.next_reset_ms > call->now_ms) {
        jw_field_raw(&call->json, NEXT_RESET, sent->raw);
        return ST_OK;
    }
    TRY(policies_next_reset(call, key->kind, key, policy, &next_ms));
    return limit_view_time(call, NEXT_RESET, next_ms);
}

static enum status write_policy(struct api_call *call, const struct policies_kind *kind,
                                const struct record_key *key, const Sluice__Policy *policy)
{
    struct json_writer *w = &call->json;
    struct json *limit;
    TRY(json_parse(call->arena, str_c(policy->limit_json), NULL, &limit, NULL));
    jw_field_cstr(w, "object", kind->object);
    jw_field_id(w, "id", &key->id);
    fields_write(w, kind->fields, policy);
    jw_key(w, "conditions");
    jw_raw(w, str_c(policy->conditions_json));
    jw_key(w, "group_by");
    jw_raw(w, str_c(policy->group_by_json));
    jw_field_cstr(w, "type", policy->type);
    write_figures(w, kind, limit);
    if (kind->kind == SLUICE__KIND__KIND_RATE_POLICY) {
        jw_field_cstr(w, "target", policy->target);
    } else {
        TRY(write_next_reset(call, key, policy, limit));
        jw_field_time(w, "last_reset_at", policy->last_reset_at_ms);
    }
    jw_field_cstr(w, "status",
                  policy->status == SLUICE__STATUS__STATUS_ACTIVE ? "active" : "archived");
    jw_field_id(w, "workspace_id", &key->parent);
    jw_field_id(w, "organisation_id", &key->org);
    jw_field_time(w, "created_at", policy->created_at_ms);
    jw_field_time(w, "last_updated_at", policy->updated_at_ms);
    return ST_OK;
}

/* --- handlers --- */

/* Makes room for one more: the oldest archived one goes. */
static enum status make_room(struct api_call *call, const struct record_key *policy)
{
    struct record_cursor *cursor = NULL;
    struct record_key key, oldest = {.id = ID_NONE};
    Sluice__Policy *row;
    size_t count = 0;
    TRY(record_cursor_open(call->txn, policy->kind, &policy->org, &policy->parent, &cursor));
    enum status status;
    while ((status = record_cursor_next(cursor, call->arena, &key, &row, NULL)) == ST_OK) {
        count++;
        if (row->status == SLUICE__STATUS__STATUS_ARCHIVED && id_is_none(&oldest.id))
            oldest = key;
    }
    record_cursor_close(cursor);
    if (status != ST_END)
        return status;
    if (count < POLICIES_MAX)
        return ST_OK;
    if (id_is_none(&oldest.id))
        return api_fail(call, ST_INVALID, "A workspace may have %d policies of a kind",
                        POLICIES_MAX);
    return record_delete(call->op, &oldest);
}

static enum status create(struct api_call *call, const struct policies_kind *kind)
{
    Sluice__Policy policy = SLUICE__POLICY__INIT;
    struct record_key scope, key;
    Sluice__Workspace *workspace;
    TRY(resolve_scope(call, true, &scope, &workspace));
    key = (struct record_key){kind->kind, scope.org, scope.id, id_new()};
    TRY(policies_read(call, kind, true, &policy));
    TRY(make_room(call, &key));
    policy.id = wire_id_data(&key.id);
    policy.created_at_ms = call->now_ms;
    TRY(record_put(call->op, &key, &policy, STR_NONE));
    api_audit(call, "create", kind->resource, &key.parent, &key.id, policy.name);
    jw_object(&call->json);
    jw_field_id(&call->json, "id", &key.id);
    jw_field_cstr(&call->json, "object", kind->object);
    jw_end(&call->json);
    return ST_OK;
}

static enum status update(struct api_call *call, const struct policies_kind *kind)
{
    struct record_key key;
    Sluice__Policy *policy;
    TRY(policies_find(call, kind->kind, false, &key, &policy));
    TRY(policies_read(call, kind, false, policy));
    TRY(record_put(call->op, &key, policy, STR_NONE));
    if (kind->kind == SLUICE__KIND__KIND_USAGE_POLICY)
        TRY(policies_reset_value(call, &key));
    api_audit(call, "update", kind->resource, &key.parent, &key.id, policy->name);
    return ST_OK;
}

static enum status archive(struct api_call *call, const struct policies_kind *kind)
{
    struct record_key key;
    Sluice__Policy *policy;
    TRY(policies_find(call, kind->kind, false, &key, &policy));
    policy->status = SLUICE__STATUS__STATUS_ARCHIVED;
    policy->updated_at_ms = call->now_ms;
    TRY(record_put(call->op, &key, policy, STR_NONE));
    api_audit(call, "delete", kind->resource, &key.parent, &key.id, policy->name);
    return ST_OK;
}

static bool wants_archived(const struct api_call *call)
{
    return str_eq(api_query(call, "status"), STR("archived"));
}

static enum status get(struct api_call *call, const struct policies_kind *kind)
{
    struct record_key key;
    Sluice__Policy *policy;
    TRY(policies_find(call, kind->kind, wants_archived(call), &key, &policy));
    jw_object(&call->json);
    TRY(write_policy(call, kind, &key, policy));
    if (str_eq(api_query(call, "include_usage"), STR("true")) &&
        kind->kind == SLUICE__KIND__KIND_USAGE_POLICY)
        TRY(policies_write_usage(call, &key));
    jw_end(&call->json);
    return ST_OK;
}

static enum status list_row(struct list *list, const struct record_key *key, const void *message,
                            void *arg)
{
    const Sluice__Policy *policy = message;
    const struct policies_kind *kind = arg;
    struct api_call *call = list->call;
    struct str type = api_query(call, "type"), unit = api_query(call, "unit");
    bool archived = policy->status == SLUICE__STATUS__STATUS_ARCHIVED;
    if (archived != wants_archived(call) || (type.n > 0 && !str_eq(type, str_c(policy->type))))
        return ST_OK;
    if (unit.n > 0 && kind->kind == SLUICE__KIND__KIND_RATE_POLICY) {
        struct limit_def def;
        TRY(policies_limit(call, kind->kind, policy, &def));
        if (!str_eq(unit, str_c(limit_window_text((enum limit_window)def.window))))
            return ST_OK;
    }
    if (!list_wants(list))
        return ST_OK;
    jw_object(&call->json);
    TRY(write_policy(call, kind, key, policy));
    jw_end(&call->json);
    return ST_OK;
}

static enum status list_all(struct api_call *call, const struct policies_kind *kind)
{
    struct record_key scope;
    Sluice__Workspace *workspace;
    struct list list;
    struct policies_kind copy = *kind;
    TRY(resolve_scope(call, false, &scope, &workspace));
    list_begin(&list, call, 100);
    TRY(list_run(&list, kind->kind, workspace == NULL ? NULL : &scope.id, list_row, &copy));
    list_end(&list);
    return ST_OK;
}

#define HANDLERS(name)                                                                             \
    enum status api_##name##_policies_list(struct api_call *call)                                  \
    {                                                                                              \
        return list_all(call, &policies_##name);                                                   \
    }                                                                                              \
    enum status api_##name##_policies_create(struct api_call *call)                                \
    {                                                                                              \
        return create(call, &policies_##name);                                                     \
    }                                                                                              \
    enum status api_##name##_policies_get(struct api_call *call)                                   \
    {                                                                                              \
        return get(call, &policies_##name);                                                        \
    }                                                                                              \
    enum status api_##name##_policies_update(struct api_call *call)                                \
    {                                                                                              \
        return update(call, &policies_##name);                                                     \
    }                                                                                              \
    enum status api_##name##_policies_delete(struct api_call *call)                                \
    {                                                                                              \
        return archive(call, &policies_##name);                                                    \
    }

HANDLERS(usage)
HANDLERS(rate)
