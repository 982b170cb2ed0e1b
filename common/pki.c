/* pki.c: making the installation's certificates with OpenSSL.
 *
 * A certificate here only admits to the link; who speaks is decided by the node key (frame.h). So
 * certificates live ten years and there is no revocation list: removing a node revokes its key, and
 * the CA signs nothing for strangers. What still matters is purpose: keyUsage and extendedKeyUsage
 * are set and checked by both TLS libraries, and only the server's certificate carries the name
 * that clients ask for.
 *
 * Must never: write a private key to a log or leave its text in freed memory (BIO_CTRL secmem and
 * pki_wipe).
 */
#include "common/pki.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sodium.h>
#include <stdio.h>

#include "common/link.h"

#define PKI_NAME_MAX       64 /* X.520 ub-common-name */
#define PKI_DNS_MAX        253
#define PKI_BACKDATE_S     3600 /* a node's clock may lag */
#define PKI_DAY_S          86400
#define PKI_SERIAL_BYTES   16
#define PKI_SAN_TEXT_BYTES 10240

static enum status pki_to_pem(struct arena *arena, X509 *cert, EVP_PKEY *key, struct pki_pair *pair)
{
    enum status status = ST_NO_MEMORY;
    BIO *cert_bio = BIO_new(BIO_s_mem());
    BIO *key_bio = BIO_new(BIO_s_secmem());
    char *text = NULL;
    if (cert_bio == NULL || key_bio == NULL || PEM_write_bio_X509(cert_bio, cert) != 1 ||
        PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL) != 1)
        goto out;
    long n = BIO_get_mem_data(cert_bio, &text);
    struct str cert_pem = arena_str(arena, str_of(text, (size_t)n));
    n = BIO_get_mem_data(key_bio, &text);
    struct str key_pem = arena_str(arena, str_of(text, (size_t)n));
    if (cert_pem.p == NULL || key_pem.p == NULL)
        goto out;
    *pair = (struct pki_pair){cert_pem, key_pem};
    status = ST_OK;
out:
    BIO_free(key_bio);
    BIO_free(cert_bio);
    return status;
}

static enum status pki_read(const struct pki_pair *pair, X509 **cert, EVP_PKEY **key)
{
    BIO *cert_bio = BIO_new_mem_buf(pair->cert_pem.p, (int)pair->cert_pem.n);
    BIO *key_bio = BIO_new_mem_buf(pair->key_pem.p, (int)pair->key_pem.n);
    enum status status = ST_NO_MEMORY;
    if (cert_bio != NULL && key_bio != NULL) {
        *cert = PEM_read_bio_X509(cert_bio, NULL, NULL, NULL);
        *key = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);
        status = *cert != NULL && *key != NULL && X509_check_private_key(*cert, *key) == 1
                     ? ST_OK
                     : ST_BAD_FORMAT;
    }
    BIO_free(key_bio);
    BIO_free(cert_bio);
    return status;
}

static bool pki_extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = extension != NULL && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static bool pki_serial(X509 *cert)
{
    uint8_t bytes[PKI_SERIAL_BYTES];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    bytes[0] &= 0x7f;
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool ok = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
    BN_free(number);
    return ok;
}

/* What differs between the three kinds of certificate. */
struct pki_plan {
    const char *name;
    unsigned days;
    const char *basic, *usage, *purpose, *san; /* NULL: without */
};

/* The unsigned certificate with everything in it. */
static bool pki_fill(X509 *cert, EVP_PKEY *key, X509 *issuer, const struct pki_plan *plan)
{
    X509 *by = issuer != NULL ? issuer : cert;
    X509_NAME *subject = X509_get_subject_name(cert);
    return X509_set_version(cert, 2) == 1 && pki_serial(cert) &&
           X509_gmtime_adj(X509_getm_notBefore(cert), -PKI_BACKDATE_S) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(cert), (long)plan->days * PKI_DAY_S) != NULL &&
           X509_NAME_add_entry_by_NID(subject, NID_organizationName, MBSTRING_UTF8,
                                      (const unsigned char *)"Sluice", -1, -1, 0) == 1 &&
           X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                      (const unsigned char *)plan->name, -1, -1, 0) == 1 &&
           X509_set_issuer_name(cert, X509_get_subject_name(by)) == 1 &&
           X509_set_pubkey(cert, key) == 1 &&
           pki_extend(cert, by, NID_basic_constraints, plan->basic) &&
           pki_extend(cert, by, NID_key_usage, plan->usage) &&
           pki_extend(cert, by, NID_subject_key_identifier, "hash") &&
           (issuer == NULL || pki_extend(cert, by, NID_authority_key_identifier, "keyid")) &&
           (plan->purpose == NULL || pki_extend(cert, by, NID_ext_key_usage, plan->purpose)) &&
           (plan->san == NULL || pki_extend(cert, by, NID_subject_alt_name, plan->san));
}

/* ca NULL: signs itself. */
static enum status pki_make(struct arena *arena, const struct pki_pair *ca,
                            const struct pki_plan *plan, struct pki_pair *pair)
{
    enum status status = ST_OK;
    X509 *issuer = NULL;
    EVP_PKEY *issuer_key = NULL;
    X509 *cert = X509_new();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    if (plan->name == NULL || plan->name[0] == '\0' || strlen(plan->name) > PKI_NAME_MAX)
        status = ST_INVALID;
    else if (cert == NULL || key == NULL)
        status = ST_NO_MEMORY;
    else if (ca != NULL)
        status = pki_read(ca, &issuer, &issuer_key);
    if (status == ST_OK &&
        (!pki_fill(cert, key, issuer, plan) ||
         X509_sign(cert, issuer_key != NULL ? issuer_key : key, EVP_sha256()) == 0))
        status = ST_IO;
    if (status == ST_OK)
        status = pki_to_pem(arena, cert, key, pair);
    EVP_PKEY_free(key);
    X509_free(cert);
    EVP_PKEY_free(issuer_key);
    X509_free(issuer);
    return status;
}

enum status pki_make_ca(struct arena *arena, const char *name, struct pki_pair *ca)
{
    const struct pki_plan plan = {.name = name,
                                  .days = PKI_CA_DAYS,
                                  .basic = "critical,CA:TRUE,pathlen:0",
                                  .usage = "critical,keyCertSign,cRLSign"};
    return pki_make(arena, NULL, &plan, ca);
}

/* Appends one name in OpenSSL's syntax. Only letters that a name or address can hold get there: the
 * syntax has commas in it. */
static enum status pki_add_name(char *text, size_t room, const char *name)
{
    struct in6_addr addr;
    struct str s = str_c(name);
    bool is_addr = inet_pton(AF_INET, name, &addr) == 1 || inet_pton(AF_INET6, name, &addr) == 1;
    if (s.n == 0 || s.n > PKI_DNS_MAX)
        return ST_INVALID;
    for (size_t i = 0; i < s.n && !is_addr; i++) {
        char c = s.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || (c == '.' && i > 0);
        if (!ok)
            return ST_INVALID;
    }
    size_t at = strlen(text);
    int n =
        snprintf(text + at, room - at, "%s%s:%s", at > 0 ? "," : "", is_addr ? "IP" : "DNS", name);
    return n > 0 && (size_t)n < room - at ? ST_OK : ST_INVALID;
}

enum status pki_make_server(struct arena *arena, const struct pki_pair *ca,
                            const char *const *names, size_t count, struct pki_pair *server)
{
    static const char *const always[] = {LINK_SERVER_NAME, "localhost", "127.0.0.1", "::1"};
    char san[PKI_SAN_TEXT_BYTES] = "";
    if (count > PKI_NAMES_MAX)
        return ST_INVALID;
    for (size_t i = 0; i < COUNT_OF(always); i++)
        TRY(pki_add_name(san, sizeof san, always[i]));
    for (size_t i = 0; i < count; i++)
        TRY(pki_add_name(san, sizeof san, names[i]));
    const struct pki_plan plan = {.name = LINK_SERVER_NAME,
                                  .days = PKI_SERVER_DAYS,
                                  .basic = "critical,CA:FALSE",
                                  .usage = "critical,digitalSignature",
                                  .purpose = "serverAuth",
                                  .san = san};
    return pki_make(arena, ca, &plan, server);
}

enum status pki_make_client(struct arena *arena, const struct pki_pair *ca, const char *name,
                            struct pki_pair *client)
{
    const struct pki_plan plan = {.name = name,
                                  .days = PKI_NODE_DAYS,
                                  .basic = "critical,CA:FALSE",
                                  .usage = "critical,digitalSignature",
                                  .purpose = "clientAuth"};
    return pki_make(arena, ca, &plan, client);
}

enum status pki_expires(struct str cert_pem, int64_t *unix_ms)
{
    BIO *bio = BIO_new_mem_buf(cert_pem.p, (int)cert_pem.n);
    X509 *cert = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0, seconds = 0;
    bool ok = cert != NULL && epoch != NULL &&
              ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(cert)) == 1;
    if (ok)
        *unix_ms = ((int64_t)days * PKI_DAY_S + seconds) * 1000;
    ASN1_TIME_free(epoch);
    X509_free(cert);
    BIO_free(bio);
    return ok ? ST_OK : ST_BAD_FORMAT;
}

void pki_wipe(struct pki_pair *pair)
{
    union {
        const char *from;
        char *to;
    } cast = {.from = pair->key_pem.p};
    if (pair->key_pem.p != NULL)
        sodium_memzero(cast.to, pair->key_pem.n);
    *pair = (struct pki_pair){0};
}
