/* routes.c: which family and which handler plays an operation (routes_find of family.h).
 *
 * A provider's base path differs (/v1, /openai/v1, /api/paas/v4, /compatible-mode/v1 ...), so a
 * route is matched against the end of the path: the longest end that fits wins, and what stands
 * before it is not looked at. Of two families with the same path the first in `families` that is
 * meant gets the request; OpenAI's stands last and takes what nobody claims.
 */
#include "tests/sim/family.h"

#define ROUTES_SEGMENTS_MAX 32

static const struct family *const families[] = {
    &family_s3,     &family_sts,    &family_gcs,    &family_google_oauth, &family_bedrock,
    &family_vertex, &family_gemini, &family_cohere, &family_anthropic,    &family_openai,
};

/* One segment against its pattern; *id is what a star stood for. */
static bool routes_match_segment(struct str want, struct str have, struct str *id)
{
    if (want.n == 0 || want.p[0] != '*')
        return str_eq(want, have);
    struct str tail = str_from(want, 1);
    if (have.n <= tail.n || !str_ends(have, tail))
        return false;
    *id = str_head(have, have.n - tail.n);
    return true;
}

/* Whether `path` (no leading slash) is the route; *id is what stood for its last star. */
static bool routes_match(struct str pattern, struct str path, struct str *id)
{
    struct str want, have;
    if (pattern.n == 0)
        return path.n == 0;
    while (str_split(&pattern, '/', &want)) {
        if (str_eq(want, STR("**"))) {
            *id = path;
            return path.n > 0;
        }
        if (!str_split(&path, '/', &have) || have.n == 0 || !routes_match_segment(want, have, id))
            return false;
    }
    return path.n == 0;
}

/* A family's route for exactly this end of the path. */
static const struct route *routes_find_end(const struct family *family, const struct request *req,
                                           struct str method, struct str end, struct str *id,
                                           bool *wrong_method)
{
    for (size_t i = 0; i < family->route_count; i++) {
        const struct route *route = &family->routes[i];
        struct str found = STR_NONE;
        if (!routes_match(str_c(route->path), end, &found))
            continue;
        if ((route->flags & ROUTE_SHARED) != 0 && (req == NULL || !family->is_meant(req)))
            continue;
        if (!str_eq(method, str_c(route->method))) {
            *wrong_method = true;
            continue;
        }
        *id = found;
        return route;
    }
    return NULL;
}

/* Who answers a path that is nobody's. */
static const struct family *routes_family_meant(const struct request *req)
{
    for (size_t i = 0; req != NULL && i < COUNT_OF(families); i++) {
        if (families[i]->is_meant(req))
            return families[i];
    }
    return &family_openai;
}

const struct route *routes_find(const struct request *req, struct str method, struct str path,
                                struct str *id, const struct family **family, bool *wrong_method)
{
    struct str rest = path, piece;
    *wrong_method = false;
    *family = routes_family_meant(req);
    for (int depth = 0; depth < ROUTES_SEGMENTS_MAX; depth++) {
        for (size_t i = 0; i < COUNT_OF(families); i++) {
            bool wrong = false;
            const struct route *route = routes_find_end(families[i], req, method, rest, id, &wrong);
            if (route != NULL || (wrong && !*wrong_method))
                *family = families[i];
            *wrong_method = route == NULL && (wrong || *wrong_method);
            if (route != NULL)
                return route;
        }
        if (!str_split(&rest, '/', &piece))
            break;
    }
    return NULL;
}
