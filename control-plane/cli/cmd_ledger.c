/* cmd_ledger.c: what inspect.c prints, of the store in use and of a copy of one: proof that the ledger adds up, and its raw events as
 * lines, which drills compare with what providers say; and exports for accountants.
 */
#include <stdio.h>

#include "common/clock.h"
#include "control-plane/cli/cli.h"
#include "control-plane/cli/inspect.h"
#include "control-plane/ledger/export.h"
#include "control-plane/ledger/rerate.h"

#define SPAN_DEFAULT_MS ((int64_t)30 * 86400000)
#define RERATE_STEP     50000u

static ssize_t pass_on(void *arg, const char *p, size_t n)
{
    struct cli_call *call = arg;
    return call->write(call->write_arg, str_of(p, n)) == ST_OK ? (ssize_t)n : -1;
}

static enum status print(struct cli_call *call, struct kv *kv, enum status (*what)(struct kv *kv, FILE *out))
{
    FILE *out = fopencookie(call, "w", (cookie_io_functions_t){.write = pass_on});
    if (out == NULL)
        return ST_NO_MEMORY;
    enum status status = what(kv, out);
    if (fclose(out) != 0 && status == ST_OK)
        status = ST_IO;
    return status == ST_CONFLICT ? cli_fail(call, status, "the store does not agree with itself") : status;
}

static enum status print_folder(struct cli_call *call, enum status (*what)(struct kv *kv, FILE *out))
{
    const struct kv_options options = {.map_bytes = params_u64(call->params, PARAM_STORE_MAP), .read_only = true};
    struct kv *kv;
    enum status status = kv_open(call->operand.p, &options, &kv);
    if (status != ST_OK)
        return cli_fail(call, status, "cannot open the store in " STR_FMT, STR_ARG(call->operand));
    status = print(call, kv, what);
    kv_close(kv);
    return status;
}

enum status cmd_ledger_verify(struct cli_call *call)
{
    return print(call, call->home->kv, inspect_check);
}

enum status cmd_ledger_dump(struct cli_call *call)
{
    return print(call, call->home->kv, inspect_events);
}

enum status cmd_ledger_counters(struct cli_call *call)
{
    struct str text = call->options[CLI_ENTITY];
    struct id entity = ID_NONE;
    if (text.n > 0 && id_from_text(text, &entity) != ST_OK)
        return cli_fail(call, ST_INVALID, "--entity takes an id");
    FILE *out = fopencookie(call, "w", (cookie_io_functions_t){.write = pass_on});
    if (out == NULL)
        return ST_NO_MEMORY;
    enum status status = inspect_counters(call->home->kv, &entity, out);
    if (fclose(out) != 0 && status == ST_OK)
        status = ST_IO;
    return status;
}

enum status cmd_inspect_check(struct cli_call *call)
{
    return print_folder(call, inspect_check);
}

enum status cmd_inspect_events(struct cli_call *call)
{
    return print_folder(call, inspect_events);
}

static enum status read_time(struct cli_call *call, enum cli_option option, int64_t otherwise, int64_t *ms)
{
    struct str text = call->options[option];
    *ms = otherwise;
    if (text.n > 0 && (clock_from_text(text, ms) != ST_OK || *ms < 0))
        return cli_fail(call, ST_INVALID, "--%s: must be a time (RFC 3339) or a date", cli_option_name(option));
    return ST_OK;
}

/* An entity of the organisation that an option names. */
static enum status find(struct cli_call *call, struct kv_txn *txn, const struct id *org, enum cli_option option,
                        Sluice__Kind kind, struct id *id)
{
    struct record_key key;
    if (call->options[option].n == 0)
        return ST_OK;
    enum status status = record_resolve(txn, kind, org, &ID_NONE, call->options[option], &key);
    if (status == ST_NOT_FOUND)
        return cli_fail(call, status, "--%s: there is none of this name", cli_option_name(option));
    TRY(status);
    *id = key.id;
    return ST_OK;
}

/* Organisation, span and what else narrows a command on entries. */
static enum status read_filter(struct cli_call *call, struct ledger_events_filter *filter)
{
    struct kv_txn *txn;
    *filter = (struct ledger_events_filter){.model = call->options[CLI_MODEL]};
    TRY(read_time(call, CLI_TO, clock_utc_ms(), &filter->end_ms));
    TRY(read_time(call, CLI_FROM, filter->end_ms < SPAN_DEFAULT_MS ? 0 : filter->end_ms - SPAN_DEFAULT_MS, &filter->start_ms));
    if (filter->start_ms >= filter->end_ms)
        return cli_fail(call, ST_INVALID, "--from: must be before --to");
    TRY(kv_begin(call->home->kv, false, &txn));
    enum status status = cli_find_org(call, txn, &filter->org);
    if (status == ST_OK)
        status = find(call, txn, &filter->org, CLI_WORKSPACE, SLUICE__KIND__KIND_WORKSPACE, &filter->workspace);
    if (status == ST_OK)
        status = find(call, txn, &filter->org, CLI_INTEGRATION, SLUICE__KIND__KIND_INTEGRATION, &filter->integration);
    kv_abort(txn);
    return status;
}

enum status cmd_ledger_export(struct cli_call *call)
{
    struct ledger_events_filter filter;
    enum export_format format = EXPORT_CSV;
    struct export export;
    struct buf piece;
    struct str word = call->options[CLI_FORMAT];
    if (word.n > 0 && export_format_read(word, &format) != ST_OK)
        return cli_fail(call, ST_INVALID, "--format: must be csv or jsonl");
    TRY(read_filter(call, &filter));
    enum status status = ST_OK;
    buf_init(&piece, EXPORT_PIECE_BYTES);
    export_begin(&export, call->home->kv, &filter, format);
    while ((status = export_next(&export, &piece)) == ST_OK) {
        status = call->write(call->write_arg, buf_str(&piece));
        if (status != ST_OK)
            break;
        buf_clear(&piece);
    }
    export_end(&export);
    buf_free(&piece);
    return status == ST_END ? ST_OK : status;
}

enum status cmd_ledger_rerate(struct cli_call *call)
{
    struct rerate_order order = {.apply = call->options[CLI_APPLY].p != NULL, .note = call->options[CLI_NOTE]};
    struct rerate_report *report = arena_calloc(&call->arena, 1, sizeof(*report));
    struct write_actor actor = cli_actor();
    uint8_t place[LEDGER_EVENT_KEY];
    if (report == NULL)
        return ST_NO_MEMORY;
    if (order.note.n > RERATE_NOTE_MAX)
        return cli_fail(call, ST_INVALID, "--note: at most %u bytes", RERATE_NOTE_MAX);
    TRY(read_filter(call, &order.filter));
    do {
        memcpy(place, report->place, sizeof(place));
        TRY(rerate_run(call->home->kv, call->home->writer, &actor, &order, report->more ? place : NULL, RERATE_STEP,
                       &call->arena, report));
    } while (report->more);
    jw_object(&call->json);
    jw_field_bool(&call->json, "applied", order.apply);
    rerate_write(&call->json, report);
    jw_end(&call->json);
    return ST_OK;
}
