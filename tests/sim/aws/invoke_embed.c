/* invoke_embed.c: InvokeModel for embeddings (Titan, Cohere) and reranking (Cohere).
 *
 * Titan takes one text a request; Cohere a list of texts or images, and wants to know what for
 * (input_type). Vectors are those of vector.h. Source: the models' pages of the Bedrock guide.
 */
#include "tests/sim/aws/invoke.h"
#include "tests/sim/cohere/cohere_core.h"
#include "tests/sim/vector.h"

#define TITAN_1_DIMENSIONS     1536
#define TITAN_2_DIMENSIONS     1024
#define TITAN_IMAGE_DIMENSIONS 1024

static const struct shape_field titan_1_fields[] = {SHAPE_TEXT("inputText", true)};
static const struct shape_field titan_2_fields[] = {
    SHAPE_TEXT("inputText", true),
    SHAPE_COUNT("dimensions", false, 256, 1024),
    SHAPE_FLAG("normalize"),
    SHAPE_LIST("embeddingTypes", false, SHAPE_STRING, NULL),
};
static const struct shape_field titan_config_fields[] = {
    SHAPE_COUNT("outputEmbeddingLength", false, 256, 1024),
};
static const struct shape titan_config_shape = SHAPE_OF(titan_config_fields);
static const struct shape_field titan_image_fields[] = {
    SHAPE_TEXT("inputText", false),
    SHAPE_TEXT("inputImage", false),
    SHAPE_MEMBERS("embeddingConfig", false, &titan_config_shape),
};
static const struct shape titan_1_shape = SHAPE_OF(titan_1_fields);
static const struct shape titan_2_shape = SHAPE_OF(titan_2_fields);
static const struct shape titan_image_shape = SHAPE_OF(titan_image_fields);

/* The asked length, one of three; 0: an error is the outcome. */
static uint32_t titan_dimensions(struct call *call, const struct json *node, uint32_t otherwise,
                                 int64_t middle)
{
    int64_t wanted = otherwise;
    if (node != NULL && json_i64(node, &wanted) != ST_OK)
        wanted = 0;
    if (wanted == 256 || wanted == middle || wanted == 1024 || (node == NULL && wanted > 0))
        return (uint32_t)wanted;
    call_error(call, 400, NULL, NULL,
               "Malformed input request: %lld is not a valid enum value, please reformat your "
               "input and try again.",
               (long long)wanted);
    return 0;
}

static bool titan_wants(struct call *call, const struct json *types, const char *type,
                        bool otherwise)
{
    for (const struct json *one = types == NULL ? NULL : types->first; one != NULL;
         one = one->next) {
        struct str text = STR("");
        if (json_text(one, call->arena, &text) == ST_OK && str_eq(text, str_c(type)))
            return true;
    }
    return types == NULL && otherwise;
}

static void titan_write(struct call *call, const struct bedrock_model *model,
                        const struct json *input, uint32_t dimensions)
{
    const struct json *types = json_get(call->root, "embeddingTypes");
    uint64_t hash = vector_hash(input->raw);
    struct json_writer w;
    jw_init(&w, call->out);
    jw_object(&w);
    if (titan_wants(call, types, "float", true)) {
        jw_key(&w, "embedding");
        vector_write_floats(&w, hash, dimensions);
    }
    if (model->kind == BEDROCK_TITAN_EMBED_2) {
        jw_key(&w, "embeddingsByType");
        jw_object(&w);
        if (titan_wants(call, types, "float", true)) {
            jw_key(&w, "float");
            vector_write_floats(&w, hash, dimensions);
        }
        if (titan_wants(call, types, "binary", false)) {
            jw_key(&w, "binary");
            vector_write_bits(&w, hash, dimensions, 0);
        }
        jw_end(&w);
    }
    jw_field_u64(&w, "inputTextTokenCount", call->usage.prompt);
    if (model->kind == BEDROCK_TITAN_EMBED_IMAGE)
        jw_field_cstr(&w, "message", NULL);
    jw_end(&w);
}

void invoke_titan_embed(struct call *call, const struct bedrock_model *model, bool stream)
{
    bool image = model->kind == BEDROCK_TITAN_EMBED_IMAGE;
    const struct shape *shape = image                                  ? &titan_image_shape
                                : model->kind == BEDROCK_TITAN_EMBED_2 ? &titan_2_shape
                                                                       : &titan_1_shape;
    uint32_t dimensions = TITAN_1_DIMENSIONS;
    (void)stream;
    if (!invoke_check(call, shape))
        return;
    const struct json *text = json_get(call->root, "inputText");
    const struct json *picture = json_get(call->root, "inputImage");
    if (text == NULL && picture == NULL) {
        call_error(call, 400, NULL, NULL,
                   "Malformed input request: inputText or inputImage is required, please reformat "
                   "your input and try again.");
        return;
    }
    if (image)
        dimensions = titan_dimensions(
            call, json_get(json_get(call->root, "embeddingConfig"), "outputEmbeddingLength"),
            TITAN_IMAGE_DIMENSIONS, 384);
    else if (model->kind == BEDROCK_TITAN_EMBED_2)
        dimensions =
            titan_dimensions(call, json_get(call->root, "dimensions"), TITAN_2_DIMENSIONS, 512);
    if (dimensions == 0)
        return;
    call->usage.prompt = usage_tokens(call_text(call, call->root, "inputText").n);
    titan_write(call, model, text == NULL ? picture : text, dimensions);
}

void invoke_cohere_embed(struct call *call, const struct bedrock_model *model, bool stream)
{
    static const struct shape_field fields[] = {
        SHAPE_LIST("texts", false, SHAPE_STRING, NULL),
        SHAPE_LIST("images", false, SHAPE_STRING, NULL),
        SHAPE_LIST("inputs", false, SHAPE_OBJECT, NULL),
        SHAPE_ENUM("input_type", true,
                   "search_document|search_query|classification|clustering|image"),
        SHAPE_ENUM("truncate", false, "NONE|START|END|LEFT|RIGHT"),
        SHAPE_LIST("embedding_types", false, SHAPE_STRING, NULL),
        SHAPE_COUNT("output_dimension", false, 256, 1536),
        SHAPE_COUNT("max_tokens", false, 1, 128000),
    };
    static const struct shape shape = SHAPE_OF(fields);
    bool modern = str_starts(str_c(model->id), STR("cohere.embed-v4"));
    (void)stream;
    if (!invoke_check(call, &shape))
        return;
    cohere_write_embeddings(call, modern ? 1536 : 1024, COHERE_SHAPE_BEDROCK);
}

void invoke_cohere_rerank(struct call *call, const struct bedrock_model *model, bool stream)
{
    static const struct shape_field fields[] = {
        SHAPE_TEXT("query", true),
        SHAPE_LIST("documents", true, SHAPE_STRING | SHAPE_OBJECT, NULL),
        SHAPE_COUNT("top_n", false, 1, 1000),
        SHAPE_COUNT("api_version", true, 2, 2),
        SHAPE_COUNT("max_tokens_per_doc", false, 1, 1 << 20),
    };
    static const struct shape shape = SHAPE_OF(fields);
    (void)model;
    (void)stream;
    if (invoke_check(call, &shape))
        cohere_write_rerank(call, COHERE_SHAPE_BEDROCK);
}
