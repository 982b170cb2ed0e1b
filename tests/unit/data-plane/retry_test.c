/* retry_test.c: what is tried again, how long it waits, and that a provider's budget holds. */
#include "data-plane/retry.h"

#include <criterion/criterion.h>

static const struct retry_policy five = {5, false, NULL}, five_by_header = {5, true, NULL};

static enum retry_verdict decide(struct retry *retry, const struct retry_policy *policy,
                                 struct retry_outcome outcome, int64_t *wait_ms)
{
    return retry_decide(retry, policy, &outcome, NULL, 1, 0, 0, wait_ms);
}

Test(retry, the_usual_statuses_are_tried_again)
{
    for (int status = 100; status < 600; status++) {
        struct retry retry = {0};
        int64_t wait;
        bool usual =
            status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
        enum retry_verdict verdict =
            decide(&retry, &five, (struct retry_outcome){.http_status = status}, &wait);
        cr_expect_eq(verdict, usual ? RETRY_AGAIN : RETRY_FINAL, "%d", status);
        cr_expect_eq(retry_count(&retry), usual ? 1 : 0);
    }
}

Test(retry, a_list_takes_the_place_of_the_usual_ones)
{
    struct route_codes codes = {{0}};
    codes.bits[(408 - 100) / 64] |= UINT64_C(1) << ((408 - 100) % 64);
    struct retry_policy policy = {2, false, &codes};
    static const struct {
        struct retry_outcome outcome;
        enum retry_verdict verdict;
    } rows[] = {
        {{.http_status = 408}, RETRY_AGAIN},
        {{.http_status = 429}, RETRY_FINAL},
        {{.http_status = 502}, RETRY_FINAL},
        {{.http_status = 502, .unreached = true}, RETRY_AGAIN},
        {{.http_status = 408, .refused = true}, RETRY_FINAL},
        {{.http_status = 429, .refused = true, .unreached = true}, RETRY_FINAL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct retry retry = {0};
        int64_t wait;
        cr_expect_eq(decide(&retry, &policy, rows[i].outcome, &wait), rows[i].verdict, "row %zu",
                     i);
    }
    struct route_codes none = {{0}};
    policy.codes = &none;
    struct retry retry = {0};
    int64_t wait;
    cr_expect_eq(decide(&retry, &policy, (struct retry_outcome){.http_status = 500}, &wait),
                 RETRY_FINAL, "an empty list lists nothing");
}

Test(retry, without_attempts_nothing_is_tried_again_and_the_count_is_0)
{
    struct retry_policy none = {0, false, NULL};
    struct retry retry = {0};
    int64_t wait;
    cr_expect_eq(decide(&retry, &none, (struct retry_outcome){.http_status = 500}, &wait),
                 RETRY_FINAL);
    cr_expect_eq(retry_count(&retry), 0);
}

Test(retry, waits_double_up_to_a_cap_and_half_of_each_is_drawn)
{
    static const int64_t full[] = {1000, 2000, 4000, 8000, 8000};
    for (uint64_t random = 0; random < 20000; random += 333) {
        struct retry retry = {0};
        struct retry_outcome outcome = {.http_status = 503};
        for (size_t i = 0; i < COUNT_OF(full); i++) {
            int64_t wait = -1;
            cr_assert_eq(retry_decide(&retry, &five, &outcome, NULL, 1, 0, random, &wait),
                         RETRY_AGAIN);
            cr_expect_eq(wait, full[i] / 2 + (int64_t)(random % (uint64_t)(full[i] / 2 + 1)));
            cr_expect(wait >= full[i] / 2 && wait <= full[i]);
        }
        int64_t wait = -1;
        cr_assert_eq(retry_decide(&retry, &five, &outcome, NULL, 1, 0, random, &wait), RETRY_SPENT);
        cr_expect_eq(retry_count(&retry), -1);
    }
}

Test(retry, bug_2_4_attempts_have_an_upper_bound)
{
    struct retry_policy many = {200, false, NULL};
    struct retry retry = {0};
    int64_t wait;
    int tries = 0;
    while (decide(&retry, &many, (struct retry_outcome){.http_status = 500}, &wait) == RETRY_AGAIN)
        tries++;
    cr_expect_eq(tries, ROUTE_RETRIES_MAX);
}

/* The peer's package crashes on the first 429 that has the header. */
Test(retry, bug_2_4_the_providers_word_is_kept_exactly)
{
    struct retry retry = {0};
    int64_t wait = -1;
    struct retry_outcome outcome = {.http_status = 429, .has_wait = true, .wait_ms = 20000};
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(decide(&retry, &five_by_header, outcome, &wait), RETRY_AGAIN);
        cr_expect_eq(wait, 20000);
    }
    outcome.wait_ms = 1;
    cr_expect_eq(decide(&retry, &five_by_header, outcome, &wait), RETRY_SPENT, "60 s are used up");
    cr_expect_eq(retry_count(&retry), -1);
}

Test(retry, a_wait_that_is_too_long_ends_it)
{
    static const struct {
        int64_t waited_ms, wait_ms;
        enum retry_verdict verdict;
    } rows[] = {{0, 59999, RETRY_AGAIN}, {0, 60000, RETRY_SPENT}, {0, INT64_MAX, RETRY_SPENT},
                {1, 59999, RETRY_AGAIN}, {2, 59999, RETRY_SPENT}, {60000, 0, RETRY_AGAIN}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct retry retry = {.header_ms = rows[i].waited_ms};
        int64_t wait;
        struct retry_outcome outcome = {
            .http_status = 503, .has_wait = true, .wait_ms = rows[i].wait_ms};
        cr_expect_eq(decide(&retry, &five_by_header, outcome, &wait), rows[i].verdict, "row %zu",
                     i);
        cr_expect_eq(retry_count(&retry), rows[i].verdict == RETRY_AGAIN ? 1 : -1);
    }
}

Test(retry, the_header_counts_only_if_the_config_says_so)
{
    struct retry retry = {0};
    int64_t wait = -1;
    struct retry_outcome outcome = {.http_status = 429, .has_wait = true, .wait_ms = 7};
    cr_expect_eq(decide(&retry, &five, outcome, &wait), RETRY_AGAIN);
    cr_expect_eq(wait, 500, "the drawn part is 0 here");
    retry = (struct retry){0};
    outcome.has_wait = false;
    cr_expect_eq(decide(&retry, &five_by_header, outcome, &wait), RETRY_AGAIN);
    cr_expect_eq(wait, 500, "no word, so the usual wait");
}

/* --- budgets --- */

static uint64_t storm(struct retry_budgets *budgets, uint64_t key, int64_t from_ms, int64_t step_us,
                      size_t requests)
{
    uint64_t retries = 0;
    for (size_t i = 0; i < requests; i++) {
        struct retry retry = {0};
        struct retry_outcome outcome = {.http_status = 500};
        int64_t now_ms = from_ms + (int64_t)i * step_us / 1000, wait;
        retry_budgets_earn(budgets, key, now_ms);
        while (retry_decide(&retry, &five, &outcome, budgets, key, now_ms, 0, &wait) == RETRY_AGAIN)
            retries++;
    }
    return retries;
}

Test(retry, a_failing_provider_gets_a_fifth_more_load_not_six_times_as_much)
{
    struct retry_budgets *budgets;
    cr_assert_eq(retry_budgets_new(&budgets), ST_OK);
    uint64_t retries = storm(budgets, 7, 1000, 2000, 10000); /* 500 a second, 20 seconds */
    cr_expect_leq(retries, 10000 / 5 + RETRY_RESERVE + 20);
    cr_expect_geq(retries, 10000 / 5);
    retry_budgets_free(budgets);
}

Test(retry, a_quiet_provider_keeps_its_retries)
{
    struct retry_budgets *budgets;
    cr_assert_eq(retry_budgets_new(&budgets), ST_OK);
    cr_expect_eq(storm(budgets, 7, 1000, 10000000, 100), 500, "one request in ten seconds");
    retry_budgets_free(budgets);
}

Test(retry, providers_have_budgets_of_their_own)
{
    struct retry_budgets *budgets;
    cr_assert_eq(retry_budgets_new(&budgets), ST_OK);
    cr_expect_eq(storm(budgets, 7, 1000, 0, 50), RETRY_RESERVE + 9,
                 "50 / 5, of which the first earns nothing: it is full");
    cr_expect_eq(storm(budgets, 8, 1000, 0, 1), 5);
    retry_budgets_free(budgets);
}

Test(retry, what_is_spent_comes_back_with_time)
{
    struct retry_budgets *budgets;
    cr_assert_eq(retry_budgets_new(&budgets), ST_OK);
    (void)storm(budgets, 7, 1000, 0, 100);
    cr_expect_leq(storm(budgets, 7, 1001, 0, 1), 1);
    cr_expect_eq(storm(budgets, 7, 60000, 0, 1), 5);
    cr_expect_leq(storm(budgets, 7, 0, 0, 100), 26, "a clock that steps back gives nothing");
    retry_budgets_free(budgets);
}

Test(retry, the_table_is_bounded_and_keeps_the_busy)
{
    struct retry_budgets *budgets;
    cr_assert_eq(retry_budgets_new(&budgets), ST_OK);
    for (uint64_t key = 1; key < 100000; key++) {
        retry_budgets_earn(budgets, key, (int64_t)key);
        if (key % 100 == 0)
            (void)storm(budgets, 77, (int64_t)key, 0, 20);
    }
    cr_expect_leq(storm(budgets, 77, 100000, 0, 1), 1, "77 was never pushed out");
    retry_budgets_free(budgets);
}
