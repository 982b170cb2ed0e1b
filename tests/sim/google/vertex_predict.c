/* vertex_predict.c: POST models/{m}:predict: embeddings of texts and of media, and Imagen's
 * pictures.
 *
 * The body is {"instances":[...],"parameters":{...}}; what is in them depends on the model. Source:
 * the models' pages of the Vertex AI reference.
 */
#include "tests/sim/google/google.h"
#include "tests/sim/media.h"
#include "tests/sim/vector.h"

#define PREDICT_TEXTS_MAX 250

static const struct shape_field text_fields[] = {
    SHAPE_TEXT("content", true),
    SHAPE_ENUM("taskType", false,
               "RETRIEVAL_QUERY|RETRIEVAL_DOCUMENT|SEMANTIC_SIMILARITY|CLASSIFICATION|CLUSTERING|"
               "QUESTION_ANSWERING|FACT_VERIFICATION|CODE_RETRIEVAL_QUERY"),
    SHAPE_TEXT("title", false),
    SHAPE_TEXT("mimeType", false),
};
static const struct shape text_shape = SHAPE_OF(text_fields);
static const struct shape_field text_parameters[] = {
    SHAPE_FLAG("autoTruncate"),
    SHAPE_COUNT("outputDimensionality", false, 1, 3072),
};
static const struct shape text_parameters_shape = SHAPE_OF(text_parameters);
static const struct shape_field texts_fields[] = {
    {.name = "instances",
     .types = SHAPE_ARRAY,
     .items = SHAPE_OBJECT,
     .needed = true,
     .min = 1,
     .max = PREDICT_TEXTS_MAX,
     .shape = &text_shape},
    SHAPE_MEMBERS("parameters", false, &text_parameters_shape),
};
static const struct shape texts_shape = SHAPE_OF(texts_fields);

static const struct shape_field image_fields[] = {
    SHAPE_TEXT("bytesBase64Encoded", false),
    SHAPE_TEXT("gcsUri", false),
    SHAPE_TEXT("mimeType", false),
};
static const struct shape image_shape = {.fields = image_fields, .count = COUNT_OF(image_fields)};
static const struct shape_field media_fields[] = {
    SHAPE_TEXT("text", false),
    SHAPE_MEMBERS("image", false, &image_shape),
    SHAPE_MEMBERS("video", false, NULL),
};
static const struct shape media_shape = SHAPE_OF(media_fields);
static const struct shape_field media_parameters[] = {SHAPE_COUNT("dimension", false, 128, 1408)};
static const struct shape media_parameters_shape = SHAPE_OF(media_parameters);
static const struct shape_field medias_fields[] = {
    {.name = "instances",
     .types = SHAPE_ARRAY,
     .items = SHAPE_OBJECT,
     .needed = true,
     .min = 1,
     .max = 1,
     .shape = &media_shape},
    SHAPE_MEMBERS("parameters", false, &media_parameters_shape),
};
static const struct shape medias_shape = SHAPE_OF(medias_fields);

static const struct shape_field prompt_fields[] = {
    {.name = "prompt", .types = SHAPE_STRING, .needed = true, .min = 1},
    SHAPE_MEMBERS("image", false, NULL),
    SHAPE_LIST("referenceImages", false, SHAPE_OBJECT, NULL),
};
static const struct shape prompt_shape = SHAPE_OF(prompt_fields);
static const struct shape_field output_fields[] = {
    SHAPE_ENUM("mimeType", false, "image/png|image/jpeg"),
    SHAPE_COUNT("compressionQuality", false, 0, 100),
};
static const struct shape output_shape = SHAPE_OF(output_fields);
static const struct shape_field imagen_parameters[] = {
    SHAPE_COUNT("sampleCount", false, 1, 4),
    SHAPE_ENUM("aspectRatio", false, "1:1|9:16|16:9|3:4|4:3"),
    SHAPE_TEXT("negativePrompt", false),
    SHAPE_COUNT("seed", false, 1, 2147483647),
    SHAPE_ENUM("personGeneration", false, "dont_allow|allow_adult|allow_all"),
    SHAPE_TEXT("safetySetting", false),
    SHAPE_TEXT("safetyFilterLevel", false),
    SHAPE_TEXT("sampleImageStyle", false),
    SHAPE_ENUM("sampleImageSize", false, "1K|2K"),
    SHAPE_FLAG("addWatermark"),
    SHAPE_FLAG("enhancePrompt"),
    SHAPE_FLAG("includeRaiReason"),
    SHAPE_FLAG("includeSafetyAttributes"),
    SHAPE_DECIMAL("guidanceScale", 0, 500),
    SHAPE_TEXT("language", false),
    SHAPE_TEXT("storageUri", false),
    SHAPE_MEMBERS("outputOptions", false, &output_shape),
};
static const struct shape imagen_parameters_shape = SHAPE_OF(imagen_parameters);
static const struct shape_field imagen_fields[] = {
    {.name = "instances",
     .types = SHAPE_ARRAY,
     .items = SHAPE_OBJECT,
     .needed = true,
     .min = 1,
     .max = 1,
     .shape = &prompt_shape},
    SHAPE_MEMBERS("parameters", false, &imagen_parameters_shape),
    SHAPE_MEMBERS("labels", false, NULL),
};
static const struct shape imagen_shape = SHAPE_OF(imagen_fields);

static void predict_texts(struct call *call, const struct google_model *model)
{
    const struct json *instances = google_get(call->root, "instances");
    int64_t dimensions = google_integer(google_get(call->root, "parameters"),
                                        "outputDimensionality", model->output_tokens);
    struct json_writer w;
    bool single = str_starts(str_c(model->name), STR("gemini-embedding"));
    if (dimensions > (int64_t)model->output_tokens || (single && instances->count > 1)) {
        (void)google_refuse(call, single && instances->count > 1
                                      ? "The model takes one instance per request."
                                      : "Invalid outputDimensionality.");
        return;
    }
    jw_init(&w, call->out);
    jw_object(&w);
    jw_key(&w, "predictions");
    jw_array(&w);
    for (const struct json *one = instances->first; one != NULL; one = one->next) {
        const struct json *content = google_get(one, "content");
        uint64_t tokens = usage_tokens(google_text(call, one, "content").n);
        jw_object(&w);
        jw_key(&w, "embeddings");
        jw_object(&w);
        jw_key(&w, "values");
        vector_write_floats(&w, vector_hash(content->raw), (uint32_t)dimensions);
        jw_key(&w, "statistics");
        jw_object(&w);
        jw_field_bool(&w, "truncated", false);
        jw_field_u64(&w, "token_count", tokens);
        jw_end(&w);
        jw_end(&w);
        jw_end(&w);
        call->usage.prompt += tokens;
    }
    jw_end(&w);
    jw_end(&w);
}

static void predict_media(struct call *call)
{
    const struct json *one = google_get(call->root, "instances")->first;
    const struct json *text = google_get(one, "text"), *image = google_get(one, "image");
    const struct json *bytes = google_get(image, "bytesBase64Encoded");
    int64_t dimensions = google_integer(google_get(call->root, "parameters"), "dimension", 1408);
    struct json_writer w;
    if (text == NULL && image == NULL) {
        (void)google_refuse(call, "At least one of text, image and video is required.");
        return;
    }
    jw_init(&w, call->out);
    jw_object(&w);
    jw_key(&w, "predictions");
    jw_array(&w);
    jw_object(&w);
    if (text != NULL) {
        jw_key(&w, "textEmbedding");
        vector_write_floats(&w, vector_hash(text->raw), (uint32_t)dimensions);
    }
    if (image != NULL) {
        jw_key(&w, "imageEmbedding");
        vector_write_floats(&w, vector_hash(bytes == NULL ? image->raw : bytes->raw),
                            (uint32_t)dimensions);
    }
    jw_end(&w);
    jw_end(&w);
    jw_end(&w);
    call->usage.prompt = usage_tokens(google_text(call, one, "text").n);
}

static void predict_pictures(struct call *call)
{
    int64_t n = google_integer(google_get(call->root, "parameters"), "sampleCount", 1);
    struct json_writer w;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_key(&w, "predictions");
    jw_array(&w);
    for (int64_t i = 0; i < n; i++) {
        jw_object(&w);
        if (call->fault->refuse == 1) {
            jw_field_cstr(&w, "raiFilteredReason", "The simulator was asked to refuse.");
        } else {
            jw_field_cstr(&w, "mimeType", "image/png");
            jw_field_cstr(&w, "bytesBase64Encoded", MEDIA_PNG);
        }
        jw_end(&w);
    }
    jw_end(&w);
    jw_end(&w);
}

void vertex_predict(struct call *call)
{
    const struct google_model *model = google_find(&call->sim->options, call->id);
    enum google_kind kind =
        model == NULL || model->kind == GOOGLE_CHAT ? GOOGLE_IMAGEN : model->kind;
    const struct shape *shape = kind == GOOGLE_EMBED         ? &texts_shape
                                : kind == GOOGLE_EMBED_MEDIA ? &medias_shape
                                                             : &imagen_shape;
    if (google_open(call, kind, "predict") == NULL || !google_check(call, shape))
        return;
    if (kind == GOOGLE_EMBED)
        predict_texts(call, model);
    else if (kind == GOOGLE_EMBED_MEDIA)
        predict_media(call);
    else
        predict_pictures(call);
}
