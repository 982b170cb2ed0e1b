/* front_openai_responses_whole.c: the response object, and a whole answer as one.
 *
 * The items of a whole answer are made by the code that makes a stream's (its events are not
 * written), so that a client sees the same either way. The object repeats what the caller asked
 * for, as OpenAI's does, except where this provider did otherwise: nothing is stored.
 */
#include "data-plane/dialect/front_openai_responses.h"

const char *front_openai_responses_status(const struct front_openai_responses *state)
{
    switch (state->finish) {
    case CHAT_FINISH_LENGTH:
    case CHAT_FINISH_WINDOW:
    case CHAT_FINISH_PAUSE:
    case CHAT_FINISH_FILTER:
        return "incomplete";
    case CHAT_FINISH_REFUSAL:
        return state->refused ? "completed" : "incomplete";
    case CHAT_FINISH_NONE:
    case CHAT_FINISH_STOP:
    case CHAT_FINISH_STOP_SEQUENCE:
    case CHAT_FINISH_TOOL_CALLS:
    case CHAT_FINISH_ERROR:
        break;
    }
    return "completed";
}

/* A member as the caller gave it, or what it is when he does not. */
static void write_asked(struct dialect_call *call, struct json_writer *w, const char *name,
                        struct str otherwise)
{
    const struct json *value = json_get(call->chat->body, name);
    jw_key(w, name);
    jw_raw(w, json_is_none(value) ? otherwise : value->raw);
}

static void write_usage(struct json_writer *w, const struct slot_usage *usage)
{
    jw_object(w);
    jw_field_u64(w, "input_tokens", usage->input_tokens);
    jw_key(w, "input_tokens_details");
    jw_object(w);
    jw_field_u64(w, "cached_tokens", usage->cached_tokens);
    jw_field_u64(w, "cache_write_tokens", usage->cache_write_tokens);
    jw_end(w);
    jw_field_u64(w, "output_tokens", usage->output_tokens);
    jw_key(w, "output_tokens_details");
    jw_object(w);
    jw_field_u64(w, "reasoning_tokens", usage->reasoning_tokens);
    jw_end(w);
    jw_field_u64(w, "total_tokens", usage->input_tokens + usage->output_tokens);
    jw_end(w);
}

static void write_error(struct json_writer *w, const struct chat_error *error)
{
    jw_key(w, "error");
    if (error == NULL) {
        jw_null(w);
        return;
    }
    jw_object(w);
    jw_field_cstr(w, "code", error->http == 429 ? "rate_limit_exceeded" : "server_error");
    jw_field_str(w, "message", error->message);
    jw_end(w);
}

static void write_incomplete(struct json_writer *w, const struct front_openai_responses *state,
                             const char *status)
{
    bool filter = state->finish == CHAT_FINISH_FILTER || state->finish == CHAT_FINISH_REFUSAL;
    jw_key(w, "incomplete_details");
    if (strcmp(status, "incomplete") != 0)
        jw_null(w);
    else
        jw_raw(w, filter ? STR("{\"reason\":\"content_filter\"}")
                         : STR("{\"reason\":\"max_output_tokens\"}"));
}

static void write_request(struct dialect_call *call, struct json_writer *w)
{
    static const struct {
        const char *name;
        struct str otherwise;
    } asked[] = {
        {"instructions", {"null", 4}},
        {"max_output_tokens", {"null", 4}},
        {"max_tool_calls", {"null", 4}},
        {"metadata", {"{}", 2}},
        {"parallel_tool_calls", {"true", 4}},
        {"previous_response_id", {"null", 4}},
        {"prompt_cache_key", {"null", 4}},
        {"reasoning", {"{\"effort\":null,\"summary\":null}", 30}},
        {"safety_identifier", {"null", 4}},
        {"temperature", {"null", 4}},
        {"text", {"{\"format\":{\"type\":\"text\"}}", 26}},
        {"tool_choice", {"\"auto\"", 6}},
        {"tools", {"[]", 2}},
        {"top_logprobs", {"0", 1}},
        {"top_p", {"null", 4}},
        {"user", {"null", 4}},
    };
    for (size_t i = 0; i < COUNT_OF(asked); i++)
        write_asked(call, w, asked[i].name, asked[i].otherwise);
}

void front_openai_responses_object(struct dialect_call *call, struct json_writer *w,
                                   const char *status, const struct chat_error *error)
{
    const struct front_openai_responses *state = call->front_state;
    const struct buf *items = &call->keep[0];
    bool whole = error == NULL && strcmp(status, "in_progress") != 0;
    jw_object(w);
    jw_key(w, "id");
    jw_raw(w, STR("\"resp_"));
    buf_add_str(w->buf, call->answer_id);
    buf_add_char(w->buf, '"');
    jw_field_cstr(w, "object", "response");
    jw_field_i64(w, "created_at", call->created_s);
    jw_field_cstr(w, "status", status);
    jw_field_bool(w, "background", false);
    write_error(w, error);
    write_incomplete(w, state, status);
    jw_field_raw(w, "model", state->model.raw);
    jw_key(w, "output");
    jw_raw(w, STR("["));
    if (whole)
        buf_add_str(w->buf, buf_str(items));
    buf_add_char(w->buf, ']');
    write_request(call, w);
    jw_field_cstr(w, "service_tier", "default");
    jw_field_bool(w, "store", false);
    jw_field_cstr(w, "truncation", "disabled");
    jw_key(w, "usage");
    if (whole && call->has_usage)
        write_usage(w, &call->usage);
    else
        jw_null(w);
    jw_end(w);
}

/* --- a whole answer */

static void replay(struct dialect_call *call, const struct chat_part *part, struct str logprobs)
{
    struct chat_event event = {.kind = CHAT_EVENT_PART,
                               .part = part->kind,
                               .id = part->id,
                               .name = part->name,
                               .origin = part->origin,
                               .media = part->media,
                               .json = part->json};
    bool signed_words = part->kind == CHAT_PART_THINKING && chat_has(part->signature);
    if (part->kind != CHAT_PART_THINKING)
        event.signature = part->signature;
    front_openai_responses_event(call, &event);
    event.kind = CHAT_EVENT_DELTA;
    event.text = part->kind == CHAT_PART_TOOL_CALL ? (struct chat_text){part->json} : part->text;
    event.logprobs = logprobs;
    if (chat_has(event.text))
        front_openai_responses_event(call, &event);
    event.kind = CHAT_EVENT_CITATION;
    for (const struct chat_citation *c = part->citations; c != NULL; c = c->next) {
        event.citation = c;
        front_openai_responses_event(call, &event);
    }
    event.kind = CHAT_EVENT_SIGNATURE;
    event.signature = part->signature;
    if (signed_words)
        front_openai_responses_event(call, &event);
    event.kind = CHAT_EVENT_PART_END;
    front_openai_responses_event(call, &event);
}

void front_openai_responses_whole(struct dialect_call *call, const struct chat_answer *answer)
{
    struct front_openai_responses *state = call->front_state;
    const struct chat_answer_choice *choice = &answer->choices[0];
    struct str logprobs = choice->logprobs; /* of all texts: shown at the first */
    struct chat_event event = {.kind = CHAT_EVENT_START, .id = answer->id, .name = answer->model};
    struct json_writer w;
    state->silent = true;
    front_openai_responses_event(call, &event);
    for (const struct chat_part *part = choice->parts.first; part != NULL; part = part->next) {
        bool text = part->kind == CHAT_PART_TEXT;
        replay(call, part, text ? logprobs : STR_NONE);
        logprobs = text ? STR_NONE : logprobs;
    }
    event = (struct chat_event){.kind = CHAT_EVENT_FINISH, .finish = choice->finish};
    front_openai_responses_event(call, &event);
    event = (struct chat_event){.kind = CHAT_EVENT_END};
    front_openai_responses_event(call, &event);
    jw_init(&w, &call->out);
    front_openai_responses_object(call, &w, front_openai_responses_status(state), NULL);
}
