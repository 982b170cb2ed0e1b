/* attempts.h: which target a request tries, and what the end of an attempt leads to.
 *
 *   plan -> attempts_begin -> attempt --+-- content goes to the caller: no further attempt
 *                                ^      |
 *                                |      `-- refused, failed, or a status: attempts_* decides
 *                                |             '-> false: it is the caller's answer
 *                                `-- wait -----'-> true: the attempt was stopped and settled here
 *
 * First the same target again (retry.h), then another one (route_walk.h), as long as nothing of an
 * answer has gone to the caller and the body is still whole. Every attempt is stopped and settled
 * before the next begins; they follow each other through a timer, never from within libcurl.
 * Without a document there is one target and one attempt.
 *
 * Owner: the request; part of it. Loop thread only. Limits: ATTEMPTS_MAX attempts, and
 * request_timeout for all of them together, waits included.
 */
#ifndef SLUICE_DATA_WORKER_ATTEMPTS_H
#define SLUICE_DATA_WORKER_ATTEMPTS_H

#include "data-plane/breaker.h"
#include "data-plane/retry.h"
#include "data-plane/retry_after.h"
#include "data-plane/route_walk.h"
#include "data-plane/slot.h"
#include "data-plane/worker/loop.h"

#define ATTEMPTS_MAX 64

struct req;

struct attempts {
    struct route_plan plan; /* head NULL: no document */
    struct route_walk walk;
    size_t leaf; /* of the present attempt */
    struct retry retry;
    struct retry_after after; /* what the present answer says about coming again */
    struct breaker_ticket ticket;
    int64_t first_byte_ms; /* of a stream's answer; -1: says nothing */
    int64_t wait_ms;       /* until the attempt that was decided on */
    uint32_t made;         /* attempts so far */
    struct loop_timer pause;
};

/* plan: aligned, in the request's arena, as what `inputs` name. Chooses the first target. Other
 * statuses than ST_OK refuse the request, with the sentence in *why: documents that cannot be used
 * or hold guards (ST_INVALID, ST_BAD_FORMAT), no condition that holds (ST_INVALID), conditions that
 * take too much work (ST_TOO_LARGE), ST_NO_MEMORY. */
MUST_USE enum status attempts_begin(struct req *req, struct str plan,
                                    const struct route_inputs *inputs, struct str *why);
/* What the present target's level of the document says; NULL: there is no document. */
const struct route_node *attempts_node(const struct req *req);
/* True while the end of this attempt can lead to another one. */
bool attempts_may_follow(const struct req *req);

/* The attempt is about to reach for its provider. */
void attempts_start(struct req *req);
/* It was settled; `sent`: it had gone out. */
void attempts_settled(struct req *req, enum slot_outcome outcome, bool sent);

/* The end of an attempt. True: another one follows, and the caller returns at once. */
/* A step refused it (req->refused). */
bool attempts_refused(struct req *req);
/* The exchange failed. */
bool attempts_failed(struct req *req, enum status status);
/* The provider answered, or its stream failed in front of its content, with this status. */
bool attempts_answered(struct req *req, int http_status);

/* attempts_answered in two steps, for who stands in the midst of the answer: decides only; if true,
 * attempts_go must follow. */
bool attempts_decide_answered(struct req *req, int http_status);
void attempts_go(struct req *req);

/* For explain: the breaker lets this leaf be passed over now. */
bool attempts_is_cooled(struct req *req, size_t leaf);

void attempts_cancel(struct req *req);

/* For breaker.h and retry.h: names a provider, or a provider's model, of one workspace. Never 0. */
uint64_t attempts_key(const struct req *req, struct str provider, struct str model);

#endif
