/* power_log.h: what a store did to its file, in order; written by power_record.so, read by
 * sluice-power.
 *
 * A row is a struct power_row, followed by `n` bytes for POWER_WRITE and POWER_MARK. Host byte
 * order: a log does not outlive the test that made it.
 */
#ifndef SLUICE_TEST_POWER_LOG_H
#define SLUICE_TEST_POWER_LOG_H

#include <stdint.h>

enum power_kind {
    POWER_WRITE,    /* bytes at an offset; durable at the next sync, or by itself when `durable` */
    POWER_SYNC,     /* fsync or fdatasync returned: every earlier write is durable */
    POWER_TRUNCATE, /* the file's length became `offset` */
    POWER_MARK,     /* the program wrote these bytes to its list of acknowledgements */
};

struct power_row {
    uint32_t kind, durable; /* durable: the descriptor was opened with O_DSYNC */
    uint64_t offset, n;
};

#endif
