/* front_anthropic.c: a request to /v1/messages or /v1/messages/count_tokens, read.
 *
 * Only for providers of other dialects: at one of Anthropic's own the request is spliced. Members
 * that have a meaning in every dialect go into chat and its parameters; all others are extras, so
 * that a service of Claude elsewhere can take them as they are. What only steers how Anthropic
 * works and changes no answer (betas, hints for streaming) is listed as left out.
 */
#include "data-plane/dialect/front_anthropic.h"

/* Extras that are read here too. */
static const char *const read_members[] = {"thinking", "output_config", NULL};

static const char *const structural[] = {"model",    "messages",   "system",
                                         "stream",   "max_tokens", "stop_sequences",
                                         "metadata", "tools",      "tool_choice"};

static enum status no_memory(struct dialect_call *call)
{
    return dialect_refuse(call, ST_NO_MEMORY, "Not enough memory.");
}

static void set_param(struct chat *chat, enum chat_param_name name, const struct json *value,
                      const char *field)
{
    if (!json_is_none(value))
        chat->params[name] = (struct chat_param){value, field};
}

static bool is_structural(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(structural); i++)
        if (str_eq(name, str_c(structural[i])))
            return true;
    return false;
}

static enum status take_members(struct dialect_call *call, const struct json *body,
                                struct chat *chat)
{
    static const struct {
        const char *text;
        enum chat_param_name name;
    } same[] = {{"temperature", CHAT_PARAM_TEMPERATURE},
                {"top_p", CHAT_PARAM_TOP_P},
                {"top_k", CHAT_PARAM_TOP_K},
                {"service_tier", CHAT_PARAM_SERVICE_TIER}};
    for (const struct json *member = body->first; member != NULL; member = member->next) {
        size_t i = 0;
        if (member->type == JSON_NULL || is_structural(member->key))
            continue;
        while (i < COUNT_OF(same) && !str_eq(member->key, str_c(same[i].text)))
            i++;
        if (i < COUNT_OF(same))
            set_param(chat, same[i].name, member, same[i].text);
        else if (chat_add_extra(call->arena, chat, member) != ST_OK)
            return no_memory(call);
    }
    set_param(chat, CHAT_PARAM_USER, json_get(json_get(body, "metadata"), "user_id"),
              "metadata.user_id");
    return ST_OK;
}

static enum status take_stops(struct dialect_call *call, const struct json *body, struct chat *chat)
{
    const struct json *stops = json_get(body, "stop_sequences");
    if (json_is_none(stops))
        return ST_OK;
    set_param(chat, CHAT_PARAM_STOP, stops, "stop_sequences");
    for (const struct json *item = stops->type == JSON_ARRAY ? stops->first : NULL; item != NULL;
         item = item->next) {
        if (item->type != JSON_STRING || chat->stop_count == CHAT_STOPS_MAX)
            return dialect_refuse(call, ST_INVALID, "stop_sequences: must be at most %d strings.",
                                  CHAT_STOPS_MAX);
        chat->stops[chat->stop_count++] = chat_text_of(item);
    }
    return stops->type == JSON_ARRAY
               ? ST_OK
               : dialect_refuse(call, ST_INVALID, "stop_sequences: must be an array of strings.");
}

static enum status read_common(struct dialect_call *call, const struct json *body,
                               struct chat *chat)
{
    TRY(take_members(call, body, chat));
    TRY(take_stops(call, body, chat));
    TRY(front_anthropic_tools(call, body, chat));
    return front_anthropic_messages(call, body, chat);
}

static enum status read(struct dialect_call *call, const struct json *body, struct chat *chat)
{
    const struct json *most = json_get(body, "max_tokens");
    if (json_u64(most, &chat->max_tokens) != ST_OK || chat->max_tokens == 0)
        return dialect_refuse(call, ST_INVALID,
                              "max_tokens: required, and must be a whole number from 1.");
    set_param(chat, CHAT_PARAM_MAX_TOKENS, most, "max_tokens");
    chat->stream = json_is(json_get(body, "stream"), JSON_TRUE);
    chat->stream_usage = true;
    return read_common(call, body, chat);
}

extern const struct front front_anthropic;
const struct front front_anthropic = {
    .name = "anthropic",
    .op = OP_MESSAGES,
    .thinking = "messages.thinking",
    .read_members = read_members,
    .state_bytes = sizeof(struct front_anthropic),
    .read = read,
    .event = front_anthropic_event,
    .whole = front_anthropic_whole,
    .error = front_anthropic_error,
};

extern const struct front front_anthropic_count;
const struct front front_anthropic_count = {
    .name = "anthropic-count",
    .op = OP_COUNT_TOKENS,
    .thinking = "messages.thinking",
    .read_members = read_members,
    .state_bytes = sizeof(struct front_anthropic),
    .read = read_common,
    .error = front_anthropic_error,
};
