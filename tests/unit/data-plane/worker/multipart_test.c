#include "data-plane/worker/multipart.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define PART(head, value) "--B\r\n" head "\r\n\r\n" value "\r\n"
#define FILE_HEAD         "Content-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\nContent-Type: x/y"
#define MODEL_HEAD        "Content-Disposition: form-data; name=\"model\""

static const struct {
    const char *body;
    enum status status;
    const char *value;
} rows[] = {
    {PART(MODEL_HEAD, "whisper-1") PART(FILE_HEAD, "bytes") "--B--\r\n", ST_OK, "whisper-1"},
    {PART(FILE_HEAD, "by--B\r\ntes --B") PART(MODEL_HEAD, "@a/w") "--B--\r\n", ST_OK, "@a/w"},
    {PART(FILE_HEAD, "bytes") "--B--\r\n", ST_NOT_FOUND, NULL},
    {PART(FILE_HEAD, "name=\"model\"\r\n\r\nfake") "--B--\r\n", ST_NOT_FOUND, NULL},
    {PART("content-disposition: form-data; name=model", "m") "--B--", ST_OK, "m"},
    {PART("Content-Disposition: form-data; name=\"models\"", "no") PART(MODEL_HEAD, "") "--B--", ST_OK, ""},
    {"preamble\r\n" PART(MODEL_HEAD, "m") "--B--", ST_OK, "m"},
};

Test(multipart, finds_the_field_and_waits_for_it)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t total = strlen(rows[i].body), searched = 0;
        struct str value;
        enum status status = ST_AGAIN;
        for (size_t n = 0; n <= total && status == ST_AGAIN; n++)
            status = multipart_find(str_of(rows[i].body, n), STR("B"), STR("model"), &searched, &value);
        cr_assert_eq(status, rows[i].status, "row %zu: %s", i, status_row(status)->name);
        if (status == ST_OK)
            cr_expect(str_eq(value, str_c(rows[i].value)), "row %zu: %.*s", i, STR_ARG(value));
    }
}

Test(multipart, a_value_without_end_is_refused)
{
    static char body[4096];
    size_t n = (size_t)snprintf(body, sizeof body, "--B\r\n" MODEL_HEAD "\r\n\r\n"), searched = 0;
    struct str value;
    memset(body + n, 'm', 1000);
    cr_expect_eq(multipart_find(str_of(body, n + 1000), STR("B"), STR("model"), &searched, &value), ST_INVALID);
}

Test(multipart, boundary_of_a_content_type)
{
    struct str b;
    cr_assert_eq(multipart_boundary(STR("multipart/form-data; boundary=abc"), &b), ST_OK);
    cr_expect(str_eq(b, STR("abc")));
    cr_assert_eq(multipart_boundary(STR("Multipart/Form-Data; charset=x; Boundary=\"a b\""), &b), ST_OK);
    cr_expect(str_eq(b, STR("a b")));
    cr_expect_eq(multipart_boundary(STR("multipart/form-data"), &b), ST_INVALID);
    cr_expect_eq(multipart_boundary(STR("multipart/form-data; boundary="), &b), ST_INVALID);
    cr_expect_eq(multipart_boundary(STR("application/json"), &b), ST_INVALID);
}
