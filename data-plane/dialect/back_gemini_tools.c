/* back_gemini_tools.c: what the model may call, and how JSON answers are asked for.
 *
 * JSON answers: responseMimeType and responseJsonSchema; but models before Gemini 3 take no
 * functions beside them, so there a function `json_response` must be called instead, and its
 * arguments come back as the answer's text (back_gemini_reply.c).
 *
 * Google's own tools are asked for by name, in any of the spellings that are about: a tool of type
 * "google_search" or "googleSearch", OpenAI's "web_search", or a function of that name without
 * parameters.
 */
#include "data-plane/dialect/back_gemini.h"

#define JSON_TOOL      "\"json_response\""
#define JSON_TOOL_TEXT "\"Give your whole answer to the user by calling this function.\""

static struct back_gemini *state_of(struct dialect_call *call)
{
    return call->back_state;
}

/* --- Google's own tools */

static const struct {
    const char *name, *as;
} own_tools[] = {
    {"google_search", "googleSearch"},
    {"googleSearch", "googleSearch"},
    {"google_search_retrieval", "googleSearchRetrieval"},
    {"googleSearchRetrieval", "googleSearchRetrieval"},
    {"web_search", "googleSearch"},
    {"web_search_preview", "googleSearch"},
    {"code_execution", "codeExecution"},
    {"codeExecution", "codeExecution"},
    {"url_context", "urlContext"},
    {"urlContext", "urlContext"},
    {"google_maps", "googleMaps"},
    {"googleMaps", "googleMaps"},
    {"computer_use", "computerUse"},
    {"computerUse", "computerUse"},
    {"file_search", "fileSearch"},
    {"fileSearch", "fileSearch"},
    {"enterprise_web_search", "enterpriseWebSearch"},
    {"enterpriseWebSearch", "enterpriseWebSearch"},
    {"retrieval", "retrieval"},
};

static const char *own_name(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(own_tools); i++)
        if (str_eq(name, str_c(own_tools[i].name)))
            return own_tools[i].as;
    return NULL;
}

/* NULL: a function of the caller's. A type or name with escapes in it is none of these. */
static const char *own_tool(const struct chat_tool *tool)
{
    if (tool->native)
        return own_name(chat_text_inner(chat_text_of(json_get(tool->node, "type"))));
    const struct json *function = json_get(tool->node, "function");
    const struct json *properties = json_get(json_get(function, "parameters"), "properties");
    bool bare = !json_is(properties, JSON_OBJECT) || properties->count == 0;
    return bare && !chat_has(tool->description) ? own_name(chat_text_inner(tool->name)) : NULL;
}

/* {"googleSearch": what the caller gave under the tool's own type, or nothing} */
static void write_own(struct json_writer *w, const struct chat_tool *tool, const char *as)
{
    const struct json *type = json_get(tool->node, "type");
    const struct json *detail = tool->native
                                    ? json_get_str(tool->node, chat_text_inner(chat_text_of(type)))
                                    : json_get(json_get(tool->node, "function"), "parameters");
    jw_object(w);
    jw_field_raw(w, as, json_is(detail, JSON_OBJECT) ? detail->raw : STR("{}"));
    jw_end(w);
}

/* --- planning */

static bool has_functions(const struct chat *chat)
{
    for (const struct chat_tool *tool = chat->tools; tool != NULL; tool = tool->next)
        if (own_tool(tool) == NULL)
            return true;
    return false;
}

static bool is_forced(const struct chat *chat)
{
    return chat->choice == CHAT_CHOICE_ANY || chat->choice == CHAT_CHOICE_NAMED;
}

enum status back_gemini_plan(struct dialect_call *call)
{
    struct back_gemini *state = state_of(call);
    const struct chat *chat = call->chat;
    if (chat->format == CHAT_FORMAT_SCHEMA && !state->model.json_schema)
        return dialect_refuse(call, ST_INVALID,
                              "response_format: the model " STR_FMT
                              " takes no JSON schema. Send json_object, or name a newer model.",
                              STR_ARG(call->target->model));
    if (chat->format == CHAT_FORMAT_TEXT || state->model.json_calls || !has_functions(chat) ||
        chat->choice == CHAT_CHOICE_NONE || is_forced(chat))
        return ST_OK;
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

/* --- writing */

static void write_function(struct dialect_call *call, struct json_writer *w,
                           const struct chat_tool *tool)
{
    jw_object(w);
    jw_field_raw(w, "name", tool->name.raw);
    if (!chat_text_is_empty(tool->description))
        jw_field_raw(w, "description", tool->description.raw);
    if (tool->schema.p != NULL)
        jw_field_raw(w, "parametersJsonSchema", tool->schema);
    jw_end(w);
    if (tool->strict == CHAT_YES)
        dialect_drop(call, "tools.strict");
    if (tool->cache != NULL)
        dialect_drop(call, "tools.cache_control");
}

static void write_json_tool(struct dialect_call *call, struct json_writer *w)
{
    const struct chat *chat = call->chat;
    jw_object(w);
    jw_field_raw(w, "name", state_of(call)->json_tool.raw);
    jw_field_raw(w, "description",
                 chat_text_is_empty(chat->format_description) ? STR(JSON_TOOL_TEXT)
                                                              : chat->format_description.raw);
    jw_field_raw(w, "parametersJsonSchema",
                 chat->format == CHAT_FORMAT_SCHEMA ? chat->schema : STR("{\"type\":\"object\"}"));
    jw_end(w);
}

static void write_functions(struct dialect_call *call, struct json_writer *w)
{
    jw_object(w);
    jw_key(w, "functionDeclarations");
    jw_array(w);
    for (const struct chat_tool *tool = call->chat->tools; tool != NULL; tool = tool->next)
        if (own_tool(tool) == NULL)
            write_function(call, w, tool);
    if (chat_has(state_of(call)->json_tool))
        write_json_tool(call, w);
    jw_end(w);
    jw_end(w);
}

static enum status check_tools(struct dialect_call *call)
{
    for (const struct chat_tool *tool = call->chat->tools; tool != NULL; tool = tool->next)
        if (tool->native && own_tool(tool) == NULL)
            return dialect_refuse_part(
                call, (struct chat_place){"tools", "type", tool->at, CHAT_NO_INDEX},
                "this type of tool",
                "Send functions, or a tool of Google's such as google_search.");
    return ST_OK;
}

static void write_choice(struct dialect_call *call, struct json_writer *w)
{
    static const char *const modes[] = {[CHAT_CHOICE_AUTO] = "AUTO",
                                        [CHAT_CHOICE_NONE] = "NONE",
                                        [CHAT_CHOICE_ANY] = "ANY",
                                        [CHAT_CHOICE_NAMED] = "ANY"};
    enum chat_choice choice = call->chat->choice;
    if (chat_has(state_of(call)->json_tool))
        choice = CHAT_CHOICE_ANY;
    if (choice == CHAT_CHOICE_UNSAID)
        return;
    jw_key(w, "toolConfig");
    jw_object(w);
    jw_key(w, "functionCallingConfig");
    jw_object(w);
    jw_field_cstr(w, "mode", modes[choice]);
    if (choice == CHAT_CHOICE_NAMED) {
        jw_key(w, "allowedFunctionNames");
        jw_array(w);
        jw_raw(w, call->chat->choice_name.raw);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

/* web_search_options asks for Google's search; how it is narrowed there, Google does not know. */
static void write_search(struct dialect_call *call, struct json_writer *w)
{
    const struct json *options = call->chat->params[CHAT_PARAM_WEB_SEARCH].value;
    jw_raw(w, STR("{\"googleSearch\":{}}"));
    if (!json_is_none(json_get(options, "search_context_size")))
        dialect_drop(call, "web_search_options.search_context_size");
    if (!json_is_none(json_get(options, "user_location")))
        dialect_drop(call, "web_search_options.user_location");
}

enum status back_gemini_tools(struct dialect_call *call, struct json_writer *w)
{
    const struct chat *chat = call->chat;
    bool functions = has_functions(chat),
         search = chat->params[CHAT_PARAM_WEB_SEARCH].value != NULL;
    TRY(check_tools(call));
    if (chat->tools == NULL && !search)
        return ST_OK;
    jw_key(w, "tools");
    jw_array(w);
    if (functions)
        write_functions(call, w);
    for (const struct chat_tool *tool = chat->tools; tool != NULL; tool = tool->next)
        if (own_tool(tool) != NULL)
            write_own(w, tool, own_tool(tool));
    if (search)
        write_search(call, w);
    jw_end(w);
    if (functions)
        write_choice(call, w);
    return ST_OK;
}
