/* limits.c: limits of a body, checked by the rules that both planes enforce them by, and their
 * canonical text.
 *
 * Lenient where the field is: unknown members stay, alert_threshold may exceed the limit where the
 * reference says so. Strict where a wrong value would be enforced wrongly, which is
 * common/limit.c's to say. Numbers stay decimal text; nothing here is a float.
 */
#include "control-plane/api/limits.h"

#include <stdio.h>

#include "common/limit.h"
#include "control-plane/api/fields.h"

#define LIMITS_TEXT_MAX (64u << 10)
#define LIMITS_SCALE    9 /* digits behind the point that a credit limit may have */

void limits_write_plain(struct json_writer *w, const struct json *node)
{
    int64_t whole;
    if (node->type == JSON_OBJECT || node->type == JSON_ARRAY) {
        node->type == JSON_OBJECT ? jw_object(w) : jw_array(w);
        for (const struct json *item = node->first; item != NULL; item = item->next) {
            if (node->type == JSON_OBJECT)
                jw_key_str(w, item->key);
            limits_write_plain(w, item);
        }
        jw_end(w);
    } else if (node->type == JSON_NUMBER && json_i64(node, &whole) == ST_OK) {
        jw_i64(w, whole);
    } else {
        jw_raw(w, node->raw);
    }
}

/* Says which entry of `name` is wrong, and how. */
static enum status explain(struct api_call *call, enum status status, const char *name,
                           const struct json *node, const struct limit_error *error)
{
    char place[24] = "";
    if (status == ST_TOO_LARGE)
        return api_fail(call, ST_INVALID, "%s: must be an array of at most %d objects", name,
                        LIMIT_DEFS_MAX);
    if (status != ST_INVALID)
        return status;
    if (json_is(node, JSON_ARRAY) && node->count > 1)
        (void)snprintf(place, sizeof place, "[%zu]", error->index);
    return api_fail(call, status, "%s%s%s%s: %s", name, place, error->field[0] == '\0' ? "" : ".",
                    error->field, error->rule);
}

static enum status check_shape(struct api_call *call, const char *name, const struct json *node)
{
    bool object = json_is(node, JSON_OBJECT);
    if (object || (json_is(node, JSON_ARRAY) && node->count <= LIMIT_DEFS_MAX))
        return ST_OK;
    return explain(call, ST_TOO_LARGE, name, node, NULL);
}

/* Puts what was sent into the shape that is stored. */
static enum status canonical(struct api_call *call, const char *name, const struct json *node,
                             bool single, char **text)
{
    struct buf out;
    struct json_writer w;
    bool array = json_is(node, JSON_ARRAY);
    if (node->count == 0)
        return api_cstr(call->arena, STR(""), text);
    if (array && single && node->count > 1)
        return api_invalid(call, name, "must be one object");
    buf_init(&out, LIMITS_TEXT_MAX);
    jw_init(&w, &out);
    if (!single && !array)
        jw_array(&w);
    limits_write_plain(&w, array && single ? node->first : node);
    if (!single && !array)
        jw_end(&w);
    return fields_take(call->arena, &out, text);
}

enum status limits_usage(struct api_call *call, const char *name, const struct json *node,
                         bool single, char **text)
{
    if (json_is_none(node))
        return api_cstr(call->arena, STR(""), text);
    struct limit_def defs[LIMIT_DEFS_MAX];
    struct limit_error error = {0, "", ""};
    size_t count = 0;
    TRY(check_shape(call, name, node));
    TRY(explain(call, limit_read_usage(call->arena, node, false, defs, &count, &error), name, node,
                &error));
    return canonical(call, name, node, single, text);
}

enum status limits_rates(struct api_call *call, const char *name, const struct json *node,
                         char **text)
{
    if (json_is_none(node) || (json_is(node, JSON_OBJECT) && node->count == 0))
        return api_cstr(call->arena, STR(""), text);
    struct limit_def defs[LIMIT_DEFS_MAX];
    struct limit_error error = {0, "", ""};
    size_t count = 0;
    TRY(check_shape(call, name, node));
    TRY(explain(call, limit_read_rates(call->arena, node, defs, &count, &error), name, node,
                &error));
    return canonical(call, name, node, false, text);
}

enum status limits_check_count(struct api_call *call, struct str usage, struct str rates)
{
    struct limit_def defs[LIMIT_DEFS_MAX];
    size_t count = 0;
    enum status status = limit_parse_usage(call->arena, usage, false, defs, &count);
    if (status == ST_OK)
        status = limit_parse_rates(call->arena, rates, defs, &count);
    if (status == ST_TOO_LARGE)
        return api_fail(call, ST_INVALID,
                        "rate_limits: at most %d limits together with usage_limits",
                        LIMIT_DEFS_MAX);
    return status;
}

enum status limits_check_alert(struct api_call *call, const char *name, struct str object)
{
    struct json *root;
    int64_t limit, alert;
    if (object.n == 0)
        return ST_OK;
    TRY(json_parse(call->arena, object, NULL, &root, NULL));
    if (json_decimal(json_get(root, "credit_limit"), LIMITS_SCALE, false, &limit) == ST_OK &&
        json_decimal(json_get(root, "alert_threshold"), LIMITS_SCALE, false, &alert) == ST_OK &&
        alert > limit)
        return api_fail(call, ST_INVALID, "%s.alert_threshold: must not exceed credit_limit", name);
    return ST_OK;
}
