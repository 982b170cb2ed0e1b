/* limits_host.h: hosts with workers and a courier, and the control plane they borrow from, all in
 * one process and on a test clock, so that any of them can die between two steps and any message
 * can be lost.
 *
 *   struct plane   counters, epochs and holdings by the rules of proto/link.proto; the oracle of
 * what may be spent struct host    a segment, its workers (slots and limits), its books (grants),
 * its journal (a list of events)
 *
 * Used by limits_test.c and courier/grants_test.c. One thread.
 */
#ifndef SLUICE_TESTS_LIMITS_HOST_H
#define SLUICE_TESTS_LIMITS_HOST_H

#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/wire.h"
#include "data-plane/courier/grants.h"
#include "data-plane/courier/slot_event.h"
#include "data-plane/limits.h"

#define HOSTS_MAX    2
#define WORKERS_MAX  3
#define HOST_SLOTS   8
#define HOST_ROWS    64
#define COUNTERS_MAX 8
#define EPOCHS_MAX   64
#define QUEUE_MAX    512

/* --- the control plane --- */

struct holding {
    int64_t granted, returned, used, ghost;
    int64_t heard; /* what the host has heard of `granted`: a lost answer is nobody's fault */
    bool idle;
};
struct plane_epoch {
    int64_t settled, closed_ms; /* closed_ms 0: current */
    struct holding holdings[HOSTS_MAX];
};
struct plane_counter {
    struct cat_limit limit;
    bool strict, gone;
    uint32_t epochs; /* number of the current one, from 1 */
    struct plane_epoch epoch[EPOCHS_MAX];
    int64_t untold; /* settled with epoch 0: of the epoch that was current then */
    uint32_t lease_ms;
};
static struct plane {
    struct plane_counter counters[COUNTERS_MAX];
    size_t count;
    int64_t mono_ms, utc_ms;
    uint64_t recalls;
} plane;

static inline int64_t holding_rest(const struct holding *holding)
{
    int64_t rest = holding->granted + holding->ghost - holding->returned - holding->used;
    return rest > 0 ? rest : 0;
}

static inline int64_t plane_outstanding(const struct plane_epoch *epoch)
{
    int64_t sum = 0;
    for (size_t i = 0; i < HOSTS_MAX; i++)
        sum += holding_rest(&epoch->holdings[i]);
    return sum;
}

static inline struct plane_epoch *plane_now(struct plane_counter *counter)
{
    return &counter->epoch[counter->epochs - 1];
}

static inline struct plane_counter *plane_find(ProtobufCBinaryData id)
{
    for (size_t i = 0; i < plane.count; i++)
        if (str_eq(wire_str(&id), id_bytes(&plane.counters[i].limit.counter)))
            return &plane.counters[i];
    return NULL;
}

/* What must hold at every instant. */
static inline void plane_check(void)
{
    for (size_t i = 0; i < plane.count; i++) {
        struct plane_counter *counter = &plane.counters[i];
        bool is_budget = counter->limit.def.window == LIMIT_BUDGET;
        for (uint32_t e = 0; e < counter->epochs && is_budget && counter->strict; e++) {
            const struct plane_epoch *epoch = &counter->epoch[e];
            cr_assert_leq(epoch->settled + plane_outstanding(epoch), counter->limit.def.value,
                          "counter %zu, epoch %u: %ld settled, %ld outstanding", i, e + 1,
                          (long)epoch->settled, (long)plane_outstanding(epoch));
        }
    }
}

struct recall_order {
    Sluice__Recall recall;
    uint8_t id[ID_BYTES];
    bool due;
};
static struct recall_order recalls[HOSTS_MAX];

static inline void plane_recall(struct plane_counter *counter, size_t asker)
{
    struct plane_epoch *epoch = plane_now(counter);
    for (size_t i = 0; i < HOSTS_MAX; i++) {
        if (i == asker || holding_rest(&epoch->holdings[i]) == 0)
            continue;
        struct recall_order *order = &recalls[i];
        sluice__recall__init(&order->recall);
        memcpy(order->id, counter->limit.counter.b, ID_BYTES);
        order->recall.counter = (ProtobufCBinaryData){ID_BYTES, order->id};
        order->recall.epoch = counter->epochs;
        order->due = true;
        plane.recalls++;
    }
}

static inline void plane_lend(struct plane_counter *counter, size_t host,
                              const Sluice__Grant *asked, Sluice__Grant *answer)
{
    struct plane_epoch *epoch = plane_now(counter);
    struct holding *holding = &epoch->holdings[host];
    int64_t known = asked->epoch == counter->epochs && !asked->idle ? (int64_t)asked->granted : 0;
    int64_t unheard = holding->granted - known;
    int64_t need = asked->idle ? 0 : (int64_t)asked->need - unheard;
    int64_t wanted = asked->idle ? 0 : (int64_t)asked->wanted - unheard;
    int64_t free = counter->limit.def.value - epoch->settled - plane_outstanding(epoch);
    int64_t share = free / 8, give = wanted < share ? wanted : share;
    free = free > 0 ? free : 0;
    if (give < need)
        give = need;
    answer->verdict = SLUICE__GRANT_VERDICT__GRANT_OK;
    if (need > free) {
        give = counter->strict ? 0 : free;
        if (give == 0) {
            int64_t others = plane_outstanding(epoch) - holding_rest(holding);
            bool possible = others >= (counter->strict ? need - free : 1);
            answer->verdict = possible ? SLUICE__GRANT_VERDICT__GRANT_WAIT
                                       : SLUICE__GRANT_VERDICT__GRANT_EXHAUSTED;
            answer->retry_after_ms = possible ? 50 : 0;
            if (possible)
                plane_recall(counter, host);
        }
    }
    holding->granted += give > 0 ? give : 0;
    answer->epoch = counter->epochs;
    answer->granted = (uint64_t)holding->granted;
    answer->limit = counter->limit.def.value;
    answer->settled = epoch->settled;
    answer->outstanding = plane_outstanding(epoch);
    answer->lease_ms = counter->lease_ms;
}

/* A node's word about one epoch. */
static inline void plane_report(struct plane_epoch *epoch, size_t host, const Sluice__Grant *asked)
{
    struct holding *holding = &epoch->holdings[host];
    if (asked->idle && holding->idle)
        return;
    cr_assert_leq(asked->granted, (uint64_t)holding->granted, "it was granted no more");
    cr_assert_leq(asked->returned + asked->spent, asked->granted);
    if ((int64_t)asked->returned > holding->returned)
        holding->returned = (int64_t)asked->returned;
    holding->idle = asked->idle;
    if (asked->idle)
        *holding = (struct holding){.ghost = holding_rest(holding), .idle = true};
}

static inline Sluice__GrantsReply *plane_answer(size_t host, const Sluice__GrantsRequest *request,
                                                struct arena *arena)
{
    Sluice__GrantsReply *reply = arena_alloc(arena, sizeof *reply);
    sluice__grants_reply__init(reply);
    reply->utc_ms = plane.utc_ms;
    reply->grants = arena_calloc(arena, 2 * request->n_grants + 1, sizeof *reply->grants);
    for (size_t i = 0; i < request->n_grants; i++) {
        const Sluice__Grant *asked = request->grants[i];
        Sluice__Grant *answer = arena_alloc(arena, sizeof *answer);
        struct plane_counter *counter = plane_find(asked->counter);
        cr_assert(asked->epoch != 0 || asked->ref != NULL,
                  "an epoch that is not known needs a ref");
        sluice__grant__init(answer);
        answer->counter = asked->counter;
        answer->epoch = asked->epoch;
        reply->grants[reply->n_grants++] = answer;
        if (counter == NULL || counter->gone) {
            answer->verdict = SLUICE__GRANT_VERDICT__GRANT_UNKNOWN;
            answer->granted = asked->granted;
            continue;
        }
        if (asked->epoch != 0) {
            cr_assert_leq(asked->epoch, counter->epochs);
            plane_report(&counter->epoch[asked->epoch - 1], host, asked);
        }
        if (asked->epoch != 0 && asked->epoch != counter->epochs) {
            const struct holding *old = &counter->epoch[asked->epoch - 1].holdings[host];
            answer->granted = asked->idle ? asked->granted : (uint64_t)old->granted;
            answer->verdict = SLUICE__GRANT_VERDICT__GRANT_EXHAUSTED;
            answer->epoch_ends_ms = counter->epoch[asked->epoch - 1].closed_ms;
            if (asked->need == 0 && asked->wanted == 0)
                continue;
            answer = arena_alloc(arena, sizeof *answer);
            sluice__grant__init(answer);
            answer->counter = asked->counter;
            reply->grants[reply->n_grants++] = answer;
        }
        plane_lend(counter, host, asked, answer);
    }
    return reply;
}

static inline void plane_heard(size_t host, const Sluice__Grant *answer)
{
    struct plane_counter *counter = plane_find(answer->counter);
    if (counter != NULL && answer->epoch != 0)
        counter->epoch[answer->epoch - 1].holdings[host].heard =
            counter->epoch[answer->epoch - 1].holdings[host].granted;
}

static inline void plane_reset(struct plane_counter *counter)
{
    if (counter->epochs == EPOCHS_MAX)
        return;
    plane_now(counter)->closed_ms = plane.utc_ms;
    counter->epochs++;
}

/* --- a host --- */

struct message {
    bool to_courier;
    uint32_t worker;
    size_t n;
    _Alignas(16) char bytes[sizeof(struct ipc_counter)];
};

struct event {
    size_t count;
    struct id counter[SLOT_RESERVES_MAX];
    uint64_t epoch[SLOT_RESERVES_MAX];
    int64_t amount[SLOT_RESERVES_MAX];
};

struct flight {
    struct slot *slot;
    bool sent;
    int64_t reserved;
};

struct host_worker {
    struct host *host;
    uint32_t position, column;
    struct slots *slots;
    struct limits *limits;
    struct flight flights[HOST_SLOTS];
};

static struct host {
    size_t number;
    struct segment segment;
    struct grants *grants;
    struct host_worker workers[WORKERS_MAX];
    uint32_t worker_count, epoch;
    struct message queue[QUEUE_MAX];
    size_t queued;
    unsigned lose;        /* 1 in so many messages is lost; 0: none */
    struct event *events; /* journaled, not yet uploaded */
    size_t event_count, event_room;
    bool woken;
} hosts[HOSTS_MAX];

static inline unsigned dice(unsigned sides)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % sides;
}

static inline void host_post(struct host *host, bool to_courier, uint32_t worker, const void *bytes,
                             size_t n)
{
    cr_assert(ipc_check(bytes, n));
    if (host->queued == QUEUE_MAX || (host->lose > 0 && dice(host->lose) == 0))
        return;
    struct message *message = &host->queue[host->queued++];
    *message = (struct message){.to_courier = to_courier, .worker = worker, .n = n};
    memcpy(message->bytes, bytes, n);
}

static void worker_open(void *arg, const struct limit_use *use)
{
    struct host_worker *worker = arg;
    struct ipc_counter counter = {.head = {IPC_COUNTER_OPEN, 0},
                                  .counter = use->limit.counter,
                                  .org = use->ref.org,
                                  .entity = use->ref.entity,
                                  .value = use->limit.def.value,
                                  .anew_ms = use->limit.anew_ms,
                                  .level = use->ref.level,
                                  .measure = use->limit.def.measure,
                                  .window = use->limit.def.window};
    host_post(worker->host, true, worker->position, &counter, sizeof counter);
}

static void worker_wish(void *arg, uint32_t row)
{
    struct host_worker *worker = arg;
    const struct ipc_head wish = {IPC_WISH, row};
    host_post(worker->host, true, worker->position, &wish, sizeof wish);
}

static void worker_fix(void *arg, uint32_t row, uint32_t generation, int64_t utc_ms, int64_t add)
{
    struct host_worker *worker = arg;
    const struct ipc_fix fix = {{IPC_RATE_FIX, 0}, row, generation, utc_ms, add};
    host_post(worker->host, true, worker->position, &fix, sizeof fix);
}

static void courier_tell(void *arg, uint32_t worker, const void *message, size_t n)
{
    host_post(arg, false, worker, message, n);
}

static void courier_wake(void *arg)
{
    ((struct host *)arg)->woken = true;
}

static inline void host_start_worker(struct host *host, uint32_t position)
{
    struct host_worker *worker = &host->workers[position];
    *worker = (struct host_worker){.host = host, .position = position};
    cr_assert_eq(segment_assign(&host->segment, position, ++host->epoch, &worker->column), ST_OK);
    cr_assert_eq(slots_open(&host->segment, worker->column, &worker->slots), ST_OK);
    const struct limits_calls calls = {worker, worker_open, worker_wish, worker_fix};
    cr_assert_eq(limits_open(&host->segment, worker->column, &calls, &worker->limits), ST_OK);
}

static inline void host_start_courier(struct host *host)
{
    const struct grants_calls calls = {host, courier_tell, courier_wake};
    cr_assert_eq(grants_new(&host->segment, &calls, &host->grants), ST_OK);
}

static inline void host_start(size_t number, uint32_t workers)
{
    struct host *host = &hosts[number];
    const struct id node = {{(uint8_t)(number + 1)}};
    *host = (struct host){.number = number, .worker_count = workers};
    cr_assert_eq(segment_create(workers, HOST_SLOTS, HOST_ROWS, &node, 1, &host->segment), ST_OK);
    host_start_courier(host);
    for (uint32_t i = 0; i < workers; i++)
        host_start_worker(host, i);
}

static inline void host_stop(struct host *host)
{
    for (uint32_t i = 0; i < host->worker_count; i++) {
        slots_close(host->workers[i].slots);
        limits_close(host->workers[i].limits);
    }
    grants_free(host->grants);
    segment_close(&host->segment);
    free(host->events);
    *host = (struct host){0};
}

static inline struct limits_now worker_now(int64_t left_ms)
{
    return (struct limits_now){plane.mono_ms, plane.utc_ms, left_ms};
}

static inline struct grants_now courier_now(void)
{
    return (struct grants_now){plane.mono_ms, plane.utc_ms};
}

static inline void host_deliver_one(struct host *host)
{
    struct message message = host->queue[0];
    const struct ipc_head *head = (const void *)message.bytes;
    const void *body = message.bytes;
    const struct grants_now now = courier_now();
    memmove(host->queue, host->queue + 1, --host->queued * sizeof host->queue[0]);
    if (message.to_courier) {
        if (head->kind == IPC_COUNTER_OPEN)
            grants_open(host->grants, &now, message.worker, body);
        else if (head->kind == IPC_WISH)
            grants_wish(host->grants, &now, head->tag);
        else
            grants_fix(host->grants, body);
        return;
    }
    struct limits *limits = host->workers[message.worker].limits;
    const struct ipc_row *row = body;
    if (head->kind == IPC_COUNTER_ROW)
        limits_opened(limits, &row->counter, (enum status)row->status, row->row, row->generation);
    else if (head->kind == IPC_RECALL)
        limits_recalled(limits, head->tag);
}

static inline void host_deliver(struct host *host)
{
    while (host->queued > 0)
        host_deliver_one(host);
}

/* One exchange with the control plane; `lost`: the request was answered, but the answer did not
 * come back. False: there was nothing to say. */
static inline bool host_exchange(struct host *host, bool lost, unsigned *wait_ms)
{
    struct arena arena;
    Sluice__GrantsRequest *request;
    const struct grants_now now = courier_now();
    arena_init(&arena, 16u << 20);
    enum status status = grants_request(host->grants, &now, &arena, &request, wait_ms);
    if (status == ST_OK) {
        Sluice__GrantsReply *reply = plane_answer(host->number, request, &arena);
        for (size_t i = 0; i < reply->n_grants && !lost; i++)
            plane_heard(host->number, reply->grants[i]);
        grants_reply(host->grants, &now, plane.mono_ms, request, lost ? NULL : reply);
    }
    arena_free(&arena);
    host->woken = false;
    return status == ST_OK;
}

static inline void host_recalls(struct host *host)
{
    const struct grants_now now = courier_now();
    if (!recalls[host->number].due)
        return;
    recalls[host->number].due = false;
    grants_recall(host->grants, &now, &recalls[host->number].recall);
}

/* Messages and exchanges until nothing moves. */
static inline void host_settle(struct host *host)
{
    unsigned wait_ms;
    for (int i = 0; i < 20; i++) {
        host_deliver(host);
        host_recalls(host);
        if (!host_exchange(host, false, &wait_ms) && host->queued == 0)
            return;
    }
}

/* --- the journal --- */

static inline void host_journal(struct host *host, const struct slot *slot)
{
    static struct slot_event event;
    const struct id node = host->segment.head->node;
    if (host->event_count == host->event_room) {
        host->event_room = host->event_room == 0 ? 64 : 2 * host->event_room;
        host->events = realloc(host->events, host->event_room * sizeof *host->events);
    }
    struct event *out = &host->events[host->event_count++];
    slot_event_fill(&event, &host->segment, slot, &node, 1);
    out->count = event.event.n_reserves;
    for (size_t i = 0; i < out->count; i++) {
        const Sluice__Reserve *reserve = event.event.reserves[i];
        memcpy(out->counter[i].b, reserve->counter.data, ID_BYTES);
        out->epoch[i] = reserve->epoch;
        out->amount[i] = reserve->amount;
    }
    grants_journaled(host->grants, &event.slot, event.untold);
}

static inline void host_collect(struct host *host, size_t max)
{
    struct slot *got[HOST_SLOTS];
    const struct grants_now now = courier_now();
    for (uint32_t column = 0; column < host->segment.columns; column++) {
        uint32_t state = segment_column(&host->segment, column)->state;
        if (state == COLUMN_UNUSED)
            continue;
        bool dead = state == COLUMN_DEAD;
        size_t n = dead ? slots_recover(&host->segment, column, plane.utc_ms, got, max)
                        : slots_take_done(&host->segment, column, got, max);
        for (size_t i = 0; i < n; i++)
            if (!slots_is_journaled(got[i]))
                host_journal(host, got[i]);
        if (dead && n > 0)
            slots_mark_recovered(got, n);
        else if (!dead)
            slots_mark_journaled(&host->segment, column, got, n);
        if (dead && n == 0) {
            grants_close_column(host->grants, &now, column);
            segment_release(&host->segment, column);
        }
    }
}

static inline void host_upload(struct host *host, size_t max)
{
    size_t n = host->event_count < max ? host->event_count : max;
    for (size_t i = 0; i < n; i++) {
        const struct event *event = &host->events[i];
        for (size_t j = 0; j < event->count; j++) {
            struct plane_counter *counter =
                plane_find((ProtobufCBinaryData){ID_BYTES, (uint8_t *)event->counter[j].b});
            if (counter == NULL)
                continue;
            if (event->epoch[j] == 0) {
                counter->untold += event->amount[j];
                plane_now(counter)->settled += event->amount[j];
                continue;
            }
            struct plane_epoch *epoch = &counter->epoch[event->epoch[j] - 1];
            epoch->settled += event->amount[j];
            epoch->holdings[host->number].used += event->amount[j];
        }
    }
    host->event_count -= n;
    if (host->event_count > 0)
        memmove(host->events, host->events + n, host->event_count * sizeof *host->events);
}

/* --- requests --- */

static inline struct limit_use use_of(size_t counter, int64_t amount)
{
    const struct plane_counter *c = &plane.counters[counter];
    return (struct limit_use){.limit = c->limit,
                              .ref = {.level = LIMIT_KEY,
                                      .measure = c->limit.def.measure,
                                      .window = c->limit.def.window,
                                      .entity = c->limit.counter},
                              .name = STR("k"),
                              .strict = c->strict,
                              .deny = c->limit.def.on_disconnect == LIMIT_AWAY_DENY,
                              .amount = amount};
}

static inline size_t plane_add(enum limit_measure measure, enum limit_window window, int64_t value,
                               bool strict)
{
    struct plane_counter *counter = &plane.counters[plane.count];
    *counter = (struct plane_counter){.strict = strict, .epochs = 1};
    counter->limit.counter = (struct id){{0xC0, (uint8_t)plane.count, 7, 7, (uint8_t)plane.count}};
    counter->limit.def = (struct limit_def){.measure = (uint8_t)measure,
                                            .window = (uint8_t)window,
                                            .value = value,
                                            .on_disconnect = LIMIT_AWAY_DENY,
                                            .ceiling_picousd = -1};
    if (window != LIMIT_BUDGET)
        counter->lease_ms = measure == LIMIT_CONCURRENCY ? 30000 : 2000;
    return plane.count++;
}

static inline void plane_begin(void)
{
    memset(&plane, 0, sizeof plane);
    memset(recalls, 0, sizeof recalls);
    plane.mono_ms = 1000000;
    plane.utc_ms = 1700000000000;
}

static inline void plane_pass(int64_t ms)
{
    plane.mono_ms += ms;
    plane.utc_ms += ms;
}

#endif
