/* static_test.c: what comes out of the console's folder, with which headers, and what never does. */
#include "control-plane/http/static.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control-plane/http/reply.h"

#define OK(expression) cr_assert_eq((expression), ST_OK)

static char folder[] = "/tmp/sluice-static-XXXXXX";
static struct static_files *files;
static struct arena arena;

static void put(const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void start(void)
{
    char path[256];
    cr_assert_not_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/assets", folder);
    cr_assert_eq(mkdir(path, 0700), 0);
    put("index.html", "page");
    put("favicon.svg", "mark");
    put(".secret.txt", "no");
    put("assets/app-1234.js", "plain");
    put("assets/app-1234.js.br", "brotli");
    put("assets/app-1234.js.gz", "gzip");
    put("assets/app-1234.css", "style");
    put("assets/app-1234.css.gz", "packed style");
    (void)snprintf(path, sizeof path, "%s/assets/link.js", folder);
    cr_assert_eq(symlink("/etc/hostname", path), 0);
    arena_init(&arena, 1u << 20);
    OK(static_open(folder, STR("https://gateway.example:8787/x"), &files));
}

static void stop(void)
{
    static_close(files);
    arena_free(&arena);
    static const char *const names[] = {"assets/app-1234.js", "assets/app-1234.js.br", "assets/app-1234.js.gz", "assets/app-1234.css",
                                        "assets/app-1234.css.gz", "assets/link.js", "assets", "index.html", "favicon.svg", ".secret.txt", "."};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char path[256];
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)(unlink(path) == 0 || rmdir(path) == 0);
    }
    rmdir(folder);
}

TestSuite(static_files, .init = start, .fini = stop);

static enum status get(const char *path, const char *accept, const char *encoding, struct http_reply *reply)
{
    struct http_header headers[] = {{STR("accept"), str_c(accept)}, {STR("accept-encoding"), str_c(encoding)}};
    struct http_request request = {.method = HTTP_GET, .path = str_c(path), .headers = headers, .header_count = 2, .arena = &arena};
    reply_init(reply);
    return static_serve(files, &request, reply);
}

static struct str header(const struct http_reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->header_count; i++)
        if (str_eq_nocase(reply->headers[i].name, str_c(name)))
            return reply->headers[i].value;
    return STR("");
}

static void expect(const char *path, const char *accept, const char *encoding, const char *body, const char *coding)
{
    struct http_reply reply;
    OK(get(path, accept, encoding, &reply));
    cr_expect(str_eq(buf_str(&reply.body), str_c(body)), "%s (%s): %.*s", path, encoding, STR_ARG(buf_str(&reply.body)));
    cr_expect(str_eq(header(&reply, "content-encoding"), str_c(coding)), "%s (%s)", path, encoding);
    reply_wipe(&reply);
}

Test(static_files, packed_as_the_client_takes_it)
{
    expect("/assets/app-1234.js", "*/*", "gzip, deflate, br", "brotli", "br");
    expect("/assets/app-1234.js", "*/*", "gzip", "gzip", "gzip");
    expect("/assets/app-1234.js", "*/*", "br;q=0, gzip;q=0.5", "gzip", "gzip");
    expect("/assets/app-1234.js", "*/*", "", "plain", "");
    expect("/assets/app-1234.js", "*/*", "br;q=0,gzip;q=0", "plain", "");
    expect("/assets/app-1234.css", "*/*", "br, gzip", "packed style", "gzip");
    expect("/favicon.svg", "image/*", "br", "mark", "");
}

Test(static_files, pages_are_the_console)
{
    expect("/", "text/html", "", "page", "");
    expect("/integrations", "", "", "page", "");
    expect("/w/team/models/@openai/gpt-4.1", "text/html,application/xhtml+xml", "", "page", "");
    expect("/w/team/models/@openai/gpt-4.1", "*/*", "", "page", "");
    expect("/w/team/models/@own/weights.json", "text/html", "", "page", "");
}

Test(static_files, what_never_comes_out)
{
    static const char *const paths[] = {"/assets/none-1.js", "/assets/link.js",     "/assets/",         "/assets/app-1234.js/x",
                                        "/.secret.txt",      "/assets/.secret.txt", "/assets/%2e/x.js", "/nothing.css"};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct http_reply reply;
        cr_expect_eq(get(paths[i], "*/*", "br", &reply), ST_NOT_FOUND, "%s", paths[i]);
        cr_expect_eq(reply.body.n, 0);
        reply_wipe(&reply);
    }
    /* A hashed asset is never answered with the page, whoever asks. */
    struct http_reply reply;
    cr_expect_eq(get("/assets/none-1.js", "text/html", "", &reply), ST_NOT_FOUND);
    reply_wipe(&reply);
}

Test(static_files, headers)
{
    struct http_reply reply;
    OK(get("/assets/app-1234.js", "*/*", "br", &reply));
    cr_expect(str_eq(header(&reply, "cache-control"), STR("public, max-age=31536000, immutable")));
    cr_expect(str_eq(header(&reply, "vary"), STR("Accept-Encoding")));
    cr_expect_str_eq(reply.content_type, "text/javascript; charset=utf-8");
    reply_wipe(&reply);
    OK(get("/", "text/html", "", &reply));
    struct str policy = header(&reply, "content-security-policy");
    cr_expect(str_eq(header(&reply, "cache-control"), STR("no-cache")));
    cr_expect(str_ends(policy, STR("connect-src 'self' https://gateway.example:8787")));
    cr_expect(str_find(policy, STR("unsafe")) < 0);
    reply_wipe(&reply);
}

/* What an admin writes as the gateway's address never becomes more than an origin in the policy. */
Test(static_files, policy_takes_origins_only)
{
    static const char *const urls[] = {"", "gateway", "ftp://x", "https://", "https://a b", "https://x;script-src", "http://x'/"};
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        struct static_files *other;
        struct http_reply reply;
        struct http_request request = {.method = HTTP_GET, .path = STR("/"), .arena = &arena};
        OK(static_open(folder, str_c(urls[i]), &other));
        reply_init(&reply);
        OK(static_serve(other, &request, &reply));
        cr_expect(str_ends(str_trim(header(&reply, "content-security-policy")), STR("connect-src 'self'")), "%s", urls[i]);
        reply_wipe(&reply);
        static_close(other);
    }
}
