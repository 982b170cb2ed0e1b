/* back_gemini_messages.c: systemInstruction and contents of a generateContent request.
 *
 *   SYSTEM, wherever it stands       -> systemInstruction, in order (models without one: the first
 *                                       user's words)
 *   neighbours of one role           -> one content, results of functions first
 *   a result                         -> functionResponse, named after the call that it answers
 *   a call's signature               -> thoughtSignature beside it; a message's own -> its last
 * words
 *
 * Invariant: every part of the caller's messages is written, listed as dropped, or refused by its
 * place. Unsigned thinking is left out unlisted: Google does not want it back.
 */
#include "data-plane/dialect/back_gemini.h"

#define CALL_REMEDY "Send the assistant's message with the call that it answers."

/* What Google's guide gives to those whose calls come from another model or lost their signature.
 */
#define NO_SIGNATURE "\"skip_thought_signature_validator\""

static const struct back_gemini *state_of(const struct dialect_call *call)
{
    return call->back_state;
}

static bool is_ours(const struct chat_part *part)
{
    return chat_has(part->signature) && str_eq(part->origin, STR(BACK_GEMINI_SIGNS));
}

/* What stands between the quotes of a text, or of a document that came as words. */
static struct str words_of(const struct chat_part *part)
{
    if (part->kind == CHAT_PART_TEXT || part->kind == CHAT_PART_REFUSAL)
        return chat_text_inner(part->text);
    return part->kind == CHAT_PART_FILE && part->media.source == CHAT_SOURCE_TEXT
               ? part->media.inner
               : STR("");
}

static bool is_words(const struct chat_part *part)
{
    return words_of(part).n > 0;
}

/* Does this part become one of Google's? Signatures that stand alone go to the last words. */
static bool is_written(const struct chat_part *part)
{
    switch (part->kind) {
    case CHAT_PART_TEXT:
    case CHAT_PART_REFUSAL:
        return is_words(part);
    case CHAT_PART_THINKING:
        return is_ours(part);
    case CHAT_PART_REDACTED:
        return false;
    default:
        return true;
    }
}

static void write_text(struct json_writer *w, struct chat_text text)
{
    jw_object(w);
    jw_field_raw(w, "text", text.raw);
    jw_end(w);
}

/* --- calls and results */

static bool is_made_here(struct chat_text id)
{
    return str_starts(chat_text_inner(id), STR(BACK_GEMINI_ID));
}

static enum status write_call(struct dialect_call *call, struct json_writer *w,
                              const struct chat_part *part, bool first)
{
    struct str args;
    enum status status = chat_arguments_object(call->arena, part->json, &args);
    if (status == ST_INVALID)
        return dialect_refuse_part(call, part->place, "arguments that are no JSON object",
                                   "Send the call as the model made it.");
    TRY(status);
    jw_object(w);
    jw_key(w, "functionCall");
    jw_object(w);
    if (!is_made_here(part->id))
        jw_field_raw(w, "id", part->id.raw);
    jw_field_raw(w, "name", part->name.raw);
    jw_field_raw(w, "args", args);
    jw_end(w);
    if (is_ours(part)) {
        jw_field_raw(w, "thoughtSignature", part->signature.raw);
    } else if (first && state_of(call)->model.signed_calls) {
        jw_field_raw(w, "thoughtSignature", STR(NO_SIGNATURE));
        dialect_drop(call, "messages.thought_signature");
    }
    jw_end(w);
    return ST_OK;
}

/* All words of a result as one string. */
static enum status join_words(struct dialect_call *call, const struct chat_part *result,
                              struct chat_text *words)
{
    struct buf joined;
    buf_init(&joined, 64u << 20);
    buf_add_char(&joined, '"');
    for (const struct chat_part *p = result->parts.first; p != NULL; p = p->next)
        if (is_words(p))
            buf_add_str(&joined, words_of(p));
    buf_add_char(&joined, '"');
    enum status status = buf_status(&joined);
    if (status == ST_OK) {
        words->raw = arena_str(call->arena, buf_str(&joined));
        status = chat_has(*words) ? ST_OK : ST_NO_MEMORY;
    }
    buf_free(&joined);
    return status;
}

/* A JSON object is the response itself; other words are its "output", or "error". */
static enum status write_response(struct dialect_call *call, struct json_writer *w,
                                  const struct chat_part *result)
{
    const struct chat_part *only = result->parts.first;
    struct chat_text words = {STR("\"\"")};
    struct str object;
    if (only != NULL && only->next == NULL && chat_has(only->text))
        words = only->text;
    else if (only != NULL)
        TRY(join_words(call, result, &words));
    enum status status = ST_INVALID;
    if (!result->failed && !chat_text_is_empty(words))
        status = chat_arguments_object(call->arena, words.raw, &object);
    if (status == ST_NO_MEMORY)
        return status;
    jw_key(w, "response");
    if (status == ST_OK) {
        jw_raw(w, object);
        return ST_OK;
    }
    jw_object(w);
    jw_field_raw(w, result->failed ? "error" : "output", words.raw);
    jw_end(w);
    return ST_OK;
}

/* What a result has besides words: inside of it where the model takes that, else behind it. */
static enum status write_result_media(struct dialect_call *call, struct json_writer *w,
                                      const struct chat_part *result, bool inside)
{
    bool any = false;
    for (const struct chat_part *p = result->parts.first; p != NULL; p = p->next) {
        if (is_words(p) || !is_written(p))
            continue;
        if (inside && !any) {
            jw_key(w, "parts");
            jw_array(w);
        }
        any = true;
        TRY(back_gemini_media(call, w, p));
    }
    if (inside && any)
        jw_end(w);
    return ST_OK;
}

static enum status write_result(struct dialect_call *call, struct json_writer *w,
                                const struct chat_message *message, const struct chat_part *result)
{
    const struct chat_part *asked = chat_find_call(message, result);
    struct chat_text name = asked != NULL ? asked->name : result->name;
    bool inside = state_of(call)->model.result_parts;
    if (chat_text_is_empty(name))
        return dialect_refuse_part(call, result->place, "a result whose call it cannot see",
                                   CALL_REMEDY);
    jw_object(w);
    jw_key(w, "functionResponse");
    jw_object(w);
    if (!is_made_here(result->id))
        jw_field_raw(w, "id", result->id.raw);
    jw_field_raw(w, "name", name.raw);
    TRY(write_response(call, w, result));
    if (inside)
        TRY(write_result_media(call, w, result, true));
    jw_end(w);
    jw_end(w);
    return inside ? ST_OK : write_result_media(call, w, result, false);
}

/* --- parts */

struct turn {
    const struct chat_message *from, *end;
    struct chat_text signature; /* of the message at hand, for its last words */
    const struct chat_part *last_words;
    bool called; /* a call was written */
};

static enum status write_part(struct dialect_call *call, struct json_writer *w, struct turn *turn,
                              const struct chat_message *message, const struct chat_part *part)
{
    bool first = !turn->called;
    switch (part->kind) {
    case CHAT_PART_TEXT:
    case CHAT_PART_REFUSAL:
    case CHAT_PART_THINKING:
        jw_object(w);
        jw_field_raw(w, "text", chat_has(part->text) ? part->text.raw : STR("\"\""));
        if (part->kind == CHAT_PART_THINKING) {
            jw_field_bool(w, "thought", true);
            jw_field_raw(w, "thoughtSignature", part->signature.raw);
        } else if (part == turn->last_words && chat_has(turn->signature)) {
            jw_field_raw(w, "thoughtSignature", turn->signature.raw);
        }
        jw_end(w);
        return ST_OK;
    case CHAT_PART_TOOL_CALL:
        turn->called = true;
        return write_call(call, w, part, first);
    case CHAT_PART_TOOL_RESULT:
        return write_result(call, w, message, part);
    case CHAT_PART_IMAGE:
    case CHAT_PART_AUDIO:
    case CHAT_PART_FILE:
    case CHAT_PART_NATIVE:
        return back_gemini_media(call, w, part);
    case CHAT_PART_REDACTED:
    case CHAT_PART_NONE:
        break;
    }
    return ST_INVALID;
}

/* The signature that came with words, or with nothing. */
static void find_signature(struct turn *turn, const struct chat_message *message)
{
    turn->signature = CHAT_TEXT_NONE;
    turn->last_words = NULL;
    for (const struct chat_part *part = message->parts.first; part != NULL; part = part->next) {
        if (part->kind == CHAT_PART_REDACTED && is_ours(part))
            turn->signature = part->signature;
        if (is_words(part) && part->kind != CHAT_PART_FILE)
            turn->last_words = part;
    }
}

static void list_dropped(struct dialect_call *call, const struct chat_message *message)
{
    if (chat_has(message->name))
        dialect_drop(call, "messages.name");
    for (const struct chat_part *part = message->parts.first; part != NULL; part = part->next) {
        bool thinks = part->kind == CHAT_PART_THINKING || part->kind == CHAT_PART_REDACTED;
        if (thinks && chat_has(part->signature) && !is_ours(part))
            dialect_drop(call, call->front->thinking);
        if (part->cache != NULL)
            dialect_drop(call, "messages.cache_control");
        if (part->citing != NULL)
            dialect_drop(call, "messages.citations");
    }
}

/* --- turns */

/* Words of the system in front of a conversation whose model has no place for them. */
static void write_system_inside(struct dialect_call *call, struct json_writer *w)
{
    for (const struct chat_message *m = call->chat->messages; m != NULL; m = m->next)
        for (const struct chat_part *p = m->role == CHAT_ROLE_SYSTEM ? m->parts.first : NULL;
             p != NULL; p = p->next)
            if (is_words(p))
                write_text(w, p->text);
}

static enum status write_system(struct dialect_call *call, struct json_writer *w)
{
    bool any = false;
    for (const struct chat_message *m = call->chat->messages; m != NULL; m = m->next) {
        for (const struct chat_part *part = m->role == CHAT_ROLE_SYSTEM ? m->parts.first : NULL;
             part != NULL; part = part->next) {
            if (part->kind != CHAT_PART_TEXT)
                return dialect_refuse_part(call, part->place, "this in a system message",
                                           "Send text.");
            if (!is_words(part) || !state_of(call)->model.system)
                continue;
            if (!any) {
                jw_key(w, "systemInstruction");
                jw_object(w);
                jw_key(w, "parts");
                jw_array(w);
            }
            any = true;
            write_text(w, part->text);
        }
    }
    if (any) {
        jw_end(w);
        jw_end(w);
    }
    return ST_OK;
}

static enum status write_parts(struct dialect_call *call, struct json_writer *w, struct turn *turn,
                               bool results)
{
    for (const struct chat_message *m = turn->from; m != turn->end; m = m->next) {
        if (m->role == CHAT_ROLE_SYSTEM)
            continue;
        find_signature(turn, m);
        turn->called = false;
        for (const struct chat_part *part = m->parts.first; part != NULL; part = part->next)
            if (is_written(part) && (part->kind == CHAT_PART_TOOL_RESULT) == results)
                TRY(write_part(call, w, turn, m, part));
        if (chat_has(turn->signature) && turn->last_words == NULL && !results) {
            jw_object(w);
            jw_field_raw(w, "text", STR("\"\""));
            jw_field_raw(w, "thoughtSignature", turn->signature.raw);
            jw_end(w);
        }
    }
    return ST_OK;
}

static bool has_parts(const struct turn *turn)
{
    for (const struct chat_message *m = turn->from; m != turn->end; m = m->next)
        for (const struct chat_part *part = m->role == CHAT_ROLE_SYSTEM ? NULL : m->parts.first;
             part != NULL; part = part->next)
            if (is_written(part))
                return true;
    return false;
}

static enum status write_turn(struct dialect_call *call, struct json_writer *w, struct turn *turn,
                              bool opening)
{
    bool user = turn->from->role == CHAT_ROLE_USER, any = has_parts(turn);
    if (!user && !any)
        return ST_OK; /* an assistant who said nothing */
    jw_object(w);
    jw_field_cstr(w, "role", user ? "user" : "model");
    jw_key(w, "parts");
    jw_array(w);
    if (opening && user && !state_of(call)->model.system)
        write_system_inside(call, w);
    TRY(write_parts(call, w, turn, true));
    TRY(write_parts(call, w, turn, false));
    if (!any)
        write_text(w, (struct chat_text){STR("\"\"")});
    jw_end(w);
    jw_end(w);
    return ST_OK;
}

enum status back_gemini_contents(struct dialect_call *call, struct json_writer *w)
{
    struct turn turn = {.from = call->chat->messages};
    bool opening = true;
    TRY(write_system(call, w));
    jw_key(w, "contents");
    jw_array(w);
    while (turn.from != NULL) {
        list_dropped(call, turn.from);
        turn.end = turn.from->next;
        if (turn.from->role != CHAT_ROLE_SYSTEM) {
            for (; turn.end != NULL &&
                   (turn.end->role == turn.from->role || turn.end->role == CHAT_ROLE_SYSTEM);
                 turn.end = turn.end->next)
                list_dropped(call, turn.end);
            TRY(write_turn(call, w, &turn, opening));
            opening = opening && turn.from->role != CHAT_ROLE_USER;
        }
        turn.from = turn.end;
    }
    jw_end(w);
    return ST_OK;
}
