/* names.h: host names to addresses, for all workers of a host (ARCHITECTURE section 4, Names).
 *
 * getaddrinfo on NAMES_THREADS threads (hosts file, resolver and search rules are the system's), a
 * cache, and one answer to each asker. The answer is unclassified: the worker decides what it may
 * use. Called from the courier's loop thread; answers come back through an eventfd that the loop
 * watches. At most NAMES_CACHE_MAX hosts and NAMES_WAITING_MAX open questions.
 */
#ifndef SLUICE_DATA_COURIER_NAMES_H
#define SLUICE_DATA_COURIER_NAMES_H

#include "data-plane/ipc.h"

#define COURIER_NAMES_THREADS     4
#define COURIER_NAMES_CACHE_MAX   4096
#define COURIER_NAMES_WAITING_MAX 1024
#define COURIER_NAMES_TTL_S       30 /* getaddrinfo gives none: looked up anew after this */

struct resolver;

/* Starts the threads. `name_servers`: a comma list of IPv4 addresses, with or without port, that are
 * asked instead of the system's (borrowed for life; empty: the system's). `answer` is called from resolver_run with the asker's number and the filled
 * message. ST_NO_MEMORY, ST_IO. */
MUST_USE enum status resolver_start(struct str name_servers,
                                    void (*answer)(void *arg, uint32_t worker,
                                                   const struct ipc_name *answer),
                                    void *arg, struct resolver **resolver);
void resolver_stop(struct resolver *resolver);
/* Readable when answers wait: call resolver_run then. */
int resolver_fd(const struct resolver *resolver);
void resolver_run(struct resolver *resolver);
/* A worker's question (tag and host are taken from it). Answered at once from the cache, or later,
 * or, when too many wait, with ST_OVERLOADED. What looks like an address in any spelling is no name: ST_INVALID. */
void resolver_ask(struct resolver *resolver, uint32_t worker, const struct ipc_name *query);

#endif
