/* A million random steps of two hosts, their workers and couriers, which die at any step; messages
 * and answers are lost. At every step the control plane's books keep their invariant; at the end
 * nothing is outstanding, and what is settled is what attempts cost, each once. */
#include "tests/unit/data-plane/limits_host.h"

static int64_t settled_of(struct plane_counter *counter)
{
    int64_t sum = 0;
    for (uint32_t e = 0; e < counter->epochs; e++)
        sum += counter->epoch[e].settled;
    return sum;
}

static uint64_t seen[ST_COUNT], deaths, courier_deaths, asked_back, half_folds;
static int64_t charged[COUNTERS_MAX]; /* what attempts cost, by the test's own count */

static void count_charge(const struct host *host, const struct slot *slot, int64_t amount)
{
    for (uint32_t i = 0; i < slot->reserve_count; i++) {
        uint32_t row = SLOT_ROW_INDEX(slot->reserve_row[i]);
        charged[segment_counter(&host->segment, row)->id.b[1]] += amount;
    }
}

static struct host_worker *any_worker(void)
{
    struct host *host = &hosts[dice(HOSTS_MAX)];
    return &host->workers[dice(host->worker_count)];
}

static void step_request(void)
{
    struct host_worker *worker = any_worker();
    size_t first = dice((unsigned)plane.count), count = 1 + dice(2);
    struct limit_use uses[2];
    struct slot *slot;
    const struct limits_now now = worker_now(dice(3) == 0 ? 0 : 200);
    for (size_t i = 0; i < count; i++)
        uses[i] = use_of((first + i) % plane.count, 1 + dice(40));
    enum status status = limits_take(worker->limits, &now, uses, count, &(size_t){0});
    seen[status]++;
    if (status != ST_OK)
        return;
    if (slots_reserve(worker->slots, &slot) != ST_OK) {
        limits_give_back(worker->limits, &now, uses, count);
        return;
    }
    limits_note(uses, count, slot);
    limits_end(worker->limits, uses, count);
    slot->bound_charge_nanousd = 0;
    for (uint32_t i = 0; i < slot->reserve_count; i++)
        slot->bound_charge_nanousd = slot->reserve_amount[i];
    for (size_t i = 0; i < HOST_SLOTS; i++) {
        if (worker->flights[i].slot != NULL)
            continue;
        worker->flights[i] = (struct flight){.slot = slot};
        return;
    }
}

/* What a slot is charged is set by hand: each entry at most what it reserved, standard ones
 * sometimes more. */
static void charge_some(struct host_worker *worker, struct slot *slot)
{
    for (uint32_t i = 0; i < slot->reserve_count; i++)
        slot->reserve_kind[i] = SLOT_RESERVE_CHARGE;
    int64_t least = INT64_MAX;
    for (uint32_t i = 0; i < slot->reserve_count; i++)
        least = slot->reserve_amount[i] < least ? slot->reserve_amount[i] : least;
    slot->charge_nanousd = least == INT64_MAX ? 0 : dice((unsigned)least + 1);
    limits_charge(worker->limits, slot);
    count_charge(worker->host, slot, slot->charge_nanousd);
}

static void step_flight(void)
{
    struct host_worker *worker = any_worker();
    struct flight *flight = &worker->flights[dice(HOST_SLOTS)];
    const struct limits_now now = worker_now(0);
    if (flight->slot == NULL)
        return;
    if (!flight->sent && dice(5) == 0) {
        limits_cancel(worker->limits, flight->slot, &now);
        slots_cancel(worker->slots, flight->slot);
        *flight = (struct flight){0};
    } else if (!flight->sent) {
        slots_mark_sent(worker->slots, flight->slot);
        flight->sent = true;
    } else {
        charge_some(worker, flight->slot);
        (void)!slots_settle(worker->slots, flight->slot);
        *flight = (struct flight){0};
    }
}

/* The worker dies on some line of a fold. */
static void half_fold(const struct host *host, uint32_t column, const struct slot *slot)
{
    struct slot_redo *redo = &segment_column(&host->segment, column)->redo;
    uint32_t done = dice(slot->reserve_count + 1);
    if (redo->valid)
        return;
    for (uint32_t i = 0; i < slot->reserve_count; i++) {
        uint32_t row = SLOT_ROW_INDEX(slot->reserve_row[i]);
        redo->row[i] = row;
        redo->spent[i] =
            segment_account(&host->segment, column, row)->spent + slot->reserve_amount[i];
    }
    redo->count = slot->reserve_count;
    redo->slot =
        (uint32_t)(((const char *)slot - (const char *)segment_slot(&host->segment, column, 0)) /
                   SEGMENT_SLOT_BYTES);
    redo->valid = 1;
    for (uint32_t i = 0; i < done; i++)
        segment_account(&host->segment, column, redo->row[i])->spent = redo->spent[i];
    half_folds++;
}

static void kill_worker(struct host_worker *worker)
{
    struct host *host = worker->host;
    uint32_t position = worker->position;
    for (uint32_t column = 0; column < host->segment.columns; column++)
        if (segment_column(&host->segment, column)->state == COLUMN_DEAD)
            return; /* the last one is not recovered yet: there is no column for a successor */
    for (uint32_t i = 0; i < HOST_SLOTS;
         i++) { /* what recovery charges must be what was reserved */
        struct slot *slot = segment_slot(&host->segment, worker->column, i);
        for (uint32_t j = 0; j < slot->reserve_count && slot->state == SLOT_SENT; j++)
            slot->reserve_kind[j] = SLOT_RESERVE_CHARGE;
        for (uint32_t j = 0; j < slot->reserve_count && slot->state == SLOT_SENT; j++)
            slot->bound_charge_nanousd = slot->reserve_amount[j] < slot->bound_charge_nanousd
                                             ? slot->reserve_amount[j]
                                             : slot->bound_charge_nanousd;
        if (slot->state == SLOT_SENT)
            count_charge(host, slot, slot->bound_charge_nanousd);
        if (slot->state == SLOT_JOURNALED && dice(2) == 0)
            half_fold(host, worker->column, slot);
    }
    deaths++;
    segment_retire(&host->segment, worker->column);
    slots_close(worker->slots);
    limits_close(worker->limits);
    host_start_worker(host, position);
}

static void kill_courier(struct host *host)
{
    courier_deaths++;
    grants_free(host->grants);
    for (uint32_t column = 0; column < host->segment.columns; column++)
        if (segment_column(&host->segment, column)->state == COLUMN_LIVE)
            slots_take_over(&host->segment, column);
    host_start_courier(host);
}

static void step_host(struct host *host)
{
    unsigned wait_ms;
    switch (dice(8)) {
    case 0:
    case 1:
        if (host->queued > 0)
            host_deliver_one(host);
        break;
    case 2:
        host_exchange(host, dice(6) == 0, &wait_ms);
        break;
    case 3:
        host_collect(host, 1 + dice(HOST_SLOTS));
        break;
    case 4:
        host_upload(host, 1 + dice(5));
        break;
    case 5:
        host_recalls(host);
        break;
    default:
        for (uint32_t i = 0; i < host->worker_count; i++)
            slots_collect(host->workers[i].slots, limits_freed, host->workers[i].limits);
        break;
    }
}

static void step_rare(void)
{
    struct host *host = &hosts[dice(HOSTS_MAX)];
    struct plane_counter *counter = &plane.counters[dice((unsigned)plane.count)];
    switch (dice(12)) {
    case 0:
    case 1:
        kill_worker(any_worker());
        break;
    case 2:
        kill_courier(host);
        break;
    case 3:
        if (dice(20) == 0) {
            plane_reset(counter);
            counter->limit.anew_ms = plane.utc_ms;
        }
        break;
    case 4:
        counter->limit.def.value += dice(200); /* raised */
        break;
    case 5:
        for (uint32_t i = 0; i < host->worker_count; i++) {
            const struct limits_now now = worker_now(0);
            limits_beat(host->workers[i].limits, &now);
        }
        break;
    case 6:
        if (dice(100) == 0)
            plane_pass(70000);
        break;
    default:
        plane_pass(dice(400));
        break;
    }
}

static void step(void)
{
    unsigned roll = dice(100);
    if (roll < 30)
        step_request();
    else if (roll < 60)
        step_flight();
    else if (roll < 97)
        step_host(&hosts[dice(HOSTS_MAX)]);
    else
        step_rare();
}

/* Everything ends: then nothing is outstanding, and what is settled is what was charged. */
static void drain(struct host *host)
{
    unsigned wait_ms;
    host->lose = 0;
    for (int round = 0; round < 90; round++) {
        for (uint32_t i = 0; i < host->worker_count; i++) {
            struct host_worker *worker = &host->workers[i];
            const struct limits_now now = worker_now(0);
            for (size_t j = 0; j < HOST_SLOTS; j++) {
                struct flight *flight = &worker->flights[j];
                if (flight->slot == NULL)
                    continue;
                if (!flight->sent)
                    slots_mark_sent(worker->slots, flight->slot);
                charge_some(worker, flight->slot);
                (void)!slots_settle(worker->slots, flight->slot);
                *flight = (struct flight){0};
            }
            limits_beat(worker->limits, &now);
        }
        host_collect(host, HOST_SLOTS);
        host_upload(host, SIZE_MAX);
        for (uint32_t i = 0; i < host->worker_count; i++)
            slots_collect(host->workers[i].slots, limits_freed, host->workers[i].limits);
        for (int i = 0; i < 5; i++) {
            host_deliver(host);
            host_exchange(host, false, &wait_ms);
        }
        plane_pass(1500);
    }
    cr_assert_eq(grants_used(host->grants), 0, "%u rows are left", grants_used(host->grants));
}

/* Of an epoch that ended before the answer came, a host may never hear what it was granted. */
static void nothing_is_left(const struct plane_counter *counter, uint32_t e)
{
    for (size_t i = 0; i < HOSTS_MAX; i++) {
        const struct holding *holding = &counter->epoch[e].holdings[i];
        int64_t unheard = e + 1 == counter->epochs ? 0 : holding->granted - holding->heard;
        cr_assert_eq(holding_rest(holding), unheard, "host %zu, epoch %u of %u: %ld, not %ld", i,
                     e + 1, counter->epochs, (long)holding_rest(holding), (long)unheard);
    }
}

Test(limits_steps, a_million, .timeout = 300)
{
    for (size_t round = 0; round < 10; round++) {
        plane_begin();
        for (size_t i = 0; i < HOSTS_MAX; i++) {
            host_start(i, 1 + dice(WORKERS_MAX));
            hosts[i].lose = 30;
        }
        for (size_t i = 0; i < 5; i++)
            plane_add(LIMIT_COST, LIMIT_BUDGET, 500 + dice(20000), true);
        memset(charged, 0, sizeof charged);
        for (int i = 0; i < 100000; i++) {
            step();
            plane_check();
        }
        for (size_t i = 0; i < HOSTS_MAX; i++)
            drain(&hosts[i]);
        for (size_t i = 0; i < plane.count; i++) {
            struct plane_counter *counter = &plane.counters[i];
            cr_assert_eq(settled_of(counter), charged[i], "round %zu, counter %zu: %ld, not %ld",
                         round, i, (long)settled_of(counter), (long)charged[i]);
            for (uint32_t e = 0; e < counter->epochs; e++)
                nothing_is_left(counter, e);
        }
        plane_check();
        asked_back += plane.recalls;
        for (size_t i = 0; i < HOSTS_MAX; i++)
            host_stop(&hosts[i]);
    }
    cr_assert(seen[ST_OK] > 20000 && seen[ST_BUDGET_EXHAUSTED] > 0 && seen[ST_CONTROL_AWAY] > 0);
    cr_assert(deaths > 1000 && courier_deaths > 1000 && half_folds > 100 && asked_back > 0);
}
