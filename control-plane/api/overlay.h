/* overlay.h: the store as one operation would leave it, without that operation being made.
 *
 * The operation runs on the writer thread, what it changed is copied out, and it is undone; readers
 * then ask the overlay first. Only kinds of the feed are in it (records.h). Everything is in the
 * arena that was given. NULL stands for the store as it is. Any thread.
 */
#ifndef SLUICE_CONTROL_API_OVERLAY_H
#define SLUICE_CONTROL_API_OVERLAY_H

#include "control-plane/store/records.h"
#include "control-plane/store/writer.h"

struct overlay_row {
    struct record_key key;
    bool deleted;
    struct str body;
};

struct overlay {
    struct arena *arena;
    struct overlay_row *rows; /* by key */
    size_t count, room;
};

/* Copies what the running operation has changed so far. ST_NO_MEMORY, store statuses. */
MUST_USE enum status overlay_collect(struct write_op *op, struct arena *arena,
                                     struct overlay *overlay);

/* NULL: untouched. */
const struct overlay_row *overlay_find(const struct overlay *overlay, const struct record_key *key);

/* As record_get, as it would be. */
MUST_USE enum status overlay_get(const struct overlay *overlay, struct kv_txn *txn,
                                 const struct record_key *key, struct arena *arena, void *message);

#endif
