/* inspect.c: walks a store and prints what it finds.
 *
 * The kill drills join these lines with the simulator's truth log on the attempt id, so nothing is summed or left out here, and the
 * id has the text it went upstream with. Pages are read in a transaction each: a store of any size, in constant memory.
 * Must never: repair anything, or print what a secret could be in.
 */
#include "control-plane/cli/inspect.h"

#include "common/clock.h"
#include "common/json_write.h"
#include "common/wire.h"
#include "control-plane/audit/audit.h"
#include "control-plane/ledger/counters.h"
#include "control-plane/ledger/event.h"
#include "control-plane/ledger/ledger.h"
#include "control-plane/store/records.h"

#define PAGE_EVENTS 500u
#define PAGE_AUDITS 1000u
#define PAGE_BYTES  ((size_t)16 << 20)
#define LINE_BYTES  ((size_t)64 << 10)

static void write_attempt(struct json_writer *w, const ProtobufCBinaryData *attempt)
{
    char text[EVENT_ATTEMPT_TEXT];
    event_attempt_text(attempt, text);
    jw_field_cstr(w, "attempt_id", text);
}

static void write_event(struct json_writer *w, const Sluice__UsageEvent *event)
{
    jw_object(w);
    write_attempt(w, &event->attempt_id);
    jw_field_u64(w, "seq", event->seq);
    jw_field_i64(w, "at_ms", event->at_ms);
    wire_field_id(w, "workspace_id", &event->workspace);
    wire_field_id(w, "provider_id", &event->provider);
    wire_field_id(w, "integration_id", &event->integration);
    wire_field_id(w, "api_key_id", &event->api_key);
    wire_field_id(w, "request_id", &event->request_id);
    jw_field_cstr(w, "trace_id", event->trace_id);
    jw_field_cstr(w, "operation", event->operation);
    jw_field_cstr(w, "model", event->model);
    jw_field_cstr(w, "priced_model", event->priced_model);
    jw_field_u64(w, "http_status", event->http_status);
    jw_field_cstr(w, "outcome", event_outcome_text(event->outcome));
    jw_field_cstr(w, "source", event_source_text(event->source));
    jw_field_bool(w, "stream", event->stream);
    jw_field_u64(w, "input_tokens", event->input_tokens);
    jw_field_u64(w, "output_tokens", event->output_tokens);
    jw_field_u64(w, "cached_tokens", event->cached_tokens);
    jw_field_u64(w, "reasoning_tokens", event->reasoning_tokens);
    jw_field_i64(w, "cost_nanousd", event->cost_nanousd);
    jw_field_i64(w, "charge_nanousd", event->charge_nanousd);
    jw_field_bool(w, "unpriced", event->unpriced);
    jw_field_u64(w, "revision", event->revision);
    jw_end(w);
}

static enum status print_page(const struct ledger_events_page *page, FILE *out)
{
    struct buf line;
    enum status status = ST_OK;
    buf_init(&line, LINE_BYTES);
    for (size_t i = 0; i < page->count && status == ST_OK; i++) {
        struct json_writer w;
        buf_clear(&line);
        jw_init(&w, &line);
        write_event(&w, page->events[i]);
        buf_add_char(&line, '\n');
        status = buf_status(&line);
        if (status == ST_OK && fwrite(line.p, 1, line.n, out) != line.n)
            status = ST_IO;
    }
    buf_free(&line);
    return status;
}

enum status inspect_events(struct kv *kv, FILE *out)
{
    const struct ledger_events_filter all = {.end_ms = INT64_MAX};
    struct ledger_events_page page = {0};
    struct arena arena;
    uint8_t place[LEDGER_EVENT_KEY];
    enum status status;
    arena_init(&arena, PAGE_BYTES);
    do {
        struct kv_txn *txn;
        bool first = page.count == 0 && !page.more;
        arena_free(&arena);
        status = kv_begin(kv, false, &txn);
        if (status != ST_OK)
            break;
        status = ledger_events(txn, &all, first ? NULL : place, PAGE_EVENTS, &arena, &page);
        kv_abort(txn);
        if (status == ST_OK)
            status = print_page(&page, out);
        memcpy(place, page.place, sizeof place);
    } while (status == ST_OK && page.more);
    arena_free(&arena);
    return status == ST_OK && fflush(out) != 0 ? ST_IO : status;
}

static enum status check_audit(struct kv *kv, struct json_writer *w, bool *agrees)
{
    struct audit_check check = {0};
    while (!check.done) {
        struct kv_txn *txn;
        TRY(kv_begin(kv, false, &txn));
        enum status status = audit_check_step(txn, PAGE_AUDITS, &check);
        kv_abort(txn);
        TRY(status);
    }
    jw_field_u64(w, "audit_records", check.count);
    jw_field_bool(w, "audit_intact", check.intact);
    if (!check.intact)
        jw_field_u64(w, "audit_bad_revision", check.bad_revision);
    *agrees = *agrees && check.intact;
    return ST_OK;
}

static enum status check_sums(struct kv_txn *txn, struct json_writer *w, bool *agrees)
{
    uint32_t first = 1, last = 0;
    struct ledger_check sum = {0};
    enum status status = ledger_days(txn, &first, &last);
    if (status != ST_OK && status != ST_NOT_FOUND)
        return status;
    for (uint32_t day = first; status == ST_OK && day <= last; day++) {
        struct ledger_check check = {0};
        TRY(ledger_verify_day(txn, day, &check));
        sum.events += check.events;
        sum.rows += check.rows;
        sum.different += check.different;
        sum.missing += check.missing;
        sum.extra += check.extra;
    }
    jw_field_u64(w, "usage_events", sum.events);
    jw_field_u64(w, "usage_sums", sum.rows);
    jw_field_u64(w, "usage_sums_different", sum.different);
    jw_field_u64(w, "usage_sums_missing", sum.missing);
    jw_field_u64(w, "usage_sums_extra", sum.extra);
    *agrees = *agrees && sum.different == 0 && sum.missing == 0 && sum.extra == 0;
    return ST_OK;
}

static enum status check_limits(struct kv_txn *txn, struct json_writer *w, bool *agrees)
{
    struct counters_check check;
    TRY(counters_verify(txn, &check));
    jw_field_u64(w, "limit_epochs", check.epochs);
    jw_field_u64(w, "limit_epochs_different", check.different);
    jw_field_u64(w, "limit_epochs_missing", check.missing);
    jw_field_u64(w, "limit_epochs_held_wrong", check.held);
    jw_field_u64(w, "limit_epochs_over_cap", check.over);
    *agrees = *agrees && check.different == 0 && check.missing == 0 && check.held == 0 && check.over == 0;
    return ST_OK;
}

enum status inspect_check(struct kv *kv, FILE *out)
{
    struct buf line;
    struct json_writer w;
    struct kv_txn *txn = NULL;
    uint64_t revision = 0;
    bool agrees = true;
    buf_init(&line, LINE_BYTES);
    jw_init(&w, &line);
    jw_object(&w);
    enum status status = kv_begin(kv, false, &txn);
    if (status == ST_OK)
        status = record_revision(txn, &revision);
    jw_field_u64(&w, "revision", revision);
    if (status == ST_OK)
        status = check_sums(txn, &w, &agrees);
    if (status == ST_OK)
        status = check_limits(txn, &w, &agrees);
    kv_abort(txn);
    if (status == ST_OK)
        status = check_audit(kv, &w, &agrees);
    jw_end(&w);
    if (status == ST_OK && (fprintf(out, STR_FMT "\n", STR_ARG(buf_str(&line))) < 0 || fflush(out) != 0))
        status = ST_IO;
    buf_free(&line);
    return status == ST_OK && !agrees ? ST_CONFLICT : status;
}
