/* back_cohere_simple.c: embeddings and reranking at Cohere (v2).
 *
 *   embed    texts or images, a list; what for is input_type, which the API wants
 *   rerank   query, documents: strings
 *
 * Usage is what is billed: input tokens (and, of pictures, tokens of pictures), or searches.
 * Source: Cohere API v2 reference, "Embed", "Rerank".
 */
#include "data-plane/dialect/back_cohere.h"

#include "common/json_scan.h"

#define INPUT_TYPE "\"search_document\"" /* what most vectors are stored for */

static const struct simple_rule embed_rules[] = {
    {"dimensions", PARAM_PASS, "output_dimension", NULL},
    {"user", PARAM_DROP, NULL, NULL},
    {"input_type", PARAM_CONVERT, NULL, "input_type; search_document if not given"},
    {"truncate", PARAM_PASS, "truncate", NULL},
    {"max_tokens", PARAM_PASS, "max_tokens", NULL},
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

/* --- requests */

static enum status check(struct dialect_call *call, const struct simple *ask)
{
    const struct simple_item *first = ask->items;
    TRY(simple_want_text(call, ask, true));
    for (const struct simple_item *item = first; item != NULL; item = item->next) {
        if (item->has_media && item->media.source != CHAT_SOURCE_DATA)
            return dialect_refuse_part(call, item->place, "the URL of a picture",
                                       "Send a data URL.");
        if (item->has_media && chat_has(item->text))
            return dialect_refuse_part(call, item->place, "words and a picture as one input",
                                       "Send them one by one.");
        if (item->has_media != first->has_media)
            return dialect_refuse_part(call, item->place, "pictures beside words",
                                       "Send them in two requests.");
    }
    return ST_OK;
}

static void write_picture(struct json_writer *w, const struct chat_media *media)
{
    jw_raw(w, STR("\"data:"));
    buf_add_str(w->buf, media->mime.n > 0 ? media->mime : STR("image/jpeg"));
    buf_add_lit(w->buf, ";base64,");
    buf_add_str(w->buf, media->inner);
    buf_add_char(w->buf, '"');
}

static enum status embed_write(struct dialect_call *call, const struct simple *ask, struct buf *out)
{
    const struct json *type = simple_member(ask, "input_type");
    bool pictures = ask->items->has_media;
    struct json_writer w;
    TRY(check(call, ask));
    jw_init(&w, out);
    jw_object(&w);
    jw_field_str(&w, "model", call->target->model);
    jw_key(&w, pictures ? "images" : "texts");
    jw_array(&w);
    for (const struct simple_item *item = ask->items; item != NULL; item = item->next) {
        if (pictures)
            write_picture(&w, &item->media);
        else
            jw_raw(&w, item->text.raw);
    }
    jw_end(&w);
    jw_field_raw(&w, "input_type",
                 type != NULL ? type->raw
                 : pictures   ? STR("\"image\"")
                              : STR(INPUT_TYPE));
    jw_field_raw(&w, "embedding_types", STR("[\"float\"]"));
    TRY(simple_apply(call, ask, embed_rules, &w));
    jw_end(&w);
    return ST_OK;
}

static enum status rerank_write(struct dialect_call *call, const struct simple *ask,
                                struct buf *out)
{
    struct json_writer w;
    TRY(simple_want_text(call, ask, false));
    jw_init(&w, out);
    jw_object(&w);
    jw_field_str(&w, "model", call->target->model);
    jw_field_raw(&w, "query", ask->prompt.raw);
    simple_write_documents(&w, ask);
    TRY(simple_apply(call, ask, rerank_rules, &w));
    jw_end(&w);
    return ST_OK;
}

/* --- answers */

static uint64_t units_of(struct str body, const char *name)
{
    struct str units =
        json_member(json_member(body, "meta", JSON_OBJECT), "billed_units", JSON_OBJECT);
    struct json number = {.type = JSON_NUMBER, .raw = json_member(units, name, JSON_NUMBER)};
    uint64_t value;
    return number.raw.n > 0 && json_u64(&number, &value) == ST_OK ? value : 0;
}

static enum status embed_read(struct dialect_call *call, const struct simple *ask, struct str type,
                              struct str body, struct simple_answer *answer)
{
    (void)type;
    TRY(json_scan_object(body, NULL, 0, NULL));
    struct str lists = json_member(body, "embeddings", JSON_OBJECT);
    TRY(simple_read_vectors(call, ask, json_member(lists, "float", JSON_ARRAY), answer));
    answer->id.raw = json_member(body, "id", JSON_STRING);
    answer->usage.input_tokens = units_of(body, "input_tokens") + units_of(body, "image_tokens");
    answer->has_usage = answer->usage.input_tokens > 0;
    return ST_OK;
}

static enum status rerank_read(struct dialect_call *call, const struct simple *ask, struct str type,
                               struct str body, struct simple_answer *answer)
{
    (void)type;
    TRY(json_scan_object(body, NULL, 0, NULL));
    TRY(simple_read_ranks(call, ask, json_member(body, "results", JSON_ARRAY), answer));
    answer->id.raw = json_member(body, "id", JSON_STRING);
    answer->searches = units_of(body, "search_units");
    answer->usage.rerank_searches = answer->searches;
    answer->usage.input_tokens = units_of(body, "input_tokens");
    answer->has_usage = answer->searches > 0 || answer->usage.input_tokens > 0;
    return ST_OK;
}

const struct simple_op back_cohere_simple[BACK_COHERE_SIMPLE_COUNT] = {
    {OP_EMBEDDINGS, embed_rules, "/v2/embed", NULL, embed_write, embed_read},
    {OP_RERANK, rerank_rules, "/v2/rerank", NULL, rerank_write, rerank_read},
};
