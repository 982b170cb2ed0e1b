/* multipart_parts.c: a window over a form that flows through.
 *
 *   keep:  [ in front | given | not given yet | where a delimiter may still begin ]
 *                             ^given          ^searched - 4
 *
 * Invariant: a byte of a wanted part is handed out once it is certain to be content, and before the
 * delimiter behind it has been seen whole by anybody else. Must never: copy a content as a whole,
 * or read a form otherwise than multipart.c does.
 */
#include "data-plane/worker/multipart_parts.h"

#include "data-plane/worker/multipart_internal.h"

static struct str window(const struct multipart_parts *parts)
{
    return str_of(parts->keep, parts->kept);
}

static enum status give(struct multipart_parts *parts, size_t until, bool end)
{
    if (!parts->inside || (until <= parts->given && !end))
        return ST_OK;
    struct str bytes = str_of(parts->keep + parts->given, until - parts->given);
    parts->given = until;
    parts->inside = !end;
    return parts->content(parts->arg, parts->which, bytes, end);
}

static enum status enter(struct multipart_parts *parts, size_t begin)
{
    struct multipart_part part = {.wanted = false};
    for (unsigned i = 0; i < parts->count && !part.wanted; i++) {
        TRY(multipart_read_part(window(parts), parts->boundary, begin, parts->names[i], &part));
        parts->which = i;
    }
    parts->inside = part.wanted;
    parts->searched = parts->given = part.content;
    return ST_OK;
}

/* As far as the window shows. ST_AGAIN: more bytes are needed. */
static enum status advance(struct multipart_parts *parts)
{
    struct multipart_delimiter here;
    if (!parts->begun)
        TRY(multipart_check_start(window(parts), parts->boundary));
    parts->begun = true;
    while (!parts->closed) {
        enum status status =
            multipart_find_delimiter(window(parts), parts->boundary, &parts->searched, &here);
        if (status == ST_AGAIN && parts->searched > 4)
            TRY(give(parts, parts->searched - 4, false));
        TRY(status);
        TRY(give(parts, here.begin, true));
        parts->closed = here.close;
        if (!here.close)
            TRY(enter(parts, here.end));
    }
    return ST_OK;
}

static void drop(struct multipart_parts *parts)
{
    size_t stay = parts->boundary.n + 6;
    size_t n = parts->searched > stay ? parts->searched - stay : 0;
    if (parts->inside && n > parts->given)
        n = parts->given;
    memmove(parts->keep, parts->keep + n, parts->kept - n);
    parts->kept -= n;
    parts->searched -= n;
    parts->given = parts->given > n ? parts->given - n : 0;
}

enum status multipart_parts_feed(struct multipart_parts *parts, struct str bytes)
{
    while (bytes.n > 0 && !parts->closed) {
        size_t room = MULTIPART_WATCH_BYTES - parts->kept;
        size_t take = bytes.n < room ? bytes.n : room;
        if (take == 0)
            return ST_INVALID;
        memcpy(parts->keep + parts->kept, bytes.p, take);
        parts->kept += take;
        bytes = str_from(bytes, take);
        enum status status = advance(parts);
        if (status != ST_OK && status != ST_AGAIN)
            return status;
        drop(parts);
    }
    return ST_OK;
}

enum status multipart_parts_end(const struct multipart_parts *parts)
{
    return parts->closed ? ST_OK : ST_INVALID;
}
