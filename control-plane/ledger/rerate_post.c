/* rerate_post.c: from a target to an adjusting entry.
 *
 * Invariant: entry, sums, books and the row of what was adjusted so far are written in one
 * operation, which reads that row first: posting the same target twice posts nothing the second
 * time. An adjusting entry is dated as the attempt it corrects, so reports of that time come right,
 * and says beside when it was posted.
 */
#include "control-plane/ledger/rerate_post.h"

#include "common/wire.h"
#include "control-plane/ledger/book.h"
#include "control-plane/ledger/ledger_rows.h"
#include "control-plane/ledger/settle.h"

#define POST_ARENA_BYTES ((size_t)32 << 20)
#define POST_ROWS        (RERATE_POSTS_MAX * ROLLUP_EVENT_ROWS)
#define POST_SETTLES     (RERATE_POSTS_MAX * SETTLE_RESERVES_MAX)

/* --- what was adjusted so far --- */

struct adjusted {
    struct rerate_sum sum;
    uint32_t times;
};

static uint32_t day_of(const Sluice__UsageEvent *event)
{
    return (uint32_t)(event->at_ms / ROLLUP_DAY_MS);
}

static void adjusted_key(struct key *key, const Sluice__UsageEvent *event)
{
    key_init_space(key, KEY_SPACE_ADJUST);
    key_add_u16(key, (uint16_t)day_of(event));
    key_add_bytes(key, event->attempt_id.data, event->attempt_id.len);
}

static enum status adjusted_get(struct kv_txn *txn, const Sluice__UsageEvent *event,
                                struct adjusted *adjusted)
{
    struct key key;
    struct str row;
    *adjusted = (struct adjusted){.times = 0};
    if (event->attempt_id.len != LEDGER_ATTEMPT_BYTES)
        return ST_BAD_FORMAT;
    adjusted_key(&key, event);
    enum status status = kv_get(txn, KV_MAIN, key_str(&key), &row);
    if (status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    if (row.n != RERATE_ROW_BYTES)
        return ST_BAD_FORMAT;
    adjusted->sum.cost_nanousd = (int64_t)key_get_u64(row.p);
    adjusted->sum.charge_nanousd = (int64_t)key_get_u64(row.p + 8);
    adjusted->times = key_get_u32(row.p + 16);
    return ST_OK;
}

static enum status adjusted_put(struct kv_txn *txn, const Sluice__UsageEvent *event,
                                const struct adjusted *adjusted)
{
    struct key key;
    uint8_t row[RERATE_ROW_BYTES];
    adjusted_key(&key, event);
    key_put_u64(row, (uint64_t)adjusted->sum.cost_nanousd);
    key_put_u64(row + 8, (uint64_t)adjusted->sum.charge_nanousd);
    key_put_u32(row + 16, adjusted->times);
    return kv_put(txn, KV_MAIN, key_str(&key), str_of((const char *)row, sizeof row));
}

enum status rerate_sum_of(struct kv_txn *txn, const Sluice__UsageEvent *event,
                          struct rerate_sum *sum)
{
    struct adjusted adjusted;
    TRY(adjusted_get(txn, event, &adjusted));
    TRY(money_add(event->cost_nanousd, adjusted.sum.cost_nanousd, &sum->cost_nanousd));
    return money_add(event->charge_nanousd, adjusted.sum.charge_nanousd, &sum->charge_nanousd);
}

/* --- reserves --- */

/* By how much a budget's use changes. 0: it does not count money, or is not known to. */
static enum status reserve_change(struct write_op *op, const Sluice__UsageEvent *event,
                                  const Sluice__Reserve *reserve, const struct rerate_sum *change,
                                  int64_t *amount)
{
    struct counter counter;
    struct rule rule;
    struct id id;
    *amount = 0;
    TRY(wire_id(&reserve->counter, &id));
    enum status status = counter_get(op->txn, &id, &counter);
    if (status == ST_NOT_FOUND) { /* its rows are gone: what it was taken tells what it counted */
        if (reserve->amount == event->charge_nanousd)
            *amount = change->charge_nanousd;
        return ST_OK;
    }
    TRY(status);
    if (counter.owner.ref.measure != LIMIT_COST || counter.owner.ref.window != LIMIT_BUDGET)
        return ST_OK;
    status = rule_find(op->txn, op->arena, &counter.owner, &rule);
    if (status != ST_OK && status != ST_NOT_FOUND && status != ST_INVALID)
        return status;
    bool cost = status == ST_OK && rule.def.amount == LIMIT_AMOUNT_COST;
    *amount = cost ? change->cost_nanousd : change->charge_nanousd;
    return ST_OK;
}

static enum status take_reserves(struct write_op *op, const Sluice__UsageEvent *event,
                                 const struct rerate_sum *change, Sluice__UsageEvent *entry)
{
    Sluice__Reserve *rows = arena_calloc(op->arena, event->n_reserves + 1, sizeof *rows);
    entry->reserves = arena_calloc(op->arena, event->n_reserves + 1, sizeof *entry->reserves);
    if (rows == NULL || entry->reserves == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < event->n_reserves; i++) {
        int64_t amount;
        TRY(reserve_change(op, event, event->reserves[i], change, &amount));
        if (amount == 0)
            continue;
        Sluice__Reserve *row = &rows[entry->n_reserves];
        sluice__reserve__init(row);
        row->counter = event->reserves[i]->counter;
        row->epoch = event->reserves[i]->epoch;
        row->amount = amount;
        entry->reserves[entry->n_reserves++] = row;
    }
    return ST_OK;
}

/* --- posting --- */

struct post_job {
    struct rerate_batch *batch;
    const struct rerate_post *posts;
    size_t count;
    struct rollups sums;
    struct settle settle;
    uint64_t posted;
};

/* Who, where and when, of the entry that is corrected. */
static enum status copy_entry(struct write_op *op, struct post_job *job,
                              const Sluice__UsageEvent *event, Sluice__UsageEvent *entry)
{
    uint8_t *attempt = arena_calloc(op->arena, 1, LEDGER_ATTEMPT_BYTES);
    uint64_t n = job->batch->next++;
    if (attempt == NULL)
        return ST_NO_MEMORY;
    memcpy(attempt, job->batch->run.b, ID_BYTES);
    key_put_u64(attempt + 28, n);
    *entry = (Sluice__UsageEvent)SLUICE__USAGE_EVENT__INIT;
    entry->attempt_id = (ProtobufCBinaryData){LEDGER_ATTEMPT_BYTES, attempt};
    entry->seq = LEDGER_OWN_SEQ + n;
    entry->adjusts = event->attempt_id;
    entry->source = SLUICE__USAGE_SOURCE__USAGE_SOURCE_ADJUSTED;
    entry->at_ms = event->at_ms;
    entry->posted_at_ms = op->now_ms;
    entry->org = event->org;
    entry->workspace = event->workspace;
    entry->provider = event->provider;
    entry->integration = event->integration;
    entry->api_key = event->api_key;
    entry->user = event->user;
    entry->operation = event->operation;
    entry->model = event->model;
    entry->priced_model = event->priced_model;
    entry->labels = event->labels;
    entry->n_labels = event->n_labels;
    entry->note = arena_cstr(op->arena, job->batch->note);
    return entry->note == NULL ? ST_NO_MEMORY : ST_OK;
}

static enum status put_entry(struct write_op *op, struct post_job *job,
                             const Sluice__UsageEvent *entry)
{
    struct key key;
    struct str row;
    TRY(rollups_add(&job->sums, entry));
    TRY(settle_add(&job->settle, entry));
    TRY(wire_pack(entry, op->arena, &row));
    ledger_event_key(&key, day_of(entry), &job->batch->run, 0, entry->seq);
    return kv_put(op->txn, KV_EVENTS, key_str(&key), row);
}

static enum status post_one(struct write_op *op, struct post_job *job,
                            const struct rerate_post *post, uint32_t first_day)
{
    const Sluice__UsageEvent *event = post->event;
    struct rerate_sum now, change;
    struct adjusted adjusted;
    Sluice__UsageEvent entry;
    if (day_of(event) < first_day)
        return ST_OK; /* dropped meanwhile */
    TRY(rerate_sum_of(op->txn, event, &now));
    change.cost_nanousd = post->target.cost_nanousd - now.cost_nanousd;
    change.charge_nanousd = post->target.charge_nanousd - now.charge_nanousd;
    if (change.cost_nanousd == 0 && change.charge_nanousd == 0)
        return ST_OK;
    TRY(adjusted_get(op->txn, event, &adjusted));
    TRY(copy_entry(op, job, event, &entry));
    entry.cost_nanousd = change.cost_nanousd;
    entry.charge_nanousd = change.charge_nanousd;
    TRY(take_reserves(op, event, &change, &entry));
    TRY(put_entry(op, job, &entry));
    adjusted.sum.cost_nanousd += change.cost_nanousd;
    adjusted.sum.charge_nanousd += change.charge_nanousd;
    adjusted.times++;
    job->posted++;
    return adjusted_put(op->txn, event, &adjusted);
}

static void audit_posts(struct write_op *op, const struct post_job *job)
{
    struct id org;
    if (job->posted == 0 || wire_id(&job->posts[0].event->org, &org) != ST_OK)
        return;
    writer_audit(op, &(struct write_audit){.action = "rerate",
                                           .resource_type = "ledger",
                                           .org = org,
                                           .resource = job->batch->run,
                                           .slug = job->batch->note});
}

static enum status post_op(struct write_op *op, void *arg)
{
    struct post_job *job = arg;
    uint32_t first_day;
    op->no_revision = true;
    job->posted = 0;
    TRY(ledger_first_day(op->txn, &first_day));
    TRY(rollups_init(&job->sums, op->arena, POST_ROWS));
    TRY(settle_init(&job->settle, op->arena, POST_SETTLES));
    for (size_t i = 0; i < job->count; i++)
        TRY(post_one(op, job, &job->posts[i], first_day));
    TRY(rollups_apply(&job->sums, op->txn));
    TRY(settle_apply(&job->settle, op, NULL, 0));
    audit_posts(op, job);
    return ST_OK;
}

enum status rerate_post_all(struct writer *writer, const struct write_actor *actor,
                            struct rerate_batch *batch, const struct rerate_post *posts,
                            size_t count)
{
    struct arena arena;
    enum status status = ST_OK;
    arena_init(&arena, POST_ARENA_BYTES);
    for (size_t at = 0; at < count && status == ST_OK; at += RERATE_POSTS_MAX) {
        size_t left = count - at;
        struct post_job job = {.batch = batch,
                               .posts = posts + at,
                               .count = left < RERATE_POSTS_MAX ? left : RERATE_POSTS_MAX};
        status = writer_run(writer, actor, &arena, post_op, &job, NULL);
        arena_free(&arena);
    }
    arena_free(&arena);
    return status;
}

/* --- forgetting --- */

enum status rerate_drop(struct write_op *op, uint32_t day, size_t rows, bool *left)
{
    struct kv_cursor *cursor;
    struct key prefix, copy;
    struct str key, row;
    enum status status;
    *left = false;
    key_init_space(&prefix, KEY_SPACE_ADJUST);
    TRY(kv_cursor_open(op->txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, key_str(&prefix));
    while ((status = kv_cursor_next(cursor, &key, &row)) == ST_OK &&
           str_starts(key, key_str(&prefix)) && key_get_u16(key.p + 2) < day) {
        if (rows-- == 0) {
            *left = true;
            break;
        }
        key_init(&copy);
        key_add_bytes(&copy, key.p, key.n);
        status = kv_delete(op->txn, KV_MAIN, key_str(&copy));
        if (status != ST_OK)
            break;
    }
    kv_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}
