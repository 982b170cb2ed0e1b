/* back_cohere_tools.c: tools and JSON answers of a chat as Cohere's v2 API has them.
 *
 * The API can demand a call (REQUIRED) but not name one: of a named choice only that function is
 * sent. strict_tools holds for all tools at once and wants a required parameter of each, so it is
 * sent where every tool is strict and has one; else `strict` is listed as dropped. A JSON answer
 * and tools exclude each other there, so both together are refused.
 */
#include "data-plane/dialect/back_cohere.h"

#define PLAIN_SCHEMA "{\"type\":\"object\",\"properties\":{}}"

static bool is_sent(const struct chat *chat, const struct chat_tool *tool)
{
    return chat->choice != CHAT_CHOICE_NAMED || str_eq(tool->name.raw, chat->choice_name.raw);
}

static enum status write_tool(struct dialect_call *call, struct json_writer *w,
                              const struct chat_tool *tool)
{
    if (tool->native)
        return dialect_refuse_part(call,
                                   (struct chat_place){"tools", NULL, tool->at, CHAT_NO_INDEX},
                                   "tools that another provider runs",
                                   "Describe it as a function, or name a model of that provider.");
    if (tool->cache != NULL)
        dialect_drop(call, "tools.cache_control");
    if (!is_sent(call->chat, tool))
        return ST_OK;
    jw_object(w);
    jw_field_cstr(w, "type", "function");
    jw_key(w, "function");
    jw_object(w);
    jw_field_raw(w, "name", tool->name.raw);
    if (!chat_text_is_empty(tool->description))
        jw_field_raw(w, "description", tool->description.raw);
    jw_field_raw(w, "parameters", tool->schema.p == NULL ? STR(PLAIN_SCHEMA) : tool->schema);
    jw_end(w);
    jw_end(w);
    return ST_OK;
}

static enum status has_required(struct dialect_call *call, struct str schema, bool *has)
{
    struct json *root;
    *has = false;
    if (schema.p == NULL)
        return ST_OK;
    TRY(json_parse(call->arena, schema, NULL, &root, NULL));
    const struct json *required = json_get(root, "required");
    *has = json_is(required, JSON_ARRAY) && required->count > 0;
    return ST_OK;
}

static enum status write_strict(struct dialect_call *call, struct json_writer *w)
{
    bool any = false, all = true, has;
    for (const struct chat_tool *tool = call->chat->tools; tool != NULL; tool = tool->next) {
        if (!is_sent(call->chat, tool))
            continue;
        any = any || tool->strict == CHAT_YES;
        TRY(has_required(call, tool->schema, &has));
        all = all && tool->strict == CHAT_YES && has;
    }
    if (any && all)
        jw_field_bool(w, "strict_tools", true);
    else if (any)
        dialect_drop(call, "tools.strict");
    return ST_OK;
}

static enum status write_tools(struct dialect_call *call, struct json_writer *w)
{
    const struct chat *chat = call->chat;
    bool any = false;
    for (const struct chat_tool *tool = chat->tools; tool != NULL; tool = tool->next)
        any = any || is_sent(chat, tool);
    if (!any)
        return dialect_refuse(call, ST_INVALID, "tool_choice: names no tool of this request.");
    jw_key(w, "tools");
    jw_array(w);
    for (const struct chat_tool *tool = chat->tools; tool != NULL; tool = tool->next)
        TRY(write_tool(call, w, tool));
    jw_end(w);
    if (chat->choice == CHAT_CHOICE_ANY || chat->choice == CHAT_CHOICE_NAMED)
        jw_field_cstr(w, "tool_choice", "REQUIRED");
    else if (chat->choice == CHAT_CHOICE_NONE)
        jw_field_cstr(w, "tool_choice", "NONE");
    return write_strict(call, w);
}

enum status back_cohere_tools(struct dialect_call *call, struct json_writer *w)
{
    const struct chat *chat = call->chat;
    const char *field = chat->params[CHAT_PARAM_RESPONSE_FORMAT].field;
    if (chat->tools != NULL && chat->format != CHAT_FORMAT_TEXT)
        return dialect_refuse(call, ST_INVALID,
                              "%s: provider @" STR_FMT " (" STR_FMT ") does not take it beside "
                              "tools. Send one of the two.",
                              field != NULL ? field : "response_format",
                              STR_ARG(call->target->provider), STR_ARG(call->target->service));
    if (chat->tools != NULL)
        TRY(write_tools(call, w));
    if (chat->format == CHAT_FORMAT_TEXT)
        return ST_OK;
    jw_key(w, "response_format");
    jw_object(w);
    jw_field_cstr(w, "type", "json_object");
    if (chat->format == CHAT_FORMAT_SCHEMA)
        jw_field_raw(w, "json_schema", chat->schema);
    jw_end(w);
    return ST_OK;
}
