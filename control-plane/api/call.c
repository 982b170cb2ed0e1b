/* call.c: what every handler needs: failures with a sentence, members in both spellings, audit.
 *
 * Clients differ in spelling (Terraform and OpenAPI say isDefault, SDKs is_default or
 * deploymentConfig), so names are looked up in snake_case first and then in camelCase, here and
 * nowhere else. Messages name the field and never repeat a value, because a value may be a secret.
 */
#include "control-plane/api/call.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/wire.h"
#include "control-plane/api/shown.h"
#include "control-plane/store/trash.h"

enum status api_fail(struct api_call *call, enum status status, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (n > 0)
        call->message = arena_str(call->arena, str_c(text));
    return status;
}

enum status api_invalid(struct api_call *call, const char *field, const char *what)
{
    return api_fail(call, ST_INVALID, "%s: %s", field, what);
}

enum status api_found(struct api_call *call, enum status status, const char *kind)
{
    if (status == ST_NOT_FOUND)
        return api_fail(call, ST_NOT_FOUND, "%s not found (404)", kind);
    return status;
}

void api_camel(const char *snake, char camel[64])
{
    size_t n = 0;
    for (const char *at = snake; *at != '\0' && n < 63; at++) {
        if (*at == '_' && at[1] >= 'a' && at[1] <= 'z') {
            at++;
            camel[n++] = (char)(*at - 'a' + 'A');
        } else {
            camel[n++] = *at;
        }
    }
    camel[n] = '\0';
}

struct str api_path(const struct api_call *call, const char *name)
{
    struct str rest = str_c(call->route->path), part;
    size_t at = 0, n = strlen(name);
    while (str_split(&rest, '/', &part)) {
        if (part.n < 2 || part.p[0] != '{')
            continue;
        struct str inner = str_of(part.p + 1, part.n - 2);
        if (inner.n > 0 && inner.p[inner.n - 1] == '*')
            inner.n--;
        if (inner.n == n && memcmp(inner.p, name, n) == 0)
            return call->params[at];
        at++;
    }
    return STR_NONE;
}

const struct json *api_member(const struct json *object, const char *name)
{
    const struct json *found = json_get(object, name);
    if (found != NULL || strchr(name, '_') == NULL)
        return found;
    char camel[64];
    api_camel(name, camel);
    return json_get(object, camel);
}

const struct json *api_body(const struct api_call *call, const char *name)
{
    return api_member(call->body, name);
}

enum status api_body_text(struct api_call *call, const char *name, struct str *text)
{
    const struct json *node = api_body(call, name);
    *text = STR_NONE;
    if (json_is_none(node))
        return ST_OK;
    struct str value;
    enum status status = json_text(node, call->arena, &value);
    if (status == ST_NO_MEMORY)
        return status;
    if (status != ST_OK || str_find_char(value, '\0') >= 0)
        return api_invalid(call, name, "must be a string");
    *text = value.p == NULL ? STR("") : value;
    return ST_OK;
}

struct str api_query(const struct api_call *call, const char *name)
{
    struct str value = http_request_query(call->request, name);
    if (value.p != NULL || strchr(name, '_') == NULL)
        return value;
    char camel[64];
    api_camel(name, camel);
    return http_request_query(call->request, camel);
}

enum status api_text(struct api_call *call, const char *name, struct str *text)
{
    *text = api_query(call, name);
    if (text->n > 0)
        return ST_OK;
    return api_body_text(call, name, text);
}

enum status api_body_bool(struct api_call *call, const char *name, bool *value)
{
    const struct json *node = api_body(call, name);
    int64_t number;
    if (json_is_none(node))
        return ST_OK;
    if (json_is_bool(node))
        return json_bool(node, value);
    if (json_i64(node, &number) != ST_OK || number < 0 || number > 1)
        return api_invalid(call, name, "must be true or false");
    *value = number == 1;
    return ST_OK;
}

bool api_query_flag(const struct api_call *call, const char *name)
{
    struct str value = api_query(call, name);
    return str_eq(value, STR("true")) || str_eq(value, STR("1"));
}

enum status api_forced(struct api_call *call, bool *forced)
{
    *forced = false;
    TRY(api_body_bool(call, "force_delete", forced));
    *forced = *forced || call->overlay != NULL || api_query_flag(call, "force_delete");
    return ST_OK;
}

/* The resource as the operation found it, and as it leaves it; n = 0 for what is not there. */
static void show_change(struct api_call *call, struct write_audit *record)
{
    struct record_key key;
    ProtobufCMessage *message;
    struct str body = STR_NONE;
    const struct write_before *at = call->op->before;
    while (at != NULL && !id_eq(&at->key.id, &record->resource))
        at = at->next;
    if (at != NULL) {
        key = at->key;
        body = at->body;
    } else if (trash_root(call->op, &key) != ST_OK || !id_eq(&key.id, &record->resource) ||
               trash_body(call->op, &key, &body) != ST_OK) {
        return;
    }
    if (body.p != NULL &&
        wire_unpack(record_descriptor(key.kind), body, call->arena, &message) == ST_OK)
        record->before_json = shown_message(call->arena, message);
    if (record_get(call->txn, &key, call->arena, &message, NULL) == ST_OK)
        record->after_json = shown_message(call->arena, message);
}

static void audit(struct api_call *call, struct write_audit *record, const char *action,
                  const char *resource_type, const struct id *id)
{
    CHECK(call->op != NULL);
    record->action = action;
    record->resource_type = resource_type;
    record->org = call->auth.org;
    record->resource = *id;
    record->request_body = shown_json(call->arena, call->body);
    record->query = call->request->query;
    record->user_agent = http_request_header(call->request, "user-agent");
    show_change(call, record);
    writer_audit(call->op, record);
}

void api_audit_refused(struct api_call *call, enum status refusal, const char *action,
                       const char *resource_type, const struct id *id, struct str slug)
{
    struct write_audit record = {.slug = slug,
                                 .http_status = (unsigned)status_row(refusal)->http,
                                 .message = call->message,
                                 .workspace = call->auth.workspace};
    audit(call, &record, action, resource_type, id);
}

void api_audit(struct api_call *call, const char *action, const char *resource_type,
               const struct id *workspace, const struct id *id, const char *slug)
{
    struct write_audit record = {.workspace = workspace == NULL ? ID_NONE : *workspace,
                                 .slug = str_c(slug)};
    audit(call, &record, action, resource_type, id);
}

enum status api_trash(struct api_call *call, const char *type, const struct record_key *root,
                      const struct id *workspace, const char *name)
{
    struct trash_order order = {.root = *root,
                                .workspace = workspace == NULL ? ID_NONE : *workspace,
                                .type = type,
                                .name = str_c(name)};
    return trash_open(call->op, &order);
}

enum status api_cstr(struct arena *arena, struct str text, char **out)
{
    *out = arena_cstr(arena, text);
    return *out == NULL ? ST_NO_MEMORY : ST_OK;
}
