/* blocks.h: the front's memory: blocks of a few sizes, kept in free lists, so that serving
 * allocates nothing.
 *
 * One per worker, one thread. A block belongs to whoever got it until blocks_put. Blocks have sizes
 * BLOCKS_MIN_BYTES * 2^i; up to BLOCKS_KEPT_BYTES of unused ones are kept, the rest goes back to
 * malloc, so a burst does not stay resident. Contents are not wiped: no secret is ever put into
 * one.
 */
#ifndef SLUICE_DATA_WORKER_BLOCKS_H
#define SLUICE_DATA_WORKER_BLOCKS_H

#include "common/str.h"

#define BLOCKS_MIN_BYTES  512u
#define BLOCKS_MAX_BYTES  (128u * 1024u)
#define BLOCKS_SIZES      9
#define BLOCKS_KEPT_BYTES (2u * 1024u * 1024u)

struct block {
    struct block *next;
};

struct blocks {
    struct block *unused[BLOCKS_SIZES];
    size_t kept_bytes; /* in unused */
    size_t used_bytes; /* handed out */
};

/* gives a block of at least n bytes, aligned to 16; *got is its true size. NULL: out of memory, or
 * n above BLOCKS_MAX_BYTES. */
void *blocks_get(struct blocks *blocks, size_t n, size_t *got);
/* takes back a block of the size blocks_get told. NULL is fine. */
void blocks_put(struct blocks *blocks, void *block, size_t got);
/* Frees the unused blocks. */
void blocks_close(struct blocks *blocks);

#endif
