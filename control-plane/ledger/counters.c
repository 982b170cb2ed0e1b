/* counters.c: counters as the admin API sees them.
 *
 * A view is made of the current epoch as epoch.h has it at that moment and of nothing else, so what
 * is shown and what grants decide on are one state. Lists of a policy's entities walk its own rows,
 * at most COUNTERS_SCAN_MAX, and read the books of those they show (or must know the state of).
 */
#include "control-plane/ledger/counters.h"

#include "control-plane/ledger/epoch.h"
#include "control-plane/ledger/rate.h"

static struct rule_owner owner_of(const struct limit_ref *ref, const struct id *workspace)
{
    return (struct rule_owner){*ref, workspace == NULL ? ID_NONE : *workspace};
}

/* --- one counter --- */

static void view_fill(const struct epoch *epoch, int64_t used, struct counter_view *view)
{
    const struct counter *counter = &epoch->counter;
    const struct book *book = &epoch->book;
    *view = (struct counter_view){.counter = epoch->id,
                                  .measure = counter->owner.ref.measure,
                                  .window = counter->owner.ref.window,
                                  .nth = counter->owner.ref.nth,
                                  .strict = counter->strict,
                                  .epoch = counter->epoch,
                                  .limit = counter->limit,
                                  .alert = counter->alert,
                                  .used = used,
                                  .lost = book->lost,
                                  .outstanding = book->outstanding,
                                  .started_at_ms = counter->epoch == 0 ? 0 : book->started_ms,
                                  .resets_at_ms = book->ends_ms == INT64_MAX ? 0 : book->ends_ms,
                                  .last_reset_at_ms = counter->last_reset_ms};
    if (counter->owner.ref.window == LIMIT_NOW)
        view->outstanding = 0;
    view->remaining = view->used < view->limit ? view->limit - view->used : 0;
    view->exhausted = view->used >= view->limit;
    view->alerted = view->alert > 0 && view->used >= view->alert;
}

/* Of a rate: what the window that ends now holds. */
static enum status rate_used(struct kv_txn *txn, const struct epoch *epoch, int64_t window_ms,
                             int64_t now_ms, int64_t *used)
{
    struct rate rate;
    TRY(rate_get(txn, &epoch->id, epoch->counter.epoch, &rate));
    rate_advance(&rate, window_ms, now_ms);
    *used = rate_sum(&rate);
    return ST_OK;
}

static enum status view_of(struct kv_txn *txn, struct arena *arena, const struct rule_owner *owner,
                           int64_t now_ms, struct counter_view *view)
{
    struct epoch epoch;
    int64_t window_ms = limit_window_ms((enum limit_window)owner->ref.window), used;
    TRY(epoch_look(txn, arena, owner, now_ms, &epoch));
    if (window_ms > 0)
        TRY(rate_used(txn, &epoch, window_ms, now_ms, &used));
    else if (owner->ref.window == LIMIT_NOW)
        used = epoch.book.outstanding;
    else
        used = book_sum(epoch.book.settled, epoch.book.lost);
    view_fill(&epoch, used, view);
    return ST_OK;
}

enum status counters_of(struct kv_txn *txn, struct arena *arena, const struct limit_ref *ref,
                        const struct id *workspace, int64_t now_ms, struct counter_view *view)
{
    struct rule_owner owner = owner_of(ref, workspace);
    return view_of(txn, arena, &owner, now_ms, view);
}

/* All limits of an entity. A policy is of usage or of rates. */
static enum status rules_of(struct kv_txn *txn, struct arena *arena, struct rule_owner *owner,
                            struct rule_set *set)
{
    owner->ref.window = LIMIT_BUDGET;
    enum status status = rule_list(txn, arena, owner, set);
    if (status != ST_NOT_FOUND || owner->ref.level != LIMIT_POLICY)
        return status;
    owner->ref.window = LIMIT_SECOND;
    return rule_list(txn, arena, owner, set);
}

static void take_name(struct rule_owner *owner, const struct limit_def *def)
{
    owner->ref.measure = def->measure;
    owner->ref.window = def->window;
    owner->ref.nth = def->nth;
}

enum status counters_of_entity(struct kv_txn *txn, struct arena *arena, const struct limit_ref *ref,
                               const struct id *workspace, int64_t now_ms,
                               struct counter_view **views, size_t *count)
{
    struct rule_owner owner = owner_of(ref, workspace);
    struct rule_set set;
    TRY(rules_of(txn, arena, &owner, &set));
    struct counter_view *out = arena_calloc(arena, set.count + 1, sizeof *out);
    if (out == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < set.count; i++) {
        take_name(&owner, &set.defs[i]);
        TRY(view_of(txn, arena, &owner, now_ms, &out[i]));
    }
    *views = out;
    *count = set.count;
    return ST_OK;
}

/* --- resets --- */

static enum status reset_id(struct write_op *op, const struct id *id)
{
    struct epoch epoch;
    TRY(epoch_open_id(op, id, &epoch));
    return epoch_renew(op, &epoch);
}

static enum status reset_owner(struct write_op *op, const struct rule_owner *owner)
{
    struct id id = counter_name(owner);
    struct counter counter;
    struct rule rule;
    TRY(rule_find(op->txn, op->arena, owner, &rule));
    enum status status = counter_get(op->txn, &id, &counter);
    if (status == ST_NOT_FOUND)
        return ST_OK;
    return status == ST_OK ? reset_id(op, &id) : status;
}

enum status counters_reset(struct write_op *op, const struct limit_ref *ref,
                           const struct id *workspace)
{
    struct rule_owner owner = owner_of(ref, workspace);
    return reset_owner(op, &owner);
}

enum status counters_reset_entity(struct write_op *op, const struct limit_ref *ref,
                                  const struct id *workspace)
{
    struct rule_owner owner = owner_of(ref, workspace);
    struct rule_set set;
    TRY(rules_of(op->txn, op->arena, &owner, &set));
    for (size_t i = 0; i < set.count; i++) {
        take_name(&owner, &set.defs[i]);
        if (set.defs[i].window == LIMIT_BUDGET)
            TRY(reset_owner(op, &owner));
    }
    return ST_OK;
}

/* --- entities of a policy --- */

static void policy_key(struct key *key, const struct id *policy)
{
    book_key(key, BOOK_OF_POLICY);
    key_add_id(key, policy);
}

enum status counters_reset_value(struct write_op *op, const struct id *org, const struct id *policy,
                                 const struct id *entity)
{
    struct counter counter;
    TRY(counter_get(op->txn, entity, &counter));
    const struct limit_ref *ref = &counter.owner.ref;
    if (ref->level != LIMIT_POLICY || !id_eq(&ref->org, org) || !id_eq(&ref->entity, policy))
        return ST_NOT_FOUND;
    return reset_id(op, entity);
}

struct policy_walk {
    struct kv_txn *txn;
    struct arena *arena;
    const struct counter_question *question;
    int64_t now_ms;
    struct counter_page *page;
};

static bool state_fits(enum counter_state state, const struct counter_view *view)
{
    return state == COUNTER_ANY || (state == COUNTER_EXHAUSTED) == view->exhausted;
}

/* A counter of a definition that the policy no longer has is passed over, like one of another
 * policy's organisation. */
static enum status policy_row(struct policy_walk *walk, const struct id *id, struct str value_key)
{
    const struct counter_question *question = walk->question;
    struct counter_page *page = walk->page;
    struct counter_entity entity = {.id = *id};
    struct counter counter;
    bool wanted = page->total >= question->skip && page->count < question->limit;
    if (question->search.n > 0 && str_find(value_key, question->search) < 0)
        return ST_OK;
    if (question->state != COUNTER_ANY || wanted) {
        TRY(counter_get(walk->txn, id, &counter));
        enum status status =
            view_of(walk->txn, walk->arena, &counter.owner, walk->now_ms, &entity.view);
        if (status == ST_NOT_FOUND)
            return ST_OK;
        TRY(status);
        if (!state_fits(question->state, &entity.view))
            return ST_OK;
        wanted = page->total >= question->skip && page->count < question->limit;
    }
    page->total++;
    if (!wanted)
        return ST_OK;
    entity.value_key = arena_str(walk->arena, value_key);
    if (entity.value_key.p == NULL)
        return ST_NO_MEMORY;
    page->entities[page->count++] = entity;
    return ST_OK;
}

static enum status policy_rows(struct policy_walk *walk, const struct key *prefix)
{
    struct kv_cursor *cursor;
    struct str key, row;
    struct id id;
    size_t looked = 0;
    enum status status;
    TRY(kv_cursor_open(walk->txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, key_str(prefix));
    while ((status = kv_cursor_next(cursor, &key, &row)) == ST_OK &&
           str_starts(key, key_str(prefix))) {
        if (key.n == prefix->n)
            continue; /* how many there are */
        if (looked++ == COUNTERS_SCAN_MAX) {
            walk->page->cut = true;
            break;
        }
        status = id_from_bytes(str_from(key, prefix->n), &id) == ST_OK ? ST_OK : ST_BAD_FORMAT;
        if (status == ST_OK)
            status = policy_row(walk, &id, row);
        if (status != ST_OK)
            break;
    }
    kv_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

enum status counters_of_policy(struct kv_txn *txn, struct arena *arena,
                               const struct counter_question *question, int64_t now_ms,
                               struct counter_page *out)
{
    struct counter_page page = {.count = 0};
    struct policy_walk walk = {txn, arena, question, now_ms, &page};
    struct rule_owner owner = {
        {.level = LIMIT_POLICY, .org = question->org, .entity = question->policy},
        question->workspace};
    struct rule_set rules;
    struct key prefix;
    if (question->limit > COUNTERS_PAGE_MAX)
        return ST_RANGE;
    TRY(rules_of(txn, arena, &owner, &rules));
    page.entities = arena_calloc(arena, question->limit + 1, sizeof *page.entities);
    if (page.entities == NULL)
        return ST_NO_MEMORY;
    policy_key(&prefix, &question->policy);
    TRY(policy_rows(&walk, &prefix));
    *out = page;
    return ST_OK;
}
