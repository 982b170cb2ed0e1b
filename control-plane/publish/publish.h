/* publish.h: the control plane's end of the link: who may speak, who waits for changes, who is told
 * what.
 *
 * Owner: publish_start gives, lives as long as the process (link.h); publish_stop ends its threads.
 * Threads: the link's workers answer requests; one thread watches the writer's revision; one serves
 * parked requests. Each message is verified against the node's record as it is now, so a removed
 * node gets nothing from the moment its removal is committed: LINK_ERROR node_revoked if its key
 * still verifies, silence otherwise.
 * Bounds: NODES_MAX nodes, one parked request each; a wake per node and PUBLISH_WAKE_MS.
 */
#ifndef SLUICE_CONTROL_PUBLISH_H
#define SLUICE_CONTROL_PUBLISH_H

#include "common/link.h"
#include "control-plane/ledger/grants.h"
#include "control-plane/publish/nodes.h"
#include "control-plane/publish/probe.h"

#define PUBLISH_WAKE_MS 10

struct publish;

struct publish_options {
    struct kv *kv;
    struct writer *writer;
    struct vault *vault;
    struct request_log *request_log; /* NULL: none is kept */
    const char *link_url; /* "tls+tcp://address:port" */
    struct link_identity identity;
    const char *control_url; /* what nodes tell their clients and re-emit admin calls to; copied */
    int64_t request_max_ms, node_lost_after_ms; /* as ledger/grants.h */
};

/* Listens and serves. Statuses of link_server_start. */
MUST_USE enum status publish_start(const struct publish_options *options, struct publish **publish);
void publish_stop(struct publish *publish);
uint16_t publish_port(const struct publish *publish);
struct nodes *publish_nodes(struct publish *publish);
/* borrows what lends limits to nodes (ledger/grants.h). */
struct grants *publish_grants(struct publish *publish);

/* Has one connected node of any group act with an integration's credential, and waits. `unsaved`: the
 * integration packed as it is not stored, or empty (borrowed).
 * ST_NOT_READY: no node is connected. ST_UPSTREAM_TIMEOUT, ST_OVERLOADED, ST_NO_MEMORY. */
MUST_USE enum status publish_probe(struct publish *publish, const struct record_key *integration,
                                   struct str unsaved, const char *action, unsigned wait_ms,
                                   struct arena *arena, struct id *node,
                                   struct probe_result *result);

/* Messages that were not answered because nothing proved who sent them; for /metrics. */
uint64_t publish_strangers(const struct publish *publish);

#endif
