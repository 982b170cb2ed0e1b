/* keep.h: letting go of what is old, bit by bit: single entries, then sums.
 *
 * Each operation drops at most KEEP_ROWS rows, so that nobody who writes waits long behind one; a
 * run ends when nothing is left or its time is over, and the next one goes on. Sums are kept at least
 * as long as the entries that explain them. Any thread but the writer's.
 */
#ifndef SLUICE_CONTROL_LEDGER_KEEP_H
#define SLUICE_CONTROL_LEDGER_KEEP_H

#include "control-plane/store/writer.h"

#define KEEP_ROWS 500u

struct keep_options {
    int64_t entries_ms; /* ages */
    int64_t hours_ms;   /* of sums by hour, and of all sums by metadata */
    int64_t days_ms;
};

/* Runs for at most `run_ms`. Failures are logged; what was not dropped is tried again next time. */
void keep_run(struct writer *writer, const struct keep_options *options, int64_t now_ms,
              int64_t run_ms);

#endif
