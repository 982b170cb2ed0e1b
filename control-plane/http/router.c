/* router.c: the walk over the route table.
 *
 * A linear walk over some eighty rows costs about a microsecond, which is nothing beside a store
 * transaction, so the table stays a table. Segments are compared as sent; only what stands for a
 * {parameter} is percent-decoded, after the path has been cut, so an encoded slash can never make a
 * segment.
 */
#include "control-plane/http/router.h"

/* Takes the next '/'-led segment. False at the end of the path. */
static bool next_segment(struct str *rest, struct str *segment)
{
    if (rest->n == 0 || rest->p[0] != '/')
        return false;
    *rest = str_from(*rest, 1);
    ptrdiff_t at = str_find_char(*rest, '/');
    *segment = at < 0 ? *rest : str_head(*rest, (size_t)at);
    *rest = str_from(*rest, segment->n);
    return true;
}

static bool is_param(struct str segment)
{
    return segment.n > 2 && segment.p[0] == '{';
}

/* Compares and gathers raw parameters. */
static bool path_fits(struct str pattern, struct str path, struct str *params, size_t *count)
{
    struct str want, got;
    *count = 0;
    while (next_segment(&pattern, &want)) {
        struct str before = path;
        if (!next_segment(&path, &got))
            return false;
        if (!is_param(want)) {
            if (!str_eq(want, got))
                return false;
            continue;
        }
        if (want.p[want.n - 2] == '*') {
            got = str_from(before, 1);
            path = str_from(before, before.n);
        }
        if (got.n == 0 || *count == ROUTE_PARAMS_MAX)
            return false;
        params[(*count)++] = got;
    }
    return path.n == 0;
}

static void allow_add(char allow[64], enum http_method method)
{
    const char *text = http_method_text(method);
    size_t at = strlen(allow), n = strlen(text);
    if (strstr(allow, text) != NULL || at + n + 3 > 64)
        return;
    if (at > 0) {
        memcpy(allow + at, ", ", 3);
        at += 2;
    }
    memcpy(allow + at, text, n + 1);
}

/* "/v2/..." reads as "/v1/..."; a trailing slash is dropped. */
static struct str normalise(struct arena *arena, struct str path)
{
    if (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    if (!str_starts(path, STR("/v2/")))
        return path;
    struct str copy = arena_printf(arena, "/v1" STR_FMT, STR_ARG(str_from(path, 3)));
    return copy;
}

enum status router_find(const struct route *routes, size_t count, enum http_method method,
                        struct str path, struct arena *arena, struct route_match *match)
{
    *match = (struct route_match){.route = NULL};
    enum http_method wanted = method == HTTP_HEAD ? HTTP_GET : method;
    path = normalise(arena, path);
    if (path.p == NULL)
        return ST_NO_MEMORY;
    bool seen = false;
    for (size_t i = 0; i < count; i++) {
        struct str raw[ROUTE_PARAMS_MAX];
        size_t n;
        if (!path_fits(str_c(routes[i].path), path, raw, &n))
            continue;
        seen = true;
        allow_add(match->allow, routes[i].method);
        if (routes[i].method != wanted)
            continue;
        for (size_t k = 0; k < n; k++)
            TRY(http_decode(arena, raw[k], false, &match->params[k]));
        match->route = &routes[i];
        match->param_count = n;
        return ST_OK;
    }
    return seen ? ST_METHOD : ST_NO_ROUTE;
}
