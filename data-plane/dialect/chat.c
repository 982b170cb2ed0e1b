/* chat.c: small tools over words, arguments and places (chat.h).
 *
 * Invariant: a chat_text is always a valid JSON string with its quotes. It comes from the
 * validating parser or is made here by quoting; nothing else may build one. What crosses between
 * the two forms (a call's arguments are a string with one provider and an object with another) is
 * proved before it is spliced into a document.
 */
#include "data-plane/dialect/chat.h"

#include <stdio.h>

#include "common/json_write.h"

#define QUOTED_MAX (64u * 1024u * 1024u)

struct chat_message *chat_add_message(struct arena *arena, struct chat *chat, enum chat_role role,
                                      uint32_t at)
{
    struct chat_message *message = arena_calloc(arena, 1, sizeof *message);
    if (message == NULL)
        return NULL;
    message->role = role;
    message->at = at;
    message->asked = chat->last_assistant;
    if (chat->last_message == NULL)
        chat->messages = message;
    else
        chat->last_message->next = message;
    chat->last_message = message;
    if (role == CHAT_ROLE_ASSISTANT)
        chat->last_assistant = message;
    return message;
}

struct chat_part *chat_add_part(struct arena *arena, struct chat_parts *parts,
                                enum chat_part_kind kind)
{
    struct chat_part *part = arena_calloc(arena, 1, sizeof *part);
    if (part == NULL)
        return NULL;
    part->kind = kind;
    if (parts->last == NULL)
        parts->first = part;
    else
        parts->last->next = part;
    parts->last = part;
    return part;
}

struct chat_tool *chat_add_tool(struct arena *arena, struct chat *chat)
{
    struct chat_tool *tool = arena_calloc(arena, 1, sizeof *tool);
    if (tool == NULL)
        return NULL;
    if (chat->last_tool == NULL)
        chat->tools = tool;
    else
        chat->last_tool->next = tool;
    chat->last_tool = tool;
    return tool;
}

enum status chat_add_extra(struct arena *arena, struct chat *chat, const struct json *member)
{
    struct chat_extra *extra = arena_calloc(arena, 1, sizeof *extra);
    if (extra == NULL)
        return ST_NO_MEMORY;
    extra->value = member;
    if (chat->last_extra == NULL)
        chat->extras = extra;
    else
        chat->last_extra->next = extra;
    chat->last_extra = extra;
    return ST_OK;
}

enum status chat_leave_out(struct arena *arena, struct chat *chat, const char *field)
{
    struct chat_left **link = &chat->left_out;
    while (*link != NULL && strcmp((*link)->field, field) != 0)
        link = &(*link)->next;
    if (*link != NULL)
        return ST_OK;
    *link = arena_calloc(arena, 1, sizeof **link);
    if (*link == NULL)
        return ST_NO_MEMORY;
    (*link)->field = field;
    return ST_OK;
}

struct chat_text chat_text_of(const struct json *node)
{
    return json_is(node, JSON_STRING) ? (struct chat_text){node->raw} : CHAT_TEXT_NONE;
}

struct chat_text chat_text_quote(struct arena *arena, struct str plain)
{
    struct buf buf;
    struct json_writer w;
    struct chat_text text = CHAT_TEXT_NONE;
    buf_init(&buf, QUOTED_MAX);
    jw_init(&w, &buf);
    jw_str(&w, plain);
    if (buf_status(&buf) == ST_OK)
        text.raw = arena_str(arena, buf_str(&buf));
    buf_free(&buf);
    return text;
}

struct chat_text chat_text_copy(struct arena *arena, struct chat_text text)
{
    return chat_has(text) ? (struct chat_text){arena_str(arena, text.raw)} : CHAT_TEXT_NONE;
}

enum status chat_text_plain(struct arena *arena, struct chat_text text, struct str *plain)
{
    char *room = NULL;
    if (!chat_has(text)) {
        *plain = STR("");
        return ST_OK;
    }
    if (memchr(text.raw.p, '\\', text.raw.n) != NULL) {
        room = arena_alloc(arena, text.raw.n);
        if (room == NULL)
            return ST_NO_MEMORY;
    }
    return json_unescape(text.raw, room, plain);
}

static const char *const efforts[] = {
    [CHAT_EFFORT_UNSAID] = "", [CHAT_EFFORT_NONE] = "none",   [CHAT_EFFORT_MINIMAL] = "minimal",
    [CHAT_EFFORT_LOW] = "low", [CHAT_EFFORT_MEDIUM] = "medium", [CHAT_EFFORT_HIGH] = "high",
    [CHAT_EFFORT_XHIGH] = "xhigh", [CHAT_EFFORT_MAX] = "max"};

enum chat_effort chat_effort_of(struct str word)
{
    for (unsigned effort = CHAT_EFFORT_NONE; effort < COUNT_OF(efforts); effort++)
        if (str_eq(word, str_c(efforts[effort])))
            return (enum chat_effort)effort;
    return CHAT_EFFORT_UNSAID;
}

const char *chat_effort_word(enum chat_effort effort)
{
    return efforts[effort];
}

enum status chat_arguments_object(struct arena *arena, struct str json, struct str *object)
{
    struct str text = json;
    enum json_type type;
    if (json.n > 0 && json.p[0] == '"')
        TRY(chat_text_plain(arena, (struct chat_text){json}, &text));
    text = str_trim(text);
    if (text.n == 0) {
        *object = STR("{}");
        return ST_OK;
    }
    if (text.p[0] != '{' || json_scan_value(text, &type, NULL) != ST_OK)
        return ST_INVALID;
    *object = text;
    return ST_OK;
}

struct chat_text chat_arguments_text(struct arena *arena, struct str json)
{
    if (json.n > 0 && json.p[0] == '"')
        return (struct chat_text){json};
    return chat_text_quote(arena, json.n == 0 ? STR("{}") : json);
}

const struct chat_part *chat_find_call(const struct chat_message *message,
                                       const struct chat_part *result)
{
    const struct chat_part *part = message->asked == NULL ? NULL : message->asked->parts.first;
    while (part != NULL &&
           (part->kind != CHAT_PART_TOOL_CALL || !str_eq(part->id.raw, result->id.raw)))
        part = part->next;
    return part;
}

struct str chat_place_text(struct arena *arena, struct chat_place place)
{
    char at[16] = "", item[16] = "";
    struct str dot = STR(".");
    if (place.list == NULL)
        return STR("");
    if (place.at != CHAT_NO_INDEX)
        snprintf(at, sizeof at, "[%u]", place.at);
    if (place.item != CHAT_NO_INDEX)
        snprintf(item, sizeof item, "[%u]", place.item);
    const struct str pieces[] = {str_c(place.list), str_c(at), place.field == NULL ? STR("") : dot,
                                 place.field == NULL ? STR("") : str_c(place.field), str_c(item)};
    struct str text = arena_join(arena, pieces, COUNT_OF(pieces));
    return text.p == NULL ? STR("") : text;
}
