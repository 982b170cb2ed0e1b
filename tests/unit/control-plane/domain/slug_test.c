/* slug_test.c: what is a slug, and what a name becomes. */
#include "control-plane/domain/slug.h"

#include <criterion/criterion.h>

Test(slug, alphabet_and_length)
{
    static char longest[SLUG_MAX + 2];
    memset(longest, 'a', SLUG_MAX + 1);
    cr_expect(slug_is_valid(STR("openai-prod_2")));
    cr_expect(slug_is_valid(str_of(longest, SLUG_MAX)));
    cr_expect(!slug_is_valid(str_of(longest, SLUG_MAX + 1)));
    cr_expect(!slug_is_valid(STR("")));
    cr_expect(!slug_is_valid(STR("a b")));
    cr_expect(!slug_is_valid(STR("a/b")));
    cr_expect(!slug_is_valid(STR("a.b")));
    cr_expect(!slug_is_valid(STR("a\0b")));
    cr_expect(!slug_is_valid(STR("01a1fd69-b730-7000-a3ae-93694f200bcf")), "a UUID is an id");
}

Test(slug, made_of_names)
{
    static const struct {
        const char *prefix, *name, *begins;
    } cases[] = {
        {"pc-", "My  Config!", "pc-my-config-"}, {"ws-", "\xf0\x9f\x9a\x80 Rockets", "ws-rockets-"},
        {"", "---", ""},                         {"", "", ""},
        {"", "Ünïcode", "n-code-"},
    };
    struct arena arena;
    arena_init(&arena, 1u << 16);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str made = slug_make(&arena, cases[i].prefix, str_c(cases[i].name));
        cr_expect(slug_is_valid(made), "%s: " STR_FMT, cases[i].name, STR_ARG(made));
        cr_expect(str_starts(made, str_c(cases[i].begins)), "%s: " STR_FMT, cases[i].name, STR_ARG(made));
        cr_expect_geq(made.n, strlen(cases[i].begins) + 6);
    }
    static char longest[SLUG_MAX + 1];
    memset(longest, 'a', SLUG_MAX);
    cr_expect_eq(slug_suffixed(&arena, str_of(longest, SLUG_MAX)).n, SLUG_MAX);
    cr_expect(!str_eq(slug_suffixed(&arena, STR("a")), slug_suffixed(&arena, STR("a"))));
    arena_free(&arena);
}
