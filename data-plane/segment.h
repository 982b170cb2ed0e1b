/* segment.h: the one shared-memory segment of a gateway host (sealed memfd, fd 4), and the rule of who writes what.
 *
 *   [struct segment_head: 4 KiB]                     master writes layout and `ending`, courier writes `status`
 *   [struct counter x counter_count]                 courier: one row per (counter, epoch) that this host takes from
 *   [column 0][column 1]...[column N-1]              one per living worker; a successor gets a fresh column
 *   column = [struct column_head][metrics u64 x 256][done ring][free ring][accounts][breaker][slots: slot_count x 1 KiB]
 *   ring   = u32 slot numbers, slot_count rounded up to a power of two; a slot is in at most one ring, once
 *   breaker = struct breaker_column: how this worker's attempts went (breaker.h); read by all workers, by nobody else
 *   accounts = struct account x counter_count: this worker's share of the counter in the same row of the table
 *
 * No word has two writers except column_head.state during hand-over (master, when the worker is dead). What is a worker's
 * becomes the courier's when the worker is dead, until the column is UNUSED again.
 * The rings only say where to look; the states of slots (slot.h) are the truth, and a column whose worker died is scanned.
 * A column goes UNUSED -master-> LIVE -master, worker dead-> DEAD -courier, all journaled, accounts closed-> UNUSED.
 *
 * What a host holds of a counter. All totals only grow, so a death between two writes loses nothing:
 *
 *   control plane -granted-> row -given-> accounts        row.granted, account.given: courier
 *   control plane <-returned- row <-returned- accounts    row.returned: courier; account.returned: worker
 *   an account can reserve  given - returned - spent - (what its slots that are not FREE have reserved or were charged)
 *   the row can give        granted + adopted - returned + base - sum over all columns of (given - returned)
 *
 * Accounts are never set back: a column or a row that is used again goes on from where its totals stand (`base` remembers
 * what was spent before the row's present use). A row is used for another counter only when no account uses it.
 *
 * Any worker can write anywhere in it, and a worker parses strangers' bytes: readers outside of it keep the layout in their own
 * memory (struct segment), check every number they take from here, and copy a slot before they look at it.
 */
#ifndef SLUICE_DATA_SEGMENT_H
#define SLUICE_DATA_SEGMENT_H

#include "data-plane/breaker.h"
#include "data-plane/slot.h"

#define SEGMENT_MAGIC        0x534C5347u
#define SEGMENT_VERSION      3u
#define SEGMENT_METRICS      256
#define SEGMENT_SLOT_BYTES   SLOT_BYTES
#define SEGMENT_MAX_COLUMNS  256
#define SEGMENT_COUNTERS_MAX 65535u

/* {node 16, boot u64, worker epoch u32, n u64}; 36 bytes big-endian, 48 base64url characters as x-client-request-id. */
struct attempt_id {
    struct id node;
    uint64_t boot;
    uint32_t epoch;
    uint64_t n;
};
#define ATTEMPT_ID_BYTES 36
#define ATTEMPT_ID_TEXT  48
void attempt_id_pack(const struct attempt_id *id, uint8_t bytes[ATTEMPT_ID_BYTES]);
void attempt_id_to_text(const struct attempt_id *id, char text[ATTEMPT_ID_TEXT + 1]);

/* --- counters ------------------------------------------------------------------------------------------------------ */

/* FREE -> LIVE <-> CLOSING (workers let go of it as their requests end) -> LEAVING (the control plane is told) -> FREE. */
enum counter_state { COUNTER_FREE, COUNTER_LIVE, COUNTER_CLOSING, COUNTER_LEAVING };

enum counter_verdict {
    COUNTER_UNHEARD,   /* the control plane has not answered yet */
    COUNTER_OPEN,
    COUNTER_EXHAUSTED, /* used up, or what is left cannot cover what was asked for */
    COUNTER_SCARCE,    /* asked back from other hosts: look again at retry_at_ms */
    COUNTER_GONE,      /* no such limit any more: nothing is counted */
};

#define COUNTER_KEEPER_NONE UINT32_MAX

/* One (counter, epoch). Written by the courier only. */
struct counter {
    _Alignas(256) _Atomic uint32_t state; /* enum counter_state */
    _Atomic uint32_t generation;          /* 1..65535: another with every use of the row */
    struct id id;                         /* limit_counter_id */
    _Atomic uint64_t epoch;               /* 0 = not told yet */
    uint8_t level, measure, window;       /* limit.h */
    _Atomic uint32_t verdict;             /* enum counter_verdict, of the last reply */
    _Atomic int64_t limit, settled, outstanding; /* of the last reply, over all hosts */
    _Atomic int64_t ends_ms;              /* control plane's UTC at which the epoch ends; 0 = never */
    _Atomic int64_t lease_until_ms;       /* monotonic; rates and concurrency admit nothing from then on; 0 = no lease */
    _Atomic int64_t heard_ms;             /* monotonic, of the last reply; 0 = none */
    _Atomic int64_t retry_at_ms;          /* monotonic; 0 = not said */
    _Atomic int64_t value, anew_ms;       /* of the definition that was last asked for */
    _Atomic uint32_t recall;              /* grows: accounts other than the keeper's return what they have not reserved */
    _Atomic uint32_t recall_keeper;       /* column that keeps its share; COUNTER_KEEPER_NONE: none */
    _Atomic int64_t granted, returned;    /* towards the control plane */
    _Atomic int64_t adopted;              /* charged before the epoch was told: the control plane adds it to that epoch by itself */
    _Atomic int64_t base;                 /* sum of given - returned over all columns when this use of the row began */
};
_Static_assert(sizeof(struct counter) == 256, "a row");

/* A worker's share of one row. */
struct account {
    _Alignas(64) _Atomic int64_t given; /* courier */
    _Atomic int64_t returned, spent;    /* worker */
    _Atomic int64_t want, need; /* worker: values of `given` at which it had plenty, at which a waiting request could go */
    _Atomic int64_t held;       /* worker: what its slots have reserved, for others to know what it could return */
    _Atomic uint32_t uses;      /* worker: generation of the row that it uses; 0 = none */
};
_Static_assert(sizeof(struct account) == 64, "no two accounts share a cache line");

/* A fold in progress: the values that account.spent will have. `valid` is written last. */
struct slot_redo {
    _Atomic uint32_t valid;
    uint32_t slot, count;
    uint32_t row[SLOT_RESERVES_MAX];
    int64_t spent[SLOT_RESERVES_MAX];
};

/* --- columns ------------------------------------------------------------------------------------------------------- */

enum column_state { COLUMN_UNUSED, COLUMN_LIVE, COLUMN_DRAINING, COLUMN_DEAD };

#define COLUMN_SANDBOX_SECCOMP          1u
#define COLUMN_SANDBOX_LANDLOCK_FILES   2u
#define COLUMN_SANDBOX_LANDLOCK_NETWORK 4u

struct column_head {
    _Atomic uint32_t state;
    uint32_t worker;      /* position 0..workers-1 */
    uint32_t epoch;       /* of the worker that owns it: grows with every start on this boot */
    int32_t pid;
    _Atomic uint64_t next_n;       /* worker: attempts minted */
    _Atomic uint64_t heartbeat_ns; /* worker: CLOCK_MONOTONIC at the start of its turn */
    _Atomic uint64_t longest_turn_us;
    _Atomic uint32_t ready;        /* worker: serving */
    _Atomic uint32_t sandbox;      /* worker: COLUMN_SANDBOX_* layers in force */
    _Atomic uint32_t open_connections, open_requests;
    _Alignas(64) _Atomic uint64_t done_head;  /* worker: pushed */
    _Alignas(64) _Atomic uint64_t done_tail;  /* courier: taken */
    _Alignas(64) _Atomic uint64_t free_head;  /* courier: pushed after fdatasync */
    _Alignas(64) _Atomic uint64_t free_tail;  /* worker: taken */
    _Alignas(64) _Atomic uint32_t courier_sleeps; /* courier: ring the doorbell (ipc IPC_DONE) when set */
    struct slot_redo redo;                        /* worker */
};

struct segment_status { /* courier writes, everybody reads */
    _Atomic uint64_t revision;        /* applied */
    _Atomic uint64_t newest_revision; /* known at the control plane */
    _Atomic uint32_t has_catalog;
    _Atomic uint32_t link_up;
    _Atomic int64_t last_contact_mono_ms;
    _Atomic int64_t utc_offset_ms;    /* control plane's UTC minus this host's wall time */
    _Atomic uint64_t journal_pending;
    _Atomic uint32_t revoked;
    _Atomic uint32_t catalog_epoch; /* 0: no file yet; grows when a new file takes the old one's place: workers must be replaced */
    _Atomic uint32_t catalog_busy;   /* courier: inside an operation on the catalog file */
    _Atomic uint32_t catalog_deaths; /* couriers in a row that died there */
    _Atomic uint32_t counters_high;  /* rows from here on were never used */
    _Atomic uint32_t counters_tight; /* the table is full: workers let go of rows that they do not need now */
};

struct segment_head {
    uint32_t magic, version;
    uint32_t workers, columns, slot_count, counter_count;
    uint64_t bytes;
    struct id node;
    uint64_t boot;
    _Atomic uint32_t ending; /* master: the whole gateway ends, so its ports are given up and not kept for successors */
    struct segment_status status;
};

/* One process's mapping. The numbers are its own copy of the layout. */
struct segment {
    struct segment_head *head;
    size_t bytes;
    int fd;
    uint32_t workers, columns, slot_count, ring_count, counter_count;
};

/* master: makes the memfd (sealed against size changes) for `workers` with 2 columns each. gives. ST_BAD_FORMAT (a count out of
 * range), ST_NO_MEMORY, ST_IO. */
MUST_USE enum status segment_create(uint32_t workers, uint32_t slot_count, uint32_t counter_count, const struct id *node,
                                    uint64_t boot, struct segment *segment);
/* children: maps an inherited descriptor and proves its layout. ST_BAD_FORMAT, ST_IO. */
MUST_USE enum status segment_map(int fd, struct segment *segment);
/* Unmaps and closes. */
void segment_close(struct segment *segment);

/* master: gives an UNUSED column to a worker about to be started: empty rings, all slots FREE, LIVE. ST_OVERLOADED: none is unused. */
MUST_USE enum status segment_assign(const struct segment *segment, uint32_t worker, uint32_t epoch, uint32_t *column);
/* master: the worker of this column is dead. */
void segment_retire(const struct segment *segment, uint32_t column);
/* courier: nothing is left in a DEAD column. */
void segment_release(const struct segment *segment, uint32_t column);

struct column_head *segment_column(const struct segment *segment, uint32_t column);
uint64_t *segment_metrics(const struct segment *segment, uint32_t column);
enum segment_ring { SEGMENT_RING_DONE, SEGMENT_RING_FREE };
_Atomic uint32_t *segment_ring(const struct segment *segment, uint32_t column, enum segment_ring ring);
struct slot *segment_slot(const struct segment *segment, uint32_t column, uint32_t index);
struct counter *segment_counter(const struct segment *segment, uint32_t row);
struct account *segment_account(const struct segment *segment, uint32_t column, uint32_t row);
struct breaker_column *segment_breaker(const struct segment *segment, uint32_t column);
/* Rows that may ever have been used: [0, n). Bounded by the table whatever stands in the segment. */
uint32_t segment_counters_used(const struct segment *segment);

#endif
