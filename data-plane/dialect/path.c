/* path.c: see path.h. Strict on purpose: a name that would need escaping is refused, so that what a
 * provider reads is what was checked here. */
#include "data-plane/dialect/path.h"

#include "common/json_scan.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool path_is_name(struct str text)
{
    if (text.n == 0 || text.n > PATH_NAME_MAX || !is_letter(text.p[0]))
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (!is_letter(text.p[i]) && (text.p[i] == '\0' || strchr("._:@-", text.p[i]) == NULL))
            return false;
    return str_find(text, STR("..")) < 0;
}

struct str path_configured(const struct dialect_target *target, const char *name, char *room,
                           size_t max)
{
    struct str raw = json_member(target->configurations_json, name, JSON_STRING), text;
    if (raw.p == NULL || raw.n > max || json_unescape(raw, room, &text) != ST_OK)
        return STR_NONE;
    return text;
}

enum status path_fill(const struct dialect_target *target, struct str row, struct str model,
                      struct buf *out)
{
    char name[64], room[PATH_NAME_MAX + 2];
    for (size_t i = 0; i < row.n;) {
        struct str rest = str_from(row, i), value = model;
        ptrdiff_t close = row.p[i] == '{' ? str_find_char(rest, '}') : -1;
        if (close < 0) {
            buf_add_char(out, row.p[i++]);
            continue;
        }
        struct str inside = str_of(rest.p + 1, (size_t)close - 1);
        if (inside.n >= sizeof name)
            return ST_INVALID;
        memcpy(name, inside.p, inside.n);
        name[inside.n] = '\0';
        if (strcmp(name, "id") == 0) { /* the object that the caller names: filled later */
            buf_add_lit(out, "{id}");
            i += 4;
            continue;
        }
        if (strcmp(name, "model") != 0)
            value = path_configured(target, name, room, sizeof room);
        if (!path_is_name(value))
            return ST_INVALID;
        buf_add_str(out, value);
        i += (size_t)close + 1;
    }
    return buf_status(out);
}
