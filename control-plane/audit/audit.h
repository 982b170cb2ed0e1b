/* audit.h: who changed what. Written by the writer thread inside the operation that made the
 * change; read by anybody.
 *
 * Rows (KV_MAIN): [0x7F 'A'][revision 8][index 2] -> packed AuditRecord (proto/catalog.proto)
 *                 [0x7F 'M'][audit]               -> u64 count, BLAKE2b-256 of the newest record
 * Each record carries the hash of the one before it, hash = BLAKE2b-256(key, packed record), so an
 * edited, dropped, added or moved record breaks the chain at that place, and a dropped tail
 * disagrees with the head row. before_json / after_json come from the caller with secrets masked;
 * nothing here knows a secret.
 */
#ifndef SLUICE_CONTROL_AUDIT_H
#define SLUICE_CONTROL_AUDIT_H

#include "control-plane/store/writer.h"

#define AUDIT_HASH_BYTES 32
#define AUDIT_KEY_BYTES  12
#define AUDIT_PER_OP_MAX 65535u

/* For the writer only: writes op->audits at op->revision; of an operation without revision, behind
 * the records of the newest one. ST_TOO_LARGE, ST_NO_MEMORY, ST_BAD_FORMAT, ST_STORE_FULL, ST_IO.
 */
MUST_USE enum status audit_append(struct write_op *op);
/* For the writer only: is there room behind the newest revision's records for op->audits? Otherwise
 * the operation takes a revision. ST_BAD_FORMAT, ST_IO. */
MUST_USE enum status audit_fits(struct write_op *op, bool *fits);

/* What a list shows; none and n = 0 mean "any". Times in unix milliseconds, start inclusive, end
 * exclusive, 0 = open. */
struct audit_filter {
    struct id org, workspace, actor, resource;
    int64_t start_ms, end_ms;
    struct str resource_type, action;
};

/* Where a list goes on; all zero = from the newest. */
struct audit_place {
    uint64_t revision;
    uint16_t index;
};

struct audit_page {
    Sluice__AuditRecord **records; /* in the arena, newest first */
    size_t count;
    bool more; /* go on at `place`; may be true with fewer than `limit` records (bounded scan) */
    struct audit_place place;
};

/* One page of at most `limit` (<= 1,000) records; scans at most 20,000 rows. Records live in
 * `arena`. ST_RANGE (limit), ST_BAD_FORMAT, ST_NO_MEMORY. */
MUST_USE enum status audit_list(struct kv_txn *txn, const struct audit_filter *filter,
                                const struct audit_place *from, size_t limit, struct arena *arena,
                                struct audit_page *page);

/* Checks the chain in steps, each in a short read transaction of the caller. Begin with a zeroed
 * struct. */
struct audit_check {
    struct audit_place next; /* first record not yet seen */
    uint64_t count;
    uint8_t hash[AUDIT_HASH_BYTES];
    bool done;
    bool intact;           /* valid when done */
    uint64_t bad_revision; /* where the chain breaks first, if not intact; 0: the end does not agree
                              with the head row */
};

/* Looks at up to `rows` further records. ST_NO_MEMORY. */
MUST_USE enum status audit_check_step(struct kv_txn *txn, size_t rows, struct audit_check *check);

#endif
