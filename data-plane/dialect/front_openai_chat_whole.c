/* front_openai_chat_whole.c: a whole answer as chat.completion.
 *
 * The texts of a choice are joined without anything between them, as the model wrote them. content
 * is null only where something else answers in its place. Whatever has no member of its own in
 * OpenAI's object (blocks in order, citations without an address) is shown in content_blocks when
 * strict compliance is off.
 */
#include "data-plane/dialect/front_openai_chat.h"

static bool has_part(const struct chat_answer_choice *choice, enum chat_part_kind kind)
{
    for (const struct chat_part *part = choice->parts.first; part != NULL; part = part->next)
        if (part->kind == kind)
            return true;
    return false;
}

/* The words of all parts of a kind as one string. */
static void write_joined(struct json_writer *w, const struct chat_answer_choice *choice,
                         enum chat_part_kind kind)
{
    jw_raw(w, STR("\""));
    for (const struct chat_part *part = choice->parts.first; part != NULL; part = part->next)
        if (part->kind == kind)
            buf_add_str(w->buf, chat_text_inner(part->text));
    buf_add_char(w->buf, '"');
}

static void write_calls(struct dialect_call *call, struct json_writer *w,
                        const struct chat_answer_choice *choice)
{
    const struct chat_part *part = choice->parts.first;
    if (!has_part(choice, CHAT_PART_TOOL_CALL))
        return;
    if (call->chat->legacy_functions) {
        while (part->kind != CHAT_PART_TOOL_CALL)
            part = part->next;
        jw_key(w, "function_call");
        jw_object(w);
        jw_field_raw(w, "name", part->name.raw);
        jw_field_raw(w, "arguments", part->json);
        jw_end(w);
        return;
    }
    jw_key(w, "tool_calls");
    jw_array(w);
    for (; part != NULL; part = part->next)
        if (part->kind == CHAT_PART_TOOL_CALL)
            front_openai_chat_call(w, part->id, part->name, (struct chat_text){part->json},
                                   part->signature, CHAT_NO_INDEX);
    jw_end(w);
}

static void write_thinking(struct dialect_call *call, struct json_writer *w,
                           const struct chat_answer_choice *choice)
{
    uint32_t index = 0;
    if (has_part(choice, CHAT_PART_THINKING)) {
        jw_key(w, "reasoning_content");
        write_joined(w, choice, CHAT_PART_THINKING);
    }
    for (const struct chat_part *part = choice->parts.first; part != NULL; part = part->next) {
        if ((part->kind != CHAT_PART_THINKING && part->kind != CHAT_PART_REDACTED) ||
            !chat_has(part->signature))
            continue;
        if (index == 0) {
            jw_key(w, "reasoning_details");
            jw_array(w);
        }
        front_openai_chat_detail(call, w, part, index++);
    }
    if (index > 0)
        jw_end(w);
}

static void write_annotations(struct json_writer *w, const struct chat_answer_choice *choice)
{
    size_t from = 0;
    bool any = false;
    for (const struct chat_part *part = choice->parts.first; part != NULL; part = part->next) {
        if (part->kind != CHAT_PART_TEXT)
            continue;
        size_t to = from + front_openai_chat_length(chat_text_inner(part->text));
        for (const struct chat_citation *c = part->citations; c != NULL; c = c->next) {
            if (!chat_has(c->url))
                continue;
            if (!any) {
                jw_key(w, "annotations");
                jw_array(w);
            }
            any = true;
            front_openai_chat_annotation(w, c, from, to);
        }
        from = to;
    }
    if (any)
        jw_end(w);
}

static void write_images(struct json_writer *w, const struct chat_answer_choice *choice)
{
    if (!has_part(choice, CHAT_PART_IMAGE))
        return;
    jw_key(w, "images");
    jw_array(w);
    for (const struct chat_part *part = choice->parts.first; part != NULL; part = part->next)
        if (part->kind == CHAT_PART_IMAGE)
            front_openai_chat_picture(w, &part->media);
    jw_end(w);
}

static void write_block(struct json_writer *w, const struct chat_part *part)
{
    if (part->kind == CHAT_PART_NATIVE) {
        jw_raw(w, part->json);
        return;
    }
    jw_object(w);
    if (part->kind == CHAT_PART_TEXT) {
        jw_field_cstr(w, "type", "text");
        jw_field_raw(w, "text", chat_has(part->text) ? part->text.raw : STR("\"\""));
        if (part->citations != NULL) {
            jw_key(w, "citations");
            jw_array(w);
            for (const struct chat_citation *c = part->citations; c != NULL; c = c->next)
                jw_raw(w, c->json);
            jw_end(w);
        }
    } else if (part->kind == CHAT_PART_THINKING) {
        jw_field_cstr(w, "type", "thinking");
        jw_field_raw(w, "thinking", chat_has(part->text) ? part->text.raw : STR("\"\""));
        if (chat_has(part->signature))
            jw_field_raw(w, "signature", part->signature.raw);
    } else {
        jw_field_cstr(w, "type", "redacted_thinking");
        jw_field_raw(w, "data", part->signature.raw);
    }
    jw_end(w);
}

static void write_blocks(struct json_writer *w, const struct chat_answer_choice *choice)
{
    jw_key(w, "content_blocks");
    jw_array(w);
    for (const struct chat_part *part = choice->parts.first; part != NULL; part = part->next)
        if (part->kind == CHAT_PART_TEXT || part->kind == CHAT_PART_THINKING ||
            part->kind == CHAT_PART_REDACTED || part->kind == CHAT_PART_NATIVE)
            write_block(w, part);
    jw_end(w);
}

static void write_message(struct dialect_call *call, struct json_writer *w,
                          const struct chat_answer_choice *choice)
{
    bool other = has_part(choice, CHAT_PART_TOOL_CALL) || has_part(choice, CHAT_PART_REFUSAL);
    jw_object(w);
    jw_field_cstr(w, "role", "assistant");
    jw_key(w, "content");
    if (other && !has_part(choice, CHAT_PART_TEXT))
        jw_null(w);
    else
        write_joined(w, choice, CHAT_PART_TEXT);
    jw_key(w, "refusal");
    if (has_part(choice, CHAT_PART_REFUSAL))
        write_joined(w, choice, CHAT_PART_REFUSAL);
    else
        jw_null(w);
    write_thinking(call, w, choice);
    write_calls(call, w, choice);
    write_annotations(w, choice);
    write_images(w, choice);
    if (call->extras)
        write_blocks(w, choice);
    jw_end(w);
}

static void write_choice(struct dialect_call *call, struct json_writer *w,
                         const struct chat_answer_choice *choice, size_t index)
{
    jw_object(w);
    jw_field_u64(w, "index", index);
    jw_key(w, "message");
    write_message(call, w, choice);
    jw_key(w, "logprobs");
    if (choice->logprobs.n > 0) {
        jw_object(w);
        jw_field_raw(w, "content", choice->logprobs);
        jw_key(w, "refusal");
        jw_null(w);
        jw_end(w);
    } else {
        jw_null(w);
    }
    jw_field_str(w, "finish_reason", front_openai_chat_finish(call, choice->finish, choice->word));
    jw_end(w);
}

void front_openai_chat_whole(struct dialect_call *call, const struct chat_answer *answer)
{
    struct json_writer w;
    jw_init(&w, &call->out);
    jw_object(&w);
    jw_field_raw(&w, "id", answer->id.raw);
    jw_field_cstr(&w, "object", "chat.completion");
    jw_field_i64(&w, "created", call->created_s);
    jw_field_raw(&w, "model", answer->model.raw);
    if (call->extras)
        jw_field_str(&w, "provider", call->target->service);
    jw_key(&w, "choices");
    jw_array(&w);
    for (size_t i = 0; i < answer->choice_count; i++)
        write_choice(call, &w, &answer->choices[i], i);
    jw_end(&w);
    if (answer->has_usage) {
        jw_key(&w, "usage");
        front_openai_chat_usage(&w, &answer->usage, call->extras);
    }
    jw_end(&w);
}
