/* front_embeddings.c: POST /v1/embeddings in OpenAI's words.
 *
 * input is a string, a list of strings, token numbers, or a list of these; beyond OpenAI's, an item
 * may be an object: {"text":...}, {"image":"<data URL>"}, {"type":"image_url",...}. Vectors go back
 * as numbers or as base64, as asked: OpenAI's SDKs ask for base64 unless told otherwise. Usage that
 * the provider does not tell is our estimate (count.h) for the caller only.
 * Source: OpenAI API reference, "Create embeddings".
 */
#include "data-plane/dialect/count.h"
#include "data-plane/dialect/front_simple.h"

/* A URL of a picture: a string, or an object with url or base64. */
static enum status read_image(struct dialect_call *call, struct simple_item *item,
                              const struct json *node)
{
    const struct json *bytes = json_get(node, "base64");
    const struct json *url = json_is(node, JSON_STRING) ? node : json_get(node, "url");
    item->has_media = true;
    if (json_is(bytes, JSON_STRING)) {
        item->media.source = CHAT_SOURCE_DATA;
        return chat_inner(call->arena, bytes, &item->media.inner);
    }
    if (!json_is(url, JSON_STRING) || chat_media_url(call->arena, url, &item->media) != ST_OK)
        return dialect_refuse_part(call, item->place, "this picture", "Send a data URL.");
    return ST_OK;
}

static enum status read_object(struct dialect_call *call, struct simple_item *item)
{
    struct json *node;
    if (json_parse(call->arena, item->json, NULL, &node, NULL) != ST_OK)
        return front_simple_wrong(call, "input", "an item is too large.");
    item->text = chat_text_of(json_get(node, "text"));
    const struct json *image = json_get(node, "image");
    if (image == NULL)
        image = json_get(node, "image_url");
    return json_is_none(image) ? ST_OK : read_image(call, item, image);
}

static enum status add(struct dialect_call *call, struct simple *ask, struct str raw,
                       enum json_type type, bool alone)
{
    uint32_t at = (uint32_t)ask->item_count;
    struct simple_item *item = simple_add_item(call->arena, ask);
    if (item == NULL)
        return dialect_refuse(call, ST_INVALID, "input: at most %d items.", SIMPLE_ITEMS_MAX);
    item->json = raw;
    item->place = (struct chat_place){"input", NULL, alone ? CHAT_NO_INDEX : at, CHAT_NO_INDEX};
    switch (type) {
    case JSON_STRING:
        item->text.raw = raw;
        return ST_OK;
    case JSON_ARRAY:
        item->tokens = raw;
        return ST_OK;
    case JSON_OBJECT:
        return read_object(call, item);
    default:
        return front_simple_wrong(call, "input",
                                  "must be a string, or an array of strings or token numbers.");
    }
}

static enum status read_input(struct dialect_call *call, struct simple *ask, struct str raw)
{
    struct str name, value;
    enum json_type type;
    size_t at = 0;
    if (raw.p == NULL)
        return front_simple_wrong(call, "input", "required.");
    if (raw.p[0] != '[')
        return add(call, ask, raw,
                   raw.p[0] == '"'   ? JSON_STRING
                   : raw.p[0] == '{' ? JSON_OBJECT
                                     : JSON_NUMBER,
                   true);
    while (json_scan_next(raw, &at, &name, &value, &type)) {
        if (type == JSON_NUMBER && ask->item_count == 0)
            return add(call, ask, raw, JSON_ARRAY, true); /* one input, as token numbers */
        TRY(add(call, ask, value, type, false));
    }
    return ask->item_count > 0 ? ST_OK : front_simple_wrong(call, "input", "must not be empty.");
}

static enum status read(struct dialect_call *call, struct str body, struct simple *ask)
{
    static const char *const own[] = {"input", "encoding_format", NULL};
    struct str raws[2] = {STR_NONE, STR_NONE};
    TRY(simple_read_members(call, body, own, raws, ask));
    ask->base64 = raws[1].p != NULL && str_eq(raws[1], STR("\"base64\""));
    if (raws[1].p != NULL && !ask->base64 && !str_eq(raws[1], STR("\"float\"")))
        return front_simple_wrong(call, "encoding_format", "must be float or base64.");
    return read_input(call, ask, raws[0]);
}

static uint64_t estimate(const struct simple *ask)
{
    uint64_t sum = 0;
    for (const struct simple_item *item = ask->items; item != NULL; item = item->next)
        sum += count_words(chat_text_inner(item->text));
    return sum;
}

static enum status write_vector(struct dialect_call *call, struct json_writer *w,
                                const struct simple *ask, struct str vector)
{
    struct str text;
    if (!ask->base64) {
        jw_raw(w, vector);
        return ST_OK;
    }
    TRY(simple_base64(call->arena, vector, &text));
    jw_str(w, text);
    return ST_OK;
}

static void write(struct dialect_call *call, const struct simple *ask,
                  const struct simple_answer *answer)
{
    struct json_writer w;
    uint64_t tokens = answer->has_usage ? answer->usage.input_tokens : estimate(ask);
    enum status status = ST_OK;
    call->estimated = !answer->has_usage;
    jw_init(&w, &call->out);
    jw_object(&w);
    jw_field_cstr(&w, "object", "list");
    jw_key(&w, "data");
    jw_array(&w);
    for (size_t i = 0; i < answer->vector_count && status == ST_OK; i++) {
        jw_object(&w);
        jw_field_cstr(&w, "object", "embedding");
        jw_field_u64(&w, "index", i);
        jw_key(&w, "embedding");
        status = write_vector(call, &w, ask, answer->vectors[i]);
        jw_end(&w);
    }
    if (status != ST_OK) {
        call->out.failed = status;
        return;
    }
    jw_end(&w);
    jw_field_raw(&w, "model", answer->model.raw);
    jw_key(&w, "usage");
    jw_object(&w);
    jw_field_u64(&w, "prompt_tokens", tokens);
    jw_field_u64(&w, "total_tokens", tokens);
    jw_end(&w);
    jw_end(&w);
}

static const struct simple_front simple = {.read = read, .write = write};

extern const struct front front_embeddings;
const struct front front_embeddings = {
    .name = "embeddings", .op = OP_EMBEDDINGS, .simple = &simple, .error = front_openai_chat_error};
