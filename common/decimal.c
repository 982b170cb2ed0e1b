/* decimal.c: the order of decimal texts (decimal.h).
 *
 *     -0012.50e3   ->   sign -, digits 1 2 5 0, point behind digit `scale` = 2 + 3 of them
 *
 * A number is 0.d1 d2 d3 ... x 10^scale with d1 > 0, so the larger scale is the larger magnitude
 * and equal scales are decided by the first digit that differs. Invariant: no digit is converted,
 * no length overflows: a scale is at most the text's length plus an exponent that is cut at
 * EXPONENT_MAX, which no text of a length we hold could bring back into reach.
 */
#include "common/decimal.h"

#define EXPONENT_MAX INT64_C(1000000000000000)

struct decimal {
    bool negative, zero;
    struct str whole, fraction; /* digits; from d1 on */
    int64_t scale;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct str take_digits(struct str *rest)
{
    size_t n = 0;
    while (n < rest->n && is_digit(rest->p[n]))
        n++;
    struct str digits = str_head(*rest, n);
    *rest = str_from(*rest, n);
    return digits;
}

static bool take_char(struct str *rest, const char *any)
{
    if (rest->n == 0 || rest->p[0] == '\0' || strchr(any, rest->p[0]) == NULL)
        return false;
    *rest = str_from(*rest, 1);
    return true;
}

/* An exponent counts only if a digit follows; otherwise `rest` stays before the e. */
static int64_t take_exponent(struct str *rest)
{
    struct str at = *rest;
    if (!take_char(&at, "eE"))
        return 0;
    bool negative = at.n > 0 && at.p[0] == '-';
    (void)take_char(&at, "+-");
    struct str digits = take_digits(&at);
    if (digits.n == 0)
        return 0;
    int64_t exponent = 0;
    for (size_t i = 0; i < digits.n && exponent < EXPONENT_MAX; i++)
        exponent = exponent * 10 + (digits.p[i] - '0');
    *rest = at;
    return negative ? -exponent : exponent;
}

static size_t leading_zeros(struct str digits)
{
    size_t n = 0;
    while (n < digits.n && digits.p[n] == '0')
        n++;
    return n;
}

static bool read_decimal(struct str *rest, struct decimal *out)
{
    out->negative = rest->n > 0 && rest->p[0] == '-';
    (void)take_char(rest, "+-");
    out->whole = take_digits(rest);
    out->fraction = str_head(*rest, 0);
    struct str behind = *rest;
    if (take_char(&behind, ".")) {
        out->fraction = take_digits(&behind);
        if (out->whole.n + out->fraction.n > 0)
            *rest = behind;
    }
    if (out->whole.n + out->fraction.n == 0)
        return false;
    int64_t exponent = take_exponent(rest);
    out->whole = str_from(out->whole, leading_zeros(out->whole));
    out->scale = (int64_t)out->whole.n + exponent;
    if (out->whole.n == 0) {
        size_t zeros = leading_zeros(out->fraction);
        out->scale -= (int64_t)zeros;
        out->fraction = str_from(out->fraction, zeros);
    }
    out->zero = out->whole.n + out->fraction.n == 0;
    return true;
}

bool decimal_prefix(struct str text, struct str *number)
{
    struct str rest = text;
    struct decimal read;
    while (take_char(&rest, " \t\n\v\f\r"))
        continue;
    const char *start = rest.p;
    if (rest.n == 0 || !read_decimal(&rest, &read))
        return false;
    *number = str_of(start, (size_t)(rest.p - start));
    return true;
}

static char digit_at(const struct decimal *d, size_t at)
{
    if (at < d->whole.n)
        return d->whole.p[at];
    at -= d->whole.n;
    return at < d->fraction.n ? d->fraction.p[at] : '0';
}

static int magnitude_cmp(const struct decimal *a, const struct decimal *b)
{
    if (a->zero || b->zero)
        return (a->zero ? 0 : 1) - (b->zero ? 0 : 1);
    if (a->scale != b->scale)
        return a->scale < b->scale ? -1 : 1;
    size_t n_a = a->whole.n + a->fraction.n, n_b = b->whole.n + b->fraction.n;
    for (size_t i = 0; i < n_a || i < n_b; i++) {
        char left = digit_at(a, i), right = digit_at(b, i);
        if (left != right)
            return left < right ? -1 : 1;
    }
    return 0;
}

int decimal_cmp(struct str a, struct str b)
{
    struct decimal left = {.zero = true}, right = {.zero = true};
    CHECK(read_decimal(&a, &left) && read_decimal(&b, &right));
    if (left.zero && right.zero)
        return 0;
    bool left_below = left.negative && !left.zero, right_below = right.negative && !right.zero;
    if (left_below != right_below)
        return left_below ? -1 : 1;
    int order = magnitude_cmp(&left, &right);
    return left_below ? -order : order;
}
