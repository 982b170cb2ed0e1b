/* rollups.c: from events to sums.
 *
 * Each event belongs to a row by model, by key and by integration, by user if its key has one, and by
 * each label it carries, per day and per hour. A batch of a thousand events meets a few dozen rows,
 * so they are summed in a hash table first and each row is read and written once, in key order.
 * Invariant: rollups_add is the only mapping from an event to rows; ingest and verify both use it,
 * so a difference found by verify is a difference in the data. An adjusting entry adds amounts and
 * no request. Workspace comes before period in the key: a workspace's report is one range, and an
 * organisation's jumps from workspace to workspace.
 */
#include "control-plane/ledger/rollups.h"

#include <stdlib.h>

#include "common/wire.h"
#include "control-plane/ledger/event.h"

#define ROLLUP_VERSION    2u
#define ROLLUP_COUNTERS   7u
#define ROLLUP_FIXED      (1 + 8 * (ROLLUP_COUNTERS + 2)) /* version, counters, cost, charge */
#define ROLLUP_CLASS      9u                              /* bytes of a class and its count */
#define ROLLUP_HEAD_BYTES (3 + 2 * ID_BYTES)              /* 0x7F, space, dim, org, workspace */
#define ROLLUP_MIN_SLOTS  64u

struct rollup_entry {
    struct key key;
    struct str text;
    struct rollup_totals totals;
};

static uint64_t rollup_sum(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static int64_t rollup_money(int64_t a, int64_t b)
{
    int64_t sum;
    return !__builtin_add_overflow(a, b, &sum) ? sum : a > 0 ? INT64_MAX : INT64_MIN;
}

/* The counters as an array, in the order of the row. */
static void rollup_fields(struct rollup_totals *totals, uint64_t *fields[ROLLUP_COUNTERS])
{
    uint64_t *const all[ROLLUP_COUNTERS] = {
        &totals->requests,     &totals->errors,        &totals->unpriced,      &totals->unsure,
        &totals->input_tokens, &totals->output_tokens, &totals->cached_tokens,
    };
    memcpy(fields, all, sizeof all);
}

void rollup_totals_add(struct rollup_totals *to, const struct rollup_totals *more)
{
    struct rollup_totals copy = *more;
    uint64_t *sums[ROLLUP_COUNTERS], *parts[ROLLUP_COUNTERS];
    rollup_fields(to, sums);
    rollup_fields(&copy, parts);
    for (size_t i = 0; i < ROLLUP_COUNTERS; i++)
        *sums[i] = rollup_sum(*sums[i], *parts[i]);
    for (size_t i = 0; i < PRICE_CLASS_COUNT; i++)
        to->classes[i] = rollup_sum(to->classes[i], more->classes[i]);
    to->cost_nanousd = rollup_money(to->cost_nanousd, more->cost_nanousd);
    to->charge_nanousd = rollup_money(to->charge_nanousd, more->charge_nanousd);
}

/* --- keys and rows -------------------------------------------------------------------------------
 */

static void rollup_head(struct key *key, enum rollup_period kind, enum rollup_dim dim)
{
    key_init_space(key, kind == ROLLUP_DAY ? KEY_SPACE_DAY : KEY_SPACE_HOUR);
    key_add_u8(key, (uint8_t)dim);
}

void rollup_key(struct key *key, enum rollup_period kind, enum rollup_dim dim, const struct id *org,
                const struct id *workspace, uint32_t from)
{
    rollup_head(key, kind, dim);
    if (org != NULL)
        key_add_id(key, org);
    if (org != NULL && workspace != NULL) {
        key_add_id(key, workspace);
        key_add_u32(key, from);
    }
}

/* Counts by class, which a row of version 1 does not have; gives what stands behind them. */
static enum status rollup_read_classes(struct str rest, struct rollup_totals *totals,
                                       struct str *text)
{
    if (rest.n == 0)
        return ST_BAD_FORMAT;
    size_t count = (uint8_t)rest.p[0];
    if (rest.n < 1 + count * ROLLUP_CLASS)
        return ST_BAD_FORMAT;
    for (size_t i = 0; i < count; i++) {
        const char *at = rest.p + 1 + i * ROLLUP_CLASS;
        if ((uint8_t)at[0] < PRICE_CLASS_COUNT)
            totals->classes[(uint8_t)at[0]] = key_get_u64(at + 1);
    }
    *text = str_from(rest, 1 + count * ROLLUP_CLASS);
    return ST_OK;
}

enum status rollup_read(struct str key, struct str value, struct rollup_row *row)
{
    struct rollup_row out = {0};
    uint64_t *fields[ROLLUP_COUNTERS];
    if (key.n < ROLLUP_HEAD_BYTES + 4 + ID_BYTES || value.n < ROLLUP_FIXED ||
        (uint8_t)value.p[0] > ROLLUP_VERSION)
        return ST_BAD_FORMAT;
    out.dim = (enum rollup_dim)(uint8_t)key.p[2];
    memcpy(out.org.b, key.p + 3, ID_BYTES);
    memcpy(out.workspace.b, key.p + 3 + ID_BYTES, ID_BYTES);
    out.period = key_get_u32(key.p + ROLLUP_HEAD_BYTES);
    memcpy(out.a.b, key.p + ROLLUP_HEAD_BYTES + 4, ID_BYTES);
    rollup_fields(&out.totals, fields);
    const char *at = value.p + 1;
    for (size_t i = 0; i < ROLLUP_COUNTERS; i++, at += 8)
        *fields[i] = key_get_u64(at);
    out.totals.cost_nanousd = (int64_t)key_get_u64(at);
    out.totals.charge_nanousd = (int64_t)key_get_u64(at + 8);
    out.text = str_from(value, ROLLUP_FIXED);
    if ((uint8_t)value.p[0] > 1)
        TRY(rollup_read_classes(out.text, &out.totals, &out.text));
    ptrdiff_t end = out.dim == ROLLUP_LABEL ? str_find_char(out.text, '\0') : -1;
    if (end >= 0) {
        out.value = str_from(out.text, (size_t)end + 1);
        out.text = str_head(out.text, (size_t)end);
    }
    *row = out;
    return ST_OK;
}

static enum status rollup_write(struct kv_txn *txn, const struct rollup_entry *entry,
                                struct rollup_totals *totals)
{
    uint8_t row[ROLLUP_FIXED + 1 + PRICE_CLASS_COUNT * ROLLUP_CLASS + ROLLUP_TEXT_MAX];
    uint64_t *fields[ROLLUP_COUNTERS];
    uint8_t *at = row, *count;
    *at++ = ROLLUP_VERSION;
    rollup_fields(totals, fields);
    for (size_t i = 0; i < ROLLUP_COUNTERS; i++, at += 8)
        key_put_u64(at, *fields[i]);
    key_put_u64(at, (uint64_t)totals->cost_nanousd);
    key_put_u64(at + 8, (uint64_t)totals->charge_nanousd);
    at += 16;
    count = at++;
    *count = 0;
    for (size_t i = 0; i < PRICE_CLASS_COUNT; i++) {
        if (totals->classes[i] == 0)
            continue;
        *at = (uint8_t)i;
        key_put_u64(at + 1, totals->classes[i]);
        at += ROLLUP_CLASS;
        ++*count;
    }
    struct str text = str_head(entry->text, ROLLUP_TEXT_MAX);
    if (text.n > 0)
        memcpy(at, text.p, text.n);
    return kv_put(txn, KV_MAIN, key_str(&entry->key),
                  str_of((const char *)row, (size_t)(at - row) + text.n));
}

/* --- the table -----------------------------------------------------------------------------------
 */

enum status rollups_init(struct rollups *rollups, struct arena *arena, size_t max)
{
    *rollups = (struct rollups){.arena = arena, .max = max, .slot_count = ROLLUP_MIN_SLOTS};
    rollups->slots = arena_calloc(arena, rollups->slot_count, sizeof *rollups->slots);
    return rollups->slots == NULL ? ST_NO_MEMORY : ST_OK;
}

/* FNV-1a: the keys hold ids that are random already. */
static size_t rollup_hash(const struct key *key)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < key->n; i++)
        hash = (hash ^ key->b[i]) * 1099511628211u;
    return (size_t)(hash ^ hash >> 32);
}

static struct rollup_entry **rollup_slot(struct rollup_entry **slots, size_t slot_count,
                                         const struct key *key)
{
    size_t at = rollup_hash(key) & (slot_count - 1);
    while (slots[at] != NULL && !str_eq(key_str(&slots[at]->key), key_str(key)))
        at = (at + 1) & (slot_count - 1);
    return &slots[at];
}

static enum status rollups_grow(struct rollups *rollups)
{
    size_t slot_count = rollups->slot_count * 2;
    struct rollup_entry **slots = arena_calloc(rollups->arena, slot_count, sizeof *slots);
    if (slots == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < rollups->slot_count; i++)
        if (rollups->slots[i] != NULL)
            *rollup_slot(slots, slot_count, &rollups->slots[i]->key) = rollups->slots[i];
    rollups->slots = slots;
    rollups->slot_count = slot_count;
    return ST_OK;
}

static enum status rollups_add_at(struct rollups *rollups, const struct key *key, struct str text,
                                  const struct rollup_totals *totals)
{
    if (rollups->count * 2 >= rollups->slot_count)
        TRY(rollups_grow(rollups));
    struct rollup_entry **slot = rollup_slot(rollups->slots, rollups->slot_count, key);
    if (*slot == NULL) {
        if (rollups->count == rollups->max)
            return ST_TOO_LARGE;
        struct rollup_entry *entry = arena_calloc(rollups->arena, 1, sizeof *entry);
        if (entry == NULL)
            return ST_NO_MEMORY;
        entry->key = *key;
        if (text.n > 0 && (entry->text = arena_str(rollups->arena, text)).p == NULL)
            return ST_NO_MEMORY;
        *slot = entry;
        rollups->count++;
    }
    rollup_totals_add(&(*slot)->totals, totals);
    return ST_OK;
}

/* --- events --------------------------------------------------------------------------------------
 */

static struct rollup_totals rollup_of_event(const Sluice__UsageEvent *event)
{
    struct rollup_totals totals = {.cost_nanousd = event->cost_nanousd,
                                   .charge_nanousd = event->charge_nanousd};
    struct price_usage usage;
    if (event->source == SLUICE__USAGE_SOURCE__USAGE_SOURCE_ADJUSTED)
        return totals;
    event_usage(event, &usage);
    memcpy(totals.classes, usage.n, sizeof totals.classes);
    totals.requests = 1;
    totals.errors = event->outcome != 0;
    totals.unpriced = event->unpriced != 0;
    totals.unsure = event->source != SLUICE__USAGE_SOURCE__USAGE_SOURCE_PROVIDER;
    totals.input_tokens = event->input_tokens;
    totals.output_tokens = event->output_tokens;
    totals.cached_tokens = event->cached_tokens;
    return totals;
}

/* One event in one period. */
struct rollup_place {
    struct rollups *rollups;
    enum rollup_period kind;
    uint32_t period;
    struct id org, workspace;
    struct rollup_totals totals;
};

static enum status rollups_add_row(struct rollup_place *place, enum rollup_dim dim,
                                   const struct id *workspace, const struct id *a)
{
    struct key key;
    rollup_key(&key, place->kind, dim, &place->org, workspace, place->period);
    key_add_id(&key, a);
    return rollups_add_at(place->rollups, &key, STR_NONE, &place->totals);
}

static enum status rollups_add_model(struct rollup_place *place, const struct id *provider,
                                     struct str model)
{
    struct key key;
    rollup_key(&key, place->kind, ROLLUP_MODEL, &place->org, &place->workspace, place->period);
    key_add_id(&key, provider);
    key_add_hash(&key, model);
    return rollups_add_at(place->rollups, &key, model, &place->totals);
}

static enum status rollups_add_label(struct rollup_place *place, const Sluice__UsageLabel *label)
{
    struct str name = str_head(str_c(label->key), ROLLUP_TEXT_MAX / 2),
               value = str_head(str_c(label->value), ROLLUP_TEXT_MAX / 2 - 1);
    char text[ROLLUP_TEXT_MAX];
    struct key key;
    if (name.n == 0 || value.n == 0)
        return ST_OK;
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    memcpy(text + name.n + 1, value.p, value.n);
    rollup_key(&key, place->kind, ROLLUP_LABEL, &place->org, &place->workspace, place->period);
    key_add_hash(&key, str_c(label->key));
    key_add_hash(&key, str_c(label->value));
    return rollups_add_at(place->rollups, &key, str_of(text, name.n + 1 + value.n),
                          &place->totals);
}

static enum status rollups_add_period(struct rollups *rollups, const Sluice__UsageEvent *event,
                                      enum rollup_period kind, uint32_t period)
{
    struct rollup_place place = {
        .rollups = rollups, .kind = kind, .period = period, .totals = rollup_of_event(event)};
    struct id provider, api_key, integration, user;
    TRY(wire_id(&event->org, &place.org));
    TRY(wire_id(&event->workspace, &place.workspace));
    TRY(wire_id(&event->provider, &provider));
    TRY(wire_id(&event->api_key, &api_key));
    TRY(wire_id(&event->integration, &integration));
    TRY(wire_id(&event->user, &user));
    TRY(rollups_add_model(&place, &provider, str_c(event->model)));
    TRY(rollups_add_row(&place, ROLLUP_KEY, &place.workspace, &api_key));
    TRY(rollups_add_row(&place, ROLLUP_INTEGRATION, &ID_NONE, &integration));
    if (!id_is_none(&user))
        TRY(rollups_add_row(&place, ROLLUP_USER, &place.workspace, &user));
    for (size_t i = 0; i < event->n_labels && i < ROLLUP_LABELS_MAX; i++)
        TRY(rollups_add_label(&place, event->labels[i]));
    return ST_OK;
}

enum status rollups_add(struct rollups *rollups, const Sluice__UsageEvent *event)
{
    CHECK(event->at_ms >= 0);
    TRY(rollups_add_period(rollups, event, ROLLUP_DAY, (uint32_t)(event->at_ms / ROLLUP_DAY_MS)));
    return rollups_add_period(rollups, event, ROLLUP_HOUR,
                              (uint32_t)(event->at_ms / ROLLUP_HOUR_MS));
}

static int rollup_entry_cmp(const void *a, const void *b)
{
    const struct rollup_entry *const *x = a, *const *y = b;
    return str_cmp(key_str(&(*x)->key), key_str(&(*y)->key));
}

enum status rollups_apply(const struct rollups *rollups, struct kv_txn *txn)
{
    struct rollup_entry **entries =
        arena_calloc(rollups->arena, rollups->count + 1, sizeof *entries);
    size_t count = 0;
    if (entries == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < rollups->slot_count; i++)
        if (rollups->slots[i] != NULL)
            entries[count++] = rollups->slots[i];
    qsort(entries, count, sizeof *entries, rollup_entry_cmp);
    for (size_t i = 0; i < count; i++) {
        struct rollup_totals totals = entries[i]->totals;
        struct rollup_row row;
        struct str value;
        enum status status = kv_get(txn, KV_MAIN, key_str(&entries[i]->key), &value);
        if (status == ST_OK) {
            TRY(rollup_read(key_str(&entries[i]->key), value, &row));
            rollup_totals_add(&totals, &row.totals);
        } else if (status != ST_NOT_FOUND) {
            return status;
        }
        TRY(rollup_write(txn, entries[i], &totals));
    }
    return ST_OK;
}

enum status rollups_compare(const struct rollups *rollups, struct kv_txn *txn, uint64_t *different,
                            uint64_t *missing)
{
    uint64_t other = 0, none = 0;
    for (size_t i = 0; i < rollups->slot_count; i++) {
        const struct rollup_entry *entry = rollups->slots[i];
        struct rollup_row row;
        struct str value;
        if (entry == NULL)
            continue;
        enum status status = kv_get(txn, KV_MAIN, key_str(&entry->key), &value);
        if (status == ST_NOT_FOUND) {
            none++;
            continue;
        }
        TRY(status);
        TRY(rollup_read(key_str(&entry->key), value, &row));
        other += memcmp(&row.totals, &entry->totals, sizeof row.totals) != 0;
    }
    *different = other;
    *missing = none;
    return ST_OK;
}

/* --- walking -------------------------------------------------------------------------------------
 */

enum status rollup_walk_open(struct rollup_walk *walk, struct kv_txn *txn, enum rollup_period kind,
                             enum rollup_dim dim, const struct id *org, const struct id *workspace,
                             uint32_t from, uint32_t to)
{
    struct key start;
    *walk = (struct rollup_walk){.from = from, .to = to};
    rollup_key(&walk->prefix, kind, dim, org, NULL, 0);
    if (org != NULL && workspace != NULL)
        key_add_id(&walk->prefix, workspace);
    start = walk->prefix;
    if (start.n == ROLLUP_HEAD_BYTES)
        key_add_u32(&start, from);
    TRY(kv_cursor_open(txn, KV_MAIN, &walk->cursor));
    kv_cursor_seek(walk->cursor, key_str(&start));
    return ST_OK;
}

enum status rollup_walk_next(struct rollup_walk *walk, struct rollup_row *row)
{
    struct str key, value;
    for (;;) {
        TRY(kv_cursor_next(walk->cursor, &key, &value));
        if (!str_starts(key, key_str(&walk->prefix)))
            return ST_END;
        TRY(rollup_read(key, value, row));
        if (row->period >= walk->from && row->period < walk->to) {
            walk->key = key;
            return ST_OK;
        }
        struct key jump; /* to the wanted periods of this workspace, or behind the workspace */
        key_init(&jump);
        key_add_bytes(&jump, key.p, ROLLUP_HEAD_BYTES);
        if (row->period < walk->from)
            key_add_u32(&jump, walk->from);
        else
            key_after_prefix(&jump);
        kv_cursor_seek(walk->cursor, key_str(&jump));
    }
}

void rollup_walk_close(struct rollup_walk *walk)
{
    kv_cursor_close(walk->cursor);
    walk->cursor = NULL;
}
