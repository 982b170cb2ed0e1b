/* ingest.h: what nodes report and ask beside the feed and grants: usage, objects at providers.
 *
 * Each function answers one verified request; all are idempotent. Borrows request and reply from
 * the arena. Any thread but the writer's.
 */
#ifndef SLUICE_CONTROL_INGEST_H
#define SLUICE_CONTROL_INGEST_H

#include "control-plane/logs/request_log.h"
#include "control-plane/publish/caller.h"

#define INGEST_OBJECTS_MAX 1000u

/* Commits a batch of one of the node's journals; the ack says through which seq the ledger now
 * holds that journal without a gap. What is held is offered to the request log (NULL: none).
 * ST_BAD_FORMAT (no batch), and the statuses of ledger_ingest. */
MUST_USE enum status ingest_usage(struct writer *writer, struct request_log *log,
                                  const struct caller *caller,
                                  const Sluice__UsageRequest *request, Sluice__UsageAck *ack);

/* Whose are these objects? ST_BAD_FORMAT, ST_NO_MEMORY, store statuses. */
MUST_USE enum status ingest_objects(struct kv *kv, struct arena *arena,
                                    const Sluice__ObjectRequest *request,
                                    Sluice__ObjectReply *reply);

#endif
