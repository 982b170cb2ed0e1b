/* back_gemini_about.c: what an answer of Google's says about itself: the odds of its tokens, and
 * the sources of its words.
 *
 * Sources come behind the words that they belong to, with places in bytes; words arrive in pieces
 * and are not kept, so a place is told only while all of them are ASCII, where bytes are
 * characters. Otherwise the whole text is annotated.
 */
#include "data-plane/dialect/back_gemini.h"

/* JSON numbers pass as they are. */
static void write_token(struct json_writer *w, const struct json *token)
{
    const struct json *text = json_get(token, "token"), *p = json_get(token, "logProbability");
    jw_field_raw(w, "token", json_is(text, JSON_STRING) ? text->raw : STR("\"\""));
    jw_field_raw(w, "logprob", json_is(p, JSON_NUMBER) ? p->raw : STR("0"));
    jw_key(w, "bytes");
    jw_null(w);
}

struct str back_gemini_logprobs(struct dialect_call *call, const struct json *result)
{
    const struct json *chosen = json_get(result, "chosenCandidates");
    const struct json *steps = json_get(result, "topCandidates"), *step;
    struct json_writer w;
    struct buf buf;
    if (!json_is(chosen, JSON_ARRAY) || chosen->count == 0)
        return STR_NONE;
    buf_init(&buf, 4u << 20);
    jw_init(&w, &buf);
    jw_array(&w);
    step = json_is(steps, JSON_ARRAY) ? steps->first : NULL;
    for (const struct json *token = chosen->first; token != NULL; token = token->next) {
        const struct json *others = json_get(step, "candidates");
        jw_object(&w);
        write_token(&w, token);
        jw_key(&w, "top_logprobs");
        jw_array(&w);
        for (const struct json *other = json_is(others, JSON_ARRAY) ? others->first : NULL;
             other != NULL; other = other->next) {
            jw_object(&w);
            write_token(&w, other);
            jw_end(&w);
        }
        jw_end(&w);
        jw_end(&w);
        step = step == NULL ? NULL : step->next;
    }
    jw_end(&w);
    struct str out = buf_status(&buf) == ST_OK ? arena_str(call->scratch, buf_str(&buf)) : STR_NONE;
    buf_free(&buf);
    return out;
}

/* Places are counted in bytes; while all words are ASCII these are characters. */
static enum status emit_support(struct dialect_call *call, uint32_t choice,
                                const struct json *chunks, const struct json *support)
{
    const struct json *segment = json_get(support, "segment");
    const struct json *list = json_get(support, "groundingChunkIndices");
    const struct back_gemini *state = call->back_state;
    uint64_t index, from = 0, to;
    for (const struct json *item = json_is(list, JSON_ARRAY) ? list->first : NULL; item != NULL;
         item = item->next) {
        if (json_u64(item, &index) != ST_OK || index >= chunks->count)
            continue;
        const struct json *chunk = json_at(chunks, (size_t)index), *source = json_get(chunk, "web");
        if (source == NULL)
            source = json_get(chunk, chunk != NULL && json_get(chunk, "maps") != NULL
                                         ? "maps"
                                         : "retrievedContext");
        struct chat_citation citation = {.url = chat_text_of(json_get(source, "uri")),
                                         .title = chat_text_of(json_get(source, "title")),
                                         .quote = chat_text_of(json_get(segment, "text")),
                                         .json = support->raw};
        if (json_u64(json_get(segment, "startIndex"), &from) != ST_OK)
            from = 0;
        if (!state->choices[choice].wide && json_u64(json_get(segment, "endIndex"), &to) == ST_OK &&
            to > from) {
            citation.ranged = true;
            citation.from = (size_t)from;
            citation.to = (size_t)to;
        }
        struct chat_event event = {.kind = CHAT_EVENT_CITATION,
                                   .part = CHAT_PART_TEXT,
                                   .choice = choice,
                                   .citation = &citation};
        TRY(dialect_emit(call, &event));
    }
    return ST_OK;
}

enum status back_gemini_grounding(struct dialect_call *call, uint32_t choice,
                                  const struct json *grounding)
{
    const struct json *chunks = json_get(grounding, "groundingChunks");
    const struct json *supports = json_get(grounding, "groundingSupports");
    if (!json_is(chunks, JSON_ARRAY) || !json_is(supports, JSON_ARRAY) ||
        call->choices[choice].open != CHAT_PART_TEXT)
        return ST_OK;
    for (const struct json *support = supports->first; support != NULL; support = support->next)
        TRY(emit_support(call, choice, chunks, support));
    return ST_OK;
}
