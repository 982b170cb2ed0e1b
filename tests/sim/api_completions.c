/* api_completions.c: POST completions, the older text API, complete and streamed.
 *
 * One choice per prompt and per n (index = prompt * n + choice). All choices answer the last
 * prompt: what matters to a gateway is their number and the usage. max_tokens is 16 unless given,
 * as at OpenAI.
 */
#include "tests/sim/api.h"
#include "tests/sim/stream.h"

#define COMPLETIONS_CHOICES_MAX 2048
#define COMPLETIONS_TOKENS_MAX  (1 << 30)

struct completion_context {
    struct str id, model;
    int64_t created_s;
    bool include_usage;
};

static void completion_write_common(struct json_writer *w, const struct completion_context *context)
{
    jw_field_str(w, "id", context->id);
    jw_field_cstr(w, "object", "text_completion");
    jw_field_i64(w, "created", context->created_s);
    jw_field_str(w, "model", context->model);
}

static void completion_write_choice(struct json_writer *w, uint64_t index, struct str text,
                                    const char *finish)
{
    jw_object(w);
    jw_field_str(w, "text", text);
    jw_field_u64(w, "index", index);
    jw_field_cstr(w, "logprobs", NULL);
    jw_field_cstr(w, "finish_reason", finish);
    jw_end(w);
}

static const char *completion_finish(const struct answer *answer)
{
    return answer->refused ? "content_filter" : answer->cut ? "length" : "stop";
}

static void completion_events(struct stream *stream, struct str text, const char *finish,
                              struct buf *out)
{
    const struct completion_context *context = stream->context;
    for (uint64_t i = 0; i < stream->answer.choices; i++) {
        struct json_writer w;
        buf_add_lit(out, "data: ");
        jw_init(&w, out);
        jw_object(&w);
        completion_write_common(&w, context);
        jw_key(&w, "choices");
        jw_array(&w);
        completion_write_choice(&w, i, text, finish);
        jw_end(&w);
        if (context->include_usage)
            jw_field_cstr(&w, "usage", NULL);
        jw_end(&w);
        buf_add_lit(out, "\n\n");
    }
}

static void completion_begin(struct stream *stream, struct buf *out)
{
    (void)stream;
    (void)out;
}

static void completion_piece(struct stream *stream, struct str text, struct buf *out)
{
    completion_events(stream, text, NULL, out);
}

static void completion_end(struct stream *stream, struct buf *out)
{
    const struct completion_context *context = stream->context;
    completion_events(stream, STR(""), completion_finish(&stream->answer), out);
    if (context->include_usage) {
        struct json_writer w;
        buf_add_lit(out, "data: ");
        jw_init(&w, out);
        jw_object(&w);
        completion_write_common(&w, context);
        jw_key(&w, "choices");
        jw_array(&w);
        jw_end(&w);
        jw_key(&w, "usage");
        call_write_usage(&w, &stream->answer.usage);
        jw_end(&w);
        buf_add_lit(out, "\n\n");
    }
    buf_add_lit(out, "data: [DONE]\n\n");
}

static void completion_error(struct stream *stream, struct buf *out)
{
    (void)stream;
    buf_add_lit(out, "data: ");
    call_write_stream_error(out);
    buf_add_lit(out, "\n\n");
}

static const struct stream_ops completion_stream = {.begin = completion_begin,
                                                    .piece = completion_piece,
                                                    .end = completion_end,
                                                    .error = completion_error};

static void completion_write(struct call *call, const struct completion_context *context,
                             const struct answer *answer)
{
    struct json_writer w;
    jw_init(&w, call->out);
    jw_object(&w);
    completion_write_common(&w, context);
    jw_key(&w, "choices");
    jw_array(&w);
    for (uint64_t i = 0; i < answer->choices; i++)
        completion_write_choice(&w, i, answer_text(answer), completion_finish(answer));
    jw_end(&w);
    jw_key(&w, "usage");
    call_write_usage(&w, &answer->usage);
    jw_end(&w);
    call->usage = answer->usage;
}

/* False: an error is the outcome. */
static bool completion_read_ask(struct call *call, struct answer_ask *ask)
{
    const struct json *prompt = json_get(call->root, "prompt");
    int64_t choices = 1;
    uint64_t prompts = 1;
    *ask = (struct answer_ask){.user = STR(""), .stops = json_get(call->root, "stop")};
    if (!json_is_none(prompt) && usage_input(prompt, call->arena, &ask->usage.prompt) != ST_OK) {
        call_error(call, 400, NULL, "prompt", "Invalid type for 'prompt'.");
        return false;
    }
    if (json_is(prompt, JSON_ARRAY) && prompt->count > 0 && prompt->first->type != JSON_NUMBER)
        prompts = prompt->count;
    const struct json *last = json_is(prompt, JSON_ARRAY) && prompt->count > 0
                                  ? json_at(prompt, prompt->count - 1)
                                  : prompt;
    if (json_is(last, JSON_STRING) && json_text(last, call->arena, &ask->user) != ST_OK)
        return false;
    if (!call_number(call, "max_tokens", 0, COMPLETIONS_TOKENS_MAX, 16, &ask->max_tokens) ||
        !call_number(call, "n", 1, 128, 1, &choices))
        return false;
    ask->choices = prompts * (uint64_t)choices;
    if (ask->choices <= COMPLETIONS_CHOICES_MAX)
        return true;
    call_error(call, 400, NULL, "prompt", "Too many prompts.");
    return false;
}

void api_completions_create(struct call *call)
{
    struct answer_ask ask;
    struct answer answer;
    if (!call_model(call) || !completion_read_ask(call, &ask))
        return;
    struct completion_context *context = arena_calloc(call->keep, 1, sizeof *context);
    if (context == NULL || answer_make(call, &ask, &answer) != ST_OK) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return;
    }
    *context = (struct completion_context){
        .id = sim_make_id(call->keep, "cmpl-"),
        .model = call->model,
        .created_s = sim_now_s(),
        .include_usage = call_flag(json_get(call->root, "stream_options"), "include_usage"),
    };
    if (call_flag(call->root, "stream"))
        stream_start(call, &completion_stream, &answer, context);
    else
        completion_write(call, context, &answer);
}
