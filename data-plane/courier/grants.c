/* grants.c: rows of the counter table and their names; what workers and the collector say.
 *
 *   chains by the counter's first bytes: head -> row -> row; a counter has several rows while an
 * epoch that is over still has attempts in flight
 *
 * Invariant: of one (counter, epoch) there is at most one row, and a counter that is being handed
 * back is not opened anew until the control plane has answered: its totals begin at 0 then.
 */
#include "data-plane/courier/grants_internal.h"

#include <stdlib.h>

#include "data-plane/usage.h"

#define GRANTS_NONE UINT32_MAX

/* --- life --- */

static uint32_t head_of(const struct grants *grants, const struct id *counter)
{
    uint32_t first;
    memcpy(&first, counter->b, sizeof first);
    return first & grants->head_mask;
}

static void link_row(struct grants *grants, uint32_t at)
{
    uint32_t head = head_of(grants, &grants_counter(grants, at)->id);
    grants->rows[at].next = grants->heads[head];
    grants->heads[head] = at + 1;
    grants->used++;
}

static void unlink_row(struct grants *grants, uint32_t at)
{
    uint32_t *from = &grants->heads[head_of(grants, &grants_counter(grants, at)->id)];
    while (*from != at + 1)
        from = &grants->rows[*from - 1].next;
    *from = grants->rows[at].next;
    grants->used--;
}

enum status grants_new(const struct segment *segment, const struct grants_calls *calls,
                       struct grants **out)
{
    struct grants *grants = calloc(1, sizeof *grants);
    uint32_t heads = 64;
    if (grants == NULL)
        return ST_NO_MEMORY;
    while (heads < segment->counter_count)
        heads *= 2;
    grants->magic = GRANTS_MAGIC;
    grants->segment = *segment;
    grants->calls = *calls;
    grants->head_mask = heads - 1;
    pthread_mutex_init(&grants->lock, NULL);
    grants->rows = calloc(segment->counter_count, sizeof *grants->rows);
    grants->todo = calloc(segment->counter_count, sizeof *grants->todo);
    grants->heads = calloc(heads, sizeof *grants->heads);
    if (grants->rows == NULL || grants->todo == NULL || grants->heads == NULL) {
        grants_free(grants);
        return ST_NO_MEMORY;
    }
    for (uint32_t at = 0; at < segment_counters_used(segment); at++) {
        if (grants_state(grants, at) == COUNTER_FREE)
            continue;
        grants->rows[at].keep = -1;
        grants->rows[at].fix_first = 1;
        /* What the control plane heard last is not known, nor whether it gave something that was
         * not heard. */
        grants->rows[at].ask = true;
        grants->rows[at].sent_ms = grants_get(&grants_counter(grants, at)->heard_ms) + 1;
        link_row(grants, at);
        grants_todo(grants, at);
    }
    *out = grants;
    return ST_OK;
}

void grants_free(struct grants *grants)
{
    if (grants == NULL)
        return;
    CHECK_OBJ(grants, GRANTS_MAGIC);
    for (uint32_t at = 0; grants->rows != NULL && at < grants->segment.counter_count; at++) {
        free(grants->rows[at].ref);
        free(grants->rows[at].fixes);
    }
    grants->magic = 0;
    pthread_mutex_destroy(&grants->lock);
    free(grants->rows);
    free(grants->todo);
    free(grants->heads);
    free(grants);
}

void grants_todo(struct grants *grants, uint32_t at)
{
    if (grants->rows[at].todo)
        return;
    grants->rows[at].todo = true;
    grants->todo[grants->todo_count++] = at;
}

uint32_t grants_used(struct grants *grants)
{
    pthread_mutex_lock(&grants->lock);
    uint32_t used = grants->used;
    pthread_mutex_unlock(&grants->lock);
    return used;
}

/* --- rows --- */

bool grants_is_over(const struct counter *counter, const struct grants_now *now)
{
    int64_t ends_ms = grants_get(&counter->ends_ms);
    return ends_ms != 0 && now->utc_ms >= ends_ms;
}

uint32_t grants_find(const struct grants *grants, const struct id *counter, uint64_t epoch)
{
    for (uint32_t at = grants->heads[head_of(grants, counter)]; at != 0;
         at = grants->rows[at - 1].next) {
        const struct counter *row = grants_counter(grants, at - 1);
        if (id_eq(&row->id, counter) && row->epoch == epoch)
            return at - 1;
    }
    return GRANTS_NONE;
}

uint32_t grants_current(const struct grants *grants, const struct grants_now *now,
                        const struct id *counter)
{
    for (uint32_t at = grants->heads[head_of(grants, counter)]; at != 0;
         at = grants->rows[at - 1].next) {
        const struct counter *row = grants_counter(grants, at - 1);
        if (id_eq(&row->id, counter) && grants_state(grants, at - 1) == COUNTER_LIVE &&
            !grants_is_over(row, now))
            return at - 1;
    }
    return GRANTS_NONE;
}

static uint32_t find_free(struct grants *grants)
{
    for (uint32_t i = 0; i < grants->segment.counter_count; i++) {
        uint32_t at = (grants->next_free + i) % grants->segment.counter_count;
        if (grants_state(grants, at) == COUNTER_FREE) {
            grants->next_free = at + 1;
            return at;
        }
        if (at >= segment_counters_used(&grants->segment))
            break;
    }
    return GRANTS_NONE;
}

/* What columns hold of a FREE row is balanced (grants_close_row): it is where the next use begins.
 */
static int64_t base_of(const struct grants *grants, uint32_t at)
{
    int64_t base = 0;
    for (uint32_t column = 0; column < grants->segment.columns; column++) {
        const struct account *account = segment_account(&grants->segment, column, at);
        base = grants_add(base,
                          grants_less(grants_get(&account->given), grants_get(&account->returned)));
    }
    return base;
}

static void reset_row(struct grants *grants, uint32_t at, const struct id *id)
{
    struct counter *counter = grants_counter(grants, at);
    counter->id = *id;
    counter->epoch = 0;
    counter->level = counter->measure = counter->window = 0;
    counter->verdict = COUNTER_UNHEARD;
    counter->limit = counter->settled = counter->outstanding = 0;
    counter->ends_ms = counter->lease_until_ms = counter->heard_ms = counter->retry_at_ms = 0;
    counter->value = counter->anew_ms = 0;
    counter->granted = counter->returned = counter->adopted = 0;
    counter->base = base_of(grants, at);
    counter->recall_keeper = COUNTER_KEEPER_NONE;
    uint32_t generation = (counter->generation + 1) & 0xFFFF;
    atomic_store(&counter->generation, generation == 0 ? 1 : generation);
}

uint32_t grants_take_row(struct grants *grants, const struct id *id, const struct ipc_counter *ref)
{
    uint32_t at = find_free(grants);
    if (at == GRANTS_NONE)
        return at;
    struct row *row = &grants->rows[at];
    struct ipc_counter *copy = NULL;
    if (ref != NULL) {
        copy = malloc(sizeof *copy);
        if (copy == NULL)
            return GRANTS_NONE;
        *copy = *ref;
    }
    *row = (struct row){.ref = copy, .keep = -1, .fix_first = 1};
    reset_row(grants, at, id);
    struct counter *counter = grants_counter(grants, at);
    if (ref != NULL) {
        counter->level = ref->level;
        counter->measure = ref->measure;
        counter->window = ref->window;
        counter->value = ref->value;
        counter->anew_ms = ref->anew_ms;
    }
    if (at >= segment_counters_used(&grants->segment))
        atomic_store(&grants->segment.head->status.counters_high, at + 1);
    atomic_store(&counter->state, COUNTER_LIVE);
    link_row(grants, at);
    return at;
}

void grants_free_row(struct grants *grants, uint32_t at)
{
    struct row *row = &grants->rows[at];
    unlink_row(grants, at);
    free(row->ref);
    free(row->fixes);
    *row = (struct row){.todo = row->todo};
    atomic_store(&grants_counter(grants, at)->state, COUNTER_FREE);
    atomic_store(&grants->segment.head->status.counters_tight, 0);
}

/* --- from workers --- */

/* A counter that is being closed goes on, unless the control plane was told already. */
static uint32_t revive(struct grants *grants, const struct grants_now *now,
                       const struct id *counter, bool *leaving)
{
    *leaving = false;
    for (uint32_t at = grants->heads[head_of(grants, counter)]; at != 0;
         at = grants->rows[at - 1].next) {
        struct counter *row = grants_counter(grants, at - 1);
        uint32_t state = grants_state(grants, at - 1);
        if (!id_eq(&row->id, counter) || grants_is_over(row, now))
            continue;
        *leaving = *leaving || state == COUNTER_LEAVING;
        if (state == COUNTER_CLOSING) {
            grants->rows[at - 1].unused_ms = 0;
            atomic_store(&row->state, COUNTER_LIVE);
            return at - 1;
        }
    }
    return GRANTS_NONE;
}

static void answer(const struct grants *grants, uint32_t worker, const struct id *counter,
                   enum status status, uint32_t at)
{
    struct ipc_row message = {
        .head = {IPC_COUNTER_ROW, 0}, .counter = *counter, .status = (uint32_t)status, .row = at};
    if (status == ST_OK)
        message.generation = grants_counter(grants, at)->generation;
    grants->calls.tell(grants->calls.arg, worker, &message, sizeof message);
}

/* The definition moved on, or the courier did: names it again, with its reference. */
static void renew_ref(struct grants *grants, uint32_t at, const struct ipc_counter *counter)
{
    struct row *row = &grants->rows[at];
    struct counter *shared = grants_counter(grants, at);
    bool changed = shared->value != counter->value || shared->anew_ms != counter->anew_ms;
    if (row->ref == NULL && (row->ref = malloc(sizeof *row->ref)) == NULL)
        return;
    *row->ref = *counter;
    shared->level = counter->level;
    shared->measure = counter->measure;
    shared->window = counter->window;
    grants_put(&shared->value, counter->value);
    grants_put(&shared->anew_ms, counter->anew_ms);
    if (changed)
        atomic_store(&shared->verdict, COUNTER_UNHEARD); /* what was said is about another */
    if (changed || shared->heard_ms == 0 || shared->verdict == COUNTER_GONE) {
        row->ask = true;
        grants_todo(grants, at);
        grants->calls.wake(grants->calls.arg);
    }
}

static void open_locked(struct grants *grants, const struct grants_now *now, uint32_t worker,
                        const struct ipc_counter *counter)
{
    bool leaving = false;
    uint32_t at = grants_current(grants, now, &counter->counter);
    if (at == GRANTS_NONE)
        at = revive(grants, now, &counter->counter, &leaving);
    if (at == GRANTS_NONE && leaving)
        return; /* asked again in a moment, when it has been handed back */
    if (at != GRANTS_NONE) {
        renew_ref(grants, at, counter);
    } else {
        at = grants_take_row(grants, &counter->counter, counter);
        if (at == GRANTS_NONE) {
            atomic_store(&grants->segment.head->status.counters_tight, 1);
            answer(grants, worker, &counter->counter, ST_OVERLOADED, 0);
            return;
        }
        grants->rows[at].ask = true; /* no waking: the wish that follows says how much */
        grants_todo(grants, at);
    }
    answer(grants, worker, &counter->counter, ST_OK, at);
}

void grants_open(struct grants *grants, const struct grants_now *now, uint32_t worker,
                 const struct ipc_counter *counter)
{
    CHECK_OBJ(grants, GRANTS_MAGIC);
    if (worker >= grants->segment.workers || counter->value_key_n > IPC_VALUE_KEY)
        return;
    pthread_mutex_lock(&grants->lock);
    open_locked(grants, now, worker, counter);
    pthread_mutex_unlock(&grants->lock);
}

void grants_wish(struct grants *grants, const struct grants_now *now, uint32_t at)
{
    CHECK_OBJ(grants, GRANTS_MAGIC);
    pthread_mutex_lock(&grants->lock);
    if (at < segment_counters_used(&grants->segment) && grants_state(grants, at) != COUNTER_FREE) {
        grants->rows[at].wished = true;
        grants_deal(grants, now, at);
        grants_close_row(grants, now, at);
    }
    pthread_mutex_unlock(&grants->lock);
}

/* --- corrections of rates --- */

static void add_fix(struct grants *grants, uint32_t at, int64_t utc_ms, int64_t add)
{
    struct row *row = &grants->rows[at];
    if (add == 0)
        return;
    if (row->fixes == NULL && (row->fixes = calloc(GRANTS_FIXES_MAX, sizeof *row->fixes)) == NULL)
        return;
    if (row->fix_count == GRANTS_FIXES_MAX) {
        row->fixes[row->fix_count - 1].add = grants_add(row->fixes[row->fix_count - 1].add, add);
        return;
    }
    row->fixes[row->fix_count++] = (struct fix){utc_ms, add};
    grants_todo(grants, at);
}

void grants_fix(struct grants *grants, const struct ipc_fix *fix)
{
    CHECK_OBJ(grants, GRANTS_MAGIC);
    pthread_mutex_lock(&grants->lock);
    if (fix->row < segment_counters_used(&grants->segment) && fix->add < 0 &&
        grants_state(grants, fix->row) != COUNTER_FREE &&
        grants_counter(grants, fix->row)->generation == fix->generation)
        add_fix(grants, fix->row, fix->utc_ms, fix->add);
    pthread_mutex_unlock(&grants->lock);
}

static int64_t tokens_of(const struct slot *slot)
{
    struct price_usage usage;
    usage_unpack(&usage, slot->counts,
                 slot->count_n < SLOT_COUNTS_MAX ? slot->count_n : SLOT_COUNTS_MAX);
    return (int64_t)(usage_input_tokens(&usage) + usage_output_tokens(&usage));
}

void grants_journaled(struct grants *grants, const struct slot *slot,
                      const bool untold[SLOT_RESERVES_MAX])
{
    CHECK_OBJ(grants, GRANTS_MAGIC);
    if (slot->reserve_count == 0)
        return;
    pthread_mutex_lock(&grants->lock);
    for (uint32_t i = 0; i < slot->reserve_count && i < SLOT_RESERVES_MAX; i++) {
        uint32_t at = SLOT_ROW_INDEX(slot->reserve_row[i]);
        if (at >= segment_counters_used(&grants->segment) || slot->reserve_amount[i] < 0)
            continue;
        struct counter *counter = grants_counter(grants, at);
        if (counter->generation != SLOT_ROW_GENERATION(slot->reserve_row[i]) ||
            grants_state(grants, at) == COUNTER_FREE)
            continue;
        if (slot->reserve_kind[i] == SLOT_RESERVE_RATE)
            add_fix(grants, at, slot->reserved_utc_ms, tokens_of(slot) - slot->reserve_amount[i]);
        else if (untold[i])
            grants_put(&counter->adopted,
                       grants_add(grants_get(&counter->adopted), slot->reserve_amount[i]));
    }
    pthread_mutex_unlock(&grants->lock);
}

void grants_close_column(struct grants *grants, const struct grants_now *now, uint32_t column)
{
    CHECK_OBJ(grants, GRANTS_MAGIC);
    pthread_mutex_lock(&grants->lock);
    slots_close_dead(&grants->segment, column);
    for (uint32_t at = 0; at < segment_counters_used(&grants->segment); at++) {
        if (grants_state(grants, at) == COUNTER_FREE)
            continue;
        grants_deal(grants, now, at);
        grants_close_row(grants, now, at);
    }
    pthread_mutex_unlock(&grants->lock);
}

void grants_end(struct grants *grants, const struct grants_now *now)
{
    CHECK_OBJ(grants, GRANTS_MAGIC);
    pthread_mutex_lock(&grants->lock);
    grants->ending = true;
    for (uint32_t at = 0; at < segment_counters_used(&grants->segment); at++)
        if (grants_state(grants, at) != COUNTER_FREE)
            grants_close_row(grants, now, at);
    grants->calls.wake(grants->calls.arg);
    pthread_mutex_unlock(&grants->lock);
}
