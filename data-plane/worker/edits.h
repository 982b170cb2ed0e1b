/* edits.h: small changes of a long text: collected, then spliced in one pass.
 *
 * For request bodies, which pass byte for byte where nothing must change. Owner: whoever called
 * edits_init; further room comes from the arena. Edits must not overlap. Limit: EDITS_MAX.
 */
#ifndef SLUICE_DATA_WORKER_EDITS_H
#define SLUICE_DATA_WORKER_EDITS_H

#include "common/arena.h"

#define EDITS_MAX    4096u
#define EDITS_INLINE 16u

struct edit {
    size_t at, cut; /* replace `cut` bytes at `at` */
    struct str with;
};

struct edits {
    struct arena *arena;
    struct edit *items; /* in order of `at` */
    size_t count, room;
    enum status failed; /* the first edit that could not be kept */
    struct edit first[EDITS_INLINE];
};

void edits_init(struct edits *edits, struct arena *arena);
/* Borrows `with`. An edit too many, or without memory, makes edits_apply fail. */
void edits_add(struct edits *edits, size_t at, size_t cut, struct str with);
/* The changed text in the arena; `text` itself if there are no edits. ST_NO_MEMORY, ST_TOO_LARGE.
 */
MUST_USE enum status edits_apply(const struct edits *edits, struct str text, struct str *out);

/* Cuts a member (from the quote of its name to the end of its value) out of the object in `text`,
 * with one of the commas beside it. */
void edits_cut_member(struct edits *edits, struct str text, struct str member);

#endif
