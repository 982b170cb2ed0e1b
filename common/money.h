/* money.h: amounts and unit prices, in whole numbers only.
 *
 *   amount      int64_t nano-USD  (1e-9 USD;  up to 9.2 billion USD)
 *   unit price  int64_t pico-USD  (1e-12 USD; 2.5 USD per million tokens = 2,500,000 pico-USD per
 * token) product     money_wide, 128 bits; summed over all classes of an event, rounded up once
 * (price.h) factor      parts per million (1,000,000 = as it is)
 *
 * Pure. No floating point. What does not fit is ST_RANGE, never a wrapped number.
 */
#ifndef SLUICE_COMMON_MONEY_H
#define SLUICE_COMMON_MONEY_H

#include "common/status.h"

__extension__ typedef __int128 money_wide;

#define MONEY_NANOUSD_PER_USD INT64_C(1000000000)
#define MONEY_PICOUSD_PER_USD INT64_C(1000000000000)
#define MONEY_PPM_ONE         INT64_C(1000000)    /* a factor of 1 */
#define MONEY_PPM_MAX         INT64_C(1000000000) /* a factor of 1,000: more is a mistake */

/* The smallest whole number >= value / unit. value >= 0, unit > 0. ST_RANGE above INT64_MAX. */
MUST_USE static inline enum status money_div_up(money_wide value, int64_t unit, int64_t *amount)
{
    CHECK(value >= 0 && unit > 0);
    money_wide up = value / unit + (value % unit != 0);
    if (up > INT64_MAX)
        return ST_RANGE;
    *amount = (int64_t)up;
    return ST_OK;
}

/* a + b. ST_RANGE when it does not fit. */
MUST_USE static inline enum status money_add(int64_t a, int64_t b, int64_t *sum)
{
    int64_t total;
    if (__builtin_add_overflow(a, b, &total))
        return ST_RANGE;
    *sum = total;
    return ST_OK;
}

#endif
