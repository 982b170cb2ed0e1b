/* export.c: one table of columns, two ways to write a row.
 *
 * A column of an event becomes a value: nothing, text, or something that is JSON as it stands (a
 * number, true, an object). JSON lines take values as they are. CSV (RFC 4180) quotes what needs
 * it, and puts an apostrophe before text from outside that a spreadsheet would take for a formula:
 * model names and metadata are what callers wrote.
 */
#include "control-plane/ledger/export.h"

#include "common/clock.h"
#include "common/json_write.h"
#include "common/wire.h"
#include "control-plane/ledger/event.h"

#define EXPORT_ARENA_BYTES ((size_t)32 << 20)
#define VALUE_BYTES        ((size_t)64 << 10)
#define NANOUSD_DIGITS     9

enum column_kind { ATTEMPT, TIME, ID, TEXT, U32, U64, OUTCOME, SOURCE, BOOL, COUNTS, USD, LABELS };

static const struct column {
    const char *name;
    enum column_kind kind;
    size_t at;
} columns[] = {
#define EXPORT(name, kind, member) {name, kind, offsetof(Sluice__UsageEvent, member)},
#include "control-plane/ledger/export.def"
#undef EXPORT
};

/* A column's value: in `room` or borrowed from the event. */
struct value {
    enum { NOTHING, WORDS, PLAIN } kind;
    struct str text;
    struct buf room;
};

enum status export_format_read(struct str text, enum export_format *format)
{
    if (!str_eq(text, STR("csv")) && !str_eq(text, STR("jsonl")))
        return ST_INVALID;
    *format = str_eq(text, STR("csv")) ? EXPORT_CSV : EXPORT_JSONL;
    return ST_OK;
}

/* --- values --- */

static void words(struct value *value, struct str text)
{
    value->kind = text.n == 0 ? NOTHING : WORDS;
    value->text = text;
}

static void keep_words(struct value *value, const char *text)
{
    buf_add_str(&value->room, str_c(text));
    words(value, buf_str(&value->room));
}

static void plain(struct value *value)
{
    value->kind = PLAIN;
    value->text = buf_str(&value->room);
}

static void write_counts(struct json_writer *w, const Sluice__UsageEvent *event)
{
    struct price_usage usage;
    event_usage(event, &usage);
    jw_object(w);
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++)
        if (usage.n[i] > 0)
            jw_field_u64(w, price_class_unit((enum price_class)i), usage.n[i]);
    jw_end(w);
}

static void write_labels(struct json_writer *w, const Sluice__UsageEvent *event)
{
    jw_object(w);
    for (size_t i = 0; i < event->n_labels; i++) {
        jw_key_str(w, str_c(event->labels[i]->key));
        jw_cstr(w, event->labels[i]->value);
    }
    jw_end(w);
}

static void id_value(struct value *value, const ProtobufCBinaryData *data)
{
    struct id id;
    char text[ID_TEXT + 1] = "";
    if (wire_id(data, &id) == ST_OK && !id_is_none(&id))
        id_to_text(&id, text);
    keep_words(value, text);
}

static void value_of(const Sluice__UsageEvent *event, const struct column *column,
                     struct value *value)
{
    const void *at = (const char *)event + column->at;
    char text[EVENT_ATTEMPT_TEXT > CLOCK_TEXT + 1 ? EVENT_ATTEMPT_TEXT : CLOCK_TEXT + 1] = "";
    struct json_writer w;
    buf_clear(&value->room);
    jw_init(&w, &value->room);
    switch (column->kind) {
    case ATTEMPT:
        event_attempt_text(at, text);
        keep_words(value, text);
        return;
    case TIME:
        if (*(const int64_t *)at != 0)
            clock_to_text(*(const int64_t *)at, text);
        keep_words(value, text);
        return;
    case ID:
        id_value(value, at);
        return;
    case TEXT:
        words(value, str_c(*(char *const *)at));
        return;
    case OUTCOME:
        words(value, str_c(event_outcome_text(event->outcome)));
        return;
    case SOURCE:
        words(value, str_c(event_source_text(event->source)));
        return;
    case U32:
        jw_u64(&w, *(const uint32_t *)at);
        break;
    case U64:
        jw_u64(&w, *(const uint64_t *)at);
        break;
    case BOOL:
        jw_bool(&w, *(const protobuf_c_boolean *)at != 0);
        break;
    case USD:
        jw_decimal(&w, *(const int64_t *)at, NANOUSD_DIGITS);
        break;
    case COUNTS:
        write_counts(&w, event);
        break;
    case LABELS:
        write_labels(&w, event);
        break;
    }
    plain(value);
}

/* --- rows --- */

static bool is_formula(char c)
{
    return c == '=' || c == '+' || c == '-' || c == '@' || c == '\t' || c == '\r';
}

static void add_field(struct buf *out, const struct value *value)
{
    struct str text = value->text;
    bool guard = value->kind == WORDS && is_formula(text.p[0]), quote = guard;
    if (value->kind == NOTHING)
        return;
    for (size_t i = 0; i < text.n && !quote; i++)
        quote = text.p[i] == ',' || text.p[i] == '"' || text.p[i] == '\n' || text.p[i] == '\r';
    if (!quote) {
        buf_add_str(out, text);
        return;
    }
    buf_add_char(out, '"');
    if (guard)
        buf_add_char(out, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"')
            buf_add_char(out, '"');
        buf_add_char(out, text.p[i]);
    }
    buf_add_char(out, '"');
}

static void add_csv(struct buf *out, const Sluice__UsageEvent *event, struct value *value)
{
    for (size_t i = 0; i < COUNT_OF(columns); i++) {
        if (i > 0)
            buf_add_char(out, ',');
        value_of(event, &columns[i], value);
        add_field(out, value);
    }
    buf_add_lit(out, "\r\n");
}

static void add_json(struct buf *out, const Sluice__UsageEvent *event, struct value *value)
{
    struct json_writer w;
    jw_init(&w, out);
    jw_object(&w);
    for (size_t i = 0; i < COUNT_OF(columns); i++) {
        value_of(event, &columns[i], value);
        jw_key(&w, columns[i].name);
        if (value->kind == NOTHING)
            jw_null(&w);
        else if (value->kind == WORDS)
            jw_str(&w, value->text);
        else
            jw_raw(&w, value->text);
    }
    jw_end(&w);
    buf_add_char(out, '\n');
}

static void add_header(struct buf *out)
{
    for (size_t i = 0; i < COUNT_OF(columns); i++)
        buf_printf(out, "%s%s", i > 0 ? "," : "", columns[i].name);
    buf_add_lit(out, "\r\n");
}

/* --- pieces --- */

void export_begin(struct export *export, struct kv *kv, const struct ledger_events_filter *filter,
                  enum export_format format)
{
    *export = (struct export){.kv = kv, .filter = *filter, .format = format};
    arena_init(&export->arena, EXPORT_ARENA_BYTES);
}

static enum status read_page(struct export *export, struct ledger_events_page *page)
{
    struct kv_txn *txn;
    TRY(kv_begin(export->kv, false, &txn));
    enum status status = ledger_events(txn, &export->filter, export->begun ? export->place : NULL,
                                       EXPORT_PIECE_EVENTS, &export->arena, page);
    kv_abort(txn);
    return status;
}

enum status export_next(struct export *export, struct buf *out)
{
    struct ledger_events_page page;
    struct value value = {.kind = NOTHING};
    if (export->ended)
        return ST_END;
    arena_free(&export->arena);
    TRY(read_page(export, &page));
    if (!export->begun && export->format == EXPORT_CSV)
        add_header(out);
    buf_init(&value.room, VALUE_BYTES);
    for (size_t i = 0; i < page.count; i++) {
        if (export->format == EXPORT_CSV)
            add_csv(out, page.events[i], &value);
        else
            add_json(out, page.events[i], &value);
    }
    enum status status = buf_status(&value.room);
    buf_free(&value.room);
    TRY(status);
    export->begun = true;
    export->ended = !page.more;
    memcpy(export->place, page.place, sizeof export->place);
    return buf_status(out);
}

void export_end(struct export *export)
{
    arena_free(&export->arena);
}
