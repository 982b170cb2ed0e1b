/* admin_paths.c: the generated prefix list, and the match. GET /v1/models and pricing are answered by the gateway itself and are not in it. */
#include "data-plane/worker/admin_paths.h"

static const struct str prefixes[] = {
#define ADMIN_PATH(text) {(text), sizeof(text) - 1},
#include "admin_paths.def"
#undef ADMIN_PATH
};

bool admin_paths_match(struct str path)
{
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        if (!str_starts(path, prefixes[i]))
            continue;
        struct str rest = str_from(path, prefixes[i].n);
        if (rest.n == 0 || rest.p[0] == '/')
            return true;
    }
    return false;
}
