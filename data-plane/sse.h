/* sse.h: an incremental splitter of server-sent events (WHATWG HTML, section 9.2): lines ended by LF, CR LF or CR.
 *
 * Bytes go in as they come; whole events come out with their exact raw bytes (terminating blank line included), so that an
 * untouched event is passed on untouched, and with the concatenated data lines. One event may be at most max_bytes; a longer one
 * is given as SSE_OVERSIZE pieces that are passed on unread. Owner: whoever called sse_init. One thread.
 */
#ifndef SLUICE_DATA_SSE_H
#define SLUICE_DATA_SSE_H

#include "common/buf.h"

#define SSE_EVENT_MAX (1024u * 1024u)

struct sse {
    struct buf pending; /* the beginning of an event */
    struct buf data;    /* joined data lines, when there is more than one */
    bool oversize;
    size_t scanned;     /* bytes of pending already searched for the end */
};

struct sse_event {
    struct str raw;  /* exact bytes */
    struct str name; /* event: value; n = 0 */
    struct str data; /* data: value, lines joined by LF; p = NULL if the event has none (a comment) */
    bool oversize;
};

void sse_init(struct sse *sse);
void sse_free(struct sse *sse);
/* Feeds bytes and calls `each` per whole event; stops early when it returns false (the rest is kept). ST_OK, ST_NO_MEMORY,
 * ST_CLOSED (each returned false). */
MUST_USE enum status sse_feed(struct sse *sse, const char *p, size_t n, bool (*each)(void *arg, const struct sse_event *event),
                              void *arg);
/* What is left at the end of the stream: bytes of an event that never ended. */
struct str sse_rest(const struct sse *sse);

#endif
