/* dialect.h: the seam between the caller's dialect (a front), the provider's (a back), and the
 * worker.
 *
 *   worker            dialect.c                      front            back
 *   --------------------------------------------------------------------------------
 *   transform   ->    dialect_request       ->       read     ->      write
 *   head_end    ->    dialect_reply_begin
 *   body bytes  ->    dialect_reply_feed    ->                        event | whole
 *                       dialect_emit        <-------------------------'
 *                         '-> (stream)      ->       event
 *                         '-> (whole)       ->  answer, then whole
 *   done        ->    dialect_reply_end
 *
 * A call is one attempt; the parsed request (chat) is kept by the request and serves all attempts
 * of the same text. The provider may stream or not, and the caller may want a stream or not:
 * everything passes through the same events. A front or back is one static row and owns no memory;
 * its state of a call lies in call->front_state / back_state (zeroed, state_bytes).
 *
 * Owner: the request. Arena: the request's. One thread; nothing here waits. Failure: a status, and
 * call->reason says why in the caller's terms; never a CHECK on what came from outside.
 * Limits: DIALECT_WHOLE_MAX bytes of a whole answer, SSE_EVENT_MAX of one event, the arena's cap.
 *
 * To add a provider: one row in backs.def, files back_<name>*.c with a struct back, one .def of
 * parameter rules. No file above this line changes.
 */
#ifndef SLUICE_DATA_DIALECT_DIALECT_H
#define SLUICE_DATA_DIALECT_DIALECT_H

#include "common/ops.h"
#include "data-plane/dialect/chat.h"
#include "data-plane/dialect/params.h"
#include "data-plane/sse.h"
#include "data-plane/upstream.h"

#define DIALECT_WHOLE_MAX   (32u * 1024u * 1024u)
#define DIALECT_KEEP_MAX    (4u * 1024u * 1024u)
#define DIALECT_ERROR_MAX   (64u * 1024u) /* of a provider's error body that is read */
#define DIALECT_REASON_MAX  512
#define DIALECT_DROPPED_MAX 1024
#define DIALECT_HEADERS_MAX 8

/* What an attempt is sent to. Borrowed for the call's life. */
struct dialect_target {
    struct str provider;   /* slug in the workspace, for sentences: "@" provider */
    struct str service;    /* provider type: "anthropic" */
    struct str model;      /* what the provider is sent */
    struct str base_model; /* catalog slug that says what the model can do; = model if unknown */
    uint64_t max_output_tokens;     /* from the catalog; 0: unknown */
    struct str configurations_json; /* of the integration; n = 0: none */
};

/* What goes out and must be signed, while the credential is open. Lines that are added are wiped
 * once they are sent; a secret that is read into own memory is wiped by its reader (secret_wipe).
 */
struct dialect_signing {
    const struct dialect_target *target;
    struct str method, url, host, body; /* body: whole, unless an upload still arrives */
    const struct upstream_header *headers;
    size_t header_count;
    int64_t utc_ms;
    struct arena *arena; /* the request's: not for secrets */
    /* Copies one stored secret ("key", "aws_secret_access_key"). ST_NOT_FOUND, ST_TOO_LARGE. */
    enum status (*secret)(const struct dialect_signing *signing, struct str name, char *room,
                          size_t max, size_t *n);
    /* Adds the line "name: value". ST_TOO_LARGE. */
    enum status (*add)(const struct dialect_signing *signing, struct str name, struct str value);
    void *arg;
};

enum dialect_state {
    DIALECT_HOLD,   /* nothing that the caller must see yet: an error can still be an HTTP error */
    DIALECT_FLOW,   /* call->out may go to the caller */
    DIALECT_ENDED,  /* the answer is complete: call->out holds its end */
    DIALECT_FAILED, /* call->error; before content nothing was written, later out holds the error */
};

struct front;
struct back;
struct chat_gather;

struct dialect_call {
    const struct front *front;
    const struct back *back;
    struct arena *arena;
    const struct dialect_target *target;
    const struct chat *chat;
    bool extras;          /* the caller takes provider's own fields (strict compliance off) */
    int64_t created_s;    /* UTC, for answers that carry a date */
    struct str answer_id; /* plain bytes: for providers that give no id of their own */

    /* request */
    enum status refused; /* ST_OK, or what `reason` is about */
    char reason[DIALECT_REASON_MAX];
    char dropped[DIALECT_DROPPED_MAX];                   /* "seed, logit_bias"; NUL-terminated */
    struct upstream_header headers[DIALECT_HEADERS_MAX]; /* further ones for the provider */
    size_t header_count;

    /* answer */
    enum dialect_state state;
    int http_status; /* the provider's */
    bool is_sse, content;
    struct buf out;   /* bytes for the caller: taken and cleared by the worker */
    struct buf whole; /* the provider's answer, or error, while it gathers */
    struct sse sse;
    struct chat_error error;
    bool has_usage;
    struct slot_usage usage;
    struct dialect_choice {
        enum chat_part_kind open;
        uint32_t parts, calls;
        bool finished;
    } choices[CHAT_CHOICES_MAX];
    bool started, stable;  /* stable: events borrow from `whole`, which outlives them */
    struct arena *scratch; /* of the event being read; for what need not outlive it */
    struct chat_gather *gather;
    void *front_state, *back_state;
    struct buf keep[2]; /* the front's own */
};

/* The caller's dialect. */
struct front {
    const char *name;
    enum op op;
    size_t state_bytes;
    /* Request JSON (validated, no duplicate members) -> chat. ST_INVALID (dialect_refuse),
     * ST_NO_MEMORY. */
    enum status (*read)(struct dialect_call *call, const struct json *body, struct chat *chat);
    /* One event of a stream -> call->out. */
    void (*event)(struct dialect_call *call, const struct chat_event *event);
    /* A whole answer -> call->out. */
    void (*whole)(struct dialect_call *call, const struct chat_answer *answer);
    /* An error -> call->out: a whole body, or what ends a stream that has begun. */
    void (*error)(struct dialect_call *call, const struct chat_error *error, bool in_stream);
};

/* The provider's dialect. */
struct back {
    const char *name;
    uint16_t dialect;         /* enum cat_dialect */
    enum op via;              /* the row's path of this operation takes translated chats */
    const char *default_path; /* where a row has none (a self-hosted service of this dialect) */
    uint64_t native;          /* OP_BIT()s that pass untranslated if the row offers them */
    const char *signs_as;     /* whose signatures its thinking carries; NULL: none */
    size_t state_bytes;
    const struct param_rule *params; /* CHAT_PARAM_COUNT of them */
    /* The path behind base_url in out, from the row's (with {model} in it, say). NULL: as it is. */
    enum status (*path)(const struct dialect_target *target, struct str row, bool stream,
                        struct buf *out);
    /* chat -> request body. ST_INVALID (dialect_refuse), ST_NO_MEMORY, ST_TOO_LARGE. */
    enum status (*write)(struct dialect_call *call, struct buf *out);
    /* One event of the provider's stream -> dialect_emit, dialect_fail. ST_BAD_JSON and others: the
     * stream is broken. */
    enum status (*event)(struct dialect_call *call, const struct sse_event *event);
    /* A whole JSON answer -> dialect_emit ... CHAT_EVENT_END. As event. */
    enum status (*whole)(struct dialect_call *call, const struct json *answer);
    /* Adds the lines that carry or prove the credential, of spliced attempts as well. NULL: the
     * row's auth_header and prefix with the secret "key". ST_AGAIN: something is being fetched, and
     * whoever has it calls req_run. Other statuses refuse the attempt. */
    enum status (*sign)(const struct dialect_signing *signing);
    /* An answer with status >= 400: fills what it says. body is NULL if it is no JSON object. */
    void (*error)(struct dialect_call *call, const struct json *body, struct chat_error *error);
};

#define OP_BIT(op) (UINT64_C(1) << (op))

/* --- choosing */

/* The front of an operation, or NULL: the operation is never translated. */
const struct front *dialect_front(enum op op);
/* The back of a provider's dialect (enum cat_dialect), or NULL. */
const struct back *dialect_back(uint16_t dialect);

/* --- a call, by the worker */

/* Prepares `call` (memory of the caller's, any content). ST_NO_MEMORY. */
MUST_USE enum status dialect_begin(struct dialect_call *call, struct arena *arena,
                                   const struct front *front, const struct back *back,
                                   const struct dialect_target *target);
/* Releases the buffers. The call may be all zero. */
void dialect_free(struct dialect_call *call);
/* Reads a request body by the call's front; gives the chat in the arena and keeps it in call->chat.
 * ST_BAD_JSON, ST_TOO_LARGE, ST_INVALID, ST_NO_MEMORY: call->reason says why. */
MUST_USE enum status dialect_read(struct dialect_call *call, struct str body,
                                  const struct chat **chat);
/* Writes call->chat by the call's back; gives the body in the arena. Statuses as above. */
MUST_USE enum status dialect_write(struct dialect_call *call, struct str *body);

/* The head of the provider's answer is here. */
void dialect_reply_begin(struct dialect_call *call, int http_status, struct str content_type);
/* Bytes of it; look at call->state and call->out afterwards. ST_NO_MEMORY, ST_TOO_LARGE,
 * ST_UPSTREAM_BROKEN (not in the provider's dialect). */
MUST_USE enum status dialect_reply_feed(struct dialect_call *call, const char *p, size_t n);
/* They end here. As above; ST_UPSTREAM_BROKEN also if the answer is not complete. ST_OK: state is
 * DIALECT_ENDED or DIALECT_FAILED. */
MUST_USE enum status dialect_reply_end(struct dialect_call *call);
/* Writes an error in the caller's dialect to call->out. */
void dialect_write_error(struct dialect_call *call, const struct chat_error *error);

/* --- for fronts and backs */

/* Fixes the reason of a refusal; returns `status`. */
enum status dialect_refuse(struct dialect_call *call, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* The provider cannot take something that stands at `place`: 400, naming place, provider and
 * remedy ("Send it as text."). */
enum status dialect_refuse_part(struct dialect_call *call, struct chat_place place,
                                const char *what, const char *remedy);
/* Lists a field as left out: once, however often. */
void dialect_drop(struct dialect_call *call, const char *field);
/* A further header for the provider; borrows both. ST_TOO_LARGE. */
MUST_USE enum status dialect_add_header(struct dialect_call *call, struct str name,
                                        struct str value);
/* An event from a back: brought in order (chat_event) and handed on. Borrowed for the call only.
 * ST_NO_MEMORY, ST_TOO_LARGE. */
MUST_USE enum status dialect_emit(struct dialect_call *call, const struct chat_event *event);
/* The provider reports an error inside its answer; copies. */
void dialect_fail(struct dialect_call *call, const struct chat_error *error);

#endif
