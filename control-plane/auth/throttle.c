/* throttle.c: token buckets in a small open hash table.
 *
 * A row is a name's hash and the time until which its bucket is "drunk ahead": each token taken
 * moves it on by the refill time of one token, and a take is refused when that would be further
 * ahead of now than the bucket is deep (GCRA, ITU-T I.371). So a row is 24 bytes, a full bucket is
 * a free row, and refilling costs nothing. Names are hashed with a key of this process: nobody can
 * choose names that meet.
 */
#include "control-plane/auth/throttle.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#include "common/netaddr.h"

#define THROTTLE_WAYS 4u

_Static_assert((THROTTLE_ROWS & (THROTTLE_ROWS - 1)) == 0, "masked");

struct throttle_row {
    uint8_t name[16];
    int64_t ahead_ms;
};

struct throttle {
    pthread_mutex_t lock;
    uint8_t key[crypto_generichash_KEYBYTES];
    struct throttle_row rows[THROTTLE_ROWS];
};

struct throttle_rule {
    char space; /* keeps an address and an account of the same text apart */
    int64_t each_ms, tokens;
};

static const struct throttle_rule address_rule = {'a', THROTTLE_ADDRESS_EACH_MS,
                                                  THROTTLE_ADDRESS_TOKENS};
static const struct throttle_rule account_rule = {'e', THROTTLE_ACCOUNT_EACH_MS,
                                                  THROTTLE_ACCOUNT_TOKENS};

struct throttle *throttle_new(void)
{
    struct throttle *throttle = calloc(1, sizeof(*throttle));
    if (throttle == NULL)
        return NULL;
    randombytes_buf(throttle->key, sizeof(throttle->key));
    CHECK(pthread_mutex_init(&throttle->lock, NULL) == 0);
    return throttle;
}

void throttle_free(struct throttle *throttle)
{
    if (throttle == NULL)
        return;
    pthread_mutex_destroy(&throttle->lock);
    free(throttle);
}

/* The row of a name: its own, or the one of its ways that is furthest behind. */
static struct throttle_row *row_of(struct throttle *throttle, const struct throttle_rule *rule,
                                   struct str name)
{
    crypto_generichash_state state;
    uint8_t hash[16];
    uint32_t at;
    CHECK(crypto_generichash_init(&state, throttle->key, sizeof(throttle->key), sizeof(hash)) == 0);
    crypto_generichash_update(&state, (const uint8_t *)&rule->space, 1);
    crypto_generichash_update(&state, (const uint8_t *)name.p, name.n);
    CHECK(crypto_generichash_final(&state, hash, sizeof(hash)) == 0);
    memcpy(&at, hash, sizeof(at));
    struct throttle_row *oldest = NULL;
    for (uint32_t i = 0; i < THROTTLE_WAYS; i++) {
        struct throttle_row *row = &throttle->rows[(at + i) & (THROTTLE_ROWS - 1)];
        if (memcmp(row->name, hash, sizeof(hash)) == 0)
            return row;
        if (oldest == NULL || row->ahead_ms < oldest->ahead_ms)
            oldest = row;
    }
    memcpy(oldest->name, hash, sizeof(hash));
    oldest->ahead_ms = 0;
    return oldest;
}

/* Milliseconds until a token is there; 0: now. */
static int64_t wait_of(const struct throttle_row *row, const struct throttle_rule *rule,
                       int64_t now_ms)
{
    int64_t ahead = row->ahead_ms > now_ms ? row->ahead_ms - now_ms : 0;
    int64_t over = ahead + rule->each_ms - rule->each_ms * rule->tokens;
    return over > 0 ? over : 0;
}

static void take(struct throttle_row *row, const struct throttle_rule *rule, int64_t now_ms)
{
    row->ahead_ms = (row->ahead_ms > now_ms ? row->ahead_ms : now_ms) + rule->each_ms;
}

/* An IPv6 client owns a /64 at least. Text that is no address counts as it is. */
static struct str network_of(struct str address, char text[NETADDR_TEXT + 1])
{
    struct netaddr parsed;
    if (netaddr_from_text(address, &parsed) != ST_OK || parsed.family != 6)
        return address;
    memset(parsed.b + 8, 0, 8);
    netaddr_to_text(&parsed, text);
    return str_c(text);
}

enum status throttle_take(struct throttle *throttle, struct str address, struct str account,
                          int64_t now_ms, int64_t *wait_ms)
{
    char text[NETADDR_TEXT + 1];
    CHECK(pthread_mutex_lock(&throttle->lock) == 0);
    struct throttle_row *from = row_of(throttle, &address_rule, network_of(address, text));
    struct throttle_row *of = row_of(throttle, &account_rule, account);
    int64_t wait = wait_of(from, &address_rule, now_ms), other = wait_of(of, &account_rule, now_ms);
    wait = other > wait ? other : wait;
    if (wait == 0) {
        take(from, &address_rule, now_ms);
        take(of, &account_rule, now_ms);
    }
    CHECK(pthread_mutex_unlock(&throttle->lock) == 0);
    *wait_ms = wait;
    return wait == 0 ? ST_OK : ST_RATE_LIMITED;
}

enum status throttle_allow(struct throttle *throttle, struct str name, int64_t now_ms,
                           int64_t tokens, int64_t each_ms)
{
    const struct throttle_rule rule = {'o', each_ms, tokens};
    CHECK(pthread_mutex_lock(&throttle->lock) == 0);
    struct throttle_row *row = row_of(throttle, &rule, name);
    bool allowed = wait_of(row, &rule, now_ms) == 0;
    if (allowed)
        take(row, &rule, now_ms);
    CHECK(pthread_mutex_unlock(&throttle->lock) == 0);
    return allowed ? ST_OK : ST_RATE_LIMITED;
}

void throttle_forgive(struct throttle *throttle, struct str account, int64_t now_ms)
{
    CHECK(pthread_mutex_lock(&throttle->lock) == 0);
    struct throttle_row *row = row_of(throttle, &account_rule, account);
    if (row->ahead_ms > now_ms)
        row->ahead_ms -= account_rule.each_ms;
    CHECK(pthread_mutex_unlock(&throttle->lock) == 0);
}
