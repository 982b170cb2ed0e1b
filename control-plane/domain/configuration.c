/* configuration.c: see configuration.h and configuration.def.
 *
 * Values come from admins and end up in hosts, paths and signed forms: a resource name with a '#'
 * once sent a key to another host. So each rule lists what may stand in a value, never what may
 * not.
 */
#include "control-plane/domain/configuration.h"

#include <stdio.h>

#define NAME_MAX_BYTES 128

struct check {
    struct arena *arena;
    struct str *why;
    const char *field;
};

static enum status fault(const struct check *check, const char *where, const char *rule)
{
    *check->why = arena_printf(check->arena, "configurations.%s%s: %s", check->field, where, rule);
    return check->why->p == NULL ? ST_NO_MEMORY : ST_INVALID;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool consists_of(struct str text, const char *others, size_t least, size_t most)
{
    for (size_t i = 0; i < text.n; i++)
        if (!is_word(text.p[i]) && (text.p[i] == '\0' || strchr(others, text.p[i]) == NULL))
            return false;
    return text.n >= least && text.n <= most;
}

/* --- rules of strings */

static bool is_label(struct str text)
{
    return consists_of(text, "-", 1, 63) && text.p[0] != '-' && text.p[text.n - 1] != '-';
}

static bool is_region(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] >= 'A' && text.p[i] <= 'Z')
            return false;
    return is_label(text) && text.n < 32 && str_find(text, STR("--")) < 0;
}

static bool is_name(struct str text)
{
    return consists_of(text, "-_.", 1, NAME_MAX_BYTES) && is_word(text.p[0]) &&
           str_find(text, STR("..")) < 0;
}

static bool is_version(struct str text)
{
    return is_name(text) && text.n <= 30;
}

static bool is_arn(struct str text)
{
    return str_starts(text, STR("arn:")) && consists_of(text, "+=,.@:/_-*", 8, 2048);
}

static bool is_external_id(struct str text)
{
    return consists_of(text, "_+=,.@:/-", 2, 1224);
}

static bool is_session(struct str text)
{
    return consists_of(text, "_+=,.@-", 2, 64);
}

/* What callers may send as a model: nothing invisible. */
static bool is_model(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] <= ' ' || text.p[i] == 0x7F)
            return false;
    return text.n > 0 && text.n <= 255;
}

/* data-plane/worker/disconnect.def */
static bool is_disconnect(struct str text)
{
    return str_eq(text, STR("cancel")) || str_eq(text, STR("drain"));
}

static enum status check_text(const struct check *check, const struct json *value,
                              const char *where, bool (*fits)(struct str text), const char *rule)
{
    struct str text;
    if (!json_is(value, JSON_STRING))
        return fault(check, where, "must be a string");
    TRY(json_text(value, check->arena, &text));
    return fits(text) ? ST_OK : fault(check, where, rule);
}

#define TEXT_RULE(name, fits, rule)                                                                \
    static enum status check_##name(const struct check *check, const struct json *value)           \
    {                                                                                              \
        return check_text(check, value, "", fits, rule);                                           \
    }
TEXT_RULE(LABEL, is_label, "must be letters, digits and '-', at most 63")
TEXT_RULE(REGION, is_region, "must be a region's name, such as eu-central-1")
TEXT_RULE(NAME, is_name, "must be letters, digits, '-', '_' and '.', at most 128")
TEXT_RULE(VERSION, is_version, "must be an API version, such as 2024-10-21")
TEXT_RULE(ARN, is_arn, "must be an ARN, such as arn:aws:iam::123456789012:role/name")
TEXT_RULE(EXTERNAL_ID, is_external_id, "must be 2 to 1224 letters, digits and '_+=,.@:/-'")
TEXT_RULE(SESSION, is_session, "must be 2 to 64 letters, digits and '_+=,.@-'")
TEXT_RULE(DISCONNECT, is_disconnect, "must be cancel or drain")
#undef TEXT_RULE

static enum status check_PROFILES(const struct check *check, const struct json *value)
{
    if (!json_is(value, JSON_OBJECT))
        return fault(check, "", "must be an object of models by inference profile");
    for (const struct json *member = value->first; member != NULL; member = member->next)
        TRY(check_text(check, member, "", is_model, "must name models"));
    return ST_OK;
}

/* --- deployments */

struct member {
    const char *name;
    bool needed;
    bool (*fits)(struct str text);
    const char *rule;
};

static enum status check_members(const struct check *check, const struct json *item, size_t at)
{
    static const struct member members[] = {
        {"azure_deployment_name", true, is_name, "must be letters, digits, '-', '_' and '.'"},
        {"azure_api_version", true, is_version, "must be an API version, such as 2024-10-21"},
        {"azure_model_slug", false, is_model, "must be a model's slug"},
        {"alias", false, is_model, "must be 1 to 255 visible characters"},
    };
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        const struct json *value = json_get(item, members[i].name);
        char where[64];
        snprintf(where, sizeof where, "[%zu].%s", at, members[i].name);
        if (json_is_none(value) && !members[i].needed)
            continue;
        if (json_is_none(value))
            return fault(check, where, "required");
        TRY(check_text(check, value, where, members[i].fits, members[i].rule));
    }
    return ST_OK;
}

static bool is_default(const struct json *item)
{
    const struct json *chosen = json_get(item, "is_default");
    return json_is_bool(chosen) && str_eq(chosen->raw, STR("true"));
}

/* No two of one alias, no two defaults. */
static enum status check_pair(const struct check *check, const struct json *a, const struct json *b,
                              size_t at)
{
    const struct json *one = json_get(a, "alias"), *other = json_get(b, "alias");
    char where[64];
    snprintf(where, sizeof where, "[%zu].%s", at, is_default(b) ? "is_default" : "alias");
    if (is_default(a) && is_default(b))
        return fault(check, where, "another deployment is the default already");
    snprintf(where, sizeof where, "[%zu].alias", at);
    if (json_is(one, JSON_STRING) && json_is(other, JSON_STRING) && str_eq(one->raw, other->raw))
        return fault(check, where, "another deployment has this alias already");
    return ST_OK;
}

static enum status check_DEPLOYMENTS(const struct check *check, const struct json *value)
{
    size_t at = 0;
    if (!json_is(value, JSON_ARRAY) || value->count == 0 ||
        value->count > CONFIGURATION_DEPLOYMENTS_MAX)
        return fault(check, "", "must be an array of 1 to 64 deployments");
    for (const struct json *item = value->first; item != NULL; item = item->next, at++) {
        if (item->type != JSON_OBJECT)
            return fault(check, "", "must hold objects");
        TRY(check_members(check, item, at));
        for (const struct json *before = value->first; before != item; before = before->next)
            TRY(check_pair(check, before, item, at));
    }
    return ST_OK;
}

enum status configuration_check(struct arena *arena, const struct json *configurations,
                                struct str *why)
{
    static const struct {
        const char *field;
        enum status (*check)(const struct check *check, const struct json *value);
    } rows[] = {
#define CONFIGURATION(field, rule) {field, check_##rule},
#include "control-plane/domain/configuration.def"
#undef CONFIGURATION
    };
    *why = STR("");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct json *value = json_get(configurations, rows[i].field);
        struct check check = {arena, why, rows[i].field};
        if (!json_is_none(value))
            TRY(rows[i].check(&check, value));
    }
    return ST_OK;
}
