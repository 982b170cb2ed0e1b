/* http_date.c: one pattern per form, one reader for all (http_date.h).
 *
 *   Sun, 06 Nov 1994 08:49:37 GMT      IMF-fixdate
 *   Sunday, 06-Nov-94 08:49:37 GMT     RFC 850
 *   Sun Nov  6 08:49:37 1994           asctime
 *
 * In a pattern w stands for letters of a weekday, d a day, m a month's name, Y and y a year of four
 * and two digits, t a time; every other byte for itself. Invariant: a date is read whole or
 * refused; days exist in their month.
 */
#include "common/http_date.h"

#include "common/clock.h"

static const char *const forms[] = {"w, d m Y t GMT", "w, d-m-y t GMT", "w m d t Y"};

struct parts {
    unsigned day, month, year, hour, minute, second;
    bool short_year;
};

static bool take_number(struct str *s, size_t digits, unsigned *value)
{
    uint64_t wide;
    if (s->n < digits || str_to_u64(str_head(*s, digits), &wide) != ST_OK)
        return false;
    *value = (unsigned)wide;
    *s = str_from(*s, digits);
    return true;
}

static bool take_byte(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = str_from(*s, 1);
    return true;
}

static bool take_weekday(struct str *s)
{
    size_t n = 0;
    while (n < s->n && ((s->p[n] | 0x20) >= 'a' && (s->p[n] | 0x20) <= 'z'))
        n++;
    *s = str_from(*s, n);
    return n >= 3 && n <= 9;
}

static bool take_month(struct str *s, unsigned *month)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (unsigned i = 0; i < 12; i++) {
        if (str_starts(*s, str_of(names + 3 * i, 3))) {
            *s = str_from(*s, 3);
            *month = i + 1;
            return true;
        }
    }
    return false;
}

static bool take_part(struct str *s, char part, struct parts *out)
{
    switch (part) {
    case 'w':
        return take_weekday(s);
    case 'd':
        return take_byte(s, ' ') ? take_number(s, 1, &out->day) : take_number(s, 2, &out->day);
    case 'm':
        return take_month(s, &out->month);
    case 'Y':
        return take_number(s, 4, &out->year);
    case 'y':
        out->short_year = true;
        return take_number(s, 2, &out->year);
    case 't':
        return take_number(s, 2, &out->hour) && take_byte(s, ':') &&
               take_number(s, 2, &out->minute) && take_byte(s, ':') &&
               take_number(s, 2, &out->second);
    default:
        return take_byte(s, part);
    }
}

static bool take_form(struct str text, const char *form, struct parts *out)
{
    *out = (struct parts){0};
    for (; *form != '\0'; form++)
        if (!take_part(&text, *form, out))
            return false;
    return text.n == 0;
}

/* The date exists: the calendar gives back what went in. */
static bool to_unix(const struct parts *parts, int64_t *unix_ms)
{
    int64_t year;
    unsigned month, day;
    if (parts->day < 1 || parts->day > 31 || parts->hour > 23 || parts->minute > 59 ||
        parts->second > 60)
        return false;
    int64_t days = clock_days_from_civil(parts->year, parts->month, parts->day);
    clock_civil_from_days(days, &year, &month, &day);
    if (month != parts->month || day != parts->day)
        return false;
    *unix_ms =
        ((days * 24 + parts->hour) * 60 + parts->minute) * 60000 + (int64_t)parts->second * 1000;
    return true;
}

enum status http_date_read(struct str text, int64_t now_ms, int64_t *unix_ms)
{
    struct parts parts;
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if (!take_form(text, forms[i], &parts))
            continue;
        if (parts.short_year) {
            int64_t year;
            unsigned month, day;
            clock_civil_from_days(now_ms / 86400000, &year, &month, &day);
            parts.year += (unsigned)(year / 100 * 100);
            if (parts.year > year + 50)
                parts.year -= 100;
            else if (parts.year + 50 <= year)
                parts.year += 100;
        }
        return to_unix(&parts, unix_ms) ? ST_OK : ST_INVALID;
    }
    return ST_INVALID;
}
