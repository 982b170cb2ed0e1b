/* api_chat.c: POST chat/completions, complete and streamed.
 *
 * The answer is made first (answer.c); a complete reply and a stream are two ways of writing it.
 * With n > 1 every choice says the same. In a stream every chunk carries the same id, and "usage":
 * null when usage was asked for, as at OpenAI.
 */
#include "tests/sim/api.h"
#include "tests/sim/stream.h"

#define CHAT_CHOICES_MAX 128
#define CHAT_TOKENS_MAX  (1 << 30)

struct chat_context {
    struct str id, model;
    int64_t created_s;
    bool include_usage;
};

static void chat_write_common(struct json_writer *w, const struct chat_context *chat,
                              const char *object)
{
    jw_field_str(w, "id", chat->id);
    jw_field_cstr(w, "object", object);
    jw_field_i64(w, "created", chat->created_s);
    jw_field_str(w, "model", chat->model);
    jw_field_cstr(w, "service_tier", "default");
    jw_field_cstr(w, "system_fingerprint", "fp_sim");
}

static const char *chat_finish_reason(const struct answer *answer)
{
    if (answer->refused)
        return "content_filter";
    if (answer->cut)
        return "length";
    return answer_first(answer, ANSWER_CALL) != NULL ? "tool_calls" : "stop";
}

/* One call; in a stream (`index` not negative) without its arguments. */
static void chat_write_call(struct json_writer *w, const struct answer_block *block, int64_t index)
{
    jw_object(w);
    if (index >= 0)
        jw_field_i64(w, "index", index);
    jw_field_str(w, "id", block->id);
    jw_field_cstr(w, "type", "function");
    jw_key(w, "function");
    jw_object(w);
    jw_field_str(w, "name", block->name);
    jw_field_str(w, "arguments", index >= 0 ? STR("") : block->text);
    jw_end(w);
    jw_end(w);
}

static void chat_write_calls(struct json_writer *w, const struct answer *answer)
{
    if (answer_first(answer, ANSWER_CALL) == NULL)
        return;
    jw_key(w, "tool_calls");
    jw_array(w);
    for (size_t i = 0; i < answer->count; i++) {
        if (answer->blocks[i].kind == ANSWER_CALL)
            chat_write_call(w, &answer->blocks[i], -1);
    }
    jw_end(w);
}

static void chat_write_choice(struct json_writer *w, const struct answer *answer, uint64_t index)
{
    jw_object(w);
    jw_field_u64(w, "index", index);
    jw_key(w, "message");
    jw_object(w);
    jw_field_cstr(w, "role", "assistant");
    jw_key(w, "content");
    if (answer_text(answer).p == NULL)
        jw_null(w);
    else
        jw_str(w, answer_text(answer));
    chat_write_calls(w, answer);
    jw_field_cstr(w, "refusal", NULL);
    jw_key(w, "annotations");
    jw_array(w);
    jw_end(w);
    jw_end(w);
    jw_field_cstr(w, "logprobs", NULL);
    jw_field_cstr(w, "finish_reason", chat_finish_reason(answer));
    jw_end(w);
}

static void chat_write_complete(struct call *call, const struct chat_context *chat,
                                const struct answer *answer)
{
    struct json_writer w;
    jw_init(&w, call->out);
    jw_object(&w);
    chat_write_common(&w, chat, "chat.completion");
    jw_key(&w, "choices");
    jw_array(&w);
    for (uint64_t i = 0; i < answer->choices; i++)
        chat_write_choice(&w, answer, i);
    jw_end(&w);
    jw_key(&w, "usage");
    call_write_usage(&w, &answer->usage);
    jw_end(&w);
    call->usage = answer->usage;
}

enum chat_delta { DELTA_ROLE, DELTA_CALL, DELTA_TEXT, DELTA_FINISH };

/* The place of the open block among the calls. */
static int64_t chat_call_index(const struct stream *stream)
{
    int64_t index = 0;
    for (size_t i = 0; i < stream->block; i++)
        index += stream->answer.blocks[i].kind == ANSWER_CALL ? 1 : 0;
    return index;
}

/* The role comes with the first call if the answer begins with one, as at OpenAI. */
static void chat_write_delta(struct json_writer *w, const struct stream *stream,
                             enum chat_delta kind, struct str text)
{
    const struct answer_block *first = &stream->answer.blocks[0];
    bool begins_with_call = first->kind == ANSWER_CALL;
    jw_key(w, "delta");
    jw_object(w);
    if (kind == DELTA_ROLE) {
        jw_field_cstr(w, "role", "assistant");
        jw_field_cstr(w, "content", begins_with_call ? NULL : "");
    }
    if (kind == DELTA_CALL || (kind == DELTA_ROLE && begins_with_call)) {
        jw_key(w, "tool_calls");
        jw_array(w);
        chat_write_call(w, kind == DELTA_ROLE ? first : stream_block(stream),
                        kind == DELTA_ROLE ? 0 : chat_call_index(stream));
        jw_end(w);
    }
    if (kind == DELTA_ROLE)
        jw_field_cstr(w, "refusal", NULL);
    if (kind == DELTA_TEXT && stream_block(stream)->kind == ANSWER_CALL) {
        struct json_writer function;
        buf_printf(w->buf, "\"tool_calls\":[{\"index\":%lld,\"function\":",
                   (long long)chat_call_index(stream));
        jw_init(&function, w->buf);
        jw_object(&function);
        jw_field_str(&function, "arguments", text);
        jw_end(&function);
        buf_add_lit(w->buf, "}]");
    } else if (kind == DELTA_TEXT) {
        jw_field_str(w, "content", text);
    }
    jw_end(w);
}

/* One event for every choice. */
static void chat_add_events(struct stream *stream, enum chat_delta kind, struct str text,
                            struct buf *out)
{
    const struct chat_context *chat = stream->context;
    for (uint64_t i = 0; i < stream->answer.choices; i++) {
        struct json_writer w;
        buf_add_lit(out, "data: ");
        jw_init(&w, out);
        jw_object(&w);
        chat_write_common(&w, chat, "chat.completion.chunk");
        jw_key(&w, "choices");
        jw_array(&w);
        jw_object(&w);
        jw_field_u64(&w, "index", i);
        chat_write_delta(&w, stream, kind, text);
        jw_field_cstr(&w, "logprobs", NULL);
        jw_field_cstr(&w, "finish_reason",
                      kind == DELTA_FINISH ? chat_finish_reason(&stream->answer) : NULL);
        jw_end(&w);
        jw_end(&w);
        if (chat->include_usage)
            jw_field_cstr(&w, "usage", NULL);
        jw_end(&w);
        buf_add_lit(out, "\n\n");
    }
}

static void chat_stream_begin(struct stream *stream, struct buf *out)
{
    chat_add_events(stream, DELTA_ROLE, STR_NONE, out);
}

static void chat_stream_open(struct stream *stream, struct buf *out)
{
    if (stream->block > 0 && stream_block(stream)->kind == ANSWER_CALL)
        chat_add_events(stream, DELTA_CALL, STR_NONE, out);
}

static void chat_stream_piece(struct stream *stream, struct str text, struct buf *out)
{
    chat_add_events(stream, DELTA_TEXT, text, out);
}

static void chat_stream_end(struct stream *stream, struct buf *out)
{
    const struct chat_context *chat = stream->context;
    chat_add_events(stream, DELTA_FINISH, STR_NONE, out);
    if (chat->include_usage) {
        struct json_writer w;
        buf_add_lit(out, "data: ");
        jw_init(&w, out);
        jw_object(&w);
        chat_write_common(&w, chat, "chat.completion.chunk");
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

static void chat_stream_error(struct stream *stream, struct buf *out)
{
    (void)stream;
    buf_add_lit(out, "data: ");
    call_write_stream_error(out);
    buf_add_lit(out, "\n\n");
}

static const struct stream_ops chat_stream = {.begin = chat_stream_begin,
                                              .open = chat_stream_open,
                                              .piece = chat_stream_piece,
                                              .end = chat_stream_end,
                                              .error = chat_stream_error};

/* Instructions behind the talk do not end it. */
static bool is_instruction(struct call *call, const struct json *message)
{
    struct str role = call_text(call, message, "role");
    return str_eq(role, STR("system")) || str_eq(role, STR("developer"));
}

/* What is asked for: the last message, the shape of the answer, the bounds. False: an error is the
 * outcome. */
static bool chat_read_ask(struct call *call, struct answer_ask *ask, struct toolbox *toolbox)
{
    const struct json *messages = json_get(call->root, "messages"), *last = NULL;
    const struct json *format = json_get(call->root, "response_format");
    int64_t choices = 1, newer = FAULT_NONE;
    if (!json_is(messages, JSON_ARRAY) || messages->count == 0) {
        call_error(call, 400, NULL, "messages", "Missing required parameter: 'messages'.");
        return false;
    }
    for (const struct json *m = messages->first; m != NULL; m = m->next)
        last = last == NULL || !is_instruction(call, m) ? m : last;
    *ask = (struct answer_ask){.user = answer_content_text(call, json_get(last, "content")),
                               .stops = json_get(call->root, "stop"),
                               .call_prefix = "call_"};
    if (usage_chat(call->root, call->arena, &ask->usage.prompt) != ST_OK || ask->user.p == NULL ||
        tools_read(toolbox, call->root, call->arena) != ST_OK) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return false;
    }
    if (!call_number(call, "max_tokens", 0, CHAT_TOKENS_MAX, FAULT_NONE, &ask->max_tokens) ||
        !call_number(call, "max_completion_tokens", 0, CHAT_TOKENS_MAX, FAULT_NONE, &newer) ||
        !call_number(call, "n", 1, CHAT_CHOICES_MAX, 1, &choices))
        return false;
    if (newer >= 0)
        ask->max_tokens = newer;
    ask->choices = (uint64_t)choices;
    struct str type = call_text(call, format, "type");
    ask->json = str_eq(type, STR("json_object"));
    if (str_eq(type, STR("json_schema")))
        ask->schema = json_get(json_get(format, "json_schema"), "schema");
    if (str_eq(call_text(call, last, "role"), STR("user")))
        ask->toolbox = toolbox;
    return true;
}

void api_chat_run(struct call *call)
{
    struct answer_ask ask;
    struct toolbox toolbox;
    struct answer answer;
    if (!chat_read_ask(call, &ask, &toolbox))
        return;
    struct chat_context *chat = arena_calloc(call->keep, 1, sizeof *chat);
    if (chat == NULL || answer_make(call, &ask, &answer) != ST_OK) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return;
    }
    *chat = (struct chat_context){
        .id = sim_make_id(call->keep, "chatcmpl-"),
        .model = call->model,
        .created_s = sim_now_s(),
        .include_usage = call_flag(json_get(call->root, "stream_options"), "include_usage"),
    };
    if (call_flag(call->root, "stream"))
        stream_start(call, &chat_stream, &answer, chat);
    else
        chat_write_complete(call, chat, &answer);
}

void api_chat_create(struct call *call)
{
    if (call_model(call))
        api_chat_run(call);
}
