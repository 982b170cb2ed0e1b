/* courier_link.c: see courier_link.h.
 *
 * A worker whose socket is full misses the message and asks again by its own timer, so nothing here
 * waits. Must never: hold one part's lock while calling another.
 */
#include "data-plane/courier/courier_link.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/wire.h"

static struct segment_status *shared_of(struct courier_link *link)
{
    return &link->segment->head->status;
}

/* --- changes --- */

/* Another store (init, restore): what our journals still keep is sent again; its ledger knows by
 * attempt what it has. */
static void on_hello(void *arg, const Sluice__HelloReply *reply)
{
    struct courier_link *link = arg;
    struct id have, now;
    uint64_t revision;
    keeper_position(link->keeper, &revision, &have);
    if (id_from_bytes(wire_str(&reply->store_id), &now) != ST_OK || id_is_none(&have) ||
        id_eq(&have, &now) || id_eq(&link->told_store, &now))
        return;
    log_warn("store_changed", LOG_ID("from", &have), LOG_ID("to", &now));
    link->told_store = now;
    journal_forget_acks(link->journal);
}

static void on_position(void *arg, uint64_t *revision, struct id *store_id)
{
    struct courier_link *link = arg;
    keeper_position(link->keeper, revision, store_id);
}

static void on_copy_begins(void *arg)
{
    struct courier_link *link = arg;
    if (!atomic_load(&link->orphaned))
        keeper_abandon(link->keeper);
}

static enum status on_changes(void *arg, Sluice__ChangesReply *const *replies, size_t count,
                              const char **refused, uint64_t *refused_revision)
{
    struct courier_link *link = arg;
    if (atomic_load(&link->orphaned))
        return ST_AGAIN;
    enum status status = keeper_apply(link->keeper, replies, count, refused, refused_revision);
    if (status != ST_OK)
        log_error("changes_not_applied", LOG_STATUS(status),
                  LOG_CSTR("why", *refused == NULL ? "" : *refused),
                  LOG_U64("revision", *refused_revision));
    return status;
}

static void on_health(void *arg, Sluice__NodeHealth *health)
{
    struct courier_link *link = arg;
    host_state_health(link->state, health);
}

static void on_contact(void *arg, int64_t utc_ms, uint64_t newest_revision)
{
    struct courier_link *link = arg;
    struct segment_status *shared = shared_of(link);
    int64_t offset_ms = utc_ms - clock_wall_ms();
    clock_set_offset(offset_ms);
    atomic_store(&shared->utc_offset_ms, offset_ms);
    atomic_store(&shared->last_contact_mono_ms, clock_mono_ms());
    if (newest_revision > 0)
        atomic_store(&shared->newest_revision, newest_revision);
}

static void on_state(void *arg, bool up)
{
    struct courier_link *link = arg;
    atomic_store(&shared_of(link)->link_up, up ? 1u : 0u);
}

static void on_revoked(void *arg, bool revoked)
{
    struct courier_link *link = arg;
    atomic_store(&shared_of(link)->revoked, revoked ? 1u : 0u);
    if (revoked)
        log_error("node_revoked");
}

/* --- usage --- */

/* The oldest journal first. A journal whose rest is unreadable is done with. */
static enum status on_usage_next(void *arg, struct arena *arena, Sluice__UsageBatch **batch)
{
    struct courier_link *link = arg;
    struct journal_boot *boots = arena_calloc(arena, JOURNAL_BOOTS_MAX, sizeof *boots);
    if (boots == NULL)
        return ST_NO_MEMORY;
    size_t count = journal_boots(link->journal, boots, JOURNAL_BOOTS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (boots[i].acked_seq >= boots[i].last_seq)
            continue;
        enum status status =
            journal_read(link->journal, boots[i].boot, boots[i].acked_seq + 1,
                         UPLINK_BATCH_MAX_EVENTS, UPLINK_BATCH_MAX_BYTES, arena, batch);
        if (status == ST_OK)
            return ST_OK;
        if (status != ST_END)
            return status;
        journal_ack(link->journal, boots[i].boot, boots[i].last_seq);
    }
    return ST_END;
}

static void on_usage_acked(void *arg, uint64_t journal_boot, uint64_t through_seq)
{
    struct courier_link *link = arg;
    journal_ack(link->journal, journal_boot, through_seq);
    atomic_store(&shared_of(link)->journal_pending, journal_pending(link->journal));
}

/* --- grants --- */

static struct grants_now now_of(void)
{
    return (struct grants_now){clock_mono_ms(), clock_utc_ms()};
}

/* The oldest earlier boot that ended in order and of which the control plane was not told yet. */
static bool next_ended(struct courier_link *link, struct arena *arena, struct journal_boot *out)
{
    struct journal_boot *boots = arena_calloc(arena, JOURNAL_BOOTS_MAX, sizeof *boots);
    size_t count = boots == NULL ? 0 : journal_boots(link->journal, boots, JOURNAL_BOOTS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (boots[i].own || !boots[i].ended || boots[i].boot <= link->ended_said)
            continue;
        *out = boots[i];
        return true;
    }
    return false;
}

static enum status on_grants_next(void *arg, struct arena *arena, Sluice__GrantsRequest **request,
                                  unsigned *wait_ms)
{
    struct courier_link *link = arg;
    const struct grants_now now = now_of();
    struct journal_boot ended;
    enum status status = grants_request(link->grants, &now, arena, request, wait_ms);
    link->ended_asked = 0;
    if ((status != ST_OK && status != ST_END) || !next_ended(link, arena, &ended))
        return status;
    (*request)->ended_boot = link->ended_asked = ended.boot;
    (*request)->ended_through = ended.last_seq;
    return ST_OK;
}

static void on_grants_answer(void *arg, int64_t sent_ms, const Sluice__GrantsRequest *request,
                             const Sluice__GrantsReply *reply)
{
    struct courier_link *link = arg;
    const struct grants_now now = now_of();
    if (reply != NULL && link->ended_asked != 0)
        link->ended_said = link->ended_asked;
    grants_reply(link->grants, &now, sent_ms, request, reply);
    if (reply != NULL)
        on_contact(arg, reply->utc_ms, 0);
}

static void on_recall(void *arg, const Sluice__Recall *recall)
{
    struct courier_link *link = arg;
    const struct grants_now now = now_of();
    grants_recall(link->grants, &now, recall);
}

/* --- workers --- */

static void on_object_answer(void *arg, uint64_t tag, enum status status)
{
    struct courier_link *link = arg;
    struct ipc_object answer = {.head = {IPC_OBJECT_ANSWER, (uint32_t)tag},
                                .status = (uint32_t)status};
    uint32_t worker = (uint32_t)(tag >> 32);
    CHECK(worker < link->workers);
    (void)!ipc_send(link->pairs[worker], &answer, sizeof answer);
}

/* The next position with a worker that serves; `workers` if there is none. */
static uint32_t probe_worker(struct courier_link *link)
{
    bool ready[SEGMENT_MAX_COLUMNS] = {false};
    for (uint32_t i = 0; i < link->segment->columns; i++) {
        const struct column_head *head = segment_column(link->segment, i);
        uint32_t worker = head->worker;
        if (worker < link->workers && atomic_load(&head->state) == COLUMN_LIVE &&
            atomic_load(&head->ready) != 0)
            ready[worker] = true;
    }
    for (uint32_t i = 0; i < link->workers; i++) {
        uint32_t worker = (link->next_probe + i) % link->workers;
        if (ready[worker]) {
            link->next_probe = worker + 1;
            return worker;
        }
    }
    return link->workers;
}

static void on_probe(void *arg, const Sluice__Probe *probe)
{
    struct courier_link *link = arg;
    uint32_t worker = probe_worker(link);
    size_t n = sluice__probe__get_packed_size(probe);
    if (worker == link->workers || n > IPC_MAX_BYTES - sizeof(struct ipc_blob)) {
        log_warn("probe_dropped", LOG_U64("bytes", n));
        return;
    }
    struct ipc_blob *blob = malloc(sizeof *blob + n);
    if (blob == NULL)
        return;
    *blob = (struct ipc_blob){.head = {IPC_PROBE, 0}, .n = (uint32_t)n};
    sluice__probe__pack(probe, (uint8_t *)blob->bytes);
    if (ipc_send(link->pairs[worker], blob, sizeof *blob + n) != ST_OK)
        log_warn("probe_dropped", LOG_U64("worker", worker));
    free(blob);
}

void courier_link_calls(struct courier_link *link, struct uplink_calls *calls)
{
    *calls = (struct uplink_calls){
        .arg = link,
        .hello = on_hello,
        .position = on_position,
        .copy_begins = on_copy_begins,
        .changes = on_changes,
        .health = on_health,
        .probe = on_probe,
        .contact = on_contact,
        .state = on_state,
        .revoked = on_revoked,
        .usage_next = on_usage_next,
        .usage_acked = on_usage_acked,
        .grants_next = on_grants_next,
        .grants_answer = on_grants_answer,
        .recall = on_recall,
        .object_answer = on_object_answer,
    };
}
