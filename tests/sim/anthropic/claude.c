/* claude.c: see claude.h. Names match exactly: a gateway that sends another spelling is found out.
 */
#include "tests/sim/anthropic/claude.h"

#define SAMPLING CLAUDE_SAMPLING
#define PREFILL  CLAUDE_PREFILL
#define MANUAL   CLAUDE_MANUAL
#define ADAPTIVE CLAUDE_ADAPTIVE
#define THINKS   CLAUDE_THINKS
#define OMITS    CLAUDE_OMITS
#define FORMAT   CLAUDE_FORMAT
#define SYSTEM   CLAUDE_SYSTEM
#define EITHER   CLAUDE_EITHER
#define EFFORT   CLAUDE_EFFORT
#define CLAUDE(name, alias, display, released, context, max_output, cache_min, traits)             \
    {name, alias, display, released, context, max_output, cache_min, traits},

static const struct claude claudes[] = {
#include "tests/sim/anthropic/claude.def"
};

static const struct claude claude_custom = {
    .name = "",
    .display = "A model of --model",
    .released = "2026-01-01",
    .context_tokens = 200000,
    .max_output_tokens = 64000,
    .cache_min_tokens = 1024,
    .traits = SAMPLING | PREFILL | MANUAL | ADAPTIVE | FORMAT | SYSTEM | EFFORT,
};

const struct claude *claude_at(size_t i)
{
    return i < COUNT_OF(claudes) ? &claudes[i] : NULL;
}

const struct claude *claude_any(void)
{
    return &claude_custom;
}

const struct claude *claude_find(const struct options *options, struct str name)
{
    for (size_t i = 0; i < COUNT_OF(claudes); i++) {
        const struct claude *claude = &claudes[i];
        if (str_eq(name, str_c(claude->name)) ||
            (claude->alias != NULL && str_eq(name, str_c(claude->alias))))
            return claude;
    }
    for (size_t i = 0; i < options->models.count; i++) {
        if (str_eq(name, str_c(options->models.item[i])))
            return &claude_custom;
    }
    return NULL;
}
