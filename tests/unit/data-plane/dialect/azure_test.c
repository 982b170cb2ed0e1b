/* Which deployment a name means, and where it goes. */
#include "data-plane/dialect/azure.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define D(alias, name, version, model, more)                                                       \
    "{\"alias\":\"" alias "\",\"azure_deployment_name\":\"" name                                   \
    "\",\"azure_api_version\":\"" version "\",\"azure_model_slug\":\"" model "\"" more "}"
#define LIST(items) "{\"azure_deployment_config\":[" items "]}"
#define THREE                                                                                      \
    LIST(D("fast", "dep-mini", "2024-10-21", "gpt-4o-mini", "") "," D(                             \
        "best", "dep-4o", "2025-01-01-preview", "gpt-4o",                                          \
        ",\"is_default\":true") "," D("old", "dep-35", "2023-05-15", "gpt-35-turbo", ""))
#define PAIR LIST(D("a", "x", "v1", "m", "") "," D("b", "y", "v1", "m", ",\"is_default\":true"))
#define OPEN LIST(D("a", "x", "v1", "m", "") "," D("b", "y", "v1", "n", ""))

static const struct {
    const char *name, *configuration, *asked;
    enum op op;
    enum status status;
    const char *upstream, *model, *version, *reason;
} rows[] = {
    {"by alias", THREE, "fast", OP_CHAT, ST_OK, "dep-mini", "gpt-4o-mini", "2024-10-21", ""},
    {"by the slug of a model", THREE, "gpt-4o", OP_CHAT, ST_OK, "dep-4o", "gpt-4o",
     "2025-01-01-preview", ""},
    {"by its own name", THREE, "dep-35", OP_EMBEDDINGS, ST_OK, "dep-35", "gpt-35-turbo",
     "2023-05-15", ""},
    {"no name is the default", THREE, "", OP_CHAT, ST_OK, "dep-4o", "gpt-4o", "2025-01-01-preview",
     ""},
    {"another name is none", THREE, "gpt-5", OP_CHAT, ST_MODEL_NOT_FOUND, "", "", "",
     "model: provider @az has no deployment \"gpt-5\". It has: fast, best, old."},
    {"of two with one slug the default", PAIR, "m", OP_CHAT, ST_OK, "y", "m", "v1", ""},
    {"no default of several", OPEN, "", OP_CHAT, ST_NO_MODEL, "", "", "",
     "model: provider @az has no default deployment. Name one of: a, b."},
    {"a lone one is the default, whatever it says",
     LIST(D("", "x", "v1", "m", ",\"is_default\":false")), "", OP_CHAT, ST_OK, "x", "m", "v1", ""},
    {"without a slug its name is the model",
     LIST("{\"azure_deployment_name\":\"x\",\"azure_api_version\":\"v1\"}"), "x", OP_CHAT, ST_OK,
     "x", "x", "v1", ""},
    {"files have no deployment, but its version", THREE, "", OP_FILES_UPLOAD, ST_OK, "", "",
     "2025-01-01-preview", ""},
    {"a row of a file names a deployment", THREE, "dep-35", OP_FILES_UPLOAD, ST_OK, "dep-35",
     "gpt-35-turbo", "2023-05-15", ""},
    {"a row that names none", THREE, "gpt-5", OP_FILES_UPLOAD, ST_MODEL_NOT_FOUND, "", "", "",
     "model: provider @az has no deployment \"gpt-5\". It has: fast, best, old."},
    {"a fine-tune names a model of the catalog", THREE, "gpt-4o-mini-2024-07-18",
     OP_FINE_TUNING_CREATE, ST_OK, "", "", "2025-01-01-preview", ""},
    {"no list: a deployment for each model", "{\"azure_api_version\":\"2025-03-01-preview\"}",
     "gpt-4o", OP_CHAT, ST_OK, "", "", "2025-03-01-preview", ""},
    {"nothing configured", "", "gpt-4o", OP_CHAT, ST_OK, "", "", AZURE_API_VERSION, ""},
    {"a list of other things", "{\"azure_deployment_config\":[1,{},{\"alias\":\"a\"}]}", "a",
     OP_CHAT, ST_OK, "", "", AZURE_API_VERSION, ""},
};

Test(azure, names_find_deployments)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena arena;
        struct dialect_target target = {.provider = STR("az"),
                                        .configurations_json = str_c(rows[i].configuration)};
        struct dialect_deployment found = {.no_stream_options = false};
        char reason[512] = "";
        arena_init(&arena, 1 << 20);
        cr_expect_eq(azure_resolve(&arena, &target, rows[i].op, str_c(rows[i].asked), &found,
                                   reason, sizeof reason),
                     rows[i].status, "%s", rows[i].name);
        cr_expect_str_eq(reason, rows[i].reason, "%s", rows[i].name);
        if (rows[i].status == ST_OK) {
            cr_expect(str_eq(found.upstream, str_c(rows[i].upstream)), "%s", rows[i].name);
            cr_expect(str_eq(found.model, str_c(rows[i].model)), "%s", rows[i].name);
            cr_expect(str_eq(found.api_version, str_c(rows[i].version)), "%s", rows[i].name);
        }
        arena_free(&arena);
    }
}

Test(azure, old_versions_have_no_stream_options)
{
    static const struct {
        const char *version;
        bool without;
    } versions[] = {{"2023-05-15", true},  {"2024-06-01", true}, {"2024-08-01-preview", false},
                    {"2024-10-21", false}, {"v1", false},        {"preview", false}};
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct arena arena;
        char text[64], reason[64];
        snprintf(text, sizeof text, "{\"azure_api_version\":\"%s\"}", versions[i].version);
        struct dialect_target target = {.configurations_json = str_c(text)};
        struct dialect_deployment found;
        arena_init(&arena, 1 << 20);
        cr_assert_eq(
            azure_resolve(&arena, &target, OP_CHAT, STR("x"), &found, reason, sizeof reason),
            ST_OK);
        cr_expect_eq(found.no_stream_options, versions[i].without, "%s", versions[i].version);
        arena_free(&arena);
    }
}

#define CHAT_ROW                                                                                   \
    "/deployments/{azure_deployment_id}/chat/completions?api-version={azure_api_version}"
#define FILES_ROW "/files/{id}/content?api-version={azure_api_version}"

static const struct {
    const char *row, *model, *version;
    enum status status;
    const char *path;
} paths[] = {
    {CHAT_ROW, "dep-4o", "2024-10-21", ST_OK,
     "/deployments/dep-4o/chat/completions?api-version=2024-10-21"},
    {CHAT_ROW, "dep", "", ST_OK,
     "/deployments/dep/chat/completions?api-version=" AZURE_API_VERSION},
    {CHAT_ROW, "dep", "v1", ST_OK, "/v1/chat/completions"},
    {CHAT_ROW, "a/b", "v1", ST_OK, "/v1/chat/completions"},
    {FILES_ROW, "", "2024-10-21", ST_OK, "/files/{id}/content?api-version=2024-10-21"},
    {FILES_ROW, "", "v1", ST_OK, "/v1/files/{id}/content"},
    {CHAT_ROW, "a/b", "2024-10-21", ST_INVALID, ""},
    {CHAT_ROW, "a#b", "2024-10-21", ST_INVALID, ""},
    {CHAT_ROW, "..", "2024-10-21", ST_INVALID, ""},
    {CHAT_ROW, "", "2024-10-21", ST_INVALID, ""},
    {CHAT_ROW, "dep", "x&y", ST_INVALID, ""},
};

Test(azure, addresses)
{
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct dialect_target target = {.model = str_c(paths[i].model),
                                        .api_version = str_c(paths[i].version)};
        struct buf out;
        buf_init(&out, 1024);
        cr_expect_eq(azure_path(&target, str_c(paths[i].row), true, &out), paths[i].status, "%zu",
                     i);
        if (paths[i].status == ST_OK)
            cr_expect_str_eq(out.p, paths[i].path);
        buf_free(&out);
    }
}
