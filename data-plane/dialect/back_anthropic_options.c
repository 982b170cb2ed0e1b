/* back_anthropic_options.c: tools, JSON answers and thinking of a Messages request.
 *
 * JSON answers: output_config.format where the model has it and the caller wants the schema kept
 * strictly (or the model cannot be made to call a tool); else a tool whose input is the answer,
 * which the model must call; its arguments come back as the answer's text (back_anthropic_reply.c).
 *
 * Thinking: effort is a share of max_tokens for models with budgets, a word for those that adapt.
 * It cannot be beside a forced tool, nor in the middle of a tool loop whose first answer came back
 * without its signed thinking, nor below 1,025 tokens: then reasoning_effort is listed as dropped.
 */
#include "data-plane/dialect/back_anthropic.h"

#define MAX_TOKENS_DEFAULT 4096u  /* every Claude model gives as many */
#define BUDGET_LEAST       1024u  /* API reference: budget_tokens */
#define BUDGET_MOST        32000u /* beyond it the API advises batches */
#define JSON_TOOL          "\"json_response\""
#define JSON_TOOL_TEXT     "\"Give your whole answer to the user by calling this tool.\""
#define ANY_OBJECT         "{\"type\":\"object\"}"

static struct back_anthropic *state_of(struct dialect_call *call)
{
    return call->back_state;
}

/* --- planning */

static bool is_forced(const struct chat *chat)
{
    return chat->choice == CHAT_CHOICE_ANY || chat->choice == CHAT_CHOICE_NAMED;
}

enum status back_anthropic_plan_format(struct dialect_call *call, bool passes)
{
    struct back_anthropic *state = state_of(call);
    const struct chat *chat = call->chat;
    bool schema = chat->format == CHAT_FORMAT_SCHEMA;
    const struct json *own = passes ? params_extra(chat, "output_config") : NULL;
    if (json_get(own, "format") != NULL)
        return ST_OK; /* the caller's own one passes as it is */
    if (own != NULL)
        state->model.output_format = false; /* it leaves no place for ours */
    if (schema && state->model.output_format &&
        (chat->format_strict == CHAT_YES || !state->model.forced_tool))
        return ST_OK;
    state->model.output_format = false;
    if (chat->format == CHAT_FORMAT_TEXT || is_forced(chat))
        return ST_OK; /* a call that is forced answers instead of JSON */
    if (!state->model.forced_tool)
        return dialect_refuse(call, ST_INVALID,
                              "response_format: the model " STR_FMT
                              " takes a JSON schema only. Send json_schema with strict true.",
                              STR_ARG(call->target->model));
    state->json_tool = (struct chat_text){STR(JSON_TOOL)};
    for (const struct chat_tool *tool = chat->tools; tool != NULL; tool = tool->next)
        if (str_eq(tool->name.raw, state->json_tool.raw))
            return dialect_refuse(
                call, ST_INVALID,
                "tools[%u].function.name: json_response is the tool that provider "
                "@" STR_FMT " answers JSON with. Rename yours.",
                tool->at, STR_ARG(call->target->provider));
    return ST_OK;
}

/* The last answer called tools, their results are here, and its thinking is not. */
static bool is_loop_without_thinking(const struct chat *chat)
{
    const struct chat_message *asked = chat->last_assistant;
    bool results = false, calls = false, thinks = false;
    for (const struct chat_message *m = asked == NULL ? NULL : asked->next; m != NULL; m = m->next)
        for (const struct chat_part *p = m->parts.first; p != NULL; p = p->next)
            results = results || p->kind == CHAT_PART_TOOL_RESULT;
    for (const struct chat_part *p = results ? asked->parts.first : NULL; p != NULL; p = p->next) {
        calls = calls || p->kind == CHAT_PART_TOOL_CALL;
        thinks = thinks || p->kind == CHAT_PART_REDACTED ||
                 (p->kind == CHAT_PART_THINKING && chat_has(p->signature));
    }
    return calls && !thinks;
}

static uint64_t budget_of(const struct chat *chat, uint64_t max_tokens)
{
    static const uint8_t percent[] = {
        [CHAT_EFFORT_MINIMAL] = 10, [CHAT_EFFORT_LOW] = 20,   [CHAT_EFFORT_MEDIUM] = 50,
        [CHAT_EFFORT_HIGH] = 80,    [CHAT_EFFORT_XHIGH] = 95, [CHAT_EFFORT_MAX] = 95};
    uint64_t budget = chat->thinking_tokens;
    if (budget > 0)
        return budget;
    budget = max_tokens > UINT32_MAX ? BUDGET_MOST : max_tokens * percent[chat->effort] / 100;
    budget = budget > BUDGET_MOST ? BUDGET_MOST : budget;
    return budget < BUDGET_LEAST ? BUDGET_LEAST : budget;
}

/* Was the effort read from members that pass as they are? */
static bool is_in_own(const struct chat *chat, const struct json *thinking)
{
    const struct json *value = chat->params[CHAT_PARAM_REASONING_EFFORT].value;
    return value == thinking ||
           (value != NULL && value == json_get(params_extra(chat, "output_config"), "effort"));
}

static uint64_t max_tokens_of(const struct dialect_call *call)
{
    if (call->chat->max_tokens > 0)
        return call->chat->max_tokens;
    return call->target->max_output_tokens > 0 ? call->target->max_output_tokens
                                               : MAX_TOKENS_DEFAULT;
}

void back_anthropic_plan_thinking(struct dialect_call *call)
{
    struct back_anthropic *state = state_of(call);
    const struct chat *chat = call->chat;
    const struct json *own = params_extra(chat, "thinking");
    bool asked = chat->effort > CHAT_EFFORT_NONE || chat->thinking_tokens > 0;
    bool budgets = state->model.thinking == ANTHROPIC_THINKING_BUDGET;
    state->max_tokens = max_tokens_of(call);
    if (own != NULL || params_is_read(call, "thinking")) {
        state->thinks = own != NULL && (!json_is(json_get(own, "type"), JSON_STRING) ||
                                        !str_eq(json_get(own, "type")->raw, STR("\"disabled\"")));
        if (asked && own != NULL && !is_in_own(chat, own))
            dialect_drop(call, chat->params[CHAT_PARAM_REASONING_EFFORT].field);
        return;
    }
    if (!asked)
        return;
    state->budget_tokens = budget_of(chat, state->max_tokens);
    state->thinks =
        state->model.thinking != ANTHROPIC_THINKING_NONE && !is_forced(chat) &&
        !chat_has(state->json_tool) &&
        !(budgets && (state->budget_tokens >= state->max_tokens || is_loop_without_thinking(chat)));
    if (!state->thinks)
        dialect_drop(call, chat->params[CHAT_PARAM_REASONING_EFFORT].field);
}

enum status back_anthropic_plan(struct dialect_call *call)
{
    const struct dialect_target *target = call->target;
    struct str name = target->base_model.n > 0 ? target->base_model : target->model;
    anthropic_model_of(name, &state_of(call)->model);
    TRY(back_anthropic_plan_format(call, true));
    back_anthropic_plan_thinking(call);
    return ST_OK;
}

/* --- tools */

/* The API wants "type":"object" in every schema; all other keywords stay. */
void back_anthropic_schema(struct json_writer *w, const char *key, struct str schema)
{
    struct json_field type = {.name = "type"};
    struct str inside;
    jw_key(w, key);
    if (schema.p == NULL) {
        jw_raw(w, STR("{\"type\":\"object\",\"properties\":{}}"));
        return;
    }
    if (json_scan_object(schema, &type, 1, NULL) != ST_OK || type.raw.p != NULL) {
        jw_raw(w, schema);
        return;
    }
    inside = str_trim(str_of(schema.p + 1, schema.n - 2));
    jw_raw(w, STR("{\"type\":\"object\""));
    if (inside.n > 0)
        buf_add_char(w->buf, ',');
    buf_add_str(w->buf, inside);
    buf_add_char(w->buf, '}');
}

static enum status write_function(struct dialect_call *call, struct json_writer *w,
                                  const struct chat_tool *tool)
{
    jw_object(w);
    jw_field_raw(w, "name", tool->name.raw);
    if (!chat_text_is_empty(tool->description))
        jw_field_raw(w, "description", tool->description.raw);
    back_anthropic_schema(w, "input_schema", tool->schema);
    if (tool->strict == CHAT_YES) {
        if (state_of(call)->model.strict_tools)
            jw_field_bool(w, "strict", true);
        else
            dialect_drop(call, "tools.strict");
    }
    if (tool->cache != NULL)
        jw_field_raw(w, "cache_control", tool->cache->raw);
    jw_end(w);
    return ST_OK;
}

static enum status write_tool(struct dialect_call *call, struct json_writer *w,
                              const struct chat_tool *tool)
{
    const struct json *type = json_get(tool->node, "type");
    if (!tool->native)
        return write_function(call, w, tool);
    if (json_is(type, JSON_STRING) && str_eq(type->raw, STR("\"custom\"")) &&
        json_get(tool->node, "custom") != NULL)
        return dialect_refuse_part(call,
                                   (struct chat_place){"tools", NULL, tool->at, CHAT_NO_INDEX},
                                   "custom tools", "Describe it as a function.");
    jw_raw(w, tool->node->raw); /* one of the provider's own, as it calls them */
    return ST_OK;
}

static void write_json_tool(struct dialect_call *call, struct json_writer *w)
{
    const struct chat *chat = call->chat;
    jw_object(w);
    jw_field_raw(w, "name", state_of(call)->json_tool.raw);
    jw_field_raw(w, "description",
                 chat_text_is_empty(chat->format_description) ? STR(JSON_TOOL_TEXT)
                                                              : chat->format_description.raw);
    back_anthropic_schema(w, "input_schema",
                          chat->format == CHAT_FORMAT_SCHEMA ? chat->schema : STR(ANY_OBJECT));
    jw_end(w);
}

/* web_search_options: {"user_location":{"type":"approximate","approximate":{...}}} */
static void write_web_search(struct dialect_call *call, struct json_writer *w)
{
    const struct json *options = call->chat->params[CHAT_PARAM_WEB_SEARCH].value;
    const struct json *place = json_get(json_get(options, "user_location"), "approximate");
    jw_object(w);
    jw_field_cstr(w, "type", "web_search_20250305");
    jw_field_cstr(w, "name", "web_search");
    if (json_is(place, JSON_OBJECT)) {
        jw_key(w, "user_location");
        jw_object(w);
        jw_field_cstr(w, "type", "approximate");
        for (const struct json *member = place->first; member != NULL; member = member->next)
            if (member->type == JSON_STRING && !str_eq(member->key, STR("type"))) {
                jw_key_str(w, member->key);
                jw_raw(w, member->raw);
            }
        jw_end(w);
    }
    jw_end(w);
    if (!json_is_none(json_get(options, "search_context_size")))
        dialect_drop(call, "web_search_options.search_context_size");
}

static void write_choice(struct dialect_call *call, struct json_writer *w)
{
    static const char *const types[] = {[CHAT_CHOICE_AUTO] = "auto",
                                        [CHAT_CHOICE_NONE] = "none",
                                        [CHAT_CHOICE_ANY] = "any",
                                        [CHAT_CHOICE_NAMED] = "tool"};
    const struct chat *chat = call->chat;
    struct chat_text json_tool = state_of(call)->json_tool;
    enum chat_choice choice = chat->choice;
    struct chat_text name = chat->choice_name;
    bool single = chat->parallel_calls == CHAT_NO;
    if (chat_has(json_tool)) {
        bool others = chat->tools != NULL && choice != CHAT_CHOICE_NONE;
        choice = others ? CHAT_CHOICE_ANY : CHAT_CHOICE_NAMED;
        name = json_tool;
    } else if (choice == CHAT_CHOICE_UNSAID) {
        if (!single)
            return;
        choice = CHAT_CHOICE_AUTO;
    }
    jw_key(w, "tool_choice");
    jw_object(w);
    jw_field_cstr(w, "type", types[choice]);
    if (choice == CHAT_CHOICE_NAMED)
        jw_field_raw(w, "name", name.raw);
    if (single && choice != CHAT_CHOICE_NONE)
        jw_field_bool(w, "disable_parallel_tool_use", true);
    jw_end(w);
}

static enum status write_tools(struct dialect_call *call, struct json_writer *w)
{
    const struct chat *chat = call->chat;
    bool search = chat->params[CHAT_PARAM_WEB_SEARCH].value != NULL;
    if (chat->tools == NULL && !chat_has(state_of(call)->json_tool) && !search)
        return ST_OK;
    jw_key(w, "tools");
    jw_array(w);
    for (const struct chat_tool *tool = chat->tools; tool != NULL; tool = tool->next)
        TRY(write_tool(call, w, tool));
    if (chat_has(state_of(call)->json_tool))
        write_json_tool(call, w);
    if (search)
        write_web_search(call, w);
    jw_end(w);
    write_choice(call, w);
    return ST_OK;
}

/* --- thinking and the answer's form */

/* The nearest effort that the model has; another one than was asked for is listed. */
static const char *effort_word(struct dialect_call *call)
{
    const struct anthropic_model *model = &state_of(call)->model;
    enum chat_effort wish = call->chat->effort, effort = wish;
    if (wish == CHAT_EFFORT_MINIMAL)
        effort = CHAT_EFFORT_LOW;
    else if ((wish == CHAT_EFFORT_XHIGH && !model->effort_xhigh) ||
             (wish == CHAT_EFFORT_MAX && !model->effort_max))
        effort = CHAT_EFFORT_HIGH;
    if (effort != wish)
        dialect_drop(call, call->chat->params[CHAT_PARAM_REASONING_EFFORT].field);
    return chat_effort_word(effort);
}

static void write_thinking(struct dialect_call *call, struct json_writer *w)
{
    const struct back_anthropic *state = state_of(call);
    bool adapts = state->model.thinking == ANTHROPIC_THINKING_ADAPTIVE;
    bool off = call->chat->effort == CHAT_EFFORT_NONE && adapts;
    if (params_extra(call->chat, "thinking") != NULL || (!state->thinks && !off))
        return;
    jw_key(w, "thinking");
    jw_object(w);
    jw_field_cstr(w, "type", off ? "disabled" : adapts ? "adaptive" : "enabled");
    if (!off && adapts)
        jw_field_cstr(w, "display", "summarized"); /* the newest models leave it out otherwise */
    if (!adapts)
        jw_field_u64(w, "budget_tokens", state->budget_tokens);
    jw_end(w);
}

static void write_output(struct dialect_call *call, struct json_writer *w, bool formats)
{
    const struct back_anthropic *state = state_of(call);
    const struct chat *chat = call->chat;
    bool format = formats && chat->format == CHAT_FORMAT_SCHEMA && state->model.output_format;
    bool effort = state->thinks && chat->effort > CHAT_EFFORT_NONE &&
                  state->model.thinking == ANTHROPIC_THINKING_ADAPTIVE &&
                  params_extra(chat, "thinking") == NULL;
    if (params_extra(chat, "output_config") != NULL || (!format && !effort))
        return;
    jw_key(w, "output_config");
    jw_object(w);
    if (effort)
        jw_field_cstr(w, "effort", effort_word(call));
    if (format) {
        jw_key(w, "format");
        jw_object(w);
        jw_field_cstr(w, "type", "json_schema");
        jw_field_raw(w, "schema", chat->schema);
        jw_end(w);
    }
    jw_end(w);
}

void back_anthropic_thinking(struct dialect_call *call, struct json_writer *w)
{
    write_thinking(call, w);
    write_output(call, w, false);
}

enum status back_anthropic_options(struct dialect_call *call, struct json_writer *w)
{
    TRY(write_tools(call, w));
    write_thinking(call, w);
    write_output(call, w, true);
    return ST_OK;
}
