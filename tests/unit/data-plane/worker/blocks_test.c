/* blocks_test.c: sizes, reuse, and the bound on what is kept. */
#include <criterion/criterion.h>

#include "data-plane/worker/blocks.h"

Test(blocks, sizes_are_powers_of_two_from_the_smallest_to_the_largest)
{
    struct blocks blocks = {0};
    struct {
        size_t want, got;
    } rows[] = {{1, 512}, {512, 512}, {513, 1024}, {4096, 4096}, {65537, 131072}, {131072, 131072}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t got = 0;
        void *block = blocks_get(&blocks, rows[i].want, &got);
        cr_assert_not_null(block);
        cr_expect_eq(got, rows[i].got);
        memset(block, 1, got);
        blocks_put(&blocks, block, got);
    }
    size_t got = 0;
    cr_expect_null(blocks_get(&blocks, BLOCKS_MAX_BYTES + 1, &got));
    cr_expect_eq(blocks.used_bytes, 0);
    blocks_close(&blocks);
    cr_expect_eq(blocks.kept_bytes, 0);
}

Test(blocks, a_block_is_handed_out_again)
{
    struct blocks blocks = {0};
    size_t got = 0;
    void *first = blocks_get(&blocks, 2000, &got);
    blocks_put(&blocks, first, got);
    cr_expect_eq(blocks_get(&blocks, 1500, &got), first);
    void *second = blocks_get(&blocks, 1500, &got);
    cr_expect_neq(second, first);
    blocks_put(&blocks, second, got);
    blocks_put(&blocks, first, got);
    blocks_close(&blocks);
}

Test(blocks, a_burst_is_given_back)
{
    struct blocks blocks = {0};
    enum { BURST = 64 };
    void *all[BURST];
    size_t got = 0;
    for (size_t i = 0; i < BURST; i++)
        all[i] = blocks_get(&blocks, BLOCKS_MAX_BYTES, &got);
    cr_expect_eq(blocks.used_bytes, (size_t)BURST * BLOCKS_MAX_BYTES);
    for (size_t i = 0; i < BURST; i++)
        blocks_put(&blocks, all[i], got);
    cr_expect_leq(blocks.kept_bytes, BLOCKS_KEPT_BYTES);
    cr_expect_eq(blocks.used_bytes, 0);
    blocks_close(&blocks);
}
