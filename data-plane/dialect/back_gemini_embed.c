/* back_gemini_embed.c: embeddings at the Gemini API (batchEmbedContents) and on Vertex AI.
 *
 *   Gemini API                  :batchEmbedContents   a request for each input, in order
 *   Vertex, multimodalembedding :predict              one instance, a picture or words
 *   Vertex, gemini-embedding-2  :embedContent         one input
 *   Vertex, other models        :predict              an instance for each input
 *
 * The Gemini API tells no usage. Source: Gemini API reference, "Embeddings"; Vertex AI reference,
 * "Text embeddings API", "Multimodal embeddings API".
 */
#include "data-plane/dialect/back_gemini_simple.h"

#include "common/json_scan.h"

const struct simple_rule back_gemini_embed_rules[] = {
    {"dimensions", PARAM_CONVERT, NULL, "outputDimensionality"},
    {"user", PARAM_DROP, NULL, NULL},
    {"task_type", PARAM_CONVERT, NULL, "taskType"},
    {"taskType", PARAM_CONVERT, NULL, "taskType"},
    {"input_type", PARAM_CONVERT, NULL, "taskType, by Cohere's words"},
    {"title", PARAM_CONVERT, NULL, "title"},
    {"auto_truncate", PARAM_CONVERT, NULL, "autoTruncate, on Vertex AI"},
    {NULL, PARAM_UNRULED, NULL, NULL},
};

enum kind { BATCH, INSTANCES, MULTIMODAL, SINGLE };

static enum kind kind_of(const struct dialect_call *call)
{
    struct str name =
        call->target->base_model.n > 0 ? call->target->base_model : call->target->model;
    if (!back_gemini_is_vertex(call))
        return BATCH;
    return back_gemini_embeds_media(name)    ? MULTIMODAL
           : back_gemini_embeds_single(name) ? SINGLE
                                             : INSTANCES;
}

bool back_gemini_embeds_media(struct str model)
{
    return str_find(model, STR("multimodalembedding")) >= 0;
}

bool back_gemini_embeds_single(struct str model)
{
    return str_find(model, STR("gemini-embedding-2")) >= 0;
}

/* --- request */

/* Google's word for what the vectors are for; n = 0: not said. */
static struct str task_of(const struct simple *ask)
{
    static const struct {
        const char *word, *task;
    } types[] = {{"\"search_document\"", "\"RETRIEVAL_DOCUMENT\""},
                 {"\"search_query\"", "\"RETRIEVAL_QUERY\""},
                 {"\"classification\"", "\"CLASSIFICATION\""},
                 {"\"clustering\"", "\"CLUSTERING\""}};
    const struct json *task = simple_member(ask, "task_type"), *type;
    if (task == NULL)
        task = simple_member(ask, "taskType");
    if (task != NULL)
        return task->raw;
    type = simple_member(ask, "input_type");
    for (size_t i = 0; type != NULL && i < COUNT_OF(types); i++)
        if (str_eq(type->raw, str_c(types[i].word)))
            return str_c(types[i].task);
    return STR("");
}

static void write_options(const struct simple *ask, struct json_writer *w, const char *task_name)
{
    const struct json *title = simple_member(ask, "title");
    struct str task = task_of(ask);
    if (task.n > 0)
        jw_field_raw(w, task_name, task);
    if (title != NULL)
        jw_field_raw(w, "title", title->raw);
}

static void write_dimensions(const struct simple *ask, struct json_writer *w, const char *name)
{
    const struct json *dimensions = simple_member(ask, "dimensions");
    if (dimensions != NULL)
        jw_field_raw(w, name, dimensions->raw);
}

static void write_content(struct json_writer *w, const struct simple_item *item)
{
    jw_key(w, "content");
    jw_object(w);
    jw_key(w, "parts");
    jw_array(w);
    if (chat_has(item->text)) {
        jw_object(w);
        jw_field_raw(w, "text", item->text.raw);
        jw_end(w);
    }
    if (item->has_media)
        back_gemini_write_inline(w, item->media.mime.n > 0 ? item->media.mime : STR("image/jpeg"),
                                 item->media.inner);
    jw_end(w);
    jw_end(w);
}

static void write_batch(struct dialect_call *call, const struct simple *ask, struct json_writer *w)
{
    jw_key(w, "requests");
    jw_array(w);
    for (const struct simple_item *item = ask->items; item != NULL; item = item->next) {
        struct str model = call->target->model;
        bool named = str_starts(model, STR("models/"));
        jw_object(w);
        jw_key(w, "model");
        jw_str(w, named ? model : arena_printf(call->arena, "models/" STR_FMT, STR_ARG(model)));
        write_content(w, item);
        write_options(ask, w, "taskType");
        write_dimensions(ask, w, "outputDimensionality");
        jw_end(w);
    }
    jw_end(w);
}

static void write_instances(const struct simple *ask, struct json_writer *w)
{
    const struct json *truncate = simple_member(ask, "auto_truncate");
    jw_key(w, "instances");
    jw_array(w);
    for (const struct simple_item *item = ask->items; item != NULL; item = item->next) {
        jw_object(w);
        jw_field_raw(w, "content", item->text.raw);
        write_options(ask, w, "task_type");
        jw_end(w);
    }
    jw_end(w);
    jw_key(w, "parameters");
    jw_object(w);
    write_dimensions(ask, w, "outputDimensionality");
    if (truncate != NULL)
        jw_field_raw(w, "autoTruncate", truncate->raw);
    jw_end(w);
}

static void write_multimodal(const struct simple *ask, struct json_writer *w)
{
    const struct simple_item *item = ask->items;
    jw_key(w, "instances");
    jw_array(w);
    jw_object(w);
    if (chat_has(item->text))
        jw_field_raw(w, "text", item->text.raw);
    if (item->has_media) {
        jw_key(w, "image");
        jw_object(w);
        jw_key(w, item->media.source == CHAT_SOURCE_URL ? "gcsUri" : "bytesBase64Encoded");
        jw_raw(w, STR("\""));
        buf_add_str(w->buf, item->media.inner);
        buf_add_char(w->buf, '"');
        if (item->media.mime.n > 0)
            jw_field_str(w, "mimeType", item->media.mime);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
    jw_key(w, "parameters");
    jw_object(w);
    write_dimensions(ask, w, "dimension");
    jw_end(w);
}

static enum status check(struct dialect_call *call, const struct simple *ask, enum kind kind)
{
    const struct simple_item *item = ask->items;
    TRY(simple_want_text(call, ask, kind != INSTANCES));
    for (const struct simple_item *one = item; one != NULL; one = one->next)
        if (one->has_media && one->media.source != CHAT_SOURCE_DATA &&
            (kind != MULTIMODAL || !str_starts(one->media.inner, STR("gs://"))))
            return dialect_refuse_part(call, one->place, "the URL of a picture",
                                       "Send a data URL.");
    if ((kind == MULTIMODAL || kind == SINGLE) && ask->item_count > 1)
        return dialect_refuse(call, ST_INVALID,
                              "input: the model " STR_FMT " of provider @" STR_FMT
                              " takes one input at a time. Send one.",
                              STR_ARG(call->target->model), STR_ARG(call->target->provider));
    if (kind == MULTIMODAL && item->has_media && chat_has(item->text))
        return dialect_refuse_part(call, item->place, "words and a picture as one input",
                                   "Send them one by one.");
    return ST_OK;
}

enum status back_gemini_embed_write(struct dialect_call *call, const struct simple *ask,
                                    struct buf *out)
{
    enum kind kind = kind_of(call);
    struct json_writer w;
    TRY(check(call, ask, kind));
    jw_init(&w, out);
    jw_object(&w);
    TRY(simple_apply(call, ask, back_gemini_embed_rules, &w));
    switch (kind) {
    case BATCH:
        write_batch(call, ask, &w);
        break;
    case INSTANCES:
        write_instances(ask, &w);
        break;
    case MULTIMODAL:
        write_multimodal(ask, &w);
        break;
    case SINGLE:
        write_content(&w, ask->items);
        jw_key(&w, "embedContentConfig");
        jw_object(&w);
        write_options(ask, &w, "taskType");
        write_dimensions(ask, &w, "outputDimensionality");
        jw_end(&w);
        break;
    }
    jw_end(&w);
    return ST_OK;
}

/* --- answer */

static uint64_t number(struct str object, const char *name)
{
    uint64_t value;
    return str_to_u64(json_member(object, name, JSON_NUMBER), &value) == ST_OK ? value : 0;
}

/* One entry of the answer's list: where its vector is, and what it counted. */
static struct str vector_of(enum kind kind, struct str entry, uint64_t *tokens)
{
    struct str vector, embeddings;
    if (kind == BATCH || kind == SINGLE)
        return json_member(entry, "values", JSON_ARRAY);
    if (kind == MULTIMODAL) {
        vector = json_member(entry, "textEmbedding", JSON_ARRAY);
        return vector.p != NULL ? vector : json_member(entry, "imageEmbedding", JSON_ARRAY);
    }
    embeddings = json_member(entry, "embeddings", JSON_OBJECT);
    *tokens += number(json_member(embeddings, "statistics", JSON_OBJECT), "token_count");
    return json_member(embeddings, "values", JSON_ARRAY);
}

static enum status read_list(struct dialect_call *call, const struct simple *ask, enum kind kind,
                             struct str list, struct simple_answer *answer)
{
    struct str name, entry;
    enum json_type type;
    uint64_t tokens = 0;
    size_t at = 0;
    answer->vectors = arena_calloc(call->arena, ask->item_count, sizeof *answer->vectors);
    if (answer->vectors == NULL)
        return ST_NO_MEMORY;
    while (list.p != NULL && json_scan_next(list, &at, &name, &entry, &type)) {
        if (type != JSON_OBJECT || answer->vector_count == ask->item_count)
            return ST_UPSTREAM_BROKEN;
        struct str vector = vector_of(kind, entry, &tokens);
        if (vector.p == NULL)
            return ST_UPSTREAM_BROKEN;
        answer->vectors[answer->vector_count++] = vector;
    }
    answer->usage.input_tokens = tokens;
    answer->has_usage = tokens > 0;
    return answer->vector_count == ask->item_count ? ST_OK : ST_UPSTREAM_BROKEN;
}

enum status back_gemini_embed_read(struct dialect_call *call, const struct simple *ask,
                                   struct str type, struct str body, struct simple_answer *answer)
{
    enum kind kind = kind_of(call);
    (void)type;
    TRY(json_scan_object(body, NULL, 0, NULL));
    if (kind != SINGLE)
        return read_list(
            call, ask, kind,
            json_member(body, kind == BATCH ? "embeddings" : "predictions", JSON_ARRAY), answer);
    answer->vectors = arena_calloc(call->arena, 1, sizeof *answer->vectors);
    if (answer->vectors == NULL)
        return ST_NO_MEMORY;
    answer->vectors[0] =
        json_member(json_member(body, "embedding", JSON_OBJECT), "values", JSON_ARRAY);
    answer->vector_count = 1;
    answer->usage.input_tokens =
        number(json_member(body, "usageMetadata", JSON_OBJECT), "promptTokenCount");
    answer->has_usage = answer->usage.input_tokens > 0;
    return answer->vectors[0].p != NULL ? ST_OK : ST_UPSTREAM_BROKEN;
}
