/* back_bedrock.c: Converse as a back: its row, its address, and the request's own members.
 *
 *   /model/{model}/converse   as the row has it; "-stream" behind it where a stream is wanted
 *
 * The model's id is one path segment, escaped: ids have colons, ARNs slashes. What is decided (how
 * JSON is asked for, thinking, whether tools can be declared) is decided before anything is
 * written; parameters go by back_bedrock.def. Converse's own members pass under either spelling.
 */
#include "data-plane/dialect/back_bedrock_simple.h"

#include "common/catalog_codec.h"
#include "data-plane/dialect/aws.h"

#define OBJECT_MAX    (4u * 1024u * 1024u)
#define METADATA_MAX  16
#define METADATA_TEXT 256
#define SINGLE_SINCE  405 /* Claude 4.5 takes tool_choice past Converse */

static const struct param_rule rules[CHAT_PARAM_COUNT] = {
#define RULE(name, action, as, note) [CHAT_PARAM_##name] = {PARAM_##action, as, note},
#include "data-plane/dialect/back_bedrock.def"
#undef RULE
};

/* Members of Converse that pass as they are. */
static const struct {
    const char *snake, *camel;
} passes[] = {
    {"guardrail_config", "guardrailConfig"},
    {"performance_config", "performanceConfig"},
    {"additional_model_response_field_paths", "additionalModelResponseFieldPaths"},
    {"request_metadata", "requestMetadata"},
    {"prompt_variables", "promptVariables"},
};

/* Read elsewhere: back_bedrock_extras.c, and those above. */
static const char *const taken[] = {"guardrail_config",
                                    "guardrailConfig",
                                    "performance_config",
                                    "performanceConfig",
                                    "additional_model_response_field_paths",
                                    "additionalModelResponseFieldPaths",
                                    "request_metadata",
                                    "requestMetadata",
                                    "prompt_variables",
                                    "promptVariables",
                                    "additional_model_request_fields",
                                    "additionalModelRequestFields",
                                    "anthropic_version",
                                    NULL};
static const char *const taken_by_claude[] = {"thinking", "output_config", "anthropic_beta",
                                              "context_management", NULL};
static const char *const none[] = {NULL};

/* --- deciding */

static bool has_calls(const struct chat *chat)
{
    for (const struct chat_message *m = chat->messages; m != NULL; m = m->next)
        for (const struct chat_part *part = m->parts.first; part != NULL; part = part->next)
            if (part->kind == CHAT_PART_TOOL_CALL || part->kind == CHAT_PART_TOOL_RESULT)
                return true;
    return false;
}

static enum status plan(struct dialect_call *call)
{
    struct back_bedrock *state = back_bedrock_state(call);
    const struct anthropic_model *as = &state->model.as;
    const struct chat *chat = call->chat;
    bedrock_model_of(call->target, &state->model);
    state->claude.model = state->model.as;
    if (chat->format != CHAT_FORMAT_TEXT && !as->forced_tool && !as->output_format)
        return dialect_refuse(call, ST_INVALID,
                              "%s: the model " STR_FMT " cannot be made to answer JSON. Ask for it "
                              "in your words, or name a model that can.",
                              chat->params[CHAT_PARAM_RESPONSE_FORMAT].field,
                              STR_ARG(call->target->model));
    TRY(back_anthropic_plan_format(call, !params_is_read(call, "output_config")));
    if (state->model.family == BEDROCK_CLAUDE)
        back_anthropic_plan_thinking(call);
    state->in_words = !back_bedrock_has_tools(call) && has_calls(chat);
    if (chat->parallel_calls == CHAT_NO) {
        state->own_choice = state->model.family == BEDROCK_CLAUDE && as->version >= SINGLE_SINCE &&
                            back_bedrock_has_tools(call);
        if (!state->own_choice && back_bedrock_has_tools(call))
            dialect_drop(call, chat->params[CHAT_PARAM_PARALLEL_TOOL_CALLS].field);
    }
    return ST_OK;
}

/* --- inferenceConfig */

/* Of temperature and topP, where they exclude each other, the temperature stays. */
static enum status write_sampling(struct dialect_call *call, struct json_writer *w,
                                  enum chat_param_name name, const char *as)
{
    const struct chat_param *param = &call->chat->params[name];
    const struct back_bedrock *state = back_bedrock_state(call);
    int64_t value;
    if (!params_asks(call->chat, name))
        return ST_OK;
    bool other = name == CHAT_PARAM_TOP_P && state->model.as.either_sampling &&
                 params_asks(call->chat, CHAT_PARAM_TEMPERATURE);
    bool hard = state->model.family == BEDROCK_NOVA_2 && call->chat->effort >= CHAT_EFFORT_HIGH;
    if (!state->model.as.sampling || state->claude.thinks || other || hard) {
        dialect_drop(call, param->field);
        return ST_OK;
    }
    if (json_decimal(param->value, 9, true, &value) != ST_OK || value < 0 || value > 1000000000)
        return dialect_refuse(
            call, ST_INVALID,
            "%s: provider @" STR_FMT " (" STR_FMT ") takes 0 to 1. Send a value in that range.",
            param->field, STR_ARG(call->target->provider), STR_ARG(call->target->service));
    jw_field_raw(w, as, param->value->raw);
    return ST_OK;
}

/* A budget of thinking is part of maxTokens, so it needs one; Nova 2 refuses it beside hard
 * thinking. */
static void write_max_tokens(struct dialect_call *call, struct json_writer *w)
{
    const struct back_bedrock *state = back_bedrock_state(call);
    const struct chat *chat = call->chat;
    if (state->model.family == BEDROCK_NOVA_2 && chat->effort >= CHAT_EFFORT_HIGH) {
        if (chat->max_tokens > 0)
            dialect_drop(call, chat->params[CHAT_PARAM_MAX_TOKENS].field);
        return;
    }
    if (chat->max_tokens > 0)
        jw_field_u64(w, "maxTokens", chat->max_tokens);
    else if (state->claude.thinks && state->claude.budget_tokens > 0 &&
             state->model.as.thinking == ANTHROPIC_THINKING_BUDGET)
        jw_field_u64(w, "maxTokens", state->claude.max_tokens);
}

static enum status write_inference(struct dialect_call *call, struct json_writer *w)
{
    const struct chat *chat = call->chat;
    write_max_tokens(call, w);
    TRY(write_sampling(call, w, CHAT_PARAM_TEMPERATURE, "temperature"));
    TRY(write_sampling(call, w, CHAT_PARAM_TOP_P, "topP"));
    if (chat->stop_count == 0)
        return ST_OK;
    jw_key(w, "stopSequences");
    jw_array(w);
    for (size_t i = 0; i < chat->stop_count; i++)
        jw_raw(w, chat->stops[i].raw);
    jw_end(w);
    return ST_OK;
}

enum status back_bedrock_object(struct dialect_call *call, struct json_writer *w, const char *key,
                                enum status (*fill)(struct dialect_call *call,
                                                    struct json_writer *w))
{
    struct buf text;
    struct json_writer inside;
    buf_init(&text, OBJECT_MAX);
    jw_init(&inside, &text);
    jw_object(&inside);
    enum status status = fill(call, &inside);
    jw_end(&inside);
    if (status == ST_OK)
        status = buf_status(&text);
    if (status == ST_OK && text.n > 2)
        jw_field_raw(w, key, buf_str(&text));
    buf_free(&text);
    return status;
}

/* --- other members */

static bool is_metadata(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    (c != '\0' && strchr(" :_@$#=/+,-.", c) != NULL);
        if (!fine)
            return false;
    }
    return text.n <= METADATA_TEXT;
}

/* {"team":"x"}: what AWS's logs of invocations can be searched for. */
static void write_metadata(struct dialect_call *call, struct json_writer *w)
{
    const struct chat_param *metadata = &call->chat->params[CHAT_PARAM_METADATA];
    if (!params_asks(call->chat, CHAT_PARAM_METADATA))
        return;
    bool fits = metadata->value->type == JSON_OBJECT && metadata->value->count <= METADATA_MAX &&
                params_extra(call->chat, "request_metadata") == NULL &&
                params_extra(call->chat, "requestMetadata") == NULL;
    for (const struct json *m = fits ? metadata->value->first : NULL; m != NULL && fits;
         m = m->next)
        fits = m->type == JSON_STRING && m->key.n > 0 && is_metadata(m->key) &&
               is_metadata(chat_text_inner(chat_text_of(m)));
    if (fits)
        jw_field_raw(w, "requestMetadata", metadata->value->raw);
    else
        dialect_drop(call, metadata->field);
}

static void write_tier(struct dialect_call *call, struct json_writer *w)
{
    static const struct {
        const char *word, *as;
    } tiers[] = {{"\"default\"", "default"},
                 {"\"standard_only\"", "default"},
                 {"\"priority\"", "priority"},
                 {"\"flex\"", "flex"},
                 {"\"reserved\"", "reserved"}};
    const struct chat_param *tier = &call->chat->params[CHAT_PARAM_SERVICE_TIER];
    if (!params_asks(call->chat, CHAT_PARAM_SERVICE_TIER))
        return;
    for (size_t i = 0; i < COUNT_OF(tiers); i++) {
        if (!str_eq(tier->value->raw, str_c(tiers[i].word)))
            continue;
        jw_key(w, "serviceTier");
        jw_object(w);
        jw_field_cstr(w, "type", tiers[i].as);
        jw_end(w);
        return;
    }
    dialect_drop(call, tier->field);
}

/* Which stop sequence it was, Claude says only if it is asked. */
static void write_passes(struct dialect_call *call, struct json_writer *w)
{
    const struct chat *chat = call->chat;
    bool paths = false;
    for (size_t i = 0; i < COUNT_OF(passes); i++) {
        const struct json *value = params_extra(chat, passes[i].snake);
        if (value == NULL)
            value = params_extra(chat, passes[i].camel);
        if (value == NULL)
            continue;
        jw_field_raw(w, passes[i].camel, value->raw);
        paths = paths || strcmp(passes[i].camel, "additionalModelResponseFieldPaths") == 0;
    }
    if (!paths && chat->stop_count > 0 && back_bedrock_state(call)->model.family == BEDROCK_CLAUDE)
        jw_field_raw(w, "additionalModelResponseFieldPaths", STR("[\"/stop_sequence\"]"));
}

/* What nobody took is listed; a thinking that the front has read is no loss. */
static void list_extras(struct dialect_call *call)
{
    bool claude = back_bedrock_state(call)->model.family == BEDROCK_CLAUDE;
    const char *const *lists[] = {taken, claude ? taken_by_claude : none,
                                  call->front->read_members != NULL ? call->front->read_members
                                                                    : none};
    for (const struct chat_extra *extra = call->chat->extras; extra != NULL; extra = extra->next) {
        bool found = false;
        for (size_t i = 0; i < COUNT_OF(lists); i++)
            for (const char *const *name = lists[i]; *name != NULL; name++)
                found = found || str_eq(extra->value->key, str_c(*name));
        if (!found)
            dialect_drop(call, arena_cstr(call->arena, extra->value->key));
    }
}

static enum status write(struct dialect_call *call, struct buf *out)
{
    struct json_writer w;
    TRY(plan(call));
    jw_init(&w, out);
    jw_object(&w);
    TRY(back_bedrock_messages(call, &w));
    TRY(back_bedrock_object(call, &w, "inferenceConfig", write_inference));
    TRY(back_bedrock_tools(call, &w));
    write_passes(call, &w);
    write_metadata(call, &w);
    write_tier(call, &w);
    TRY(params_apply(call, rules, &w));
    TRY(back_bedrock_object(call, &w, "additionalModelRequestFields", back_bedrock_extras));
    list_extras(call);
    jw_end(&w);
    return ST_OK;
}

/* --- the row */

static enum status path(const struct dialect_target *target, struct str row, bool stream,
                        struct buf *out)
{
    TRY(aws_path(row, target->model, out));
    if (stream)
        buf_add_lit(out, "-stream");
    return buf_status(out);
}

static enum status sign(const struct dialect_signing *signing)
{
    return aws_sign(signing, "bedrock");
}

extern const struct back back_bedrock;
const struct back back_bedrock = {
    .name = "bedrock",
    .dialect = CAT_DIALECT_BEDROCK,
    .via = OP_CHAT,
    .default_path = "/model/{model}/converse",
    .signs_as = BACK_BEDROCK_SIGNS,
    .state_bytes = sizeof(struct back_bedrock),
    .params = rules,
    .path = path,
    .wants_bytes = back_bedrock_wants_bytes,
    .write = write,
    .frame = back_bedrock_frame,
    .whole = back_bedrock_whole,
    .sign = sign,
    .error = back_bedrock_error,
    .simple = back_bedrock_simple,
    .simple_count = BACK_BEDROCK_SIMPLE_COUNT,
};
