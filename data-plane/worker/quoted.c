/* quoted.c: a walk over the members of a body that can name somebody's object.
 *
 * Whoever quotes an id makes the provider read that object for him, so an id that hides behind an
 * escape in its member's name counts too. The look ahead of the walk goes from '_' to '_' and from
 * backslash to backslash, which costs a few microseconds on 60 KB of text; every name above and the
 * ids of containers and conversations have one. Must never miss an id for the sake of speed.
 */
#include "data-plane/worker/quoted.h"

#define NAME_MAX_BYTES 160 /* the longest name above with every character as an escape */

struct level {
    struct str raw;
    size_t at;
};

static const struct str top_names[] = {{"input_file_id", 13},
                                       {"training_file", 13},
                                       {"validation_file", 15},
                                       {"previous_response_id", 20},
                                       {"conversation", 12}};
static const struct str names[] = {
    {"file_id", 7}, {"file_ids", 8}, {"vector_store_ids", 16}, {"container", 9}};
static const struct str closed[] = {{"metadata", 8}, {"parameters", 10}, {"schema", 6}};

static bool is_in(const struct str *list, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(list[i], name))
            return true;
    return false;
}

/* --- the look ahead --------------------------------------------------------------------------- */

/* Around the '_' at `i`. */
static bool speaks_of_one(struct str text, size_t i)
{
    struct str before = str_head(text, i), after = str_from(text, i + 1);
    return str_ends(before, STR("file")) || str_starts(after, STR("file")) ||
           str_starts(after, STR("response_id")) || str_starts(after, STR("store_ids")) ||
           str_ends(before, STR("cntr")) || str_ends(before, STR("conv"));
}

/* Behind a backslash: an escape of a letter or of '_', which nobody needs. */
static bool hides_letter(struct str after)
{
    return after.n >= 4 && after.p[0] == 'u' && after.p[1] == '0' && after.p[2] == '0' &&
           after.p[3] >= '4' && after.p[3] <= '7';
}

bool quoted_maybe(struct str body)
{
    struct str rest = body;
    const char *at;
    while (rest.n > 0 && (at = memchr(rest.p, '_', rest.n)) != NULL) {
        if (speaks_of_one(body, (size_t)(at - body.p)))
            return true;
        rest = str_from(body, (size_t)(at - body.p) + 1);
    }
    rest = body;
    while (rest.n > 0 && (at = memchr(rest.p, '\\', rest.n)) != NULL) {
        rest = str_from(body, (size_t)(at - body.p) + 1);
        if (hides_letter(rest))
            return true;
    }
    return false;
}

/* --- the walk --------------------------------------------------------------------------------- */

static enum status take(struct str value, enum json_type type, quoted_fn found, void *arg)
{
    struct str name, item;
    size_t at = 0;
    if (type == JSON_STRING)
        return found(arg, value);
    while (type == JSON_ARRAY && json_scan_next(value, &at, &name, &item, &type)) {
        if (type == JSON_STRING)
            TRY(found(arg, item));
        type = JSON_ARRAY;
    }
    return ST_OK;
}

/* {"conversation": {"id": "conv_.."}} */
static enum status take_conversation(struct str value, quoted_fn found, void *arg)
{
    struct json_field id = {.name = "id"};
    if (json_scan_object(value, &id, 1, NULL) != ST_OK || id.raw.p == NULL)
        return ST_OK;
    return take(id.raw, id.type, found, arg);
}

static struct str plain_name(struct str raw, char room[NAME_MAX_BYTES])
{
    struct str name;
    if (raw.n > NAME_MAX_BYTES || json_unescape(raw, room, &name) != ST_OK)
        return STR("");
    return name;
}

enum status quoted_each(struct str body, quoted_fn found, void *arg)
{
    struct level levels[JSON_MAX_DEPTH + 1];
    size_t depth = 0;
    levels[0] = (struct level){body, 0};
    for (;;) {
        struct level *level = &levels[depth];
        struct str raw_name, value, name = STR("");
        enum json_type type;
        char room[NAME_MAX_BYTES];
        if (!json_scan_next(level->raw, &level->at, &raw_name, &value, &type)) {
            if (depth-- == 0)
                return ST_OK;
            continue;
        }
        if (raw_name.p != NULL)
            name = plain_name(raw_name, room);
        if (is_in(closed, COUNT_OF(closed), name))
            continue;
        if (is_in(names, COUNT_OF(names), name) ||
            (depth == 0 && is_in(top_names, COUNT_OF(top_names), name)))
            TRY(take(value, type, found, arg));
        if (depth == 0 && type == JSON_OBJECT && str_eq(name, STR("conversation")))
            TRY(take_conversation(value, found, arg));
        if ((type == JSON_OBJECT || type == JSON_ARRAY) && depth < JSON_MAX_DEPTH)
            levels[++depth] = (struct level){value, 0};
    }
}
