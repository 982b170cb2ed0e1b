/* limit_view.h: what was used of an entity's limits, as every entity shows it (ledger/counters.h).
 *
 *   "limit_status": "active" | "exhausted"
 *   "usage":
 * [{"type","unit","limit","used","outstanding","remaining","status","mode","alerted","lost",
 *              "started_at","next_reset_at","last_reset_at"}]     in the order of the definitions
 *
 * Cost is US dollars, everything else whole. next_reset_at carries the offset of the organisation's
 * time zone. As fresh as the transaction: usage that nodes have uploaded.
 */
#ifndef SLUICE_CONTROL_API_LIMIT_VIEW_H
#define SLUICE_CONTROL_API_LIMIT_VIEW_H

#include "control-plane/api/call.h"
#include "control-plane/ledger/counters.h"

struct limit_view {
    struct counter_view views[LIMIT_DEFS_MAX];
    size_t count;
    bool exhausted; /* any of them */
};

/* Looks the limits of an entity up. `workspace` as counters_of; `usage_json`, `rates_json`: what it
 * defines; both empty cost no look. Store statuses. */
MUST_USE enum status limit_view_load(struct api_call *call, enum limit_level level,
                                     const struct id *entity, const struct id *second,
                                     const struct id *workspace, const char *usage_json,
                                     const char *rates_json, struct limit_view *view);
/* Writes both members into the object that is open. Store statuses. */
MUST_USE enum status limit_view_write(struct api_call *call, const struct limit_view *view);
/* "expired", else "exhausted", else "active". */
const char *limit_view_status(const struct limit_view *view, bool expired);

/* An amount of a counter: US dollars of cost, else a whole number. */
void limit_view_amount(struct json_writer *w, uint8_t measure, int64_t amount);
/* A time with the offset of the organisation's zone; 0 writes null. Store statuses. */
MUST_USE enum status limit_view_time(struct api_call *call, const char *name, int64_t at_ms);

/* reset_usage: true of a body: begins new epochs for the entity's budgets, after its record was
 * put. `reset` says whether it was asked for. */
MUST_USE enum status limit_view_reset(struct api_call *call, enum limit_level level,
                                      const struct id *entity, const struct id *second,
                                      const struct id *workspace);

#endif
