/* policy_model_test.c: spellings, forms, and that no bytes break them. */
#include "common/policy_model.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const struct {
    const char *id, *canonical, *undated;
} spellings[] = {
    {"gpt-4o", "gpt-4o", "gpt-4o"},
    {"GPT-4o", "gpt-4o", "gpt-4o"},
    {" gpt-4o\t\r\n", "gpt-4o", "gpt-4o"},
    {"gpt-4o%20", "gpt-4o", "gpt-4o"},
    {"gpt%2D4o", "gpt-4o", "gpt-4o"},
    {"gpt%252D4o", "gpt-4o", "gpt-4o"},
    {"%2525252567pt-4o", "gpt-4o", "gpt-4o"},
    {"g%70t-4%6f", "gpt-4o", "gpt-4o"},
    {"gpt-4o%", "gpt-4o%", "gpt-4o%"},
    {"gpt-4o%zz", "gpt-4o%zz", "gpt-4o%zz"},
    {"gpt\xE2\x80\x91"
     "4o",
     "gpt-4o", "gpt-4o"},
    {"gpt\xE2\x88\x92"
     "4o",
     "gpt-4o", "gpt-4o"},
    {"gpt-4o\xE2\x80\x8B", "gpt-4o", "gpt-4o"},
    {"\xEF\xBB\xBFgpt-4o", "gpt-4o", "gpt-4o"},
    {"gpt-4o\xC2\xA0", "gpt-4o", "gpt-4o"},
    {"\xEF\xBD\x87\xEF\xBD\x90\xEF\xBD\x94\xEF\xBC\x8D\xEF\xBC\x94\xEF\xBC\xAF", "gpt-4o",
     "gpt-4o"},
    {"gpt\xEF\xBC\x85"
     "2D4o",
     "gpt-4o", "gpt-4o"},
    {"/gpt-4o/", "gpt-4o", "gpt-4o"},
    {"x//..//./gpt-4o/.", "gpt-4o", "gpt-4o"},
    {"../../gpt-4o", "gpt-4o", "gpt-4o"},
    {"gpt-4o?api-version=1", "gpt-4o", "gpt-4o"},
    {"gpt-4o#x", "gpt-4o", "gpt-4o"},
    {"models/gpt-4o", "gpt-4o", "gpt-4o"},
    {"models\\gpt-4o", "gpt-4o", "gpt-4o"},
    {"publishers/openai/models/gpt-4o", "gpt-4o", "gpt-4o"},
    {"accounts/fireworks/models/llama-v3p1-8b", "llama-v3p1-8b", "llama-v3p1-8b"},
    {"deployments/gpt-4o", "gpt-4o", "gpt-4o"},
    {"arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
     "anthropic.claude-3-haiku-20240307-v1:0", "claude-3-haiku"},
    {"gpt-4o:latest", "gpt-4o", "gpt-4o"},
    {"GPT-4o%3Alatest", "gpt-4o", "gpt-4o"},
    {"gpt-4o-2024-08-06", "gpt-4o-2024-08-06", "gpt-4o"},
    {"openai/gpt-4o-2024-08-06:beta", "openai/gpt-4o-2024-08-06:beta", "gpt-4o"},
    {"chatgpt-4o-latest", "chatgpt-4o-latest", "chatgpt-4o"},
    {"gpt-4-0613", "gpt-4-0613", "gpt-4"},
    {"gpt-4-32k", "gpt-4-32k", "gpt-4-32k"},
    {"claude-sonnet-4-5-20250929", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5"},
    {"claude-3-5-sonnet-v2@20241022", "claude-3-5-sonnet-v2@20241022", "claude-3-5-sonnet-v2"},
    {"us.anthropic.claude-3-5-sonnet-20241022-v2:0", "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
     "claude-3-5-sonnet"},
    {"command-r-08-2024", "command-r-08-2024", "command-r"},
    {"gemini-2.5-flash-preview-04-17", "gemini-2.5-flash-preview-04-17",
     "gemini-2.5-flash-preview"},
    {"gemini-1.5-pro-002", "gemini-1.5-pro-002", "gemini-1.5-pro"},
    {"mistral-large-2411", "mistral-large-2411", "mistral-large"},
    {"doubao-pro-250115", "doubao-pro-250115", "doubao-pro"},
    {"kimi-k2-0905", "kimi-k2-0905", "kimi-k2"},
    {"ft:gpt-4o-2024-08-06:org::abc123", "ft:gpt-4o-2024-08-06:org::abc123", "gpt-4o"},
    {"@cf/meta/llama-3.1-8b-instruct", "@cf/meta/llama-3.1-8b-instruct", "llama-3.1-8b-instruct"},
    {"dall-e-3", "dall-e-3", "dall-e-3"},
    {"tts-1-1106", "tts-1-1106", "tts-1"},
    {"o1", "o1", "o1"},
    {"a1b-1399", "a1b-1399", "a1b-1399"},
    {"-2024-08-06", "-2024-08-06", "-2024"},
    {"", "", ""},
    {" ", "", ""},
    {"?", "", ""},
    {"..", "", ""},
    {":latest", "", ""},
    {"@", "@", "@"},
    {":", ":", ":"},
};

Test(policy_model, spellings)
{
    for (size_t i = 0; i < COUNT_OF(spellings); i++) {
        char room[POLICY_MODEL_MAX];
        struct str canonical;
        cr_assert_eq(policy_model_canonical(str_c(spellings[i].id), room, &canonical), ST_OK);
        cr_assert(str_eq(canonical, str_c(spellings[i].canonical)), "%s -> " STR_FMT,
                  spellings[i].id, STR_ARG(canonical));
        struct str undated = policy_model_undated(canonical);
        cr_assert(str_eq(undated, str_c(spellings[i].undated)), "%s -> " STR_FMT, spellings[i].id,
                  STR_ARG(undated));
    }
}

Test(policy_model, compare)
{
    static const struct {
        const char *id, *named;
        enum policy_model_match want;
    } cases[] = {
        {"GPT-4o", "gpt-4o", POLICY_MODEL_SAME},
        {"gpt-4o-2024-08-06", "gpt-4o", POLICY_MODEL_VARIANT},
        {"gpt-4o", "gpt-4o-2024-08-06", POLICY_MODEL_OTHER},
        {"openai/gpt-4o", "gpt-4o", POLICY_MODEL_VARIANT},
        {"gpt-4o", "openai/gpt-4o", POLICY_MODEL_VARIANT},
        {"gpt-4o-2024-08-06", "openai/gpt-4o", POLICY_MODEL_VARIANT},
        {"openai/gpt-4o-2024-08-06", "openai/gpt-4o", POLICY_MODEL_VARIANT},
        {"azure/gpt-4o", "openai/gpt-4o", POLICY_MODEL_OTHER},
        {"gpt-4o-mini", "gpt-4o", POLICY_MODEL_OTHER},
        {"gpt-4", "gpt-4o", POLICY_MODEL_OTHER},
        {"gpt-4o", "gpt-4", POLICY_MODEL_OTHER},
        {"claude-sonnet-4-5", "claude-sonnet-4", POLICY_MODEL_OTHER},
        {"eu.anthropic.claude-x", "anthropic.claude-x", POLICY_MODEL_VARIANT},
        {"eu.anthropic.claude-x", "us.anthropic.claude-x", POLICY_MODEL_OTHER},
        {"ft:gpt-4o-mini-2024-07-18:org::id", "gpt-4o-mini", POLICY_MODEL_VARIANT},
        {"ft:gpt-4o-mini-2024-07-18:org::id", "gpt-4o", POLICY_MODEL_OTHER},
        {"a/b/c/d/e/f/g/h/i/j/gpt-4o", "gpt-4o", POLICY_MODEL_VARIANT},
        {"gpt-4o", "", POLICY_MODEL_OTHER},
        {"", "", POLICY_MODEL_OTHER},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct policy_model model;
        cr_assert_eq(policy_model_init(&model, str_c(cases[i].id)), ST_OK);
        cr_assert_eq(policy_model_compare(&model, str_c(cases[i].named)), cases[i].want, "%s / %s",
                     cases[i].id, cases[i].named);
    }
}

Test(policy_model, longest_id)
{
    char id[POLICY_MODEL_MAX + 1], room[POLICY_MODEL_MAX];
    struct str canonical;
    struct policy_model model;
    memset(id, '/', sizeof(id));
    cr_assert_eq(policy_model_init(&model, str_of(id, POLICY_MODEL_MAX)), ST_OK);
    cr_assert_eq(policy_model_canonical(str_of(id, sizeof(id)), room, &canonical), ST_TOO_LARGE);
    cr_assert_eq(policy_model_init(&model, str_of(id, sizeof(id))), ST_TOO_LARGE);
}

/* Random ids from bytes that matter: canonical is idempotent, never longer, and forms stay inside
 * it. */
Test(policy_model, random_bytes)
{
    static const char *const pieces[] = {"%",
                                         "25",
                                         "2D",
                                         "%2f",
                                         "/",
                                         "..",
                                         ".",
                                         "models/",
                                         ":latest",
                                         ":",
                                         "@",
                                         "-",
                                         "?",
                                         "gpt-4o",
                                         "A",
                                         "2024-08-06",
                                         "-0613",
                                         "ft:",
                                         "us.",
                                         " ",
                                         "\xEF\xBC\x85",
                                         "\xE2\x80\x8B",
                                         "\xC2",
                                         "\xE2\x80",
                                         "openai.",
                                         "\\"};
    unsigned seed = 12345;
    for (int round = 0; round < 40000; round++) {
        char id[POLICY_MODEL_MAX], first[POLICY_MODEL_MAX], second[POLICY_MODEL_MAX];
        size_t n = 0;
        for (int k = 0; k < 12; k++) {
            seed = seed * 1103515245u + 12345u;
            const char *piece = pieces[(seed >> 16) % COUNT_OF(pieces)];
            memcpy(id + n, piece, strlen(piece));
            n += strlen(piece);
        }
        struct str once, twice;
        struct policy_model model;
        cr_assert_eq(policy_model_canonical(str_of(id, n), first, &once), ST_OK);
        cr_assert_leq(once.n, n);
        cr_assert_eq(policy_model_canonical(once, second, &twice), ST_OK);
        cr_assert(str_eq(once, twice), STR_FMT " -> " STR_FMT " -> " STR_FMT, (int)n, id,
                  STR_ARG(once), STR_ARG(twice));
        cr_assert_eq(policy_model_init(&model, str_of(id, n)), ST_OK);
        cr_assert(model.start_count <= POLICY_MODEL_FORMS && model.end_count <= POLICY_MODEL_FORMS);
        for (unsigned s = 0; s < model.start_count; s++)
            for (unsigned e = 0; e < model.end_count; e++)
                cr_assert(model.starts[s] <= model.ends[e] && model.ends[e] <= once.n);
    }
}
