/* batch_run.h: carries out the rows of a batch file at once and makes its output and error files.
 */
#ifndef SLUICE_TESTS_SIM_BATCH_RUN_H
#define SLUICE_TESTS_SIM_BATCH_RUN_H

#include "tests/sim/call.h"

struct batch_result {
    struct str output_id, error_id; /* of file objects; p = NULL: none (no such rows) */
    uint64_t total, failed;
    struct usage usage;
};

/* `endpoint` is what every row's url must be. ST_TOO_LARGE, ST_IO, ST_NO_MEMORY. A row that fails
 * is counted, not an error. */
MUST_USE enum status batch_run(struct call *call, const struct object *input, struct str endpoint,
                               struct batch_result *result);

#endif
