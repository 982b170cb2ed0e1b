/* limits.c: the checks of limits, and their canonical text.
 *
 * Deliberately lenient where the field is (unknown members stay, alert_threshold may exceed the
 * limit where the reference says so) and strict where a wrong value would be enforced wrongly:
 * numbers, periods, units. Numbers stay decimal text; nothing here is a float.
 */
#include "control-plane/api/limits.h"

#include "common/clock.h"
#include "control-plane/api/fields.h"

#define LIMITS_TEXT_MAX (64u << 10)
#define LIMITS_SCALE    9 /* digits behind the point that a credit limit may have */

static const struct json *member(const struct json *object, const char *name)
{
    const struct json *node = json_get(object, name);
    return json_is(node, JSON_NULL) ? NULL : node;
}

static bool one_of(const struct json *node, struct arena *arena, const char *words)
{
    struct str text, rest = str_c(words), word;
    if (json_text(node, arena, &text) != ST_OK)
        return false;
    while (str_split(&rest, '|', &word))
        if (str_eq(word, text))
            return true;
    return false;
}

/* Copies a tree with numbers that are whole written plainly. Depth is bounded by the parser. */
static void copy(struct json_writer *w, const struct json *node)
{
    int64_t whole;
    if (node->type == JSON_OBJECT || node->type == JSON_ARRAY) {
        node->type == JSON_OBJECT ? jw_object(w) : jw_array(w);
        for (const struct json *item = node->first; item != NULL; item = item->next) {
            if (node->type == JSON_OBJECT)
                jw_key_str(w, item->key);
            copy(w, item);
        }
        jw_end(w);
    } else if (node->type == JSON_NUMBER && json_i64(node, &whole) == ST_OK) {
        jw_i64(w, whole);
    } else {
        jw_raw(w, node->raw);
    }
}

static enum status check_amount(struct api_call *call, const char *name, const struct json *item,
                                const char *field)
{
    const struct json *node = member(item, field);
    int64_t value;
    bool number = node == NULL || json_i64(node, &value) == ST_OK ||
                  json_decimal(node, LIMITS_SCALE, false, &value) == ST_OK;
    if (node != NULL && (!number || value < 0))
        return api_fail(call, ST_INVALID, "%s.%s: must be a number of 0 or more", name, field);
    return ST_OK;
}

static enum status check_period(struct api_call *call, const char *name, const struct json *item)
{
    const struct json *reset = member(item, "periodic_reset"),
                      *days = member(item, "periodic_reset_days"),
                      *next = member(item, "next_usage_reset_at");
    int64_t value, at_ms;
    struct str text;
    if (reset != NULL && days != NULL)
        return api_fail(call, ST_INVALID,
                        "%s: periodic_reset and periodic_reset_days exclude each other", name);
    if (reset != NULL && !one_of(reset, call->arena, "monthly|weekly"))
        return api_fail(call, ST_INVALID, "%s.periodic_reset: must be monthly or weekly", name);
    if (days != NULL && (json_i64(days, &value) != ST_OK || value < 1 || value > 365))
        return api_fail(call, ST_INVALID, "%s.periodic_reset_days: must be 1 to 365", name);
    if (next != NULL &&
        (json_text(next, call->arena, &text) != ST_OK || clock_from_text(text, &at_ms) != ST_OK))
        return api_fail(call, ST_INVALID, "%s.next_usage_reset_at: must be a time (RFC 3339)",
                        name);
    return ST_OK;
}

static enum status check_usage(struct api_call *call, const char *name, const struct json *item)
{
    const struct json *type = member(item, "type"), *mode = member(item, "mode");
    if (!json_is(item, JSON_OBJECT))
        return api_invalid(call, name, "must hold objects");
    if (type != NULL && !one_of(type, call->arena, "cost|tokens|requests"))
        return api_fail(call, ST_INVALID, "%s.type: must be cost or tokens", name);
    if (mode != NULL && !one_of(mode, call->arena, "standard|strict"))
        return api_fail(call, ST_INVALID, "%s.mode: must be standard or strict", name);
    TRY(check_amount(call, name, item, "credit_limit"));
    TRY(check_amount(call, name, item, "alert_threshold"));
    return check_period(call, name, item);
}

static enum status check_rate(struct api_call *call, const char *name, const struct json *item)
{
    int64_t value;
    if (!json_is(item, JSON_OBJECT))
        return api_invalid(call, name, "must hold objects");
    if (!one_of(member(item, "type"), call->arena, "requests|tokens|concurrency"))
        return api_fail(call, ST_INVALID, "%s.type: must be requests, tokens or concurrency", name);
    bool concurrency = one_of(member(item, "type"), call->arena, "concurrency");
    if (!concurrency && !one_of(member(item, "unit"), call->arena, "rps|rpm|rph|rpd|rpw"))
        return api_fail(call, ST_INVALID, "%s.unit: must be rps, rpm, rph, rpd or rpw", name);
    if (json_i64(member(item, "value"), &value) != ST_OK || value < 0)
        return api_fail(call, ST_INVALID, "%s.value: must be a whole number of 0 or more", name);
    return ST_OK;
}

typedef enum status check_fn(struct api_call *call, const char *name, const struct json *item);

static enum status check_all(struct api_call *call, const char *name, const struct json *node,
                             check_fn *check)
{
    if (json_is(node, JSON_OBJECT))
        return check(call, name, node);
    if (!json_is(node, JSON_ARRAY) || node->count > LIMITS_MAX)
        return api_fail(call, ST_INVALID, "%s: must be an array of at most %d objects", name,
                        LIMITS_MAX);
    for (const struct json *item = node->first; item != NULL; item = item->next)
        TRY(check(call, name, item));
    return ST_OK;
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
    copy(&w, array && single ? node->first : node);
    if (!single && !array)
        jw_end(&w);
    return fields_take(call->arena, &out, text);
}

enum status limits_usage(struct api_call *call, const char *name, const struct json *node,
                         bool single, char **text)
{
    if (json_is_none(node))
        return api_cstr(call->arena, STR(""), text);
    TRY(check_all(call, name, node, check_usage));
    return canonical(call, name, node, single, text);
}

enum status limits_rates(struct api_call *call, const char *name, const struct json *node,
                         char **text)
{
    if (json_is_none(node) || (json_is(node, JSON_OBJECT) && node->count == 0))
        return api_cstr(call->arena, STR(""), text);
    TRY(check_all(call, name, node, check_rate));
    return canonical(call, name, node, false, text);
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
