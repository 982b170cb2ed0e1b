/* settle.c: events settle the epochs they reserved with.
 *
 *   reserve {counter, epoch E, amount}   book E:    settled + amount
 *                                        holding:   used + amount, so what is outstanding falls
 *   epoch 0 (the node was not told one)  book 0:    settled + amount
 *                                        and the epoch that was current then: settled, adopted
 *
 * Invariant: settled of a book is the sum of the reserves that name it (and what it adopted), in
 * the transaction that moves the journal's watermark, so it is counted exactly once. An epoch or a
 * counter that is not known is settled all the same: the event is true, whoever forgot the epoch.
 */
#include "control-plane/ledger/settle.h"

#include <stdlib.h>

#include "common/wire.h"
#include "control-plane/ledger/epoch.h"
#include "control-plane/ledger/lost.h"
#include "control-plane/ledger/recovery.h"

#define SETTLE_MIN_SLOTS 64u

bool settle_event_ok(const Sluice__UsageEvent *event)
{
    if (event->n_reserves > SETTLE_RESERVES_MAX || event->seq >= LEDGER_OWN_SEQ)
        return false;
    for (size_t i = 0; i < event->n_reserves; i++) {
        const Sluice__Reserve *reserve = event->reserves[i];
        if (reserve->counter.len != ID_BYTES || reserve->amount < 0 ||
            reserve->amount > SETTLE_AMOUNT_MAX)
            return false;
    }
    return true;
}

/* --- the table --- */

enum status settle_init(struct settle *settle, struct arena *arena, size_t max)
{
    *settle = (struct settle){.arena = arena, .max = max, .slot_count = SETTLE_MIN_SLOTS};
    settle->slots = arena_calloc(arena, settle->slot_count, sizeof *settle->slots);
    return settle->slots == NULL ? ST_NO_MEMORY : ST_OK;
}

/* Counters are hashes already. */
static struct settle_sum **settle_slot(struct settle_sum **slots, size_t slot_count,
                                       const struct id *counter, uint64_t epoch)
{
    uint64_t hash;
    memcpy(&hash, counter->b, sizeof hash);
    size_t at = (size_t)(hash ^ epoch * 0x9E3779B97F4A7C15u) & (slot_count - 1);
    while (slots[at] != NULL && (slots[at]->epoch != epoch || !id_eq(&slots[at]->counter, counter)))
        at = (at + 1) & (slot_count - 1);
    return &slots[at];
}

static enum status settle_grow(struct settle *settle)
{
    size_t slot_count = settle->slot_count * 2;
    struct settle_sum **slots = arena_calloc(settle->arena, slot_count, sizeof *slots);
    if (slots == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < settle->slot_count; i++) {
        struct settle_sum *sum = settle->slots[i];
        if (sum != NULL)
            *settle_slot(slots, slot_count, &sum->counter, sum->epoch) = sum;
    }
    settle->slots = slots;
    settle->slot_count = slot_count;
    return ST_OK;
}

static enum status settle_sum_of(struct settle *settle, const struct id *counter, uint64_t epoch,
                                 struct settle_sum **sum)
{
    if (settle->count * 2 >= settle->slot_count)
        TRY(settle_grow(settle));
    struct settle_sum **slot = settle_slot(settle->slots, settle->slot_count, counter, epoch);
    if (*slot == NULL) {
        if (settle->count == settle->max)
            return ST_TOO_LARGE;
        struct settle_sum *made = arena_calloc(settle->arena, 1, sizeof *made);
        if (made == NULL)
            return ST_NO_MEMORY;
        made->counter = *counter;
        made->epoch = epoch;
        *slot = made;
        settle->count++;
    }
    *sum = *slot;
    return ST_OK;
}

enum status settle_add(struct settle *settle, const Sluice__UsageEvent *event)
{
    bool lost =
        event->seq >= LEDGER_OWN_SEQ && event->source == SLUICE__USAGE_SOURCE__USAGE_SOURCE_LOST;
    for (size_t i = 0; i < event->n_reserves; i++) {
        const Sluice__Reserve *reserve = event->reserves[i];
        struct settle_sum *sum;
        struct id counter;
        TRY(wire_id(&reserve->counter, &counter));
        TRY(settle_sum_of(settle, &counter, reserve->epoch, &sum));
        if (lost)
            sum->lost = book_sum(sum->lost, reserve->amount);
        else
            sum->amount = book_sum(sum->amount, reserve->amount);
        if (event->at_ms > sum->at_ms)
            sum->at_ms = event->at_ms;
    }
    return ST_OK;
}

const struct settle_sum *settle_find(const struct settle *settle, const struct id *counter,
                                     uint64_t epoch)
{
    return *settle_slot(settle->slots, settle->slot_count, counter, epoch);
}

static int settle_cmp(const void *a, const void *b)
{
    const struct settle_sum *const *x = a, *const *y = b;
    int order = memcmp((*x)->counter.b, (*y)->counter.b, ID_BYTES);
    if (order != 0)
        return order;
    return ((*x)->epoch > (*y)->epoch) - ((*x)->epoch < (*y)->epoch);
}

enum status settle_sorted(const struct settle *settle, struct settle_sum ***out)
{
    struct settle_sum **sums = arena_calloc(settle->arena, settle->count + 1, sizeof *sums);
    size_t count = 0;
    if (sums == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < settle->slot_count; i++)
        if (settle->slots[i] != NULL)
            sums[count++] = settle->slots[i];
    qsort(sums, count, sizeof *sums, settle_cmp);
    *out = sums;
    return ST_OK;
}

/* --- settling --- */

static enum status settle_holding(struct write_op *op, const struct holding_name *name,
                                  int64_t amount, struct book *book)
{
    struct holding before, after;
    TRY(holding_get_or_new(op->txn, name, &before));
    after = before;
    after.used = book_sum(before.used, amount);
    TRY(holding_put(op->txn, name, &before, &after, book));
    return lost_moved(op, name, &before, &after);
}

/* Above the cap: what attempts of a standard budget cost beyond their estimates, what a restored
 * store had forgotten, or (`correction`) what attempts cost by a price that was put right. */
static enum status settle_learn(struct kv_txn *txn, struct book *book, bool correction)
{
    struct recovery recovery;
    TRY(recovery_get(txn, &recovery));
    if (correction || recovery.restored_ms != 0)
        book_learn(book);
    return ST_OK;
}

/* Adds to one epoch; `adopted`: it came with epoch 0. */
static enum status settle_epoch(struct write_op *op, const struct holding_name *name,
                                int64_t amount, bool adopted)
{
    struct book book;
    TRY(book_get_or_new(op->txn, &name->counter, name->epoch, &book));
    book.settled = book_sum(book.settled, amount);
    if (adopted)
        book.adopted = book_sum(book.adopted, amount);
    bool correction = id_is_none(&name->node);
    if (!correction)
        TRY(settle_holding(op, name, amount, &book));
    book_let_fall(&book);
    if (book_taken(&book) > book.cap)
        TRY(settle_learn(op->txn, &book, correction));
    return book_put(op->txn, &name->counter, name->epoch, &book);
}

/* The epoch that was current at at_ms: the newest, or the one before it if that had not begun. */
static enum status epoch_at(struct kv_txn *txn, const struct id *id, const struct counter *counter,
                            int64_t at_ms, uint64_t *epoch)
{
    struct book book;
    TRY(book_get(txn, id, counter->epoch, &book));
    *epoch = counter->epoch;
    if (at_ms >= book.started_ms)
        return ST_OK;
    enum status status = book_newest(txn, id, counter->epoch, epoch);
    return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status settle_zero(struct write_op *op, const struct settle_sum *sum,
                               const struct counter *counter, struct holding_name *name)
{
    struct book zero;
    TRY(book_get_or_new(op->txn, &sum->counter, 0, &zero));
    zero.settled = book_sum(zero.settled, sum->amount);
    if (counter != NULL) {
        zero.adopted = book_sum(zero.adopted, sum->amount);
        TRY(epoch_at(op->txn, &sum->counter, counter, sum->at_ms, &name->epoch));
        TRY(settle_epoch(op, name, sum->amount, true));
    }
    return book_put(op->txn, &sum->counter, 0, &zero);
}

/* Has a figure been reached that was not told, or was the definition changed since? */
static bool must_tell(struct kv_txn *txn, const struct counter *counter, const struct book *book)
{
    int64_t used = book_sum(book->settled, book->lost);
    uint64_t stamp;
    if (used >= counter->limit && book->told_limit != counter->limit)
        return true;
    if (counter->alert > 0 && used >= counter->alert && book->told_alert != counter->alert)
        return true;
    return rule_stamp(txn, &counter->owner, &stamp) == ST_OK && stamp != counter->stamp;
}

/* What settling reached is told in the same transaction. An entity that is gone is not told of. */
static enum status settle_tell(struct write_op *op, const struct id *id,
                               const struct counter *counter)
{
    struct epoch epoch;
    struct book book;
    TRY(book_get(op->txn, id, counter->epoch, &book));
    if (!must_tell(op->txn, counter, &book))
        return ST_OK;
    enum status status = epoch_open_id(op, id, &epoch);
    if (status == ST_NOT_FOUND || status == ST_INVALID || status == ST_TOO_LARGE)
        return ST_OK;
    TRY(status);
    TRY(epoch_tell(op, &epoch));
    return book_put(op->txn, id, epoch.counter.epoch, &epoch.book);
}

/* An epoch that this store does not know: of the time between a backup and its restore. */
static enum status settle_adopt(struct write_op *op, const struct settle_sum *sum,
                                struct counter *counter)
{
    struct epoch epoch;
    enum status status = epoch_open_id(op, &sum->counter, &epoch);
    if (status == ST_OK)
        status = epoch_adopt(op, &epoch, sum->epoch);
    if (status == ST_NOT_FOUND || status == ST_INVALID || status == ST_TOO_LARGE)
        return ST_OK;
    TRY(status);
    *counter = epoch.counter;
    return ST_OK;
}

static enum status settle_one(struct write_op *op, const struct settle_sum *sum,
                              const struct id *node, uint64_t boot)
{
    struct holding_name name = {sum->counter, sum->epoch, node != NULL ? *node : ID_NONE, boot};
    struct counter counter;
    enum status status = counter_get(op->txn, &sum->counter, &counter);
    if (status != ST_OK && status != ST_NOT_FOUND)
        return status;
    bool known = status == ST_OK;
    if (known && counter.owner.ref.window != LIMIT_BUDGET)
        return ST_OK;
    if (known && sum->epoch > counter.epoch)
        TRY(settle_adopt(op, sum, &counter));
    counter.owner.ref.value_key = STR_NONE; /* it does not outlive the next write */
    if (sum->epoch == 0)
        TRY(settle_zero(op, sum, known ? &counter : NULL, &name));
    else
        TRY(settle_epoch(op, &name, sum->amount, false));
    return known ? settle_tell(op, &sum->counter, &counter) : ST_OK;
}

enum status settle_apply(const struct settle *settle, struct write_op *op, const struct id *node,
                         uint64_t boot)
{
    struct settle_sum **sums;
    TRY(settle_sorted(settle, &sums));
    for (size_t i = 0; i < settle->count; i++)
        TRY(settle_one(op, sums[i], node, boot));
    return ST_OK;
}

enum status settle_drop(const struct settle *settle, struct write_op *op)
{
    struct settle_sum **sums;
    TRY(settle_sorted(settle, &sums));
    for (size_t i = 0; i < settle->count; i++) {
        struct book book;
        enum status status = book_get(op->txn, &sums[i]->counter, sums[i]->epoch, &book);
        if (status == ST_NOT_FOUND)
            continue; /* of a rate, or let go of already */
        TRY(status);
        book.dropped = book_sum(book.dropped, sums[i]->amount);
        book.lost_dropped = book_sum(book.lost_dropped, sums[i]->lost);
        TRY(book_put(op->txn, &sums[i]->counter, sums[i]->epoch, &book));
    }
    return ST_OK;
}
