/* catalog_sync.c: see catalog_sync.h.
 *
 *   files -> packed rows in memory (caller's thread) -> compared and written in slices (writer
 * thread)
 *
 * Packed protobuf of the same message is the same bytes, so comparing what is stored with what the
 * files say is comparing bytes. Prices that the files change get a date and stand behind the old
 * ones. A crash between two slices leaves a mixture of old and new rows,
 * each whole; the next start ends it.
 */
#include "control-plane/domain/catalog_sync.h"

#include <stdlib.h>

#include "common/log.h"
#include "common/wire.h"
#include "control-plane/domain/pricing.h"

#define SYNC_ARENA_BYTES (256u << 20)

struct sync_row {
    struct record_key key;
    struct str packed, slug;
};

struct sync {
    struct arena arena;
    struct sync_row *rows;
    size_t count, room;
    size_t next; /* first row of the next slice */
    bool last;   /* the slice that removes */
    struct catalog_sync_result *result;
};

static enum status push(struct sync *sync, const struct record_key *key, const void *message,
                        struct str slug)
{
    if (sync->count == sync->room) {
        size_t room = sync->room == 0 ? 4096 : sync->room * 2;
        struct sync_row *grown = realloc(sync->rows, room * sizeof(*grown));
        if (grown == NULL)
            return ST_NO_MEMORY;
        sync->rows = grown;
        sync->room = room;
    }
    struct sync_row row = {.key = *key, .slug = arena_str(&sync->arena, slug)};
    if (row.slug.p == NULL)
        return ST_NO_MEMORY;
    TRY(wire_pack(message, &sync->arena, &row.packed));
    sync->rows[sync->count++] = row;
    return ST_OK;
}

static enum status take_type(void *arg, const struct id *id, const Sluice__ProviderType *type)
{
    struct record_key key = {SLUICE__KIND__KIND_PROVIDER_TYPE, ID_NONE, ID_NONE, *id};
    return push(arg, &key, type, str_c(type->slug));
}

static enum status take_model(void *arg, const struct id *type, const struct id *id,
                              const Sluice__Model *model)
{
    struct record_key key = {SLUICE__KIND__KIND_MODEL, ID_NONE, *type, *id};
    return push(arg, &key, model, str_c(model->slug));
}

static int by_key(const void *a, const void *b)
{
    const struct sync_row *x = a, *y = b;
    if (x->key.kind != y->key.kind)
        return x->key.kind < y->key.kind ? -1 : 1;
    int order = memcmp(x->key.parent.b, y->key.parent.b, ID_BYTES);
    return order != 0 ? order : memcmp(x->key.id.b, y->key.id.b, ID_BYTES);
}

/* A model keeps the prices it had: what the files say now holds from now on, and attempts of before
 * can still be re-rated. */
static enum status keep_prices(struct arena *scratch, int64_t now_ms, const Sluice__Model *stored,
                               Sluice__Model *fresh)
{
    Sluice__Prices *page = fresh->n_prices > 0 ? fresh->prices[0] : NULL;
    if (page == NULL) {
        page = arena_alloc(scratch, sizeof(*page));
        if (page == NULL)
            return ST_NO_MEMORY;
        sluice__prices__init(page);
    }
    fresh->prices = stored->prices;
    fresh->n_prices = stored->n_prices;
    if (stored->n_prices > 0)
        page->effective_from_ms = now_ms;
    return pricing_put(scratch, now_ms, page, &fresh->prices, &fresh->n_prices);
}

/* The row as it is to be stored. */
static enum status merge(struct write_op *op, const struct sync_row *row, struct arena *scratch,
                         const void *stored, void **fresh, struct str *packed)
{
    TRY(wire_unpack(record_descriptor(row->key.kind), row->packed, scratch, fresh));
    if (stored != NULL && row->key.kind == SLUICE__KIND__KIND_MODEL)
        TRY(keep_prices(scratch, op->now_ms, stored, *fresh));
    return wire_pack(*fresh, scratch, packed);
}

static enum status sync_one(struct write_op *op, struct sync *sync, const struct sync_row *row,
                            bool *changed)
{
    struct arena scratch;
    void *stored = NULL, *fresh = NULL;
    struct str before = STR_NONE, after;
    arena_init(&scratch, 8u << 20);
    enum status status = record_get(op->txn, &row->key, &scratch, &stored, NULL);
    if (status == ST_OK)
        status = wire_pack(stored, &scratch, &before);
    else if (status == ST_NOT_FOUND)
        status = ST_OK;
    if (status == ST_OK)
        status = merge(op, row, &scratch, stored, &fresh, &after);
    if (status == ST_OK && (before.p == NULL || !str_eq(before, after))) {
        status = record_put(op, &row->key, fresh, row->slug);
        *changed = true;
        sync->result->written++;
    }
    arena_free(&scratch);
    return status;
}

/* Removes stored rows that the files no longer have. */
static enum status remove_gone(struct write_op *op, struct sync *sync, Sluice__Kind kind,
                               bool *changed)
{
    struct record_cursor *cursor = NULL;
    struct sync_row at = {.key = {.kind = kind}};
    enum status status = record_cursor_open_org(op->txn, kind, &ID_NONE, &cursor);
    while (status == ST_OK) {
        status = record_cursor_next(cursor, op->arena, &at.key, NULL, NULL);
        if (status != ST_OK || bsearch(&at, sync->rows, sync->count, sizeof(at), by_key) != NULL)
            continue;
        status = record_delete(op, &at.key);
        *changed = true;
        sync->result->removed++;
    }
    record_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

static enum status run_slice(struct write_op *op, void *arg)
{
    struct sync *sync = arg;
    bool changed = false;
    size_t end =
        sync->count - sync->next > CATALOG_SYNC_ROWS ? sync->next + CATALOG_SYNC_ROWS : sync->count;
    for (size_t i = sync->next; i < end; i++)
        TRY(sync_one(op, sync, &sync->rows[i], &changed));
    if (sync->last) {
        TRY(remove_gone(op, sync, SLUICE__KIND__KIND_MODEL, &changed));
        TRY(remove_gone(op, sync, SLUICE__KIND__KIND_PROVIDER_TYPE, &changed));
    }
    sync->next = end;
    if (changed)
        writer_audit(op, &(struct write_audit){.action = "update", .resource_type = "catalog"});
    else
        op->no_revision = true;
    return ST_OK;
}

static enum status write_all(struct writer *writer, struct sync *sync)
{
    struct write_actor actor = {.type = "system"};
    struct arena arena;
    arena_init(&arena, 64u << 20);
    enum status status = ST_OK;
    while (status == ST_OK && !sync->last) {
        sync->last = sync->count - sync->next <= CATALOG_SYNC_ROWS;
        status = writer_run(writer, &actor, &arena, run_slice, sync, NULL);
        arena_free(&arena);
    }
    return status;
}

enum status catalog_sync(struct writer *writer, const char *dir, struct catalog_sync_result *result,
                         struct builtin_error *error)
{
    struct sync sync = {.result = result};
    struct builtin_sink sink = {&sync, take_type, take_model};
    *result = (struct catalog_sync_result){0, 0, 0};
    arena_init(&sync.arena, SYNC_ARENA_BYTES);
    enum status status = builtin_load(dir, &sink, NULL, error);
    if (status == ST_OK && sync.count > 0) {
        qsort(sync.rows, sync.count, sizeof(*sync.rows), by_key);
        status = write_all(writer, &sync);
    }
    result->rows = sync.count;
    free(sync.rows);
    arena_free(&sync.arena);
    return status;
}
