/* inspect.h: what a store holds, for people and tests that compare it with something else: its usage events one by one, and whether
 * what it derives from them still agrees.
 *
 * Readers only, over a store that the caller has open (a backup's folder, or the data directory of a control plane that is down).
 * Any thread. Nothing printed here is a secret.
 */
#ifndef SLUICE_CONTROL_CLI_INSPECT_H
#define SLUICE_CONTROL_CLI_INSPECT_H

#include <stdio.h>

#include "common/id.h"
#include "control-plane/store/kv.h"

/* One JSON object per usage event, by day, node, boot and seq; money in nano-USD. ST_IO (the output), ST_BAD_FORMAT, ST_NO_MEMORY. */
MUST_USE enum status inspect_events(struct kv *kv, FILE *out);

/* One JSON object per counter of a limit, by id, with the figures that the admin API shows; `entity` (none: all): only those of one
 * entity, and with who holds what of the current epoch. ST_IO, ST_BAD_FORMAT, ST_NO_MEMORY. */
MUST_USE enum status inspect_counters(struct kv *kv, const struct id *entity, FILE *out);

/* One JSON object: revision, audit records and whether their chain is whole, days of raw events, and sums and
 * books of limits that disagree with them.
 * ST_CONFLICT: something disagrees (printed all the same). ST_IO, ST_BAD_FORMAT, ST_NO_MEMORY. */
MUST_USE enum status inspect_check(struct kv *kv, FILE *out);

#endif
