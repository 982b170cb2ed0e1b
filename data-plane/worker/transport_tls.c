/* transport_tls.c: TLS for clients, with OpenSSL (transport.h).
 *
 * Why SSL_* straight on the descriptor: OpenSSL's non-blocking mode needs no memory BIO and no
 * copy. Invariants: every call is preceded by an empty error queue, so SSL_get_error speaks of this
 * call; after SSL_ERROR_SSL or SYSCALL the object is only freed. A peer that ends TCP without
 * close_notify is ST_CLOSED: a truncated body must not look complete. Never: OpenSSL's own session
 * cache (memory without a bound); tickets carry the state instead, one per handshake, and fall back
 * to a full handshake when they come back to another worker.
 */
#include "data-plane/worker/transport.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "common/log.h"

#define TLS_CIPHERS_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20"

struct tls_server {
    SSL_CTX *context;
};

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_n,
                           const unsigned char *in, unsigned in_n, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen = NULL;
    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, out_n, ours, sizeof ours - 1, in, in_n) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static bool use_key(SSL_CTX *context, struct str pem)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    bool good = key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return good && SSL_CTX_check_private_key(context) == 1;
}

static bool set_rules(SSL_CTX *context)
{
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, TLS_CIPHERS_1_2) == 1;
}

enum status tls_server_new(const char *chain_path, struct str key_pem, struct tls_server **out)
{
    struct tls_server *tls = calloc(1, sizeof *tls);
    if (tls == NULL)
        return ST_NO_MEMORY;
    tls->context = SSL_CTX_new(TLS_server_method());
    if (tls->context == NULL || !set_rules(tls->context) ||
        SSL_CTX_use_certificate_chain_file(tls->context, chain_path) != 1 ||
        !use_key(tls->context, key_pem)) {
        log_error("tls_certificate_unusable", LOG_CSTR("path", chain_path),
                  LOG_CSTR("reason", ERR_reason_error_string(ERR_peek_last_error())));
        ERR_clear_error();
        tls_server_free(tls);
        return ST_INVALID;
    }
    *out = tls;
    return ST_OK;
}

void tls_server_free(struct tls_server *tls)
{
    if (tls == NULL)
        return;
    SSL_CTX_free(tls->context);
    free(tls);
}

enum status tls_open(struct transport *transport, struct tls_server *tls)
{
    SSL *ssl = SSL_new(tls->context);
    if (ssl == NULL || SSL_set_fd(ssl, transport->fd) != 1) {
        SSL_free(ssl);
        ERR_clear_error();
        return ST_NO_MEMORY;
    }
    SSL_set_accept_state(ssl);
    transport->ssl = ssl;
    return ST_OK;
}

void tls_close(struct transport *transport)
{
    SSL_free(transport->ssl);
    transport->ssl = NULL;
    ERR_clear_error();
}

/* What a call that did not succeed means. */
static enum status verdict(struct transport *transport, int result)
{
    int error = SSL_get_error(transport->ssl, result);
    switch (error) {
    case SSL_ERROR_WANT_READ:
        transport->wants = EPOLLIN;
        return ST_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        transport->wants = EPOLLOUT;
        return ST_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return ST_END;
    default:
        ERR_clear_error();
        return ST_CLOSED;
    }
}

enum status tls_handshake(struct transport *transport)
{
    ERR_clear_error();
    int result = SSL_do_handshake(transport->ssl);
    if (result == 1)
        return ST_OK;
    enum status status = verdict(transport, result);
    return status == ST_END ? ST_CLOSED : status;
}

enum status tls_read(struct transport *transport, char *p, size_t n, size_t *got)
{
    size_t total = 0;
    while (total < n) {
        size_t some = 0;
        ERR_clear_error();
        int result = SSL_read_ex(transport->ssl, p + total, n - total, &some);
        if (result != 1) {
            enum status status = verdict(transport, result);
            /* What was read before the end or the failure counts; the next call meets it again. */
            if (total == 0)
                return status;
            break;
        }
        total += some;
    }
    *got = total;
    return ST_OK;
}

enum status tls_write(struct transport *transport, const char *p, size_t n, size_t *put)
{
    ERR_clear_error();
    int result = SSL_write_ex(transport->ssl, p, n, put);
    if (result == 1)
        return ST_OK;
    enum status status = verdict(transport, result);
    return status == ST_END ? ST_CLOSED : status;
}

void tls_end(struct transport *transport)
{
    ERR_clear_error();
    if (SSL_in_init(transport->ssl) == 0)
        (void)SSL_shutdown(transport->ssl);
    ERR_clear_error();
}

size_t tls_pending(const struct transport *transport)
{
    return (size_t)SSL_pending(transport->ssl);
}
