/* probe.h: asking one connected node to act once with a stored credential ("test", "list_models").
 *
 * The control plane never opens a credential to call a provider; a node does, and answers. A probe
 * is handed to its node at most once, inside a ChangesReply; if that reply or the answer is lost,
 * the asker's time runs out and nothing else happens. Threads: any. Bound: PROBES_MAX at once.
 */
#ifndef SLUICE_CONTROL_PUBLISH_PROBE_H
#define SLUICE_CONTROL_PUBLISH_PROBE_H

#include "control-plane/vault/vault.h"
#include "proto/link.pb-c.h"

#define PROBES_MAX        32u
#define PROBE_MESSAGE_MAX 1024u
#define PROBE_MODELS_MAX  2000u
#define PROBE_WAIT_MAX_MS 60000u

struct probes;

struct probe_result {
    bool ok;
    unsigned http_status, latency_ms;
    struct str message;
    const struct str *models;
    size_t model_count;
    bool cut; /* there are more models than these */
};

/* gives. ST_NO_MEMORY. */
MUST_USE enum status probes_new(struct probes **probes);
void probes_free(struct probes *probes);

/* Files a probe for `node`. `action`: "test" | "list_models"; `unsaved`: a packed integration to act
 * with in place of the stored one, or empty (both borrowed until probe_wait returns).
 * ST_OVERLOADED: PROBES_MAX are open. */
MUST_USE enum status probe_ask(struct probes *probes, const struct id *node,
                               const struct record_key *integration, struct str unsaved,
                               const char *action, unsigned wait_ms, struct id *probe);
/* Waits for the answer and forgets the probe. gives in the arena. ST_UPSTREAM_TIMEOUT,
 * ST_NO_MEMORY. */
MUST_USE enum status probe_wait(struct probes *probes, const struct id *probe, struct arena *arena,
                                struct probe_result *result);

/* True if a probe waits to be handed to this node. */
bool probes_waiting(struct probes *probes, const struct id *node);
/* Adds the waiting probes of `node` to its reply, each with the integration as that node may see
 * it. A probe whose integration is gone is skipped. ST_NO_MEMORY, store statuses. */
MUST_USE enum status probes_attach(struct probes *probes, struct kv_txn *txn, const struct id *node,
                                   const struct id *group, struct arena *arena,
                                   Sluice__ChangesReply *reply);
/* The node's answer. False: nobody waits for it (any more), or another node was asked. */
bool probe_answer(struct probes *probes, const struct id *node, const Sluice__ProbeResult *answer);

#endif
