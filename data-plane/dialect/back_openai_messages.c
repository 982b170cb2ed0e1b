/* back_openai_messages.c: the messages of a chat as OpenAI's dialect has them.
 *
 *   SYSTEM      -> system: where it stands, or all in front (templates of many models want it so)
 *   USER        -> one tool message for each result, then a user message of the rest
 *   ASSISTANT   -> content, tool_calls; thinking only for services that want it back
 *
 * Words only: one string, a blank line between two texts, because not every service takes lists of
 * parts. Media of a tool's result follow in the user message, since tool messages hold words only.
 * Invariant: every part is written, listed as dropped, or refused by its place.
 */
#include "data-plane/dialect/back_openai.h"

#define MEDIA_REMEDY "Send text, image, input_audio or file (PDF or text) parts."

struct writer {
    struct dialect_call *call;
    struct json_writer *w;
    bool marks; /* the service takes cache marks */
};

/* Words of a text, of a refusal, or of a document that is sent as words. */
static bool is_words(const struct chat_part *part)
{
    return part->kind == CHAT_PART_TEXT || part->kind == CHAT_PART_REFUSAL ||
           (part->kind == CHAT_PART_FILE && (part->media.source == CHAT_SOURCE_TEXT ||
                                             (part->media.source == CHAT_SOURCE_DATA &&
                                              str_starts_nocase(part->media.mime, STR("text/")))));
}

static bool is_media(const struct chat_part *part)
{
    return !is_words(part) && (part->kind == CHAT_PART_IMAGE || part->kind == CHAT_PART_AUDIO ||
                               part->kind == CHAT_PART_FILE || part->kind == CHAT_PART_NATIVE);
}

/* Of the message's own content: not thinking, calls or results. */
static bool is_content(const struct chat_part *part)
{
    return is_words(part) || is_media(part);
}

/* --- words */

/* What a document says, with what it is in front of it. */
static enum status add_document(struct writer *wr, const struct chat_part *part)
{
    const struct chat_text heads[] = {part->name, part->about};
    struct chat_text words;
    enum status status = chat_media_words(wr->call->arena, &part->media, &words);
    if (status == ST_INVALID)
        return dialect_refuse_part(wr->call, part->place, "this text file",
                                   "Send base64 of UTF-8 text, or the words as a text part.");
    TRY(status);
    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        if (chat_text_is_empty(heads[i]))
            continue;
        buf_add_str(wr->w->buf, chat_text_inner(heads[i]));
        buf_add_lit(wr->w->buf, "\\n\\n");
    }
    buf_add_str(wr->w->buf, chat_text_inner(words));
    return ST_OK;
}

static enum status add_words(struct writer *wr, const struct chat_part *part)
{
    if (part->kind == CHAT_PART_FILE)
        return add_document(wr, part);
    buf_add_str(wr->w->buf, chat_text_inner(part->text));
    return ST_OK;
}

/* All words of a list as one JSON string. */
static enum status write_string(struct writer *wr, const struct chat_parts *parts)
{
    bool any = false;
    jw_raw(wr->w, STR("\""));
    for (const struct chat_part *part = parts->first; part != NULL; part = part->next) {
        if (!is_words(part) || (part->kind != CHAT_PART_FILE && chat_text_is_empty(part->text)))
            continue;
        if (any)
            buf_add_lit(wr->w->buf, "\\n\\n");
        any = true;
        TRY(add_words(wr, part));
    }
    buf_add_char(wr->w->buf, '"');
    return ST_OK;
}

/* --- parts */

static void write_url(struct writer *wr, const struct chat_media *media, struct str mime)
{
    jw_raw(wr->w, STR("\""));
    if (media->source == CHAT_SOURCE_DATA) {
        buf_add_lit(wr->w->buf, "data:");
        buf_add_str(wr->w->buf, mime);
        buf_add_lit(wr->w->buf, ";base64,");
    }
    buf_add_str(wr->w->buf, media->inner);
    buf_add_char(wr->w->buf, '"');
}

static enum status write_image(struct writer *wr, const struct chat_part *part)
{
    const struct chat_media *media = &part->media;
    if (media->source == CHAT_SOURCE_ID)
        return dialect_refuse_part(wr->call, part->place, "images by the id of a file",
                                   "Send the image's data or its URL.");
    jw_field_cstr(wr->w, "type", "image_url");
    jw_key(wr->w, "image_url");
    jw_object(wr->w);
    jw_key(wr->w, "url");
    write_url(wr, media, media->mime.n > 0 ? media->mime : STR("image/png"));
    if (!chat_text_is_empty(media->detail))
        jw_field_raw(wr->w, "detail", media->detail.raw);
    jw_end(wr->w);
    return ST_OK;
}

static enum status write_audio(struct writer *wr, const struct chat_part *part)
{
    struct str format = str_from(part->media.mime, 6);
    if (str_eq(format, STR("mpeg")))
        format = STR("mp3");
    if (part->media.source != CHAT_SOURCE_DATA || !str_starts(part->media.mime, STR("audio/")))
        return dialect_refuse_part(wr->call, part->place, "this audio", MEDIA_REMEDY);
    jw_field_cstr(wr->w, "type", "input_audio");
    jw_key(wr->w, "input_audio");
    jw_object(wr->w);
    jw_key(wr->w, "data");
    write_url(wr, &(struct chat_media){.source = CHAT_SOURCE_URL, .inner = part->media.inner},
              STR(""));
    jw_field_str(wr->w, "format", format);
    jw_end(wr->w);
    return ST_OK;
}

static enum status write_file(struct writer *wr, const struct chat_part *part)
{
    const struct chat_media *media = &part->media;
    struct str mime = media->mime.n > 0 ? media->mime : STR("application/pdf");
    if (media->source == CHAT_SOURCE_DATA && str_starts_nocase(mime, STR("image/")))
        return write_image(wr, part);
    if (media->source == CHAT_SOURCE_URL)
        return dialect_refuse_part(wr->call, part->place, "documents by URL",
                                   "Send the document's data.");
    jw_field_cstr(wr->w, "type", "file");
    jw_key(wr->w, "file");
    jw_object(wr->w);
    jw_key(wr->w, media->source == CHAT_SOURCE_ID ? "file_id" : "file_data");
    write_url(wr, media, mime);
    if (media->source == CHAT_SOURCE_DATA)
        jw_field_raw(wr->w, "filename",
                     chat_text_is_empty(part->name) ? STR("\"document.pdf\"") : part->name.raw);
    jw_end(wr->w);
    return ST_OK;
}

static enum status write_text(struct writer *wr, const struct chat_part *part)
{
    jw_field_cstr(wr->w, "type", "text");
    jw_key(wr->w, "text");
    jw_raw(wr->w, STR("\""));
    TRY(add_words(wr, part));
    buf_add_char(wr->w->buf, '"');
    return ST_OK;
}

static enum status write_part(struct writer *wr, const struct chat_part *part)
{
    enum status status = ST_OK;
    if (part->kind == CHAT_PART_NATIVE)
        return dialect_refuse_part(wr->call, part->place, "parts of this type", MEDIA_REMEDY);
    jw_object(wr->w);
    if (is_words(part))
        status = write_text(wr, part);
    else if (part->kind == CHAT_PART_IMAGE)
        status = write_image(wr, part);
    else if (part->kind == CHAT_PART_AUDIO)
        status = write_audio(wr, part);
    else
        status = write_file(wr, part);
    TRY(status);
    if (part->cache != NULL && wr->marks)
        jw_field_raw(wr->w, "cache_control", part->cache->raw);
    jw_end(wr->w);
    return ST_OK;
}

/* "content": a string where words are all there is. */
static enum status write_content(struct writer *wr, const struct chat_parts *parts)
{
    bool list = false;
    for (const struct chat_part *part = parts->first; part != NULL; part = part->next)
        list = list || is_media(part) || (part->cache != NULL && wr->marks && is_words(part));
    jw_key(wr->w, "content");
    if (!list)
        return write_string(wr, parts);
    jw_array(wr->w);
    for (const struct chat_part *part = parts->first; part != NULL; part = part->next)
        if (is_content(part))
            TRY(write_part(wr, part));
    jw_end(wr->w);
    return ST_OK;
}

/* --- results of tools */

static bool has_media(const struct chat_part *result)
{
    for (const struct chat_part *part = result->parts.first; part != NULL; part = part->next)
        if (is_media(part))
            return true;
    return false;
}

static enum status write_result(struct writer *wr, const struct chat_part *result)
{
    bool words = false;
    for (const struct chat_part *part = result->parts.first; part != NULL; part = part->next)
        words = words || is_words(part);
    jw_object(wr->w);
    jw_field_cstr(wr->w, "role", "tool");
    jw_field_raw(wr->w, "tool_call_id", result->id.raw);
    if (!words && has_media(result)) {
        jw_field_cstr(wr->w, "content", "The result is in the next message of the user.");
    } else {
        jw_key(wr->w, "content");
        TRY(write_string(wr, &result->parts));
    }
    jw_end(wr->w);
    if (result->failed)
        dialect_drop(wr->call, "messages.is_error");
    return ST_OK;
}

/* Media of results, then the message's own parts. */
static enum status write_user_list(struct writer *wr, const struct chat_message *message)
{
    jw_key(wr->w, "content");
    jw_array(wr->w);
    for (const struct chat_part *part = message->parts.first; part != NULL; part = part->next)
        for (const struct chat_part *inside =
                 part->kind == CHAT_PART_TOOL_RESULT ? part->parts.first : NULL;
             inside != NULL; inside = inside->next)
            if (is_media(inside))
                TRY(write_part(wr, inside));
    for (const struct chat_part *part = message->parts.first; part != NULL; part = part->next)
        if (is_content(part))
            TRY(write_part(wr, part));
    jw_end(wr->w);
    return ST_OK;
}

static enum status write_user(struct writer *wr, const struct chat_message *message)
{
    bool rest = false, media = false, results = false;
    for (const struct chat_part *part = message->parts.first; part != NULL; part = part->next) {
        rest = rest || is_content(part);
        if (part->kind != CHAT_PART_TOOL_RESULT)
            continue;
        results = true;
        media = media || has_media(part);
        TRY(write_result(wr, part));
    }
    if (!rest && !media && results)
        return ST_OK;
    jw_object(wr->w);
    jw_field_cstr(wr->w, "role", "user");
    TRY(media ? write_user_list(wr, message) : write_content(wr, &message->parts));
    if (chat_has(message->name))
        jw_field_raw(wr->w, "name", message->name.raw);
    jw_end(wr->w);
    return ST_OK;
}

/* --- the assistant */

static enum status write_call(struct writer *wr, const struct chat_part *part)
{
    struct chat_text arguments = chat_arguments_text(wr->call->arena, part->json);
    struct chat_text name = back_openai_name(wr->call->arena, part->name);
    if (!chat_has(arguments) || !chat_has(name))
        return ST_NO_MEMORY;
    jw_object(wr->w);
    jw_field_raw(wr->w, "id", part->id.raw);
    jw_field_cstr(wr->w, "type", "function");
    jw_key(wr->w, "function");
    jw_object(wr->w);
    jw_field_raw(wr->w, "name", name.raw);
    jw_field_raw(wr->w, "arguments", chat_text_is_empty(arguments) ? STR("\"{}\"") : arguments.raw);
    jw_end(wr->w);
    if (chat_has(part->signature) && str_eq(part->origin, STR("google-gemini-v1"))) {
        jw_key(wr->w, "extra_content");
        jw_object(wr->w);
        jw_key(wr->w, "google");
        jw_object(wr->w);
        jw_field_raw(wr->w, "thought_signature", part->signature.raw);
        jw_end(wr->w);
        jw_end(wr->w);
    }
    jw_end(wr->w);
    return ST_OK;
}

static enum status write_calls(struct writer *wr, const struct chat_message *message)
{
    bool any = false;
    for (const struct chat_part *part = message->parts.first; part != NULL; part = part->next) {
        if (part->kind != CHAT_PART_TOOL_CALL)
            continue;
        if (!any) {
            jw_key(wr->w, "tool_calls");
            jw_array(wr->w);
        }
        any = true;
        TRY(write_call(wr, part));
    }
    if (any)
        jw_end(wr->w);
    return ST_OK;
}

/* Words of earlier thinking, for services that go on from them. */
static void write_thinking(struct writer *wr, const struct chat_message *message)
{
    const struct back_openai *state = wr->call->back_state;
    bool back = (state->traits & OPENAI_THINKING_BACK) != 0, any = false;
    for (const struct chat_part *part = message->parts.first; part != NULL; part = part->next) {
        if (part->kind == CHAT_PART_REDACTED || (part->kind == CHAT_PART_THINKING && !back))
            dialect_drop(wr->call, wr->call->front->thinking);
        if (part->kind != CHAT_PART_THINKING || !back)
            continue;
        if (!any) {
            jw_key(wr->w, "reasoning_content");
            jw_raw(wr->w, STR("\""));
        }
        any = true;
        buf_add_str(wr->w->buf, chat_text_inner(part->text));
    }
    if (any)
        buf_add_char(wr->w->buf, '"');
}

static enum status write_assistant(struct writer *wr, const struct chat_message *message)
{
    bool content = false, calls = false;
    for (const struct chat_part *part = message->parts.first; part != NULL; part = part->next) {
        content = content || is_content(part);
        calls = calls || part->kind == CHAT_PART_TOOL_CALL;
        if (is_media(part))
            return dialect_refuse_part(wr->call, part->place, "this in an assistant's message",
                                       "Send text and tool calls.");
    }
    jw_object(wr->w);
    jw_field_cstr(wr->w, "role", "assistant");
    if (content || !calls) {
        TRY(write_content(wr, &message->parts));
    } else {
        jw_key(wr->w, "content");
        jw_null(wr->w);
    }
    if (chat_has(message->name))
        jw_field_raw(wr->w, "name", message->name.raw);
    write_thinking(wr, message);
    TRY(write_calls(wr, message));
    jw_end(wr->w);
    return ST_OK;
}

/* --- all of them */

static enum status write_system(struct writer *wr, const struct chat_message *message)
{
    for (const struct chat_part *part = message->parts.first; part != NULL; part = part->next)
        if (!is_words(part))
            return dialect_refuse_part(wr->call, part->place, "this in a system message",
                                       "Send text.");
    jw_object(wr->w);
    jw_field_cstr(wr->w, "role", "system");
    TRY(write_content(wr, &message->parts));
    if (chat_has(message->name))
        jw_field_raw(wr->w, "name", message->name.raw);
    jw_end(wr->w);
    return ST_OK;
}

static void list_dropped(struct writer *wr, const struct chat_parts *parts)
{
    for (const struct chat_part *part = parts->first; part != NULL; part = part->next) {
        if (part->cache != NULL && !wr->marks)
            dialect_drop(wr->call, "messages.cache_control");
        if (part->citing != NULL)
            dialect_drop(wr->call, "messages.citations");
        if (!chat_text_is_empty(part->about) && !is_words(part))
            dialect_drop(wr->call, "messages.context");
        list_dropped(wr, &part->parts);
    }
}

enum status back_openai_messages(struct dialect_call *call, struct json_writer *w)
{
    const struct back_openai *state = call->back_state;
    struct writer wr = {call, w, (state->traits & OPENAI_CACHE_MARKS) != 0};
    bool inside = (state->traits & OPENAI_SYSTEM_INSIDE) != 0;
    jw_key(w, "messages");
    jw_array(w);
    for (const struct chat_message *m = inside ? NULL : call->chat->messages; m != NULL; m = m->next)
        if (m->role == CHAT_ROLE_SYSTEM)
            TRY(write_system(&wr, m));
    for (const struct chat_message *m = call->chat->messages; m != NULL; m = m->next) {
        list_dropped(&wr, &m->parts);
        if (m->role == CHAT_ROLE_SYSTEM && inside)
            TRY(write_system(&wr, m));
        else if (m->role == CHAT_ROLE_USER)
            TRY(write_user(&wr, m));
        else if (m->role == CHAT_ROLE_ASSISTANT)
            TRY(write_assistant(&wr, m));
    }
    jw_end(w);
    return ST_OK;
}
