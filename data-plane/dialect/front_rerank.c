/* front_rerank.c: POST /v1/rerank, in the words that Cohere and Jina share.
 *
 *   {"model","query","documents":["..",{"text":".."}],"top_n","return_documents"}
 *   {"id","model","results":[{"index","relevance_score","document":{"text"}}],"usage","meta"}
 *
 * Source: Cohere API v2 reference, "Rerank"; Jina AI API, "rerank".
 */
#include "data-plane/dialect/front_simple.h"

static enum status add(struct dialect_call *call, struct simple *ask, struct str raw,
                       enum json_type type)
{
    uint32_t at = (uint32_t)ask->item_count;
    struct json_field text = {.name = "text"};
    struct simple_item *item = simple_add_item(call->arena, ask);
    if (item == NULL)
        return dialect_refuse(call, ST_INVALID, "documents: at most %d.", SIMPLE_ITEMS_MAX);
    item->json = raw;
    item->place = (struct chat_place){"documents", NULL, at, CHAT_NO_INDEX};
    if (type == JSON_STRING)
        item->text.raw = raw;
    else if (type == JSON_OBJECT && json_scan_object(raw, &text, 1, NULL) == ST_OK &&
             text.raw.p != NULL && text.type == JSON_STRING)
        item->text.raw = text.raw;
    else
        return dialect_refuse_part(call, item->place, "a document without text",
                                   "Send a string, or an object with text.");
    return ST_OK;
}

static enum status read(struct dialect_call *call, struct str body, struct simple *ask)
{
    enum { QUERY, DOCUMENTS, TOP_N, RETURN, COUNT };
    static const char *const own[] = {"query", "documents", "top_n", "return_documents", NULL};
    struct str raws[COUNT] = {STR_NONE, STR_NONE, STR_NONE, STR_NONE}, name, value;
    enum json_type type;
    size_t at = 0;
    TRY(simple_read_members(call, body, own, raws, ask));
    TRY(front_simple_text(call, raws[QUERY], "query", &ask->prompt));
    if (raws[TOP_N].p != NULL)
        TRY(front_simple_count(call, raws[TOP_N], "top_n", UINT32_MAX, &ask->count));
    ask->documents = str_eq(raws[RETURN], STR("true"));
    if (raws[DOCUMENTS].p == NULL || raws[DOCUMENTS].p[0] != '[')
        return front_simple_wrong(call, "documents", "an array is required.");
    while (json_scan_next(raws[DOCUMENTS], &at, &name, &value, &type))
        TRY(add(call, ask, value, type));
    return ask->item_count > 0 ? ST_OK
                               : front_simple_wrong(call, "documents", "must not be empty.");
}

/* The documents by number; NULL: no memory. */
static const struct simple_item **documents_of(struct dialect_call *call, const struct simple *ask)
{
    const struct simple_item **list = arena_alloc(call->arena, ask->item_count * sizeof *list);
    size_t n = 0;
    for (const struct simple_item *item = ask->items; list != NULL && item != NULL;
         item = item->next)
        list[n++] = item;
    return list;
}

static void write_rank(struct json_writer *w, const struct simple_rank *rank,
                       const struct simple_item *document)
{
    jw_object(w);
    jw_field_u64(w, "index", rank->index);
    jw_field_raw(w, "relevance_score", rank->score);
    if (document != NULL) {
        jw_key(w, "document");
        jw_object(w);
        jw_field_raw(w, "text", document->text.raw);
        jw_end(w);
    }
    jw_end(w);
}

static void write_usage(struct json_writer *w, const struct simple_answer *answer)
{
    uint64_t tokens = answer->usage.input_tokens + answer->usage.output_tokens;
    if (tokens > 0) {
        jw_key(w, "usage");
        jw_object(w);
        jw_field_u64(w, "total_tokens", tokens);
        jw_end(w);
    }
    if (answer->searches == 0)
        return;
    jw_key(w, "meta");
    jw_object(w);
    jw_key(w, "billed_units");
    jw_object(w);
    jw_field_u64(w, "search_units", answer->searches);
    jw_end(w);
    jw_end(w);
}

static void write(struct dialect_call *call, const struct simple *ask,
                  const struct simple_answer *answer)
{
    struct json_writer w;
    size_t count = answer->rank_count;
    const struct simple_item **documents = documents_of(call, ask);
    if (documents == NULL) {
        call->out.failed = ST_NO_MEMORY;
        return;
    }
    if (ask->count > 0 && ask->count < count)
        count = (size_t)ask->count;
    jw_init(&w, &call->out);
    jw_object(&w);
    jw_field_raw(&w, "id", answer->id.raw);
    jw_field_cstr(&w, "object", "list");
    jw_field_raw(&w, "model", answer->model.raw);
    jw_key(&w, "results");
    jw_array(&w);
    for (size_t i = 0; i < count; i++) {
        uint32_t index = answer->ranks[i].index;
        bool shown = ask->documents && index < ask->item_count;
        write_rank(&w, &answer->ranks[i], shown ? documents[index] : NULL);
    }
    jw_end(&w);
    write_usage(&w, answer);
    jw_end(&w);
}

static const struct simple_front simple = {.read = read, .write = write};

extern const struct front front_rerank;
const struct front front_rerank = {
    .name = "rerank", .op = OP_RERANK, .simple = &simple, .error = front_openai_chat_error};
