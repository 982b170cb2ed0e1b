/* step_reserve.c: an attempt takes what it may use from every limit that holds for it, and with it
 * its reservation slot and its id.
 *
 *   price it: likely use, or the most where a strict limit holds (cost.c)
 *   take from all limits or from none (limits.c)      waits for a grant at most grant_wait_ms
 *   take a slot, and write down what is known
 *
 * No free slot means 503 before anything is sent: no admitted request can lack room for its usage
 * event (ARCHITECTURE section 5). What is known now is written now, so that a crash leaves enough
 * to charge the attempt. One basis for all limits of an attempt: where one is strict, all reserve
 * the most.
 */
#include "common/guard.h"
#include "common/clock.h"
#include "data-plane/worker/clamp.h"
#include "data-plane/worker/limit_words.h"
#include "data-plane/worker/req.h"

static bool is_budget_of(const struct limit_use *use, enum limit_measure measure)
{
    return use->limit.def.window == LIMIT_BUDGET && use->limit.def.measure == measure;
}

/* The first limit that needs to know what the request costs; strict ones before others. */
static const struct limit_use *meter_of(const struct req_attempt *attempt)
{
    const struct limit_use *found = NULL;
    for (size_t i = 0; i < attempt->uses.count; i++) {
        const struct limit_use *use = &attempt->uses.list[i];
        if (!is_budget_of(use, LIMIT_COST) && !is_budget_of(use, LIMIT_TOKENS))
            continue;
        if (use->strict)
            return use;
        found = found == NULL ? use : found;
    }
    return found;
}

/* --- price --- */

/* The price of tokens of models without one: of all cost limits that declare it the highest. */
static void set_ceiling(struct req_attempt *attempt)
{
    int64_t ceiling = -1;
    for (size_t i = 0; i < attempt->uses.count; i++) {
        const struct limit_def *def = &attempt->uses.list[i].limit.def;
        if (is_budget_of(&attempt->uses.list[i], LIMIT_COST) && def->ceiling_picousd > ceiling)
            ceiling = def->ceiling_picousd;
    }
    attempt->terms.ceiling_picousd = ceiling;
}

static enum step_result check_price(struct req *req, struct limit_use *use)
{
    const struct cost *cost = &req->attempt.cost;
    struct limit_def *def = &use->limit.def;
    if (GUARD_OFF("unpriced"))
        return STEP_NEXT;
    if (cost_is_unpriced(cost, false) && def->ceiling_picousd < 0)
        return limit_words_unpriced(req, use);
    if (cost_is_unpriced(cost, true))
        return limit_words_unpriced(req, use);
    if (cost_is_unpriced(cost, false))
        def->amount = LIMIT_AMOUNT_CHARGE; /* the cost is not known; the ceiling is a charge */
    return STEP_NEXT;
}

static enum step_result set_amount(struct req *req, struct limit_use *use)
{
    const struct cost *cost = &req->attempt.cost;
    enum step_result result = STEP_NEXT;
    switch ((enum limit_measure)use->limit.def.measure) {
    case LIMIT_COST:
        result = check_price(req, use);
        use->amount = use->limit.def.amount == LIMIT_AMOUNT_COST ? cost->amounts.cost_nanousd
                                                                 : cost->amounts.charge_nanousd;
        break;
    case LIMIT_TOKENS:
        use->amount = cost_tokens(&cost->usage);
        if (use->limit.def.window != LIMIT_BUDGET && !use->strict &&
            use->amount > use->limit.def.value)
            use->amount = use->limit.def.value; /* an estimate is no reason to refuse for ever */
        break;
    case LIMIT_REQUESTS:
    case LIMIT_CONCURRENCY:
        use->amount = 1;
        break;
    }
    return result;
}

static enum step_result price(struct req *req)
{
    struct req_attempt *attempt = &req->attempt;
    const struct limit_use *meter = meter_of(attempt);
    struct bound bound;
    set_ceiling(attempt);
    cost_expect(req);
    if (meter != NULL && (meter->strict || cost_is_closed(&attempt->cost))) {
        enum status status = cost_most(req, &bound);
        if (status == ST_UNBOUNDED_COST)
            return limit_words_unbounded(req, meter, bound.field, bound.remedy);
        if (status != ST_OK)
            return req_refuse(req, status, "%s", status_row(status)->text);
    }
    for (size_t i = 0; i < attempt->uses.count; i++) {
        enum step_result result = set_amount(req, &attempt->uses.list[i]);
        if (result != STEP_NEXT)
            return result;
    }
    attempt->priced = true;
    return STEP_NEXT;
}

/* --- take --- */

static void moved(struct limit_wait *wait)
{
    req_run(wait->owner);
}

static enum step_result take(struct req *req)
{
    struct req_attempt *attempt = &req->attempt;
    struct uses *uses = &attempt->uses;
    size_t which;
    if (req->explain.on) {
        enum status looked = explain_reserve(req);
        return looked == ST_OK ? STEP_NEXT : looked == ST_AGAIN ? STEP_WAIT : STEP_REFUSE;
    }
    req->limit_wait.done = moved;
    req->limit_wait.owner = req;
    enum status status =
        limits_client_take(req->worker, &req->limit_wait, uses->list, uses->count, &which);
    if (status == ST_OK)
        return STEP_NEXT;
    if (status == ST_AGAIN)
        return STEP_WAIT;
    if (status == ST_BUDGET_EXHAUSTED && uses->list[which].strict)
        return clamp_or_refuse(req, &uses->list[which]);
    return limit_words_refuse(req, status, &uses->list[which], 0);
}

/* --- slot --- */

static uint8_t copy_text(char *out, size_t room, struct str text)
{
    size_t n = text.n < room ? text.n : room;
    if (n > 0)
        memcpy(out, text.p, n);
    return (uint8_t)n;
}

static void fill_slot(struct req *req, struct slot *slot)
{
    const struct req_attempt *attempt = &req->attempt;
    slot->org = req->auth.org;
    slot->workspace = req->auth.workspace;
    slot->provider = attempt->provider;
    slot->integration = attempt->integration;
    slot->api_key = req->auth.key;
    slot->user = req->auth.user;
    slot->request_id = req->id;
    slot->revision = attempt->revision;
    slot->reserved_utc_ms = attempt->terms.at_ms;
    slot->op = (uint32_t)req->op;
    slot->stream = req->body.is_stream;
    slot->model_n = copy_text(slot->model, sizeof slot->model, attempt->model);
    slot->priced_model_n =
        copy_text(slot->priced_model, sizeof slot->priced_model, attempt->priced_model);
    slot->trace_n = copy_text(slot->trace, sizeof slot->trace, req->trace_id);
    cost_note(req, slot);
    limits_note(attempt->uses.list, attempt->uses.count, slot);
}

enum step_result req_step_reserve(struct req *req)
{
    struct req_attempt *attempt = &req->attempt;
    struct slot *slot;
    enum step_result result = req_apply_overrides(req);
    do {
        if (result == STEP_NEXT && !attempt->priced)
            result = price(req);
        if (result == STEP_NEXT)
            result = take(req);
    } while (result == STEP_NEXT && !attempt->priced); /* the output was lowered */
    if (result != STEP_NEXT || req->explain.on)
        return result;
    enum status status = slots_reserve(req->worker->slots, &slot);
    if (status != ST_OK) {
        struct limits_now now = limits_client_now(req->worker, &req->limit_wait);
        limits_give_back(req->worker->limits, &now, attempt->uses.list, attempt->uses.count);
        limits_client_cancel(&req->limit_wait);
        return req_refuse(
            req, status,
            "The gateway is at its limit of requests in progress. Try again in a moment.");
    }
    fill_slot(req, slot);
    attempt->uses_taken = true;
    attempt->slot = slot;
    return STEP_NEXT;
}
