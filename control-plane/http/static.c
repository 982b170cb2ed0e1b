/* static.c: files of the console, with the headers that keep a page honest.
 *
 * The name is cut into segments of [A-Za-z0-9._-] that do not begin with a dot, and each is opened
 * with O_NOFOLLOW below the one before, so no spelling of a path leaves the folder. Must never list
 * a folder or read a dot file. Hashed assets (assets/...) are cacheable for ever; pages are checked
 * each time. A file that lies packed beside itself (name.br, name.gz: the build makes them) goes out
 * packed to whoever takes that; nothing is packed here.
 */
#include "control-plane/http/static.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control-plane/http/reply.h"

#define STATIC_DEPTH_MAX 8

struct static_files {
    int folder;
    char policy[512]; /* Content-Security-Policy of every file */
};

static const struct {
    const char *extension, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".txt", "text/plain; charset=utf-8"},
    {".map", "application/json"},
};

/* In order of preference. */
static const struct {
    const char *coding, *extension;
} packings[] = {{"br", ".br"}, {"gzip", ".gz"}};

#define PAGE_POLICY                                                                                \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src "     \
    "'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; connect-src 'self'"

/* scheme://authority of a URL, or n = 0 if it is none that may stand in a policy. */
static struct str origin_of(struct str url)
{
    size_t scheme = str_starts(url, STR("https://")) ? 8 : str_starts(url, STR("http://")) ? 7 : 0;
    struct str rest = str_from(url, scheme), authority;
    if (scheme == 0 || !str_split(&rest, '/', &authority) || authority.n == 0)
        return STR("");
    for (size_t i = 0; i < authority.n; i++) {
        char c = authority.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c != '\0' && strchr(".-_:[]", c) != NULL)))
            return STR("");
    }
    return str_head(url, scheme + authority.n);
}

enum status static_open(const char *folder, struct str gateway_url, struct static_files **files)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return status_from_errno(errno);
    struct static_files *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        (void)close(fd);
        return ST_NO_MEMORY;
    }
    made->folder = fd;
    struct str gateway = origin_of(gateway_url);
    int n = snprintf(made->policy, sizeof(made->policy), PAGE_POLICY " " STR_FMT, STR_ARG(gateway));
    if (n < 0 || (size_t)n >= sizeof(made->policy))
        (void)snprintf(made->policy, sizeof(made->policy), PAGE_POLICY);
    *files = made;
    return ST_OK;
}

void static_close(struct static_files *files)
{
    if (files == NULL)
        return;
    (void)close(files->folder);
    free(files);
}

static const char *type_of(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (str_ends(name, str_c(types[i].extension)))
            return types[i].type;
    return NULL;
}

static bool segment_is_plain(struct str segment)
{
    for (size_t i = 0; i < segment.n; i++) {
        char c = segment.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-'))
            return false;
    }
    return segment.n > 0 && segment.n < 128 && segment.p[0] != '.';
}

/* gives a descriptor of the regular file `path` below the folder. */
static enum status open_below(int folder, struct str path, int *file)
{
    int at = folder;
    enum status status = ST_NOT_FOUND;
    struct str segment;
    for (unsigned depth = 0; depth < STATIC_DEPTH_MAX && str_split(&path, '/', &segment); depth++) {
        char name[128];
        if (!segment_is_plain(segment))
            break;
        memcpy(name, segment.p, segment.n);
        name[segment.n] = '\0';
        int kind = path.p == NULL ? 0 : O_DIRECTORY;
        int next = openat(at, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | kind);
        if (at != folder)
            (void)close(at);
        at = next;
        if (next < 0)
            return ST_NOT_FOUND;
        if (path.p == NULL) {
            *file = next;
            return ST_OK;
        }
    }
    if (at != folder)
        (void)close(at);
    return status;
}

static enum status read_all(int file, struct http_reply *reply)
{
    struct stat info;
    if (fstat(file, &info) != 0)
        return ST_IO;
    if (!S_ISREG(info.st_mode))
        return ST_NOT_FOUND;
    if (info.st_size > (off_t)STATIC_MAX_BYTES)
        return ST_TOO_LARGE;
    TRY(buf_reserve(&reply->body, (size_t)info.st_size));
    for (off_t left = info.st_size; left > 0;) {
        char part[16384];
        ssize_t got = read(file, part, sizeof(part));
        if (got <= 0)
            return ST_IO;
        buf_add(&reply->body, part, (size_t)got);
        left -= got;
    }
    return buf_status(&reply->body);
}

/* True if the list of an Accept or Accept-Encoding header names the word with a weight above 0. */
static bool accepts(const struct http_request *request, const char *header, struct str word)
{
    struct str list = http_request_header(request, header), item, name;
    while (list.n > 0 && str_split(&list, ',', &item)) {
        if (!str_split(&item, ';', &name) || !str_eq_nocase(str_trim(name), word))
            continue;
        struct str weight = str_trim(item);
        return !str_starts_nocase(weight, STR("q=0")) ||
               str_find_char(str_from(weight, 3), '.') >= 0;
    }
    return false;
}

/* gives a descriptor of the file, packed as the client likes best; *coding is NULL if it is plain. */
static enum status open_best(const struct static_files *files, const struct http_request *request,
                             struct str path, int *file, const char **coding)
{
    *coding = NULL;
    for (size_t i = 0; i < COUNT_OF(packings); i++) {
        if (!accepts(request, "accept-encoding", str_c(packings[i].coding)))
            continue;
        struct str packed = arena_printf(request->arena, STR_FMT "%s", STR_ARG(path),
                                         packings[i].extension);
        if (packed.p != NULL && open_below(files->folder, packed, file) == ST_OK) {
            *coding = packings[i].coding;
            return ST_OK;
        }
    }
    return open_below(files->folder, path, file);
}

/* The last segment has an extension that files have: what the console calls its pages may hold a
 * dot as well ("/models/@openai/gpt-4.1"). */
static bool names_file(struct str path)
{
    for (ptrdiff_t slash; (slash = str_find_char(path, '/')) >= 0;)
        path = str_from(path, (size_t)slash + 1);
    return type_of(path) != NULL;
}

static void add_headers(const struct static_files *files, struct http_reply *reply, bool hashed,
                        const char *coding)
{
    reply_header(reply, STR("Cache-Control"),
                 hashed ? STR("public, max-age=31536000, immutable") : STR("no-cache"));
    reply_header(reply, STR("Vary"), STR("Accept-Encoding"));
    if (coding != NULL)
        reply_header(reply, STR("Content-Encoding"), str_c(coding));
    reply_header(reply, STR("Content-Security-Policy"), str_c(files->policy));
    reply_header(reply, STR("X-Frame-Options"), STR("DENY"));
    reply_header(reply, STR("Referrer-Policy"), STR("no-referrer"));
    reply_header(reply, STR("Cross-Origin-Opener-Policy"), STR("same-origin"));
}

enum status static_serve(struct static_files *files, const struct http_request *request,
                         struct http_reply *reply)
{
    if (files == NULL || request->path.n == 0)
        return ST_NOT_FOUND;
    struct str path = str_from(request->path, 1);
    bool hashed = str_starts(path, STR("assets/"));
    if (!hashed && (!names_file(path) || accepts(request, "accept", STR("text/html"))))
        path = STR("index.html");
    const char *type = type_of(path), *coding;
    int file;
    if (type == NULL)
        return ST_NOT_FOUND;
    TRY(open_best(files, request, path, &file, &coding));
    enum status status = read_all(file, reply);
    (void)close(file);
    if (status != ST_OK)
        return status;
    reply->status = 200;
    reply->content_type = type;
    reply->cacheable = true;
    add_headers(files, reply, hashed, coding);
    return ST_OK;
}
