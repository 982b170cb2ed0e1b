/* step_settle.c: an attempt's end, into its slot.
 *
 *   reserved, never sent -> given back          sent -> DONE, exactly once
 *
 * What it cost is cost.c's; here is whom and what it concerned. Never fails the client.
 */
#include "common/clock.h"
#include "data-plane/worker/cost_words.h"
#include "data-plane/worker/objects.h"
#include "proto/usage.pb-c.h"

/* Which answers name an object that now lives at the provider. */
static const char *object_kind_of(enum op op)
{
    switch (op) {
    case OP_FILES_UPLOAD:
        return "file";
    case OP_BATCHES_CREATE:
        return "batch";
    case OP_RESPONSES_CREATE:
        return "response";
    case OP_FINE_TUNING_CREATE:
        return "fine_tuning_job";
    default:
        return NULL;
    }
}

/* Answers about an owned batch or job; the files that it made belong to its owner. */
static bool shows_files(enum op op)
{
    return op == OP_BATCHES_GET || op == OP_BATCHES_CANCEL || op == OP_BATCHES_LIST ||
           op == OP_FINE_TUNING_GET || op == OP_FINE_TUNING_CANCEL || op == OP_FINE_TUNING_LIST;
}

static void add_object(struct slot *slot, const struct req *req, struct str id)
{
    size_t blank = slot->object_n > 0 ? 1 : 0;
    if (id.n == 0 || slot->object_n + blank + id.n > sizeof slot->object)
        return;
    if (blank > 0)
        slot->object[slot->object_n++] = ' ';
    memcpy(slot->object + slot->object_n, id.p, id.n);
    slot->object_n = (uint8_t)(slot->object_n + id.n);
    objects_learn(&req->auth.workspace, &req->attempt.provider, id);
}

static void set_objects(struct slot *slot, const struct req *req)
{
    const char *kind = object_kind_of(req->op);
    slot->object_n = slot->object_kind_n = 0;
    if (slot->http_status < 200 || slot->http_status > 299)
        return;
    if (kind != NULL) {
        add_object(slot, req, str_c(req->usage.id));
    } else if (shows_files(req->op)) {
        struct str rest = str_c(req->usage.files), id;
        kind = "file";
        while (rest.n > 0 && str_split(&rest, ' ', &id))
            if (!objects_known(&req->auth.workspace, &req->attempt.provider, id))
                add_object(slot, req, id);
    }
    if (slot->object_n == 0)
        return;
    slot->object_kind_n = (uint8_t)strlen(kind);
    memcpy(slot->object_kind, kind, slot->object_kind_n);
}

void req_settle(struct req *req, enum slot_outcome outcome)
{
    struct req_attempt *attempt = &req->attempt;
    struct slot *slot = attempt->slot;
    if (slot == NULL)
        return;
    attempt->slot = NULL;
    if (attempt->uses_taken)
        limits_end(req->worker->limits, attempt->uses.list, attempt->uses.count);
    attempt->uses_taken = false;
    bool sent = atomic_load_explicit(&slot->state, memory_order_relaxed) != SLOT_RESERVED;
    attempts_settled(req, outcome, sent);
    if (!sent) {
        const struct limits_now limits_now = limits_client_now(req->worker, &req->limit_wait);
        limits_cancel(req->worker->limits, slot, &limits_now);
        slots_cancel(req->worker->slots, slot);
        return;
    }
    int64_t now = loop_now_ns(req->worker->loop);
    slot->outcome = (uint8_t)outcome;
    slot->http_status = (uint32_t)attempt->http_status;
    slot->settled_utc_ms = clock_utc_ms();
    slot->duration_us = (uint64_t)(now - req->started_ns) / 1000;
    cost_settle(req, slot);
    cost_words_learn(req, slot);
    limits_charge(req->worker->limits, slot);
    set_objects(slot, req);
    if (slots_settle(req->worker->slots, slot)) {
        struct ipc_head bell = {.kind = IPC_DONE};
        if (mailbox_send(req->worker, &bell, sizeof bell) != ST_OK)
            return; /* the courier also looks by itself every few milliseconds */
    }
}
