/* reply.h: every rule of reference/admin-api.md section 0 about what goes out, in one place.
 *
 * A reply is always JSON with an object at the top ({} when there is nothing to say; exports and files
 * of the console apart), success is
 * 200 for every verb, an error is the envelope
 * {"success":false,"message":..,"data":{"message":..,"errorCode":..,"code":..}}, and every reply
 * names the request (x-request-id) and its trace (x-portkey-trace-id: without it SDKs repeat a
 * request that was answered 5xx). Owner: the reply owns its body; header values are borrowed from
 * the request's arena. One thread.
 */
#ifndef SLUICE_CONTROL_HTTP_REPLY_H
#define SLUICE_CONTROL_HTTP_REPLY_H

#include "common/json_write.h"
#include "control-plane/http/request.h"

#define REPLY_JSON "application/json"

/* Prepared with 500 and an empty body of type JSON. */
void reply_init(struct http_reply *reply);
/* Answers with pieces (request.h) instead of a body; content_type is a literal. */
void reply_pieces(struct http_reply *reply, const char *content_type,
                  enum status (*piece)(void *arg, struct buf *out), void (*end)(void *arg),
                  void *arg);
/* wipes and releases the body (a reply may hold a new API key), ends pieces. */
void reply_wipe(struct http_reply *reply);

/* Adds a header; both borrow. Beyond HTTP_REPLY_HEADERS_MAX it is CHECKed: the set is ours. A value
 * with a control character is not added. */
void reply_header(struct http_reply *reply, struct str name, struct str value);

/* Replaces the body by the error envelope of `status`. message n = 0: the status' own sentence. */
void reply_error(struct http_reply *reply, enum status status, struct str message);

/* As reply_error, with an object as data.impact (n = 0: none). */
void reply_error_detail(struct http_reply *reply, enum status status, struct str message,
                        struct str impact);

/* Ends a success: an empty body becomes {}; a body that outgrew its cap or memory becomes the error
 * it is. */
void reply_finish(struct http_reply *reply);

/* Gives the request its id and its trace id: the caller's x-portkey-trace-id if it is 1 to 128
 * clean characters. */
void reply_trace(struct http_request *request);
/* Adds x-request-id and x-portkey-trace-id. */
void reply_identify(struct http_reply *reply, const struct http_request *request);

#endif
