/* batch_rows.c: see batch_rows.h.
 *
 * The provider reads the same rows with a parser of its own, later and out of our sight. So a row
 * is read by the strict scanner, or refused; a model stands where the batch interfaces put it
 * (OpenAI, "Create batch": each line has custom_id, method, url, body). Invariant: every row of the
 * file that names a model was judged before the last byte of the form went on. Must never: let a
 * row pass because it is long, cut, oddly ended or named twice.
 */
#include "data-plane/worker/batch_rows.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/json_scan.h"

enum { PART_FILE, PART_PURPOSE };

static const struct str part_names[] = {{"file", 4}, {"purpose", 7}};

/* OpenAI, "Upload file": what a file may be for beside "batch". Files of these may hold anything.
 */
static bool is_never_batch(struct str purpose)
{
    static const char *const others[] = {"assistants", "evals", "fine-tune", "user_data", "vision"};
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (str_eq(purpose, str_c(others[i])))
            return true;
    return false;
}

static enum status say(struct batch_rows *rows, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);

static enum status say(struct batch_rows *rows, enum status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(rows->reason, sizeof rows->reason, format, args);
    va_end(args);
    return status;
}

/* --- rows --- */

static void unreadable(struct batch_rows *rows, const char *why)
{
    if (rows->bad != 0)
        return;
    rows->bad = rows->number;
    rows->why = why;
}

static enum status judge_model(struct batch_rows *rows, struct str model)
{
    char reason[BATCH_REASON_MAX] = "";
    if (str_eq(model, str_of(rows->allowed, rows->allowed_n)))
        return ST_OK;
    enum status status = rows->judge(rows->arg, model, reason);
    if (status != ST_OK)
        return say(rows, status, "file: row %llu: %.440s", (unsigned long long)rows->number,
                   reason[0] != '\0' ? reason : status_row(status)->text);
    memcpy(rows->allowed, model.p, model.n);
    rows->allowed_n = model.n;
    return ST_OK;
}

/* The row is whole. */
static enum status read_row(struct batch_rows *rows)
{
    struct json_field body = {.name = "body"}, model = {.name = "model"};
    struct json_error error = {0, "not a JSON object"};
    char room[BATCH_MODEL_MAX * 6 + 2];
    struct str text = str_trim(buf_str(&rows->row)), name;
    if (text.n == 0)
        return ST_OK;
    if (json_scan_object(text, &body, 1, &error) != ST_OK ||
        (body.raw.p != NULL && body.type == JSON_OBJECT &&
         json_scan_object(body.raw, &model, 1, &error) != ST_OK)) {
        unreadable(rows, error.what);
        return ST_OK;
    }
    if (model.raw.p == NULL)
        return ST_OK;
    if (model.type != JSON_STRING || model.raw.n > sizeof room ||
        json_unescape(model.raw, room, &name) != ST_OK || name.n > BATCH_MODEL_MAX)
        return say(rows, ST_INVALID,
                   "file: row %llu: body.model must be a string of at most %d bytes.",
                   (unsigned long long)rows->number, BATCH_MODEL_MAX);
    return name.n == 0 ? ST_OK : judge_model(rows, name);
}

static enum status end_row(struct batch_rows *rows)
{
    enum status status = ST_OK;
    rows->number++;
    if (rows->skipping)
        unreadable(rows, "not a JSON object, or too long");
    else
        status = read_row(rows);
    rows->skipping = false;
    buf_clear(&rows->row);
    return status;
}

/* What begins like no object is not kept: most files of other purposes are no rows at all. */
static void keep_row(struct batch_rows *rows, struct str bytes)
{
    while (rows->row.n == 0 && bytes.n > 0 && strchr(" \t\r", bytes.p[0]) != NULL &&
           bytes.p[0] != '\0')
        bytes = str_from(bytes, 1);
    if (rows->skipping || bytes.n == 0)
        return;
    rows->skipping = rows->row.n == 0 && bytes.p[0] != '{';
    if (rows->skipping)
        return;
    buf_add_str(&rows->row, bytes);
    rows->skipping = buf_status(&rows->row) != ST_OK;
}

static enum status take_file(struct batch_rows *rows, struct str bytes, bool end)
{
    ptrdiff_t line;
    while ((line = str_find_char(bytes, '\n')) >= 0) {
        keep_row(rows, str_head(bytes, (size_t)line));
        TRY(end_row(rows));
        bytes = str_from(bytes, (size_t)line + 1);
    }
    keep_row(rows, bytes);
    return end ? end_row(rows) : ST_OK;
}

/* --- the form --- */

static enum status take_purpose(struct batch_rows *rows, struct str bytes)
{
    if (bytes.n > sizeof rows->purpose - rows->purpose_n)
        return say(rows, ST_INVALID, "purpose: it is too long.");
    memcpy(rows->purpose + rows->purpose_n, bytes.p, bytes.n);
    rows->purpose_n += bytes.n;
    return ST_OK;
}

static enum status take_part(void *arg, unsigned which, struct str bytes, bool end)
{
    struct batch_rows *rows = arg;
    unsigned *seen = which == PART_FILE ? &rows->files : &rows->purposes;
    if (*seen > 0)
        return say(rows, ST_INVALID, "The multipart body gives %s twice.", part_names[which].p);
    TRY(which == PART_FILE ? take_file(rows, bytes, end) : take_purpose(rows, bytes));
    *seen += end;
    return ST_OK;
}

void batch_rows_begin(struct batch_rows *rows, struct str boundary, size_t max_row_bytes,
                      batch_judge *judge, void *arg)
{
    struct buf row = rows->row;
    memset(rows, 0, sizeof *rows);
    rows->row = row;
    rows->row.max_bytes = max_row_bytes;
    buf_clear(&rows->row);
    rows->judge = judge;
    rows->arg = arg;
    rows->parts.boundary = boundary;
    rows->parts.names = part_names;
    rows->parts.count = COUNT_OF(part_names);
    rows->parts.content = take_part;
    rows->parts.arg = rows;
}

static enum status form_says(struct batch_rows *rows, enum status status)
{
    if (status == ST_INVALID && rows->reason[0] == '\0')
        return say(rows, status, "The multipart body is malformed or ends early.");
    return status;
}

enum status batch_rows_feed(struct batch_rows *rows, struct str bytes)
{
    return form_says(rows, multipart_parts_feed(&rows->parts, bytes));
}

enum status batch_rows_end(struct batch_rows *rows)
{
    TRY(form_says(rows, multipart_parts_end(&rows->parts)));
    if (rows->bad == 0 || is_never_batch(str_of(rows->purpose, rows->purpose_n)))
        return ST_OK;
    return say(rows, ST_INVALID,
               "file: row %llu cannot be read (%s); the models of a batch are checked row by row.",
               (unsigned long long)rows->bad, rows->why);
}

void batch_rows_free(struct batch_rows *rows)
{
    buf_free(&rows->row);
}
