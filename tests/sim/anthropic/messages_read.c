/* messages_read.c: the prompt of a Messages request, counted by the rule of usage.h, and what is
 * asked (messages_read of messages.h).
 *
 * The order is the model's: tools, system, messages. What the simulated model answers is the last
 * user message's text, the texts of its tool results included; a message with a tool result asks
 * for no further call. A call in the history counts nothing, as in the chat API.
 */
#include "tests/sim/anthropic/messages.h"
#include "tests/sim/talk.h"

/* Documented by the provider for testing: the reply then has a redacted thought. */
#define READ_REDACTED                                                                              \
    "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_"                                            \
    "46C9A13E193C177646C7398A98432ECCCE4C1253D5E2D82641AC0E52CC2876CB"

struct prompt {
    const struct messages *messages;
    struct talk talk;
    struct str user;  /* what the last user message said */
    bool has_results; /* it brings tool results */
};

static struct str prompt_text(struct prompt *prompt, const struct json *node, const char *name)
{
    return call_text(prompt->messages->call, node, name);
}

static void prompt_mark(struct prompt *prompt, const struct json *block)
{
    const struct json *mark = json_get(block, "cache_control");
    if (!json_is_none(mark))
        talk_mark(&prompt->talk,
                  str_eq(prompt_text(prompt, mark, "ttl"), STR("1h")) ? TALK_1H_MS : TALK_5M_MS);
}

static uint64_t prompt_texts(struct prompt *prompt, const struct json *content)
{
    uint64_t tokens = 0;
    if (json_is(content, JSON_STRING))
        return usage_tokens(content->raw.n - 2);
    for (const struct json *block = json_is(content, JSON_ARRAY) ? content->first : NULL;
         block != NULL; block = block->next)
        tokens += json_get(block, "text") == NULL
                      ? USAGE_IMAGE
                      : usage_tokens(prompt_text(prompt, block, "text").n);
    return tokens;
}

static void prompt_document(struct prompt *prompt, const struct json *block)
{
    const struct json *source = json_get(block, "source");
    struct str type = prompt_text(prompt, source, "type");
    uint64_t tokens = USAGE_FILE;
    if (str_eq(type, STR("text")))
        tokens = usage_tokens(prompt_text(prompt, source, "data").n);
    if (str_eq(type, STR("content")))
        tokens = prompt_texts(prompt, json_get(source, "content"));
    talk_block(&prompt->talk, source->raw, tokens);
}

static void prompt_content(struct prompt *prompt, const struct json *content);

static void prompt_block(struct prompt *prompt, const struct json *block)
{
    struct str type = prompt_text(prompt, block, "type");
    if (str_eq(type, STR("text"))) {
        talk_text(&prompt->talk, prompt_text(prompt, block, "text"));
    } else if (str_eq(type, STR("image"))) {
        talk_block(&prompt->talk, json_get(block, "source")->raw, USAGE_IMAGE);
    } else if (str_eq(type, STR("document"))) {
        prompt_document(prompt, block);
    } else if (str_eq(type, STR("search_result"))) {
        talk_block(&prompt->talk, json_get(block, "content")->raw,
                   prompt_texts(prompt, json_get(block, "content")));
    } else if (str_eq(type, STR("thinking"))) {
        struct str thought = prompt_text(prompt, block, "thinking");
        talk_block(&prompt->talk, thought, usage_tokens(thought.n));
    } else if (str_eq(type, STR("tool_use"))) {
        talk_block(&prompt->talk, prompt_text(prompt, block, "id"), 0);
    } else if (str_eq(type, STR("tool_result"))) {
        prompt->has_results = true;
        talk_mix(&prompt->talk, prompt_text(prompt, block, "tool_use_id"));
        prompt_content(prompt, json_get(block, "content"));
    } else {
        talk_block(&prompt->talk, block->raw, 0);
    }
    prompt_mark(prompt, block);
}

static void prompt_content(struct prompt *prompt, const struct json *content)
{
    struct str text = STR("");
    if (json_is(content, JSON_STRING)) {
        prompt->talk.failed |= json_text(content, prompt->messages->call->arena, &text) != ST_OK;
        talk_text(&prompt->talk, text);
    }
    for (const struct json *block = json_is(content, JSON_ARRAY) ? content->first : NULL;
         block != NULL; block = block->next)
        prompt_block(prompt, block);
}

/* A tool counts what its text adds to the text of the list, so that all of them count the list. */
static void prompt_tools(struct prompt *prompt, const struct json *tools)
{
    uint64_t before = 0;
    for (const struct json *tool = json_is(tools, JSON_ARRAY) ? tools->first : NULL; tool != NULL;
         tool = tool->next) {
        size_t end = (size_t)(tool->raw.p + tool->raw.n - tools->raw.p);
        uint64_t tokens = usage_tokens(tool->next == NULL ? tools->raw.n : end);
        for (const struct json *m = tool->first; m != NULL; m = m->next) {
            if (!str_eq(m->key, STR("cache_control")))
                talk_mix(&prompt->talk, m->raw);
        }
        talk_block(&prompt->talk, STR("tool"), tokens - before);
        prompt_mark(prompt, tool);
        before = tokens;
    }
}

static void prompt_read(struct prompt *prompt)
{
    const struct json *root = prompt->messages->call->root, *system = json_get(root, "system");
    talk_begin(&prompt->talk, prompt->messages->call);
    prompt_tools(prompt, json_get(root, "tools"));
    if (system != NULL && (system->type == JSON_STRING || system->count > 0)) {
        talk_message(&prompt->talk, STR("system"));
        prompt_content(prompt, system);
    }
    for (const struct json *m = json_get(root, "messages")->first; m != NULL; m = m->next) {
        struct str role = prompt_text(prompt, m, "role");
        bool had_results = prompt->has_results;
        talk_message(&prompt->talk, role);
        prompt->has_results = false;
        prompt_content(prompt, json_get(m, "content"));
        if (str_eq(role, STR("user")))
            prompt->user = prompt->talk.said;
        else
            prompt->has_results = had_results;
    }
    prompt_mark(prompt, root);
}

static enum status read_tools(const struct messages *messages, struct toolbox *toolbox)
{
    struct call *call = messages->call;
    const struct json *tools = json_get(call->root, "tools");
    const struct json *choice = json_get(call->root, "tool_choice");
    struct str mode = call_text(call, choice, "type");
    *toolbox = (struct toolbox){.wanted = call_text(call, choice, "name"),
                                .one_only = call_flag(choice, "disable_parallel_tool_use")};
    toolbox->mode = str_eq(mode, STR("none"))                               ? TOOLS_NONE
                    : str_eq(mode, STR("any")) || str_eq(mode, STR("tool")) ? TOOLS_DEMANDED
                                                                            : TOOLS_AUTO;
    TRY(tools_reserve(toolbox, tools == NULL ? 0 : tools->count, call->arena));
    for (const struct json *tool = tools == NULL ? NULL : tools->first; tool != NULL;
         tool = tool->next)
        toolbox->offers[toolbox->count++] = (struct tool){.name = call_text(call, tool, "name"),
                                                          .schema = json_get(tool, "input_schema")};
    return ST_OK;
}

static enum answer_thought read_thought(const struct messages *messages, struct str user)
{
    const struct json *thinking = json_get(messages->call->root, "thinking");
    struct str type = call_text(messages->call, thinking, "type");
    struct str display = call_text(messages->call, thinking, "display");
    bool thinks = type.p == NULL ? claude_can(messages->claude, CLAUDE_THINKS)
                                 : str_eq(type, STR("enabled")) || str_eq(type, STR("adaptive"));
    if (!thinks)
        return ANSWER_NO_THOUGHT;
    bool omits = display.p == NULL ? claude_can(messages->claude, CLAUDE_OMITS)
                                   : str_eq(display, STR("omitted"));
    return omits || str_find(user, STR(READ_REDACTED)) >= 0 ? ANSWER_THOUGHT_OMITTED
                                                            : ANSWER_THOUGHT_SHOWN;
}

bool messages_is_redacted(struct str user)
{
    return str_find(user, STR(READ_REDACTED)) >= 0;
}

bool messages_read(const struct messages *messages, struct answer_ask *ask, struct toolbox *toolbox)
{
    struct call *call = messages->call;
    const struct json *format = json_get(json_get(call->root, "output_config"), "format");
    struct prompt prompt = {.messages = messages, .user = STR("")};
    prompt_read(&prompt);
    *ask = (struct answer_ask){.user = prompt.user,
                               .choices = 1,
                               .stops = json_get(call->root, "stop_sequences"),
                               .toolbox = prompt.has_results ? NULL : toolbox,
                               .call_prefix = "toolu_",
                               .max_tokens = FAULT_NONE,
                               .thought = read_thought(messages, prompt.user)};
    if (json_is_none(format))
        format = json_get(call->root, "output_format");
    ask->schema = json_get(format, "schema");
    enum status status = prompt.talk.failed ? ST_NO_MEMORY : ST_OK;
    ask->usage.prompt = prompt.talk.tokens;
    if (status == ST_OK && !messages->counts_only)
        status = talk_count(&prompt.talk, messages->claude->cache_min_tokens, &ask->usage);
    if (status != ST_OK || read_tools(messages, toolbox) != ST_OK) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return false;
    }
    return messages->counts_only ||
           call_number(call, "max_tokens", 0, 1 << 30, FAULT_NONE, &ask->max_tokens);
}
