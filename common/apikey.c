/* apikey.c: see apikey.h.
 *
 * Invariant: the hash and the check are fixed for ever (their personalisations carry a version),
 * because stored keys are found by them. Nothing here keeps, logs or formats a key, but for its
 * masked form.
 */
#include "common/apikey.h"

#include <sodium.h>

#define APIKEY_PREFIX_BYTES (sizeof APIKEY_PREFIX - 1)
#define MASK_EDGE           4  /* characters shown at each end */
#define MASK_MIN            24 /* texts shorter than this show nothing */

_Static_assert(APIKEY_TEXT == 53, "the format is published");
_Static_assert(crypto_generichash_blake2b_PERSONALBYTES == 16, "sixteen characters below");

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void blake2b(struct str text, const char personal[17], uint8_t hash[APIKEY_HASH_BYTES])
{
    static const uint8_t no_salt[crypto_generichash_blake2b_SALTBYTES];
    CHECK(crypto_generichash_blake2b_salt_personal(hash, APIKEY_HASH_BYTES, (const uint8_t *)text.p,
                                                   text.n, NULL, 0, no_salt,
                                                   (const uint8_t *)personal) == 0);
}

void apikey_hash(struct str text, uint8_t hash[APIKEY_HASH_BYTES])
{
    blake2b(text, "sluice-api-key-0", hash);
}

/* text: prefix and body. */
static void make_check(struct str text, char check[APIKEY_CHECK])
{
    uint8_t hash[APIKEY_HASH_BYTES];
    blake2b(text, "sluice-keycheck0", hash);
    uint64_t bits = 0;
    for (size_t i = 0; i < 5; i++)
        bits = bits << 8 | hash[i];
    for (size_t i = 0; i < APIKEY_CHECK; i++)
        check[i] = alphabet[bits >> (34 - 6 * i) & 63];
}

void apikey_make_of(const uint8_t bytes[APIKEY_BYTES], char text[APIKEY_TEXT + 1])
{
    memcpy(text, APIKEY_PREFIX, APIKEY_PREFIX_BYTES);
    char *body = text + APIKEY_PREFIX_BYTES;
    CHECK(sodium_bin2base64(body, APIKEY_BODY + 1, bytes, APIKEY_BYTES,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING) != NULL);
    make_check(str_of(text, APIKEY_PREFIX_BYTES + APIKEY_BODY), body + APIKEY_BODY);
    text[APIKEY_TEXT] = '\0';
}

void apikey_make(char text[APIKEY_TEXT + 1])
{
    uint8_t random[APIKEY_BYTES];
    randombytes_buf(random, sizeof random);
    apikey_make_of(random, text);
    sodium_memzero(random, sizeof random);
}

bool apikey_is_ours(struct str text)
{
    if (text.n != APIKEY_TEXT || !str_starts(text, STR(APIKEY_PREFIX)))
        return false;
    for (size_t i = APIKEY_PREFIX_BYTES; i < text.n; i++)
        if (memchr(alphabet, text.p[i], sizeof alphabet - 1) == NULL)
            return false;
    char check[APIKEY_CHECK];
    make_check(str_head(text, APIKEY_TEXT - APIKEY_CHECK), check);
    return sodium_memcmp(check, text.p + APIKEY_TEXT - APIKEY_CHECK, APIKEY_CHECK) == 0;
}

bool apikey_has_prefix(struct str text)
{
    return str_starts_nocase(str_trim(text), STR(APIKEY_PREFIX));
}

bool apikey_is_inside(struct str text)
{
    struct str prefix = STR(APIKEY_PREFIX);
    for (size_t i = 0; i + prefix.n <= text.n; i++)
        if (str_starts_nocase(str_from(text, i), prefix))
            return true;
    return false;
}

static size_t put_visible(char *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        out[i] = text.p[i] > ' ' && text.p[i] < 0x7F ? text.p[i] : '?';
    return text.n;
}

void apikey_mask(struct str text, char masked[APIKEY_MASKED_TEXT + 1])
{
    size_t n = 0;
    bool shown = text.n >= MASK_MIN;
    if (shown && str_starts(text, STR(APIKEY_PREFIX)))
        n += put_visible(masked, str_head(text, APIKEY_PREFIX_BYTES + MASK_EDGE));
    else if (shown)
        n += put_visible(masked, str_head(text, MASK_EDGE));
    n += put_visible(masked + n, STR("..."));
    if (shown)
        n += put_visible(masked + n, str_from(text, text.n - MASK_EDGE));
    masked[n] = '\0';
}
