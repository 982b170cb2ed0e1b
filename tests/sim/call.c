/* call.c: see call.h: reading parameters, and how a handler fails.
 *
 * A handler makes at most one error the outcome: what was written before is dropped. The words and
 * the shape of an error are the family's.
 */
#include "tests/sim/call.h"

#include "tests/sim/family.h"

#include <stdarg.h>
#include <stdio.h>

const struct family *call_family(const struct call *call)
{
    if (call->family != NULL)
        return call->family;
    return call->req == NULL ? &family_openai : call->req->family;
}

void call_write_stream_error(struct buf *out)
{
    struct failure failure = {.status = 500};
    family_openai.error(out, &failure);
}

void call_error(struct call *call, int status, const char *code, const char *param,
                const char *format, ...)
{
    char message[1024] = "";
    size_t before = 0;
    va_list args;
    if (call->error_prefix != NULL) {
        (void)snprintf(message, sizeof message, "%s", call->error_prefix);
        before = strlen(message);
    }
    va_start(args, format);
    int n = vsnprintf(message + before, sizeof message - before, format, args);
    va_end(args);
    CHECK(n >= 0);
    buf_clear(call->out);
    call->status = status;
    call->source = NULL;
    call->content_type = NULL;
    struct failure failure = {.req = call->req,
                              .status = status,
                              .code = code,
                              .param = param,
                              .message = str_c(message)};
    call_family(call)->error(call->out, &failure);
}

void call_no_object(struct call *call, const char *what)
{
    call_error(call, 404, NULL, "id", "No such %s object: " STR_FMT, what,
               STR_ARG(str_head(call->id, 200)));
}

bool call_model_named(struct call *call, struct str name)
{
    ptrdiff_t magic = str_find(name, STR(FAULT_MAGIC));
    if (magic >= 0) {
        name = str_head(name, (size_t)magic);
        while (name.n > 0 && (name.p[name.n - 1] == ' ' || name.p[name.n - 1] == ';'))
            name.n--;
    }
    call->model = arena_str(call->keep, name);
    if (call->model.p == NULL) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return false;
    }
    if (models_find(&call->sim->options, call->model, &call->model_row) == ST_OK)
        return true;
    call_error(call, 404, "model_not_found", NULL,
               "The model `" STR_FMT "` does not exist or you do not have access to it.",
               STR_ARG(str_head(name, 300)));
    return false;
}

bool call_model(struct call *call)
{
    struct str name =
        call->root == NULL ? call_field(call, "model") : call_text(call, call->root, "model");
    if (name.p != NULL)
        return call_model_named(call, name);
    call_error(call, 400, NULL, NULL, "you must provide a model parameter");
    return false;
}

struct str call_field(const struct call *call, const char *name)
{
    return call->req == NULL ? STR_NONE : form_field(call->req->form, name);
}

struct str call_query(const struct call *call, const char *name)
{
    return call->req == NULL ? STR_NONE : request_query(call->req, name);
}

struct str call_text(const struct call *call, const struct json *node, const char *name)
{
    struct str text = STR_NONE;
    const struct json *member = json_get(node, name);
    if (!json_is(member, JSON_STRING) || json_text(member, call->arena, &text) != ST_OK)
        return STR_NONE;
    return text.p == NULL ? STR("") : text;
}

bool call_number(struct call *call, const char *name, int64_t min, int64_t max, int64_t otherwise,
                 int64_t *value)
{
    const struct json *member = json_get(call->root, name);
    int64_t number = otherwise;
    if (!json_is_none(member) &&
        (json_i64(member, &number) != ST_OK || number < min || number > max)) {
        call_error(call, 400, "invalid_value", name,
                   "Invalid value for '%s': expected an integer from %lld to %lld.", name,
                   (long long)min, (long long)max);
        return false;
    }
    *value = number;
    return true;
}

int64_t call_integer(const struct json *node, const char *name, int64_t otherwise)
{
    int64_t value = otherwise;
    return json_i64(json_get(node, name), &value) == ST_OK ? value : otherwise;
}

bool call_flag(const struct json *node, const char *name)
{
    bool value = false;
    return json_bool(json_get(node, name), &value) == ST_OK && value;
}

void call_write_usage(struct json_writer *w, const struct usage *usage)
{
    jw_object(w);
    jw_field_u64(w, "prompt_tokens", usage->prompt);
    jw_field_u64(w, "completion_tokens", usage->completion);
    jw_field_u64(w, "total_tokens", usage->prompt + usage->completion);
    jw_key(w, "prompt_tokens_details");
    jw_object(w);
    jw_field_u64(w, "cached_tokens", usage->cached);
    jw_field_u64(w, "audio_tokens", 0);
    jw_end(w);
    jw_key(w, "completion_tokens_details");
    jw_object(w);
    jw_field_u64(w, "reasoning_tokens", usage->reasoning);
    jw_field_u64(w, "audio_tokens", 0);
    jw_field_u64(w, "accepted_prediction_tokens", 0);
    jw_field_u64(w, "rejected_prediction_tokens", 0);
    jw_end(w);
    jw_end(w);
}

void call_write_usage_responses(struct json_writer *w, const struct usage *usage)
{
    jw_object(w);
    jw_field_u64(w, "input_tokens", usage->prompt);
    jw_key(w, "input_tokens_details");
    jw_object(w);
    jw_field_u64(w, "cached_tokens", usage->cached);
    jw_field_u64(w, "cache_write_tokens", 0);
    jw_end(w);
    jw_field_u64(w, "output_tokens", usage->completion);
    jw_key(w, "output_tokens_details");
    jw_object(w);
    jw_field_u64(w, "reasoning_tokens", usage->reasoning);
    jw_end(w);
    jw_field_u64(w, "total_tokens", usage->prompt + usage->completion);
    jw_end(w);
}
