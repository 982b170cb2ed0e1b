/* back_cohere_messages.c: the messages of a chat as Cohere's v2 API has them.
 *
 *   SYSTEM     -> system, where it stands
 *   USER       -> a tool message for each result, then a user message of the rest
 *   ASSISTANT  -> content (thinking, text) and tool_calls; words beside calls are tool_plan
 *
 * Thinking is not signed there: words without a signature go back, those that another provider has
 * signed are listed as dropped. Documents are words; pictures stand in user messages only.
 * Invariant: every part is written, listed as dropped, or refused by its place.
 */
#include "data-plane/dialect/back_cohere.h"

#define MEDIA_REMEDY "Send text, image_url or file (plain text) parts."

/* A document that can be sent as words. */
static bool is_document(const struct chat_part *part)
{
    const struct chat_media *media = &part->media;
    return part->kind == CHAT_PART_FILE &&
           (media->source == CHAT_SOURCE_TEXT ||
            (media->source == CHAT_SOURCE_DATA && str_starts_nocase(media->mime, STR("text/"))));
}

static bool is_words(const struct chat_part *part)
{
    return part->kind == CHAT_PART_TEXT || part->kind == CHAT_PART_REFUSAL || is_document(part);
}

static bool is_picture(const struct chat_part *part)
{
    return part->kind == CHAT_PART_IMAGE ||
           (part->kind == CHAT_PART_FILE && part->media.source == CHAT_SOURCE_DATA &&
            str_starts_nocase(part->media.mime, STR("image/")));
}

static bool is_thinking(const struct chat_part *part)
{
    return part->kind == CHAT_PART_THINKING || part->kind == CHAT_PART_REDACTED;
}

/* --- parts */

/* The words of a part between the quotes that are open. */
static enum status add_words(struct dialect_call *call, struct buf *out,
                             const struct chat_part *part)
{
    const struct chat_text heads[] = {part->name, part->about};
    struct chat_text words = part->text;
    if (part->kind == CHAT_PART_FILE) {
        enum status status = chat_media_words(call->arena, &part->media, &words);
        if (status == ST_INVALID)
            return dialect_refuse_part(call, part->place, "this text file",
                                       "Send base64 of UTF-8 text, or the words as a text part.");
        TRY(status);
        for (size_t i = 0; i < COUNT_OF(heads); i++) {
            if (chat_text_is_empty(heads[i]))
                continue;
            buf_add_str(out, chat_text_inner(heads[i]));
            buf_add_lit(out, "\\n\\n");
        }
    }
    buf_add_str(out, chat_text_inner(words));
    return ST_OK;
}

static enum status write_text(struct dialect_call *call, struct json_writer *w,
                              const struct chat_part *part)
{
    jw_object(w);
    jw_field_cstr(w, "type", "text");
    jw_key(w, "text");
    jw_raw(w, STR("\""));
    TRY(add_words(call, w->buf, part));
    buf_add_char(w->buf, '"');
    jw_end(w);
    return ST_OK;
}

static enum status write_picture(struct dialect_call *call, struct json_writer *w,
                                 const struct chat_part *part)
{
    const struct chat_media *media = &part->media;
    if (media->source == CHAT_SOURCE_ID)
        return dialect_refuse_part(call, part->place, "images by the id of a file",
                                   "Send the image's data or its URL.");
    jw_object(w);
    jw_field_cstr(w, "type", "image_url");
    jw_key(w, "image_url");
    jw_object(w);
    jw_key(w, "url");
    jw_raw(w, STR("\""));
    if (media->source == CHAT_SOURCE_DATA) {
        buf_add_lit(w->buf, "data:");
        buf_add_str(w->buf, media->mime.n > 0 ? media->mime : STR("image/png"));
        buf_add_lit(w->buf, ";base64,");
    }
    buf_add_str(w->buf, media->inner);
    buf_add_char(w->buf, '"');
    if (!chat_text_is_empty(media->detail))
        jw_field_raw(w, "detail", media->detail.raw);
    jw_end(w);
    jw_end(w);
    return ST_OK;
}

/* "content": a list, an empty text where there is nothing. */
static enum status write_content(struct dialect_call *call, struct json_writer *w,
                                 const struct chat_parts *parts, bool pictures)
{
    bool any = false;
    jw_key(w, "content");
    jw_array(w);
    for (const struct chat_part *part = parts->first; part != NULL; part = part->next) {
        if (part->kind == CHAT_PART_TOOL_RESULT ||
            (part->kind != CHAT_PART_FILE && is_words(part) && chat_text_is_empty(part->text)))
            continue;
        any = true;
        if (is_words(part))
            TRY(write_text(call, w, part));
        else if (pictures && is_picture(part))
            TRY(write_picture(call, w, part));
        else
            return dialect_refuse_part(call, part->place, "parts of this type here", MEDIA_REMEDY);
    }
    if (!any)
        jw_raw(w, STR("{\"type\":\"text\",\"text\":\"\"}"));
    jw_end(w);
    return ST_OK;
}

/* --- messages */

static enum status write_result(struct dialect_call *call, struct json_writer *w,
                                const struct chat_part *result)
{
    jw_object(w);
    jw_field_cstr(w, "role", "tool");
    jw_field_raw(w, "tool_call_id", result->id.raw);
    TRY(write_content(call, w, &result->parts, false));
    jw_end(w);
    if (result->failed)
        dialect_drop(call, "messages.is_error");
    return ST_OK;
}

static enum status write_user(struct dialect_call *call, struct json_writer *w,
                              const struct chat_message *message)
{
    bool rest = message->parts.first == NULL;
    for (const struct chat_part *part = message->parts.first; part != NULL; part = part->next) {
        if (part->kind == CHAT_PART_TOOL_RESULT)
            TRY(write_result(call, w, part));
        else
            rest = true;
    }
    if (!rest)
        return ST_OK;
    jw_object(w);
    jw_field_cstr(w, "role", "user");
    TRY(write_content(call, w, &message->parts, true));
    jw_end(w);
    return ST_OK;
}

static enum status write_system(struct dialect_call *call, struct json_writer *w,
                                const struct chat_message *message)
{
    jw_object(w);
    jw_field_cstr(w, "role", "system");
    TRY(write_content(call, w, &message->parts, false));
    jw_end(w);
    return ST_OK;
}

/* The thinking that goes back, and the words unless they are the plan of calls. */
static enum status write_said(struct dialect_call *call, struct json_writer *w,
                              const struct chat_message *message, bool words)
{
    bool any = false;
    for (const struct chat_part *part = message->parts.first; part != NULL; part = part->next) {
        bool thought = part->kind == CHAT_PART_THINKING && !chat_has(part->signature) &&
                       !chat_text_is_empty(part->text);
        if (is_thinking(part) && !thought)
            dialect_drop(call, call->front->thinking);
        if (!thought && !(words && is_words(part) && !chat_text_is_empty(part->text)))
            continue;
        if (!any) {
            jw_key(w, "content");
            jw_array(w);
        }
        any = true;
        if (!thought) {
            TRY(write_text(call, w, part));
            continue;
        }
        jw_object(w);
        jw_field_cstr(w, "type", "thinking");
        jw_field_raw(w, "thinking", part->text.raw);
        jw_end(w);
    }
    if (any)
        jw_end(w);
    return ST_OK;
}

static enum status write_plan(struct dialect_call *call, struct json_writer *w,
                              const struct chat_message *message)
{
    bool any = false;
    for (const struct chat_part *part = message->parts.first; part != NULL; part = part->next) {
        if (!is_words(part) || chat_text_is_empty(part->text))
            continue;
        if (!any) {
            jw_key(w, "tool_plan");
            jw_raw(w, STR("\""));
        } else {
            buf_add_lit(w->buf, "\\n\\n");
        }
        any = true;
        TRY(add_words(call, w->buf, part));
    }
    if (any)
        buf_add_char(w->buf, '"');
    return ST_OK;
}

static enum status write_calls(struct dialect_call *call, struct json_writer *w,
                               const struct chat_message *message)
{
    jw_key(w, "tool_calls");
    jw_array(w);
    for (const struct chat_part *part = message->parts.first; part != NULL; part = part->next) {
        if (part->kind != CHAT_PART_TOOL_CALL)
            continue;
        struct chat_text arguments = chat_arguments_text(call->arena, part->json);
        if (!chat_has(arguments))
            return ST_NO_MEMORY;
        jw_object(w);
        jw_field_raw(w, "id", part->id.raw);
        jw_field_cstr(w, "type", "function");
        jw_key(w, "function");
        jw_object(w);
        jw_field_raw(w, "name", part->name.raw);
        jw_field_raw(w, "arguments", chat_text_is_empty(arguments) ? STR("\"{}\"") : arguments.raw);
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
    return ST_OK;
}

/* An assistant who said nothing is no turn: the API refuses an empty message. */
static enum status write_assistant(struct dialect_call *call, struct json_writer *w,
                                   const struct chat_message *message)
{
    bool calls = false, words = false;
    for (const struct chat_part *part = message->parts.first; part != NULL; part = part->next) {
        calls = calls || part->kind == CHAT_PART_TOOL_CALL;
        words = words || (is_words(part) && !chat_text_is_empty(part->text));
        if (part->kind != CHAT_PART_TOOL_CALL && part->kind != CHAT_PART_TEXT &&
            part->kind != CHAT_PART_REFUSAL && !is_thinking(part))
            return dialect_refuse_part(call, part->place, "this in an assistant's message",
                                       "Send text and tool calls.");
    }
    if (!calls && !words) {
        for (const struct chat_part *part = message->parts.first; part != NULL; part = part->next)
            if (is_thinking(part))
                dialect_drop(call, call->front->thinking);
        return ST_OK;
    }
    jw_object(w);
    jw_field_cstr(w, "role", "assistant");
    TRY(write_said(call, w, message, !calls));
    if (calls) {
        TRY(write_plan(call, w, message));
        TRY(write_calls(call, w, message));
    }
    jw_end(w);
    return ST_OK;
}

static void list_dropped(struct dialect_call *call, const struct chat_parts *parts)
{
    for (const struct chat_part *part = parts->first; part != NULL; part = part->next) {
        if (part->cache != NULL)
            dialect_drop(call, "messages.cache_control");
        if (part->citing != NULL)
            dialect_drop(call, "messages.citations");
        if (!chat_text_is_empty(part->about) && !is_words(part))
            dialect_drop(call, "messages.context");
        list_dropped(call, &part->parts);
    }
}

enum status back_cohere_messages(struct dialect_call *call, struct json_writer *w)
{
    jw_key(w, "messages");
    jw_array(w);
    for (const struct chat_message *m = call->chat->messages; m != NULL; m = m->next) {
        list_dropped(call, &m->parts);
        if (chat_has(m->name))
            dialect_drop(call, "messages.name");
        if (m->role == CHAT_ROLE_SYSTEM)
            TRY(write_system(call, w, m));
        else if (m->role == CHAT_ROLE_USER)
            TRY(write_user(call, w, m));
        else
            TRY(write_assistant(call, w, m));
    }
    jw_end(w);
    return ST_OK;
}
