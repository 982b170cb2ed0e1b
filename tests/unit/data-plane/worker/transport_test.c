/* transport_test.c: plain and TLS over a socket pair; what each end of a connection reports. */
#include <criterion/criterion.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buf.h"
#include "data-plane/worker/transport.h"

static int ours, theirs;

static char chain_path[] = "/tmp/transport_test.XXXXXX";

static void setup(void)
{
    int fds[2];
    signal(SIGPIPE, SIG_IGN);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    ours = fds[0];
    theirs = fds[1];
}

static void teardown(void)
{
    unlink(chain_path);
}

TestSuite(transport, .init = setup, .fini = teardown, .timeout = 60);

/* --- plain ---------------------------------------------------------------------------------------
 */

Test(transport, plain_reads_waits_and_ends)
{
    struct transport transport;
    char room[100];
    size_t got = 0;
    cr_assert_eq(transport_open(&transport, ours, NULL), ST_OK);
    cr_expect_eq(transport_handshake(&transport), ST_OK);
    cr_expect_eq(transport_read(&transport, room, sizeof room, &got), ST_AGAIN);
    cr_expect_eq(transport_wants(&transport), EPOLLIN);
    cr_assert_eq(write(theirs, "hello", 5), 5);
    cr_expect_eq(transport_read(&transport, room, sizeof room, &got), ST_OK);
    cr_expect_eq(got, 5);
    close(theirs);
    cr_expect_eq(transport_read(&transport, room, sizeof room, &got), ST_END);
    transport_close(&transport, false);
    transport_close(&transport, false);
}

Test(transport, plain_writes_until_the_socket_is_full)
{
    struct transport transport;
    static char some[65536];
    const struct iovec parts[2] = {{some, sizeof some}, {some, sizeof some}};
    size_t put = 0, total = 0;
    enum status status;
    cr_assert_eq(transport_open(&transport, ours, NULL), ST_OK);
    while ((status = transport_write(&transport, parts, 2, &put)) == ST_OK)
        total += put;
    cr_expect_eq(status, ST_AGAIN);
    cr_expect_eq(transport_wants(&transport), EPOLLOUT);
    cr_expect_gt(total, 1000);
    close(theirs);
    cr_expect_eq(transport_write(&transport, parts, 2, &put), ST_CLOSED);
    transport_close(&transport, true);
}

/* --- TLS -----------------------------------------------------------------------------------------
 */

static struct buf key_pem;

static struct tls_server *make_server(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    cr_assert(X509_sign(certificate, key, EVP_sha256()) > 0);
    FILE *file = fdopen(mkstemp(chain_path), "w");
    cr_assert_eq(PEM_write_X509(file, certificate), 1);
    fclose(file);
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    cr_assert_eq(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    long n = BIO_get_mem_data(bio, &bytes);
    buf_init(&key_pem, 65536);
    buf_add(&key_pem, bytes, (size_t)n);
    struct tls_server *tls = NULL;
    cr_assert_eq(tls_server_new(chain_path, buf_str(&key_pem), &tls), ST_OK);
    BIO_free(bio);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return tls;
}

static SSL *make_client(const char *protocols, int version)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    SSL *ssl = SSL_new(context);
    SSL_CTX_free(context);
    if (protocols != NULL)
        SSL_set_alpn_protos(ssl, (const unsigned char *)protocols, (unsigned)strlen(protocols));
    SSL_set_fd(ssl, theirs);
    SSL_set_connect_state(ssl);
    return ssl;
}

static enum status shake(struct transport *transport, SSL *client)
{
    enum status status = ST_AGAIN;
    for (int i = 0; i < 20 && (status == ST_AGAIN || SSL_in_init(client)); i++) {
        (void)SSL_do_handshake(client);
        if (status == ST_AGAIN)
            status = transport_handshake(transport);
    }
    return status;
}

Test(transport, tls_carries_bytes_and_an_orderly_end)
{
    int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct tls_server *tls = make_server();
    for (size_t i = 0; i < 2; i++) {
        if (i > 0)
            setup();
        struct transport transport;
        char room[100];
        size_t got = 0, put = 0;
        SSL *client = make_client("\x02h2\x08http/1.1", versions[i]);
        cr_assert_eq(transport_open(&transport, ours, tls), ST_OK);
        cr_assert_eq(shake(&transport, client), ST_OK);
        const unsigned char *chosen = NULL;
        unsigned chosen_n = 0;
        SSL_get0_alpn_selected(client, &chosen, &chosen_n);
        cr_expect(str_eq(str_of((const char *)chosen, chosen_n), STR("http/1.1")));
        cr_expect_eq(transport_read(&transport, room, sizeof room, &got), ST_AGAIN);
        cr_assert_eq(SSL_write(client, "hello", 5), 5);
        cr_expect_eq(transport_read(&transport, room, 2, &got), ST_OK);
        cr_expect_eq(got, 2);
        cr_expect_eq(transport_pending(&transport), 3, "epoll cannot know of these");
        cr_expect_eq(transport_read(&transport, room, sizeof room, &got), ST_OK);
        cr_expect_eq(got, 3);
        char world[] = "world!";
        const struct iovec parts[2] = {{world, 2}, {world + 2, 4}};
        cr_expect_eq(transport_write(&transport, parts, 2, &put), ST_OK);
        cr_expect_eq(put, 6);
        cr_expect_eq(SSL_read(client, room, 2), 2);
        cr_expect_eq(SSL_read(client, room, 100), 4);
        SSL_shutdown(client);
        cr_expect_eq(transport_read(&transport, room, sizeof room, &got), ST_END);
        transport_end(&transport);
        cr_expect_eq(SSL_read(client, room, 100), 0);
        cr_expect_eq(SSL_get_error(client, 0), SSL_ERROR_ZERO_RETURN);
        transport_close(&transport, false);
        SSL_free(client);
        close(theirs);
    }
    tls_server_free(tls);
    buf_free(&key_pem);
}

Test(transport, tls_tells_a_cut_from_an_end)
{
    struct tls_server *tls = make_server();
    struct transport transport;
    char room[100];
    size_t got = 0;
    SSL *client = make_client(NULL, TLS1_3_VERSION);
    cr_assert_eq(transport_open(&transport, ours, tls), ST_OK);
    cr_assert_eq(shake(&transport, client), ST_OK);
    cr_assert_eq(SSL_write(client, "hello", 5), 5);
    close(theirs);
    cr_expect_eq(transport_read(&transport, room, sizeof room, &got), ST_OK);
    cr_expect_eq(got, 5, "what came before the cut counts");
    cr_expect_eq(transport_read(&transport, room, sizeof room, &got), ST_CLOSED);
    transport_close(&transport, false);
    SSL_free(client);
    tls_server_free(tls);
    buf_free(&key_pem);
}

Test(transport, tls_refuses_old_versions_and_other_protocols)
{
    static const struct {
        const char *protocols;
        int version;
    } rows[] = {{NULL, TLS1_1_VERSION}, {"\x02h2", TLS1_3_VERSION}};
    struct tls_server *tls = make_server();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct transport transport;
        if (i > 0)
            setup();
        SSL *client = make_client(rows[i].protocols, rows[i].version);
        cr_assert_eq(transport_open(&transport, ours, tls), ST_OK);
        cr_expect_eq(shake(&transport, client), ST_CLOSED, "row %zu", i);
        transport_close(&transport, false);
        SSL_free(client);
        close(theirs);
    }
    tls_server_free(tls);
    buf_free(&key_pem);
}

Test(transport, a_certificate_without_its_key_is_refused)
{
    struct tls_server *tls = NULL;
    cr_expect_eq(tls_server_new("/nonexistent", STR(""), &tls), ST_INVALID);
    struct tls_server *good = make_server();
    cr_expect_eq(tls_server_new(chain_path, STR("no key"), &tls), ST_INVALID);
    cr_expect_null(tls);
    tls_server_free(good);
    buf_free(&key_pem);
}
