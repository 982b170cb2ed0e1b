/* front_openai_responses.c: a request to /v1/responses, read.
 *
 * Only for providers that do not offer the Responses API. They keep nothing: whatever names
 * something that OpenAI would have stored (previous_response_id, conversation, prompt, background)
 * is refused with what to send instead; `store` is answered by "store": false. metadata is the
 * caller's own and comes back in the answer. Members that would only steer OpenAI's service are
 * listed as dropped.
 */
#include "data-plane/dialect/front_openai_responses.h"

static const char *const read_members[] = {NULL};

static const struct json yes = {.type = JSON_TRUE, .raw = {"true", 4}};

/* What a member becomes. */
enum place { PLACE_READ, PLACE_PARAM, PLACE_LEFT };

static const struct {
    const char *name;
    enum place place;
    enum chat_param_name param;
    const char *plain; /* PLACE_LEFT: the value that asks for nothing */
} members[] = {
    {"model", PLACE_READ, 0, NULL},
    {"input", PLACE_READ, 0, NULL},
    {"instructions", PLACE_READ, 0, NULL},
    {"stream", PLACE_READ, 0, NULL},
    {"stream_options", PLACE_READ, 0, NULL},
    {"tools", PLACE_READ, 0, NULL},
    {"tool_choice", PLACE_READ, 0, NULL},
    {"text", PLACE_READ, 0, NULL},
    {"reasoning", PLACE_READ, 0, NULL},
    {"include", PLACE_READ, 0, NULL},
    {"metadata", PLACE_READ, 0, NULL},
    {"max_output_tokens", PLACE_PARAM, CHAT_PARAM_MAX_TOKENS, NULL},
    {"temperature", PLACE_PARAM, CHAT_PARAM_TEMPERATURE, NULL},
    {"top_p", PLACE_PARAM, CHAT_PARAM_TOP_P, NULL},
    {"top_logprobs", PLACE_PARAM, CHAT_PARAM_TOP_LOGPROBS, NULL},
    {"parallel_tool_calls", PLACE_PARAM, CHAT_PARAM_PARALLEL_TOOL_CALLS, NULL},
    {"user", PLACE_PARAM, CHAT_PARAM_USER, NULL},
    {"safety_identifier", PLACE_PARAM, CHAT_PARAM_SAFETY_IDENTIFIER, NULL},
    {"prompt_cache_key", PLACE_PARAM, CHAT_PARAM_PROMPT_CACHE_KEY, NULL},
    {"prompt_cache_retention", PLACE_PARAM, CHAT_PARAM_PROMPT_CACHE_RETENTION, NULL},
    {"prompt_cache_options", PLACE_PARAM, CHAT_PARAM_PROMPT_CACHE_OPTIONS, NULL},
    {"service_tier", PLACE_PARAM, CHAT_PARAM_SERVICE_TIER, NULL},
    {"moderation", PLACE_PARAM, CHAT_PARAM_MODERATION, NULL},
    {"store", PLACE_LEFT, 0, "false"},
    {"background", PLACE_LEFT, 0, "false"},
    {"truncation", PLACE_LEFT, 0, "\"disabled\""},
    {"max_tool_calls", PLACE_LEFT, 0, ""},
    {"context_management", PLACE_LEFT, 0, "[]"},
};

static enum status no_memory(struct dialect_call *call)
{
    return dialect_refuse(call, ST_NO_MEMORY, "Not enough memory.");
}

/* What only the service that stored it could answer. */
static enum status refuse_stored(struct dialect_call *call, const struct json *body)
{
    static const struct {
        const char *name, *remedy;
    } stored[] = {
        {"previous_response_id", "Send the earlier items in input, and store false"},
        {"conversation", "Send the earlier items in input"},
        {"prompt", "Send its text in instructions and input"},
        {"background", "Leave it out and wait for the answer, or stream it"},
    };
    for (size_t i = 0; i < COUNT_OF(stored); i++) {
        const struct json *value = json_get(body, stored[i].name);
        if (!json_is_none(value) && value->type != JSON_FALSE)
            return dialect_refuse(
                call, ST_INVALID,
                "%s: provider @" STR_FMT " (" STR_FMT
                ") keeps no responses. %s, or name a model whose provider offers /v1/responses.",
                stored[i].name, STR_ARG(call->target->provider), STR_ARG(call->target->service),
                stored[i].remedy);
    }
    return ST_OK;
}

static enum status take_members(struct dialect_call *call, const struct json *body,
                                struct chat *chat)
{
    for (const struct json *m = body->first; m != NULL; m = m->next) {
        enum status status = ST_OK;
        size_t i = 0;
        if (m->type == JSON_NULL)
            continue;
        while (i < COUNT_OF(members) && !str_eq(m->key, str_c(members[i].name)))
            i++;
        if (i == COUNT_OF(members))
            status = chat_add_extra(call->arena, chat, m);
        else if (members[i].place == PLACE_PARAM)
            chat->params[members[i].param] = (struct chat_param){m, members[i].name};
        else if (members[i].place == PLACE_LEFT && !str_eq(m->raw, str_c(members[i].plain)))
            status = chat_leave_out(call->arena, chat, members[i].name);
        if (status != ST_OK)
            return no_memory(call);
    }
    return ST_OK;
}

/* What shall be shown beside the answer: the proof of thinking always is, and logprobs can be. */
static enum status take_include(struct dialect_call *call, const struct json *body,
                                struct chat *chat)
{
    const struct json *include = json_get(body, "include");
    const struct chat_param *top = &chat->params[CHAT_PARAM_TOP_LOGPROBS];
    if (top->value != NULL && params_asks(chat, CHAT_PARAM_TOP_LOGPROBS))
        chat->params[CHAT_PARAM_LOGPROBS] = (struct chat_param){&yes, "top_logprobs"};
    for (const struct json *item = json_is(include, JSON_ARRAY) ? include->first : NULL;
         item != NULL; item = item->next) {
        if (str_eq(item->raw, STR("\"message.output_text.logprobs\"")))
            chat->params[CHAT_PARAM_LOGPROBS] = (struct chat_param){&yes, "include"};
        else if (!str_eq(item->raw, STR("\"reasoning.encrypted_content\"")) &&
                 chat_leave_out(call->arena, chat, "include") != ST_OK)
            return no_memory(call);
    }
    return ST_OK;
}

static enum status take_reasoning(struct dialect_call *call, const struct json *body,
                                  struct chat *chat)
{
    const struct json *effort = json_get(json_get(body, "reasoning"), "effort");
    if (json_is_none(effort))
        return ST_OK;
    chat->effort = chat_effort_of(chat_text_inner(chat_text_of(effort)));
    chat->params[CHAT_PARAM_REASONING_EFFORT] = (struct chat_param){effort, "reasoning.effort"};
    return chat->effort != CHAT_EFFORT_UNSAID
               ? ST_OK
               : dialect_refuse(
                     call, ST_INVALID,
                     "reasoning.effort: must be none, minimal, low, medium, high, xhigh or max.");
}

static enum status take_max_tokens(struct dialect_call *call, struct chat *chat)
{
    const struct json *most = chat->params[CHAT_PARAM_MAX_TOKENS].value;
    if (most != NULL && (json_u64(most, &chat->max_tokens) != ST_OK || chat->max_tokens == 0))
        return dialect_refuse(call, ST_INVALID,
                              "max_output_tokens: must be a whole number from 1.");
    return ST_OK;
}

static enum status read(struct dialect_call *call, const struct json *body, struct chat *chat)
{
    const struct json *verbosity = json_get(json_get(body, "text"), "verbosity");
    chat->stream = json_is(json_get(body, "stream"), JSON_TRUE);
    chat->stream_usage = true;
    TRY(refuse_stored(call, body));
    TRY(take_members(call, body, chat));
    TRY(take_include(call, body, chat));
    TRY(take_reasoning(call, body, chat));
    TRY(take_max_tokens(call, chat));
    if (!json_is_none(verbosity))
        chat->params[CHAT_PARAM_VERBOSITY] = (struct chat_param){verbosity, "text.verbosity"};
    TRY(front_openai_responses_tools(call, body, chat));
    return front_openai_responses_input(call, body, chat);
}

extern const struct front front_openai_responses;
const struct front front_openai_responses = {
    .name = "openai-responses",
    .op = OP_RESPONSES_CREATE,
    .thinking = "input.reasoning",
    .read_members = read_members,
    .state_bytes = sizeof(struct front_openai_responses),
    .read = read,
    .event = front_openai_responses_event,
    .whole = front_openai_responses_whole,
    .error = front_openai_responses_error,
};
