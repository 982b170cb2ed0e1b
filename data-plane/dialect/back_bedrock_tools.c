/* back_bedrock_tools.c: tools and JSON answers of a Converse request.
 *
 * JSON answers: outputConfig.textFormat where the model has it and the caller wants the schema kept
 * strictly (or the model cannot be made to call a tool); else a tool whose input is the answer,
 * which the model must call (back_anthropic_plan_format decides, back_bedrock_reply.c reads it).
 *
 * Converse has no tool_choice none: the tools are left out then, and earlier calls told in words.
 * Tools that a provider runs itself: Anthropic's go to the model past Converse, in
 * additionalModelRequestFields.tools (back_bedrock_extras.c); web search is Nova's system tool.
 */
#include "data-plane/dialect/back_bedrock.h"
#include "data-plane/dialect/back_openai.h"

#define JSON_TOOL_TEXT "\"Give your whole answer to the user by calling this tool.\""
#define ANY_OBJECT     "{\"type\":\"object\"}"

static bool has_functions(const struct chat *chat)
{
    const struct chat_tool *tool = chat->choice == CHAT_CHOICE_NONE ? NULL : chat->tools;
    while (tool != NULL && tool->native)
        tool = tool->next;
    return tool != NULL;
}

bool back_bedrock_has_tools(const struct dialect_call *call)
{
    return has_functions(call->chat) || chat_has(back_bedrock_state(call)->claude.json_tool) ||
           call->chat->params[CHAT_PARAM_WEB_SEARCH].value != NULL;
}

static void write_spec(struct json_writer *w, struct str name, struct str description,
                       struct str schema, bool strict)
{
    jw_object(w);
    jw_key(w, "toolSpec");
    jw_object(w);
    jw_field_raw(w, "name", name);
    if (description.n > 2)
        jw_field_raw(w, "description", description);
    jw_key(w, "inputSchema");
    jw_object(w);
    back_anthropic_schema(w, "json", schema);
    jw_end(w);
    if (strict)
        jw_field_bool(w, "strict", true);
    jw_end(w);
    jw_end(w);
}

static enum status write_function(struct dialect_call *call, struct json_writer *w,
                                  const struct chat_tool *tool)
{
    struct chat_text name = back_openai_name(call->arena, tool->name);
    bool strict = back_bedrock_state(call)->model.as.strict_tools;
    if (!chat_has(name))
        return ST_NO_MEMORY;
    if (tool->strict == CHAT_YES && !strict)
        dialect_drop(call, "tools.strict");
    write_spec(w, name.raw, tool->description.raw, tool->schema,
               strict && tool->strict == CHAT_YES);
    back_bedrock_mark(call, w, tool->cache, BEDROCK_CACHE_TOOLS, "tools.cache_control");
    return ST_OK;
}

static enum status write_web_search(struct dialect_call *call, struct json_writer *w)
{
    const struct chat_param *search = &call->chat->params[CHAT_PARAM_WEB_SEARCH];
    enum bedrock_family family = back_bedrock_state(call)->model.family;
    if (search->value == NULL)
        return ST_OK;
    if (family != BEDROCK_NOVA && family != BEDROCK_NOVA_2)
        return dialect_refuse(call, ST_INVALID,
                              "%s: of the models of provider @" STR_FMT " (" STR_FMT
                              ") only Amazon Nova searches the web. Leave it out.",
                              search->field, STR_ARG(call->target->provider),
                              STR_ARG(call->target->service));
    jw_raw(w, STR("{\"systemTool\":{\"name\":\"nova_grounding\"}}"));
    for (const struct json *member = search->value->first; member != NULL; member = member->next)
        if (!json_is_none(member))
            dialect_drop(call, "web_search_options");
    return ST_OK;
}

static void begin_choice(struct json_writer *w, const char *kind)
{
    jw_key(w, "toolChoice");
    jw_object(w);
    jw_key(w, kind);
    jw_object(w);
}

static void end_choice(struct json_writer *w)
{
    jw_end(w);
    jw_end(w);
}

/* Claude is told in its own words where calls must not be parallel (back_bedrock_extras.c). */
static enum status write_choice(struct dialect_call *call, struct json_writer *w)
{
    const struct chat *chat = call->chat;
    const struct back_bedrock *state = back_bedrock_state(call);
    struct chat_text json_tool = state->claude.json_tool, name = json_tool;
    enum chat_choice choice = chat->choice;
    if (chat_has(json_tool))
        choice = has_functions(chat) ? CHAT_CHOICE_ANY : CHAT_CHOICE_NAMED;
    else if (choice == CHAT_CHOICE_NAMED)
        name = back_openai_name(call->arena, chat->choice_name);
    if (choice == CHAT_CHOICE_UNSAID || choice == CHAT_CHOICE_NONE || state->own_choice)
        return ST_OK;
    if (choice == CHAT_CHOICE_AUTO) {
        begin_choice(w, "auto");
        end_choice(w);
        return ST_OK;
    }
    if ((state->model.traits & BEDROCK_AUTO_ONLY) != 0) {
        dialect_drop(call, chat->params[CHAT_PARAM_TOOL_CHOICE].field);
        return ST_OK;
    }
    begin_choice(w, choice == CHAT_CHOICE_NAMED ? "tool" : "any");
    if (choice == CHAT_CHOICE_NAMED)
        jw_field_raw(w, "name", name.raw);
    end_choice(w);
    return chat_has(name) || choice != CHAT_CHOICE_NAMED ? ST_OK : ST_NO_MEMORY;
}

static enum status refuse_custom(struct dialect_call *call, const struct chat_tool *tool)
{
    return dialect_refuse_part(call, (struct chat_place){"tools", NULL, tool->at, CHAT_NO_INDEX},
                               "tools that another provider runs",
                               "Describe it as a function, or name a model of that provider.");
}

static enum status write_config(struct dialect_call *call, struct json_writer *w)
{
    const struct chat *chat = call->chat;
    struct chat_text json_tool = back_bedrock_state(call)->claude.json_tool;
    bool schema = chat->format == CHAT_FORMAT_SCHEMA;
    jw_key(w, "toolConfig");
    jw_object(w);
    jw_key(w, "tools");
    jw_array(w);
    for (const struct chat_tool *tool = chat->tools; tool != NULL; tool = tool->next)
        if (!tool->native && chat->choice != CHAT_CHOICE_NONE)
            TRY(write_function(call, w, tool));
    if (chat_has(json_tool))
        write_spec(w, json_tool.raw,
                   chat_text_is_empty(chat->format_description) ? STR(JSON_TOOL_TEXT)
                                                                : chat->format_description.raw,
                   schema ? chat->schema : STR(ANY_OBJECT), false);
    TRY(write_web_search(call, w));
    jw_end(w);
    TRY(write_choice(call, w));
    jw_end(w);
    return ST_OK;
}

/* The schema goes as text. */
static enum status write_format(struct dialect_call *call, struct json_writer *w)
{
    const struct chat *chat = call->chat;
    if (chat->format != CHAT_FORMAT_SCHEMA || !back_bedrock_state(call)->claude.model.output_format)
        return ST_OK;
    struct chat_text schema = chat_text_quote(call->arena, chat->schema);
    if (!chat_has(schema))
        return ST_NO_MEMORY;
    jw_key(w, "outputConfig");
    jw_object(w);
    jw_key(w, "textFormat");
    jw_object(w);
    jw_field_cstr(w, "type", "json_schema");
    jw_key(w, "structure");
    jw_object(w);
    jw_key(w, "jsonSchema");
    jw_object(w);
    jw_field_raw(w, "schema", schema.raw);
    if (!chat_text_is_empty(chat->format_name))
        jw_field_raw(w, "name", chat->format_name.raw);
    if (!chat_text_is_empty(chat->format_description))
        jw_field_raw(w, "description", chat->format_description.raw);
    for (unsigned open = 4; open > 0; open--)
        jw_end(w);
    return ST_OK;
}

enum status back_bedrock_tools(struct dialect_call *call, struct json_writer *w)
{
    bool claude = back_bedrock_state(call)->model.family == BEDROCK_CLAUDE;
    for (const struct chat_tool *tool = call->chat->tools; tool != NULL; tool = tool->next)
        if (tool->native && (!claude || !json_is(json_get(tool->node, "name"), JSON_STRING)))
            return refuse_custom(call, tool);
    if (back_bedrock_has_tools(call))
        TRY(write_config(call, w));
    return write_format(call, w);
}
