/* metrics_test.c: sums over arrays, histograms, and text that a Prometheus server reads. */
#include "common/metrics.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

static uint64_t *slots[2];
static struct metrics first, second;
static struct buf out;

static void setup(void)
{
    size_t n = metrics_slots_needed();
    for (size_t i = 0; i < 2; i++)
        slots[i] = calloc(n, sizeof **slots);
    metrics_bind(&first, slots[0], n);
    metrics_bind(&second, slots[1], n);
    buf_init(&out, 1u << 20);
}

static void teardown(void)
{
    free(slots[0]);
    free(slots[1]);
    buf_free(&out);
}

TestSuite(metrics, .init = setup, .fini = teardown);

static void render(size_t count)
{
    buf_clear(&out);
    metrics_render(&out, slots, count);
    cr_assert_eq(buf_status(&out), ST_OK);
}

static bool has_line(const char *line)
{
    struct str rest = buf_str(&out), piece;
    while (str_split(&rest, '\n', &piece))
        if (str_eq(piece, str_c(line)))
            return true;
    return false;
}

Test(metrics, arrays_are_summed)
{
    metrics_add(&first, M_REQUESTS_OK, 2);
    metrics_add(&second, M_REQUESTS_OK, 3);
    metrics_add(&second, M_REQUESTS_REFUSED, 1);
    metrics_set(&first, M_CONNECTIONS_OPEN, 7);
    metrics_set(&first, M_CONNECTIONS_OPEN, 5);
    metrics_set(&second, M_CONNECTIONS_OPEN, 1);
    metrics_set(&first, M_LOOP_LONGEST_US, 40);
    metrics_set(&second, M_LOOP_LONGEST_US, 90);
    render(2);
    cr_expect(has_line("sluice_requests_total{result=\"ok\"} 5"), "%s", out.p);
    cr_expect(has_line("sluice_requests_total{result=\"refused\"} 1"));
    cr_expect(has_line("sluice_connections_open 6"));
    cr_expect(has_line("sluice_loop_longest_turn_us 90"), "the largest, not the sum");
    cr_expect(has_line("sluice_attempts_total 0"));
    render(1);
    cr_expect(has_line("sluice_requests_total{result=\"ok\"} 2"));
    free(slots[1]);
    slots[1] = NULL;
    render(2);
    cr_expect(has_line("sluice_requests_total{result=\"ok\"} 2"), "a missing array counts nothing");
}

Test(metrics, histograms_are_cumulative)
{
    static const uint64_t values[] = {0, 100, 101, 1500000, UINT32_MAX, 999999999};
    for (size_t i = 0; i < COUNT_OF(values); i++)
        metrics_observe_us(i % 2 == 0 ? &first : &second, M_REQUEST_US, values[i]);
    render(2);
    cr_expect(has_line("sluice_request_seconds_bucket{le=\"0.0001\"} 2"), "%s", out.p);
    cr_expect(has_line("sluice_request_seconds_bucket{le=\"0.00025\"} 3"));
    cr_expect(has_line("sluice_request_seconds_bucket{le=\"1\"} 3"));
    cr_expect(has_line("sluice_request_seconds_bucket{le=\"2.5\"} 4"));
    cr_expect(has_line("sluice_request_seconds_bucket{le=\"300\"} 4"));
    cr_expect(has_line("sluice_request_seconds_bucket{le=\"+Inf\"} 6"));
    cr_expect(has_line("sluice_request_seconds_count 6"));
    cr_expect(has_line("sluice_request_seconds_sum 5296.467495"));
    cr_expect(has_line("sluice_upstream_first_byte_seconds_count 0"),
              "rows do not touch each other");
}

Test(metrics, every_family_is_announced_once_before_its_samples)
{
    render(2);
    struct str rest = buf_str(&out), line, family = STR_NONE;
    size_t families = 0;
    cr_assert(str_ends(rest, STR("\n")));
    rest.n--;
    while (str_split(&rest, '\n', &line)) {
        if (str_starts(line, STR("# HELP "))) {
            struct str name = str_from(line, 7);
            ptrdiff_t space = str_find_char(name, ' ');
            cr_assert(space > 0 && (size_t)space + 1 < name.n, "a family needs a help text: %.*s",
                      (int)line.n, line.p);
            family = str_head(name, (size_t)space);
            ptrdiff_t again = str_find(rest, line);
            cr_expect_lt(again, 0, "announced twice: %.*s", (int)line.n, line.p);
            families++;
        } else if (str_starts(line, STR("# TYPE "))) {
            cr_expect(str_starts(str_from(line, 7), family));
        } else {
            cr_expect(str_starts(line, STR("sluice_")) && str_starts(line, family), "%.*s",
                      (int)line.n, line.p);
        }
    }
    cr_expect_gt(families, 5);
}

Test(metrics, too_small_an_array_is_a_bug, .signal = SIGABRT)
{
    metrics_bind(&first, slots[0], metrics_slots_needed() - 1);
}

Test(metrics, a_histogram_is_not_added_to, .signal = SIGABRT)
{
    metrics_add(&first, M_REQUEST_US, 1);
}
