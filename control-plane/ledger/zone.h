/* zone.h: an organisation's time zone: offsets from UTC by IANA name, from the system's TZif files
 * (package tzdata; RFC 8536).
 *
 * Periods of budgets begin at a local midnight; this is all that time zones are used for. A zone is
 * read once and kept as long as the process lives, so a newer tzdata counts from the next start on.
 * Threads: any; a lock inside, files are read under it. Limits: ZONE_MAX zones, ZONE_FILE_MAX bytes
 * of a file. Failure: nothing is kept of a file that cannot be believed.
 */
#ifndef SLUICE_CONTROL_ZONE_H
#define SLUICE_CONTROL_ZONE_H

#include "common/str.h"

#define ZONE_MAX      1024u
#define ZONE_NAME_MAX 64u
#define ZONE_FILE_MAX ((size_t)64 << 10)

struct zone;

/* Finds a zone by IANA name ("Europe/Berlin"); it lives as long as the process. "" and "UTC" give
 * NULL, which stands for UTC everywhere. ST_NOT_FOUND: no such zone. ST_BAD_FORMAT: a file that is
 * no TZif, or counts leap seconds. ST_TOO_LARGE (ZONE_MAX), ST_NO_MEMORY, ST_IO. */
MUST_USE enum status zone_open(struct str name, const struct zone **zone);

/* Local time minus UTC at an instant, in ms; of shape limit_period_end. zone NULL: 0. */
int64_t zone_offset_ms(const void *zone, int64_t utc_ms);

/* A number that tells zones apart by their names; 0 for UTC. */
uint64_t zone_mark(const struct zone *zone);

#endif
