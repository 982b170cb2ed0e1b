/* api_models.c: GET models, GET and DELETE models/{model}. The list is that of models.h; fine-tuned
 * names are found but not listed. Deleting a fine-tuned name is answered and changes nothing; any
 * other model belongs to somebody else.
 */
#include "tests/sim/api.h"

#define MODELS_CREATED_S 1715367049 /* one fixed moment: a list that changes would tell nothing */

static void model_write(struct json_writer *w, const struct model *model)
{
    jw_object(w);
    jw_field_str(w, "id", model->name);
    jw_field_cstr(w, "object", "model");
    jw_field_i64(w, "created", MODELS_CREATED_S);
    jw_field_cstr(w, "owned_by", model->owner);
    jw_end(w);
}

void api_models_list(struct call *call)
{
    struct json_writer w;
    struct model model;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_field_cstr(&w, "object", "list");
    jw_key(&w, "data");
    jw_array(&w);
    for (size_t i = 0; models_at(&call->sim->options, i, &model); i++)
        model_write(&w, &model);
    jw_end(&w);
    jw_end(&w);
}

void api_models_get(struct call *call)
{
    struct json_writer w;
    if (!call_model_named(call, call->id))
        return;
    jw_init(&w, call->out);
    model_write(&w, &call->model_row);
}

void api_models_delete(struct call *call)
{
    struct json_writer w;
    if (!call_model_named(call, call->id))
        return;
    if (!str_starts(call->model, STR("ft:"))) {
        call_error(call, 403, NULL, NULL, "You have insufficient permissions for this operation.");
        return;
    }
    jw_init(&w, call->out);
    jw_object(&w);
    jw_field_str(&w, "id", call->model);
    jw_field_cstr(&w, "object", "model");
    jw_field_bool(&w, "deleted", true);
    jw_end(&w);
}
