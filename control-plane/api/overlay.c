/* overlay.c: see overlay.h. Rows are sorted once and found by halves: deleting a workspace touches
 * thousands. */
#include "control-plane/api/overlay.h"

#include <stdlib.h>

#include "common/wire.h"

#define OVERLAY_BYTES_MAX ((size_t)64 << 20)

static int by_key(const void *a, const void *b)
{
    return memcmp(&((const struct overlay_row *)a)->key, &((const struct overlay_row *)b)->key,
                  sizeof(struct record_key));
}

static enum status take(void *arg, const struct record_change *change)
{
    struct overlay *overlay = arg;
    if (overlay->count == overlay->room) {
        size_t room = overlay->room == 0 ? 64 : overlay->room * 2;
        struct overlay_row *rows = arena_calloc(overlay->arena, room, sizeof(*rows));
        if (rows == NULL)
            return ST_NO_MEMORY;
        if (overlay->count > 0)
            memcpy(rows, overlay->rows, overlay->count * sizeof(*rows));
        overlay->rows = rows;
        overlay->room = room;
    }
    struct overlay_row *row = &overlay->rows[overlay->count];
    row->key = change->key;
    row->deleted = change->deleted;
    row->body = arena_str(overlay->arena, change->body);
    if (row->body.p == NULL)
        return ST_NO_MEMORY;
    overlay->count++;
    return ST_OK;
}

enum status overlay_collect(struct write_op *op, struct arena *arena, struct overlay *overlay)
{
    bool more;
    *overlay = (struct overlay){.arena = arena};
    TRY(record_changes(op->txn, op->revision - 1, STR(""), OVERLAY_BYTES_MAX, take, overlay,
                       &more));
    if (overlay->count > 1)
        qsort(overlay->rows, overlay->count, sizeof(*overlay->rows), by_key);
    return more ? ST_TOO_LARGE : ST_OK;
}

const struct overlay_row *overlay_find(const struct overlay *overlay, const struct record_key *key)
{
    const struct overlay_row wanted = {.key = *key};
    if (overlay == NULL || overlay->count == 0)
        return NULL;
    return bsearch(&wanted, overlay->rows, overlay->count, sizeof(*overlay->rows), by_key);
}

enum status overlay_get(const struct overlay *overlay, struct kv_txn *txn,
                        const struct record_key *key, struct arena *arena, void *message)
{
    const struct overlay_row *row = overlay_find(overlay, key);
    if (row == NULL)
        return record_get(txn, key, arena, message, NULL);
    return row->deleted ? ST_NOT_FOUND
                        : wire_unpack(record_descriptor(key->kind), row->body, arena, message);
}
