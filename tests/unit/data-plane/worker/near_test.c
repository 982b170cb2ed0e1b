#include "data-plane/worker/near.h"

#include <criterion/criterion.h>

static void check(const char *wanted, const char *const *names, const char *prefix, const char *expected)
{
    struct near near;
    char out[300];
    near_init(&near, str_c(wanted));
    for (size_t i = 0; names[i] != NULL; i++)
        near_offer(&near, str_c(names[i]));
    near_sentence(&near, prefix, out, sizeof out);
    cr_expect_str_eq(out, expected, "%s: %s", wanted, out);
}

Test(near, names_the_closest_in_order)
{
    static const char *const names[] = {"gpt-4o", "gpt-4o-mini", "gpt-4", "claude-3", "gpt-4.1", "o1", NULL};
    check("gpt4o", names, "", " Did you mean gpt-4o or gpt-4?");
    check("claude3", names, "@", " Did you mean @claude-3?");
    check("zzzzzzzzz", names, "", "");
    check("", names, "", "");
}

Test(near, keeps_a_long_name_that_holds_the_wanted_one)
{
    static const char *const names[] = {"openai-production-europe", "x", NULL};
    check("production", names, "@", " Did you mean @openai-production-europe?");
}
