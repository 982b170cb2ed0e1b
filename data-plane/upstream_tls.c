/* upstream_tls.c: which certificate authorities a provider's certificate may come from.
 *
 * The bundle is read once, before the sandbox locks, into one X509_STORE that every connection
 * shares: libcurl's own CAINFO_BLOB would parse 140 certificates anew for each connection.
 * Verification itself stays libcurl's and cannot be switched off.
 */
#include "data-plane/upstream_internal.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/log.h"

static enum status load_file(X509_STORE *store, const char *path)
{
    if (X509_STORE_load_file(store, path) != 1) {
        ERR_clear_error();
        log_error("ca_file_unreadable", LOG_CSTR("path", path));
        return ST_IO;
    }
    return ST_OK;
}

enum status upstream_tls_load(const char *ca_file, const char *extra_ca_file, X509_STORE **out)
{
    X509_STORE *store = X509_STORE_new();
    if (store == NULL)
        return ST_NO_MEMORY;
    enum status status = ca_file[0] == '\0' ? ST_OK : load_file(store, ca_file);
    if (status == ST_OK && extra_ca_file[0] != '\0')
        status = load_file(store, extra_ca_file);
    if (status != ST_OK) {
        X509_STORE_free(store);
        return status;
    }
    *out = store;
    return ST_OK;
}

CURLcode upstream_tls_context(CURL *easy, void *ssl_ctx, void *arg)
{
    struct upstream *upstream = arg;
    (void)easy;
    SSL_CTX_set1_cert_store(ssl_ctx, upstream->store);
    return CURLE_OK;
}
