/* batch_run.c: see batch_run.h.
 *
 * A row {"custom_id","method","url","body"} is the same operation as a request: it goes through the
 * route table with a call of its own (no request, no fault), so its answer is exactly what a single
 * request would have got. Rows that are no such object, or name another url, fail with 400. The
 * whole file is read: BATCH_BYTES_MAX bounds it.
 */
#include "tests/sim/batch_run.h"

#include "tests/sim/family.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define BATCH_BYTES_MAX (200 << 20)
#define BATCH_ARENA_MAX (256 << 20)

struct batch_files {
    struct buf output, errors;
};

static void batch_write_row(struct buf *file, struct str custom_id, int status, struct str body)
{
    struct json_writer w;
    struct arena arena;
    arena_init(&arena, 4096);
    jw_init(&w, file);
    jw_object(&w);
    jw_field_str(&w, "id", sim_make_id(&arena, "batch_req_"));
    jw_field_str(&w, "custom_id", custom_id);
    jw_key(&w, "response");
    jw_object(&w);
    jw_field_i64(&w, "status_code", status);
    jw_field_str(&w, "request_id", sim_make_id(&arena, "req_"));
    jw_field_raw(&w, "body", body);
    jw_end(&w);
    jw_field_cstr(&w, "error", NULL);
    jw_end(&w);
    buf_add_char(file, '\n');
    arena_free(&arena);
}

static void batch_run_row(struct call *parent, struct str line, struct str endpoint,
                          struct batch_files *files, struct batch_result *result)
{
    struct arena arena;
    struct buf out;
    struct fault fault;
    struct json *root = NULL;
    struct str id = STR_NONE;
    const struct family *family = NULL;
    bool wrong_method = false;
    arena_init(&arena, BATCH_ARENA_MAX);
    buf_init(&out, BATCH_BYTES_MAX);
    fault_init(&fault);
    struct call row = {.sim = parent->sim,
                       .fault = &fault,
                       .arena = &arena,
                       .keep = &arena,
                       .out = &out,
                       .status = 200,
                       .length = -1};
    struct str custom_id = STR("");
    if (json_parse(&arena, line, NULL, &root, NULL) == ST_OK)
        custom_id = call_text(&row, root, "custom_id");
    row.root = json_get(root, "body");
    struct str url = call_text(&row, root, "url");
    const struct route *route = routes_find(NULL, STR("POST"), url, &id, &family, &wrong_method);
    if (route == NULL || family != &family_openai || row.root == NULL || !str_eq(url, endpoint))
        call_error(&row, 400, "invalid_request", NULL,
                   "The row is no request for the batch's endpoint.");
    else
        route->call(&row);
    result->total++;
    result->failed += row.status == 200 ? 0 : 1;
    result->usage.prompt += row.usage.prompt;
    result->usage.completion += row.usage.completion;
    batch_write_row(row.status == 200 ? &files->output : &files->errors, custom_id, row.status,
                    buf_str(&out));
    buf_free(&out);
    arena_free(&arena);
}

/* Makes a file object of a batch's rows; p = NULL when there are none. */
static enum status batch_make_file(struct call *call, const struct buf *rows, struct str name,
                                   struct str *id)
{
    const char *folder = getenv("TMPDIR");
    if (rows->n == 0)
        return ST_OK;
    struct str made = sim_make_id(call->arena, "file-");
    int fd = open(folder == NULL ? "/tmp" : folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, rows->p, rows->n) != (ssize_t)rows->n) {
        if (fd >= 0)
            close(fd);
        return ST_IO;
    }
    struct object *file = objects_add(&call->sim->objects, OBJECT_FILE, made);
    if (file == NULL) {
        close(fd);
        return ST_NO_MEMORY;
    }
    object_set(&file->name, name);
    object_set(&file->note, STR("batch_output"));
    file->fd = fd;
    file->bytes = rows->n;
    *id = made;
    return ST_OK;
}

enum status batch_run(struct call *call, const struct object *input, struct str endpoint,
                      struct batch_result *result)
{
    struct buf text;
    struct batch_files files;
    struct batch_result made = {.total = 0};
    enum status status = ST_OK;
    struct str rest, line;
    buf_init(&text, BATCH_BYTES_MAX);
    buf_init(&files.output, BATCH_BYTES_MAX);
    buf_init(&files.errors, BATCH_BYTES_MAX);
    TRY_OUT(buf_reserve(&text, (size_t)input->bytes));
    if (pread(input->fd, text.p, (size_t)input->bytes, 0) != (ssize_t)input->bytes) {
        status = ST_IO;
        goto out;
    }
    text.n = (size_t)input->bytes;
    rest = buf_str(&text);
    while (str_split(&rest, '\n', &line)) {
        if (str_trim(line).n > 0)
            batch_run_row(call, str_trim(line), endpoint, &files, &made);
    }
    TRY_OUT(buf_status(&files.output));
    TRY_OUT(buf_status(&files.errors));
    TRY_OUT(batch_make_file(call, &files.output, STR("batch_output.jsonl"), &made.output_id));
    TRY_OUT(batch_make_file(call, &files.errors, STR("batch_errors.jsonl"), &made.error_id));
    *result = made;
out:
    buf_free(&files.errors);
    buf_free(&files.output);
    buf_free(&text);
    return status;
}
