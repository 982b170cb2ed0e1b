/* blob.h: files in a cloud's store, by "bucket/key": S3's and Google's.
 *
 * Owner: struct sim's objects. A job puts its output there before it is due: `shown_ms` keeps it
 * from callers until then.
 */
#ifndef SLUICE_TESTS_SIM_BLOB_H
#define SLUICE_TESTS_SIM_BLOB_H

#include "tests/sim/sim.h"

/* The blob that callers may see, or NULL. */
struct object *blob_find(struct sim *sim, enum object_kind kind, struct str id);
/* Stores `content` (copies), replacing what was there. NULL: no memory. */
struct object *blob_put(struct sim *sim, enum object_kind kind, struct str id, struct str content);
/* The same for a job's output, which callers see from `shown_ms` (monotonic) on. NULL: no memory.
 */
struct object *blob_put_later(struct sim *sim, enum object_kind kind, struct str id,
                              struct str content, int64_t shown_ms);
/* The id in "s3://bucket/key" or "gs://bucket/key", or p = NULL. Borrows. */
struct str blob_of_uri(struct str uri);

#endif
