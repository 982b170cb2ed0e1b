/* talk.h: a request's prompt as a row of blocks: counted by the rule of usage.h, and looked up in
 * the simulated provider's prompt cache.
 *
 * Owner: the handler's arena. An API adds its blocks in the order in which the model reads them,
 * and marks those at which the cache may break. The cache belongs to struct sim: entries are known
 * by a hash of everything before them, of the model and of the credential, so nobody reads
 * another's prompt.
 *
 *   blocks   |---|---|-------|--|-----|---------|
 *   marks              1h                5m      ^ asked now
 *   before   ==========X                            an entry of an earlier request: read
 *   now      ----------......................       the rest up to the last mark: written
 */
#ifndef SLUICE_TESTS_SIM_TALK_H
#define SLUICE_TESTS_SIM_TALK_H

#include "tests/sim/call.h"

#define TALK_5M_MS (5 * 60 * 1000)
#define TALK_1H_MS (60 * 60 * 1000)

struct talk_block {
    uint64_t hash, tokens; /* of all that stands before its end */
    int64_t ttl_ms;        /* 0: no mark */
};

struct talk {
    struct call *call;
    struct talk_block *blocks;
    size_t count, room;
    uint64_t hash, tokens;
    struct str said; /* the text of the last message */
    bool failed;     /* no memory */
};

/* The call's model and credential are known by now. */
void talk_begin(struct talk *talk, struct call *call);
/* One more message begins: USAGE_MESSAGE tokens, and nothing has been said in it. */
void talk_message(struct talk *talk, struct str role);
/* Tells the next block from others that say the same. Borrows. */
void talk_mix(struct talk *talk, struct str what);
/* One more block of so many tokens; `what` is all that tells it from another. Borrows. */
void talk_block(struct talk *talk, struct str what, uint64_t tokens);
/* The same for words, which also become part of what was said. */
void talk_text(struct talk *talk, struct str text);
/* The cache may break behind the last block. */
void talk_mark(struct talk *talk, int64_t ttl_ms);
/* Reads and writes the cache; prefixes below `min_tokens` are not cached. Sets prompt and the
 * figures of the cache. ST_NO_MEMORY when any step had none. */
MUST_USE enum status talk_count(struct talk *talk, uint64_t min_tokens, struct usage *usage);

#endif
