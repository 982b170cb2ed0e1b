/* id.h: 16-byte identifiers. UUIDv7 (RFC 9562), made by the control plane; text only at the edges.
 * All-zero is "none". Ordering by bytes is ordering by time of creation.
 */
#ifndef SLUICE_COMMON_ID_H
#define SLUICE_COMMON_ID_H

#include "common/str.h"

#define ID_BYTES 16
#define ID_TEXT  36 /* 8-4-4-4-12 without NUL */

struct id {
    uint8_t b[ID_BYTES];
};

#define ID_NONE ((struct id){{0}})

static inline bool id_eq(const struct id *a, const struct id *b)
{
    return memcmp(a->b, b->b, ID_BYTES) == 0;
}

static inline bool id_is_none(const struct id *id)
{
    static const struct id none = {{0}};
    return id_eq(id, &none);
}

/* Makes a UUIDv7: 48 bits of unix milliseconds, 12 bits that count up within one millisecond, 62 random bits.
 * Strictly increasing within a process. Thread-safe. */
struct id id_new(void);

/* The id of something that has the same name everywhere: BLAKE2b-128 over domain and name ("provider-type/", "openai"). */
struct id id_named(struct str domain, struct str name);

/* Lower-case 8-4-4-4-12 text, NUL-terminated. */
void id_to_text(const struct id *id, char text[ID_TEXT + 1]);
/* Accepts 8-4-4-4-12, either case. ST_INVALID otherwise. */
MUST_USE enum status id_from_text(struct str text, struct id *id);
/* 16 raw bytes -> id. ST_INVALID for another length. */
MUST_USE enum status id_from_bytes(struct str bytes, struct id *id);

static inline struct str id_bytes(const struct id *id)
{
    return (struct str){(const char *)id->b, ID_BYTES};
}

#endif
