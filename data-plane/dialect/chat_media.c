/* chat_media.c: images, documents and signatures on their way from one dialect to another (chat.h).
 *
 * Data stays where it stands: media point between the quotes of the caller's string, however long it
 * is. Only a string with escapes, and a text document in base64, is copied. A signature that must
 * pass through a dialect without a place for its origin carries the origin in front; what cannot be
 * split again is somebody else's and is never guessed at.
 */
#include <sodium.h>

#include "data-plane/dialect/chat.h"

enum status chat_data_url(struct str inner, struct str *mime, struct str *data)
{
    struct str head, rest = inner;
    if (!str_starts_nocase(inner, STR("data:")))
        return ST_INVALID;
    ptrdiff_t comma = str_find_char(inner, ',');
    if (comma < 0)
        return ST_INVALID;
    head = str_from(str_head(inner, (size_t)comma), 5);
    rest = str_from(inner, (size_t)comma + 1);
    ptrdiff_t mark = str_find(head, STR(";base64"));
    if (mark < 0 || (size_t)mark + 7 != head.n)
        return ST_INVALID;
    head = str_head(head, (size_t)mark);
    ptrdiff_t parameters = str_find_char(head, ';');
    *mime = parameters < 0 ? head : str_head(head, (size_t)parameters);
    *data = rest;
    return ST_OK;
}

enum status chat_inner(struct arena *arena, const struct json *node, struct str *inner)
{
    struct chat_text text = chat_text_of(node);
    struct str plain;
    if (chat_has(text) && node->escaped) {
        TRY(chat_text_plain(arena, text, &plain));
        text = chat_text_quote(arena, plain);
        if (!chat_has(text))
            return ST_NO_MEMORY;
    }
    *inner = chat_text_inner(text);
    return ST_OK;
}

enum status chat_media_url(struct arena *arena, const struct json *url, struct chat_media *media)
{
    struct str inner, mime, data;
    TRY(chat_inner(arena, url, &inner));
    *media = (struct chat_media){.source = CHAT_SOURCE_URL, .inner = inner};
    if (!str_starts_nocase(inner, STR("data:")))
        return ST_OK;
    TRY(chat_data_url(inner, &mime, &data));
    *media = (struct chat_media){.source = CHAT_SOURCE_DATA, .mime = mime, .inner = data};
    return ST_OK;
}

enum status chat_media_words(struct arena *arena, const struct chat_media *media,
                             struct chat_text *words)
{
    struct str data = media->inner;
    size_t n = 0;
    if (media->source == CHAT_SOURCE_TEXT) {
        const struct str pieces[] = {STR("\""), data, STR("\"")};
        words->raw = arena_join(arena, pieces, COUNT_OF(pieces));
        return words->raw.p == NULL ? ST_NO_MEMORY : ST_OK;
    }
    char *room = arena_alloc(arena, data.n + 1);
    if (room == NULL)
        return ST_NO_MEMORY;
    if (media->source != CHAT_SOURCE_DATA ||
        sodium_base642bin((unsigned char *)room, data.n, data.p, data.n, NULL, &n, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        !str_is_utf8(str_of(room, n)))
        return ST_INVALID;
    *words = chat_text_quote(arena, str_of(room, n));
    return chat_has(*words) ? ST_OK : ST_NO_MEMORY;
}

/* --- signatures */

static const struct str proofs[] = {[CHAT_PROOF_THINKING] = {".text.", 6},
                                    [CHAT_PROOF_REDACTED] = {".data.", 6},
                                    [CHAT_PROOF_CALL] = {".call.", 6}};

struct chat_text chat_proof_join(struct arena *arena, struct str origin, enum chat_proof proof,
                                 struct chat_text signature)
{
    const struct str pieces[] = {STR("\""), origin, proofs[proof], chat_text_inner(signature),
                                 STR("\"")};
    return (struct chat_text){arena_join(arena, pieces, COUNT_OF(pieces))};
}

bool chat_proof_split(struct chat_text joined, struct str *origin, enum chat_proof *proof,
                      struct arena *arena, struct chat_text *signature)
{
    struct str inner = chat_text_inner(joined);
    ptrdiff_t dot = str_find_char(inner, '.');
    for (size_t i = 0; dot > 0 && i < COUNT_OF(proofs); i++) {
        struct str rest = str_from(inner, (size_t)dot);
        if (!str_starts(rest, proofs[i]))
            continue;
        const struct str pieces[] = {STR("\""), str_from(rest, proofs[i].n), STR("\"")};
        signature->raw = arena_join(arena, pieces, COUNT_OF(pieces));
        *origin = str_head(inner, (size_t)dot);
        *proof = (enum chat_proof)i;
        return chat_has(*signature);
    }
    return false;
}
