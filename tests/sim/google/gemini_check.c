/* gemini_check.c: what Google refuses of a generateContent request besides its shape: the rules
 * over configuration and functions (gemini.h); those over turns and parts are in gemini_turns.c.
 */
#include "tests/sim/google/gemini.h"

static bool gemini_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool gemini_is_name(struct str name)
{
    if (name.n == 0 || name.n > 64 || !gemini_is_letter(name.p[0]))
        return false;
    for (size_t i = 1; i < name.n; i++) {
        char c = name.p[i];
        if (!gemini_is_letter(c) && !(c >= '0' && c <= '9') && c != '.' && c != ':' && c != '-')
            return false;
    }
    return true;
}

/* An object without properties is refused by the front of both APIs. */
static bool gemini_check_schema(const struct gemini *gemini, const struct json *schema,
                                struct str place, unsigned depth)
{
    struct call *call = gemini->call;
    struct str type = google_text(call, schema, "type");
    const struct json *properties = google_get(schema, "properties");
    const struct json *items = google_get(schema, "items"), *any = google_get(schema, "anyOf");
    if (schema == NULL)
        return true;
    if (depth > 32)
        return google_refuse(call, "* " STR_FMT ": schema is too deep\n", STR_ARG(place));
    if (str_eq_nocase(type, STR("OBJECT")) && (properties == NULL || properties->count == 0))
        return google_refuse(call,
                             "* " STR_FMT ".properties: should be non-empty for OBJECT type\n",
                             STR_ARG(place));
    if (str_eq_nocase(type, STR("ARRAY")) && items == NULL)
        return google_refuse(call, "* " STR_FMT ".items: missing field.\n", STR_ARG(place));
    for (const struct json *m = properties == NULL ? NULL : properties->first; m != NULL;
         m = m->next) {
        if (!gemini_check_schema(gemini, m,
                                 arena_printf(call->arena, STR_FMT ".properties[" STR_FMT "]",
                                              STR_ARG(place), STR_ARG(m->key)),
                                 depth + 1))
            return false;
    }
    for (const struct json *m = any == NULL ? NULL : any->first; m != NULL; m = m->next) {
        if (!gemini_check_schema(gemini, m, place, depth + 1))
            return false;
    }
    return items == NULL ||
           gemini_check_schema(gemini, items,
                               arena_printf(call->arena, STR_FMT ".items", STR_ARG(place)),
                               depth + 1);
}

static bool gemini_check_declaration(const struct gemini *gemini, const struct json *tools,
                                     const struct json *declaration, size_t at, size_t index)
{
    struct call *call = gemini->call;
    struct str name = google_text(call, declaration, "name");
    struct str place = arena_printf(
        call->arena, "GenerateContentRequest.tools[%zu].function_declarations[%zu].parameters", at,
        index);
    if (!gemini_is_name(name))
        return google_refuse(
            call,
            "* GenerateContentRequest.tools[%zu].function_declarations[%zu].name: "
            "Invalid function name. Must start with a letter or an underscore. "
            "Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons "
            "(:), or dashes (-), with a maximum length of 64.\n",
            at, index);
    if (google_get(declaration, "parameters") != NULL &&
        google_get(declaration, "parametersJsonSchema") != NULL)
        return google_refuse(call,
                             "* " STR_FMT ": parameters and parameters_json_schema are mutually "
                             "exclusive\n",
                             STR_ARG(place));
    for (const struct json *tool = tools->first; tool != NULL; tool = tool->next) {
        const struct json *list = google_get(tool, "functionDeclarations");
        for (const struct json *other = list == NULL ? NULL : list->first; other != NULL;
             other = other->next) {
            if (other == declaration)
                return gemini_check_schema(gemini, google_get(declaration, "parameters"), place, 0);
            if (str_eq(google_text(call, other, "name"), name))
                return google_refuse(call, "Duplicate function declaration found: " STR_FMT,
                                     STR_ARG(name));
        }
    }
    return true;
}

static bool gemini_check_calling(const struct gemini *gemini, size_t declared)
{
    struct call *call = gemini->call;
    const struct json *config =
        google_get(google_get(gemini->body, "toolConfig"), "functionCallingConfig");
    const struct json *allowed = google_get(config, "allowedFunctionNames");
    struct str mode = google_text(call, config, "mode");
    bool demands = str_eq(mode, STR("ANY")) || str_eq(mode, STR("VALIDATED"));
    if (allowed != NULL && allowed->count > 0 && !demands)
        return google_refuse(call, "Function calling config must have mode ANY or VALIDATED when "
                                   "allowed_function_names is set.");
    if (str_eq(mode, STR("ANY")) && declared == 0)
        return google_refuse(call, "Function calling config is set without function_declarations.");
    return true;
}

static bool gemini_check_tools(const struct gemini *gemini)
{
    const struct json *tools = google_get(gemini->body, "tools");
    const struct json *config = google_get(gemini->body, "generationConfig");
    struct str mime = google_text(gemini->call, config, "responseMimeType");
    size_t at = 0, declared = 0;
    for (const struct json *tool = tools == NULL ? NULL : tools->first; tool != NULL;
         tool = tool->next, at++) {
        const struct json *list = google_get(tool, "functionDeclarations");
        size_t index = 0;
        for (const struct json *one = list == NULL ? NULL : list->first; one != NULL;
             one = one->next, index++) {
            if (!gemini_check_declaration(gemini, tools, one, at, index))
                return false;
        }
        declared += index;
    }
    if (declared > 0 && str_eq(mime, STR("application/json")) &&
        !google_can(gemini->model, GOOGLE_JSON_CALLS))
        return google_refuse(gemini->call, "Function calling with a response mime type: "
                                           "'application/json' is unsupported");
    return gemini_check_calling(gemini, declared);
}

static bool gemini_check_thinking(const struct gemini *gemini)
{
    const struct json *thinking =
        google_get(google_get(gemini->body, "generationConfig"), "thinkingConfig");
    const struct json *budget = google_get(thinking, "thinkingBudget");
    const struct json *level = google_get(thinking, "thinkingLevel");
    if (thinking == NULL)
        return true;
    if (!google_can(gemini->model, GOOGLE_THINKS) && !google_can(gemini->model, GOOGLE_MAY_THINK))
        return google_refuse(gemini->call, "Unable to submit request because thinking is not "
                                           "supported by this model.");
    if (level != NULL && !google_can(gemini->model, GOOGLE_LEVEL))
        return google_refuse(gemini->call, "Thinking level is not supported for this model.");
    if (level != NULL && budget != NULL)
        return google_refuse(gemini->call, "You can only set one of thinking budget and thinking "
                                           "level.");
    if (google_integer(thinking, "thinkingBudget", -1) == 0 &&
        google_can(gemini->model, GOOGLE_ALWAYS))
        return google_refuse(gemini->call,
                             "Budget 0 is invalid. This model only works in thinking mode.");
    return true;
}

static bool gemini_check_output(const struct gemini *gemini)
{
    struct call *call = gemini->call;
    const struct json *config = google_get(gemini->body, "generationConfig");
    const struct json *schema = google_get(config, "responseSchema");
    const struct json *json_schema = google_get(config, "responseJsonSchema");
    const struct json *modalities = google_get(config, "responseModalities");
    struct str mime = google_text(call, config, "responseMimeType");
    bool structured = str_eq(mime, STR("application/json")) || str_eq(mime, STR("text/x.enum"));
    int64_t most = google_integer(config, "maxOutputTokens", 0);
    if (schema != NULL && json_schema != NULL)
        return google_refuse(call, "response_schema and response_json_schema are mutually "
                                   "exclusive.");
    if ((schema != NULL || json_schema != NULL) && !structured)
        return google_refuse(call, "response_schema is set, but response_mime_type is not "
                                   "application/json.");
    if (most > (int64_t)gemini->model->output_tokens)
        return google_refuse(
            call,
            "Unable to submit request because it has a maxOutputTokens value of "
            "%lld but the supported range is from 1 (inclusive) to %u (exclusive). "
            "Update the value and try again.",
            (long long)most, gemini->model->output_tokens + 1);
    for (const struct json *one = modalities == NULL ? NULL : modalities->first; one != NULL;
         one = one->next) {
        struct str name = STR("");
        bool known = json_text(one, call->arena, &name) == ST_OK &&
                     (str_eq(name, STR("TEXT")) ||
                      (str_eq(name, STR("IMAGE")) && google_can(gemini->model, GOOGLE_PICTURES)));
        if (!known)
            return google_refuse(
                call,
                "The requested combination of response modalities is not supported "
                "by the model: " STR_FMT,
                STR_ARG(str_head(name, 50)));
    }
    return gemini_check_schema(gemini, schema,
                               STR("GenerateContentRequest.generation_config.response_schema"), 0);
}

bool gemini_check(const struct gemini *gemini)
{
    const struct json *contents = google_get(gemini->body, "contents");
    if (contents == NULL || contents->count == 0)
        return google_refuse(gemini->call,
                             "* GenerateContentRequest.contents: contents is not specified\n");
    return gemini_check_output(gemini) && gemini_check_thinking(gemini) &&
           gemini_check_tools(gemini) && gemini_check_parts(gemini) && gemini_check_turns(gemini);
}
