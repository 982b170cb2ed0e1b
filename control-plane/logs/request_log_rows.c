/* request_log_rows.c: see request_log_rows.h.
 *
 * Invariant: a row has exactly the index rows that its event says, and the size row counts it once:
 * all are written and deleted in the same transaction. An index row leads to its row by the last 24
 * bytes of its key, so every list is one range of one index, read backwards.
 */
#include "control-plane/logs/request_log_rows.h"

#include <sodium.h>

#include "common/wire.h"
#include "control-plane/store/keys.h"

#define INDEXES_MAX 4

enum index { BY_ORG = 'O', BY_WORKSPACE = 'W', BY_REQUEST = 'R', BY_TRACE = 'T', SIZE = 'S' };

static void add_place(struct key *key, int64_t at_ms, const uint8_t name[ID_BYTES])
{
    key_add_u64(key, (uint64_t)at_ms);
    key_add_bytes(key, name, ID_BYTES);
}

/* --- size --- */

enum status request_log_size_get(struct kv_txn *txn, struct request_log_size *size)
{
    const char key[1] = {SIZE};
    struct str value;
    enum status status = kv_get(txn, KV_MAIN, str_of(key, 1), &value);
    *size = (struct request_log_size){0, 0};
    if (status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    if (value.n != 16)
        return ST_BAD_FORMAT;
    *size = (struct request_log_size){key_get_u64(value.p), key_get_u64(value.p + 8)};
    return ST_OK;
}

enum status request_log_size_put(struct kv_txn *txn, const struct request_log_size *size)
{
    const char key[1] = {SIZE};
    uint8_t row[16];
    key_put_u64(row, size->rows);
    key_put_u64(row + 8, size->bytes);
    return kv_put(txn, KV_MAIN, str_of(key, 1), str_of((const char *)row, sizeof row));
}

/* --- rows --- */

/* The prefix of an index row: everything before its place. */
static void index_prefix(struct key *key, enum index index, const struct id *org, const void *what)
{
    key_init(key);
    key_add_u8(key, (uint8_t)index);
    key_add_id(key, org);
    if (what != NULL)
        key_add_bytes(key, what, ID_BYTES);
}

static void trace_hash(struct str trace, uint8_t hash[ID_BYTES])
{
    CHECK(crypto_generichash(hash, ID_BYTES, (const unsigned char *)trace.p, trace.n, NULL, 0) ==
          0);
}

/* The prefixes of all index rows of an event. */
static enum status indexes_of(const Sluice__UsageEvent *event, struct key keys[INDEXES_MAX],
                              size_t *count)
{
    struct id org, workspace, request;
    struct str trace = str_c(event->trace_id);
    uint8_t hash[ID_BYTES];
    size_t n = 0;
    TRY(wire_id(&event->org, &org));
    TRY(wire_id(&event->workspace, &workspace));
    TRY(wire_id(&event->request_id, &request));
    index_prefix(&keys[n++], BY_ORG, &org, NULL);
    index_prefix(&keys[n++], BY_WORKSPACE, &org, workspace.b);
    if (!id_is_none(&request))
        index_prefix(&keys[n++], BY_REQUEST, &org, request.b);
    if (trace.n > 0) {
        trace_hash(trace, hash);
        index_prefix(&keys[n++], BY_TRACE, &org, hash);
    }
    *count = n;
    return ST_OK;
}

enum status request_log_row_put(struct kv_txn *txn, struct str packed, struct arena *scratch,
                                struct request_log_size *size)
{
    struct key keys[INDEXES_MAX], key;
    Sluice__UsageEvent *event;
    uint8_t name[ID_BYTES];
    struct str value;
    size_t count;
    enum status status = wire_unpack(&sluice__usage_event__descriptor, packed, scratch, &event);
    if (status == ST_OK && (event->at_ms <= 0 || event->attempt_id.len == 0))
        status = ST_BAD_FORMAT;
    if (status == ST_OK)
        status = indexes_of(event, keys, &count);
    if (status != ST_OK)
        return status == ST_NO_MEMORY ? status : ST_INVALID;
    trace_hash(wire_str(&event->attempt_id), name);
    key_init(&key);
    add_place(&key, event->at_ms, name);
    status = kv_get(txn, KV_EVENTS, key_str(&key), &value);
    if (status != ST_NOT_FOUND)
        return status;
    TRY(kv_put(txn, KV_EVENTS, key_str(&key), packed));
    for (size_t i = 0; i < count; i++) {
        add_place(&keys[i], event->at_ms, name);
        TRY(kv_put(txn, KV_MAIN, key_str(&keys[i]), STR("")));
    }
    size->rows++;
    size->bytes += packed.n + REQUEST_LOG_ROW_BYTES;
    return ST_OK;
}

static enum status drop_row(struct kv_txn *txn, struct str key, struct str packed,
                            struct arena *scratch, struct request_log_size *size)
{
    struct key keys[INDEXES_MAX], own;
    Sluice__UsageEvent *event;
    size_t count, bytes = packed.n + REQUEST_LOG_ROW_BYTES;
    TRY(wire_unpack(&sluice__usage_event__descriptor, packed, scratch, &event));
    TRY(indexes_of(event, keys, &count));
    key_init(&own);
    key_add_bytes(&own, key.p, key.n);
    for (size_t i = 0; i < count; i++) {
        key_add_bytes(&keys[i], own.b, own.n);
        enum status status = kv_delete(txn, KV_MAIN, key_str(&keys[i]));
        if (status != ST_NOT_FOUND)
            TRY(status);
    }
    size->rows -= size->rows > 0;
    size->bytes -= bytes < size->bytes ? bytes : size->bytes;
    return kv_delete(txn, KV_EVENTS, key_str(&own));
}

enum status request_log_rows_drop(struct kv_txn *txn, int64_t before_ms, uint64_t bytes_max,
                                  size_t rows, struct request_log_size *size, bool *left)
{
    struct kv_cursor *cursor;
    struct arena scratch;
    struct str key, packed;
    enum status status;
    *left = false;
    TRY(kv_cursor_open(txn, KV_EVENTS, &cursor));
    kv_cursor_seek(cursor, STR_NONE);
    arena_init(&scratch, (size_t)4 << 20);
    while ((status = kv_cursor_next(cursor, &key, &packed)) == ST_OK) {
        if (key.n != REQUEST_LOG_PLACE) {
            status = ST_BAD_FORMAT;
            break;
        }
        if ((int64_t)key_get_u64(key.p) >= before_ms && size->bytes <= bytes_max)
            break;
        if (rows-- == 0) {
            *left = true;
            break;
        }
        arena_free(&scratch);
        status = drop_row(txn, key, packed, &scratch, size);
        if (status != ST_OK)
            break;
    }
    arena_free(&scratch);
    kv_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

/* --- lists --- */

/* The index whose range answers a question. */
static void range_of(const struct request_log_question *question, struct key *prefix)
{
    uint8_t hash[ID_BYTES];
    if (!id_is_none(&question->request)) {
        index_prefix(prefix, BY_REQUEST, &question->org, question->request.b);
    } else if (question->trace.n > 0) {
        trace_hash(question->trace, hash);
        index_prefix(prefix, BY_TRACE, &question->org, hash);
    } else if (!id_is_none(&question->workspace)) {
        index_prefix(prefix, BY_WORKSPACE, &question->org, question->workspace.b);
    } else {
        index_prefix(prefix, BY_ORG, &question->org, NULL);
    }
}

static bool is_wanted(const struct request_log_question *question, const Sluice__UsageEvent *event)
{
    bool by_name = !id_is_none(&question->request) || question->trace.n > 0;
    return !by_name || id_is_none(&question->workspace) ||
           str_eq(wire_str(&event->workspace), id_bytes(&question->workspace));
}

static enum status take_row(struct kv_txn *txn, const struct request_log_question *question,
                            const char *place, struct arena *arena, struct request_log_page *page)
{
    Sluice__UsageEvent *event;
    struct str packed;
    enum status status = kv_get(txn, KV_EVENTS, str_of(place, REQUEST_LOG_PLACE), &packed);
    if (status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    TRY(wire_unpack(&sluice__usage_event__descriptor, packed, arena, &event));
    memcpy(page->place, place, REQUEST_LOG_PLACE);
    if (is_wanted(question, event))
        page->rows[page->count++] = event;
    return ST_OK;
}

enum status request_log_rows_list(struct kv_txn *txn, const struct request_log_question *question,
                                  const uint8_t *place, struct arena *arena,
                                  struct request_log_page *page)
{
    struct kv_cursor *cursor;
    struct key prefix, from;
    struct str key, nothing;
    enum status status;
    range_of(question, &prefix);
    from = prefix;
    if (place != NULL) {
        key_add_bytes(&from, place, REQUEST_LOG_PLACE);
    } else {
        key_add_u64(&from, (uint64_t)question->end_ms);
        key_add_id(&from, &ID_NONE);
    }
    TRY(kv_cursor_open(txn, KV_MAIN, &cursor));
    kv_cursor_seek_last(cursor, key_str(&from));
    while ((status = kv_cursor_prev(cursor, &key, &nothing)) == ST_OK &&
           str_starts(key, key_str(&prefix)) && key.n == prefix.n + REQUEST_LOG_PLACE) {
        const char *at = key.p + prefix.n;
        int64_t at_ms = (int64_t)key_get_u64(at);
        if (str_eq(key, key_str(&from)) || at_ms >= question->end_ms)
            continue; /* given already, or at the very end */
        if (at_ms < question->start_ms)
            break;
        if (page->count == question->limit) {
            page->more = true;
            break;
        }
        status = take_row(txn, question, at, arena, page);
        if (status != ST_OK)
            break;
    }
    kv_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}
