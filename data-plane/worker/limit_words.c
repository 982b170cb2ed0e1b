/* limit_words.c: see limit_words.h.
 *
 * Amounts are written from whole numbers. Must never: name an entity of another workspace; the
 * levels above it (integration) are the caller's own by the access it has.
 */
#include "data-plane/worker/limit_words.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"

#define AMOUNT_TEXT 48
#define TAIL_TEXT   160

struct words {
    char level[16 + 100 + 32];
    char limit[AMOUNT_TEXT], spent[AMOUNT_TEXT], need[AMOUNT_TEXT];
};

/* "12.50 USD" from nano-USD, digits behind the cents only where there are some; "40 tokens". */
static void write_amount(char out[AMOUNT_TEXT], const struct limit_use *use, int64_t amount)
{
    if (use->limit.def.measure != LIMIT_COST) {
        snprintf(out, AMOUNT_TEXT, "%" PRId64 " %s", amount,
                 limit_measure_text((enum limit_measure)use->limit.def.measure));
        return;
    }
    int n = snprintf(out, AMOUNT_TEXT - 4, "%" PRId64 ".%09" PRId64, amount / 1000000000,
                     amount % 1000000000);
    while (n > 0 && out[n - 1] == '0' && out[n - 3] != '.')
        n--;
    memcpy(out + n, " USD", 5);
}

static void write_level(char *out, size_t room, const struct limit_use *use)
{
    snprintf(out, room, "%s \"" STR_FMT "\"", limit_level_text((enum limit_level)use->ref.level),
             STR_ARG(str_head(use->name, 100)));
}

static void fill_words(struct words *words, const struct limit_use *use,
                       const struct limit_view *view)
{
    write_level(words->level, sizeof words->level, use);
    write_amount(words->limit, use, view->limit);
    write_amount(words->spent, use, view->spent);
    write_amount(words->need, use, use->amount);
}

static const char *window_words(const struct limit_use *use)
{
    static const char *const words[] = {[LIMIT_SECOND] = "second",
                                        [LIMIT_MINUTE] = "minute",
                                        [LIMIT_HOUR] = "hour",
                                        [LIMIT_DAY] = "day",
                                        [LIMIT_WEEK] = "week"};
    size_t window = use->limit.def.window;
    return window < COUNT_OF(words) && words[window] != NULL ? words[window] : "time";
}

static void note_retry(struct req *req, const struct limit_use *use, const struct limit_view *view)
{
    int64_t ms = view->retry_after_ms;
    if (ms == 0 && limit_window_ms((enum limit_window)use->limit.def.window) > 0)
        ms = limit_window_ms((enum limit_window)use->limit.def.window) / 32;
    req->retry_after_s = (uint32_t)(ms <= 1000 ? 1 : ms < 604800000 ? (ms + 999) / 1000 : 604800);
}

static enum step_result refuse_budget(struct req *req, const struct limit_use *use,
                                      const struct words *words, const struct limit_view *view,
                                      uint64_t affordable)
{
    char tail[TAIL_TEXT] = "It does not reset by itself.", at[CLOCK_TEXT + 1];
    if (view->resets_at_ms != 0) {
        clock_to_text(view->resets_at_ms, at);
        snprintf(tail, sizeof tail, "It resets at %s.", at);
    }
    if (view->spent >= view->limit || !use->strict)
        return req_refuse(req, ST_BUDGET_EXHAUSTED,
                          "The budget of %s is used up: %s of %s are spent. %s An admin can raise "
                          "or reset it.",
                          words->level, words->spent, words->limit, tail);
    if (affordable > 0)
        return req_refuse(req, ST_BUDGET_EXHAUSTED,
                          "The budget of %s cannot cover this request, which may use up to %s: "
                          "%s of %s are spent, and requests in progress hold a part. A max_tokens "
                          "of at most %" PRIu64 " would fit. %s",
                          words->level, words->need, words->spent, words->limit, affordable, tail);
    return req_refuse(req, ST_BUDGET_EXHAUSTED,
                      "The budget of %s cannot cover this request, which may use up to %s: %s of "
                      "%s are spent, and requests in progress hold a part. %s",
                      words->level, words->need, words->spent, words->limit, tail);
}

static enum step_result refuse_rate(struct req *req, const struct limit_use *use,
                                    const struct words *words)
{
    if (use->limit.def.measure == LIMIT_CONCURRENCY)
        return req_refuse(req, ST_RATE_LIMITED,
                          "The limit of %" PRId64 " requests at a time of %s is reached. Try again "
                          "when one of them has ended.",
                          use->limit.def.value, words->level);
    if (use->amount > use->limit.def.value)
        return req_refuse(req, ST_RATE_LIMITED,
                          "This request may use up to %s, more than the limit of %s per %s (%s) of "
                          "%s ever admits. Lower max_tokens or send less.",
                          words->need, words->limit, window_words(use),
                          limit_window_text((enum limit_window)use->limit.def.window),
                          words->level);
    return req_refuse(req, ST_RATE_LIMITED,
                      "The rate limit of %s per %s (%s) of %s is reached. Try again in %u s.",
                      words->limit, window_words(use),
                      limit_window_text((enum limit_window)use->limit.def.window), words->level,
                      req->retry_after_s);
}

enum step_result limit_words_refuse(struct req *req, enum status status,
                                    const struct limit_use *use, uint64_t affordable)
{
    struct limits_now now = limits_client_now(req->worker, &req->limit_wait);
    struct limit_view view;
    struct words words;
    (void)limits_view(req->worker->limits, &now, use, &view);
    fill_words(&words, use, &view);
    metrics_add(&req->worker->metrics, M_LIMIT_REFUSALS, 1);
    switch (status) {
    case ST_BUDGET_EXHAUSTED:
        return refuse_budget(req, use, &words, &view, affordable);
    case ST_RATE_LIMITED:
        note_retry(req, use, &view);
        return refuse_rate(req, use, &words);
    case ST_CONTROL_AWAY:
        return req_refuse(req, status,
                          "The control plane cannot be reached, and the limit of %s of %s says "
                          "on_disconnect: deny. Try again in a moment.",
                          words.limit, words.level);
    case ST_OVERLOADED:
        return req_refuse(req, status,
                          "The gateway cannot count the limit of %s of %s now. Try again in a "
                          "moment.",
                          words.limit, words.level);
    default:
        return req_refuse(req, status, "%s", status_row(status)->text);
    }
}

enum step_result limit_words_unbounded(struct req *req, const struct limit_use *use,
                                       const char *field, const char *remedy)
{
    char level[160];
    write_level(level, sizeof level, use);
    return req_refuse(
        req, ST_UNBOUNDED_COST,
        "%s: what this request can use has no bound, and the %s limit of %s is %s. %s", field,
        limit_measure_text((enum limit_measure)use->limit.def.measure), level,
        use->strict ? "strict" : "set", remedy);
}

enum step_result limit_words_unpriced(struct req *req, const struct limit_use *use)
{
    char level[160];
    write_level(level, sizeof level, use);
    return req_refuse(req, ST_UNPRICED,
                      "The model \"" STR_FMT "\" has no known price, and a cost limit of %s "
                      "applies. An admin can set a price for it at the integration, or "
                      "unpriced_token_price at the limit.",
                      STR_ARG(str_head(req->attempt.model, 100)), level);
}

/* --- headers --- */

static bool is_told(const struct limit_use *use, enum limit_measure measure)
{
    return use->limit.def.measure == measure && use->limit.def.window != LIMIT_BUDGET;
}

bool limit_words_has(const struct req *req)
{
    const struct uses *both[] = {&req->uses, &req->attempt.uses};
    for (size_t i = 0; i < COUNT_OF(both); i++)
        for (size_t j = 0; j < both[i]->count; j++)
            if (is_told(&both[i]->list[j], LIMIT_REQUESTS) ||
                is_told(&both[i]->list[j], LIMIT_TOKENS))
                return true;
    return false;
}

struct nearest {
    const struct limit_use *use;
    struct limit_view view;
};

/* a/b < c/d without division. */
static bool is_nearer(const struct limit_view *a, const struct limit_view *b)
{
    return (money_wide)a->remaining * b->limit < (money_wide)b->remaining * a->limit;
}

static void find_nearest(struct req *req, enum limit_measure measure, struct nearest *nearest)
{
    const struct uses *both[] = {&req->uses, &req->attempt.uses};
    struct limits_now now = limits_client_now(req->worker, &req->limit_wait);
    nearest->use = NULL;
    for (size_t i = 0; i < COUNT_OF(both); i++) {
        for (size_t j = 0; j < both[i]->count; j++) {
            const struct limit_use *use = &both[i]->list[j];
            struct limit_view view;
            if (!is_told(use, measure) || !limits_view(req->worker->limits, &now, use, &view))
                continue;
            if (nearest->use == NULL || is_nearer(&view, &nearest->view))
                *nearest = (struct nearest){use, view};
        }
    }
}

/* When all of it is free again if nothing more is sent. */
static int64_t reset_s(const struct nearest *nearest)
{
    int64_t window_ms = limit_window_ms((enum limit_window)nearest->use->limit.def.window);
    int64_t used = nearest->view.limit - nearest->view.remaining;
    if (nearest->view.limit <= 0 || used <= 0)
        return 0;
    int64_t ms = (int64_t)((money_wide)window_ms * used / nearest->view.limit);
    ms = ms > nearest->view.retry_after_ms ? ms : nearest->view.retry_after_ms;
    return (ms + 999) / 1000;
}

size_t limit_words_headers(struct req *req, struct reply_header *headers, size_t count)
{
    static const struct {
        enum limit_measure measure;
        struct str limit, remaining, reset;
    } rows[] = {{LIMIT_REQUESTS,
                 {"x-ratelimit-limit-requests", 26},
                 {"x-ratelimit-remaining-requests", 30},
                 {"x-ratelimit-reset-requests", 26}},
                {LIMIT_TOKENS,
                 {"x-ratelimit-limit-tokens", 24},
                 {"x-ratelimit-remaining-tokens", 28},
                 {"x-ratelimit-reset-tokens", 24}}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct nearest nearest;
        find_nearest(req, rows[i].measure, &nearest);
        if (nearest.use == NULL)
            continue;
        struct str limit = arena_printf(&req->arena, "%" PRId64, nearest.view.limit);
        struct str rest = arena_printf(&req->arena, "%" PRId64, nearest.view.remaining);
        struct str reset = arena_printf(&req->arena, "%" PRId64 "s", reset_s(&nearest));
        if (limit.p == NULL || rest.p == NULL || reset.p == NULL)
            continue;
        headers[count++] = (struct reply_header){rows[i].limit, limit};
        headers[count++] = (struct reply_header){rows[i].remaining, rest};
        headers[count++] = (struct reply_header){rows[i].reset, reset};
    }
    return count;
}
