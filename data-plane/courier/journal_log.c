/* journal_log.c: what is in the folder of one boot.
 *
 * Only the last file is scanned; the others end where the next begins, and damage in them is met
 * when they are read. Invariant: numbering resumes above everything that was acknowledged, whatever
 * the files say. Must never: delete a file with an event that is not acknowledged.
 */
#include "data-plane/courier/journal_log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data-plane/courier/journal_file.h"

/* --- a boot's files --- */

void journal_part_name(uint32_t number, char name[JOURNAL_NAME_BYTES])
{
    snprintf(name, JOURNAL_NAME_BYTES, "%08u.log", number);
}

enum status journal_log_add(struct journal_log *log, const struct journal_part *part)
{
    if (log->count == log->room) {
        size_t room = log->room == 0 ? 8 : log->room * 2;
        struct journal_part *grown = realloc(log->parts, room * sizeof *grown);
        if (grown == NULL)
            return ST_NO_MEMORY;
        log->parts = grown;
        log->room = room;
    }
    log->parts[log->count++] = *part;
    return ST_OK;
}

static int part_compare(const void *a, const void *b)
{
    const struct journal_part *left = a, *right = b;
    return left->number < right->number ? -1 : left->number > right->number;
}

static bool part_number(const char *name, uint32_t *number)
{
    uint64_t value;
    struct str text = str_c(name);
    if (text.n != 12 || !str_ends(text, STR(".log")) ||
        str_to_u64(str_head(text, 8), &value) != ST_OK)
        return false;
    *number = (uint32_t)value;
    return true;
}

/* Heads of all files; one without a head was being made when its writer died, and goes. */
static enum status log_list(struct journal_log *log)
{
    int copy = dup(log->folder);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (dir == NULL) {
        if (copy >= 0)
            close(copy);
        return ST_IO;
    }
    enum status status = ST_OK;
    rewinddir(dir);
    for (struct dirent *entry; status == ST_OK && (entry = readdir(dir)) != NULL;) {
        struct journal_part part = {0};
        struct journal_file file;
        struct stat stat;
        if (!part_number(entry->d_name, &part.number))
            continue;
        int fd = openat(log->folder, entry->d_name, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &stat) != 0) {
            status = ST_IO;
        } else if (journal_file_head(fd, &file) != ST_OK || file.boot != log->boot) {
            unlinkat(log->folder, entry->d_name, 0);
        } else {
            part.first_seq = file.first_seq;
            part.bytes = (uint64_t)stat.st_size;
            part.written_ms = (int64_t)stat.st_mtim.tv_sec * 1000;
            status = journal_log_add(log, &part);
        }
        if (fd >= 0)
            close(fd);
    }
    closedir(dir);
    if (log->count > 0)
        qsort(log->parts, log->count, sizeof *log->parts, part_compare);
    return status;
}

static uint64_t acked_read(int folder)
{
    char text[24];
    uint64_t value = 0;
    int fd = openat(folder, "acked", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    return n > 0 && str_to_u64(str_of(text, (size_t)n), &value) == ST_OK ? value : 0;
}

void journal_log_save_acked(const struct journal_log *log)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%llu", (unsigned long long)log->acked_seq);
    int fd = openat(log->folder, "acked.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    bool written = write(fd, text, (size_t)n) == n;
    close(fd);
    if (written)
        (void)renameat(log->folder, "acked.new", log->folder, "acked");
}

enum status journal_log_save_ended(const struct journal_log *log)
{
    int fd = openat(log->folder, "ended", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return ST_IO;
    bool durable = fsync(fd) == 0 && fsync(log->folder) == 0;
    close(fd);
    return durable ? ST_OK : ST_IO;
}

/* Finds where the last file ends; our own is cut there. */
static enum status log_end(struct journal_log *log)
{
    for (size_t i = 0; i + 1 < log->count; i++)
        log->parts[i].last_seq = log->parts[i + 1].first_seq - 1;
    log->acked_seq = acked_read(log->folder);
    log->ended = !log->own && faccessat(log->folder, "ended", F_OK, 0) == 0;
    log->last_seq = log->acked_seq;
    if (log->count == 0)
        return ST_OK;
    struct journal_part *last = &log->parts[log->count - 1];
    struct journal_file file;
    char name[JOURNAL_NAME_BYTES];
    journal_part_name(last->number, name);
    int fd = openat(log->folder, name, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return ST_IO;
    enum status status = journal_file_scan(fd, &file);
    if (status == ST_OK && log->own && file.torn && ftruncate(fd, (off_t)file.bytes) != 0)
        status = ST_IO;
    if (status == ST_OK && log->own && fdatasync(fd) != 0)
        status = ST_IO;
    close(fd);
    if (status != ST_OK)
        return status;
    last->last_seq = file.first_seq + file.count - 1;
    last->bytes = file.bytes;
    if (last->last_seq > log->last_seq)
        log->last_seq = last->last_seq;
    return ST_OK;
}

void journal_log_free(struct journal_log *log)
{
    if (log == NULL)
        return;
    if (log->folder >= 0)
        close(log->folder);
    if (log->lock >= 0)
        close(log->lock);
    free(log->parts);
    free(log);
}

enum status journal_log_open(int root, uint64_t boot, bool own, struct journal_log **log)
{
    char name[24];
    snprintf(name, sizeof name, "%016llx", (unsigned long long)boot);
    struct journal_log *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ST_NO_MEMORY;
    *made = (struct journal_log){.boot = boot, .own = own, .folder = -1, .lock = -1};
    enum status status = ST_IO;
    if (own && mkdirat(root, name, 0700) != 0 && errno != EEXIST)
        goto out;
    made->folder = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (made->folder < 0 || fsync(root) != 0)
        goto out;
    made->lock = openat(made->folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (made->lock < 0)
        goto out;
    status = flock(made->lock, LOCK_EX | LOCK_NB) == 0 ? ST_OK : ST_CONFLICT;
    if (status == ST_OK)
        status = log_list(made);
    if (status == ST_OK)
        status = log_end(made);
out:
    if (status != ST_OK) {
        journal_log_free(made);
        return status;
    }
    *log = made;
    return ST_OK;
}

const struct journal_part *journal_log_part(const struct journal_log *log, uint64_t seq)
{
    for (size_t i = 0; i < log->count; i++) {
        if (log->parts[i].last_seq >= seq && log->parts[i].last_seq + 1 > log->parts[i].first_seq)
            return &log->parts[i];
    }
    return NULL;
}

static bool part_may_go(const struct journal_log *log, size_t at)
{
    bool appended = log->own && at + 1 == log->count;
    return !appended && log->parts[at].last_seq <= log->acked_seq;
}

uint64_t journal_log_acked_bytes(const struct journal_log *log)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < log->count; i++)
        bytes += part_may_go(log, i) ? log->parts[i].bytes : 0;
    return bytes;
}

void journal_log_trim(struct journal_log *log, int64_t now_ms, uint64_t keep_ms, uint64_t cap_bytes,
                      uint64_t *acked_bytes)
{
    size_t gone = 0;
    while (gone < log->count && part_may_go(log, gone)) {
        const struct journal_part *part = &log->parts[gone];
        bool old = now_ms - part->written_ms > (int64_t)keep_ms;
        char name[JOURNAL_NAME_BYTES];
        if (!old && *acked_bytes <= cap_bytes)
            break;
        journal_part_name(part->number, name);
        if (unlinkat(log->folder, name, 0) != 0 && errno != ENOENT)
            break;
        *acked_bytes -= part->bytes;
        gone++;
    }
    log->count -= gone;
    if (gone > 0 && log->count > 0)
        memmove(log->parts, log->parts + gone, log->count * sizeof *log->parts);
}

void journal_log_remove(int root, const struct journal_log *log)
{
    static const char *const names[] = {"acked", "acked.new", "ended", "lock"};
    char name[24];
    for (size_t i = 0; i < COUNT_OF(names); i++)
        unlinkat(log->folder, names[i], 0);
    snprintf(name, sizeof name, "%016llx", (unsigned long long)log->boot);
    unlinkat(root, name, AT_REMOVEDIR);
}
