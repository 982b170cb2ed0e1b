/* url_fuzz.c: a URL as the gateway and libcurl each read it. Holds that
 *   1. what url_split accepts, libcurl accepts and reads with the same scheme, host and port: the
 *      request goes where the decision was made about;
 *   2. the parts lie inside the text, the port is 1 to 65535.
 */
#include <curl/curl.h>
#include <stdlib.h>

#include "common/netaddr.h"
#include "data-plane/worker/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str curl_part(CURLU *url, CURLUPart part, char **text)
{
    CHECK(curl_url_get(url, part, text, CURLU_DEFAULT_PORT) == CURLUE_OK);
    return str_c(*text);
}

static void check_curl(const char *text, const struct url_parts *parts)
{
    CURLU *url = curl_url();
    char *scheme = NULL, *host = NULL, *port = NULL;
    CHECK(url != NULL);
    if (curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK) {
        CHECK(str_eq_nocase(curl_part(url, CURLUPART_SCHEME, &scheme),
                            parts->tls ? STR("https") : STR("http")));
        struct str name = curl_part(url, CURLUPART_HOST, &host);
        if (name.n > 2 && name.p[0] == '[')
            name = str_of(name.p + 1, name.n - 2);
        struct netaddr a, b;
        bool same = str_eq_nocase(name, parts->host) ||
                    (netaddr_from_text(name, &a) == ST_OK &&
                     netaddr_from_text(parts->host, &b) == ST_OK && netaddr_eq(&a, &b));
        /* An odd spelling of an address is refused by netaddr before anybody connects. */
        CHECK(same || (netaddr_looks_numeric(parts->host) &&
                       netaddr_from_text(parts->host, &b) != ST_OK));
        uint64_t number = 0;
        CHECK(str_to_u64(curl_part(url, CURLUPART_PORT, &port), &number) == ST_OK);
        CHECK(number == parts->port);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct url_parts parts;
    if (size > 2048)
        return 0;
    char *text = malloc(size + 1);
    CHECK(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    struct str url = str_of(text, size);
    if (url_split(url, &parts) == ST_OK) {
        CHECK(parts.port != 0 && parts.host.n > 0);
        CHECK(parts.host.p > text && parts.host.p + parts.host.n <= text + size);
        CHECK(parts.path.p >= text && parts.path.p + parts.path.n <= text + size);
        CHECK(strlen(text) == size);
        check_curl(text, &parts);
    }
    free(text);
    return 0;
}
