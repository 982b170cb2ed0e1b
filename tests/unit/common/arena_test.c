/* arena_test.c: alignment, the cap, and blocks that the caller owns. */
#include "common/arena.h"

#include <criterion/criterion.h>

static bool aligned(const void *p)
{
    return (uintptr_t)p % 16 == 0;
}

Test(arena, gives_aligned_distinct_memory)
{
    struct arena a;
    arena_init(&a, 1u << 20);
    char *last = NULL;
    for (size_t n = 0; n < 2000; n += 7) {
        char *p = arena_alloc(&a, n);
        cr_assert(p != NULL && aligned(p));
        cr_assert_neq(p, last);
        memset(p, 0xAA, n);
        last = p;
    }
    char *zero = arena_calloc(&a, 100, 3);
    for (size_t i = 0; i < 300; i++)
        cr_assert_eq(zero[i], 0);
    cr_expect_null(arena_calloc(&a, SIZE_MAX / 2, 3), "overflow");
    cr_expect_null(arena_alloc(&a, SIZE_MAX));
    arena_free(&a);
    cr_expect_eq(a.used_bytes, 0);
    cr_expect_not_null(arena_alloc(&a, 1), "usable again");
    arena_free(&a);
}

Test(arena, the_cap_holds)
{
    struct arena a;
    arena_init(&a, 10000);
    size_t given = 0;
    while (arena_alloc(&a, 160) != NULL)
        given += 160;
    cr_expect_leq(a.used_bytes, 10000);
    cr_expect_leq(given, 10000);
    cr_expect_geq(given, 9000, "most of the cap can be used: %zu", given);
    cr_expect_null(arena_alloc(&a, 20000));
    arena_free(&a);
}

Test(arena, a_first_block_of_the_callers)
{
    char room[257];
    struct arena a;
    arena_init_with(&a, room + 1, 256, 4096);
    char *p = arena_alloc(&a, 200);
    cr_expect(p >= room && p + 200 <= room + sizeof room && aligned(p));
    cr_expect_eq(a.used_bytes, 0, "nothing was malloc'ed");
    char *q = arena_alloc(&a, 200);
    cr_assert_not_null(q);
    cr_expect_gt(a.used_bytes, 0);
    arena_free(&a);
    arena_init_with(&a, room, 3, 4096);
    cr_expect_not_null(arena_alloc(&a, 16), "a block too small to align is left aside");
    arena_free(&a);
}

Test(arena, texts)
{
    struct arena a;
    arena_init(&a, 8192);
    struct str s = arena_str(&a, STR("a\0b"));
    cr_expect(str_eq(s, STR("a\0b")));
    cr_expect_eq(s.p[3], '\0');
    cr_expect_str_eq(arena_cstr(&a, STR_NONE), "");
    cr_expect(str_eq(arena_printf(&a, "%d-%s", 5, "x"), STR("5-x")));
    cr_expect_null(arena_printf(&a, "%9000d", 1).p);
    cr_expect_null(arena_str(&a, str_of(s.p, SIZE_MAX)).p);
    arena_free(&a);
}

Test(arena, joins_pieces)
{
    struct arena arena;
    arena_init(&arena, 4096);
    const struct str pieces[] = {STR("ab"), STR_NONE, STR("c"), STR("")};
    struct str joined = arena_join(&arena, pieces, 4);
    cr_expect(str_eq(joined, STR("abc")));
    cr_expect_eq(joined.p[3], 0);
    const struct str huge[] = {{"x", SIZE_MAX - 1}, {"y", 2}};
    cr_expect_null(arena_join(&arena, huge, 2).p);
    arena_free(&arena);
}
