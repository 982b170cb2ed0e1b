/* clamp.c: see clamp.h.
 *
 *   affordable = (remaining - what the input may cost) / (what one more token of every choice may
 * cost)
 *
 * Rounded so that the new bound fits what was remaining a moment ago; another request may have
 * taken it meanwhile, so it is tried a few times and then refused.
 */
#include "data-plane/worker/clamp.h"

#include <inttypes.h>

#include "data-plane/worker/limit_words.h"

#define CLAMP_TRIES 3

/* The amount of `use` for a bound. */
static enum status amount_of(const struct req *req, const struct limit_use *use,
                             const struct bound *bound, int64_t *amount)
{
    struct price_amounts amounts;
    struct price_usage usage;
    bound_usage(&bound->most, &usage);
    if (use->limit.def.measure == LIMIT_TOKENS) {
        *amount = cost_tokens(&usage);
        return ST_OK;
    }
    TRY(price_bound(&req->attempt.terms, &bound->query, &bound->most, &amounts));
    *amount =
        use->limit.def.amount == LIMIT_AMOUNT_COST ? amounts.cost_nanousd : amounts.charge_nanousd;
    return ST_OK;
}

/* Output tokens of one choice that `use` can still pay for; 0: none, or the operation has none. */
static uint64_t affordable_of(struct req *req, const struct limit_use *use)
{
    struct limits_now now = limits_client_now(req->worker, &req->limit_wait);
    struct bound bound;
    struct limit_view view;
    int64_t whole, input;
    if (!limits_view(req->worker->limits, &now, use, &view) ||
        bound_most(&req->attempt.cost.ask, &bound) != ST_OK || bound.max_tokens == 0 ||
        amount_of(req, use, &bound, &whole) != ST_OK)
        return 0;
    uint64_t output = bound.most.output_tokens;
    bound.most.output_tokens = 0;
    if (output == 0 || amount_of(req, use, &bound, &input) != ST_OK || view.remaining <= input)
        return 0;
    money_wide fits = (money_wide)(view.remaining - input) * (money_wide)output;
    fits = whole > input ? fits / (whole - input) : 0;
    uint64_t tokens = (uint64_t)fits / bound.choices;
    return tokens < bound.max_tokens ? tokens : 0;
}

/* --- the body --- */

/* The members that cap output, per operation; the first is added where none is there. */
static size_t cap_fields(const struct req *req, struct json_field fields[2])
{
    bool completion = str_eq(req->attempt.type_slug, STR("openai")) ||
                      str_eq(req->attempt.type_slug, STR("azure-openai"));
    fields[0] = (struct json_field){.name = "max_tokens"};
    fields[1] = (struct json_field){.name = "max_completion_tokens"};
    if (req->op == OP_RESPONSES_CREATE) {
        fields[0].name = "max_output_tokens";
        return 1;
    }
    if (req->op != OP_CHAT)
        return 1;
    if (completion) {
        fields[0].name = "max_completion_tokens";
        fields[1].name = "max_tokens";
    }
    return 2;
}

static struct str lowered(struct req *req, uint64_t tokens)
{
    struct str text = req->attempt.cost.ask.body;
    struct json_field fields[2];
    size_t count = cap_fields(req, fields);
    if (json_scan_object(text, fields, count, NULL) != ST_OK)
        return STR_NONE;
    struct str number = arena_printf(&req->arena, "%" PRIu64, tokens);
    bool found = false;
    for (size_t i = 0; i < count && text.p != NULL; i++) {
        if (fields[i].raw.p == NULL)
            continue;
        size_t at = (size_t)(fields[i].raw.p - text.p);
        const struct str pieces[] = {str_head(text, at), number,
                                     str_from(text, at + fields[i].raw.n)};
        text = arena_join(&req->arena, pieces, COUNT_OF(pieces));
        found = true;
        if (text.p == NULL || json_scan_object(text, fields, count, NULL) != ST_OK)
            return STR_NONE;
    }
    if (found)
        return text;
    ptrdiff_t open = str_find_char(text, '{');
    struct str rest = str_from(text, (size_t)open + 1);
    bool empty = str_trim(rest).p[0] == '}';
    struct str member =
        arena_printf(&req->arena, "\"%s\":%" PRIu64 "%s", fields[0].name, tokens, empty ? "" : ",");
    const struct str pieces[] = {str_head(text, (size_t)open + 1), member, rest};
    return member.p == NULL ? STR_NONE : arena_join(&req->arena, pieces, COUNT_OF(pieces));
}

static bool is_wanted(const struct req *req)
{
    return req->head != NULL &&
           str_eq_nocase(http_head_get(req->head, STR("x-sluice-clamp-output")), STR("true"));
}

enum step_result clamp_or_refuse(struct req *req, const struct limit_use *use)
{
    uint64_t tokens = affordable_of(req, use);
    if (tokens == 0 || !is_wanted(req) || req->clamps == CLAMP_TRIES)
        return limit_words_refuse(req, ST_BUDGET_EXHAUSTED, use, tokens);
    struct str text = lowered(req, tokens);
    if (text.p == NULL)
        return req_refuse(req, ST_NO_MEMORY, "Not enough memory.");
    enum step_result result = req_body_replace(req, text);
    req->clamps++;
    req->clamped_max_tokens = tokens;
    req->attempt.priced = false;
    return result;
}
