/* feed.c: following the control plane's changes.
 *
 *   hello -> ask (long poll) -> no news: ask again
 *                            -> part of a feed: stage -> more: ask on with the cursor
 *                                                     -> last: apply all in one go -> ask
 *                            -> part of a full copy: apply at once -> more: ask on -> last: live
 *
 * A feed that would stage more than FEED_STAGE_BYTES is given up and asked for as a full copy,
 * which needs no staging. What the host could not apply is told with the next request (refused)
 * until something newer is applied; the old configuration stays. Where we stand is asked of the
 * catalog before each request, so a file that was lost or made anew corrects the next one.
 *
 * Must never: apply parts of one copy to another (a reply that is full when the first was not, or
 * of another store, starts over).
 */
#include "common/clock.h"
#include "common/log.h"
#include "common/wire.h"
#include "data-plane/courier/uplink_internal.h"

#define FEED_STAGE_BYTES ((size_t)64 << 20)
#define FEED_ARENA_BYTES ((size_t)640 << 20) /* the staged wire and what it unpacks to */
#define FEED_PARTS_MAX   1024u
#define FEED_TEXT_MAX    256u
#define FEED_FORMAT      1u

struct feed {
    struct uplink *uplink;
    bool greeted, revoked;
    bool want_full; /* the feed was too large to stage */
    unsigned tries;

    /* the copy or feed in progress; all in `arena` */
    struct arena arena;
    Sluice__ChangesReply *parts[FEED_PARTS_MAX];
    size_t count, bytes;
    bool begun, full;
    struct id store_id;

    char refused[FEED_TEXT_MAX];
    uint64_t refused_revision;
};

static void feed_drop(struct feed *feed)
{
    arena_free(&feed->arena);
    feed->count = feed->bytes = 0;
    feed->begun = false;
}

static void feed_contact(const struct feed *feed, int64_t utc_ms, uint64_t newest)
{
    feed->uplink->calls.contact(feed->uplink->calls.arg, utc_ms, newest);
}

static enum status feed_hello(struct feed *feed)
{
    struct uplink *uplink = feed->uplink;
    struct arena arena;
    Sluice__Hello hello;
    Sluice__HelloReply *reply;
    arena_init(&arena, UPLINK_REQUEST_BYTES);
    sluice__hello__init(&hello);
    hello.software = arena_cstr(&arena, str_c(uplink->config.software));
    hello.format_min = hello.format_max = FEED_FORMAT;
    hello.workers = uplink->config.workers;
    enum status status = hello.software == NULL
                             ? ST_NO_MEMORY
                             : uplink_exchange(uplink, &arena, SLUICE__LINK_KIND__LINK_HELLO,
                                               &hello.base, LINK_TIMEOUT_EXTRA_MS, &reply);
    if (status == ST_OK) {
        uplink->calls.hello(uplink->calls.arg, reply);
        feed_contact(feed, reply->utc_ms, reply->revision);
        feed->greeted = true;
        log_info("link_hello", LOG_CSTR("node", reply->node_name),
                 LOG_U64("revision", reply->revision));
    }
    arena_free(&arena);
    return status;
}

/* What to ask for: where we stand, or the next part. */
static void feed_fill(struct feed *feed, Sluice__ChangesRequest *ask, Sluice__NodeHealth *health,
                      struct id *store_id)
{
    const struct uplink_calls *calls = &feed->uplink->calls;
    sluice__changes_request__init(ask);
    sluice__node_health__init(health);
    calls->position(calls->arg, &ask->have_revision, store_id);
    calls->health(calls->arg, health);
    ask->health = health;
    ask->store_id = wire_id_data(store_id);
    ask->wait_ms = feed->begun ? 0 : LINK_WAIT_MAX_MS;
    if (feed->want_full) {
        ask->have_revision = 0;
        ask->store_id = (ProtobufCBinaryData){0};
    }
    if (feed->refused_revision != 0) {
        ask->refused = feed->refused;
        ask->refused_revision = feed->refused_revision;
    }
    if (feed->count > 0) {
        ask->cursor_revision = feed->parts[feed->count - 1]->cursor_revision;
        ask->cursor_key = feed->parts[feed->count - 1]->cursor_key;
    }
}

static enum status feed_apply(struct feed *feed, Sluice__ChangesReply *const *parts, size_t count)
{
    const struct uplink_calls *calls = &feed->uplink->calls;
    const char *why = NULL;
    uint64_t revision = 0;
    enum status status = calls->changes(calls->arg, parts, count, &why, &revision);
    if (status == ST_OK) {
        if (!parts[count - 1]->more)
            feed->refused_revision = 0;
    } else if (status == ST_BAD_FORMAT && why != NULL) {
        struct str text = str_head(str_c(why), FEED_TEXT_MAX - 1);
        while (!str_is_utf8(text))
            text.n--;
        memcpy(feed->refused, text.p, text.n);
        feed->refused[text.n] = '\0';
        feed->refused_revision = parts[count - 1]->newest_revision > revision
                                     ? parts[count - 1]->newest_revision
                                     : revision;
        log_warn("revision_refused", LOG_U64("revision", revision), LOG_STR("reason", text));
    } else {
        log_warn("changes_not_applied", LOG_STATUS(status));
    }
    return status;
}

/* A reply that cannot follow what was staged: other store, other mode, or nothing staged can be
 * continued by it. */
static bool feed_fits(const struct feed *feed, const Sluice__ChangesReply *reply)
{
    return !feed->begun || (feed->full == (reply->full != 0) &&
                            str_eq(wire_str(&reply->store_id), id_bytes(&feed->store_id)));
}

static size_t feed_weight(const Sluice__ChangesReply *reply)
{
    size_t bytes = 0;
    for (size_t i = 0; i < reply->n_changes; i++)
        bytes += reply->changes[i]->body.len;
    return bytes;
}

/* A part of a full copy is applied and forgotten, but for its cursor. */
static enum status feed_copy(struct feed *feed, Sluice__ChangesReply *reply)
{
    const struct uplink_calls *calls = &feed->uplink->calls;
    if (!feed->begun)
        calls->copy_begins(calls->arg);
    TRY(feed_apply(feed, &reply, 1));
    if (!reply->more) {
        feed->want_full = false;
        feed_drop(feed);
        return ST_OK;
    }
    /* The next request needs the cursor only; the rest of the arena is not kept. */
    uint8_t key[64];
    uint64_t cursor = reply->cursor_revision;
    size_t n = reply->cursor_key.len;
    if (n == 0 || n > sizeof key)
        return ST_BAD_FORMAT;
    memcpy(key, reply->cursor_key.data, n);
    arena_free(&feed->arena);
    Sluice__ChangesReply *last = arena_alloc(&feed->arena, sizeof *last);
    struct str copy = arena_str(&feed->arena, str_of((const char *)key, n));
    if (last == NULL || copy.p == NULL)
        return ST_NO_MEMORY;
    sluice__changes_reply__init(last);
    last->cursor_revision = cursor;
    last->cursor_key = wire_data(copy);
    feed->parts[0] = last;
    feed->count = 1;
    feed->begun = feed->full = true;
    return ST_OK;
}

/* A part of a feed waits until the last one is there. */
static enum status feed_stage(struct feed *feed, Sluice__ChangesReply *reply, uint64_t have)
{
    feed->bytes += feed_weight(reply);
    if (feed->count == FEED_PARTS_MAX || feed->bytes > FEED_STAGE_BYTES) {
        log_info("feed_too_large", LOG_U64("bytes", feed->bytes));
        feed->want_full = true;
        feed_drop(feed);
        return ST_OK;
    }
    feed->parts[feed->count++] = reply;
    feed->begun = true;
    feed->full = false;
    if (reply->more)
        return reply->cursor_key.len > 0 ? ST_OK : ST_BAD_FORMAT;
    enum status status = ST_OK;
    if (reply->through_revision != have || feed->count > 1)
        status = feed_apply(feed, feed->parts, feed->count);
    feed_drop(feed);
    return status;
}

static enum status feed_take(struct feed *feed, Sluice__ChangesReply *reply, uint64_t have)
{
    const struct uplink_calls *calls = &feed->uplink->calls;
    feed_contact(feed, reply->utc_ms, reply->newest_revision);
    for (size_t i = 0; i < reply->n_probes; i++)
        calls->probe(calls->arg, reply->probes[i]);
    for (size_t i = 0; i < reply->n_recalls; i++)
        calls->recall(calls->arg, reply->recalls[i]);
    if (!feed_fits(feed, reply)) {
        feed_drop(feed);
        return ST_OK;
    }
    if (!feed->begun && id_from_bytes(wire_str(&reply->store_id), &feed->store_id) != ST_OK)
        return ST_BAD_FORMAT;
    return reply->full ? feed_copy(feed, reply) : feed_stage(feed, reply, have);
}

static enum status feed_ask(struct feed *feed)
{
    Sluice__ChangesRequest ask;
    Sluice__NodeHealth health;
    Sluice__ChangesReply *reply;
    struct id store_id;
    feed_fill(feed, &ask, &health, &store_id);
    TRY(uplink_exchange(feed->uplink, &feed->arena, SLUICE__LINK_KIND__LINK_CHANGES, &ask.base,
                        ask.wait_ms + LINK_TIMEOUT_EXTRA_MS, &reply));
    return feed_take(feed, reply, ask.have_revision);
}

static void feed_tell_revoked(struct feed *feed, bool revoked)
{
    if (feed->revoked == revoked)
        return;
    feed->revoked = revoked;
    log_warn(revoked ? "node_revoked" : "node_known_again");
    feed->uplink->calls.revoked(feed->uplink->calls.arg, revoked);
}

void *feed_thread(void *arg)
{
    struct uplink *uplink = arg;
    struct feed feed = {.uplink = uplink};
    arena_init(&feed.arena, FEED_ARENA_BYTES);
    while (!uplink_stopping(uplink)) {
        enum status status = feed.greeted ? feed_ask(&feed) : feed_hello(&feed);
        if (!feed.begun)
            feed_drop(&feed);
        if (status == ST_OK) {
            feed_tell_revoked(&feed, false);
            feed.tries = 0;
            continue;
        }
        if (status == ST_CLOSED)
            break;
        if (status == ST_NODE_REVOKED)
            feed_tell_revoked(&feed, true);
        /* A refused revision is no failure of the link: the next request says so and waits for a
         * newer one. */
        if (status == ST_BAD_FORMAT && feed.refused_revision != 0 && feed.tries == 0) {
            feed.tries++;
            feed_drop(&feed);
            continue;
        }
        feed.greeted = feed.greeted && status == ST_BAD_FORMAT;
        feed_drop(&feed);
        if (!uplink_back_off(uplink, status, &feed.tries))
            break;
    }
    feed_drop(&feed);
    return NULL;
}
