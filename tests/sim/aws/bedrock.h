/* bedrock.h: Amazon Bedrock: its operations, all after the contract of call.h, and its models.
 *
 * A model is named in the path: by id, by a region's inference profile (us., eu., apac., ...), or
 * by the ARN of a foundation model, an inference profile or an application inference profile. Each
 * of these leads to one row of bedrock.def or to a Claude.
 */
#ifndef SLUICE_TESTS_SIM_AWS_BEDROCK_H
#define SLUICE_TESTS_SIM_AWS_BEDROCK_H

#include "tests/sim/anthropic/claude.h"
#include "tests/sim/call.h"
#include "tests/sim/shape.h"

enum bedrock_kind {
    BEDROCK_CLAUDE,
    BEDROCK_CHAT,
    BEDROCK_TITAN_TEXT,
    BEDROCK_LLAMA,
    BEDROCK_MISTRAL,
    BEDROCK_COMMAND,
    BEDROCK_TITAN_EMBED_1,
    BEDROCK_TITAN_EMBED_2,
    BEDROCK_TITAN_EMBED_IMAGE,
    BEDROCK_COHERE_EMBED,
    BEDROCK_COHERE_RERANK,
    BEDROCK_STABLE_IMAGE,
    BEDROCK_STABLE_XL,
    BEDROCK_CANVAS,
};

enum bedrock_trait {
    BEDROCK_TOOLS = 1,
    BEDROCK_MEDIA = 2,
    BEDROCK_SYSTEM = 4,
    BEDROCK_CACHE = 8,
    BEDROCK_FORMAT = 16,
    BEDROCK_THINKS = 32,
};

struct bedrock_model {
    const char *id, *provider, *name;
    enum bedrock_kind kind;
    unsigned traits;             /* enum bedrock_trait, or-ed */
    const struct claude *claude; /* of a Claude */
};

/* Row i of all models, the Claudes behind the others; `id` is set to the spelling of Bedrock in
 * `arena`. False behind the last. */
bool bedrock_at(size_t i, struct arena *arena, struct bedrock_model *model, struct str *id);
/* The model of a name in a path. ST_MODEL_NOT_FOUND. */
MUST_USE enum status bedrock_find(const struct options *options, struct str name,
                                  struct bedrock_model *model);
/* The same for the call's path; sets call->model. False: an error is the outcome. */
MUST_USE bool bedrock_open(struct call *call, struct bedrock_model *model);
/* Makes the outcome the error that says what is wrong with a body. */
void bedrock_refuse_shape(struct call *call, const struct shape_fault *fault);
/* Checks the body against a table; false: an error is the outcome. */
MUST_USE bool bedrock_check(struct call *call, const struct shape *shape);

void bedrock_converse(struct call *call);
void bedrock_converse_stream(struct call *call);
void bedrock_count_tokens(struct call *call);
void bedrock_invoke(struct call *call);
void bedrock_invoke_stream(struct call *call);
void bedrock_models_list(struct call *call);
void bedrock_models_get(struct call *call);
void bedrock_profiles_list(struct call *call);
void bedrock_profiles_get(struct call *call);
void bedrock_jobs_create(struct call *call);
void bedrock_jobs_list(struct call *call);
void bedrock_jobs_get(struct call *call);
void bedrock_jobs_stop(struct call *call);
void bedrock_tunings_create(struct call *call);
void bedrock_tunings_list(struct call *call);
void bedrock_tunings_get(struct call *call);
void bedrock_tunings_stop(struct call *call);

#endif
