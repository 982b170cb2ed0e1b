/* attempts.c: see attempts.h.
 *
 * A decision only moves what decides (the walk, the retry count); what it leads to is done apart,
 * so that it can be taken in the midst of an answer. Invariants: after a decision for another
 * attempt nothing of the present one reaches the caller; an attempt is settled before the next one
 * authorises; the last answer is the caller's, as it came. Must never hold the policy itself: that
 * is retry.h's, route_walk.h's and breaker.h's.
 */
#include "data-plane/worker/attempts.h"

#include <sodium.h>

#include "common/clock.h"
#include "data-plane/worker/req.h"

static int64_t now_ms(const struct req *req)
{
    return loop_now_ns(req->worker->loop) / 1000000;
}

uint64_t attempts_key(const struct req *req, struct str provider, struct str model)
{
    const unsigned char *key = req->worker->segment.head->node.b; /* the same for all workers */
    unsigned char text[ID_BYTES + 2 * 256], out[crypto_shorthash_BYTES];
    uint64_t hash;
    size_t n = ID_BYTES;
    _Static_assert(crypto_shorthash_KEYBYTES == ID_BYTES, "an id is the key");
    const struct str parts[] = {str_head(provider, 255), str_head(model, 255)};
    memcpy(text, req->auth.workspace.b, ID_BYTES);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        text[n++] = (unsigned char)parts[i].n;
        if (parts[i].n > 0)
            memcpy(text + n, parts[i].p, parts[i].n);
        n += parts[i].n;
    }
    crypto_shorthash(out, text, n, key);
    memcpy(&hash, out, sizeof hash);
    return hash == 0 ? 1 : hash;
}

/* --- the walk over the plan --- */

static uint64_t draw(void *arg)
{
    (void)arg;
    return req_random();
}

static bool is_cooled(void *arg, size_t leaf)
{
    struct req *req = arg;
    struct str provider, model;
    req_target_names(req, leaf, &provider, &model);
    return breaker_is_cooled(req->worker->breaker, attempts_key(req, provider, model), now_ms(req));
}

bool attempts_is_cooled(struct req *req, size_t leaf)
{
    return params_bool(req->worker->params, PARAM_BREAKER) && is_cooled(req, leaf);
}

static struct route_eyes eyes_of(struct req *req)
{
    bool breaks = params_bool(req->worker->params, PARAM_BREAKER);
    return (struct route_eyes){.arg = req, .is_cooled = breaks ? is_cooled : NULL, .random = draw};
}

static enum status refuse_guards(struct req *req, const struct route_plan *plan, struct str *why)
{
    if (params_bool(req->worker->params, PARAM_IGNORE_GUARDRAILS))
        return ST_OK;
    *why = route_plan_guarded(&req->arena, plan);
    return why->p == NULL ? ST_NO_MEMORY : why->n > 0 ? ST_INVALID : ST_OK;
}

enum status attempts_begin(struct req *req, struct str bytes, const struct route_inputs *inputs,
                           struct str *why)
{
    struct attempts *attempts = &req->attempts;
    struct route_plan plan;
    struct route_eyes eyes = eyes_of(req);
    TRY(route_plan_open(bytes, &plan));
    if (plan.head->refusal.len > 0) {
        *why = route_str(&plan, plan.head->refusal);
        return ST_INVALID;
    }
    TRY(refuse_guards(req, &plan, why));
    enum status status = route_walk_begin(&attempts->walk, &plan, &req->arena, inputs);
    if (status == ST_TOO_LARGE)
        *why = STR("config: its conditions take too much work for this request.");
    TRY(status);
    attempts->plan = plan;
    attempts->walk.plan = &attempts->plan;
    if (route_walk_first(&attempts->walk, &eyes, &attempts->leaf) == ROUTE_WALK_LEAF)
        return ST_OK;
    *why =
        STR("config: no condition of its conditional strategy holds for this request, and it has "
            "no default.");
    return ST_INVALID;
}

const struct route_node *attempts_node(const struct req *req)
{
    const struct attempts *attempts = &req->attempts;
    return attempts->plan.head == NULL ? NULL : &attempts->plan.nodes[attempts->leaf];
}

/* Nothing has gone out yet that another attempt would contradict or lack. */
static bool is_open(const struct req *req)
{
    return req->attempts.plan.head != NULL && !req->answer_begun && !req->body.spent &&
           req->conn != NULL && req->attempts.made < ATTEMPTS_MAX;
}

bool attempts_may_follow(const struct req *req)
{
    const struct attempts *attempts = &req->attempts;
    const struct route_node *nodes = attempts->plan.nodes;
    if (!is_open(req))
        return false;
    if (nodes[attempts->leaf].set.retry_attempts > attempts->retry.used && !attempts->retry.gave_up)
        return true;
    for (size_t at = attempts->leaf; nodes[at].parent != ROUTE_NONE; at = nodes[at].parent) {
        const struct route_node *parent = &nodes[nodes[at].parent];
        if (parent->mode == ROUTE_FALLBACK && at + 1 < (size_t)parent->first + parent->count)
            return true;
    }
    return false;
}

/* --- an attempt's life --- */

void attempts_start(struct req *req)
{
    struct attempts *attempts = &req->attempts;
    const struct req_target *target = &req->target;
    if (attempts->ticket.key != 0)
        return; /* the step is entered again */
    attempts->made++;
    attempts->first_byte_ms = -1;
    attempts->ticket = breaker_begin(
        req->worker->breaker, attempts_key(req, target->provider, target->model), now_ms(req));
    if (attempts->retry.used == 0)
        retry_budgets_earn(req->worker->retry_budgets,
                           attempts_key(req, target->provider, STR_NONE), now_ms(req));
}

static enum breaker_result result_of(const struct req *req, enum slot_outcome outcome, bool sent)
{
    if (!sent)
        return req->refused == ST_UPSTREAM_CONNECT || req->refused == ST_UPSTREAM_TIMEOUT
                   ? BREAKER_FAILED
                   : BREAKER_UNKNOWN;
    switch (outcome) {
    case SLOT_OUTCOME_OK:
        return BREAKER_OK;
    case SLOT_OUTCOME_PROVIDER_ERROR:
        return breaker_judge(req->attempt.http_status);
    case SLOT_OUTCOME_TIMEOUT:
    case SLOT_OUTCOME_BROKEN:
        return BREAKER_FAILED;
    default:
        return BREAKER_UNKNOWN;
    }
}

void attempts_settled(struct req *req, enum slot_outcome outcome, bool sent)
{
    struct attempts *attempts = &req->attempts;
    if (attempts->ticket.key == 0)
        return;
    breaker_end(req->worker->breaker, &attempts->ticket, result_of(req, outcome, sent),
                attempts->first_byte_ms, now_ms(req));
    attempts->ticket = (struct breaker_ticket){.key = 0};
}

/* --- its end --- */

static struct retry_policy policy_of(const struct route_node *node)
{
    const struct route_settings *set = &node->set;
    return (struct retry_policy){.attempts = set->retry_attempts,
                                 .uses_header = set->retry_uses_header != 0,
                                 .codes = set->retry_has_codes != 0 ? &set->retry_codes : NULL};
}

static bool has_time(const struct req *req, int64_t wait_ms)
{
    int64_t spent_ms = (loop_now_ns(req->worker->loop) - req->started_ns) / 1000000;
    return spent_ms + wait_ms < (int64_t)params_u64(req->worker->params, PARAM_REQUEST_TIMEOUT);
}

static bool decide(struct req *req, const struct retry_outcome *outcome, bool no_answer)
{
    struct attempts *attempts = &req->attempts;
    if (!is_open(req))
        return false;
    const struct retry_policy policy = policy_of(attempts_node(req));
    uint64_t key = attempts_key(req, req->target.provider, STR_NONE);
    enum retry_verdict verdict =
        retry_decide(&attempts->retry, &policy, outcome, req->worker->retry_budgets, key,
                     now_ms(req), req_random(), &attempts->wait_ms);
    if (verdict == RETRY_AGAIN && has_time(req, attempts->wait_ms))
        return true;
    struct route_eyes eyes = eyes_of(req);
    struct route_outcome end = {outcome->http_status, no_answer};
    size_t leaf;
    if (!has_time(req, 0) || route_walk_next(&attempts->walk, &eyes, end, &leaf) != ROUTE_WALK_LEAF)
        return false;
    attempts->leaf = leaf;
    attempts->retry = (struct retry){.used = 0};
    attempts->wait_ms = 0;
    return true;
}

static void pause_over(struct loop_timer *timer)
{
    req_run(timer->owner);
}

static void stop_and_wait(struct req *req, enum slot_outcome outcome)
{
    struct attempts *attempts = &req->attempts;
    explain_tried(req);
    req_stop_attempt(req);
    req_settle(req, outcome);
    req->refused = ST_OK;
    req->reason[0] = '\0';
    req->retry_after_s = 0;
    req->clamps = 0;
    req->clamped_max_tokens = 0;
    req->estimated = req->list_partial = false;
    req->list = NULL;
    req->media = NULL;
    req->own = (struct req_own){.count = 0};
    sse_free(&req->sse);
    sse_init(&req->sse);
    buf_clear(&req->held);
    attempts->after = (struct retry_after){.has_at = false};
    attempts->pause = (struct loop_timer){.expired = pause_over, .owner = req};
    req_goto(req, REQ_STEP_authorize);
    loop_timer_set(req->worker->loop, &attempts->pause, attempts->wait_ms);
}

bool attempts_refused(struct req *req)
{
    bool network = req->refused == ST_UPSTREAM_CONNECT || req->refused == ST_UPSTREAM_TIMEOUT;
    bool ours = req->refused == ST_NO_MEMORY || req->refused == ST_OVERLOADED;
    struct retry_outcome outcome = {
        .http_status = status_row(req->refused)->http, .unreached = network, .refused = !network};
    if (ours || req->step < REQ_STEP_authorize || !decide(req, &outcome, network))
        return false;
    stop_and_wait(req, SLOT_OUTCOME_BROKEN);
    return true;
}

static enum slot_outcome outcome_of(enum status status)
{
    return status == ST_UPSTREAM_TIMEOUT || status == ST_TIMED_OUT ? SLOT_OUTCOME_TIMEOUT
                                                                   : SLOT_OUTCOME_BROKEN;
}

bool attempts_failed(struct req *req, enum status status)
{
    bool denied = status == ST_EGRESS_DENIED;
    struct retry_outcome outcome = {.http_status = status_row(status)->http,
                                    .unreached = !denied && status != ST_TIMED_OUT,
                                    .refused = denied};
    if (!decide(req, &outcome, !denied))
        return false;
    stop_and_wait(req, outcome_of(status));
    return true;
}

bool attempts_decide_answered(struct req *req, int http_status)
{
    struct retry_outcome outcome = {.http_status = http_status};
    outcome.has_wait = retry_after_wait(&req->attempts.after, clock_utc_ms(), &outcome.wait_ms);
    return decide(req, &outcome, false);
}

void attempts_go(struct req *req)
{
    stop_and_wait(req, req->attempt.http_status >= 400 ? SLOT_OUTCOME_PROVIDER_ERROR
                                                       : SLOT_OUTCOME_BROKEN);
}

bool attempts_answered(struct req *req, int http_status)
{
    if (!attempts_decide_answered(req, http_status))
        return false;
    attempts_go(req);
    return true;
}

void attempts_cancel(struct req *req)
{
    loop_timer_clear(req->worker->loop, &req->attempts.pause);
}
