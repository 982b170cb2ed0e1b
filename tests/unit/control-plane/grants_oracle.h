/* grants_oracle.h: budgets, held by nodes, in the plainest way: the oracle of
 * grants_property_test.c.
 *
 * It knows nothing of how books are kept: it has the events, what each life of each node was lent
 * and gave back, and dates from the C library's time zones. */
#ifndef SLUICE_TEST_GRANTS_ORACLE_H
#define SLUICE_TEST_GRANTS_ORACLE_H

#include <time.h>

#include "tests/unit/control-plane/grants_fixture.h"

enum { COUNTERS = 6, NODES = 5, OLD = 16 };

static uint64_t rng = 2463534242u;

static int64_t dice(int64_t n)
{
    rng ^= rng << 13, rng ^= rng >> 7, rng ^= rng << 17;
    return (int64_t)((rng * 0x2545F4914F6CDD1Du >> 20) % (uint64_t)n);
}

/* --- dates, by the C library --- */

static const char *const zones[] = {"UTC",          "Europe/Berlin",    "America/New_York",
                                    "Asia/Beirut",  "America/Santiago", "Asia/Kathmandu",
                                    "Pacific/Apia", "Africa/Cairo"};

static int64_t day_of_second(int64_t s)
{
    time_t t = (time_t)s;
    struct tm tm;
    localtime_r(&t, &tm);
    return clock_days_from_civil(tm.tm_year + 1900, (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday);
}

/* The first second that shows this date or a later one. */
static int64_t day_starts_ms(int64_t day)
{
    int64_t low = (day - 2) * 86400, high = (day + 2) * 86400;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        *(day_of_second(middle) >= day ? &high : &low) = middle;
    }
    return high * 1000;
}

enum period_rule { NONE, WEEKLY, MONTHLY, DAYS };

struct period {
    enum period_rule rule;
    int days;
    int64_t made_ms;
};
static int zone;

static bool is_first(const struct period *p, int64_t day, int64_t made)
{
    int64_t year;
    unsigned month, of_month;
    clock_civil_from_days(day, &year, &month, &of_month);
    switch (p->rule) {
    case WEEKLY:
        return ((day + 4) % 7 + 7) % 7 == 0; /* 1970-01-01 was a Thursday */
    case MONTHLY:
        return of_month == 1;
    default:
        return ((day - made) % p->days + p->days) % p->days == 0;
    }
}

static int64_t period_end(const struct period *p, int64_t ms)
{
    if (p->rule == NONE)
        return INT64_MAX;
    setenv("TZ", zones[zone], 1);
    tzset();
    int64_t day = day_of_second(ms / 1000) + 1, made = day_of_second(p->made_ms / 1000);
    while (!is_first(p, day, made))
        day++;
    return day_starts_ms(day);
}

/* --- the oracle --- */

/* What the present life of a node, or an earlier one, has of one epoch. */
struct share {
    int64_t granted, returned, told; /* as the control plane knows; told: settled by its events */
    int64_t heard, back, spent;      /* as the node knows */
    bool lost, closed;               /* written off; ended in order */
};
#define OPEN UINT64_MAX /* begun, its number not learned yet */
struct span {
    uint64_t number; /* 0: nobody opened it */
    int64_t start_ms, end_ms, settled, cap;
    int64_t buried[NODES]; /* lost of lives that are long over */
    bool wild; /* strict does not bind: an operator freed what may have been spent after all, or the
                  mode was changed */
    struct share shares[NODES][2]; /* the present life, the one before */
};
struct budget {
    struct limit_ref ref;
    struct period period;
    int64_t limit;
    bool strict;
    struct span now, old[OLD];
    int old_count;
};

struct event {
    uint64_t number;
    int64_t amount;
    int counter;
};
struct life {
    uint64_t boot;
    struct event *events;
    uint64_t count, room, acked;
    int64_t heard_ms, seen_ms; /* its newest request; the newest upkeep that saw it */
    bool ending, written_off;
};
static struct budget budgets[COUNTERS];
static struct {
    struct gf_node node;
    struct life lives[2];
    int64_t cut_until_ms;
} fleet[NODES];
static int64_t plane_started_ms;
static char key_hashes[COUNTERS][40];

static int64_t rest(const struct share *s)
{
    int64_t left = s->granted - s->returned - s->told;
    return left > 0 && !s->closed ? left : 0;
}

static void sums(const struct span *p, int64_t *outstanding, int64_t *lost)
{
    *outstanding = *lost = 0;
    for (int n = 0; n < NODES; n++) {
        *lost += p->buried[n];
        for (int l = 0; l < 2; l++)
            *(p->shares[n][l].lost ? lost : outstanding) += rest(&p->shares[n][l]);
    }
}

static int64_t taken(const struct span *p)
{
    int64_t outstanding, lost;
    sums(p, &outstanding, &lost);
    return p->settled + outstanding + lost;
}

static void cap_falls(const struct budget *b, struct span *p)
{
    int64_t sum = taken(p);
    if (p != &b->now || p->cap <= b->limit)
        return;
    if (sum < p->cap)
        p->cap = sum > b->limit ? sum : b->limit;
}

static void begin_span(struct budget *b, int64_t start_ms, int64_t end_ms)
{
    if (b->now.number != 0) {
        if (b->old_count == OLD)
            memmove(b->old, b->old + 1, (size_t)--b->old_count * sizeof b->old[0]);
        b->old[b->old_count++] = b->now;
    }
    b->now = (struct span){.number = OPEN, .start_ms = start_ms, .end_ms = end_ms, .cap = b->limit};
}

/* What time alone has changed. */
static void pass(struct budget *b)
{
    if (b->now.number == 0) { /* nobody opened it: shown as it would be */
        if (lf.now_ms < b->now.start_ms || lf.now_ms >= b->now.end_ms) {
            b->now.start_ms = lf.now_ms;
            b->now.end_ms = period_end(&b->period, lf.now_ms);
        }
        b->now.cap = b->limit;
        return;
    }
    if (lf.now_ms < b->now.start_ms) {
        b->now.start_ms = lf.now_ms;
        b->now.end_ms = period_end(&b->period, lf.now_ms);
    }
    if (lf.now_ms < b->now.end_ms)
        return;
    int64_t start_ms = b->now.end_ms, end_ms = period_end(&b->period, start_ms);
    while (end_ms <= lf.now_ms)
        start_ms = end_ms, end_ms = period_end(&b->period, start_ms);
    begin_span(b, start_ms, end_ms);
}

static struct span *span_of(struct budget *b, uint64_t number)
{
    if (b->now.number == number)
        return &b->now;
    for (int i = 0; i < b->old_count; i++)
        if (b->old[i].number == number)
            return &b->old[i];
    return NULL;
}

/* Every span of every budget, one after the other; NULL: no more. */
static struct span *each_span(int *c, int *i)
{
    while (*c < COUNTERS) {
        struct budget *b = &budgets[*c];
        if (*i <= b->old_count)
            return (*i)++ == 0 ? &b->now : &b->old[*i - 2];
        *i = 0;
        ++*c;
    }
    return NULL;
}

#endif
