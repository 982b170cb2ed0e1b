/* front_openai_responses_tools.c: tools, the choice among them, and the form of the answer of a
 * Responses request.
 *
 * Of the tools that OpenAI runs only the search of the web exists elsewhere: it becomes the chat
 * API's web_search_options, which a back converts or refuses. All others are refused here: no
 * provider that needs a translation has them.
 */
#include "data-plane/dialect/front_openai_responses.h"

#include "data-plane/dialect/front_openai_chat.h"

static bool is_type(const struct json *node, const char *word)
{
    const struct json *type = json_get(node, "type");
    return json_is(type, JSON_STRING) && str_eq(chat_text_inner(chat_text_of(type)), str_c(word));
}

static enum status no_memory(struct dialect_call *call)
{
    return dialect_refuse(call, ST_NO_MEMORY, "Not enough memory.");
}

static enum status add_function(struct dialect_call *call, const struct json *node, uint32_t at,
                                struct chat *chat)
{
    const struct json *parameters = json_get(node, "parameters"),
                      *strict = json_get(node, "strict");
    struct chat_tool *tool = chat_add_tool(call->arena, chat);
    if (tool == NULL)
        return no_memory(call);
    tool->at = at;
    tool->node = node;
    tool->name = chat_text_of(json_get(node, "name"));
    tool->description = chat_text_of(json_get(node, "description"));
    tool->strict = json_is(strict, JSON_TRUE)    ? CHAT_YES
                   : json_is(strict, JSON_FALSE) ? CHAT_NO
                                                 : CHAT_UNSAID;
    if (json_is(parameters, JSON_OBJECT))
        tool->schema = parameters->raw;
    if (chat_text_is_empty(tool->name))
        return dialect_refuse(call, ST_INVALID, "tools[%u].name: required.", at);
    if (!json_is_none(parameters) && parameters->type != JSON_OBJECT)
        return dialect_refuse(call, ST_INVALID,
                              "tools[%u].parameters: must be a JSON schema object.", at);
    return ST_OK;
}

/* {"type":"web_search","user_location":{...},"search_context_size":...} in the chat API's form. */
static enum status take_search(struct dialect_call *call, const struct json *node,
                               struct chat *chat)
{
    static const char *const read[] = {"type", "user_location", "search_context_size"};
    const struct json *place = json_get(node, "user_location");
    const struct json *size = json_get(node, "search_context_size");
    struct json_writer w;
    struct json *root;
    struct buf text;
    buf_init(&text, 1u << 20);
    jw_init(&w, &text);
    jw_object(&w);
    if (json_is(place, JSON_OBJECT)) {
        jw_key(&w, "user_location");
        jw_object(&w);
        jw_field_cstr(&w, "type", "approximate");
        jw_field_raw(&w, "approximate", place->raw);
        jw_end(&w);
    }
    if (!json_is_none(size))
        jw_field_raw(&w, "search_context_size", size->raw);
    jw_end(&w);
    struct str copy =
        buf_status(&text) == ST_OK ? arena_str(call->arena, buf_str(&text)) : STR_NONE;
    buf_free(&text);
    if (copy.p == NULL || json_parse(call->arena, copy, NULL, &root, NULL) != ST_OK)
        return no_memory(call);
    chat->params[CHAT_PARAM_WEB_SEARCH] = (struct chat_param){root, "tools.web_search"};
    for (const struct json *m = node->first; m != NULL; m = m->next) {
        size_t i = 0;
        while (i < COUNT_OF(read) && !str_eq(m->key, str_c(read[i])))
            i++;
        if (i == COUNT_OF(read) && m->type != JSON_NULL &&
            chat_leave_out(call->arena, chat, "tools.web_search.filters") != ST_OK)
            return no_memory(call);
    }
    return ST_OK;
}

static enum status add_tool(struct dialect_call *call, const struct json *node, uint32_t at,
                            struct chat *chat)
{
    struct str type;
    if (!json_is(json_get(node, "type"), JSON_STRING) ||
        json_text(json_get(node, "type"), call->arena, &type) != ST_OK)
        return dialect_refuse(call, ST_INVALID, "tools[%u].type: required.", at);
    if (str_eq(type, STR("function")))
        return add_function(call, node, at, chat);
    if (str_starts(type, STR("web_search")))
        return take_search(call, node, chat);
    type = str_head(type, 60);
    return dialect_refuse_part(
        call, (struct chat_place){"tools", NULL, at, CHAT_NO_INDEX},
        arena_cstr(call->arena,
                   arena_printf(call->arena, "the tool \"" STR_FMT "\"", STR_ARG(type))),
        "Describe it as a function, or name a model whose provider offers /v1/responses.");
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
    for (const struct json *node = tools->first; node != NULL; node = node->next)
        TRY(add_tool(call, node, at++, chat));
    return ST_OK;
}

static enum status read_choice(struct dialect_call *call, const struct json *choice,
                               struct chat *chat)
{
    static const struct {
        const char *word;
        enum chat_choice choice;
    } words[] = {{"\"auto\"", CHAT_CHOICE_AUTO},
                 {"\"none\"", CHAT_CHOICE_NONE},
                 {"\"required\"", CHAT_CHOICE_ANY}};
    if (json_is_none(choice))
        return ST_OK;
    chat->params[CHAT_PARAM_TOOL_CHOICE] = (struct chat_param){choice, "tool_choice"};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (str_eq(choice->raw, str_c(words[i].word))) {
            chat->choice = words[i].choice;
            return ST_OK;
        }
    if (is_type(choice, "allowed_tools"))
        return front_openai_chat_allowed(call, choice, chat);
    chat->choice_name = chat_text_of(json_get(choice, "name"));
    if (!is_type(choice, "function") || chat_text_is_empty(chat->choice_name))
        return dialect_refuse(call, ST_INVALID,
                              "tool_choice: must be none, auto, required, allowed_tools or name a "
                              "function.");
    chat->choice = CHAT_CHOICE_NAMED;
    return ST_OK;
}

static enum status read_format(struct dialect_call *call, const struct json *format,
                               struct chat *chat)
{
    const struct json *schema = json_get(format, "schema"), *strict = json_get(format, "strict");
    if (json_is_none(format) || is_type(format, "text"))
        return ST_OK;
    chat->params[CHAT_PARAM_RESPONSE_FORMAT] = (struct chat_param){format, "text.format"};
    if (is_type(format, "json_object")) {
        chat->format = CHAT_FORMAT_JSON;
        return ST_OK;
    }
    if (!is_type(format, "json_schema") || !json_is(schema, JSON_OBJECT))
        return dialect_refuse(
            call, ST_INVALID,
            "text.format: must be text, json_object, or json_schema with schema.");
    chat->format = CHAT_FORMAT_SCHEMA;
    chat->schema = schema->raw;
    chat->format_name = chat_text_of(json_get(format, "name"));
    chat->format_description = chat_text_of(json_get(format, "description"));
    chat->format_strict = json_is(strict, JSON_TRUE)    ? CHAT_YES
                          : json_is(strict, JSON_FALSE) ? CHAT_NO
                                                        : CHAT_UNSAID;
    return ST_OK;
}

enum status front_openai_responses_tools(struct dialect_call *call, const struct json *body,
                                         struct chat *chat)
{
    const struct json *parallel = chat->params[CHAT_PARAM_PARALLEL_TOOL_CALLS].value;
    chat->parallel_calls = json_is(parallel, JSON_FALSE)  ? CHAT_NO
                           : json_is(parallel, JSON_TRUE) ? CHAT_YES
                                                          : CHAT_UNSAID;
    TRY(read_tools(call, json_get(body, "tools"), chat));
    TRY(read_choice(call, json_get(body, "tool_choice"), chat));
    return read_format(call, json_get(json_get(body, "text"), "format"), chat);
}
