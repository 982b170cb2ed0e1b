/* cmd_ledger.c: proving the ledger, and its raw events as lines: what drills and accountants compare with.
 *
 * Both walk in slices with a transaction each, so a large ledger holds no page of the store for long.
 */
#include <sodium.h>

#include "common/clock.h"
#include "common/wire.h"
#include "control-plane/cli/cli.h"
#include "control-plane/ledger/ledger.h"

#define DUMP_PAGE       500
#define DUMP_FLUSH      (32u << 10)
#define DUMP_PAGE_BYTES (64u << 20)
#define ATTEMPT_TEXT    49 /* base64url of LEDGER_ATTEMPT_BYTES, and a NUL */

struct verify_sums {
    struct ledger_check all;
    uint64_t days;
};

static enum status verify_days(struct cli_call *call, struct verify_sums *sums)
{
    struct kv_txn *txn;
    uint32_t first, last;
    TRY(kv_begin(call->home->kv, false, &txn));
    enum status status = ledger_days(txn, &first, &last);
    kv_abort(txn);
    if (status != ST_OK)
        return status == ST_NOT_FOUND ? ST_OK : status;
    for (uint32_t day = first; day <= last; day++) {
        struct ledger_check check = {0};
        TRY(kv_begin(call->home->kv, false, &txn));
        status = ledger_verify_day(txn, day, &check);
        kv_abort(txn);
        if (status == ST_RANGE)
            continue;
        TRY(status);
        sums->days++;
        sums->all.events += check.events;
        sums->all.rows += check.rows;
        sums->all.different += check.different;
        sums->all.missing += check.missing;
        sums->all.extra += check.extra;
    }
    return ST_OK;
}

enum status cmd_ledger_verify(struct cli_call *call)
{
    struct json_writer *w = &call->json;
    struct verify_sums sums = {.days = 0};
    TRY(verify_days(call, &sums));
    bool ok = sums.all.different == 0 && sums.all.missing == 0 && sums.all.extra == 0;
    jw_object(w);
    jw_field_bool(w, "ok", ok);
    jw_field_u64(w, "days", sums.days);
    jw_field_u64(w, "events", sums.all.events);
    jw_field_u64(w, "sums", sums.all.rows);
    jw_field_u64(w, "different", sums.all.different);
    jw_field_u64(w, "missing", sums.all.missing);
    jw_field_u64(w, "extra", sums.all.extra);
    jw_end(w);
    return ok ? ST_OK : cli_fail(call, ST_CONFLICT, "the ledger does not add up");
}

/* --- dump */

static void field_id(struct json_writer *w, const char *name, const ProtobufCBinaryData *data)
{
    struct id id;
    if (wire_id(data, &id) != ST_OK)
        id = ID_NONE;
    jw_field_id(w, name, &id);
}

static const char *outcome_text(uint32_t outcome)
{
    static const char *const texts[] = {"ok", "provider_error", "timeout", "client_closed", "broken", "worker_died"};
    return outcome < COUNT_OF(texts) ? texts[outcome] : "unknown";
}

static const char *source_text(Sluice__UsageSource source)
{
    static const char *const texts[] = {"none", "provider", "estimated", "bound", "lost"};
    return (size_t)source < COUNT_OF(texts) ? texts[source] : "unknown";
}

static void write_usage(struct json_writer *w, const Sluice__UsageEvent *event)
{
    jw_field_u64(w, "input_tokens", event->input_tokens);
    jw_field_u64(w, "output_tokens", event->output_tokens);
    jw_field_u64(w, "cached_tokens", event->cached_tokens);
    jw_field_u64(w, "cache_write_tokens", event->cache_write_tokens);
    jw_field_u64(w, "reasoning_tokens", event->reasoning_tokens);
    jw_field_u64(w, "images", event->images);
    jw_field_i64(w, "cost_nanousd", event->cost_nanousd);
    jw_field_i64(w, "charge_nanousd", event->charge_nanousd);
    jw_field_bool(w, "unpriced", event->unpriced);
}

static void write_event(struct json_writer *w, const Sluice__UsageEvent *event)
{
    char attempt[ATTEMPT_TEXT] = "";
    if (event->attempt_id.len == LEDGER_ATTEMPT_BYTES)
        (void)sodium_bin2base64(attempt, sizeof(attempt), event->attempt_id.data, event->attempt_id.len,
                                sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    jw_object(w);
    jw_field_cstr(w, "attempt_id", attempt);
    jw_field_u64(w, "seq", event->seq);
    jw_field_time(w, "at", event->at_ms);
    field_id(w, "organisation_id", &event->org);
    field_id(w, "workspace_id", &event->workspace);
    field_id(w, "provider_id", &event->provider);
    field_id(w, "integration_id", &event->integration);
    field_id(w, "api_key_id", &event->api_key);
    jw_field_cstr(w, "operation", event->operation);
    jw_field_cstr(w, "model", event->model);
    jw_field_cstr(w, "priced_model", event->priced_model);
    jw_field_u64(w, "http_status", event->http_status);
    jw_field_cstr(w, "outcome", outcome_text(event->outcome));
    jw_field_cstr(w, "source", source_text(event->source));
    write_usage(w, event);
    jw_field_bool(w, "stream", event->stream);
    jw_field_cstr(w, "trace_id", event->trace_id);
    jw_field_u64(w, "revision", event->revision);
    jw_end(w);
}

static enum status dump_page(struct cli_call *call, const struct ledger_events_filter *filter, uint8_t *place,
                             bool *more)
{
    struct ledger_events_page page;
    struct kv_txn *txn;
    struct arena arena;
    arena_init(&arena, DUMP_PAGE_BYTES);
    TRY(kv_begin(call->home->kv, false, &txn));
    enum status status = ledger_events(txn, filter, *more ? place : NULL, DUMP_PAGE, &arena, &page);
    kv_abort(txn);
    for (size_t i = 0; status == ST_OK && i < page.count; i++) {
        write_event(&call->json, page.events[i]);
        jw_init(&call->json, &call->out);
        buf_add_char(&call->out, '\n');
        if (call->out.n > DUMP_FLUSH)
            status = cli_flush(call);
    }
    if (status == ST_OK) {
        *more = page.more;
        memcpy(place, page.place, LEDGER_EVENT_KEY);
    }
    arena_free(&arena);
    return status;
}

static enum status moment(struct cli_call *call, enum cli_option option, int64_t *ms)
{
    if (call->options[option].n == 0 || clock_from_text(call->options[option], ms) == ST_OK)
        return ST_OK;
    return cli_fail(call, ST_INVALID, "--%s is a date (2026-01-31) or a moment (RFC 3339)", cli_option_name(option));
}

enum status cmd_ledger_dump(struct cli_call *call)
{
    struct ledger_events_filter filter = {.start_ms = 0};
    uint8_t place[LEDGER_EVENT_KEY];
    struct kv_txn *txn;
    uint32_t first, last;
    bool more = false;
    TRY(kv_begin(call->home->kv, false, &txn));
    enum status status = ledger_days(txn, &first, &last);
    kv_abort(txn);
    if (status != ST_OK)
        return status == ST_NOT_FOUND ? ST_OK : status;
    filter.start_ms = (int64_t)first * ROLLUP_DAY_MS;
    filter.end_ms = ((int64_t)last + 1) * ROLLUP_DAY_MS;
    TRY(moment(call, CLI_FROM, &filter.start_ms));
    TRY(moment(call, CLI_TO, &filter.end_ms));
    do
        TRY(dump_page(call, &filter, place, &more));
    while (more);
    return ST_OK;
}
