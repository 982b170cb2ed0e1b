/* ledger_query.c: what was used, for the admin API and the console.
 *
 * Sums are answered from roll-ups only: a question walks the rows of its time range and groups them
 * in memory, never raw events. Which roll-up answers is decided by what is asked for: a key, an
 * integration, a user, a label, or else provider and model; a mixture that no roll-up has is refused rather than
 * answered wrongly. Raw events are read in pages, bounded by rows looked at, because the events of
 * all organisations lie beside each other and a filter may match few of them.
 */
#include <stdlib.h>

#include "common/wire.h"
#include "control-plane/ledger/ledger_rows.h"

#define LEDGER_GROUPS_MAX 10000u
#define LEDGER_LIMIT_MAX  1000u
#define LEDGER_SCAN_MAX   50000u
#define LEDGER_ROW_BYTES  ((size_t)1 << 20)

#define LEDGER_MODEL_SIDE (LEDGER_BY_PROVIDER | LEDGER_BY_MODEL)

/* --- sums ----------------------------------------------------------------------------------------
 */

static enum status ledger_dim(const struct ledger_question *question, enum rollup_dim *dim)
{
    unsigned group = question->group;
    bool model = (group & LEDGER_MODEL_SIDE) != 0 || !id_is_none(&question->provider) ||
                 question->model.n > 0;
    bool key = (group & LEDGER_BY_KEY) != 0 || !id_is_none(&question->key);
    bool integration = (group & LEDGER_BY_INTEGRATION) != 0 || !id_is_none(&question->integration);
    bool user = (group & LEDGER_BY_USER) != 0 || !id_is_none(&question->user);
    bool label = (group & LEDGER_BY_LABEL) != 0 || question->label.n > 0;
    bool workspace = (group & LEDGER_BY_WORKSPACE) != 0 || !id_is_none(&question->workspace);
    if (model + key + integration + user + label > 1 || (integration && workspace) ||
        (label && question->label.n == 0))
        return ST_INVALID;
    *dim = key           ? ROLLUP_KEY
           : integration ? ROLLUP_INTEGRATION
           : user        ? ROLLUP_USER
           : label       ? ROLLUP_LABEL
                         : ROLLUP_MODEL;
    return ST_OK;
}

static bool ledger_row_wanted(const struct ledger_question *question, const struct rollup_row *row)
{
    const struct id *want = &question->provider;
    if (row->dim == ROLLUP_LABEL)
        return str_eq(question->label, row->text) &&
               (question->value.n == 0 || str_eq(question->value, row->value));
    if (row->dim != ROLLUP_MODEL)
        want = row->dim == ROLLUP_KEY           ? &question->key
               : row->dim == ROLLUP_INTEGRATION ? &question->integration
                                                : &question->user;
    return (id_is_none(want) || id_eq(want, &row->a)) &&
           (question->model.n == 0 || str_eq(question->model, row->text));
}

static struct ledger_row ledger_row_of(const struct ledger_question *question,
                                       const struct rollup_row *row)
{
    unsigned group = question->group;
    struct ledger_row out = {.totals = row->totals};
    if ((group & LEDGER_BY_WORKSPACE) != 0)
        out.workspace = row->workspace;
    if ((group & LEDGER_BY_PROVIDER) != 0)
        out.provider = row->a;
    if ((group & LEDGER_BY_KEY) != 0)
        out.key = row->a;
    if ((group & LEDGER_BY_INTEGRATION) != 0)
        out.integration = row->a;
    if ((group & LEDGER_BY_USER) != 0)
        out.user = row->a;
    if ((group & LEDGER_BY_MODEL) != 0)
        out.text = row->text;
    if ((group & LEDGER_BY_LABEL) != 0)
        out.text = row->value;
    if ((group & LEDGER_BY_PERIOD) != 0)
        out.period_ms = (int64_t)row->period *
                        (question->period == ROLLUP_DAY ? ROLLUP_DAY_MS : ROLLUP_HOUR_MS);
    return out;
}

static int ledger_row_cmp(const struct ledger_row *a, const struct ledger_row *b)
{
    if (a->period_ms != b->period_ms)
        return a->period_ms < b->period_ms ? -1 : 1;
    int order = memcmp(&a->workspace, &b->workspace, 5 * sizeof(struct id));
    return order != 0 ? order : str_cmp(a->text, b->text);
}

/* Rows so far, sorted; new ones go in by binary search, so that memory is bounded by groups and not
 * by rows read. */
struct ledger_groups {
    struct arena *arena;
    struct ledger_row *rows;
    size_t count, room;
};

static enum status ledger_groups_grow(struct ledger_groups *groups)
{
    if (groups->count < groups->room)
        return ST_OK;
    if (groups->count == LEDGER_GROUPS_MAX)
        return ST_TOO_LARGE;
    size_t room = groups->room == 0 ? 64 : groups->room * 2;
    struct ledger_row *rows = arena_calloc(groups->arena, room, sizeof *rows);
    if (rows == NULL)
        return ST_NO_MEMORY;
    if (groups->count > 0)
        memcpy(rows, groups->rows, groups->count * sizeof *rows);
    groups->rows = rows;
    groups->room = room > LEDGER_GROUPS_MAX ? LEDGER_GROUPS_MAX : room;
    return ST_OK;
}

static enum status ledger_groups_add(struct ledger_groups *groups, struct ledger_row row)
{
    size_t low = 0, high = groups->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = ledger_row_cmp(&groups->rows[middle], &row);
        if (order == 0) {
            rollup_totals_add(&groups->rows[middle].totals, &row.totals);
            return ST_OK;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    TRY(ledger_groups_grow(groups));
    if (row.text.n > 0 && (row.text = arena_str(groups->arena, row.text)).p == NULL)
        return ST_NO_MEMORY;
    memmove(&groups->rows[low + 1], &groups->rows[low],
            (groups->count - low) * sizeof *groups->rows);
    groups->rows[low] = row;
    groups->count++;
    return ST_OK;
}

enum status ledger_ask(struct kv_txn *txn, const struct ledger_question *question,
                       struct arena *arena, struct ledger_answer *answer)
{
    int64_t unit = question->period == ROLLUP_DAY ? ROLLUP_DAY_MS : ROLLUP_HOUR_MS;
    struct ledger_groups groups = {.arena = arena};
    struct rollup_totals totals = {0};
    struct rollup_walk walk;
    struct rollup_row row;
    enum rollup_dim dim;
    enum status status;
    if (question->start_ms < 0 || question->end_ms <= question->start_ms ||
        question->end_ms / unit >= UINT32_MAX)
        return ST_INVALID;
    TRY(ledger_dim(question, &dim));
    const struct id *workspace = id_is_none(&question->workspace) ? NULL : &question->workspace;
    TRY(rollup_walk_open(&walk, txn, question->period, dim, &question->org, workspace,
                         (uint32_t)(question->start_ms / unit),
                         (uint32_t)((question->end_ms + unit - 1) / unit)));
    while ((status = rollup_walk_next(&walk, &row)) == ST_OK) {
        if (!ledger_row_wanted(question, &row))
            continue;
        rollup_totals_add(&totals, &row.totals);
        status = ledger_groups_add(&groups, ledger_row_of(question, &row));
        if (status != ST_OK)
            break;
    }
    rollup_walk_close(&walk);
    if (status != ST_END)
        return status;
    *answer = (struct ledger_answer){.rows = groups.rows, .count = groups.count, .totals = totals};
    return ST_OK;
}

/* --- raw events ----------------------------------------------------------------------------------
 */

static bool ledger_id_wanted(const ProtobufCBinaryData *have, const struct id *want)
{
    return id_is_none(want) || str_eq(wire_str(have), id_bytes(want));
}

static bool ledger_event_wanted(const Sluice__UsageEvent *event,
                                const struct ledger_events_filter *filter)
{
    return event->at_ms >= filter->start_ms && event->at_ms < filter->end_ms &&
           ledger_id_wanted(&event->org, &filter->org) &&
           ledger_id_wanted(&event->workspace, &filter->workspace) &&
           ledger_id_wanted(&event->api_key, &filter->key) &&
           ledger_id_wanted(&event->provider, &filter->provider) &&
           ledger_id_wanted(&event->integration, &filter->integration) &&
           (filter->model.n == 0 || str_eq(filter->model, str_c(event->model)));
}

static enum status ledger_event_take(struct str row, const struct ledger_events_filter *filter,
                                     struct arena *scratch, struct arena *arena,
                                     struct ledger_events_page *page)
{
    Sluice__UsageEvent *event;
    arena_free(scratch);
    TRY(wire_unpack(&sluice__usage_event__descriptor, row, scratch, &event));
    if (!ledger_event_wanted(event, filter))
        return ST_OK;
    TRY(wire_unpack(&sluice__usage_event__descriptor, row, arena, &event));
    page->events[page->count++] = event;
    return ST_OK;
}

static enum status ledger_events_scan(struct kv_cursor *cursor,
                                      const struct ledger_events_filter *filter, size_t limit,
                                      struct arena *arena, struct ledger_events_page *page)
{
    struct arena scratch;
    struct str key, row;
    enum status status;
    arena_init(&scratch, LEDGER_ROW_BYTES);
    for (size_t scanned = 0; (status = kv_cursor_next(cursor, &key, &row)) == ST_OK; scanned++) {
        if (key.n != LEDGER_EVENT_KEY) {
            status = ST_BAD_FORMAT;
            break;
        }
        if ((int64_t)key_get_u16(key.p) * ROLLUP_DAY_MS >= filter->end_ms)
            break;
        if (page->count == limit || scanned == LEDGER_SCAN_MAX) {
            page->more = true;
            break;
        }
        memcpy(page->place, key.p, LEDGER_EVENT_KEY);
        status = ledger_event_take(row, filter, &scratch, arena, page);
        if (status != ST_OK)
            break;
    }
    arena_free(&scratch);
    return status == ST_END ? ST_OK : status;
}

enum status ledger_events(struct kv_txn *txn, const struct ledger_events_filter *filter,
                          const uint8_t *place, size_t limit, struct arena *arena,
                          struct ledger_events_page *out)
{
    struct ledger_events_page page = {0};
    struct kv_cursor *cursor;
    struct key from;
    if (limit == 0 || limit > LEDGER_LIMIT_MAX || filter->start_ms < 0 ||
        filter->start_ms / ROLLUP_DAY_MS > UINT16_MAX)
        return ST_RANGE;
    page.events = arena_calloc(arena, limit, sizeof *page.events);
    if (page.events == NULL)
        return ST_NO_MEMORY;
    key_init(&from);
    if (place != NULL) {
        key_add_bytes(&from, place, LEDGER_EVENT_KEY);
        key_add_u8(&from, 0);
        memcpy(page.place, place, LEDGER_EVENT_KEY);
    } else {
        key_add_u16(&from, (uint16_t)(filter->start_ms / ROLLUP_DAY_MS));
    }
    TRY(kv_cursor_open(txn, KV_EVENTS, &cursor));
    kv_cursor_seek(cursor, key_str(&from));
    enum status status = ledger_events_scan(cursor, filter, limit, arena, &page);
    kv_cursor_close(cursor);
    TRY(status);
    *out = page;
    return ST_OK;
}

/* Looks through one journal's events of one day. */
static enum status ledger_find_day(struct kv_cursor *cursor, uint32_t day, struct str attempt_id,
                                   struct arena *arena, Sluice__UsageEvent **event)
{
    struct arena scratch;
    struct key prefix;
    struct str key, row;
    enum status status;
    key_init(&prefix);
    key_add_u16(&prefix, (uint16_t)day);
    key_add_bytes(&prefix, attempt_id.p, ID_BYTES + 8);
    kv_cursor_seek(cursor, key_str(&prefix));
    arena_init(&scratch, LEDGER_ROW_BYTES);
    while ((status = kv_cursor_next(cursor, &key, &row)) == ST_OK &&
           str_starts(key, key_str(&prefix))) {
        Sluice__UsageEvent *found;
        arena_free(&scratch);
        status = wire_unpack(&sluice__usage_event__descriptor, row, &scratch, &found);
        if (status != ST_OK || str_eq(wire_str(&found->attempt_id), attempt_id))
            break;
    }
    if (status == ST_OK && str_starts(key, key_str(&prefix)))
        status = wire_unpack(&sluice__usage_event__descriptor, row, arena, event);
    else if (status == ST_OK || status == ST_END)
        status = ST_NOT_FOUND;
    arena_free(&scratch);
    return status;
}

enum status ledger_find(struct kv_txn *txn, struct str attempt_id, int64_t start_ms, int64_t end_ms,
                        struct arena *arena, Sluice__UsageEvent **event)
{
    struct kv_cursor *cursor;
    enum status status = ST_NOT_FOUND;
    if (attempt_id.n != LEDGER_ATTEMPT_BYTES || start_ms < 0 || end_ms < start_ms ||
        end_ms / ROLLUP_DAY_MS > UINT16_MAX)
        return ST_INVALID;
    TRY(kv_cursor_open(txn, KV_EVENTS, &cursor));
    for (int64_t day = start_ms / ROLLUP_DAY_MS;
         day <= end_ms / ROLLUP_DAY_MS && status == ST_NOT_FOUND; day++)
        status = ledger_find_day(cursor, (uint32_t)day, attempt_id, arena, event);
    kv_cursor_close(cursor);
    return status;
}
