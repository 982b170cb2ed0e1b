/* audit.c: the chain of audit records.
 *
 *   record n: {..., previous_hash = H(key n-1, record n-1)}
 *   head row: {count, H(key n, record n)}
 *
 * Invariant: a change and its audit records are in one transaction, so neither exists without the
 * other; if the record cannot be written the change is refused. The hash covers the key, so a
 * record cannot be moved to another revision. Records are never changed or removed here. Lists are
 * bounded by rows scanned, not only by rows found: a filter that matches nothing must not hold a
 * read transaction over millions of rows.
 */
#include "control-plane/audit/audit.h"

#include <sodium.h>

#include "common/wire.h"
#include "control-plane/store/keys.h"

#define AUDIT_HEAD_BYTES  (8 + AUDIT_HASH_BYTES)
#define AUDIT_LIMIT_MAX   1000u
#define AUDIT_SCAN_MAX    20000u
#define AUDIT_ROW_BYTES   ((size_t)32 << 20) /* arena of one record while reading */
#define AUDIT_HTTP_STATUS 200u               /* of what was done, unless it says otherwise */

struct audit_head {
    uint64_t count;
    uint8_t hash[AUDIT_HASH_BYTES];
};

static void audit_key(struct key *key, uint64_t revision, uint16_t index)
{
    key_init_space(key, KEY_SPACE_AUDIT);
    key_add_u64(key, revision);
    key_add_u16(key, index);
}

static void audit_hash(struct str key, struct str row, uint8_t hash[AUDIT_HASH_BYTES])
{
    crypto_generichash_state state;
    CHECK(crypto_generichash_init(&state, NULL, 0, AUDIT_HASH_BYTES) == 0);
    crypto_generichash_update(&state, (const uint8_t *)key.p, key.n);
    crypto_generichash_update(&state, (const uint8_t *)row.p, row.n);
    CHECK(crypto_generichash_final(&state, hash, AUDIT_HASH_BYTES) == 0);
}

static enum status audit_head_get(struct kv_txn *txn, struct audit_head *head)
{
    struct key key;
    struct str value;
    key_init_meta(&key, KEY_META_AUDIT);
    enum status status = kv_get(txn, KV_MAIN, key_str(&key), &value);
    if (status == ST_NOT_FOUND) {
        *head = (struct audit_head){0};
        return ST_OK;
    }
    TRY(status);
    if (value.n != AUDIT_HEAD_BYTES)
        return ST_BAD_FORMAT;
    head->count = key_get_u64(value.p);
    memcpy(head->hash, value.p + 8, AUDIT_HASH_BYTES);
    return ST_OK;
}

static enum status audit_head_put(struct kv_txn *txn, const struct audit_head *head)
{
    struct key key;
    uint8_t row[AUDIT_HEAD_BYTES];
    key_init_meta(&key, KEY_META_AUDIT);
    key_put_u64(row, head->count);
    memcpy(row + 8, head->hash, AUDIT_HASH_BYTES);
    return kv_put(txn, KV_MAIN, key_str(&key), (struct str){(const char *)row, sizeof row});
}

/* Text as protobuf-c wants it: a C string. Bytes from outside (a URI) that are no UTF-8 or hold NUL
 * become '?', so that what was written can always be read back. */
static char *audit_text(struct arena *arena, struct str text)
{
    char *copy = arena_cstr(arena, text);
    if (copy == NULL)
        return NULL;
    bool utf8 = str_is_utf8(text);
    for (size_t i = 0; i < text.n; i++)
        if (copy[i] == '\0' || (!utf8 && (copy[i] & 0x80) != 0))
            copy[i] = '?';
    return copy;
}

/* Where the operation's records go. */
static uint64_t audit_revision(const struct write_op *op)
{
    return op->no_revision ? op->revision - 1 : op->revision;
}

/* The first free index of a revision. */
static enum status audit_next_index(struct kv_txn *txn, uint64_t revision, unsigned *index)
{
    struct kv_cursor *cursor;
    struct key last;
    struct str key, row;
    audit_key(&last, revision, UINT16_MAX);
    TRY(kv_cursor_open(txn, KV_MAIN, &cursor));
    kv_cursor_seek_last(cursor, key_str(&last));
    enum status status = kv_cursor_prev(cursor, &key, &row);
    *index = 0;
    if (status == ST_OK && key.n == AUDIT_KEY_BYTES &&
        str_starts(key, str_head(key_str(&last), 10)))
        *index = key_get_u16(key.p + 10) + 1u;
    kv_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

static enum status audit_fill(const struct write_op *op, const struct write_audit *audit,
                              struct arena *arena, Sluice__AuditRecord *record)
{
    static const struct write_actor nobody = {.type = "system"};
    const struct write_actor *actor = op->actor != NULL ? op->actor : &nobody;
    record->revision = audit_revision(op);
    record->at_ms = op->now_ms;
    record->actor = wire_id_data(&actor->id);
    record->org = wire_id_data(&audit->org);
    record->workspace = wire_id_data(&audit->workspace);
    record->resource = wire_id_data(&audit->resource);
    record->response_status = audit->http_status != 0 ? audit->http_status : AUDIT_HTTP_STATUS;
    const struct {
        char **to;
        struct str from;
    } texts[] = {
        {&record->actor_type, str_c(actor->type)},
        {&record->method, actor->method},
        {&record->uri, actor->uri},
        {&record->client_ip, actor->client_ip},
        {&record->request_id, actor->request_id},
        {&record->action, str_c(audit->action)},
        {&record->resource_type, str_c(audit->resource_type)},
        {&record->resource_slug, audit->slug},
        {&record->before_json, audit->before_json},
        {&record->after_json, audit->after_json},
        {&record->request_body, audit->request_body},
        {&record->query, audit->query},
        {&record->user_agent, audit->user_agent},
        {&record->message, audit->message},
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if ((*texts[i].to = audit_text(arena, texts[i].from)) == NULL)
            return ST_NO_MEMORY;
    return ST_OK;
}

static enum status audit_append_one(struct write_op *op, const struct write_audit *audit,
                                    uint16_t index, struct audit_head *head)
{
    Sluice__AuditRecord record = SLUICE__AUDIT_RECORD__INIT;
    struct id id = id_new();
    struct key key;
    struct str row;
    record.id = wire_id_data(&id);
    if (head->count > 0)
        record.previous_hash = (ProtobufCBinaryData){AUDIT_HASH_BYTES, head->hash};
    TRY(audit_fill(op, audit, op->arena, &record));
    TRY(wire_pack(&record, op->arena, &row));
    audit_key(&key, audit_revision(op), index);
    TRY(kv_put(op->txn, KV_MAIN, key_str(&key), row));
    audit_hash(key_str(&key), row, head->hash);
    head->count++;
    return ST_OK;
}

enum status audit_append(struct write_op *op)
{
    struct audit_head head;
    unsigned index = 0;
    if (op->audit_failed)
        return ST_NO_MEMORY;
    if (op->no_revision)
        TRY(audit_next_index(op->txn, audit_revision(op), &index));
    TRY(audit_head_get(op->txn, &head));
    for (const struct write_audit *audit = op->audits; audit != NULL; audit = audit->next) {
        if (index > AUDIT_PER_OP_MAX)
            return ST_TOO_LARGE;
        TRY(audit_append_one(op, audit, (uint16_t)index++, &head));
    }
    return audit_head_put(op->txn, &head);
}

enum status audit_fits(struct write_op *op, bool *fits)
{
    unsigned index;
    TRY(audit_next_index(op->txn, audit_revision(op), &index));
    for (const struct write_audit *audit = op->audits; audit != NULL; audit = audit->next)
        index++;
    *fits = index <= AUDIT_PER_OP_MAX;
    return ST_OK;
}

/* --- lists ---------------------------------------------------------------------------------------
 */

static bool audit_id_matches(const ProtobufCBinaryData *have, const struct id *want)
{
    return id_is_none(want) || str_eq(wire_str(have), id_bytes(want));
}

static bool audit_text_matches(const char *have, struct str want)
{
    return want.n == 0 || str_eq(str_c(have), want);
}

static bool audit_matches(const Sluice__AuditRecord *record, const struct audit_filter *filter)
{
    return audit_id_matches(&record->org, &filter->org) &&
           audit_id_matches(&record->workspace, &filter->workspace) &&
           audit_id_matches(&record->actor, &filter->actor) &&
           audit_id_matches(&record->resource, &filter->resource) &&
           (filter->start_ms == 0 || record->at_ms >= filter->start_ms) &&
           (filter->end_ms == 0 || record->at_ms < filter->end_ms) &&
           audit_text_matches(record->resource_type, filter->resource_type) &&
           audit_text_matches(record->action, filter->action);
}

static enum status audit_read(struct str key, struct str row, struct arena *arena,
                              struct audit_place *place, Sluice__AuditRecord **record)
{
    if (key.n != AUDIT_KEY_BYTES)
        return ST_BAD_FORMAT;
    TRY(wire_unpack(&sluice__audit_record__descriptor, row, arena, record));
    place->revision = key_get_u64(key.p + 2);
    place->index = key_get_u16(key.p + 10);
    return ST_OK;
}

/* Gives the record if it matches, without leaving those that do not in the caller's arena. */
static enum status audit_take(struct str key, struct str row, const struct audit_filter *filter,
                              struct arena *scratch, struct arena *arena, struct audit_page *page)
{
    Sluice__AuditRecord *record;
    arena_free(scratch);
    TRY(audit_read(key, row, scratch, &page->place, &record));
    if (!audit_matches(record, filter))
        return ST_OK;
    TRY(wire_unpack(&sluice__audit_record__descriptor, row, arena, &record));
    page->records[page->count++] = record;
    return ST_OK;
}

static enum status audit_scan(struct kv_cursor *cursor, const struct audit_filter *filter,
                              size_t limit, struct arena *arena, struct audit_page *page)
{
    struct key prefix;
    struct str key, row;
    struct arena scratch;
    enum status status = ST_OK;
    key_init_space(&prefix, KEY_SPACE_AUDIT);
    arena_init(&scratch, AUDIT_ROW_BYTES);
    for (size_t scanned = 0;; scanned++) {
        status = kv_cursor_prev(cursor, &key, &row);
        if (status != ST_OK || !str_starts(key, key_str(&prefix))) {
            status = status == ST_END ? ST_OK : status;
            break;
        }
        if (page->count == limit || scanned == AUDIT_SCAN_MAX) {
            page->more = true;
            break;
        }
        status = audit_take(key, row, filter, &scratch, arena, page);
        if (status != ST_OK)
            break;
    }
    arena_free(&scratch);
    return status;
}

enum status audit_list(struct kv_txn *txn, const struct audit_filter *filter,
                       const struct audit_place *from, size_t limit, struct arena *arena,
                       struct audit_page *out)
{
    struct audit_page page = {.place = *from};
    struct kv_cursor *cursor;
    struct key start;
    if (limit == 0 || limit > AUDIT_LIMIT_MAX)
        return ST_RANGE;
    page.records = arena_calloc(arena, limit, sizeof *page.records);
    if (page.records == NULL)
        return ST_NO_MEMORY;
    if (from->revision == 0)
        audit_key(&start, UINT64_MAX, UINT16_MAX);
    else if (from->index > 0)
        audit_key(&start, from->revision, (uint16_t)(from->index - 1));
    else
        audit_key(&start, from->revision - 1, UINT16_MAX);
    TRY(kv_cursor_open(txn, KV_MAIN, &cursor));
    kv_cursor_seek_last(cursor, key_str(&start));
    enum status status = audit_scan(cursor, filter, limit, arena, &page);
    kv_cursor_close(cursor);
    TRY(status);
    *out = page;
    return ST_OK;
}

/* --- the chain -----------------------------------------------------------------------------------
 */

static void audit_check_end(struct audit_check *check, bool intact, uint64_t bad_revision)
{
    check->done = true;
    check->intact = intact;
    check->bad_revision = bad_revision;
}

/* One record: does it name the one before it? */
static enum status audit_check_row(struct str key, struct str row, struct arena *arena,
                                   struct audit_check *check)
{
    struct audit_place place = {0};
    Sluice__AuditRecord *record;
    arena_free(arena);
    enum status status = audit_read(key, row, arena, &place, &record);
    if (status == ST_NO_MEMORY)
        return status;
    struct str before = {(const char *)check->hash, check->count > 0 ? AUDIT_HASH_BYTES : 0};
    if (status != ST_OK || record->revision != place.revision ||
        !str_eq(wire_str(&record->previous_hash), before)) {
        audit_check_end(check, false, key.n == AUDIT_KEY_BYTES ? key_get_u64(key.p + 2) : 0);
        return ST_OK;
    }
    audit_hash(key, row, check->hash);
    check->count++;
    check->next = place;
    if (++check->next.index == 0)
        check->next.revision++;
    return ST_OK;
}

static enum status audit_check_walk(struct kv_txn *txn, struct kv_cursor *cursor, size_t rows,
                                    struct arena *arena, struct audit_check *check)
{
    struct key prefix;
    struct str key, row;
    struct audit_head head;
    key_init_space(&prefix, KEY_SPACE_AUDIT);
    for (size_t i = 0; i < rows && !check->done; i++) {
        enum status status = kv_cursor_next(cursor, &key, &row);
        if (status == ST_OK && str_starts(key, key_str(&prefix))) {
            TRY(audit_check_row(key, row, arena, check));
            continue;
        }
        if (status != ST_OK && status != ST_END)
            return status;
        bool agrees = audit_head_get(txn, &head) == ST_OK && head.count == check->count &&
                      memcmp(head.hash, check->hash, AUDIT_HASH_BYTES) == 0;
        audit_check_end(check, agrees, 0);
    }
    return ST_OK;
}

enum status audit_check_step(struct kv_txn *txn, size_t rows, struct audit_check *check)
{
    struct kv_cursor *cursor;
    struct arena arena;
    struct key start;
    if (check->done)
        return ST_OK;
    audit_key(&start, check->next.revision, check->next.index);
    TRY(kv_cursor_open(txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, key_str(&start));
    arena_init(&arena, AUDIT_ROW_BYTES);
    enum status status = audit_check_walk(txn, cursor, rows, &arena, check);
    arena_free(&arena);
    kv_cursor_close(cursor);
    return status;
}
