/* What a model takes, from its name. */
#include <criterion/criterion.h>

#include "data-plane/dialect/gemini_model.h"

static const struct {
    const char *name;
    unsigned version;
    enum gemini_thinking thinking;
    bool always, medium, system, json_calls, pictures;
} rows[] = {
    {"gemini-1.5-pro-002", 150, GEMINI_THINKING_NONE, false, false, true, false, false},
    {"gemini-2.0-flash", 200, GEMINI_THINKING_NONE, false, false, true, false, false},
    {"models/gemini-2.5-pro", 250, GEMINI_THINKING_BUDGET, true, false, true, false, false},
    {"google/gemini-2.5-flash-lite", 250, GEMINI_THINKING_BUDGET, false, false, true, false, false},
    {"gemini-2.5-flash-image", 250, GEMINI_THINKING_NONE, false, false, true, false, true},
    {"gemini-2.5-flash-preview-tts", 250, GEMINI_THINKING_NONE, false, false, true, false, false},
    {"gemini-3-pro-preview", 300, GEMINI_THINKING_LEVEL, true, false, true, true, false},
    {"gemini-3.1-pro-preview", 310, GEMINI_THINKING_LEVEL, true, true, true, true, false},
    {"gemini-3-flash-preview", 300, GEMINI_THINKING_LEVEL, true, true, true, true, false},
    {"gemini-3.5-flash", 350, GEMINI_THINKING_LEVEL, true, true, true, true, false},
    {"gemini-3-pro-image", 300, GEMINI_THINKING_NONE, false, false, true, true, true},
    {"gemini-flash-latest", 0, GEMINI_THINKING_LEVEL, true, true, true, true, false},
    {"gemini-exp-1206", 0, GEMINI_THINKING_LEVEL, true, true, true, true, false},
    {"gemma-3-27b-it", 300, GEMINI_THINKING_NONE, false, false, false, false, false},
    {"gemma-4-31b-it", 400, GEMINI_THINKING_NONE, false, false, true, false, false},
    {"something-else", 0, GEMINI_THINKING_LEVEL, true, true, true, true, false},
};

Test(gemini_model, follows_the_name)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct gemini_model m;
        gemini_model_of(str_c(rows[i].name), &m);
        cr_expect_eq(m.version, rows[i].version, "%s: %u", rows[i].name, m.version);
        cr_expect_eq(m.thinking, rows[i].thinking, "%s", rows[i].name);
        cr_expect_eq(m.always, rows[i].always, "%s", rows[i].name);
        cr_expect_eq(m.medium, rows[i].medium, "%s", rows[i].name);
        cr_expect_eq(m.system, rows[i].system, "%s", rows[i].name);
        cr_expect_eq(m.json_calls, rows[i].json_calls, "%s", rows[i].name);
        cr_expect_eq(m.pictures, rows[i].pictures, "%s", rows[i].name);
        cr_expect(m.thinking == GEMINI_THINKING_NONE || m.budget_most > m.budget_least, "%s",
                  rows[i].name);
    }
}
