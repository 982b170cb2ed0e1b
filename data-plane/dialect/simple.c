/* simple.c: the engine of simple.h: members read, rules applied, answers ended.
 *
 * Invariant: every member of a request is its main question, written, listed as dropped, or refused
 * by name. The figures that go to the ledger (call->usage) are those that the front shows; where a
 * provider tells none, none go to the ledger either.
 */
#include "data-plane/dialect/simple.h"

#include "common/json_scan.h"

#define FIELD_MAX 64

static const struct {
    enum op op;
    const char *name, *plain;
} params[] = {
#define SIMPLE(op, name, plain) {OP_##op, name, plain},
#include "data-plane/dialect/simple_params.def"
#undef SIMPLE
};

const struct simple_op *simple_find(const struct back *back, enum op op)
{
    for (size_t i = 0; i < back->simple_count; i++)
        if (back->simple[i].op == op)
            return &back->simple[i];
    return NULL;
}

/* --- reading */

static enum status add_member(struct dialect_call *call, struct str name, struct str value,
                              struct simple *ask)
{
    struct simple_member *member = arena_calloc(call->arena, 1, sizeof *member);
    struct json *node;
    if (member == NULL)
        return ST_NO_MEMORY;
    TRY(json_parse(call->arena, value, NULL, &node, NULL));
    node->key = name;
    member->value = node;
    member->field = arena_cstr(call->arena, name);
    if (member->field == NULL)
        return ST_NO_MEMORY;
    if (ask->last_member == NULL)
        ask->members = member;
    else
        ask->last_member->next = member;
    ask->last_member = member;
    return ST_OK;
}

/* Where a member of the front's own goes; NULL: it is none. */
static struct str *own_place(struct str name, const char *const *own, struct str *raws)
{
    for (size_t i = 0; own[i] != NULL; i++)
        if (str_eq(name, str_c(own[i])))
            return &raws[i];
    return NULL;
}

enum status simple_read_members(struct dialect_call *call, struct str body, const char *const *own,
                                struct str *raws, struct simple *ask)
{
    struct json_error error = {0, "not a JSON object"};
    enum json_type type;
    struct str raw, value, name;
    size_t at = 0;
    enum status status = json_scan_object(body, NULL, 0, &error);
    if (status != ST_OK)
        return dialect_refuse(call, status, "The request body cannot be read: %s at byte %zu.",
                              error.what, error.at);
    while (json_scan_next(body, &at, &raw, &value, &type)) {
        TRY(chat_text_plain(call->arena, (struct chat_text){raw}, &name));
        struct str *place = own_place(name, own, raws);
        if (type == JSON_TRUE && str_eq(name, STR("stream")))
            return params_refuse(call, "stream", NULL);
        if (type == JSON_NULL || str_eq(name, STR("model")) || str_eq(name, STR("stream")))
            continue;
        if (place != NULL) {
            *place = value;
            continue;
        }
        status = add_member(call, name, value, ask);
        if (status != ST_OK)
            return dialect_refuse(call, status, STR_FMT ": %s", STR_ARG(str_head(name, FIELD_MAX)),
                                  status_row(status)->text);
    }
    return ST_OK;
}

struct simple_item *simple_add_item(struct arena *arena, struct simple *ask)
{
    struct simple_item *item =
        ask->item_count < SIMPLE_ITEMS_MAX ? arena_calloc(arena, 1, sizeof *item) : NULL;
    if (item == NULL)
        return NULL;
    ask->item_count++;
    if (ask->last_item == NULL)
        ask->items = item;
    else
        ask->last_item->next = item;
    ask->last_item = item;
    return item;
}

enum status simple_request(struct dialect_call *call, struct str body, const struct simple **out)
{
    struct simple *ask = arena_calloc(call->arena, 1, sizeof *ask);
    if (ask == NULL)
        return dialect_refuse(call, ST_NO_MEMORY, "Not enough memory.");
    ask->op = call->front->op;
    enum status status = call->front->simple->read(call, body, ask);
    *out = ask;
    if (status != ST_OK && call->refused == ST_OK)
        return dialect_refuse(call, status, "%s", status_row(status)->text);
    return status;
}

/* --- rules */

const struct json *simple_member(const struct simple *ask, const char *name)
{
    for (const struct simple_member *m = ask->members; m != NULL; m = m->next)
        if (str_eq(m->value->key, str_c(name)))
            return m->value;
    return NULL;
}

static bool is_plain(enum op op, const struct json *value)
{
    for (size_t i = 0; i < COUNT_OF(params); i++)
        if (params[i].op == op && str_eq(value->key, str_c(params[i].name)))
            return params_is_plain(value, str_c(params[i].plain));
    return false;
}

bool simple_asks(const struct simple *ask, const char *name)
{
    const struct json *value = simple_member(ask, name);
    return value != NULL && !is_plain(ask->op, value);
}

void simple_drop(struct dialect_call *call, const struct simple *ask, const char *name)
{
    if (simple_asks(ask, name))
        dialect_drop(call, name);
}

static const struct simple_rule *rule_of(const struct simple_rule *rules, struct str name)
{
    static const struct simple_rule unknown = {NULL, PARAM_DROP, NULL, NULL};
    for (; rules->name != NULL; rules++)
        if (str_eq(name, str_c(rules->name)))
            return rules;
    return &unknown;
}

enum status simple_apply(struct dialect_call *call, const struct simple *ask,
                         const struct simple_rule *rules, struct json_writer *w)
{
    for (const struct simple_member *m = ask->members; m != NULL; m = m->next) {
        const struct simple_rule *rule = rule_of(rules, m->value->key);
        if (rule->action == PARAM_PASS)
            jw_field_raw(w, rule->as, m->value->raw);
        else if (rule->action == PARAM_CONVERT || is_plain(ask->op, m->value))
            continue;
        else if (rule->action == PARAM_DROP)
            dialect_drop(call, m->field);
        else
            return params_refuse(call, m->field, rule->note);
    }
    return ST_OK;
}

enum status simple_want_text(struct dialect_call *call, const struct simple *ask, bool media)
{
    for (const struct simple_item *item = ask->items; item != NULL; item = item->next) {
        if (item->tokens.n > 0)
            return dialect_refuse_part(
                call, item->place, "token numbers",
                "Send strings (LangChain: OpenAIEmbeddings(check_embedding_ctx_length=False)).");
        if (item->has_media && !media)
            return dialect_refuse_part(call, item->place, "pictures", "Send strings.");
        if (!item->has_media && !chat_has(item->text))
            return dialect_refuse_part(call, item->place, "this type of input", "Send strings.");
    }
    return ST_OK;
}

const char *simple_check(enum op op, const struct simple_rule *rules)
{
    for (size_t i = 0; i < COUNT_OF(params); i++)
        if (params[i].op == op && rule_of(rules, str_c(params[i].name))->name == NULL)
            return params[i].name;
    return NULL;
}

/* --- answers */

enum status simple_end(struct dialect_call *call)
{
    const struct simple *ask = call->chat->simple;
    struct simple_answer answer = {.vectors = NULL};
    TRY(call->op->read(call, ask, call->reply_type, buf_str(&call->whole), &answer));
    if (call->state == DIALECT_FAILED)
        return ST_OK; /* an answer that was an error */
    if (!chat_has(answer.model))
        answer.model = chat_text_quote(call->arena, call->target->model);
    if (!chat_has(answer.id))
        answer.id = chat_text_quote(call->arena, call->answer_id);
    if (!chat_has(answer.model) || !chat_has(answer.id))
        return ST_NO_MEMORY;
    call->has_usage = answer.has_usage;
    call->usage = answer.usage;
    call->content = true;
    call->front->simple->write(call, ask, &answer);
    call->state = DIALECT_ENDED;
    return buf_status(&call->out);
}
