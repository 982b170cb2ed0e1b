/* call.h: one API operation on a JSON body, apart from how it came: as a request, or as a row of a
 * batch.
 *
 * Owner: the dispatcher (or the batch runner), which makes it, runs one handler and reads the
 * outcome. A handler writes the reply's JSON to `out` and leaves `status` 200, or calls call_error;
 * or it sets `source` for a streamed reply.
 */
#ifndef SLUICE_TESTS_SIM_CALL_H
#define SLUICE_TESTS_SIM_CALL_H

#include "common/json_write.h"
#include "tests/sim/models.h"
#include "tests/sim/request.h"
#include "tests/sim/source.h"

struct call {
    struct sim *sim;
    struct request *req;         /* NULL in a batch row */
    const struct family *family; /* of a batch row; NULL: the request's, or OpenAI's */
    const struct fault *fault;
    struct arena *arena;     /* for the handler's own time */
    struct arena *keep;      /* until the reply is out */
    const struct json *root; /* the body; an object. NULL: none, or a form (req->form) */
    struct str id;           /* what stood for * in the path */
    struct buf *out;
    int status;
    const char *error_prefix; /* of what call_error says; NULL: none */
    const char *content_type; /* NULL: the family's */
    struct source *source;
    int64_t length;   /* of the source's bytes; -1: not known, chunked */
    struct str model; /* in keep */
    struct model model_row;
    struct usage usage;
    bool stream;
};

/* Makes an error body in the words of the call's API the outcome. `code` and `param` may be NULL.
 */
void call_error(struct call *call, int status, const char *code, const char *param,
                const char *format, ...) PRINTF_LIKE(5, 6);
/* 404 for an object that is not there. */
void call_no_object(struct call *call, const char *what);
/* Reads "model", which must be known; sets model and model_row. False: an error is the outcome. */
bool call_model(struct call *call);
/* The same for a name from elsewhere (a form field). */
bool call_model_named(struct call *call, struct str name);

/* A field of the form, or p = NULL (also when there is no form). */
struct str call_field(const struct call *call, const char *name);
/* A query parameter, or p = NULL. */
struct str call_query(const struct call *call, const char *name);

/* A string member, unescaped; p = NULL when absent or no string. */
struct str call_text(const struct call *call, const struct json *node, const char *name);
/* A whole-number member within [min, max], or `otherwise` when absent. False: an error is the
 * outcome. */
bool call_number(struct call *call, const char *name, int64_t min, int64_t max, int64_t otherwise,
                 int64_t *value);
/* A whole-number member of a body that was checked, or `otherwise` when it is absent. */
int64_t call_integer(const struct json *node, const char *name, int64_t otherwise);
/* A boolean member; false when absent. */
bool call_flag(const struct json *node, const char *name);

/* Writes the members prompt_tokens ... of a usage object, in the chat API's or the responses API's
 * words. */
void call_write_usage(struct json_writer *w, const struct usage *usage);
void call_write_usage_responses(struct json_writer *w, const struct usage *usage);

/* The error body that OpenAI's API puts into a stream. */
void call_write_stream_error(struct buf *out);

#endif
