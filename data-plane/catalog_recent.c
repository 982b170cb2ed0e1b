/* catalog_recent.c: a direct-mapped table. A request asks for the same handful of rows as the one before it: key, workspace,
 * provider, integration, access, rules, model. Searching them costs a hash per name and two descents of the tree per row (1.7 us of
 * 35 us a request); here it costs one comparison.
 *
 * Invariant: a row answers only the very question and snapshot it was kept for. Must never: keep bytes of its own, or an answer
 * that could change within a snapshot.
 */
#include "data-plane/catalog_recent.h"

/* FNV-1a over words: the names are the admin's, so a crowd of equal hashes costs time that the search would cost as well. */
static uint64_t mix(uint64_t hash, const void *p, size_t n)
{
    const uint8_t *at = p;
    for (; n >= 8; at += 8, n -= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x100000001B3);
        hash ^= hash >> 29;
    }
    for (; n > 0; at++, n--)
        hash = (hash ^ *at) * UINT64_C(0x100000001B3);
    return hash ^ hash >> 32;
}

bool catalog_recent_ask(struct catalog_asked *asked, uint8_t how, uint8_t kind, const struct id *org, const struct id *parent,
                        struct str name)
{
    size_t n = 2 + 2 * ID_BYTES;
    if (name.n > CATALOG_RECENT_ASKED - n)
        return false;
    asked->bytes[0] = how;
    asked->bytes[1] = kind;
    memcpy(asked->bytes + 2, org->b, ID_BYTES);
    memcpy(asked->bytes + 2 + ID_BYTES, parent->b, ID_BYTES);
    if (name.n > 0)
        memcpy(asked->bytes + n, name.p, name.n);
    asked->n = n + name.n;
    asked->hash = mix(UINT64_C(0xCBF29CE484222325), asked->bytes, asked->n);
    return true;
}

bool catalog_recent_get(const struct catalog_recent *recent, const struct catalog_asked *asked, uint64_t snapshot,
                        enum status *status, struct str *record)
{
    const struct catalog_recent_row *row = &recent->rows[asked->hash % CATALOG_RECENT_PLACES];
    if (row->asked_n != asked->n || row->snapshot != snapshot || memcmp(row->asked, asked->bytes, asked->n) != 0)
        return false;
    *status = row->status;
    if (row->status == ST_OK)
        *record = row->record;
    return true;
}

void catalog_recent_put(struct catalog_recent *recent, const struct catalog_asked *asked, uint64_t snapshot,
                        enum status status, struct str record)
{
    struct catalog_recent_row *row = &recent->rows[asked->hash % CATALOG_RECENT_PLACES];
    if (status != ST_OK && status != ST_NOT_FOUND)
        return;
    row->snapshot = snapshot;
    row->asked_n = asked->n;
    row->status = status;
    row->record = status == ST_OK ? record : STR_NONE;
    memcpy(row->asked, asked->bytes, asked->n);
}
