#include "data-plane/dialect/anthropic_model.h"

#include <criterion/criterion.h>

#include "common/check.h"

static const struct {
    const char *name;
    unsigned version;
    enum anthropic_thinking thinking;
    bool format, sampling, forced, inside;
} rows[] = {
    {"claude-2.1", 201, ANTHROPIC_THINKING_NONE, false, true, true, false},
    {"claude-instant-1.2", 102, ANTHROPIC_THINKING_NONE, false, true, true, false},
    {"claude-3-opus-20240229", 300, ANTHROPIC_THINKING_NONE, false, true, true, false},
    {"claude-3-5-sonnet-20241022", 305, ANTHROPIC_THINKING_NONE, false, true, true, false},
    {"claude-3-7-sonnet-latest", 307, ANTHROPIC_THINKING_BUDGET, false, true, true, false},
    {"claude-opus-4-20250514", 400, ANTHROPIC_THINKING_BUDGET, false, true, true, false},
    {"claude-sonnet-4-0", 400, ANTHROPIC_THINKING_BUDGET, false, true, true, false},
    {"claude-opus-4-1-20250805", 401, ANTHROPIC_THINKING_BUDGET, true, true, true, false},
    {"claude-sonnet-4-5@20250929", 405, ANTHROPIC_THINKING_BUDGET, true, true, true, false},
    {"us.anthropic.claude-opus-4-6-v1:0", 406, ANTHROPIC_THINKING_ADAPTIVE, true, true, true,
     false},
    {"claude-opus-4-7", 407, ANTHROPIC_THINKING_ADAPTIVE, true, false, true, false},
    {"claude-opus-4-8", 408, ANTHROPIC_THINKING_ADAPTIVE, true, false, true, true},
    {"claude-fable-5", 500, ANTHROPIC_THINKING_ADAPTIVE, true, false, true, true},
    {"claude-opus-5-5", 505, ANTHROPIC_THINKING_ADAPTIVE, true, false, false, true},
    {"claude-haiku-5-5", 505, ANTHROPIC_THINKING_ADAPTIVE, true, false, true, true},
    {"my-fine-tune", 0, ANTHROPIC_THINKING_BUDGET, false, true, true, false},
    {"gpt-4-1", 0, ANTHROPIC_THINKING_BUDGET, false, true, true, false},
    {"", 0, ANTHROPIC_THINKING_BUDGET, false, true, true, false},
};

Test(anthropic_model, follows_the_version_in_every_spelling)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct anthropic_model model;
        anthropic_model_of(str_c(rows[i].name), &model);
        cr_expect_eq(model.version, rows[i].version, "%s: %u", rows[i].name, model.version);
        cr_expect_eq(model.thinking, rows[i].thinking, "%s", rows[i].name);
        cr_expect_eq(model.output_format, rows[i].format, "%s", rows[i].name);
        cr_expect_eq(model.sampling, rows[i].sampling, "%s", rows[i].name);
        cr_expect_eq(model.forced_tool, rows[i].forced, "%s", rows[i].name);
        cr_expect_eq(model.system_inside, rows[i].inside, "%s", rows[i].name);
    }
}

Test(anthropic_model, knows_the_words_of_effort)
{
    struct anthropic_model model;
    anthropic_model_of(STR("claude-opus-4-6"), &model);
    cr_expect(model.effort_max && !model.effort_xhigh);
    anthropic_model_of(STR("claude-opus-4-7"), &model);
    cr_expect(model.effort_max && model.effort_xhigh);
}
