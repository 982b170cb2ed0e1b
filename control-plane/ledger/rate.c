/* rate.c: arithmetic of trailing windows and token buckets.
 *
 * All in whole numbers: a bucket's number is time x 128 / W, so buckets of a second's window need
 * no whole milliseconds. Amounts stop at the ends of their range.
 */
#include "control-plane/ledger/rate.h"

#include "common/money.h"

#define RATE_VERSION   1u
#define RATE_NUMBERS   (4u + RATE_BUCKETS)
#define RATE_ROW_BYTES (1u + 8u * RATE_NUMBERS)

static void rate_key(struct key *key, const struct id *counter, uint64_t epoch)
{
    book_key(key, BOOK_WINDOW);
    key_add_id(key, counter);
    key_add_u64(key, epoch);
}

enum status rate_get(struct kv_txn *txn, const struct id *counter, uint64_t epoch,
                     struct rate *rate)
{
    struct key key;
    struct str row;
    rate_key(&key, counter, epoch);
    *rate = (struct rate){0};
    enum status status = kv_get(txn, KV_MAIN, key_str(&key), &row);
    if (status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    if (row.n != RATE_ROW_BYTES || (uint8_t)row.p[0] != RATE_VERSION)
        return ST_BAD_FORMAT;
    const char *p = row.p + 1;
    rate->newest = (int64_t)key_get_u64(p);
    rate->level = (int64_t)key_get_u64(p + 8);
    rate->level_rest = (int64_t)key_get_u64(p + 16);
    rate->level_ms = (int64_t)key_get_u64(p + 24);
    for (size_t i = 0; i < RATE_BUCKETS; i++)
        rate->buckets[i] = (int64_t)key_get_u64(p + 32 + 8 * i);
    return ST_OK;
}

enum status rate_put(struct kv_txn *txn, const struct id *counter, uint64_t epoch,
                     const struct rate *rate)
{
    uint8_t row[RATE_ROW_BYTES] = {RATE_VERSION};
    struct key key;
    key_put_u64(row + 1, (uint64_t)rate->newest);
    key_put_u64(row + 9, (uint64_t)rate->level);
    key_put_u64(row + 17, (uint64_t)rate->level_rest);
    key_put_u64(row + 25, (uint64_t)rate->level_ms);
    for (size_t i = 0; i < RATE_BUCKETS; i++)
        key_put_u64(row + 33 + 8 * i, (uint64_t)rate->buckets[i]);
    rate_key(&key, counter, epoch);
    return kv_put(txn, KV_MAIN, key_str(&key), str_of((const char *)row, sizeof row));
}

/* --- the window --- */

static int64_t number_of(int64_t window_ms, int64_t time_ms)
{
    CHECK(window_ms > 0 && time_ms >= 0);
    return (int64_t)((money_wide)time_ms * RATE_PARTS / window_ms);
}

static int64_t *bucket(struct rate *rate, int64_t number)
{
    return &rate->buckets[number % RATE_BUCKETS];
}

int64_t rate_sum(const struct rate *rate)
{
    int64_t sum = 0;
    for (size_t i = 0; i < RATE_BUCKETS; i++)
        sum = book_sum(sum, rate->buckets[i]);
    return sum;
}

void rate_advance(struct rate *rate, int64_t window_ms, int64_t time_ms)
{
    int64_t now = number_of(window_ms, time_ms);
    if (now < rate->newest && rate->newest - now < RATE_BUCKETS)
        return;
    if (now < rate->newest) {
        int64_t sum = rate_sum(rate);
        memset(rate->buckets, 0, sizeof rate->buckets);
        rate->newest = now;
        *bucket(rate, now) = sum;
        return;
    }
    if (now - rate->newest >= RATE_BUCKETS)
        memset(rate->buckets, 0, sizeof rate->buckets);
    else
        for (int64_t n = rate->newest + 1; n <= now; n++)
            *bucket(rate, n) = 0;
    rate->newest = now;
}

void rate_add(struct rate *rate, int64_t amount)
{
    int64_t *newest = bucket(rate, rate->newest);
    *newest = book_sum(*newest, amount);
}

void rate_correct(struct rate *rate, int64_t window_ms, int64_t at_ms, int64_t delta)
{
    int64_t number = number_of(window_ms, at_ms > 0 ? at_ms : 0);
    int64_t oldest = rate->newest - RATE_PARTS;
    if (number > rate->newest)
        number = rate->newest;
    if (number < oldest)
        return; /* it has left the window */
    if (delta >= 0) {
        *bucket(rate, number) = book_sum(*bucket(rate, number), delta);
        return;
    }
    /* One bucket of room for the difference between two clocks. */
    for (int64_t n = number > oldest ? number - 1 : oldest; n <= rate->newest && delta < 0; n++) {
        int64_t *from = bucket(rate, n);
        int64_t less = *from < -delta ? *from : -delta;
        *from -= less;
        delta += less;
    }
}

/* The first ms at which a time has this number. */
static int64_t begin_of(int64_t window_ms, int64_t number)
{
    return (int64_t)(((money_wide)number * window_ms + RATE_PARTS - 1) / RATE_PARTS);
}

int64_t rate_until(const struct rate *rate, int64_t window_ms, int64_t time_ms, int64_t amount)
{
    int64_t gone = 0;
    for (int64_t n = rate->newest - RATE_PARTS; n <= rate->newest; n++) {
        gone = n < 0 ? gone : book_sum(gone, rate->buckets[n % RATE_BUCKETS]);
        if (gone < amount)
            continue;
        int64_t at_ms = begin_of(window_ms, n + RATE_BUCKETS);
        return at_ms > time_ms ? at_ms - time_ms : 0;
    }
    return -1;
}

/* --- the level --- */

void rate_refill(struct rate *rate, int64_t value, int64_t burst, int64_t window_ms,
                 int64_t time_ms)
{
    int64_t passed_ms = time_ms - rate->level_ms;
    if (burst == 0) {
        rate->level = rate->level_rest = rate->level_ms = 0;
        return;
    }
    if (rate->level_ms == 0) { /* full at first */
        rate->level = burst;
        passed_ms = 0;
    }
    rate->level_ms = time_ms;
    if (passed_ms > 0) {
        money_wide parts = (money_wide)passed_ms * value + rate->level_rest;
        money_wide level = rate->level + parts / window_ms;
        rate->level_rest = (int64_t)(parts % window_ms);
        rate->level = level > burst ? burst : (int64_t)level;
    }
    if (rate->level >= burst) {
        rate->level = burst;
        rate->level_rest = 0;
    }
}

int64_t rate_until_level(int64_t value, int64_t window_ms, int64_t amount)
{
    if (value <= 0)
        return -1;
    money_wide ms = ((money_wide)amount * window_ms + value - 1) / value;
    return ms > INT32_MAX ? INT32_MAX : (int64_t)ms;
}
