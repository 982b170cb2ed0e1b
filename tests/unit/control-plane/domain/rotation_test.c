/* rotation_test.c: dates of policies from a fixed now (Wednesday 2026-11-18 15:04:05 UTC). */
#include "control-plane/domain/rotation.h"

#include <criterion/criterion.h>

#include "common/clock.h"

static const struct {
    const char *policy, *next; /* next NULL: refused */
} cases[] = {
    {"{\"rotation_period\":\"weekly\"}", "2026-11-23T00:00:00.000Z"},
    {"{\"rotation_period\":\"monthly\"}", "2026-12-01T00:00:00.000Z"},
    {"{\"rotation_period_days\":1}", "2026-11-19T00:00:00.000Z"},
    {"{\"rotation_period_days\":365}", "2027-11-18T00:00:00.000Z"},
    {"{\"next_rotation_at\":\"2026-12-24T18:30:00+01:00\"}", "2026-12-24T00:00:00.000Z"},
    {"{\"rotation_period\":\"weekly\",\"next_rotation_at\":\"2026-12-24T18:30:00Z\"}", "2026-12-24T00:00:00.000Z"},
    {"{\"rotation_period\":\"weekly\",\"key_transition_period_ms\":1800000}", "2026-11-23T00:00:00.000Z"},
    {"{\"rotation_period\":\"weekly\",\"key_transition_period_ms\":1799999}", NULL},
    {"{\"rotation_period\":\"weekly\",\"rotation_period_days\":3}", NULL},
    {"{\"rotation_period\":\"daily\"}", NULL},
    {"{\"rotation_period_days\":0}", NULL},
    {"{\"rotation_period_days\":366}", NULL},
    {"{\"next_rotation_at\":\"soon\"}", NULL},
    {"{}", NULL},
    {"[]", NULL},
};

Test(rotation, dates)
{
    struct arena arena;
    int64_t now_ms;
    arena_init(&arena, 1u << 20);
    cr_assert_eq(clock_from_text(STR("2026-11-18T15:04:05Z"), &now_ms), ST_OK);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct json *policy, *completed;
        char *text = NULL;
        const char *why = NULL;
        struct str next;
        cr_assert_eq(json_parse(&arena, str_c(cases[i].policy), NULL, &policy, NULL), ST_OK);
        enum status status = rotation_complete(&arena, policy, now_ms, &text, &why);
        cr_expect_eq(status, cases[i].next == NULL ? ST_INVALID : ST_OK, "%s", cases[i].policy);
        if (status != ST_OK)
            continue;
        cr_assert_eq(json_parse(&arena, str_c(text), NULL, &completed, NULL), ST_OK);
        cr_assert_eq(json_text(json_get(completed, "next_rotation_at"), &arena, &next), ST_OK);
        cr_expect(str_eq(next, str_c(cases[i].next)), "%s: " STR_FMT, cases[i].policy, STR_ARG(next));
    }
    arena_free(&arena);
}

Test(rotation, transition)
{
    struct arena arena;
    arena_init(&arena, 1u << 20);
    cr_expect_eq(rotation_transition_ms(&arena, STR("")), ROTATION_TRANSITION_MIN_MS);
    cr_expect_eq(rotation_transition_ms(&arena, STR("{\"key_transition_period_ms\":7200000}")), 7200000);
    cr_expect_eq(rotation_transition_ms(&arena, STR("{\"key_transition_period_ms\":5}")), ROTATION_TRANSITION_MIN_MS);
    arena_free(&arena);
}
