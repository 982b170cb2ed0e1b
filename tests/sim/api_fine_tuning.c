/* api_fine_tuning.c: fine_tuning/jobs: create, list, get, cancel, events, checkpoints.
 *
 *   validating_files -> running (a quarter of --job-ms) -> succeeded (--job-ms);  cancelled when
 * cancel came first
 *
 * Nothing is trained: the model that comes out is ft:<base>:sim:<suffix>:<hash of the job>, which
 * models.h then knows like every other ft: name. `text` of the object holds the request's members
 * as JSON without braces.
 */
#include "tests/sim/api.h"
#include "tests/sim/list.h"

#define FINE_TUNING_TOKENS   4096
#define FINE_TUNING_TEXT_MAX (1 << 20)

enum job_state { JOB_VALIDATING, JOB_RUNNING, JOB_SUCCEEDED, JOB_CANCELLED };

static enum job_state job_state(const struct call *call, const struct object *job)
{
    int64_t age_ms = list_age_ms(job), end_ms = call->sim->options.job_ms;
    if (job->cancelled)
        return JOB_CANCELLED;
    return age_ms >= end_ms ? JOB_SUCCEEDED : age_ms >= end_ms / 4 ? JOB_RUNNING : JOB_VALIDATING;
}

static void job_write(struct call *call, struct json_writer *w, const struct object *job)
{
    static const char *const states[] = {"validating_files", "running", "succeeded", "cancelled"};
    enum job_state state = job_state(call, job);
    jw_object(w);
    jw_field_cstr(w, "object", "fine_tuning.job");
    jw_field_str(w, "id", job->id);
    buf_add_char(w->buf, ',');
    buf_add_str(w->buf, job->text);
    jw_field_i64(w, "created_at", job->created_s);
    jw_field_cstr(w, "error", NULL);
    jw_key(w, "fine_tuned_model");
    if (state == JOB_SUCCEEDED)
        jw_str(w, job->name);
    else
        jw_null(w);
    jw_key(w, "finished_at");
    if (state >= JOB_SUCCEEDED)
        jw_i64(w, job->created_s + call->sim->options.job_ms / 1000);
    else
        jw_null(w);
    jw_key(w, "trained_tokens");
    if (state == JOB_SUCCEEDED)
        jw_u64(w, FINE_TUNING_TOKENS);
    else
        jw_null(w);
    jw_field_raw(w, "hyperparameters",
                 STR("{\"n_epochs\":3,\"batch_size\":1,\"learning_rate_multiplier\":2}"));
    jw_field_cstr(w, "organization_id", "org-sim");
    jw_field_raw(w, "result_files", STR("[]"));
    jw_field_cstr(w, "estimated_finish", NULL);
    jw_field_cstr(w, "status", states[state]);
    jw_end(w);
}

/* The members of the request that the job shows, without braces. */
static void job_render_request(struct call *call, struct buf *text)
{
    static const struct {
        const char *name, *otherwise;
    } members[] = {
        {"model", "null"},
        {"training_file", "null"},
        {"validation_file", "null"},
        {"integrations", "[]"},
        {"metadata", "null"},
        {"seed", "42"},
        {"method",
         "{\"type\":\"supervised\",\"supervised\":{\"hyperparameters\":{\"n_epochs\":3}}}"},
    };
    struct json_writer w;
    jw_init(&w, text);
    jw_object(&w);
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        const struct json *member = json_get(call->root, members[i].name);
        jw_field_raw(&w, members[i].name,
                     json_is_none(member) ? str_c(members[i].otherwise) : member->raw);
    }
    jw_end(&w);
    buf_drop_front(text, 1);
    text->n--;
}

void api_jobs_create(struct call *call)
{
    struct str training = call_text(call, call->root, "training_file");
    struct str suffix = call_text(call, call->root, "suffix");
    const struct object *file = objects_find(&call->sim->objects, OBJECT_FILE, training);
    struct json_writer w;
    struct buf text;
    if (!call_model(call))
        return;
    if (file == NULL || !str_eq(file->note, STR("fine-tune"))) {
        call_error(call, 400, "invalid_value", "training_file",
                   "invalid training_file: no file of purpose fine-tune");
        return;
    }
    struct str id = sim_make_id(call->arena, "ftjob-");
    struct object *job = objects_add(&call->sim->objects, OBJECT_JOB, id);
    if (job == NULL) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return;
    }
    object_set(&job->name,
               arena_printf(call->arena, "ft:" STR_FMT ":sim:" STR_FMT ":%08x",
                            STR_ARG(call->model), STR_ARG(suffix), (unsigned)sim_hash(id, 4)));
    object_set(&job->note, call->model);
    buf_init(&text, FINE_TUNING_TEXT_MAX);
    job_render_request(call, &text);
    object_set(&job->text, buf_str(&text));
    buf_free(&text);
    jw_init(&w, call->out);
    job_write(call, &w, job);
}

void api_jobs_list(struct call *call)
{
    list_write(call, OBJECT_JOB, STR_NONE, 20, 100, job_write);
}

void api_jobs_get(struct call *call)
{
    const struct object *job = list_find(call, OBJECT_JOB, "fine-tuning job");
    struct json_writer w;
    jw_init(&w, call->out);
    if (job != NULL)
        job_write(call, &w, job);
}

void api_jobs_cancel(struct call *call)
{
    struct object *job = list_find(call, OBJECT_JOB, "fine-tuning job");
    struct json_writer w;
    if (job == NULL)
        return;
    if (job_state(call, job) == JOB_SUCCEEDED) {
        call_error(call, 400, "invalid_request", NULL, "Job has already completed: " STR_FMT,
                   STR_ARG(job->id));
        return;
    }
    job->cancelled = true;
    jw_init(&w, call->out);
    job_write(call, &w, job);
}

void api_jobs_events(struct call *call)
{
    static const char *const messages[] = {"Created fine-tuning job", "Validating training file"};
    const struct object *job = list_find(call, OBJECT_JOB, "fine-tuning job");
    struct json_writer w;
    if (job == NULL)
        return;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_field_cstr(&w, "object", "list");
    jw_key(&w, "data");
    jw_array(&w);
    for (size_t i = COUNT_OF(messages); i-- > 0;) {
        jw_object(&w);
        jw_field_cstr(&w, "object", "fine_tuning.job.event");
        jw_field_str(&w, "id",
                     arena_printf(call->arena, "ftevent-%zu-" STR_FMT, i, STR_ARG(job->id)));
        jw_field_i64(&w, "created_at", job->created_s);
        jw_field_cstr(&w, "level", "info");
        jw_field_cstr(&w, "message", messages[i]);
        jw_field_cstr(&w, "type", "message");
        jw_field_raw(&w, "data", STR("{}"));
        jw_end(&w);
    }
    jw_end(&w);
    jw_field_bool(&w, "has_more", false);
    jw_end(&w);
}

void api_jobs_checkpoints(struct call *call)
{
    const struct object *job = list_find(call, OBJECT_JOB, "fine-tuning job");
    if (job != NULL)
        buf_add_lit(call->out, "{\"object\":\"list\",\"data\":[],\"first_id\":null,\"last_id\":"
                               "null,\"has_more\":false}");
}
