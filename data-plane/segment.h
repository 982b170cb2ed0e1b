/* segment.h: the one shared-memory segment of a gateway host (sealed memfd, fd 4), and the rule of who writes what.
 *
 *   [struct segment_head: 4 KiB]                     master writes layout and `ending`, courier writes `status`
 *   [column 0][column 1]...[column N-1]              one per living worker; a successor gets a fresh column
 *   column = [struct column_head][metrics u64 x 256][done ring][free ring][slots: slot_count x 1 KiB]
 *   ring   = u32 slot numbers, slot_count rounded up to a power of two; a slot is in at most one ring, once
 *
 * No word has two writers except column_head.state during hand-over (master, when the worker is dead).
 * A slot is reservation, in-flight mark and usage event in one:
 *
 *   FREE -worker-> RESERVED -worker-> SENT -worker-> DONE -courier (after fdatasync)-> JOURNALED -worker-> FREE
 *                     |                  `--- worker died: courier makes it DONE (outcome DIED) and journals it
 *                     `--- not sent: worker sets FREE; worker died: courier sets FREE
 *
 * `state` is written last with release order and read first with acquire order. The rings only say where to look; the states
 * are the truth, and a column whose worker died is scanned. A column goes UNUSED -master-> LIVE -master, worker dead-> DEAD
 * -courier, all journaled-> UNUSED.
 *
 * Any worker can write anywhere in it, and a worker parses strangers' bytes: readers outside of it keep the layout in their own
 * memory (struct segment), check every number they take from here, and copy a slot before they look at it.
 */
#ifndef SLUICE_DATA_SEGMENT_H
#define SLUICE_DATA_SEGMENT_H

#include <stdatomic.h>

#include "common/id.h"

#define SEGMENT_MAGIC        0x534C5347u
#define SEGMENT_VERSION      1u
#define SEGMENT_METRICS      256
#define SEGMENT_SLOT_BYTES   1024
#define SEGMENT_MAX_COLUMNS  256
#define SEGMENT_COUNTERS_MAX 16 /* limits that one attempt may reserve from */

enum slot_state { SLOT_FREE, SLOT_RESERVED, SLOT_SENT, SLOT_DONE, SLOT_JOURNALED };

enum slot_outcome {
    SLOT_OUTCOME_OK,
    SLOT_OUTCOME_PROVIDER_ERROR,
    SLOT_OUTCOME_TIMEOUT,
    SLOT_OUTCOME_CLIENT_GONE,
    SLOT_OUTCOME_BROKEN,
    SLOT_OUTCOME_DIED,
};

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

struct slot_usage {
    uint64_t input_tokens, output_tokens, cached_tokens, cache_write_tokens, reasoning_tokens;
    uint64_t audio_input_tokens, audio_output_tokens, images, audio_ms, characters;
};

struct slot_reserve {
    uint32_t counter; /* index in the node's counter table */
    uint32_t epoch;
    int64_t amount;
};

struct slot {
    _Atomic uint32_t state; /* enum slot_state */
    uint32_t outcome;       /* enum slot_outcome */
    struct attempt_id attempt;
    struct id org, workspace, provider, integration, api_key, user, request_id;
    uint64_t revision;
    int64_t reserved_utc_ms, settled_utc_ms;
    uint32_t op; /* enum op */
    uint32_t http_status;
    uint32_t source; /* Sluice__UsageSource */
    uint8_t stream, unpriced, model_n, priced_model_n, trace_n, object_n, object_kind_n, reserve_count;
    uint8_t strict; /* a strict limit holds: what is charged without usage is called bound, not estimated */
    struct slot_usage usage;
    struct slot_usage bound; /* reserved for; recorded if the usage never comes, with the cost below as set when reserved */
    uint64_t duration_us, first_byte_us;
    int64_t cost_nanousd, charge_nanousd;
    struct slot_reserve reserves[SEGMENT_COUNTERS_MAX];
    char model[96], priced_model[64], trace[64], object_kind[16];
    char object[120]; /* ids of objects the attempt made or showed as made, a blank between */
};
_Static_assert(sizeof(struct slot) <= SEGMENT_SLOT_BYTES, "a slot is 1 KiB");

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
};

struct segment_head {
    uint32_t magic, version;
    uint32_t workers, columns, slot_count;
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
    uint32_t workers, columns, slot_count, ring_count;
};

/* master: makes the memfd (sealed against size changes) for `workers` with 2 columns each. gives. ST_NO_MEMORY, ST_IO. */
MUST_USE enum status segment_create(uint32_t workers, uint32_t slot_count, const struct id *node, uint64_t boot,
                                    struct segment *segment);
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

/* --- worker side (slots.c): O(1), no system call ------------------------------------------------------------------ */
struct slots; /* a worker's view of its column: free list in private memory. Opened once per assigned column */
MUST_USE enum status slots_open(const struct segment *segment, uint32_t column, struct slots **slots);
void slots_close(struct slots *slots);
/* Takes a FREE slot, mints its attempt id, sets RESERVED. ST_OVERLOADED: none free. */
MUST_USE enum status slots_reserve(struct slots *slots, struct slot **slot);
void slots_mark_sent(struct slots *slots, struct slot *slot);
/* RESERVED -> FREE: nothing was sent. */
void slots_cancel(struct slots *slots, struct slot *slot);
/* SENT -> DONE, and tells the courier. True if its doorbell must be rung (send IPC_DONE). */
MUST_USE bool slots_settle(struct slots *slots, struct slot *slot);
/* Frees what the courier journaled. Call once per loop turn. */
void slots_collect(struct slots *slots);
uint32_t slots_free_count(const struct slots *slots);

/* --- courier side ------------------------------------------------------------------------------------------------- */
/* A courier that starts says so for every LIVE column before it takes anything. */
void slots_take_over(const struct segment *segment, uint32_t column);
/* Up to `max` DONE slots of a column in order; the same ones again until slots_mark_journaled moves on. Behind a courier that
 * died some may be JOURNALED already (slots_is_journaled): not to be written again, but to be marked with the others. */
size_t slots_take_done(const struct segment *segment, uint32_t column, struct slot **out, size_t max);
bool slots_is_journaled(const struct slot *slot);
/* DONE -> JOURNALED for the first `count` that slots_take_done gave, after fdatasync. */
void slots_mark_journaled(const struct segment *segment, uint32_t column, struct slot *const *slots, size_t count);
/* Tells the worker whether to ring (IPC_DONE). After setting true, look once more before sleeping. */
void slots_courier_sleeps(const struct segment *segment, uint32_t column, bool sleeps);
/* The worker of this column is dead: RESERVED -> FREE, SENT -> DONE with outcome DIED and the bound as usage. Gives up to `max`
 * slots that must be journaled; 0 = none is left. The caller marks them with slots_mark_recovered. */
size_t slots_recover(const struct segment *segment, uint32_t column, int64_t utc_ms, struct slot **out, size_t max);
void slots_mark_recovered(struct slot *const *slots, size_t count);

#endif
