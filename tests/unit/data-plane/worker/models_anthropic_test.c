/* Pages of the gallery in Anthropic's shape. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "data-plane/worker/models_anthropic.h"

static void row_at(void *arg, size_t n, struct models_anthropic_row *row)
{
    static char ids[4][8];
    char *id = ids[n % 4];
    (void)arg;
    snprintf(id, sizeof ids[0], "m%zu", n);
    *row = (struct models_anthropic_row){.id = str_c(id)};
}

static const struct {
    const char *limit, *after, *before, *ids; /* ids, then "+" if there are more */
} pages[] = {
    {"2", "", "", "m0 m1 +"},    {"2", "m1", "", "m2 m3 +"},      {"2", "m3", "", "m4 "},
    {"2", "m4", "", ""},         {"2", "", "m4", "m2 m3 +"},      {"2", "", "m1", "m0 "},
    {"2", "", "m0", ""},         {"", "", "", "m0 m1 m2 m3 m4 "}, {"x", "", "", "m0 m1 m2 m3 m4 "},
    {"0", "m2", "", "m3 m4 "},   {"9", "nobody", "", ""},         {"9", "", "nobody", ""},
    {"9", "m0", "m3", "m1 m2 "}, {"9", "m3", "m1", ""},
};

Test(models_anthropic, pages_follow_each_other)
{
    struct models_anthropic_rows rows = {5, row_at, NULL};
    for (size_t i = 0; i < COUNT_OF(pages); i++) {
        struct models_anthropic_page page = {str_c(pages[i].limit), str_c(pages[i].after),
                                             str_c(pages[i].before)};
        struct buf out;
        struct json_writer w;
        struct arena arena;
        struct json *root;
        char got[64] = "";
        buf_init(&out, 1u << 16);
        arena_init(&arena, 1u << 20);
        jw_init(&w, &out);
        models_anthropic_list(&w, &rows, &page);
        cr_assert_eq(json_parse(&arena, buf_str(&out), NULL, &root, NULL), ST_OK);
        const struct json *first = NULL, *last = NULL;
        for (const struct json *m = json_get(root, "data")->first; m != NULL; m = m->next) {
            last = json_get(m, "id");
            first = first == NULL ? last : first;
            snprintf(got + strlen(got), sizeof got - strlen(got), "%.*s ", (int)last->raw.n - 2,
                     last->raw.p + 1);
        }
        if (json_is(json_get(root, "has_more"), JSON_TRUE))
            snprintf(got + strlen(got), sizeof got - strlen(got), "+");
        cr_expect_str_eq(got, pages[i].ids, "%s %s %s: %s", pages[i].limit, pages[i].after,
                         pages[i].before, got);
        const struct json *first_id = json_get(root, "first_id");
        cr_expect(first == NULL ? first_id->type == JSON_NULL : str_eq(first->raw, first_id->raw));
        cr_expect(last == NULL || str_eq(last->raw, json_get(root, "last_id")->raw));
        buf_free(&out);
        arena_free(&arena);
    }
}

Test(models_anthropic, a_model_has_the_fields_that_the_sdk_reads)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, 1u << 16);
    jw_init(&w, &out);
    models_anthropic_row(&w, &(struct models_anthropic_row){STR("@a/b"), STR("B"), 100, 0});
    cr_expect(
        str_eq(buf_str(&out),
               STR("{\"type\":\"model\",\"id\":\"@a/b\",\"display_name\":\"B\",\"created_at\":"
                   "\"1970-01-01T00:00:00Z\",\"max_input_tokens\":100,\"max_tokens\":null,"
                   "\"capabilities\":null,\"lifecycle\":\"active\"}")),
        STR_FMT, STR_ARG(buf_str(&out)));
    buf_free(&out);
}
