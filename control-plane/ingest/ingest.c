/* ingest.c: reports of the nodes.
 *
 * A node's word is taken for what happened on it and for nothing else: an event must carry its own
 * id, and a batch is one piece of one journal. What is repeated changes nothing; what contradicts
 * itself is refused whole.
 */
#include "control-plane/ingest/ingest.h"

#include "common/wire.h"
#include "control-plane/ledger/ledger.h"

enum status ingest_usage(struct writer *writer, struct request_log *log,
                         const struct caller *caller, const Sluice__UsageRequest *request,
                         Sluice__UsageAck *ack)
{
    const Sluice__UsageBatch *batch = request->batch;
    if (batch == NULL)
        return ST_BAD_FORMAT;
    sluice__usage_ack__init(ack);
    ack->journal_boot = batch->journal_boot;
    TRY(ledger_ingest(writer, &caller->id, batch, &ack->through_seq));
    size_t held = 0;
    while (held < batch->n_events && batch->events[held]->seq <= ack->through_seq)
        held++;
    request_log_offer(log, batch->events, held);
    return ST_OK;
}

enum status ingest_objects(struct kv *kv, struct arena *arena, const Sluice__ObjectRequest *request,
                           Sluice__ObjectReply *reply)
{
    struct kv_txn *txn;
    struct id org, workspace, provider;
    sluice__object_reply__init(reply);
    TRY(wire_id(&request->org, &org));
    TRY(wire_id(&request->workspace, &workspace));
    TRY(wire_id(&request->provider, &provider));
    if (request->n_object_ids > INGEST_OBJECTS_MAX)
        return ST_BAD_FORMAT;
    protobuf_c_boolean *owned = arena_calloc(arena, request->n_object_ids, sizeof *owned);
    if (owned == NULL)
        return ST_NO_MEMORY;
    TRY(kv_begin(kv, false, &txn));
    for (size_t i = 0; i < request->n_object_ids; i++)
        owned[i] =
            ledger_object_owned(txn, &org, &workspace, &provider, str_c(request->object_ids[i]));
    kv_abort(txn);
    reply->n_owned = request->n_object_ids;
    reply->owned = owned;
    return ST_OK;
}
