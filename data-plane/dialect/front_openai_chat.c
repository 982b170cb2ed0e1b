/* front_openai_chat.c: a request to /v1/chat/completions, read.
 *
 * Every member lands somewhere: in a field of chat, in the table of parameters, or among the
 * extras, where a back may know it by name. Nothing is lost without being listed (params.h).
 * Checked here is what a translation depends on; what passes as it is, the provider checks.
 */
#include "data-plane/dialect/front_openai_chat.h"

/* Members that have a place of their own. */
static bool is_structural(struct str name)
{
    static const char *const names[] = {"model",
                                        "messages",
                                        "stream",
                                        "stream_options",
                                        "functions",
                                        "function_call",
                                        "max_completion_tokens"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_eq(name, str_c(names[i])))
            return true;
    return false;
}

static bool take_param(struct chat *chat, const struct json *member)
{
    for (unsigned name = 0; name < CHAT_PARAM_COUNT; name++) {
        const char *text = params_text((enum chat_param_name)name);
        if (!str_eq(member->key, str_c(text)))
            continue;
        chat->params[name] = (struct chat_param){member, text};
        return true;
    }
    return false;
}

static enum status take_members(struct dialect_call *call, const struct json *body,
                                struct chat *chat)
{
    for (const struct json *member = body->first; member != NULL; member = member->next) {
        if (member->type == JSON_NULL || is_structural(member->key) || take_param(chat, member))
            continue;
        if (chat_add_extra(call->arena, chat, member) != ST_OK)
            return dialect_refuse(call, ST_NO_MEMORY, "Not enough memory.");
    }
    return ST_OK;
}

/* max_completion_tokens is the newer name and wins (API reference: max_tokens is deprecated). */
static void take_newer_name(const struct json *body, struct chat *chat)
{
    const struct json *newer = json_get(body, "max_completion_tokens");
    if (!json_is_none(newer))
        chat->params[CHAT_PARAM_MAX_TOKENS] = (struct chat_param){newer, "max_completion_tokens"};
}

static enum status take_stops(struct dialect_call *call, struct chat *chat)
{
    const struct json *stop = chat->params[CHAT_PARAM_STOP].value;
    if (json_is(stop, JSON_STRING)) {
        chat->stops[chat->stop_count++] = chat_text_of(stop);
        return ST_OK;
    }
    if (stop != NULL && stop->type != JSON_ARRAY)
        return dialect_refuse(call, ST_INVALID, "stop: must be a string or an array of strings.");
    for (const struct json *item = stop == NULL ? NULL : stop->first; item != NULL;
         item = item->next) {
        if (item->type != JSON_STRING || chat->stop_count == CHAT_STOPS_MAX)
            return dialect_refuse(call, ST_INVALID, "stop: must be at most %d strings.",
                                  CHAT_STOPS_MAX);
        chat->stops[chat->stop_count++] = chat_text_of(item);
    }
    return ST_OK;
}

enum status front_openai_chat_limits(struct dialect_call *call, struct chat *chat)
{
    const struct chat_param *most = &chat->params[CHAT_PARAM_MAX_TOKENS];
    if (most->value != NULL &&
        (json_u64(most->value, &chat->max_tokens) != ST_OK || chat->max_tokens == 0))
        return dialect_refuse(call, ST_INVALID, "%s: must be a whole number from 1.", most->field);
    return take_stops(call, chat);
}

static enum status take_effort(struct dialect_call *call, struct chat *chat)
{
    const struct json *value = chat->params[CHAT_PARAM_REASONING_EFFORT].value;
    struct str word;
    if (value == NULL)
        return ST_OK;
    if (json_text(value, call->arena, &word) == ST_OK)
        chat->effort = chat_effort_of(word);
    if (chat->effort != CHAT_EFFORT_UNSAID)
        return ST_OK;
    return dialect_refuse(
        call, ST_INVALID,
        "reasoning_effort: must be none, minimal, low, medium, high, xhigh or max.");
}

static enum status read(struct dialect_call *call, const struct json *body, struct chat *chat)
{
    const struct json *usage = json_get(json_get(body, "stream_options"), "include_usage");
    chat->stream = json_is(json_get(body, "stream"), JSON_TRUE);
    chat->stream_usage = json_is(usage, JSON_TRUE);
    TRY(take_members(call, body, chat));
    take_newer_name(body, chat);
    TRY(front_openai_chat_limits(call, chat));
    TRY(take_effort(call, chat));
    TRY(front_openai_chat_tools(call, body, chat));
    return front_openai_chat_messages(call, json_get(body, "messages"), chat);
}

static const char *const read_members[] = {NULL};

extern const struct front front_openai_chat;
const struct front front_openai_chat = {
    .name = "openai-chat",
    .op = OP_CHAT,
    .thinking = "messages.reasoning_content",
    .open_members = true,
    .read_members = read_members,
    .state_bytes = sizeof(struct front_openai_chat),
    .read = read,
    .event = front_openai_chat_event,
    .whole = front_openai_chat_whole,
    .error = front_openai_chat_error,
};
