/* messages_check.c: what Anthropic refuses before a model is asked: the shape (messages_shape.c),
 * then the rules over parameters; rules over turns and media follow in turns.c and media.c.
 *
 * Each refusal is a 400 invalid_request_error whose message begins with the place, as the real API
 * has it. Nothing is corrected silently: a gateway that relies on leniency is found out.
 */
#include "tests/sim/anthropic/messages_shape.h"

#include "tests/sim/answer.h"

static bool messages_refuse(const struct messages *messages, const char *format, ...)
    PRINTF_LIKE(2, 3);
static bool messages_refuse(const struct messages *messages, const char *format, ...)
{
    char text[800];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    CHECK(n >= 0);
    call_error(messages->call, 400, NULL, NULL, "%s", text);
    return false;
}

/* "a|b|c" as "'a', 'b' or 'c'". */
static void messages_write_choices(struct buf *out, const char *choices)
{
    struct str rest = str_c(choices), one;
    for (bool first = true; str_split(&rest, '|', &one); first = false)
        buf_printf(out, "%s'" STR_FMT "'", first ? "" : rest.n > 0 ? ", " : " or ", STR_ARG(one));
}

static const char *messages_type_name(unsigned types)
{
    static const struct {
        unsigned type;
        const char *name;
    } names[] = {{SHAPE_ARRAY, "list"},      {SHAPE_OBJECT, "dictionary"}, {SHAPE_STRING, "string"},
                 {SHAPE_INTEGER, "integer"}, {SHAPE_NUMBER, "number"},     {SHAPE_BOOL, "boolean"}};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if ((types & names[i].type) != 0)
            return names[i].name;
    }
    return "value";
}

static void messages_write_fault(struct buf *out, const struct shape_fault *fault)
{
    const struct shape_field *field = fault->field;
    buf_printf(out, "%s: ", fault->path);
    switch (fault->rule) {
    case SHAPE_MISSING:
        buf_add_lit(out, "Field required");
        break;
    case SHAPE_UNKNOWN:
        buf_add_lit(out, "Extra inputs are not permitted");
        break;
    case SHAPE_WRONG_TYPE:
        buf_printf(out, "Input should be a valid %s", messages_type_name(fault->types));
        break;
    case SHAPE_TOO_SMALL:
        buf_printf(out, "Input should be greater than or equal to %lld",
                   (long long)(field->min / SHAPE_MICRO));
        break;
    case SHAPE_TOO_LARGE:
        buf_printf(out, "Input should be less than or equal to %lld",
                   (long long)(field->max / SHAPE_MICRO));
        break;
    case SHAPE_TOO_SHORT:
        buf_printf(out, "String should have at least %lld character", (long long)field->min);
        break;
    case SHAPE_TOO_LONG:
        buf_printf(out, "%s should have at most %lld %s",
                   (field->types & SHAPE_ARRAY) != 0 ? "List" : "String", (long long)field->max,
                   (field->types & SHAPE_ARRAY) != 0 ? "items" : "characters");
        break;
    case SHAPE_NO_CHOICE:
        buf_add_lit(out, "Input should be ");
        messages_write_choices(out, field->choices);
        break;
    case SHAPE_NOT_ONE:
        buf_add_lit(out, "Exactly one member is required");
        break;
    case SHAPE_NO_CASE:
        buf_printf(out,
                   "Input tag '" STR_FMT "' found using '%s' does not match any of the expected "
                   "tags: ",
                   STR_ARG(str_head(fault->found, 100)), fault->shape->tag);
        for (size_t i = 0; i < fault->shape->case_count; i++)
            buf_printf(out, "%s'%s'", i > 0 ? ", " : "", fault->shape->cases[i].value);
        break;
    }
}

void messages_refuse_shape(struct call *call, const struct shape_fault *fault)
{
    struct buf text;
    buf_init(&text, 4096);
    messages_write_fault(&text, fault);
    call_error(call, 400, NULL, NULL, STR_FMT, STR_ARG(buf_str(&text)));
    buf_free(&text);
}

bool messages_has_beta(const struct messages *messages, const char *name)
{
    struct str rest = messages->betas, one, wanted = str_c(name);
    bool prefix = wanted.n > 0 && wanted.p[wanted.n - 1] == '-';
    while (str_split(&rest, ',', &one)) {
        one = str_trim(one);
        if (prefix ? str_starts(one, wanted) : str_eq(one, wanted))
            return true;
    }
    return false;
}

/* Members that only a beta, or only the older API version, knows. */
static bool messages_check_versions(const struct messages *messages)
{
    static const char *const sampling[] = {"temperature", "top_p", "top_k"};
    const struct json *root = messages->call->root;
    for (size_t i = 0; messages_beta_at(i) != NULL; i++) {
        const struct messages_beta *row = messages_beta_at(i);
        if (json_get(root, row->member) != NULL && !messages_has_beta(messages, row->beta))
            return messages_refuse(messages, "%s: Extra inputs are not permitted", row->member);
    }
    for (size_t i = 0; i < COUNT_OF(sampling); i++) {
        if (messages->latest && json_get(root, sampling[i]) != NULL)
            return messages_refuse(messages, "%s: Extra inputs are not permitted", sampling[i]);
    }
    return true;
}

static bool messages_check_sampling(const struct messages *messages)
{
    static const char *const names[] = {"temperature", "top_p", "top_k"};
    const struct json *root = messages->call->root;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (json_get(root, names[i]) != NULL && !claude_can(messages->claude, CLAUDE_SAMPLING))
            return messages_refuse(messages, "`%s` is deprecated for this model.", names[i]);
    }
    if (claude_can(messages->claude, CLAUDE_EITHER) && json_get(root, "temperature") != NULL &&
        json_get(root, "top_p") != NULL)
        return messages_refuse(messages, "`temperature` and `top_p` cannot both be specified for "
                                         "this model. Please use only one.");
    return true;
}

static bool messages_check_thinking_with(const struct messages *messages)
{
    const struct json *root = messages->call->root;
    int64_t number = 0;
    struct str choice = call_text(messages->call, json_get(root, "tool_choice"), "type");
    if (json_get(root, "temperature") != NULL &&
        (json_decimal(json_get(root, "temperature"), 6, false, &number) != ST_OK ||
         number != SHAPE_MICRO))
        return messages_refuse(messages,
                               "`temperature` may only be set to 1 when thinking is enabled.");
    if (json_get(root, "top_k") != NULL)
        return messages_refuse(messages, "`top_k` must be unset when thinking is enabled.");
    if (json_get(root, "top_p") != NULL &&
        (json_decimal(json_get(root, "top_p"), 6, false, &number) != ST_OK ||
         number < SHAPE_MICRO * 95 / 100))
        return messages_refuse(messages, "`top_p` must be greater than or equal to 0.95 or unset "
                                         "when thinking is enabled.");
    if (str_eq(choice, STR("any")) || str_eq(choice, STR("tool")))
        return messages_refuse(messages,
                               "Thinking may not be enabled when tool_choice forces tool use.");
    return true;
}

static bool messages_check_thinking(const struct messages *messages)
{
    const struct json *root = messages->call->root, *thinking = json_get(root, "thinking");
    struct str type = call_text(messages->call, thinking, "type");
    int64_t budget = 0, most = INT64_MAX;
    bool manual = str_eq(type, STR("enabled")), adaptive = str_eq(type, STR("adaptive"));
    if (str_eq(type, STR("between_tools")))
        return messages_refuse(messages, "thinking.type: between_tools is not supported on this "
                                         "model.");
    if (!manual && !adaptive)
        return true;
    if (adaptive && !claude_can(messages->claude, CLAUDE_ADAPTIVE))
        return messages_refuse(messages, "adaptive thinking is not supported on this model");
    if (manual && !claude_can(messages->claude, CLAUDE_MANUAL))
        return messages_refuse(
            messages, claude_can(messages->claude, CLAUDE_ADAPTIVE)
                          ? "\"thinking.type.enabled\" is not supported for this model. Use "
                            "\"thinking.type.adaptive\" and \"output_config.effort\" to control "
                            "thinking behavior."
                          : "thinking is not supported on this model");
    if (manual && !messages->counts_only &&
        json_i64(json_get(thinking, "budget_tokens"), &budget) == ST_OK &&
        json_i64(json_get(root, "max_tokens"), &most) == ST_OK && budget >= most &&
        !messages_has_beta(messages, "interleaved-thinking-2025-05-14"))
        return messages_refuse(messages,
                               "`max_tokens` must be greater than `thinking.budget_tokens`.");
    return messages_check_thinking_with(messages);
}

/* Schemas that bind the model's output must close their objects. */
static bool messages_check_closed(const struct messages *messages, const struct json *schema,
                                  const char *place, unsigned depth)
{
    struct str type = call_text(messages->call, schema, "type");
    const struct json *more = json_get(schema, "additionalProperties");
    if (str_eq(type, STR("object")) && (more == NULL || more->type != JSON_FALSE))
        return messages_refuse(messages,
                               "%s: For 'object' type, 'additionalProperties' must be explicitly "
                               "set to false",
                               place);
    if (depth > 32)
        return messages_refuse(messages, "%s: Schema is too complex.", place);
    for (const struct json *m = schema->first; m != NULL; m = m->next) {
        if ((m->type == JSON_OBJECT || m->type == JSON_ARRAY) &&
            !messages_check_closed(messages, m, place, depth + 1))
            return false;
    }
    return true;
}

static bool messages_check_output(const struct messages *messages)
{
    const struct json *root = messages->call->root, *config = json_get(root, "output_config");
    const struct json *format = json_get(config, "format");
    if (json_is_none(format))
        format = json_get(root, "output_format");
    if (!json_is_none(json_get(config, "effort")) && !claude_can(messages->claude, CLAUDE_EFFORT))
        return messages_refuse(messages, "This model does not support the effort parameter.");
    if (json_is_none(format))
        return true;
    if (!claude_can(messages->claude, CLAUDE_FORMAT))
        return messages_refuse(messages, "'" STR_FMT "' does not support output format.",
                               STR_ARG(messages->call->model));
    return messages_check_closed(messages, json_get(format, "schema"),
                                 "output_config.format.schema", 0);
}

static bool messages_is_name(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-'))
            return false;
    }
    return true;
}

static bool messages_check_tools(const struct messages *messages)
{
    const struct json *root = messages->call->root, *tools = json_get(root, "tools");
    const struct json *choice = json_get(root, "tool_choice");
    struct str wanted = call_text(messages->call, choice, "name");
    bool found = wanted.p == NULL;
    size_t i = 0;
    if (choice != NULL && (tools == NULL || tools->count == 0))
        return messages_refuse(messages, "tool_choice may only be specified while providing "
                                         "tools");
    for (const struct json *tool = tools == NULL ? NULL : tools->first; tool != NULL;
         tool = tool->next, i++) {
        struct str name = call_text(messages->call, tool, "name");
        found = found || str_eq(name, wanted);
        if (!messages_is_name(name))
            return messages_refuse(messages,
                                   "tools.%zu.custom.name: String should match pattern "
                                   "'^[a-zA-Z0-9_-]{1,128}$'",
                                   i);
        for (const struct json *other = tools->first; other != tool; other = other->next) {
            if (str_eq(name, call_text(messages->call, other, "name")))
                return messages_refuse(messages, "tools: Tool names must be unique.");
        }
        if (call_flag(tool, "strict") &&
            !messages_check_closed(messages, json_get(tool, "input_schema"), "tools.custom", 0))
            return false;
    }
    return found || messages_refuse(messages, "Tool '" STR_FMT "' not found in provided tools",
                                    STR_ARG(str_head(wanted, 200)));
}

static bool messages_check_bounds(const struct messages *messages)
{
    const struct json *root = messages->call->root, *stops = json_get(root, "stop_sequences");
    int64_t most = 0;
    if (json_i64(json_get(root, "max_tokens"), &most) == ST_OK &&
        most > (int64_t)messages->claude->max_output_tokens)
        return messages_refuse(messages,
                               "max_tokens: %lld > %u, which is the maximum allowed number of "
                               "output tokens for " STR_FMT,
                               (long long)most, messages->claude->max_output_tokens,
                               STR_ARG(messages->call->model));
    for (const struct json *stop = stops == NULL ? NULL : stops->first; stop != NULL;
         stop = stop->next) {
        struct str text = STR("");
        if (json_text(stop, messages->call->arena, &text) != ST_OK || str_trim(text).n == 0)
            return messages_refuse(messages, "stop_sequences: each stop sequence must contain "
                                             "non-whitespace");
    }
    return true;
}

bool messages_check(const struct messages *messages)
{
    static const struct shape_style style = {.tags = true};
    struct call *call = messages->call;
    struct shape_fault fault;
    if (!shape_check(call->root, messages_shape(messages), &style, call->arena, &fault)) {
        messages_refuse_shape(call, &fault);
        return false;
    }
    return messages_check_versions(messages) && messages_check_bounds(messages) &&
           messages_check_sampling(messages) && messages_check_thinking(messages) &&
           messages_check_output(messages) && messages_check_tools(messages) &&
           messages_check_turns(messages) && messages_check_media(messages);
}
