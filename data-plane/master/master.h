/* master.h: the first process of a gateway host: binds ports, forks, restarts, drains; carries no
 * traffic and reads no client bytes.
 *
 * Single-threaded; alone forks, and a fork is followed by execve of this program with a role as
 * argv[1] (ARCHITECTURE section 8, Processes). Order: segment, listeners, courier, catalog file,
 * workers. Signals: TERM drains up to drain_max_s, INT ends at once, HUP replaces the workers one
 * by one (they re-read configuration and certificates), USR1 is taken and means nothing (logs go to
 * stderr).
 */
#ifndef SLUICE_DATA_MASTER_MASTER_H
#define SLUICE_DATA_MASTER_MASTER_H

#include "common/params.h"

/* options: the option arguments as given, passed on to every child. Returns the exit code. */
int master_main(const struct params *params, int option_count, char *const *options);

/* How a child's argument vector begins: program, role, two numbers, then the options. */
#define MASTER_CHILD_ARGS 4

#endif
