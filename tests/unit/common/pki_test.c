/* pki_test.c: the certificates hold what they promise, and names cannot smuggle syntax. */
#include <criterion/criterion.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/clock.h"
#include "common/pki.h"

static struct arena arena;
static struct pki_pair ca;

static void setup(void)
{
    arena_init(&arena, 8u << 20);
    cr_assert_eq(pki_make_ca(&arena, "test CA", &ca), ST_OK);
}

static void teardown(void)
{
    arena_free(&arena);
}

TestSuite(pki, .init = setup, .fini = teardown);

static X509 *read_cert(struct str pem)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    cr_assert_not_null(cert);
    return cert;
}

static bool verifies(struct str cert_pem, struct str ca_pem, int purpose)
{
    X509 *cert = read_cert(cert_pem), *root = read_cert(ca_pem);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_add_cert(store, root);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_STORE_CTX_init(ctx, store, cert, NULL);
    X509_STORE_CTX_set_purpose(ctx, purpose);
    bool ok = X509_verify_cert(ctx) == 1;
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    X509_free(root);
    X509_free(cert);
    return ok;
}

Test(pki, each_certificate_serves_its_own_purpose_only)
{
    struct pki_pair server, client, other;
    cr_assert_eq(pki_make_server(&arena, &ca, NULL, 0, &server), ST_OK);
    cr_assert_eq(pki_make_client(&arena, &ca, "node-1", &client), ST_OK);
    cr_assert_eq(pki_make_ca(&arena, "test CA", &other), ST_OK);
    cr_expect(verifies(server.cert_pem, ca.cert_pem, X509_PURPOSE_SSL_SERVER));
    cr_expect_not(verifies(server.cert_pem, ca.cert_pem, X509_PURPOSE_SSL_CLIENT));
    cr_expect(verifies(client.cert_pem, ca.cert_pem, X509_PURPOSE_SSL_CLIENT));
    cr_expect_not(verifies(client.cert_pem, ca.cert_pem, X509_PURPOSE_SSL_SERVER));
    cr_expect_not(verifies(client.cert_pem, other.cert_pem, X509_PURPOSE_SSL_CLIENT));
}

Test(pki, server_answers_to_its_names)
{
    const char *names[] = {"control.example.org", "10.1.2.3", "fd00::7"};
    struct pki_pair server;
    cr_assert_eq(pki_make_server(&arena, &ca, names, 3, &server), ST_OK);
    X509 *cert = read_cert(server.cert_pem);
    cr_expect_eq(X509_check_host(cert, "sluice-control", 0, 0, NULL), 1);
    cr_expect_eq(X509_check_host(cert, "localhost", 0, 0, NULL), 1);
    cr_expect_eq(X509_check_host(cert, "control.example.org", 0, 0, NULL), 1);
    cr_expect_eq(X509_check_host(cert, "evil.example.org", 0, 0, NULL), 0);
    cr_expect_eq(X509_check_ip_asc(cert, "10.1.2.3", 0), 1);
    cr_expect_eq(X509_check_ip_asc(cert, "fd00::7", 0), 1);
    cr_expect_eq(X509_check_ip_asc(cert, "::1", 0), 1);
    X509_free(cert);
}

Test(pki, names_that_are_none_are_refused)
{
    static const char *const rows[] = {"", "a,DNS:evil", "a b", "a\nb", "*.example.org", ".example.org", "a/b", "x:y", "@section"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pki_pair server;
        cr_expect_eq(pki_make_server(&arena, &ca, &rows[i], 1, &server), ST_INVALID, "%s", rows[i]);
    }
    struct pki_pair client;
    cr_expect_eq(pki_make_client(&arena, &ca, "", &client), ST_INVALID);
    cr_expect_eq(pki_make_client(&arena, &ca,
                                 "0123456789012345678901234567890123456789012345678901234567890123456789", &client),
                 ST_INVALID);
}

Test(pki, a_ca_that_does_not_read_is_refused)
{
    struct pki_pair client, broken = {STR("no pem"), ca.key_pem};
    cr_expect_eq(pki_make_client(&arena, &broken, "n", &client), ST_BAD_FORMAT);
    struct pki_pair other;
    cr_assert_eq(pki_make_ca(&arena, "other", &other), ST_OK);
    struct pki_pair mixed = {ca.cert_pem, other.key_pem};
    cr_expect_eq(pki_make_client(&arena, &mixed, "n", &client), ST_BAD_FORMAT);
}

Test(pki, expiry_is_read_and_ten_years_away)
{
    int64_t at_ms;
    cr_assert_eq(pki_expires(ca.cert_pem, &at_ms), ST_OK);
    int64_t days = (at_ms - clock_wall_ms()) / 86400000;
    cr_expect(days >= 3648 && days <= 3650, "%ld", (long)days);
    cr_expect_eq(pki_expires(STR("x"), &at_ms), ST_BAD_FORMAT);
}

Test(pki, wipe_leaves_no_key)
{
    struct pki_pair client;
    cr_assert_eq(pki_make_client(&arena, &ca, "n", &client), ST_OK);
    const char *p = client.key_pem.p;
    size_t n = client.key_pem.n;
    pki_wipe(&client);
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(p[i], 0);
}
