/* ticket.c: see ticket.h.
 *
 * Invariant: prefixes, layout and personalisations are fixed, because tickets outlive the process
 * that made them. The guard is a hash of its own personalisation, so it tells nothing about the
 * ticket and the ticket's stored hash tells nothing about it. Must never log a ticket.
 */
#include "control-plane/auth/ticket.h"

#include <sodium.h>

#define TICKET_PREFIX_BYTES 4u
#define TICKET_BASE64       sodium_base64_VARIANT_URLSAFE_NO_PADDING

_Static_assert(sodium_base64_ENCODED_LEN(TICKET_BYTES, TICKET_BASE64) ==
                   TICKET_TEXT - TICKET_PREFIX_BYTES + 1,
               "the text's length is published");
_Static_assert(sodium_base64_ENCODED_LEN(TICKET_HASH_BYTES, TICKET_BASE64) == TICKET_GUARD_TEXT + 1,
               "the guard's length is published");

static const struct {
    const char *prefix, *personal;
} kinds[TICKET_KIND_COUNT] = {
    [TICKET_SESSION] = {"sls_", "sluice-session-0"},
    [TICKET_INVITE] = {"sli_", "sluice-invite--0"},
    [TICKET_RESET] = {"slr_", "sluice-reset---0"},
};

static void flatten(const struct ticket *ticket, uint8_t bytes[TICKET_BYTES])
{
    memcpy(bytes, ticket->org.b, ID_BYTES);
    memcpy(bytes + ID_BYTES, ticket->subject.b, ID_BYTES);
    memcpy(bytes + 2 * ID_BYTES, ticket->item.b, ID_BYTES);
    memcpy(bytes + 3 * ID_BYTES, ticket->secret, sizeof(ticket->secret));
}

static void blake2b(const struct ticket *ticket, const char *personal,
                    uint8_t hash[TICKET_HASH_BYTES])
{
    static const uint8_t no_salt[crypto_generichash_blake2b_SALTBYTES];
    uint8_t bytes[TICKET_BYTES];
    flatten(ticket, bytes);
    CHECK(crypto_generichash_blake2b_salt_personal(hash, TICKET_HASH_BYTES, bytes, sizeof(bytes),
                                                   NULL, 0, no_salt,
                                                   (const uint8_t *)personal) == 0);
    sodium_memzero(bytes, sizeof(bytes));
}

void ticket_make(enum ticket_kind kind, const struct id *org, const struct id *subject,
                 const struct id *item, struct ticket *ticket)
{
    *ticket = (struct ticket){.kind = kind, .org = *org, .subject = *subject, .item = *item};
    randombytes_buf(ticket->secret, sizeof(ticket->secret));
}

void ticket_to_text(const struct ticket *ticket, char text[TICKET_TEXT + 1])
{
    uint8_t bytes[TICKET_BYTES];
    flatten(ticket, bytes);
    memcpy(text, kinds[ticket->kind].prefix, TICKET_PREFIX_BYTES);
    (void)sodium_bin2base64(text + TICKET_PREFIX_BYTES, TICKET_TEXT - TICKET_PREFIX_BYTES + 1,
                            bytes, sizeof(bytes), TICKET_BASE64);
    sodium_memzero(bytes, sizeof(bytes));
}

enum status ticket_from_text(enum ticket_kind kind, struct str text, struct ticket *ticket)
{
    uint8_t bytes[TICKET_BYTES];
    size_t n;
    if (text.n != TICKET_TEXT || !str_starts(text, str_c(kinds[kind].prefix)) ||
        sodium_base642bin(bytes, sizeof(bytes), text.p + TICKET_PREFIX_BYTES,
                          text.n - TICKET_PREFIX_BYTES, NULL, &n, NULL, TICKET_BASE64) != 0 ||
        n != sizeof(bytes))
        return ST_INVALID;
    *ticket = (struct ticket){.kind = kind};
    memcpy(ticket->org.b, bytes, ID_BYTES);
    memcpy(ticket->subject.b, bytes + ID_BYTES, ID_BYTES);
    memcpy(ticket->item.b, bytes + 2 * ID_BYTES, ID_BYTES);
    memcpy(ticket->secret, bytes + 3 * ID_BYTES, sizeof(ticket->secret));
    sodium_memzero(bytes, sizeof(bytes));
    return ST_OK;
}

void ticket_hash(const struct ticket *ticket, uint8_t hash[TICKET_HASH_BYTES])
{
    blake2b(ticket, kinds[ticket->kind].personal, hash);
}

bool ticket_fits(const struct ticket *ticket, struct str stored)
{
    uint8_t hash[TICKET_HASH_BYTES];
    ticket_hash(ticket, hash);
    return stored.n == sizeof(hash) && sodium_memcmp(stored.p, hash, sizeof(hash)) == 0;
}

void ticket_guard(const struct ticket *ticket, char text[TICKET_GUARD_TEXT + 1])
{
    uint8_t hash[TICKET_HASH_BYTES];
    blake2b(ticket, "sluice-csrf----0", hash);
    (void)sodium_bin2base64(text, TICKET_GUARD_TEXT + 1, hash, sizeof(hash), TICKET_BASE64);
}

struct str ticket_link(struct arena *arena, struct str url, const char *place,
                       const struct ticket *ticket)
{
    char text[TICKET_TEXT + 1];
    while (url.n > 0 && url.p[url.n - 1] == '/')
        url.n--;
    ticket_to_text(ticket, text);
    struct str link = arena_printf(arena, STR_FMT "/#/%s?token=%s", STR_ARG(url), place, text);
    sodium_memzero(text, sizeof(text));
    return link;
}
