/* proxy_v2.h: the PROXY protocol header, version 2 (HAProxy's doc/proxy-protocol.txt, section 2.2).
 * Pure. */
#ifndef SLUICE_DATA_WORKER_PROXY_V2_H
#define SLUICE_DATA_WORKER_PROXY_V2_H

#include "common/netaddr.h"

#define PROXY_V2_FIXED_BYTES 16
#define PROXY_V2_MAX_BYTES   1024 /* addresses and TLVs, with the fixed part */

/* Reads a header from p[0 .. n). ST_OK: it is whole and exactly n bytes; `peer` is the client it
 * names, or unchanged when it names none (LOCAL, UNSPEC, a unix socket). ST_AGAIN: *need bytes are
 * needed in all. ST_BAD_HTTP. */
MUST_USE enum status proxy_v2_parse(const char *p, size_t n, size_t *need, struct netaddr *peer);

#endif
