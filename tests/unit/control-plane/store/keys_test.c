/* Keys: byte order is the order of meaning. */
#include <criterion/criterion.h>
#include <signal.h>

#include "control-plane/store/keys.h"

Test(keys, numbers_sort_by_value)
{
    const uint64_t values[] = {0,         1, 255, 256, 65535, 65536, 1ull << 32, UINT64_MAX - 1,
                               UINT64_MAX};
    for (size_t i = 1; i < COUNT_OF(values); i++) {
        struct key a, b;
        key_init(&a);
        key_init(&b);
        key_add_u64(&a, values[i - 1]);
        key_add_u64(&b, values[i]);
        cr_assert(str_cmp(key_str(&a), key_str(&b)) < 0);
        cr_assert_eq(key_get_u64(b.b), values[i]);
    }
    uint8_t small[4];
    key_put_u16(small, 0xBEEF);
    cr_assert_eq(key_get_u16(small), 0xBEEF);
    key_put_u32(small, 0xDEADBEEF);
    cr_assert_eq(key_get_u32(small), 0xDEADBEEF);
}

Test(keys, prefix_end_carries)
{
    struct key key;
    key_init(&key);
    key_add_bytes(&key, "\x01\xFF\xFF", 3);
    key_after_prefix(&key);
    cr_assert_eq(key.n, 1);
    cr_assert_eq(key.b[0], 2);
}

Test(keys, names_are_hashed_exactly)
{
    uint8_t a[KEY_HASH_BYTES], b[KEY_HASH_BYTES];
    key_hash(STR("slug"), a);
    key_hash(STR("Slug"), b);
    cr_assert_neq(memcmp(a, b, sizeof a), 0);
    key_hash(STR("slug"), b);
    cr_assert_eq(memcmp(a, b, sizeof a), 0);
}

Test(keys, overflow_is_a_bug_of_ours, .signal = SIGABRT)
{
    struct key key;
    key_init(&key);
    for (int i = 0; i < 9; i++)
        key_add_id(&key, &ID_NONE);
}
