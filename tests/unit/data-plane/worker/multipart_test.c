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
    {PART(FILE_HEAD, "by-\r\n-B\r\ntes B") PART(MODEL_HEAD, "@a/w") "--B--\r\n", ST_OK, "@a/w"},
    {"\r\n" PART(MODEL_HEAD, "m") "--B--", ST_OK, "m"},
    {PART(FILE_HEAD "\r\nContent-Transfer-Encoding: base64", "x") PART(MODEL_HEAD, "m") "--B--", ST_OK, "m"},
    {PART(MODEL_HEAD "\r\nContent-Transfer-Encoding: 8bit", "m") "--B--", ST_OK, "m"},
    {PART("Content-Disposition: form-data; filename=\"; name=model\"; name=\"file\"", "no")
         PART(MODEL_HEAD, "m") "--B--",
     ST_OK, "m"},
    {PART(FILE_HEAD, "bytes") "--B--\r\n", ST_NOT_FOUND, NULL},
    {PART(FILE_HEAD, "name=\"model\"\r\n\r\nfake") "--B--\r\n", ST_NOT_FOUND, NULL},
    {PART("content-disposition: form-data; name=model", "m") "--B--", ST_OK, "m"},
    {PART("Content-Disposition: form-data; name=\"models\"", "no") PART(MODEL_HEAD, "") "--B--", ST_OK, ""},
    /* What two parsers could read differently. */
    {"preamble\r\n" PART(MODEL_HEAD, "m") "--B--", ST_INVALID, NULL},
    {PART(FILE_HEAD, "by--B\r\ntes") PART(MODEL_HEAD, "m") "--B--", ST_INVALID, NULL},
    {PART(FILE_HEAD, "bytes\r\n--Bx") PART(MODEL_HEAD, "m") "--B--", ST_INVALID, NULL},
    {PART(FILE_HEAD, "bytes\n--B") PART(MODEL_HEAD, "m") "--B--", ST_INVALID, NULL},
    {"--B \r\n" MODEL_HEAD "\r\n\r\nm\r\n--B--", ST_INVALID, NULL},
    {"--B\r\n\r\nno head\r\n" PART(MODEL_HEAD, "m") "--B--", ST_INVALID, NULL},
    {"--B\r\n" FILE_HEAD "\r\n\r\n" PART(MODEL_HEAD, "m") "--B--", ST_INVALID, NULL},
    {PART(MODEL_HEAD "\r\nContent-Transfer-Encoding: base64", "bQ==") "--B--", ST_INVALID, NULL},
    {PART(FILE_HEAD "\r\nContent-Disposition: form-data; name=\"model\"", "m") "--B--", ST_INVALID, NULL},
    {PART("Content-Disposition: form-data; name=\"file\"; name=\"model\"", "m") "--B--", ST_INVALID, NULL},
    {PART("Content-Disposition: form-data; name=\"file\"; name*=utf-8''model", "m") "--B--", ST_INVALID, NULL},
    {PART("Content-Disposition: form-data; name=\"mo\\del\"", "m") "--B--", ST_INVALID, NULL},
    {PART("Content-Disposition: form-data; name=\"file\" name=\"model\"", "m") "--B--", ST_INVALID, NULL},
    {PART("Content-Disposition : form-data; name=\"model\"", "m") "--B--", ST_INVALID, NULL},
    {PART("Content-Disposition: form-data;\r\n name=\"model\"", "m") "--B--", ST_INVALID, NULL},
    {PART("X: a\nContent-Disposition: form-data; name=\"model\"", "m") "--B--", ST_INVALID, NULL},
    {PART("Content-Disposition: attachment; name=\"model\"", "m") "--B--", ST_INVALID, NULL},
};

Test(multipart, finds_a_second_part_of_the_same_name)
{
    struct str body = STR(PART(MODEL_HEAD, "m") PART(FILE_HEAD, "bytes") PART(MODEL_HEAD, "o1") "--B--"), value;
    size_t searched = 0;
    cr_assert_eq(multipart_find(body, STR("B"), STR("model"), &searched, &value), ST_OK);
    cr_assert_eq(multipart_find(body, STR("B"), STR("model"), &searched, &value), ST_OK);
    cr_expect(str_eq(value, STR("o1")));
    cr_expect_eq(multipart_find(body, STR("B"), STR("model"), &searched, &value), ST_NOT_FOUND);
}

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
    cr_expect_eq(multipart_boundary(STR("multipart/form-data; boundary=a; boundary=b"), &b), ST_INVALID);
    cr_expect_eq(multipart_boundary(STR("multipart/form-data; boundary*=a"), &b), ST_INVALID);
    cr_expect_eq(multipart_boundary(STR("multipart/form-data; x=\"; boundary=a\""), &b), ST_INVALID);
    cr_expect_eq(multipart_boundary(STR("multipart/form-datax; boundary=a"), &b), ST_INVALID);
    cr_expect_eq(multipart_boundary(STR("multipart/form-data; boundary=\"a \""), &b), ST_INVALID);
}
