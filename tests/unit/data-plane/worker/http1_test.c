/* http1_test.c: hostile and honest requests as tables (reliability.md S1), each also cut in two at
 * every byte. */
#include <criterion/criterion.h>

#include "tests/unit/data-plane/worker/http1_judge.h"

struct row {
    const char *name;
    struct str bytes;
    enum status status;
};

#define BAD(name, text)                                                                            \
    {                                                                                              \
        name, {text, sizeof(text) - 1}, ST_BAD_HTTP                                                \
    }
#define MORE(name, text)                                                                           \
    {                                                                                              \
        name, {text, sizeof(text) - 1}, ST_AGAIN                                                   \
    }
#define GOOD(name, text)                                                                           \
    {                                                                                              \
        name, {text, sizeof(text) - 1}, ST_OK                                                      \
    }
#define H       "Host: a\r\n"
#define LINE    "GET / HTTP/1.1\r\n"
#define POST    "POST / HTTP/1.1\r\n" H
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define E       "\r\n"

static const struct row rows[] = {
    /* measured: what llhttp 8.1 as packaged lets through */
    BAD("bare CR after empty header's colon", LINE H "X:\rContent-Length: 3\r\n\r\nabc"),
    BAD("bare CR after colon and space", LINE H "X: \rContent-Length: 3\r\n\r\n"),
    BAD("obs-fold with space", LINE H "X: a\r\n b\r\n\r\n"),
    BAD("obs-fold with tab", LINE H "X: a\r\n\tb\r\n\r\n"),
    BAD("obs-fold of the first header", LINE " X: a\r\n" H E),
    BAD("obs-fold of an empty value", LINE H "X:\r\n b\r\n\r\n"),
    BAD("obs-fold hiding chunked", LINE H "Transfer-Encoding:\r\n chunked\r\n\r\n"),
    BAD("obs-fold of spaces only", LINE H "X: a\r\n   \r\n\r\n"),
    BAD("Host missing", LINE E),
    BAD("Host missing, others there", LINE "X: a\r\n\r\n"),
    BAD("two Hosts", LINE H H E),
    BAD("two different Hosts", LINE H "Host: b\r\n\r\n"),
    BAD("two Hosts, another case", LINE H "hOST: a\r\n\r\n"),
    BAD("another protocol", "SOURCE / ICE/1.0\r\n" H E),
    BAD("RTSP", "SETUP / RTSP/1.0\r\n" H E),
    /* line ends */
    BAD("bare LF everywhere", "GET / HTTP/1.1\nHost: a\n\n"),
    BAD("bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"),
    BAD("bare LF after a header", LINE "Host: a\n\r\n"),
    BAD("bare LF inside a value", LINE H "X: a\nY: b\r\n\r\n"),
    BAD("bare LF ends the head", LINE H "\n"),
    BAD("CR LF LF", LINE "Host: a\r\n\n"),
    BAD("bare CR inside a value", LINE H "X: a\rb\r\n\r\n"),
    BAD("bare CR inside a name", LINE H "X\rY: a\r\n\r\n"),
    BAD("bare CR ends a header", LINE "Host: a\rX: b\r\n\r\n"),
    BAD("bare CR in the request line", "GET /\r HTTP/1.1\r\n" H E),
    BAD("CR CR LF", LINE "Host: a\r\r\n\r\n"),
    BAD("CR CR LF ends the head", LINE H "\r\r\n"),
    BAD("bare CR ends the head", LINE H "\rX"),
    BAD("two empty lines in front", "\r\n\r\n" LINE H E),
    BAD("bare LF in front", "\n" LINE H E),
    BAD("bare CR in front", "\r" LINE H E),
    BAD("space in front", " " LINE H E),
    BAD("tab in front", "\t" LINE H E),
    /* control bytes */
    BAD("NUL in the target", "GET /\0 HTTP/1.1\r\n" H E),
    BAD("NUL in a name", LINE H "X\0: a\r\n\r\n"),
    BAD("NUL in a value", LINE H "X: a\0b\r\n\r\n"),
    BAD("NUL in Host", LINE "Host: a\0b\r\n\r\n"),
    BAD("NUL as the first byte", "\0" LINE H E),
    BAD("SOH in a value", LINE H "X: \001\r\n\r\n"),
    BAD("ESC in a value", LINE H "X: \033[0m\r\n\r\n"),
    BAD("DEL in a value", LINE H "X: \177\r\n\r\n"),
    BAD("vertical tab in a value", LINE H "X: a\013b\r\n\r\n"),
    BAD("form feed in a value", LINE H "X: a\014b\r\n\r\n"),
    BAD("DEL in the target", "GET /\177 HTTP/1.1\r\n" H E),
    /* names */
    BAD("space before the colon", LINE H "Content-Length : 3\r\n\r\n"),
    BAD("tab before the colon", LINE H "Content-Length\t: 3\r\n\r\n"),
    BAD("space inside a name", LINE H "Content Length: 3\r\n\r\n"),
    BAD("no colon", LINE H "X\r\n\r\n"),
    BAD("empty name", LINE H ": a\r\n\r\n"),
    BAD("quote in a name", LINE H "\"X\": a\r\n\r\n"),
    BAD("parenthesis in a name", LINE H "X(): a\r\n\r\n"),
    BAD("slash in a name", LINE H "X/Y: a\r\n\r\n"),
    BAD("at sign in a name", LINE H "X@Y: a\r\n\r\n"),
    BAD("bracket in a name", LINE H "X[0]: a\r\n\r\n"),
    BAD("brace in a name", LINE H "{X}: a\r\n\r\n"),
    BAD("comma in a name", LINE H "X,Y: a\r\n\r\n"),
    BAD("semicolon in a name", LINE H "X;Y: a\r\n\r\n"),
    BAD("equals sign in a name", LINE H "X=Y: a\r\n\r\n"),
    BAD("backslash in a name", LINE H "X\\Y: a\r\n\r\n"),
    BAD("UTF-8 in a name", LINE H "X\xc3\xa4: a\r\n\r\n"),
    BAD("high byte in a name", LINE H "X\xa0: a\r\n\r\n"),
    BAD("high byte in front of a name", LINE H "\xa0Transfer-Encoding: chunked\r\n\r\n"),
    /* request line */
    BAD("no version", "GET /\r\n" H E),
    BAD("HTTP/0.9", "GET / HTTP/0.9\r\n" H E),
    BAD("HTTP/1.2", "GET / HTTP/1.2\r\n" H E),
    BAD("HTTP/2.0", "GET / HTTP/2.0\r\n" H E),
    BAD("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    BAD("HTTP/1.10", "GET / HTTP/1.10\r\n" H E),
    BAD("HTTP/01.1", "GET / HTTP/01.1\r\n" H E),
    BAD("HTTP/1.1 and a space", "GET / HTTP/1.1 \r\n" H E),
    BAD("HTTP/1,1", "GET / HTTP/1,1\r\n" H E),
    BAD("http/1.1", "GET / http/1.1\r\n" H E),
    BAD("two spaces after the method", "GET  / HTTP/1.1\r\n" H E),
    BAD("two spaces before the version", "GET /  HTTP/1.1\r\n" H E),
    BAD("tab after the method", "GET\t/ HTTP/1.1\r\n" H E),
    BAD("tab before the version", "GET /\tHTTP/1.1\r\n" H E),
    BAD("space in the target", "GET /a b HTTP/1.1\r\n" H E),
    BAD("no target", "GET HTTP/1.1\r\n" H E),
    BAD("empty target", "GET  HTTP/1.1\r\n" H E),
    BAD("method only", "GET\r\n" H E),
    BAD("lower-case method", "get / HTTP/1.1\r\n" H E),
    BAD("unknown method", "FOO / HTTP/1.1\r\n" H E),
    BAD("method with a bracket", "GE[T / HTTP/1.1\r\n" H E),
    BAD("method with a colon", "GET: / HTTP/1.1\r\n" H E),
    BAD("a reply", "HTTP/1.1 200 OK\r\n" H E),
    BAD("TLS to a plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    BAD("PROXY v1", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" LINE H E),
    BAD("PROXY v2 where none is expected", "\r\n\r\n\0\r\nQUIT\n"),
    BAD("authority-form", "GET a:80 HTTP/1.1\r\n" H E),
    BAD("CONNECT", "CONNECT a:80 HTTP/1.1\r\n" H E),
    BAD("asterisk-form", "OPTIONS * HTTP/1.1\r\n" H E),
    BAD("asterisk-form of GET", "GET * HTTP/1.1\r\n" H E),
    BAD("relative target", "GET a HTTP/1.1\r\n" H E),
    BAD("fragment", "GET /a#b HTTP/1.1\r\n" H E),
    BAD("backslash in the target", "GET /a\\..\\b HTTP/1.1\r\n" H E),
    BAD("angle bracket in the target", "GET /<a> HTTP/1.1\r\n" H E),
    BAD("quote in the target", "GET /\" HTTP/1.1\r\n" H E),
    BAD("UTF-8 in the target", "GET /\xc3\xa4 HTTP/1.1\r\n" H E),
    BAD("percent at the end", "GET /% HTTP/1.1\r\n" H E),
    BAD("half a percent", "GET /%4 HTTP/1.1\r\n" H E),
    BAD("percent without hex", "GET /%zz HTTP/1.1\r\n" H E),
    BAD("percent NUL in the path", "GET /a%00b HTTP/1.1\r\n" H E),
    BAD("broken percent in the query", "GET /?%g0 HTTP/1.1\r\n" H E),
    BAD("another scheme", "GET ftp://a/ HTTP/1.1\r\n" H E),
    BAD("scheme only", "GET http:// HTTP/1.1\r\n" H E),
    BAD("absolute-form without a path", "GET http://a HTTP/1.1\r\n" H E),
    BAD("absolute-form with user info", "GET http://u@a/ HTTP/1.1\r\n" H E),
    BAD("absolute-form of another host", "GET http://b/ HTTP/1.1\r\n" H E),
    BAD("absolute-form of another port", "GET http://a:81/ HTTP/1.1\r\n" H E),
    BAD("absolute-form, bad port", "GET http://a:x/ HTTP/1.1\r\nHost: a:x\r\n\r\n"),
    BAD("absolute-form without Host", "GET http://a/ HTTP/1.1\r\n\r\n"),
    /* Host */
    BAD("empty Host", LINE "Host:\r\n\r\n"),
    BAD("Host of spaces", LINE "Host:   \r\n\r\n"),
    BAD("Host with a path", LINE "Host: a/b\r\n\r\n"),
    BAD("Host with user info", LINE "Host: u@a\r\n\r\n"),
    BAD("Host list", LINE "Host: a, b\r\n\r\n"),
    BAD("Host with a space", LINE "Host: a b\r\n\r\n"),
    BAD("Host with a letter port", LINE "Host: a:http\r\n\r\n"),
    BAD("Host with an empty port", LINE "Host: a:\r\n\r\n"),
    BAD("Host with a huge port", LINE "Host: a:65536\r\n\r\n"),
    BAD("Host with two ports", LINE "Host: a:80:81\r\n\r\n"),
    BAD("Host with a negative port", LINE "Host: a:-1\r\n\r\n"),
    BAD("Host of a port only", LINE "Host: :80\r\n\r\n"),
    BAD("Host with an open bracket", LINE "Host: [::1\r\n\r\n"),
    BAD("Host with a close bracket", LINE "Host: a]\r\n\r\n"),
    BAD("Host with bytes behind the bracket", LINE "Host: [::1]a\r\n\r\n"),
    BAD("Host with empty brackets", LINE "Host: []\r\n\r\n"),
    BAD("UTF-8 Host", LINE "Host: \xc3\xa4\r\n\r\n"),
    BAD("quoted Host", LINE "Host: \"a\"\r\n\r\n"),
    /* Content-Length */
    BAD("two equal lengths", POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx"),
    BAD("two different lengths", POST "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
    BAD("two lengths apart, another case",
        POST "content-length: 1\r\nX: a\r\nCONTENT-LENGTH: 2\r\n\r\nxx"),
    BAD("length list", POST "Content-Length: 1, 1\r\n\r\nx"),
    BAD("length list, different", POST "Content-Length: 1,2\r\n\r\nx"),
    BAD("plus sign", POST "Content-Length: +1\r\n\r\nx"),
    BAD("minus sign", POST "Content-Length: -1\r\n\r\n"),
    BAD("hex length", POST "Content-Length: 0x1\r\n\r\nx"),
    BAD("decimal point", POST "Content-Length: 1.0\r\n\r\nx"),
    BAD("exponent", POST "Content-Length: 1e1\r\n\r\nx"),
    BAD("underscore", POST "Content-Length: 1_0\r\n\r\nx"),
    BAD("digits and a space", POST "Content-Length: 1 0\r\n\r\nx"),
    BAD("empty length", POST "Content-Length:\r\n\r\n"),
    BAD("letters", POST "Content-Length: ten\r\n\r\n"),
    BAD("quoted length", POST "Content-Length: \"1\"\r\n\r\nx"),
    BAD("2^63", POST "Content-Length: 9223372036854775808\r\n\r\n"),
    BAD("2^64", POST "Content-Length: 18446744073709551616\r\n\r\n"),
    BAD("2^64 + 1", POST "Content-Length: 18446744073709551617\r\n\r\nx"),
    BAD("length with a semicolon", POST "Content-Length: 1;x\r\n\r\nx"),
    BAD("length with a high byte", POST "Content-Length: 1\xa0\r\n\r\nx"),
    BAD("fullwidth digit", POST "Content-Length: \xef\xbc\x91\r\n\r\nx"),
    /* Transfer-Encoding */
    BAD("TE then CL", POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
    BAD("CL then TE", POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD("CL 0 then TE", POST "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD("TE and CL in odd case",
        POST "tRANSFER-eNCODING: chunked\r\ncONTENT-lENGTH: 3\r\n\r\n0\r\n\r\n"),
    BAD("two TE", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD("chunked twice in one", POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    BAD("gzip, chunked", POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    BAD("chunked, identity", POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    BAD("identity", POST "Transfer-Encoding: identity\r\n\r\n"),
    BAD("xchunked", POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    BAD("xchunked and CL", POST "Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n\r\nabc"),
    BAD("chunkedx", POST "Transfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n"),
    BAD("chunked with a parameter", POST "Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n"),
    BAD("quoted chunked", POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
    BAD("chunked behind a comma", POST "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n"),
    BAD("chunked before a comma", POST "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n"),
    BAD("empty TE", POST "Transfer-Encoding:\r\n\r\n"),
    BAD("TE with a vertical tab", POST "Transfer-Encoding: \013chunked\r\n\r\n0\r\n\r\n"),
    BAD("TE with a high byte", POST "Transfer-Encoding: chunked\xa0\r\n\r\n0\r\n\r\n"),
    BAD("TE in HTTP/1.0", "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD("TE folded", POST "Transfer-Encoding: chu\r\n nked\r\n\r\n0\r\n\r\n"),
    BAD("TE with a bare CR in front", POST "X: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD("TE with a bare LF in front", POST "X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    /* other headers that decide */
    BAD("another Expect", POST "Expect: 200-ok\r\nContent-Length: 1\r\n\r\nx"),
    BAD("two Expects",
        POST "Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx"),
    BAD("two Content-Encodings",
        POST "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"),
    /* chunks */
    BAD("empty size", CHUNKED "\r\n"),
    BAD("size 0x5", CHUNKED "0x5\r\nabcde\r\n0\r\n\r\n"),
    BAD("size +5", CHUNKED "+5\r\nabcde\r\n0\r\n\r\n"),
    BAD("size -1", CHUNKED "-1\r\n"),
    BAD("size _5", CHUNKED "_5\r\nabcde\r\n0\r\n\r\n"),
    BAD("size 5_0", CHUNKED "5_0\r\n"),
    BAD("size g", CHUNKED "g\r\n"),
    BAD("space in front of the size", CHUNKED " 5\r\nabcde\r\n0\r\n\r\n"),
    BAD("space behind the size", CHUNKED "5 \r\nabcde\r\n0\r\n\r\n"),
    BAD("tab behind the size", CHUNKED "5\t\r\nabcde\r\n0\r\n\r\n"),
    BAD("space before the semicolon", CHUNKED "5 ;a\r\nabcde\r\n0\r\n\r\n"),
    BAD("size with a bare LF", CHUNKED "5\nabcde\r\n0\r\n\r\n"),
    BAD("size with a bare CR", CHUNKED "5\rabcde\r\n0\r\n\r\n"),
    BAD("size of 17 digits", CHUNKED "00000000000000005\r\nabcde\r\n0\r\n\r\n"),
    BAD("size that wraps 64 bits", CHUNKED "10000000000000005\r\nabcde\r\n0\r\n\r\n"),
    BAD("size 2^64 - 1", CHUNKED "ffffffffffffffff\r\n"),
    BAD("size above 2^40", CHUNKED "10000000001\r\n"),
    BAD("NUL in the size", CHUNKED "5\0\r\nabcde\r\n"),
    BAD("chunk longer than its size", CHUNKED "3\r\nabcd\r\n0\r\n\r\n"),
    BAD("chunk shorter than its size", CHUNKED "5\r\nabc\r\n0\r\n\r\n\r\n"),
    BAD("chunk ended with a bare LF", CHUNKED "3\r\nabc\n0\r\n\r\n"),
    BAD("chunk ended with a bare CR", CHUNKED "3\r\nabc\r0\r\n\r\n"),
    BAD("chunk ended with two bytes", CHUNKED "3\r\nabcXX0\r\n\r\n"),
    BAD("LF in an extension", CHUNKED "3;a\nb\r\nabc\r\n0\r\n\r\n"),
    BAD("bare CR in an extension", CHUNKED "3;a\rb\r\nabc\r\n0\r\n\r\n"),
    BAD("NUL in an extension", CHUNKED "3;a\0b\r\nabc\r\n0\r\n\r\n"),
    BAD("last chunk with a bare LF", CHUNKED "0\n\r\n"),
    BAD("end with a bare LF", CHUNKED "0\r\n\n"),
    BAD("end with a bare CR", CHUNKED "0\r\n\rX"),
    BAD("trailer without a colon", CHUNKED "0\r\nX\r\n\r\n"),
    BAD("trailer folded", CHUNKED "0\r\nX: a\r\n b\r\n\r\n"),
    BAD("trailer with a bare LF", CHUNKED "0\r\nX: a\n\r\n"),
    BAD("trailer with a space before the colon", CHUNKED "0\r\nX : a\r\n\r\n"),
    BAD("trailer with NUL", CHUNKED "0\r\nX: \0\r\n\r\n"),
    BAD("trailer of a request", CHUNKED "0\r\n" LINE H E),
    BAD("no last chunk, a request", CHUNKED LINE H E),
    /* 415 */
    {"brotli body",
     {POST "Content-Encoding: br\r\nContent-Length: 1\r\n\r\nx",
      sizeof(POST "Content-Encoding: br\r\nContent-Length: 1\r\n\r\nx") - 1},
     ST_CONTENT_TYPE},
    {"gzip twice in one",
     {POST "Content-Encoding: gzip, gzip\r\nContent-Length: 1\r\n\r\nx",
      sizeof(POST "Content-Encoding: gzip, gzip\r\nContent-Length: 1\r\n\r\nx") - 1},
     ST_CONTENT_TYPE},
    /* incomplete, not refused */
    MORE("nothing", ""),
    MORE("an empty line", "\r\n"),
    MORE("half a request line", "GET / HT"),
    MORE("no end of the head", LINE H),
    MORE("CR of the end", LINE H "\r"),
    MORE("body still to come", POST "Content-Length: 5\r\n\r\nabc"),
    MORE("chunk still to come", CHUNKED "5\r\nabc"),
    MORE("chunk end still to come", CHUNKED "3\r\nabc"),
    MORE("last chunk still to come", CHUNKED "3\r\nabc\r\n"),
    MORE("end still to come", CHUNKED "0\r\n"),
    MORE("trailer end still to come", CHUNKED "0\r\nX: a\r\n"),
    /* honest */
    GOOD("the least", LINE H E),
    GOOD("one empty line in front", "\r\n" LINE H E),
    GOOD("HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n"),
    GOOD("HTTP/1.0 with a body", "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"),
    GOOD("absolute-form", "GET http://a/b?c HTTP/1.1\r\n" H E),
    GOOD("absolute-form over TLS, port", "GET HTTPS://a:8443/b HTTP/1.1\r\nHost: A:8443\r\n\r\n"),
    GOOD("IPv6 Host", LINE "Host: [::1]:8787\r\n\r\n"),
    GOOD("model in the path",
         "POST /v1beta/models/@my-p/gemini-1.5:generateContent?alt=sse HTTP/1.1\r\n" H E),
    GOOD("percent-encoded", "GET /a%2Fb%20c?d=%E2%82%AC%00 HTTP/1.1\r\n" H E),
    GOOD("no space after the colon", LINE "Host:a\r\nX:b\r\n\r\n"),
    GOOD("spaces around a value", LINE "Host: \t a \t\r\nX: \t\r\n\r\n"),
    GOOD("UTF-8 and tab in a value", LINE H "X: \xc3\xa4\tb\r\n\r\n"),
    GOOD("every mark of a token", LINE H "!#$%&'*+-.^_`|~09azAZ: a\r\n\r\n"),
    GOOD("length with leading zeros", POST "Content-Length: 003\r\n\r\nabc"),
    GOOD("length 0", POST "Content-Length: 0\r\n\r\n"),
    GOOD("GET with a body", LINE H "Content-Length: 1\r\n\r\nx"),
    GOOD("upgrade is not taken up", LINE H "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
    GOOD("chunked, other case", POST "TRANSFER-ENCODING: Chunked\r\n\r\n0\r\n\r\n"),
    GOOD("chunked with extensions", CHUNKED "3;a=b;c=\"d e\"\r\nabc\r\n0;x\r\n\r\n"),
    GOOD("chunked with leading zeros", CHUNKED "0003\r\nabc\r\n00\r\n\r\n"),
    GOOD("chunked in upper-case hex", CHUNKED "A\r\n0123456789\r\n0\r\n\r\n"),
    GOOD("chunked with trailers", CHUNKED "3\r\nabc\r\n0\r\nX: a\r\nY:\r\n\r\n"),
    GOOD("100-continue", POST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\nx"),
    GOOD("DELETE", "DELETE /v1/files/f HTTP/1.1\r\n" H E),
    GOOD("TRACE is for the layers above", "TRACE / HTTP/1.1\r\n" H E),
};

static void expect_same(const struct row *row, const struct judgement *whole,
                        const struct judgement *part, size_t cut)
{
    cr_expect_eq(part->status, whole->status, "%s, cut at %zu: %s", row->name, cut, part->why);
    cr_expect_str_eq(part->why, whole->why, "%s, cut at %zu", row->name, cut);
    if (whole->status != ST_OK)
        return;
    cr_expect_eq(part->used, whole->used, "%s, cut at %zu", row->name, cut);
    cr_expect_eq(part->head.header_count, whole->head.header_count);
    cr_expect(str_eq(part->head.path, whole->head.path));
    cr_expect(str_eq(buf_str(&part->body), buf_str(&whole->body)), "%s, cut at %zu", row->name,
              cut);
}

Test(http1, every_row_whole_and_cut_at_every_byte)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        static struct judgement whole, part;
        judge(&whole, row->bytes.p, row->bytes.n, row->bytes.n);
        cr_expect_eq(whole.status, row->status, "%s: %s %s", row->name,
                     status_row(whole.status)->name, whole.why);
        if (row->status == ST_OK)
            cr_expect_eq(whole.used, row->bytes.n, "%s", row->name);
        if (row->status == ST_BAD_HTTP)
            cr_expect(whole.why[0] != '\0', "%s", row->name);
        for (size_t cut = 0; cut < row->bytes.n; cut++) {
            judge(&part, row->bytes.p, row->bytes.n, cut);
            expect_same(row, &whole, &part, cut);
            judgement_free(&part);
        }
        judgement_free(&whole);
    }
}

Test(http1, the_table_is_as_large_as_promised)
{
    size_t hostile = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        hostile += rows[i].status == ST_BAD_HTTP;
    cr_assert_geq(hostile, 200);
}

/* --- what an accepted head says --------------------------------------------------------------- */

static struct judgement seen;

static void forget(void)
{
    judgement_free(&seen);
}

TestSuite(http1, .fini = forget);

static const struct http_head *accepted(struct str bytes)
{
    judgement_free(&seen);
    judge(&seen, bytes.p, bytes.n, bytes.n);
    cr_assert_eq(seen.status, ST_OK, "%s", seen.why);
    return &seen.head;
}

static bool is(struct str s, const char *text)
{
    return str_eq(s, str_c(text));
}

Test(http1, request_line_and_headers)
{
    const struct http_head *head =
        accepted(STR("POST /v1/a%20b?x=1?y HTTP/1.1\r\nHost: h\r\nX-Empty:\r\nX-Two:  a b "
                     "\t\r\nContent-Length: 2\r\n\r\nhi"));
    cr_expect_eq(head->method, OP_METHOD_POST);
    cr_expect(is(head->method_text, "POST"));
    cr_expect(is(head->target, "/v1/a%20b?x=1?y"));
    cr_expect(is(head->path, "/v1/a%20b"));
    cr_expect(is(head->query, "x=1?y"));
    cr_expect_eq(head->header_count, 4);
    cr_expect(is(head->headers[1].name, "X-Empty") && is(head->headers[1].value, ""));
    cr_expect(is(head->headers[2].name, "X-Two") && is(head->headers[2].value, "a b"));
    cr_expect_eq(head->content_length, 2);
    cr_expect(head->has_body && !head->chunked && head->keep_alive && !head->http10);
    cr_expect(is(buf_str(&seen.body), "hi"));
}

Test(http1, absolute_form_loses_its_authority)
{
    const struct http_head *head =
        accepted(STR("GET http://h:80/p?q HTTP/1.1\r\nHost: h:80\r\n\r\n"));
    cr_expect(is(head->path, "/p") && is(head->query, "q"));
    cr_expect_eq(head->content_length, -1);
    cr_expect_not(head->has_body);
}

Test(http1, methods)
{
    cr_expect_eq(accepted(STR("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"))->method, OP_METHOD_GET);
    cr_expect(seen.head.head_only);
    cr_expect_eq(accepted(STR("PUT / HTTP/1.1\r\nHost: h\r\n\r\n"))->method, OP_METHOD_PUT);
    cr_expect_not(seen.head.head_only);
    cr_expect_eq(accepted(STR("PATCH / HTTP/1.1\r\nHost: h\r\n\r\n"))->method, OP_METHOD_PATCH);
    cr_expect_eq(accepted(STR("DELETE / HTTP/1.1\r\nHost: h\r\n\r\n"))->method, OP_METHOD_DELETE);
    cr_expect_eq(accepted(STR("OPTIONS / HTTP/1.1\r\nHost: h\r\n\r\n"))->method, OP_METHOD_ANY);
}

Test(http1, keep_alive_follows_version_and_connection)
{
    cr_expect(accepted(STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"))->keep_alive);
    cr_expect_not(
        accepted(STR("GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n"))->keep_alive);
    cr_expect_not(accepted(STR("GET / HTTP/1.0\r\n\r\n"))->keep_alive);
    cr_expect(accepted(STR("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"))->keep_alive);
    cr_expect_not(
        accepted(
            STR("GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n"))
            ->keep_alive);
}

Test(http1, expect_and_gzip)
{
    const struct http_head *head =
        accepted(STR("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Encoding: "
                     "GZIP\r\nContent-Length: 2\r\n\r\nxx"));
    cr_expect(head->expect_continue && head->gzip && head->has_body);
    cr_expect_eq(head->content_length, -1, "the decoded length is not known");
    head = accepted(
        STR("GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Encoding: gzip\r\n\r\n"));
    cr_expect(!head->expect_continue && !head->gzip, "there is no body to wait for");
}

Test(http1, a_pipelined_request_is_left_alone)
{
    struct str two = STR("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                         "chunked\r\n\r\n1\r\na\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n");
    accepted(two);
    cr_expect(str_starts(str_from(two, seen.used), STR("GET /2")));
}

/* --- bounds ----------------------------------------------------------------------------------- */

static enum status judge_buf(struct buf *buf)
{
    cr_assert_eq(buf_status(buf), ST_OK);
    judge(&seen, buf->p, buf->n, buf->n / 2);
    judgement_free(&seen);
    buf_free(buf);
    return seen.status;
}

static struct buf with_headers(int count)
{
    struct buf buf;
    buf_init(&buf, 1 << 20);
    buf_add_lit(&buf, "GET / HTTP/1.1\r\nHost: h\r\n");
    for (int i = 1; i < count; i++)
        buf_printf(&buf, "X-%d: a\r\n", i);
    buf_add_lit(&buf, "\r\n");
    return buf;
}

Test(http1, header_count_is_bounded)
{
    struct buf most = with_headers(CONN_HEADERS_MAX), more = with_headers(CONN_HEADERS_MAX + 1);
    cr_expect_eq(judge_buf(&most), ST_OK);
    cr_expect_eq(judge_buf(&more), ST_HEAD_TOO_LARGE);
}

static struct buf with_bytes(size_t n)
{
    struct buf buf;
    buf_init(&buf, 1 << 20);
    buf_add_lit(&buf, "GET / HTTP/1.1\r\nHost: h\r\nX: ");
    while (buf.n < n - 4)
        buf_add_char(&buf, 'x');
    buf_add_lit(&buf, "\r\n\r\n");
    return buf;
}

Test(http1, head_bytes_are_bounded)
{
    struct buf most = with_bytes(CONN_HEAD_BYTES), more = with_bytes(CONN_HEAD_BYTES + 1);
    cr_expect_eq(judge_buf(&most), ST_OK);
    cr_expect_eq(judge_buf(&more), ST_HEAD_TOO_LARGE);
}

static struct buf with_run(const char *front, size_t n, const char *back)
{
    struct buf buf;
    buf_init(&buf, 1 << 20);
    buf_add_lit(&buf, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    buf_add_str(&buf, str_c(front));
    for (size_t i = 0; i < n; i++)
        buf_add_char(&buf, 'x');
    buf_add_str(&buf, str_c(back));
    return buf;
}

Test(http1, extensions_and_trailers_are_bounded)
{
    struct buf ext = with_run("0;", HTTP1_EXTENSION_BYTES - 1, "\r\n\r\n");
    struct buf ext_more = with_run("0;", HTTP1_EXTENSION_BYTES, "\r\n\r\n");
    cr_expect_eq(judge_buf(&ext), ST_OK);
    cr_expect_eq(judge_buf(&ext_more), ST_BAD_HTTP);
    struct buf trailer = with_run("0\r\nX:", HTTP1_TRAILER_BYTES - 4, "\r\n\r\n");
    struct buf trailer_more = with_run("0\r\nX:", HTTP1_TRAILER_BYTES - 3, "\r\n\r\n");
    cr_expect_eq(judge_buf(&trailer), ST_OK);
    cr_expect_eq(judge_buf(&trailer_more), ST_BAD_HTTP);
}

Test(http1, many_small_extensions_are_bounded_together)
{
    struct buf buf = with_run("", 0, "");
    for (int i = 0; i < HTTP1_EXTENSION_BYTES; i++)
        buf_add_lit(&buf, "1;e\r\nx\r\n");
    buf_add_lit(&buf, "0\r\n\r\n");
    cr_expect_eq(judge_buf(&buf), ST_BAD_HTTP);
}

Test(http1, tokens_and_values)
{
    cr_expect(http1_is_token(STR("x-A_9!")) && !http1_is_token(STR("")) &&
              !http1_is_token(STR("a:")));
    cr_expect(http1_is_field_value(STR("")) && http1_is_field_value(STR("a\tb \xff")));
    cr_expect(!http1_is_field_value(STR("a\r")) && !http1_is_field_value(STR("\n")) &&
              !http1_is_field_value(STR("\0")));
}
