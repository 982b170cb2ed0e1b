/* req.h: one request, as a walk over the steps of req_steps.def.
 *
 *   conn -> req_begin -> [route authenticate read_body plan admit]
 *        -> { authorize own recall reserve transform connect exchange }*      attempts.h says which, and when
 *        -> finish
 *   STEP_WAIT leaves the walk; req_run enters the same step again
 *
 * Owner of everything below it: the arena (freed once, in req_finish), the body, the slot, the
 * exchange. One thread. A catalog read (catalog_begin .. end) never spans a wait: a step that needs
 * the catalog begins and ends it itself. The answer begins with the first content of an attempt;
 * from then on there is no further attempt. Whatever ends the request (answer complete, refusal,
 * client gone, drain) goes through req_finish exactly once; a sent attempt is settled before that.
 * Timers: own.timer and own.wait.timer (step_own.c), attempts.pause (attempts.c), keep_alive; conn
 * and upstream have theirs.
 */
#ifndef SLUICE_DATA_WORKER_REQ_H
#define SLUICE_DATA_WORKER_REQ_H

#include "common/catalog_codec.h"
#include "common/json_scan.h"
#include "common/price_settle.h"
#include "data-plane/dialect/dialect.h"
#include "data-plane/slots.h"
#include "data-plane/sse.h"
#include "data-plane/upstream.h"
#include "data-plane/usage_pick.h"
#include "data-plane/worker/attempts.h"
#include "data-plane/worker/conn.h"
#include "data-plane/worker/cost.h"
#include "data-plane/worker/keyring.h"
#include "data-plane/worker/limits_client.h"
#include "data-plane/worker/mailbox.h"
#include "data-plane/worker/names_client.h"
#include "data-plane/worker/recall.h"
#include "data-plane/worker/tokens.h"
#include "data-plane/worker/trace.h"
#include "data-plane/worker/uses.h"
#include "data-plane/worker/worker.h"

#define REQ_MAGIC        0x52455131u
#define REQ_INLINE_BYTES 6144
#define REQ_ARENA_MAX    (64u * 1024u * 1024u)
#define REQ_REASON_MAX   512
#define REQ_HELD_MAX     (64u * 1024u) /* of a stream, in front of its content */

enum step_result { STEP_NEXT, STEP_WAIT, STEP_DONE, STEP_REFUSE };

enum req_step_name {
#define STEP(name, once) REQ_STEP_##name,
#include "data-plane/req_steps.def"
#undef STEP
    REQ_STEP_COUNT
};

enum req_surface {
    REQ_SURFACE_OP,      /* an operation of ops.def, sent to a provider */
    REQ_SURFACE_MODELS,  /* GET /v1/models[/id]: answered from the catalog */
    REQ_SURFACE_PRICING, /* GET /model-configs/pricing/...: answered from the catalog, without a key
                          */
    REQ_SURFACE_RELAY,   /* an admin route: re-emitted to the control plane */
    REQ_SURFACE_PASSTHROUGH, /* another /v1 path of a provider's positive list */
};

/* Who asks: copied from the key's record. */
struct req_auth {
    bool known;
    uint64_t revision; /* of the catalog it was read from */
    struct id key, org, workspace, user, default_config;
    uint8_t key_type, config_override;
    uint64_t scopes;
    uint8_t hash[32];
    struct str value;          /* the key itself, in head; a secret */
    struct str allowed_models; /* arena; patterns ended by '\n' */
    struct str defaults_json;
    struct str name, limits; /* for people; cat_limit after cat_limit */
};

/* The request body. `mem` holds it whole, or (multipart, streams) its first part while the rest
 * flows to the provider. */
struct req_body {
    struct buf mem;
    struct buf original; /* as it came, while mem holds another text for this attempt; n = 0: mem is it */
    size_t charged;  /* bytes counted in worker->body_bytes */
    size_t read_at;  /* streaming: bytes of mem already given to the provider */
    size_t searched; /* multipart: bytes already searched for the model field */
    bool started, complete, streaming;
    bool spent; /* streaming: its first part went to a provider and is gone */
    struct str boundary;           /* multipart */
    struct multipart_watch *watch; /* multipart, streaming: against a second model; in the arena */
    struct batch_rows *rows;       /* uploaded files: the models of their rows; in the arena */
    struct json_field model, stream, stream_options, max_tokens,
        n; /* spans into mem (JSON bodies) */
    bool is_stream;
    bool wants_usage; /* the client itself asked for stream usage */
};

/* Where the present attempt goes: a leaf of the plan, and what headers and body say. */
struct req_target {
    struct str provider;      /* slug in the workspace */
    struct str model;         /* as asked, without @slug/; n = 0 for operations without one */
    struct str index;         /* "config", "config.targets[0]" */
    struct str override_json; /* override_params of the leaf; n = 0 none */
};

/* What authorize copies out of the catalog for one attempt. */
struct req_attempt {
    const struct req_target *target;
    struct id provider, integration, secrets_owner, delivery_key;
    uint32_t secrets_version;
    uint16_t dialect;
    const struct back *back; /* of the dialect and model; NULL: none */
    bool foreign; /* the dialect is not the provider row's: its paths and rules do not hold */
    struct str provider_slug, type_slug, model, upstream_model, priced_model; /* model: as
                                                                            rules know it */
    struct str api_version;
    struct str auth_header, auth_prefix, hosts, secrets_box, header_names, extra_headers,
        configurations_json;
    struct str allowed_private, renames, stream_usage_path;
    bool no_stream_options, developer_to_system, text_embeddings, unlisted;
    uint64_t context_tokens, max_output_tokens; /* of the model; 0 = unknown */
    struct cost cost;                           /* what it is reserved for */
    struct uses uses;                           /* the limits that hold for it */
    bool overridden;           /* override_params are in the body */
    bool priced;               /* cost and the uses' amounts are set */
    bool uses_taken;           /* permits are held until it ends */
    struct price_terms terms;  /* what held when the attempt was authorised */
    struct str base_model;     /* catalog slug that says what the model can do; n = 0 unknown */
    struct str capabilities;     /* of the model, "item\n"*; n = 0 unknown */
    struct dialect_target facts; /* what a back may know of this attempt */
    struct dialect_call *call;   /* translated (translate.h); NULL: spliced */
    size_t call_bytes;           /* what the call holds, counted in worker->body_bytes */
    struct str url, host;        /* url NUL-terminated */
    uint16_t port;
    bool tls;
    struct str body; /* what is sent; from the arena or in body.mem */
    struct name_wait wait;
    const struct name_answer *addresses;
    struct upstream_times times;
    struct token_wait token_wait;
    bool uses_token; /* tokens.h: the credential went out as one */
    struct slot *slot;
    struct exchange *exchange;
    uint64_t revision;
    int64_t sent_ns;
    int http_status;
    enum status failed; /* why this attempt failed without an answer to pass on */
    bool reached; /* something of it may have come to the provider */
    bool head_done, hide_usage, is_sse, is_json, is_encoded;
    bool leaving; /* the stream failed in front of its content: another attempt follows */
    struct upstream_header *reply_headers; /* provider's, filtered */
    size_t reply_header_count;
    int64_t reply_length;
    struct str content_type; /* the provider's */
    struct str reply_type;   /* content type in its place; n = 0: the provider's passes */
};

/* Objects at the provider that the request names (step_own.c). */
struct req_own {
    struct str *names; /* arena */
    size_t count, room, at;
    bool collected, asked, second_look;
    struct object_wait wait;
    struct loop_timer timer;
};

struct req {
    uint32_t magic;
    struct worker *worker;
    struct conn *conn; /* NULL once the client is gone or the reply has ended */
    struct req *next_free;
    const struct http_head *head; /* conn's; valid while conn != NULL */
    struct arena arena;
    enum req_step_name step;
    bool running, finished; /* on the walk now; finish was called meanwhile */
    bool draining;          /* without its client (drain.h) */
    enum req_surface surface;
    enum op op;
    struct str path, object_id; /* behind /v1; raw {id} segment */
    struct str path_model;      /* of a path of Azure's clients; n = 0: none */
    bool anthropic;             /* errors in Anthropic's shape */
    struct id id;
    struct str trace_id;
    int64_t started_ns;
    struct req_auth auth;
    struct req_body body;
    struct attempts attempts;
    struct req_target target;
    struct str asked_model;      /* of path or body, as the caller named it; n = 0: none */
    struct str default_provider; /* slug, of the key; n = 0: none */
    struct trace trace;
    struct str config, config_id; /* slug and id of the config that was used; n = 0 none */
    struct uses uses;      /* rates and permits of the request itself */
    bool uses_known, uses_taken; /* found; permits are held until it ends */
    uint32_t retry_after_s;      /* for a refusal; 0 = as its status says */
    uint32_t clamps;             /* how often the output was lowered (clamp.c) */
    uint64_t clamped_max_tokens; /* to what; 0 = not */
    struct limit_wait limit_wait;
    struct req_attempt attempt;
    struct req_own own;
    struct reply_list *list; /* reply_list.c */
    bool list_partial;
    bool estimated; /* the gateway's own answer is an estimate */
    uint32_t attempts_sent;
    bool answer_begun;
    int64_t told_nanousd;    /* the charge of all attempts that were settled */
    const char *told_source; /* whose word the last one's is; NULL: nothing to tell */
    enum status refused;         /* ST_OK, or why the request was refused */
    char reason[REQ_REASON_MAX]; /* sentence for the caller */
    struct sse sse;
    struct buf held; /* of an answer that has not begun: a JSON body (cost_words.h), or what stands
                        in front of a stream's content while it can be left */
    struct usage_pick usage;
    const struct chat *chat; /* the body as parsed for a translation; NULL: not yet */
    struct media_fetch_list *media; /* media_fetch.c */
    size_t media_bytes;             /* what it fetched, counted in worker->body_bytes */
    struct recall recall;
    struct loop_timer keep_alive; /* keep_alive.h */
    struct loop_job finish_job;
    _Alignas(16) char inline_memory[REQ_INLINE_BYTES];
};

/* Goes on with the walk at req->step. Called by the seams (body complete, name found, exchange
 * ended). */
void req_run(struct req *req);
/* The step that is entered next time (a step that waits for something past itself). */
void req_goto(struct req *req, enum req_step_name step);
/* Ends what the present attempt still does: its waits, its exchange. It is settled apart. */
void req_stop_attempt(struct req *req);
/* 64 even bits, without a system call; not for secrets. */
uint64_t req_random(void);
/* Ends the request: frees it at the end of the turn. Settles a sent attempt first. */
void req_finish(struct req *req);

/* Fixes why the request is refused; returns STEP_REFUSE. The sentence names rule, level, slug and
 * what to do next. */
enum step_result req_refuse(struct req *req, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Writes the refusal in the caller's dialect (or breaks the connection off if the answer has
 * begun). */
void req_answer_refusal(struct req *req);
/* One whole JSON answer of the gateway itself. Ends the request. */
void req_answer_json(struct req *req, int http_status, struct str body);

#define STEP(name, once) enum step_result req_step_##name(struct req *req);
#include "data-plane/req_steps.def"
#undef STEP

/* step_read_body.c: body bytes as they come; how many were taken. */
size_t req_body_take(struct req *req, const char *p, size_t n);

/* step_rows.c: the bytes of an upload that follow; end: it is whole. False: it is refused, and why is set. */
bool req_rows_take(struct req *req, struct str bytes, bool end);
/* The last byte of an upload stays here until the whole of it has passed the checks. */
static inline bool req_body_holds_back(const struct req_body *body)
{
    return !body->complete && (body->watch != NULL || body->rows != NULL);
}

/* step_settle.c: the sent attempt becomes a usage event; a reserved one is given back. Never fails.
 */
void req_settle(struct req *req, enum slot_outcome outcome);

/* step_read_body.c: another JSON text takes the body's place for this attempt (config overrides, a
 * lowered bound); copies it and finds the members anew. */
enum step_result req_body_replace(struct req *req, struct str text);
/* step_read_body.c: the body as it came, for the next attempt. */
enum step_result req_body_restore(struct req *req);

/* step_transform.c: a config's override_params into the body, once per attempt and before anything is decided by the body. */
enum step_result req_apply_overrides(struct req *req);

/* step_own.c: takes the request off every list it waits on. */
void req_own_cancel(struct req *req);

/* step_plan.c: what a leaf of the plan means for this request: slug of the provider (n = 0: none) and
 * model. Borrowed from plan, head and arena. */
void req_target_names(const struct req *req, size_t leaf, struct str *provider, struct str *model);

/* step_plan.c: req->target from the leaf that attempts.h chose. Between catalog_begin and
 * catalog_end. */
enum step_result req_fill_target(struct req *req);

/* step_plan.c: true if the operation cannot be sent without a model. */
bool req_needs_model(const struct req *req);

/* step_plan.c: splits "@slug/model". False if it has no such prefix. */
bool req_split_model(struct str text, struct str *slug, struct str *model);

#endif
