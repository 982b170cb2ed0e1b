/* ticket_test.c: a ticket is good as a whole, for its kind, and for nothing else. */
#include "control-plane/auth/ticket.h"

#include <criterion/criterion.h>

static struct ticket make(enum ticket_kind kind)
{
    struct id org = {{1}}, subject = {{2}}, item = {{3}};
    struct ticket ticket;
    ticket_make(kind, &org, &subject, &item, &ticket);
    return ticket;
}

static struct str hash_of(const struct ticket *ticket, uint8_t hash[TICKET_HASH_BYTES])
{
    ticket_hash(ticket, hash);
    return str_of((const char *)hash, TICKET_HASH_BYTES);
}

Test(ticket, text_and_back)
{
    static const char *const prefixes[] = {"sls_", "sli_", "slr_"};
    for (unsigned kind = 0; kind < TICKET_KIND_COUNT; kind++) {
        struct ticket ticket = make((enum ticket_kind)kind), read;
        char text[TICKET_TEXT + 1];
        uint8_t hash[TICKET_HASH_BYTES];
        struct str stored = hash_of(&ticket, hash);
        ticket_to_text(&ticket, text);
        cr_expect_eq(strlen(text), TICKET_TEXT);
        cr_expect(str_starts(str_c(text), str_c(prefixes[kind])));
        for (unsigned other = 0; other < TICKET_KIND_COUNT; other++)
            cr_expect_eq(ticket_from_text((enum ticket_kind)other, str_c(text), &read), other == kind ? ST_OK : ST_INVALID);
        cr_assert_eq(ticket_from_text((enum ticket_kind)kind, str_c(text), &read), ST_OK);
        cr_expect(id_eq(&read.org, &ticket.org) && id_eq(&read.subject, &ticket.subject) && id_eq(&read.item, &ticket.item));
        cr_expect(ticket_fits(&read, stored));
        cr_expect_not(ticket_fits(&read, str_head(stored, 31)));
        cr_expect_not(ticket_fits(&read, STR_NONE));
    }
}

/* Any other character anywhere is another ticket, or none. */
Test(ticket, every_character_counts)
{
    struct ticket ticket = make(TICKET_SESSION), read;
    char text[TICKET_TEXT + 1];
    uint8_t hash[TICKET_HASH_BYTES];
    struct str stored = hash_of(&ticket, hash);
    ticket_to_text(&ticket, text);
    for (size_t i = 0; i < TICKET_TEXT; i++) {
        char before = text[i];
        text[i] = before == 'A' ? 'B' : 'A';
        cr_expect(ticket_from_text(TICKET_SESSION, str_c(text), &read) != ST_OK || !ticket_fits(&read, stored), "character %zu", i);
        text[i] = before;
    }
    cr_expect_eq(ticket_from_text(TICKET_SESSION, str_of(text, TICKET_TEXT - 1), &read), ST_INVALID);
}

/* The ids are under the hash: a ticket cannot be pointed at another record. */
Test(ticket, hash_covers_ids_and_kind)
{
    uint8_t hash[TICKET_HASH_BYTES];
    struct ticket ticket = make(TICKET_RESET);
    struct str stored = hash_of(&ticket, hash);
    struct ticket other = ticket;
    other.subject.b[15] ^= 1;
    cr_expect_not(ticket_fits(&other, stored));
    other = ticket;
    other.kind = TICKET_INVITE;
    cr_expect_not(ticket_fits(&other, stored));
    cr_expect(ticket_fits(&ticket, stored));
}

Test(ticket, guard_follows_from_the_secret)
{
    struct ticket a = make(TICKET_SESSION), b = make(TICKET_SESSION);
    char one[TICKET_GUARD_TEXT + 1], again[TICKET_GUARD_TEXT + 1], other[TICKET_GUARD_TEXT + 1];
    ticket_guard(&a, one);
    ticket_guard(&a, again);
    ticket_guard(&b, other);
    cr_expect_str_eq(one, again);
    cr_expect_str_neq(one, other);
    cr_expect_eq(strlen(one), TICKET_GUARD_TEXT);
}

Test(ticket, link_keeps_the_token_behind_the_hash_sign)
{
    struct ticket ticket = make(TICKET_INVITE), read;
    struct arena arena;
    arena_init(&arena, 4096);
    struct str link = ticket_link(&arena, STR("https://c.example//"), "invite", &ticket);
    cr_assert(str_starts(link, STR("https://c.example/#/invite?token=sli_")), STR_FMT, STR_ARG(link));
    cr_expect_eq(ticket_from_text(TICKET_INVITE, str_from(link, link.n - TICKET_TEXT), &read), ST_OK);
    arena_free(&arena);
}
