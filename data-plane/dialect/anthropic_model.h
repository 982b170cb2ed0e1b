/* anthropic_model.h: what a Claude model takes, from its name.
 *
 * The catalog does not know these (thinking's form, sampling, output formats), and they follow the
 * version. Understands the names of Anthropic, Bedrock ("us.anthropic.claude-opus-4-6-v1:0") and
 * Vertex ("claude-opus-4-5@20251101"). Pure.
 */
#ifndef SLUICE_DATA_DIALECT_ANTHROPIC_MODEL_H
#define SLUICE_DATA_DIALECT_ANTHROPIC_MODEL_H

#include "common/str.h"

enum anthropic_thinking {
    ANTHROPIC_THINKING_NONE,
    ANTHROPIC_THINKING_BUDGET,   /* {"type":"enabled","budget_tokens":n} */
    ANTHROPIC_THINKING_ADAPTIVE, /* {"type":"adaptive"} and output_config.effort */
};

struct anthropic_model {
    unsigned version; /* major * 100 + minor; 0: the name has none */
    enum anthropic_thinking thinking;
    bool effort_xhigh, effort_max; /* words of output_config.effort beyond "high" */
    bool output_format;            /* output_config.format takes a JSON schema */
    bool strict_tools;             /* tools[].strict */
    bool sampling;                 /* temperature, top_p, top_k */
    bool either_sampling;          /* temperature or top_p, not both */
    bool forced_tool;              /* tool_choice any and tool */
    bool system_inside;            /* messages of role system between others */
};

/* A name without a version is taken for a model like Claude Sonnet 4, which takes what most do. */
void anthropic_model_of(struct str name, struct anthropic_model *model);

#endif
