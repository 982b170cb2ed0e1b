/* tls.h: the byte pipe of a connection, plain or TLS, non-blocking.
 *
 * Owner: the connection owns its descriptor and `struct pipe`. pipe_close releases both.
 * Reads and writes return bytes moved, PIPE_AGAIN, PIPE_EOF or PIPE_BROKEN; nothing else. The
 * handshake happens inside the first reads. One thread.
 */
#ifndef SLUICE_TESTS_SIM_TLS_H
#define SLUICE_TESTS_SIM_TLS_H

#include "common/status.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PIPE_AGAIN  (-1)
#define PIPE_EOF    (-2)
#define PIPE_BROKEN (-3)

struct pipe {
    int fd;
    SSL *ssl; /* NULL: plain */
    bool read_wants_write, write_wants_read;
};

/* Gives a server context from PEM files. ST_INVALID when they cannot be used. */
MUST_USE enum status tls_context_open(const char *cert_file, const char *key_file,
                                      SSL_CTX **context);

/* Takes fd. `context` NULL makes a plain pipe. ST_NO_MEMORY. */
MUST_USE enum status pipe_open(struct pipe *pipe, int fd, SSL_CTX *context);
ssize_t pipe_read(struct pipe *pipe, void *room, size_t n);
ssize_t pipe_write(struct pipe *pipe, const void *p, size_t n);
/* True if decrypted bytes wait inside the library, which epoll cannot see. */
bool pipe_has_more(const struct pipe *pipe);
/* reset: the peer gets RST instead of FIN, and no TLS close alert. */
void pipe_close(struct pipe *pipe, bool reset);

#endif
