/* fault.h: what a request asks the simulator to do wrong (or slowly), as text.
 *
 *   spec  = item *(";" item)        item = name [":" number]
 *   names and ranges: the table in fault.c, explained in README.md
 *
 * A spec comes in the request header x-sim-fault, or behind the words "sim:fault=" anywhere in a
 * JSON body or a form field (then it ends at the first byte that is not [a-z0-9:;-]). Pure; nothing
 * here allocates.
 */
#ifndef SLUICE_TESTS_SIM_FAULT_H
#define SLUICE_TESTS_SIM_FAULT_H

#include "common/str.h"

#define FAULT_MAGIC     "sim:fault="
#define FAULT_NONE      (-1)          /* of the counts below: not asked for */
#define FAULT_BYTES_MAX (64 << 20)    /* of a reply's text */
#define FAULT_MS_MAX    (3600 * 1000) /* of any delay */

struct fault {
    int64_t status;         /* answer with this HTTP status and OpenAI's error body */
    int64_t retry_after;    /* seconds, in a retry-after header beside `status` */
    int64_t retry_date;     /* the same as an HTTP date so many seconds away */
    int64_t retry_after_ms; /* milliseconds, in a retry-after-ms header beside `status` */
    int64_t reset;          /* 1: RST before any byte of the reply */
    int64_t
        reset_after; /* RST after so many content chunks (not streamed: after half of the reply) */
    int64_t hang;    /* 1: never a byte of the reply */
    int64_t hang_after;  /* silence after so many content chunks */
    int64_t garbage;     /* 1: 200, application/json, and a body that is no JSON */
    int64_t gzip;        /* 1: the reply, if not streamed, is gzip-encoded */
    int64_t slow;        /* bytes per second, all of the reply */
    int64_t error_event; /* an error event inside the stream after so many content chunks */
    int64_t truncate;    /* FIN after so many content chunks, without the end of the stream */
    int64_t chunks;      /* content chunks of a stream */
    int64_t interval;    /* milliseconds between content chunks */
    int64_t bytes;       /* length of the answer's text */
    int64_t latency;     /* milliseconds before the first byte of the reply */
    int64_t first;       /* all of the above holds for the first so many equal requests only */
    int64_t cached;      /* prompt tokens reported as cached (at most all) */
    int64_t cache_write; /* prompt tokens reported as written to a cache (at most all) */
    int64_t reasoning;   /* completion tokens reported as reasoning, added to the completion */
    int64_t calls;       /* how often each chosen function is called */
    int64_t preface;     /* 1: words come before the calls */
    int64_t refuse;      /* 1: the answer ends as one that a safety rule stopped */
    int64_t block;       /* 1: a safety rule stops the request itself */
};

void fault_init(struct fault *fault);
/* Reads a spec into *fault (set completely). ST_INVALID for an unknown name, a missing or excess
 * number, out of range. */
MUST_USE enum status fault_parse(struct str spec, struct fault *fault);
/* The spec behind the last FAULT_MAGIC in `text`; p = NULL when there is none. Borrows. */
struct str fault_find(struct str text);

#endif
