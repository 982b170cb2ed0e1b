/* throttle_test.c: how many tries there are, and when the next one is. Time is an argument, so nothing here waits. */
#include "control-plane/auth/throttle.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct throttle *throttle;

static void begin(void)
{
    throttle = throttle_new();
    cr_assert_not_null(throttle);
}

static void end(void)
{
    throttle_free(throttle);
}

TestSuite(throttle, .init = begin, .fini = end);

static enum status try_at(const char *address, const char *account, int64_t now_ms, int64_t *wait_ms)
{
    return throttle_take(throttle, str_c(address), str_c(account), now_ms, wait_ms);
}

/* How many tries in a row pass at one moment, each from its own address or for its own account. */
static unsigned burst(const char *address, const char *account, int64_t now_ms)
{
    char text[32];
    int64_t wait_ms;
    for (unsigned n = 0; n < 1000; n++) {
        snprintf(text, sizeof text, "10.%u.%u.1", n / 250, n % 250);
        if (try_at(address == NULL ? text : address, account == NULL ? text : account, now_ms, &wait_ms) != ST_OK)
            return n;
    }
    return 1000;
}

Test(throttle, an_account_from_many_addresses)
{
    int64_t wait_ms;
    cr_expect_eq(burst(NULL, "a@example.com", 1000), THROTTLE_ACCOUNT_TOKENS);
    cr_expect_eq(try_at("192.0.2.1", "a@example.com", 1000, &wait_ms), ST_RATE_LIMITED);
    cr_expect_eq(wait_ms, THROTTLE_ACCOUNT_EACH_MS);
    cr_expect_eq(try_at("192.0.2.1", "a@example.com", 1000 + wait_ms - 1, &wait_ms), ST_RATE_LIMITED);
    cr_expect_eq(wait_ms, 1);
    cr_expect_eq(try_at("192.0.2.1", "a@example.com", 1000 + THROTTLE_ACCOUNT_EACH_MS, &wait_ms), ST_OK);
    cr_expect_eq(try_at("192.0.2.1", "a@example.com", 1000 + THROTTLE_ACCOUNT_EACH_MS, &wait_ms), ST_RATE_LIMITED);
    cr_expect_eq(try_at("192.0.2.1", "b@example.com", 1000, &wait_ms), ST_OK);
}

Test(throttle, an_address_for_many_accounts)
{
    int64_t wait_ms;
    cr_expect_eq(burst("192.0.2.7", NULL, 5), THROTTLE_ADDRESS_TOKENS);
    cr_expect_eq(try_at("192.0.2.7", "new@example.com", 5, &wait_ms), ST_RATE_LIMITED);
    cr_expect_eq(wait_ms, THROTTLE_ADDRESS_EACH_MS);
    cr_expect_eq(try_at("192.0.2.8", "new@example.com", 5, &wait_ms), ST_OK);
}

/* A refused try costs nothing, or who is patient would never get in. */
Test(throttle, a_refusal_costs_nothing)
{
    int64_t wait_ms;
    (void)burst(NULL, "a@example.com", 0);
    for (int64_t t = 0; t < THROTTLE_ACCOUNT_EACH_MS; t += 100)
        cr_expect_eq(try_at("192.0.2.1", "a@example.com", t, &wait_ms), ST_RATE_LIMITED);
    cr_expect_eq(try_at("192.0.2.1", "a@example.com", THROTTLE_ACCOUNT_EACH_MS, &wait_ms), ST_OK);
}

Test(throttle, the_right_password_gives_its_token_back)
{
    int64_t wait_ms;
    for (int i = 0; i < 100; i++) {
        cr_expect_eq(try_at("192.0.2.1", "a@example.com", i * (int64_t)THROTTLE_ADDRESS_EACH_MS, &wait_ms), ST_OK);
        throttle_forgive(throttle, STR("a@example.com"), i * (int64_t)THROTTLE_ADDRESS_EACH_MS);
    }
    cr_expect_eq(burst(NULL, "a@example.com", 5000000), THROTTLE_ACCOUNT_TOKENS);
}

Test(throttle, ipv6_counts_by_64)
{
    int64_t wait_ms;
    char text[64];
    for (unsigned n = 0; n < THROTTLE_ADDRESS_TOKENS; n++) {
        snprintf(text, sizeof text, "2001:db8::%x:1", n);
        cr_expect_eq(try_at(text, text, 0, &wait_ms), ST_OK);
    }
    cr_expect_eq(try_at("2001:db8::ffff:ffff:ffff:ffff", "x", 0, &wait_ms), ST_RATE_LIMITED);
    cr_expect_eq(try_at("2001:db8:0:1::1", "x", 0, &wait_ms), ST_OK);
}

/* Far more names than rows: a name that has run dry stays so while others, full or hardly used, make room. */
Test(throttle, a_flood_does_not_wash_it_away)
{
    int64_t wait_ms;
    char address[32], account[32];
    unsigned kept = 0;
    (void)burst(NULL, "victim@example.com", 0);
    for (unsigned n = 0; n < 20000; n++) {
        snprintf(address, sizeof address, "10.%u.%u.%u", 100 + n / 62500, n / 250 % 250, n % 250);
        snprintf(account, sizeof account, "u%u@example.com", n);
        (void)try_at(address, account, 0, &wait_ms);
        kept += try_at("203.0.113.9", "victim@example.com", 0, &wait_ms) == ST_RATE_LIMITED;
    }
    cr_expect_eq(kept, 20000);
}
