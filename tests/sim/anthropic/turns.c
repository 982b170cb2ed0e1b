/* turns.c: Anthropic's rules about the row of messages (messages_check_turns of messages.h).
 *
 * Neighbours of one role are one turn: they are combined before the rules are judged, as the API
 * does
 * ("Consecutive user or assistant turns in your request will be combined"). Then
 *   - the first turn is the user's, and no content is empty (but the last assistant's may be);
 *   - every tool_use of a turn has its tool_result at the front of the next, and none has no
 * tool_use;
 *   - a thought comes back exactly as it was made, and in manual mode an open tool loop begins with
 * one;
 *   - at most 4 marks for the cache, no one-hour mark behind a five-minute one.
 */
#include "tests/sim/anthropic/messages.h"
#include "tests/sim/sim.h"

#define TURNS_MARKS_MAX 4

struct turns {
    const struct messages *messages;
    const struct json *list; /* the messages array */
};

static bool turns_refuse(const struct turns *turns, const char *format, ...) PRINTF_LIKE(2, 3);
static bool turns_refuse(const struct turns *turns, const char *format, ...)
{
    char text[800];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    CHECK(n >= 0);
    call_error(turns->messages->call, 400, NULL, NULL, "%s", text);
    return false;
}

static struct str turns_text(const struct turns *turns, const struct json *node, const char *name)
{
    return call_text(turns->messages->call, node, name);
}

static bool turns_type_is(const struct turns *turns, const struct json *block, const char *type)
{
    return str_eq(turns_text(turns, block, "type"), str_c(type));
}

static bool turns_role_is(const struct turns *turns, const struct json *message, const char *role)
{
    return message != NULL && str_eq(turns_text(turns, message, "role"), str_c(role));
}

/* The first content block of a message; NULL: it has none, or a string. */
static const struct json *turns_blocks(const struct json *message)
{
    const struct json *content = json_get(message, "content");
    return json_is(content, JSON_ARRAY) ? content->first : NULL;
}

static bool turns_check_text(const struct turns *turns, struct str text)
{
    if (text.n == 0)
        return turns_refuse(turns, "messages: text content blocks must be non-empty");
    return str_trim(text).n > 0 ||
           turns_refuse(turns, "messages: text content blocks must contain non-whitespace text");
}

/* Which blocks a role may have. */
static bool turns_check_role(const struct turns *turns, const struct json *message,
                             const struct json *block, size_t at)
{
    static const char *const of_assistant[] = {"thinking", "redacted_thinking", "tool_use",
                                               "server_tool_use"};
    bool assistant = turns_role_is(turns, message, "assistant");
    for (size_t i = 0; i < COUNT_OF(of_assistant); i++) {
        if (turns_type_is(turns, block, of_assistant[i]) && !assistant)
            return turns_refuse(turns,
                                "messages.%zu: `%s` blocks can only be in `assistant` messages", at,
                                of_assistant[i]);
    }
    if (turns_type_is(turns, block, "tool_result") && !turns_role_is(turns, message, "user"))
        return turns_refuse(
            turns, "messages.%zu: `tool_result` blocks can only be in `user` messages", at);
    if (turns_type_is(turns, block, "document") && assistant && turns->messages->latest)
        return turns_refuse(turns, "messages.%zu: `document` blocks can only be in `user` messages",
                            at);
    if (turns_role_is(turns, message, "system") && !turns_type_is(turns, block, "text"))
        return turns_refuse(turns, "messages.%zu: `system` messages can only have `text` blocks",
                            at);
    return true;
}

static bool turns_check_signature(const struct turns *turns, const struct json *block, size_t at,
                                  size_t index)
{
    if (turns_type_is(turns, block, "thinking") &&
        !sim_is_signed(turns_text(turns, block, "thinking"), turns_text(turns, block, "signature")))
        return turns_refuse(
            turns, "messages.%zu.content.%zu: Invalid `signature` in `thinking` block", at, index);
    if (turns_type_is(turns, block, "redacted_thinking") &&
        !sim_is_signed(STR("redacted"), turns_text(turns, block, "data")))
        return turns_refuse(turns,
                            "messages.%zu.content.%zu: Invalid `data` in `redacted_thinking` block",
                            at, index);
    return true;
}

static bool turns_check_message(const struct turns *turns, const struct json *message, size_t at)
{
    const struct json *content = json_get(message, "content");
    bool last_assistant = message->next == NULL && turns_role_is(turns, message, "assistant");
    size_t index = 0;
    if (content->type == JSON_STRING && content->raw.n > 2)
        return turns_check_text(turns, turns_text(turns, message, "content"));
    if (content->count == 0)
        return last_assistant || turns_refuse(turns,
                                              "messages.%zu: all messages must have non-empty "
                                              "content except for the optional final assistant "
                                              "message",
                                              at);
    for (const struct json *block = content->first; block != NULL; block = block->next, index++) {
        if (turns_type_is(turns, block, "text") &&
            !turns_check_text(turns, turns_text(turns, block, "text")))
            return false;
        if (!turns_check_role(turns, message, block, at) ||
            !turns_check_signature(turns, block, at, index))
            return false;
    }
    return true;
}

/* The message that begins the next turn of another role; system messages belong to the turn before.
 */
static const struct json *turns_next(const struct turns *turns, const struct json *message)
{
    bool assistant = turns_role_is(turns, message, "assistant");
    const struct json *next = message->next;
    while (next != NULL && (turns_role_is(turns, next, "system") ||
                            turns_role_is(turns, next, "assistant") == assistant))
        next = next->next;
    return next;
}

/* How many blocks of that type with that id the turn from `first` to before `end` has. `leading`:
 * only those before the first block of another type count. */
static size_t turns_count_id(const struct turns *turns, const struct json *first,
                             const struct json *end, const char *type, const char *name,
                             struct str id, bool leading)
{
    size_t count = 0;
    for (const struct json *m = first; m != NULL && m != end; m = m->next) {
        for (const struct json *block = turns_blocks(m); block != NULL; block = block->next) {
            if (!turns_type_is(turns, block, type)) {
                if (leading)
                    return count;
                continue;
            }
            count += str_eq(turns_text(turns, block, name), id) ? 1 : 0;
        }
        if (leading && json_is(json_get(m, "content"), JSON_STRING))
            return count;
    }
    return count;
}

/* Every tool_use of the assistant's turn is answered at the front of the next. */
static bool turns_check_answered(const struct turns *turns, const struct json *first,
                                 const struct json *end, size_t at)
{
    const struct json *after = end == NULL ? NULL : turns_next(turns, end);
    for (const struct json *m = first; m != end; m = m->next, at++) {
        size_t index = 0;
        for (const struct json *block = turns_blocks(m); block != NULL;
             block = block->next, index++) {
            struct str id = turns_text(turns, block, "id");
            if (!turns_type_is(turns, block, "tool_use"))
                continue;
            if (turns_count_id(turns, first, end, "tool_use", "id", id, false) > 1)
                return turns_refuse(
                    turns, "messages.%zu.content.%zu: `tool_use` ids must be unique", at, index);
            size_t results =
                turns_count_id(turns, end, after, "tool_result", "tool_use_id", id, true);
            if (results == 0)
                return turns_refuse(
                    turns,
                    "messages.%zu: `tool_use` ids were found without `tool_result` blocks "
                    "immediately after: " STR_FMT ". Each `tool_use` block must have a "
                    "corresponding `tool_result` block in the next message.",
                    at, STR_ARG(str_head(id, 200)));
            if (results > 1)
                return turns_refuse(turns,
                                    "messages.%zu.content.%zu: each tool_use must have a single "
                                    "result. Found multiple `tool_result` blocks with id: " STR_FMT,
                                    at + 1, index, STR_ARG(str_head(id, 200)));
        }
    }
    return true;
}

/* Every tool_result has its tool_use in the turn before, which is [before, first). */
static bool turns_check_asked(const struct turns *turns, const struct json *before,
                              const struct json *first, const struct json *end, size_t at)
{
    for (const struct json *m = first; m != end; m = m->next, at++) {
        size_t index = 0;
        for (const struct json *block = turns_blocks(m); block != NULL;
             block = block->next, index++) {
            struct str id = turns_text(turns, block, "tool_use_id");
            if (turns_type_is(turns, block, "tool_result") &&
                (before == NULL ||
                 turns_count_id(turns, before, first, "tool_use", "id", id, false) == 0))
                return turns_refuse(
                    turns,
                    "messages.%zu.content.%zu: unexpected `tool_use_id` found in `tool_result` "
                    "blocks: " STR_FMT ". Each `tool_result` block must have a corresponding "
                    "`tool_use` block in the previous message.",
                    at, index, STR_ARG(str_head(id, 200)));
        }
    }
    return true;
}

static bool turns_check_tools(const struct turns *turns)
{
    const struct json *before = NULL;
    size_t at = 0;
    for (const struct json *first = turns->list->first; first != NULL;) {
        const struct json *end = turns_next(turns, first);
        size_t length = 0;
        for (const struct json *m = first; m != end; m = m->next)
            length++;
        bool assistant = turns_role_is(turns, first, "assistant");
        if (assistant ? !turns_check_answered(turns, first, end, at)
                      : !turns_check_asked(turns, before, first, end, at))
            return false;
        before = first;
        first = end;
        at += length;
    }
    return true;
}

/* In manual mode the open tool loop, from its first call on, begins with a thought. */
static bool turns_check_loop(const struct turns *turns)
{
    const struct json *begin = NULL;
    size_t at = 0, begin_at = 0;
    struct str mode = turns_text(turns, json_get(turns->messages->call->root, "thinking"), "type");
    if (!str_eq(mode, STR("enabled")))
        return true;
    for (const struct json *m = turns->list->first; m != NULL; m = m->next, at++) {
        bool asked = false, results = false;
        for (const struct json *block = turns_blocks(m); block != NULL; block = block->next) {
            asked = asked || turns_type_is(turns, block, "tool_use");
            results = results || turns_type_is(turns, block, "tool_result");
        }
        if (turns_role_is(turns, m, "user") && !results)
            begin = NULL;
        if (turns_role_is(turns, m, "assistant") && asked && begin == NULL) {
            begin = m;
            begin_at = at;
        }
    }
    const struct json *block = begin == NULL ? NULL : turns_blocks(begin);
    if (block == NULL || turns_type_is(turns, block, "thinking") ||
        turns_type_is(turns, block, "redacted_thinking"))
        return true;
    return turns_refuse(turns,
                        "messages.%zu.content.0.type: Expected `thinking` or `redacted_thinking`, "
                        "but found `" STR_FMT "`. When `thinking` is enabled, a final `assistant` "
                        "message must start with a thinking block (preceeding the lastmost set of "
                        "`tool_use` and `tool_result` blocks). We recommend you include thinking "
                        "blocks from previous turns. To avoid this requirement, disable "
                        "`thinking`.",
                        begin_at, STR_ARG(turns_text(turns, block, "type")));
}

/* The last message, when it is the assistant's: the model would go on from it. */
static bool turns_check_last(const struct turns *turns, const struct json *last)
{
    struct str text = turns_text(turns, last, "content");
    const struct json *block = turns_blocks(last);
    if (!turns_role_is(turns, last, "assistant"))
        return true;
    if (!claude_can(turns->messages->claude, CLAUDE_PREFILL))
        return turns_refuse(turns, "This model does not support assistant message prefill. The "
                                   "conversation must end with a user message.");
    while (block != NULL && block->next != NULL)
        block = block->next;
    if (turns_type_is(turns, block, "text"))
        text = turns_text(turns, block, "text");
    if (text.n > 0 && str_trim(str_from(text, text.n - 1)).n == 0)
        return turns_refuse(turns, "messages: final assistant content cannot end with trailing "
                                   "whitespace");
    return true;
}

struct turns_marks {
    size_t count;
    bool short_seen;
};

static bool turns_check_mark(const struct turns *turns, const struct json *block,
                             struct turns_marks *marks)
{
    const struct json *mark = json_get(block, "cache_control");
    if (json_is_none(mark))
        return true;
    bool hour = str_eq(turns_text(turns, mark, "ttl"), STR("1h"));
    if (++marks->count > TURNS_MARKS_MAX)
        return turns_refuse(turns,
                            "A maximum of 4 blocks with cache_control may be provided. Found "
                            "%zu.",
                            marks->count);
    if (hour && marks->short_seen)
        return turns_refuse(turns,
                            "cache_control.ttl: a ttl='1h' cache_control block must not come "
                            "after a ttl='5m' cache_control block. Note that blocks are "
                            "processed in the following order: `tools`, `system`, "
                            "`messages`.");
    marks->short_seen = !hour;
    return true;
}

static bool turns_check_marks(const struct turns *turns)
{
    const struct json *root = turns->messages->call->root;
    const struct json *lists[] = {json_get(root, "tools"), json_get(root, "system")};
    struct turns_marks marks = {.count = 0};
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        const struct json *item = json_is(lists[i], JSON_ARRAY) ? lists[i]->first : NULL;
        for (; item != NULL; item = item->next) {
            if (!turns_check_mark(turns, item, &marks))
                return false;
        }
    }
    for (const struct json *m = turns->list->first; m != NULL; m = m->next) {
        for (const struct json *block = turns_blocks(m); block != NULL; block = block->next) {
            if (!turns_check_mark(turns, block, &marks))
                return false;
        }
    }
    return turns_check_mark(turns, root, &marks);
}

bool messages_check_turns(const struct messages *messages)
{
    struct turns turns = {.messages = messages, .list = json_get(messages->call->root, "messages")};
    const struct json *last = NULL;
    size_t at = 0;
    if (turns.list->count == 0)
        return turns_refuse(&turns, "messages: at least one message is required");
    if (!turns_role_is(&turns, turns.list->first, "user"))
        return turns_refuse(&turns, "messages: first message must use the \"user\" role");
    for (const struct json *m = turns.list->first; m != NULL; m = m->next, at++) {
        if (turns_role_is(&turns, m, "system") && !claude_can(messages->claude, CLAUDE_SYSTEM))
            return turns_refuse(&turns,
                                "messages.%zu: role 'system' is not supported on this model", at);
        if (!turns_check_message(&turns, m, at))
            return false;
        last = m;
    }
    return turns_check_tools(&turns) && turns_check_loop(&turns) &&
           turns_check_last(&turns, last) && turns_check_marks(&turns);
}
