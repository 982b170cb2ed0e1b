/* api_batches.c: batches: create, list, get, cancel.
 *
 *   in_progress --job-ms--> completed          in_progress --cancel--> cancelled
 *
 * The rows are carried out when the batch is made; their files are shown when it is completed.
 * `text` of the object holds the members that never change, as JSON without braces; `items` the
 * usage.
 */
#include "tests/sim/api.h"
#include "tests/sim/batch_run.h"
#include "tests/sim/list.h"

#define BATCHES_TTL_S    86400
#define BATCHES_TEXT_MAX (1 << 20)

static const char *const batches_endpoints[] = {
    "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/moderations",
};

static void batch_write_id(struct json_writer *w, const char *name, bool shown, struct str id)
{
    if (shown && id.n > 0)
        jw_field_str(w, name, id);
    else
        jw_field_cstr(w, name, NULL);
}

static void batch_write_time(struct json_writer *w, const char *name, bool shown, int64_t unix_s)
{
    jw_key(w, name);
    if (shown)
        jw_i64(w, unix_s);
    else
        jw_null(w);
}

static void batch_write(struct call *call, struct json_writer *w, const struct object *batch)
{
    bool done = !batch->cancelled && list_age_ms(batch) >= call->sim->options.job_ms;
    int64_t end_s = batch->created_s + call->sim->options.job_ms / 1000;
    jw_object(w);
    jw_field_str(w, "id", batch->id);
    jw_field_cstr(w, "object", "batch");
    buf_add_char(w->buf, ',');
    buf_add_str(w->buf, batch->text);
    jw_field_cstr(w, "errors", NULL);
    jw_field_cstr(w, "status", batch->cancelled ? "cancelled" : done ? "completed" : "in_progress");
    batch_write_id(w, "output_file_id", done, batch->name);
    batch_write_id(w, "error_file_id", done, batch->note);
    jw_field_i64(w, "created_at", batch->created_s);
    jw_field_i64(w, "in_progress_at", batch->created_s);
    jw_field_i64(w, "expires_at", batch->created_s + BATCHES_TTL_S);
    batch_write_time(w, "finalizing_at", done, end_s);
    batch_write_time(w, "completed_at", done, end_s);
    jw_field_cstr(w, "failed_at", NULL);
    jw_field_cstr(w, "expired_at", NULL);
    batch_write_time(w, "cancelling_at", batch->cancelled, batch->created_s);
    batch_write_time(w, "cancelled_at", batch->cancelled, batch->created_s);
    jw_key(w, "request_counts");
    jw_object(w);
    jw_field_u64(w, "total", batch->bytes);
    jw_field_u64(w, "completed", done ? batch->bytes - batch->failed : 0);
    jw_field_u64(w, "failed", done ? batch->failed : 0);
    jw_end(w);
    if (done)
        jw_field_raw(w, "usage", batch->items);
    jw_end(w);
}

static bool batch_endpoint_is_known(struct str endpoint)
{
    for (size_t i = 0; i < COUNT_OF(batches_endpoints); i++) {
        if (str_eq(endpoint, str_c(batches_endpoints[i])))
            return true;
    }
    return false;
}

/* The members of the request that the batch shows, without braces. */
static void batch_render_request(struct call *call, struct buf *text)
{
    static const char *const names[] = {"endpoint", "input_file_id", "completion_window",
                                        "metadata"};
    struct json_writer w;
    jw_init(&w, text);
    jw_object(&w);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct json *member = json_get(call->root, names[i]);
        jw_field_raw(&w, names[i], json_is_none(member) ? STR("null") : member->raw);
    }
    jw_end(&w);
    buf_drop_front(text, 1);
    text->n--;
}

static void batch_store(struct call *call, const struct batch_result *result)
{
    struct object *batch =
        objects_add(&call->sim->objects, OBJECT_BATCH, sim_make_id(call->arena, "batch_"));
    struct buf text;
    struct json_writer w;
    if (batch == NULL) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return;
    }
    buf_init(&text, BATCHES_TEXT_MAX);
    batch_render_request(call, &text);
    object_set(&batch->text, buf_str(&text));
    buf_clear(&text);
    jw_init(&w, &text);
    call_write_usage_responses(&w, &result->usage);
    object_set(&batch->items, buf_str(&text));
    buf_free(&text);
    object_set(&batch->name, result->output_id);
    object_set(&batch->note, result->error_id);
    batch->bytes = result->total;
    batch->failed = result->failed;
    jw_init(&w, call->out);
    batch_write(call, &w, batch);
}

void api_batches_create(struct call *call)
{
    struct str input_id = call_text(call, call->root, "input_file_id");
    struct str endpoint = call_text(call, call->root, "endpoint");
    const struct object *input = objects_find(&call->sim->objects, OBJECT_FILE, input_id);
    struct batch_result result;
    if (input == NULL || !str_eq(input->note, STR("batch"))) {
        call_error(call, 400, NULL, "input_file_id",
                   "Invalid 'input_file_id': no file of purpose batch.");
        return;
    }
    if (!batch_endpoint_is_known(endpoint)) {
        call_error(call, 400, "invalid_value", "endpoint", "Invalid value for 'endpoint'.");
        return;
    }
    if (!str_eq(call_text(call, call->root, "completion_window"), STR("24h"))) {
        call_error(call, 400, "invalid_value", "completion_window",
                   "Invalid value: expected '24h'.");
        return;
    }
    if (batch_run(call, input, endpoint, &result) != ST_OK)
        call_error(call, 500, NULL, NULL, "the batch could not be run");
    else
        batch_store(call, &result);
}

void api_batches_list(struct call *call)
{
    list_write(call, OBJECT_BATCH, STR_NONE, 20, 100, batch_write);
}

void api_batches_get(struct call *call)
{
    const struct object *batch = list_find(call, OBJECT_BATCH, "batch");
    struct json_writer w;
    jw_init(&w, call->out);
    if (batch != NULL)
        batch_write(call, &w, batch);
}

void api_batches_cancel(struct call *call)
{
    struct object *batch = list_find(call, OBJECT_BATCH, "batch");
    struct json_writer w;
    if (batch == NULL)
        return;
    if (!batch->cancelled && list_age_ms(batch) >= call->sim->options.job_ms) {
        call_error(call, 409, NULL, NULL, "Cannot cancel a batch with status 'completed'.");
        return;
    }
    batch->cancelled = true;
    jw_init(&w, call->out);
    batch_write(call, &w, batch);
}
