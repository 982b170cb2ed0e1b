/* tls.c: see tls.h. OpenSSL over a non-blocking socket; no session tickets, HTTP/1.1 only.
 *
 * A TLS read may need a write and the other way round (renegotiation, key update); the flags tell
 * the connection which event to wait for. It must never block and never retry by itself.
 */
#include "tests/sim/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int tls_select_http1(SSL *ssl, const unsigned char **out, unsigned char *out_n,
                            const unsigned char *in, unsigned in_n, void *arg)
{
    (void)ssl;
    (void)arg;
    for (unsigned at = 0; at < in_n; at += 1u + in[at]) {
        if (in[at] == 8 && at + 9 <= in_n && memcmp(in + at + 1, "http/1.1", 8) == 0) {
            *out = in + at + 1;
            *out_n = 8;
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_NOACK;
}

enum status tls_context_open(const char *cert_file, const char *key_file, SSL_CTX **context)
{
    SSL_CTX *made = SSL_CTX_new(TLS_server_method());
    if (made == NULL)
        return ST_NO_MEMORY;
    SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                               SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(made, tls_select_http1, NULL);
    if (SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION) != 1 ||
        SSL_CTX_use_certificate_chain_file(made, cert_file) != 1 ||
        SSL_CTX_use_PrivateKey_file(made, key_file, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(made) != 1) {
        SSL_CTX_free(made);
        return ST_INVALID;
    }
    *context = made;
    return ST_OK;
}

enum status pipe_open(struct pipe *pipe, int fd, SSL_CTX *context)
{
    *pipe = (struct pipe){.fd = fd};
    if (context == NULL)
        return ST_OK;
    pipe->ssl = SSL_new(context);
    if (pipe->ssl == NULL || SSL_set_fd(pipe->ssl, fd) != 1) {
        SSL_free(pipe->ssl);
        close(fd);
        *pipe = (struct pipe){.fd = -1};
        return ST_NO_MEMORY;
    }
    SSL_set_accept_state(pipe->ssl);
    return ST_OK;
}

static ssize_t pipe_tls_result(struct pipe *pipe, int n, bool reading)
{
    switch (SSL_get_error(pipe->ssl, n)) {
    case SSL_ERROR_WANT_READ:
        pipe->write_wants_read = !reading;
        return PIPE_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        pipe->read_wants_write = reading;
        return PIPE_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return PIPE_EOF;
    default:
        return PIPE_BROKEN;
    }
}

ssize_t pipe_read(struct pipe *pipe, void *room, size_t n)
{
    if (pipe->ssl != NULL) {
        ERR_clear_error();
        pipe->read_wants_write = false;
        int got = SSL_read(pipe->ssl, room, n > 0x7fffffff ? 0x7fffffff : (int)n);
        return got > 0 ? got : pipe_tls_result(pipe, got, true);
    }
    ssize_t got = recv(pipe->fd, room, n, 0);
    if (got > 0)
        return got;
    if (got == 0)
        return PIPE_EOF;
    return errno == EAGAIN || errno == EINTR ? PIPE_AGAIN : PIPE_BROKEN;
}

ssize_t pipe_write(struct pipe *pipe, const void *p, size_t n)
{
    if (pipe->ssl != NULL) {
        ERR_clear_error();
        pipe->write_wants_read = false;
        int put = SSL_write(pipe->ssl, p, n > 0x7fffffff ? 0x7fffffff : (int)n);
        return put > 0 ? put : pipe_tls_result(pipe, put, false);
    }
    ssize_t put = send(pipe->fd, p, n, MSG_NOSIGNAL);
    if (put >= 0)
        return put;
    return errno == EAGAIN || errno == EINTR ? PIPE_AGAIN : PIPE_BROKEN;
}

bool pipe_has_more(const struct pipe *pipe)
{
    return pipe->ssl != NULL && SSL_pending(pipe->ssl) > 0;
}

void pipe_close(struct pipe *pipe, bool reset)
{
    if (pipe->fd < 0)
        return;
    if (pipe->ssl != NULL) {
        if (!reset && SSL_is_init_finished(pipe->ssl)) {
            ERR_clear_error();
            (void)SSL_shutdown(pipe->ssl);
        }
        SSL_free(pipe->ssl);
    }
    if (reset) {
        struct linger linger = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(pipe->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    }
    close(pipe->fd);
    *pipe = (struct pipe){.fd = -1};
}
