/* dialect.h: the seam between the caller's dialect (a front), the provider's (a back), and the
 * worker.
 *
 *   worker            dialect.c                      front            back
 *   --------------------------------------------------------------------------------
 *   transform   ->    dialect_request       ->       read     ->      write
 *   head_end    ->    dialect_reply_begin
 *   body bytes  ->    dialect_reply_feed    ->                        event | frame | whole
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
 * Limits: DIALECT_WHOLE_MAX bytes of a whole answer, SSE_EVENT_MAX of one event,
 * EVENTSTREAM_MESSAGE_MAX of one frame, the arena's cap.
 *
 * To add a provider: one row in backs.def, files back_<name>*.c with a struct back, one .def of
 * parameter rules. No file above this line changes.
 */
#ifndef SLUICE_DATA_DIALECT_DIALECT_H
#define SLUICE_DATA_DIALECT_DIALECT_H

#include "common/ops.h"
#include "data-plane/dialect/chat.h"
#include "data-plane/dialect/params.h"
#include "data-plane/eventstream.h"
#include "data-plane/sse.h"
#include "data-plane/upstream.h"

#define DIALECT_WHOLE_MAX   (32u * 1024u * 1024u)
#define DIALECT_KEEP_MAX    (16u * 1024u * 1024u)
#define DIALECT_KEEPS       3
#define DIALECT_ERROR_MAX   (64u * 1024u) /* of a provider's error body that is read */
#define DIALECT_REASON_MAX  512
#define DIALECT_DROPPED_MAX 1024
#define DIALECT_HEADERS_MAX 8

/* What an attempt is sent to. Borrowed for the call's life. */
struct dialect_target {
    enum op op;            /* what the caller asked for */
    struct str full_model; /* as the integration's rule names it; model is what choose made of it */
    struct str provider;   /* slug in the workspace, for sentences: "@" provider */
    struct str service;    /* provider type: "anthropic" */
    struct str model;      /* what the provider is sent */
    struct str base_model; /* catalog slug that says what the model can do; = model if unknown */
    uint64_t max_output_tokens;     /* from the catalog; 0: unknown */
    struct str capabilities;        /* of the model, "item\n"*; n = 0: unknown */
    struct str configurations_json; /* of the integration; n = 0: none */
    struct str renames;             /* the row's, of top-level members: "from to\n"* */
    struct str stream_usage_path;   /* where the row's streams have their usage; n = 0: "usage" */
    bool no_stream_options;         /* the row refuses stream_options */
    struct str api_version;         /* of the deployment that is meant; n = 0: none */
};

/* What a model that a caller names means in one integration (back.resolve). */
struct dialect_deployment {
    struct str model;       /* what rules, lists and prices know; n = 0: the name itself */
    struct str upstream;    /* what the provider is sent; n = 0: what the rules say */
    struct str api_version; /* as dialect_target */
    bool no_stream_options; /* as dialect_target */
};

struct token_kind; /* token.h: credentials that are worth a token */

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
    /* Copies the token of `kind` that the credential is worth, for one `scope` of it. ST_AGAIN: it is
     * being fetched; others (worker/tokens.h): `reason` says why not. */
    enum status (*token)(const struct dialect_signing *signing, const struct token_kind *kind,
                         struct str scope, char *room, size_t max, size_t *n);
    char *reason; /* TOKEN_REASON_MAX bytes: why no token could be had; "" at first */
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
struct simple_front; /* simple.h: operations without a conversation */
struct simple_op;

struct dialect_call {
    const struct front *front;
    const struct back *back;
    const struct simple_op *op; /* the back's row of the front's operation; NULL: a chat */
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
    struct str reply_type; /* the provider's content type; borrowed, as are its headers */
    const struct upstream_header *reply_headers;
    size_t reply_header_count;
    struct str out_type;   /* of what is in out, where it is no JSON and no stream; n = 0: it is */
    bool is_sse, is_frames, content;
    struct buf out;   /* bytes for the caller: taken and cleared by the worker */
    struct buf whole; /* the provider's answer, or error, while it gathers */
    struct sse sse;
    struct eventstream frames;
    struct chat_error error;
    bool has_usage;
    bool estimated; /* the usage shown is the gateway's estimate: the provider told none */
    struct slot_usage usage;
    char tier[16]; /* of service, as the provider says it served: prices go by it */
    struct dialect_choice {
        enum chat_part_kind open;
        uint32_t parts, calls;
        bool said; /* the open part has had a delta */
        bool finished;
    } choices[CHAT_CHOICES_MAX];
    bool started, stable;  /* stable: events borrow from `whole`, which outlives them */
    struct arena *scratch; /* of the event being read; for what need not outlive it */
    struct chat_gather *gather;
    void *front_state, *back_state;
    struct buf keep[DIALECT_KEEPS]; /* the front's own */
};

/* The caller's dialect. */
struct front {
    const char *name;
    enum op op;
    const char
        *thinking; /* the field that carries earlier thinking, for the list of what is dropped */
    bool open_members; /* unknown members may be meant for a provider of OpenAI's dialect */
    /* Extras that the front has read as well (chat.extras keeps them for backs that know them);
     * ended by NULL. */
    const char *const *read_members;
    size_t state_bytes;
    /* Request JSON (validated, no duplicate members) -> chat. ST_INVALID (dialect_refuse),
     * ST_NO_MEMORY. */
    enum status (*read)(struct dialect_call *call, const struct json *body, struct chat *chat);
    /* One event of a stream -> call->out. NULL: the operation has no answer of a provider. */
    void (*event)(struct dialect_call *call, const struct chat_event *event);
    /* A whole answer -> call->out. */
    void (*whole)(struct dialect_call *call, const struct chat_answer *answer);
    /* In place of read, event and whole, for operations without a conversation; NULL: a chat. */
    const struct simple_front *simple;
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
    /* What `asked` (n = 0: none) means in the target's integration, before any rule is asked: of
     * the target only provider, service and configurations are known. Gives strings in the arena.
     * NULL: itself. ST_MODEL_NOT_FOUND and ST_NO_MODEL with a sentence in `reason`, ST_NO_MEMORY. */
    enum status (*resolve)(struct arena *arena, const struct dialect_target *target, enum op op,
                           struct str asked, struct dialect_deployment *out, char *reason,
                           size_t room);
    /* A service of several dialects: the back of this model. target->model may become the part of
     * its name that the provider is sent. NULL: this one. */
    const struct back *(*choose)(struct arena *arena, struct dialect_target *target);
    /* The member that stands in the model's place in a body that passes untranslated, where the
     * address names the model: "\"name\":value". NULL: the model. */
    const char *model_member;
    /* Errors may be in another shape than the dialect's, so that those of untranslated attempts are
     * translated all the same. */
    bool mixed_errors;
    bool no_stream_options; /* bodies that pass untranslated must not ask for a stream's usage */
    /* The path behind base_url in out, from the row's (with {model} in it, say), of native
     * operations as well. NULL: as it is. */
    enum status (*path)(const struct dialect_target *target, struct str row, bool stream,
                        struct buf *out);
    /* Must what a part's URL names be fetched before write (media.fetched)? NULL: the provider takes
     * URLs, or write refuses them. */
    bool (*wants_bytes)(const struct dialect_call *call, const struct chat_part *part);
    /* chat -> request body. ST_INVALID (dialect_refuse), ST_NO_MEMORY, ST_TOO_LARGE. */
    enum status (*write)(struct dialect_call *call, struct buf *out);
    /* One event of the provider's stream -> dialect_emit, dialect_fail. ST_BAD_JSON and others: the
     * stream is broken. */
    enum status (*event)(struct dialect_call *call, const struct sse_event *event);
    /* One message of its AWS event stream. As event. NULL: it has none. */
    enum status (*frame)(struct dialect_call *call, const struct eventstream_message *message);
    /* A whole JSON answer -> dialect_emit ... CHAT_EVENT_END. As event. */
    enum status (*whole)(struct dialect_call *call, const struct json *answer);
    /* What its providers do besides chats, one row each (simple.h). */
    const struct simple_op *simple;
    size_t simple_count;
    /* Adds the lines that carry or prove the credential, of spliced attempts as well. NULL: the
     * row's auth_header and prefix with the secret "key". ST_AGAIN: something is being fetched, and
     * whoever has it calls req_run. Other statuses refuse the attempt. */
    enum status (*sign)(const struct dialect_signing *signing);
    /* An answer with status >= 400: fills what it says. body is NULL if it is no JSON object (or
     * array that begins with one). */
    void (*error)(struct dialect_call *call, const struct json *body, struct chat_error *error);
};

#define OP_BIT(op) (UINT64_C(1) << (op))

/* --- choosing */

/* The front of an operation, or NULL: the operation is never translated. */
const struct front *dialect_front(enum op op);
/* The back of a provider's dialect (enum cat_dialect), or NULL. */
const struct back *dialect_back(uint16_t dialect);

/* --- a call, by the worker */

/* Prepares `call` (memory of the caller's, any content). A front without a conversation needs a back
 * that has a row for its operation (simple_find). ST_NO_MEMORY. */
MUST_USE enum status dialect_begin(struct dialect_call *call, struct arena *arena,
                                   const struct front *front, const struct back *back,
                                   const struct dialect_target *target);
/* Bytes of memory that the answer takes beside the arena. */
size_t dialect_held_bytes(const struct dialect_call *call);
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
/* A header of the provider's answer, name in any case; p = NULL: not there. */
struct str dialect_reply_header(const struct dialect_call *call, struct str name);
/* Lists a field as left out: once, however often. */
void dialect_drop(struct dialect_call *call, const char *field);
/* A further header for the provider; borrows both. ST_TOO_LARGE. */
MUST_USE enum status dialect_add_header(struct dialect_call *call, struct str name,
                                        struct str value);
/* The tier of service that a member names (absent or no string: nothing changes). */
void dialect_take_tier(struct dialect_call *call, const struct json *member);
/* Are the figures those of the whole answer? What broke off has said a part of them at most. */
bool dialect_usage_is_whole(const struct dialect_call *call);
/* An event from a back: brought in order (chat_event) and handed on. Borrowed for the call only.
 * ST_NO_MEMORY, ST_TOO_LARGE. */
MUST_USE enum status dialect_emit(struct dialect_call *call, const struct chat_event *event);
/* Ends a server-sent event whose data begin at out[from]: one line, whatever blanks a provider's
 * JSON has between its values (strings have no line ends). */
void dialect_end_event(struct dialect_call *call, size_t from);
/* The provider reports an error inside its answer; copies. */
void dialect_fail(struct dialect_call *call, const struct chat_error *error);

#endif
