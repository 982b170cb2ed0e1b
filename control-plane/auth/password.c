/* password.c: Argon2id behind a gate.
 *
 * The gate keeps a flood of sign-ins from taking all memory and all listener threads: who does not
 * get in is told to come again. Invariant: an answer takes the same work whether or not there is
 * such a person, so times tell nothing. Must never keep or log a password.
 */
#include "control-plane/auth/password.h"

#include <pthread.h>
#include <sodium.h>

static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_free = PTHREAD_COND_INITIALIZER;
static unsigned gate_inside, gate_waiting;

static enum status gate_enter(void)
{
    enum status status = ST_OK;
    CHECK(pthread_mutex_lock(&gate_lock) == 0);
    if (gate_inside >= PASSWORD_AT_ONCE && gate_waiting >= PASSWORD_WAITING) {
        status = ST_OVERLOADED;
    } else {
        gate_waiting++;
        while (gate_inside >= PASSWORD_AT_ONCE)
            CHECK(pthread_cond_wait(&gate_free, &gate_lock) == 0);
        gate_waiting--;
        gate_inside++;
    }
    CHECK(pthread_mutex_unlock(&gate_lock) == 0);
    return status;
}

static void gate_leave(void)
{
    CHECK(pthread_mutex_lock(&gate_lock) == 0);
    gate_inside--;
    CHECK(pthread_cond_signal(&gate_free) == 0);
    CHECK(pthread_mutex_unlock(&gate_lock) == 0);
}

static bool length_fits(struct str password)
{
    return password.n >= PASSWORD_MIN_BYTES && password.n <= PASSWORD_MAX_BYTES;
}

enum status password_hash(struct arena *arena, struct str password, struct str *hash)
{
    char text[crypto_pwhash_STRBYTES];
    if (!length_fits(password))
        return ST_INVALID;
    TRY(gate_enter());
    int failed = crypto_pwhash_str(text, password.p, password.n, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                   crypto_pwhash_MEMLIMIT_INTERACTIVE);
    gate_leave();
    if (failed != 0)
        return ST_NO_MEMORY;
    *hash = arena_str(arena, str_c(text));
    return hash->p == NULL ? ST_NO_MEMORY : ST_OK;
}

/* The work of a verification, with nothing to compare to. Always false. */
static bool work_in_vain(struct str password)
{
    static const uint8_t salt[crypto_pwhash_SALTBYTES];
    uint8_t out[32];
    int failed = crypto_pwhash(out, sizeof(out), password.p, password.n, salt,
                               crypto_pwhash_OPSLIMIT_INTERACTIVE,
                               crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13);
    sodium_memzero(out, sizeof(out));
    return failed > 0;
}

enum status password_verify(struct str hash, struct str password)
{
    char stored[crypto_pwhash_STRBYTES] = "";
    bool good = false;
    if (!length_fits(password))
        return ST_UNAUTHORIZED;
    TRY(gate_enter());
    if (hash.n > 0 && hash.n < sizeof(stored)) {
        memcpy(stored, hash.p, hash.n);
        good = crypto_pwhash_str_verify(stored, password.p, password.n) == 0;
    } else {
        good = work_in_vain(password);
    }
    gate_leave();
    return good ? ST_OK : ST_UNAUTHORIZED;
}
