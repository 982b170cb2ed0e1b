/* keeper_hosts.h: which hosts a catalog names: of integrations and model rules, by base_url and by the hosts of their secrets. */
#ifndef SLUICE_DATA_COURIER_KEEPER_HOSTS_H
#define SLUICE_DATA_COURIER_KEEPER_HOSTS_H

#include "common/buf.h"
#include "data-plane/catalog_file.h"

/* Appends at most `max` hosts, sorted, each once, one a line; names only, no addresses. The caller holds catalog_begin. Without memory
 * fewer are given. */
void catalog_hosts(struct catalog *catalog, size_t max, struct buf *out);

/* The host of "scheme://host[:port][/...]" or "host[:port]"; empty if there is none or it is an address. Borrows. */
struct str url_host(struct str url);

#endif
