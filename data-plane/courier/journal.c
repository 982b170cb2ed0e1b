/* journal.c: all journals of a host; one boot's folder is journal_log.c, a file's bytes
 * journal_file.c.
 *
 *   boots (sorted) -> files (sorted) -> first_seq .. last_seq, of which up to acked_seq is
 * acknowledged
 *
 * Invariant: a seq that was given out by journal_read never stands for another event later, which
 * is why only durable events are shown. Must never: let a reader wait for fdatasync, or hand out an
 * event twice under two numbers.
 */
#include "data-plane/courier/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/wire.h"
#include "data-plane/courier/journal_file.h"
#include "data-plane/courier/journal_log.h"

#define JOURNAL_MAGIC_OBJECT 0x4A524E4Cu
#define JOURNAL_FILES_MAX    99999999u
#define JOURNAL_BUFFER_BYTES (JOURNAL_BATCH_MAX * (JOURNAL_EVENT_MAX + JOURNAL_FRAME_BYTES))

struct journal {
    uint32_t magic;
    pthread_mutex_t mutex;
    int root;
    struct journal_limits limits;
    struct journal_log **logs; /* sorted by boot */
    size_t count, room;
    struct journal_log *own;
    int append_fd;
    struct buf out;
    struct { /* where the last journal_read ended */
        uint64_t boot, seq, offset;
        uint32_t number;
    } cursor;
    _Atomic uint64_t pending, damaged;
};

/* --- all boots --- */

static struct journal_log *journal_find(const struct journal *journal, uint64_t boot)
{
    for (size_t i = 0; i < journal->count; i++) {
        if (journal->logs[i]->boot == boot)
            return journal->logs[i];
    }
    return NULL;
}

/* takes the log. */
static enum status journal_add(struct journal *journal, struct journal_log *log)
{
    if (journal->count == journal->room) {
        size_t room = journal->room == 0 ? 16 : journal->room * 2;
        struct journal_log **grown =
            room > JOURNAL_BOOTS_MAX ? NULL
                                     : realloc(journal->logs, room * sizeof(struct journal_log *));
        if (grown == NULL) {
            journal_log_free(log);
            return ST_NO_MEMORY;
        }
        journal->logs = grown;
        journal->room = room;
    }
    size_t at = journal->count++;
    for (; at > 0 && journal->logs[at - 1]->boot > log->boot; at--)
        journal->logs[at] = journal->logs[at - 1];
    journal->logs[at] = log;
    return ST_OK;
}

static bool boot_of_name(const char *name, uint64_t *boot)
{
    uint64_t value = 0;
    if (strlen(name) != 16)
        return false;
    for (const char *p = name; *p != '\0'; p++) {
        const char *digit = strchr("0123456789abcdef", *p);
        if (digit == NULL)
            return false;
        value = value << 4 | (uint64_t)(digit - "0123456789abcdef");
    }
    *boot = value;
    return true;
}

/* Journals of other boots that nobody holds. */
static void journal_adopt(struct journal *journal)
{
    int copy = dup(journal->root);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (dir == NULL)
        return;
    rewinddir(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        uint64_t boot;
        struct journal_log *log;
        if (!boot_of_name(entry->d_name, &boot) || journal_find(journal, boot) != NULL)
            continue;
        if (journal_log_open(journal->root, boot, false, &log) != ST_OK)
            continue;
        log_info("journal_adopted", LOG_U64("boot", boot), LOG_U64("last_seq", log->last_seq),
                 LOG_U64("acked_seq", log->acked_seq));
        (void)!journal_add(journal, log);
    }
    closedir(dir);
}

static void journal_count(struct journal *journal)
{
    uint64_t pending = 0;
    for (size_t i = 0; i < journal->count; i++)
        pending += journal->logs[i]->last_seq - journal->logs[i]->acked_seq;
    journal->pending = pending;
}

static enum status append_open(struct journal *journal)
{
    struct journal_log *own = journal->own;
    char name[JOURNAL_NAME_BYTES];
    if (own->count == 0)
        return ST_OK; /* the first append makes a file */
    const struct journal_part *last = &own->parts[own->count - 1];
    if (last->last_seq < own->last_seq)
        return ST_OK; /* acknowledged beyond what is left of the files: go on in a new one */
    journal_part_name(last->number, name);
    journal->append_fd = openat(own->folder, name, O_RDWR | O_APPEND | O_CLOEXEC);
    return journal->append_fd < 0 ? ST_IO : ST_OK;
}

enum status journal_open(const char *path, uint64_t boot, const struct journal_limits *limits,
                         struct journal **journal)
{
    struct journal *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ST_NO_MEMORY;
    *made = (struct journal){
        .magic = JOURNAL_MAGIC_OBJECT, .limits = *limits, .root = -1, .append_fd = -1};
    pthread_mutex_init(&made->mutex, NULL);
    buf_init(&made->out, JOURNAL_BUFFER_BYTES);
    enum status status = ST_IO;
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        made->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (made->root < 0)
        goto out;
    TRY_OUT(journal_log_open(made->root, boot, true, &made->own));
    TRY_OUT(journal_add(made, made->own));
    TRY_OUT(append_open(made));
    journal_adopt(made);
    journal_count(made);
    *journal = made;
    return ST_OK;
out:
    journal_close(made);
    return status;
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    CHECK_OBJ(journal, JOURNAL_MAGIC_OBJECT);
    for (size_t i = 0; i < journal->count; i++)
        journal_log_free(journal->logs[i]);
    free(journal->logs);
    if (journal->append_fd >= 0)
        close(journal->append_fd);
    if (journal->root >= 0)
        close(journal->root);
    buf_free(&journal->out);
    pthread_mutex_destroy(&journal->mutex);
    journal->magic = 0;
    free(journal);
}

/* --- append --- */

static enum status pack_events(struct buf *out, Sluice__UsageEvent *const *events, size_t count,
                               uint64_t first_seq)
{
    uint8_t packed[JOURNAL_EVENT_MAX];
    buf_clear(out);
    for (size_t i = 0; i < count; i++) {
        events[i]->seq = first_seq + i;
        size_t n = sluice__usage_event__get_packed_size(events[i]);
        if (n == 0 || n > sizeof packed)
            return ST_TOO_LARGE;
        sluice__usage_event__pack(events[i], packed);
        journal_file_frame(out, first_seq + i, packed, n);
    }
    return buf_status(out);
}

/* A new file when there is none or the last is full. */
static enum status append_roll(struct journal *journal)
{
    struct journal_log *own = journal->own;
    struct journal_part *last = own->count > 0 ? &own->parts[own->count - 1] : NULL;
    if (journal->append_fd >= 0 && last->bytes < journal->limits.file_bytes)
        return ST_OK;
    struct journal_part part = {.number = last == NULL ? 1 : last->number + 1,
                                .first_seq = own->last_seq + 1,
                                .last_seq = own->last_seq,
                                .bytes = JOURNAL_HEAD_BYTES,
                                .written_ms = clock_wall_ms()};
    char name[JOURNAL_NAME_BYTES];
    int fd;
    CHECK(part.number <= JOURNAL_FILES_MAX);
    journal_part_name(part.number, name);
    TRY(journal_file_create(own->folder, name, own->boot, part.first_seq, &fd));
    enum status status = journal_log_add(own, &part);
    if (status != ST_OK) {
        close(fd);
        unlinkat(own->folder, name, 0);
        return status;
    }
    if (journal->append_fd >= 0)
        close(journal->append_fd);
    journal->append_fd = fd;
    return ST_OK;
}

static enum status append_write(struct journal *journal, uint64_t bytes_before)
{
    struct str rest = buf_str(&journal->out);
    int why = 0;
    while (rest.n > 0 && why == 0) {
        ssize_t n = write(journal->append_fd, rest.p, rest.n);
        if (n < 0 && errno != EINTR)
            why = errno;
        else if (n > 0)
            rest = str_from(rest, (size_t)n);
    }
    if (why == 0)
        return fdatasync(journal->append_fd) == 0 ? ST_OK : ST_IO;
    if (ftruncate(journal->append_fd, (off_t)bytes_before) != 0)
        return ST_IO;
    return why == EFBIG || status_from_errno(why) == ST_STORE_FULL ? ST_STORE_FULL : ST_IO;
}

enum status journal_append(struct journal *journal, Sluice__UsageEvent *const *events, size_t count)
{
    CHECK_OBJ(journal, JOURNAL_MAGIC_OBJECT);
    CHECK(count <= JOURNAL_BATCH_MAX);
    if (count == 0)
        return ST_OK;
    struct journal_log *own = journal->own;
    TRY(pack_events(&journal->out, events, count, own->last_seq + 1));
    pthread_mutex_lock(&journal->mutex);
    enum status status = append_roll(journal);
    uint64_t before = status == ST_OK ? own->parts[own->count - 1].bytes : 0;
    pthread_mutex_unlock(&journal->mutex);
    if (status == ST_OK)
        status = append_write(journal,
                              before); /* without the lock: readers need not wait for the disk */
    if (status != ST_OK)
        return status;
    pthread_mutex_lock(&journal->mutex);
    struct journal_part *part = &own->parts[own->count - 1];
    own->last_seq += count;
    part->last_seq = own->last_seq;
    part->bytes += journal->out.n;
    part->written_ms = clock_wall_ms();
    journal->pending += count;
    pthread_mutex_unlock(&journal->mutex);
    return ST_OK;
}

void journal_end(struct journal *journal)
{
    pthread_mutex_lock(&journal->mutex);
    enum status status = journal_log_save_ended(journal->own);
    pthread_mutex_unlock(&journal->mutex);
    if (status != ST_OK)
        log_warn("journal_end_not_noted", LOG_STATUS(status));
}

uint64_t journal_last_seq(struct journal *journal)
{
    pthread_mutex_lock(&journal->mutex);
    uint64_t last = journal->own->last_seq;
    pthread_mutex_unlock(&journal->mutex);
    return last;
}

/* --- read
 * ------------------------------------------------------------------------------------------------
 */

struct reading {
    struct journal *journal;
    struct journal_log *log;
    const struct journal_part *part;
    int fd;
    uint64_t seq, offset;
    struct journal_window window;
    struct str event; /* the one read last; in the window */
};

static enum status reading_open(struct reading *reading)
{
    char name[JOURNAL_NAME_BYTES];
    reading->part = journal_log_part(reading->log, reading->seq);
    if (reading->part == NULL)
        return ST_END;
    if (reading->seq < reading->part->first_seq)
        reading->seq = reading->part->first_seq;
    journal_part_name(reading->part->number, name);
    if (reading->fd >= 0)
        close(reading->fd);
    buf_clear(&reading->window.bytes);
    reading->fd = openat(reading->log->folder, name, O_RDONLY | O_CLOEXEC);
    if (reading->fd < 0)
        return ST_IO;
    const struct journal *journal = reading->journal;
    uint64_t at = reading->part->first_seq;
    reading->offset = JOURNAL_HEAD_BYTES;
    if (journal->cursor.boot == reading->log->boot &&
        journal->cursor.number == reading->part->number && journal->cursor.seq <= reading->seq &&
        journal->cursor.seq >= at) {
        at = journal->cursor.seq;
        reading->offset = journal->cursor.offset;
    }
    enum status status = ST_OK;
    for (; at < reading->seq && status == ST_OK; at++)
        status =
            journal_file_read(reading->fd, reading->offset, at, &reading->window, &reading->event,
                              &reading->offset);
    return status == ST_END ? ST_OK : status; /* damage: the next read meets it and passes over */
}

/* The next whole event. ST_BAD_FORMAT: damage up to the end of this file. */
static enum status reading_next(struct reading *reading)
{
    if (reading->seq > reading->log->last_seq)
        return ST_END;
    if (reading->part == NULL || reading->seq > reading->part->last_seq)
        TRY(reading_open(reading));
    enum status status = journal_file_read(reading->fd, reading->offset, reading->seq,
                                           &reading->window, &reading->event, &reading->offset);
    if (status == ST_OK)
        reading->seq++;
    return status == ST_END ? ST_BAD_FORMAT : status;
}

static void reading_pass_over(struct reading *reading, uint64_t events)
{
    log_error("journal_damaged", LOG_U64("boot", reading->log->boot), LOG_U64("seq", reading->seq),
              LOG_U64("events", events));
    reading->journal->damaged += events;
    reading->seq += events;
}

/* A batch has no gap: damage ends it, and is passed over where the next one begins. */
static enum status reading_fill(struct reading *reading, size_t max_events, size_t max_bytes,
                                struct arena *arena, Sluice__UsageBatch *batch)
{
    size_t bytes = 0;
    while (batch->n_events < max_events && bytes < max_bytes) {
        uint64_t before = reading->seq;
        enum status status = reading_next(reading);
        bool first = batch->n_events == 0;
        if (status == ST_BAD_FORMAT && first) {
            reading_pass_over(reading, reading->part->last_seq - reading->seq + 1);
            continue;
        }
        if (status == ST_END || status == ST_BAD_FORMAT || (reading->seq != before + 1 && !first))
            break;
        TRY(status);
        TRY(wire_unpack(&sluice__usage_event__descriptor, reading->event, arena,
                        &batch->events[batch->n_events++]));
        if (first)
            batch->first_seq = reading->seq - 1;
        bytes += reading->event.n;
    }
    return ST_OK;
}

enum status journal_read(struct journal *journal, uint64_t boot, uint64_t from_seq,
                         size_t max_events, size_t max_bytes, struct arena *arena,
                         Sluice__UsageBatch **batch)
{
    Sluice__UsageBatch *made = arena_alloc(arena, sizeof *made);
    if (made == NULL)
        return ST_NO_MEMORY;
    sluice__usage_batch__init(made);
    made->journal_boot = boot;
    made->events = arena_calloc(arena, max_events, sizeof(Sluice__UsageEvent *));
    if (made->events == NULL)
        return ST_NO_MEMORY;
    pthread_mutex_lock(&journal->mutex);
    struct reading reading = {
        .journal = journal, .log = journal_find(journal, boot), .fd = -1, .seq = from_seq};
    buf_init(&reading.window.bytes, JOURNAL_WINDOW_BYTES);
    enum status status = ST_NOT_FOUND;
    if (reading.log != NULL)
        status = reading_fill(&reading, max_events, max_bytes, arena, made);
    if (status == ST_OK && reading.part != NULL && made->n_events > 0 &&
        reading.seq == made->first_seq + made->n_events) {
        journal->cursor.boot = boot;
        journal->cursor.number = reading.part->number;
        journal->cursor.seq = reading.seq;
        journal->cursor.offset = reading.offset;
    }
    pthread_mutex_unlock(&journal->mutex);
    buf_free(&reading.window.bytes);
    if (reading.fd >= 0)
        close(reading.fd);
    if (status == ST_OK && made->n_events == 0)
        status = ST_END;
    if (status == ST_OK)
        *batch = made;
    return status;
}

/* --- acknowledgement and tidying --- */

void journal_ack(struct journal *journal, uint64_t boot, uint64_t through_seq)
{
    pthread_mutex_lock(&journal->mutex);
    struct journal_log *log = journal_find(journal, boot);
    if (log != NULL && through_seq > log->acked_seq) {
        log->acked_seq = through_seq < log->last_seq ? through_seq : log->last_seq;
        journal_log_save_acked(log);
        journal_count(journal);
    }
    pthread_mutex_unlock(&journal->mutex);
}

void journal_forget_acks(struct journal *journal)
{
    pthread_mutex_lock(&journal->mutex);
    for (size_t i = 0; i < journal->count; i++) {
        struct journal_log *log = journal->logs[i];
        uint64_t kept = log->count == 0 ? log->last_seq : log->parts[0].first_seq - 1;
        if (kept < log->acked_seq) {
            log->acked_seq = kept;
            journal_log_save_acked(log);
        }
    }
    journal_count(journal);
    pthread_mutex_unlock(&journal->mutex);
}

void journal_tidy(struct journal *journal)
{
    pthread_mutex_lock(&journal->mutex);
    journal_adopt(journal);
    uint64_t bytes = 0;
    size_t kept = 0;
    for (size_t i = 0; i < journal->count; i++)
        bytes += journal_log_acked_bytes(journal->logs[i]);
    for (size_t i = 0; i < journal->count; i++) {
        struct journal_log *log = journal->logs[i];
        journal_log_trim(log, clock_wall_ms(), journal->limits.keep_ms, journal->limits.cap_bytes,
                         &bytes);
        if (!log->own && log->count == 0) {
            journal_log_remove(journal->root, log);
            journal_log_free(log);
        } else {
            journal->logs[kept++] = log;
        }
    }
    journal->count = kept;
    journal_count(journal);
    pthread_mutex_unlock(&journal->mutex);
}

size_t journal_boots(struct journal *journal, struct journal_boot *out, size_t max)
{
    size_t n = 0;
    pthread_mutex_lock(&journal->mutex);
    for (; n < journal->count && n < max; n++) {
        const struct journal_log *log = journal->logs[n];
        out[n] = (struct journal_boot){.boot = log->boot,
                                       .first_seq = log->count == 0 ? log->last_seq + 1
                                                                    : log->parts[0].first_seq,
                                       .last_seq = log->last_seq,
                                       .acked_seq = log->acked_seq,
                                       .own = log->own,
                                       .ended = log->ended};
    }
    pthread_mutex_unlock(&journal->mutex);
    return n;
}

uint64_t journal_pending(struct journal *journal)
{
    return journal->pending;
}

uint64_t journal_damaged(struct journal *journal)
{
    return journal->damaged;
}
