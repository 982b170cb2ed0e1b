/* limits_client.c: see limits_client.h.
 *
 * A message that is dropped because the socket is full costs time, not correctness: what is wished
 * stands in the account, rows are asked for again, and a request that waits gives up by its own
 * timer. Must never: call a wait's owner from within limits_take.
 */
#include "data-plane/worker/limits_client.h"

#include "common/clock.h"
#include "data-plane/worker/mailbox.h"
#include "data-plane/worker/worker.h"

static int64_t mono_ms(const struct worker *worker)
{
    return loop_now_ns(worker->loop) / 1000000;
}

static void tell(struct worker *worker, const void *message, size_t n)
{
    if (mailbox_send(worker, message, n) != ST_OK)
        return; /* counted there; asked again */
}

static void ask_open(void *arg, const struct limit_use *use)
{
    struct ipc_counter message = {.head = {IPC_COUNTER_OPEN, 0},
                                  .counter = use->limit.counter,
                                  .org = use->ref.org,
                                  .entity = use->ref.entity,
                                  .second = use->ref.second,
                                  .workspace = use->workspace,
                                  .value = use->limit.def.value,
                                  .anew_ms = use->limit.anew_ms,
                                  .level = use->ref.level,
                                  .measure = use->ref.measure,
                                  .window = use->ref.window,
                                  .nth = use->ref.nth};
    CHECK(use->ref.value_key.n <= sizeof message.value_key);
    message.value_key_n = (uint32_t)use->ref.value_key.n;
    if (use->ref.value_key.n > 0)
        memcpy(message.value_key, use->ref.value_key.p, use->ref.value_key.n);
    tell(arg, &message, sizeof message);
}

static void ring(void *arg, uint32_t row)
{
    const struct ipc_head message = {IPC_WISH, row};
    tell(arg, &message, sizeof message);
}

static void tell_fix(void *arg, uint32_t row, uint32_t generation, int64_t utc_ms, int64_t add)
{
    const struct ipc_fix message = {{IPC_RATE_FIX, 0}, row, generation, utc_ms, add};
    tell(arg, &message, sizeof message);
}

enum status limits_client_open(struct worker *worker)
{
    const struct limits_calls calls = {worker, ask_open, ring, tell_fix};
    return limits_open(&worker->segment, worker->column_index, &calls, &worker->limits);
}

/* --- waiting --- */

struct limits_now limits_client_now(struct worker *worker, struct limit_wait *wait)
{
    int64_t now_ms = mono_ms(worker);
    if (wait->until_ms == 0)
        wait->until_ms = now_ms + (int64_t)params_u64(worker->params, PARAM_GRANT_WAIT_MS);
    return (struct limits_now){.mono_ms = now_ms,
                               .utc_ms = clock_utc_ms(),
                               .left_ms = wait->until_ms > now_ms ? wait->until_ms - now_ms : 0};
}

static void detach(struct limit_wait *wait)
{
    if (wait->back == NULL)
        return;
    *wait->back = wait->next;
    if (wait->next != NULL)
        wait->next->back = wait->back;
    wait->next = NULL;
    wait->back = NULL;
    loop_timer_clear(wait->worker->loop, &wait->timer);
}

static void patience_ends(struct loop_timer *timer)
{
    struct limit_wait *wait = timer->owner;
    detach(wait);
    wait->until_ms = 1; /* long ago */
    wait->done(wait);
}

/* Those that can go on are taken off the list first: what they do may put others on it. */
static void wake(struct worker *worker)
{
    struct limits_now now = {mono_ms(worker), clock_utc_ms(), 0};
    struct limit_wait *moved = NULL, *next;
    for (struct limit_wait *wait = worker->waiting; wait != NULL; wait = next) {
        next = wait->next;
        now.left_ms = wait->until_ms - now.mono_ms;
        if (!limits_moved(worker->limits, &now, wait->use))
            continue;
        detach(wait);
        wait->next = moved;
        if (moved != NULL)
            moved->back = &wait->next;
        wait->back = &moved;
        moved = wait;
    }
    while (moved != NULL) {
        struct limit_wait *wait = moved;
        detach(wait);
        wait->done(wait);
    }
}

/* Needs of those that wait no longer are told no longer; those that do wait tell theirs. */
static void forget(struct loop_job *job)
{
    struct worker *worker = job->owner;
    limits_forget(worker->limits);
    wake(worker);
}

static void give_up(struct worker *worker, const struct limit_use *use)
{
    if (!limits_gave_up(worker->limits, use))
        return;
    worker->forgetting.run = forget;
    worker->forgetting.owner = worker;
    loop_defer(worker->loop, &worker->forgetting);
}

static void put_on_list(struct worker *worker, struct limit_wait *wait, const struct limit_use *use)
{
    CHECK(wait->back == NULL); /* waits once */
    int64_t left_ms = wait->until_ms - mono_ms(worker);
    wait->worker = worker;
    wait->use = use;
    wait->timer = (struct loop_timer){.expired = patience_ends, .owner = wait};
    wait->next = worker->waiting;
    if (wait->next != NULL)
        wait->next->back = &wait->next;
    wait->back = &worker->waiting;
    worker->waiting = wait;
    metrics_add(&worker->metrics, M_GRANT_WAITS, 1);
    loop_timer_set(worker->loop, &wait->timer, left_ms > 0 ? left_ms : 0);
}

enum status limits_client_take(struct worker *worker, struct limit_wait *wait,
                               struct limit_use *uses, size_t count, size_t *which)
{
    struct limits_now now = limits_client_now(worker, wait);
    enum status status = limits_take(worker->limits, &now, uses, count, which);
    if (status == ST_AGAIN) {
        put_on_list(worker, wait, &uses[*which]);
        return status;
    }
    for (size_t i = 0; i < count && wait->use != NULL; i++)
        give_up(worker, &uses[i]);
    wait->use = NULL;
    if (status == ST_OK)
        wait->until_ms = 0;
    return status;
}

void limits_client_cancel(struct limit_wait *wait)
{
    if (wait->back != NULL)
        give_up(wait->worker, wait->use);
    detach(wait);
    wait->use = NULL;
    wait->until_ms = 0;
}

void limits_client_message(struct worker *worker, const struct ipc_head *head, size_t n)
{
    const void *message = head;
    const struct ipc_row *row = message;
    if (!ipc_check(message, n))
        return;
    if (head->kind == IPC_COUNTER_ROW)
        limits_opened(worker->limits, &row->counter,
                      row->status < ST_COUNT ? (enum status)row->status : ST_INTERNAL, row->row,
                      row->generation);
    else if (head->kind == IPC_RECALL)
        limits_recalled(worker->limits, head->tag);
    wake(worker);
}

void limits_client_beat(struct worker *worker)
{
    const struct limits_now now = {mono_ms(worker), clock_utc_ms(), 0};
    limits_beat(worker->limits, &now);
    wake(worker);
}
