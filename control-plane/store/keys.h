/* keys.h: building store keys. One fixed buffer, numbers big-endian, so that byte order is the
 * order of meaning.
 *
 * Layouts are drawn in records.h, audit/audit.h and ledger/ledger.h; the spaces are listed here so
 * that two modules cannot take the same one. A key never exceeds KV_KEY_MAX (CHECKed: the shapes
 * are ours). Pure; any thread.
 *
 *   first byte 0x01..0x7E   entity rows, the byte is the Kind
 *              0x7F         everything else, the second byte is an enum key_space
 *              0x80|kind    name index of that kind
 */
#ifndef SLUICE_CONTROL_STORE_KEYS_H
#define SLUICE_CONTROL_STORE_KEYS_H

#include "common/id.h"
#include "control-plane/store/kv.h"

#define KEY_META        0x7F
#define KEY_INDEX_BIT   0x80
#define KEY_HASH_BYTES  16 /* BLAKE2b-128 */
#define KEY_RECORD_TAIL 49 /* kind 1, org 16, parent 16, id 16 */

enum key_space {
    KEY_SPACE_AUDIT = 'A',     /* audit/audit.h */
    KEY_SPACE_DAY = 'B',       /* ledger/rollups.h: roll-ups by day */
    KEY_SPACE_HOUR = 'C',      /* ledger/rollups.h: roll-ups by hour */
    KEY_SPACE_TOMBSTONE = 'D', /* records.h */
    KEY_SPACE_GRANT = 'G',     /* ledger/book.h: counters and grants */
    KEY_SPACE_ID = 'I',        /* records.h: id -> parent */
    KEY_SPACE_ADJUST = 'J',    /* ledger/rerate.h */
    KEY_SPACE_IDEMPOTENCY = 'K', /* api/idempotency.h */
    KEY_SPACE_ALERT = 'L',     /* ledger/alerts.h */
    KEY_SPACE_META = 'M',      /* single rows: see enum key_meta */
    KEY_SPACE_NAMES = 'N',     /* records.h: names of an entity */
    KEY_SPACE_REVISION = 'R',  /* records.h: the feed */
    KEY_SPACE_TRASH = 'T',       /* trash.h: what was deleted lately */
    KEY_SPACE_WATERMARK = 'W', /* ledger/ledger.h */
};

/* Single rows: [0x7F 'M'][u8]. */
enum key_meta {
    KEY_META_FORMAT = 1,   /* migrate.h: u32 */
    KEY_META_STORE_ID = 2, /* 16 bytes */
    KEY_META_REVISION = 3, /* u64 */
    KEY_META_AUDIT = 4,    /* audit.h: u64 count, BLAKE2b-256 of the newest record */
    KEY_META_PURGED = 5,   /* records.h: u64, newest revision whose tombstone was purged */
    KEY_META_LEDGER = 6,   /* ledger.h: first day whose raw events are kept */
    KEY_META_ALERTS = 7,   /* alerts.h: u64, number of the newest alert */
    KEY_META_RESTORED = 8, /* migrate.h: i64 ms, when the store was made from a backup */
    KEY_META_RECOVERY = 9, /* ledger/recovery.h */
};

struct key {
    uint8_t b[KV_KEY_MAX];
    size_t n;
};

void key_init(struct key *key);
/* Begins with 0x7F and the space. */
void key_init_space(struct key *key, enum key_space space);
void key_init_meta(struct key *key, enum key_meta meta);
void key_add_u8(struct key *key, uint8_t value);
void key_add_u16(struct key *key, uint16_t value);
void key_add_u32(struct key *key, uint32_t value);
void key_add_u64(struct key *key, uint64_t value);
void key_add_id(struct key *key, const struct id *id);
void key_add_bytes(struct key *key, const void *p, size_t n);
/* BLAKE2b-128 of a slug or other name. */
void key_add_hash(struct key *key, struct str name);
void key_hash(struct str name, uint8_t hash[KEY_HASH_BYTES]);

/* borrows the key. */
static inline struct str key_str(const struct key *key)
{
    return (struct str){(const char *)key->b, key->n};
}

/* Steps to the smallest key that is greater than every key that begins with this one: where a
 * prefix ends. */
void key_after_prefix(struct key *key);

/* Big-endian numbers in rows. */
void key_put_u16(uint8_t *p, uint16_t value);
void key_put_u32(uint8_t *p, uint32_t value);
void key_put_u64(uint8_t *p, uint64_t value);
uint16_t key_get_u16(const void *p);
uint32_t key_get_u32(const void *p);
uint64_t key_get_u64(const void *p);

#endif
