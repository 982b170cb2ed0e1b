/* gemini_model.h: what a model of Google takes, from its name.
 *
 * The catalog does not know these (thinking's form, whether functions and JSON go together), and
 * they follow the version. Understands the names of the Gemini API ("models/gemini-2.5-flash",
 * "gemini-flash-latest", "gemma-3-27b-it") and of Vertex AI. Pure.
 */
#ifndef SLUICE_DATA_DIALECT_GEMINI_MODEL_H
#define SLUICE_DATA_DIALECT_GEMINI_MODEL_H

#include "common/str.h"

enum gemini_thinking {
    GEMINI_THINKING_NONE,
    GEMINI_THINKING_BUDGET, /* thinkingConfig.thinkingBudget */
    GEMINI_THINKING_LEVEL,  /* thinkingConfig.thinkingLevel */
};

struct gemini_model {
    unsigned version; /* major * 100 + minor * 10; 0: the name has none */
    enum gemini_thinking thinking;
    bool always;                        /* cannot be told not to think */
    uint32_t budget_least, budget_most; /* BUDGET: tokens */
    bool minimal, medium;               /* LEVEL: words beside LOW and HIGH */
    bool system;                        /* systemInstruction */
    bool json_schema;                   /* responseJsonSchema */
    bool json_calls;                    /* functions and a JSON answer in one request */
    bool signed_calls;                  /* calls must come back with their thoughtSignature */
    bool result_parts;                  /* functionResponse.parts takes pictures and files */
    bool pictures;                      /* answers with pictures: thinks, if so, unasked */
};

/* A name without a version is taken for the newest of its family. */
void gemini_model_of(struct str name, struct gemini_model *model);

#endif
