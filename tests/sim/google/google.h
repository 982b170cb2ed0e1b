/* google.h: what the Gemini API and Vertex AI share: models, errors, checks of bodies, tokens.
 *
 * Bodies are proto3 JSON: every member may be written in camel or in snake case, and google_get
 * finds both. Errors are {"error":{"code","message","status","details"}}.
 */
#ifndef SLUICE_TESTS_SIM_GOOGLE_GOOGLE_H
#define SLUICE_TESTS_SIM_GOOGLE_GOOGLE_H

#include "tests/sim/family.h"
#include "tests/sim/shape.h"

enum google_kind { GOOGLE_CHAT, GOOGLE_EMBED, GOOGLE_EMBED_MEDIA, GOOGLE_IMAGEN };

enum google_trait {
    GOOGLE_THINKS = 1,
    GOOGLE_MAY_THINK = 2,
    GOOGLE_BUDGET = 4,
    GOOGLE_LEVEL = 8,
    GOOGLE_ALWAYS = 16,
    GOOGLE_SIGNED = 32,
    GOOGLE_PICTURES = 64,
    GOOGLE_JSON_CALLS = 128,
};

struct google_model {
    const char *name, *display;
    uint32_t input_tokens,
        output_tokens; /* limits; an embedding model's output is its dimensions */
    enum google_kind kind;
    unsigned traits; /* enum google_trait, or-ed */
};

static inline bool google_can(const struct google_model *model, enum google_trait trait)
{
    return (model->traits & trait) != 0;
}

/* Row i; NULL behind the last. */
const struct google_model *google_at(size_t i);
/* A model by its exact name, or a --model; NULL: there is none. */
const struct google_model *google_find(const struct options *options, struct str name);
/* The model of the call's path, of this kind; sets call->model. NULL: an error is the outcome. */
const struct google_model *google_open(struct call *call, enum google_kind kind,
                                       const char *method);

/* A member by its camel-case name, or written in snake case. */
const struct json *google_get(const struct json *node, const char *name);
/* Its string; p = NULL: absent or no string. */
struct str google_text(const struct call *call, const struct json *node, const char *name);
/* Its whole number, or `otherwise`. */
int64_t google_integer(const struct json *node, const char *name, int64_t otherwise);
/* Checks the body; false: an error is the outcome. */
MUST_USE bool google_check(struct call *call, const struct shape *shape);
/* Makes a 400 INVALID_ARGUMENT the outcome; false, always. */
bool google_refuse(struct call *call, const char *format, ...) PRINTF_LIKE(2, 3);
/* The status word of an HTTP status. */
const char *google_status(int status);
/* The family's error writer. */
void google_error(struct buf *out, const struct failure *failure);
void google_head(struct request *req, struct buf *out);

/* An access token for `subject` that lives for `seconds`, or as long as --token-seconds says; p =
 * NULL: no memory. */
struct str google_issue_token(struct sim *sim, struct arena *arena, struct str subject,
                              int64_t seconds);
/* Judges the bearer token of a request: one of ours that lives, or a key that is accepted. False:
 * the refusal is the reply. */
MUST_USE bool google_admit_token(struct request *req);

/* Operations of the Gemini API; those of a model are Vertex's, too (gemini.h says how they differ).
 */
void gemini_generate(struct call *call);
void gemini_stream(struct call *call);
void gemini_count_tokens(struct call *call);
void gemini_embed(struct call *call);
void gemini_embed_batch(struct call *call);
void gemini_models_list(struct call *call);
void gemini_models_get(struct call *call);
void vertex_predict(struct call *call);
void vertex_embed(struct call *call);
void vertex_claude(struct call *call);
void vertex_claude_stream(struct call *call);
void vertex_claude_count(struct call *call);
void vertex_mistral(struct call *call);
void vertex_mistral_stream(struct call *call);
void vertex_endpoint_chat(struct call *call);
void vertex_batches_create(struct call *call);
void vertex_batches_list(struct call *call);
void vertex_batches_get(struct call *call);
void vertex_batches_cancel(struct call *call);
void vertex_tunings_create(struct call *call);
void vertex_tunings_list(struct call *call);
void vertex_tunings_get(struct call *call);
void vertex_tunings_cancel(struct call *call);
void gcs_upload(struct call *call);
void gcs_get(struct call *call);
void gcs_list(struct call *call);
void gcs_delete(struct call *call);
void gcs_put_path(struct call *call);
void gcs_get_path(struct call *call);
void google_token(struct call *call);

#endif
