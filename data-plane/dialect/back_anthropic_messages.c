/* back_anthropic_messages.c: system and messages of a Messages request.
 *
 *   SYSTEM in front, or where the model takes none inside -> "system", in order
 *   neighbours of one role -> one turn, results of tools first (the API wants them there)
 *   blank words, unsigned thinking, others' signatures    -> left out
 *
 * Invariant: every part of the caller's messages is written, listed as dropped, or refused by its
 * place. Blank texts are no loss: the API refuses them and they say nothing.
 */
#include "data-plane/dialect/back_anthropic.h"

#define DOCUMENT_REMEDY "Send text, image_url, file (PDF or plain text) or tool parts."

static const struct back_anthropic *state_of(const struct dialect_call *call)
{
    return call->back_state;
}

static bool is_ours(const struct chat_part *part)
{
    return chat_has(part->signature) &&
           (part->origin.n == 0 || str_eq(part->origin, STR(BACK_ANTHROPIC_SIGNS)));
}

/* Nothing but blanks, escaped or not: the API refuses such a text. */
static bool is_blank(struct chat_text text)
{
    struct str inner = chat_text_inner(text);
    for (size_t i = 0; i < inner.n; i++) {
        if (inner.p[i] == ' ')
            continue;
        if (inner.p[i] != '\\' || i + 1 == inner.n || strchr("nrt", inner.p[++i]) == NULL)
            return false;
    }
    return true;
}

/* Does this part become a block? */
static bool is_written(const struct chat_part *part)
{
    switch (part->kind) {
    case CHAT_PART_TEXT:
    case CHAT_PART_REFUSAL:
        return !is_blank(part->text);
    case CHAT_PART_THINKING:
    case CHAT_PART_REDACTED:
        return is_ours(part);
    default:
        return true;
    }
}

static void write_cache(struct json_writer *w, const struct chat_part *part)
{
    if (part->cache != NULL)
        jw_field_raw(w, "cache_control", part->cache->raw);
}

static void begin_block(struct json_writer *w, const char *type)
{
    jw_object(w);
    jw_field_cstr(w, "type", type);
}

static void end_block(struct json_writer *w, const struct chat_part *part)
{
    write_cache(w, part);
    jw_end(w);
}

/* The API takes ids of letters, digits, _ and -; a call and its result are changed alike. */
static void write_id(struct json_writer *w, const char *key, struct chat_text id)
{
    struct str inner = chat_text_inner(id);
    jw_key(w, key);
    jw_raw(w, STR("\""));
    for (size_t i = 0; i < inner.n; i++) {
        char c = inner.p[i];
        bool fine =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
        buf_add_char(w->buf, fine ? c : '_');
    }
    buf_add_char(w->buf, '"');
}

static void write_inner(struct json_writer *w, const char *key, struct str inner)
{
    jw_key(w, key);
    jw_raw(w, STR("\""));
    buf_add_str(w->buf, inner);
    buf_add_char(w->buf, '"');
}

/* --- images and documents */

static void write_source(struct json_writer *w, const struct chat_media *media, struct str mime)
{
    static const char *const types[] = {[CHAT_SOURCE_DATA] = "base64",
                                        [CHAT_SOURCE_URL] = "url",
                                        [CHAT_SOURCE_ID] = "file",
                                        [CHAT_SOURCE_TEXT] = "text"};
    static const char *const keys[] = {[CHAT_SOURCE_DATA] = "data",
                                       [CHAT_SOURCE_URL] = "url",
                                       [CHAT_SOURCE_ID] = "file_id",
                                       [CHAT_SOURCE_TEXT] = "data"};
    jw_key(w, "source");
    jw_object(w);
    jw_field_cstr(w, "type", types[media->source]);
    if (media->source == CHAT_SOURCE_DATA || media->source == CHAT_SOURCE_TEXT)
        jw_field_str(w, "media_type", mime);
    write_inner(w, keys[media->source], media->inner);
    jw_end(w);
}

static enum status write_image(struct dialect_call *call, struct json_writer *w,
                               const struct chat_part *part)
{
    const struct chat_media *media = &part->media;
    bool data = media->source == CHAT_SOURCE_DATA;
    struct str mime =
        str_eq_nocase(media->mime, STR("image/jpg")) ? STR("image/jpeg") : media->mime;
    if (data && !str_starts_nocase(mime, STR("image/")))
        return dialect_refuse_part(call, part->place, "this type of image",
                                   "Send image/jpeg, image/png, image/gif or image/webp.");
    if (!chat_text_is_empty(media->detail) && !str_eq(media->detail.raw, STR("\"auto\"")))
        dialect_drop(call, "image_url.detail");
    begin_block(w, "image");
    write_source(w, media, mime);
    end_block(w, part);
    return ST_OK;
}

/* The API takes a plain document's words, not their base64. */
static enum status decode_text(struct dialect_call *call, const struct chat_part *part,
                               struct chat_media *out)
{
    struct chat_text words;
    enum status status = chat_media_words(call->arena, &part->media, &words);
    if (status == ST_INVALID)
        return dialect_refuse_part(call, part->place, "this text file",
                                   "Send base64 of UTF-8 text, or the words as a text part.");
    TRY(status);
    *out = (struct chat_media){.source = CHAT_SOURCE_TEXT, .inner = chat_text_inner(words)};
    return ST_OK;
}

static enum status write_file(struct dialect_call *call, struct json_writer *w,
                              const struct chat_part *part)
{
    struct chat_media media = part->media;
    struct str mime = media.mime.n > 0 ? media.mime : STR("application/pdf");
    if (media.source == CHAT_SOURCE_DATA && str_starts_nocase(mime, STR("image/")))
        return write_image(call, w, part);
    if (media.source == CHAT_SOURCE_DATA && str_starts_nocase(mime, STR("text/"))) {
        TRY(decode_text(call, part, &media));
        mime = STR("text/plain");
    } else if (media.source == CHAT_SOURCE_TEXT) {
        mime = STR("text/plain");
    } else if (media.source == CHAT_SOURCE_DATA && !str_eq_nocase(mime, STR("application/pdf"))) {
        return dialect_refuse_part(call, part->place, "this type of file", DOCUMENT_REMEDY);
    }
    begin_block(w, "document");
    write_source(w, &media, mime);
    if (!chat_text_is_empty(part->name))
        jw_field_raw(w, "title", part->name.raw);
    if (!chat_text_is_empty(part->about))
        jw_field_raw(w, "context", part->about.raw);
    if (part->citing != NULL)
        jw_field_raw(w, "citations", part->citing->raw);
    end_block(w, part);
    return ST_OK;
}

/* --- blocks */

static enum status write_part(struct dialect_call *call, struct json_writer *w,
                              const struct chat_part *part);

static enum status write_tool_call(struct dialect_call *call, struct json_writer *w,
                                   const struct chat_part *part)
{
    struct str input;
    enum status status = chat_arguments_object(call->arena, part->json, &input);
    if (status == ST_INVALID)
        return dialect_refuse_part(call, part->place, "arguments that are no JSON object",
                                   "Send the call as the model made it.");
    TRY(status);
    begin_block(w, "tool_use");
    write_id(w, "id", part->id);
    jw_field_raw(w, "name", part->name.raw);
    jw_field_raw(w, "input", input);
    end_block(w, part);
    return ST_OK;
}

static enum status write_tool_result(struct dialect_call *call, struct json_writer *w,
                                     const struct chat_part *part)
{
    bool any = false;
    begin_block(w, "tool_result");
    write_id(w, "tool_use_id", part->id);
    for (const struct chat_part *inside = part->parts.first; inside != NULL;
         inside = inside->next) {
        if (!is_written(inside))
            continue;
        if (!any) {
            jw_key(w, "content");
            jw_array(w);
        }
        any = true;
        TRY(write_part(call, w, inside));
    }
    if (any)
        jw_end(w);
    if (part->failed)
        jw_field_bool(w, "is_error", true);
    end_block(w, part);
    return ST_OK;
}

static enum status write_thinking(struct json_writer *w, const struct chat_part *part)
{
    if (part->kind == CHAT_PART_REDACTED) {
        begin_block(w, "redacted_thinking");
        jw_field_raw(w, "data", part->signature.raw);
    } else {
        begin_block(w, "thinking");
        jw_field_raw(w, "thinking", chat_has(part->text) ? part->text.raw : STR("\"\""));
        jw_field_raw(w, "signature", part->signature.raw);
    }
    jw_end(w);
    return ST_OK;
}

static enum status write_part(struct dialect_call *call, struct json_writer *w,
                              const struct chat_part *part)
{
    switch (part->kind) {
    case CHAT_PART_TEXT:
    case CHAT_PART_REFUSAL:
        begin_block(w, "text");
        jw_field_raw(w, "text", part->text.raw);
        end_block(w, part);
        return ST_OK;
    case CHAT_PART_THINKING:
    case CHAT_PART_REDACTED:
        return write_thinking(w, part);
    case CHAT_PART_TOOL_CALL:
        return write_tool_call(call, w, part);
    case CHAT_PART_TOOL_RESULT:
        return write_tool_result(call, w, part);
    case CHAT_PART_IMAGE:
        return write_image(call, w, part);
    case CHAT_PART_FILE:
        return write_file(call, w, part);
    case CHAT_PART_NATIVE:
        jw_raw(w, part->json);
        return ST_OK;
    case CHAT_PART_AUDIO:
        return dialect_refuse_part(call, part->place, "audio", DOCUMENT_REMEDY);
    case CHAT_PART_NONE:
        break;
    }
    return ST_INVALID;
}

/* --- turns */

/* Is this system message said in "system" rather than where it stands? */
static bool is_on_top(const struct dialect_call *call, const struct chat_message *message)
{
    return message->role == CHAT_ROLE_SYSTEM &&
           (!state_of(call)->model.system_inside || message->asked == NULL);
}

static enum status write_system(struct dialect_call *call, struct json_writer *w)
{
    bool any = false;
    for (const struct chat_message *m = call->chat->messages; m != NULL; m = m->next) {
        for (const struct chat_part *part = is_on_top(call, m) ? m->parts.first : NULL;
             part != NULL; part = part->next) {
            if (!is_written(part))
                continue;
            if (part->kind != CHAT_PART_TEXT)
                return dialect_refuse_part(call, part->place, "this in a system message",
                                           "Send text.");
            if (!any) {
                jw_key(w, "system");
                jw_array(w);
            }
            any = true;
            TRY(write_part(call, w, part));
        }
    }
    if (any)
        jw_end(w);
    return ST_OK;
}

static void list_dropped(struct dialect_call *call, const struct chat_message *message)
{
    if (chat_has(message->name) && message->role != CHAT_ROLE_SYSTEM)
        dialect_drop(call, "messages.name");
    for (const struct chat_part *part = message->parts.first; part != NULL; part = part->next)
        if ((part->kind == CHAT_PART_THINKING || part->kind == CHAT_PART_REDACTED) &&
            !is_ours(part))
            dialect_drop(call, call->front->thinking);
}

/* The messages from `from` up to `end` are one turn; those on top are not in it. */
static enum status write_parts(struct dialect_call *call, struct json_writer *w,
                               const struct chat_message *from, const struct chat_message *end,
                               bool results, bool *any)
{
    for (const struct chat_message *m = from; m != end; m = m->next) {
        for (const struct chat_part *part = is_on_top(call, m) ? NULL : m->parts.first;
             part != NULL; part = part->next) {
            bool result = part->kind == CHAT_PART_TOOL_RESULT;
            if (result != results || !is_written(part))
                continue;
            *any = true;
            TRY(write_part(call, w, part));
        }
    }
    return ST_OK;
}

static bool has_blocks(const struct dialect_call *call, const struct chat_message *from,
                       const struct chat_message *end)
{
    for (const struct chat_message *m = from; m != end; m = m->next)
        for (const struct chat_part *part = is_on_top(call, m) ? NULL : m->parts.first;
             part != NULL; part = part->next)
            if (is_written(part))
                return true;
    return false;
}

static enum status write_turn(struct dialect_call *call, struct json_writer *w,
                              const struct chat_message *from, const struct chat_message *end)
{
    static const char *const roles[] = {[CHAT_ROLE_SYSTEM] = "system",
                                        [CHAT_ROLE_USER] = "user",
                                        [CHAT_ROLE_ASSISTANT] = "assistant"};
    bool any = false;
    if (from->role != CHAT_ROLE_USER && !has_blocks(call, from, end))
        return ST_OK; /* an assistant who said nothing */
    jw_object(w);
    jw_field_cstr(w, "role", roles[from->role]);
    jw_key(w, "content");
    jw_array(w);
    TRY(write_parts(call, w, from, end, true, &any));
    TRY(write_parts(call, w, from, end, false, &any));
    jw_end(w);
    jw_end(w);
    return ST_OK;
}

enum status back_anthropic_messages(struct dialect_call *call, struct json_writer *w)
{
    const struct chat_message *from = call->chat->messages, *end;
    TRY(write_system(call, w));
    jw_key(w, "messages");
    jw_array(w);
    while (from != NULL) {
        if (is_on_top(call, from)) {
            from = from->next;
            continue;
        }
        for (end = from; end != NULL && (end->role == from->role || is_on_top(call, end));
             end = end->next)
            list_dropped(call, end);
        TRY(write_turn(call, w, from, end));
        from = end;
    }
    jw_end(w);
    return ST_OK;
}
