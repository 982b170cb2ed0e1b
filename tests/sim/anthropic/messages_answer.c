/* messages_answer.c: the message object, whole (messages.h).
 *
 * Every member of the API's reply is there, null where nothing is to be said, as API version
 * 2026-10-21 promises and the version before it does, too (but for citations of a text). input_tokens never holds what was read
 * from or written to the cache.
 */
#include "tests/sim/anthropic/messages.h"
#include "tests/sim/sim.h"

static const char *messages_stop_reason(const struct answer *answer)
{
    if (answer->refused)
        return "refusal";
    if (answer->cut)
        return "max_tokens";
    if (answer->stopped_by.p != NULL)
        return "stop_sequence";
    return answer_first(answer, ANSWER_CALL) != NULL ? "tool_use" : "end_turn";
}

void messages_write_stop(struct json_writer *w, const struct answer *answer)
{
    bool stopped = answer != NULL && answer->stopped_by.p != NULL && !answer->refused;
    jw_field_cstr(w, "stop_reason", answer == NULL ? NULL : messages_stop_reason(answer));
    jw_key(w, "stop_sequence");
    if (stopped)
        jw_str(w, answer->stopped_by);
    else
        jw_null(w);
    jw_field_raw(w, "stop_details",
                 answer != NULL && answer->refused
                     ? STR("{\"type\":\"refusal\",\"category\":\"general_harms\","
                           "\"explanation\":\"The simulator was asked to refuse.\"}")
                     : STR("null"));
}

void messages_write_usage(struct json_writer *w, const struct usage *usage, bool whole)
{
    jw_object(w);
    jw_field_u64(w, "input_tokens", usage->prompt - usage->cached - usage->cache_write);
    jw_field_u64(w, "cache_creation_input_tokens", usage->cache_write);
    jw_field_u64(w, "cache_read_input_tokens", usage->cached);
    if (whole) {
        jw_key(w, "cache_creation");
        jw_object(w);
        jw_field_u64(w, "ephemeral_5m_input_tokens", usage->cache_write - usage->cache_write_1h);
        jw_field_u64(w, "ephemeral_1h_input_tokens", usage->cache_write_1h);
        jw_end(w);
    }
    jw_field_u64(w, "output_tokens", usage->completion);
    jw_key(w, "output_tokens_details");
    jw_object(w);
    jw_field_u64(w, "thinking_tokens", usage->reasoning);
    jw_end(w);
    jw_field_cstr(w, "server_tool_use", NULL);
    if (whole) {
        jw_field_cstr(w, "service_tier", "standard");
        jw_field_cstr(w, "inference_geo", "global");
        jw_field_cstr(w, "speed", "standard");
    }
    jw_end(w);
}

static void messages_write_thought(struct json_writer *w, struct arena *arena,
                                   const struct messages_reply *reply,
                                   const struct answer_block *block, bool begins)
{
    if (reply->redacted) {
        jw_field_cstr(w, "type", "redacted_thinking");
        jw_field_str(w, "data", sim_sign(arena, STR("redacted"), reply->seed));
        return;
    }
    jw_field_cstr(w, "type", "thinking");
    jw_field_str(w, "thinking", begins ? STR("") : block->text);
    jw_field_str(w, "signature", begins ? STR("") : sim_sign(arena, block->text, reply->seed));
}

void messages_write_block(struct json_writer *w, struct arena *arena,
                          const struct messages_reply *reply, const struct answer_block *block,
                          bool begins)
{
    jw_object(w);
    switch (block->kind) {
    case ANSWER_THOUGHT:
        messages_write_thought(w, arena, reply, block, begins);
        break;
    case ANSWER_TEXT:
        jw_field_cstr(w, "type", "text");
        jw_field_str(w, "text", begins ? STR("") : block->text);
        if (reply->latest)
            jw_field_cstr(w, "citations", NULL);
        break;
    case ANSWER_IMAGE: /* not asked for here */
        break;
    case ANSWER_CALL:
        jw_field_cstr(w, "type", "tool_use");
        jw_field_str(w, "id", block->id);
        jw_field_str(w, "name", block->name);
        jw_field_raw(w, "input", begins || block->cut ? STR("{}") : block->text);
        jw_field_raw(w, "caller", STR("{\"type\":\"direct\"}"));
        break;
    }
    jw_end(w);
}

void messages_write(struct json_writer *w, struct arena *arena, const struct messages_reply *reply,
                    const struct answer *answer, const struct usage *usage)
{
    jw_object(w);
    jw_field_str(w, "id", reply->id);
    jw_field_cstr(w, "type", "message");
    jw_field_cstr(w, "role", "assistant");
    jw_field_str(w, "model", reply->model);
    jw_key(w, "content");
    jw_array(w);
    for (size_t i = 0; answer != NULL && i < answer->count; i++) {
        const struct answer_block *block = &answer->blocks[i];
        if (block->text.n > 0 || block->kind != ANSWER_TEXT)
            messages_write_block(w, arena, reply, block, false);
    }
    jw_end(w);
    messages_write_stop(w, answer);
    jw_field_cstr(w, "container", NULL);
    jw_field_cstr(w, "diagnostics", NULL);
    jw_key(w, "usage");
    messages_write_usage(w, usage, true);
    jw_end(w);
}

void messages_answer(const struct messages *messages, bool stream, messages_frame *frame)
{
    struct call *call = messages->call;
    struct answer_ask ask;
    struct toolbox toolbox;
    struct answer answer;
    struct json_writer w;
    if (!messages_check(messages) || !messages_read(messages, &ask, &toolbox))
        return;
    struct messages_reply *reply = arena_calloc(call->keep, 1, sizeof *reply);
    if (reply == NULL || answer_make(call, &ask, &answer) != ST_OK) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return;
    }
    *reply = (struct messages_reply){
        .latest = messages->latest,
        .id = sim_make_id(call->keep, "msg_"),
        .model = messages->claude->name[0] == '\0' ? call->model : str_c(messages->claude->name),
        .redacted = messages_is_redacted(ask.user),
        .seed = sim_hash(ask.user, 0),
        .frame = frame};
    if (stream) {
        messages_stream(call, &answer, reply);
        return;
    }
    jw_init(&w, call->out);
    messages_write(&w, call->arena, reply, &answer, &answer.usage);
    call->usage = answer.usage;
}
