/* Seals: what does not match in every respect does not open. */
#include "common/seal.h"

#include <criterion/criterion.h>

#define OK(expr) cr_assert_eq((expr), ST_OK, "%s", #expr)

static struct arena arena;
static struct secret *key;
static struct id key_id;
static struct seal_scope scope;
static struct str box;

static void begin(void)
{
    arena_init(&arena, 1 << 22);
    OK(secret_random(SEAL_KEY_BYTES, &key));
    key_id = id_new();
    scope = (struct seal_scope){.org = id_new(),
                                .owner = id_new(),
                                .field = "secrets",
                                .version = 3,
                                .hosts = STR("a.example,b.example")};
    OK(seal_box(&arena, key, &key_id, &scope, STR("{\"key\":\"sk-1\"}"), &box));
}

static void end(void)
{
    secret_free(key);
    arena_free(&arena);
}

static enum status try_open(struct secret *with, const struct seal_scope *where, struct str what)
{
    struct secret *plain = NULL;
    enum status status = seal_open(with, where, what, &plain);
    cr_assert_eq(status == ST_OK, plain != NULL);
    secret_free(plain);
    return status;
}

Test(seal, opens_where_it_belongs, .init = begin, .fini = end)
{
    struct secret *plain;
    struct id got;
    char out[64];
    size_t n;
    cr_assert_eq(box.n, SEAL_OVERHEAD_BYTES + 14);
    OK(seal_key_id(box, &got));
    cr_assert(id_eq(&got, &key_id));
    OK(seal_open(key, &scope, box, &plain));
    cr_assert(str_eq(secret_open(plain), STR("{\"key\":\"sk-1\"}")));
    secret_close(plain);
    secret_free(plain);
    OK(seal_open_into(key, &scope, box, out, &n));
    cr_assert(str_eq(str_of(out, n), STR("{\"key\":\"sk-1\"}")));
    OK(seal_box(&arena, key, &key_id, &scope, STR(""), &box));
    OK(seal_open_into(key, &scope, box, out, &n));
    cr_assert_eq(n, 0);
}

Test(seal, does_not_open_elsewhere, .init = begin, .fini = end)
{
    struct seal_scope wrong[10];
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        wrong[i] = scope;
    wrong[0].org = id_new();
    wrong[1].owner = id_new();
    wrong[2].field = "delivery_key";
    wrong[3].version = 2; /* rolled back */
    wrong[4].version = 4;
    wrong[5].hosts = STR("a.example"); /* host taken away */
    wrong[6].hosts = STR("a.example,b.example,evil.example");
    wrong[7].hosts = STR("");
    wrong[8].field = "secretsa.example,b.example"; /* bytes moved between fields */
    wrong[8].hosts = STR("");
    wrong[9].org = scope.owner; /* swapped */
    wrong[9].owner = scope.org;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        cr_assert_eq(try_open(key, &wrong[i], box), ST_BAD_SEAL, "row %zu", i);
    OK(try_open(key, &scope, box));
}

Test(seal, another_key_or_another_box, .init = begin, .fini = end)
{
    struct secret *other;
    struct str foreign;
    OK(secret_random(SEAL_KEY_BYTES, &other));
    cr_assert_eq(try_open(other, &scope, box), ST_BAD_SEAL);
    struct seal_scope theirs = scope;
    theirs.org = id_new();
    OK(seal_box(&arena, key, &key_id, &theirs, STR("{\"key\":\"sk-2\"}"), &foreign));
    cr_assert_eq(try_open(key, &scope, foreign), ST_BAD_SEAL);
    secret_free(other);
}

Test(seal, every_byte_counts, .init = begin, .fini = end)
{
    char copy[SEAL_OVERHEAD_BYTES + 14], out[64];
    size_t n = 0;
    for (size_t i = 0; i < box.n; i++) {
        memcpy(copy, box.p, box.n);
        copy[i] = (char)(copy[i] ^ 1);
        memset(out, 'x', sizeof out);
        cr_assert_eq(seal_open_into(key, &scope, str_of(copy, box.n), out, &n), ST_BAD_SEAL,
                     "byte %zu", i);
        cr_assert(out[0] == 'x' || out[0] == 0);
    }
    for (size_t cut = 0; cut < box.n; cut++)
        cr_assert_eq(try_open(key, &scope, str_head(box, cut)), ST_BAD_SEAL, "cut %zu", cut);
}

Test(seal, too_large_and_no_room, .init = begin, .fini = end)
{
    static char big[(1 << 20) + 1];
    struct arena small;
    arena_init(&small, 16);
    cr_assert_eq(seal_box(&arena, key, &key_id, &scope, str_of(big, sizeof big), &box),
                 ST_TOO_LARGE);
    cr_assert_eq(seal_box(&small, key, &key_id, &scope, STR("some text"), &box), ST_NO_MEMORY);
    arena_free(&small);
}

Test(seal, to_a_node_and_no_other, .init = begin, .fini = end)
{
    uint8_t pk[SEAL_PK_BYTES], other_pk[SEAL_PK_BYTES];
    struct secret *sk, *other_sk, *plain;
    OK(seal_keypair(pk, &sk));
    OK(seal_keypair(other_pk, &other_sk));
    OK(seal_to(&arena, pk, key, &box));
    OK(seal_open_from(pk, sk, box, &plain));
    cr_assert(str_eq(secret_open(plain), secret_open(key)));
    secret_close(plain);
    secret_close(key);
    secret_free(plain);
    cr_assert_eq(seal_open_from(other_pk, other_sk, box, &plain), ST_BAD_SEAL);
    cr_assert_eq(seal_open_from(pk, sk, str_head(box, 40), &plain), ST_BAD_SEAL);
    cr_assert_eq(seal_open_from(pk, sk, str_head(box, box.n - 1), &plain), ST_BAD_SEAL);
    secret_free(sk);
    secret_free(other_sk);
}
