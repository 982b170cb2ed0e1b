/* azure_paths.c: see azure_paths.h.
 *
 * A model may hold slashes, escaped or not (Azure's clients escape nothing), so the operation is
 * looked for at the end of the path. What fits no operation stays as it is and is no route.
 */
#include "data-plane/worker/azure_paths.h"

#include "common/ops.h"
#include "data-plane/worker/percent.h"

#define DEPLOYMENTS "/deployments"

static bool take_prefix(struct str *path, struct str prefix)
{
    if (!str_starts(*path, prefix))
        return false;
    *path = str_from(*path, prefix.n);
    return true;
}

/* Of several operations that fit the longest: "/chat/completions", not "/completions" of "x/chat".
 */
static bool find_operation(struct str rest, struct str *operation)
{
    *operation = STR_NONE;
    for (unsigned op = 0; op < OP_COUNT; op++) {
        struct str path = str_c(op_row((enum op)op)->path);
        if (op_row((enum op)op)->body != OP_BODY_NONE && str_ends(rest, path) &&
            path.n > operation->n)
            *operation = path;
    }
    return operation->n > 0;
}

enum status azure_paths_rewrite(struct arena *arena, struct str path, struct str *ours,
                                struct str *model)
{
    struct str rest = path, operation;
    bool azure = take_prefix(&rest, STR("/openai"));
    *ours = path;
    *model = STR_NONE;
    if (!azure)
        take_prefix(&rest, STR("/v1"));
    else if (str_starts(rest, STR("/v1/"))) {
        *ours = rest;
        return ST_OK;
    }
    if (str_starts(rest, STR(DEPLOYMENTS "/"))) {
        rest = str_from(rest, sizeof DEPLOYMENTS - 1);
        if (!find_operation(rest, &operation))
            return ST_OK;
        rest = str_head(rest, rest.n - operation.n);
        *model = percent_decode(arena, str_from(rest, rest.n > 0 ? 1 : 0));
        *ours = arena_printf(arena, "/v1" STR_FMT, STR_ARG(operation));
        return model->p == NULL || ours->p == NULL ? ST_NO_MEMORY : ST_OK;
    }
    if (azure && rest.n > 1 && rest.p[0] == '/')
        *ours = arena_printf(arena, "/v1" STR_FMT, STR_ARG(rest));
    return ours->p == NULL ? ST_NO_MEMORY : ST_OK;
}
