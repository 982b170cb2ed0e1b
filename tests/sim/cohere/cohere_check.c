/* cohere_check.c: what Cohere refuses of a chat request: its shape as tables (shape.h), then rules
 * over models, tools, turns and pictures (cohere.h).
 */
#include "tests/sim/cohere/cohere.h"
#include "tests/sim/media.h"

static const struct shape_field url_fields[] = {
    SHAPE_TEXT("url", true),
    SHAPE_ENUM("detail", false, "auto|low|high"),
};
static const struct shape url_shape = SHAPE_OF(url_fields);
static const struct shape_field document_fields[] = {
    SHAPE_MEMBERS("data", true, NULL),
    SHAPE_TEXT("id", false),
};
static const struct shape document_shape = SHAPE_OF(document_fields);
static const struct shape_field text_fields[] = {SHAPE_TEXT("type", true),
                                                 SHAPE_TEXT("text", true)};
static const struct shape text_shape = SHAPE_OF(text_fields);
static const struct shape_field thinking_fields[] = {SHAPE_TEXT("type", true),
                                                     SHAPE_TEXT("thinking", true)};
static const struct shape thinking_shape = SHAPE_OF(thinking_fields);
static const struct shape_field image_fields[] = {SHAPE_TEXT("type", true),
                                                  SHAPE_MEMBERS("image_url", true, &url_shape)};
static const struct shape image_shape = SHAPE_OF(image_fields);
static const struct shape_field result_fields[] = {
    SHAPE_TEXT("type", true), SHAPE_MEMBERS("document", true, &document_shape)};
static const struct shape result_shape = SHAPE_OF(result_fields);
static const struct shape_case user_cases[] = {{"text", &text_shape}, {"image_url", &image_shape}};
static const struct shape user_part = SHAPE_TAGGED("type", user_cases);
static const struct shape_case system_cases[] = {{"text", &text_shape}};
static const struct shape system_part = SHAPE_TAGGED("type", system_cases);
static const struct shape_case said_cases[] = {{"text", &text_shape},
                                               {"thinking", &thinking_shape}};
static const struct shape said_part = SHAPE_TAGGED("type", said_cases);
static const struct shape_case tool_cases[] = {{"text", &text_shape}, {"document", &result_shape}};
static const struct shape tool_part = SHAPE_TAGGED("type", tool_cases);

#define CONTENT(must, part)                                                                        \
    {                                                                                              \
        .name = "content", .types = SHAPE_STRING | SHAPE_ARRAY, .items = SHAPE_OBJECT,             \
        .needed = (must), .shape = (part)                                                          \
    }

static const struct shape_field function_fields[] = {SHAPE_TEXT("name", true),
                                                     SHAPE_TEXT("arguments", true)};
static const struct shape function_shape = SHAPE_OF(function_fields);
static const struct shape_field call_fields[] = {
    SHAPE_TEXT("id", true),
    SHAPE_ENUM("type", true, "function"),
    SHAPE_MEMBERS("function", true, &function_shape),
};
static const struct shape call_shape = SHAPE_OF(call_fields);
static const struct shape_field user_fields[] = {SHAPE_TEXT("role", true),
                                                 CONTENT(true, &user_part)};
static const struct shape user_shape = SHAPE_OF(user_fields);
static const struct shape_field system_fields[] = {SHAPE_TEXT("role", true),
                                                   CONTENT(true, &system_part)};
static const struct shape system_shape = SHAPE_OF(system_fields);
static const struct shape_field said_fields[] = {
    SHAPE_TEXT("role", true),
    CONTENT(false, &said_part),
    SHAPE_TEXT("tool_plan", false),
    SHAPE_LIST("tool_calls", false, SHAPE_OBJECT, &call_shape),
    SHAPE_LIST("citations", false, SHAPE_OBJECT, NULL),
};
static const struct shape said_shape = SHAPE_OF(said_fields);
static const struct shape_field tool_message_fields[] = {
    SHAPE_TEXT("role", true), SHAPE_TEXT("tool_call_id", true), CONTENT(true, &tool_part)};
static const struct shape tool_message_shape = SHAPE_OF(tool_message_fields);
static const struct shape_case message_cases[] = {{"user", &user_shape},
                                                  {"system", &system_shape},
                                                  {"assistant", &said_shape},
                                                  {"tool", &tool_message_shape}};
static const struct shape message_shape = SHAPE_TAGGED("role", message_cases);

static const struct shape_field declared_fields[] = {
    SHAPE_TEXT("name", true),
    SHAPE_TEXT("description", false),
    SHAPE_MEMBERS("parameters", true, NULL),
};
static const struct shape declared_shape = SHAPE_OF(declared_fields);
static const struct shape_field offer_fields[] = {SHAPE_ENUM("type", true, "function"),
                                                  SHAPE_MEMBERS("function", true, &declared_shape)};
static const struct shape offer_shape = SHAPE_OF(offer_fields);
static const struct shape_field format_fields[] = {SHAPE_ENUM("type", true, "text|json_object"),
                                                   SHAPE_MEMBERS("json_schema", false, NULL)};
static const struct shape format_shape = SHAPE_OF(format_fields);
static const struct shape_field think_fields[] = {SHAPE_ENUM("type", true, "enabled|disabled"),
                                                  SHAPE_COUNT("token_budget", false, 1, 1 << 20)};
static const struct shape think_shape = SHAPE_OF(think_fields);
static const struct shape_field cite_fields[] = {
    SHAPE_ENUM("mode", false, "ENABLED|DISABLED|FAST|ACCURATE|OFF")};
static const struct shape cite_shape = SHAPE_OF(cite_fields);
static const struct shape_field body_fields[] = {
    SHAPE_TEXT("model", true),
    SHAPE_LIST("messages", true, SHAPE_OBJECT, &message_shape),
    SHAPE_FLAG("stream"),
    SHAPE_LIST("tools", false, SHAPE_OBJECT, &offer_shape),
    SHAPE_FLAG("strict_tools"),
    SHAPE_LIST("documents", false, SHAPE_STRING | SHAPE_OBJECT, &document_shape),
    SHAPE_MEMBERS("citation_options", false, &cite_shape),
    SHAPE_MEMBERS("response_format", false, &format_shape),
    SHAPE_ENUM("safety_mode", false, "CONTEXTUAL|STRICT|OFF"),
    SHAPE_COUNT("max_tokens", false, 1, 1 << 20),
    {.name = "stop_sequences", .types = SHAPE_ARRAY, .items = SHAPE_STRING, .max = 5},
    SHAPE_DECIMAL("temperature", 0, 2),
    SHAPE_COUNT("seed", false, 0, INT32_MAX),
    SHAPE_DECIMAL("frequency_penalty", 0, 1),
    SHAPE_DECIMAL("presence_penalty", 0, 1),
    SHAPE_COUNT("k", false, 0, 500),
    {.name = "p", .types = SHAPE_NUMBER, .min = SHAPE_MICRO / 100, .max = SHAPE_MICRO * 99 / 100},
    SHAPE_FLAG("logprobs"),
    SHAPE_ENUM("tool_choice", false, "REQUIRED|NONE"),
    SHAPE_MEMBERS("thinking", false, &think_shape),
    SHAPE_COUNT("priority", false, 0, 999),
};
static const struct shape body_shape = SHAPE_OF(body_fields);

static bool refuse(struct call *call, const char *why)
{
    call_error(call, 400, NULL, NULL, "invalid request: %s", why);
    return false;
}

static bool is_role(struct call *call, const struct json *message, const char *role)
{
    return str_eq(call_text(call, message, "role"), str_c(role));
}

static bool check_picture(struct call *call, const struct cohere_model *model,
                          const struct json *part)
{
    struct str url = call_text(call, json_get(part, "image_url"), "url"), mime, data, bytes;
    if (json_get(part, "image_url") == NULL)
        return true;
    if ((model->traits & COHERE_SEES) == 0)
        return refuse(call, "the model does not support image inputs");
    if (str_starts(url, STR("http://")) || str_starts(url, STR("https://")))
        return true;
    ptrdiff_t comma = str_find(url, STR(";base64,"));
    if (!str_starts(url, STR("data:")) || comma < 0)
        return refuse(call, "an image must be a URL or a data URI");
    mime = str_from(str_head(url, (size_t)comma), 5);
    data = str_from(url, (size_t)comma + 8);
    const char *actual =
        media_decode(data, call->arena, &bytes) == ST_OK ? media_type(bytes) : NULL;
    return (actual != NULL && str_eq(mime, str_c(actual))) ||
           refuse(call, "the image's data is not of its type");
}

/* Every call of `asked` has its result in front of `end`, and none beside. */
static bool check_results(struct call *call, const struct json *asked, const struct json *first,
                          const struct json *end)
{
    const struct json *calls = json_get(asked, "tool_calls");
    size_t results = 0;
    for (const struct json *m = first; m != end; m = m->next, results++) {
        bool found = false;
        for (const struct json *c = calls == NULL ? NULL : calls->first; c != NULL; c = c->next)
            found = found || str_eq(call_text(call, c, "id"), call_text(call, m, "tool_call_id"));
        if (!found)
            return refuse(call, "tool_call_id of a tool message is not one of the tool calls of "
                                "the message before");
    }
    return results == (calls == NULL ? 0 : calls->count) ||
           refuse(call, "every tool call must be followed by its tool message");
}

static bool check_turns(struct call *call, const struct cohere_model *model)
{
    const struct json *messages = json_get(call->root, "messages"), *m, *last = NULL, *next;
    if (messages->count == 0)
        return refuse(call, "messages must not be empty");
    for (m = messages->first; m != NULL; m = next) {
        const struct json *content = json_get(m, "content");
        bool said = is_role(call, m, "assistant");
        last = m;
        next = m->next;
        if ((content == NULL || content->raw.n <= 2) && json_get(m, "tool_calls") == NULL)
            return refuse(call, "all messages must have non-empty content or tool calls");
        for (const struct json *part = json_is(content, JSON_ARRAY) ? content->first : NULL;
             part != NULL; part = part->next)
            if (!check_picture(call, model, part))
                return false;
        if (is_role(call, m, "tool"))
            return refuse(call, "a tool message must follow an assistant message with tool calls");
        while (said && next != NULL && is_role(call, next, "tool")) {
            last = next;
            next = next->next;
        }
        if (said && !check_results(call, m, m->next, next))
            return false;
    }
    return is_role(call, last, "user") || is_role(call, last, "tool") ||
           refuse(call, "the last message must be of the user or of a tool");
}

static bool check_tools(struct call *call, const struct cohere_model *model)
{
    const struct json *tools = json_get(call->root, "tools");
    const struct json *format = json_get(call->root, "response_format");
    const struct json *documents = json_get(call->root, "documents");
    bool json = str_eq(call_text(call, format, "type"), STR("json_object"));
    bool any = tools != NULL && tools->count > 0;
    if (any && (model->traits & COHERE_TOOLS) == 0)
        return refuse(call, "tools are not supported by this model");
    if (!any &&
        (json_get(call->root, "tool_choice") != NULL || call_flag(call->root, "strict_tools")))
        return refuse(call, "tool_choice and strict_tools need tools");
    if (json && (any || (documents != NULL && documents->count > 0)))
        return refuse(call, "response_format is not supported beside tools or documents");
    for (const struct json *tool = any && call_flag(call->root, "strict_tools") ? tools->first
                                                                                : NULL;
         tool != NULL; tool = tool->next) {
        const struct json *required =
            json_get(json_get(json_get(tool, "function"), "parameters"), "required");
        if (!json_is(required, JSON_ARRAY) || required->count == 0)
            return refuse(call, "strict tools must have at least one required parameter");
    }
    return true;
}

bool cohere_check(struct call *call, const struct cohere_model *model)
{
    if (!cohere_check_shape(call, &body_shape))
        return false;
    if (json_get(call->root, "thinking") != NULL && (model->traits & COHERE_THINKS) == 0)
        return refuse(call, "thinking is not supported by this model");
    return check_tools(call, model) && check_turns(call, model);
}
