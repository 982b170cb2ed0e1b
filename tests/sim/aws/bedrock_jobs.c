/* bedrock_jobs.c: Bedrock's batch inference and model customization jobs.
 *
 *   Submitted --job-ms/2--> InProgress --job-ms--> Completed          ... --stop--> Stopped
 *
 * A batch job carries out its rows when it is made, each as InvokeModel would; the output files
 * appear in S3 when the job is completed: <output>/<job>/<input file>.out and manifest.json.out.
 * `text` of the object is the request, `items` the counts.
 */
#include "tests/sim/aws/aws.h"
#include "tests/sim/aws/invoke.h"
#include "tests/sim/blob.h"
#include "tests/sim/list.h"

#include "common/clock.h"

#define JOBS_BYTES_MAX (256 << 20)
#define JOBS_ARENA_MAX (256 << 20)
#define JOBS_ARN       "arn:aws:bedrock:us-east-1:000000000000:"

struct jobs_kind {
    enum object_kind kind;
    const char *path; /* in the ARN */
    const char *first_status;
};

static const struct jobs_kind jobs_batch = {OBJECT_AWS_BATCH, "model-invocation-job", "Submitted"};
static const struct jobs_kind jobs_tuning = {OBJECT_AWS_TUNING, "model-customization-job",
                                             "InProgress"};

static const char *jobs_status(const struct call *call, const struct jobs_kind *kind,
                               const struct object *job)
{
    int64_t age_ms = list_age_ms(job), all_ms = call->sim->options.job_ms;
    if (job->cancelled)
        return "Stopped";
    if (age_ms >= all_ms)
        return "Completed";
    return age_ms >= all_ms / 2 ? "InProgress" : kind->first_status;
}

static struct str jobs_arn(struct call *call, const struct jobs_kind *kind, struct str id)
{
    return arena_printf(call->arena, JOBS_ARN "%s/" STR_FMT, kind->path, STR_ARG(id));
}

/* The members of the request that the job shows, then its own. */
static void jobs_write(struct call *call, const struct jobs_kind *kind, struct json_writer *w,
                       const struct object *job)
{
    struct json *root = NULL;
    const char *status = jobs_status(call, kind, job);
    struct str created = aws_time(call->arena, job->created_s);
    jw_object(w);
    jw_field_str(w, "jobArn", jobs_arn(call, kind, job->id));
    jw_field_cstr(w, "status", status);
    if (json_parse(call->arena, job->text, NULL, &root, NULL) == ST_OK) {
        for (const struct json *m = root->first; m != NULL; m = m->next) {
            jw_key_str(w, m->key);
            jw_raw(w, m->raw);
        }
    }
    jw_field_str(w, kind == &jobs_batch ? "submitTime" : "creationTime", created);
    jw_field_str(w, "lastModifiedTime", created);
    if (strcmp(status, "Completed") == 0)
        jw_field_str(w, "endTime",
                     aws_time(call->arena, job->created_s + call->sim->options.job_ms / 1000));
    if (kind == &jobs_tuning)
        jw_field_str(w, "outputModelArn",
                     arena_printf(call->arena, JOBS_ARN "custom-model/" STR_FMT, STR_ARG(job->id)));
    jw_end(w);
}

/* The job that the path names by id or ARN; NULL: 404 is the outcome. */
static struct object *jobs_find(struct call *call, const struct jobs_kind *kind)
{
    struct str rest = call->id, piece = STR("");
    while (str_split(&rest, '/', &piece))
        ;
    struct object *job = objects_find(&call->sim->objects, kind->kind, piece);
    if (job == NULL)
        call_error(call, 404, NULL, NULL, "Could not find the job.");
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

static void jobs_stop(struct call *call, const struct jobs_kind *kind)
{
    struct object *job = jobs_find(call, kind);
    if (job == NULL)
        return;
    if (list_age_ms(job) >= call->sim->options.job_ms || job->cancelled) {
        call_error(call, 409, "ConflictException", NULL, "The job cannot be stopped any more.");
        return;
    }
    job->cancelled = true;
    buf_add_lit(call->out, "{}");
}

static void jobs_list(struct call *call, const struct jobs_kind *kind, const char *member)
{
    struct str limit = call_query(call, "maxResults"), token = call_query(call, "nextToken");
    struct str wanted = call_query(call, "statusEquals");
    uint64_t most = 100, written = 0;
    struct json_writer w;
    const struct object *job = call->sim->objects.newest[kind->kind];
    if (limit.p != NULL && (str_to_u64(limit, &most) != ST_OK || most == 0 || most > 1000)) {
        call_error(call, 400, NULL, NULL, "maxResults must be from 1 to 1000");
        return;
    }
    while (token.n > 0 && job != NULL && !str_eq(job->id, token))
        job = job->older;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_key(&w, member);
    jw_array(&w);
    for (; job != NULL && written < most; job = job->older) {
        if (wanted.p != NULL && !str_eq(wanted, str_c(jobs_status(call, kind, job))))
            continue;
        jobs_write(call, kind, &w, job);
        written++;
    }
    jw_end(&w);
    if (job != NULL)
        jw_field_str(&w, "nextToken", job->id);
    jw_end(&w);
}

/* Stores the request; the new job's ARN is the outcome. NULL: no memory, an error is the outcome.
 */
static struct object *jobs_create(struct call *call, const struct jobs_kind *kind)
{
    struct str id = str_head(sim_make_id(call->arena, ""), 12);
    struct object *job = objects_add(&call->sim->objects, kind->kind, id);
    struct json_writer w;
    if (job == NULL) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return NULL;
    }
    object_set(&job->text, call->root->raw);
    jw_init(&w, call->out);
    jw_object(&w);
    jw_field_str(&w, "jobArn", jobs_arn(call, kind, id));
    jw_end(&w);
    return job;
}

/* One row {"recordId","modelInput"} as its output line. */
static void jobs_run_row(struct call *parent, const struct bedrock_model *model, struct str line,
                         struct buf *output)
{
    struct arena arena;
    struct buf out;
    struct fault fault;
    struct json *root = NULL;
    struct json_writer w;
    arena_init(&arena, JOBS_ARENA_MAX);
    buf_init(&out, JOBS_BYTES_MAX);
    fault_init(&fault);
    struct call row = {.sim = parent->sim,
                       .family = &family_bedrock,
                       .fault = &fault,
                       .arena = &arena,
                       .keep = &arena,
                       .out = &out,
                       .model = parent->model,
                       .status = 200,
                       .length = -1};
    if (json_parse(&arena, line, NULL, &root, NULL) == ST_OK)
        row.root = json_get(root, "modelInput");
    if (json_is(row.root, JSON_OBJECT))
        invoke_run(&row, model, false);
    else
        call_error(&row, 400, NULL, NULL, "The row has no modelInput.");
    jw_init(&w, output);
    jw_object(&w);
    if (json_get(root, "recordId") != NULL)
        jw_field_raw(&w, "recordId", json_get(root, "recordId")->raw);
    if (json_get(root, "modelInput") != NULL)
        jw_field_raw(&w, "modelInput", json_get(root, "modelInput")->raw);
    jw_field_raw(&w, row.status == 200 ? "modelOutput" : "error", buf_str(&out));
    jw_end(&w);
    buf_add_char(output, '\n');
    parent->usage.prompt += row.usage.prompt;
    parent->usage.completion += row.usage.completion;
    buf_free(&out);
    arena_free(&arena);
}

static void jobs_run(struct call *call, const struct bedrock_model *model,
                     const struct object *input, struct str output_uri, const struct object *job)
{
    struct buf output;
    struct str rest = input->text, line, name = input->id, piece;
    uint64_t rows = 0;
    buf_init(&output, JOBS_BYTES_MAX);
    while (str_split(&rest, '\n', &line)) {
        if (str_trim(line).n == 0)
            continue;
        jobs_run_row(call, model, str_trim(line), &output);
        rows++;
    }
    while (str_split(&name, '/', &piece))
        ;
    output_uri = blob_of_uri(output_uri);
    bool slash = str_ends(output_uri, STR("/"));
    struct str folder = arena_printf(call->arena, STR_FMT "%s" STR_FMT, STR_ARG(output_uri),
                                     slash ? "" : "/", STR_ARG(job->id));
    int64_t shown_ms = clock_mono_ms() + call->sim->options.job_ms;
    struct str manifest = arena_printf(
        call->arena,
        "{\"totalRecordCount\":%llu,\"processedRecordCount\":%llu,\"successRecordCount\":%llu,"
        "\"errorRecordCount\":0,\"inputTokenCount\":%llu,\"outputTokenCount\":%llu}",
        (unsigned long long)rows, (unsigned long long)rows, (unsigned long long)rows,
        (unsigned long long)call->usage.prompt, (unsigned long long)call->usage.completion);
    (void)blob_put_later(
        call->sim, OBJECT_S3,
        arena_printf(call->arena, STR_FMT "/" STR_FMT ".out", STR_ARG(folder), STR_ARG(piece)),
        buf_str(&output), shown_ms);
    (void)blob_put_later(call->sim, OBJECT_S3,
                         arena_printf(call->arena, STR_FMT "/manifest.json.out", STR_ARG(folder)),
                         manifest, shown_ms);
    buf_free(&output);
}

static const struct shape_field jobs_s3_input_fields[] = {
    SHAPE_TEXT("s3Uri", true),
    SHAPE_ENUM("s3InputFormat", false, "JSONL"),
    SHAPE_TEXT("s3BucketOwner", false),
};
static const struct shape jobs_s3_input_shape = SHAPE_OF(jobs_s3_input_fields);
static const struct shape_field jobs_input_fields[] = {
    SHAPE_MEMBERS("s3InputDataConfig", true, &jobs_s3_input_shape),
};
static const struct shape jobs_input_shape = SHAPE_OF(jobs_input_fields);
static const struct shape_field jobs_s3_output_fields[] = {
    SHAPE_TEXT("s3Uri", true),
    SHAPE_TEXT("s3EncryptionKeyId", false),
    SHAPE_TEXT("s3BucketOwner", false),
};
static const struct shape jobs_s3_output_shape = SHAPE_OF(jobs_s3_output_fields);
static const struct shape_field jobs_output_fields[] = {
    SHAPE_MEMBERS("s3OutputDataConfig", true, &jobs_s3_output_shape),
};
static const struct shape jobs_output_shape = SHAPE_OF(jobs_output_fields);
static const struct shape_field jobs_batch_fields[] = {
    SHAPE_TEXT("jobName", true),
    SHAPE_TEXT("roleArn", true),
    SHAPE_TEXT("clientRequestToken", false),
    SHAPE_TEXT("modelId", true),
    SHAPE_MEMBERS("inputDataConfig", true, &jobs_input_shape),
    SHAPE_MEMBERS("outputDataConfig", true, &jobs_output_shape),
    SHAPE_MEMBERS("vpcConfig", false, NULL),
    SHAPE_COUNT("timeoutDurationInHours", false, 24, 168),
    SHAPE_LIST("tags", false, SHAPE_OBJECT, NULL),
    SHAPE_ENUM("modelInvocationType", false, "InvokeModel|Converse"),
};
static const struct shape jobs_batch_shape = SHAPE_OF(jobs_batch_fields);

void bedrock_jobs_create(struct call *call)
{
    struct bedrock_model model;
    if (call->root == NULL || !bedrock_check(call, &jobs_batch_shape)) {
        if (call->root == NULL)
            call_error(call, 400, NULL, NULL, "A JSON body is required.");
        return;
    }
    call->model = arena_str(call->keep, call_text(call, call->root, "modelId"));
    const struct json *in = json_get(json_get(call->root, "inputDataConfig"), "s3InputDataConfig");
    const struct json *out =
        json_get(json_get(call->root, "outputDataConfig"), "s3OutputDataConfig");
    const struct object *input =
        blob_find(call->sim, OBJECT_S3, blob_of_uri(call_text(call, in, "s3Uri")));
    if (bedrock_find(&call->sim->options, call->model, &model) != ST_OK) {
        call_error(call, 400, NULL, NULL, "The provided model identifier is invalid.");
        return;
    }
    if (input == NULL) {
        call_error(call, 400, NULL, NULL, "No input data was found at the S3 location.");
        return;
    }
    struct object *job = jobs_create(call, &jobs_batch);
    if (job != NULL)
        jobs_run(call, &model, input, call_text(call, out, "s3Uri"), job);
}

void bedrock_jobs_list(struct call *call)
{
    jobs_list(call, &jobs_batch, "invocationJobSummaries");
}

void bedrock_jobs_get(struct call *call)
{
    jobs_get(call, &jobs_batch);
}

void bedrock_jobs_stop(struct call *call)
{
    jobs_stop(call, &jobs_batch);
}

void bedrock_tunings_create(struct call *call)
{
    static const struct shape_field fields[] = {
        SHAPE_TEXT("jobName", true),
        SHAPE_TEXT("customModelName", true),
        SHAPE_TEXT("roleArn", true),
        SHAPE_TEXT("clientRequestToken", false),
        SHAPE_TEXT("baseModelIdentifier", true),
        SHAPE_ENUM("customizationType", false,
                   "FINE_TUNING|CONTINUED_PRE_TRAINING|DISTILLATION|REINFORCEMENT_FINE_TUNING"),
        SHAPE_MEMBERS("trainingDataConfig", true, NULL),
        SHAPE_MEMBERS("validationDataConfig", false, NULL),
        SHAPE_MEMBERS("outputDataConfig", true, NULL),
        SHAPE_MEMBERS("hyperParameters", false, NULL),
        SHAPE_MEMBERS("vpcConfig", false, NULL),
        SHAPE_MEMBERS("customizationConfig", false, NULL),
        SHAPE_LIST("jobTags", false, SHAPE_OBJECT, NULL),
        SHAPE_LIST("customModelTags", false, SHAPE_OBJECT, NULL),
        SHAPE_TEXT("customModelKmsKeyId", false),
    };
    static const struct shape shape = SHAPE_OF(fields);
    if (call->root == NULL)
        call_error(call, 400, NULL, NULL, "A JSON body is required.");
    else if (bedrock_check(call, &shape))
        (void)jobs_create(call, &jobs_tuning);
}

void bedrock_tunings_list(struct call *call)
{
    jobs_list(call, &jobs_tuning, "modelCustomizationJobSummaries");
}

void bedrock_tunings_get(struct call *call)
{
    jobs_get(call, &jobs_tuning);
}

void bedrock_tunings_stop(struct call *call)
{
    jobs_stop(call, &jobs_tuning);
}
