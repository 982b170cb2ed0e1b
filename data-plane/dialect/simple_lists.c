/* simple_lists.c: see simple.h; lists of embeddings and rankings as Cohere's API has them, which
 * others speak too (Cohere API v2 reference, "Embed", "Rerank"; Bedrock user guide, "Cohere Embed",
 * "Cohere Rerank", "Amazon Rerank").
 *
 * Invariant: never more entries than were asked for, and none that points elsewhere.
 */
#include "common/json_scan.h"
#include "data-plane/dialect/simple.h"

void simple_write_documents(struct json_writer *w, const struct simple *ask)
{
    jw_key(w, "documents");
    jw_array(w);
    for (const struct simple_item *item = ask->items; item != NULL; item = item->next)
        jw_raw(w, item->text.raw);
    jw_end(w);
    if (ask->count > 0)
        jw_field_u64(w, "top_n", ask->count);
}

enum status simple_read_vectors(struct dialect_call *call, const struct simple *ask,
                                struct str list, struct simple_answer *answer)
{
    struct str name, vector;
    enum json_type type;
    size_t at = 0;
    answer->vectors = arena_calloc(call->arena, ask->item_count, sizeof *answer->vectors);
    if (answer->vectors == NULL)
        return ST_NO_MEMORY;
    while (list.p != NULL && json_scan_next(list, &at, &name, &vector, &type)) {
        if (type != JSON_ARRAY || answer->vector_count == ask->item_count)
            return ST_UPSTREAM_BROKEN;
        answer->vectors[answer->vector_count++] = vector;
    }
    return answer->vector_count == ask->item_count ? ST_OK : ST_UPSTREAM_BROKEN;
}

enum status simple_read_ranks(struct dialect_call *call, const struct simple *ask, struct str list,
                              struct simple_answer *answer)
{
    struct str name, entry;
    enum json_type type;
    size_t at = 0;
    answer->ranks = arena_calloc(call->arena, ask->item_count, sizeof *answer->ranks);
    if (answer->ranks == NULL)
        return ST_NO_MEMORY;
    while (list.p != NULL && json_scan_next(list, &at, &name, &entry, &type)) {
        uint64_t index;
        struct str score = json_member(entry, "relevance_score", JSON_NUMBER);
        if (answer->rank_count == ask->item_count || score.p == NULL ||
            str_to_u64(json_member(entry, "index", JSON_NUMBER), &index) != ST_OK ||
            index >= ask->item_count)
            return ST_UPSTREAM_BROKEN;
        answer->ranks[answer->rank_count++] = (struct simple_rank){(uint32_t)index, score};
    }
    return list.p != NULL ? ST_OK : ST_UPSTREAM_BROKEN;
}
