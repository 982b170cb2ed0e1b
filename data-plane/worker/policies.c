/* policies.c: see policies.h.
 *
 * A thing that a condition looks at may have several names (a provider its slug, its id and its
 * type); it fits if one of them does. Must never: let a value that a caller writes name another
 * tuple than its own: separators inside of values are escaped.
 */
#include "data-plane/worker/policies.h"

#include "common/buf.h"
#include "common/json_scan.h"

#define NAMES_MAX 3
#define VALUE_MAX 1024 /* bytes of one metadata value that count */
#define KEY_ROOM  8192
#define HASH_TEXT (1 + ID_TEXT)

struct names {
    struct str list[NAMES_MAX];
    size_t count;
};

static void add_name(struct names *names, struct str name)
{
    if (name.n > 0 && names->count < NAMES_MAX)
        names->list[names->count++] = name;
}

static struct str id_text(const struct policy_facts *facts, const struct id *id)
{
    char text[ID_TEXT + 1];
    if (id_is_none(id))
        return STR_NONE;
    id_to_text(id, text);
    return arena_str(facts->arena, str_of(text, ID_TEXT));
}

static struct str qualified(const struct policy_facts *facts, struct str slug)
{
    const struct str pieces[] = {STR("@"), slug, STR("/"), facts->model};
    return slug.n == 0 || facts->model.n == 0 ? STR_NONE
                                              : arena_join(facts->arena, pieces, COUNT_OF(pieces));
}

/* A string member of an object, unescaped; n = 0: none. */
static struct str member_text(struct arena *arena, struct str object, struct str name)
{
    struct str key, value, text;
    enum json_type type;
    size_t at = 0;
    while (object.n > 0 && json_scan_next(object, &at, &key, &value, &type)) {
        if (type != JSON_STRING || value.n > VALUE_MAX + 2 || key.n > VALUE_MAX)
            continue;
        char *room = arena_alloc(arena, key.n + value.n);
        if (room == NULL)
            return STR_NONE;
        if (json_unescape(key, room, &text) != ST_OK || !str_eq(text, name))
            continue;
        return json_unescape(value, room + key.n, &text) == ST_OK ? text : STR_NONE;
    }
    return STR_NONE;
}

static struct str metadata_of(const struct policy_facts *facts, struct str name)
{
    struct str found = STR_NONE;
    for (size_t i = 0; i < METADATA_LAYERS && found.n == 0; i++)
        found = member_text(facts->arena, facts->metadata[i], name);
    if (found.n == 0 && str_eq(name, STR("_user")))
        found = member_text(facts->arena, facts->body, STR("user"));
    return found;
}

/* The first name is the one that counters are called by. */
static void names_of(const struct policy_facts *facts, enum cat_policy_key key, struct str name,
                     struct names *names)
{
    *names = (struct names){.count = 0};
    switch (key) {
    case CAT_POLICY_API_KEY:
        add_name(names, id_text(facts, &facts->api_key));
        break;
    case CAT_POLICY_WORKSPACE:
        add_name(names, id_text(facts, &facts->workspace));
        break;
    case CAT_POLICY_ORGANISATION:
        add_name(names, id_text(facts, &facts->org));
        break;
    case CAT_POLICY_METADATA:
        add_name(names, metadata_of(facts, name));
        break;
    case CAT_POLICY_CONFIG:
        add_name(names, facts->config);
        add_name(names, facts->config_id);
        break;
    case CAT_POLICY_PROMPT:
        break;
    case CAT_POLICY_ENDPOINT:
        add_name(names, facts->endpoint);
        break;
    case CAT_POLICY_VIRTUAL_KEY:
        add_name(names, facts->provider);
        add_name(names, facts->provider_id);
        break;
    case CAT_POLICY_PROVIDER:
        add_name(names, facts->provider);
        add_name(names, facts->type);
        break;
    case CAT_POLICY_MODEL:
        add_name(names, facts->model);
        add_name(names, qualified(facts, facts->provider));
        add_name(names, qualified(facts, facts->type));
        break;
    }
}

/* Does one of the names fit one of the items? "@slug" is another way to write a provider. */
static bool any_fits(const struct names *names, struct str items, enum cat_policy_key key)
{
    struct str item;
    bool slug = key == CAT_POLICY_PROVIDER || key == CAT_POLICY_VIRTUAL_KEY;
    while (cat_item_next(&items, &item)) {
        if (slug && item.n > 0 && item.p[0] == '@')
            item = str_from(item, 1);
        for (size_t i = 0; i < names->count; i++)
            if (str_glob(item, names->list[i]))
                return true;
    }
    return false;
}

static bool condition_holds(const struct cat_head *head, const struct cat_condition *condition,
                            const struct policy_facts *facts)
{
    enum cat_policy_key key = (enum cat_policy_key)condition->key;
    struct str values = cat_str(head, condition->values);
    struct names names;
    names_of(facts, key, cat_str(head, condition->name), &names);
    if (names.count == 0)
        return false;
    return (values.n == 0 || any_fits(&names, values, key)) &&
           !any_fits(&names, cat_str(head, condition->excludes), key);
}

bool policies_match(const struct cat_head *head, const struct cat_policy *policy,
                    const struct policy_facts *facts)
{
    struct str conditions = cat_str(head, policy->conditions);
    for (size_t i = 0; i < cat_condition_count(conditions); i++) {
        struct cat_condition condition = cat_condition_at(conditions, i);
        if (!condition_holds(head, &condition, facts))
            return false;
    }
    return true;
}

/* --- value keys --- */

static void add_value(struct buf *out, struct str value)
{
    bool utf8 = str_is_utf8(value);
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (c == ',' || c == '\\')
            buf_add_char(out, '\\');
        buf_add_char(out, c < 0x20 || c == 0x7F || (c >= 0x80 && !utf8) ? '?' : (char)c);
    }
}

static void add_group(const struct cat_head *head, const struct cat_condition *group,
                      const struct policy_facts *facts, struct buf *out)
{
    enum cat_policy_key key = (enum cat_policy_key)group->key;
    struct str name = cat_str(head, group->name);
    struct names names;
    names_of(facts, key, name, &names);
    if (out->n > 0)
        buf_add_char(out, ',');
    buf_add_str(out, str_c(cat_policy_key_text(key)));
    add_value(out, name);
    buf_add_char(out, ':');
    if (names.count > 0)
        add_value(out, names.list[0]);
}

/* Cut to what a counter's name may have, told apart by the hash of all of it. */
static enum status shorten(struct arena *arena, struct str whole, struct str *value_key)
{
    struct id hash = id_named(STR("value-key/"), whole);
    char text[ID_TEXT + 1];
    struct str head = str_head(whole, LIMIT_VALUE_KEY - HASH_TEXT);
    while (!str_is_utf8(head))
        head.n--;
    id_to_text(&hash, text);
    const struct str pieces[] = {head, STR("#"), str_of(text, ID_TEXT)};
    *value_key = arena_join(arena, pieces, COUNT_OF(pieces));
    return value_key->p == NULL ? ST_NO_MEMORY : ST_OK;
}

enum status policies_value_key(const struct cat_head *head, const struct cat_policy *policy,
                               const struct policy_facts *facts, struct str *value_key)
{
    struct str groups = cat_str(head, policy->groups);
    struct buf out;
    buf_init(&out, KEY_ROOM);
    for (size_t i = 0; i < cat_condition_count(groups); i++) {
        struct cat_condition group = cat_condition_at(groups, i);
        add_group(head, &group, facts, &out);
    }
    enum status status = buf_status(&out);
    if (status == ST_OK && out.n > LIMIT_VALUE_KEY) {
        status = shorten(facts->arena, buf_str(&out), value_key);
    } else if (status == ST_OK) {
        *value_key = out.n == 0 ? STR("") : arena_str(facts->arena, buf_str(&out));
        status = value_key->p == NULL ? ST_NO_MEMORY : ST_OK;
    }
    buf_free(&out);
    return status;
}
