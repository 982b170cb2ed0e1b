/* catalog_sync_test.c: the store follows the catalog's files, and prices keep their past. */
#include "control-plane/domain/catalog_sync.h"

#include <sys/stat.h>

#include "common/clock.h"
#include "tests/unit/control-plane/store_fixture.h"

static char folder[64];

static void put_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static void put_model(const char *prices)
{
    char row[256];
    snprintf(row, sizeof row, "{\"id\":\"m\"%s}\n", prices);
    put_file("models/a.jsonl", row);
}

static void make_folder(void)
{
    char path[128];
    snprintf(folder, sizeof folder, "/tmp/catalog_sync.XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/models", folder);
    cr_assert_eq(mkdir(path, 0700), 0);
    put_file("manifest.json", "{\"format\":1,\"files\":{\"providers.jsonl\":{\"rows\":1},"
                              "\"models/a.jsonl\":{\"rows\":1}}}");
    put_file("providers.jsonl",
             "{\"slug\":\"a\",\"name\":\"A\",\"dialect\":\"openai\",\"base_url\":\"https://a\","
             "\"auth\":{\"scheme\":\"header\",\"header\":\"authorization\",\"prefix\":\"Bearer \"},"
             "\"endpoints\":{\"chat\":\"/chat\"}}\n");
}

static void drop_folder(void)
{
    static const char *const names[] = {"models/a.jsonl", "models", "manifest.json",
                                        "providers.jsonl"};
    char path[128];
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
    rmdir(folder);
}

static Sluice__Model *model_of(struct fixture *f)
{
    struct record_key key = {SLUICE__KIND__KIND_MODEL, ID_NONE, builtin_provider_type_id(STR("a")),
                             ID_NONE};
    struct kv_txn *txn;
    Sluice__Model *model;
    OK(kv_begin(f->kv, false, &txn));
    OK(record_find(txn, key.kind, &key.org, &key.parent, STR("m"), &key));
    OK(record_get(txn, &key, &f->arena, &model, NULL));
    kv_abort(txn);
    return model;
}

/* A second later, so that what changes has a date of its own. */
static size_t sync_written(struct fixture *f)
{
    static int64_t wall_ms = 1000000;
    clock_test_set(clock_mono_ns(), wall_ms += 1000);
    struct catalog_sync_result result;
    struct builtin_error error;
    OK(catalog_sync(f->writer, folder, &result, &error));
    return result.written;
}

Test(catalog_sync, a_changed_price_gets_a_date_and_the_old_one_stays)
{
    struct fixture f;
    fixture_open(&f);
    make_folder();
    put_model("");
    sync_written(&f);
    cr_assert_eq(model_of(&f)->n_prices, 0);
    put_model(",\"prices_picousd\":{\"input_token\":5}");
    cr_assert_eq(sync_written(&f), 1);
    Sluice__Model *model = model_of(&f);
    cr_assert_eq(model->n_prices, 1);
    cr_assert_eq(model->prices[0]->effective_from_ms, 0, "a first price holds ever since");
    cr_assert_eq(sync_written(&f), 0, "unchanged files change nothing");
    put_model(",\"name\":\"M\",\"prices_picousd\":{\"input_token\":7}");
    cr_assert_eq(sync_written(&f), 1);
    model = model_of(&f);
    cr_assert_eq(model->n_prices, 2);
    cr_assert_eq(model->prices[0]->rows[0]->picousd, 5);
    cr_assert_eq(model->prices[1]->rows[0]->picousd, 7);
    cr_assert_eq(model->prices[1]->effective_from_ms, 1004000);
    cr_assert_str_eq(model->name, "M");
    put_model(",\"name\":\"M\"");
    cr_assert_eq(sync_written(&f), 1);
    model = model_of(&f);
    cr_assert_eq(model->n_prices, 3, "no price any more, from now on");
    cr_assert_eq(model->prices[2]->n_rows, 0);
    cr_assert_eq(sync_written(&f), 0);
    drop_folder();
    fixture_close(&f);
}
