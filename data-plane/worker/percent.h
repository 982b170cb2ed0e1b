/* percent.h: percent-decoding of a path or query piece (RFC 3986). Pure but for the arena. */
#ifndef SLUICE_DATA_WORKER_PERCENT_H
#define SLUICE_DATA_WORKER_PERCENT_H

#include "common/arena.h"

/* copies `text` with its valid escapes undone; a malformed escape stays as it is. p = NULL without
 * memory. */
struct str percent_decode(struct arena *arena, struct str text);

#endif
