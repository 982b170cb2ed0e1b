/* blocks.c: free lists by power of two (blocks.h).
 *
 * Why not malloc alone: a request needs a head block and one or two output blocks for a few hundred
 * microseconds; a free list hands the same warm memory out again. Invariants: used_bytes +
 * kept_bytes is all that came from malloc and has not gone back; kept_bytes <= BLOCKS_KEPT_BYTES.
 */
#include "data-plane/worker/blocks.h"

#include <stdlib.h>

static size_t size_class(size_t n, size_t *bytes)
{
    size_t which = 0;
    for (*bytes = BLOCKS_MIN_BYTES; *bytes < n; *bytes *= 2)
        which++;
    return which;
}

void *blocks_get(struct blocks *blocks, size_t n, size_t *got)
{
    if (n > BLOCKS_MAX_BYTES)
        return NULL;
    size_t bytes = 0, which = size_class(n, &bytes);
    struct block *block = blocks->unused[which];
    if (block != NULL) {
        blocks->unused[which] = block->next;
        blocks->kept_bytes -= bytes;
    } else {
        block = malloc(bytes);
        if (block == NULL)
            return NULL;
    }
    blocks->used_bytes += bytes;
    *got = bytes;
    return block;
}

void blocks_put(struct blocks *blocks, void *given, size_t got)
{
    if (given == NULL)
        return;
    size_t bytes = 0, which = size_class(got, &bytes);
    CHECK(bytes == got && blocks->used_bytes >= bytes);
    blocks->used_bytes -= bytes;
    if (blocks->kept_bytes + bytes > BLOCKS_KEPT_BYTES) {
        free(given);
        return;
    }
    struct block *block = given;
    block->next = blocks->unused[which];
    blocks->unused[which] = block;
    blocks->kept_bytes += bytes;
}

void blocks_close(struct blocks *blocks)
{
    for (size_t i = 0; i < BLOCKS_SIZES; i++) {
        while (blocks->unused[i] != NULL) {
            struct block *block = blocks->unused[i];
            blocks->unused[i] = block->next;
            free(block);
        }
    }
    blocks->kept_bytes = 0;
}
