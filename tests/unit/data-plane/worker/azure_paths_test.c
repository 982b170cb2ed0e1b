#include "data-plane/worker/azure_paths.h"

#include <criterion/criterion.h>

static const struct {
    const char *path, *ours, *model;
} rows[] = {
    {"/openai/deployments/fast/chat/completions", "/v1/chat/completions", "fast"},
    {"/openai/deployments/@prod/fast/chat/completions", "/v1/chat/completions", "@prod/fast"},
    {"/openai/deployments/%40prod%2Fft%3Aa/embeddings", "/v1/embeddings", "@prod/ft:a"},
    {"/v1/deployments/gpt-4o/audio/transcriptions", "/v1/audio/transcriptions", "gpt-4o"},
    {"/deployments/x/images/generations", "/v1/images/generations", "x"},
    {"/openai/deployments/chat/completions/chat/completions", "/v1/chat/completions",
     "chat/completions"},
    {"/openai/v1/responses", "/v1/responses", ""},
    {"/openai/files/file-1/content", "/v1/files/file-1/content", ""},
    {"/openai/responses", "/v1/responses", ""},
    {"/v1/chat/completions", "/v1/chat/completions", ""},
    {"/openai/deployments/x/nothing", "/openai/deployments/x/nothing", ""},
    {"/openai/deployments//chat/completions", "/v1/chat/completions", ""},
    {"/openai", "/openai", ""},
    {"/openai/", "/openai/", ""},
    {"/openaix/files", "/openaix/files", ""},
    {"", "", ""},
};

Test(azure_paths, become_ours)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena arena;
        struct str ours, model;
        arena_init(&arena, 1 << 16);
        cr_assert_eq(azure_paths_rewrite(&arena, str_c(rows[i].path), &ours, &model), ST_OK);
        cr_expect(str_eq(ours, str_c(rows[i].ours)), "%s: " STR_FMT, rows[i].path, STR_ARG(ours));
        cr_expect(str_eq(model, str_c(rows[i].model)), "%s: " STR_FMT, rows[i].path,
                  STR_ARG(model));
        arena_free(&arena);
    }
}
