/* arena.h: memory that lives as long as one request (or one reply) and is freed at once.
 *
 * Owner: whoever called arena_init; everything allocated from it is borrowed and dies with arena_free.
 * One thread. A hard cap in bytes: beyond it, and when malloc fails, arena_alloc gives NULL (-> ST_NO_MEMORY).
 * The first block may be supplied by the caller (embedded or from a slab), so small requests never malloc.
 */
#ifndef SLUICE_COMMON_ARENA_H
#define SLUICE_COMMON_ARENA_H

#include "common/str.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    char *at, *end;             /* free part of the newest block */
    size_t used_bytes;          /* handed to malloc so far */
    size_t max_bytes;
};

void arena_init(struct arena *arena, size_t max_bytes);
/* As arena_init, with a first block that the caller owns and that outlives the arena. */
void arena_init_with(struct arena *arena, void *first, size_t first_bytes, size_t max_bytes);
/* Frees everything; the arena is empty and usable again. */
void arena_free(struct arena *arena);
/* As arena_free, overwriting what it held: for requests that carry secrets. */
void arena_wipe(struct arena *arena);

/* gives n bytes aligned to 16, not zeroed; NULL at the cap or out of memory. n = 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t n);
/* As arena_alloc, zeroed, for count * size with overflow check. */
void *arena_calloc(struct arena *arena, size_t count, size_t size);
/* copies `s` and adds a NUL behind it. p is NULL when there is no memory. */
struct str arena_str(struct arena *arena, struct str s);
/* copies as a C string; NULL when there is no memory. */
char *arena_cstr(struct arena *arena, struct str s);
/* copies `count` pieces one after the other, and adds a NUL; p is NULL when there is no memory. */
struct str arena_join(struct arena *arena, const struct str *pieces, size_t count);
/* formats into the arena; p is NULL when there is no memory. */
struct str arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
