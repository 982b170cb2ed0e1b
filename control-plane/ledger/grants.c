/* grants.c: one request of a node, row by row.
 *
 *   boot heard (a late request is refused)   boot.c
 *   each row: counter -> current epoch       epoch.c     gone: UNKNOWN
 *             report: granted, returned      take_report
 *             an epoch that is over          answered so; what is wanted goes to the current one
 *             size of the grant              lend*.c
 *             holding, book                  written, then answered
 *
 * Invariant: what is lent never exceeds what was free in the same transaction, and the answer tells
 * only what that transaction commits. A node's word can make what it holds larger only by what it
 * says it was granted (a store that was restored has forgotten that), and smaller only by what it
 * returns.
 */
#include "control-plane/ledger/grants.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/wire.h"
#include "control-plane/ledger/boot.h"
#include "control-plane/ledger/lend.h"
#include "control-plane/ledger/lost.h"

#define GRANTS_ARENA_BYTES ((size_t)1 << 20)

static enum status begin_recovery(struct write_op *op, void *arg)
{
    const struct grants_options *options = arg;
    return recovery_begin(op, options->node_lost_after_ms);
}

enum status grants_new(const struct grants_options *options, struct grants **out)
{
    struct grants_options copy = *options;
    struct arena arena;
    arena_init(&arena, GRANTS_ARENA_BYTES);
    enum status status = writer_run(options->writer, NULL, &arena, begin_recovery, &copy, NULL);
    arena_free(&arena);
    TRY(status);
    struct grants *grants = calloc(1, sizeof *grants);
    if (grants == NULL)
        return ST_NO_MEMORY;
    grants->magic = GRANTS_MAGIC;
    grants->options = *options;
    grants->time_offset_ms = clock_utc_ms() - clock_mono_ms();
    grants->started_ms = grants_time(grants);
    *out = grants;
    return ST_OK;
}

void grants_free(struct grants *grants)
{
    if (grants == NULL)
        return;
    CHECK_OBJ(grants, GRANTS_MAGIC);
    grants->magic = 0;
    free(grants);
}

int64_t grants_time(const struct grants *grants)
{
    return clock_mono_ms() + grants->time_offset_ms;
}

bool grants_reachable(const struct grants *grants, const struct id *node, uint64_t boot)
{
    return grants->options.reachable(grants->options.arg, node, boot);
}

/* --- one row --- */

struct row {
    struct write_op *op;
    struct grants_work *work;
    const Sluice__Grant *asked;
    struct holding_name name;
    struct epoch epoch;
    int64_t time_ms;
};

static bool amount_ok(uint64_t amount)
{
    return amount <= (uint64_t)GRANTS_AMOUNT_MAX;
}

/* Corrections are numbered, in pairs, and of amounts that can be added up. */
static bool corrections_ok(const Sluice__Grant *asked)
{
    if (asked->n_bucket_ms != asked->n_bucket_add || asked->n_bucket_ms > GRANTS_CORRECTIONS_MAX ||
        (asked->n_bucket_ms > 0 && asked->corrections == 0))
        return false;
    for (size_t i = 0; i < asked->n_bucket_add; i++)
        if (asked->bucket_add[i] > GRANTS_AMOUNT_MAX || asked->bucket_add[i] < -GRANTS_AMOUNT_MAX)
            return false;
    return true;
}

/* Could a node say this? */
static bool row_ok(const Sluice__Grant *asked)
{
    return asked->counter.len == ID_BYTES && amount_ok(asked->wanted) && amount_ok(asked->need) &&
           amount_ok(asked->granted) && amount_ok(asked->spent) && amount_ok(asked->returned) &&
           asked->spent + asked->returned <= asked->granted && corrections_ok(asked) &&
           (asked->epoch != 0 || asked->ref != NULL);
}

/* The owner that a ref names; its name must be the counter's. ST_BAD_FORMAT. */
static enum status read_ref(const Sluice__Grant *asked, struct rule_owner *out)
{
    const Sluice__CounterRef *ref = asked->ref;
    struct rule_owner owner = {.ref = {.level = (uint8_t)ref->level,
                                       .measure = (uint8_t)ref->measure,
                                       .window = (uint8_t)ref->window,
                                       .nth = (uint8_t)ref->nth,
                                       .value_key = str_c(ref->value_key)}};
    if (ref->level > UINT8_MAX || ref->measure > UINT8_MAX || ref->window > UINT8_MAX ||
        ref->nth > UINT8_MAX || owner.ref.value_key.n > LIMIT_VALUE_KEY)
        return ST_BAD_FORMAT;
    TRY(wire_id(&ref->org, &owner.ref.org));
    TRY(wire_id(&ref->entity, &owner.ref.entity));
    TRY(wire_id(&ref->second, &owner.ref.second));
    TRY(wire_id(&ref->workspace, &owner.workspace));
    struct id id = counter_name(&owner);
    if (!str_eq(id_bytes(&id), wire_str(&asked->counter)))
        return ST_BAD_FORMAT;
    *out = owner;
    return ST_OK;
}

static enum status open_row(struct row *row)
{
    struct rule_owner owner;
    TRY(wire_id(&row->asked->counter, &row->name.counter));
    if (row->asked->ref == NULL)
        return epoch_open_id(row->op, &row->name.counter, &row->epoch);
    TRY(read_ref(row->asked, &owner));
    return epoch_open(row->op, &owner, &row->epoch);
}

static enum status add_reply(struct row *row, Sluice__Grant **out)
{
    Sluice__GrantsReply *reply = row->work->reply;
    Sluice__Grant *grant = arena_alloc(row->op->arena, sizeof *grant);
    if (grant == NULL)
        return ST_NO_MEMORY;
    sluice__grant__init(grant);
    grant->counter = row->asked->counter;
    grant->epoch = row->name.epoch;
    reply->grants[reply->n_grants++] = grant;
    *out = grant;
    return ST_OK;
}

static void fill_reply(Sluice__Grant *grant, const struct holding *holding, const struct book *book)
{
    grant->granted = (uint64_t)holding->granted;
    grant->returned = (uint64_t)holding->returned;
    grant->limit = book->limit;
    grant->settled = book_sum(book->settled, book->lost);
    grant->outstanding = book->outstanding;
    grant->epoch_ends_ms = book->closed_ms != 0         ? book->closed_ms
                           : book->ends_ms == INT64_MAX ? 0
                                                        : book->ends_ms;
}

/* --- reports --- */

static void report_idle(struct holding *holding)
{
    if ((holding->flags & HOLDING_IDLE) != 0)
        return;
    *holding = (struct holding){.ghost = holding_rest(holding),
                                .heard_ms = holding->heard_ms,
                                .flags = (holding->flags & HOLDING_STORED) | HOLDING_IDLE};
}

static bool is_rate(const struct row *row)
{
    return limit_window_ms((enum limit_window)row->epoch.counter.owner.ref.window) > 0;
}

/* What the node says of an epoch it holds. Gives what was newly spent of a rate. */
static int64_t take_report(const struct row *row, struct holding *holding)
{
    const Sluice__Grant *asked = row->asked;
    int64_t granted = (int64_t)asked->granted, returned = (int64_t)asked->returned;
    int64_t spent = is_rate(row) ? (int64_t)asked->spent - holding->used : 0;
    bool again = asked->idle && (holding->flags & HOLDING_IDLE) != 0;
    holding->heard_ms = row->time_ms;
    holding->flags &= (uint8_t) ~(HOLDING_LOST | HOLDING_CLOSED); /* it is there */
    if (again)
        return 0; /* its totals were set back already */
    if (granted > holding->granted) {
        log_warn("grant_unknown_here", LOG_ID("node", &row->name.node),
                 LOG_ID("counter", &row->name.counter), LOG_I64("known", holding->granted),
                 LOG_I64("told", granted));
        holding->granted = granted;
    }
    if (returned > holding->returned)
        holding->returned = returned;
    if (spent > 0)
        holding->used += spent;
    holding->flags &= (uint8_t)~HOLDING_IDLE;
    holding->flags |= HOLDING_ACTIVE;
    if (asked->idle)
        report_idle(holding);
    return spent > 0 ? spent : 0;
}

/* The book that a report is about, if it is worth one: not of an epoch that was over and is
 * forgotten, nor of a limit that is gone and of which nothing was granted. */
static enum status report_book(const struct row *row, bool over, struct book *book, bool *none)
{
    *none = row->name.epoch == 0;
    if (*none)
        return ST_OK;
    enum status status = book_get(row->op->txn, &row->name.counter, row->name.epoch, book);
    *none = status == ST_NOT_FOUND && (over || row->asked->granted == 0);
    if (*none)
        return ST_OK;
    if (status == ST_NOT_FOUND)
        return book_get_or_new(row->op->txn, &row->name.counter, row->name.epoch, book);
    return status;
}

/* A report about an epoch that is `over`, or of a limit that is gone: nothing is lent. */
static enum status report_only(struct row *row, bool over, Sluice__GrantVerdict verdict)
{
    struct holding before, after;
    struct book book;
    Sluice__Grant *grant;
    bool none;
    row->name.epoch = row->asked->epoch;
    TRY(add_reply(row, &grant));
    grant->verdict = verdict;
    grant->retry_after_ms = verdict == SLUICE__GRANT_VERDICT__GRANT_WAIT ? GRANTS_SOON_MS : 0;
    grant->granted = row->asked->granted;
    grant->returned = row->asked->returned;
    grant->epoch_ends_ms = over ? row->op->now_ms : 0;
    TRY(report_book(row, over, &book, &none));
    if (none)
        return ST_OK;
    TRY(holding_get_or_new(row->op->txn, &row->name, &before));
    after = before;
    (void)take_report(row, &after);
    after.flags &= (uint8_t)~HOLDING_ACTIVE;
    TRY(holding_put(row->op->txn, &row->name, &before, &after, &book));
    TRY(lost_moved(row->op, &row->name, &before, &after));
    book_let_fall(&book);
    if (after.granted > before.granted)
        book_learn(&book);
    fill_reply(grant, &after, &book);
    return book_put(row->op->txn, &row->name.counter, row->name.epoch, &book);
}

/* --- lending --- */

static enum status lend_by_kind(struct lend *lend, struct lent *lent)
{
    switch ((enum limit_window)lend->epoch->counter.owner.ref.window) {
    case LIMIT_BUDGET:
        return lend_budget(lend, lent);
    case LIMIT_NOW:
        return lend_permits(lend, lent);
    default:
        return lend_rate(lend, lent);
    }
}

static enum status reply_lent(struct row *row, const struct holding *holding,
                              const struct lent *lent)
{
    Sluice__Grant *grant;
    TRY(add_reply(row, &grant));
    fill_reply(grant, holding, &row->epoch.book);
    grant->verdict = lent->verdict;
    grant->retry_after_ms = lent->retry_after_ms;
    grant->lease_ms = lent->lease_ms;
    if (is_rate(row)) {
        grant->settled = lent->used;
        grant->corrections = holding->corrections;
    }
    return ST_OK;
}

/* Lends of the current epoch. `reported`: the row's totals are of it; else the node has none yet.
 */
static enum status lend_row(struct row *row, bool reported, int64_t need, int64_t wanted)
{
    struct book *book = &row->epoch.book;
    struct holding before, after;
    struct lent lent;
    int64_t spent = 0, known = 0;
    row->name.epoch = row->epoch.counter.epoch;
    TRY(holding_get_or_new(row->op->txn, &row->name, &before));
    after = before;
    if (reported) {
        spent = take_report(row, &after);
        known = row->asked->idle ? 0 : (int64_t)row->asked->granted;
    } else {
        after.heard_ms = row->time_ms; /* it is there, with totals that begin at 0 if it let go */
        after.flags &= (uint8_t)~(HOLDING_LOST | HOLDING_CLOSED | HOLDING_IDLE);
        after.flags |= HOLDING_ACTIVE;
    }
    holding_move(&before, &after, book);
    book_let_fall(book);
    if (after.granted > before.granted)
        book_learn(book);
    TRY(lost_moved(row->op, &row->name, &before, &after));
    int64_t unheard = after.granted - known;
    struct lend lend = {.op = row->op,
                        .work = row->work,
                        .epoch = &row->epoch,
                        .name = row->name,
                        .asked = reported ? row->asked : NULL,
                        .holding = &after,
                        .rest = holding_rest(&after),
                        .spent = spent,
                        .need = need > unheard ? need - unheard : 0,
                        .wanted = wanted > unheard ? wanted - unheard : 0,
                        .time_ms = row->time_ms};
    TRY(lend_by_kind(&lend, &lent));
    struct holding lender = after;
    after.granted += lent.give;
    TRY(holding_put(row->op->txn, &row->name, &lender, &after, book));
    CHECK(lent.give == 0 || book_taken(book) <= book->limit);
    TRY(book_put(row->op->txn, &row->name.counter, row->name.epoch, book));
    return reply_lent(row, &after, &lent);
}

/* Nothing can be lent of this counter; the node's report is taken all the same. */
static enum status answer_none(struct row *row, enum status status)
{
    bool restoring = recovery_holds(&row->work->recovery, true, row->op->now_ms);
    if (status == ST_NOT_FOUND && !(restoring && row->asked->ref == NULL))
        return report_only(row, false, SLUICE__GRANT_VERDICT__GRANT_UNKNOWN);
    if (status == ST_NOT_FOUND || status == ST_AGAIN)
        return report_only(row, false, SLUICE__GRANT_VERDICT__GRANT_WAIT);
    if (status != ST_INVALID && status != ST_TOO_LARGE)
        return status;
    log_error("limit_unreadable", LOG_ID("counter", &row->name.counter), LOG_STATUS(status));
    return report_only(row, false, SLUICE__GRANT_VERDICT__GRANT_EXHAUSTED);
}

static enum status answer_row(struct row *row)
{
    const Sluice__Grant *asked = row->asked;
    int64_t need = asked->idle ? 0 : (int64_t)asked->need;
    int64_t wanted = asked->idle ? 0 : (int64_t)asked->wanted;
    enum status status = open_row(row);
    if (status == ST_OK && asked->epoch > row->epoch.counter.epoch)
        status = epoch_adopt(row->op, &row->epoch, asked->epoch);
    if (status != ST_OK)
        return answer_none(row, status);
    bool over = asked->epoch != 0 && asked->epoch != row->epoch.counter.epoch;
    if (over)
        TRY(report_only(row, true, SLUICE__GRANT_VERDICT__GRANT_EXHAUSTED));
    if (over && need == 0 && wanted == 0)
        return ST_OK;
    return lend_row(row, asked->epoch == row->epoch.counter.epoch, need, wanted);
}

/* After a restore: has this node said everything it holds? */
static enum status answer_recovery(struct write_op *op, struct grants_work *work)
{
    const struct id *node = &work->asker->node;
    bool said;
    if (work->request->all)
        TRY(recovery_say(op, &work->recovery, node));
    TRY(recovery_said(op->txn, &work->recovery, node, &said));
    work->reply->say_all = !said;
    return ST_OK;
}

enum status grants_answer_op(struct write_op *op, void *arg)
{
    struct grants_work *work = arg;
    const Sluice__GrantsRequest *request = work->request;
    const struct grants_asker *asker = work->asker;
    int64_t time_ms = grants_time(work->grants);
    op->no_revision = true;
    sluice__grants_reply__init(work->reply);
    work->reply->grants =
        arena_calloc(op->arena, 2 * request->n_grants + 1, sizeof *work->reply->grants);
    if (work->reply->grants == NULL)
        return ST_NO_MEMORY;
    TRY(recovery_get(op->txn, &work->recovery));
    TRY(boot_hear(op, &asker->node, asker->boot, asker->counter, time_ms));
    if (request->ended_boot != 0 && request->ended_boot != asker->boot)
        TRY(boot_end(op, &asker->node, request->ended_boot, request->ended_through));
    for (size_t i = 0; i < request->n_grants; i++) {
        struct row row = {.op = op,
                          .work = work,
                          .asked = request->grants[i],
                          .name = {.node = asker->node, .boot = asker->boot},
                          .time_ms = time_ms};
        TRY(answer_row(&row));
    }
    work->reply->utc_ms = op->now_ms;
    return answer_recovery(op, work);
}

enum status grants_answer(struct grants *grants, const struct grants_asker *asker,
                          const Sluice__GrantsRequest *request, struct arena *arena,
                          Sluice__GrantsReply *reply)
{
    CHECK_OBJ(grants, GRANTS_MAGIC);
    struct grants_work work = {
        .grants = grants, .asker = asker, .request = request, .reply = reply};
    if (request->n_grants > GRANTS_ROWS_MAX)
        return ST_TOO_LARGE;
    for (size_t i = 0; i < request->n_grants; i++)
        if (!row_ok(request->grants[i]))
            return ST_BAD_FORMAT;
    TRY(writer_run(grants->options.writer, NULL, arena, grants_answer_op, &work, NULL));
    if (work.recall_count > 0)
        grants->options.recall(grants->options.arg, work.recalls, work.recall_count);
    return ST_OK;
}
