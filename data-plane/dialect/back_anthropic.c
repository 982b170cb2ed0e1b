/* back_anthropic.c: the Messages API of Anthropic as a back: its row, and the request's own
 * members.
 *
 * What is decided (max_tokens, thinking, how JSON is asked for) is decided in back_anthropic_plan
 * before anything is written; parameters go by back_anthropic.def. Provider's own members
 * (thinking, output_config, context_management ...) pass as the caller gave them.
 */
#include "data-plane/dialect/back_anthropic.h"

#include "common/catalog_codec.h"

const struct param_rule back_anthropic_rules[CHAT_PARAM_COUNT] = {
#define RULE(name, action, as, note) [CHAT_PARAM_##name] = {PARAM_##action, as, note},
#include "data-plane/dialect/back_anthropic.def"
#undef RULE
};

static const char *const natives[] = {
    "thinking",           "output_config", "cache_control", "container",   "mcp_servers",
    "context_management", "inference_geo", "speed",         "diagnostics", NULL};

/* Members that are headers there. The version is the row's: another one would be another dialect.
 */
static const char *const headers[] = {"anthropic_beta", "anthropic_version", NULL};

static struct back_anthropic *state_of(struct dialect_call *call)
{
    return call->back_state;
}

/* temperature, top_p, top_k: 1 is what the provider does anyway. Of two that exclude each other the
 * temperature stays. */
static enum status write_sampling(struct dialect_call *call, struct json_writer *w,
                                  enum chat_param_name name)
{
    const struct chat_param *param = &call->chat->params[name];
    const struct back_anthropic *state = state_of(call);
    int64_t value;
    if (!params_asks(call->chat, name))
        return ST_OK;
    bool other = name == CHAT_PARAM_TOP_P && state->model.either_sampling &&
                 params_asks(call->chat, CHAT_PARAM_TEMPERATURE);
    if (!state->model.sampling || state->thinks || other) {
        dialect_drop(call, param->field);
        return ST_OK;
    }
    if (name == CHAT_PARAM_TEMPERATURE &&
        (json_decimal(param->value, 9, true, &value) != ST_OK || value < 0 || value > 1000000000))
        return dialect_refuse(
            call, ST_INVALID,
            "%s: provider @" STR_FMT " (" STR_FMT ") takes 0 to 1. Send a value in that range.",
            param->field, STR_ARG(call->target->provider), STR_ARG(call->target->service));
    jw_field_raw(w, params_text(name), param->value->raw);
    return ST_OK;
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

static void write_user(struct dialect_call *call, struct json_writer *w)
{
    const struct chat_param *user = &call->chat->params[CHAT_PARAM_SAFETY_IDENTIFIER];
    const struct chat_param *other = &call->chat->params[CHAT_PARAM_USER];
    if (user->value == NULL) {
        user = other;
        other = NULL;
    }
    if (!json_is(user->value, JSON_STRING))
        return;
    if (other != NULL && other->value != NULL && !str_eq(other->value->raw, user->value->raw))
        dialect_drop(call, other->field);
    jw_key(w, "metadata");
    jw_object(w);
    jw_field_raw(w, "user_id", user->value->raw);
    jw_end(w);
}

static void write_tier(struct dialect_call *call, struct json_writer *w)
{
    const struct chat_param *tier = &call->chat->params[CHAT_PARAM_SERVICE_TIER];
    if (tier->value == NULL)
        return;
    if (str_eq(tier->value->raw, STR("\"auto\"")))
        jw_field_cstr(w, "service_tier", "auto");
    else if (str_eq(tier->value->raw, STR("\"default\"")) ||
             str_eq(tier->value->raw, STR("\"standard_only\"")))
        jw_field_cstr(w, "service_tier", "standard_only");
    else
        dialect_drop(call, tier->field);
}

/* "anthropic_beta": "a,b" or ["a","b"]. */
static enum status take_headers(struct dialect_call *call)
{
    const struct json *beta = params_extra(call->chat, "anthropic_beta"), *item;
    struct str value = STR_NONE, text;
    if (json_is(beta, JSON_STRING))
        TRY(json_text(beta, call->arena, &value));
    for (item = json_is(beta, JSON_ARRAY) ? beta->first : NULL; item != NULL; item = item->next) {
        if (json_text(item, call->arena, &text) != ST_OK)
            return dialect_refuse(call, ST_INVALID, "anthropic_beta: must hold strings.");
        value = value.n == 0
                    ? text
                    : arena_printf(call->arena, STR_FMT "," STR_FMT, STR_ARG(value), STR_ARG(text));
        if (value.p == NULL)
            return ST_NO_MEMORY;
    }
    return value.n == 0 ? ST_OK : dialect_add_header(call, STR("anthropic-beta"), value);
}

enum status back_anthropic_write_members(struct dialect_call *call, struct json_writer *w)
{
    struct back_anthropic *state = state_of(call);
    TRY(back_anthropic_plan(call));
    jw_field_u64(w, "max_tokens", state->max_tokens);
    TRY(back_anthropic_messages(call, w));
    TRY(back_anthropic_options(call, w));
    TRY(write_sampling(call, w, CHAT_PARAM_TEMPERATURE));
    TRY(write_sampling(call, w, CHAT_PARAM_TOP_P));
    TRY(write_sampling(call, w, CHAT_PARAM_TOP_K));
    write_stops(call->chat, w);
    write_user(call, w);
    write_tier(call, w);
    TRY(params_apply(call, back_anthropic_rules, w));
    TRY(take_headers(call));
    params_extras(call, natives, headers, w);
    return ST_OK;
}

static enum status write(struct dialect_call *call, struct buf *out)
{
    struct json_writer w;
    jw_init(&w, out);
    jw_object(&w);
    jw_field_str(&w, "model", call->target->model);
    if (call->chat->stream)
        jw_field_bool(&w, "stream", true);
    TRY(back_anthropic_write_members(call, &w));
    jw_end(&w);
    return ST_OK;
}

extern const struct back back_anthropic;
const struct back back_anthropic = {
    .name = "anthropic",
    .dialect = CAT_DIALECT_ANTHROPIC,
    .via = OP_MESSAGES,
    .default_path = "/messages",
    .native = OP_BIT(OP_MESSAGES) | OP_BIT(OP_COUNT_TOKENS),
    .signs_as = BACK_ANTHROPIC_SIGNS,
    .state_bytes = sizeof(struct back_anthropic),
    .params = back_anthropic_rules,
    .write = write,
    .event = back_anthropic_event,
    .whole = back_anthropic_whole,
    .error = back_anthropic_error,
};
