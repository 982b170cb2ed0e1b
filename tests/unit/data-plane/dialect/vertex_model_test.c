/* Which of Vertex AI's APIs a model's name means. */
#include <criterion/criterion.h>

#include "data-plane/dialect/vertex_model.h"

static const struct {
    const char *model;
    enum vertex_kind kind;
    const char *publisher, *name;
} rows[] = {
    {"gemini-2.5-flash", VERTEX_GEMINI, "google", "gemini-2.5-flash"},
    {"google.gemini-2.5-flash", VERTEX_GEMINI, "google", "gemini-2.5-flash"},
    {"text-embedding-005", VERTEX_GEMINI, "google", "text-embedding-005"},
    {"anthropic.claude-x@20250929", VERTEX_CLAUDE, "anthropic", "claude-x@20250929"},
    {"claude-x@20250929", VERTEX_CLAUDE, "anthropic", "claude-x@20250929"},
    {"mistralai.mistral-small-2503", VERTEX_RAW, "mistralai", "mistral-small-2503"},
    {"meta.llama-x-maas", VERTEX_OPEN, "meta", "llama-x-maas"},
    {"meta/llama-x-maas", VERTEX_OPEN, "meta", "llama-x-maas"},
    {"endpoints.1234", VERTEX_ENDPOINT, "", "1234"},
};

Test(vertex_model, follows_the_name)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct vertex_model model;
        vertex_model_of(str_c(rows[i].model), &model);
        cr_expect_eq(model.kind, rows[i].kind, "%s", rows[i].model);
        cr_expect(str_eq(model.publisher, str_c(rows[i].publisher)), "%s", rows[i].model);
        cr_expect(str_eq(model.name, str_c(rows[i].name)), "%s", rows[i].model);
    }
}
