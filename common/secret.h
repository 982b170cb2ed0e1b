/* secret.h: the only home of secret bytes.
 *
 * A `struct secret` lives in guarded memory (sodium_malloc: guard pages, locked, wiped on release,
 * not dumped, not inherited by a fork). No log, error or metric function accepts one. Opening gives
 * a pointer for a short while (secret_open .. secret_close); between uses the pages of long-lived
 * secrets are not readable. One thread per secret. secret_process_init also makes the process
 * non-dumpable, sets RLIMIT_CORE 0, and installs zero-on-free allocators for libcurl and OpenSSL
 * (reliability.md M12); it must run before either library is used.
 */
#ifndef SLUICE_COMMON_SECRET_H
#define SLUICE_COMMON_SECRET_H

#include "common/str.h"

struct secret;

/* sodium_init, non-dumpable, no core, zeroing allocators. Once per process, first thing in main.
 * ST_IO: the process must not go on (also when OpenSSL or libcurl was used before). */
MUST_USE enum status secret_process_init(void);

/* gives a secret of n zero bytes. ST_NO_MEMORY, ST_IO (no random source). */
MUST_USE enum status secret_new(size_t n, struct secret **secret);
/* copies `bytes` and wipes the source. */
MUST_USE enum status secret_take(void *bytes, size_t n, struct secret **secret);
/* Fills with random bytes. */
MUST_USE enum status secret_random(size_t n, struct secret **secret);
/* Reads exactly n bytes (or, n = 0, up to 64 KiB, whole file) from a descriptor; closes it. ST_IO,
 * ST_INVALID. */
MUST_USE enum status secret_read_fd(int fd, size_t n, struct secret **secret);
/* Opens a file (must not be readable by group or others) and reads it as secret_read_fd.
 * ST_NOT_FOUND, ST_INVALID (mode). */
MUST_USE enum status secret_read_file(const char *path, size_t n, struct secret **secret);
/* wipes and releases; NULL is fine. */
void secret_free(struct secret *secret);

/* Readable until secret_close. Nested calls count. */
struct str secret_open(struct secret *secret);
void *secret_open_write(struct secret *secret);
void secret_close(struct secret *secret);
size_t secret_size(const struct secret *secret);

/* Wipes memory that held secret bytes in passing. */
void secret_wipe(void *p, size_t n);

#endif
