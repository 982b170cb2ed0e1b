/* grants_fixture.h: scripted nodes that ask the limits fixture for grants. */
#ifndef SLUICE_TEST_GRANTS_FIXTURE_H
#define SLUICE_TEST_GRANTS_FIXTURE_H

#include "control-plane/ledger/grants.h"
#include "tests/unit/control-plane/limits_fixture.h"

#define GF_OK        SLUICE__GRANT_VERDICT__GRANT_OK
#define GF_EXHAUSTED SLUICE__GRANT_VERDICT__GRANT_EXHAUSTED
#define GF_WAIT      SLUICE__GRANT_VERDICT__GRANT_WAIT
#define GF_UNKNOWN   SLUICE__GRANT_VERDICT__GRANT_UNKNOWN

#define GF_LOST_MS INT64_C(3600000)

struct grants_fixture {
    struct grants *grants;
    bool away[8];                       /* by the first byte of a node's id */
    struct grants_recall recalls[4096]; /* newest request that made some */
    size_t recall_count;
};

static struct grants_fixture gf;

static inline bool gf_reachable(void *arg, const struct id *node, uint64_t boot)
{
    (void)arg;
    (void)boot;
    return node->b[0] >= COUNT_OF(gf.away) || !gf.away[node->b[0]];
}

static inline void gf_recall(void *arg, const struct grants_recall *recalls, size_t count)
{
    (void)arg;
    cr_assert_leq(count, COUNT_OF(gf.recalls));
    memcpy(gf.recalls, recalls, count * sizeof *recalls);
    gf.recall_count = count;
}

static inline struct grants_options gf_options(void)
{
    return (struct grants_options){.kv = lf.f.kv,
                                   .writer = lf.f.writer,
                                   .reachable = gf_reachable,
                                   .recall = gf_recall,
                                   .request_max_ms = 60000,
                                   .node_lost_after_ms = GF_LOST_MS};
}

static inline void gf_open(void)
{
    lf_open();
    gf = (struct grants_fixture){.recall_count = 0};
    struct grants_options options = gf_options();
    OK(grants_new(&options, &gf.grants));
}

static inline void gf_close(void)
{
    grants_free(gf.grants);
    lf_close();
}

/* One life of a node, and one counter as it knows it. */
struct gf_node {
    struct id id;
    uint64_t boot, frames, seq;
};
struct gf_row {
    struct limit_ref ref;
    uint64_t epoch;
    int64_t granted, returned, spent; /* spent: also what is not in events yet */
    int64_t need, wanted;
    bool idle;
    /* of the newest reply */
    Sluice__GrantVerdict verdict;
    int64_t limit, settled, outstanding, ends_ms;
    uint32_t lease_ms, retry_ms;
};

static inline struct gf_node gf_node(uint8_t number)
{
    return (struct gf_node){.id = test_id(number), .boot = 1};
}

static inline int64_t gf_left(const struct gf_row *row)
{
    return row->granted - row->returned - row->spent;
}

struct gf_message {
    Sluice__GrantsRequest request;
    Sluice__Grant grant, *grants[1];
    Sluice__CounterRef ref;
    struct id counter, workspace;
    char value_key[64];
};

/* Borrows the row. */
static inline void gf_fill(struct gf_message *m, const struct gf_row *row)
{
    m->request = (Sluice__GrantsRequest)SLUICE__GRANTS_REQUEST__INIT;
    m->grant = (Sluice__Grant)SLUICE__GRANT__INIT;
    m->ref = (Sluice__CounterRef)SLUICE__COUNTER_REF__INIT;
    limit_counter_id(&row->ref, &m->counter);
    m->workspace = lf_workspace(&row->ref);
    m->grant.counter = wire_id_data(&m->counter);
    m->grant.epoch = row->epoch;
    m->grant.need = (uint64_t)row->need;
    m->grant.wanted = (uint64_t)row->wanted;
    m->grant.granted = (uint64_t)row->granted;
    m->grant.returned = (uint64_t)row->returned;
    if (row->ref.window != LIMIT_BUDGET && row->ref.window != LIMIT_NOW)
        m->grant.spent = (uint64_t)row->spent;
    m->grant.idle = row->idle;
    if (row->epoch == 0) {
        m->ref.org = wire_id_data(&row->ref.org);
        m->ref.level = row->ref.level;
        m->ref.entity = wire_id_data(&row->ref.entity);
        m->ref.second = wire_id_data(&row->ref.second);
        m->ref.workspace = wire_id_data(&m->workspace);
        m->ref.measure = row->ref.measure;
        m->ref.window = row->ref.window;
        m->ref.nth = row->ref.nth;
        snprintf(m->value_key, sizeof m->value_key, STR_FMT, STR_ARG(row->ref.value_key));
        m->ref.value_key = m->value_key;
        m->grant.ref = &m->ref;
    }
    m->grants[0] = &m->grant;
    m->request.grants = m->grants;
    m->request.n_grants = 1;
}

static inline enum status gf_send(struct gf_node *node, const Sluice__GrantsRequest *request,
                                  Sluice__GrantsReply *reply)
{
    const struct grants_asker asker = {node->id, node->boot, ++node->frames};
    gf.recall_count = 0;
    return grants_answer(gf.grants, &asker, request, &lf.f.arena, reply);
}

/* What a node makes of a reply. A row of another epoch replaces what it knew. */
static inline void gf_take(struct gf_row *row, const Sluice__Grant *grant)
{
    if (grant->epoch != row->epoch) {
        row->epoch = grant->epoch;
        row->granted = row->returned = row->spent = 0;
    }
    if ((int64_t)grant->granted > row->granted)
        row->granted = (int64_t)grant->granted;
    row->verdict = grant->verdict;
    row->limit = grant->limit;
    row->settled = grant->settled;
    row->outstanding = grant->outstanding;
    row->ends_ms = grant->epoch_ends_ms;
    row->lease_ms = grant->lease_ms;
    row->retry_ms = grant->retry_after_ms;
}

/* Asks, and takes the answer unless it is `lost`. */
static inline void gf_ask_lost(struct gf_node *node, struct gf_row *row, bool lost)
{
    struct gf_message m;
    Sluice__GrantsReply reply;
    gf_fill(&m, row);
    OK(gf_send(node, &m.request, &reply));
    if (lost)
        return;
    if (row->idle)
        row->granted = row->returned = row->spent = 0, row->idle = false;
    cr_assert_geq(reply.n_grants, 1);
    for (size_t i = 0; i < reply.n_grants; i++)
        gf_take(row, reply.grants[i]);
}

static inline Sluice__GrantVerdict gf_ask(struct gf_node *node, struct gf_row *row, int64_t need,
                                          int64_t wanted)
{
    row->need = need;
    row->wanted = wanted;
    gf_ask_lost(node, row, false);
    row->need = row->wanted = 0;
    return row->verdict;
}

/* Spends and tells the ledger. */
static inline void gf_spend(struct gf_node *node, struct gf_row *row, int64_t amount)
{
    struct lf_reserve reserve = {.epoch = row->epoch, .amount = amount};
    limit_counter_id(&row->ref, &reserve.counter);
    row->spent += amount;
    node->seq++;
    cr_assert_eq(lf_event(&node->id, node->boot, node->seq, &reserve, 1), node->seq);
}

static inline void gf_return(struct gf_node *node, struct gf_row *row, int64_t keep)
{
    if (gf_left(row) > keep)
        row->returned += gf_left(row) - keep;
    (void)gf_ask(node, row, 0, 0);
}

/* --- without the writer thread: many requests in one transaction ---------------------------------
 */

struct gf_direct {
    struct kv_txn *txn;
    struct arena arena; /* of one call */
    unsigned calls;
    uint64_t revision; /* for who writes records */
};

static struct gf_direct gd;

static inline void gd_begin(void)
{
    gd = (struct gf_direct){.revision = 1000};
    arena_init(&gd.arena, (size_t)64 << 20);
    OK(kv_begin(lf.f.kv, true, &gd.txn));
}

static inline void gd_commit(void)
{
    OK(kv_commit(gd.txn));
    OK(kv_begin(lf.f.kv, true, &gd.txn));
}

static inline void gd_end(void)
{
    OK(kv_commit(gd.txn));
    arena_free(&gd.arena);
}

/* An operation of the one transaction; what it allocates lives until the next one. */
static inline struct write_op gd_op(void)
{
    if (++gd.calls % 1000 == 0)
        gd_commit();
    arena_free(&gd.arena);
    return (struct write_op){
        .txn = gd.txn, .arena = &gd.arena, .now_ms = clock_utc_ms(), .revision = 1};
}

static inline enum status gd_send(struct gf_node *node, uint64_t frame,
                                  const Sluice__GrantsRequest *request, Sluice__GrantsReply *reply,
                                  struct grants_work *work)
{
    static struct grants_asker asker;
    struct write_op op = gd_op();
    asker = (struct grants_asker){node->id, node->boot, frame};
    *work = (struct grants_work){
        .grants = gf.grants, .asker = &asker, .request = request, .reply = reply};
    return grants_answer_op(&op, work);
}

#endif
