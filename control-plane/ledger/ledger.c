/* ledger.c: from journals to the ledger, exactly once.
 *
 *   journal of (node, boot): 1 2 3 4 5 6 7 8 9       watermark 5
 *   batch                            4 5 6 7   9
 *   4 5 are known, 6 7 are added, 9 waits: the gap ends the batch; through = 7
 *
 * Invariant: an event is in the sums if and only if its seq is at or below the watermark of its
 * journal. The batch is one operation: watermark, raw rows, sums, settled limits and object records
 * commit together or not at all, so every answer a node can get, also none, is safe to repeat. What a journal no
 * longer has (its oldest_seq is above the watermark: we are a restored backup) is skipped and
 * counted, never waited for. An event that cannot be true is counted and passed over for the same
 * reason.
 */
#include "control-plane/ledger/ledger.h"

#include "common/guard.h"
#include <sodium.h>

#include "common/log.h"
#include "common/wire.h"
#include "control-plane/ledger/boot.h"
#include "control-plane/ledger/ledger_rows.h"
#include "control-plane/ledger/settle.h"

#define LEDGER_AHEAD_MS    ((int64_t)3600000)
#define LEDGER_SUMS_MAX    (LEDGER_BATCH_MAX * ROLLUP_EVENT_ROWS)
#define LEDGER_SETTLES_MAX (LEDGER_BATCH_MAX * SETTLE_RESERVES_MAX)
#define LEDGER_ARENA_BYTES ((size_t)128 << 20)
#define LEDGER_MARK_BYTES  32u

/* --- rows ----------------------------------------------------------------------------------------
 */

void ledger_event_key(struct key *key, uint32_t day, const struct id *node, uint64_t boot,
                      uint64_t seq)
{
    key_init(key);
    key_add_u16(key, (uint16_t)day);
    key_add_id(key, node);
    key_add_u64(key, boot);
    key_add_u64(key, seq);
}

enum status ledger_first_day(struct kv_txn *txn, uint32_t *day)
{
    struct key key;
    struct str value;
    key_init_meta(&key, KEY_META_LEDGER);
    enum status status = kv_get(txn, KV_MAIN, key_str(&key), &value);
    if (status == ST_NOT_FOUND) {
        *day = 0;
        return ST_OK;
    }
    TRY(status);
    if (value.n != 2)
        return ST_BAD_FORMAT;
    *day = key_get_u16(value.p);
    return ST_OK;
}

static void ledger_mark_key(struct key *key, const struct id *node, uint64_t boot)
{
    key_init_space(key, KEY_SPACE_WATERMARK);
    key_add_id(key, node);
    key_add_u64(key, boot);
}

enum status ledger_watermark(struct kv_txn *txn, const struct id *node, uint64_t boot,
                             struct ledger_watermark *mark)
{
    struct key key;
    struct str value;
    ledger_mark_key(&key, node, boot);
    enum status status = kv_get(txn, KV_MAIN, key_str(&key), &value);
    if (status == ST_NOT_FOUND) {
        *mark = (struct ledger_watermark){0};
        return ST_OK;
    }
    TRY(status);
    if (value.n != LEDGER_MARK_BYTES)
        return ST_BAD_FORMAT;
    *mark = (struct ledger_watermark){.through_seq = key_get_u64(value.p),
                                      .skipped = key_get_u64(value.p + 8),
                                      .rejected = key_get_u64(value.p + 16),
                                      .at_ms = (int64_t)key_get_u64(value.p + 24)};
    return ST_OK;
}

static enum status ledger_mark_put(struct kv_txn *txn, const struct id *node, uint64_t boot,
                                   const struct ledger_watermark *mark)
{
    struct key key;
    uint8_t row[LEDGER_MARK_BYTES];
    ledger_mark_key(&key, node, boot);
    key_put_u64(row, mark->through_seq);
    key_put_u64(row + 8, mark->skipped);
    key_put_u64(row + 16, mark->rejected);
    key_put_u64(row + 24, (uint64_t)mark->at_ms);
    return kv_put(txn, KV_MAIN, key_str(&key), str_of((const char *)row, sizeof row));
}

/* --- objects -------------------------------------------------------------------------------------
 */

void ledger_object_key(const struct id *org, const struct id *workspace, const struct id *provider,
                       struct str object_id, struct record_key *key)
{
    crypto_generichash_state state;
    *key =
        (struct record_key){.kind = SLUICE__KIND__KIND_OBJECT, .org = *org, .parent = *workspace};
    CHECK(crypto_generichash_init(&state, NULL, 0, ID_BYTES) == 0);
    crypto_generichash_update(&state, provider->b, ID_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)object_id.p, object_id.n);
    CHECK(crypto_generichash_final(&state, key->id.b, ID_BYTES) == 0);
}

bool ledger_object_owned(struct kv_txn *txn, const struct id *org, const struct id *workspace,
                         const struct id *provider, struct str object_id)
{
    struct record_key key;
    ledger_object_key(org, workspace, provider, object_id, &key);
    return record_exists(txn, &key);
}

static enum status ledger_object_put(struct write_op *op, const Sluice__UsageEvent *event,
                                     struct str name)
{
    struct id org, workspace, provider;
    struct record_key key;
    TRY(wire_id(&event->org, &org));
    TRY(wire_id(&event->workspace, &workspace));
    TRY(wire_id(&event->provider, &provider));
    ledger_object_key(&org, &workspace, &provider, name, &key);
    if (record_exists(op->txn, &key))
        return ST_OK;
    Sluice__ProviderObject object = SLUICE__PROVIDER_OBJECT__INIT;
    object.object_id = arena_cstr(op->arena, name);
    if (object.object_id == NULL)
        return ST_NO_MEMORY;
    object.object_kind = event->object_kind;
    object.provider = event->provider;
    object.workspace = event->workspace;
    object.api_key = event->api_key;
    object.created_at_ms = event->at_ms;
    return record_put(op, &key, &object, STR_NONE);
}

/* An event may name several: a batch that ended shows the files it made. */
static enum status ledger_objects_put(struct write_op *op, const Sluice__UsageEvent *event)
{
    struct str rest = str_c(event->object_id), name;
    while (rest.n > 0 && str_split(&rest, ' ', &name))
        if (name.n > 0)
            TRY(ledger_object_put(op, event, name));
    return ST_OK;
}

/* --- a batch -------------------------------------------------------------------------------------
 */

struct ledger_batch {
    const struct id *node;
    const Sluice__UsageBatch *batch;
    struct ledger_watermark mark;
    uint32_t first_day;
    struct rollups sums;
    struct settle settle; /* of all events taken */
    struct settle unkept; /* of those whose raw rows are not kept */
    uint64_t through_seq;
};

static bool ledger_id_ok(const ProtobufCBinaryData *data)
{
    return data->len == 0 || data->len == ID_BYTES;
}

/* Could this event have come from that node's journal? */
static bool ledger_event_ok(const struct ledger_batch *batch, const Sluice__UsageEvent *event,
                            int64_t now_ms)
{
    return event->attempt_id.len == LEDGER_ATTEMPT_BYTES &&
           memcmp(event->attempt_id.data, batch->node->b, ID_BYTES) == 0 &&
           event->org.len == ID_BYTES && ledger_id_ok(&event->workspace) &&
           ledger_id_ok(&event->provider) && ledger_id_ok(&event->integration) &&
           ledger_id_ok(&event->api_key) && ledger_id_ok(&event->user) && event->at_ms > 0 &&
           event->at_ms <= now_ms + LEDGER_AHEAD_MS && event->cost_nanousd >= 0 &&
           event->charge_nanousd >= 0 && settle_event_ok(event);
}

static enum status ledger_event_put(struct write_op *op, struct ledger_batch *batch,
                                    const Sluice__UsageEvent *event)
{
    uint32_t day = (uint32_t)(event->at_ms / ROLLUP_DAY_MS);
    struct key key;
    struct str row;
    TRY(rollups_add(&batch->sums, event));
    TRY(settle_add(&batch->settle, event));
    TRY(ledger_objects_put(op, event));
    if (day < batch->first_day) /* its day's raw events were dropped already */
        return settle_add(&batch->unkept, event);
    TRY(wire_pack(event, op->arena, &row));
    ledger_event_key(&key, day, batch->node, batch->batch->journal_boot, event->seq);
    return kv_put(op->txn, KV_EVENTS, key_str(&key), row);
}

/* Skips what the journal can no longer give. */
static void ledger_skip(struct ledger_batch *batch)
{
    uint64_t oldest = batch->batch->oldest_seq;
    if (oldest == 0 || oldest - 1 <= batch->mark.through_seq)
        return;
    uint64_t skipped = oldest - 1 - batch->mark.through_seq;
    log_error("ledger_events_skipped", LOG_ID("node", batch->node),
              LOG_U64("boot", batch->batch->journal_boot), LOG_U64("count", skipped));
    batch->mark.skipped += skipped;
    batch->mark.through_seq = oldest - 1;
}

static enum status ledger_take_events(struct write_op *op, struct ledger_batch *batch)
{
    for (size_t i = 0; i < batch->batch->n_events; i++) {
        const Sluice__UsageEvent *event = batch->batch->events[i];
        if (event->seq <= batch->mark.through_seq && !GUARD_OFF("once"))
            continue;
        if (event->seq > batch->mark.through_seq + 1)
            break;
        if (ledger_event_ok(batch, event, op->now_ms)) {
            TRY(ledger_event_put(op, batch, event));
        } else {
            batch->mark.rejected++;
            log_error("ledger_event_rejected", LOG_ID("node", batch->node),
                      LOG_U64("boot", batch->batch->journal_boot), LOG_U64("seq", event->seq));
        }
        batch->mark.through_seq = event->seq;
    }
    TRY(rollups_apply(&batch->sums, op->txn));
    TRY(settle_apply(&batch->settle, op, batch->node, batch->batch->journal_boot));
    return settle_drop(&batch->unkept, op);
}

static enum status ledger_take(struct write_op *op, void *arg)
{
    struct ledger_batch *batch = arg;
    op->no_revision = true;
    TRY(ledger_watermark(op->txn, batch->node, batch->batch->journal_boot, &batch->mark));
    TRY(ledger_first_day(op->txn, &batch->first_day));
    TRY(rollups_init(&batch->sums, op->arena, LEDGER_SUMS_MAX));
    TRY(settle_init(&batch->settle, op->arena, LEDGER_SETTLES_MAX));
    TRY(settle_init(&batch->unkept, op->arena, LEDGER_SETTLES_MAX));
    uint64_t before = batch->mark.through_seq;
    ledger_skip(batch);
    TRY(ledger_take_events(op, batch));
    batch->through_seq = batch->mark.through_seq;
    if (batch->mark.through_seq == before)
        return ST_OK;
    batch->mark.at_ms = op->now_ms;
    bool left; /* upkeep goes on */
    TRY(ledger_mark_put(op->txn, batch->node, batch->batch->journal_boot, &batch->mark));
    return boot_settled(op, batch->node, batch->batch->journal_boot, batch->mark.through_seq, &left);
}

enum status ledger_ingest(struct writer *writer, const struct id *node,
                          const Sluice__UsageBatch *usage, uint64_t *through_seq)
{
    struct ledger_batch batch = {.node = node, .batch = usage};
    struct arena arena;
    if (usage->n_events > LEDGER_BATCH_MAX)
        return ST_TOO_LARGE;
    arena_init(&arena, LEDGER_ARENA_BYTES);
    enum status status = writer_run(writer, NULL, &arena, ledger_take, &batch, NULL);
    arena_free(&arena);
    TRY(status);
    *through_seq = batch.through_seq;
    return ST_OK;
}

enum status ledger_ingest_op(struct write_op *op, const struct id *node,
                             const Sluice__UsageBatch *usage, uint64_t *through_seq)
{
    struct ledger_batch batch = {.node = node, .batch = usage};
    if (usage->n_events > LEDGER_BATCH_MAX)
        return ST_TOO_LARGE;
    TRY(ledger_take(op, &batch));
    *through_seq = batch.through_seq;
    return ST_OK;
}
