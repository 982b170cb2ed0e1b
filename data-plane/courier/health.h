/* health.h: the status port: a small HTTP server for /healthz, /readyz and /metrics, on the courier's loop.
 *
 * GET and HEAD only, one request a connection, HEALTH_CONNECTIONS_MAX at a time (more wait in the listen queue), HEALTH_DEADLINE_MS for
 * each, head at most HEALTH_HEAD_BYTES. Answers depend on this host alone. One thread. Timers: one per connection.
 */
#ifndef SLUICE_DATA_COURIER_HEALTH_H
#define SLUICE_DATA_COURIER_HEALTH_H

#include "common/buf.h"
#include "data-plane/worker/loop.h"

#define HEALTH_CONNECTIONS_MAX 64
#define HEALTH_DEADLINE_MS     5000
#define HEALTH_HEAD_BYTES      8192
#define HEALTH_BODY_BYTES      (1u << 20)

struct health;

/* Writes the body of `path` into `out` and names its type; returns the HTTP status (404: no such page). */
typedef int (*health_page)(void *arg, struct str path, struct buf *out, const char **content_type);

/* Listens on descriptors that are bound already (borrowed). gives. ST_NO_MEMORY, ST_IO. */
MUST_USE enum status health_open(struct loop *loop, const int *listeners, size_t count, health_page page, void *arg,
                                 struct health **health);
void health_close(struct health *health);

#endif
