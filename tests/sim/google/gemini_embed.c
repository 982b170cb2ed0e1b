/* gemini_embed.c: POST models/{m}:embedContent and :batchEmbedContents, and the list of models.
 *
 * The vectors are those of vector.h over the raw text of the first part, so an input has the same
 * vector in every API. Each request of a batch names the model of the path.
 */
#include "tests/sim/google/gemini.h"
#include "tests/sim/vector.h"

#define EMBED_BATCH_MAX 100
#define EMBED_PAGE_MAX  1000
#define EMBED_TASK_TYPES                                                                           \
    "RETRIEVAL_QUERY|RETRIEVAL_DOCUMENT|SEMANTIC_SIMILARITY|CLASSIFICATION|CLUSTERING|"            \
    "QUESTION_ANSWERING|FACT_VERIFICATION|CODE_RETRIEVAL_QUERY|TASK_TYPE_UNSPECIFIED"

static const struct shape_field embed_fields[] = {
    SHAPE_TEXT("model", false),
    SHAPE_MEMBERS("content", true, &gemini_content_shape),
    SHAPE_ENUM("taskType", false, EMBED_TASK_TYPES),
    SHAPE_TEXT("title", false),
    SHAPE_COUNT("outputDimensionality", false, 1, 3072),
    SHAPE_MEMBERS("embedContentConfig", false, NULL),
};
static const struct shape embed_shape = SHAPE_OF(embed_fields);
static const struct shape_field batch_fields[] = {
    {.name = "requests",
     .types = SHAPE_ARRAY,
     .items = SHAPE_OBJECT,
     .needed = true,
     .min = 1,
     .max = EMBED_BATCH_MAX,
     .shape = &embed_shape},
};
static const struct shape batch_shape = SHAPE_OF(batch_fields);

/* Writes the vector of one request. False: an error is the outcome. */
static bool embed_write(struct call *call, const struct google_model *model, struct json_writer *w,
                        const struct json *request)
{
    const struct json *parts = google_get(google_get(request, "content"), "parts");
    const struct json *config = google_get(request, "embedContentConfig");
    int64_t dimensions =
        google_integer(request, "outputDimensionality",
                       google_integer(config, "outputDimensionality", model->output_tokens));
    const struct json *text =
        parts == NULL || parts->count == 0 ? NULL : google_get(parts->first, "text");
    if (text == NULL)
        return google_refuse(call, "* EmbedContentRequest.content.parts: at least one part with "
                                   "text is required\n");
    if (dimensions > (int64_t)model->output_tokens)
        return google_refuse(call, "Requested dimensions exceed the model's %u",
                             model->output_tokens);
    for (const struct json *part = parts->first; part != NULL; part = part->next)
        call->usage.prompt += usage_tokens(google_text(call, part, "text").n);
    jw_object(w);
    jw_key(w, "values");
    vector_write_floats(w, vector_hash(text->raw), (uint32_t)dimensions);
    jw_end(w);
    return true;
}

void gemini_embed(struct call *call)
{
    const struct google_model *model = google_open(call, GOOGLE_EMBED, "embedContent");
    struct json_writer w;
    if (model == NULL || !google_check(call, &embed_shape))
        return;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_key(&w, "embedding");
    if (!embed_write(call, model, &w, call->root))
        return;
    if (str_find(call->req->path, STR("/publishers/")) >= 0) {
        jw_key(&w, "usageMetadata");
        jw_object(&w);
        jw_field_u64(&w, "promptTokenCount", call->usage.prompt);
        jw_field_u64(&w, "totalTokenCount", call->usage.prompt);
        jw_end(&w);
        jw_field_bool(&w, "truncated", false);
    }
    jw_end(&w);
}

void gemini_embed_batch(struct call *call)
{
    const struct google_model *model = google_open(call, GOOGLE_EMBED, "batchEmbedContents");
    struct json_writer w;
    size_t at = 0;
    if (model == NULL || !google_check(call, &batch_shape))
        return;
    struct str named = arena_printf(call->arena, "models/" STR_FMT, STR_ARG(call->id));
    jw_init(&w, call->out);
    jw_object(&w);
    jw_key(&w, "embeddings");
    jw_array(&w);
    for (const struct json *one = google_get(call->root, "requests")->first; one != NULL;
         one = one->next, at++) {
        if (!str_eq(google_text(call, one, "model"), named)) {
            (void)google_refuse(call,
                                "* BatchEmbedContentsRequest.requests[%zu].model: unexpected model "
                                "name format; it must be " STR_FMT "\n",
                                at, STR_ARG(named));
            return;
        }
        if (!embed_write(call, model, &w, one))
            return;
    }
    jw_end(&w);
    jw_end(&w);
}

static void models_write(struct json_writer *w, const struct google_model *model)
{
    char name[128];
    (void)snprintf(name, sizeof name, "models/%s", model->name);
    jw_object(w);
    jw_field_cstr(w, "name", name);
    jw_field_cstr(w, "version", "001");
    jw_field_cstr(w, "displayName", model->display);
    jw_field_u64(w, "inputTokenLimit", model->input_tokens);
    jw_field_u64(w, "outputTokenLimit", model->output_tokens);
    jw_field_raw(w, "supportedGenerationMethods",
                 model->kind == GOOGLE_CHAT
                     ? STR("[\"generateContent\",\"streamGenerateContent\",\"countTokens\"]")
                 : model->kind == GOOGLE_IMAGEN ? STR("[\"predict\"]")
                                                : STR("[\"embedContent\",\"batchEmbedContents\"]"));
    if (model->kind == GOOGLE_CHAT) {
        jw_field_u64(w, "maxTemperature", 2);
        jw_field_bool(w, "thinking",
                      google_can(model, GOOGLE_THINKS) || google_can(model, GOOGLE_MAY_THINK));
    }
    jw_end(w);
}

void gemini_models_list(struct call *call)
{
    struct str size = call_query(call, "pageSize"), token = call_query(call, "pageToken");
    uint64_t page = 50, from = 0, at;
    char next[24];
    struct json_writer w;
    if ((size.p != NULL && (str_to_u64(size, &page) != ST_OK || page > EMBED_PAGE_MAX)) ||
        (token.n > 0 && str_to_u64(token, &from) != ST_OK)) {
        (void)google_refuse(call, "page_size or page_token is not valid.");
        return;
    }
    jw_init(&w, call->out);
    jw_object(&w);
    jw_key(&w, "models");
    jw_array(&w);
    for (at = from; at < from + page && google_at(at) != NULL; at++)
        models_write(&w, google_at(at));
    jw_end(&w);
    if (google_at(at) != NULL) {
        (void)snprintf(next, sizeof next, "%llu", (unsigned long long)at);
        jw_field_cstr(&w, "nextPageToken", next);
    }
    jw_end(&w);
}

void gemini_models_get(struct call *call)
{
    const struct google_model *model = google_find(&call->sim->options, call->id);
    struct json_writer w;
    if (model == NULL || model->name[0] == '\0') {
        call_error(call, 404, NULL, NULL, "Model is not found: models/" STR_FMT,
                   STR_ARG(str_head(call->id, 200)));
        return;
    }
    jw_init(&w, call->out);
    models_write(&w, model);
}
