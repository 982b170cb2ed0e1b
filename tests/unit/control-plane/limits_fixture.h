/* limits_fixture.h: an organisation with entities that have limits, usage events that reserve from
 * them, and the store they live in. */
#ifndef SLUICE_TEST_LIMITS_FIXTURE_H
#define SLUICE_TEST_LIMITS_FIXTURE_H

#include "common/clock.h"
#include "control-plane/ledger/counters.h"
#include "control-plane/ledger/ledger.h"
#include "tests/unit/control-plane/store_fixture.h"

#define USD INT64_C(1000000000)

/* 2026-01-15 12:00 UTC, a Thursday. */
#define LF_NOW_MS INT64_C(1768478400000)

struct limits_fixture {
    struct fixture f;
    struct id org, workspace, integration, provider, key, policy;
    int64_t now_ms;
};

static struct limits_fixture lf;

static inline void lf_time(int64_t ms)
{
    lf.now_ms = ms;
    clock_test_set(ms * 1000000, ms);
}

static inline void lf_pass(int64_t ms)
{
    lf.now_ms += ms;
    clock_test_advance(ms);
}

/* --- entities --- */

struct lf_entity {
    Sluice__Kind kind;
    const char *usage, *rates;
    const char *zone; /* organisation */
    unsigned mode;    /* organisation and workspace */
    int64_t made_ms;
};

static inline char *lf_text(struct write_op *op, const char *text)
{
    return arena_cstr(op->arena, str_c(text == NULL ? "" : text));
}

static inline enum status lf_put_op(struct write_op *op, void *arg)
{
    const struct lf_entity *e = arg;
    struct record_key key = {.kind = e->kind, .org = lf.org};
    int64_t made = e->made_ms != 0 ? e->made_ms : LF_NOW_MS;
    Sluice__Organisation org = SLUICE__ORGANISATION__INIT;
    Sluice__Workspace workspace = SLUICE__WORKSPACE__INIT;
    Sluice__Integration integration = SLUICE__INTEGRATION__INIT;
    Sluice__WorkspaceAccess access = SLUICE__WORKSPACE_ACCESS__INIT;
    Sluice__Provider provider = SLUICE__PROVIDER__INIT;
    Sluice__ApiKey api_key = SLUICE__API_KEY__INIT;
    Sluice__Policy policy = SLUICE__POLICY__INIT;
#define LF_FILL(row)                                                                               \
    (row).usage_limits_json = lf_text(op, e->usage),                                               \
    (row).rate_limits_json = lf_text(op, e->rates), (row).created_at_ms = made,                    \
    (row).updated_at_ms = op->now_ms
    switch (e->kind) {
    case SLUICE__KIND__KIND_ORGANISATION:
        key.id = lf.org;
        org.time_zone = lf_text(op, e->zone);
        org.default_limit_mode = e->mode;
        org.updated_at_ms = op->now_ms;
        return record_put(op, &key, &org, STR("acme"));
    case SLUICE__KIND__KIND_WORKSPACE:
        key.id = lf.workspace;
        LF_FILL(workspace);
        workspace.default_limit_mode = e->mode;
        return record_put(op, &key, &workspace, STR("main"));
    case SLUICE__KIND__KIND_INTEGRATION:
        key.id = lf.integration;
        LF_FILL(integration);
        return record_put(op, &key, &integration, STR("openai"));
    case SLUICE__KIND__KIND_WORKSPACE_ACCESS:
        key.parent = lf.integration;
        key.id = lf.workspace;
        LF_FILL(access);
        return record_put(op, &key, &access, STR_NONE);
    case SLUICE__KIND__KIND_PROVIDER:
        key.parent = lf.workspace;
        key.id = lf.provider;
        LF_FILL(provider);
        return record_put(op, &key, &provider, STR("openai"));
    case SLUICE__KIND__KIND_API_KEY:
        key.parent = lf.workspace;
        key.id = lf.key;
        LF_FILL(api_key);
        return record_put(op, &key, &api_key, STR("0123456789abcdef0123456789abcdef"));
    default:
        key.parent = lf.workspace;
        key.id = lf.policy;
        policy.limit_json = lf_text(op, e->usage != NULL ? e->usage : e->rates);
        policy.created_at_ms = made;
        policy.updated_at_ms = op->now_ms;
        return record_put(op, &key, &policy, STR_NONE);
    }
}

static inline void lf_put(struct lf_entity entity)
{
    OK(fixture_write(&lf.f, lf_put_op, &entity, NULL));
}

static inline void lf_key(const char *usage, const char *rates)
{
    lf_put((struct lf_entity){SLUICE__KIND__KIND_API_KEY, .usage = usage, .rates = rates});
}

static inline void lf_open(void)
{
    lf = (struct limits_fixture){.org = test_id(1),
                                 .workspace = test_id(2),
                                 .integration = test_id(3),
                                 .provider = test_id(4),
                                 .key = test_id(5),
                                 .policy = test_id(6)};
    lf_time(LF_NOW_MS);
    fixture_open(&lf.f);
    lf_put((struct lf_entity){.kind = SLUICE__KIND__KIND_ORGANISATION});
    lf_put((struct lf_entity){.kind = SLUICE__KIND__KIND_WORKSPACE});
    lf_put((struct lf_entity){.kind = SLUICE__KIND__KIND_INTEGRATION});
}

static inline void lf_close(void)
{
    fixture_close(&lf.f);
}

/* --- counters --- */

static inline struct limit_ref lf_ref(enum limit_level level, enum limit_measure measure,
                                      enum limit_window window)
{
    const struct id none = ID_NONE;
    const struct id entity[] = {[LIMIT_INTEGRATION] = lf.integration,
                                [LIMIT_ACCESS] = lf.integration,
                                [LIMIT_WORKSPACE] = lf.workspace,
                                [LIMIT_PROVIDER] = lf.provider,
                                [LIMIT_KEY] = lf.key,
                                [LIMIT_POLICY] = lf.policy};
    return (struct limit_ref){.level = (uint8_t)level,
                              .measure = (uint8_t)measure,
                              .window = (uint8_t)window,
                              .org = lf.org,
                              .entity = entity[level],
                              .second = level == LIMIT_ACCESS ? lf.workspace : none};
}

/* The workspace that belongs to a ref. */
static inline struct id lf_workspace(const struct limit_ref *ref)
{
    bool has =
        ref->level == LIMIT_PROVIDER || ref->level == LIMIT_KEY || ref->level == LIMIT_POLICY;
    return has ? lf.workspace : ID_NONE;
}

static inline struct limit_ref lf_key_cost(void)
{
    return lf_ref(LIMIT_KEY, LIMIT_COST, LIMIT_BUDGET);
}

static inline struct counter_view lf_view(struct limit_ref ref)
{
    struct counter_view view;
    struct id workspace = lf_workspace(&ref);
    struct kv_txn *txn = fixture_read(&lf.f);
    OK(counters_of(txn, &lf.f.arena, &ref, &workspace, lf.now_ms, &view));
    kv_abort(txn);
    return view;
}

static inline void lf_verify(void)
{
    struct counters_check check;
    struct kv_txn *txn = fixture_read(&lf.f);
    OK(counters_verify(txn, &check));
    kv_abort(txn);
    cr_assert_eq(check.different, 0, "%u books differ from the ledger", (unsigned)check.different);
    cr_assert_eq(check.missing, 0);
    cr_assert_eq(check.held, 0, "%u books differ from what is held", (unsigned)check.held);
    cr_assert_eq(check.over, 0);
}

/* --- events --- */

struct lf_reserve {
    struct id counter;
    uint64_t epoch;
    int64_t amount;
};

/* One event with its reserves, as the only one of a batch. Gives through_seq. */
static inline uint64_t lf_event(const struct id *node, uint64_t boot, uint64_t seq,
                                const struct lf_reserve *reserves, size_t count)
{
    Sluice__UsageBatch batch = SLUICE__USAGE_BATCH__INIT;
    Sluice__UsageEvent event = SLUICE__USAGE_EVENT__INIT, *events[1] = {&event};
    Sluice__Reserve rows[8], *row_at[8];
    uint8_t attempt[LEDGER_ATTEMPT_BYTES] = {0};
    uint64_t through = 0;
    memcpy(attempt, node->b, ID_BYTES);
    key_put_u64(attempt + 16, boot);
    key_put_u64(attempt + 28, seq);
    event.attempt_id = (ProtobufCBinaryData){sizeof attempt, attempt};
    event.seq = seq;
    event.at_ms = lf.now_ms;
    event.org = wire_id_data(&lf.org);
    event.source = SLUICE__USAGE_SOURCE__USAGE_SOURCE_PROVIDER;
    for (size_t i = 0; i < count; i++) {
        rows[i] = (Sluice__Reserve)SLUICE__RESERVE__INIT;
        rows[i].counter = wire_id_data(&reserves[i].counter);
        rows[i].epoch = reserves[i].epoch;
        rows[i].amount = reserves[i].amount;
        row_at[i] = &rows[i];
    }
    event.n_reserves = count;
    event.reserves = row_at;
    batch.journal_boot = boot;
    batch.first_seq = seq;
    batch.events = events;
    batch.n_events = 1;
    OK(ledger_ingest(lf.f.writer, node, &batch, &through));
    return through;
}

#endif
