/* sluice-power: is what the store acknowledged still there after the power went?
 *
 *   sluice-power work FOLDER CHANGES           writes (under power_record.so) and appends what was
 * acknowledged to FOLDER/acks sluice-power replay LOG FOLDER STATES SEED [--without-syncs]
 *
 * A disk keeps every write before the last sync that returned, and of the later ones any subset,
 * torn at 512 bytes. replay picks a moment of the log at random, keeps such a subset (half of the
 * states: all of them, the pure prefix), opens the store so found in a process of its own and
 * checks life_check against what had been acknowledged by that moment. With --without-syncs no sync
 * is believed: the same check must then find broken stores, or it could not find any. Model and its
 * limits: reliability M7 (LMDB's meta page, one O_DSYNC write within 512 bytes, is taken as whole).
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fault/power_log.h"
#include "tests/store_life.h"

#define SECTOR            512u
#define IMAGE_MAX         (64u << 20)
#define MAP_BYTES         ((uint64_t)256 << 20)
#define CHECK_S_MAX       20u /* a broken tree may lead in circles */
#define USAGE_EVERY       4u  /* changes between batches of usage */
#define WRITTEN_BACK_ROWS 48  /* without syncs: what is older has reached the disk by itself */
#define SHOWN_MAX         5

struct row {
    struct power_row head;
    const uint8_t *bytes;
};

struct log {
    struct row *rows;
    size_t count;
};

struct image {
    uint8_t *bytes; /* IMAGE_MAX */
    size_t n;       /* the file's length */
};

static uint64_t random_state;

static _Noreturn void fail(const char *why)
{
    fprintf(stderr, "sluice-power: %s\n", why);
    exit(2);
}

/* splitmix64: the same seed gives the same states. */
static uint64_t next_random(void)
{
    uint64_t z = (random_state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static int work(const char *folder, uint64_t changes)
{
    char acks[512];
    struct kv *kv;
    struct writer *writer;
    struct arena arena;
    uint64_t through = 0;
    snprintf(acks, sizeof acks, "%s/acks", folder);
    int fd = open(acks, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    arena_init(&arena, 1 << 20);
    if (fd < 0 || kv_open(folder, &(struct kv_options){.map_bytes = MAP_BYTES}, &kv) != ST_OK ||
        writer_start(kv, &writer) != ST_OK)
        fail("the store does not open");
    for (uint64_t n = 0; n < changes; n++) {
        struct life_ack ack = {.number = n};
        if (n % USAGE_EVERY == 0) {
            if (life_send_usage(writer, &through) != ST_OK)
                fail("usage is not taken");
            ack.number = through;
        } else if (writer_run(writer, NULL, &arena, life_put_workspace, &ack.number,
                              &ack.revision) != ST_OK) {
            fail("a change is not taken");
        }
        arena_free(&arena);
        if (write(fd, &ack, sizeof ack) != sizeof ack)
            fail("the acknowledgement is not written");
    }
    writer_stop(writer);
    kv_close(kv);
    close(fd);
    return 0;
}

static struct log read_log(const char *path)
{
    struct log log = {0};
    struct stat file;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &file) != 0)
        fail("the log does not open");
    size_t n = (size_t)file.st_size, at = 0;
    uint8_t *bytes = malloc(n);
    log.rows = calloc(n / sizeof(struct power_row) + 1, sizeof *log.rows);
    if (bytes == NULL || log.rows == NULL || read(fd, bytes, n) != file.st_size)
        fail("the log is not readable");
    close(fd);
    while (at < n) {
        struct row *row = &log.rows[log.count++];
        if (n - at < sizeof row->head)
            fail("the log ends within a row");
        memcpy(&row->head, bytes + at, sizeof row->head);
        at += sizeof row->head;
        if (row->head.n > n - at)
            fail("the log ends within a row");
        row->bytes = bytes + at;
        at += row->head.n;
    }
    return log;
}

static void grow(struct image *image, size_t n)
{
    if (n > IMAGE_MAX)
        fail("the store is larger than the test expects");
    if (n > image->n) {
        memset(image->bytes + image->n, 0, n - image->n);
        image->n = n;
    }
}

static void apply(struct image *image, const struct row *row, size_t from, size_t n)
{
    size_t at = row->head.offset + from;
    grow(image, at + n);
    memcpy(image->bytes + at, row->bytes + from, n);
}

/* A write that no sync has confirmed: whole, not at all, or some of its sectors. */
static void apply_torn(struct image *image, const struct row *row)
{
    uint64_t fate = next_random() % 4;
    if (fate == 0)
        return;
    for (size_t at = 0; at < row->head.n;) {
        size_t n = SECTOR - (row->head.offset + at) % SECTOR;
        n = n < row->head.n - at ? n : row->head.n - at;
        if (fate != 1 || next_random() % 2 == 0)
            apply(image, row, at, n);
        at += n;
    }
}

/* The file as a disk may hold it when the power goes before row `end`. */
static void build(struct image *image, const struct log *log, size_t end, bool without_syncs)
{
    bool prefix = !without_syncs && next_random() % 2 == 0;
    size_t synced = !without_syncs || end < WRITTEN_BACK_ROWS ? 0 : end - WRITTEN_BACK_ROWS;
    for (size_t i = 0; i < end && !without_syncs; i++)
        if (log->rows[i].head.kind == POWER_SYNC)
            synced = i;
    image->n = 0;
    for (size_t i = 0; i < end; i++) {
        const struct row *row = &log->rows[i];
        if (row->head.kind == POWER_TRUNCATE) {
            grow(image, row->head.offset);
            image->n = row->head.offset;
        } else if (row->head.kind == POWER_WRITE) {
            if (prefix || i < synced || (row->head.durable && !without_syncs))
                apply(image, row, 0, row->head.n);
            else
                apply_torn(image, row);
        }
    }
}

static struct life_told told_before(const struct log *log, size_t end)
{
    struct life_told told = {0};
    for (size_t i = 0; i < end; i++) {
        struct life_ack ack;
        if (log->rows[i].head.kind != POWER_MARK)
            continue;
        if (log->rows[i].head.n != sizeof ack)
            fail("an acknowledgement has another size");
        memcpy(&ack, log->rows[i].bytes, sizeof ack);
        if (!life_tell(&told, ack))
            fail("no memory");
    }
    return told;
}

/* In a process of its own: a broken store may crash its reader. 0: it holds. */
static int check_child(const char *folder, const struct life_told *told)
{
    struct kv *kv;
    struct arena arena;
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    alarm(CHECK_S_MAX);
    arena_init(&arena, (size_t)64 << 20);
    const char *wrong = "the store does not open";
    if (kv_open(folder, &(struct kv_options){.map_bytes = MAP_BYTES}, &kv) == ST_OK)
        wrong = life_check(kv, told, &arena);
    if (wrong != NULL)
        printf("    %s\n", wrong);
    fflush(stdout);
    return wrong == NULL ? 0 : 1;
}

static bool state_holds(const char *folder, const struct image *image, const struct life_told *told,
                        bool quiet)
{
    char path[512];
    int end;
    snprintf(path, sizeof path, "%s/data.mdb", folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, image->bytes, image->n) != (ssize_t)image->n)
        fail("the state is not written");
    close(fd);
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        fail("no process for the check");
    if (pid == 0) {
        if (quiet && (freopen("/dev/null", "w", stdout) == NULL ||
                      freopen("/dev/null", "w", stderr) == NULL))
            _exit(3);
        _exit(check_child(folder, told));
    }
    if (waitpid(pid, &end, 0) != pid)
        fail("the check is lost");
    return WIFEXITED(end) && WEXITSTATUS(end) == 0;
}

static int replay(const char *path, const char *folder, uint64_t states, bool without_syncs)
{
    struct log log = read_log(path);
    struct image image = {.bytes = malloc(IMAGE_MAX)};
    uint64_t bad = 0;
    size_t acked = 0, first = 0;
    if (image.bytes == NULL || log.count == 0)
        fail("nothing was recorded");
    /* A store begins with its first acknowledgement: before it, an empty folder is as good. */
    while (first < log.count && log.rows[first].head.kind != POWER_MARK)
        first++;
    for (uint64_t i = 0; i < states; i++) {
        size_t end = first + next_random() % (log.count - first + 1);
        struct life_told told = told_before(&log, end);
        acked = told.count > acked ? told.count : acked;
        build(&image, &log, end, without_syncs);
        if (!state_holds(folder, &image, &told, without_syncs || bad >= SHOWN_MAX)) {
            if (!without_syncs && bad < SHOWN_MAX)
                printf("  state %llu (before row %zu) is broken\n", (unsigned long long)i, end);
            bad++;
        }
        free(told.acks);
    }
    printf("%llu states of %zu rows, up to %zu acknowledged changes: %llu broken%s\n",
           (unsigned long long)states, log.count, acked, (unsigned long long)bad,
           without_syncs ? " (no sync believed)" : "");
    free(image.bytes);
    return bad == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    uint64_t number;
    if (argc == 4 && strcmp(argv[1], "work") == 0 && str_to_u64(str_c(argv[3]), &number) == ST_OK)
        return work(argv[2], number);
    if (argc >= 6 && strcmp(argv[1], "replay") == 0 &&
        str_to_u64(str_c(argv[4]), &number) == ST_OK &&
        str_to_u64(str_c(argv[5]), &random_state) == ST_OK)
        return replay(argv[2], argv[3], number,
                      argc > 6 && strcmp(argv[6], "--without-syncs") == 0);
    fail("usage: work FOLDER CHANGES | replay LOG FOLDER STATES SEED [--without-syncs]");
}
