/* password_test.c: what is a password, and whose. */
#include "control-plane/auth/password.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>

static struct arena arena;

static void begin(void)
{
    cr_assert(sodium_init() >= 0);
    arena_init(&arena, 1u << 20);
}

static void end(void)
{
    arena_free(&arena);
}

TestSuite(password, .init = begin, .fini = end);

Test(password, right_and_wrong)
{
    struct str hash, other;
    cr_assert_eq(password_hash(&arena, STR("correct horse"), &hash), ST_OK);
    cr_assert_eq(password_hash(&arena, STR("correct horse"), &other), ST_OK);
    cr_expect(str_starts(hash, STR("$argon2id$v=19$m=65536,t=2,p=1$")), STR_FMT, STR_ARG(hash));
    cr_expect_not(str_eq(hash, other), "salted");
    cr_expect_eq(password_verify(hash, STR("correct horse")), ST_OK);
    cr_expect_eq(password_verify(hash, STR("correct horsf")), ST_UNAUTHORIZED);
    cr_expect_eq(password_verify(hash, STR("correct horse ")), ST_UNAUTHORIZED);
    cr_expect_eq(password_verify(STR_NONE, STR("correct horse")), ST_UNAUTHORIZED);
    cr_expect_eq(password_verify(STR("x"), STR("correct horse")), ST_UNAUTHORIZED);
}

Test(password, length)
{
    static char text[PASSWORD_MAX_BYTES + 1];
    struct str hash;
    memset(text, 'p', sizeof text);
    cr_expect_eq(password_hash(&arena, str_of(text, PASSWORD_MIN_BYTES - 1), &hash), ST_INVALID);
    cr_expect_eq(password_hash(&arena, str_of(text, PASSWORD_MIN_BYTES), &hash), ST_OK);
    cr_expect_eq(password_hash(&arena, str_of(text, PASSWORD_MAX_BYTES), &hash), ST_OK);
    cr_expect_eq(password_verify(hash, str_of(text, PASSWORD_MAX_BYTES)), ST_OK);
    cr_expect_eq(password_hash(&arena, str_of(text, PASSWORD_MAX_BYTES + 1), &hash), ST_INVALID);
    cr_expect_eq(password_verify(hash, str_of(text, PASSWORD_MAX_BYTES + 1)), ST_UNAUTHORIZED);
}

static atomic_uint answered, turned_away;

static void *guess(void *arg)
{
    (void)arg;
    enum status status = password_verify(STR_NONE, STR("correct horse"));
    atomic_fetch_add(status == ST_OVERLOADED ? &turned_away : &answered, 1);
    return NULL;
}

/* A flood is answered or turned away, never more at once than the gate lets in or waits for. */
Test(password, a_flood_is_turned_away)
{
    enum { GUESSERS = 40 };
    pthread_t threads[GUESSERS];
    for (size_t i = 0; i < GUESSERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, guess, NULL), 0);
    for (size_t i = 0; i < GUESSERS; i++)
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    cr_expect_eq(answered + turned_away, GUESSERS);
    cr_expect_geq(answered, PASSWORD_AT_ONCE + PASSWORD_WAITING);
    cr_expect_eq(password_verify(STR_NONE, STR("correct horse")), ST_UNAUTHORIZED);
}
