/* policies_entities.c: what was counted under a usage policy, by value_key, and setting it back.
 *
 * An entity's id is its counter's name. Entities appear when something is counted for them first,
 * and stay as long as their counter is kept.
 */
#include "control-plane/api/limit_view.h"
#include "control-plane/api/list.h"
#include "control-plane/api/policies.h"
#include "control-plane/ledger/rule.h"

static struct counter_question question_of(const struct record_key *key)
{
    return (struct counter_question){
        .org = key->org, .workspace = key->parent, .policy = key->id, .limit = COUNTERS_PAGE_MAX};
}

enum status policies_write_usage(struct api_call *call, const struct record_key *key)
{
    struct json_writer *w = &call->json;
    struct counter_question question = question_of(key);
    struct counter_page page;
    TRY(counters_of_policy(call->txn, call->arena, &question, call->now_ms, &page));
    jw_key(w, "value_key_usage_map");
    jw_object(w);
    for (size_t i = 0; i < page.count; i++) {
        const struct counter_view *view = &page.entities[i].view;
        jw_key_str(w, page.entities[i].value_key);
        jw_object(w);
        jw_key(w, "current_usage");
        limit_view_amount(w, view->measure, view->used);
        jw_field_cstr(w, "status", view->exhausted ? "exhausted" : "active");
        jw_field_bool(w, "is_threshold_alerts_sent", view->alerted);
        jw_field_bool(w, "is_exhausted_alerts_sent", view->exhausted);
        jw_end(w);
    }
    jw_end(w);
    return ST_OK;
}

/* Is this the entity that `value` names: its whole key, or the value behind a single group's name?
 */
static bool is_named(struct str value_key, struct str value)
{
    return str_eq(value_key, value) ||
           (str_find_char(value_key, ',') < 0 && value_key.n > value.n &&
            value_key.p[value_key.n - value.n - 1] == ':' && str_ends(value_key, value));
}

enum status policies_reset_value(struct api_call *call, const struct record_key *key)
{
    struct counter_question question = question_of(key);
    struct counter_page page;
    struct str value;
    TRY(api_body_text(call, "reset_usage_for_value", &value));
    if (value.n == 0)
        return ST_OK;
    question.search = value;
    TRY(counters_of_policy(call->txn, call->arena, &question, call->now_ms, &page));
    for (size_t i = 0; i < page.count; i++)
        if (is_named(page.entities[i].value_key, value))
            return counters_reset_value(call->op, &key->org, &key->id, &page.entities[i].id);
    return api_invalid(call, "reset_usage_for_value", "nothing was counted for this value");
}

enum status policies_next_reset(struct api_call *call, Sluice__Kind kind,
                                const struct record_key *key, const Sluice__Policy *policy,
                                int64_t *next_ms)
{
    struct rule_owner owner = {.ref = {.level = LIMIT_POLICY, .org = key->org, .entity = key->id},
                               .workspace = key->parent};
    struct limit_def def;
    struct rule rule;
    *next_ms = 0;
    TRY(policies_limit(call, kind, policy, &def));
    if (policy->status != SLUICE__STATUS__STATUS_ACTIVE || def.window != LIMIT_BUDGET)
        return ST_OK;
    owner.ref.measure = def.measure;
    owner.ref.window = def.window;
    TRY(rule_find(call->txn, call->arena, &owner, &rule));
    int64_t end_ms = rule_period_end(&rule, call->now_ms);
    *next_ms = end_ms == INT64_MAX ? 0 : end_ms;
    return ST_OK;
}

/* --- handlers --- */

static enum status write_entity(struct api_call *call, const struct counter_entity *entity)
{
    struct json_writer *w = &call->json;
    const struct counter_view *view = &entity->view;
    jw_object(w);
    jw_field_id(w, "id", &entity->id);
    jw_field_str(w, "value_key", entity->value_key);
    jw_key(w, "current_usage");
    limit_view_amount(w, view->measure, view->used);
    jw_key(w, "remaining");
    limit_view_amount(w, view->measure, view->remaining);
    jw_field_cstr(w, "status", view->exhausted ? "exhausted" : "active");
    TRY(limit_view_time(call, "next_usage_reset_at", view->resets_at_ms));
    jw_field_time(w, "last_reset_at", view->last_reset_at_ms);
    jw_end(w);
    return ST_OK;
}

static enum status read_state(struct api_call *call, enum counter_state *state)
{
    struct str word = api_query(call, "status");
    *state = COUNTER_ANY;
    if (str_eq(word, STR("active")))
        *state = COUNTER_ACTIVE;
    else if (str_eq(word, STR("exhausted")))
        *state = COUNTER_EXHAUSTED;
    else if (word.n > 0)
        return api_invalid(call, "status", "must be active or exhausted");
    return ST_OK;
}

enum status api_usage_policies_entities(struct api_call *call)
{
    struct json_writer *w = &call->json;
    struct record_key key;
    Sluice__Policy *policy;
    struct counter_page page;
    struct list list;
    TRY(policies_find(call, SLUICE__KIND__KIND_USAGE_POLICY, false, &key, &policy));
    struct counter_question question = question_of(&key);
    TRY(read_state(call, &question.state));
    list_open(&list, call, COUNTERS_PAGE_MAX);
    question.search = api_query(call, "search");
    question.limit = list.size < COUNTERS_PAGE_MAX ? list.size : COUNTERS_PAGE_MAX;
    if (__builtin_mul_overflow(list.page, question.limit, &question.skip))
        question.skip = SIZE_MAX;
    TRY(counters_of_policy(call->txn, call->arena, &question, call->now_ms, &page));
    jw_object(w);
    jw_field_cstr(w, "object", "list");
    jw_key(w, "data");
    jw_array(w);
    for (size_t i = 0; i < page.count; i++)
        TRY(write_entity(call, &page.entities[i]));
    jw_end(w);
    jw_field_u64(w, "total", page.total);
    jw_end(w);
    return ST_OK;
}

enum status api_usage_policies_reset(struct api_call *call)
{
    struct record_key key;
    Sluice__Policy *policy;
    struct id entity;
    TRY(policies_find(call, SLUICE__KIND__KIND_USAGE_POLICY, false, &key, &policy));
    enum status status = id_from_text(call->params[1], &entity) == ST_OK
                             ? counters_reset_value(call->op, &key.org, &key.id, &entity)
                             : ST_NOT_FOUND;
    TRY(api_found(call, status, "Entity"));
    api_audit(call, "reset_usage", "usage_policy", &key.parent, &key.id, policy->name);
    return ST_OK;
}
