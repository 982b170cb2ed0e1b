/* front_anthropic_tools.c: tools, thinking and the form of the answer of a Messages request.
 *
 * A tool with a type but "custom" is one that Anthropic runs, or whose schema only Claude knows: it
 * is kept whole (native), and the back says whether its provider has it. output_config.format is
 * strict by definition. thinking and output_config stay among the extras, where a service of Claude
 * takes them word for word.
 */
#include "data-plane/dialect/front_anthropic.h"

static enum status add_tool(struct dialect_call *call, const struct json *node, uint32_t at,
                            struct chat *chat)
{
    static const char *const read[] = {"type",         "name",   "description",
                                       "input_schema", "strict", "cache_control"};
    const struct json *type = json_get(node, "type"), *schema = json_get(node, "input_schema");
    struct chat_tool *tool = chat_add_tool(call->arena, chat);
    if (tool == NULL)
        return dialect_refuse(call, ST_NO_MEMORY, "Not enough memory.");
    tool->at = at;
    tool->node = node;
    tool->cache = json_get(node, "cache_control");
    if (tool->cache != NULL && tool->cache->type == JSON_NULL)
        tool->cache = NULL;
    if (!json_is_none(type) && !str_eq(type->raw, STR("\"custom\""))) {
        tool->native = true;
        return ST_OK;
    }
    tool->name = chat_text_of(json_get(node, "name"));
    tool->description = chat_text_of(json_get(node, "description"));
    tool->strict = json_is(json_get(node, "strict"), JSON_TRUE) ? CHAT_YES : CHAT_UNSAID;
    if (chat_text_is_empty(tool->name))
        return dialect_refuse(call, ST_INVALID, "tools[%u].name: required.", at);
    if (!json_is(schema, JSON_OBJECT))
        return dialect_refuse(call, ST_INVALID,
                              "tools[%u].input_schema: a JSON schema object is required.", at);
    tool->schema = schema->raw;
    for (const struct json *m = node->first; m != NULL; m = m->next) {
        size_t i = 0;
        while (i < COUNT_OF(read) && !str_eq(m->key, str_c(read[i])))
            i++;
        if (i < COUNT_OF(read) || m->type == JSON_NULL)
            continue;
        struct str field = arena_printf(call->arena, "tools." STR_FMT, STR_ARG(m->key));
        if (field.p == NULL || chat_leave_out(call->arena, chat, field.p) != ST_OK)
            return dialect_refuse(call, ST_NO_MEMORY, "Not enough memory.");
    }
    return ST_OK;
}

static enum status read_tools(struct dialect_call *call, const struct json *tools,
                              struct chat *chat)
{
    uint32_t at = 0;
    if (json_is_none(tools))
        return ST_OK;
    if (tools->type != JSON_ARRAY)
        return dialect_refuse(call, ST_INVALID, "tools: must be an array.");
    chat->params[CHAT_PARAM_TOOLS] = (struct chat_param){tools, "tools"};
    for (const struct json *node = tools->first; node != NULL; node = node->next, at++) {
        if (node->type != JSON_OBJECT)
            return dialect_refuse(call, ST_INVALID, "tools[%u]: must be an object.", at);
        TRY(add_tool(call, node, at, chat));
    }
    return ST_OK;
}

static enum status read_choice(struct dialect_call *call, const struct json *choice,
                               struct chat *chat)
{
    static const struct {
        const char *word;
        enum chat_choice choice;
    } words[] = {{"\"auto\"", CHAT_CHOICE_AUTO},
                 {"\"any\"", CHAT_CHOICE_ANY},
                 {"\"tool\"", CHAT_CHOICE_NAMED},
                 {"\"none\"", CHAT_CHOICE_NONE}};
    const struct json *type = json_get(choice, "type");
    const struct json *single = json_get(choice, "disable_parallel_tool_use");
    if (json_is_none(choice))
        return ST_OK;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (json_is(type, JSON_STRING) && str_eq(type->raw, str_c(words[i].word)))
            chat->choice = words[i].choice;
    if (chat->choice == CHAT_CHOICE_UNSAID)
        return dialect_refuse(call, ST_INVALID,
                              "tool_choice.type: must be auto, any, tool or none.");
    chat->params[CHAT_PARAM_TOOL_CHOICE] = (struct chat_param){choice, "tool_choice"};
    chat->choice_name = chat_text_of(json_get(choice, "name"));
    if (chat->choice == CHAT_CHOICE_NAMED && chat_text_is_empty(chat->choice_name))
        return dialect_refuse(call, ST_INVALID, "tool_choice.name: required beside type tool.");
    if (json_is(single, JSON_TRUE)) {
        chat->parallel_calls = CHAT_NO;
        chat->params[CHAT_PARAM_PARALLEL_TOOL_CALLS] =
            (struct chat_param){single, "tool_choice.disable_parallel_tool_use"};
    }
    return ST_OK;
}

/* enabled: a budget. disabled: no thinking. What leaves it to the model (adaptive) asks for
 * nothing. */
static enum status read_thinking(struct dialect_call *call, const struct json *thinking,
                                 struct chat *chat)
{
    const struct json *type = json_get(thinking, "type");
    if (json_is_none(thinking))
        return ST_OK;
    if (!json_is(type, JSON_STRING))
        return dialect_refuse(call, ST_INVALID, "thinking.type: required.");
    bool enabled = str_eq(type->raw, STR("\"enabled\""));
    if (enabled &&
        (json_u64(json_get(thinking, "budget_tokens"), &chat->thinking_tokens) != ST_OK ||
         chat->thinking_tokens == 0))
        return dialect_refuse(call, ST_INVALID,
                              "thinking.budget_tokens: must be a whole number from 1.");
    if (str_eq(type->raw, STR("\"disabled\"")))
        chat->effort = CHAT_EFFORT_NONE;
    if (enabled || chat->effort == CHAT_EFFORT_NONE)
        chat->params[CHAT_PARAM_REASONING_EFFORT] = (struct chat_param){thinking, "thinking"};
    return ST_OK;
}

/* An effort beside thinking that is switched off says nothing about thinking. */
static enum status read_effort(struct dialect_call *call, const struct json *effort,
                               struct chat *chat)
{
    if (json_is_none(effort) || chat->effort == CHAT_EFFORT_NONE)
        return ST_OK;
    chat->effort = chat_effort_of(chat_text_inner(chat_text_of(effort)));
    if (chat->effort < CHAT_EFFORT_LOW)
        return dialect_refuse(call, ST_INVALID,
                              "output_config.effort: must be low, medium, high, xhigh or max.");
    chat->params[CHAT_PARAM_REASONING_EFFORT] = (struct chat_param){effort, "output_config.effort"};
    return ST_OK;
}

static enum status read_format(struct dialect_call *call, const struct json *format,
                               struct chat *chat)
{
    const struct json *type = json_get(format, "type"), *schema = json_get(format, "schema");
    if (json_is_none(format))
        return ST_OK;
    if (!json_is(type, JSON_STRING) || !str_eq(type->raw, STR("\"json_schema\"")) ||
        !json_is(schema, JSON_OBJECT))
        return dialect_refuse(call, ST_INVALID,
                              "output_config.format: must be json_schema with schema.");
    chat->format = CHAT_FORMAT_SCHEMA;
    chat->format_strict = CHAT_YES;
    chat->schema = schema->raw;
    chat->params[CHAT_PARAM_RESPONSE_FORMAT] = (struct chat_param){format, "output_config.format"};
    return ST_OK;
}

enum status front_anthropic_tools(struct dialect_call *call, const struct json *body,
                                  struct chat *chat)
{
    const struct json *output = json_get(body, "output_config");
    TRY(read_tools(call, json_get(body, "tools"), chat));
    TRY(read_choice(call, json_get(body, "tool_choice"), chat));
    TRY(read_thinking(call, json_get(body, "thinking"), chat));
    TRY(read_effort(call, json_get(output, "effort"), chat));
    return read_format(call, json_get(output, "format"), chat);
}
