/* vertex_model.h: which of Vertex AI's APIs a model's name means. Pure.
 *
 *   gemini-2.5-flash, google.gemini-2.5-flash     publishers/google      generateContent
 *   anthropic.claude-x@date, claude-x@date        publishers/anthropic   rawPredict, Messages
 *   mistralai.mistral-small-2503                  publishers/mistralai   rawPredict, OpenAI's chat
 *   meta.llama-x-maas, meta/llama-x-maas          endpoints/openapi      OpenAI's chat
 *   gemma-x-maas                                  endpoints/openapi      OpenAI's chat
 *   endpoints.1234                                endpoints/1234         OpenAI's chat
 */
#ifndef SLUICE_DATA_DIALECT_VERTEX_MODEL_H
#define SLUICE_DATA_DIALECT_VERTEX_MODEL_H

#include "common/str.h"

enum vertex_kind {
    VERTEX_GEMINI,
    VERTEX_CLAUDE,
    VERTEX_RAW,
    VERTEX_OPEN,
    VERTEX_ENDPOINT, /* name: the endpoint's id */
};

struct vertex_model {
    enum vertex_kind kind;
    struct str publisher; /* n = 0: VERTEX_ENDPOINT */
    struct str name;      /* without publisher; borrowed */
};

void vertex_model_of(struct str model, struct vertex_model *out);

#endif
