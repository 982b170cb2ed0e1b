/* secret_probe.c: secret_process_init in a process of its own. It has to be the first user of
 * OpenSSL and libcurl, and the unit test runner links libraries that use them before main. Exits
 * with 0 when all holds; CHECK says what did not. */
#include <curl/curl.h>
#include <openssl/crypto.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "common/secret.h"
#include "tests/unit/common/secret_scan.h"

int main(void)
{
    struct rlimit core;
    CHECK(secret_process_init() == ST_OK);
    CHECK(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0);
#ifndef SLUICE_SANITIZED
    CHECK(prctl(PR_GET_DUMPABLE) == 0);
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0); /* for the scan, where we are not root */
#endif
    unsigned char *p = OPENSSL_malloc(64);
    CHECK(p != NULL);
    scan_write(p);
    p = OPENSSL_realloc(p, 100000);
    CHECK(p != NULL && scan_memory() == 1); /* moved and wiped behind */
    OPENSSL_free(p);
    CHECK(scan_memory() == 0);

    unsigned char passing[sizeof scan_canary + 1] = {0};
    scan_write(passing);
    CURL *easy = curl_easy_init();
    CHECK(easy != NULL && curl_easy_setopt(easy, CURLOPT_PASSWORD, (char *)passing) == CURLE_OK);
    secret_wipe(passing, sizeof passing);
    CHECK(scan_memory() == 1); /* libcurl's copy */
    curl_easy_cleanup(easy);
    CHECK(scan_memory() == 0);
    curl_global_cleanup();
    return 0;
}
