/* front_anthropic_stream.c: events as the stream of a message.
 *
 *   START    -> message_start                 PART     -> content_block_start (a ping behind the
 * first) DELTA    -> text_delta | thinking_delta | input_json_delta SIGNATURE -> signature_delta
 * CITATION -> citations_delta PART_END -> content_block_stop            END      -> message_delta,
 * message_stop
 *
 * The figures and the reason go out together at the end, because here they are one event. A message
 * has one choice; further ones were never asked for. What has no block here (audio, parts that only
 * another dialect knows) is passed over.
 */
#include "data-plane/dialect/front_anthropic.h"

static struct front_anthropic *state_of(struct dialect_call *call)
{
    return call->front_state;
}

/* "event: TYPE", and data with its type; the caller writes members and ends it. Gives where
 * the data begin. */
static size_t begin_event(struct dialect_call *call, struct json_writer *w, const char *type)
{
    buf_add_lit(&call->out, "event: ");
    buf_add_str(&call->out, str_c(type));
    buf_add_lit(&call->out, "\ndata: ");
    size_t from = call->out.n;
    jw_init(w, &call->out);
    jw_object(w);
    jw_field_cstr(w, "type", type);
    return from;
}

static void end_event(struct dialect_call *call, struct json_writer *w, size_t from)
{
    jw_end(w);
    dialect_end_event(call, from);
}

static size_t begin_block_event(struct dialect_call *call, struct json_writer *w, const char *type)
{
    size_t from = begin_event(call, w, type);
    jw_field_u64(w, "index", state_of(call)->blocks - 1);
    return from;
}

static void start(struct dialect_call *call, const struct chat_event *event)
{
    struct json_writer w;
    size_t from = begin_event(call, &w, "message_start");
    jw_key(&w, "message");
    jw_object(&w);
    front_anthropic_head(&w, event->id, event->name);
    jw_field_raw(&w, "content", STR("[]"));
    jw_key(&w, "stop_reason");
    jw_null(&w);
    jw_key(&w, "stop_sequence");
    jw_null(&w);
    jw_key(&w, "usage");
    front_anthropic_usage(&w, &call->usage);
    jw_end(&w);
    end_event(call, &w, from);
}

/* --- blocks */

static void write_block(struct dialect_call *call, struct json_writer *w,
                        const struct chat_event *event)
{
    switch (event->part) {
    case CHAT_PART_THINKING:
        jw_raw(w, STR("{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}"));
        return;
    case CHAT_PART_REDACTED:
        jw_object(w);
        jw_field_cstr(w, "type", "redacted_thinking");
        jw_field_raw(
            w, "data",
            front_anthropic_signature(call, CHAT_PROOF_REDACTED, event->origin, event->signature)
                .raw);
        jw_end(w);
        return;
    case CHAT_PART_TOOL_CALL:
        jw_object(w);
        jw_field_cstr(w, "type", "tool_use");
        jw_field_raw(w, "id", event->id.raw);
        jw_field_raw(w, "name", event->name.raw);
        jw_field_raw(w, "input", STR("{}"));
        jw_field_raw(w, "caller", STR("{\"type\":\"direct\"}"));
        jw_end(w);
        return;
    case CHAT_PART_IMAGE:
        jw_object(w);
        jw_field_cstr(w, "type", "image");
        front_anthropic_source(w, &event->media);
        jw_end(w);
        return;
    case CHAT_PART_NATIVE:
        jw_raw(w, event->json);
        return;
    default:
        jw_raw(w, STR("{\"type\":\"text\",\"text\":\"\"}"));
        return;
    }
}

static void begin_block(struct dialect_call *call, const struct chat_event *event)
{
    struct front_anthropic *state = state_of(call);
    struct json_writer w;
    state->open = event->part;
    state->signed_block = false;
    state->blocks++;
    size_t from = begin_block_event(call, &w, "content_block_start");
    jw_key(&w, "content_block");
    write_block(call, &w, event);
    end_event(call, &w, from);
    if (state->blocks > 1)
        return;
    from = begin_event(call, &w, "ping");
    end_event(call, &w, from);
}

static void end_block(struct dialect_call *call)
{
    struct json_writer w;
    if (state_of(call)->open == CHAT_PART_NONE)
        return;
    state_of(call)->open = CHAT_PART_NONE;
    size_t from = begin_block_event(call, &w, "content_block_stop");
    end_event(call, &w, from);
}

/* The proof of a call stands in front of it. */
static void begin_part(struct dialect_call *call, const struct chat_event *event)
{
    bool native = event->part == CHAT_PART_NATIVE;
    struct chat_event proof = {
        .kind = CHAT_EVENT_PART, .part = CHAT_PART_REDACTED, .origin = event->origin};
    if (event->part == CHAT_PART_AUDIO || (native && !front_anthropic_is_claude(call)) ||
        (event->part == CHAT_PART_REDACTED && chat_text_is_empty(event->signature)))
        return;
    if (event->part == CHAT_PART_TOOL_CALL && chat_has(event->signature)) {
        proof.signature =
            front_anthropic_signature(call, CHAT_PROOF_CALL, event->origin, event->signature);
        proof.origin = STR(CLAUDE_SIGNS); /* joined already */
        if (chat_has(proof.signature)) {
            begin_block(call, &proof);
            end_block(call);
        }
    }
    begin_block(call, event);
}

static void add_delta(struct dialect_call *call, const char *type, const char *member,
                      struct chat_text text)
{
    struct json_writer w;
    size_t from = begin_block_event(call, &w, "content_block_delta");
    jw_key(&w, "delta");
    jw_object(&w);
    jw_field_cstr(&w, "type", type);
    jw_field_raw(&w, member, text.raw);
    jw_end(&w);
    end_event(call, &w, from);
}

static void add_words(struct dialect_call *call, const struct chat_event *event)
{
    struct front_anthropic *state = state_of(call);
    if (state->open != event->part)
        return;
    if (event->part == CHAT_PART_REFUSAL)
        state->refused = true;
    if (event->part == CHAT_PART_THINKING)
        add_delta(call, "thinking_delta", "thinking", event->text);
    else if (event->part == CHAT_PART_TOOL_CALL)
        add_delta(call, "input_json_delta", "partial_json", event->text);
    else
        add_delta(call, "text_delta", "text", event->text);
}

static void add_signature(struct dialect_call *call, const struct chat_event *event)
{
    struct front_anthropic *state = state_of(call);
    struct chat_text text =
        front_anthropic_signature(call, CHAT_PROOF_THINKING, event->origin, event->signature);
    if (state->open != CHAT_PART_THINKING || state->signed_block || !chat_has(text))
        return;
    state->signed_block = true;
    add_delta(call, "signature_delta", "signature", text);
}

static void add_citation(struct dialect_call *call, const struct chat_event *event)
{
    struct json_writer w;
    if (state_of(call)->open != CHAT_PART_TEXT || !front_anthropic_cites(call, event->citation))
        return;
    size_t from = begin_block_event(call, &w, "content_block_delta");
    jw_key(&w, "delta");
    jw_object(&w);
    jw_field_cstr(&w, "type", "citations_delta");
    jw_key(&w, "citation");
    front_anthropic_citation(call, &w, event->citation);
    jw_end(&w);
    end_event(call, &w, from);
}

/* --- the end */

static void end(struct dialect_call *call)
{
    struct front_anthropic *state = state_of(call);
    struct json_writer w;
    size_t from = begin_event(call, &w, "message_delta");
    jw_key(&w, "delta");
    jw_object(&w);
    front_anthropic_ending(&w, state->finish, state->stop, state->refused);
    jw_end(&w);
    jw_key(&w, "usage");
    front_anthropic_usage(&w, &call->usage);
    end_event(call, &w, from);
    from = begin_event(call, &w, "message_stop");
    end_event(call, &w, from);
}

void front_anthropic_event(struct dialect_call *call, const struct chat_event *event)
{
    if (event->choice > 0)
        return;
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
        add_signature(call, event);
        break;
    case CHAT_EVENT_CITATION:
        add_citation(call, event);
        break;
    case CHAT_EVENT_PART_END:
        end_block(call);
        break;
    case CHAT_EVENT_FINISH:
        state_of(call)->finish = event->finish;
        state_of(call)->stop = chat_text_copy(call->arena, event->text);
        break;
    case CHAT_EVENT_USAGE:
        break; /* call->usage has it */
    case CHAT_EVENT_END:
        end(call);
        break;
    }
}
