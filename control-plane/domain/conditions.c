/* conditions.c: see conditions.h. */
#include "control-plane/domain/conditions.h"

#include <stdio.h>

/* What a policy can look at; "metadata." is followed by a name. */
static const char *const keys[] = {"api_key",     "workspace_id", "organisation_id", "metadata.",
                                   "virtual_key", "provider",     "config",          "prompt",
                                   "model",       "endpoint_type"};

static enum status refuse(struct conditions_error *error, const char *list, size_t index,
                          const char *member, const char *rule)
{
    (void)snprintf(error->field, sizeof error->field, "%s[%zu]%s", list, index, member);
    error->rule = rule;
    return ST_INVALID;
}

static bool key_known(struct str key)
{
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        struct str known = str_c(keys[i]);
        bool prefix = known.p[known.n - 1] == '.';
        if (prefix ? str_starts(key, known) && key.n > known.n : str_eq(key, known))
            return true;
    }
    return false;
}

static enum status check_key(struct arena *arena, const struct json *item, const char *list,
                             size_t index, bool tools, struct conditions_error *error)
{
    const struct json *node = json_get(item, "key");
    struct str key = STR_NONE;
    if (!json_is(item, JSON_OBJECT))
        return refuse(error, list, index, "", "must be an object with a key");
    if (json_is(node, JSON_STRING))
        TRY(json_text(node, arena, &key));
    if (key.n == 0 || key.n > CONDITIONS_VALUE_MAX)
        return refuse(error, list, index, ".key", "is required");
    if (!tools && !key_known(key))
        return refuse(error, list, index, ".key",
                      "must be one of api_key, workspace_id, organisation_id, metadata.<name>, "
                      "virtual_key, provider, config, prompt, model, endpoint_type");
    return ST_OK;
}

static bool value_ok(const struct json *node)
{
    bool plain = node->type == JSON_STRING || node->type == JSON_NUMBER || json_is_bool(node);
    return plain && node->raw.n <= CONDITIONS_VALUE_MAX;
}

static bool values_ok(const struct json *node)
{
    if (node->type != JSON_ARRAY)
        return value_ok(node);
    for (const struct json *item = node->first; item != NULL; item = item->next)
        if (!value_ok(item))
            return false;
    return node->count > 0 && node->count <= CONDITIONS_VALUES;
}

static enum status check_condition(struct arena *arena, const struct json *item, size_t index,
                                   bool tools, struct conditions_error *error)
{
    static const char name[] = "conditions",
                      rule[] = "must be a string, or an array of 1 to 500 of them";
    TRY(check_key(arena, item, name, index, tools, error));
    const struct json *value = json_get(item, "value"), *excludes = json_get(item, "excludes");
    if (json_is_none(value) && json_is_none(excludes))
        return refuse(error, name, index, ".value", "is required");
    if (!json_is_none(value) && !values_ok(value))
        return refuse(error, name, index, ".value", rule);
    if (!json_is_none(excludes) && !values_ok(excludes))
        return refuse(error, name, index, ".excludes", rule);
    return ST_OK;
}

static enum status refuse_list(struct conditions_error *error, const char *list, const char *rule)
{
    (void)snprintf(error->field, sizeof error->field, "%s", list);
    error->rule = rule;
    return ST_INVALID;
}

enum status conditions_check(struct arena *arena, const struct json *conditions, bool tools,
                             struct conditions_error *error)
{
    size_t index = 0;
    if (!json_is(conditions, JSON_ARRAY) || conditions->count == 0 ||
        conditions->count > CONDITIONS_MAX)
        return refuse_list(error, "conditions", "must be an array of 1 to 32 conditions");
    for (const struct json *item = conditions->first; item != NULL; item = item->next)
        TRY(check_condition(arena, item, index++, tools, error));
    return ST_OK;
}

enum status conditions_check_groups(struct arena *arena, const struct json *groups, bool tools,
                                    struct conditions_error *error)
{
    size_t index = 0;
    if (!json_is(groups, JSON_ARRAY) || groups->count == 0 || groups->count > CONDITIONS_GROUPS)
        return refuse_list(error, "group_by", "must be an array of 1 to 8 keys");
    for (const struct json *item = groups->first; item != NULL; item = item->next)
        TRY(check_key(arena, item, "group_by", index++, tools, error));
    return ST_OK;
}
