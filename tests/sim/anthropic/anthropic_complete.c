/* anthropic_complete.c: POST complete, the older text API, whole and streamed.
 *
 * The prompt must have the turns "\n\nHuman:" and end with "\n\nAssistant:". The answer begins with
 * a blank, as that API's did. It reports no usage; the truth log has the figures.
 */
#include "tests/sim/anthropic/anthropic.h"
#include "tests/sim/anthropic/messages.h"

static const struct shape_field complete_fields[] = {
    SHAPE_TEXT("model", true),
    SHAPE_TEXT("prompt", true),
    SHAPE_COUNT("max_tokens_to_sample", true, 0, 1 << 30),
    SHAPE_LIST("stop_sequences", false, SHAPE_STRING, NULL),
    SHAPE_DECIMAL("temperature", 0, 1),
    SHAPE_DECIMAL("top_p", 0, 1),
    SHAPE_COUNT("top_k", false, 0, 1 << 30),
    SHAPE_MEMBERS("metadata", false, NULL),
    SHAPE_FLAG("stream"),
};
static const struct shape complete_shape = SHAPE_OF(complete_fields);

struct complete {
    struct str id, model;
};

/* The words of the last human turn; p = NULL: the prompt has no turns. */
static struct str complete_user(struct str prompt)
{
    struct str human = STR("\n\nHuman:"), assistant = STR("\n\nAssistant:"), user = STR_NONE;
    prompt = str_of(prompt.p, prompt.n);
    while (prompt.n > 0 && (prompt.p[prompt.n - 1] == ' ' || prompt.p[prompt.n - 1] == '\n'))
        prompt.n--;
    if (!str_ends(prompt, assistant))
        return STR_NONE;
    struct str rest = str_head(prompt, prompt.n - assistant.n);
    for (ptrdiff_t at = str_find(rest, human); at >= 0; at = str_find(rest, human)) {
        rest = str_from(rest, (size_t)at + human.n);
        user = str_trim(rest);
    }
    return user;
}

static void complete_write(struct json_writer *w, const struct complete *complete, struct str text,
                           bool blank, const struct answer *answer)
{
    const char *reason = answer == NULL ? NULL : answer->cut ? "max_tokens" : "stop_sequence";
    jw_object(w);
    jw_field_cstr(w, "type", "completion");
    jw_field_str(w, "id", complete->id);
    jw_key(w, "completion");
    if (blank) {
        struct buf words;
        buf_init(&words, SIM_TEXT_MAX);
        buf_add_char(&words, ' ');
        buf_add_str(&words, text);
        jw_str(w, buf_str(&words));
        buf_free(&words);
    } else {
        jw_str(w, text);
    }
    jw_field_cstr(w, "stop_reason", reason);
    jw_key(w, "stop");
    if (answer == NULL || answer->cut)
        jw_null(w);
    else
        jw_str(w, answer->stopped_by.p != NULL ? answer->stopped_by : STR("\n\nHuman:"));
    jw_field_str(w, "model", complete->model);
    jw_field_str(w, "log_id", complete->id);
    jw_end(w);
}

static void complete_event(struct stream *stream, struct str text, const struct answer *answer,
                           struct buf *out)
{
    struct json_writer w;
    buf_add_lit(out, "event: completion\r\ndata: ");
    jw_init(&w, out);
    complete_write(&w, stream->context, text, stream->sent == 0 && answer == NULL, answer);
    buf_add_lit(out, "\r\n\r\n");
}

static void complete_begin(struct stream *stream, struct buf *out)
{
    (void)stream;
    buf_add_lit(out, "event: ping\r\ndata: {\"type\": \"ping\"}\r\n\r\n");
}

static void complete_piece(struct stream *stream, struct str text, struct buf *out)
{
    complete_event(stream, text, NULL, out);
}

static void complete_end(struct stream *stream, struct buf *out)
{
    complete_event(stream, STR(""), &stream->answer, out);
}

static void complete_error(struct stream *stream, struct buf *out)
{
    (void)stream;
    buf_add_lit(out, "event: error\r\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_"
                     "error\",\"message\":\"Overloaded\"}}\r\n\r\n");
}

static const struct stream_ops complete_ops = {
    .begin = complete_begin, .piece = complete_piece, .end = complete_end, .error = complete_error};

/* False: an error is the outcome. */
static bool complete_read(struct call *call, struct answer_ask *ask)
{
    static const struct shape_style style = {.tags = true};
    struct shape_fault fault;
    bool latest = false;
    if (!anthropic_check_version(call, &latest))
        return false;
    if (call->root == NULL ||
        !shape_check(call->root, &complete_shape, &style, call->arena, &fault)) {
        if (call->root != NULL)
            messages_refuse_shape(call, &fault);
        else
            call_error(call, 400, NULL, NULL, "A JSON body is required.");
        return false;
    }
    call->model = arena_str(call->keep, call_text(call, call->root, "model"));
    const struct claude *claude = claude_find(&call->sim->options, call->model);
    if (claude == NULL || (!str_starts(call->model, STR("claude-2")) && claude->name[0] != '\0')) {
        call_error(call, claude == NULL ? 404 : 400, NULL, NULL,
                   claude == NULL ? "model: " STR_FMT
                                  : "\"" STR_FMT "\" is not supported on this API. Please use the "
                                    "Messages API instead.",
                   STR_ARG(str_head(call->model, 300)));
        return false;
    }
    struct str prompt = call_text(call, call->root, "prompt");
    *ask = (struct answer_ask){.user = complete_user(prompt),
                               .usage.prompt = usage_tokens(prompt.n),
                               .stops = json_get(call->root, "stop_sequences"),
                               .choices = 1};
    if (ask->user.p == NULL) {
        call_error(call, 400, NULL, NULL,
                   "prompt must start with \"\\n\\nHuman:\" turn and end with "
                   "\"\\n\\nAssistant:\" turn");
        return false;
    }
    return call_number(call, "max_tokens_to_sample", 0, 1 << 30, FAULT_NONE, &ask->max_tokens);
}

void anthropic_complete(struct call *call)
{
    struct answer_ask ask;
    struct answer answer;
    struct json_writer w;
    if (!complete_read(call, &ask))
        return;
    struct complete *complete = arena_calloc(call->keep, 1, sizeof *complete);
    if (complete == NULL || answer_make(call, &ask, &answer) != ST_OK) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return;
    }
    *complete = (struct complete){.id = sim_make_id(call->keep, "compl_"), .model = call->model};
    if (call_flag(call->root, "stream")) {
        stream_start(call, &complete_ops, &answer, complete);
        return;
    }
    jw_init(&w, call->out);
    complete_write(&w, complete, answer_text(&answer), true, &answer);
    call->usage = answer.usage;
}
