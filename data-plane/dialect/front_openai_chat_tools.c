/* front_openai_chat_tools.c: what the model may call, and the shape its answer must have.
 *
 * The older `functions` / `function_call` are the same thing under other names: they become tools,
 * and the answer goes back as function_call. A tool that is no function is kept whole (native):
 * only the back can say whether its provider runs such a tool.
 */
#include "data-plane/dialect/front_openai_chat.h"

#define ALLOWED_MAX 256 /* names in allowed_tools: each is looked for among all tools */

static enum chat_flag flag_of(const struct json *node)
{
    return json_is(node, JSON_TRUE) ? CHAT_YES : json_is(node, JSON_FALSE) ? CHAT_NO : CHAT_UNSAID;
}

static enum status add_function(struct dialect_call *call, const struct json *node,
                                const struct json *function, uint32_t at, struct chat *chat)
{
    struct chat_tool *tool = chat_add_tool(call->arena, chat);
    const struct json *parameters = json_get(function, "parameters");
    if (tool == NULL)
        return dialect_refuse(call, ST_NO_MEMORY, "Not enough memory.");
    tool->at = at;
    tool->node = node;
    tool->name = chat_text_of(json_get(function, "name"));
    tool->description = chat_text_of(json_get(function, "description"));
    tool->strict = flag_of(json_get(function, "strict"));
    tool->cache = json_get(node, "cache_control");
    if (json_is(parameters, JSON_OBJECT))
        tool->schema = parameters->raw;
    if (chat_text_is_empty(tool->name))
        return dialect_refuse(call, ST_INVALID, "tools[%u].function.name: required.", at);
    if (!json_is_none(parameters) && parameters->type != JSON_OBJECT)
        return dialect_refuse(call, ST_INVALID,
                              "tools[%u].function.parameters: must be a JSON schema object.", at);
    return ST_OK;
}

static enum status add_tool(struct dialect_call *call, const struct json *node, uint32_t at,
                            struct chat *chat)
{
    struct str type;
    if (node->type != JSON_OBJECT || json_text(json_get(node, "type"), call->arena, &type) != ST_OK)
        return dialect_refuse(call, ST_INVALID, "tools[%u].type: required.", at);
    if (str_eq(type, STR("function")))
        return add_function(call, node, json_get(node, "function"), at, chat);
    struct chat_tool *tool = chat_add_tool(call->arena, chat);
    if (tool == NULL)
        return dialect_refuse(call, ST_NO_MEMORY, "Not enough memory.");
    tool->native = true;
    tool->node = node;
    tool->at = at;
    tool->cache = json_get(node, "cache_control");
    return ST_OK;
}

static enum status read_tools(struct dialect_call *call, const struct json *body, struct chat *chat)
{
    const struct json *tools = chat->params[CHAT_PARAM_TOOLS].value;
    const struct json *functions = json_get(body, "functions");
    uint32_t at = 0;
    if (tools != NULL && tools->type != JSON_ARRAY)
        return dialect_refuse(call, ST_INVALID, "tools: must be an array.");
    for (const struct json *node = tools == NULL ? NULL : tools->first; node != NULL;
         node = node->next)
        TRY(add_tool(call, node, at++, chat));
    if (json_is_none(functions) || tools != NULL)
        return ST_OK;
    if (functions->type != JSON_ARRAY)
        return dialect_refuse(call, ST_INVALID, "functions: must be an array.");
    chat->params[CHAT_PARAM_TOOLS] = (struct chat_param){functions, "functions"};
    chat->legacy_functions = true;
    chat->parallel_calls = CHAT_NO; /* an answer holds one function_call */
    for (const struct json *node = functions->first; node != NULL; node = node->next)
        TRY(add_function(call, node, node, at++, chat));
    return ST_OK;
}

/* "auto", "none", "required". */
static bool choice_word(struct dialect_call *call, const struct json *node,
                        enum chat_choice *choice)
{
    struct str word;
    if (json_text(node, call->arena, &word) != ST_OK)
        return false;
    *choice = str_eq(word, STR("auto"))       ? CHAT_CHOICE_AUTO
              : str_eq(word, STR("none"))     ? CHAT_CHOICE_NONE
              : str_eq(word, STR("required")) ? CHAT_CHOICE_ANY
                                              : CHAT_CHOICE_UNSAID;
    return *choice != CHAT_CHOICE_UNSAID;
}

static bool is_among(const struct json *tools, struct chat_text name)
{
    for (const struct json *tool = tools == NULL ? NULL : tools->first; tool != NULL;
         tool = tool->next) {
        const struct json *other = json_get(json_get(tool, "function"), "name");
        if (other == NULL)
            other = json_get(tool, "name"); /* in the Responses API */
        if (other != NULL && str_eq(other->raw, name.raw))
            return true;
    }
    return false;
}

enum status front_openai_chat_allowed(struct dialect_call *call, const struct json *allowed,
                                      struct chat *chat)
{
    const struct json *names = json_get(allowed, "tools");
    struct chat_tool **link = &chat->tools, *last = NULL;
    if (!json_is(names, JSON_ARRAY) || names->count > ALLOWED_MAX ||
        !choice_word(call, json_get(allowed, "mode"), &chat->choice))
        return dialect_refuse(
            call, ST_INVALID,
            "tool_choice.allowed_tools: mode (auto, required) and tools (at most %d) "
            "are required.",
            ALLOWED_MAX);
    while (*link != NULL) {
        if ((*link)->native || is_among(names, (*link)->name)) {
            last = *link;
            link = &last->next;
        } else {
            *link = (*link)->next;
        }
    }
    chat->last_tool = last;
    return ST_OK;
}

static enum status read_choice(struct dialect_call *call, const struct json *body,
                               struct chat *chat)
{
    const struct json *node = chat->params[CHAT_PARAM_TOOL_CHOICE].value;
    const struct json *name = json_get(json_get(node, "function"), "name");
    const struct json *allowed = json_get(node, "allowed_tools");
    const char *field = "tool_choice";
    if (chat->legacy_functions) {
        node = json_get(body, "function_call");
        name = json_get(node, "name");
        field = "function_call";
        if (!json_is_none(node))
            chat->params[CHAT_PARAM_TOOL_CHOICE] = (struct chat_param){node, field};
    }
    if (json_is_none(node) || choice_word(call, node, &chat->choice))
        return ST_OK;
    if (json_is(allowed, JSON_OBJECT))
        return front_openai_chat_allowed(call, allowed, chat);
    chat->choice_name = chat_text_of(name);
    if (chat_text_is_empty(chat->choice_name))
        return dialect_refuse(call, ST_INVALID,
                              "%s: must be none, auto, required or name a function.", field);
    chat->choice = CHAT_CHOICE_NAMED;
    return ST_OK;
}

static enum status read_format(struct dialect_call *call, struct chat *chat)
{
    const struct json *node = chat->params[CHAT_PARAM_RESPONSE_FORMAT].value;
    const struct json *detail = json_get(node, "json_schema"), *schema = json_get(detail, "schema");
    struct str type;
    if (node == NULL)
        return ST_OK;
    if (json_text(json_get(node, "type"), call->arena, &type) != ST_OK)
        return dialect_refuse(call, ST_INVALID, "response_format.type: required.");
    if (str_eq(type, STR("text"))) {
        chat->params[CHAT_PARAM_RESPONSE_FORMAT].value = NULL;
        return ST_OK;
    }
    if (str_eq(type, STR("json_object"))) {
        chat->format = CHAT_FORMAT_JSON;
        return ST_OK;
    }
    if (!str_eq(type, STR("json_schema")) || !json_is(schema, JSON_OBJECT))
        return dialect_refuse(call, ST_INVALID,
                              "response_format: must be text, json_object, or json_schema with "
                              "json_schema.schema.");
    chat->format = CHAT_FORMAT_SCHEMA;
    chat->schema = schema->raw;
    chat->format_name = chat_text_of(json_get(detail, "name"));
    chat->format_description = chat_text_of(json_get(detail, "description"));
    chat->format_strict = flag_of(json_get(detail, "strict"));
    return ST_OK;
}

enum status front_openai_chat_tools(struct dialect_call *call, const struct json *body,
                                    struct chat *chat)
{
    chat->parallel_calls = flag_of(chat->params[CHAT_PARAM_PARALLEL_TOOL_CALLS].value);
    TRY(read_tools(call, body, chat));
    TRY(read_choice(call, body, chat));
    return read_format(call, chat);
}
