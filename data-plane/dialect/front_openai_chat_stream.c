/* front_openai_chat_stream.c: events as chat.completion.chunk.
 *
 *   START -> (prefix)   first event of a choice -> role      PART of a call -> tool_calls[i] with
 * id DELTA -> content | refusal | reasoning_content | arguments     FINISH -> finish_reason END ->
 * usage, if asked; [DONE]
 *
 * reasoning_details, which a client sends back in the next turn, come once and whole before the
 * finish: clients that overwrite unknown members of a delta keep them, and so do clients that join
 * lists by index. Invariant: one event is one line, whatever blanks a provider's JSON has.
 */
#include "data-plane/dialect/front_openai_chat.h"

static struct front_openai_chat *state_of(struct dialect_call *call)
{
    return call->front_state;
}

/* "data: " prefix "choices":[{"index":0,"delta":{ -- the caller writes members and ends it. Gives
 * where the event begins. */
static size_t begin_chunk(struct dialect_call *call, struct json_writer *w, uint32_t choice)
{
    size_t from = call->out.n;
    buf_add_lit(&call->out, "data: ");
    buf_add_str(&call->out, state_of(call)->prefix);
    buf_add_lit(&call->out, "\"choices\":[{\"index\":");
    buf_add_u64(&call->out, choice);
    buf_add_lit(&call->out, ",\"delta\":");
    jw_init(w, &call->out);
    jw_object(w);
    return from;
}

static void end_chunk(struct dialect_call *call, struct json_writer *w, size_t from,
                      struct str logprobs, struct str finish)
{
    struct buf *out = &call->out;
    jw_end(w);
    if (logprobs.n > 2) {
        buf_add_lit(out, ",\"logprobs\":{\"content\":");
        buf_add_str(out, logprobs);
        buf_add_lit(out, ",\"refusal\":null}");
    }
    buf_add_lit(out, ",\"finish_reason\":");
    if (finish.n > 0) {
        jw_init(w, out);
        jw_str(w, finish);
    } else {
        buf_add_lit(out, "null");
    }
    buf_add_lit(out, "}]");
    if (call->chat->stream_usage)
        buf_add_lit(out, ",\"usage\":null");
    buf_add_char(out, '}');
    dialect_end_event(call, from);
}

static void start(struct dialect_call *call, const struct chat_event *event)
{
    struct str id = event->id.raw, model = event->name.raw;
    struct front_openai_chat *state = state_of(call);
    state->prefix = arena_printf(call->arena,
                                 "{\"id\":" STR_FMT ",\"object\":\"chat.completion.chunk\","
                                 "\"created\":%lld,\"model\":" STR_FMT ",",
                                 STR_ARG(id), (long long)call->created_s, STR_ARG(model));
    if (state->prefix.p == NULL)
        call->out.failed = ST_NO_MEMORY;
}

static void begin_choice(struct dialect_call *call, uint32_t choice)
{
    struct json_writer w;
    if (state_of(call)->choices[choice].begun)
        return;
    state_of(call)->choices[choice].begun = true;
    size_t from = begin_chunk(call, &w, choice);
    jw_field_cstr(&w, "role", "assistant");
    jw_field_cstr(&w, "content", "");
    end_chunk(call, &w, from, STR_NONE, STR_NONE);
}

/* With strict compliance off: the parts one by one, beside their joined words. */
static void write_block(struct dialect_call *call, struct json_writer *w,
                        const struct chat_event *event, const char *name, struct str value)
{
    if (!call->extras)
        return;
    jw_key(w, "content_blocks");
    jw_array(w);
    jw_object(w);
    jw_field_u64(w, "index", event->part_at);
    jw_key(w, "delta");
    if (name == NULL) {
        jw_raw(w, value);
    } else {
        jw_object(w);
        jw_field_raw(w, name, value);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

static void write_call(struct dialect_call *call, struct json_writer *w,
                       const struct chat_event *event)
{
    bool begins = event->kind == CHAT_EVENT_PART;
    if (call->chat->legacy_functions) {
        jw_key(w, "function_call");
        jw_object(w);
        if (begins)
            jw_field_raw(w, "name", event->name.raw);
        jw_field_raw(w, "arguments", begins ? STR("\"\"") : event->text.raw);
        jw_end(w);
        return;
    }
    jw_key(w, "tool_calls");
    jw_array(w);
    if (begins) {
        front_openai_chat_call(w, event->id, event->name, (struct chat_text){STR("\"\"")},
                               event->signature, event->call_at);
    } else {
        jw_object(w);
        jw_field_u64(w, "index", event->call_at);
        jw_key(w, "function");
        jw_object(w);
        jw_field_raw(w, "arguments", event->text.raw);
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
}

/* reasoning_details of the first choice: gathered in keep[0], words of the open one in keep[1]. */
static void keep_detail(struct dialect_call *call, struct chat_part *part)
{
    struct front_openai_chat *state = state_of(call);
    struct json_writer w;
    if (!chat_has(part->signature) || buf_status(&call->keep[1]) != ST_OK)
        return;
    if (part->kind == CHAT_PART_THINKING) {
        buf_add_char(&call->keep[1], '"');
        part->text.raw = buf_str(&call->keep[1]);
    }
    if (call->keep[0].n > 0)
        buf_add_char(&call->keep[0], ',');
    jw_init(&w, &call->keep[0]);
    front_openai_chat_detail(call, &w, part, state->details++);
}

static void keep_signature(struct dialect_call *call, const struct chat_event *event)
{
    struct chat_part *thinking = &state_of(call)->thinking;
    if (event->part != CHAT_PART_THINKING || event->choice != 0)
        return;
    thinking->signature = chat_text_copy(call->arena, event->signature);
    thinking->origin = event->origin.n > 0 ? arena_str(call->arena, event->origin) : STR_NONE;
}

static void begin_part(struct dialect_call *call, const struct chat_event *event)
{
    struct front_openai_chat *state = state_of(call);
    struct front_openai_chat_choice *choice = &state->choices[event->choice];
    struct json_writer w;
    choice->part_from = choice->length;
    if (event->part == CHAT_PART_REDACTED && event->choice == 0) {
        struct chat_part part = {.kind = CHAT_PART_REDACTED,
                                 .origin = event->origin,
                                 .signature = event->signature};
        keep_detail(call, &part);
    }
    if (event->part == CHAT_PART_THINKING && event->choice == 0) {
        state->thinking = (struct chat_part){.kind = CHAT_PART_THINKING};
        buf_clear(&call->keep[1]);
        buf_add_char(&call->keep[1], '"');
    }
    bool shows = event->part == CHAT_PART_TOOL_CALL || event->part == CHAT_PART_IMAGE ||
                 (event->part == CHAT_PART_NATIVE && call->extras);
    if (!shows || (call->chat->legacy_functions && event->call_at > 0))
        return;
    size_t from = begin_chunk(call, &w, event->choice);
    if (event->part == CHAT_PART_TOOL_CALL) {
        write_call(call, &w, event);
    } else if (event->part == CHAT_PART_NATIVE) {
        write_block(call, &w, event, NULL, event->json);
    } else {
        jw_key(&w, "images");
        jw_array(&w);
        front_openai_chat_picture(&w, &event->media);
        jw_end(&w);
    }
    end_chunk(call, &w, from, STR_NONE, STR_NONE);
}

static void add_words(struct dialect_call *call, const struct chat_event *event)
{
    struct front_openai_chat *state = state_of(call);
    struct json_writer w;
    if (call->chat->legacy_functions && event->part == CHAT_PART_TOOL_CALL && event->call_at > 0)
        return;
    if (event->part == CHAT_PART_THINKING && event->choice == 0)
        buf_add_str(&call->keep[1], chat_text_inner(event->text));
    size_t from = begin_chunk(call, &w, event->choice);
    if (event->part == CHAT_PART_TOOL_CALL) {
        write_call(call, &w, event);
    } else if (event->part == CHAT_PART_THINKING) {
        jw_field_raw(&w, "reasoning_content", event->text.raw);
        write_block(call, &w, event, "thinking", event->text.raw);
    } else if (event->part == CHAT_PART_REFUSAL) {
        jw_field_raw(&w, "refusal", event->text.raw);
    } else {
        jw_field_raw(&w, "content", event->text.raw);
        write_block(call, &w, event, "text", event->text.raw);
        state->choices[event->choice].length +=
            front_openai_chat_length(chat_text_inner(event->text));
    }
    end_chunk(call, &w, from, event->logprobs, STR_NONE);
}

static void keep_citation(struct dialect_call *call, const struct chat_event *event)
{
    struct front_openai_chat_choice *choice = &state_of(call)->choices[event->choice];
    if (!chat_has(event->citation->url))
        return;
    struct chat_citation *item = arena_calloc(call->arena, 1, sizeof *item);
    if (item == NULL)
        return;
    item->ranged = event->citation->ranged;
    item->from = event->citation->from;
    item->to = event->citation->to;
    item->url = chat_text_copy(call->arena, event->citation->url);
    item->title = chat_text_copy(call->arena, event->citation->title);
    if (choice->last == NULL)
        choice->citations = item;
    else
        choice->last->next = item;
    choice->last = item;
}

static void end_part(struct dialect_call *call, const struct chat_event *event)
{
    struct front_openai_chat *state = state_of(call);
    struct front_openai_chat_choice *choice = &state->choices[event->choice];
    struct json_writer w;
    if (event->part == CHAT_PART_THINKING && event->choice == 0)
        keep_detail(call, &state->thinking);
    if (choice->citations == NULL)
        return;
    size_t from = begin_chunk(call, &w, event->choice);
    jw_key(&w, "annotations");
    jw_array(&w);
    for (struct chat_citation *item = choice->citations; item != NULL; item = item->next)
        front_openai_chat_annotation(&w, item, choice->part_from, choice->length);
    jw_end(&w);
    end_chunk(call, &w, from, STR_NONE, STR_NONE);
    choice->citations = choice->last = NULL;
}

static void finish(struct dialect_call *call, const struct chat_event *event)
{
    struct json_writer w;
    struct buf *details = &call->keep[0];
    size_t from;
    if (event->choice == 0 && details->n > 0 && buf_status(details) == ST_OK) {
        from = begin_chunk(call, &w, 0);
        jw_key(&w, "reasoning_details");
        jw_array(&w);
        jw_raw(&w, buf_str(details));
        jw_end(&w);
        end_chunk(call, &w, from, STR_NONE, STR_NONE);
    }
    from = begin_chunk(call, &w, event->choice);
    end_chunk(call, &w, from, STR_NONE, front_openai_chat_finish(call, event->finish, event->word));
}

static void end(struct dialect_call *call)
{
    struct json_writer w;
    size_t from = call->out.n;
    if (call->chat->stream_usage && call->has_usage) {
        buf_add_lit(&call->out, "data: ");
        buf_add_str(&call->out, state_of(call)->prefix);
        buf_add_lit(&call->out, "\"choices\":[],\"usage\":");
        jw_init(&w, &call->out);
        front_openai_chat_usage(&w, &call->usage, call->extras);
        buf_add_char(&call->out, '}');
        dialect_end_event(call, from);
    }
    buf_add_lit(&call->out, "data: [DONE]\n\n");
}

void front_openai_chat_event(struct dialect_call *call, const struct chat_event *event)
{
    if (event->kind == CHAT_EVENT_PART || event->kind == CHAT_EVENT_FINISH)
        begin_choice(call, event->choice);
    switch (event->kind) {
    case CHAT_EVENT_START:
        start(call, event);
        break;
    case CHAT_EVENT_PART:
        begin_part(call, event);
        break;
    case CHAT_EVENT_DELTA:
        add_words(call, event);
        break;
    case CHAT_EVENT_SIGNATURE:
        keep_signature(call, event);
        break;
    case CHAT_EVENT_CITATION:
        keep_citation(call, event);
        break;
    case CHAT_EVENT_PART_END:
        end_part(call, event);
        break;
    case CHAT_EVENT_FINISH:
        finish(call, event);
        break;
    case CHAT_EVENT_USAGE:
        break; /* call->usage has it */
    case CHAT_EVENT_END:
        end(call);
        break;
    }
}
