/* cli_show.c: a reply for people: members as lines, arrays of objects as tables. Text is printed as it is but for control
 * bytes, so nothing in a name can move a cursor.
 */
#include <stdio.h>

#include "control-plane/cli/cli.h"

#define SHOW_COLUMNS 16
#define SHOW_WIDTH   40 /* of a column */

/* A value as it is shown; strings without quotes. */
static struct str shown(struct cli_call *call, const struct json *node)
{
    struct str text = node == NULL ? STR("") : node->raw;
    if (json_is(node, JSON_STRING) && json_text(node, &call->arena, &text) != ST_OK)
        text = node->raw;
    return node != NULL && json_is_none(node) ? STR("-") : text;
}

static void put(struct str text, int width)
{
    int n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += ((unsigned char)text.p[i] & 0xC0) != 0x80;
    for (size_t i = 0; i < text.n; i++)
        (void)putchar((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7F ? '?' : text.p[i]);
    for (; n < width; n++)
        (void)putchar(' ');
}

static void show_table(struct cli_call *call, const struct json *rows)
{
    int widths[SHOW_COLUMNS] = {0};
    size_t column;
    if (rows->first == NULL) {
        (void)puts("(none)");
        return;
    }
    for (const struct json *row = rows->first; row != NULL; row = row->next) {
        column = 0;
        for (const struct json *cell = row->first; cell != NULL && column < SHOW_COLUMNS; cell = cell->next, column++) {
            size_t n = shown(call, cell).n;
            int wide = (int)(n > cell->key.n ? n : cell->key.n);
            if (wide > widths[column])
                widths[column] = wide > SHOW_WIDTH ? SHOW_WIDTH : wide;
        }
    }
    column = 0;
    for (const struct json *cell = rows->first->first; cell != NULL && column < SHOW_COLUMNS; cell = cell->next)
        put(cell->key, widths[column++] + 2);
    (void)putchar('\n');
    for (const struct json *row = rows->first; row != NULL; row = row->next) {
        column = 0;
        for (const struct json *cell = row->first; cell != NULL && column < SHOW_COLUMNS; cell = cell->next)
            put(shown(call, cell), widths[column++] + 2);
        (void)putchar('\n');
    }
}

static void show_members(struct cli_call *call, const struct json *object, struct str prefix)
{
    for (const struct json *member = object->first; member != NULL; member = member->next) {
        struct str name = prefix.n == 0 ? member->key
                                        : arena_printf(&call->arena, STR_FMT "." STR_FMT, STR_ARG(prefix),
                                                       STR_ARG(member->key));
        if (json_is(member, JSON_OBJECT)) {
            show_members(call, member, name);
        } else if (json_is(member, JSON_ARRAY) && (member->first == NULL || json_is(member->first, JSON_OBJECT))) {
            show_table(call, member);
        } else {
            put(name, 0);
            (void)fputs(": ", stdout);
            put(shown(call, member), 0);
            (void)putchar('\n');
        }
    }
}

enum status cli_show(struct cli_call *call, struct str json, bool as_json)
{
    struct json *root;
    if (as_json)
        return fwrite(json.p, 1, json.n, stdout) == json.n && putchar('\n') != EOF ? ST_OK : ST_IO;
    TRY(json_parse(&call->arena, json, NULL, &root, NULL));
    if (json_is(root, JSON_OBJECT))
        show_members(call, root, STR_NONE);
    return ST_OK;
}
