/* openai_model.h: what a model behind OpenAI's chat dialect takes, from its name and the catalog.
 *
 * OpenAI's own models refuse what they do not have, and which of them reasons follows the name; of
 * other makers' models the catalog knows whether they reason. Understands names behind a vendor
 * ("openai/gpt-5.1") and fine-tunes ("ft:gpt-4o:..."). Pure.
 */
#ifndef SLUICE_DATA_DIALECT_OPENAI_MODEL_H
#define SLUICE_DATA_DIALECT_OPENAI_MODEL_H

#include "data-plane/dialect/dialect.h"

struct openai_model {
    bool reasons;     /* reasoning_effort */
    bool sampling;    /* temperature, top_p, penalties, logprobs, stop */
    bool known;       /* false: neither the name nor the catalog says; then it is taken to reason */
    unsigned efforts; /* bits 1 << enum chat_effort */
};

void openai_model_of(const struct dialect_call *call, struct openai_model *model);

/* The nearest effort that the model has: the next lower one, else the lowest above `none`.
 * CHAT_EFFORT_UNSAID: it has none. */
enum chat_effort openai_model_effort(const struct openai_model *model, enum chat_effort wish);

#endif
