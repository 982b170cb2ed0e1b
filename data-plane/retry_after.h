/* retry_after.h: what a provider's answer says about when to come again.
 *
 * Headers, best first: retry-after-ms, x-ms-retry-after-ms (milliseconds), retry-after (seconds, or
 * an HTTP date; RFC 9110 section 10.2.3). A date is counted from the answer's own Date where it has
 * one, so that clocks need not agree. What cannot be read says nothing and the next one counts.
 * Pure.
 */
#ifndef SLUICE_DATA_RETRY_AFTER_H
#define SLUICE_DATA_RETRY_AFTER_H

#include "common/str.h"

#define RETRY_AFTER_MAX_MS INT64_C(31536000000) /* a year; more is said to be that */

/* Headers of one answer, as they come. Start with zeros. */
struct retry_after {
    bool has_wait[3]; /* by header, best first */
    int64_t wait_ms[3];
    bool has_at, has_date;
    int64_t at_ms, date_ms; /* unix milliseconds */
};

/* Looks at one header; the first of each name counts. now_ms: unix milliseconds. */
void retry_after_header(struct retry_after *after, struct str name, struct str value,
                        int64_t now_ms);

/* How long to wait, 0 or more. False: the answer does not say. */
bool retry_after_wait(const struct retry_after *after, int64_t now_ms, int64_t *wait_ms);

#endif
