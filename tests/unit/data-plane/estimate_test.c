/* Estimates follow what requests used, lean high, and never pass what was asked for. */
#include <criterion/criterion.h>

#include "data-plane/estimate.h"

static struct estimates *estimates;
static const struct id key = {{1}}, other = {{2}};

static void setup(void)
{
    cr_assert_eq(estimates_open(&estimates), ST_OK);
}

static void teardown(void)
{
    estimates_close(estimates);
}

TestSuite(estimate, .init = setup, .fini = teardown);

static struct slot_usage apply(const struct id *who, const char *model, uint64_t bytes,
                               uint64_t max_tokens)
{
    struct slot_usage likely = {.input_tokens = 10, .output_tokens = 512};
    estimates_apply(estimates, who, str_c(model), bytes, max_tokens, &likely);
    return likely;
}

Test(estimate, is_learned_per_key_and_model)
{
    cr_assert_eq(apply(&key, "a", 4096, 0).output_tokens, 512, "nothing was learned yet");
    for (int i = 0; i < 50; i++)
        estimates_learn(estimates, &key, STR("a"), 4096, 1000, 100);
    struct slot_usage now = apply(&key, "a", 8192, 0);
    cr_assert(now.output_tokens >= 100 && now.output_tokens <= 105, "%lu",
              (unsigned long)now.output_tokens);
    cr_assert(now.input_tokens >= 2000 && now.input_tokens <= 2100, "by the bytes of the body");
    cr_assert_eq(apply(&other, "a", 4096, 0).output_tokens, 512);
    cr_assert_eq(apply(&key, "b", 4096, 0).output_tokens, 512);
    cr_assert_eq(apply(&key, "a", 4096, 30).output_tokens, 30, "no more than was asked for");
}

Test(estimate, leans_high_where_answers_differ)
{
    uint64_t sum = 0;
    for (int i = 0; i < 400; i++) {
        uint64_t used = i % 2 == 0 ? 50 : 350;
        estimates_learn(estimates, &key, STR("a"), 100, 20, used);
        sum += used;
    }
    uint64_t now = apply(&key, "a", 100, 0).output_tokens;
    cr_assert(now > sum / 400 + 50 && now <= 500, "%lu", (unsigned long)now);
}

Test(estimate, forgets_and_survives_nonsense)
{
    estimates_learn(estimates, &key, STR("a"), 1, UINT64_MAX, UINT64_MAX);
    struct slot_usage now = apply(&key, "a", UINT64_MAX, 0);
    cr_assert(now.output_tokens <= PRICE_COUNT_MAX && now.input_tokens <= PRICE_COUNT_MAX);
    for (int i = 0; i < 300; i++)
        estimates_learn(estimates, &key, STR("a"), 100, 25, 8);
    cr_assert_leq(apply(&key, "a", 100, 0).output_tokens, 12);
}
