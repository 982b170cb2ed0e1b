/* api_embeddings.c: POST embeddings: one vector (vector.h) per input, as decimal numbers or as
 * base64 of little-endian floats.
 */
#include "tests/sim/api.h"
#include "tests/sim/vector.h"

#define EMBEDDINGS_INPUTS_MAX 2048

static void embedding_write(struct json_writer *w, const struct json *input, uint64_t index,
                            uint32_t dimensions, bool base64)
{
    uint64_t hash = vector_hash(input->raw);
    jw_object(w);
    jw_field_cstr(w, "object", "embedding");
    jw_field_u64(w, "index", index);
    if (base64) {
        buf_add_lit(w->buf, ",\"embedding\":");
        vector_write_base64(w, hash, dimensions);
    } else {
        jw_key(w, "embedding");
        vector_write_floats(w, hash, dimensions);
    }
    jw_end(w);
}

/* True if the array holds inputs; false if it is one input of tokens. */
static bool embedding_is_list(const struct json *input)
{
    return input->type == JSON_ARRAY && input->first->type != JSON_NUMBER;
}

/* False: an error is the outcome. */
static bool embedding_check(struct call *call, const struct json *input, uint32_t *dimensions)
{
    int64_t wanted = 0;
    if (input == NULL || usage_input(input, call->arena, &call->usage.prompt) != ST_OK ||
        (input->type == JSON_ARRAY &&
         (input->count == 0 || input->count > EMBEDDINGS_INPUTS_MAX))) {
        call_error(call, 400, NULL, "input",
                   "'$.input' is invalid. Please check the API reference.");
        return false;
    }
    if (call->model_row.dimensions == 0) {
        call_error(call, 403, NULL, NULL,
                   "You are not allowed to generate embeddings from this model");
        return false;
    }
    if (!call_number(call, "dimensions", 1, call->model_row.dimensions, call->model_row.dimensions,
                     &wanted))
        return false;
    if (json_get(call->root, "dimensions") != NULL && call->model_row.fixed_dimensions) {
        call_error(call, 400, NULL, NULL, "This model does not support specifying dimensions.");
        return false;
    }
    *dimensions = (uint32_t)wanted;
    return true;
}

void api_embeddings_create(struct call *call)
{
    const struct json *input = json_get(call->root, "input");
    uint32_t dimensions = 0;
    struct json_writer w;
    if (!call_model(call) || !embedding_check(call, input, &dimensions))
        return;
    bool base64 = str_eq(call_text(call, call->root, "encoding_format"), STR("base64"));
    jw_init(&w, call->out);
    jw_object(&w);
    jw_field_cstr(&w, "object", "list");
    jw_key(&w, "data");
    jw_array(&w);
    uint64_t index = 0;
    if (embedding_is_list(input)) {
        for (const struct json *one = input->first; one != NULL; one = one->next)
            embedding_write(&w, one, index++, dimensions, base64);
    } else {
        embedding_write(&w, input, 0, dimensions, base64);
    }
    jw_end(&w);
    jw_field_str(&w, "model", call->model);
    jw_key(&w, "usage");
    jw_object(&w);
    jw_field_u64(&w, "prompt_tokens", call->usage.prompt);
    jw_field_u64(&w, "total_tokens", call->usage.prompt);
    jw_end(&w);
    jw_end(&w);
}
