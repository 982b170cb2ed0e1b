/* claude.h: what each Claude model can and refuses, wherever it is served (claude.def).
 *
 * The same model is `claude-sonnet-4-5-20250929` at Anthropic,
 * `anthropic.claude-sonnet-4-5-20250929-v1:0` behind an optional region at Bedrock, and
 * `claude-sonnet-4-5@20250929` at Vertex. Static data; pure.
 */
#ifndef SLUICE_TESTS_SIM_ANTHROPIC_CLAUDE_H
#define SLUICE_TESTS_SIM_ANTHROPIC_CLAUDE_H

#include "tests/sim/options.h"

enum claude_trait {
    CLAUDE_SAMPLING = 1,
    CLAUDE_PREFILL = 2,
    CLAUDE_MANUAL = 4,
    CLAUDE_ADAPTIVE = 8,
    CLAUDE_THINKS = 16,
    CLAUDE_OMITS = 32,
    CLAUDE_FORMAT = 64,
    CLAUDE_SYSTEM = 128,
    CLAUDE_EITHER = 256,
    CLAUDE_EFFORT = 512,
};

struct claude {
    const char *name, *alias, *display, *released; /* a date; alias may be NULL */
    uint32_t context_tokens, max_output_tokens, cache_min_tokens;
    unsigned traits; /* enum claude_trait, or-ed */
};

/* Row i; NULL behind the last. */
const struct claude *claude_at(size_t i);
/* A model by its name or alias at Anthropic; NULL: there is none. A name given with --model is a
 * Claude that takes everything. */
const struct claude *claude_find(const struct options *options, struct str name);

/* The traits of a model of --model: it takes everything. */
const struct claude *claude_any(void);

static inline bool claude_can(const struct claude *claude, enum claude_trait trait)
{
    return (claude->traits & trait) != 0;
}

#endif
