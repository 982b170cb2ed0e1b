#include "data-plane/worker/batch_rows.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define NAMED(name, value)                                                                         \
    "--B\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
#define BATCH NAMED("purpose", "batch")
#define ROW(model)                                                                                 \
    "{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/x\",\"body\":{\"model\":\"" model      \
    "\",\"n\":1}}"
#define END       "--B--\r\n"
#define MAX_BYTES 200

static const struct {
    const char *body;
    enum status status;
    const char *says;
} rows[] = {
    {BATCH NAMED("file", ROW("good") "\n" ROW("good") "\n") END, ST_OK, ""},
    {NAMED("file", ROW("good")) BATCH END, ST_OK, ""},
    {NAMED("file", "\r\n\n  " ROW("good") " \r\n\r\n") BATCH END, ST_OK, ""},
    {BATCH NAMED("file", "") END, ST_OK, ""},
    {BATCH NAMED("file", "{\"custom_id\":\"a\",\"body\":{\"input\":\"x\"}}") END, ST_OK, ""},
    {BATCH NAMED("file", ROW("good") "\n" ROW("bad")) END, ST_MODEL_NOT_ALLOWED,
     "row 2: bad is bad"},
    {BATCH NAMED("file", ROW("good") "\n\n" ROW("bad") "\n") END, ST_MODEL_NOT_ALLOWED,
     "row 3: bad is bad"},
    {NAMED("file", ROW("bad") "\n") BATCH END, ST_MODEL_NOT_ALLOWED, "row 1"},
    {NAMED("purpose", "user_data") NAMED("file", ROW("bad")) END, ST_MODEL_NOT_ALLOWED, "row 1"},
    {BATCH NAMED("file", ROW("b\\u0061d")) END, ST_MODEL_NOT_ALLOWED, "row 1"},
    {BATCH NAMED("file", "{\"bod\\u0079\":{\"mod\\u0065l\":\"bad\"}}") END, ST_MODEL_NOT_ALLOWED,
     "row 1"},
    /* What the provider's parser could read and ours does not. */
    {BATCH NAMED("file", "{\"body\":{\"model\":\"good\",\"model\":\"bad\"}}") END, ST_INVALID,
     "row 1 cannot be read (duplicate"},
    {BATCH NAMED("file", "{\"body\":{\"model\":\"good\"},\"body\":{\"model\":\"bad\"}}") END,
     ST_INVALID, "row 1 cannot be read"},
    {BATCH NAMED("file", ROW("good") "\n[" ROW("bad") "]") END, ST_INVALID, "row 2 cannot be read"},
    {BATCH NAMED("file", ROW("good") "\r" ROW("bad")) END, ST_INVALID, "row 1 cannot be read"},
    {BATCH NAMED("file", ROW("good") ROW("bad")) END, ST_INVALID, "row 1 cannot be read"},
    {BATCH NAMED("file", "\xEF\xBB\xBF" ROW("bad")) END, ST_INVALID, "row 1 cannot be read"},
    {BATCH NAMED("file", "{\"body\":{\"model\":[\"bad\"]}}") END, ST_INVALID,
     "row 1: body.model must be a string"},
    {BATCH NAMED("file", "{\"x\":"
                         "\"01234567890123456789012345678901234567890123456789012345678901234567890"
                         "12345678901234567890123456789"
                         "0123456789012345678901234567890123456789012345678901234567890123456789\","
                         "\"body\":{\"model\":\"bad\"}}") END,
     ST_INVALID, "too long"},
    {NAMED("file", "\x89PNG\n\n{\n") NAMED("purpose", "vision") END, ST_OK, ""},
    {NAMED("file", "\x89PNG\n\n{\n") NAMED("purpose", "batch-api") END, ST_INVALID,
     "row 1 cannot be read"},
    {NAMED("file", "\x89PNG\n\n{\n") END, ST_INVALID, "row 1 cannot be read"},
    {BATCH NAMED("file", ROW("good")) NAMED("file", ROW("bad")) END, ST_INVALID,
     "gives file twice"},
    {NAMED("purpose", "vision") NAMED("file", "x") BATCH END, ST_INVALID, "gives purpose twice"},
    {BATCH NAMED("file", ROW("good")), ST_INVALID, "ends early"},
    {BATCH NAMED("file", ROW("good") "--B"), ST_INVALID, "malformed"},
};

static enum status judge(void *arg, struct str model, char *reason)
{
    unsigned *asked = arg;
    ++*asked;
    if (str_eq(model, STR("good")))
        return ST_OK;
    snprintf(reason, BATCH_REASON_MAX, STR_FMT " is bad", STR_ARG(model));
    return ST_MODEL_NOT_ALLOWED;
}

static enum status feed(struct batch_rows *reader, struct str body, size_t piece)
{
    static unsigned asked;
    batch_rows_begin(reader, STR("B"), MAX_BYTES, judge, &asked);
    for (; body.n > 0; body = str_from(body, piece))
        TRY(batch_rows_feed(reader, str_head(body, piece)));
    return batch_rows_end(reader);
}

Test(batch_rows, the_verdict_does_not_depend_on_the_pieces)
{
    static struct batch_rows reader;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t piece = 1; piece < 400; piece++) {
            enum status status = feed(&reader, str_c(rows[i].body), piece);
            cr_assert_eq(status, rows[i].status, "row %zu by %zu: %s %s", i, piece,
                         status_row(status)->name, reader.reason);
            cr_assert(str_find(str_c(reader.reason), str_c(rows[i].says)) >= 0,
                      "row %zu by %zu: %s", i, piece, reader.reason);
        }
    }
    batch_rows_free(&reader);
}

Test(batch_rows, one_row_of_a_large_file)
{
    static struct batch_rows reader;
    static char body[1 << 20];
    size_t n = 0;
    unsigned asked = 0;
    n += (size_t)snprintf(
        body, sizeof body,
        "%s--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\r\n",
        BATCH);
    for (unsigned i = 0; i < 9000; i++)
        n += (size_t)snprintf(body + n, sizeof body - n, "%s\n",
                              i == 8765 ? ROW("worse") : ROW("good"));
    batch_rows_begin(&reader, STR("B"), MAX_BYTES, judge, &asked);
    enum status status = batch_rows_feed(&reader, str_of(body, n));
    cr_expect_eq(status, ST_MODEL_NOT_ALLOWED);
    cr_expect(str_find(str_c(reader.reason), STR("row 8766: worse is bad")) >= 0, "%s",
              reader.reason);
    cr_expect_eq(asked, 2, "a model is judged once: %u", asked);
    cr_expect_leq(reader.row.room_bytes, 4 * MAX_BYTES, "one row is held");
    batch_rows_free(&reader);
}
