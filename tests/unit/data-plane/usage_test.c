/* Totals as reported become disjoint counts and words, and nothing is counted twice. */
#include <criterion/criterion.h>

#include "data-plane/usage.h"

Test(usage, split_is_disjoint_and_sums_up)
{
    const struct slot_usage usage = {.input_tokens = 1000,
                                     .cached_tokens = 300,
                                     .cache_write_tokens = 200,
                                     .cache_write_1h_tokens = 50,
                                     .audio_input_tokens = 100,
                                     .audio_cached_tokens = 40,
                                     .image_input_tokens = 60,
                                     .output_tokens = 500,
                                     .reasoning_tokens = 120,
                                     .audio_output_tokens = 80,
                                     .image_output_tokens = 30,
                                     .images = 2,
                                     .searches = 3};
    struct price_usage n;
    usage_split(&n, &usage);
    cr_assert_eq(n.n[PRICE_CACHE_READ_TOKEN], 260);
    cr_assert_eq(n.n[PRICE_AUDIO_CACHE_TOKEN], 40);
    cr_assert_eq(n.n[PRICE_CACHE_WRITE_TOKEN], 150);
    cr_assert_eq(n.n[PRICE_CACHE_WRITE_1H_TOKEN], 50);
    cr_assert_eq(n.n[PRICE_AUDIO_INPUT_TOKEN], 60);
    cr_assert_eq(n.n[PRICE_OUTPUT_TOKEN], 270);
    cr_assert_eq(n.n[PRICE_WEB_SEARCH], 3);
    cr_assert_eq(usage_input_tokens(&n), 1000);
    cr_assert_eq(usage_output_tokens(&n), 500);
}

Test(usage, words_round_trip)
{
    struct price_usage n = {{0}}, back;
    uint64_t words[4];
    n.n[PRICE_INPUT_TOKEN] = PRICE_COUNT_MAX + 5;
    n.n[PRICE_IMAGE] = 7;
    cr_assert_eq(usage_pack(words, 4, &n), 2);
    usage_unpack(&back, words, 2);
    cr_assert_eq(back.n[PRICE_INPUT_TOKEN], PRICE_COUNT_MAX, "cut to what can be billed");
    cr_assert_eq(back.n[PRICE_IMAGE], 7);
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++)
        n.n[i] = i + 1;
    cr_assert_eq(usage_pack(words, 4, &n), 4, "bounded");
    const uint64_t odd[] = {UINT64_MAX, USAGE_COUNT(PRICE_CLASS_COUNT, 3)};
    usage_unpack(&back, odd, 2);
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++)
        cr_assert_eq(back.n[i], 0, "unknown classes are left out");
}
