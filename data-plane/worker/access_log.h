/* access_log.h: one JSON line per request, gathered in memory and written in blocks.
 *
 * Lines go to the log pipe (log_fd) at the end of a turn when 32 KiB are full, and at least every 200 ms by a timer. A full pipe drops whole
 * lines and counts (M_LOG_DROPPED). Nothing from outside unescaped; no header values, no bodies. One thread.
 */
#ifndef SLUICE_DATA_WORKER_ACCESS_LOG_H
#define SLUICE_DATA_WORKER_ACCESS_LOG_H

#include "data-plane/worker/req.h"

/* fd: the log pipe (not owned). `on` = false writes nothing. ST_NO_MEMORY. */
MUST_USE enum status access_log_open(struct worker *worker, int fd, bool on);
void access_log_close(void);
/* The line of a request that ends now. */
void access_log_request(const struct req *req);

#endif
