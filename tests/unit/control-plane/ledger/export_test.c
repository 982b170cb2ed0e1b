/* export_test.c: what an export says, piece by piece, and that a spreadsheet runs nothing of it. */
#include "control-plane/ledger/export.h"

#include "common/json_tree.h"
#include "tests/unit/control-plane/store_fixture.h"

#define DAY_MS ROLLUP_DAY_MS

static struct fixture f;

static void begin(void)
{
    fixture_open(&f);
}

static void end(void)
{
    fixture_close(&f);
}

TestSuite(export, .init = begin, .fini = end);

static void send_events(unsigned count, const char *model)
{
    static Sluice__UsageEvent events[1200];
    static uint8_t attempts[1200][LEDGER_ATTEMPT_BYTES];
    static Sluice__UsageEvent *rows[1200];
    static Sluice__UsageLabel label = SLUICE__USAGE_LABEL__INIT;
    static Sluice__UsageLabel *labels[] = {&label};
    Sluice__UsageBatch batch = SLUICE__USAGE_BATCH__INIT;
    struct id node = test_id(9), org = test_id(1);
    uint64_t through;
    label.key = "team";
    label.value = "a,\"b\"";
    for (unsigned i = 0; i < count; i++) {
        events[i] = (Sluice__UsageEvent)SLUICE__USAGE_EVENT__INIT;
        memcpy(attempts[i], node.b, sizeof node.b);
        key_put_u64(attempts[i] + 28, i);
        events[i].attempt_id = (ProtobufCBinaryData){LEDGER_ATTEMPT_BYTES, attempts[i]};
        events[i].seq = i + 1;
        events[i].at_ms = 20000 * DAY_MS + i;
        events[i].org = wire_id_data(&org);
        events[i].model = arena_cstr(&f.arena, str_c(model));
        events[i].input_tokens = i;
        events[i].cost_nanousd = 1500;
        events[i].source = SLUICE__USAGE_SOURCE__USAGE_SOURCE_PROVIDER;
        events[i].labels = labels;
        events[i].n_labels = i % 2;
        rows[i] = &events[i];
    }
    batch.journal_boot = 1;
    batch.events = rows;
    batch.n_events = count;
    OK(ledger_ingest(f.writer, &node, &batch, &through));
    cr_assert_eq(through, count);
}

static struct str whole(enum export_format format, unsigned *pieces)
{
    const struct ledger_events_filter filter = {.org = test_id(1), .end_ms = INT64_MAX};
    struct export export;
    struct buf out;
    enum status status;
    buf_init(&out, 16u << 20);
    export_begin(&export, f.kv, &filter, format);
    for (*pieces = 0; (status = export_next(&export, &out)) == ST_OK; ++*pieces)
        ;
    IS(status, ST_END);
    export_end(&export);
    struct str text = arena_str(&f.arena, buf_str(&out));
    buf_free(&out);
    return text;
}

static size_t lines(struct str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

Test(export, every_entry_once_in_pieces)
{
    unsigned pieces;
    send_events(1200, "gpt-4o");
    struct str csv = whole(EXPORT_CSV, &pieces);
    cr_assert_eq(lines(csv), 1201, "a head and a line each");
    cr_assert_geq(pieces, 3);
    cr_assert(str_starts(csv, STR("attempt_id,at,posted_at,workspace_id,")));
    cr_assert(str_find(csv, STR(",gpt-4o,")) > 0);
    cr_assert(str_find(csv, STR(",0.0000015,0,")) > 0, "cost and charge");
    cr_assert(str_find(csv, STR(",\"{\"\"team\"\":\"\"a,\\\"\"b\\\"\"\"\"}\",")) > 0);
    struct str json = whole(EXPORT_JSONL, &pieces), line;
    cr_assert_eq(lines(json), 1200);
    while (json.n > 0 && str_split(&json, '\n', &line)) {
        struct json *node;
        OK(json_parse(&f.arena, line, NULL, &node, NULL));
        cr_assert(json_get(node, "cost_usd") != NULL && json_get(node, "metadata") != NULL);
    }
}

Test(export, nothing_is_a_head_alone)
{
    unsigned pieces;
    cr_assert_eq(lines(whole(EXPORT_CSV, &pieces)), 1);
    cr_assert_eq(whole(EXPORT_JSONL, &pieces).n, 0);
}

Test(export, text_from_outside_is_no_formula)
{
    static const char *const models[] = {"=cmd|' /C calc'!A0", "+1", "-1", "@sum(a1)"};
    unsigned pieces;
    for (size_t i = 0; i < COUNT_OF(models); i++) {
        end();
        begin();
        send_events(1, models[i]);
        struct str csv = whole(EXPORT_CSV, &pieces);
        struct str guarded = arena_printf(&f.arena, ",\"'%s\",", models[i]);
        cr_expect(str_find(csv, guarded) > 0, STR_FMT, STR_ARG(csv));
        struct str json = whole(EXPORT_JSONL, &pieces);
        cr_expect(str_find(json, arena_printf(&f.arena, "\"model\":\"%s\"", models[i])) > 0);
    }
}
