/* netaddr_fuzz.c: addresses as text. Holds that
 *   1. what is accepted is accepted again from our own spelling, as the same address;
 *   2. what is accepted means the same to inet_pton, and looks numeric;
 *   3. whatever inet_aton would take for an address never passes for a name;
 *   4. an address lies in the list of itself, and an IPv4 address in its /0.
 */
#include <arpa/inet.h>
#include <stdlib.h>

#include "common/netaddr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_accepted(const struct netaddr *addr)
{
    char text[NETADDR_TEXT + 1];
    struct netaddr again;
    unsigned char bytes[16];
    struct sockaddr_storage storage;
    uint16_t port = 0;
    netaddr_to_text(addr, text);
    CHECK(netaddr_from_text(str_c(text), &again) == ST_OK && netaddr_eq(addr, &again));
    CHECK(inet_pton(addr->family == 4 ? AF_INET : AF_INET6, text, bytes) == 1);
    CHECK(memcmp(bytes, addr->b, addr->family == 4 ? 4 : 16) == 0);
    CHECK(netaddr_in_list(addr, str_c(text)));
    CHECK(addr->family != 4 || netaddr_in_list(addr, STR("::1, 0.0.0.0/0")));
    CHECK(netaddr_class_text(netaddr_classify(addr)) != NULL);
    CHECK(netaddr_to_sockaddr(addr, 443, &storage) > 0);
    CHECK(netaddr_from_sockaddr((const struct sockaddr *)&storage, &again, &port) == ST_OK);
    CHECK(port == 443 && netaddr_eq(addr, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 512)
        return 0;
    char *text = malloc(size + 1);
    CHECK(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    struct str given = str_of(text, size), host, bad;
    struct netaddr addr;
    struct in_addr old;
    uint16_t port;
    if (netaddr_from_text(given, &addr) == ST_OK) {
        CHECK(netaddr_looks_numeric(given));
        check_accepted(&addr);
    } else if (strlen(text) == size && size > 0 && strpbrk(text, " \t\n\v\f\r") == NULL &&
               inet_aton(text, &old) != 0) {
        CHECK(netaddr_looks_numeric(given));
    }
    if (netaddr_split_port(given, 80, &host, &port) == ST_OK)
        CHECK(host.p >= text && host.p + host.n <= text + size && port > 0);
    if (netaddr_check_list(given, &bad) != ST_OK)
        CHECK(bad.n <= size);
    free(text);
    return 0;
}
