/* routes.c: which handler plays which operation of the API (routes_find of dispatch.h).
 *
 * A provider's base path differs (/v1, /openai/v1, /api/paas/v4, /compatible-mode/v1 ...), so a route is matched against
 * the end of the path: the longest end that fits wins, and what stands before it is not looked at.
 */
#include "tests/sim/api.h"
#include "tests/sim/dispatch.h"

#define ROUTES_SEGMENTS_MAX 32

static const struct route routes[] = {
    {"POST", "chat/completions", .call = api_chat_create},
    {"POST", "completions", .call = api_completions_create},
    {"POST", "embeddings", .call = api_embeddings_create},
    {"GET", "models", .call = api_models_list},
    {"GET", "models/**", .call = api_models_get},
    {"DELETE", "models/**", .call = api_models_delete},
};

/* Whether `path` (no leading slash) is the route; *id is what stood for its star. */
static bool routes_match(struct str pattern, struct str path, struct str *id)
{
    struct str want, have;
    while (str_split(&pattern, '/', &want)) {
        if (str_eq(want, STR("**"))) {
            *id = path;
            return path.n > 0;
        }
        if (!str_split(&path, '/', &have) || have.n == 0)
            return false;
        if (str_eq(want, STR("*")))
            *id = have;
        else if (!str_eq(want, have))
            return false;
    }
    return path.n == 0;
}

const struct route *routes_find(struct str method, struct str path, struct str *id, bool *wrong_method)
{
    struct str rest = path, piece;
    *wrong_method = false;
    for (int depth = 0; depth < ROUTES_SEGMENTS_MAX && rest.n > 0; depth++) {
        for (size_t i = 0; i < COUNT_OF(routes); i++) {
            struct str found = STR_NONE;
            if (!routes_match(str_c(routes[i].path), rest, &found))
                continue;
            if (!str_eq(method, str_c(routes[i].method))) {
                *wrong_method = true;
                continue;
            }
            *wrong_method = false;
            *id = found;
            return &routes[i];
        }
        if (!str_split(&rest, '/', &piece))
            return NULL;
    }
    return NULL;
}
