/* power_record.so: LD_PRELOAD; every write and sync of an LMDB data file goes into a log as well.
 *
 *   SLUICE_POWER_LOG=FILE LD_PRELOAD=power_record.so program
 *
 * Files whose name ends in "/data.mdb" are watched, and "/acks", whose bytes become marks. The real
 * call is made first and recorded when it has returned, so the log never claims more than was done;
 * one lock keeps the log's order that of the calls. Only the calls that liblmdb makes are here
 * (pwrite, write, writev, lseek, fdatasync, fsync, ftruncate); mmap is read only in our mode.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/fault/power_log.h"

#define WATCHED_MAX 1024

enum watched { NOT_WATCHED, WATCH_DATA, WATCH_DURABLE, WATCH_ACKS };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint8_t watched[WATCHED_MAX]; /* by descriptor */
static int log_fd = -1;

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("SLUICE_POWER_LOG");
    if (path != NULL)
        log_fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                              0600);
}

static enum watched watch_of(int fd)
{
    return log_fd < 0 || fd < 0 || fd >= WATCHED_MAX ? NOT_WATCHED : (enum watched)watched[fd];
}

static void put(const void *bytes, size_t n)
{
    for (size_t at = 0; at < n;) {
        long done = syscall(SYS_write, log_fd, (const char *)bytes + at, n - at);
        if (done <= 0)
            _exit(99); /* half a log would prove nothing */
        at += (size_t)done;
    }
}

static void record(enum power_kind kind, int fd, uint64_t offset, const void *bytes, size_t n)
{
    struct power_row row = {
        .kind = kind, .durable = watch_of(fd) == WATCH_DURABLE, .offset = offset, .n = n};
    put(&row, sizeof row);
    put(bytes, n);
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && memcmp(text + n - m, end, m) == 0;
}

static int open_watched(const char *path, int flags, mode_t mode)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd < 0 || fd >= WATCHED_MAX)
        return fd;
    watched[fd] = NOT_WATCHED;
    if (ends_with(path, "/data.mdb"))
        watched[fd] = flags & O_DSYNC ? WATCH_DURABLE : WATCH_DATA;
    else if (ends_with(path, "/acks"))
        watched[fd] = WATCH_ACKS;
    return fd;
}

int open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open_watched(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open_watched(path, flags, mode);
}

int close(int fd)
{
    if (fd >= 0 && fd < WATCHED_MAX)
        watched[fd] = NOT_WATCHED;
    return (int)syscall(SYS_close, fd);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset)
{
    if (watch_of(fd) == NOT_WATCHED)
        return syscall(SYS_pwrite64, fd, bytes, n, offset);
    pthread_mutex_lock(&lock);
    ssize_t done = syscall(SYS_pwrite64, fd, bytes, n, offset);
    if (done > 0)
        record(POWER_WRITE, fd, (uint64_t)offset, bytes, (size_t)done);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    enum watched kind = watch_of(fd);
    if (kind == NOT_WATCHED)
        return syscall(SYS_write, fd, bytes, n);
    pthread_mutex_lock(&lock);
    off_t offset = kind == WATCH_ACKS ? 0 : syscall(SYS_lseek, fd, 0, SEEK_CUR);
    ssize_t done = syscall(SYS_write, fd, bytes, n);
    if (done > 0)
        record(kind == WATCH_ACKS ? POWER_MARK : POWER_WRITE, fd, (uint64_t)offset, bytes,
               (size_t)done);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (watch_of(fd) == NOT_WATCHED)
        return syscall(SYS_writev, fd, parts, count);
    pthread_mutex_lock(&lock);
    off_t offset = syscall(SYS_lseek, fd, 0, SEEK_CUR);
    ssize_t done = syscall(SYS_writev, fd, parts, count);
    size_t left = done > 0 ? (size_t)done : 0;
    for (int i = 0; i < count && left > 0; i++) {
        size_t n = parts[i].iov_len < left ? parts[i].iov_len : left;
        record(POWER_WRITE, fd, (uint64_t)offset, parts[i].iov_base, n);
        offset += (off_t)n;
        left -= n;
    }
    pthread_mutex_unlock(&lock);
    return done;
}

static int sync_watched(long call, int fd)
{
    if (watch_of(fd) == NOT_WATCHED)
        return (int)syscall(call, fd);
    pthread_mutex_lock(&lock);
    int rc = (int)syscall(call, fd);
    if (rc == 0)
        record(POWER_SYNC, fd, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return rc;
}

int fdatasync(int fd)
{
    return sync_watched(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return sync_watched(SYS_fsync, fd);
}

int ftruncate(int fd, off_t length)
{
    if (watch_of(fd) == NOT_WATCHED)
        return (int)syscall(SYS_ftruncate, fd, length);
    pthread_mutex_lock(&lock);
    int rc = (int)syscall(SYS_ftruncate, fd, length);
    if (rc == 0)
        record(POWER_TRUNCATE, fd, (uint64_t)length, NULL, 0);
    pthread_mutex_unlock(&lock);
    return rc;
}
