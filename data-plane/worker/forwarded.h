/* forwarded.h: who sent a request that came through trusted proxies. Pure. */
#ifndef SLUICE_DATA_WORKER_FORWARDED_H
#define SLUICE_DATA_WORKER_FORWARDED_H

#include "data-plane/worker/conn.h"

#define FORWARDED_HOPS_MAX 32

/* `peer` holds the address the connection came from. If it is in `trusted` (comma list of CIDRs),
 * the X-Forwarded-For addresses are walked from the right: the first one that is not trusted is the
 * client. A malformed one ends the walk. */
void forwarded_peer(const struct http_head *head, struct str trusted, struct netaddr *peer);

#endif
