/* grants_ask.c: what is said to the control plane about each row, when, and what its answers
 * change.
 *
 *   a row is named when        as soon as / again after
 *     nobody has told its epoch        at once / GRANTS_ASK_MS
 *     a request or wish lacks some     at once; after EXHAUSTED GRANTS_ASK_MS, after WAIT as it
 * says something was returned           at once a rate was spent from            an eighth of its
 * lease a lease is in use                half of it (rates), a third (permits) its definition
 * changed           at once it is handed back (LEAVING)      at once / GRANTS_ASK_MS, until it is
 * answered
 *
 * Invariant: a report is cumulative and never takes back; an answer is taken only for the row it
 * names, and `granted` never falls.
 */
#include "common/log.h"
#include "common/wire.h"
#include "data-plane/courier/grants_internal.h"

#define AMOUNT_MAX    (INT64_MAX / 8) /* beyond it the control plane calls it nonsense */
#define FIX_MS        200
#define LACK_MS       50 /* a need that an answer did not cover is told again */
#define RATE_LEAST_MS 20
#define SCANT_PART    8 /* a wish of which less was granted is told again ... */
#define SCANT_MS      250 /* ... after this time: the limit is near */
#define NEVER         INT64_MAX

/* --- when --- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* It was refused for a larger need: so much is left. */
static bool is_left(const struct counter *counter, int64_t missing)
{
    int64_t taken = grants_add(grants_get(&counter->settled), grants_get(&counter->outstanding));
    return missing <= grants_less(grants_get(&counter->limit), taken);
}

/* When may what is lacking be asked for? A wish is told once; a request that waits, until it has
 * what it needs or is gone. */
static int64_t due_of_lack(const struct counter *counter, const struct row *row,
                           const struct row_sums *sums)
{
    int64_t heard_ms = grants_get(&counter->heard_ms);
    bool waits = sums->need > sums->pool && sums->need > 0;
    if (!waits && (!row->wished || sums->wants <= sums->pool))
        return NEVER;
    if (heard_ms < row->sent_ms)
        return row->sent_ms + GRANTS_ASK_MS; /* the last question was not answered */
    switch ((enum counter_verdict)counter->verdict) {
    case COUNTER_EXHAUSTED:
        return waits && is_left(counter, grants_less(sums->need, sums->pool))
                   ? row->sent_ms + LACK_MS
                   : heard_ms + GRANTS_ASK_MS;
    case COUNTER_SCARCE:
        return grants_get(&counter->retry_at_ms);
    case COUNTER_GONE:
        return NEVER;
    case COUNTER_UNHEARD:
    case COUNTER_OPEN:
        break;
    }
    if (waits)
        return row->wished ? 0 : row->sent_ms + LACK_MS;
    return row->scant_until_ms;
}

static int64_t due_of_lease(const struct counter *counter, const struct row *row,
                            const struct row_sums *sums)
{
    int64_t due = NEVER;
    if (row->lease_ms == 0)
        return due;
    if (grants_is_rate(counter) && sums->spent != row->said_spent) {
        int64_t step = row->lease_ms / 8;
        due = row->sent_ms + (step > RATE_LEAST_MS ? step : RATE_LEAST_MS);
    }
    if (sums->users > 0)
        due = earlier(due, row->sent_ms + row->lease_ms / (grants_is_rate(counter) ? 2 : 3));
    return due;
}

static int64_t due_of(const struct grants *grants, uint32_t at, const struct row_sums *sums)
{
    const struct row *row = &grants->rows[at];
    const struct counter *counter = grants_counter(grants, at);
    bool live = grants_state(grants, at) == COUNTER_LIVE;
    int64_t due = NEVER;
    if (row->ask)
        return counter->epoch == 0 && row->ref == NULL ? NEVER : 0;
    if (counter->epoch == 0)
        return row->ref == NULL ? NEVER : row->sent_ms + GRANTS_ASK_MS;
    if (grants_state(grants, at) == COUNTER_LEAVING)
        return row->sent_ms + GRANTS_ASK_MS;
    if (grants_get(&counter->returned) != row->said_returned)
        due =
            row->sent_returned == grants_get(&counter->returned) ? row->sent_ms + GRANTS_ASK_MS : 0;
    if (live) {
        due = earlier(due, due_of_lack(counter, row, sums));
        due = earlier(due, due_of_lease(counter, row, sums));
    }
    if (row->fix_count > 0)
        due = earlier(due, row->sent_ms + FIX_MS);
    return due;
}

/* --- what is said --- */

static char *value_key_of(struct arena *arena, const struct ipc_counter *ref)
{
    return arena_cstr(arena, str_of(ref->value_key, ref->value_key_n));
}

static enum status add_ref(struct arena *arena, const struct ipc_counter *ref, Sluice__Grant *grant)
{
    Sluice__CounterRef *out = arena_alloc(arena, sizeof *out);
    if (out == NULL)
        return ST_NO_MEMORY;
    sluice__counter_ref__init(out);
    out->org = wire_id_data(&ref->org);
    out->level = ref->level;
    out->entity = wire_id_data(&ref->entity);
    out->second = wire_id_data(&ref->second);
    out->workspace = wire_id_data(&ref->workspace);
    out->measure = ref->measure;
    out->window = ref->window;
    out->nth = ref->nth;
    out->value_key = value_key_of(arena, ref);
    grant->ref = out;
    return out->value_key == NULL ? ST_NO_MEMORY : ST_OK;
}

static enum status add_fixes(struct arena *arena, const struct row *row, Sluice__Grant *grant)
{
    if (row->fix_count == 0)
        return ST_OK;
    grant->bucket_ms = arena_calloc(arena, row->fix_count, sizeof *grant->bucket_ms);
    grant->bucket_add = arena_calloc(arena, row->fix_count, sizeof *grant->bucket_add);
    if (grant->bucket_ms == NULL || grant->bucket_add == NULL)
        return ST_NO_MEMORY;
    for (uint32_t i = 0; i < row->fix_count; i++) {
        grant->bucket_ms[i] = (uint64_t)row->fixes[i].utc_ms;
        grant->bucket_add[i] = row->fixes[i].add;
    }
    grant->n_bucket_ms = grant->n_bucket_add = row->fix_count;
    grant->corrections = row->fix_first;
    return ST_OK;
}

static uint64_t amount(int64_t value)
{
    return (uint64_t)(value < 0 ? 0 : value < AMOUNT_MAX ? value : AMOUNT_MAX);
}

static enum status say_row(struct grants *grants, const struct grants_now *now, uint32_t at,
                           const struct row_sums *sums, struct arena *arena, Sluice__Grant *grant)
{
    struct row *row = &grants->rows[at];
    const struct counter *counter = grants_counter(grants, at);
    int64_t granted = grants_get(&counter->granted), returned = grants_get(&counter->returned);
    bool lends = grants_state(grants, at) == COUNTER_LIVE && !grants_is_over(counter, now);
    struct id *id = arena_alloc(arena, sizeof *id);
    sluice__grant__init(grant);
    if (id == NULL)
        return ST_NO_MEMORY;
    *id = counter->id;
    returned = returned < granted ? returned : granted;
    int64_t spent = sums->spent < granted - returned ? sums->spent : granted - returned;
    grant->counter = wire_id_data(id);
    grant->epoch = counter->epoch;
    grant->granted = amount(granted);
    grant->returned = amount(returned);
    grant->spent = grants_is_rate(counter) ? amount(spent) : 0;
    if (lends) {
        grant->need = amount(sums->need > 0 ? grants_less(sums->need, sums->pool) : 0);
        grant->wanted = amount(grants_less(sums->wants, sums->pool));
    }
    grant->idle = grants_state(grants, at) == COUNTER_LEAVING;
    if (row->ref != NULL && (counter->epoch == 0 || row->ask))
        TRY(add_ref(arena, row->ref, grant));
    TRY(add_fixes(arena, row, grant));
    row->ask = row->wished = false;
    row->sent_ms = now->mono_ms;
    row->sent_idle = grant->idle;
    row->sent_returned = grants_get(&counter->returned);
    row->sent_spent = sums->spent;
    row->sent_wanted = lends ? grants_less(sums->wants, sums->pool) : 0;
    return ST_OK;
}

/* A refusal that was held back until workers had returned what they could. */
static void settle_verdict(struct grants *grants, const struct grants_now *now, uint32_t at,
                           const struct row_sums *sums)
{
    struct row *row = &grants->rows[at];
    struct counter *counter = grants_counter(grants, at);
    if (row->verdict_due_ms == 0 || (sums->need > 0 && now->mono_ms < row->verdict_due_ms))
        return;
    row->verdict_due_ms = 0;
    if (sums->need == 0)
        return;
    grants_put(&counter->heard_ms, now->mono_ms);
    atomic_store(&counter->verdict, COUNTER_EXHAUSTED);
    grants_ring(grants, at);
}

/* Time makes rows over, unused, or lapsed. */
static void scan(struct grants *grants, const struct grants_now *now)
{
    if (now->mono_ms - grants->scanned_ms < GRANTS_ASK_MS)
        return;
    grants->scanned_ms = now->mono_ms;
    for (uint32_t at = 0; at < segment_counters_used(&grants->segment); at++) {
        if (grants_state(grants, at) == COUNTER_FREE)
            continue;
        grants_deal(grants, now, at);
        grants_close_row(grants, now, at);
        if (grants_state(grants, at) != COUNTER_FREE)
            grants_todo(grants, at);
    }
}

static enum status fill(struct grants *grants, const struct grants_now *now, struct arena *arena,
                        Sluice__GrantsRequest *request, int64_t *next_ms)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < grants->todo_count; i++) {
        uint32_t at = grants->todo[i];
        struct row_sums sums;
        grants->rows[at].todo = false;
        if (grants_state(grants, at) == COUNTER_FREE)
            continue;
        grants_sum(grants, at, &sums);
        settle_verdict(grants, now, at, &sums);
        int64_t due = due_of(grants, at, &sums);
        if (due <= now->mono_ms && request->n_grants < GRANTS_REQUEST_MAX) {
            Sluice__Grant *grant = arena_alloc(arena, sizeof *grant);
            if (grant == NULL || say_row(grants, now, at, &sums, arena, grant) != ST_OK)
                return ST_NO_MEMORY;
            request->grants[request->n_grants++] = grant;
            due = now->mono_ms + GRANTS_ASK_MS;
        }
        if (grants->rows[at].verdict_due_ms != 0)
            due = earlier(due, grants->rows[at].verdict_due_ms);
        if (due == NEVER)
            continue;
        *next_ms = earlier(*next_ms, due);
        grants->rows[at].todo = true;
        grants->todo[kept++] = at;
    }
    grants->todo_count = kept;
    return ST_OK;
}

enum status grants_request(struct grants *grants, const struct grants_now *now, struct arena *arena,
                           Sluice__GrantsRequest **out, unsigned *wait_ms)
{
    CHECK_OBJ(grants, GRANTS_MAGIC);
    Sluice__GrantsRequest *request = arena_alloc(arena, sizeof *request);
    int64_t next_ms = now->mono_ms + GRANTS_ASK_MS;
    if (request == NULL)
        return ST_NO_MEMORY;
    sluice__grants_request__init(request);
    request->grants = arena_calloc(arena, GRANTS_REQUEST_MAX, sizeof *request->grants);
    if (request->grants == NULL)
        return ST_NO_MEMORY;
    pthread_mutex_lock(&grants->lock);
    scan(grants, now);
    enum status status = fill(grants, now, arena, request, &next_ms);
    pthread_mutex_unlock(&grants->lock);
    *wait_ms = next_ms > now->mono_ms ? (unsigned)(next_ms - now->mono_ms) : 0;
    *out = request;
    TRY(status);
    return request->n_grants > 0 ? ST_OK : ST_END;
}

/* --- what is answered --- */

static uint32_t verdict_of(Sluice__GrantVerdict verdict)
{
    switch (verdict) {
    case SLUICE__GRANT_VERDICT__GRANT_EXHAUSTED:
        return COUNTER_EXHAUSTED;
    case SLUICE__GRANT_VERDICT__GRANT_WAIT:
        return COUNTER_SCARCE;
    case SLUICE__GRANT_VERDICT__GRANT_UNKNOWN:
        return COUNTER_GONE;
    default:
        return COUNTER_OPEN;
    }
}

/* A row for an epoch that nobody asked for by name: the counter moved on meanwhile. */
static uint32_t row_for_next(struct grants *grants, const struct id *counter, uint64_t epoch)
{
    uint32_t at = grants_find(grants, counter, 0), known = UINT32_MAX;
    if (at != UINT32_MAX)
        return at;
    for (uint32_t i = 0; i < segment_counters_used(&grants->segment) && known == UINT32_MAX; i++)
        if (grants_state(grants, i) != COUNTER_FREE &&
            id_eq(&grants_counter(grants, i)->id, counter))
            known = i;
    if (known == UINT32_MAX)
        return known;
    struct ipc_counter ref = {.counter = *counter}, *copy = grants->rows[known].ref;
    const struct counter *old = grants_counter(grants, known);
    if (copy != NULL)
        ref = *copy;
    at = grants_take_row(grants, counter, copy == NULL ? NULL : &ref);
    if (at == UINT32_MAX) {
        log_warn("counter_table_full", LOG_U64("epoch", epoch));
        return at;
    }
    struct counter *made = grants_counter(grants, at);
    made->level = old->level;
    made->measure = old->measure;
    made->window = old->window;
    made->value = grants_get(&old->value);
    made->anew_ms = grants_get(&old->anew_ms);
    return at;
}

/* The row that an answer is about. An unnamed one turns out to be an epoch that we have a row of:
 * that one goes on. */
static uint32_t row_of_answer(struct grants *grants, const struct id *counter, uint64_t epoch)
{
    uint32_t at = grants_find(grants, counter, epoch);
    uint32_t unnamed = epoch == 0 ? UINT32_MAX : grants_find(grants, counter, 0);
    if (at == UINT32_MAX)
        return row_for_next(grants, counter, epoch);
    if (unnamed != UINT32_MAX && grants_state(grants, at) <= COUNTER_CLOSING) {
        atomic_store(&grants_counter(grants, unnamed)->state, COUNTER_CLOSING);
        atomic_store(&grants_counter(grants, at)->state, COUNTER_LIVE);
        grants_todo(grants, unnamed);
    }
    return at;
}

static void take_fixes(struct row *row, uint64_t applied)
{
    if (applied < row->fix_first)
        return;
    uint64_t done = applied - row->fix_first + 1;
    uint32_t gone = done < row->fix_count ? (uint32_t)done : row->fix_count;
    memmove(row->fixes, row->fixes + gone, (row->fix_count - gone) * sizeof *row->fixes);
    row->fix_count -= gone;
    row->fix_first += gone;
}

static int64_t figure(int64_t value)
{
    return value < 0 ? 0 : value;
}

static void take_figures(struct grants *grants, const struct grants_now *now, int64_t sent_ms,
                         const Sluice__Grant *answer, uint32_t at)
{
    struct counter *counter = grants_counter(grants, at);
    struct row *row = &grants->rows[at];
    int64_t granted =
        answer->granted < (uint64_t)AMOUNT_MAX ? (int64_t)answer->granted : AMOUNT_MAX;
    if (answer->epoch != 0)
        counter->epoch = answer->epoch;
    int64_t more = grants_less(granted, grants_get(&counter->granted));
    bool scant = answer->lease_ms == 0 && more < row->sent_wanted / SCANT_PART;
    row->scant_until_ms = scant ? now->mono_ms + SCANT_MS : 0;
    if (more > 0)
        grants_put(&counter->granted, granted);
    grants_put(&counter->limit, figure(answer->limit));
    grants_put(&counter->settled, figure(answer->settled));
    grants_put(&counter->outstanding, figure(answer->outstanding));
    grants_put(&counter->ends_ms, figure(answer->epoch_ends_ms));
    row->lease_ms = answer->lease_ms;
    grants_put(&counter->lease_until_ms, answer->lease_ms == 0 ? 0 : sent_ms + answer->lease_ms);
    grants_put(&counter->retry_at_ms,
               answer->retry_after_ms == 0 ? 0 : now->mono_ms + answer->retry_after_ms);
    row->said_returned = row->sent_returned;
    row->said_spent = row->sent_spent;
    take_fixes(row, answer->corrections);
    row->verdict_due_ms = 0;
    grants_put(&counter->heard_ms, now->mono_ms);
    /* Asked before the definition changed: what is said is not about it. */
    atomic_store(&counter->verdict, row->ask ? COUNTER_UNHEARD : verdict_of(answer->verdict));
}

/* What came is dealt out; who still lacks something hears the verdict, but not before other workers
 * have had the time to return what they hold. */
static void take_answer(struct grants *grants, const struct grants_now *now, uint32_t at)
{
    struct counter *counter = grants_counter(grants, at);
    struct row_sums sums;
    if (counter->verdict == COUNTER_EXHAUSTED)
        grants->rows[at].recalled_ms = 0; /* all depends on what the workers have */
    grants_deal(grants, now, at);
    grants_sum(grants, at, &sums);
    if (counter->verdict == COUNTER_EXHAUSTED && sums.need > 0 && sums.rests > 0) {
        grants->rows[at].verdict_due_ms = now->mono_ms + GRANTS_RECALL_MS;
        grants_put(&counter->retry_at_ms, now->mono_ms + GRANTS_RECALL_MS);
        atomic_store(&counter->verdict, COUNTER_SCARCE);
        return;
    }
    if (sums.need > 0 || counter->verdict == COUNTER_GONE || grants_is_over(counter, now))
        grants_ring(grants, at);
}

/* It was named before it was handed back: what came with the answer goes back as well. */
static void take_late(struct grants *grants, const struct grants_now *now, int64_t sent_ms,
                      const Sluice__Grant *answer, uint32_t at)
{
    struct counter *counter = grants_counter(grants, at);
    struct row_sums sums;
    take_figures(grants, now, sent_ms, answer, at);
    grants_sum(grants, at, &sums);
    if (sums.pool > 0)
        grants_put(&counter->returned, grants_add(grants_get(&counter->returned), sums.pool));
    grants->rows[at].ask = true;
    grants_todo(grants, at);
}

static void take_one(struct grants *grants, const struct grants_now *now, int64_t sent_ms,
                     const Sluice__Grant *answer)
{
    struct id id;
    if (id_from_bytes(wire_str(&answer->counter), &id) != ST_OK)
        return;
    uint32_t at = row_of_answer(grants, &id, answer->epoch);
    if (at == UINT32_MAX)
        return;
    if (grants_state(grants, at) == COUNTER_LEAVING && grants->rows[at].sent_idle) {
        grants_free_row(grants, at);
        return;
    }
    if (grants_state(grants, at) == COUNTER_LEAVING) {
        take_late(grants, now, sent_ms, answer, at);
        return;
    }
    bool first = grants_get(&grants_counter(grants, at)->heard_ms) == 0;
    take_figures(grants, now, sent_ms, answer, at);
    take_answer(grants, now, at);
    if (first)
        grants_ring(grants, at);
    grants_close_row(grants, now, at);
    if (grants_state(grants, at) != COUNTER_FREE)
        grants_todo(grants, at);
}

void grants_reply(struct grants *grants, const struct grants_now *now, int64_t sent_ms,
                  const Sluice__GrantsRequest *request, const Sluice__GrantsReply *reply)
{
    CHECK_OBJ(grants, GRANTS_MAGIC);
    (void)request;
    pthread_mutex_lock(&grants->lock);
    for (size_t i = 0; reply != NULL && i < reply->n_grants; i++)
        take_one(grants, now, sent_ms, reply->grants[i]);
    pthread_mutex_unlock(&grants->lock);
}

void grants_recall(struct grants *grants, const struct grants_now *now,
                   const Sluice__Recall *recall)
{
    CHECK_OBJ(grants, GRANTS_MAGIC);
    struct id id;
    if (id_from_bytes(wire_str(&recall->counter), &id) != ST_OK || recall->epoch == 0)
        return;
    pthread_mutex_lock(&grants->lock);
    uint32_t at = grants_find(grants, &id, recall->epoch);
    if (at != UINT32_MAX) {
        grants->rows[at].keep =
            recall->keep < (uint64_t)AMOUNT_MAX ? (int64_t)recall->keep : AMOUNT_MAX;
        grants->rows[at].keep_until_ms = now->mono_ms + GRANTS_KEEP_MS;
        grants_deal(grants, now, at);
    }
    pthread_mutex_unlock(&grants->lock);
}
