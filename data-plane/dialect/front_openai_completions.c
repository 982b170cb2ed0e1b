/* front_openai_completions.c: the older /v1/completions for providers that only chat.
 *
 * The prompt is one message of the user, and the answer's words are the completion; thinking and
 * tool calls have no place in it. What a chat cannot do (going on from tokens, filling in before a
 * suffix, repeating the prompt, several prompts) is refused by its name. Without max_tokens the
 * provider's own limit holds, not the 16 tokens of the old API. Source: OpenAI API reference,
 * "Create completion".
 */
#include "data-plane/dialect/front_openai_chat.h"

#define CHAT_REMEDY                                                                                \
    "Send it to /v1/chat/completions, or name a model whose provider completes text."

struct front_openai_completions {
    struct str prefix; /* of every chunk: {"id":...,"model":..., */
};

static const char *const read_members[] = {NULL};

static struct front_openai_completions *state_of(struct dialect_call *call)
{
    return call->front_state;
}

/* --- the request */

static enum status refuse(struct dialect_call *call, const char *field, const char *remedy)
{
    return dialect_refuse(call, ST_INVALID,
                          "%s: provider @" STR_FMT " (" STR_FMT ") answers chats only. %s", field,
                          STR_ARG(call->target->provider), STR_ARG(call->target->service), remedy);
}

static enum status read_prompt(struct dialect_call *call, const struct json *prompt,
                               struct chat *chat)
{
    if (json_is(prompt, JSON_ARRAY)) {
        if (prompt->count > 1 && json_is(prompt->first, JSON_STRING))
            return refuse(call, "prompt", "Send one prompt in a request.");
        if (prompt->count > 0 && !json_is(prompt->first, JSON_STRING))
            return refuse(call, "prompt", "Send text instead of tokens.");
        prompt = prompt->first;
    }
    if (!json_is(prompt, JSON_STRING))
        return dialect_refuse(call, ST_INVALID, "prompt: a string is required.");
    struct chat_message *message =
        chat_add_message(call->arena, chat, CHAT_ROLE_USER, CHAT_NO_INDEX);
    struct chat_part *part =
        message == NULL ? NULL : chat_add_part(call->arena, &message->parts, CHAT_PART_TEXT);
    if (part == NULL)
        return dialect_refuse(call, ST_NO_MEMORY, "Not enough memory.");
    part->text = chat_text_of(prompt);
    part->place = (struct chat_place){"prompt", NULL, CHAT_NO_INDEX, CHAT_NO_INDEX};
    return ST_OK;
}

/* What a chat has no word for; a value that asks for nothing is overlooked. */
static enum status check_rest(struct dialect_call *call, const struct json *body)
{
    static const struct {
        const char *name, *plain;
    } none[] = {{"echo", "false"}, {"suffix", "\"\""}, {"logprobs", "0"}, {"best_of", "1"}};
    for (size_t i = 0; i < COUNT_OF(none); i++) {
        const struct json *value = json_get(body, none[i].name);
        if (!json_is_none(value) && !str_eq(value->raw, str_c(none[i].plain)))
            return refuse(call, none[i].name, CHAT_REMEDY);
    }
    return ST_OK;
}

/* Members that mean the same in a chat. */
static enum status take_members(struct dialect_call *call, const struct json *body,
                                struct chat *chat)
{
    static const enum chat_param_name same[] = {CHAT_PARAM_MAX_TOKENS,
                                                CHAT_PARAM_TEMPERATURE,
                                                CHAT_PARAM_TOP_P,
                                                CHAT_PARAM_TOP_K,
                                                CHAT_PARAM_STOP,
                                                CHAT_PARAM_SEED,
                                                CHAT_PARAM_N,
                                                CHAT_PARAM_PRESENCE_PENALTY,
                                                CHAT_PARAM_FREQUENCY_PENALTY,
                                                CHAT_PARAM_LOGIT_BIAS,
                                                CHAT_PARAM_USER};
    static const char *const read[] = {"model", "prompt", "stream",   "stream_options",
                                       "echo",  "suffix", "logprobs", "best_of"};
    for (const struct json *m = body->first; m != NULL; m = m->next) {
        size_t i = 0, k = 0;
        while (i < COUNT_OF(same) && !str_eq(m->key, str_c(params_text(same[i]))))
            i++;
        while (k < COUNT_OF(read) && !str_eq(m->key, str_c(read[k])))
            k++;
        if (m->type == JSON_NULL || k < COUNT_OF(read))
            continue;
        if (i < COUNT_OF(same))
            chat->params[same[i]] = (struct chat_param){m, params_text(same[i])};
        else if (chat_add_extra(call->arena, chat, m) != ST_OK)
            return dialect_refuse(call, ST_NO_MEMORY, "Not enough memory.");
    }
    return ST_OK;
}

static enum status read(struct dialect_call *call, const struct json *body, struct chat *chat)
{
    const struct json *usage = json_get(json_get(body, "stream_options"), "include_usage");
    chat->stream = json_is(json_get(body, "stream"), JSON_TRUE);
    chat->stream_usage = json_is(usage, JSON_TRUE);
    TRY(check_rest(call, body));
    TRY(take_members(call, body, chat));
    TRY(front_openai_chat_limits(call, chat));
    return read_prompt(call, json_get(body, "prompt"), chat);
}

/* --- the answer */

/* Ends a choice whose text has been written. */
static void end_choice(struct json_writer *w, size_t index, struct str finish)
{
    jw_field_u64(w, "index", index);
    jw_key(w, "logprobs");
    jw_null(w);
    jw_key(w, "finish_reason");
    if (finish.n > 0)
        jw_str(w, finish);
    else
        jw_null(w);
    jw_end(w);
}

static void start(struct dialect_call *call, const struct chat_event *event)
{
    struct str id = event->id.raw, model = event->name.raw;
    state_of(call)->prefix =
        arena_printf(call->arena,
                     "{\"id\":" STR_FMT ",\"object\":\"text_completion\",\"created\":%lld,"
                     "\"model\":" STR_FMT ",",
                     STR_ARG(id), (long long)call->created_s, STR_ARG(model));
    if (state_of(call)->prefix.p == NULL)
        call->out.failed = ST_NO_MEMORY;
}

static void tell(struct dialect_call *call, struct chat_text text, uint32_t choice,
                 struct str finish)
{
    struct json_writer w;
    buf_add_lit(&call->out, "data: ");
    size_t from = call->out.n;
    buf_add_str(&call->out, state_of(call)->prefix);
    buf_add_lit(&call->out, "\"choices\":[");
    jw_init(&w, &call->out);
    jw_object(&w);
    jw_field_raw(&w, "text", text.raw);
    end_choice(&w, choice, finish);
    buf_add_char(&call->out, ']');
    if (call->chat->stream_usage)
        buf_add_lit(&call->out, ",\"usage\":null");
    buf_add_char(&call->out, '}');
    dialect_end_event(call, from);
}

static void end(struct dialect_call *call)
{
    struct json_writer w;
    if (call->chat->stream_usage && call->has_usage) {
        buf_add_lit(&call->out, "data: ");
        size_t from = call->out.n;
        buf_add_str(&call->out, state_of(call)->prefix);
        buf_add_lit(&call->out, "\"choices\":[],\"usage\":");
        jw_init(&w, &call->out);
        front_openai_chat_usage(&w, &call->usage, call->extras);
        buf_add_char(&call->out, '}');
        dialect_end_event(call, from);
    }
    buf_add_lit(&call->out, "data: [DONE]\n\n");
}

static void tell_event(struct dialect_call *call, const struct chat_event *event)
{
    struct chat_text none = {STR("\"\"")};
    bool words = event->part == CHAT_PART_TEXT || event->part == CHAT_PART_REFUSAL;
    if (event->kind == CHAT_EVENT_START)
        start(call, event);
    else if (event->kind == CHAT_EVENT_DELTA && words)
        tell(call, event->text, event->choice, STR_NONE);
    else if (event->kind == CHAT_EVENT_FINISH)
        tell(call, none, event->choice, front_openai_chat_finish(call, event->finish, event->word));
    else if (event->kind == CHAT_EVENT_END)
        end(call);
}

/* The words of a choice as one JSON string. */
static void write_words(struct json_writer *w, const struct chat_answer_choice *choice)
{
    jw_raw(w, STR("\""));
    for (const struct chat_part *part = choice->parts.first; part != NULL; part = part->next)
        if (part->kind == CHAT_PART_TEXT || part->kind == CHAT_PART_REFUSAL)
            buf_add_str(w->buf, chat_text_inner(part->text));
    buf_add_char(w->buf, '"');
}

static void tell_whole(struct dialect_call *call, const struct chat_answer *answer)
{
    struct json_writer w;
    jw_init(&w, &call->out);
    jw_object(&w);
    jw_field_raw(&w, "id", answer->id.raw);
    jw_field_cstr(&w, "object", "text_completion");
    jw_field_i64(&w, "created", call->created_s);
    jw_field_raw(&w, "model", answer->model.raw);
    jw_key(&w, "choices");
    jw_array(&w);
    for (size_t i = 0; i < answer->choice_count; i++) {
        const struct chat_answer_choice *choice = &answer->choices[i];
        jw_object(&w);
        jw_key(&w, "text");
        write_words(&w, choice);
        end_choice(&w, i, front_openai_chat_finish(call, choice->finish, choice->word));
    }
    jw_end(&w);
    if (answer->has_usage) {
        jw_key(&w, "usage");
        front_openai_chat_usage(&w, &answer->usage, call->extras);
    }
    jw_end(&w);
}

extern const struct front front_openai_completions;
const struct front front_openai_completions = {
    .name = "openai-completions",
    .op = OP_COMPLETIONS,
    .thinking = "prompt",
    .open_members = true,
    .read_members = read_members,
    .state_bytes = sizeof(struct front_openai_completions),
    .read = read,
    .event = tell_event,
    .whole = tell_whole,
    .error = front_openai_chat_error,
};
