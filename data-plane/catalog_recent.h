/* catalog_recent.h: rows that were looked up lately, so that a busy key or model costs no search and no hash.
 *
 *   [256 places, one per hash of what was asked] -> {asked, snapshot, answer}
 *
 * An answer holds for the one snapshot (LMDB's transaction id) in which it was found: its bytes stand in the map, and a reader of the
 * same snapshot finds them there, because a page is used again only when no newer reader could see it. Another snapshot empties all
 * places at once, by not matching. Owner: the catalog. One thread. Fixed memory, no failure.
 */
#ifndef SLUICE_DATA_CATALOG_RECENT_H
#define SLUICE_DATA_CATALOG_RECENT_H

#include "common/id.h"

#define CATALOG_RECENT_PLACES 256
#define CATALOG_RECENT_ASKED  128 /* longer questions are not kept */

struct catalog_recent_row {
    uint64_t snapshot;
    size_t asked_n; /* 0: empty */
    enum status status; /* ST_OK, ST_NOT_FOUND */
    struct str record;
    uint8_t asked[CATALOG_RECENT_ASKED];
};

struct catalog_recent {
    struct catalog_recent_row rows[CATALOG_RECENT_PLACES];
};

/* Puts a question into one piece of text; false if it is too long to be kept. `how`: what kind of look-up it is. */
struct catalog_asked {
    size_t n;
    uint64_t hash;
    uint8_t bytes[CATALOG_RECENT_ASKED];
};
bool catalog_recent_ask(struct catalog_asked *asked, uint8_t how, uint8_t kind, const struct id *org, const struct id *parent,
                        struct str name);

/* True if the answer is known in this snapshot. */
bool catalog_recent_get(const struct catalog_recent *recent, const struct catalog_asked *asked, uint64_t snapshot,
                        enum status *status, struct str *record);
/* Keeps an answer: ST_OK with its record, or ST_NOT_FOUND. Other statuses are not kept. */
void catalog_recent_put(struct catalog_recent *recent, const struct catalog_asked *asked, uint64_t snapshot,
                        enum status status, struct str record);

#endif
