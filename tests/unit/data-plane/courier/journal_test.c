/* The journal: what was appended is read again under the same number, whatever was torn off its
 * end. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "data-plane/courier/journal.h"
#include "data-plane/courier/journal_file.h"

static char dir[64];
static struct arena arena;
static struct journal_limits limits = {1u << 20, 3600 * 1000, 1u << 30};

static void setup(void)
{
    snprintf(dir, sizeof dir, "/tmp/journal-test-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    arena_init(&arena, 256u << 20);
    limits = (struct journal_limits){1u << 20, 3600 * 1000, 1u << 30};
}

static void teardown(void)
{
    pid_t pid = fork();
    if (pid == 0)
        execl("/bin/rm", "rm", "-rf", dir, (char *)NULL);
    waitpid(pid, NULL, 0);
    arena_free(&arena);
}

TestSuite(journal, .init = setup, .fini = teardown);

static struct journal *open_boot(uint64_t boot)
{
    struct journal *journal;
    cr_assert_eq(journal_open(dir, boot, &limits, &journal), ST_OK);
    return journal;
}

/* Each event says in `characters` what its number must be. */
static enum status append_n(struct journal *journal, size_t count)
{
    static Sluice__UsageEvent events[JOURNAL_BATCH_MAX], *list[JOURNAL_BATCH_MAX];
    uint64_t next = journal_last_seq(journal) + 1;
    for (size_t i = 0; i < count; i++) {
        sluice__usage_event__init(&events[i]);
        events[i].model = "gpt-4o-mini";
        events[i].characters = next + i;
        list[i] = &events[i];
    }
    return journal_append(journal, list, count);
}

/* Reads everything from `from` on in small batches, proving numbers; returns the highest seq seen.
 */
static uint64_t read_all(struct journal *journal, uint64_t boot, uint64_t from)
{
    Sluice__UsageBatch *batch;
    uint64_t seq = from;
    enum status status;
    while ((status = journal_read(journal, boot, seq, 7, 1 << 20, &arena, &batch)) == ST_OK) {
        cr_assert_eq(batch->journal_boot, boot);
        cr_assert_eq(batch->first_seq, seq);
        for (size_t i = 0; i < batch->n_events; i++, seq++) {
            cr_assert_eq(batch->events[i]->seq, seq);
            cr_assert_eq(batch->events[i]->characters, seq);
        }
    }
    cr_assert_eq(status, ST_END);
    return seq - 1;
}

static size_t file_count(uint64_t boot)
{
    size_t n = 0;
    char name[128];
    for (unsigned i = 1; i < 200; i++) {
        snprintf(name, sizeof name, "%s/%016llx/%08u.log", dir, (unsigned long long)boot, i);
        n += access(name, F_OK) == 0;
    }
    return n;
}

Test(journal, append_read_reopen)
{
    struct journal *journal = open_boot(1);
    cr_assert_eq(journal_last_seq(journal), 0);
    cr_assert_eq(append_n(journal, 3), ST_OK);
    cr_assert_eq(append_n(journal, 40), ST_OK);
    cr_assert_eq(read_all(journal, 1, 1), 43);
    cr_assert_eq(read_all(journal, 1, 20), 43);
    cr_assert_eq(journal_pending(journal), 43);
    journal_close(journal);
    journal = open_boot(1);
    cr_assert_eq(journal_last_seq(journal), 43);
    cr_assert_eq(append_n(journal, 1), ST_OK);
    cr_assert_eq(read_all(journal, 1, 43), 44);
    cr_assert_eq(file_count(1), 1);
    journal_close(journal);
}

Test(journal, one_owner)
{
    struct journal *journal = open_boot(1), *second;
    cr_assert_eq(journal_open(dir, 1, &limits, &second), ST_CONFLICT);
    journal_close(journal);
}

Test(journal, files_roll_and_read_on)
{
    limits.file_bytes = 300;
    struct journal *journal = open_boot(1);
    for (int i = 0; i < 50; i++)
        cr_assert_eq(append_n(journal, 3), ST_OK);
    cr_assert_gt(file_count(1), 10);
    cr_assert_eq(read_all(journal, 1, 1), 150);
    cr_assert_eq(read_all(journal, 1, 77), 150);
    journal_close(journal);
    journal = open_boot(1);
    cr_assert_eq(read_all(journal, 1, 1), 150);
    journal_close(journal);
}

/* A crash leaves any prefix of the last write: every length must reopen to the events that are
 * whole, and go on from there. */
Test(journal, torn_tail_at_every_byte, .timeout = 60)
{
    char name[128];
    struct stat whole;
    snprintf(name, sizeof name, "%s/%016llx/00000001.log", dir, 1ULL);
    struct journal *journal = open_boot(1);
    cr_assert_eq(append_n(journal, 4), ST_OK);
    journal_close(journal);
    cr_assert_eq(stat(name, &whole), 0);
    size_t n = (size_t)whole.st_size;
    char *bytes = arena_alloc(&arena, n);
    int fd = open(name, O_RDONLY);
    cr_assert_eq(read(fd, bytes, n), (ssize_t)n);
    close(fd);
    size_t event = (n - JOURNAL_HEAD_BYTES) / 4;
    for (size_t cut = 0; cut <= n; cut++) {
        for (int garbage = 0; garbage < 2; garbage++) {
            fd = open(name, O_WRONLY | O_TRUNC | O_CREAT, 0600);
            cr_assert_eq(write(fd, bytes, cut), (ssize_t)cut);
            if (garbage)
                cr_assert_eq(
                    write(fd, "\x20\0\0\0 garbage that is no frame at all, and long enough", 50),
                    50);
            close(fd);
            uint64_t left = cut < JOURNAL_HEAD_BYTES ? 0 : (cut - JOURNAL_HEAD_BYTES) / event;
            journal = open_boot(1);
            cr_assert_eq(journal_last_seq(journal), left, "cut %zu", cut);
            cr_assert_eq(append_n(journal, 2), ST_OK);
            cr_assert_eq(read_all(journal, 1, 1), left + 2, "cut %zu", cut);
            cr_assert_eq(journal_damaged(journal), 0);
            journal_close(journal);
        }
    }
}

/* Damage in a file that is not the last is passed over and counted; the numbers behind it stay
 * right. */
Test(journal, damage_in_the_middle)
{
    char name[128];
    limits.file_bytes = 300;
    struct journal *journal = open_boot(1);
    for (int i = 0; i < 10; i++)
        cr_assert_eq(append_n(journal, 10), ST_OK);
    cr_assert_gt(file_count(1), 2);
    snprintf(name, sizeof name, "%s/%016llx/00000002.log", dir, 1ULL);
    int fd = open(name, O_WRONLY);
    cr_assert_eq(pwrite(fd, "X", 1, JOURNAL_HEAD_BYTES + 100), 1);
    close(fd);
    uint64_t seq = 1, seen = 0, gaps = 0;
    Sluice__UsageBatch *batch;
    while (journal_read(journal, 1, seq, 100, 1 << 20, &arena, &batch) == ST_OK) {
        gaps += batch->first_seq != seq;
        seen += batch->n_events;
        for (size_t i = 0; i < batch->n_events; i++)
            cr_assert_eq(batch->events[i]->characters, batch->first_seq + i);
        seq = batch->first_seq + batch->n_events;
    }
    cr_assert_eq(seq, 101);
    cr_assert_eq(gaps, 1);
    cr_assert_gt(journal_damaged(journal), 0);
    cr_assert_eq(seen + journal_damaged(journal), 100);
    journal_close(journal);
}

Test(journal, acks_persist_and_can_be_forgotten)
{
    struct journal *journal = open_boot(1);
    struct journal_boot boots[4];
    cr_assert_eq(append_n(journal, 10), ST_OK);
    journal_ack(journal, 1, 6);
    journal_ack(journal, 1, 4);
    journal_ack(journal, 77, 4);
    cr_assert_eq(journal_pending(journal), 4);
    journal_close(journal);
    journal = open_boot(1);
    cr_assert_eq(journal_pending(journal), 4);
    journal_ack(journal, 1, 600);
    cr_assert_eq(journal_boots(journal, boots, 4), 1);
    cr_assert_eq(boots[0].acked_seq, 10, "not beyond what there is");
    journal_forget_acks(journal);
    cr_assert_eq(journal_pending(journal), 10);
    cr_assert_eq(read_all(journal, 1, 1), 10);
    journal_close(journal);
}

/* Numbers are never used again, even when the files that held them are gone. */
Test(journal, numbering_resumes_above_what_was_acknowledged)
{
    char name[128];
    struct journal *journal = open_boot(1);
    cr_assert_eq(append_n(journal, 10), ST_OK);
    journal_ack(journal, 1, 10);
    journal_close(journal);
    snprintf(name, sizeof name, "%s/%016llx/00000001.log", dir, 1ULL);
    cr_assert_eq(truncate(name, JOURNAL_HEAD_BYTES + 5), 0);
    journal = open_boot(1);
    cr_assert_eq(journal_last_seq(journal), 10);
    cr_assert_eq(append_n(journal, 2), ST_OK);
    cr_assert_eq(read_all(journal, 1, 11), 12);
    journal_close(journal);
    journal = open_boot(1);
    cr_assert_eq(journal_last_seq(journal), 12);
    journal_close(journal);
}

Test(journal, orphans_are_adopted_once_and_removed_when_done)
{
    struct journal_boot boots[4];
    struct journal *old = open_boot(1);
    cr_assert_eq(append_n(old, 5), ST_OK);
    struct journal *journal = open_boot(2);
    cr_assert_eq(journal_boots(journal, boots, 4), 1, "boot 1 is alive");
    journal_close(old);
    journal_tidy(journal);
    cr_assert_eq(journal_boots(journal, boots, 4), 2);
    cr_assert(boots[0].boot == 1 && boots[0].last_seq == 5 && !boots[0].own);
    struct journal *third = open_boot(3);
    cr_assert_eq(journal_boots(third, boots, 4), 1, "1 is taken, 2 is alive");
    journal_close(third);
    cr_assert_eq(read_all(journal, 1, 1), 5);
    journal_tidy(journal);
    journal_ack(journal, 1, 5);
    limits.keep_ms = 0;
    journal_close(journal);
    journal = open_boot(2);
    struct timespec past[2] = {{1, 0}, {1, 0}};
    char name[128];
    snprintf(name, sizeof name, "%s/%016llx/00000001.log", dir, 1ULL);
    cr_assert_eq(utimensat(AT_FDCWD, name, past, 0), 0);
    journal_close(journal);
    journal = open_boot(2);
    journal_tidy(journal);
    cr_assert_eq(journal_boots(journal, boots, 4), 1);
    snprintf(name, sizeof name, "%s/%016llx", dir, 1ULL);
    cr_assert_neq(access(name, F_OK), 0);
    journal_close(journal);
}

Test(journal, cap_deletes_only_what_is_acknowledged)
{
    limits.file_bytes = 300;
    limits.cap_bytes = 700;
    struct journal *journal = open_boot(1);
    struct journal_boot boot;
    for (int i = 0; i < 50; i++)
        cr_assert_eq(append_n(journal, 3), ST_OK);
    size_t files = file_count(1);
    journal_tidy(journal);
    cr_assert_eq(file_count(1), files, "nothing is acknowledged");
    journal_ack(journal, 1, 75);
    journal_tidy(journal);
    cr_assert_lt(file_count(1), files);
    cr_assert_eq(journal_boots(journal, &boot, 1), 1);
    cr_assert_gt(boot.first_seq, 1);
    cr_assert_leq(boot.first_seq, 76);
    cr_assert_eq(read_all(journal, 1, 76), 150);
    journal_close(journal);
}

/* A write that fails half way leaves nothing behind and may be tried again. */
Test(journal, a_full_disk_appends_nothing)
{
    struct journal *journal = open_boot(1);
    struct rlimit small = {2000, RLIM_INFINITY}, before;
    cr_assert_eq(append_n(journal, 3), ST_OK);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    setrlimit(RLIMIT_FSIZE, &small);
    enum status status = append_n(journal, 500);
    setrlimit(RLIMIT_FSIZE, &before);
    cr_assert_eq(status, ST_STORE_FULL);
    cr_assert_eq(journal_last_seq(journal), 3);
    cr_assert_eq(append_n(journal, 500), ST_OK);
    cr_assert_eq(read_all(journal, 1, 1), 503);
    journal_close(journal);
    journal = open_boot(1);
    cr_assert_eq(read_all(journal, 1, 1), 503);
    journal_close(journal);
}

Test(journal, foreign_files_and_folders_do_not_matter)
{
    char name[128];
    snprintf(name, sizeof name, "%s/lost+found", dir);
    mkdir(name, 0700);
    snprintf(name, sizeof name, "%s/ABCDEF0123456789", dir);
    mkdir(name, 0700);
    struct journal *journal = open_boot(1);
    snprintf(name, sizeof name, "%s/%016llx/notes.txt", dir, 1ULL);
    close(open(name, O_WRONLY | O_CREAT, 0600));
    snprintf(name, sizeof name, "%s/%016llx/00000009.log", dir, 1ULL);
    close(open(name, O_WRONLY | O_CREAT, 0600));
    journal_close(journal);
    journal = open_boot(1);
    cr_assert_eq(append_n(journal, 1), ST_OK);
    cr_assert_eq(read_all(journal, 1, 1), 1);
    Sluice__UsageBatch *batch;
    cr_assert_eq(journal_read(journal, 99, 1, 1, 1, &arena, &batch), ST_NOT_FOUND);
    journal_close(journal);
}
