/* sim.h: everything one simulator process has. One thread; made by main.c, lives as long as the
 * process. */
#ifndef SLUICE_TESTS_SIM_SIM_H
#define SLUICE_TESTS_SIM_SIM_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/id.h"
#include "tests/sim/fault.h"
#include "tests/sim/loop.h"
#include "tests/sim/objects.h"
#include "tests/sim/options.h"
#include "tests/sim/tls.h"
#include "tests/sim/truth.h"

#define SIM_FIRST_ROWS  1024 /* faults with `first` that are counted at once; the table wraps */
#define SIM_CACHED_ROWS 4096 /* entries of the prompt cache; the table wraps */
#define SIM_TEXT_MAX    (96 << 20)

struct sim_stats {
    uint64_t accepted, open_connections,
        open_streams; /* streams: replies of unknown length under way */
    uint64_t requests, completed, aborted,
        broken; /* ended: well, by the client, by a fault of ours */
    uint64_t bytes_in, bytes_out, prompt_tokens, completion_tokens;
};

struct sim_first_row {
    uint64_t hash, seen;
};

/* One entry of the prompt cache (talk.h). */
struct sim_cached {
    uint64_t hash;
    int64_t ttl_ms, expires_ms; /* monotonic */
};

struct sim {
    struct options options;
    struct loop loop;
    SSL_CTX *tls;
    struct loop_watch listener;
    struct truth truth;
    struct objects objects;
    struct sim_stats stats;
    struct buf scratch; /* of one stream step */
    struct sim_first_row first[SIM_FIRST_ROWS];
    size_t first_next;
    struct sim_cached cached[SIM_CACHED_ROWS];
    size_t cached_next;
};

/* A text that proves that `text` came from this simulator: base64 of `seed` and a MAC of both; in
 * an arena, p = NULL when there is no memory. The same in every process. */
struct str sim_sign(struct arena *arena, struct str text, uint64_t seed);
/* Whether `signature` was made for `text`. */
bool sim_is_signed(struct str text, struct str signature);

/* Adds an id such as "resp_" + 32 hexadecimal digits: unique over processes. */
void sim_add_id(struct buf *buf, const char *prefix);
/* The same as text in an arena; p = NULL when there is no memory. */
struct str sim_make_id(struct arena *arena, const char *prefix);
/* 64 well mixed bits of a text: the source of all "random" content. */
uint64_t sim_hash(struct str text, uint64_t seed);
/* Unix seconds, for the `created` fields. */
int64_t sim_now_s(void);
/* Whether this is among the first `limit` requests with this hash. */
bool sim_is_among_first(struct sim *sim, uint64_t hash, uint64_t limit);

#endif
