/* records.h: entities in the store: one row per live entity, its slug index, and the by_revision
 * row that the feed reads.
 *
 * Rows (KV_MAIN), all numbers big-endian:
 *   [kind 1][org 16][parent 16][id 16]
 *       -> {u16 kind, u16 version, u32 length, u64 revision, body}
 *   [kind|0x80][org 16][parent 16][BLAKE2b-128(slug) 16]
 *       -> org 16, parent 16, id 16
 *   [0x7F 'N'][kind 1][org 16][parent 16][id 16]
 *       -> the hashes it is indexed by, 16 each; the slug's first
 *   [0x7F 'I'][kind 1][org 16][id 16]
 *       -> parent 16   (kinds of record_locate)
 *   [0x7F 'R'][revision 8][kind 1][org 16][parent 16][id 16]
 *       -> u8 deleted   (one per live entity or tombstone)
 *   [0x7F 'D'][kind 1][org 16][parent 16][id 16]
 *       -> u64 revision of the tombstone, i64 deleted_at_ms
 * The body is the packed protobuf message of the kind (proto/catalog.proto); unknown fields survive
 * read-modify-write.
 * Invariant: record_put and record_delete keep all of them in step inside the caller's transaction;
 * nobody else writes them.
 *
 * Keys: an organisation's own record has org = id = its id, parent none. Organisation slugs and API
 * key hashes are unique in the whole store (their index has org and parent none, so org and parent
 * may be NULL in record_find); all other names per (org, parent). Kinds that are not in the feed
 * (object, node, node group, vault key, config version, session, invite) have no 'R' and 'D' rows.
 */
#ifndef SLUICE_CONTROL_STORE_RECORDS_H
#define SLUICE_CONTROL_STORE_RECORDS_H

#include <protobuf-c/protobuf-c.h>

#include "common/arena.h"
#include "common/id.h"
#include "control-plane/store/kv.h"
#include "proto/catalog.pb-c.h"

struct record_key {
    Sluice__Kind kind;
    struct id org, parent, id;
};

struct write_op; /* writer.h */

/* Unpacks the entity into the arena (freed with it; never call free_unpacked). `message` receives
 * the type that belongs to key->kind. `revision` may be NULL. ST_NOT_FOUND, ST_BAD_FORMAT,
 * ST_NO_MEMORY. */
MUST_USE enum status record_get(struct kv_txn *txn, const struct record_key *key,
                                struct arena *arena, void *message, uint64_t *revision);

/* The revision at which an entity was last written, without unpacking it. ST_NOT_FOUND,
 * ST_BAD_FORMAT. */
MUST_USE enum status record_stamp(struct kv_txn *txn, const struct record_key *key,
                                  uint64_t *revision);

/* True if there is a readable row. */
bool record_exists(struct kv_txn *txn, const struct record_key *key);

/* Index look-up. `name` is the slug (for API keys the 32-byte hash). Fills key->org/parent/id.
 * ST_NOT_FOUND. */
MUST_USE enum status record_find(struct kv_txn *txn, Sluice__Kind kind, const struct id *org,
                                 const struct id *parent, struct str name, struct record_key *key);

/* Finds an entity by id when its parent is not known: providers, API keys, configs, model rules,
 * nodes, delivery keys. ST_NOT_FOUND. */
MUST_USE enum status record_locate(struct kv_txn *txn, Sluice__Kind kind, const struct id *org,
                                   const struct id *id, struct record_key *key);

/* Id (UUID text) or slug, as every path segment and *_id may be either. parent NULL: any parent, by
 * id only, for the kinds of record_locate. ST_NOT_FOUND. */
MUST_USE enum status record_resolve(struct kv_txn *txn, Sluice__Kind kind, const struct id *org,
                                    const struct id *parent, struct str id_or_slug,
                                    struct record_key *key);

/* Writes an entity (new or changed) at op's revision. `slug` is its index name; p = NULL for kinds
 * without one. A changed slug moves the index. copies. ST_CONFLICT: the slug belongs to another
 * live entity of the same parent. ST_TOO_LARGE, ST_NO_MEMORY, ST_STORE_FULL, ST_IO. An operation
 * without revision may only write kinds that are not in the feed (CHECKed). */
MUST_USE enum status record_put(struct write_op *op, const struct record_key *key,
                                const void *message, struct str slug);
/* As record_put for an entity that exists, leaving its names as they are: for what changes a body
 * and does not know the slug's rule. ST_NOT_FOUND. */
MUST_USE enum status record_update(struct write_op *op, const struct record_key *key,
                                   const void *message);
/* A further index row of a live entity (an API key's second valid hash during rotation).
 * record_delete removes these too. ST_CONFLICT, ST_NOT_FOUND; record_index_remove: ST_NOT_FOUND,
 * also for the slug itself. */
MUST_USE enum status record_index_add(struct write_op *op, const struct record_key *key,
                                      struct str name);
MUST_USE enum status record_index_remove(struct write_op *op, const struct record_key *key,
                                         struct str name);

/* Removes the entity and its index and leaves a tombstone for the feed. With op->trash_org it is kept
 * in the trash. ST_NOT_FOUND. */
MUST_USE enum status record_delete(struct write_op *op, const struct record_key *key);
/* Writes a deleted entity again as it was, with the names whose hashes (16 bytes each) are given.
 * ST_CONFLICT: the entity is there, or one of its names belongs to another. For trash.c. */
MUST_USE enum status record_revive(struct write_op *op, const struct record_key *key,
                                   struct str names, struct str body);

/* Forgets tombstones older than `before_ms`, at most `max` in one operation; `left` says whether
 * some remain. A node that has an older revision than record_feed_floor must take a full copy.
 * Needs no revision of its own (may be no_revision). */
MUST_USE enum status record_purge(struct write_op *op, int64_t before_ms, size_t max, bool *left);
MUST_USE enum status record_feed_floor(struct kv_txn *txn, uint64_t *revision);

/* Walks the entities of one kind below (org, parent) in id order = order of creation. The cursor is
 * closed before its transaction ends; in a write transaction deleting while walking is fine. */
struct record_cursor;
MUST_USE enum status record_cursor_open(struct kv_txn *txn, Sluice__Kind kind, const struct id *org,
                                        const struct id *parent, struct record_cursor **cursor);
/* As record_cursor_open over all parents of the organisation, or with org = NULL over everything of
 * the kind. */
MUST_USE enum status record_cursor_open_org(struct kv_txn *txn, Sluice__Kind kind,
                                            const struct id *org, struct record_cursor **cursor);
/* Moves to the first entity with id > after (pages of a list); only for record_cursor_open. */
void record_cursor_after(struct record_cursor *cursor, const struct id *after);
/* Goes on behind `last`, for any cursor: a walk in several transactions. */
void record_cursor_after_key(struct record_cursor *cursor, const struct record_key *last);
/* Unpacks the next entity into `arena`; message NULL: only the key. revision may be NULL. ST_END.
 */
MUST_USE enum status record_cursor_next(struct record_cursor *cursor, struct arena *arena,
                                        struct record_key *key, void *message, uint64_t *revision);
void record_cursor_close(struct record_cursor *cursor);

/* The feed: calls `each` for changes with revision > after (and, at equal revision, key >
 * after_key), oldest first, until it returns other than ST_OK or `max_bytes` of bodies were given;
 * `more` says whether some remain. Deleted rows have body n = 0. */
struct record_change {
    uint64_t revision;
    struct record_key key;
    bool deleted;
    struct str body; /* borrowed */
};
#define RECORD_CHANGE_KEY 49 /* after_key: kind 1, org 16, parent 16, id 16 */
void record_change_key(const struct record_key *key, uint8_t bytes[RECORD_CHANGE_KEY]);
MUST_USE enum status
record_changes(struct kv_txn *txn, uint64_t after, struct str after_key, size_t max_bytes,
               enum status (*each)(void *arg, const struct record_change *change), void *arg,
               bool *more);

/* Newest revision committed. 0 in an empty store. */
MUST_USE enum status record_revision(struct kv_txn *txn, uint64_t *revision);
/* The store's id (new at init and at every restore). ST_NOT_FOUND in a store that was not
 * initialised. */
MUST_USE enum status record_store_id(struct kv_txn *txn, struct id *store_id);

/* The descriptor of a kind's message, for generic tools. NULL for a kind without one. */
const ProtobufCMessageDescriptor *record_descriptor(Sluice__Kind kind);

#endif
