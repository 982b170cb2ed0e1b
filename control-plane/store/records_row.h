/* records_row.h: shapes of the record rows, shared by records.c and records_walk.c only. Pure
 * reads; no ownership.
 */
#ifndef SLUICE_CONTROL_STORE_RECORDS_ROW_H
#define SLUICE_CONTROL_STORE_RECORDS_ROW_H

#include "control-plane/store/keys.h"
#include "control-plane/store/records.h"

#define RECORD_VERSION     1u
#define RECORD_HEAD_BYTES  16u /* u16 kind, u16 version, u32 length, u64 revision */
#define RECORD_GRAVE_BYTES 16u /* u64 revision, i64 deleted_at_ms */

struct record_kind {
    const ProtobufCMessageDescriptor *descriptor;
    bool feed;   /* has 'R' and 'D' rows */
    bool global; /* its names are unique in the whole store */
    bool locate; /* has an 'I' row */
};

/* The row of a kind that has records (CHECKed). */
const struct record_kind *record_kind(Sluice__Kind kind);

void record_row_key(struct key *key, const struct record_key *record);
void record_space_key(struct key *key, enum key_space space, const struct record_key *record);
void record_revision_key(struct key *key, uint64_t revision, const struct record_key *record);
void record_hash_key(struct key *key, Sluice__Kind kind, const struct id *org,
                     const struct id *parent, const uint8_t hash[KEY_HASH_BYTES]);
void record_locate_key(struct key *key, Sluice__Kind kind, const struct id *org,
                       const struct id *id);
/* Reads the KEY_RECORD_TAIL bytes that name a record. */
void record_key_read(const char *tail, struct record_key *record);

struct record_head {
    uint64_t revision;
    struct str body; /* borrowed */
};

/* ST_BAD_FORMAT. */
MUST_USE enum status record_head_read(Sluice__Kind kind, struct str value,
                                      struct record_head *head);
/* ST_NOT_FOUND, ST_BAD_FORMAT. */
MUST_USE enum status record_head_get(struct kv_txn *txn, const struct record_key *record,
                                     struct record_head *head);

#endif
