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

/* Feeds what follows the model in pieces; the verdict at the end. */
static enum status watched(struct str body, size_t piece)
{
    static struct multipart_watch watch;
    size_t searched = 0;
    struct str value;
    cr_assert_eq(multipart_find(body, STR("B"), STR("model"), &searched, &value), ST_OK);
    struct str rest = str_from(body, searched);
    enum status status = multipart_watch_begin(&watch, str_head(rest, piece), STR("B"), STR("model"));
    for (rest = str_from(rest, piece); rest.n > 0 && status == ST_OK; rest = str_from(rest, piece))
        status = multipart_watch_feed(&watch, str_head(rest, piece), STR("B"), STR("model"));
    return status == ST_OK ? multipart_watch_end(&watch) : status;
}

Test(multipart, a_body_that_flows_through_is_watched)
{
    static char text[200000], file[150000];
    for (size_t i = 0; i < sizeof file; i++)
        file[i] = "x\r\n-"[i * 7 % 4];
    for (int second = 0; second < 2; second++) {
        int n = snprintf(text, sizeof text, PART(MODEL_HEAD, "m") "--B\r\n" FILE_HEAD "\r\n\r\n%.*s\r\n%s--B--\r\n",
                         (int)sizeof file, file, second ? PART(MODEL_HEAD, "o1") : "");
        struct str body = str_of(text, (size_t)n);
        for (size_t piece = 1; piece < sizeof text; piece = piece * 3 + 1)
            cr_expect_eq(watched(body, piece), second ? ST_INVALID : ST_OK, "second %d, piece %zu", second, piece);
        cr_expect_eq(watched(str_head(body, body.n - 6), 1000), ST_INVALID);
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
