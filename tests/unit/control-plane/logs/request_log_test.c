/* request_log_test.c: rows are found and go by age and size; nothing that happens to the log is anybody else's concern. */
#include "control-plane/logs/request_log.h"

#include "common/clock.h"
#include "control-plane/logs/request_log_rows.h"
#include "control-plane/store/keys.h"
#include "tests/unit/control-plane/store_fixture.h"

#define NOW_MS INT64_C(1768478400000)
#define DAY_MS INT64_C(86400000)
#define ATTEMPT_BYTES 36u

static char folder[64];
static struct request_log *log_of;
static struct arena arena;

static void open_log(uint64_t map_bytes)
{
    const struct request_log_options options = {.path = folder, .map_bytes = map_bytes, .keep_ms = 10 * DAY_MS};
    OK(request_log_open(&options, &log_of));
}

static void begin(void)
{
    clock_test_set(NOW_MS * 1000000, NOW_MS);
    fixture_folder(folder);
    arena_init(&arena, (size_t)512 << 20);
    open_log((uint64_t)64 << 20);
}

static void end(void)
{
    request_log_close(log_of);
    arena_free(&arena);
    fixture_remove(folder);
}

TestSuite(request_log, .init = begin, .fini = end, .timeout = 60);

struct row {
    Sluice__UsageEvent event;
    uint8_t attempt[ATTEMPT_BYTES];
    struct id org, workspace, request;
    char trace[32];
};

static Sluice__UsageEvent *make(uint64_t n, int64_t at_ms, const char *text)
{
    struct row *row = arena_calloc(&arena, 1, sizeof *row);
    row->event = (Sluice__UsageEvent)SLUICE__USAGE_EVENT__INIT;
    row->org = test_id((uint8_t)(1 + n % 2));
    row->workspace = test_id((uint8_t)(10 + n % 4));
    row->request = test_id((uint8_t)(100 + n % 100));
    key_put_u64(row->attempt + 28, n);
    snprintf(row->trace, sizeof row->trace, "trace-%u", (unsigned)(n / 10));
    row->event.attempt_id = (ProtobufCBinaryData){ATTEMPT_BYTES, row->attempt};
    row->event.at_ms = at_ms;
    row->event.org = wire_id_data(&row->org);
    row->event.workspace = wire_id_data(&row->workspace);
    row->event.request_id = wire_id_data(&row->request);
    row->event.trace_id = row->trace;
    row->event.input_tokens = n;
    row->event.model = (char *)(uintptr_t)text;
    return &row->event;
}

static void offer(uint64_t first, uint64_t count, int64_t at_ms)
{
    Sluice__UsageEvent **events = arena_calloc(&arena, count, sizeof *events);
    for (uint64_t i = 0; i < count; i++)
        events[i] = make(first + i, at_ms + (int64_t)i, "gpt-4o");
    request_log_offer(log_of, events, count);
}

static struct request_log_page list(struct request_log_question question, const uint8_t *place)
{
    struct request_log_page page;
    if (question.limit == 0)
        question.limit = REQUEST_LOG_PAGE_MAX;
    if (question.end_ms == 0)
        question.end_ms = INT64_MAX;
    if (id_is_none(&question.org))
        question.org = test_id(1);
    OK(request_log_list(log_of, &question, place, &arena, &page));
    return page;
}

static uint64_t rows(void)
{
    struct request_log_stats stats;
    request_log_settle(log_of);
    request_log_stats(log_of, &stats);
    cr_assert_not(stats.broken);
    return stats.rows;
}

Test(request_log, rows_are_found_newest_first)
{
    offer(0, 100, NOW_MS);
    offer(0, 100, NOW_MS); /* a batch that came twice */
    cr_assert_eq(rows(), 100);
    struct request_log_page page = list((struct request_log_question){.limit = 1000}, NULL);
    cr_assert_eq(page.count, 50);
    cr_assert_eq(page.rows[0]->input_tokens, 98);
    cr_assert_eq(page.rows[49]->input_tokens, 0);
    cr_assert_not(page.more);
    page = list((struct request_log_question){.workspace = test_id(10)}, NULL);
    cr_assert_eq(page.count, 25);
    page = list((struct request_log_question){.start_ms = NOW_MS + 10, .end_ms = NOW_MS + 20}, NULL);
    cr_assert_eq(page.count, 5);
    page = list((struct request_log_question){.request = test_id(104)}, NULL);
    cr_assert_eq(page.count, 1);
    cr_assert_eq(page.rows[0]->input_tokens, 4);
    page = list((struct request_log_question){.trace = STR("trace-3")}, NULL);
    cr_assert_eq(page.count, 5);
    page = list((struct request_log_question){.trace = STR("trace-3"), .workspace = test_id(12)}, NULL);
    cr_assert_eq(page.count, 3);
    page = list((struct request_log_question){.org = test_id(3)}, NULL);
    cr_assert_eq(page.count, 0);
}

Test(request_log, pages_meet_every_row_once)
{
    uint8_t place[REQUEST_LOG_PLACE];
    struct request_log_page page;
    uint64_t seen = 0, last = UINT64_MAX;
    bool first = true;
    offer(0, 205, NOW_MS);
    rows();
    do {
        page = list((struct request_log_question){.limit = 10}, first ? NULL : place);
        first = false;
        for (size_t i = 0; i < page.count; i++) {
            cr_assert_lt(page.rows[i]->input_tokens, last);
            last = page.rows[i]->input_tokens;
            seen++;
        }
        memcpy(place, page.place, sizeof place);
    } while (page.more);
    cr_assert_eq(seen, 103);
}

Test(request_log, old_rows_go_with_their_indexes)
{
    offer(0, 1200, NOW_MS - 11 * DAY_MS);
    offer(2000, 10, NOW_MS);
    cr_assert_eq(rows(), 10);
    request_log_close(log_of);
    struct kv *kv;
    struct kv_txn *txn;
    struct kv_cursor *cursor;
    struct str key, value;
    size_t indexes = 0;
    OK(kv_open(folder, &(struct kv_options){.map_bytes = (uint64_t)64 << 20}, &kv));
    OK(kv_begin(kv, false, &txn));
    OK(kv_cursor_open(txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, STR_NONE);
    while (kv_cursor_next(cursor, &key, &value) == ST_OK)
        indexes++;
    kv_cursor_close(cursor);
    kv_abort(txn);
    kv_close(kv);
    cr_assert_eq(indexes, 10 * 4 + 1, "and the row of the size");
    open_log((uint64_t)64 << 20);
    cr_assert_eq(rows(), 10, "the size is known after a restart");
}

Test(request_log, a_small_environment_keeps_the_newest)
{
    request_log_close(log_of);
    open_log((uint64_t)8 << 20);
    for (uint64_t i = 0; i < 40; i++) {
        offer(i * 1000, 1000, NOW_MS + (int64_t)i * 1000);
        request_log_settle(log_of);
    }
    struct request_log_stats stats;
    request_log_stats(log_of, &stats);
    cr_assert_not(stats.broken);
    cr_assert_leq(stats.bytes, (uint64_t)4 << 20);
    cr_assert_gt(stats.rows, 1000);
    struct request_log_page page = list((struct request_log_question){.limit = 1, .org = test_id(2)}, NULL);
    cr_assert_eq(page.rows[0]->input_tokens, 39999);
}

Test(request_log, what_cannot_be_kept_is_counted)
{
    Sluice__UsageEvent *odd[] = {make(1, 0, "x"), make(2, NOW_MS, "x"), make(3, NOW_MS, "x")};
    struct request_log_stats stats;
    odd[1]->org.len = 5;
    request_log_offer(log_of, odd, 3);
    cr_assert_eq(rows(), 1);
    request_log_stats(log_of, &stats);
    cr_assert_eq(stats.dropped, 2);
    request_log_offer(NULL, odd, 3);
    size_t big = 300u << 10;
    char *text = arena_calloc(&arena, 1, big + 1);
    memset(text, 'a', big);
    Sluice__UsageEvent *huge[] = {make(9, NOW_MS, text)};
    request_log_offer(log_of, huge, 1);
    request_log_stats(log_of, &stats);
    cr_assert_eq(stats.dropped, 3);
}

/* Another process has it: the control plane starts without. */
Test(request_log, a_folder_in_use_is_refused)
{
    struct request_log *other;
    const struct request_log_options options = {.path = folder, .map_bytes = (uint64_t)64 << 20, .keep_ms = DAY_MS};
    IS(request_log_open(&options, &other), ST_CONFLICT);
}
