/* json_merge.h: one JSON object laid over another, as text.
 *
 *   base {"a":1,"m":{"x":1,"y":2}}   over {"m":{"y":3},"b":[2]}   ->
 * {"a":1,"m":{"x":1,"y":3},"b":[2]}
 *
 * Members of `over` win; where both sides hold an object the two are merged in turn, everything
 * else (arrays, null) is replaced as a whole. The order is base's, then what only `over` has. What
 * is kept comes out byte for byte. One pass over each object of base that is merged; members of
 * `over` are bounded because each of them is compared with each of base's.
 */
#ifndef SLUICE_COMMON_JSON_MERGE_H
#define SLUICE_COMMON_JSON_MERGE_H

#include "common/arena.h"
#include "common/buf.h"

#define JSON_MERGE_MEMBERS_MAX 256 /* of any object of `over` that is merged */

/* base, over: validated objects; borrowed. Appends the merged object to `out`; the arena holds what
 * is needed meanwhile. ST_TOO_LARGE (members, or out's cap), ST_NO_MEMORY; `out` is then
 * incomplete.
 */
MUST_USE enum status json_merge(struct arena *arena, struct buf *out, struct str base,
                                struct str over);

#endif
