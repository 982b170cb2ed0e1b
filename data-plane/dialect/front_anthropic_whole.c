/* front_anthropic_whole.c: a whole answer as a message.
 *
 * The blocks are those that a stream of the same answer has. A call's arguments must be an object
 * here: what the model wrote and is none (cut off, or broken) is kept as text under a name that no
 * tool has, so that the caller's own check of the input fails visibly.
 */
#include "data-plane/dialect/front_anthropic.h"

#define BROKEN_ARGUMENTS "_malformed_arguments"

static void write_text(struct dialect_call *call, struct json_writer *w,
                       const struct chat_part *part)
{
    bool any = false;
    jw_object(w);
    jw_field_cstr(w, "type", "text");
    jw_field_raw(w, "text", chat_has(part->text) ? part->text.raw : STR("\"\""));
    for (const struct chat_citation *c = part->citations; c != NULL; c = c->next) {
        if (!front_anthropic_cites(call, c))
            continue;
        if (!any) {
            jw_key(w, "citations");
            jw_array(w);
        }
        any = true;
        front_anthropic_citation(call, w, c);
    }
    if (any)
        jw_end(w);
    jw_end(w);
}

static void write_thinking(struct dialect_call *call, struct json_writer *w,
                           const struct chat_part *part)
{
    struct chat_text signature =
        front_anthropic_signature(call, CHAT_PROOF_THINKING, part->origin, part->signature);
    jw_object(w);
    jw_field_cstr(w, "type", "thinking");
    jw_field_raw(w, "thinking", chat_has(part->text) ? part->text.raw : STR("\"\""));
    jw_field_raw(w, "signature", chat_has(signature) ? signature.raw : STR("\"\""));
    jw_end(w);
}

static void write_redacted(struct json_writer *w, struct chat_text data)
{
    if (!chat_has(data))
        return;
    jw_object(w);
    jw_field_cstr(w, "type", "redacted_thinking");
    jw_field_raw(w, "data", data.raw);
    jw_end(w);
}

static void write_call(struct dialect_call *call, struct json_writer *w,
                       const struct chat_part *part)
{
    struct str input;
    enum status status = chat_arguments_object(call->arena, part->json, &input);
    write_redacted(w,
                   front_anthropic_signature(call, CHAT_PROOF_CALL, part->origin, part->signature));
    jw_object(w);
    jw_field_cstr(w, "type", "tool_use");
    jw_field_raw(w, "id", part->id.raw);
    jw_field_raw(w, "name", part->name.raw);
    jw_key(w, "input");
    if (status == ST_OK) {
        jw_raw(w, input);
    } else {
        jw_object(w);
        jw_field_raw(w, BROKEN_ARGUMENTS, part->json);
        jw_end(w);
    }
    jw_field_raw(w, "caller", STR("{\"type\":\"direct\"}"));
    jw_end(w);
}

static void write_part(struct dialect_call *call, struct json_writer *w,
                       const struct chat_part *part)
{
    switch (part->kind) {
    case CHAT_PART_TEXT:
    case CHAT_PART_REFUSAL:
        write_text(call, w, part);
        break;
    case CHAT_PART_THINKING:
        write_thinking(call, w, part);
        break;
    case CHAT_PART_REDACTED:
        write_redacted(
            w, front_anthropic_signature(call, CHAT_PROOF_REDACTED, part->origin, part->signature));
        break;
    case CHAT_PART_TOOL_CALL:
        write_call(call, w, part);
        break;
    case CHAT_PART_IMAGE:
        jw_object(w);
        jw_field_cstr(w, "type", "image");
        front_anthropic_source(w, &part->media);
        jw_end(w);
        break;
    case CHAT_PART_NATIVE:
        if (front_anthropic_is_claude(call))
            jw_raw(w, part->json);
        break;
    case CHAT_PART_NONE:
    case CHAT_PART_TOOL_RESULT:
    case CHAT_PART_AUDIO:
    case CHAT_PART_FILE:
        break;
    }
}

void front_anthropic_whole(struct dialect_call *call, const struct chat_answer *answer)
{
    const struct chat_answer_choice *choice = &answer->choices[0];
    struct json_writer w;
    bool refused = false;
    jw_init(&w, &call->out);
    jw_object(&w);
    front_anthropic_head(&w, answer->id, answer->model);
    jw_key(&w, "content");
    jw_array(&w);
    for (const struct chat_part *part = choice->parts.first; part != NULL; part = part->next) {
        refused = refused || part->kind == CHAT_PART_REFUSAL;
        write_part(call, &w, part);
    }
    jw_end(&w);
    front_anthropic_ending(&w, choice->finish, choice->stop, refused);
    jw_key(&w, "usage");
    front_anthropic_usage(&w, &answer->usage);
    jw_end(&w);
}
