/* builtin_test.c: the committed catalog through the loader and on to flat records, and hostile
 * folders as a table. */
#include "control-plane/domain/builtin.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/catalog_codec.h"
#include "common/price.h"
#include "common/wire.h"

#define DATA "control-plane/catalog-data"

struct seen {
    size_t types, models, priced;
    enum status answer;  /* of the callbacks */
    char data_json[256]; /* of the last row */
    bool checked_gpt4o, checked_groq, checked_openai;
};

/* Every row must survive packing and become a flat record that workers can read. */
static struct str flat_of(struct arena *arena, Sluice__Kind kind, const struct id *parent,
                          const struct id *id, const void *message)
{
    struct str body, record;
    cr_assert_eq(wire_pack(message, arena, &body), ST_OK);
    enum status status = catalog_encode(arena, kind, 1, &ID_NONE, parent, id, body, &record);
    cr_assert_eq(status, ST_OK, "%s", status_row(status)->name);
    return record;
}

static enum status real_type(void *arg, const struct id *id, const Sluice__ProviderType *row)
{
    struct seen *seen = arg;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct str record = flat_of(&arena, SLUICE__KIND__KIND_PROVIDER_TYPE, &ID_NONE, id, row);
    const struct cat_provider_type *type =
        CAT_AS(record, SLUICE__KIND__KIND_PROVIDER_TYPE, cat_provider_type);
    cr_assert_not_null(type);
    cr_assert(str_eq(cat_str(&type->head, type->slug), str_c(row->slug)));
    struct id want = builtin_provider_type_id(str_c(row->slug));
    cr_assert(id_eq(&want, id));
    cr_assert_eq(row->id.len, 16u);
    if (strcmp(row->slug, "openai") == 0) {
        seen->checked_openai = true;
        cr_assert_str_eq(row->base_url, "https://api.openai.com/v1");
        cr_assert_str_eq(row->auth_header, "authorization");
        cr_assert_str_eq(row->auth_prefix, "Bearer ");
        cr_assert_eq(type->dialect, CAT_DIALECT_OPENAI);
        for (int op = 0; op < OP_COUNT; op++) {
            bool offered = cat_str(&type->head, type->paths[op]).n > 0;
            bool other = op == OP_RERANK || op == OP_MESSAGES || op == OP_COUNT_TOKENS ||
                         op == OP_PASSTHROUGH;
            cr_assert_eq(offered, !other, "%s", op_row((enum op)op)->text);
            if (offered)
                cr_assert(str_eq(cat_str(&type->head, type->paths[op]),
                                 str_c(op_row((enum op)op)->path)));
        }
    }
    if (strcmp(row->slug, "groq") == 0) {
        seen->checked_groq = true;
        cr_assert_str_eq(row->stream_usage_path, "x_groq.usage");
        cr_assert(row->developer_to_system);
        cr_assert_not_null(strstr(row->data_json, "\"hosts\":[\"api.groq.com\"]"));
    }
    seen->types++;
    arena_free(&arena);
    return ST_OK;
}

static enum status real_model(void *arg, const struct id *provider_type, const struct id *id,
                              const Sluice__Model *row)
{
    struct seen *seen = arg;
    struct arena arena;
    struct price_row prices;
    arena_init(&arena, 1 << 20);
    struct str record = flat_of(&arena, SLUICE__KIND__KIND_MODEL, provider_type, id, row);
    const struct cat_model *model = CAT_AS(record, SLUICE__KIND__KIND_MODEL, cat_model);
    cr_assert_not_null(model);
    struct str blob;
    cr_assert_eq(price_book_at(cat_str(&model->head, model->prices), 0, &blob), ST_OK);
    cr_assert_eq(blob.n > 0, row->n_prices > 0, "absent prices stay absent");
    cr_assert_eq(price_pick(blob, &(struct price_query){.tier = STR("batch")}, &prices), ST_OK);
    struct id openai = builtin_provider_type_id(STR("openai"));
    if (id_eq(&openai, provider_type) && strcmp(row->slug, "gpt-4o") == 0) {
        seen->checked_gpt4o = true;
        cr_assert_eq(model->context_window_tokens, 128000u);
        cr_assert_eq(model->max_output_tokens, 16384u);
        cr_assert_eq(model->max_input_tokens, 0u, "unknown");
        cr_assert_eq(prices.picousd[PRICE_INPUT_TOKEN], 1250000);
        cr_assert_eq(price_pick(blob, &(struct price_query){0}, &prices), ST_OK);
        cr_assert_eq(prices.picousd[PRICE_INPUT_TOKEN], 2500000);
        cr_assert_eq(prices.picousd[PRICE_CACHE_READ_TOKEN], 1250000);
        cr_assert_not(prices.has & PRICE_BIT(PRICE_AUDIO_OUTPUT_TOKEN));
        cr_assert_str_eq(row->not_capabilities[0], "reasoning");
        struct id want = builtin_model_id(STR("openai"), STR("gpt-4o"));
        cr_assert(id_eq(&want, id));
    }
    seen->models++;
    seen->priced += row->n_prices > 0;
    arena_free(&arena);
    return ST_OK;
}

Test(builtin, the_committed_catalog)
{
    struct seen seen = {0};
    struct builtin_counts counts;
    struct builtin_error error = {0};
    struct builtin_sink sink = {&seen, real_type, real_model};
    enum status status = builtin_load(DATA, &sink, &counts, &error);
    cr_assert_eq(status, ST_OK, "%s:%zu: %s", error.file, error.line, error.what);
    cr_assert_eq(counts.provider_types, 73u);
    cr_assert_eq(seen.types, counts.provider_types);
    cr_assert_eq(seen.models, counts.models);
    cr_assert_eq(seen.priced, counts.priced_models);
    cr_assert_gt(counts.models, 4500u);
    cr_assert_gt(counts.priced_models, 3000u);
    cr_assert(seen.checked_gpt4o && seen.checked_groq && seen.checked_openai);
}

/* --- folders made by hand ------------------------------------------------------------------------
 */

static enum status keep_type(void *arg, const struct id *id, const Sluice__ProviderType *row)
{
    struct seen *seen = arg;
    (void)id;
    seen->types++;
    snprintf(seen->data_json, sizeof seen->data_json, "%s", row->data_json);
    return seen->answer;
}

static enum status keep_model(void *arg, const struct id *provider_type, const struct id *id,
                              const Sluice__Model *row)
{
    struct seen *seen = arg;
    (void)provider_type;
    (void)id;
    seen->models++;
    seen->priced += row->n_prices > 0;
    snprintf(seen->data_json, sizeof seen->data_json, "%s", row->data_json);
    return ST_OK;
}

static char folder[64];

static void put_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (text == NULL) {
        unlink(path);
        return;
    }
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static void make_folder(void)
{
    char command[128];
    snprintf(folder, sizeof folder, "/tmp/builtin_test.XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(command, sizeof command, "%s/models", folder);
    cr_assert_eq(mkdir(command, 0700), 0);
}

static void drop_folder(void)
{
    char path[128];
    put_file("manifest.json", NULL);
    put_file("providers.jsonl", NULL);
    put_file("models/a.jsonl", NULL);
    snprintf(path, sizeof path, "%s/models", folder);
    rmdir(path);
    rmdir(folder);
}

#define AUTH "\"auth\":{\"scheme\":\"header\",\"header\":\"authorization\",\"prefix\":\"Bearer \"}"
#define WIRE                                                                                       \
    "\"name\":\"A\",\"dialect\":\"openai\",\"base_url\":\"https://a\"," AUTH                       \
    ",\"endpoints\":{\"chat\":\"/chat\"}"
#define ROW_A "{\"slug\":\"a\"," WIRE "}\n"
#define ONE                                                                                        \
    "{\"format\":1,\"files\":{\"providers.jsonl\":{\"rows\":1},\"models/a.jsonl\":{\"rows\":1}}}"
#define BARE            "{\"format\":1,\"files\":{\"providers.jsonl\":{\"rows\":1}}}"
#define MODEL_ROW(rest) "{\"id\":\"m\"" rest "}\n"

static enum status load(const char *manifest, const char *providers, const char *models,
                        struct seen *seen, struct builtin_error *error)
{
    struct builtin_sink sink = {seen, keep_type, keep_model};
    put_file("manifest.json", manifest);
    put_file("providers.jsonl", providers);
    put_file("models/a.jsonl", models);
    return builtin_load(folder, &sink, NULL, error);
}

Test(builtin, unknown_members_are_kept, .init = make_folder, .fini = drop_folder)
{
    struct seen seen = {0};
    struct builtin_error error = {0};
    cr_assert_eq(
        load(BARE, "{\"slug\":\"a\"," WIRE ",\"new\":{\"x\":[1,2.50]}}\n", NULL, &seen, &error),
        ST_OK);
    cr_assert_str_eq(seen.data_json, "{" AUTH ",\"new\":{\"x\":[1,2.50]}}");
    cr_assert_eq(load(ONE, ROW_A, MODEL_ROW(",\"src\":{\"price\":\"P\"}"), &seen, &error), ST_OK);
    cr_assert_str_eq(seen.data_json, "{\"src\":{\"price\":\"P\"}}");
    cr_assert_eq(seen.priced, 0u);
}

Test(builtin, refuses_and_names_the_place, .init = make_folder, .fini = drop_folder)
{
    static const struct {
        const char *manifest, *providers, *models, *file, *what;
        size_t line;
        enum status status;
    } cases[] = {
        {NULL, ROW_A, NULL, "manifest.json", "opened", 0, ST_NOT_FOUND},
        {"", ROW_A, NULL, "manifest.json", "JSON", 0, ST_BAD_FORMAT},
        {"{\"format\":2,\"files\":{}}", ROW_A, NULL, "manifest.json", "format", 0, ST_BAD_FORMAT},
        {"{\"format\":1}", ROW_A, NULL, "providers.jsonl", "manifest", 0, ST_BAD_FORMAT},
        {BARE, NULL, NULL, "providers.jsonl", "opened", 0, ST_NOT_FOUND},
        {BARE, "", NULL, "providers.jsonl", "0 rows", 0, ST_BAD_FORMAT},
        {BARE, ROW_A "{\"slug\":\"b\"," WIRE "}\n", NULL, "providers.jsonl", "2 rows", 0,
         ST_BAD_FORMAT},
        {BARE, "{\"slug\":\"a\"," WIRE "}", NULL, "providers.jsonl", "cut", 1, ST_BAD_FORMAT},
        {BARE, ROW_A "\n", NULL, "providers.jsonl", "byte", 2, ST_BAD_FORMAT},
        {BARE, "[]\n", NULL, "providers.jsonl", "object", 1, ST_BAD_FORMAT},
        {BARE, "{\"slug\":\"a\",}\n", NULL, "providers.jsonl", "byte", 1, ST_BAD_FORMAT},
        {BARE, "{\"slug\":\"a\",\"slug\":\"a\"," WIRE "}\n", NULL, "providers.jsonl", "byte", 1,
         ST_BAD_FORMAT},
        {BARE, "{" WIRE "}\n", NULL, "providers.jsonl", "\"slug\"", 1, ST_BAD_FORMAT},
        {BARE, "{\"slug\":\"\"," WIRE "}\n", NULL, "providers.jsonl", "1 to 255", 1, ST_BAD_FORMAT},
        {BARE, "{\"slug\":\"../a\"," WIRE "}\n", NULL, "providers.jsonl", "a-z", 1, ST_BAD_FORMAT},
        {BARE, "{\"slug\":\"a\\u0000b\"," WIRE "}\n", NULL, "providers.jsonl", "\"slug\"", 1,
         ST_BAD_FORMAT},
        {BARE, ROW_A ROW_A, NULL, "providers.jsonl", "order", 2, ST_BAD_FORMAT},
        {BARE, "{\"slug\":\"b\"," WIRE "}\n" ROW_A, NULL, "providers.jsonl", "order", 2,
         ST_BAD_FORMAT},
        {BARE, "{\"slug\":7," WIRE "}\n", NULL, "providers.jsonl", "\"slug\"", 1, ST_BAD_FORMAT},
        {BARE, "{\"slug\":\"a\",\"env\":[1]," WIRE "}\n", NULL, "providers.jsonl", "\"env\"", 1,
         ST_BAD_FORMAT},
        {BARE, "{\"slug\":\"a\",\"env\":\"X\"," WIRE "}\n", NULL, "providers.jsonl", "\"env\"", 1,
         ST_BAD_FORMAT},
        {BARE, "{\"slug\":\"a\",\"renames\":{\"a\":1}," WIRE "}\n", NULL, "providers.jsonl",
         "renames", 1, ST_BAD_FORMAT},
        {BARE, "{\"slug\":\"a\",\"no_stream_options\":1," WIRE "}\n", NULL, "providers.jsonl",
         "no_stream", 1, ST_BAD_FORMAT},
        {BARE,
         "{\"slug\":\"a\",\"name\":\"A\",\"dialect\":\"x\",\"base_url\":\"\"," AUTH
         ",\"endpoints\":{\"chat\":\"x\"}}\n",
         NULL, "providers.jsonl", "endpoints", 1, ST_BAD_FORMAT},
        {BARE,
         "{\"slug\":\"a\",\"name\":\"A\",\"dialect\":\"x\",\"base_url\":\"\",\"auth\":{},"
         "\"endpoints\":{}}\n",
         NULL, "providers.jsonl", "\"auth\"", 1, ST_BAD_FORMAT},
        {ONE, ROW_A, NULL, "models/a.jsonl", "opened", 0, ST_NOT_FOUND},
        {ONE, ROW_A, MODEL_ROW("") "{\"id\":\"n\"}\n", "models/a.jsonl", "2 rows", 0,
         ST_BAD_FORMAT},
        {ONE, ROW_A, MODEL_ROW("") MODEL_ROW(""), "models/a.jsonl", "order", 2, ST_BAD_FORMAT},
        {ONE, ROW_A, "{}\n", "models/a.jsonl", "\"id\"", 1, ST_BAD_FORMAT},
        {ONE, ROW_A, MODEL_ROW(",\"limits\":{\"max_output_tokens\":0}"), "models/a.jsonl", "limits",
         1, ST_BAD_FORMAT},
        {ONE, ROW_A, MODEL_ROW(",\"limits\":{\"max_output_tokens\":-1}"), "models/a.jsonl",
         "limits", 1, ST_BAD_FORMAT},
        {ONE, ROW_A, MODEL_ROW(",\"limits\":7"), "models/a.jsonl", "limits", 1, ST_BAD_FORMAT},
        {ONE, ROW_A, MODEL_ROW(",\"prices_picousd\":{}"), "models/a.jsonl", "prices", 1,
         ST_BAD_FORMAT},
        {ONE, ROW_A, MODEL_ROW(",\"prices_picousd\":{\"gold\":1}"), "models/a.jsonl", "prices", 1,
         ST_BAD_FORMAT},
        {ONE, ROW_A, MODEL_ROW(",\"prices_picousd\":{\"input_token\":1.5}"), "models/a.jsonl",
         "prices", 1, ST_BAD_FORMAT},
        {ONE, ROW_A, MODEL_ROW(",\"prices_picousd\":{\"input_token\":-1}"), "models/a.jsonl",
         "prices", 1, ST_BAD_FORMAT},
        {ONE, ROW_A, MODEL_ROW(",\"prices_picousd\":{\"input_token\":9223372036854775807}"),
         "models/a.jsonl", "prices", 1, ST_BAD_FORMAT},
        {ONE, ROW_A, MODEL_ROW(",\"prices_picousd\":{\"input_token\":\"1\"}"), "models/a.jsonl",
         "prices", 1, ST_BAD_FORMAT},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct seen seen = {0};
        struct builtin_error error = {.line = 99};
        enum status status =
            load(cases[i].manifest, cases[i].providers, cases[i].models, &seen, &error);
        cr_assert_eq(status, cases[i].status, "case %zu: %s (%s)", i, status_row(status)->name,
                     error.what);
        cr_assert_not_null(strstr(error.file, cases[i].file), "case %zu: %s", i, error.file);
        cr_assert_eq(error.line, cases[i].line, "case %zu: line %zu, %s", i, error.line,
                     error.what);
        cr_assert_not_null(strstr(error.what, cases[i].what), "case %zu: %s", i, error.what);
    }
}

Test(builtin, a_long_line_is_refused, .init = make_folder, .fini = drop_folder)
{
    struct seen seen = {0};
    struct builtin_error error = {0};
    size_t n = BUILTIN_LINE_MAX + 8;
    char *text = malloc(n);
    memset(text, ' ', n);
    text[n - 2] = '\n';
    text[n - 1] = '\0';
    cr_assert_eq(load(BARE, text, NULL, &seen, &error), ST_BAD_FORMAT);
    cr_assert_not_null(strstr(error.what, "longer"));
    free(text);
}

Test(builtin, a_callback_ends_the_load, .init = make_folder, .fini = drop_folder)
{
    struct seen seen = {.answer = ST_STORE_FULL};
    cr_assert_eq(load(ONE, ROW_A, MODEL_ROW(""), &seen, NULL), ST_STORE_FULL);
    cr_assert_eq(seen.types, 1u);
    cr_assert_eq(seen.models, 0u);
}
