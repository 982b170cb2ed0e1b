/* What fills an address is a name, and nothing that ends a segment or climbs a folder. */
#include <criterion/criterion.h>

#include "data-plane/dialect/path.h"

#define ROW             "/v1/projects/{vertex_project_id}/models/{model}:predict"
#define CONFIG(project) "{\"vertex_project_id\":\"" project "\"}"

static const struct {
    const char *row, *configuration, *model;
    enum status status;
    const char *path;
} rows[] = {
    {ROW, CONFIG("proj"), "imagen-4", ST_OK, "/v1/projects/proj/models/imagen-4:predict"},
    {ROW, CONFIG("proj"), "claude-x@20250929", ST_OK,
     "/v1/projects/proj/models/claude-x@20250929:predict"},
    {"/jobs/{id}/{model}", "", "m", ST_OK, "/jobs/{id}/m"},
    {ROW, "", "m", ST_INVALID, ""},
    {ROW, CONFIG("../x"), "m", ST_INVALID, ""},
    {ROW, CONFIG("a/b"), "m", ST_INVALID, ""},
    {ROW, CONFIG("a?b"), "m", ST_INVALID, ""},
    {ROW, CONFIG("proj"), "", ST_INVALID, ""},
    {ROW, CONFIG("proj"), "a/b", ST_INVALID, ""},
    {ROW, CONFIG("proj"), "a#b", ST_INVALID, ""},
    {ROW, CONFIG("proj"), "a%2fb", ST_INVALID, ""},
    {ROW, CONFIG("proj"), "a..b", ST_INVALID, ""},
    {ROW, CONFIG("proj"), "-a", ST_INVALID, ""},
};

Test(path, is_filled_by_names_only)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct dialect_target target = {.configurations_json = str_c(rows[i].configuration)};
        struct buf out;
        buf_init(&out, 1024);
        cr_expect_eq(path_fill(&target, str_c(rows[i].row), str_c(rows[i].model), &out),
                     rows[i].status, "%zu", i);
        if (rows[i].status == ST_OK)
            cr_expect_str_eq(out.p, rows[i].path);
        buf_free(&out);
    }
}

Test(path, names_have_an_end)
{
    char text[PATH_NAME_MAX + 1];
    memset(text, 'a', sizeof text);
    cr_expect(path_is_name(str_of(text, PATH_NAME_MAX)));
    cr_expect_not(path_is_name(str_of(text, PATH_NAME_MAX + 1)));
    cr_expect_not(path_is_name(STR("")));
}
