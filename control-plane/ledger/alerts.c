/* alerts.c: rows of alerts.
 *
 *   u8 version, kind, level, measure, window, nth
 *   id, counter, org, entity, second, workspace    16 each
 *   u64 at_ms, epoch, figure, used, limit, resets_at_ms
 *   value_key
 *
 * The audit record says the same in JSON, for people. An alert is never changed; who has passed it
 * on keeps that elsewhere.
 */
#include "control-plane/ledger/alerts.h"

#include <sodium.h>

#include "common/json_write.h"
#include "control-plane/store/keys.h"

#define ALERT_VERSION    1u
#define ALERT_IDS        6u
#define ALERT_NUMBERS    6u
#define ALERT_ROW_BYTES  (6u + ALERT_IDS * ID_BYTES + 8u * ALERT_NUMBERS)
#define ALERT_KEY_BYTES  10u
#define ALERT_JSON_BYTES 4096u

const char *alert_kind_text(enum alert_kind kind)
{
    switch (kind) {
    case ALERT_THRESHOLD:
        return "limit_alert";
    case ALERT_LIMIT:
        return "limit_reached";
    case ALERT_RESET:
        return "limit_reset";
    }
    return "unknown";
}

static void alert_key(struct key *key, uint64_t number)
{
    key_init_space(key, KEY_SPACE_ALERT);
    key_add_u64(key, number);
}

/* --- rows --- */

static void alert_ids(struct alert *alert, struct id *ids[ALERT_IDS])
{
    struct id *const all[ALERT_IDS] = {&alert->id,         &alert->counter,    &alert->ref.org,
                                       &alert->ref.entity, &alert->ref.second, &alert->workspace};
    memcpy(ids, all, sizeof all);
}

static enum status alert_read(struct str key, struct str row, struct arena *arena,
                              struct alert *alert)
{
    struct id *ids[ALERT_IDS];
    struct alert out = {0};
    const char *p = row.p;
    if (key.n != ALERT_KEY_BYTES || row.n < ALERT_ROW_BYTES || (uint8_t)p[0] != ALERT_VERSION)
        return ST_BAD_FORMAT;
    out.number = key_get_u64(key.p + 2);
    out.kind = (enum alert_kind)(uint8_t)p[1];
    out.ref = (struct limit_ref){.level = (uint8_t)p[2],
                                 .measure = (uint8_t)p[3],
                                 .window = (uint8_t)p[4],
                                 .nth = (uint8_t)p[5]};
    alert_ids(&out, ids);
    p += 6;
    for (size_t i = 0; i < ALERT_IDS; i++, p += ID_BYTES)
        memcpy(ids[i]->b, p, ID_BYTES);
    out.at_ms = (int64_t)key_get_u64(p);
    out.epoch = key_get_u64(p + 8);
    out.figure = (int64_t)key_get_u64(p + 16);
    out.used = (int64_t)key_get_u64(p + 24);
    out.limit = (int64_t)key_get_u64(p + 32);
    out.resets_at_ms = (int64_t)key_get_u64(p + 40);
    out.ref.value_key = arena_str(arena, str_from(row, ALERT_ROW_BYTES));
    *alert = out;
    return out.ref.value_key.p == NULL ? ST_NO_MEMORY : ST_OK;
}

static enum status alert_put(struct kv_txn *txn, const struct alert *alert)
{
    struct alert copy = *alert;
    const struct limit_ref *ref = &alert->ref;
    const uint64_t numbers[ALERT_NUMBERS] = {
        (uint64_t)alert->at_ms, alert->epoch,           (uint64_t)alert->figure,
        (uint64_t)alert->used,  (uint64_t)alert->limit, (uint64_t)alert->resets_at_ms};
    uint8_t row[ALERT_ROW_BYTES + LIMIT_VALUE_KEY] = {
        ALERT_VERSION, (uint8_t)alert->kind, ref->level, ref->measure, ref->window, ref->nth};
    struct id *ids[ALERT_IDS];
    uint8_t *p = row + 6;
    struct key key;
    CHECK(ref->value_key.n <= LIMIT_VALUE_KEY);
    alert_ids(&copy, ids);
    for (size_t i = 0; i < ALERT_IDS; i++, p += ID_BYTES)
        memcpy(p, ids[i]->b, ID_BYTES);
    for (size_t i = 0; i < ALERT_NUMBERS; i++, p += 8)
        key_put_u64(p, numbers[i]);
    if (ref->value_key.n > 0)
        memcpy(p, ref->value_key.p, ref->value_key.n);
    alert_key(&key, alert->number);
    return kv_put(txn, KV_MAIN, key_str(&key),
                  str_of((const char *)row, ALERT_ROW_BYTES + ref->value_key.n));
}

static enum status newest_number(struct kv_txn *txn, uint64_t *number)
{
    struct key key;
    struct str row;
    key_init_meta(&key, KEY_META_ALERTS);
    enum status status = kv_get(txn, KV_MAIN, key_str(&key), &row);
    *number = 0;
    if (status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    if (row.n != 8)
        return ST_BAD_FORMAT;
    *number = key_get_u64(row.p);
    return ST_OK;
}

static enum status next_number(struct kv_txn *txn, uint64_t *number)
{
    struct key key;
    uint8_t row[8];
    TRY(newest_number(txn, number));
    key_init_meta(&key, KEY_META_ALERTS);
    key_put_u64(row, ++*number);
    return kv_put(txn, KV_MAIN, key_str(&key), str_of((const char *)row, sizeof row));
}

/* --- writing --- */

static struct id alert_id(const struct alert *alert)
{
    uint8_t name[ID_BYTES + 17];
    struct id id;
    memcpy(name, alert->counter.b, ID_BYTES);
    key_put_u64(name + ID_BYTES, alert->epoch);
    key_put_u64(name + ID_BYTES + 8, alert->kind == ALERT_RESET ? 0 : (uint64_t)alert->figure);
    name[ID_BYTES + 16] = (uint8_t)alert->kind;
    CHECK(crypto_generichash(id.b, ID_BYTES, name, sizeof name, NULL, 0) == 0);
    return id;
}

static enum status alert_json(struct arena *arena, const struct alert *alert, struct str *json)
{
    struct json_writer w;
    struct buf out;
    buf_init(&out, ALERT_JSON_BYTES);
    jw_init(&w, &out);
    jw_object(&w);
    jw_field_id(&w, "alert", &alert->id);
    jw_field_id(&w, "counter", &alert->counter);
    jw_field_u64(&w, "epoch", alert->epoch);
    jw_field_cstr(&w, "level", limit_level_text((enum limit_level)alert->ref.level));
    jw_field_cstr(&w, "measure", limit_measure_text((enum limit_measure)alert->ref.measure));
    if (alert->ref.value_key.n > 0)
        jw_field_str(&w, "value_key", alert->ref.value_key);
    jw_field_i64(&w, "reached", alert->figure);
    jw_field_i64(&w, "used", alert->used);
    jw_field_i64(&w, "limit", alert->limit);
    jw_field_time(&w, "resets_at", alert->resets_at_ms);
    jw_end(&w);
    enum status status = buf_status(&out);
    if (status == ST_OK) {
        *json = arena_str(arena, buf_str(&out));
        status = json->p == NULL ? ST_NO_MEMORY : ST_OK;
    }
    buf_free(&out);
    return status;
}

static const char *resource_type(enum limit_level level)
{
    switch (level) {
    case LIMIT_INTEGRATION:
    case LIMIT_ACCESS:
        return "integration";
    case LIMIT_WORKSPACE:
        return "workspace";
    case LIMIT_PROVIDER:
        return "provider";
    case LIMIT_KEY:
        return "api_key";
    case LIMIT_POLICY:
        break;
    }
    return "policy";
}

static struct id workspace_of(const struct alert *alert)
{
    switch ((enum limit_level)alert->ref.level) {
    case LIMIT_ACCESS:
        return alert->ref.second;
    case LIMIT_WORKSPACE:
        return alert->ref.entity;
    default:
        return alert->workspace;
    }
}

enum status alerts_add(struct write_op *op, const struct alert *given)
{
    struct alert alert = *given;
    struct write_audit audit = {.action = alert_kind_text(alert.kind),
                                .resource_type = resource_type((enum limit_level)alert.ref.level),
                                .org = alert.ref.org,
                                .workspace = workspace_of(&alert),
                                .resource = alert.ref.entity};
    alert.id = alert_id(&alert);
    alert.at_ms = op->now_ms;
    TRY(next_number(op->txn, &alert.number));
    TRY(alert_put(op->txn, &alert));
    TRY(alert_json(op->arena, &alert, &audit.after_json));
    writer_audit(op, &audit);
    return ST_OK;
}

/* --- reading and dropping --- */

enum status alerts_list(struct kv_txn *txn, uint64_t after, size_t limit, struct arena *arena,
                        struct alert **alerts, size_t *count)
{
    struct kv_cursor *cursor;
    struct key from, space;
    struct str key, row;
    size_t n = 0;
    enum status status = ST_OK;
    if (limit > ALERTS_PAGE_MAX || after == UINT64_MAX)
        return ST_RANGE;
    struct alert *list = arena_calloc(arena, limit + 1, sizeof *list);
    if (list == NULL)
        return ST_NO_MEMORY;
    key_init_space(&space, KEY_SPACE_ALERT);
    alert_key(&from, after + 1);
    TRY(kv_cursor_open(txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, key_str(&from));
    while (n < limit && status == ST_OK) {
        status = kv_cursor_next(cursor, &key, &row);
        if (status == ST_OK && !str_starts(key, key_str(&space)))
            status = ST_END;
        if (status == ST_OK)
            status = alert_read(key, row, arena, &list[n]);
        n += status == ST_OK;
    }
    kv_cursor_close(cursor);
    if (status != ST_OK && status != ST_END)
        return status;
    *alerts = list;
    *count = n;
    return ST_OK;
}

enum status alerts_drop(struct write_op *op, int64_t before_ms, size_t rows, bool *left)
{
    struct alert *list;
    uint64_t newest;
    size_t count;
    op->no_revision = true;
    if (rows > ALERTS_PAGE_MAX)
        rows = ALERTS_PAGE_MAX;
    TRY(newest_number(op->txn, &newest));
    TRY(alerts_list(op->txn, 0, rows, op->arena, &list, &count));
    *left = count == rows;
    for (size_t i = 0; i < count; i++) {
        struct key key;
        if (list[i].at_ms >= before_ms && newest - list[i].number < ALERTS_MAX) {
            *left = false;
            break;
        }
        alert_key(&key, list[i].number);
        TRY(kv_delete(op->txn, KV_MAIN, key_str(&key)));
    }
    return ST_OK;
}
