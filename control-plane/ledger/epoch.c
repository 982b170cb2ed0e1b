/* epoch.c: from a counter's rows, its definition and the time to its current epoch.
 *
 *   stamp of the rule differs   -> limit, alert, burst, mode; cap follows the limit
 *   ... and the periods' mark   -> end taken anew from the change on
 *   now before the beginning    -> beginning now, end taken anew
 *   now at or behind the end    -> closed at its end; the next one began at the newest missed end
 *
 * epoch_step does this in memory for readers and writers alike; only writers store it, so what an
 * admin is shown and what a grant is decided on cannot differ.
 */
#include "control-plane/ledger/epoch.h"

#include "common/guard.h"
#include "control-plane/ledger/alerts.h"
#include "control-plane/ledger/recovery.h"

/* One step: what was, and what of it must be written. */
struct step {
    struct book closed; /* the book that ended */
    uint64_t closed_epoch;
    int64_t noted_ms; /* the end that is noted for the old state */
    bool ended, changed;
};

static void take_definition(struct epoch *epoch, const struct rule *rule)
{
    struct counter *counter = &epoch->counter;
    counter->stamp = rule->stamp;
    counter->strict = rule->def.mode == LIMIT_MODE_STRICT;
    counter->alert = rule->def.alert;
    counter->burst = rule->def.burst;
    counter->limit = rule->def.value;
    epoch->book.loose = epoch->book.loose || !counter->strict;
    if (epoch->book.limit != rule->def.value)
        book_set_limit(&epoch->book, rule->def.value);
}

/* The end of the current epoch after the rule of its periods was changed at some time in it. */
static void take_periods(struct epoch *epoch, const struct rule *rule, int64_t now_ms)
{
    int64_t from_ms = rule->changed_ms;
    uint64_t mark = rule_period_mark(rule);
    if (mark == epoch->counter.period_mark)
        return;
    if (from_ms < epoch->book.started_ms)
        from_ms = epoch->book.started_ms;
    if (from_ms > now_ms)
        from_ms = now_ms;
    epoch->counter.period_mark = mark;
    if (from_ms < epoch->book.ends_ms) /* else it had ended before */
        epoch->book.ends_ms = rule_period_end(rule, from_ms);
}

static void begin_epoch(struct epoch *epoch, int64_t begin_ms, int64_t end_ms, int64_t now_ms)
{
    uint64_t next = epoch->counter.epoch + 1, now = now_ms > 0 ? (uint64_t)now_ms : 0;
    epoch->counter.epoch = next > now ? next : now;
    epoch->book =
        (struct book){.started_ms = begin_ms, .ends_ms = end_ms, .loose = !epoch->counter.strict};
    book_set_limit(&epoch->book, epoch->counter.limit);
}

static void end_epoch(struct epoch *epoch, int64_t at_ms, struct step *step)
{
    step->ended = true;
    step->closed = epoch->book;
    step->closed.closed_ms = at_ms;
    step->closed_epoch = epoch->counter.epoch;
}

/* A period that ended before the store was restored: the epoch behind it may have been begun
 * already, by a store that is no more. Waits until nodes have told. */
static enum status end_waits(struct kv_txn *txn, const struct epoch *epoch, int64_t now_ms,
                             bool *waits)
{
    struct recovery recovery;
    TRY(recovery_get(txn, &recovery));
    *waits = epoch->book.ends_ms <= recovery.restored_ms &&
             recovery_holds(&recovery, epoch->counter.strict, now_ms);
    return ST_OK;
}

static enum status epoch_step(struct kv_txn *txn, struct arena *arena, int64_t now_ms,
                              struct epoch *epoch, struct step *step)
{
    struct rule rule;
    uint64_t stamp;
    *step = (struct step){.noted_ms = epoch->book.ends_ms};
    TRY(rule_stamp(txn, &epoch->counter.owner, &stamp));
    bool early = now_ms < epoch->book.started_ms;
    if (stamp == epoch->counter.stamp && now_ms < epoch->book.ends_ms && !early)
        return ST_OK;
    TRY(rule_find(txn, arena, &epoch->counter.owner, &rule));
    step->changed = true;
    take_definition(epoch, &rule);
    take_periods(epoch, &rule, now_ms);
    if (early) {
        epoch->book.started_ms = now_ms;
        epoch->book.ends_ms = rule_period_end(&rule, now_ms);
    }
    if (now_ms < epoch->book.ends_ms)
        return ST_OK;
    bool waits;
    TRY(end_waits(txn, epoch, now_ms, &waits));
    if (waits)
        return ST_OK;
    int64_t begin_ms, end_ms, at_ms = epoch->book.ends_ms;
    rule_period_at(&rule, at_ms, now_ms, &begin_ms, &end_ms);
    end_epoch(epoch, at_ms, step);
    begin_epoch(epoch, begin_ms, end_ms, now_ms);
    epoch->counter.last_reset_ms = begin_ms;
    return ST_OK;
}

/* --- rows --- */

/* What was settled before there was an epoch belongs to the first one. */
static enum status adopt_zero(struct kv_txn *txn, struct epoch *epoch)
{
    struct book zero;
    enum status status = book_get(txn, &epoch->id, 0, &zero);
    if (status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    int64_t amount = zero.settled - zero.adopted;
    epoch->book.settled = book_sum(epoch->book.settled, amount);
    epoch->book.adopted = book_sum(epoch->book.adopted, amount);
    zero.adopted = zero.settled;
    return book_put(txn, &epoch->id, 0, &zero);
}

/* A budget that this store has never seen may have been used before it was restored. */
static enum status first_waits(struct write_op *op, const struct epoch *epoch)
{
    struct recovery recovery;
    TRY(recovery_get(op->txn, &recovery));
    bool holds = epoch->counter.owner.ref.window == LIMIT_BUDGET &&
                 recovery_holds(&recovery, epoch->counter.strict, op->now_ms);
    return holds ? ST_AGAIN : ST_OK;
}

/* A counter without a row. Books that exist all the same come from what nodes told after a
 * restore; the newest goes on if its period has not ended. `made`: it is not such a one. */
static enum status first_epoch(struct kv_txn *txn, struct arena *arena,
                               const struct rule_owner *owner, int64_t now_ms, struct epoch *epoch,
                               bool *made)
{
    struct rule rule;
    uint64_t newest;
    TRY(rule_find(txn, arena, owner, &rule));
    *epoch = (struct epoch){.id = counter_name(owner), .counter = {.owner = *owner}};
    enum status status = book_newest(txn, &epoch->id, UINT64_MAX, &newest);
    if (status != ST_OK && status != ST_NOT_FOUND)
        return status;
    *made = status == ST_NOT_FOUND || newest > INT64_MAX || (int64_t)newest > now_ms ||
            rule_period_end(&rule, (int64_t)newest) <= now_ms;
    epoch->counter.epoch = status == ST_OK ? newest : 0;
    if (*made)
        begin_epoch(epoch, now_ms, 0, now_ms);
    else
        TRY(book_get(txn, &epoch->id, newest, &epoch->book));
    epoch->book.ends_ms = rule_period_end(&rule, epoch->book.started_ms);
    epoch->counter.period_mark = rule_period_mark(&rule);
    epoch->counter.strict = rule.def.mode == LIMIT_MODE_STRICT;
    epoch->book.loose = (!*made && epoch->book.loose) || !epoch->counter.strict;
    take_definition(epoch, &rule);
    return ST_OK;
}

static enum status load(struct kv_txn *txn, const struct id *id, struct epoch *epoch)
{
    epoch->id = *id;
    TRY(counter_get(txn, id, &epoch->counter));
    enum status status = book_get(txn, id, epoch->counter.epoch, &epoch->book);
    return status == ST_NOT_FOUND ? ST_BAD_FORMAT : status;
}

/* --- telling --- */

static enum status tell(struct write_op *op, const struct epoch *epoch, enum alert_kind kind,
                        uint64_t number, int64_t figure, int64_t used)
{
    int64_t ends_ms = epoch->book.ends_ms;
    const struct alert alert = {.kind = kind,
                                .counter = epoch->id,
                                .epoch = number,
                                .ref = epoch->counter.owner.ref,
                                .workspace = epoch->counter.owner.workspace,
                                .figure = figure,
                                .used = used,
                                .limit = epoch->counter.limit,
                                .resets_at_ms = ends_ms == INT64_MAX ? 0 : ends_ms};
    return alerts_add(op, &alert);
}

enum status epoch_tell(struct write_op *op, struct epoch *epoch)
{
    const struct counter *counter = &epoch->counter;
    struct book *book = &epoch->book;
    int64_t used = book_sum(book->settled, book->lost);
    if (counter->owner.ref.window != LIMIT_BUDGET || used <= 0)
        return ST_OK;
    if (counter->alert > 0 && used >= counter->alert && book->told_alert != counter->alert) {
        book->told_alert = counter->alert;
        TRY(tell(op, epoch, ALERT_THRESHOLD, counter->epoch, counter->alert, used));
    }
    if (used >= counter->limit && book->told_limit != counter->limit) {
        book->told_limit = counter->limit;
        TRY(tell(op, epoch, ALERT_LIMIT, counter->epoch, counter->limit, used));
    }
    return ST_OK;
}

static enum status tell_end(struct write_op *op, const struct epoch *epoch, const struct step *step)
{
    int64_t used = book_sum(step->closed.settled, step->closed.lost);
    if (epoch->counter.owner.ref.window != LIMIT_BUDGET || used <= 0)
        return ST_OK;
    return tell(op, epoch, ALERT_RESET, step->closed_epoch, used, used);
}

/* --- writing --- */

static enum status write_epoch(struct write_op *op, struct epoch *epoch)
{
    TRY(epoch_tell(op, epoch));
    TRY(book_put(op->txn, &epoch->id, epoch->counter.epoch, &epoch->book));
    TRY(book_end_note(op->txn, &epoch->id, epoch->book.ends_ms));
    return counter_put(op->txn, &epoch->id, &epoch->counter);
}

static enum status write_step(struct write_op *op, struct epoch *epoch, const struct step *step)
{
    if (!step->changed)
        return ST_OK;
    TRY(book_end_forget(op->txn, &epoch->id, step->noted_ms));
    if (step->ended) {
        TRY(book_put(op->txn, &epoch->id, step->closed_epoch, &step->closed));
        TRY(tell_end(op, epoch, step));
    }
    return write_epoch(op, epoch);
}

/* --- looking and opening --- */

enum status epoch_look(struct kv_txn *txn, struct arena *arena, const struct rule_owner *owner,
                       int64_t now_ms, struct epoch *epoch)
{
    struct id id = counter_name(owner);
    struct step step;
    bool made;
    enum status status = load(txn, &id, epoch);
    if (status == ST_OK)
        return epoch_step(txn, arena, now_ms, epoch, &step);
    if (status != ST_NOT_FOUND)
        return status;
    TRY(first_epoch(txn, arena, owner, now_ms, epoch, &made));
    if (made)
        epoch->counter.epoch = 0;
    return ST_OK;
}

static enum status open_loaded(struct write_op *op, struct epoch *epoch)
{
    struct limit_ref *ref = &epoch->counter.owner.ref;
    struct step step;
    ref->value_key = arena_str(op->arena, ref->value_key); /* it outlives the next write */
    if (ref->value_key.p == NULL)
        return ST_NO_MEMORY;
    TRY(epoch_step(op->txn, op->arena, op->now_ms, epoch, &step));
    return write_step(op, epoch, &step);
}

enum status epoch_open_id(struct write_op *op, const struct id *id, struct epoch *epoch)
{
    TRY(load(op->txn, id, epoch));
    return open_loaded(op, epoch);
}

enum status epoch_open(struct write_op *op, const struct rule_owner *owner, struct epoch *epoch)
{
    struct id id = counter_name(owner);
    bool made;
    enum status status = load(op->txn, &id, epoch);
    if (status == ST_OK)
        return open_loaded(op, epoch);
    if (status != ST_NOT_FOUND)
        return status;
    TRY(first_epoch(op->txn, op->arena, owner, op->now_ms, epoch, &made));
    TRY(first_waits(op, epoch));
    TRY(adopt_zero(op->txn, epoch));
    return write_epoch(op, epoch);
}

enum status epoch_renew(struct write_op *op, struct epoch *epoch)
{
    struct step step = {.changed = true, .noted_ms = epoch->book.ends_ms};
    struct rule rule;
    if (GUARD_OFF("reset"))
        return ST_OK;
    TRY(rule_find(op->txn, op->arena, &epoch->counter.owner, &rule));
    end_epoch(epoch, op->now_ms, &step);
    begin_epoch(epoch, op->now_ms, rule_period_end(&rule, op->now_ms), op->now_ms);
    epoch->counter.last_reset_ms = op->now_ms;
    return write_step(op, epoch, &step);
}

enum status epoch_adopt(struct write_op *op, struct epoch *epoch, uint64_t number)
{
    struct step step = {.changed = true, .noted_ms = epoch->book.ends_ms};
    struct recovery recovery;
    struct rule rule;
    TRY(recovery_get(op->txn, &recovery));
    if (number <= epoch->counter.epoch || number > INT64_MAX ||
        (int64_t)number > recovery.restored_ms)
        return ST_OK;
    TRY(rule_find(op->txn, op->arena, &epoch->counter.owner, &rule));
    int64_t begun_ms = (int64_t)number;
    end_epoch(epoch, begun_ms < epoch->book.ends_ms ? begun_ms : epoch->book.ends_ms, &step);
    TRY(book_get_or_new(op->txn, &epoch->id, number, &epoch->book));
    epoch->counter.epoch = number;
    epoch->counter.last_reset_ms = begun_ms;
    epoch->book.started_ms = begun_ms;
    epoch->book.ends_ms = rule_period_end(&rule, begun_ms);
    epoch->book.loose = epoch->book.loose || !epoch->counter.strict;
    book_set_limit(&epoch->book, epoch->counter.limit);
    TRY(write_step(op, epoch, &step));
    return open_loaded(op, epoch); /* its period may have ended meanwhile */
}
