/* limit_test.c: definitions from the wire, counters' names, ends of periods. */
#include "common/limit.h"

#include <criterion/criterion.h>

#include "common/clock.h"
#include "common/money.h"

static struct limit_def defs[LIMIT_DEFS_MAX];
static size_t count;

static enum status usage(const char *json)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    count = 0;
    enum status status = limit_parse_usage(&arena, str_c(json), false, defs, &count);
    arena_free(&arena);
    return status;
}

static enum status rates(const char *json)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    count = 0;
    enum status status = limit_parse_rates(&arena, str_c(json), defs, &count);
    arena_free(&arena);
    return status;
}

static int64_t at(const char *text)
{
    int64_t ms;
    cr_assert_eq(clock_from_text(str_c(text), &ms), ST_OK, "%s", text);
    return ms;
}

Test(limit, an_object_without_a_type_is_a_cost_budget)
{
    cr_assert_eq(usage("{\"credit_limit\":10.5}"), ST_OK);
    cr_assert_eq(count, 1);
    cr_assert_eq(defs[0].measure, LIMIT_COST);
    cr_assert_eq(defs[0].window, LIMIT_BUDGET);
    cr_assert_eq(defs[0].value, INT64_C(10500000000));
    cr_assert_eq(defs[0].ceiling_picousd, -1);
}

Test(limit, figures_are_exact_and_never_guessed)
{
    cr_assert_eq(usage("[{\"credit_limit\":0.000000001},{\"type\":\"tokens\",\"credit_limit\":1e6,"
                       "\"alert_threshold\":5}]"),
                 ST_OK);
    cr_assert_eq(defs[0].value, 1);
    cr_assert_eq(defs[1].value, 1000000);
    cr_assert_eq(defs[1].alert, 5);
    const char *bad[] = {
        "{\"credit_limit\":\"10\"}",
        "{\"credit_limit\":-1}",
        "{\"credit_limit\":1e30}",
        "{\"credit_limit\":1,\"mode\":\"strong\"}",
        "[1]",
        "7",
        "{\"credit_limit\":1,\"periodic_reset\":\"monthly\",\"periodic_reset_days\":3}"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        cr_assert_neq(usage(bad[i]), ST_OK, "%s", bad[i]);
}

Test(limit, what_limits_nothing_is_no_definition)
{
    cr_assert_eq(usage(""), ST_OK);
    cr_assert_eq(count, 0);
    cr_assert_eq(usage("{\"alert_threshold\":5}"), ST_OK);
    cr_assert_eq(count, 0);
    cr_assert_eq(usage("{}"), ST_OK);
    cr_assert_eq(count, 0);
}

Test(limit, rates_and_concurrency)
{
    cr_assert_eq(rates("[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":60,\"burst\":5},"
                       "{\"type\":\"concurrency\",\"value\":3},{\"type\":\"requests\",\"unit\":"
                       "\"rpm\",\"value\":7}]"),
                 ST_OK);
    cr_assert_eq(count, 3);
    cr_assert_eq(defs[0].window, LIMIT_MINUTE);
    cr_assert_eq(defs[0].burst, 5);
    cr_assert_eq(defs[1].window, LIMIT_NOW);
    cr_assert_eq(defs[2].nth, 1);
    cr_assert_neq(rates("[{\"type\":\"requests\",\"value\":60}]"), ST_OK);
    cr_assert_neq(rates("[{\"type\":\"requests\",\"unit\":\"rpm\"}]"), ST_OK);
}

Test(limit, a_counter_is_named_by_what_is_counted)
{
    struct limit_ref a = {.level = LIMIT_KEY, .measure = LIMIT_COST, .window = LIMIT_BUDGET}, b = a;
    struct id x, y;
    limit_counter_id(&a, &x);
    limit_counter_id(&b, &y);
    cr_assert(id_eq(&x, &y));
    b.nth = 1;
    limit_counter_id(&b, &y);
    cr_assert_not(id_eq(&x, &y));
    b = a;
    b.value_key = STR("metadata._user:alice");
    limit_counter_id(&b, &y);
    cr_assert_not(id_eq(&x, &y));
}

static int64_t end_of(struct limit_def def, const char *start, const char *now)
{
    return limit_period_end(&def, at(start), at(now), NULL, NULL);
}

Test(limit, periods_end_on_the_anchors_of_the_reference)
{
    struct limit_def monthly = {.reset = LIMIT_RESET_MONTHLY},
                     weekly = {.reset = LIMIT_RESET_WEEKLY},
                     monday = {.reset = LIMIT_RESET_WEEKLY, .monday = 1},
                     ten = {.reset = LIMIT_RESET_DAYS, .reset_days = 10},
                     never = {.reset = LIMIT_RESET_NONE};
    cr_assert_eq(end_of(monthly, "2026-01-15", "2026-01-31T23:59:59Z"), at("2026-02-01"));
    cr_assert_eq(end_of(monthly, "2026-01-15", "2026-12-01T00:00:00Z"), at("2027-01-01"));
    cr_assert_eq(end_of(weekly, "2026-11-01", "2026-11-28T12:00:00Z"),
                 at("2026-11-29")); /* a Sunday */
    cr_assert_eq(end_of(weekly, "2026-11-01", "2026-11-29T00:00:00Z"), at("2026-12-06"));
    cr_assert_eq(end_of(monday, "2026-11-01", "2026-11-29T00:00:00Z"), at("2026-11-30"));
    cr_assert_eq(end_of(ten, "2026-11-01T15:00:00Z", "2026-11-01T16:00:00Z"), at("2026-11-11"));
    cr_assert_eq(end_of(ten, "2026-11-01T15:00:00Z", "2026-11-28T00:00:00Z"), at("2026-12-01"));
    cr_assert_eq(end_of(never, "2026-11-01", "2026-11-28"), INT64_MAX);
}

Test(limit, an_explicit_next_reset_overrides_one_period)
{
    struct limit_def def = {.reset = LIMIT_RESET_MONTHLY, .next_reset_ms = at("2026-11-20")};
    cr_assert_eq(end_of(def, "2026-11-01", "2026-11-10"), at("2026-11-20"));
    cr_assert_eq(end_of(def, "2026-11-20", "2026-11-21"), at("2026-12-01"));
}

/* A zone like Beirut's: clocks jump from 00:00 to 01:00 on 2026-03-29, from midnight back to 23:00
 * before 2026-10-25. */
static int64_t jumping(const void *zone, int64_t utc_ms)
{
    (void)zone;
    return utc_ms >= at("2026-03-28T22:00:00Z") && utc_ms < at("2026-10-24T21:00:00Z")
               ? 3 * 3600000
               : 2 * 3600000;
}

Test(limit, a_skipped_midnight_begins_behind_the_gap)
{
    struct limit_def daily = {.reset = LIMIT_RESET_DAYS, .reset_days = 1};
    cr_assert_eq(
        limit_period_end(&daily, at("2026-03-01"), at("2026-03-28T12:00:00Z"), jumping, NULL),
        at("2026-03-28T22:00:00Z"));
    cr_assert_eq(
        limit_period_end(&daily, at("2026-03-01"), at("2026-03-28T22:30:00Z"), jumping, NULL),
        at("2026-03-29T21:00:00Z"));
    cr_assert_eq(
        limit_period_end(&daily, at("2026-03-01"), at("2026-10-24T12:00:00Z"), jumping, NULL),
        at("2026-10-24T22:00:00Z"));
}
