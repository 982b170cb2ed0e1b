/* call.h: one authenticated admin call, as a handler sees it.
 *
 * A handler reads call->body and call->params, works on call->txn, and writes its answer with
 * call->json. A GET runs in a read transaction on the listener's thread. Everything else runs as
 * one operation on the writer thread (call->op is set, call->txn is its transaction): it either
 * becomes durable as a whole, with the audit record, or leaves nothing. Returns ST_OK, or a status
 * with call->message set by api_fail; the envelope is made from both. Handlers never see the HTTP
 * library, never keep a pointer beyond the call, and never block (no network, no file).
 * Owner: dispatch.c. Everything allocated comes from call->arena, which is wiped afterwards.
 */
#ifndef SLUICE_CONTROL_API_CALL_H
#define SLUICE_CONTROL_API_CALL_H

#include "common/json_write.h"
#include "control-plane/auth/auth.h"
#include "control-plane/http/reply.h"
#include "control-plane/store/writer.h"

struct vault;
struct publish;
struct request_log;
struct static_files;
struct throttle;
struct overlay;

/* What handlers work with; made by app.c, lives as long as the process, read-only but for what has
 * a lock of its own. */
struct api {
    struct kv *kv;
    struct writer *writer;
    struct vault *vault;
    struct publish *publish;      /* NULL: no link (tests) */
    struct request_log *request_log; /* NULL: none is kept */
    struct static_files *console; /* NULL: not built */
    struct str private_upstreams; /* CIDRs that custom hosts may lie in besides the public ones */
    struct str gateway_url;       /* for links and snippets */
    bool ignore_guardrails;       /* configs with guardrails are taken, though none is run */
    struct str control_url;       /* of links to the console, without a slash at the end */
    struct throttle *throttle;    /* of passwords */
    int64_t session_ttl_ms;
    int64_t hours_keep_ms; /* age of the oldest sums by hour */
    int64_t started_ms;
    _Atomic bool ready;
    _Atomic unsigned waiters; /* of ?wait=applied */
    _Atomic unsigned exports; /* being sent */
};

struct api_call {
    struct api *api;
    struct http_request *request;
    struct http_reply *reply;
    struct arena *arena;
    const struct route *route;
    struct str params[ROUTE_PARAMS_MAX];
    struct auth auth;
    const struct json *body; /* an object, or NULL if there was none */
    struct kv_txn *txn;
    struct write_op *op; /* NULL in a read */
    int64_t now_ms;
    struct json_writer json;
    struct str message; /* of a failure */
    void *state;        /* of an ACTION's handler, for its change */
    struct overlay *overlay; /* set: the change is only rehearsed, as if it were forced */
    struct str detail;       /* of a failure: an object that the error shows as data.impact */
    uint64_t replayed_revision; /* the answer is that of an earlier request (idempotency.h) */
};

/* Sets the sentence of a failure and gives the status back: return api_fail(call, ST_INVALID,
 * "..."). */
MUST_USE enum status api_fail(struct api_call *call, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* ST_INVALID with "field: what". */
MUST_USE enum status api_invalid(struct api_call *call, const char *field, const char *what);
/* ST_NOT_FOUND becomes a 404 that names the kind of thing; other statuses pass. */
MUST_USE enum status api_found(struct api_call *call, enum status status, const char *kind);

/* Runs `change` as one operation on the writer thread and puts its revision into the reply: what
 * dispatch does for a ROUTE, for an ACTION to do when the time has come. call->auth says who it
 * was. Statuses of `change` and of the writer. */
MUST_USE enum status api_write(struct api_call *call, enum status (*change)(struct api_call *call));

/* As api_write, but tells the reply nothing: for what must be recorded although the call is
 * refused.
 */
MUST_USE enum status api_write_aside(struct api_call *call,
                                     enum status (*change)(struct api_call *call));

/* The caller as audit records name them; borrows from the call. */
struct write_actor api_actor(const struct api_call *call);

/* The decoded segment of the path that the route calls {name}; p = NULL if it has none. */
struct str api_path(const struct api_call *call, const char *name);

/* A member of the body by its snake_case name, or by the camelCase spelling of it. NULL if absent.
 */
const struct json *api_body(const struct api_call *call, const char *name);
/* As api_body within any object. */
const struct json *api_member(const struct json *object, const char *name);
/* Text of a member of the body; p = NULL if absent or null. ST_INVALID (not a string, NUL inside),
 * ST_NO_MEMORY. */
MUST_USE enum status api_body_text(struct api_call *call, const char *name, struct str *text);
/* As api_body_text; a query parameter of that name (either spelling) comes first. */
MUST_USE enum status api_text(struct api_call *call, const char *name, struct str *text);
/* Bool of a member (true, false, 0, 1); `value` stays as it is if absent or null. ST_INVALID. */
MUST_USE enum status api_body_bool(struct api_call *call, const char *name, bool *value);
/* True if the caller said force_delete (query or body), or the change is only rehearsed. ST_INVALID.
 */
MUST_USE enum status api_forced(struct api_call *call, bool *forced);
/* A query parameter that is true ("true", "1"). */
bool api_query_flag(const struct api_call *call, const char *name);
/* A query parameter by snake_case name, or by the camelCase spelling. p = NULL if absent. */
struct str api_query(const struct api_call *call, const char *name);

/* Adds the audit record of a change, after it: with the body that asked for it, and the resource as
 * it was and as it is (shown.h). `workspace` may be NULL. Only in operations. */
void api_audit(struct api_call *call, const char *action, const char *resource_type,
               const struct id *workspace, const struct id *id, const char *slug);

/* What is deleted from here on in this operation can be restored, as one: `type` and `name` are those
 * of the audit record, `workspace` NULL: the organisation's. */
MUST_USE enum status api_trash(struct api_call *call, const char *type,
                               const struct record_key *root, const struct id *workspace,
                               const char *name);

/* As api_audit for what was refused with `refusal`. Only in operations of api_write_aside. */
void api_audit_refused(struct api_call *call, enum status refusal, const char *action,
                       const char *resource_type, const struct id *id, struct str slug);

/* C string of the arena, never NULL: "" when the text is empty. ST_NO_MEMORY. */
MUST_USE enum status api_cstr(struct arena *arena, struct str text, char **out);

/* camelCase of a snake_case name, NUL-terminated; cut at 63 characters. */
void api_camel(const char *snake, char camel[64]);

#endif
