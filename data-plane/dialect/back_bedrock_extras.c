/* back_bedrock_extras.c: additionalModelRequestFields, what a model's own API takes beyond
 * Converse.
 *
 *   Claude   top_k, thinking, output_config.effort, anthropic_beta, context_management, tools that
 *            Anthropic runs, tool_choice where calls must not be parallel
 *   Nova     inferenceConfig.topK      Nova 2   reasoningConfig      gpt-oss   reasoning_effort
 *   Cohere   k, seed, penalties        AI21     penalties            Mistral   top_k
 *
 * Invariant: a member that the caller wrote there himself comes before ours of the same name.
 */
#include "data-plane/dialect/back_bedrock.h"
#include "data-plane/dialect/back_openai.h"

struct more {
    struct dialect_call *call;
    struct json_writer *w;
    const struct json *given; /* the caller's own object, or NULL */
};

/* False: the caller has that member already. */
static bool begin_member(struct more *more, const char *name)
{
    if (json_get(more->given, name) != NULL)
        return false;
    jw_key(more->w, name);
    return true;
}

static void add_raw(struct more *more, const char *name, struct str raw)
{
    if (begin_member(more, name))
        jw_raw(more->w, raw);
}

static enum status add_given(struct more *more)
{
    const struct json *given = params_extra(more->call->chat, "additional_model_request_fields");
    if (given == NULL)
        given = params_extra(more->call->chat, "additionalModelRequestFields");
    if (given == NULL)
        return ST_OK;
    if (given->type != JSON_OBJECT)
        return dialect_refuse(more->call, ST_INVALID,
                              "additional_model_request_fields: must be an object.");
    for (const struct json *member = given->first; member != NULL; member = member->next) {
        jw_key_str(more->w, member->key);
        jw_raw(more->w, member->raw);
    }
    more->given = given;
    return ST_OK;
}

/* --- sampling */

static void add_top_k(struct more *more)
{
    const struct back_bedrock *state = back_bedrock_state(more->call);
    const struct chat_param *top_k = &more->call->chat->params[CHAT_PARAM_TOP_K];
    bool nova = state->model.family == BEDROCK_NOVA || state->model.family == BEDROCK_NOVA_2;
    if (top_k->value == NULL)
        return;
    if (!state->model.as.sampling || state->claude.thinks ||
        (state->model.top_k == NULL && !nova)) {
        dialect_drop(more->call, top_k->field);
        return;
    }
    if (!nova) {
        add_raw(more, state->model.top_k, top_k->value->raw);
        return;
    }
    if (!begin_member(more, "inferenceConfig"))
        return;
    jw_object(more->w);
    jw_field_raw(more->w, "topK", top_k->value->raw);
    jw_end(more->w);
}

static void add_by_name(struct more *more, enum chat_param_name name, enum bedrock_trait trait)
{
    const struct chat_param *param = &more->call->chat->params[name];
    if (!params_asks(more->call->chat, name))
        return;
    if ((back_bedrock_state(more->call)->model.traits & (unsigned)trait) != 0)
        add_raw(more, params_text(name), param->value->raw);
    else
        dialect_drop(more->call, param->field);
}

/* --- thinking */

/* low, medium or high; what had to be lowered is listed. */
static const char *effort_word(struct dialect_call *call)
{
    enum chat_effort effort = call->chat->effort;
    if (effort > CHAT_EFFORT_HIGH)
        dialect_drop(call, call->chat->params[CHAT_PARAM_REASONING_EFFORT].field);
    return effort >= CHAT_EFFORT_HIGH ? "high" : effort == CHAT_EFFORT_MEDIUM ? "medium" : "low";
}

static void add_effort(struct more *more)
{
    struct dialect_call *call = more->call;
    enum bedrock_family family = back_bedrock_state(call)->model.family;
    const char *field = call->chat->params[CHAT_PARAM_REASONING_EFFORT].field;
    bool asked = call->chat->effort > CHAT_EFFORT_NONE;
    if (family == BEDROCK_NOVA_2 && asked && begin_member(more, "reasoningConfig")) {
        jw_object(more->w);
        jw_field_cstr(more->w, "type", "enabled");
        jw_field_cstr(more->w, "maxReasoningEffort", effort_word(call));
        jw_end(more->w);
    } else if (family == BEDROCK_GPT_OSS && asked && begin_member(more, "reasoning_effort")) {
        jw_cstr(more->w, effort_word(call));
    } else if (asked || call->chat->thinking_tokens > 0 ||
               (family == BEDROCK_GPT_OSS && call->chat->effort == CHAT_EFFORT_NONE)) {
        dialect_drop(call, field);
    }
}

/* A Messages caller's own words pass, as far as Converse does not say them itself. */
static void add_read_thinking(struct more *more)
{
    const struct chat *chat = more->call->chat;
    const struct json *thinking = params_extra(chat, "thinking");
    const struct json *effort = json_get(params_extra(chat, "output_config"), "effort");
    if (!json_is_none(thinking))
        add_raw(more, "thinking", thinking->raw);
    if (!json_is_none(effort) && begin_member(more, "output_config")) {
        jw_object(more->w);
        jw_field_raw(more->w, "effort", effort->raw);
        jw_end(more->w);
    }
}

static void add_own(struct more *more, const char *name)
{
    const struct json *own = params_extra(more->call->chat, name);
    if (own != NULL)
        add_raw(more, name, own->raw);
}

static void add_thinking(struct more *more)
{
    if (params_is_read(more->call, "thinking")) {
        add_read_thinking(more);
        return;
    }
    add_own(more, "thinking");
    add_own(more, "output_config");
    if (json_get(more->given, "thinking") == NULL && json_get(more->given, "output_config") == NULL)
        back_anthropic_thinking(more->call, more->w);
}

/* --- Claude */

/* "a,b" or ["a","b"] as a list. */
static enum status add_betas(struct more *more)
{
    const struct json *beta = params_extra(more->call->chat, "anthropic_beta");
    struct str rest, name;
    if (json_is(beta, JSON_ARRAY))
        add_raw(more, "anthropic_beta", beta->raw);
    if (!json_is(beta, JSON_STRING))
        return ST_OK;
    TRY(json_text(beta, more->call->arena, &rest));
    if (rest.n == 0 || !begin_member(more, "anthropic_beta"))
        return ST_OK;
    jw_array(more->w);
    while (rest.n > 0 && str_split(&rest, ',', &name))
        jw_str(more->w, str_trim(name));
    jw_end(more->w);
    return ST_OK;
}

static void add_native_tools(struct more *more)
{
    const struct chat *chat = more->call->chat;
    const struct chat_tool *tool = chat->choice == CHAT_CHOICE_NONE ? NULL : chat->tools;
    while (tool != NULL && !tool->native)
        tool = tool->next;
    if (tool == NULL || !begin_member(more, "tools"))
        return;
    jw_array(more->w);
    for (; tool != NULL; tool = tool->next)
        if (tool->native)
            jw_raw(more->w, tool->node->raw);
    jw_end(more->w);
}

/* The choice and that calls come one by one, which Converse cannot say. */
static enum status add_choice(struct more *more)
{
    const struct back_bedrock *state = back_bedrock_state(more->call);
    const struct chat *chat = more->call->chat;
    struct chat_text name = chat_has(state->claude.json_tool)
                                ? state->claude.json_tool
                                : back_openai_name(more->call->arena, chat->choice_name);
    bool json = chat_has(state->claude.json_tool), several = chat->tools != NULL;
    enum chat_choice choice = json && several ? CHAT_CHOICE_ANY
                              : json          ? CHAT_CHOICE_NAMED
                                              : chat->choice;
    if (!state->own_choice || !begin_member(more, "tool_choice"))
        return ST_OK;
    jw_object(more->w);
    jw_field_cstr(more->w, "type",
                  choice == CHAT_CHOICE_NAMED ? "tool"
                  : choice == CHAT_CHOICE_ANY ? "any"
                                              : "auto");
    if (choice == CHAT_CHOICE_NAMED)
        jw_field_raw(more->w, "name", name.raw);
    jw_field_bool(more->w, "disable_parallel_tool_use", true);
    jw_end(more->w);
    return chat_has(name) || choice != CHAT_CHOICE_NAMED ? ST_OK : ST_NO_MEMORY;
}

static enum status add_claude(struct more *more)
{
    add_thinking(more);
    add_own(more, "context_management");
    add_native_tools(more);
    TRY(add_choice(more));
    return add_betas(more);
}

enum status back_bedrock_extras(struct dialect_call *call, struct json_writer *w)
{
    struct more more = {.call = call, .w = w};
    TRY(add_given(&more));
    add_top_k(&more);
    add_by_name(&more, CHAT_PARAM_SEED, BEDROCK_SEED);
    add_by_name(&more, CHAT_PARAM_PRESENCE_PENALTY, BEDROCK_PENALTIES);
    add_by_name(&more, CHAT_PARAM_FREQUENCY_PENALTY, BEDROCK_PENALTIES);
    if (back_bedrock_state(call)->model.family == BEDROCK_CLAUDE)
        return add_claude(&more);
    add_effort(&more);
    return ST_OK;
}
