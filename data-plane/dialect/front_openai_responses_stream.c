/* front_openai_responses_stream.c: events as those of a response.
 *
 *   START -> response.created, response.in_progress
 *     text:      content_part.added, output_text.delta*, annotation.added*, output_text.done,
 *                content_part.done        (refusal alike)
 *     thinking:  reasoning_summary_part.added, reasoning_summary_text.delta*, .done, part.done
 *     call:      function_call_arguments.delta*, .done
 *   END   -> response.completed | response.incomplete, with all items
 *
 * Texts that follow each other are parts of one message item (front_openai_responses_items.c). A
 * whole answer is the same items without the events (silent), so both are equal.
 */
#include "data-plane/dialect/front_openai_chat.h"
#include "data-plane/dialect/front_openai_responses.h"

static struct front_openai_responses *state_of(struct dialect_call *call)
{
    return call->front_state;
}

/* --- parts */

static void begin_content(struct dialect_call *call, const struct chat_event *event)
{
    struct front_openai_responses *state = state_of(call);
    struct json_writer w;
    front_openai_responses_begin_message(call);
    state->part = event->part;
    buf_clear(&call->keep[1]);
    buf_clear(&call->keep[2]);
    state->citations = state->last_citation = NULL;
    state->contents++;
    if (state->silent)
        return;
    size_t from =
        front_openai_responses_about(call, &w, "response.content_part.added", "content_index");
    jw_key(&w, "part");
    front_openai_responses_content(call, &w, false);
    front_openai_responses_end(call, &w, from);
}

static void begin_summary(struct dialect_call *call, const char *type, bool whole)
{
    struct json_writer w;
    if (state_of(call)->silent)
        return;
    size_t from = front_openai_responses_about(call, &w, type, "summary_index");
    jw_key(&w, "part");
    jw_object(&w);
    jw_field_cstr(&w, "type", "summary_text");
    jw_key(&w, "text");
    if (whole)
        front_openai_responses_words(call, &w);
    else
        jw_cstr(&w, "");
    jw_end(&w);
    front_openai_responses_end(call, &w, from);
}

static void begin_part(struct dialect_call *call, const struct chat_event *event)
{
    struct front_openai_responses *state = state_of(call);
    switch (event->part) {
    case CHAT_PART_TEXT:
    case CHAT_PART_REFUSAL:
        begin_content(call, event);
        return;
    case CHAT_PART_THINKING:
        front_openai_responses_begin_reasoning(call);
        begin_summary(call, "response.reasoning_summary_part.added", false);
        break;
    case CHAT_PART_REDACTED:
        if (chat_has(event->signature))
            front_openai_responses_proof(call, CHAT_PROOF_REDACTED, event->origin,
                                         event->signature);
        return;
    case CHAT_PART_TOOL_CALL:
        front_openai_responses_begin_call(call, event);
        break;
    case CHAT_PART_IMAGE:
        front_openai_responses_image(call, &event->media);
        return;
    default:
        return; /* has no item here */
    }
    state->part = event->part;
}

static const struct {
    enum chat_part_kind part;
    const char *delta, *done, *member, *place;
} texts[] = {
    {CHAT_PART_TEXT, "response.output_text.delta", "response.output_text.done", "text",
     "content_index"},
    {CHAT_PART_REFUSAL, "response.refusal.delta", "response.refusal.done", "refusal",
     "content_index"},
    {CHAT_PART_THINKING, "response.reasoning_summary_text.delta",
     "response.reasoning_summary_text.done", "text", "summary_index"},
    {CHAT_PART_TOOL_CALL, "response.function_call_arguments.delta",
     "response.function_call_arguments.done", "arguments", NULL},
};

/* The row of the open part; COUNT_OF(texts): none is open. */
static size_t row_of(const struct front_openai_responses *state)
{
    size_t i = 0;
    while (i < COUNT_OF(texts) && texts[i].part != state->part)
        i++;
    return i;
}

static void add_words(struct dialect_call *call, const struct chat_event *event)
{
    struct front_openai_responses *state = state_of(call);
    size_t row = row_of(state);
    struct json_writer w;
    if (state->part != event->part || row == COUNT_OF(texts))
        return;
    buf_add_str(&call->keep[1], chat_text_inner(event->text));
    state->refused = state->refused || event->part == CHAT_PART_REFUSAL;
    if (event->part == CHAT_PART_TEXT && event->logprobs.n > 2) {
        if (call->keep[2].n > 0)
            buf_add_char(&call->keep[2], ',');
        buf_add(&call->keep[2], event->logprobs.p + 1, event->logprobs.n - 2);
    }
    if (state->silent)
        return;
    size_t from = front_openai_responses_about(call, &w, texts[row].delta, texts[row].place);
    jw_field_raw(&w, "delta", event->text.raw);
    if (event->part == CHAT_PART_TEXT)
        jw_field_raw(&w, "logprobs", event->logprobs.n > 2 ? event->logprobs : STR("[]"));
    front_openai_responses_end(call, &w, from);
}

static void keep_citation(struct dialect_call *call, const struct chat_event *event)
{
    struct front_openai_responses *state = state_of(call);
    if (state->part != CHAT_PART_TEXT || !chat_has(event->citation->url))
        return;
    struct chat_citation *item = arena_calloc(call->arena, 1, sizeof *item);
    if (item == NULL) {
        call->out.failed = ST_NO_MEMORY;
        return;
    }
    item->url = chat_text_copy(call->arena, event->citation->url);
    item->title = chat_text_copy(call->arena, event->citation->title);
    if (state->last_citation == NULL)
        state->citations = item;
    else
        state->last_citation->next = item;
    state->last_citation = item;
}

static void tell_annotations(struct dialect_call *call)
{
    size_t length = front_openai_chat_length(buf_str(&call->keep[1]));
    struct json_writer w;
    uint64_t index = 0;
    for (struct chat_citation *c = state_of(call)->citations; c != NULL; c = c->next) {
        size_t from = front_openai_responses_about(
            call, &w, "response.output_text.annotation.added", "content_index");
        jw_field_u64(&w, "annotation_index", index++);
        jw_key(&w, "annotation");
        front_openai_responses_annotation(&w, c, length);
        front_openai_responses_end(call, &w, from);
    }
}

/* The words of the open part are whole. */
static void tell_done(struct dialect_call *call)
{
    struct front_openai_responses *state = state_of(call);
    size_t row = row_of(state);
    struct json_writer w;
    if (state->part == CHAT_PART_TEXT)
        tell_annotations(call);
    size_t from = front_openai_responses_about(call, &w, texts[row].done, texts[row].place);
    if (state->part == CHAT_PART_TOOL_CALL)
        jw_field_raw(&w, "name", state->name.raw);
    jw_key(&w, texts[row].member);
    front_openai_responses_words(call, &w);
    if (state->part == CHAT_PART_TEXT)
        front_openai_responses_logprobs(&w, buf_str(&call->keep[2]));
    front_openai_responses_end(call, &w, from);
}

static void end_content(struct dialect_call *call)
{
    struct front_openai_responses *state = state_of(call);
    struct json_writer w;
    if (state->contents > 1)
        buf_add_char(&call->keep[0], ',');
    jw_init(&w, &call->keep[0]);
    front_openai_responses_content(call, &w, true);
    if (state->silent)
        return;
    size_t from =
        front_openai_responses_about(call, &w, "response.content_part.done", "content_index");
    jw_key(&w, "part");
    front_openai_responses_content(call, &w, true);
    front_openai_responses_end(call, &w, from);
}

static void end_part(struct dialect_call *call)
{
    struct front_openai_responses *state = state_of(call);
    if (state->part == CHAT_PART_NONE)
        return;
    if (!state->silent)
        tell_done(call);
    if (state->part == CHAT_PART_TEXT || state->part == CHAT_PART_REFUSAL)
        end_content(call);
    else if (state->part == CHAT_PART_THINKING)
        begin_summary(call, "response.reasoning_summary_part.done", true);
    state->part = CHAT_PART_NONE;
}

/* --- all of it */

static void end(struct dialect_call *call)
{
    struct front_openai_responses *state = state_of(call);
    const char *status = front_openai_responses_status(state);
    bool whole = strcmp(status, "completed") == 0;
    front_openai_responses_end_item(call, !whole);
    for (size_t i = 0; i < DIALECT_KEEPS; i++)
        if (buf_status(&call->keep[i]) != ST_OK)
            call->out.failed = buf_status(&call->keep[i]);
    if (!state->silent)
        front_openai_responses_tell(call, whole ? "response.completed" : "response.incomplete",
                                    status, NULL);
}

void front_openai_responses_event(struct dialect_call *call, const struct chat_event *event)
{
    struct front_openai_responses *state = state_of(call);
    if (event->choice > 0)
        return;
    switch (event->kind) {
    case CHAT_EVENT_START:
        state->model = chat_text_copy(call->arena, event->name);
        if (!chat_has(state->model))
            call->out.failed = ST_NO_MEMORY;
        if (state->silent)
            break;
        front_openai_responses_tell(call, "response.created", "in_progress", NULL);
        front_openai_responses_tell(call, "response.in_progress", "in_progress", NULL);
        break;
    case CHAT_EVENT_PART:
        begin_part(call, event);
        break;
    case CHAT_EVENT_DELTA:
        add_words(call, event);
        break;
    case CHAT_EVENT_SIGNATURE:
        if (state->item == RESPONSES_REASONING)
            front_openai_responses_proof(call, CHAT_PROOF_THINKING, event->origin,
                                         event->signature);
        break;
    case CHAT_EVENT_CITATION:
        keep_citation(call, event);
        break;
    case CHAT_EVENT_PART_END:
        end_part(call);
        break;
    case CHAT_EVENT_FINISH:
        state->finish = event->finish;
        break;
    case CHAT_EVENT_USAGE:
        break; /* call->usage has it */
    case CHAT_EVENT_END:
        end(call);
        break;
    }
}

void front_openai_responses_error(struct dialect_call *call, const struct chat_error *error,
                                  bool in_stream)
{
    struct json_writer w;
    if (!in_stream) {
        front_openai_chat_error(call, error, false);
        return;
    }
    size_t from = front_openai_responses_begin(call, &w, "error");
    jw_key(&w, "code");
    if (error->code.n > 0)
        jw_str(&w, error->code);
    else
        jw_null(&w);
    jw_field_str(&w, "message", error->message);
    jw_key(&w, "param");
    if (error->param.n > 0)
        jw_str(&w, error->param);
    else
        jw_null(&w);
    front_openai_responses_end(call, &w, from);
    front_openai_responses_tell(call, "response.failed", "failed", error);
}
