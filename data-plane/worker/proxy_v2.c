/* proxy_v2.c: who the client behind a trusted balancer is (proxy_v2.h).
 *
 * Why strict: the header decides what address a request is accounted to, and it stands in front of
 * TLS, so nothing of it may be taken for anything else. TLVs are passed over within the stated
 * length. Never: read past `n`, accept a header of another version.
 *
 *   0        12      13       14        16
 *   |signature|ver,cmd|fam,prot| length |addresses ... TLVs ...|
 */
#include "data-plane/worker/proxy_v2.h"

static const char signature[12] = {'\r', '\n', '\r', '\n', '\0', '\r',
                                   '\n', 'Q',  'U',  'I',  'T',  '\n'};

enum {
    COMMAND_LOCAL = 0x20,
    COMMAND_PROXY = 0x21,
    TCP4 = 0x11,
    TCP6 = 0x21,
    TCP4_BYTES = 12,
    TCP6_BYTES = 36
};

static enum status read_peer(const char *p, size_t length, uint8_t family, struct netaddr *peer)
{
    struct netaddr addr = {0};
    if (family == TCP4) {
        if (length < TCP4_BYTES)
            return ST_BAD_HTTP;
        addr.family = 4;
        memcpy(addr.b, p, 4);
    } else if (family == TCP6) {
        static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
        if (length < TCP6_BYTES)
            return ST_BAD_HTTP;
        bool is_v4 = memcmp(p, mapped, sizeof mapped) == 0;
        addr.family = is_v4 ? 4 : 6;
        memcpy(addr.b, is_v4 ? p + 12 : p, is_v4 ? 4 : 16);
    } else {
        return ST_OK;
    }
    *peer = addr;
    return ST_OK;
}

enum status proxy_v2_parse(const char *p, size_t n, size_t *need, struct netaddr *peer)
{
    size_t known = n < sizeof signature ? n : sizeof signature;
    if (memcmp(p, signature, known) != 0)
        return ST_BAD_HTTP;
    if (n < PROXY_V2_FIXED_BYTES) {
        *need = PROXY_V2_FIXED_BYTES;
        return ST_AGAIN;
    }
    uint8_t command = (uint8_t)p[12], family = (uint8_t)p[13];
    size_t length = (size_t)(uint8_t)p[14] << 8 | (uint8_t)p[15];
    if (command != COMMAND_LOCAL && command != COMMAND_PROXY)
        return ST_BAD_HTTP;
    if (PROXY_V2_FIXED_BYTES + length > PROXY_V2_MAX_BYTES)
        return ST_BAD_HTTP;
    if (n < PROXY_V2_FIXED_BYTES + length) {
        *need = PROXY_V2_FIXED_BYTES + length;
        return ST_AGAIN;
    }
    if (n > PROXY_V2_FIXED_BYTES + length)
        return ST_BAD_HTTP;
    return command == COMMAND_LOCAL ? ST_OK
                                    : read_peer(p + PROXY_V2_FIXED_BYTES, length, family, peer);
}
