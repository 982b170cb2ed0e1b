/* courier.h: the courier process: link, disk and names of a host. Holds nothing that opens a
 * secret.
 *
 * Fixed descriptors after exec: 3 control socket to the master (one byte 'r' when the catalog file
 * is there), 4 segment, 5 the link's part of the node bundle (read once, closed), 6 log pipe, 7+i
 * status listeners, COURIER_PAIR_FD+i one pair per worker (ipc.h).
 */
#ifndef SLUICE_DATA_COURIER_COURIER_H
#define SLUICE_DATA_COURIER_COURIER_H

#include "common/params.h"

#define COURIER_CONTROL_FD 3
#define COURIER_STATUS_MAX 8
#define COURIER_PAIR_FD    16

struct courier_boot {
    const struct params *params;
    uint32_t workers;      /* pairs at COURIER_PAIR_FD .. */
    uint32_t status_count; /* listeners at 7 .. */
};

/* Runs until the master says TERM or INT (journals what is left, then ends), or until the master and its
 * workers are gone. The same signals from anybody else are ignored. Returns the exit code. */
int courier_main(const struct courier_boot *boot);

#endif
