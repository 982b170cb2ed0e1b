/* lost.c: from holdings that will not come back to entries of the ledger.
 *
 *   holding  rest 40, outstanding            book: outstanding 40
 *   silent   LOST                            book: lost 40           entry +40
 *   event 25 rest 15, still LOST             book: settled 25, lost 15   entry -25
 *   it asks  LOST no more                    book: outstanding 15    entry -15
 *
 * Entries lie among the raw events under the boot's own numbers (LEDGER_OWN_SEQ), carry the amount
 * as a reserve and no cost: they are no requests, and one attempt may be lost to several counters.
 */
#include "control-plane/ledger/lost.h"

#include "common/json_write.h"
#include "common/wire.h"
#include "control-plane/ledger/epoch.h"
#include "control-plane/ledger/ledger_rows.h"
#include "control-plane/ledger/recovery.h"
#include "control-plane/ledger/settle.h"

#define LOST_JSON_BYTES  1024u
#define LOST_ARENA_BYTES ((size_t)16 << 20)

/* --- entries --- */

static void attempt_of(const struct holding_name *name, uint64_t number,
                       uint8_t attempt[LEDGER_ATTEMPT_BYTES])
{
    memcpy(attempt, name->node.b, ID_BYTES);
    key_put_u64(attempt + 16, name->boot);
    key_put_u32(attempt + 24, UINT32_MAX); /* no worker */
    key_put_u64(attempt + 28, number);
}

/* Whose entry it is: the counter's, as far as it is known. */
static void entry_owner(const struct counter *counter, Sluice__UsageEvent *event)
{
    const struct limit_ref *ref = &counter->owner.ref;
    event->org = wire_id_data(&ref->org);
    event->workspace = wire_id_data(&counter->owner.workspace);
    switch ((enum limit_level)ref->level) {
    case LIMIT_INTEGRATION:
        event->integration = wire_id_data(&ref->entity);
        break;
    case LIMIT_ACCESS:
        event->integration = wire_id_data(&ref->entity);
        event->workspace = wire_id_data(&ref->second);
        break;
    case LIMIT_WORKSPACE:
        event->workspace = wire_id_data(&ref->entity);
        break;
    case LIMIT_PROVIDER:
        event->provider = wire_id_data(&ref->entity);
        break;
    case LIMIT_KEY:
        event->api_key = wire_id_data(&ref->entity);
        break;
    case LIMIT_POLICY:
        break;
    }
}

static enum status entry_put(struct write_op *op, const struct holding_name *name, int64_t amount)
{
    Sluice__UsageEvent event = SLUICE__USAGE_EVENT__INIT;
    Sluice__Reserve reserve = SLUICE__RESERVE__INIT, *reserves[1] = {&reserve};
    uint8_t attempt[LEDGER_ATTEMPT_BYTES];
    struct counter counter = {.epoch = 0};
    struct key key;
    struct str row;
    uint64_t number;
    enum status status = counter_get(op->txn, &name->counter, &counter);
    if (status != ST_OK && status != ST_NOT_FOUND)
        return status;
    TRY(boot_next_entry(op, &name->node, name->boot, &number));
    attempt_of(name, number, attempt);
    event.attempt_id = (ProtobufCBinaryData){sizeof attempt, attempt};
    event.seq = LEDGER_OWN_SEQ | number;
    event.at_ms = op->now_ms;
    event.source = SLUICE__USAGE_SOURCE__USAGE_SOURCE_LOST;
    entry_owner(&counter, &event);
    reserve.counter = wire_id_data(&name->counter);
    reserve.epoch = name->epoch;
    reserve.amount = amount;
    event.n_reserves = 1;
    event.reserves = reserves;
    TRY(wire_pack(&event, op->arena, &row));
    ledger_event_key(&key, (uint32_t)(op->now_ms / ROLLUP_DAY_MS), &name->node, name->boot,
                     event.seq);
    return kv_put(op->txn, KV_EVENTS, key_str(&key), row);
}

enum status lost_moved(struct write_op *op, const struct holding_name *name,
                       const struct holding *before, const struct holding *after)
{
    int64_t more = book_sum(holding_lost(after), -holding_lost(before));
    return more == 0 ? ST_OK : entry_put(op, name, more);
}

/* --- one holding --- */

static enum status is_budget(struct kv_txn *txn, const struct id *id, bool *budget)
{
    struct counter counter;
    enum status status = counter_get(txn, id, &counter);
    *budget =
        status == ST_NOT_FOUND || (status == ST_OK && counter.owner.ref.window == LIMIT_BUDGET);
    return status == ST_NOT_FOUND ? ST_OK : status;
}

/* What is lost may reach a threshold or a limit. */
static enum status tell(struct write_op *op, const struct holding_name *name)
{
    struct epoch epoch;
    enum status status = epoch_open_id(op, &name->counter, &epoch);
    if (status == ST_NOT_FOUND || status == ST_INVALID || status == ST_TOO_LARGE)
        return ST_OK;
    TRY(status);
    if (epoch.counter.epoch != name->epoch)
        return ST_OK;
    TRY(epoch_tell(op, &epoch));
    return book_put(op->txn, &name->counter, name->epoch, &epoch.book);
}

static enum status move_holding(struct write_op *op, const struct holding_name *name,
                                const struct holding *before, const struct holding *after,
                                bool loose)
{
    struct book book;
    TRY(book_get(op->txn, &name->counter, name->epoch, &book));
    book.loose = book.loose || loose;
    TRY(holding_put(op->txn, name, before, after, &book));
    book_let_fall(&book);
    TRY(book_put(op->txn, &name->counter, name->epoch, &book));
    TRY(lost_moved(op, name, before, after));
    return tell(op, name);
}

/* Rates and concurrency lapse by themselves (lend_rate.c). */
static enum status write_off(struct write_op *op, const struct holding_name *name, bool *done)
{
    struct holding before, after;
    bool budget;
    TRY(holding_get(op->txn, name, &before));
    TRY(is_budget(op->txn, &name->counter, &budget));
    *done = budget && holding_rest(&before) > 0 &&
            (before.flags & (HOLDING_LOST | HOLDING_CLOSED)) == 0;
    if (!*done)
        return ST_OK;
    after = before;
    after.flags |= HOLDING_LOST;
    after.flags &= (uint8_t)~HOLDING_ACTIVE;
    return move_holding(op, name, &before, &after, false);
}

/* Nothing is left of it: as if the node had returned it. */
static enum status free_lost(struct write_op *op, const struct holding_name *name, bool *done)
{
    struct holding before, after;
    TRY(holding_get(op->txn, name, &before));
    *done = (before.flags & HOLDING_LOST) != 0 && holding_rest(&before) > 0;
    if (!*done)
        return ST_OK;
    after = before;
    after.flags &= (uint8_t)~HOLDING_LOST;
    after.returned = book_sum(before.returned, holding_rest(&before));
    return move_holding(op, name, &before, &after, true);
}

/* --- boots --- */

typedef enum status (*holding_fn)(struct write_op *op, const struct holding_name *name, bool *done);

static enum status audit(struct write_op *op, const struct boot_name *name, const char *action,
                         uint64_t counters)
{
    struct write_audit record = {.action = action, .resource_type = "node", .resource = name->node};
    struct json_writer w;
    struct buf out;
    buf_init(&out, LOST_JSON_BYTES);
    jw_init(&w, &out);
    jw_object(&w);
    jw_field_u64(&w, "boot", name->boot);
    jw_field_u64(&w, "counters", counters);
    jw_end(&w);
    enum status status = buf_status(&out);
    if (status == ST_OK)
        record.after_json = arena_str(op->arena, buf_str(&out));
    buf_free(&out);
    TRY(status);
    if (record.after_json.p == NULL)
        return ST_NO_MEMORY;
    writer_audit(op, &record);
    return ST_OK;
}

/* Holdings of one boot from behind `at` on; at most BOOT_CLOSE_ROWS are changed. */
static enum status each_holding(struct write_op *op, const struct boot_name *name, holding_fn fn,
                                const char *action, struct lost_result *result, bool *left)
{
    struct holding_walk walk;
    struct holding_name holding;
    enum status status;
    uint64_t changed = 0;
    TRY(holding_walk_boot(&walk, op->txn, &name->node, name->boot));
    while (changed < BOOT_CLOSE_ROWS && (status = holding_walk_next(&walk, &holding)) == ST_OK) {
        bool done;
        status = fn(op, &holding, &done);
        if (status != ST_OK)
            break;
        changed += done;
    }
    holding_walk_close(&walk);
    *left = changed == BOOT_CLOSE_ROWS;
    if (!*left && status != ST_END)
        return status;
    result->counters += changed;
    return changed > 0 ? audit(op, name, action, changed) : ST_OK;
}

enum status lost_boot(struct write_op *op, const struct boot_name *name, struct lost_result *result,
                      bool *left)
{
    uint64_t before = result->counters;
    TRY(each_holding(op, name, write_off, "write_off", result, left));
    result->boots += !*left && result->counters > before;
    return *left ? ST_OK : boot_lost(op, &name->node, name->boot);
}

/* --- a node, by an operator --- */

struct node_job {
    struct id node;
    bool undo;
    struct boot_name at; /* the boot that is being done */
    struct lost_result result;
    bool left, more;
};

static enum status next_boot(struct kv_txn *txn, struct node_job *job)
{
    struct boot_name next;
    size_t count;
    TRY(boot_list(txn, &job->at, &next, 1, &count));
    job->more = count == 1 && id_eq(&next.node, &job->node);
    if (job->more)
        job->at = next;
    return ST_OK;
}

static enum status node_op(struct write_op *op, void *arg)
{
    struct node_job *job = arg;
    struct recovery recovery;
    op->no_revision = true;
    if (!job->left)
        TRY(next_boot(op->txn, job));
    if (!job->more) {
        TRY(recovery_get(op->txn, &recovery));
        return job->undo ? ST_OK : recovery_say(op, &recovery, &job->node);
    }
    if (!job->undo)
        return lost_boot(op, &job->at, &job->result, &job->left);
    uint64_t before = job->result.counters;
    TRY(each_holding(op, &job->at, free_lost, "write_off_undo", &job->result, &job->left));
    job->result.boots += !job->left && job->result.counters > before;
    return ST_OK;
}

static enum status node_run(struct writer *writer, const struct write_actor *actor,
                            struct node_job *job, struct lost_result *result)
{
    struct arena arena;
    enum status status = ST_OK;
    arena_init(&arena, LOST_ARENA_BYTES);
    job->at = (struct boot_name){.node = job->node};
    job->more = true;
    while (job->more && status == ST_OK) {
        status = writer_run(writer, actor, &arena, node_op, job, NULL);
        arena_free(&arena);
    }
    if (status == ST_OK)
        *result = job->result;
    return status;
}

enum status lost_write_off(struct writer *writer, const struct write_actor *actor,
                           const struct id *node, struct lost_result *result)
{
    struct node_job job = {.node = *node};
    return node_run(writer, actor, &job, result);
}

enum status lost_undo(struct writer *writer, const struct write_actor *actor, const struct id *node,
                      struct lost_result *result)
{
    struct node_job job = {.node = *node, .undo = true};
    return node_run(writer, actor, &job, result);
}
