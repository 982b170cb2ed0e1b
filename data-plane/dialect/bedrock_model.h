/* bedrock_model.h: what a model on Bedrock takes, from its id.
 *
 *   us.anthropic.claude-sonnet-4-5-20250929-v1:0      an inference profile of a region
 *   arn:aws:bedrock:eu-west-1::foundation-model/...   an ARN that ends in the id
 *   arn:aws:bedrock:...:application-inference-profile/a1b2   says nothing: the rule's base model
 *       tells, or the integration's configuration "aws_inference_profiles": {"<arn>": "<id>"}
 *
 * Pure but for the arena.
 */
#ifndef SLUICE_DATA_DIALECT_BEDROCK_MODEL_H
#define SLUICE_DATA_DIALECT_BEDROCK_MODEL_H

#include "data-plane/dialect/anthropic_model.h"
#include "data-plane/dialect/dialect.h"

enum bedrock_family {
    BEDROCK_OTHER,
    BEDROCK_CLAUDE,
    BEDROCK_NOVA,
    BEDROCK_NOVA_2,
    BEDROCK_GPT_OSS,
};

enum bedrock_trait {
    BEDROCK_CACHE = 1,
    BEDROCK_CACHE_TOOLS = 2,
    BEDROCK_STATUS = 4,
    BEDROCK_FORMAT = 8,
    BEDROCK_AUTO_ONLY = 16,
    BEDROCK_PENALTIES = 32,
    BEDROCK_SEED = 64,
};

struct bedrock_model {
    struct str id; /* of the foundation model, without region and ARN; borrowed */
    enum bedrock_family family;
    unsigned traits;           /* enum bedrock_trait */
    const char *top_k;         /* member of additionalModelRequestFields; NULL: none */
    struct anthropic_model as; /* a Claude's own, or what of it holds for the others */
};

/* Never fails: an id that says nothing is an OTHER. Borrows from the target. */
void bedrock_model_of(const struct dialect_target *target, struct bedrock_model *model);

#endif
