/* params.c: params.def's rows against a back's rules (params.h).
 *
 * Why one engine: "what happens to seed at provider X" must have one answer, in a table that a
 * reader and a test can walk. Invariant: every parameter that the caller gave is written, listed as
 * dropped, refused by name, or marked CONVERT, where the back's writer owes the same.
 */
#include "data-plane/dialect/params.h"

#include "data-plane/dialect/dialect.h"

static const struct {
    const char *text, *plain;
} rows[CHAT_PARAM_COUNT] = {
#define PARAM(name, text, plain) [CHAT_PARAM_##name] = {text, plain},
#include "data-plane/dialect/params.def"
#undef PARAM
};

const char *params_text(enum chat_param_name name)
{
    CHECK(name < CHAT_PARAM_COUNT);
    return rows[name].text;
}

/* Same number however it is spelled; other values byte for byte but for blanks around brackets. */
bool params_is_plain(const struct json *value, struct str plain)
{
    int64_t number, want;
    struct json other = {.type = JSON_NUMBER, .raw = plain};
    if (plain.n == 0)
        return false;
    if ((value->type == JSON_OBJECT || value->type == JSON_ARRAY) && value->count == 0)
        return plain.n == 2;
    if (value->type == JSON_NUMBER)
        return plain.p[0] >= '0' && plain.p[0] <= '9' &&
               json_decimal(value, 6, false, &number) == ST_OK &&
               json_decimal(&other, 6, false, &want) == ST_OK && number == want;
    return str_eq(value->raw, plain);
}

bool params_asks(const struct chat *chat, enum chat_param_name name)
{
    const struct json *value = chat->params[name].value;
    return value != NULL && !params_is_plain(value, str_c(rows[name].plain));
}

enum status params_refuse(struct dialect_call *call, const char *field, const char *note)
{
    return dialect_refuse(call, ST_INVALID,
                          "%s: provider @" STR_FMT " (" STR_FMT ") cannot honour it. %s", field,
                          STR_ARG(call->target->provider), STR_ARG(call->target->service),
                          note == NULL ? "Leave it out." : note);
}

static enum status apply_one(struct dialect_call *call, const struct chat_param *param,
                             const struct param_rule *rule, struct str plain, struct json_writer *w)
{
    if (rule->action == PARAM_PASS) {
        jw_key_str(w, params_renamed(call, rule->as));
        jw_raw(w, param->value->raw);
        return ST_OK;
    }
    if (params_is_plain(param->value, plain))
        return ST_OK;
    if (rule->action != PARAM_DROP)
        return params_refuse(call, param->field, rule->note);
    dialect_drop(call, param->field);
    return ST_OK;
}

enum status params_apply(struct dialect_call *call, const struct param_rule rules[CHAT_PARAM_COUNT],
                         struct json_writer *w)
{
    for (unsigned name = 0; name < CHAT_PARAM_COUNT; name++) {
        const struct chat_param *param = &call->chat->params[name];
        if (param->value != NULL && rules[name].action != PARAM_CONVERT)
            TRY(apply_one(call, param, &rules[name], str_c(rows[name].plain), w));
    }
    return ST_OK;
}

struct str params_renamed(const struct dialect_call *call, const char *name)
{
    struct str rest = call->target->renames, line, from;
    while (rest.n > 0 && str_split(&rest, '\n', &line))
        if (str_split(&line, ' ', &from) && str_eq(from, str_c(name)) && line.n > 0)
            return line;
    return str_c(name);
}

bool params_model_may(const struct dialect_call *call, const char *capability)
{
    struct str rest = call->target->capabilities, item;
    if (rest.n == 0)
        return true;
    while (rest.n > 0 && str_split(&rest, '\n', &item))
        if (str_eq(item, str_c(capability)))
            return true;
    return false;
}

const struct json *params_extra(const struct chat *chat, const char *name)
{
    for (const struct chat_extra *extra = chat->extras; extra != NULL; extra = extra->next)
        if (str_eq(extra->value->key, str_c(name)))
            return extra->value;
    return NULL;
}

static bool is_listed(const char *const *names, struct str name)
{
    for (; *names != NULL; names++)
        if (str_eq(name, str_c(*names)))
            return true;
    return false;
}

bool params_is_read(const struct dialect_call *call, const char *name)
{
    const char *const *read = call->front->read_members;
    return read != NULL && is_listed(read, str_c(name));
}

void params_extras(struct dialect_call *call, const char *const *names, const char *const *taken,
                   struct json_writer *w)
{
    for (const struct chat_extra *extra = call->chat->extras; extra != NULL; extra = extra->next) {
        if (is_listed(names, extra->value->key)) {
            jw_key_str(w, extra->value->key);
            jw_raw(w, extra->value->raw);
        } else if (!is_listed(taken, extra->value->key)) {
            dialect_drop(call, arena_cstr(call->arena, extra->value->key));
        }
    }
}

enum chat_param_name params_check(const struct param_rule rules[CHAT_PARAM_COUNT])
{
    unsigned name = 0;
    while (name < CHAT_PARAM_COUNT && rules[name].action != PARAM_UNRULED)
        name++;
    return (enum chat_param_name)name;
}
