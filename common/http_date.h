/* http_date.h: reads the dates of HTTP headers, in the three forms a recipient must know (RFC 9110
 * section 5.6.7). Writing one is clock_to_http (clock.h). Pure.
 */
#ifndef SLUICE_COMMON_HTTP_DATE_H
#define SLUICE_COMMON_HTTP_DATE_H

#include "common/str.h"

/* now_ms (unix milliseconds) settles the century of two-digit years: one that would lie more than
 * 50 years ahead is past. The day of the week is not compared with the date. ST_INVALID. */
MUST_USE enum status http_date_read(struct str text, int64_t now_ms, int64_t *unix_ms);

#endif
