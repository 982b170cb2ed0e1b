/* What `sluicectl inspect` prints: every event on a line of its own, over more than one page, and disagreement when there is some. */
#include "control-plane/cli/inspect.h"

#include "common/json_tree.h"
#include "control-plane/ledger/ledger.h"
#include "control-plane/store/keys.h"
#include "tests/unit/control-plane/store_fixture.h"

#define EVENTS  1203u /* more than two pages */
#define DAY_MS  ((int64_t)20000 * ROLLUP_DAY_MS)

static struct fixture f;

static void ingest(uint64_t first, size_t count)
{
    static uint8_t attempts[EVENTS][LEDGER_ATTEMPT_BYTES];
    static Sluice__UsageEvent rows[EVENTS], *events[EVENTS];
    struct id node = test_id(9), org = test_id(1), workspace = test_id(2);
    for (size_t i = 0; i < count; i++) {
        uint64_t seq = first + i;
        rows[i] = (Sluice__UsageEvent)SLUICE__USAGE_EVENT__INIT;
        memcpy(attempts[i], node.b, ID_BYTES);
        key_put_u64(attempts[i] + 16, 7);
        key_put_u64(attempts[i] + 28, seq);
        rows[i].attempt_id = (ProtobufCBinaryData){LEDGER_ATTEMPT_BYTES, attempts[i]};
        rows[i].seq = seq;
        rows[i].at_ms = DAY_MS + (int64_t)seq;
        rows[i].org = wire_id_data(&org);
        rows[i].workspace = wire_id_data(&workspace);
        rows[i].source = SLUICE__USAGE_SOURCE__USAGE_SOURCE_PROVIDER;
        rows[i].input_tokens = seq;
        events[i] = &rows[i];
    }
    Sluice__UsageBatch batch = SLUICE__USAGE_BATCH__INIT;
    uint64_t through;
    batch.journal_boot = 7;
    batch.first_seq = first;
    batch.n_events = count;
    batch.events = events;
    OK(ledger_ingest(f.writer, &node, &batch, &through));
    cr_assert_eq(through, first + count - 1);
}

static struct str printed(enum status (*print)(struct kv *, FILE *), enum status wanted)
{
    static char *text;
    static size_t n;
    free(text);
    FILE *out = open_memstream(&text, &n);
    cr_assert_not_null(out);
    IS(print(f.kv, out), wanted);
    fclose(out);
    return str_of(text, n);
}

static void begin(void)
{
    fixture_open(&f);
}

static void end(void)
{
    fixture_close(&f);
}

Test(inspect, prints_every_event_once, .init = begin, .fini = end)
{
    ingest(1, EVENTS);
    struct str text = printed(inspect_events, ST_OK), line;
    uint64_t count = 0;
    while (str_split(&text, '\n', &line) && line.n > 0) {
        struct json *row;
        int64_t seq, input;
        arena_free(&f.arena);
        OK(json_parse(&f.arena, line, NULL, &row, NULL));
        OK(json_i64(json_get(row, "seq"), &seq));
        OK(json_i64(json_get(row, "input_tokens"), &input));
        count++;
        cr_assert_eq((uint64_t)seq, count);
        cr_assert_eq(input, seq);
        struct str attempt, source;
        OK(json_text(json_get(row, "attempt_id"), &f.arena, &attempt));
        OK(json_text(json_get(row, "source"), &f.arena, &source));
        cr_assert_eq(attempt.n, 48);
        cr_assert(str_eq(source, STR("provider")));
    }
    cr_expect_eq(count, EVENTS);
}

Test(inspect, an_empty_store_agrees_with_itself, .init = begin, .fini = end)
{
    cr_expect_eq(printed(inspect_events, ST_OK).n, 0);
    cr_expect(str_find(printed(inspect_check, ST_OK), STR("\"audit_intact\":true")) > 0);
}

static enum status drop_sum(struct write_op *op, void *arg)
{
    (void)arg;
    struct kv_cursor *cursor;
    struct str key, value;
    char copy[KV_KEY_MAX];
    const char prefix[] = {0x7F, 'B'};
    TRY(kv_cursor_open(op->txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, str_of(prefix, sizeof prefix));
    enum status status = kv_cursor_next(cursor, &key, &value);
    size_t n = key.n;
    if (status == ST_OK)
        memcpy(copy, key.p, n);
    kv_cursor_close(cursor);
    TRY(status);
    op->no_revision = true;
    return kv_delete(op->txn, KV_MAIN, str_of(copy, n));
}

Test(inspect, a_lost_sum_is_seen, .init = begin, .fini = end)
{
    ingest(1, 5);
    cr_expect(str_find(printed(inspect_check, ST_OK), STR("\"usage_sums_missing\":0")) > 0);
    uint64_t revision;
    OK(fixture_write(&f, drop_sum, NULL, &revision));
    cr_expect(str_find(printed(inspect_check, ST_CONFLICT), STR("\"usage_sums_missing\":1")) > 0);
}
