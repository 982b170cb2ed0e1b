/* converse_check.c: what Bedrock refuses of a Converse request before any model sees it
 * (converse.h).
 *
 * Bedrock is stricter than Anthropic about turns: they alternate, and toolResult blocks match the
 * toolUse blocks of the turn before exactly. The words are the real service's.
 */
#include "tests/sim/aws/converse.h"

static bool converse_refuse(const struct converse *converse, const char *format, ...)
    PRINTF_LIKE(2, 3);
static bool converse_refuse(const struct converse *converse, const char *format, ...)
{
    char text[800];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    CHECK(n >= 0);
    call_error(converse->call, 400, NULL, NULL, "%s", text);
    return false;
}

static bool converse_can(const struct converse *converse, enum bedrock_trait trait)
{
    return (converse->model.traits & trait) != 0;
}

static struct str converse_text(const struct converse *converse, const struct json *node,
                                const char *name)
{
    return call_text(converse->call, node, name);
}

/* Blocks with this member in a message. */
static size_t converse_count(const struct json *message, const char *member)
{
    const struct json *content = json_get(message, "content");
    size_t count = 0;
    for (const struct json *block = content == NULL ? NULL : content->first; block != NULL;
         block = block->next)
        count += json_get(block, member) != NULL ? 1 : 0;
    return count;
}

static bool converse_has_id(const struct converse *converse, const struct json *message,
                            const char *member, struct str id)
{
    const struct json *content = json_get(message, "content");
    for (const struct json *block = content == NULL ? NULL : content->first; block != NULL;
         block = block->next) {
        const struct json *found = json_get(block, member);
        if (found != NULL && str_eq(converse_text(converse, found, "toolUseId"), id))
            return true;
    }
    return false;
}

/* A turn of results answers the calls of the turn before, all of them and no other. */
static bool converse_check_results(const struct converse *converse, const struct json *before,
                                   const struct json *message, size_t at)
{
    size_t asked = before == NULL ? 0 : converse_count(before, "toolUse");
    size_t results = converse_count(message, "toolResult");
    const struct json *block = json_get(message, "content")->first;
    if (results > asked)
        return converse_refuse(converse,
                               "The number of toolResult blocks at messages.%zu.content exceeds "
                               "the number of toolUse blocks of previous turn.",
                               at);
    for (const struct json *use = asked == 0 ? NULL : json_get(before, "content")->first;
         use != NULL; use = use->next) {
        struct str id = converse_text(converse, json_get(use, "toolUse"), "toolUseId");
        if (json_get(use, "toolUse") != NULL &&
            !converse_has_id(converse, message, "toolResult", id))
            return converse_refuse(converse,
                                   "Expected toolResult blocks at messages.%zu.content for the "
                                   "following Ids: " STR_FMT,
                                   at, STR_ARG(id));
    }
    for (; block != NULL; block = block->next) {
        const struct json *result = json_get(block, "toolResult");
        if (result != NULL && !converse_has_id(converse, before, "toolUse",
                                               converse_text(converse, result, "toolUseId")))
            return converse_refuse(converse,
                                   "messages.%zu.content: the toolUseId of a toolResult "
                                   "block is not that of a toolUse block",
                                   at);
    }
    return true;
}

/* Letters, digits, blanks, hyphens, parentheses and brackets; no two blanks in a row. */
static bool converse_is_document_name(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool blank = c == ' ' || c == '\t' || c == '\n';
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              str_find_char(STR("-()[]"), c) >= 0 || blank))
            return false;
        if (blank && i > 0 && (name.p[i - 1] == ' ' || name.p[i - 1] == '\t'))
            return false;
    }
    return true;
}

static bool converse_check_block(const struct converse *converse, const struct json *message,
                                 const struct json *block, size_t at, size_t index)
{
    static const char *const of_assistant[] = {"toolUse", "reasoningContent"};
    static const char *const media[] = {"image", "document", "video", "audio"};
    bool assistant = str_eq(converse_text(converse, message, "role"), STR("assistant"));
    const struct json *document = json_get(block, "document");
    for (size_t i = 0; i < COUNT_OF(of_assistant); i++) {
        if (json_get(block, of_assistant[i]) != NULL && !assistant)
            return converse_refuse(converse,
                                   "messages.%zu: %s blocks are only for the assistant role", at,
                                   of_assistant[i]);
    }
    if (json_get(block, "toolResult") != NULL && assistant)
        return converse_refuse(converse,
                               "messages.%zu: toolResult blocks are only for the user role", at);
    for (size_t i = 0; i < COUNT_OF(media); i++) {
        if (json_get(block, media[i]) != NULL && !converse_can(converse, BEDROCK_MEDIA))
            return converse_refuse(converse,
                                   "This model doesn't support the %s content block that "
                                   "you provided. Update the content block and try again.",
                                   media[i]);
    }
    if (json_get(block, "cachePoint") != NULL && !converse_can(converse, BEDROCK_CACHE))
        return converse_refuse(converse, "You invoked an unsupported model or your request did not "
                                         "allow prompt caching.");
    if (json_get(block, "text") != NULL && str_trim(converse_text(converse, block, "text")).n == 0)
        return converse_refuse(converse,
                               "The text field in the ContentBlock object at "
                               "messages.%zu.content.%zu is blank. Add text to the text field, and "
                               "try again.",
                               at, index);
    if (document != NULL && !converse_is_document_name(converse_text(converse, document, "name")))
        return converse_refuse(converse,
                               "The document file name can only contain alphanumeric "
                               "characters, whitespace characters, hyphens, parentheses, "
                               "and square brackets. The name can't contain more than one "
                               "consecutive whitespace character.");
    return true;
}

static bool converse_check_messages(const struct converse *converse)
{
    const struct json *list = json_get(converse->body, "messages"), *before = NULL;
    struct str expected = STR("user");
    size_t at = 0;
    for (const struct json *m = list->first; m != NULL; m = m->next, at++) {
        size_t index = 0;
        if (!str_eq(converse_text(converse, m, "role"), expected))
            return converse_refuse(converse, at == 0
                                                 ? "A conversation must start with a user message. "
                                                   "Try again with a conversation that starts with "
                                                   "a user message."
                                                 : "A conversation must alternate between user and "
                                                   "assistant roles. Make sure the conversation "
                                                   "alternates between user and assistant roles "
                                                   "and try again.");
        expected = str_eq(expected, STR("user")) ? STR("assistant") : STR("user");
        for (const struct json *block = json_get(m, "content")->first; block != NULL;
             block = block->next, index++) {
            if (!converse_check_block(converse, m, block, at, index))
                return false;
        }
        if (converse_count(m, "document") > 0 && converse_count(m, "text") == 0)
            return converse_refuse(converse, "A text block must be included in messages with "
                                             "documents.");
        if (!converse_check_results(converse, before, m, at))
            return false;
        before = m;
    }
    return true;
}

static bool converse_is_tool_name(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-'))
            return false;
    }
    return true;
}

static bool converse_check_tools(const struct converse *converse)
{
    const struct json *config = json_get(converse->body, "toolConfig");
    const struct json *list = json_get(converse->body, "messages"),
                      *tools = json_get(config, "tools");
    for (const struct json *m = list->first; m != NULL && config == NULL; m = m->next) {
        if (converse_count(m, "toolUse") + converse_count(m, "toolResult") > 0)
            return converse_refuse(converse, "The toolConfig field must be defined when using "
                                             "toolUse and toolResult content blocks.");
    }
    if (config != NULL && !converse_can(converse, BEDROCK_TOOLS))
        return converse_refuse(converse, "This model doesn't support tool use.");
    for (const struct json *tool = tools == NULL ? NULL : tools->first; tool != NULL;
         tool = tool->next) {
        struct str name = converse_text(converse, json_get(tool, "toolSpec"), "name");
        if (!converse_is_tool_name(name))
            return converse_refuse(converse,
                                   "Value '" STR_FMT "' at 'toolConfig.tools.member.toolSpec."
                                   "name' failed to satisfy constraint: Member must "
                                   "satisfy regular expression pattern: [a-zA-Z0-9_-]+",
                                   STR_ARG(name));
    }
    const struct json *choice = json_get(config, "toolChoice");
    if (json_get(choice, "any") != NULL && converse->model.kind == BEDROCK_LLAMA)
        return converse_refuse(converse, "This model doesn't support the toolConfig.toolChoice.any "
                                         "field. Remove toolConfig.toolChoice.any and try again.");
    return true;
}

bool converse_check(const struct converse *converse)
{
    const struct json *list = json_get(converse->body, "messages");
    const struct json *system = json_get(converse->body, "system");
    const struct json *format = json_get(json_get(converse->body, "outputConfig"), "textFormat");
    if (converse->model.kind > BEDROCK_COMMAND)
        return converse_refuse(converse, "This action doesn't support the model that you provided. "
                                         "Try again with a supported text or chat model.");
    if (list == NULL || list->count == 0)
        return converse_refuse(converse, "A conversation must start with a user message. Try again "
                                         "with a conversation that starts with a user message.");
    if (system != NULL && system->count > 0 && !converse_can(converse, BEDROCK_SYSTEM))
        return converse_refuse(converse, "This model doesn't support system messages. Try again "
                                         "without a system message or use a model that supports "
                                         "system messages.");
    struct str schema =
        converse_text(converse, json_get(json_get(format, "structure"), "jsonSchema"), "schema");
    struct json *parsed = NULL;
    if (schema.p != NULL && json_parse(converse->call->arena, schema, NULL, &parsed, NULL) != ST_OK)
        return converse_refuse(converse, "outputConfig.textFormat.structure.jsonSchema.schema is "
                                         "not valid JSON.");
    if (format != NULL && !converse_can(converse, BEDROCK_FORMAT))
        return converse_refuse(converse, "This model doesn't support the outputConfig.textFormat "
                                         "field. Remove it and try again.");
    return converse_check_tools(converse) && converse_check_messages(converse);
}
