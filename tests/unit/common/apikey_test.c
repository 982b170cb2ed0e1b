/* apikey_test.c: the format, the check, fixed hashes, and the masked form. */
#include "common/apikey.h"

#include <criterion/criterion.h>
#include <sodium.h>

/* Made once and fixed for ever: stored keys are found by these hashes. */
#define KNOWN_KEY "slk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

Test(apikey, made_keys_are_ours)
{
    char a[APIKEY_TEXT + 1], b[APIKEY_TEXT + 1];
    for (int i = 0; i < 200; i++) {
        apikey_make(a);
        cr_assert_eq(strlen(a), APIKEY_TEXT);
        cr_assert(apikey_is_ours(str_c(a)), "%s", a);
        cr_assert(apikey_has_prefix(str_c(a)));
    }
    apikey_make(b);
    cr_expect_str_neq(a, b);
}

Test(apikey, every_changed_character_is_noticed)
{
    char key[APIKEY_TEXT + 1], other[APIKEY_TEXT + 1];
    apikey_make(key);
    for (size_t i = 0; i < APIKEY_TEXT; i++) {
        memcpy(other, key, sizeof other);
        other[i] = other[i] == 'A' ? 'B' : 'A';
        cr_expect_not(apikey_is_ours(str_of(other, APIKEY_TEXT)), "at %zu", i);
        other[i] = '\0';
        cr_expect_not(apikey_is_ours(str_of(other, APIKEY_TEXT)), "NUL at %zu", i);
        cr_expect_not(apikey_is_ours(str_of(key, i)), "cut at %zu", i);
    }
    cr_expect_not(apikey_is_ours(str_of(key, APIKEY_TEXT + 1)), "with a byte behind");
}

Test(apikey, prefix_in_any_guise)
{
    static const struct {
        const char *text;
        bool has;
    } rows[] = {
        {"slk_", true},  {"slk_x", true}, {"SLK_x", true}, {" \tslk_x", true},  {"slk-x", false},
        {"sk_x", false}, {"", false},     {"slk", false},  {"sk-slk_x", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_eq(apikey_has_prefix(str_c(rows[i].text)), rows[i].has, "%s", rows[i].text);
}

Test(apikey, hash_is_blake2b_with_our_personalisation)
{
    uint8_t ours[APIKEY_HASH_BYTES], again[APIKEY_HASH_BYTES], plain[APIKEY_HASH_BYTES];
    char hex[2 * APIKEY_HASH_BYTES + 1];
    apikey_hash(STR(KNOWN_KEY), ours);
    apikey_hash(STR(KNOWN_KEY), again);
    crypto_generichash(plain, sizeof plain, (const uint8_t *)KNOWN_KEY, sizeof KNOWN_KEY - 1, NULL,
                       0);
    cr_expect_arr_eq(ours, again, sizeof ours);
    cr_expect_arr_neq(ours, plain, sizeof ours);
    sodium_bin2hex(hex, sizeof hex, ours, sizeof ours);
    cr_expect_str_eq(hex, "d38f5b86c8e8bcc3d9ab79b8db13af00e42ffeac11e08032942dbf494e7debe1");
    apikey_hash(STR(""), again);
    cr_expect_arr_neq(ours, again, sizeof ours);
}

Test(apikey, check_is_fixed)
{
    cr_expect(apikey_is_ours(STR(KNOWN_KEY "dUF_7R")));
}

Test(apikey, masked)
{
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        {"slk_abcdefghijklmnopqrstuvwxyz", "slk_abcd...wxyz"},
        {"sk-proj-0123456789abcdefghij", "sk-p...ghij"},
        {"slk_short", "..."},
        {"0123456789abcdefghijklm", "..."},
        {"", "..."},
        {"\x01\"\xC3\xA9"
         "3456789abcdefghijklm\n0",
         "?\"??...lm?0"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char masked[APIKEY_MASKED_TEXT + 1];
        apikey_mask(str_c(rows[i].text), masked);
        cr_expect_str_eq(masked, rows[i].wanted, "%s", masked);
    }
}

Test(apikey, is_found_inside_other_text)
{
    cr_expect(apikey_is_inside(STR("slk_")));
    cr_expect(apikey_is_inside(STR("client/1.0 (SLK_abc)")));
    cr_expect_not(apikey_is_inside(STR("")));
    cr_expect_not(apikey_is_inside(STR("slk")));
    cr_expect_not(apikey_is_inside(STR("slk-slk.sl_k")));
}
