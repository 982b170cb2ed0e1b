/* metadata.c: see metadata.h.
 *
 * Invariant: the caller's word is the weakest, so that a team's and a key's metadata cannot be
 * denied by who is counted by them.
 */
#include "data-plane/worker/metadata.h"

#include "data-plane/worker/req.h"

static struct str of_caller(const struct req *req)
{
    struct str value =
        req->head == NULL ? STR_NONE : http_head_get(req->head, STR("x-portkey-metadata"));
    enum json_type type;
    return value.n > 0 && json_scan_value(value, &type, NULL) == ST_OK && type == JSON_OBJECT
               ? value
               : STR_NONE;
}

void metadata_layers(const struct req *req, const struct cat_workspace *workspace,
                     struct str layers[METADATA_LAYERS])
{
    struct str defaults =
        workspace == NULL ? STR_NONE : cat_str(&workspace->head, workspace->defaults_json);
    layers[0] = json_member(defaults, "metadata", JSON_OBJECT);
    layers[1] = json_member(req->auth.defaults_json, "metadata", JSON_OBJECT);
    layers[2] = of_caller(req);
}
