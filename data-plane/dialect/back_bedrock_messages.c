/* back_bedrock_messages.c: system and messages of a Converse request.
 *
 *   SYSTEM, wherever it stands                     -> "system", in order
 *   neighbours of one role, and what says nothing  -> one turn, results of tools first
 *   blank words, unsigned thinking, others' proofs -> left out (Converse refuses blank ones)
 *   calls and results where no tool is declared    -> words, because Converse refuses them there
 *
 * Converse wants turns that alternate and a list of blocks in each. Invariant: every part of the
 * caller's messages is written, listed as dropped, or refused by its place.
 */
#include "data-plane/dialect/back_bedrock.h"
#include "data-plane/dialect/back_openai.h"

#define ID_MAX    64 /* bytes of a toolUseId */
#define ID_KEPT   47
#define FNV_BASIS 14695981039346656037ull
#define FNV_PRIME 1099511628211ull

static bool is_thought(const struct chat_part *part)
{
    return part->kind == CHAT_PART_THINKING || part->kind == CHAT_PART_REDACTED;
}

/* Claude's thinking is signed alike wherever it runs; hidden thinking is the service's own. */
static bool is_ours(const struct dialect_call *call, const struct chat_part *part)
{
    bool claude = back_bedrock_state(call)->model.family == BEDROCK_CLAUDE &&
                  part->kind == CHAT_PART_THINKING;
    struct str origin = claude ? STR(BACK_ANTHROPIC_SIGNS) : STR(BACK_BEDROCK_SIGNS);
    return chat_has(part->signature) &&
           (str_eq(part->origin, origin) || (claude && part->origin.n == 0));
}

/* Nothing but blanks, escaped or not. */
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

static bool is_written(const struct dialect_call *call, const struct chat_part *part)
{
    if (part->kind == CHAT_PART_TEXT || part->kind == CHAT_PART_REFUSAL)
        return !is_blank(part->text);
    return !is_thought(part) || is_ours(call, part);
}

void back_bedrock_mark(struct dialect_call *call, struct json_writer *w, const struct json *mark,
                       unsigned trait, const char *field)
{
    const struct json *ttl = json_get(mark, "ttl");
    if (mark == NULL)
        return;
    if ((back_bedrock_state(call)->model.traits & trait) == 0) {
        dialect_drop(call, field);
        return;
    }
    jw_object(w);
    jw_key(w, "cachePoint");
    jw_object(w);
    jw_field_cstr(w, "type", "default");
    if (json_is(ttl, JSON_STRING))
        jw_field_raw(w, "ttl", ttl->raw);
    jw_end(w);
    jw_end(w);
}

static void mark_part(struct dialect_call *call, struct json_writer *w,
                      const struct chat_part *part)
{
    back_bedrock_mark(call, w, part->cache, BEDROCK_CACHE, "messages.cache_control");
}

static void write_text(struct json_writer *w, struct str raw)
{
    jw_object(w);
    jw_field_raw(w, "text", raw);
    jw_end(w);
}

/* --- tools */

/* [A-Za-z0-9_.:-]{1,64}; a call and its result are changed alike. */
static void write_id(struct json_writer *w, struct chat_text id)
{
    struct str inner = chat_text_inner(id);
    size_t kept = inner.n > ID_MAX ? ID_KEPT : inner.n;
    uint64_t hash = FNV_BASIS;
    jw_key(w, "toolUseId");
    jw_raw(w, STR("\""));
    for (size_t i = 0; i < inner.n; i++) {
        char c = inner.p[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '.' || c == ':';
        hash = (hash ^ (unsigned char)c) * FNV_PRIME;
        if (i < kept)
            buf_add_char(w->buf, fine ? c : '_');
    }
    if (kept < inner.n)
        buf_printf(w->buf, "-%016llx", (unsigned long long)hash);
    buf_add_char(w->buf, '"');
}

static enum status refuse_arguments(struct dialect_call *call, const struct chat_part *part)
{
    return dialect_refuse_part(call, part->place, "arguments that are no JSON object",
                               "Send the call as the model made it.");
}

/* "[Called <name> with <arguments>]" */
static enum status tell_call(struct dialect_call *call, struct json_writer *w,
                             const struct chat_part *part)
{
    struct str input;
    enum status status = chat_arguments_object(call->arena, part->json, &input);
    if (status == ST_INVALID)
        return refuse_arguments(call, part);
    TRY(status);
    struct chat_text arguments = chat_arguments_text(call->arena, input);
    struct str text =
        arena_printf(call->arena, "\"[Called " STR_FMT " with " STR_FMT "]\"",
                     STR_ARG(chat_text_inner(part->name)), STR_ARG(chat_text_inner(arguments)));
    if (!chat_has(arguments) || text.p == NULL)
        return ST_NO_MEMORY;
    dialect_drop(call, "messages.tool_calls");
    write_text(w, text);
    return ST_OK;
}

static enum status write_call(struct dialect_call *call, struct json_writer *w,
                              const struct chat_part *part)
{
    struct str input;
    struct chat_text name = back_openai_name(call->arena, part->name);
    enum status status = chat_arguments_object(call->arena, part->json, &input);
    if (status == ST_INVALID)
        return refuse_arguments(call, part);
    TRY(status);
    if (!chat_has(name))
        return ST_NO_MEMORY;
    jw_object(w);
    jw_key(w, "toolUse");
    jw_object(w);
    write_id(w, part->id);
    jw_field_raw(w, "name", name.raw);
    jw_field_raw(w, "input", input);
    jw_end(w);
    jw_end(w);
    return ST_OK;
}

static enum status write_part(struct dialect_call *call, struct json_writer *w,
                              const struct chat_part *part);

static enum status write_inside(struct dialect_call *call, struct json_writer *w,
                                const struct chat_part *result)
{
    for (const struct chat_part *part = result->parts.first; part != NULL; part = part->next) {
        if (!is_written(call, part))
            continue;
        if (part->kind == CHAT_PART_TEXT || part->kind == CHAT_PART_REFUSAL)
            write_text(w, part->text.raw);
        else
            TRY(write_part(call, w, part));
        if (part->cache != NULL && !back_bedrock_state(call)->in_words)
            dialect_drop(call, "messages.content.cache_control"); /* no place inside a result */
    }
    return ST_OK;
}

/* "[Result of <name>]", and the result's own blocks. */
static enum status tell_result(struct dialect_call *call, struct json_writer *w,
                               const struct chat_message *message, const struct chat_part *part)
{
    const struct chat_part *asked = chat_find_call(message, part);
    struct str name = asked == NULL ? STR("a tool") : chat_text_inner(asked->name);
    struct str text = arena_printf(call->arena, "\"[Result of " STR_FMT "%s]\"", STR_ARG(name),
                                   part->failed ? ", an error" : "");
    if (text.p == NULL)
        return ST_NO_MEMORY;
    dialect_drop(call, "messages.tool_calls");
    write_text(w, text);
    return write_inside(call, w, part);
}

static enum status write_result(struct dialect_call *call, struct json_writer *w,
                                const struct chat_part *part)
{
    jw_object(w);
    jw_key(w, "toolResult");
    jw_object(w);
    write_id(w, part->id);
    jw_key(w, "content");
    jw_array(w);
    TRY(write_inside(call, w, part));
    jw_end(w);
    if (part->failed) {
        if ((back_bedrock_state(call)->model.traits & BEDROCK_STATUS) != 0)
            jw_field_cstr(w, "status", "error");
        else
            dialect_drop(call, "messages.content.is_error");
    }
    jw_end(w);
    jw_end(w);
    return ST_OK;
}

/* --- blocks */

static void write_thought(struct json_writer *w, const struct chat_part *part)
{
    jw_object(w);
    jw_key(w, "reasoningContent");
    jw_object(w);
    if (part->kind == CHAT_PART_REDACTED) {
        jw_field_raw(w, "redactedContent", part->signature.raw);
    } else {
        jw_key(w, "reasoningText");
        jw_object(w);
        jw_field_raw(w, "text", chat_has(part->text) ? part->text.raw : STR("\"\""));
        jw_field_raw(w, "signature", part->signature.raw);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

static enum status write_part(struct dialect_call *call, struct json_writer *w,
                              const struct chat_part *part)
{
    switch (part->kind) {
    case CHAT_PART_TEXT:
    case CHAT_PART_REFUSAL:
        write_text(w, part->text.raw);
        return ST_OK;
    case CHAT_PART_THINKING:
    case CHAT_PART_REDACTED:
        write_thought(w, part);
        return ST_OK;
    case CHAT_PART_TOOL_CALL:
        return back_bedrock_state(call)->in_words ? tell_call(call, w, part)
                                                  : write_call(call, w, part);
    case CHAT_PART_TOOL_RESULT:
        return write_result(call, w, part);
    case CHAT_PART_IMAGE:
    case CHAT_PART_FILE:
    case CHAT_PART_AUDIO:
        return back_bedrock_media(call, w, part);
    case CHAT_PART_NATIVE:
        return dialect_refuse_part(call, part->place, "this type of content",
                                   "Send text, image_url, input_audio, file or tool parts.");
    case CHAT_PART_NONE:
        break;
    }
    return ST_INVALID;
}

/* --- turns */

static enum status write_system(struct dialect_call *call, struct json_writer *w)
{
    bool any = false;
    for (const struct chat_message *m = call->chat->messages; m != NULL; m = m->next) {
        for (const struct chat_part *part = m->role == CHAT_ROLE_SYSTEM ? m->parts.first : NULL;
             part != NULL; part = part->next) {
            if (!is_written(call, part))
                continue;
            if (part->kind != CHAT_PART_TEXT)
                return dialect_refuse_part(call, part->place, "this in a system message",
                                           "Send text.");
            if (!any) {
                jw_key(w, "system");
                jw_array(w);
            }
            any = true;
            write_text(w, part->text.raw);
            mark_part(call, w, part);
        }
    }
    if (any)
        jw_end(w);
    return ST_OK;
}

/* Does this message stand in a turn? Not those in "system", nor those that say nothing. */
static bool speaks(const struct dialect_call *call, const struct chat_message *message)
{
    if (message->role == CHAT_ROLE_SYSTEM)
        return false;
    for (const struct chat_part *part = message->parts.first; part != NULL; part = part->next)
        if (is_written(call, part))
            return true;
    return false;
}

static void list_dropped(struct dialect_call *call, const struct chat_message *message)
{
    if (chat_has(message->name) && message->role != CHAT_ROLE_SYSTEM)
        dialect_drop(call, "messages.name");
    for (const struct chat_part *part = message->parts.first; part != NULL; part = part->next)
        if (is_thought(part) && !is_ours(call, part))
            dialect_drop(call, call->front->thinking);
}

static enum status write_message(struct dialect_call *call, struct json_writer *w,
                                 const struct chat_message *message, bool results)
{
    bool in_words = back_bedrock_state(call)->in_words;
    for (const struct chat_part *part = message->parts.first; part != NULL; part = part->next) {
        bool result = part->kind == CHAT_PART_TOOL_RESULT;
        if (result != results || !is_written(call, part))
            continue;
        TRY(result && in_words ? tell_result(call, w, message, part) : write_part(call, w, part));
        if (!is_thought(part))
            mark_part(call, w, part);
    }
    return ST_OK;
}

/* The messages from `from` up to `end`, as far as they speak, are one turn. */
static enum status write_turn(struct dialect_call *call, struct json_writer *w,
                              const struct chat_message *from, const struct chat_message *end)
{
    jw_object(w);
    jw_field_cstr(w, "role", from->role == CHAT_ROLE_ASSISTANT ? "assistant" : "user");
    jw_key(w, "content");
    jw_array(w);
    for (unsigned results = 2; results-- > 0;)
        for (const struct chat_message *m = from; m != end; m = m->next)
            if (speaks(call, m))
                TRY(write_message(call, w, m, results == 1));
    jw_end(w);
    jw_end(w);
    return ST_OK;
}

enum status back_bedrock_messages(struct dialect_call *call, struct json_writer *w)
{
    const struct chat_message *from = call->chat->messages, *end;
    TRY(write_system(call, w));
    jw_key(w, "messages");
    jw_array(w);
    for (const struct chat_message *m = from; m != NULL; m = m->next)
        list_dropped(call, m);
    for (; from != NULL; from = end) {
        end = from->next;
        if (!speaks(call, from))
            continue;
        while (end != NULL && (end->role == from->role || !speaks(call, end)))
            end = end->next;
        TRY(write_turn(call, w, from, end));
    }
    jw_end(w);
    return ST_OK;
}
