/* The published example of RFC 7515, appendix A.2: its key (public since then), its text, its
 * signature; and keys that are none. */
#include <criterion/criterion.h>
#include <string.h>

#include "data-plane/jwt.h"

static const char example_key[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIIEowIBAAKCAQEAofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd/wWJcyQoTbji9k0\n"
    "l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL+yRT+SFd2lZS+pC\n"
    "gNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb/7OMg0LOL+bSf63kpaSHSX\n"
    "ndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uD\n"
    "Zlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxXFvUK+DWNmoudF8NAco9/h9iaGNj8\n"
    "q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQIDAQABAoIBABKucaRpzQorw35S\n"
    "bEUAVx8dYXUdZOlJcHtiWQ+dC6V8ljxAHj/PLyzTveyI5QO/xkObCyjIL303l2cf\n"
    "UhPu2MFaJdjVzqACXuOrLot/eSFvxjvqVidTtAZExqFRJ9mylUVAoLvhowVWmC1O\n"
    "n95fZCXxTUtxNEG1Xcc7m0rtzJKs45J+N/V9DP1edYH6USyPSWGp6wuA+KgHRnKK\n"
    "Vf9GRx80JQY7nVNkL17eHoTWEwga+lwi0FEoW9Y7lDtWXYmKBWhUE+U8PGxlJf8f\n"
    "40493HDw1WRQ/aSLoS4QTp3rn7gYgeHEvfJdkkf0UMhlknlo53M09EFPdadQ4TlU\n"
    "bjqKc50CgYEA4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH/5IB3jw3bcxGn6QLvnE\n"
    "tfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw/Py5PJdTJNPY8cQn7ouZ2KKDcmnPG\n"
    "BY5t7yLc1QlQ5xHdwW1VhvKn+nXqhJTBgIPgtldC+KDV5z+y2XDwGUcCgYEAuQPE\n"
    "fgmVtjL0Uyyx88GZFF1fOunH3+7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYs\n"
    "p1ZSe7zFYHj7C6ul7TjeLQeZD/YwD66t62wDmpe/HlB+TnBA+njbglfIsRLtXlnD\n"
    "zQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdcCgYAHAp9XcCSrn8wVkMVkKdb7\n"
    "DOX4IKjzdahm+ctDAJN4O/y7OW5FKebvUjdAIt2GuoTZ71iTG+7F0F+lP88jtjP4\n"
    "U4qe7VHoewl4MKOfXZKTe+YCS1XbNvfgwJ3Ltyl1OH9hWvu2yza7q+d5PCsDzqtm\n"
    "27kxuvULVeya+TEdAB1ijQKBgQCH/3r6YrVH/uCWGy6bzV1nGNOdjKc9tmkfOJmN\n"
    "54dxdixdpozCQ6U4OxZrsj3FcOhHBsqAHvX2uuYjagqvo3cOj1TRqNocX40omfCC\n"
    "Mx3bD1yPPf/6TI2XECva/ggqEY2mYzmIiA5LVVmc5nrybr+lssFKneeyxN2Wq93S\n"
    "0iJMdQKBgCGHewxzoa1r8ZMD0LETNrToK423K377UCYqXfg5XMclbrjPbEC3YI1Z\n"
    "NqMtuhdBJqUnBi6tjKMF+34Xf0CUN8ncuXGO2CAYvO8PdyCixHX52ybaDjy1FtCE\n"
    "6yUXjoKNXKvUm7MWGsAYH6f4IegOetN5NvmUMFStCSkh7ixZLkN1\n"
    "-----END RSA PRIVATE KEY-----\n";
static const char other_form[] = /* the same key as PKCS #8 */
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCh+BYK4uPJtGXO\n"
    "jS1lYmM2K5J9vinh8CR3/BYlzJChNuOL2TSXxbbqY913EeZ8dCn5VrD7io8ImtxL\n"
    "aYk8wTM/U+3QGbh3hCUv7JFP5IV3aVlL6kKA0ywPVb9ilE8TA5a8bpvfbr3SvaNn\n"
    "juygxmj3AbONv/s4yDQs4v5tJ/reSlpIdJed1LnPmt7Ex1sFhSwsD174pcF1A5L5\n"
    "ROjtZMEQxrZHYJqkeDrrnGya11UxMFBji4NmXG9veoKjlnAqH2QbgtPr8jkiGUkf\n"
    "toaHLFcW9Qr4NY2ai50Xw0Byj3+H2JoY2PyrZ62EWQwuz3WTOTY8BwNNb2BvniHg\n"
    "VFbK5emhAgMBAAECggEAEq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyW\n"
    "PEAeP88vLNO97IjlA7/GQ5sLKMgvfTeXZx9SE+7YwVol2NXOoAJe46sui395IW/G\n"
    "O+pWJ1O0BkTGoVEn2bKVRUCgu+GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzj\n"
    "kn439X0M/V51gfpRLI9JYanrC4D4qAdGcopV/0ZHHzQlBjudU2QvXt4ehNYTCBr6\n"
    "XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl/x/jTj3ccPDVZFD9pIuhLhBOneufuBiB\n"
    "4cS98l2SR/RQyGWSeWjnczT0QU91p1DhOVRuOopznQKBgQDgHMQQ60imZV1URk0K\n"
    "pLttoLhyt3SmqdEf/kgHePDdtzEafpAu+cS191R2JiuoF2yzWXnwFDcqGigp5BNr\n"
    "0AHQfD8/Lk8l1Mk09jxxCfui5nYooNyac8YFjm3vItzVCVDnEd3BbVWG8qf6deqE\n"
    "lMGAg+C2V0L4oNXnP7LZcPAZRwKBgQC5A8R+CZW2MvRTLLHzwZkUXV866cff7tx6\n"
    "kqa0finGG0KgeqlaZPxgCZnFp7AeAcCMtiynVlJ7vMVgePsLq6XtON4tB5kP9jAP\n"
    "rq3rbAOal78eUH5OcED6eNuCV8ixEu1eWcPNCS/l1OW1EnXUEoEHKl54Xrrz2uNw\n"
    "kgMTP1FZ1wKBgAcCn1dwJKufzBWQxWQp1vsM5fggqPN1qGb5y0MAk3g7/Ls5bkUp\n"
    "5u9SN0Ai3Ya6hNnvWJMb7sXQX6U/zyO2M/hTip7tUeh7CXgwo59dkpN75gJLVds2\n"
    "9+DAncu3KXU4f2Fa+7bLNrur53k8KwPOq2bbuTG69QtV7Jr5MR0AHWKNAoGBAIf/\n"
    "evpitUf+4JYbLpvNXWcY052Mpz22aR84mY3nh3F2LF2mjMJDpTg7FmuyPcVw6EcG\n"
    "yoAe9fa65iNqCq+jdw6PVNGo2hxfjSiZ8IIzHdsPXI89//pMjZcQK9r+CCoRjaZj\n"
    "OYiIDktVWZzmevJuv6WywUqd57LE3Zar3dLSIkx1AoGAIYd7DHOhrWvxkwPQsRM2\n"
    "tOgrjbcrfvtQJipd+DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd/QJQ3\n"
    "ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp/gh6A56\n"
    "03k2+ZQwVK0JKSHuLFkuQ3U=\n"
    "-----END PRIVATE KEY-----\n";
static const char short_key[] = /* 1,024 bits */
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIICXAIBAAKBgQCk6znx3P8UU+C0kptNiXLjdLA0xF0zvM2dHLKiAJNay1hQsVNC\n"
    "zCIUENvSw/WNBIq8rYLKFhDfXTSJpZXNh3qJuKb7xAJF4i1IR3ODEj1Hweo+dDO2\n"
    "6IxQyMv6hXEao+K4hmX7FspUScK2ukadssAWQ7LkG7bjnBy9PckRBVOBOwIDAQAB\n"
    "AoGBAKRgFAQe2ls/cwNn8MUqj0loX8xoP+E2eNX06ZMQ8c4YSXE8HRnB7uGDICcF\n"
    "y/P/J+0BIBAeSDjpZFkhopsVQqryV8U8V6ZeOdXD7wpsch+mo65Rcmi4x6BdRbCj\n"
    "H8/9s63A4dfofDwJ1aO3quidqCuxQVnzTyVmqdeUtbvKZw/BAkEA1oF8sPg2EzEO\n"
    "18VvTtxi+AQhe+dn2c3rN5Kdz7iYYUKEa8viRXswYnabQApjVEH1ZOMmm91KlObO\n"
    "eFc2iLYnGwJBAMTSJn+JS/Sfoa51/062XXl+QMlAEZvyo0wrUAA7o0XWOwXaEsHk\n"
    "DHCFrUZgDCsgM6MllmRYZtA6g1+yFe5nEGECQFyhbERL26YsADnjc669cyuhNQh5\n"
    "pJok11eXQ/jowTz26ZJXaC4TBZDvoRllowFGvn7DrO+P/14P0ceb+dvNtVMCQGpO\n"
    "r+iW+eWpCyU2Kq4TJi3nGYsaBejbh4QuqMlXbPrdmYexoAwF5wonyc2HN0tb20g1\n"
    "lyOf8/hogmj/wYTBOkECQDRW2JtCtSOaEbCxQ/7dnkXQUh9d6TUysL5wwnylWe2a\n"
    "X8YO1Z0YEmMDiaEu7tFihfGZGyjOZQarYEmMBjZBpbA=\n"
    "-----END RSA PRIVATE KEY-----\n";

#define HEADER "{\"alg\":\"RS256\"}"
#define CLAIMS "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"
#define SIGNED                                                                                     \
    "eyJhbGciOiJSUzI1NiJ9."                                                                        \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"                     \
    "bS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__"                                        \
    "dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4"                                                    \
    "Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_"                      \
    "nZLgrnbyTyWzO75vRK5h6x"                                                                       \
    "BArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-"                          \
    "eOkHWEsqtFZESc6BfI7noOPqvh"                                                                   \
    "J1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"

static enum status sign(const char *pem, const char *claims, char *out, size_t room, size_t *n)
{
    return jwt_rs256(str_c(pem), STR(HEADER), str_c(claims), out, room, n);
}

Test(jwt, the_published_example)
{
    static const char *const keys[] = {example_key, other_form};
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        char out[1024];
        size_t n = 0;
        cr_assert_eq(sign(keys[i], CLAIMS, out, sizeof out, &n), ST_OK);
        cr_expect(str_eq(str_of(out, n), STR(SIGNED)), "%.*s", (int)n, out);
    }
}

Test(jwt, room_is_kept)
{
    char out[sizeof SIGNED + 8];
    size_t n = 0;
    memset(out, '~', sizeof out);
    cr_expect_eq(sign(example_key, CLAIMS, out, sizeof SIGNED - 2, &n), ST_TOO_LARGE);
    cr_expect_eq(out[sizeof SIGNED - 2], '~');
    static char wide[JWT_CLAIMS_MAX + 2];
    memset(wide, 'x', sizeof wide - 1);
    cr_expect_eq(sign(example_key, wide, out, sizeof out, &n), ST_TOO_LARGE);
}

Test(jwt, what_is_no_key_is_refused)
{
    static const char *const keys[] = {
        "", "x", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
        short_key};
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        char out[1024];
        size_t n = 0;
        cr_expect_eq(sign(keys[i], CLAIMS, out, sizeof out, &n), ST_INVALID, "row %zu", i);
    }
}
