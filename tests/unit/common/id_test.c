/* id_test.c: UUIDv7 shape, order, and strict text. */
#include "common/id.h"

#include <criterion/criterion.h>
#include <pthread.h>

#include "common/clock.h"

#define S(literal)                                                                                 \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

Test(id, new_ids_have_the_shape_and_the_time)
{
    clock_test_set(0, 0x0123456789AB);
    struct id id = id_new();
    static const uint8_t stamp[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB};
    cr_expect_arr_eq(id.b, stamp, 6);
    cr_expect_eq(id.b[6] >> 4, 7);
    cr_expect_eq(id.b[8] >> 6, 2);
    cr_expect_not(id_is_none(&id));
    cr_expect(id_is_none(&ID_NONE));
}

Test(id, ids_increase_also_when_the_clock_steps_back)
{
    clock_test_set(0, 1000000);
    struct id last = id_new();
    for (int i = 0; i < 10000; i++) {
        if (i == 5000)
            clock_test_advance(-5000);
        struct id next = id_new();
        cr_assert_lt(memcmp(last.b, next.b, ID_BYTES), 0, "at %d", i);
        last = next;
    }
}

static void *make_many(void *arg)
{
    struct id *ids = arg;
    for (int i = 0; i < 2000; i++)
        ids[i] = id_new();
    return NULL;
}

static int order(const void *a, const void *b)
{
    return memcmp(a, b, ID_BYTES);
}

Test(id, threads_never_make_the_same)
{
    static struct id ids[8000];
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, make_many, ids + 2000 * i), 0);
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    qsort(ids, 8000, sizeof ids[0], order);
    for (size_t i = 1; i < 8000; i++)
        cr_assert_not(id_eq(&ids[i - 1], &ids[i]));
}

Test(id, text_and_back)
{
    static const struct str bad[] = {
        S(""),
        S("0198b2c4-0000-7000-8000-00000000000"),
        S("0198b2c4-0000-7000-8000-0000000000000"),
        S("0198b2c40000-7000-8000-0000-00000000"),
        S("0198b2c4_0000-7000-8000-000000000000"),
        S("0198b2cg-0000-7000-8000-000000000000"),
        S("{198b2c4-0000-7000-8000-000000000000"),
        S("0198b2c4-0000-7000-8000-00000000000\0"),
        S("0198b2c400007000800000000000000000000"),
        S(" 198b2c4-0000-7000-8000-000000000000"),
    };
    struct id id, again;
    char text[ID_TEXT + 1];
    cr_assert_eq(id_from_text(STR("0198B2C4-00ff-7abc-8DEF-0123456789ab"), &id), ST_OK);
    id_to_text(&id, text);
    cr_expect_str_eq(text, "0198b2c4-00ff-7abc-8def-0123456789ab");
    cr_assert_eq(id_from_bytes(id_bytes(&id), &again), ST_OK);
    cr_expect(id_eq(&id, &again));
    cr_expect_eq(id_from_bytes(STR("short"), &again), ST_INVALID);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        cr_expect_eq(id_from_text(bad[i], &again), ST_INVALID, "%s", bad[i].p);
    cr_expect(id_eq(&id, &again), "nothing is set on failure");
}
