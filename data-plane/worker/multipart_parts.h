/* multipart_parts.h: hands out the contents of a form's named parts while the form flows through.
 *
 * Same reading as multipart.h, same refusals. Contents come in pieces, in order; bytes are borrowed
 * for the call. Holds MULTIPART_WATCH_BYTES, whatever the size of the form. One thread.
 */
#ifndef SLUICE_DATA_WORKER_MULTIPART_PARTS_H
#define SLUICE_DATA_WORKER_MULTIPART_PARTS_H

#include "data-plane/worker/multipart.h"

struct multipart_parts {
    struct str boundary;     /* borrows */
    const struct str *names; /* of the parts that are wanted; borrows */
    unsigned count;
    /* A piece of the part `which`; `end`: its last, maybe empty. Another status than ST_OK ends the
     * reading with it. */
    enum status (*content)(void *arg, unsigned which, struct str bytes, bool end);
    void *arg;
    bool begun, inside, closed; /* in a wanted part; behind the closing delimiter */
    unsigned which;
    size_t searched, given, kept;
    char keep[MULTIPART_WATCH_BYTES];
};

/* The bytes that follow. ST_OK, ST_INVALID (malformed), or what `content` said. */
MUST_USE enum status multipart_parts_feed(struct multipart_parts *parts, struct str bytes);
/* ST_INVALID: the form ended before its closing delimiter. */
MUST_USE enum status multipart_parts_end(const struct multipart_parts *parts);

#endif
