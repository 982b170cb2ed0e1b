/* cost.c: see cost.h.
 *
 * Prices are the terms that were copied when the attempt was authorised, for the reservation and
 * for the settlement, so a change of prices meanwhile changes nothing. Invariant: an attempt that
 * may have cost something is charged something; a price that is not known marks the event unpriced
 * and is never taken for 0 in silence.
 */
#include "data-plane/worker/cost.h"

#include "common/guard.h"
#include "data-plane/worker/req.h"
#include "proto/usage.pb-c.h"

/* The bytes of the whole request body. */
static uint64_t body_bytes(const struct req *req)
{
    if (!req->body.streaming)
        return req->body.mem.n;
    return req->head->content_length >= 0 && !req->head->gzip ? (uint64_t)req->head->content_length
                                                              : BOUND_UNKNOWN;
}

static struct bound_ask ask_of(const struct req *req)
{
    const struct req_attempt *attempt = &req->attempt;
    bool json = op_row(req->op)->body == OP_BODY_JSON && req->surface == REQ_SURFACE_OP;
    return (struct bound_ask){
        .op = req->surface == REQ_SURFACE_PASSTHROUGH ? OP_PASSTHROUGH : req->op,
        .body = json ? buf_str(&req->body.mem) : STR_NONE,
        .body_bytes = body_bytes(req),
        .model = attempt->priced_model.n > 0 ? attempt->priced_model : attempt->upstream_model,
        .context_tokens = attempt->context_tokens,
        .max_output_tokens = attempt->max_output_tokens};
}

static uint64_t asked_tokens(const struct req *req)
{
    const struct json_field *field = &req->body.max_tokens;
    uint64_t value = 0;
    return field->raw.p != NULL && str_to_u64(field->raw, &value) == ST_OK ? value : 0;
}

/* Amounts of a use; one request is counted where the model prices requests. */
static void settle(const struct price_terms *terms, const struct price_query *query,
                   struct price_usage *usage, struct price_amounts *amounts)
{
    usage->n[PRICE_REQUEST] = 1;
    if (price_settle(terms, query, usage, amounts) != ST_OK)
        *amounts = (struct price_amounts){.unpriced = UINT64_MAX, .uncharged = UINT64_MAX};
    uint64_t request = PRICE_BIT(PRICE_REQUEST);
    if (amounts->unpriced & request)
        usage->n[PRICE_REQUEST] = 0;
    amounts->unpriced &= ~request;
    amounts->uncharged &= ~request;
}

/* What picks the price of images stands in the body, which the attempt may change. */
static void keep_query(struct req *req, struct cost *cost)
{
    struct bound bound;
    if (bound_row(cost->ask.op)->when != BOUND_REQUEST || cost->ask.body.n == 0 ||
        bound_most(&cost->ask, &bound) != ST_OK)
        return;
    cost->query.quality = arena_str(&req->arena, bound.query.quality);
    cost->query.size = arena_str(&req->arena, bound.query.size);
}

void cost_expect(struct req *req)
{
    struct cost *cost = &req->attempt.cost;
    *cost = (struct cost){.ask = ask_of(req)};
    uint64_t asked = asked_tokens(req);
    bound_likely(&cost->ask, asked, &cost->likely);
    estimates_apply(req->worker->estimates, &req->auth.key, cost->ask.model, cost->ask.body.n,
                    asked, &cost->likely);
    keep_query(req, cost);
    cost->query.input_tokens = cost->likely.input_tokens;
    usage_split(&cost->usage, &cost->likely);
    settle(&req->attempt.terms, &cost->query, &cost->usage, &cost->amounts);
}

enum status cost_most(struct req *req, struct bound *bound)
{
    struct cost *cost = &req->attempt.cost;
    struct price_amounts amounts;
    TRY(bound_most(&cost->ask, bound));
    bound->most.other.n[PRICE_REQUEST] = 1;
    TRY(price_bound(&req->attempt.terms, &bound->query, &bound->most, &amounts));
    amounts.unpriced &= ~PRICE_BIT(PRICE_REQUEST);
    amounts.uncharged &= ~PRICE_BIT(PRICE_REQUEST);
    bound_usage(&bound->most, &cost->usage);
    cost->amounts = amounts;
    cost->bounded = true;
    return ST_OK;
}

int64_t cost_tokens(const struct price_usage *usage)
{
    return (int64_t)(usage_input_tokens(usage) + usage_output_tokens(usage));
}

bool cost_is_closed(const struct cost *cost)
{
    return bound_row(cost->ask.op)->when == BOUND_CLOSED;
}

bool cost_is_unpriced(const struct cost *cost, bool charge)
{
    uint64_t classes = charge ? cost->amounts.uncharged : cost->amounts.unpriced;
    return usage_unpriced(&cost->usage, classes) != 0;
}

void cost_note(const struct req *req, struct slot *slot)
{
    const struct cost *cost = &req->attempt.cost;
    slot->bound_n = (uint8_t)usage_pack(slot->bounds, SLOT_BOUNDS_MAX, &cost->usage);
    slot->bound_cost_nanousd = cost->amounts.cost_nanousd;
    slot->bound_charge_nanousd = cost->amounts.charge_nanousd;
    slot->unpriced = cost_is_unpriced(cost, false);
    slot->strict = cost->bounded;
}

/* --- settlement --- */

static void charge_nothing(struct slot *slot)
{
    slot->source = SLUICE__USAGE_SOURCE__USAGE_SOURCE_PROVIDER;
    slot->count_n = 0;
    slot->cost_nanousd = slot->charge_nanousd = 0;
    slot->unpriced = 0;
}

static void charge_reserved(const struct req *req, struct slot *slot)
{
    const struct cost *cost = &req->attempt.cost;
    if (GUARD_OFF("unknown")) {
        charge_nothing(slot);
        return;
    }
    slot->source = slot->strict ? SLUICE__USAGE_SOURCE__USAGE_SOURCE_BOUND
                                : SLUICE__USAGE_SOURCE__USAGE_SOURCE_ESTIMATED;
    slot->count_n = (uint8_t)usage_pack(slot->counts, SLOT_COUNTS_MAX, &cost->usage);
    slot->cost_nanousd = cost->amounts.cost_nanousd;
    slot->charge_nanousd = cost->amounts.charge_nanousd;
}

static void charge_used(const struct req *req, struct slot *slot, const struct slot_usage *used)
{
    const struct cost *cost = &req->attempt.cost;
    struct price_query query = cost->query;
    struct price_usage usage;
    struct price_amounts amounts;
    query.input_tokens = used->input_tokens;
    query.tier = str_c(req->usage.tier);
    usage_split(&usage, used);
    settle(&req->attempt.terms, &query, &usage, &amounts);
    slot->source = SLUICE__USAGE_SOURCE__USAGE_SOURCE_PROVIDER;
    slot->count_n = (uint8_t)usage_pack(slot->counts, SLOT_COUNTS_MAX, &usage);
    slot->cost_nanousd = amounts.cost_nanousd;
    slot->charge_nanousd = amounts.charge_nanousd;
    uint64_t lacks = usage_unpriced(&usage, amounts.unpriced);
    slot->unpriced = lacks != 0 || !amounts.priced;
    /* A price that only the answer showed to be missing: a strict limit takes what was reserved. */
    if (slot->strict && usage_unpriced(&usage, amounts.uncharged) != 0)
        slot->charge_nanousd = cost->amounts.charge_nanousd;
}

/* Images are counted in the answer, where it has them; all output tokens of an image are its. */
static bool used_by_answer(const struct req *req, struct slot_usage *used)
{
    bool images = req->op == OP_IMAGES_GENERATIONS || req->op == OP_IMAGES_EDITS;
    *used = usage_pick_total(&req->usage);
    if (!images)
        return req->usage.found;
    used->images = req->usage.items;
    if (used->image_output_tokens == 0)
        used->image_output_tokens = used->output_tokens;
    return req->usage.found || req->usage.items > 0;
}

static bool used_by_request(const struct req *req, struct slot_usage *used)
{
    const struct slot_usage *likely = &req->attempt.cost.likely;
    *used =
        (struct slot_usage){.characters = likely->characters, .input_tokens = likely->input_tokens};
    return req->op == OP_AUDIO_SPEECH && likely->characters > 0;
}

static void learn(const struct req *req, const struct slot_usage *used)
{
    const struct cost *cost = &req->attempt.cost;
    estimates_learn(req->worker->estimates, &req->auth.key, cost->ask.model, cost->ask.body.n,
                    used->input_tokens, used->output_tokens);
}

void cost_settle(struct req *req, struct slot *slot)
{
    const struct req_attempt *attempt = &req->attempt;
    struct slot_usage used;
    bool whole = slot->outcome == SLOT_OUTCOME_OK;
    size_t tier_n = strlen(req->usage.tier);
    slot->tier_n = (uint8_t)tier_n;
    memcpy(slot->tier, req->usage.tier, tier_n);
    if (!attempt->reached || bound_row(attempt->cost.ask.op)->when == BOUND_FREE) {
        charge_nothing(slot);
    } else if (used_by_answer(req, &used)) {
        charge_used(req, slot, &used);
        learn(req, &used);
    } else if (attempt->http_status >= 300) {
        charge_nothing(slot);
    } else if (whole && used_by_request(req, &used)) {
        charge_used(req, slot, &used);
    } else {
        charge_reserved(req, slot);
    }
}
