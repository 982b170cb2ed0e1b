/* back_azure_openai.c: Azure OpenAI as a back: OpenAI's bodies, another address and credential.
 *
 * Every operation of the row passes untranslated but for the model, which is the deployment's name;
 * Azure's own fields (content filters) pass with it. Callers of the Messages API are translated by
 * OpenAI's back. The key goes out as api-key, or a token in its place (azure_sign.c).
 */
#include "data-plane/dialect/azure.h"
#include "data-plane/dialect/back_openai.h"

#include "common/catalog_codec.h"

static const struct param_rule rules[CHAT_PARAM_COUNT] = {
#define RULE(name, full, other, as, note) [CHAT_PARAM_##name] = {PARAM_##full, as, note},
#include "data-plane/dialect/back_openai.def"
#undef RULE
};

/* All that the row offers, but for what only other dialects have. */
#define NATIVE ~(OP_BIT(OP_MESSAGES) | OP_BIT(OP_COUNT_TOKENS) | OP_BIT(OP_RERANK))

extern const struct back back_azure_openai;
const struct back back_azure_openai = {
    .name = "azure-openai",
    .dialect = CAT_DIALECT_AZURE_OPENAI,
    .via = OP_CHAT,
    .default_path = "/deployments/{azure_deployment_id}/chat/completions"
                    "?api-version={azure_api_version}",
    .native = NATIVE,
    .state_bytes = sizeof(struct back_openai),
    .params = rules,
    .resolve = azure_resolve,
    .path = azure_path,
    .sign = azure_sign,
    .write = back_openai_write,
    .event = back_openai_event,
    .whole = back_openai_whole,
    .error = back_openai_error,
};
