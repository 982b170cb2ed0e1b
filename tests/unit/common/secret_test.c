/* Secrets: they are where they should be, and nowhere afterwards. */
#include "common/secret.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/common/secret_scan.h"

#define OK(expr) cr_assert_eq((expr), ST_OK, "%s", #expr)

Test(secret, is_gone_after_free)
{
    struct secret *secret;
    unsigned char passing[sizeof scan_canary];
    scan_write(passing);
    cr_assert_eq(scan_memory(), 1);
    OK(secret_take(passing, sizeof passing, &secret));
    cr_assert_eq(scan_memory(), 1); /* moved, not copied; found although not readable */
    secret_free(secret);
    cr_assert_eq(scan_memory(), 0);
}

Test(secret, a_forked_child_has_zeros)
{
    struct secret *secret;
    OK(secret_random(32, &secret));
    pid_t pid = fork();
    if (pid == 0) {
        struct str s = secret_open(secret);
        int sum = 0;
        for (size_t i = 0; i < s.n; i++)
            sum |= s.p[i];
        _exit(sum == 0 ? 0 : 1);
    }
    int end;
    cr_assert_eq(waitpid(pid, &end, 0), pid);
    cr_assert(WIFEXITED(end) && WEXITSTATUS(end) == 0);
    secret_free(secret);
}

#ifndef SLUICE_SANITIZED
Test(secret, closed_is_not_readable, .signal = SIGSEGV)
{
    struct secret *secret;
    OK(secret_random(32, &secret));
    struct str s = secret_open(secret);
    secret_open(secret);
    secret_close(secret);
    volatile char c = s.p[0]; /* still open once */
    secret_close(secret);
    c = s.p[0];
    (void)c;
}

Test(secret, open_for_reading_is_not_writable, .signal = SIGSEGV)
{
    struct secret *secret;
    OK(secret_random(32, &secret));
    volatile char *p = (volatile char *)(uintptr_t)secret_open(secret).p;
    p[0] = 1;
}
#endif

static enum status read_text(const char *text, size_t n, mode_t mode, struct secret **secret)
{
    char path[] = "/tmp/sluice-secret-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
              fchmod(fd, mode) == 0);
    close(fd);
    enum status status = secret_read_file(path, n, secret);
    unlink(path);
    return status;
}

Test(secret, files)
{
    struct secret *secret = NULL;
    const struct {
        const char *text;
        size_t n;
        mode_t mode;
        enum status status;
    } rows[] = {
        {"0123456789abcdef", 16, 0600, ST_OK},        {"0123456789abcdef", 16, 0400, ST_OK},
        {"0123456789abcdef", 0, 0600, ST_OK},         {"0123456789abcde", 16, 0600, ST_INVALID},
        {"0123456789abcdef\n", 16, 0600, ST_INVALID}, {"", 0, 0600, ST_INVALID},
        {"0123456789abcdef", 16, 0640, ST_INVALID},   {"0123456789abcdef", 16, 0604, ST_INVALID},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cr_assert_eq(read_text(rows[i].text, rows[i].n, rows[i].mode, &secret), rows[i].status,
                     "row %zu", i);
        if (rows[i].status == ST_OK) {
            cr_assert_eq(secret_size(secret), 16);
            cr_assert(str_eq(secret_open(secret), str_c(rows[i].text)));
            secret_close(secret);
            secret_free(secret);
        }
    }
    cr_assert_eq(secret_read_file("/tmp/sluice-no-such-file", 0, &secret), ST_NOT_FOUND);
    cr_assert_eq(secret_read_file("/tmp", 0, &secret), ST_INVALID);
}
