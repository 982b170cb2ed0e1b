/* json_merge.c: walks both texts by their members (json_merge.h).
 *
 * `over` is listed once per object; a member of base that is found in the list takes its value from
 * there and ticks it off, and what was not ticked off follows at the end. Invariant: the outcome is
 * valid JSON if both sides were, and has no name twice unless base had. The depth is bounded by
 * what the scan lets through (JSON_MAX_DEPTH), so recursion is.
 */
#include "common/json_merge.h"

#include "common/json_scan.h"

struct member {
    struct str name, value; /* raw */
    enum json_type type;
    bool used;
};

struct members {
    struct member *items;
    size_t count;
};

static enum status list_members(struct arena *arena, struct str object, struct members *out)
{
    struct member member = {.used = false};
    size_t count = 0, at = 0;
    while (json_scan_next(object, &at, &member.name, &member.value, &member.type))
        if (++count > JSON_MERGE_MEMBERS_MAX)
            return ST_TOO_LARGE;
    struct member *items = arena_calloc(arena, count, sizeof *items);
    if (items == NULL)
        return ST_NO_MEMORY;
    at = 0;
    for (size_t i = 0; i < count; i++)
        CHECK(json_scan_next(object, &at, &items[i].name, &items[i].value, &items[i].type));
    *out = (struct members){items, count};
    return ST_OK;
}

static struct member *find(const struct members *members, struct str name)
{
    for (size_t i = 0; i < members->count; i++)
        if (json_string_eq(members->items[i].name, name))
            return &members->items[i];
    return NULL;
}

static void add_name(struct buf *out, struct str name, bool *comma)
{
    if (*comma)
        buf_add_char(out, ',');
    *comma = true;
    buf_add_str(out, name);
    buf_add_char(out, ':');
}

enum status json_merge(struct arena *arena, struct buf *out, struct str base, struct str over)
{
    struct members members;
    struct str name, value;
    enum json_type type;
    size_t at = 0;
    bool comma = false;
    TRY(list_members(arena, over, &members));
    buf_add_char(out, '{');
    while (json_scan_next(base, &at, &name, &value, &type)) {
        struct member *member = find(&members, name);
        add_name(out, name, &comma);
        if (member != NULL)
            member->used = true;
        if (member != NULL && type == JSON_OBJECT && member->type == JSON_OBJECT)
            TRY(json_merge(arena, out, value, member->value));
        else
            buf_add_str(out, member != NULL ? member->value : value);
    }
    for (size_t i = 0; i < members.count; i++) {
        if (members.items[i].used)
            continue;
        add_name(out, members.items[i].name, &comma);
        buf_add_str(out, members.items[i].value);
    }
    buf_add_char(out, '}');
    return buf_status(out);
}
