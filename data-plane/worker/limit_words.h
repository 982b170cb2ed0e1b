/* limit_words.h: what a caller is told about limits: refusals, and x-ratelimit-* headers.
 *
 * A refusal names level, slug, limit, what is spent, when it resets, and what to do; 412 for budgets, 429 with Retry-After
 * for rates and permits, 503 where on_disconnect denies. The headers describe the limit of each measure that is nearest to
 * its end. Figures are those of the counter table: over all hosts, as last heard.
 */
#ifndef SLUICE_DATA_WORKER_LIMIT_WORDS_H
#define SLUICE_DATA_WORKER_LIMIT_WORDS_H

#include "data-plane/worker/conn.h"
#include "data-plane/worker/req.h"

/* Refuses the request because of `use`. `affordable`: max_tokens that would fit; 0: not known. */
enum step_result limit_words_refuse(struct req *req, enum status status, const struct limit_use *use, uint64_t affordable);
/* Refuses because the cost has no bound, or the model no price, under the limit `use`. */
enum step_result limit_words_unbounded(struct req *req, const struct limit_use *use, const char *field, const char *remedy);
enum step_result limit_words_unpriced(struct req *req, const struct limit_use *use);

/* Appends x-ratelimit-{limit,remaining,reset}-{requests,tokens}; returns the new count. Values lie in the arena. */
size_t limit_words_headers(struct req *req, struct reply_header *headers, size_t count);
/* True if the answer carries headers of ours, so that the provider's are left out. */
bool limit_words_has(const struct req *req);

#endif
