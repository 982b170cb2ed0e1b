/* arena.c: a list of blocks and a bump pointer.
 *
 *   blocks -> [next|size|........used....at....end] -> [next|size|....] -> NULL
 *
 * Blocks double from 4 KiB to 256 KiB; a larger wish gets a block of its own. The cap counts malloc'ed bytes.
 */
#include "common/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_ALIGN     16u
#define ARENA_MIN_BLOCK 4096u
#define ARENA_MAX_BLOCK (256u * 1024u)

struct arena_block {
    struct arena_block *next;
    size_t bytes;
} __attribute__((aligned(ARENA_ALIGN)));

void arena_init(struct arena *arena, size_t max_bytes)
{
    *arena = (struct arena){.max_bytes = max_bytes};
}

void arena_init_with(struct arena *arena, void *first, size_t first_bytes, size_t max_bytes)
{
    arena_init(arena, max_bytes);
    uintptr_t base = ((uintptr_t)first + ARENA_ALIGN - 1) & ~(uintptr_t)(ARENA_ALIGN - 1);
    size_t lost = (size_t)(base - (uintptr_t)first);
    if (first_bytes > lost) {
        arena->at = (char *)first + lost;
        arena->end = (char *)first + first_bytes;
    }
}

void arena_free(struct arena *arena)
{
    struct arena_block *block = arena->blocks;
    while (block != NULL) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    arena_init(arena, arena->max_bytes);
}

void arena_wipe(struct arena *arena)
{
    for (struct arena_block *block = arena->blocks; block != NULL; block = block->next)
        explicit_bzero(block + 1, block->bytes);
    arena_free(arena);
}

static bool arena_grow(struct arena *arena, size_t n)
{
    size_t wish = arena->blocks == NULL ? ARENA_MIN_BLOCK : arena->blocks->bytes * 2;
    if (wish > ARENA_MAX_BLOCK)
        wish = ARENA_MAX_BLOCK;
    size_t room = arena->max_bytes - arena->used_bytes;
    if (wish < n)
        wish = n;
    if (wish > room)
        wish = n;
    if (wish > room || wish > SIZE_MAX - sizeof(struct arena_block))
        return false;
    struct arena_block *block = malloc(sizeof *block + wish);
    if (block == NULL)
        return false;
    block->next = arena->blocks;
    block->bytes = wish;
    arena->blocks = block;
    arena->used_bytes += wish;
    arena->at = (char *)(block + 1);
    arena->end = arena->at + wish;
    return true;
}

void *arena_alloc(struct arena *arena, size_t n)
{
    if (n > SIZE_MAX - ARENA_ALIGN)
        return NULL;
    n = (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    if (n == 0)
        n = ARENA_ALIGN;
    if ((size_t)(arena->end - arena->at) < n && !arena_grow(arena, n))
        return NULL;
    void *out = arena->at;
    arena->at += n;
    return out;
}

void *arena_calloc(struct arena *arena, size_t count, size_t size)
{
    size_t n;
    if (__builtin_mul_overflow(count, size, &n))
        return NULL;
    void *out = arena_alloc(arena, n);
    if (out != NULL)
        memset(out, 0, n);
    return out;
}

struct str arena_str(struct arena *arena, struct str s)
{
    char *copy = arena_cstr(arena, s);
    return copy == NULL ? STR_NONE : (struct str){copy, s.n};
}

char *arena_cstr(struct arena *arena, struct str s)
{
    char *copy = s.n == SIZE_MAX ? NULL : arena_alloc(arena, s.n + 1);
    if (copy == NULL)
        return NULL;
    if (s.n > 0)
        memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return copy;
}

struct str arena_join(struct arena *arena, const struct str *pieces, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (__builtin_add_overflow(n, pieces[i].n, &n) || n == SIZE_MAX)
            return STR_NONE;
    char *out = arena_alloc(arena, n + 1), *at = out;
    if (out == NULL)
        return STR_NONE;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].n > 0)
            memcpy(at, pieces[i].p, pieces[i].n);
        at += pieces[i].n;
    }
    *at = '\0';
    return (struct str){out, n};
}

struct str arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *out = n < 0 ? NULL : arena_alloc(arena, (size_t)n + 1);
    if (out != NULL)
        vsnprintf(out, (size_t)n + 1, format, again);
    va_end(again);
    return out == NULL ? STR_NONE : (struct str){out, (size_t)n};
}
