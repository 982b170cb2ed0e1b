/* lender.c: between the grants and the link.
 *
 * The writer thread asks who can be reached, which takes the node table's lock for a moment and
 * nothing else. Recalls are made after the commit: first put down, then the node is woken, so a
 * node that asks for changes in between finds them.
 */
#include "control-plane/publish/lender.h"

#include <stdlib.h>

#define LENDER_MAGIC 0x4c656e64u

struct lender {
    uint32_t magic;
    struct nodes *nodes;
    struct parking *parking;
    struct recalls *recalls;
    struct grants *grants;
};

static bool lender_reachable(void *arg, const struct id *node, uint64_t boot)
{
    struct lender *lender = arg;
    return nodes_boot_connected(lender->nodes, node, boot);
}

static void lender_recall(void *arg, const struct grants_recall *list, size_t count)
{
    struct lender *lender = arg;
    for (size_t i = 0; i < count; i++) {
        recalls_file(lender->recalls, &list[i]);
        parking_wake(lender->parking, &list[i].node);
    }
}

enum status lender_new(const struct lender_options *options, struct lender **out)
{
    struct lender *lender = calloc(1, sizeof *lender);
    if (lender == NULL)
        return ST_NO_MEMORY;
    lender->magic = LENDER_MAGIC;
    lender->nodes = options->nodes;
    lender->parking = options->parking;
    const struct grants_options grants = {.kv = options->kv,
                                          .writer = options->writer,
                                          .reachable = lender_reachable,
                                          .recall = lender_recall,
                                          .arg = lender,
                                          .request_max_ms = options->request_max_ms,
                                          .node_lost_after_ms = options->node_lost_after_ms};
    enum status status = recalls_new(&lender->recalls);
    if (status == ST_OK)
        status = grants_new(&grants, &lender->grants);
    if (status != ST_OK) {
        lender_free(lender);
        return status;
    }
    *out = lender;
    return ST_OK;
}

void lender_free(struct lender *lender)
{
    if (lender == NULL)
        return;
    CHECK_OBJ(lender, LENDER_MAGIC);
    grants_free(lender->grants);
    recalls_free(lender->recalls);
    lender->magic = 0;
    free(lender);
}

struct grants *lender_grants(struct lender *lender)
{
    CHECK_OBJ(lender, LENDER_MAGIC);
    return lender->grants;
}

struct recalls *lender_recalls(struct lender *lender)
{
    CHECK_OBJ(lender, LENDER_MAGIC);
    return lender->recalls;
}

enum status lender_answer(struct lender *lender, const struct frame *frame,
                          const Sluice__GrantsRequest *request, struct arena *arena,
                          Sluice__GrantsReply *reply)
{
    CHECK_OBJ(lender, LENDER_MAGIC);
    const struct grants_asker asker = {frame->node, frame->boot, frame->counter};
    return grants_answer(lender->grants, &asker, request, arena, reply);
}
