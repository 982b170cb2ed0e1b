/* lender.h: grants as the link sees them: requests of nodes, and recalls told with the feed.
 *
 * Joins the grants (ledger/grants.h) with who can be reached now (nodes.h) and whose Changes
 * request waits (parking.h): a recall is put down for its node, and the node's waiting request
 * answered. Owner: lender_new gives; nodes, parking and the writer outlive it. Threads: any.
 */
#ifndef SLUICE_CONTROL_PUBLISH_LENDER_H
#define SLUICE_CONTROL_PUBLISH_LENDER_H

#include "control-plane/publish/nodes.h"
#include "control-plane/publish/parking.h"
#include "control-plane/publish/recalls.h"

struct lender;

struct lender_options {
    struct kv *kv;
    struct writer *writer;
    struct nodes *nodes;
    struct parking *parking;
    int64_t request_max_ms, node_lost_after_ms; /* as grants.h */
};

/* ST_NO_MEMORY. */
MUST_USE enum status lender_new(const struct lender_options *options, struct lender **lender);
void lender_free(struct lender *lender);
struct grants *lender_grants(struct lender *lender);
struct recalls *lender_recalls(struct lender *lender);

/* Answers a request for grants that came in `frame`. Statuses of grants_answer. */
MUST_USE enum status lender_answer(struct lender *lender, const struct frame *frame,
                                   const Sluice__GrantsRequest *request, struct arena *arena,
                                   Sluice__GrantsReply *reply);

#endif
