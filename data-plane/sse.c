/* sse.c: see sse.h.
 *
 *   bytes -> [pending: the event that has no end yet] -> raw event -> fields
 *
 * An event ends with the first empty line. Events that lie whole in the bytes just fed are not copied. Invariant: the raw bytes of all
 * events, in order, plus sse_rest, are the bytes fed.
 */
#include "data-plane/sse.h"

void sse_init(struct sse *sse)
{
    *sse = (struct sse){.oversize = false};
    buf_init(&sse->pending, SSE_EVENT_MAX);
    buf_init(&sse->data, SSE_EVENT_MAX);
}

void sse_free(struct sse *sse)
{
    buf_free(&sse->pending);
    buf_free(&sse->data);
}

struct str sse_rest(const struct sse *sse)
{
    return buf_str(&sse->pending);
}

/* Length of the line at p without its end; *step is the length with it, 0 if the end is not here yet. A CR as the very last byte is
 * undecided: an LF may follow. */
static size_t line_length(const char *p, size_t n, size_t *step)
{
    const char *lf = n == 0 ? NULL : memchr(p, '\n', n);
    size_t span = lf == NULL ? n : (size_t)(lf - p);
    const char *cr = span == 0 ? NULL : memchr(p, '\r', span);
    *step = 0;
    if (cr != NULL) {
        size_t at = (size_t)(cr - p);
        if (at + 1 < n)
            *step = at + (p[at + 1] == '\n' ? 2 : 1);
        return at;
    }
    if (lf != NULL)
        *step = span + 1;
    return span;
}

/* Length of the first whole event in p[0..n), or 0. *scanned moves to the start of the last unfinished line. */
static size_t event_length(const char *p, size_t n, size_t *scanned)
{
    size_t at = *scanned;
    while (at < n) {
        size_t step;
        size_t length = line_length(p + at, n - at, &step);
        if (step == 0)
            break;
        at += step;
        if (length == 0)
            return at;
        *scanned = at;
    }
    return 0;
}

static void take_field(struct sse *sse, struct sse_event *event, struct str line, bool *joined)
{
    ptrdiff_t colon = str_find_char(line, ':');
    struct str name = colon < 0 ? line : str_head(line, (size_t)colon);
    struct str value = colon < 0 ? (struct str){line.p + line.n, 0} : str_from(line, (size_t)colon + 1);
    if (value.n > 0 && value.p[0] == ' ')
        value = str_from(value, 1);
    if (str_eq(name, STR("event"))) {
        event->name = value;
    } else if (str_eq(name, STR("data"))) {
        if (event->data.p == NULL) {
            event->data = value;
            return;
        }
        if (!*joined) {
            buf_clear(&sse->data);
            buf_add_str(&sse->data, event->data);
            *joined = true;
        }
        buf_add_char(&sse->data, '\n');
        buf_add_str(&sse->data, value);
    }
}

static bool give_event(struct sse *sse, struct str raw, bool (*each)(void *, const struct sse_event *), void *arg)
{
    struct sse_event event = {.raw = raw, .oversize = sse->oversize};
    bool joined = false;
    for (size_t at = 0; at < raw.n && !sse->oversize;) {
        size_t step;
        size_t length = line_length(raw.p + at, raw.n - at, &step);
        if (length > 0)
            take_field(sse, &event, str_of(raw.p + at, length), &joined);
        at += step == 0 ? raw.n - at : step;
    }
    if (joined)
        event.data = buf_str(&sse->data);
    sse->oversize = false;
    return each(arg, &event);
}

/* Gives all whole events of p[0..n); returns the bytes used. */
static size_t give_whole(struct sse *sse, const char *p, size_t n, size_t *scanned, bool *more,
                         bool (*each)(void *, const struct sse_event *), void *arg)
{
    size_t used = 0, length;
    while (*more && (length = event_length(p + used, n - used, scanned)) > 0) {
        *more = give_event(sse, str_of(p + used, length), each, arg);
        used += length;
        *scanned = 0;
    }
    return used;
}

/* An event above the cap goes on as it is, unread. */
static bool give_oversize(struct sse *sse, bool (*each)(void *, const struct sse_event *), void *arg)
{
    struct sse_event piece = {.raw = buf_str(&sse->pending), .oversize = true};
    bool more = each(arg, &piece);
    buf_clear(&sse->pending);
    sse->scanned = 0;
    sse->oversize = true;
    return more;
}

enum status sse_feed(struct sse *sse, const char *p, size_t n, bool (*each)(void *, const struct sse_event *), void *arg)
{
    bool more = true;
    if (sse->pending.n == 0) {
        sse->scanned = 0;
        size_t used = give_whole(sse, p, n, &sse->scanned, &more, each, arg);
        p += used;
        n -= used;
    }
    while (n > 0) {
        size_t room = SSE_EVENT_MAX - sse->pending.n;
        size_t take = n < room ? n : room;
        buf_add(&sse->pending, p, take);
        TRY(buf_status(&sse->pending));
        p += take;
        n -= take;
        size_t used = give_whole(sse, sse->pending.p, sse->pending.n, &sse->scanned, &more, each, arg);
        buf_drop_front(&sse->pending, used);
        if (more && sse->pending.n == SSE_EVENT_MAX)
            more = give_oversize(sse, each, arg);
        if (!more && n > 0) {
            buf_add(&sse->pending, p, n);
            TRY(buf_status(&sse->pending));
            break;
        }
    }
    return more ? ST_OK : ST_CLOSED;
}
