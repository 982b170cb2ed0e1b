/* rollups.h: usage summed by day and by hour.
 *
 * Rows (KV_MAIN): [0x7F 'B' (day) | 'C' (hour)][dim 1][org 16][workspace 16][period 4][a 16][b 16]
 *                 -> u8 version, totals (9 x 8 bytes), u8 n, n x {u8 price class, u64}, text
 *   period: days or hours since 1970, UTC; numbers big-endian
 *   dim MODEL:       a = provider, b = BLAKE2b-128(model), text = model
 *   dim KEY:         a = API key, no b
 *   dim INTEGRATION: workspace none, a = integration, no b
 *   dim USER:        a = user, no b; attempts of keys that belong to a user
 *   dim LABEL:       a = BLAKE2b-128(key), b = BLAKE2b-128(value), text = key NUL value: of metadata
 * An organisation is the sum of its workspaces, a workspace and a provider the sum of its MODEL rows.
 * A struct rollups collects the sums of many events in memory (in its arena) before they meet the
 * store once per row. It is the only code that maps an event to rows: ingest and re-rating add with
 * it, verify re-adds with it. Sums saturate instead of wrapping. One thread.
 */
#ifndef SLUICE_CONTROL_LEDGER_ROLLUPS_H
#define SLUICE_CONTROL_LEDGER_ROLLUPS_H

#include "common/arena.h"
#include "common/id.h"
#include "common/price.h"
#include "control-plane/store/keys.h"
#include "proto/usage.pb-c.h"

#define ROLLUP_DAY_MS      ((int64_t)86400000)
#define ROLLUP_HOUR_MS     ((int64_t)3600000)
#define ROLLUP_LABELS_MAX  4u   /* of one event; more are passed over */
#define ROLLUP_TEXT_MAX    512u /* longer names are cut in the row, not in the hash */
#define ROLLUP_EVENT_ROWS  (2u * (4u + ROLLUP_LABELS_MAX)) /* rows of one event, at most */

enum rollup_dim {
    ROLLUP_MODEL = 1,
    ROLLUP_KEY = 2,
    ROLLUP_INTEGRATION = 3,
    ROLLUP_USER = 4,
    ROLLUP_LABEL = 5,
    ROLLUP_DIM_END,
};
enum rollup_period { ROLLUP_DAY, ROLLUP_HOUR };

struct rollup_totals {
    uint64_t requests, errors;
    uint64_t unpriced; /* requests without a known price: their cost is not 0 but unknown */
    uint64_t unsure;   /* requests whose usage the provider did not say (estimated, bound, lost) */
    uint64_t input_tokens, output_tokens, cached_tokens;
    int64_t cost_nanousd, charge_nanousd; /* adjusting entries included */
    uint64_t classes[PRICE_CLASS_COUNT];  /* as counted for prices: disjoint */
};

/* A row as it was read: ids say what they are in the table above. */
struct rollup_row {
    enum rollup_dim dim;
    struct id org, workspace, a;
    uint32_t period;
    struct str text;  /* borrowed: of MODEL the model, of LABEL the key */
    struct str value; /* borrowed: of LABEL */
    struct rollup_totals totals;
};

void rollup_totals_add(struct rollup_totals *to, const struct rollup_totals *more);

struct rollup_entry;
struct rollups {
    struct arena *arena;
    struct rollup_entry **slots;
    size_t slot_count, count, max;
};

/* max: rows at most. ST_NO_MEMORY. */
MUST_USE enum status rollups_init(struct rollups *rollups, struct arena *arena, size_t max);
/* Adds an event to all rows it belongs to, at its at_ms. ST_NO_MEMORY, ST_TOO_LARGE (more rows than
 * max). */
MUST_USE enum status rollups_add(struct rollups *rollups, const Sluice__UsageEvent *event);
/* Adds everything to the stored rows. ST_BAD_FORMAT, ST_STORE_FULL, ST_IO, ST_NO_MEMORY. */
MUST_USE enum status rollups_apply(const struct rollups *rollups, struct kv_txn *txn);
/* How many rows are stored with other sums, and how many are not stored. ST_BAD_FORMAT, ST_IO. */
MUST_USE enum status rollups_compare(const struct rollups *rollups, struct kv_txn *txn,
                                     uint64_t *different, uint64_t *missing);

/* Key of the first row of (period kind, dim, org, workspace, from); workspace NULL: of the whole
 * organisation; org NULL: of all. */
void rollup_key(struct key *key, enum rollup_period kind, enum rollup_dim dim, const struct id *org,
                const struct id *workspace, uint32_t from);
/* ST_BAD_FORMAT. */
MUST_USE enum status rollup_read(struct str key, struct str value, struct rollup_row *row);

/* Walks the rows of one dim whose period is in [from, to), of one workspace, one organisation or
 * all, jumping over other periods. */
struct rollup_walk {
    struct kv_cursor *cursor;
    struct key prefix;
    uint32_t from, to;
    struct str key; /* of the row given last; borrowed */
};
MUST_USE enum status rollup_walk_open(struct rollup_walk *walk, struct kv_txn *txn,
                                      enum rollup_period kind, enum rollup_dim dim,
                                      const struct id *org, const struct id *workspace,
                                      uint32_t from, uint32_t to);
/* ST_END, ST_BAD_FORMAT. */
MUST_USE enum status rollup_walk_next(struct rollup_walk *walk, struct rollup_row *row);
void rollup_walk_close(struct rollup_walk *walk);

#endif
