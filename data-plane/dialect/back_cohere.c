/* back_cohere.c: Cohere's Chat API (v2) as a back: its row, and the request's own members.
 *
 * Parameters go by back_cohere.def. Cohere's own members (documents, citation_options, safety_mode,
 * priority, and thinking where the front has not read it as its own) pass as the caller gave them.
 *
 *   reasoning_effort   none, minimal -> disabled     low -> 1,024 tokens     medium -> 4,096
 *                      high and beyond -> enabled, without a budget
 *
 * Never: a `thinking` to a model that the catalog knows not to think; the API refuses it.
 */
#include "data-plane/dialect/back_cohere.h"

#include "common/catalog_codec.h"

#define LOW_TOKENS    1024
#define MEDIUM_TOKENS 4096

static const struct param_rule rules[CHAT_PARAM_COUNT] = {
#define RULE(name, action, as, note) [CHAT_PARAM_##name] = {PARAM_##action, as, note},
#include "data-plane/dialect/back_cohere.def"
#undef RULE
};

static const char *const natives[] = {"documents", "citation_options", "safety_mode",
                                      "priority",  "thinking",         NULL};
static const char *const natives_but_thinking[] = {"documents", "citation_options", "safety_mode",
                                                   "priority", NULL};
static const char *const none[] = {NULL};

static void write_top_p(struct dialect_call *call, struct json_writer *w)
{
    if (params_asks(call->chat, CHAT_PARAM_TOP_P))
        jw_field_raw(w, "p", call->chat->params[CHAT_PARAM_TOP_P].value->raw);
}

static void write_stops(const struct chat *chat, struct json_writer *w)
{
    if (chat->stop_count == 0)
        return;
    jw_key(w, "stop_sequences");
    jw_array(w);
    for (size_t i = 0; i < chat->stop_count; i++)
        jw_raw(w, chat->stops[i].raw);
    jw_end(w);
}

/* Tokens that an effort is worth; 0: as many as the model likes. */
static uint64_t budget_of(const struct chat *chat)
{
    return chat->thinking_tokens > 0            ? chat->thinking_tokens
           : chat->effort == CHAT_EFFORT_LOW    ? LOW_TOKENS
           : chat->effort == CHAT_EFFORT_MEDIUM ? MEDIUM_TOKENS
                                                : 0;
}

static void write_thinking(struct dialect_call *call, struct json_writer *w)
{
    const struct chat *chat = call->chat;
    bool off = chat->effort == CHAT_EFFORT_NONE || chat->effort == CHAT_EFFORT_MINIMAL;
    bool own = !params_is_read(call, "thinking") && params_extra(chat, "thinking") != NULL;
    const char *field = chat->params[CHAT_PARAM_REASONING_EFFORT].field;
    if (chat->effort == CHAT_EFFORT_UNSAID && chat->thinking_tokens == 0)
        return;
    if (own || !params_model_may(call, "reasoning")) {
        if (!off || own)
            dialect_drop(call, field != NULL ? field : "thinking");
        return;
    }
    if (chat->effort > CHAT_EFFORT_HIGH)
        dialect_drop(call, field);
    jw_key(w, "thinking");
    jw_object(w);
    jw_field_cstr(w, "type", off ? "disabled" : "enabled");
    if (!off && budget_of(chat) > 0)
        jw_field_u64(w, "token_budget", budget_of(chat));
    jw_end(w);
}

static enum status write(struct dialect_call *call, struct buf *out)
{
    bool read = params_is_read(call, "thinking");
    struct json_writer w;
    jw_init(&w, out);
    jw_object(&w);
    jw_field_str(&w, "model", call->target->model);
    if (call->chat->stream)
        jw_field_bool(&w, "stream", true);
    TRY(back_cohere_messages(call, &w));
    TRY(back_cohere_tools(call, &w));
    write_top_p(call, &w);
    write_stops(call->chat, &w);
    write_thinking(call, &w);
    TRY(params_apply(call, rules, &w));
    params_extras(call, read ? natives_but_thinking : natives,
                  read ? call->front->read_members : none, &w);
    jw_end(&w);
    return ST_OK;
}

extern const struct back back_cohere;
const struct back back_cohere = {
    .name = "cohere",
    .dialect = CAT_DIALECT_COHERE,
    .via = OP_CHAT,
    .default_path = "/v2/chat",
    .params = rules,
    .write = write,
    .event = back_cohere_event,
    .whole = back_cohere_whole,
    .error = back_cohere_error,
    .simple = back_cohere_simple,
    .simple_count = BACK_COHERE_SIMPLE_COUNT,
};
