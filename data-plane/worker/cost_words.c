/* cost_words.c: see cost_words.h.
 *
 * Invariant: what is told is what was settled, never an expectation. Must never hold an answer that
 * can be read before its end (events), or more of one than COST_HELD_BYTES.
 */
#include "data-plane/worker/cost_words.h"

#include "proto/usage.pb-c.h"

static const char *source_word(uint32_t source)
{
    switch (source) {
    case SLUICE__USAGE_SOURCE__USAGE_SOURCE_PROVIDER:
        return "provider";
    case SLUICE__USAGE_SOURCE__USAGE_SOURCE_ESTIMATED:
        return "estimated";
    case SLUICE__USAGE_SOURCE__USAGE_SOURCE_BOUND:
        return "bound";
    default:
        return NULL;
    }
}

static bool has_rule(const struct req *req)
{
    if (req->surface != REQ_SURFACE_OP)
        return false;
    enum bound_when when = bound_row(req->op)->when;
    return when == BOUND_ANSWER || when == BOUND_REQUEST;
}

void cost_words_learn(struct req *req, const struct slot *slot)
{
    req->told_source = has_rule(req) ? source_word(slot->source) : NULL;
    req->told_nanousd += slot->charge_nanousd;
}

size_t cost_words_headers(struct req *req, struct reply_header *headers, size_t count)
{
    if (req->told_source == NULL)
        return count;
    headers[count++] =
        (struct reply_header){STR("x-sluice-cost-nanousd"),
                              arena_printf(&req->arena, "%lld", (long long)req->told_nanousd)};
    headers[count++] = (struct reply_header){STR("x-sluice-usage-source"), str_c(req->told_source)};
    return count;
}

void cost_words_comment(struct req *req)
{
    if (req->told_source == NULL || !req->attempt.is_sse)
        return;
    struct str comment =
        arena_printf(&req->arena, ": x-sluice-cost-nanousd=%lld x-sluice-usage-source=%s\n\n",
                     (long long)req->told_nanousd, req->told_source);
    if (comment.p != NULL)
        conn_reply_write(req->conn, comment.p, comment.n);
}

bool cost_words_hold(struct req *req, const char *p, size_t n)
{
    const struct req_attempt *attempt = &req->attempt;
    if (req->answer_begun || !attempt->is_json || attempt->is_sse || !has_rule(req) ||
        attempt->reply_length > (int64_t)COST_HELD_BYTES || req->held.n + n > COST_HELD_BYTES)
        return false;
    if (attempt->reply_length > 0 && req->held.n == 0 &&
        buf_reserve(&req->held, (size_t)attempt->reply_length) != ST_OK)
        return false;
    if (buf_reserve(&req->held, n) != ST_OK)
        return false;
    buf_add(&req->held, p, n);
    return true;
}
