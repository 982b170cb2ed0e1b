/* back_bedrock_embed.c: embeddings by Titan and Cohere, reranking by Cohere and Amazon.
 *
 *   amazon.titan-embed-text-v1, -v2      inputText: one text a request
 *   amazon.titan-embed-image             inputText, inputImage: one input
 *   cohere.embed-*                       texts or images: a list; what for is input_type
 *   cohere.rerank-*, amazon.rerank-*     query, documents
 *
 * Titan says how many tokens it read in its answer, the others in a header. Several inputs at a
 * Titan are refused: it would be several requests, and the first one's vector is no answer to all.
 */
#include "data-plane/dialect/back_bedrock_simple.h"

#include "common/json_scan.h"
#include "data-plane/dialect/aws.h"

#define INPUT_TYPE   "\"search_document\"" /* Cohere wants one; what most vectors are stored for */
#define COUNT_HEADER "x-amzn-bedrock-input-token-count"

static const struct simple_rule embed_rules[] = {
    {"dimensions", PARAM_CONVERT, NULL, "dimensions, outputEmbeddingLength, output_dimension"},
    {"user", PARAM_DROP, NULL, NULL},
    {"normalize", PARAM_CONVERT, NULL, "normalize, of Titan 2"},
    {"input_type", PARAM_CONVERT, NULL, "input_type, of Cohere; search_document if not given"},
    {"truncate", PARAM_CONVERT, NULL, "truncate, of Cohere"},
    {NULL, PARAM_UNRULED, NULL, NULL},
};

static const struct simple_rule rerank_rules[] = {
    {"max_tokens_per_doc", PARAM_PASS, "max_tokens_per_doc", NULL},
    {"max_chunks_per_doc", PARAM_DROP, NULL, NULL},
    {"rank_fields", PARAM_DROP, NULL, NULL},
    {"truncation", PARAM_DROP, NULL, NULL},
    {"user", PARAM_DROP, NULL, NULL},
    {NULL, PARAM_UNRULED, NULL, NULL},
};

enum kind { OTHER, TITAN_1, TITAN_2, TITAN_IMAGE, COHERE };

static enum kind kind_of(const struct dialect_call *call)
{
    static const struct {
        const char *prefix;
        enum kind kind;
    } rows[] = {{"amazon.titan-embed-text-v2", TITAN_2},
                {"amazon.titan-embed-image", TITAN_IMAGE},
                {"amazon.titan-embed", TITAN_1},
                {"cohere.embed", COHERE}};
    struct bedrock_model model;
    bedrock_model_of(call->target, &model);
    ptrdiff_t dot = str_find_char(model.id, '.');
    struct str behind = str_from(model.id, (size_t)(dot + 1)); /* a region's prefix */
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_starts(model.id, str_c(rows[i].prefix)) ||
            str_starts(behind, str_c(rows[i].prefix)))
            return rows[i].kind;
    return OTHER;
}

/* --- requests */

static void write_inner(struct json_writer *w, struct str lead, struct str mime, struct str inner)
{
    jw_raw(w, STR("\""));
    buf_add_str(w->buf, lead);
    if (mime.n > 0) {
        buf_add_str(w->buf, mime);
        buf_add_lit(w->buf, ";base64,");
    }
    buf_add_str(w->buf, inner);
    buf_add_char(w->buf, '"');
}

static enum status check(struct dialect_call *call, const struct simple *ask, enum kind kind)
{
    const struct simple_item *first = ask->items;
    if (kind == OTHER)
        return dialect_refuse(call, ST_INVALID,
                              "model: " STR_FMT " of provider @" STR_FMT
                              " is not known to embed. Name a Titan or Cohere embedding model.",
                              STR_ARG(call->target->model), STR_ARG(call->target->provider));
    TRY(simple_want_text(call, ask, kind == TITAN_IMAGE || kind == COHERE));
    for (const struct simple_item *item = first; item != NULL; item = item->next) {
        if (item->has_media && item->media.source != CHAT_SOURCE_DATA)
            return dialect_refuse_part(call, item->place, "the URL of a picture",
                                       "Send a data URL.");
        if (kind == COHERE && item->has_media && chat_has(item->text))
            return dialect_refuse_part(call, item->place, "words and a picture as one input",
                                       "Send them one by one.");
        if (kind == COHERE && item->has_media != first->has_media)
            return dialect_refuse_part(call, item->place, "pictures beside words",
                                       "Send them in two requests.");
    }
    if (kind != COHERE && ask->item_count > 1)
        return dialect_refuse(call, ST_INVALID,
                              "input: the model " STR_FMT " of provider @" STR_FMT
                              " embeds one input a request. Send one, or name a Cohere model.",
                              STR_ARG(call->target->model), STR_ARG(call->target->provider));
    return ST_OK;
}

static void write_titan(struct dialect_call *call, const struct simple *ask, enum kind kind,
                        struct json_writer *w)
{
    const struct json *dimensions = simple_member(ask, "dimensions");
    const struct json *normalize = simple_member(ask, "normalize");
    const struct simple_item *item = ask->items;
    if (chat_has(item->text))
        jw_field_raw(w, "inputText", item->text.raw);
    if (item->has_media) {
        jw_key(w, "inputImage");
        write_inner(w, STR(""), STR(""), item->media.inner);
    }
    if (kind == TITAN_2 && dimensions != NULL)
        jw_field_raw(w, "dimensions", dimensions->raw);
    if (kind == TITAN_2 && normalize != NULL)
        jw_field_raw(w, "normalize", normalize->raw);
    if (kind == TITAN_IMAGE && dimensions != NULL) {
        jw_key(w, "embeddingConfig");
        jw_object(w);
        jw_field_raw(w, "outputEmbeddingLength", dimensions->raw);
        jw_end(w);
    }
    if (kind == TITAN_1)
        simple_drop(call, ask, "dimensions");
    if (kind != TITAN_2)
        simple_drop(call, ask, "normalize");
    simple_drop(call, ask, "input_type");
    simple_drop(call, ask, "truncate");
}

static void write_cohere(struct dialect_call *call, const struct simple *ask, struct json_writer *w)
{
    const struct json *dimensions = simple_member(ask, "dimensions");
    const struct json *type = simple_member(ask, "input_type");
    const struct json *truncate = simple_member(ask, "truncate");
    bool pictures = ask->items->has_media;
    jw_key(w, pictures ? "images" : "texts");
    jw_array(w);
    for (const struct simple_item *item = ask->items; item != NULL; item = item->next) {
        if (pictures)
            write_inner(w, STR("data:"),
                        item->media.mime.n > 0 ? item->media.mime : STR("image/jpeg"),
                        item->media.inner);
        else
            jw_raw(w, item->text.raw);
    }
    jw_end(w);
    jw_field_raw(w, "input_type",
                 type != NULL ? type->raw
                 : pictures   ? STR("\"image\"")
                              : STR(INPUT_TYPE));
    if (truncate != NULL)
        jw_field_raw(w, "truncate", truncate->raw);
    if (dimensions != NULL)
        jw_field_raw(w, "output_dimension", dimensions->raw);
    simple_drop(call, ask, "normalize");
}

static enum status embed_write(struct dialect_call *call, const struct simple *ask, struct buf *out)
{
    enum kind kind = kind_of(call);
    struct json_writer w;
    TRY(check(call, ask, kind));
    jw_init(&w, out);
    jw_object(&w);
    if (kind == COHERE)
        write_cohere(call, ask, &w);
    else
        write_titan(call, ask, kind, &w);
    TRY(simple_apply(call, ask, embed_rules, &w));
    jw_end(&w);
    return ST_OK;
}

/* Cohere's models on Bedrock want to know which version of the API is meant. */
static enum status rerank_write(struct dialect_call *call, const struct simple *ask,
                                struct buf *out)
{
    struct json_writer w;
    TRY(simple_want_text(call, ask, false));
    jw_init(&w, out);
    jw_object(&w);
    jw_field_raw(&w, "query", ask->prompt.raw);
    jw_key(&w, "documents");
    jw_array(&w);
    for (const struct simple_item *item = ask->items; item != NULL; item = item->next)
        jw_raw(&w, item->text.raw);
    jw_end(&w);
    if (ask->count > 0)
        jw_field_u64(&w, "top_n", ask->count);
    if (str_find(call->target->model, STR("cohere.")) >= 0)
        jw_field_u64(&w, "api_version", 2);
    TRY(simple_apply(call, ask, rerank_rules, &w));
    jw_end(&w);
    return ST_OK;
}

/* --- answers */

static struct str member(struct str object, const char *name, enum json_type type)
{
    struct json_field field = {.name = name};
    if (object.n == 0 || json_scan_object(object, &field, 1, NULL) != ST_OK ||
        field.raw.p == NULL || field.type != type)
        return STR_NONE;
    return field.raw;
}

static void read_count(const struct dialect_call *call, struct str body,
                       struct simple_answer *answer)
{
    struct str count = member(body, "inputTextTokenCount", JSON_NUMBER);
    if (count.n == 0)
        count = dialect_reply_header(call, STR(COUNT_HEADER));
    answer->has_usage = str_to_u64(count, &answer->usage.input_tokens) == ST_OK;
}

/* Cohere's list, alone or under "float". */
static enum status read_vectors(const struct simple *ask, struct str list,
                                struct simple_answer *answer)
{
    struct str name, vector;
    enum json_type type;
    size_t at = 0;
    while (list.p != NULL && json_scan_next(list, &at, &name, &vector, &type)) {
        if (type != JSON_ARRAY || answer->vector_count == ask->item_count)
            return ST_UPSTREAM_BROKEN;
        answer->vectors[answer->vector_count++] = vector;
    }
    return answer->vector_count == ask->item_count ? ST_OK : ST_UPSTREAM_BROKEN;
}

static enum status embed_read(struct dialect_call *call, const struct simple *ask, struct str type,
                              struct str body, struct simple_answer *answer)
{
    (void)type;
    TRY(json_scan_object(body, NULL, 0, NULL));
    answer->vectors = arena_calloc(call->arena, ask->item_count, sizeof *answer->vectors);
    if (answer->vectors == NULL)
        return ST_NO_MEMORY;
    read_count(call, body, answer);
    if (kind_of(call) == COHERE) {
        struct str list = member(body, "embeddings", JSON_ARRAY);
        if (list.p == NULL)
            list = member(member(body, "embeddings", JSON_OBJECT), "float", JSON_ARRAY);
        return read_vectors(ask, list, answer);
    }
    answer->vectors[0] = member(body, "embedding", JSON_ARRAY);
    answer->vector_count = 1;
    return answer->vectors[0].p != NULL ? ST_OK : ST_UPSTREAM_BROKEN;
}

static enum status rerank_read(struct dialect_call *call, const struct simple *ask, struct str type,
                               struct str body, struct simple_answer *answer)
{
    struct str list, name, entry;
    enum json_type kind;
    size_t at = 0;
    (void)type;
    TRY(json_scan_object(body, NULL, 0, NULL));
    list = member(body, "results", JSON_ARRAY);
    answer->ranks = arena_calloc(call->arena, ask->item_count, sizeof *answer->ranks);
    if (answer->ranks == NULL)
        return ST_NO_MEMORY;
    while (list.p != NULL && json_scan_next(list, &at, &name, &entry, &kind)) {
        uint64_t index;
        struct str score = member(entry, "relevance_score", JSON_NUMBER);
        if (answer->rank_count == ask->item_count || score.p == NULL ||
            str_to_u64(member(entry, "index", JSON_NUMBER), &index) != ST_OK ||
            index >= ask->item_count)
            return ST_UPSTREAM_BROKEN;
        answer->ranks[answer->rank_count++] = (struct simple_rank){(uint32_t)index, score};
    }
    read_count(call, body, answer);
    return list.p != NULL ? ST_OK : ST_UPSTREAM_BROKEN;
}

/* --- the table */

static enum status invoke_path(const struct dialect_target *target, struct str row, struct buf *out)
{
    return aws_path(row, target->model, out);
}

#define INVOKE "/model/{model}/invoke"

const struct simple_op back_bedrock_simple[BACK_BEDROCK_SIMPLE_COUNT] = {
    {OP_EMBEDDINGS, embed_rules, INVOKE, invoke_path, embed_write, embed_read},
    {OP_RERANK, rerank_rules, INVOKE, invoke_path, rerank_write, rerank_read},
    {OP_IMAGES_GENERATIONS, back_bedrock_image_rules, INVOKE, invoke_path, back_bedrock_image_write,
     back_bedrock_image_read},
};
