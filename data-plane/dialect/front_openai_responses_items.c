/* front_openai_responses_items.c: output items as they grow, and the events that tell of them.
 *
 *   output_item.added ... output_item.done: message, reasoning, function_call,
 * image_generation_call
 *
 * keep[0] is the list of items for the last event; the open one is written there when it ends, a
 * message's parts as they end. An item ends when the next begins or the answer stops, because only
 * then is it known to be whole.
 */
#include "data-plane/dialect/front_openai_chat.h"
#include "data-plane/dialect/front_openai_responses.h"

#define GEMINI_SIGNS "google-gemini-v1"

static struct front_openai_responses *state_of(struct dialect_call *call)
{
    return call->front_state;
}

/* --- events */

/* "event: TYPE", and data with type and number; the caller writes members and ends it. Gives where
 * the data begin. */
size_t front_openai_responses_begin(struct dialect_call *call, struct json_writer *w,
                                    const char *type)
{
    buf_add_lit(&call->out, "event: ");
    buf_add_str(&call->out, str_c(type));
    buf_add_lit(&call->out, "\ndata: ");
    size_t from = call->out.n;
    jw_init(w, &call->out);
    jw_object(w);
    jw_field_cstr(w, "type", type);
    jw_field_u64(w, "sequence_number", state_of(call)->sequence++);
    return from;
}

void front_openai_responses_end(struct dialect_call *call, struct json_writer *w, size_t from)
{
    jw_end(w);
    dialect_end_event(call, from);
}

/* An event about the open item. `place`: "content_index", "summary_index" or NULL. */
size_t front_openai_responses_about(struct dialect_call *call, struct json_writer *w,
                                    const char *type, const char *place)
{
    struct front_openai_responses *state = state_of(call);
    size_t from = front_openai_responses_begin(call, w, type);
    jw_field_str(w, "item_id", state->item_id);
    jw_field_u64(w, "output_index", state->items - 1);
    if (place != NULL)
        jw_field_u64(w, place, state->item == RESPONSES_MESSAGE ? state->contents - 1 : 0);
    return from;
}

void front_openai_responses_tell(struct dialect_call *call, const char *type, const char *status,
                                 const struct chat_error *error)
{
    struct json_writer w;
    size_t from = front_openai_responses_begin(call, &w, type);
    jw_key(&w, "response");
    front_openai_responses_object(call, &w, status, error);
    front_openai_responses_end(call, &w, from);
}

/* --- pieces of items */

/* The words of the open part as a JSON string. */
void front_openai_responses_words(struct dialect_call *call, struct json_writer *w)
{
    jw_raw(w, STR("\""));
    buf_add_str(w->buf, buf_str(&call->keep[1]));
    buf_add_char(w->buf, '"');
}

void front_openai_responses_annotation(struct json_writer *w, const struct chat_citation *citation,
                                       size_t to)
{
    jw_object(w);
    jw_field_cstr(w, "type", "url_citation");
    jw_field_u64(w, "start_index", 0);
    jw_field_u64(w, "end_index", to);
    jw_field_raw(w, "url", citation->url.raw);
    jw_field_raw(w, "title", chat_has(citation->title) ? citation->title.raw : STR("\"\""));
    jw_end(w);
}

void front_openai_responses_logprobs(struct json_writer *w, struct str logprobs)
{
    jw_key(w, "logprobs");
    jw_raw(w, STR("["));
    if (logprobs.n > 0)
        buf_add_str(w->buf, logprobs);
    buf_add_char(w->buf, ']');
}

/* The open content part; `whole`: with its words. */
void front_openai_responses_content(struct dialect_call *call, struct json_writer *w, bool whole)
{
    struct front_openai_responses *state = state_of(call);
    size_t length = front_openai_chat_length(buf_str(&call->keep[1]));
    bool refusal = state->part == CHAT_PART_REFUSAL;
    jw_object(w);
    jw_field_cstr(w, "type", refusal ? "refusal" : "output_text");
    jw_key(w, refusal ? "refusal" : "text");
    if (whole)
        front_openai_responses_words(call, w);
    else
        jw_cstr(w, "");
    if (!refusal) {
        jw_key(w, "annotations");
        jw_array(w);
        for (struct chat_citation *c = whole ? state->citations : NULL; c != NULL; c = c->next)
            front_openai_responses_annotation(w, c, length);
        jw_end(w);
        front_openai_responses_logprobs(w, whole ? buf_str(&call->keep[2]) : STR_NONE);
    }
    jw_end(w);
}

/* A call of ours; `whole`: with its arguments. */
static void write_call(struct dialect_call *call, struct json_writer *w, const char *status,
                       bool whole)
{
    struct front_openai_responses *state = state_of(call);
    jw_object(w);
    jw_field_str(w, "id", state->item_id);
    jw_field_cstr(w, "type", "function_call");
    jw_field_cstr(w, "status", status);
    jw_field_raw(w, "call_id", state->call_id.raw);
    jw_field_raw(w, "name", state->name.raw);
    jw_key(w, "arguments");
    if (whole)
        front_openai_responses_words(call, w);
    else
        jw_cstr(w, "");
    jw_end(w);
}

static void write_reasoning(struct dialect_call *call, struct json_writer *w, bool whole)
{
    struct front_openai_responses *state = state_of(call);
    jw_object(w);
    jw_field_str(w, "id", state->item_id);
    jw_field_cstr(w, "type", "reasoning");
    jw_key(w, "summary");
    jw_array(w);
    if (whole && call->keep[1].n > 0) {
        jw_object(w);
        jw_field_cstr(w, "type", "summary_text");
        jw_key(w, "text");
        front_openai_responses_words(call, w);
        jw_end(w);
    }
    jw_end(w);
    if (whole && chat_has(state->proof))
        jw_field_raw(w, "encrypted_content", state->proof.raw);
    jw_end(w);
}

/* --- items */

static void name_item(struct dialect_call *call, const char *prefix)
{
    struct front_openai_responses *state = state_of(call);
    state->item_id = arena_printf(call->arena, "%s_" STR_FMT "_%u", prefix,
                                  STR_ARG(call->answer_id), state->items);
    state->items++;
    if (state->item_id.p == NULL)
        call->out.failed = ST_NO_MEMORY;
    if (call->keep[0].n > 0)
        buf_add_char(&call->keep[0], ',');
    state->item_from = call->keep[0].n;
    buf_clear(&call->keep[1]);
    buf_clear(&call->keep[2]);
    state->proof = CHAT_TEXT_NONE;
}

static size_t begin_added(struct dialect_call *call, struct json_writer *w)
{
    size_t from = front_openai_responses_begin(call, w, "response.output_item.added");
    jw_field_u64(w, "output_index", state_of(call)->items - 1);
    jw_key(w, "item");
    return from;
}

/* The item is whole: keep[0] has it, or gets it now. */
void front_openai_responses_end_item(struct dialect_call *call, bool incomplete)
{
    struct front_openai_responses *state = state_of(call);
    const char *status = incomplete ? "incomplete" : "completed";
    struct json_writer w;
    jw_init(&w, &call->keep[0]);
    if (state->item == RESPONSES_NONE)
        return;
    if (state->item == RESPONSES_MESSAGE)
        buf_printf(&call->keep[0], "],\"status\":\"%s\"}", status);
    else if (state->item == RESPONSES_CALL)
        write_call(call, &w, status, true);
    else
        write_reasoning(call, &w, true);
    state->item = RESPONSES_NONE;
    if (state->silent)
        return;
    size_t from = front_openai_responses_begin(call, &w, "response.output_item.done");
    jw_field_u64(&w, "output_index", state->items - 1);
    jw_field_raw(&w, "item", str_from(buf_str(&call->keep[0]), state->item_from));
    front_openai_responses_end(call, &w, from);
}

void front_openai_responses_begin_message(struct dialect_call *call)
{
    struct front_openai_responses *state = state_of(call);
    struct json_writer w;
    if (state->item == RESPONSES_MESSAGE)
        return;
    front_openai_responses_end_item(call, false);
    name_item(call, "msg");
    state->item = RESPONSES_MESSAGE;
    state->contents = 0;
    buf_printf(&call->keep[0],
               "{\"id\":\"" STR_FMT "\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[",
               STR_ARG(state->item_id));
    if (state->silent)
        return;
    size_t from = begin_added(call, &w);
    jw_object(&w);
    jw_field_str(&w, "id", state->item_id);
    jw_field_cstr(&w, "type", "message");
    jw_field_cstr(&w, "role", "assistant");
    jw_field_raw(&w, "content", STR("[]"));
    jw_field_cstr(&w, "status", "in_progress");
    jw_end(&w);
    front_openai_responses_end(call, &w, from);
}

void front_openai_responses_begin_reasoning(struct dialect_call *call)
{
    struct front_openai_responses *state = state_of(call);
    struct json_writer w;
    front_openai_responses_end_item(call, false);
    name_item(call, "rs");
    state->item = RESPONSES_REASONING;
    if (state->silent)
        return;
    size_t from = begin_added(call, &w);
    write_reasoning(call, &w, false);
    front_openai_responses_end(call, &w, from);
}

/* A proof that has no words: of hidden thinking, or of the call that follows. */
void front_openai_responses_proof(struct dialect_call *call, enum chat_proof proof,
                                  struct str origin, struct chat_text signature)
{
    if (origin.n == 0)
        origin = call->back->signs_as == NULL ? STR(GEMINI_SIGNS) : str_c(call->back->signs_as);
    struct chat_text joined = chat_proof_join(call->arena, origin, proof, signature);
    if (!chat_has(joined))
        call->out.failed = ST_NO_MEMORY;
    if (proof != CHAT_PROOF_THINKING)
        front_openai_responses_begin_reasoning(call);
    state_of(call)->proof = joined;
}

void front_openai_responses_begin_call(struct dialect_call *call, const struct chat_event *event)
{
    struct front_openai_responses *state = state_of(call);
    struct json_writer w;
    if (chat_has(event->signature))
        front_openai_responses_proof(call, CHAT_PROOF_CALL, event->origin, event->signature);
    front_openai_responses_end_item(call, false);
    name_item(call, "fc");
    state->item = RESPONSES_CALL;
    state->call_id = chat_text_copy(call->arena, event->id);
    state->name = chat_text_copy(call->arena, event->name);
    if (!chat_has(state->call_id) || !chat_has(state->name))
        call->out.failed = ST_NO_MEMORY;
    if (state->silent)
        return;
    size_t from = begin_added(call, &w);
    write_call(call, &w, "in_progress", false);
    front_openai_responses_end(call, &w, from);
}

/* A picture that the model made, as the tool that makes them would show it. */
void front_openai_responses_image(struct dialect_call *call, const struct chat_media *media)
{
    struct front_openai_responses *state = state_of(call);
    struct json_writer w;
    if (media->source != CHAT_SOURCE_DATA)
        return;
    front_openai_responses_end_item(call, false);
    name_item(call, "ig");
    buf_printf(&call->keep[0],
               "{\"id\":\"" STR_FMT
               "\",\"type\":\"image_generation_call\",\"status\":\"completed\",\"result\":\"",
               STR_ARG(state->item_id));
    buf_add_str(&call->keep[0], media->inner);
    buf_add_lit(&call->keep[0], "\"}");
    if (state->silent)
        return;
    struct str item = str_from(buf_str(&call->keep[0]), state->item_from);
    size_t from = begin_added(call, &w);
    jw_raw(&w, item);
    front_openai_responses_end(call, &w, from);
    from = front_openai_responses_begin(call, &w, "response.output_item.done");
    jw_field_u64(&w, "output_index", state->items - 1);
    jw_field_raw(&w, "item", item);
    front_openai_responses_end(call, &w, from);
}
