/* row_rules.c: see row_rules.h.
 *
 * Most bodies need nothing: a look for the bare words comes first, and only a text that has one is
 * scanned once more. A name that is spelled with escapes is not found, and reaches the provider as
 * it is.
 */
#include "data-plane/worker/row_rules.h"

#include <string.h>

#include "common/json_scan.h"

#define NAME_MAX_BYTES 64

/* The name with its quotes, at the start of a member. */
static size_t key_length(struct str member)
{
    size_t i = 1;
    while (i < member.n && member.p[i] != '"')
        i += member.p[i] == '\\' ? 2 : 1;
    return i + 1;
}

static void rename_member(struct str from, struct str to, struct str text, struct edits *edits)
{
    char names[2][NAME_MAX_BYTES];
    struct json_field fields[] = {{.name = names[0]}, {.name = names[1]}};
    if (from.n >= NAME_MAX_BYTES || to.n >= NAME_MAX_BYTES || str_find(text, from) < 0)
        return;
    memcpy(names[0], from.p, from.n);
    names[0][from.n] = '\0';
    memcpy(names[1], to.p, to.n);
    names[1][to.n] = '\0';
    if (json_scan_object(text, fields, COUNT_OF(fields), NULL) != ST_OK || fields[0].raw.p == NULL)
        return;
    size_t at = (size_t)(fields[0].member.p - text.p);
    edits_add(edits, at + 1, key_length(fields[0].member) - 2, to);
    if (fields[1].raw.p != NULL)
        edits_cut_member(edits, text, fields[1].member);
}

static void rename_developer(struct str text, struct edits *edits)
{
    struct str messages, name, message;
    enum json_type type;
    size_t at = 0;
    if (str_find(text, STR("\"developer\"")) < 0)
        return;
    messages = json_member(text, "messages", JSON_ARRAY);
    while (messages.p != NULL && json_scan_next(messages, &at, &name, &message, &type)) {
        struct str role =
            type == JSON_OBJECT ? json_member(message, "role", JSON_STRING) : STR_NONE;
        if (str_eq(role, STR("\"developer\"")))
            edits_add(edits, (size_t)(role.p - text.p), role.n, STR("\"system\""));
    }
}

void row_rules_apply(const struct row_rules *rules, struct str text, struct edits *edits)
{
    struct str rest = rules->renames, line, from;
    while (rest.n > 0 && str_split(&rest, '\n', &line))
        if (str_split(&line, ' ', &from) && from.n > 0 && line.n > 0)
            rename_member(from, line, text, edits);
    if (rules->developer_to_system)
        rename_developer(text, edits);
}

bool row_rules_has_tokens(struct str text)
{
    struct str input = json_member(text, "input", JSON_ARRAY), name, item;
    enum json_type type;
    size_t at = 0;
    return input.p != NULL && json_scan_next(input, &at, &name, &item, &type) &&
           (type == JSON_NUMBER || type == JSON_ARRAY);
}
