/* eventstream.h: an incremental splitter of AWS event streams (application/vnd.amazon.eventstream).
 *
 *   u32 bytes of all | u32 bytes of headers | u32 CRC-32 of these 8 bytes
 *   headers: u8 length, name, u8 type, value | payload | u32 CRC-32 of all before
 *
 * Bytes go in as they come; whole messages come out, their checksums proved. A message that lies
 * whole in the bytes just fed is not copied. Owner: whoever called eventstream_init. One thread.
 * Failure: a status, and the stream is over; nothing of a damaged message is ever shown.
 * Limits: EVENTSTREAM_MESSAGE_MAX bytes a message, EVENTSTREAM_HEADERS_MAX of them headers.
 * Source: smithy.io, "Amazon Event Stream specification".
 */
#ifndef SLUICE_DATA_EVENTSTREAM_H
#define SLUICE_DATA_EVENTSTREAM_H

#include "common/buf.h"

#define EVENTSTREAM_MESSAGE_MAX (4u * 1024u * 1024u)
#define EVENTSTREAM_HEADERS_MAX (128u * 1024u)

struct eventstream {
    struct buf pending; /* the beginning of a message */
    size_t wanted;      /* how long it is, or its prelude while that is not whole */
};

enum eventstream_kind {
    EVENTSTREAM_EVENT,     /* name: :event-type */
    EVENTSTREAM_EXCEPTION, /* name: :exception-type; the payload says more */
    EVENTSTREAM_ERROR,     /* name: :error-code; text: :error-message */
};

/* Borrowed for the call only. */
struct eventstream_message {
    enum eventstream_kind kind;
    struct str name, text, payload;
};

void eventstream_init(struct eventstream *stream);
void eventstream_free(struct eventstream *stream);
/* Feeds bytes and calls `each` per whole message; the rest is lost when it returns false. ST_OK,
 * ST_NO_MEMORY, ST_TOO_LARGE (a message above the limit), ST_UPSTREAM_BROKEN (a checksum, a length,
 * a header), ST_CLOSED (each returned false). */
MUST_USE enum status
eventstream_feed(struct eventstream *stream, const char *p, size_t n,
                 bool (*each)(void *arg, const struct eventstream_message *message), void *arg);

#endif
