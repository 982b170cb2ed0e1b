/* nodes.c: the live table of nodes.
 *
 * Entries are found by scanning ids: a few thousand nodes that speak every 25 s cost less than an
 * index would. Lag is measured against the moments at which revisions were committed, of which the
 * last NODES_MARKS are kept; a node that is further behind is measured from the oldest one kept, so
 * the figure may be too small but never too large.
 *
 * Must never: decide on a node by what is here (revoked, region, keys come from its record), or
 * count a node as having applied a revision of another store.
 */
#include "control-plane/publish/nodes.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/clock.h"

#define NODES_MAGIC 0x4e6f6473u
#define NODES_MARKS 1024u

struct node_boot {
    uint64_t boot;
    int64_t used_ms; /* 0: free */
    struct frame_window window;
};

struct node_entry {
    struct node_live live; /* connected and lag_ms are computed when asked for */
    uint32_t peer;         /* 0: gone */
    int64_t seen_ms;       /* monotonic */
    int64_t woken_ms;      /* monotonic */
    struct node_boot boots[NODES_BOOTS];
};

struct node_mark {
    uint64_t revision;
    int64_t at_ms; /* monotonic */
};

struct nodes {
    uint32_t magic;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* CLOCK_MONOTONIC */
    struct node_entry *entries[NODES_MAX];
    size_t count;
    struct node_mark marks[NODES_MARKS]; /* ring, oldest at mark_next when full */
    size_t mark_next, mark_count;
};

enum status nodes_new(struct nodes **out)
{
    struct nodes *nodes = calloc(1, sizeof *nodes);
    pthread_condattr_t attr;
    if (nodes == NULL)
        return ST_NO_MEMORY;
    nodes->magic = NODES_MAGIC;
    pthread_mutex_init(&nodes->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&nodes->changed, &attr);
    pthread_condattr_destroy(&attr);
    *out = nodes;
    return ST_OK;
}

void nodes_free(struct nodes *nodes)
{
    if (nodes == NULL)
        return;
    CHECK_OBJ(nodes, NODES_MAGIC);
    for (size_t i = 0; i < nodes->count; i++)
        free(nodes->entries[i]);
    pthread_cond_destroy(&nodes->changed);
    pthread_mutex_destroy(&nodes->lock);
    free(nodes);
}

static struct node_entry *nodes_find(struct nodes *nodes, const struct id *id)
{
    for (size_t i = 0; i < nodes->count; i++)
        if (id_eq(&nodes->entries[i]->live.id, id))
            return nodes->entries[i];
    return NULL;
}

static struct node_entry *nodes_make(struct nodes *nodes, const struct id *id)
{
    struct node_entry *entry = nodes->count < NODES_MAX ? calloc(1, sizeof *entry) : NULL;
    if (entry == NULL)
        return NULL;
    entry->live.id = *id;
    nodes->entries[nodes->count++] = entry;
    return entry;
}

/* The window of a boot; a new boot takes the place of the one that was silent longest. */
static struct frame_window *nodes_window(struct node_entry *entry, uint64_t boot, int64_t now_ms)
{
    struct node_boot *oldest = &entry->boots[0];
    for (size_t i = 0; i < NODES_BOOTS; i++) {
        struct node_boot *b = &entry->boots[i];
        if (b->used_ms != 0 && b->boot == boot) {
            b->used_ms = now_ms;
            return &b->window;
        }
        if (b->used_ms < oldest->used_ms)
            oldest = b;
    }
    *oldest = (struct node_boot){.boot = boot, .used_ms = now_ms};
    return &oldest->window;
}

enum status nodes_admit(struct nodes *nodes, const struct id *id, uint64_t boot, uint64_t counter,
                        uint32_t peer)
{
    CHECK_OBJ(nodes, NODES_MAGIC);
    int64_t now_ms = clock_mono_ms() + 1; /* never 0: 0 marks a free boot */
    enum status status = ST_OVERLOADED;
    pthread_mutex_lock(&nodes->lock);
    struct node_entry *entry = nodes_find(nodes, id);
    if (entry == NULL)
        entry = nodes_make(nodes, id);
    if (entry != NULL) {
        status = frame_window_take(nodes_window(entry, boot, now_ms), counter);
        entry->seen_ms = now_ms;
        entry->live.last_seen_ms = clock_utc_ms();
        entry->peer = peer;
    }
    pthread_mutex_unlock(&nodes->lock);
    return status;
}

static void nodes_text(char to[NODES_TEXT_MAX + 1], const char *from)
{
    size_t n = strnlen(from, NODES_TEXT_MAX);
    while (n > 0 && !str_is_utf8(str_of(from, n)))
        n--;
    memcpy(to, from, n);
    to[n] = '\0';
}

void nodes_hello(struct nodes *nodes, const struct id *id, const char *software)
{
    CHECK_OBJ(nodes, NODES_MAGIC);
    pthread_mutex_lock(&nodes->lock);
    struct node_entry *entry = nodes_find(nodes, id);
    if (entry != NULL)
        nodes_text(entry->live.software, software);
    pthread_mutex_unlock(&nodes->lock);
}

void nodes_report(struct nodes *nodes, const struct id *id, bool same_store,
                  const Sluice__ChangesRequest *report)
{
    CHECK_OBJ(nodes, NODES_MAGIC);
    pthread_mutex_lock(&nodes->lock);
    struct node_entry *entry = nodes_find(nodes, id);
    if (entry != NULL) {
        struct node_live *live = &entry->live;
        live->applied = same_store ? report->have_revision : 0;
        live->refused_revision = same_store ? report->refused_revision : 0;
        nodes_text(live->refused, live->refused_revision != 0 ? report->refused : "");
        if (report->health != NULL) {
            live->workers_ready = report->health->workers_ready;
            live->requests_total = report->health->requests_total;
            live->errors_total = report->health->errors_total;
            live->open_requests = report->health->open_requests;
            live->journal_pending = report->health->journal_pending;
        }
        pthread_cond_broadcast(&nodes->changed);
    }
    pthread_mutex_unlock(&nodes->lock);
}

int64_t nodes_wake(struct nodes *nodes, const struct id *id, unsigned gap_ms)
{
    CHECK_OBJ(nodes, NODES_MAGIC);
    int64_t at_ms = clock_mono_ms();
    pthread_mutex_lock(&nodes->lock);
    struct node_entry *entry = nodes_find(nodes, id);
    if (entry != NULL) {
        if (entry->woken_ms + gap_ms > at_ms)
            at_ms = entry->woken_ms + gap_ms;
        entry->woken_ms = at_ms;
    }
    pthread_mutex_unlock(&nodes->lock);
    return at_ms;
}

void nodes_gone(struct nodes *nodes, uint32_t peer)
{
    CHECK_OBJ(nodes, NODES_MAGIC);
    pthread_mutex_lock(&nodes->lock);
    for (size_t i = 0; i < nodes->count; i++)
        if (nodes->entries[i]->peer == peer)
            nodes->entries[i]->peer = 0;
    pthread_cond_broadcast(&nodes->changed);
    pthread_mutex_unlock(&nodes->lock);
}

void nodes_forget(struct nodes *nodes, const struct id *id)
{
    CHECK_OBJ(nodes, NODES_MAGIC);
    pthread_mutex_lock(&nodes->lock);
    for (size_t i = 0; i < nodes->count; i++) {
        if (!id_eq(&nodes->entries[i]->live.id, id))
            continue;
        free(nodes->entries[i]);
        nodes->entries[i] = nodes->entries[--nodes->count];
        break;
    }
    pthread_cond_broadcast(&nodes->changed);
    pthread_mutex_unlock(&nodes->lock);
}

void nodes_committed(struct nodes *nodes, uint64_t revision)
{
    CHECK_OBJ(nodes, NODES_MAGIC);
    pthread_mutex_lock(&nodes->lock);
    nodes->marks[nodes->mark_next] = (struct node_mark){revision, clock_mono_ms()};
    nodes->mark_next = (nodes->mark_next + 1) % NODES_MARKS;
    if (nodes->mark_count < NODES_MARKS)
        nodes->mark_count++;
    pthread_mutex_unlock(&nodes->lock);
}

/* Time since the oldest kept mark above `applied`. */
static int64_t nodes_lag(const struct nodes *nodes, uint64_t applied, int64_t now_ms)
{
    for (size_t i = 0; i < nodes->mark_count; i++) {
        size_t at = (nodes->mark_next + NODES_MARKS - nodes->mark_count + i) % NODES_MARKS;
        if (nodes->marks[at].revision > applied)
            return now_ms - nodes->marks[at].at_ms;
    }
    return 0;
}

static bool nodes_connected(const struct node_entry *entry, int64_t now_ms)
{
    return entry->peer != 0 && now_ms - entry->seen_ms <= NODES_SILENT_MS;
}

bool nodes_boot_connected(struct nodes *nodes, const struct id *id, uint64_t boot)
{
    CHECK_OBJ(nodes, NODES_MAGIC);
    int64_t now_ms = clock_mono_ms();
    bool connected = false;
    pthread_mutex_lock(&nodes->lock);
    struct node_entry *entry = nodes_find(nodes, id);
    if (entry != NULL && nodes_connected(entry, now_ms))
        for (size_t i = 0; i < NODES_BOOTS; i++)
            connected = connected || (entry->boots[i].boot == boot && entry->boots[i].used_ms != 0 &&
                                      now_ms - entry->boots[i].used_ms <= NODES_SILENT_MS);
    pthread_mutex_unlock(&nodes->lock);
    return connected;
}

static struct node_live nodes_copy(const struct nodes *nodes, const struct node_entry *entry)
{
    int64_t now_ms = clock_mono_ms();
    struct node_live live = entry->live;
    live.connected = nodes_connected(entry, now_ms);
    live.lag_ms = nodes_lag(nodes, live.applied, now_ms);
    return live;
}

enum status nodes_get(struct nodes *nodes, const struct id *id, struct node_live *live)
{
    CHECK_OBJ(nodes, NODES_MAGIC);
    pthread_mutex_lock(&nodes->lock);
    struct node_entry *entry = nodes_find(nodes, id);
    if (entry != NULL)
        *live = nodes_copy(nodes, entry);
    pthread_mutex_unlock(&nodes->lock);
    return entry != NULL ? ST_OK : ST_NOT_FOUND;
}

enum status nodes_list(struct nodes *nodes, struct arena *arena, struct node_live **list,
                       size_t *count)
{
    CHECK_OBJ(nodes, NODES_MAGIC);
    pthread_mutex_lock(&nodes->lock);
    struct node_live *copy = arena_calloc(arena, nodes->count, sizeof *copy);
    if (copy != NULL) {
        for (size_t i = 0; i < nodes->count; i++)
            copy[i] = nodes_copy(nodes, nodes->entries[i]);
        *list = copy;
        *count = nodes->count;
    }
    pthread_mutex_unlock(&nodes->lock);
    return copy != NULL ? ST_OK : ST_NO_MEMORY;
}

static struct nodes_applied nodes_count_applied(const struct nodes *nodes, uint64_t revision)
{
    int64_t now_ms = clock_mono_ms();
    struct nodes_applied out = {0};
    for (size_t i = 0; i < nodes->count; i++) {
        const struct node_entry *entry = nodes->entries[i];
        if (!nodes_connected(entry, now_ms))
            continue;
        out.of++;
        if (entry->live.applied >= revision)
            out.applied++;
        else if (entry->live.refused_revision >= revision)
            out.refused++;
    }
    return out;
}

void nodes_wait_applied(struct nodes *nodes, uint64_t revision, unsigned wait_ms,
                        struct nodes_applied *applied)
{
    CHECK_OBJ(nodes, NODES_MAGIC);
    int64_t until_ns = clock_mono_ns() + (int64_t)wait_ms * 1000000;
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
    pthread_mutex_lock(&nodes->lock);
    struct nodes_applied now = nodes_count_applied(nodes, revision);
    while (now.applied + now.refused < now.of && wait_ms > 0) {
        int rc = pthread_cond_timedwait(&nodes->changed, &nodes->lock, &until);
        now = nodes_count_applied(nodes, revision);
        if (rc != 0)
            break;
    }
    pthread_mutex_unlock(&nodes->lock);
    *applied = now;
}
