/* json_digest.c: feeds a tree into a hash in one order (json_digest.h).
 *
 *   value = [type 1][length 8][text]        scalars; strings unescaped
 *         | [type 1][count 8] value*        arrays
 *         | [type 1][count 8] {[length 8][name] value}*, by the names' bytes   objects
 *
 * Invariant: what is fed for one value is never a prefix of what is fed for another, so two texts
 * have the same digest only if they say the same. Depth is bounded by the parser.
 */
#include "common/json_digest.h"

#include <stdlib.h>

static void feed(crypto_generichash_state *hash, const void *p, size_t n)
{
    crypto_generichash_update(hash, p, n);
}

static void feed_head(crypto_generichash_state *hash, enum json_type type, uint64_t n)
{
    uint8_t bytes[9] = {(uint8_t)type};
    for (size_t i = 0; i < 8; i++)
        bytes[1 + i] = (uint8_t)(n >> (8 * i));
    feed(hash, bytes, sizeof bytes);
}

static void feed_text(crypto_generichash_state *hash, enum json_type type, struct str text)
{
    feed_head(hash, type, text.n);
    if (text.n > 0)
        feed(hash, text.p, text.n);
}

static int by_name(const void *left, const void *right)
{
    const struct json *a = *(const struct json *const *)left,
                      *b = *(const struct json *const *)right;
    return str_cmp(a->key, b->key);
}

static enum status feed_value(struct arena *arena, const struct json *value,
                              crypto_generichash_state *hash);

static enum status feed_object(struct arena *arena, const struct json *object,
                               crypto_generichash_state *hash)
{
    const struct json **sorted = arena_calloc(arena, object->count, sizeof(const struct json *));
    size_t count = 0;
    if (sorted == NULL)
        return ST_NO_MEMORY;
    for (const struct json *member = object->first; member != NULL; member = member->next)
        sorted[count++] = member;
    qsort(sorted, count, sizeof(const struct json *), by_name);
    feed_head(hash, JSON_OBJECT, count);
    for (size_t i = 0; i < count; i++) {
        feed_text(hash, JSON_STRING, sorted[i]->key);
        TRY(feed_value(arena, sorted[i], hash));
    }
    return ST_OK;
}

static enum status feed_value(struct arena *arena, const struct json *value,
                              crypto_generichash_state *hash)
{
    struct str text = value->raw;
    switch (value->type) {
    case JSON_OBJECT:
        return feed_object(arena, value, hash);
    case JSON_ARRAY:
        feed_head(hash, JSON_ARRAY, value->count);
        for (const struct json *item = value->first; item != NULL; item = item->next)
            TRY(feed_value(arena, item, hash));
        return ST_OK;
    case JSON_STRING:
        TRY(json_text(value, arena, &text));
        break;
    default:
        break;
    }
    feed_text(hash, value->type, text);
    return ST_OK;
}

enum status json_digest(struct arena *arena, struct str json, size_t max_nodes,
                        crypto_generichash_state *hash)
{
    struct json_limits limits = {.max_nodes = max_nodes};
    struct json *root;
    TRY(json_parse(arena, json, &limits, &root, NULL));
    return feed_value(arena, root, hash);
}
