/* explain.c: see explain.h.
 *
 * Invariant: what is decided here is decided by the code that decides for calls; this file looks
 * and writes. The only things it leaves out are those that leave a trace: rates, permits, the slot,
 * the attempt. Must never name what the caller's workspace may not know.
 */
#include "data-plane/worker/explain.h"

#include "common/json_write.h"
#include "data-plane/worker/limit_words.h"
#include "data-plane/worker/req.h"
#include "data-plane/worker/timeouts.h"

#define MILLION 1000000

static const char *const steps[] = {
#define STEP(name, once) #name,
#include "data-plane/req_steps.def"
#undef STEP
};

void explain_begin(struct req *req, struct str *path)
{
    struct str prefix = STR("/explain/");
    bool asked = str_eq(http_head_get(req->head, STR("x-sluice-explain")), STR("true"));
    if (str_eq(*path, STR("/explain")))
        *path = STR("/chat/completions");
    else if (str_starts(*path, prefix))
        *path = str_from(*path, prefix.n - 1);
    else if (!asked)
        return;
    req->explain.on = true;
    buf_init(&req->explain.tried, EXPLAIN_TRIED_BYTES);
}

void explain_free(struct req *req)
{
    if (req->explain.on)
        buf_free(&req->explain.tried);
}

/* --- limits --- */

static bool is_budget(const struct limit_use *use)
{
    return use->limit.def.window == LIMIT_BUDGET;
}

static bool look(struct req *req, const struct limit_use *use, struct limit_view *view)
{
    struct limits_now now = limits_client_now(req->worker, &req->limit_wait);
    return limits_view(req->worker->limits, &now, use, view);
}

/* A rate or permit that nothing is known of has not been used here. */
static enum status check_rates(struct req *req, const struct uses *uses)
{
    for (size_t i = 0; i < uses->count; i++) {
        struct limit_view view;
        const struct limit_use *use = &uses->list[i];
        if (is_budget(use) || !look(req, use, &view) || view.remaining >= use->amount)
            continue;
        (void)limit_words_refuse(req, ST_RATE_LIMITED, use, 0);
        return req->refused;
    }
    return ST_OK;
}

enum status explain_admit(struct req *req)
{
    return check_rates(req, &req->uses);
}

static void write_limit(struct req *req, struct json_writer *w, const struct limit_use *use)
{
    const struct limit_def *def = &use->limit.def;
    struct limit_view view;
    jw_object(w);
    jw_field_cstr(w, "level", limit_level_text((enum limit_level)use->ref.level));
    jw_field_str(w, "name", use->name);
    jw_field_cstr(w, "measure", limit_measure_text((enum limit_measure)def->measure));
    jw_field_cstr(w, "window",
                  is_budget(use) ? "budget" : limit_window_text((enum limit_window)def->window));
    jw_field_bool(w, "strict", use->strict);
    jw_field_i64(w, "limit", def->value);
    jw_field_i64(w, "takes", use->amount);
    if (look(req, use, &view)) {
        jw_field_i64(w, "used_before", view.spent);
        jw_field_i64(w, "remaining_before", view.remaining);
        jw_field_i64(w, "remaining_after", view.remaining - use->amount);
        jw_field_time(w, "resets_at", view.resets_at_ms);
    }
    jw_end(w);
}

static void write_limits(struct req *req, struct json_writer *w, const struct uses *uses)
{
    jw_key(w, "limits");
    jw_array(w);
    for (size_t i = 0; i < uses->count; i++)
        write_limit(req, w, &uses->list[i]);
    jw_end(w);
}

/* --- what is told --- */

static void write_verdict(struct req *req, struct json_writer *w)
{
    const struct status_row *row = status_row(req->refused);
    jw_field_cstr(w, "verdict", req->refused == ST_OK ? "allowed" : "refused");
    jw_field_u64(w, "status", (uint64_t)row->http);
    if (req->refused == ST_OK)
        return;
    jw_field_cstr(w, "code", row->code);
    jw_field_str(w, "message", str_c(req->reason[0] != '\0' ? req->reason : row->text));
    jw_field_cstr(w, "step", steps[req->step]);
}

static void write_target(struct req *req, struct json_writer *w)
{
    jw_field_str(w, "option_index", req->target.index);
    jw_field_str(w, "provider", req->target.provider);
    jw_field_str(w, "model", req->target.model);
}

/* What a million tokens of a class are charged. */
static void write_price_of(struct req *req, struct json_writer *w, const char *name,
                           enum price_class price_class)
{
    const struct price_query query = {.input_tokens = 0};
    struct price_usage usage = {.n = {0}};
    struct price_amounts amounts;
    usage.n[price_class] = MILLION;
    jw_key(w, name);
    if (price_settle(&req->attempt.terms, &query, &usage, &amounts) == ST_OK &&
        amounts.unpriced == 0)
        jw_i64(w, amounts.charge_nanousd);
    else
        jw_null(w);
}

static void write_price(struct req *req, struct json_writer *w)
{
    const struct req_attempt *attempt = &req->attempt;
    jw_key(w, "price");
    jw_object(w);
    jw_field_str(w, "model", attempt->priced_model);
    write_price_of(req, w, "input_nanousd_per_million", PRICE_INPUT_TOKEN);
    write_price_of(req, w, "output_nanousd_per_million", PRICE_OUTPUT_TOKEN);
    jw_field_cstr(w, "reserved_by", attempt->cost.bounded ? "bound" : "estimate");
    jw_field_i64(w, "reserved_cost_nanousd", attempt->cost.amounts.cost_nanousd);
    jw_field_i64(w, "reserved_charge_nanousd", attempt->cost.amounts.charge_nanousd);
    jw_end(w);
}

static void write_times(struct req *req, struct json_writer *w)
{
    struct upstream_times times = timeouts_of(req);
    jw_key(w, "timeouts_ms");
    jw_object(w);
    if (times.head_ms > 0)
        jw_field_u64(w, "request", times.head_ms);
    jw_field_u64(w, "connect", times.connect_ms);
    jw_field_u64(w, "first_byte", times.first_byte_ms);
    jw_field_u64(w, "idle", times.idle_ms);
    jw_field_u64(w, "total", times.total_ms);
    jw_end(w);
}

static void write_attempt(struct req *req, struct json_writer *w)
{
    static const char *const caches[] = {"DISABLED", "HIT", "MISS", "REFRESH"};
    const struct req_attempt *attempt = &req->attempt;
    jw_key(w, "attempt");
    jw_object(w);
    write_target(req, w);
    jw_field_id(w, "provider_id", &attempt->provider);
    jw_field_id(w, "integration_id", &attempt->integration);
    jw_field_str(w, "provider_type", attempt->type_slug);
    jw_field_str(w, "upstream_model", attempt->upstream_model);
    jw_field_bool(w, "translated", attempt->call != NULL);
    jw_key(w, "model_list");
    jw_object(w);
    jw_field_cstr(w, "verdict", attempt->list_verdict);
    jw_field_id(w, "row", &attempt->list_row);
    jw_end(w);
    write_price(req, w);
    write_limits(req, w, &attempt->uses);
    write_times(req, w);
    jw_field_cstr(w, "cache", caches[req->recall.status]);
    jw_end(w);
}

static void write_plan(struct req *req, struct json_writer *w)
{
    static const char *const modes[] = {"target", "single", "fallback", "loadbalance",
                                        "conditional"};
    const struct route_plan *plan = &req->attempts.plan;
    jw_key(w, "plan");
    jw_array(w);
    for (size_t i = 0; plan->head != NULL && i < plan->head->nodes; i++) {
        const struct route_node *node = &plan->nodes[i];
        struct str provider, model;
        jw_object(w);
        jw_field_str(w, "option_index", route_str(plan, node->path));
        jw_field_cstr(w, "mode", modes[node->mode]);
        if (node->mode == ROUTE_LEAF) {
            req_target_names(req, i, &provider, &model);
            jw_field_str(w, "provider", provider);
            jw_field_str(w, "model", model);
            jw_field_u64(w, "retries", node->set.retry_attempts);
            jw_field_bool(w, "passed_over", attempts_is_cooled(req, i));
        }
        jw_end(w);
    }
    jw_end(w);
}

static void write_head(struct req *req, struct json_writer *w)
{
    jw_field_cstr(w, "object", "explain");
    write_verdict(req, w);
    jw_field_u64(w, "revision", req->auth.revision);
    jw_field_cstr(w, "operation", op_row(req->op)->text);
    jw_field_id(w, "organisation_id", &req->auth.org);
    jw_field_id(w, "workspace_id", &req->auth.workspace);
    jw_field_id(w, "api_key_id", &req->auth.key);
    jw_key(w, "config");
    if (req->config.n > 0)
        jw_str(w, req->config);
    else
        jw_null(w);
    jw_key(w, "warnings");
    jw_array(w);
    const struct route_plan *plan = &req->attempts.plan;
    struct str rest = plan->head == NULL ? STR("") : route_str(plan, plan->head->warnings), line;
    while (rest.n > 0 && str_split(&rest, '\n', &line))
        if (line.n > 0)
            jw_str(w, line);
    jw_end(w);
    write_limits(req, w, &req->uses);
}

static void answer(struct req *req)
{
    struct json_writer w;
    struct buf body;
    buf_init(&body, EXPLAIN_BYTES);
    jw_init(&w, &body);
    jw_object(&w);
    write_head(req, &w);
    jw_key(&w, "tried");
    jw_array(&w);
    if (req->explain.tried.n > 0)
        jw_raw(&w, str_from(buf_str(&req->explain.tried), 1));
    jw_end(&w);
    if (req->refused == ST_OK)
        write_attempt(req, &w);
    write_plan(req, &w);
    jw_end(&w);
    bool whole = buf_status(&body) == ST_OK && buf_status(&req->explain.tried) == ST_OK;
    req->explain.on =
        false; /* the answer is made: what refuses from here on is no more explained */
    buf_free(&req->explain.tried);
    req->refused = ST_OK;
    if (whole)
        req_answer_json(req, 200, buf_str(&body));
    else if (req_refuse(req, ST_TOO_LARGE, "The account of this request is too long.") ==
             STEP_REFUSE)
        req_answer_refusal(req);
    buf_free(&body);
}

/* --- in the walk --- */

void explain_tried(struct req *req)
{
    struct json_writer w;
    if (!req->explain.on)
        return;
    buf_add_char(&req->explain.tried, ',');
    jw_init(&w, &req->explain.tried);
    jw_object(&w);
    write_target(req, &w);
    write_verdict(req, &w);
    jw_end(&w);
}

void explain_allowed(struct req *req)
{
    answer(req);
}

void explain_refused(struct req *req)
{
    answer(req);
}

static void moved(struct limit_wait *wait)
{
    req_run(wait->owner);
}

/* Takes the budgets and gives them back. */
static enum status try_budgets(struct req *req)
{
    struct uses *uses = &req->attempt.uses;
    struct limit_use *budgets = arena_alloc(&req->arena, (uses->count + 1) * sizeof *budgets);
    size_t count = 0, which;
    if (budgets == NULL) {
        (void)req_refuse(req, ST_NO_MEMORY, "Not enough memory.");
        return ST_NO_MEMORY;
    }
    for (size_t i = 0; i < uses->count; i++)
        if (is_budget(&uses->list[i]))
            budgets[count++] = uses->list[i];
    req->limit_wait.done = moved;
    req->limit_wait.owner = req;
    enum status status = limits_client_take(req->worker, &req->limit_wait, budgets, count, &which);
    if (status == ST_OK) {
        struct limits_now now = limits_client_now(req->worker, &req->limit_wait);
        limits_give_back(req->worker->limits, &now, budgets, count);
        limits_client_cancel(&req->limit_wait);
    } else if (status != ST_AGAIN) {
        (void)limit_words_refuse(req, status, &budgets[which], 0);
        status = req->refused;
    }
    return status;
}

enum status explain_reserve(struct req *req)
{
    TRY(try_budgets(req));
    return check_rates(req, &req->attempt.uses);
}
