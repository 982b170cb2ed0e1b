/* gemini_model.c: see gemini_model.h.
 *
 *   gemini-2.5-flash-lite     2.5 flash-lite      gemini-3-pro-preview   3.0 pro
 *   gemini-flash-latest       newest flash        gemma-3-27b-it         gemma 3.0
 *
 * Source of what is written here: Google's pages on thinking, structured output, function calling
 * and thought signatures, and the release notes of each model (2026). What a model refuses in spite
 * of it, it says itself.
 */
#include "data-plane/dialect/gemini_model.h"

#define NEWEST 350u

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "2.5" or "3" behind the family's name, in tens of a minor version. 0: none. */
static unsigned version_behind(struct str name, struct str family)
{
    ptrdiff_t at = str_find(name, family);
    struct str rest = at < 0 ? STR("") : str_from(name, (size_t)at + family.n);
    if (rest.n == 0 || !is_digit(rest.p[0]) || (rest.n > 1 && is_digit(rest.p[1])))
        return 0;
    unsigned version = (unsigned)(rest.p[0] - '0') * 100;
    if (rest.n > 2 && rest.p[1] == '.' && is_digit(rest.p[2]))
        version += (unsigned)(rest.p[2] - '0') * 10;
    return version;
}

static bool has(struct str name, const char *word)
{
    return str_find(name, str_c(word)) >= 0;
}

static void set_thinking(struct str name, unsigned v, struct gemini_model *model)
{
    bool pro = has(name, "-pro"), lite = has(name, "-lite");
    if (v < 250 || model->pictures || has(name, "-tts"))
        return;
    if (v < 300) {
        model->thinking = GEMINI_THINKING_BUDGET;
        model->budget_least = pro ? 128 : lite ? 512 : 1;
        model->budget_most = pro ? 32768 : 24576;
        model->always = pro;
        return;
    }
    model->thinking = GEMINI_THINKING_LEVEL;
    model->always = true; /* MINIMAL may still think */
    model->minimal = !pro;
    model->medium = !pro || v > 300;
    model->budget_least = pro ? 128 : 1;
    model->budget_most = pro ? 32768 : 24576;
}

void gemini_model_of(struct str name, struct gemini_model *model)
{
    bool gemma = has(name, "gemma-");
    unsigned version = version_behind(name, gemma ? STR("gemma-") : STR("gemini-"));
    unsigned v = version == 0 ? NEWEST : version;
    *model = (struct gemini_model){.version = version};
    model->pictures = !gemma && has(name, "-image");
    model->system = !gemma || v >= 400;
    if (gemma)
        return;
    model->json_schema = v >= 200;
    model->json_calls = model->signed_calls = model->result_parts = v >= 300;
    set_thinking(name, v, model);
}
