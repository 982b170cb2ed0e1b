/* recalls.h: grants that nodes are asked to hand back, until their next ChangesReply.
 *
 * A recall is a wish, kept in memory only: if the reply that carries it is lost, the node that
 * needs the grant asks again and makes another. Of one counter the newest counts. Threads: any; one
 * lock inside, never held across I/O. Bounds: NODES_MAX nodes, RECALLS_OF_NODE each (more are
 * dropped), RECALLS_KEEP_MS.
 */
#ifndef SLUICE_CONTROL_PUBLISH_RECALLS_H
#define SLUICE_CONTROL_PUBLISH_RECALLS_H

#include "common/arena.h"
#include "control-plane/ledger/grants.h"

#define RECALLS_OF_NODE 256u
#define RECALLS_KEEP_MS 5000

struct recalls;

/* gives. ST_NO_MEMORY. */
MUST_USE enum status recalls_new(struct recalls **recalls);
void recalls_free(struct recalls *recalls);

/* copies. */
void recalls_file(struct recalls *recalls, const struct grants_recall *recall);
/* True if something waits to be told to this node. */
bool recalls_waiting(struct recalls *recalls, const struct id *node);
/* Takes what waits for `node` into its reply. ST_NO_MEMORY. */
MUST_USE enum status recalls_attach(struct recalls *recalls, const struct id *node,
                                    struct arena *arena, Sluice__ChangesReply *reply);

#endif
