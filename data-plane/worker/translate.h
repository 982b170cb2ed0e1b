/* translate.h: the attempts whose provider speaks another dialect than the caller
 * (data-plane/dialect).
 *
 * Between the steps and the dialect engine: authorize decides whether an attempt is translated
 * (attempt.call != NULL), transform writes its body, reply.c hands the answer's bytes over. An
 * attempt in the caller's own dialect has no call and passes spliced. Loop thread only. What the
 * engine holds of an answer counts against body_budget.
 */
#ifndef SLUICE_DATA_WORKER_TRANSLATE_H
#define SLUICE_DATA_WORKER_TRANSLATE_H

#include "data-plane/worker/req.h"

/* Where the attempt's operation goes: the path behind the provider's base URL. Gives STEP_NEXT with
 * *path (n = 0: the provider does not offer it), and attempt->call if it is translated. `row_paths`
 * are the provider row's, by operation. */
enum step_result translate_route(struct req *req, const struct str row_paths[OP_COUNT],
                                 struct str *path);
/* The caller's body -> req->chat, once for all attempts. */
enum step_result translate_read(struct req *req);
/* The caller's body -> attempt.body in the provider's dialect. A count of tokens that the provider
 * does not offer is answered at once, as an estimate: STEP_DONE. */
enum step_result translate_request(struct req *req);
/* Releases the attempt's call, if it has one. */
void translate_free(struct req *req);

/* An untranslated attempt was answered with an error that may be in a foreign shape
 * (back.mixed_errors): its answer is translated from here on, if it can be. Before translate_head. */
void translate_error(struct req *req);
/* The answer's head is here. */
void translate_head(struct req *req);
/* A header of the provider's that a translated answer has its own of. */
bool translate_replaces(struct str header);
/* Its bytes; as upstream_events.body. */
bool translate_body(struct req *req, const char *p, size_t n);
/* Begins a stream that has no content yet; an error is one inside the stream from here on. False:
 * the client is gone and the request has ended. */
bool translate_begin_early(struct req *req);
/* As translate_body, without a client: for the usage only. n = 0: the end. */
void translate_drain(struct req *req, const char *p, size_t n);
/* It has ended: settles and answers. */
void translate_done(struct req *req, enum status status);
/* The refusal that is fixed in req, as the end of a stream that has begun: in out. */
void translate_refusal(struct req *req, struct str type, struct buf *out);

#endif
