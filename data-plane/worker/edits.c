/* edits.c: see edits.h. Invariant: items are sorted, so one walk over the text applies them all. */
#include "data-plane/worker/edits.h"

#include <string.h>

void edits_init(struct edits *edits, struct arena *arena)
{
    edits->arena = arena;
    edits->items = edits->first;
    edits->count = 0;
    edits->room = EDITS_INLINE;
    edits->failed = ST_OK;
}

static bool grow(struct edits *edits)
{
    size_t room = edits->room * 4 < EDITS_MAX ? edits->room * 4 : EDITS_MAX;
    if (edits->room == EDITS_MAX) {
        edits->failed = ST_TOO_LARGE;
        return false;
    }
    struct edit *items = arena_calloc(edits->arena, room, sizeof *items);
    if (items == NULL) {
        edits->failed = ST_NO_MEMORY;
        return false;
    }
    memcpy(items, edits->items, edits->count * sizeof *items);
    edits->items = items;
    edits->room = room;
    return true;
}

void edits_add(struct edits *edits, size_t at, size_t cut, struct str with)
{
    if (edits->failed != ST_OK || (edits->count == edits->room && !grow(edits)))
        return;
    size_t i = edits->count++;
    while (i > 0 && edits->items[i - 1].at > at) {
        edits->items[i] = edits->items[i - 1];
        i--;
    }
    edits->items[i] = (struct edit){at, cut, with};
}

enum status edits_apply(const struct edits *edits, struct str text, struct str *out)
{
    size_t n = text.n, at = 0;
    TRY(edits->failed);
    if (edits->count == 0) {
        *out = text;
        return ST_OK;
    }
    for (size_t i = 0; i < edits->count; i++)
        n = n + edits->items[i].with.n - edits->items[i].cut;
    char *p = arena_alloc(edits->arena, n);
    if (p == NULL)
        return ST_NO_MEMORY;
    *out = str_of(p, n);
    for (size_t i = 0; i < edits->count; i++) {
        const struct edit *edit = &edits->items[i];
        memcpy(p, text.p + at, edit->at - at);
        p += edit->at - at;
        if (edit->with.n > 0)
            memcpy(p, edit->with.p, edit->with.n);
        p += edit->with.n;
        at = edit->at + edit->cut;
    }
    memcpy(p, text.p + at, text.n - at);
    return ST_OK;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void edits_cut_member(struct edits *edits, struct str text, struct str member)
{
    size_t from = (size_t)(member.p - text.p), to = from + member.n, end = to;
    while (end < text.n && is_blank(text.p[end]))
        end++;
    if (end < text.n && text.p[end] == ',') {
        to = end + 1;
    } else {
        while (from > 0 && is_blank(text.p[from - 1]))
            from--;
        from -= from > 0 && text.p[from - 1] == ',' ? 1 : 0;
    }
    edits_add(edits, from, to - from, STR_NONE);
}
