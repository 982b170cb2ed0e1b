/* clock.h: the only place that reads a clock.
 *
 * Durations and deadlines use clock_mono_*; wall time is the control plane's (ARCHITECTURE section 8) and serves
 * periods, effective dates and records only. A node keeps an offset to the control plane's UTC (clock_set_offset)
 * and asks clock_utc_ms. clock_utc_ms never goes back within a process. Thread-safe. Tests may set both clocks.
 */
#ifndef SLUICE_COMMON_CLOCK_H
#define SLUICE_COMMON_CLOCK_H

#include "common/str.h"

#define CLOCK_TEXT 24 /* 2026-11-21T07:55:25.000Z without NUL */

int64_t clock_mono_ns(void);
int64_t clock_mono_ms(void);
/* CLOCK_REALTIME, unix milliseconds, as the machine says. */
int64_t clock_wall_ms(void);
/* The control plane's UTC: wall time + offset, clamped never to step back. Unix milliseconds. */
int64_t clock_utc_ms(void);
/* offset_ms: control plane's UTC minus this machine's wall time. */
void clock_set_offset(int64_t offset_ms);

/* For tests: from now on both clocks stand at these values and move by clock_test_advance only. */
void clock_test_set(int64_t mono_ns, int64_t wall_ms);
void clock_test_advance(int64_t ms);

/* RFC 3339 in UTC with milliseconds and Z, NUL-terminated. Years 1970 to 9999. */
void clock_to_text(int64_t unix_ms, char text[CLOCK_TEXT + 1]);
/* Reads RFC 3339 with any zone offset, 'T' or ' ', fraction optional; also a plain date (00:00 UTC). ST_INVALID. */
MUST_USE enum status clock_from_text(struct str text, int64_t *unix_ms);
/* HTTP date (RFC 9110 IMF-fixdate), NUL-terminated, 29 characters. */
void clock_to_http(int64_t unix_ms, char text[30]);

/* Proleptic Gregorian civil date <-> days since 1970-01-01. month 1..12, day 1..31. */
int64_t clock_days_from_civil(int64_t year, unsigned month, unsigned day);
void clock_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day);

#endif
