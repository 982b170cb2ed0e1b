/* vertex_jobs.c: Vertex AI's batch prediction and tuning jobs.
 *
 *   PENDING --job-ms/2--> RUNNING --job-ms--> SUCCEEDED          ... --cancel--> CANCELLED
 *
 * A batch's rows {"request":{...}} are carried out when it is made, each as generateContent would;
 * its file appears in Cloud Storage when it has succeeded. `text` of the object is the request,
 * `name` the output folder.
 */
#include "tests/sim/blob.h"
#include "tests/sim/google/google.h"
#include "tests/sim/list.h"

#include "common/clock.h"

#define JOBS_BYTES_MAX (256 << 20)
#define JOBS_ARENA_MAX (256 << 20)

struct jobs_kind {
    enum object_kind kind;
    const char *path, *list;
};

static const struct jobs_kind jobs_batch = {OBJECT_VERTEX_BATCH, "batchPredictionJobs",
                                            "batchPredictionJobs"};
static const struct jobs_kind jobs_tuning = {OBJECT_VERTEX_TUNING, "tuningJobs", "tuningJobs"};

static const char *jobs_state(const struct call *call, const struct object *job)
{
    int64_t age_ms = list_age_ms(job), all_ms = call->sim->options.job_ms;
    if (job->cancelled)
        return "JOB_STATE_CANCELLED";
    if (age_ms >= all_ms)
        return "JOB_STATE_SUCCEEDED";
    return age_ms >= all_ms / 2 ? "JOB_STATE_RUNNING" : "JOB_STATE_PENDING";
}

/* "projects/P/locations/L" of the path. */
static struct str jobs_parent(const struct call *call)
{
    struct str path = call->req->path;
    ptrdiff_t at = str_find(path, STR("projects/"));
    path = str_from(path, (size_t)(at < 0 ? 0 : at));
    size_t slashes = 0, i = 0;
    while (i < path.n && (path.p[i] != '/' || ++slashes < 4))
        i++;
    return str_head(path, i);
}

static void jobs_write(struct call *call, const struct jobs_kind *kind, struct json_writer *w,
                       const struct object *job)
{
    struct json *root = NULL;
    const char *state = jobs_state(call, job);
    bool done = strcmp(state, "JOB_STATE_SUCCEEDED") == 0;
    jw_object(w);
    jw_field_str(w, "name",
                 arena_printf(call->arena, STR_FMT "/%s/" STR_FMT, STR_ARG(jobs_parent(call)),
                              kind->path, STR_ARG(job->id)));
    if (json_parse(call->arena, job->text, NULL, &root, NULL) == ST_OK) {
        for (const struct json *m = root->first; m != NULL; m = m->next) {
            jw_key_str(w, m->key);
            jw_raw(w, m->raw);
        }
    }
    jw_field_cstr(w, "state", state);
    jw_field_time(w, "createTime", job->created_s * 1000);
    jw_field_time(w, "updateTime", job->created_s * 1000);
    if (done)
        jw_field_time(w, "endTime", job->created_s * 1000 + call->sim->options.job_ms);
    if (done && kind == &jobs_batch) {
        jw_key(w, "outputInfo");
        jw_object(w);
        jw_field_str(w, "gcsOutputDirectory", job->name);
        jw_end(w);
        jw_key(w, "completionStats");
        jw_object(w);
        jw_field_u64(w, "successfulCount", job->bytes - job->failed);
        jw_field_u64(w, "failedCount", job->failed);
        jw_end(w);
    }
    if (done && kind == &jobs_tuning) {
        jw_key(w, "tunedModel");
        jw_object(w);
        jw_field_str(w, "endpoint",
                     arena_printf(call->arena, STR_FMT "/endpoints/" STR_FMT,
                                  STR_ARG(jobs_parent(call)), STR_ARG(job->id)));
        jw_end(w);
    }
    jw_end(w);
}

static struct object *jobs_find(struct call *call, const struct jobs_kind *kind)
{
    struct object *job = objects_find(&call->sim->objects, kind->kind, call->id);
    if (job == NULL)
        call_error(call, 404, NULL, NULL, "The job does not exist.");
    return job;
}

static void jobs_get(struct call *call, const struct jobs_kind *kind)
{
    struct object *job = jobs_find(call, kind);
    struct json_writer w;
    jw_init(&w, call->out);
    if (job != NULL)
        jobs_write(call, kind, &w, job);
}

static void jobs_cancel(struct call *call, const struct jobs_kind *kind)
{
    struct object *job = jobs_find(call, kind);
    if (job == NULL)
        return;
    if (list_age_ms(job) >= call->sim->options.job_ms) {
        (void)google_refuse(call, "The job cannot be cancelled any more.");
        return;
    }
    job->cancelled = true;
    buf_add_lit(call->out, "{}");
}

static void jobs_list(struct call *call, const struct jobs_kind *kind)
{
    struct str size = call_query(call, "pageSize"), token = call_query(call, "pageToken");
    uint64_t most = 100, written = 0;
    struct json_writer w;
    const struct object *job = call->sim->objects.newest[kind->kind];
    if (size.n > 0 && (str_to_u64(size, &most) != ST_OK || most == 0)) {
        (void)google_refuse(call, "pageSize is not valid.");
        return;
    }
    while (token.n > 0 && job != NULL && !str_eq(job->id, token))
        job = job->older;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_key(&w, kind->list);
    jw_array(&w);
    for (; job != NULL && written < most; job = job->older, written++)
        jobs_write(call, kind, &w, job);
    jw_end(&w);
    if (job != NULL)
        jw_field_str(&w, "nextPageToken", job->id);
    jw_end(&w);
}

/* One row, as its output line. */
static void jobs_run_row(struct call *parent, struct str model, struct str line, struct buf *output,
                         struct object *job)
{
    struct arena arena;
    struct buf out;
    struct fault fault;
    struct json *root = NULL;
    struct json_writer w;
    arena_init(&arena, JOBS_ARENA_MAX);
    buf_init(&out, JOBS_BYTES_MAX);
    fault_init(&fault);
    struct call row = *parent;
    row.fault = &fault;
    row.arena = row.keep = &arena;
    row.out = &out;
    row.id = model;
    row.usage = (struct usage){.prompt = 0};
    if (json_parse(&arena, line, NULL, &root, NULL) == ST_OK)
        row.root = json_get(root, "request");
    else
        row.root = NULL;
    gemini_generate(&row);
    job->bytes++;
    job->failed += row.status == 200 ? 0 : 1;
    jw_init(&w, output);
    jw_object(&w);
    jw_field_str(&w, "status", row.status == 200 ? STR("") : buf_str(&out));
    if (row.root != NULL)
        jw_field_raw(&w, "request", row.root->raw);
    jw_field_raw(&w, "response", row.status == 200 ? buf_str(&out) : STR("{}"));
    jw_end(&w);
    buf_add_char(output, '\n');
    parent->usage.prompt += row.usage.prompt;
    parent->usage.completion += row.usage.completion;
    buf_free(&out);
    arena_free(&arena);
}

static const struct shape_field source_fields[] = {SHAPE_LIST("uris", true, SHAPE_STRING, NULL)};
static const struct shape source_shape = SHAPE_OF(source_fields);
static const struct shape_field input_fields[] = {
    SHAPE_ENUM("instancesFormat", true, "jsonl"),
    SHAPE_MEMBERS("gcsSource", true, &source_shape),
};
static const struct shape input_shape = SHAPE_OF(input_fields);
static const struct shape_field destination_fields[] = {SHAPE_TEXT("outputUriPrefix", true)};
static const struct shape destination_shape = SHAPE_OF(destination_fields);
static const struct shape_field output_fields[] = {
    SHAPE_ENUM("predictionsFormat", true, "jsonl"),
    SHAPE_MEMBERS("gcsDestination", true, &destination_shape),
};
static const struct shape output_shape = SHAPE_OF(output_fields);
static const struct shape_field batch_fields[] = {
    SHAPE_TEXT("displayName", true),
    SHAPE_TEXT("model", true),
    SHAPE_MEMBERS("inputConfig", true, &input_shape),
    SHAPE_MEMBERS("outputConfig", true, &output_shape),
    SHAPE_MEMBERS("labels", false, NULL),
};
static const struct shape batch_shape = SHAPE_OF(batch_fields);

static struct object *jobs_create(struct call *call, const struct jobs_kind *kind)
{
    char id[24];
    (void)snprintf(id, sizeof id, "%llu",
                   (unsigned long long)sim_hash(sim_make_id(call->arena, ""), 3) >> 1);
    struct object *job = objects_add(&call->sim->objects, kind->kind, str_c(id));
    if (job == NULL)
        call_error(call, 500, NULL, NULL, "out of memory");
    else
        object_set(&job->text, call->root->raw);
    return job;
}

void vertex_batches_create(struct call *call)
{
    struct str prefix = STR("publishers/google/models/"), uri = STR(""), line, piece;
    if (call->root == NULL || !google_check(call, &batch_shape)) {
        if (call->root == NULL)
            (void)google_refuse(call, "A JSON body is required.");
        return;
    }
    struct str model = google_text(call, call->root, "model");
    const struct json *uris =
        google_get(google_get(google_get(call->root, "inputConfig"), "gcsSource"), "uris");
    if (uris->count != 1 || json_text(uris->first, call->arena, &uri) != ST_OK)
        uri = STR("");
    const struct object *input = blob_find(call->sim, OBJECT_GCS, blob_of_uri(uri));
    if (!str_starts(model, prefix) || input == NULL) {
        (void)google_refuse(call, input == NULL ? "The input file was not found."
                                                : "`model` must be publishers/google/models/...");
        return;
    }
    struct object *job = jobs_create(call, &jobs_batch);
    struct json_writer w;
    struct buf output;
    if (job == NULL)
        return;
    struct str folder =
        google_text(call, google_get(google_get(call->root, "outputConfig"), "gcsDestination"),
                    "outputUriPrefix");
    folder =
        arena_printf(call->arena, STR_FMT "/prediction-model-" STR_FMT,
                     STR_ARG(str_ends(folder, STR("/")) ? str_head(folder, folder.n - 1) : folder),
                     STR_ARG(job->id));
    object_set(&job->name, folder);
    buf_init(&output, JOBS_BYTES_MAX);
    struct str rest = input->text, name = model;
    while (str_split(&name, '/', &piece))
        ;
    while (str_split(&rest, '\n', &line)) {
        if (str_trim(line).n > 0)
            jobs_run_row(call, piece, str_trim(line), &output, job);
    }
    (void)blob_put_later(
        call->sim, OBJECT_GCS,
        arena_printf(call->arena, STR_FMT "/predictions.jsonl", STR_ARG(blob_of_uri(folder))),
        buf_str(&output), clock_mono_ms() + call->sim->options.job_ms);
    buf_free(&output);
    jw_init(&w, call->out);
    jobs_write(call, &jobs_batch, &w, job);
}

void vertex_batches_list(struct call *call)
{
    jobs_list(call, &jobs_batch);
}

void vertex_batches_get(struct call *call)
{
    jobs_get(call, &jobs_batch);
}

void vertex_batches_cancel(struct call *call)
{
    jobs_cancel(call, &jobs_batch);
}

void vertex_tunings_create(struct call *call)
{
    static const struct shape_field fields[] = {
        SHAPE_TEXT("baseModel", true),
        SHAPE_MEMBERS("supervisedTuningSpec", true, NULL),
        SHAPE_TEXT("tunedModelDisplayName", false),
        SHAPE_TEXT("description", false),
        SHAPE_MEMBERS("labels", false, NULL),
        SHAPE_MEMBERS("encryptionSpec", false, NULL),
    };
    static const struct shape shape = SHAPE_OF(fields);
    struct json_writer w;
    if (call->root == NULL || !google_check(call, &shape)) {
        if (call->root == NULL)
            (void)google_refuse(call, "A JSON body is required.");
        return;
    }
    struct object *job = jobs_create(call, &jobs_tuning);
    jw_init(&w, call->out);
    if (job != NULL)
        jobs_write(call, &jobs_tuning, &w, job);
}

void vertex_tunings_list(struct call *call)
{
    jobs_list(call, &jobs_tuning);
}

void vertex_tunings_get(struct call *call)
{
    jobs_get(call, &jobs_tuning);
}

void vertex_tunings_cancel(struct call *call)
{
    jobs_cancel(call, &jobs_tuning);
}
