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
    simple_write_documents(&w, ask);
    if (str_find(call->target->model, STR("cohere.")) >= 0)
        jw_field_u64(&w, "api_version", 2);
    TRY(simple_apply(call, ask, rerank_rules, &w));
    jw_end(&w);
    return ST_OK;
}

/* --- answers */

static void read_count(const struct dialect_call *call, struct str body,
                       struct simple_answer *answer)
{
    struct str count = json_member(body, "inputTextTokenCount", JSON_NUMBER);
    if (count.n == 0)
        count = dialect_reply_header(call, STR(COUNT_HEADER));
    answer->has_usage = str_to_u64(count, &answer->usage.input_tokens) == ST_OK;
}

static enum status embed_read(struct dialect_call *call, const struct simple *ask, struct str type,
                              struct str body, struct simple_answer *answer)
{
    (void)type;
    TRY(json_scan_object(body, NULL, 0, NULL));
    read_count(call, body, answer);
    if (kind_of(call) == COHERE) { /* its list, alone or under "float" */
        struct str list = json_member(body, "embeddings", JSON_ARRAY);
        struct str lists = json_member(body, "embeddings", JSON_OBJECT);
        if (list.p == NULL)
            list = json_member(lists, "float", JSON_ARRAY);
        return simple_read_vectors(call, ask, list, answer);
    }
    answer->vectors = arena_calloc(call->arena, ask->item_count, sizeof *answer->vectors);
    if (answer->vectors == NULL)
        return ST_NO_MEMORY;
    answer->vectors[0] = json_member(body, "embedding", JSON_ARRAY);
    answer->vector_count = 1;
    return answer->vectors[0].p != NULL ? ST_OK : ST_UPSTREAM_BROKEN;
}

static enum status rerank_read(struct dialect_call *call, const struct simple *ask, struct str type,
                               struct str body, struct simple_answer *answer)
{
    (void)type;
    TRY(json_scan_object(body, NULL, 0, NULL));
    TRY(simple_read_ranks(call, ask, json_member(body, "results", JSON_ARRAY), answer));
    read_count(call, body, answer);
    return ST_OK;
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
