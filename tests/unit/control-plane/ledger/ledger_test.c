/* Ledger: exactly once through repetition, gaps and restores; sums agree with events; questions and
 * upkeep. */
#include "control-plane/ledger/ledger.h"

#include "control-plane/ledger/keep.h"

#include "control-plane/store/keys.h"
#include "tests/unit/control-plane/store_fixture.h"

#define DAY0    20000u
#define DAY0_MS ((int64_t)DAY0 * ROLLUP_DAY_MS)

static struct fixture f;
static struct id node;

static void ledger_begin(void)
{
    fixture_open(&f);
    node = test_id(9);
}

static void ledger_end(void)
{
    fixture_close(&f);
}

struct event {
    Sluice__UsageEvent row;
    uint8_t attempt[LEDGER_ATTEMPT_BYTES];
    struct id org, workspace, provider, integration, key, user;
    Sluice__UsageLabel label, *labels[1];
    Sluice__UsageCount count, *counts[1];
    char model[16];
};

/* An event whose every field follows from (boot, seq), so that tests can count. */
static void make_event(struct event *e, uint64_t boot, uint64_t seq)
{
    e->row = (Sluice__UsageEvent)SLUICE__USAGE_EVENT__INIT;
    memcpy(e->attempt, node.b, 16);
    key_put_u64(e->attempt + 16, boot);
    key_put_u32(e->attempt + 24, 1);
    key_put_u64(e->attempt + 28, seq);
    e->org = test_id((uint8_t)(1 + seq % 2));
    e->workspace = test_id((uint8_t)(10 + seq % 3));
    e->provider = test_id((uint8_t)(20 + seq % 2));
    e->integration = test_id((uint8_t)(30 + seq % 2));
    e->key = test_id((uint8_t)(40 + seq % 4));
    snprintf(e->model, sizeof e->model, "model-%u", (unsigned)(seq % 2));
    e->row.attempt_id = (ProtobufCBinaryData){sizeof e->attempt, e->attempt};
    e->row.seq = seq;
    e->row.at_ms = DAY0_MS + (int64_t)(seq % 48) * ROLLUP_HOUR_MS;
    e->row.org = wire_id_data(&e->org);
    e->row.workspace = wire_id_data(&e->workspace);
    e->row.provider = wire_id_data(&e->provider);
    e->row.integration = wire_id_data(&e->integration);
    e->row.api_key = wire_id_data(&e->key);
    e->row.model = e->model;
    if (seq % 2 == 1) {
        e->user = test_id(50);
        e->row.user = wire_id_data(&e->user);
    }
    e->label = (Sluice__UsageLabel)SLUICE__USAGE_LABEL__INIT;
    e->label.key = "team";
    e->label.value = seq % 4 < 2 ? "red" : "blue";
    e->labels[0] = &e->label;
    e->row.labels = e->labels;
    e->row.n_labels = 1;
    e->count = (Sluice__UsageCount)SLUICE__USAGE_COUNT__INIT;
    e->count.price_class = PRICE_WEB_SEARCH;
    e->count.n = 3;
    e->counts[0] = &e->count;
    e->row.counts = e->counts;
    e->row.n_counts = seq % 2;
    e->row.source = seq % 10 == 0 ? SLUICE__USAGE_SOURCE__USAGE_SOURCE_ESTIMATED
                                  : SLUICE__USAGE_SOURCE__USAGE_SOURCE_PROVIDER;
    e->row.outcome = seq % 5 == 0;
    e->row.input_tokens = seq;
    e->row.output_tokens = 2;
    e->row.cached_tokens = 1;
    e->row.cost_nanousd = (int64_t)seq * 1000;
    e->row.charge_nanousd = 7;
    e->row.unpriced = seq % 7 == 0;
}

static uint64_t send_from(uint64_t boot, uint64_t first, uint64_t last, uint64_t oldest)
{
    static struct event events[200];
    Sluice__UsageEvent *rows[200];
    Sluice__UsageBatch batch = SLUICE__USAGE_BATCH__INIT;
    uint64_t through = 0;
    for (uint64_t seq = first; seq <= last; seq++) {
        make_event(&events[seq - first], boot, seq);
        rows[seq - first] = &events[seq - first].row;
    }
    batch.journal_boot = boot;
    batch.first_seq = first;
    batch.oldest_seq = oldest;
    batch.events = rows;
    batch.n_events = last - first + 1;
    OK(ledger_ingest(f.writer, &node, &batch, &through));
    return through;
}

static uint64_t send_batch(uint64_t boot, uint64_t first, uint64_t last)
{
    return send_from(boot, first, last, 0);
}

static struct ledger_answer ask(struct ledger_question question)
{
    struct ledger_answer answer;
    if (question.end_ms == 0)
        question.end_ms = DAY0_MS + 3 * ROLLUP_DAY_MS;
    if (question.start_ms == 0)
        question.start_ms = DAY0_MS;
    struct kv_txn *txn = fixture_read(&f);
    OK(ledger_ask(txn, &question, &f.arena, &answer));
    for (size_t i = 0; i < answer.count; i++) /* model text is in the arena, not in the store */
        cr_assert(answer.rows[i].text.n == 0 || answer.rows[i].text.p != NULL);
    kv_abort(txn);
    return answer;
}

static struct rollup_totals all_totals(void)
{
    struct rollup_totals sum = {0};
    for (uint8_t org = 1; org <= 2; org++) {
        struct ledger_answer answer = ask((struct ledger_question){.org = test_id(org)});
        rollup_totals_add(&sum, &answer.totals);
    }
    return sum;
}

static void expect_through(uint64_t last)
{
    struct rollup_totals sum = all_totals();
    cr_assert_eq(sum.requests, last);
    cr_assert_eq(sum.input_tokens, last * (last + 1) / 2);
    cr_assert_eq(sum.cost_nanousd, (int64_t)(last * (last + 1) / 2 * 1000));
    cr_assert_eq(sum.errors, last / 5);
    cr_assert_eq(sum.unpriced, last / 7);
    cr_assert_eq(sum.unsure, last / 10);
    cr_assert_eq(sum.output_tokens, 2 * last);
    cr_assert_eq(sum.cached_tokens, last);
    cr_assert_eq(sum.charge_nanousd, (int64_t)(7 * last));
    cr_assert_eq(sum.classes[PRICE_WEB_SEARCH], (last + 1) / 2 * 3, "as the event counts");
    cr_assert_eq(sum.classes[PRICE_OUTPUT_TOKEN], last / 2 * 2, "taken apart where it does not");
    cr_assert_eq(sum.classes[PRICE_CACHE_READ_TOKEN], last / 2);
}

Test(ledger, each_event_once, .init = ledger_begin, .fini = ledger_end)
{
    cr_assert_eq(send_batch(1, 1, 10), 10);
    cr_assert_eq(send_batch(1, 1, 10), 10);  /* lost answer */
    cr_assert_eq(send_batch(1, 21, 30), 10); /* out of order: a gap */
    cr_assert_eq(send_batch(1, 5, 20), 20);  /* overlap */
    cr_assert_eq(send_batch(1, 15, 30), 30);
    cr_assert_eq(send_batch(1, 1, 5), 30); /* very late */
    expect_through(30);
    cr_assert_eq(writer_revision(f.writer), 0);
    cr_assert_eq(send_batch(2, 1, 3), 3); /* another boot has its own numbers */
    cr_assert_eq(all_totals().requests, 33);
}

Test(ledger, a_gap_ends_the_batch, .init = ledger_begin, .fini = ledger_end)
{
    static struct event events[3];
    Sluice__UsageEvent *rows[3];
    const uint64_t seqs[] = {1, 2, 4};
    for (size_t i = 0; i < 3; i++) {
        make_event(&events[i], 1, seqs[i]);
        rows[i] = &events[i].row;
    }
    Sluice__UsageBatch batch = SLUICE__USAGE_BATCH__INIT;
    uint64_t through;
    batch.journal_boot = 1;
    batch.events = rows;
    batch.n_events = 3;
    OK(ledger_ingest(f.writer, &node, &batch, &through));
    cr_assert_eq(through, 2);
    cr_assert_eq(all_totals().requests, 2);
    batch.n_events = LEDGER_BATCH_MAX + 1;
    IS(ledger_ingest(f.writer, &node, &batch, &through), ST_TOO_LARGE);
}

Test(ledger, a_pruned_journal_is_not_waited_for, .init = ledger_begin, .fini = ledger_end)
{
    struct ledger_watermark mark;
    cr_assert_eq(send_batch(1, 1, 10), 10);
    cr_assert_eq(send_from(1, 50, 60, 50), 60);
    cr_assert_eq(send_from(1, 50, 60, 50), 60);
    struct kv_txn *txn = fixture_read(&f);
    OK(ledger_watermark(txn, &node, 1, &mark));
    kv_abort(txn);
    cr_assert_eq(mark.skipped, 39);
    cr_assert_eq(mark.through_seq, 60);
    cr_assert_eq(all_totals().requests, 21);
}

Test(ledger, events_that_cannot_be_do_not_stop_the_journal, .init = ledger_begin,
     .fini = ledger_end)
{
    static struct event e;
    Sluice__UsageEvent *rows[] = {&e.row};
    Sluice__UsageBatch batch = SLUICE__USAGE_BATCH__INIT;
    uint64_t through;
    batch.journal_boot = 1;
    batch.events = rows;
    batch.n_events = 1;
    for (unsigned i = 0; i < 8; i++) {
        make_event(&e, 1, i + 1);
        if (i == 0)
            e.attempt[0] ^= 1; /* another node's attempt */
        if (i == 1)
            e.row.attempt_id.len = 35;
        if (i == 2)
            e.row.org.len = 0;
        if (i == 3)
            e.row.workspace.len = 7;
        if (i == 4)
            e.row.cost_nanousd = -1;
        if (i == 5)
            e.row.at_ms = INT64_MAX;
        if (i == 6)
            e.row.at_ms = 0;
        if (i == 7)
            e.row.charge_nanousd = -1;
        OK(ledger_ingest(f.writer, &node, &batch, &through));
        cr_assert_eq(through, i + 1, "row %u", i);
    }
    cr_assert_eq(all_totals().requests, 0);
    struct ledger_watermark mark;
    struct kv_txn *txn = fixture_read(&f);
    OK(ledger_watermark(txn, &node, 1, &mark));
    kv_abort(txn);
    cr_assert_eq(mark.rejected, 8);
}

Test(ledger, questions, .init = ledger_begin, .fini = ledger_end)
{
    send_batch(1, 1, 120);
    struct id org = test_id(1), other = test_id(2);
    const struct {
        struct ledger_question question;
        size_t rows;
        uint64_t requests;
    } rows[] = {
        {{.org = org}, 1, 60},
        {{.org = test_id(3)}, 0, 0},
        {{.org = other, .group = LEDGER_BY_WORKSPACE}, 3, 60},
        {{.org = org, .workspace = test_id(10)}, 1, 20},
        {{.org = org, .group = LEDGER_BY_PROVIDER | LEDGER_BY_MODEL},
         1,
         60}, /* even seq: one of each */
        {{.org = org, .provider = test_id(21)}, 0, 0},
        {{.org = other, .provider = test_id(21), .group = LEDGER_BY_MODEL}, 1, 60},
        {{.org = other, .model = STR("model-1")}, 1, 60},
        {{.org = other, .model = STR("model-0")}, 0, 0},
        {{.org = org, .group = LEDGER_BY_KEY}, 2, 60},
        {{.org = org, .key = test_id(40)}, 1, 30},
        {{.org = org, .workspace = test_id(10), .group = LEDGER_BY_KEY}, 2, 20},
        {{.org = org, .group = LEDGER_BY_INTEGRATION}, 1, 60},
        {{.org = org, .group = LEDGER_BY_PERIOD}, 2, 60},
        {{.org = org, .period = ROLLUP_HOUR, .group = LEDGER_BY_PERIOD}, 24, 60},
        {{.org = org, .end_ms = DAY0_MS + ROLLUP_DAY_MS}, 1, 35},
        {{.org = org, .start_ms = DAY0_MS + ROLLUP_DAY_MS}, 1, 25},
        {{.org = org,
          .period = ROLLUP_HOUR,
          .start_ms = DAY0_MS + 2 * ROLLUP_HOUR_MS,
          .end_ms = DAY0_MS + 2 * ROLLUP_HOUR_MS + 1},
         1,
         3},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ledger_answer answer = ask(rows[i].question);
        cr_assert_eq(answer.count, rows[i].rows, "row %zu: %zu", i, answer.count);
        cr_assert_eq(answer.totals.requests, rows[i].requests, "row %zu: %llu", i,
                     (unsigned long long)answer.totals.requests);
    }
    const struct ledger_answer users =
        ask((struct ledger_question){.org = other, .group = LEDGER_BY_USER});
    cr_assert_eq(users.count, 1, "keys without a user are nobody's");
    cr_assert_eq(users.totals.requests, 60);
    struct ledger_answer labels = ask(
        (struct ledger_question){.org = org, .label = STR("team"), .group = LEDGER_BY_LABEL});
    cr_assert_eq(labels.count, 2);
    cr_assert(str_eq(labels.rows[0].text, STR("blue")));
    cr_assert_eq(labels.totals.requests, 60);
    labels = ask((struct ledger_question){
        .org = org, .label = STR("team"), .value = STR("red"), .group = LEDGER_BY_PERIOD});
    cr_assert_eq(labels.totals.requests, 30);
    cr_assert_eq(labels.count, 2);
    const struct ledger_question bad[] = {
        {.org = org, .group = LEDGER_BY_USER | LEDGER_BY_MODEL},
        {.org = org, .group = LEDGER_BY_LABEL},
        {.org = org, .label = STR("team"), .key = test_id(40)},
        {.org = org, .group = LEDGER_BY_KEY | LEDGER_BY_MODEL},
        {.org = org, .key = test_id(40), .model = STR("x")},
        {.org = org, .group = LEDGER_BY_INTEGRATION | LEDGER_BY_WORKSPACE},
        {.org = org, .start_ms = 5, .end_ms = 5},
        {.org = org, .start_ms = -5},
    };
    struct kv_txn *txn = fixture_read(&f);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct ledger_answer answer;
        struct ledger_question question = bad[i];
        if (question.start_ms == 0)
            question.end_ms = 1;
        cr_assert_eq(ledger_ask(txn, &question, &f.arena, &answer), ST_INVALID, "row %zu", i);
    }
    kv_abort(txn);
}

Test(ledger, raw_events_in_pages, .init = ledger_begin, .fini = ledger_end)
{
    send_batch(1, 1, 120);
    send_batch(2, 1, 30);
    struct ledger_events_filter filter = {
        .org = test_id(1), .start_ms = DAY0_MS, .end_ms = DAY0_MS + 2 * ROLLUP_DAY_MS};
    for (size_t limit = 1; limit <= 1000; limit *= 10) {
        struct ledger_events_page page = {.more = true};
        uint8_t place[LEDGER_EVENT_KEY];
        size_t count = 0;
        while (page.more) {
            struct kv_txn *txn = fixture_read(&f);
            OK(ledger_events(txn, &filter, count == 0 ? NULL : place, limit, &f.arena, &page));
            kv_abort(txn);
            count += page.count;
            memcpy(place, page.place, sizeof place);
        }
        cr_assert_eq(count, 75);
    }
    struct event e;
    Sluice__UsageEvent *got;
    make_event(&e, 2, 17);
    struct kv_txn *txn = fixture_read(&f);
    OK(ledger_find(txn, str_of((char *)e.attempt, sizeof e.attempt), DAY0_MS,
                   DAY0_MS + 3 * ROLLUP_DAY_MS, &f.arena, &got));
    cr_assert_eq(got->seq, 17);
    cr_assert_eq(got->cost_nanousd, 17000);
    make_event(&e, 2, 31);
    IS(ledger_find(txn, str_of((char *)e.attempt, sizeof e.attempt), DAY0_MS,
                   DAY0_MS + 3 * ROLLUP_DAY_MS, &f.arena, &got),
       ST_NOT_FOUND);
    IS(ledger_find(txn, STR("short"), DAY0_MS, DAY0_MS, &f.arena, &got), ST_INVALID);
    IS(ledger_events(txn, &filter, NULL, 0, &f.arena, &(struct ledger_events_page){0}), ST_RANGE);
    kv_abort(txn);
}

static struct ledger_check verify(uint32_t day)
{
    struct ledger_check check;
    struct kv_txn *txn = fixture_read(&f);
    OK(ledger_verify_day(txn, day, &check));
    kv_abort(txn);
    return check;
}

struct poke {
    enum rollup_dim dim;
    int add; /* +1: one request too many, -1: the row is gone, 0: a row that no event explains */
};

static enum status poke(struct write_op *op, void *arg)
{
    struct poke *poke = arg;
    struct rollup_walk walk;
    struct rollup_row row;
    struct key key;
    struct str value;
    op->no_revision = true;
    TRY(rollup_walk_open(&walk, op->txn, ROLLUP_HOUR, poke->dim, NULL, NULL, 0, UINT32_MAX));
    TRY(rollup_walk_next(&walk, &row));
    key_init(&key);
    key_add_bytes(&key, walk.key.p, walk.key.n);
    rollup_walk_close(&walk);
    TRY(kv_get(op->txn, KV_MAIN, key_str(&key), &value));
    char *copy = arena_cstr(op->arena, value);
    if (poke->add < 0)
        return kv_delete(op->txn, KV_MAIN, key_str(&key));
    if (poke->add > 0)
        copy[8]++;
    else
        key.b[3 + 32 + 4]++; /* another id */
    return kv_put(op->txn, KV_MAIN, key_str(&key), str_of(copy, value.n));
}

Test(ledger, verify_sees_every_difference, .init = ledger_begin, .fini = ledger_end)
{
    send_batch(1, 1, 120);
    struct ledger_check check = verify(DAY0);
    cr_assert_eq(check.events + verify(DAY0 + 1).events, 120);
    cr_assert(check.different == 0 && check.missing == 0 && check.extra == 0 && check.rows > 50);
    check = verify(DAY0 + 9);
    cr_assert(check.events == 0 && check.rows == 0 && check.extra == 0);
    const struct {
        struct poke poke;
        uint64_t different, missing, extra;
    } rows[] = {
        {{ROLLUP_MODEL, 1}, 1, 0, 0},        {{ROLLUP_KEY, 1}, 2, 0, 0},
        {{ROLLUP_INTEGRATION, -1}, 2, 1, 0}, {{ROLLUP_MODEL, 0}, 2, 1, 1},
        {{ROLLUP_KEY, -1}, 1, 2, 1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct poke how = rows[i].poke;
        OK(writer_run(f.writer, NULL, &f.arena, poke, &how, NULL));
        check = verify(DAY0);
        cr_assert(check.different == rows[i].different && check.missing == rows[i].missing &&
                      check.extra == rows[i].extra,
                  "row %zu", i);
    }
}

struct drop {
    uint32_t day;
    size_t rows;
    bool left, sums;
};

static enum status drop(struct write_op *op, void *arg)
{
    struct drop *drop = arg;
    if (drop->sums)
        return ledger_drop_sums(op, ROLLUP_HOUR, false, drop->day * 24, drop->rows, &drop->left);
    return ledger_drop_events(op, drop->day, drop->rows, &drop->left);
}

Test(ledger, days_are_dropped_in_slices, .init = ledger_begin, .fini = ledger_end)
{
    uint32_t first, last;
    struct kv_txn *txn = fixture_read(&f);
    IS(ledger_days(txn, &first, &last), ST_NOT_FOUND);
    kv_abort(txn);
    send_batch(1, 1, 120);
    struct drop slice = {.day = DAY0 + 1, .rows = 50, .sums = true};
    IS(writer_run(f.writer, NULL, &f.arena, drop, &slice, NULL),
       ST_RANGE); /* its events are still there */
    slice.sums = false;
    unsigned slices = 0;
    do {
        OK(writer_run(f.writer, NULL, &f.arena, drop, &slice, NULL));
        slices++;
    } while (slice.left);
    cr_assert_eq(slices, 2);
    txn = fixture_read(&f);
    OK(ledger_days(txn, &first, &last));
    cr_assert(first == DAY0 + 1 && last == DAY0 + 1);
    struct ledger_check check;
    IS(ledger_verify_day(txn, DAY0, &check), ST_RANGE);
    kv_abort(txn);
    check = verify(DAY0 + 1);
    cr_assert(check.events > 0 && check.different == 0 && check.missing == 0 && check.extra == 0);
    expect_through(120);
    send_batch(1, 121, 150); /* late ones for the dropped day still count */
    expect_through(150);
    txn = fixture_read(&f);
    OK(ledger_days(txn, &first, &last));
    cr_assert_eq(first, DAY0 + 1);
    kv_abort(txn);
    slice = (struct drop){.day = DAY0 + 1, .rows = 20, .sums = true};
    for (slices = 0; slices == 0 || slice.left; slices++)
        OK(writer_run(f.writer, NULL, &f.arena, drop, &slice, NULL));
    cr_assert_gt(slices, 2);
    struct ledger_answer hours = ask((struct ledger_question){
        .org = test_id(1), .period = ROLLUP_HOUR, .group = LEDGER_BY_PERIOD});
    cr_assert_eq(hours.count, 12);
    check = verify(DAY0 + 1);
    cr_assert(check.different == 0 && check.missing == 0 && check.extra == 0);
    expect_through(150);
}

Test(ledger, what_is_old_goes_by_age, .init = ledger_begin, .fini = ledger_end)
{
    const struct keep_options options = {.entries_ms = 10 * ROLLUP_DAY_MS,
                                         .hours_ms = 5 * ROLLUP_DAY_MS, /* less than entries */
                                         .days_ms = 20 * ROLLUP_DAY_MS};
    const struct ledger_question hours = {
        .org = test_id(1), .period = ROLLUP_HOUR, .group = LEDGER_BY_PERIOD};
    const struct ledger_question labels = {
        .org = test_id(1), .label = STR("team"), .group = LEDGER_BY_PERIOD};
    uint32_t first, last;
    send_batch(1, 1, 120);
    keep_run(f.writer, &options, DAY0_MS + 9 * ROLLUP_DAY_MS, 10000);
    cr_assert_eq(ask(hours).count, 24, "hours wait for the entries that explain them");
    cr_assert_eq(verify(DAY0).different, 0);
    keep_run(f.writer, &options, DAY0_MS + 11 * ROLLUP_DAY_MS, 10000);
    struct kv_txn *txn = fixture_read(&f);
    OK(ledger_days(txn, &first, &last));
    kv_abort(txn);
    cr_assert_eq(first, DAY0 + 1);
    cr_assert_eq(ask(hours).count, 12);
    cr_assert_eq(ask(labels).count, 1, "sums by metadata are kept as long as hours");
    expect_through(120);
    keep_run(f.writer, &options, DAY0_MS + 21 * ROLLUP_DAY_MS, 10000);
    cr_assert_lt(all_totals().requests, 120);
    txn = fixture_read(&f);
    IS(ledger_days(txn, &first, &last), ST_NOT_FOUND);
    kv_abort(txn);
}

Test(ledger, objects_belong_to_their_workspace, .init = ledger_begin, .fini = ledger_end)
{
    static struct event e;
    Sluice__UsageEvent *rows[] = {&e.row};
    Sluice__UsageBatch batch = SLUICE__USAGE_BATCH__INIT;
    uint64_t through;
    make_event(&e, 1, 1);
    char object_id[] = "file-abc file-out", kind[] = "file";
    e.row.object_id = object_id;
    e.row.object_kind = kind;
    batch.journal_boot = 1;
    batch.events = rows;
    batch.n_events = 1;
    OK(ledger_ingest(f.writer, &node, &batch, &through));
    struct kv_txn *txn = fixture_read(&f);
    struct id other = test_id(99);
    cr_assert(ledger_object_owned(txn, &e.org, &e.workspace, &e.provider, STR("file-abc")));
    cr_assert(ledger_object_owned(txn, &e.org, &e.workspace, &e.provider, STR("file-out")));
    cr_assert_not(ledger_object_owned(txn, &e.org, &other, &e.provider, STR("file-abc")));
    cr_assert_not(ledger_object_owned(txn, &other, &e.workspace, &e.provider, STR("file-abc")));
    cr_assert_not(ledger_object_owned(txn, &e.org, &e.workspace, &other, STR("file-abc")));
    cr_assert_not(ledger_object_owned(txn, &e.org, &e.workspace, &e.provider, STR("file-abd")));
    kv_abort(txn);
}
