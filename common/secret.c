/* secret.c: guarded memory for secret bytes, and a process that leaks none.
 *
 *   sodium_malloc: [guard page][canary .. bytes][guard page], locked, not dumped
 *   here also: wiped in a forked child
 *
 * Invariant: outside secret_open .. secret_close the pages of a secret cannot be read by this
 * process either, and when it is freed its bytes are gone. libcurl and OpenSSL keep copies of what
 * they were given in freed heap memory (three of them, measured), so both get an allocator that
 * clears what it frees. Nothing here logs, formats or compares a secret.
 */
#include "common/secret.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAGIC          0x53630001u
#define SECRET_FILE_MAX_BYTES ((size_t)64 << 10)

struct secret {
    uint32_t magic;
    unsigned opened;
    size_t n;
    char *p;
};

/* --- an allocator that clears what it frees ------------------------------------------------------
 */

/* In front of each block: its size, padded so that the block stays aligned as malloc aligns. */
struct wiped {
    size_t n;
} __attribute__((aligned(16)));

static void *wiped_malloc(size_t n)
{
    struct wiped *block = n > SIZE_MAX - sizeof *block ? NULL : malloc(sizeof *block + n);
    if (block == NULL)
        return NULL;
    block->n = n;
    return block + 1;
}

static void wiped_free(void *p)
{
    if (p == NULL)
        return;
    struct wiped *block = (struct wiped *)p - 1;
    sodium_memzero(p, block->n);
    free(block);
}

static void *wiped_realloc(void *p, size_t n)
{
    if (p == NULL)
        return wiped_malloc(n);
    struct wiped *block = (struct wiped *)p - 1;
    void *out = wiped_malloc(n);
    if (out == NULL)
        return NULL;
    memcpy(out, p, block->n < n ? block->n : n);
    wiped_free(p);
    return out;
}

static void *wiped_calloc(size_t count, size_t size)
{
    size_t n;
    void *out = __builtin_mul_overflow(count, size, &n) ? NULL : wiped_malloc(n);
    if (out != NULL)
        memset(out, 0, n);
    return out;
}

static char *wiped_strdup(const char *text)
{
    size_t n = strlen(text) + 1;
    char *out = wiped_malloc(n);
    if (out != NULL)
        memcpy(out, text, n);
    return out;
}

static void *openssl_malloc(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return n == 0 ? NULL : wiped_malloc(n);
}

static void *openssl_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    if (n > 0)
        return wiped_realloc(p, n);
    wiped_free(p);
    return NULL;
}

static void openssl_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    wiped_free(p);
}

enum status secret_process_init(void)
{
    if (sodium_init() < 0)
        return ST_IO;
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return ST_IO;
#ifndef SLUICE_SANITIZED /* the leak checker has to trace its own process */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return ST_IO;
#endif
    if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1)
        return ST_IO;
    if (curl_global_init_mem(CURL_GLOBAL_ALL, wiped_malloc, wiped_free, wiped_realloc, wiped_strdup,
                             wiped_calloc) != CURLE_OK)
        return ST_IO;
    return ST_OK;
}

/* --- secrets -------------------------------------------------------------------------------------
 */

/* A child of fork finds zeros. Kernels without the advice lose only this one layer. */
static void secret_wipe_on_fork(void *p, size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = (uintptr_t)p & ~(page - 1);
    size_t length = ((uintptr_t)p + n - from + page - 1) & ~(page - 1);
    (void)madvise((void *)from, length, MADV_WIPEONFORK);
}

enum status secret_new(size_t n, struct secret **out)
{
    if (sodium_init() < 0)
        return ST_IO;
    struct secret *secret = calloc(1, sizeof *secret);
    if (secret == NULL)
        return ST_NO_MEMORY;
    secret->p = sodium_malloc(n > 0 ? n : 1);
    if (secret->p == NULL) {
        free(secret);
        return ST_NO_MEMORY;
    }
    secret_wipe_on_fork(secret->p, n > 0 ? n : 1);
    memset(secret->p, 0, n);
    secret->magic = SECRET_MAGIC;
    secret->n = n;
    CHECK(sodium_mprotect_noaccess(secret->p) == 0);
    *out = secret;
    return ST_OK;
}

void secret_free(struct secret *secret)
{
    if (secret == NULL)
        return;
    CHECK_OBJ(secret, SECRET_MAGIC);
    secret->magic = 0;
    sodium_free(secret->p);
    free(secret);
}

enum status secret_take(void *bytes, size_t n, struct secret **out)
{
    struct secret *secret;
    enum status status = secret_new(n, &secret);
    if (status == ST_OK) {
        if (n > 0)
            memcpy(secret_open_write(secret), bytes, n);
        else
            secret_open_write(secret);
        secret_close(secret);
        *out = secret;
    }
    if (n > 0)
        sodium_memzero(bytes, n);
    return status;
}

enum status secret_random(size_t n, struct secret **out)
{
    struct secret *secret;
    TRY(secret_new(n, &secret));
    randombytes_buf(secret_open_write(secret), n);
    secret_close(secret);
    *out = secret;
    return ST_OK;
}

struct str secret_open(struct secret *secret)
{
    CHECK_OBJ(secret, SECRET_MAGIC);
    if (secret->opened++ == 0)
        CHECK(sodium_mprotect_readonly(secret->p) == 0);
    return (struct str){secret->p, secret->n};
}

void *secret_open_write(struct secret *secret)
{
    CHECK_OBJ(secret, SECRET_MAGIC);
    secret->opened++;
    CHECK(sodium_mprotect_readwrite(secret->p) == 0);
    return secret->p;
}

void secret_close(struct secret *secret)
{
    CHECK_OBJ(secret, SECRET_MAGIC);
    CHECK(secret->opened > 0);
    if (--secret->opened == 0)
        CHECK(sodium_mprotect_noaccess(secret->p) == 0);
}

size_t secret_size(const struct secret *secret)
{
    CHECK_OBJ(secret, SECRET_MAGIC);
    return secret->n;
}

void secret_wipe(void *p, size_t n)
{
    sodium_memzero(p, n);
}

/* --- from outside --------------------------------------------------------------------------------
 */

/* Reads until `room` bytes or the end. */
static enum status secret_fill(int fd, char *p, size_t room, size_t *n)
{
    size_t at = 0;
    while (at < room) {
        ssize_t got = read(fd, p + at, room - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ST_IO;
        if (got == 0)
            break;
        at += (size_t)got;
    }
    *n = at;
    return ST_OK;
}

enum status secret_read_fd(int fd, size_t n, struct secret **out)
{
    struct secret *raw = NULL, *exact = NULL;
    size_t room = (n > 0 ? n : SECRET_FILE_MAX_BYTES) + 1, got = 0;
    enum status status = secret_new(room, &raw);
    if (status == ST_OK) {
        status = secret_fill(fd, secret_open_write(raw), room, &got);
        if (status == ST_OK && (got == room || got == 0 || (n > 0 && got != n)))
            status = ST_INVALID;
        if (status == ST_OK)
            status = secret_new(got, &exact);
        if (status == ST_OK) {
            memcpy(secret_open_write(exact), raw->p, got);
            secret_close(exact);
            *out = exact;
        }
        secret_close(raw);
    }
    secret_free(raw);
    close(fd);
    return status;
}

enum status secret_read_file(const char *path, size_t n, struct secret **secret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return status_from_errno(errno);
    struct stat st;
    enum status status = ST_OK;
    if (fstat(fd, &st) != 0)
        status = ST_IO;
    else if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0 ||
             (st.st_uid != geteuid() && st.st_uid != 0))
        status = ST_INVALID;
    if (status != ST_OK) {
        close(fd);
        return status;
    }
    return secret_read_fd(fd, n, secret);
}
