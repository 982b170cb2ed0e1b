/* back_openai.c: OpenAI's chat dialect as a back: its row, and the request's own members.
 *
 * For callers of the Messages, Responses and completions APIs at any provider that speaks like
 * OpenAI; a chat in OpenAI's own dialect never comes here (it is spliced). Parameters go by
 * back_openai.def, services by back_openai_services.def, models by openai_model.c. Members that the
 * front does not know pass only if its dialect is OpenAI's own (front.open_members): others' would
 * be refused by most services, so they are listed as dropped.
 */
#include "data-plane/dialect/back_openai.h"

#include "common/catalog_codec.h"

#define USER_MAX 64 /* bytes; OpenAI refuses a longer user */

static const struct param_rule full_rules[CHAT_PARAM_COUNT] = {
#define RULE(name, full, other, as, note) [CHAT_PARAM_##name] = {PARAM_##full, as, note},
#include "data-plane/dialect/back_openai.def"
#undef RULE
};

const struct param_rule back_openai_rules[CHAT_PARAM_COUNT] = {
#define RULE(name, full, other, as, note) [CHAT_PARAM_##name] = {PARAM_##other, as, note},
#include "data-plane/dialect/back_openai.def"
#undef RULE
};

static const struct {
    const char *slug;
    unsigned traits;
} services[] = {
#define SERVICE(slug, traits) {slug, traits},
#include "data-plane/dialect/back_openai_services.def"
#undef SERVICE
};

/* Members of other dialects without which the answer would be another one. */
static const struct {
    const char *name, *remedy;
} refused[] = {
    {"mcp_servers", "Describe their tools as tools."},
    {"container", "Leave it out, or name a model whose provider runs code."},
};

static struct back_openai *state_of(struct dialect_call *call)
{
    return call->back_state;
}

static unsigned traits_of(struct str service)
{
    for (size_t i = 0; i < COUNT_OF(services); i++)
        if (str_eq(service, str_c(services[i].slug)))
            return services[i].traits;
    return 0;
}

static void write_renamed(struct dialect_call *call, struct json_writer *w, const char *name,
                          struct str json)
{
    jw_key_str(w, params_renamed(call, name));
    jw_raw(w, json);
}

/* Models that reason refuse even the value that asks for nothing. */
static void write_sampling(struct dialect_call *call, struct json_writer *w)
{
    static const enum chat_param_name names[] = {CHAT_PARAM_TEMPERATURE, CHAT_PARAM_TOP_P,
                                                 CHAT_PARAM_PRESENCE_PENALTY,
                                                 CHAT_PARAM_FREQUENCY_PENALTY};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct chat_param *param = &call->chat->params[names[i]];
        if (param->value == NULL)
            continue;
        if (state_of(call)->model.sampling)
            write_renamed(call, w, params_text(names[i]), param->value->raw);
        else if (params_asks(call->chat, names[i]))
            dialect_drop(call, param->field);
    }
    const struct chat_param *top_k = &call->chat->params[CHAT_PARAM_TOP_K];
    if (top_k->value != NULL && (state_of(call)->traits & OPENAI_TOP_K) != 0)
        write_renamed(call, w, "top_k", top_k->value->raw);
    else if (top_k->value != NULL)
        dialect_drop(call, top_k->field);
}

static void write_stops(struct dialect_call *call, struct json_writer *w)
{
    const struct chat *chat = call->chat;
    if (chat->stop_count == 0)
        return;
    if (!state_of(call)->model.sampling) {
        dialect_drop(call, chat->params[CHAT_PARAM_STOP].field);
        return;
    }
    jw_key_str(w, params_renamed(call, "stop"));
    jw_array(w);
    for (size_t i = 0; i < chat->stop_count; i++)
        jw_raw(w, chat->stops[i].raw);
    jw_end(w);
}

static void write_max_tokens(struct dialect_call *call, struct json_writer *w)
{
    bool newer = (state_of(call)->traits & OPENAI_NEW_MAX) != 0;
    if (call->chat->max_tokens == 0)
        return;
    jw_key_str(w, params_renamed(call, newer ? "max_completion_tokens" : "max_tokens"));
    jw_u64(w, call->chat->max_tokens);
}

/* A budget is an effort: below 4,096 low, below 16,384 medium. */
static enum chat_effort effort_of(const struct chat *chat)
{
    if (chat->effort != CHAT_EFFORT_UNSAID || chat->thinking_tokens == 0)
        return chat->effort;
    return chat->thinking_tokens < 4096    ? CHAT_EFFORT_LOW
           : chat->thinking_tokens < 16384 ? CHAT_EFFORT_MEDIUM
                                           : CHAT_EFFORT_HIGH;
}

static void write_effort(struct dialect_call *call, struct json_writer *w)
{
    const struct openai_model *model = &state_of(call)->model;
    enum chat_effort wish = effort_of(call->chat), effort;
    const char *field = call->chat->params[CHAT_PARAM_REASONING_EFFORT].field;
    if (wish == CHAT_EFFORT_UNSAID || (wish == CHAT_EFFORT_NONE && !model->reasons))
        return;
    effort = model->known || wish != CHAT_EFFORT_NONE ? openai_model_effort(model, wish)
                                                      : CHAT_EFFORT_UNSAID;
    if (effort != wish)
        dialect_drop(call, field);
    if (effort == CHAT_EFFORT_UNSAID)
        return;
    jw_key_str(w, params_renamed(call, "reasoning_effort"));
    jw_cstr(w, chat_effort_word(effort));
}

static void write_user(struct dialect_call *call, struct json_writer *w)
{
    const struct chat_param *user = &call->chat->params[CHAT_PARAM_USER];
    if (!json_is(user->value, JSON_STRING))
        return;
    if ((state_of(call)->traits & OPENAI_NO_USER) != 0 || user->value->raw.n > USER_MAX + 2)
        dialect_drop(call, user->field);
    else
        write_renamed(call, w, "user", user->value->raw);
}

static void write_tier(struct dialect_call *call, struct json_writer *w)
{
    const struct chat_param *tier = &call->chat->params[CHAT_PARAM_SERVICE_TIER];
    if (tier->value == NULL)
        return;
    if ((state_of(call)->traits & OPENAI_FULL) != 0)
        write_renamed(call, w, "service_tier",
                      str_eq(tier->value->raw, STR("\"standard_only\"")) ? STR("\"default\"")
                                                                         : tier->value->raw);
    else if (params_asks(call->chat, CHAT_PARAM_SERVICE_TIER))
        dialect_drop(call, tier->field);
}

/* Written here under this name, whatever the caller's dialect calls it. */
static bool is_written(const struct dialect_call *call, struct str name)
{
    static const char *const names[] = {"model",           "messages",   "stream",
                                        "stream_options",  "max_tokens", "max_completion_tokens",
                                        "response_format", "functions",  "function_call"};
    struct str rest = call->target->renames, line, from;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_eq(name, str_c(names[i])))
            return true;
    while (rest.n > 0 && str_split(&rest, '\n', &line))
        if (str_split(&line, ' ', &from) && str_eq(name, line))
            return true;
    return false;
}

static enum status write_extras(struct dialect_call *call, struct json_writer *w)
{
    static const char *const none[] = {NULL};
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        const struct json *value = params_extra(call->chat, refused[i].name);
        if (value != NULL && (value->type != JSON_ARRAY || value->count > 0))
            return dialect_refuse(call, ST_INVALID,
                                  "%s: provider @" STR_FMT " (" STR_FMT ") cannot honour it. %s",
                                  refused[i].name, STR_ARG(call->target->provider),
                                  STR_ARG(call->target->service), refused[i].remedy);
    }
    if (!call->front->open_members) {
        params_extras(call, none, call->front->read_members, w);
        return ST_OK;
    }
    for (const struct chat_extra *extra = call->chat->extras; extra != NULL; extra = extra->next) {
        if (is_written(call, extra->value->key)) {
            dialect_drop(call, arena_cstr(call->arena, extra->value->key));
            continue;
        }
        jw_key_str(w, extra->value->key);
        jw_raw(w, extra->value->raw);
    }
    return ST_OK;
}

enum status back_openai_write_members(struct dialect_call *call, struct json_writer *w)
{
    struct back_openai *state = state_of(call);
    state->traits = traits_of(call->target->service);
    openai_model_of(call, &state->model);
    TRY(back_openai_messages(call, w));
    TRY(back_openai_tools(call, w));
    write_max_tokens(call, w);
    write_sampling(call, w);
    write_stops(call, w);
    write_effort(call, w);
    write_user(call, w);
    write_tier(call, w);
    TRY(params_apply(call, (state->traits & OPENAI_FULL) != 0 ? full_rules : back_openai_rules, w));
    return write_extras(call, w);
}

enum status back_openai_write(struct dialect_call *call, struct buf *out)
{
    struct json_writer w;
    jw_init(&w, out);
    jw_object(&w);
    jw_field_str(&w, "model", call->target->model);
    if (call->chat->stream) {
        jw_field_bool(&w, "stream", true);
        if (!call->target->no_stream_options)
            jw_field_raw(&w, "stream_options", STR("{\"include_usage\":true}"));
    }
    TRY(back_openai_write_members(call, &w));
    jw_end(&w);
    return ST_OK;
}

extern const struct back back_openai;
const struct back back_openai = {
    .name = "openai",
    .dialect = CAT_DIALECT_OPENAI,
    .via = OP_CHAT,
    .default_path = "/chat/completions",
    .native = OP_BIT(OP_CHAT) | OP_BIT(OP_COMPLETIONS) | OP_BIT(OP_EMBEDDINGS) |
              OP_BIT(OP_IMAGES_GENERATIONS) | OP_BIT(OP_IMAGES_EDITS) | OP_BIT(OP_AUDIO_SPEECH) |
              OP_BIT(OP_AUDIO_TRANSCRIPTIONS) | OP_BIT(OP_AUDIO_TRANSLATIONS) |
              OP_BIT(OP_MODERATIONS),
    .state_bytes = sizeof(struct back_openai),
    .params = full_rules,
    .write = back_openai_write,
    .event = back_openai_event,
    .whole = back_openai_whole,
    .error = back_openai_error,
};
