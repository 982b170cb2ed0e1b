/* clock.c: see clock.h. Calendar arithmetic follows Howard Hinnant's public-domain "days_from_civil" derivation:
 * eras of 400 years, years that begin in March. */
#include "common/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static _Atomic int64_t offset_ms;
static _Atomic int64_t last_utc_ms;
static _Atomic bool test_on;
static _Atomic int64_t test_mono_ns, test_wall_ms;

static int64_t read_ns(clockid_t which)
{
    struct timespec now;
    CHECK(clock_gettime(which, &now) == 0);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_mono_ns(void)
{
    return test_on ? test_mono_ns : read_ns(CLOCK_MONOTONIC);
}

int64_t clock_mono_ms(void)
{
    return clock_mono_ns() / 1000000;
}

int64_t clock_wall_ms(void)
{
    return test_on ? test_wall_ms : read_ns(CLOCK_REALTIME) / 1000000;
}

int64_t clock_utc_ms(void)
{
    int64_t now = clock_wall_ms() + offset_ms;
    int64_t last = last_utc_ms;
    while (now > last && !atomic_compare_exchange_weak(&last_utc_ms, &last, now))
        ;
    return now > last ? now : last;
}

void clock_set_offset(int64_t offset)
{
    offset_ms = offset;
}

void clock_test_set(int64_t mono_ns, int64_t wall_ms)
{
    test_mono_ns = mono_ns;
    test_wall_ms = wall_ms;
    last_utc_ms = 0;
    test_on = true;
}

void clock_test_advance(int64_t ms)
{
    test_mono_ns += ms * 1000000;
    test_wall_ms += ms;
}

int64_t clock_days_from_civil(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned yoe = (unsigned)(year - era * 400);
    unsigned doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + (int64_t)doe - 719468;
}

void clock_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned doe = (unsigned)(days - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = (int64_t)yoe + era * 400 + (*month <= 2);
}

struct civil {
    int64_t year;
    unsigned month, day, hour, minute, second, ms, weekday; /* weekday 0 = Sunday */
};

static struct civil civil_of(int64_t unix_ms)
{
    const int64_t day_ms = 86400000;
    int64_t days = unix_ms / day_ms - (unix_ms % day_ms < 0);
    int64_t left = unix_ms - days * day_ms;
    struct civil c;
    clock_civil_from_days(days, &c.year, &c.month, &c.day);
    c.hour = (unsigned)(left / 3600000);
    c.minute = (unsigned)(left / 60000 % 60);
    c.second = (unsigned)(left / 1000 % 60);
    c.ms = (unsigned)(left % 1000);
    c.weekday = (unsigned)((days % 7 + 11) % 7);
    return c;
}

void clock_to_text(int64_t unix_ms, char text[CLOCK_TEXT + 1])
{
    struct civil c = civil_of(unix_ms);
    char wide[64];
    snprintf(wide, sizeof wide, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)c.year % 10000u, c.month,
             c.day, c.hour, c.minute, c.second, c.ms);
    memcpy(text, wide, CLOCK_TEXT);
    text[CLOCK_TEXT] = '\0';
}

void clock_to_http(int64_t unix_ms, char text[30])
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct civil c = civil_of(unix_ms);
    char wide[64];
    snprintf(wide, sizeof wide, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + 3 * c.weekday, c.day,
             months + 3 * (c.month - 1), (unsigned)c.year % 10000u, c.hour, c.minute, c.second);
    memcpy(text, wide, 29);
    text[29] = '\0';
}

/* Takes exactly n digits from the front of *s. */
static bool take_digits(struct str *s, size_t n, unsigned *value)
{
    uint64_t wide;
    if (s->n < n || str_to_u64(str_head(*s, n), &wide) != ST_OK)
        return false;
    *value = (unsigned)wide;
    *s = str_from(*s, n);
    return true;
}

static bool take_char(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = str_from(*s, 1);
    return true;
}

static bool take_zone(struct str *s, int64_t *zone_ms)
{
    if (take_char(s, 'Z') || take_char(s, 'z')) {
        *zone_ms = 0;
        return true;
    }
    bool west = s->n > 0 && s->p[0] == '-';
    unsigned hours, minutes;
    if (!(take_char(s, '+') || take_char(s, '-')) || !take_digits(s, 2, &hours) ||
        !take_char(s, ':') || !take_digits(s, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *zone_ms = (int64_t)(hours * 60 + minutes) * 60000 * (west ? -1 : 1);
    return true;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

enum status clock_from_text(struct str s, int64_t *unix_ms)
{
    unsigned year, month, day, hour = 0, minute = 0, second = 0, ms = 0;
    int64_t zone_ms = 0;
    if (!take_digits(&s, 4, &year) || !take_char(&s, '-') || !take_digits(&s, 2, &month) ||
        !take_char(&s, '-') || !take_digits(&s, 2, &day) || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month))
        return ST_INVALID;
    if (s.n > 0) {
        if (!(take_char(&s, 'T') || take_char(&s, 't') || take_char(&s, ' ')) ||
            !take_digits(&s, 2, &hour) || !take_char(&s, ':') || !take_digits(&s, 2, &minute) ||
            !take_char(&s, ':') || !take_digits(&s, 2, &second) || hour > 23 || minute > 59 || second > 60)
            return ST_INVALID;
        if (take_char(&s, '.')) {
            unsigned digit, scale = 100, count = 0;
            while (take_digits(&s, 1, &digit)) {
                ms += digit * scale;
                scale /= 10;
                count++;
            }
            if (count == 0)
                return ST_INVALID;
        }
        if (!take_zone(&s, &zone_ms) || s.n != 0)
            return ST_INVALID;
    }
    int64_t days = clock_days_from_civil(year, month, day);
    *unix_ms = ((days * 24 + hour) * 60 + minute) * 60000 + (int64_t)second * 1000 + ms - zone_ms;
    return ST_OK;
}
