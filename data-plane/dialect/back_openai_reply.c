/* back_openai_reply.c: what a service of OpenAI's chat dialect answers, as events.
 *
 *   chunk.choices[i].delta    -> PART, DELTA, CITATION     finish_reason -> FINISH
 *   completion.choices[i].message: the same members, whole  usage -> USAGE     [DONE] -> END
 *
 * Services differ in where thinking is (reasoning_content, reasoning, parts of content), in how
 * calls are numbered (each by its index, or all by 0 with ids of their own), in what they say at
 * the end of calls, and in where usage is (the row's stream_usage_path). Invariant: one call is one
 * part; pieces of a call that has ended are a broken answer, not a second call. Unknown members are
 * overlooked.
 */
#include "data-plane/dialect/back_openai.h"
#include "data-plane/usage_pick.h"

static struct back_openai_choice *choice_of(struct dialect_call *call, uint32_t choice)
{
    return &((struct back_openai *)call->back_state)->choices[choice];
}

static bool has_words(const struct json *node)
{
    return json_is(node, JSON_STRING) && node->raw.n > 2;
}

/* --- words */

static enum status emit_words(struct dialect_call *call, uint32_t choice, enum chat_part_kind kind,
                              const struct json *words, struct str logprobs)
{
    struct chat_event event = {.kind = CHAT_EVENT_DELTA,
                               .part = kind,
                               .choice = choice,
                               .text = chat_text_of(words),
                               .logprobs = logprobs};
    return has_words(words) ? dialect_emit(call, &event) : ST_OK;
}

/* Parts of content: {"type":"text"}, {"type":"thinking","thinking":[{"type":"text"}]} (Mistral). */
static enum status emit_list(struct dialect_call *call, uint32_t choice, const struct json *list)
{
    for (const struct json *item = list->first; item != NULL; item = item->next) {
        const struct json *thinking = json_get(item, "thinking");
        TRY(emit_words(call, choice, CHAT_PART_TEXT, json_get(item, "text"), STR_NONE));
        TRY(emit_words(call, choice, CHAT_PART_THINKING, thinking, STR_NONE));
        for (const struct json *piece = json_is(thinking, JSON_ARRAY) ? thinking->first : NULL;
             piece != NULL; piece = piece->next)
            TRY(emit_words(call, choice, CHAT_PART_THINKING, json_get(piece, "text"), STR_NONE));
    }
    return ST_OK;
}

static enum status emit_content(struct dialect_call *call, uint32_t choice,
                                const struct json *message, struct str logprobs)
{
    const struct json *thinking = json_get(message, "reasoning_content");
    const struct json *content = json_get(message, "content");
    const struct json *refusal = json_get(message, "refusal");
    if (!has_words(thinking))
        thinking = json_get(message, "reasoning");
    TRY(emit_words(call, choice, CHAT_PART_THINKING, thinking, STR_NONE));
    if (json_is(content, JSON_ARRAY))
        TRY(emit_list(call, choice, content));
    else
        TRY(emit_words(call, choice, CHAT_PART_TEXT, content, logprobs));
    if (has_words(refusal))
        choice_of(call, choice)->refused = true;
    return emit_words(call, choice, CHAT_PART_REFUSAL, refusal, STR_NONE);
}

static enum status emit_citation(struct dialect_call *call, uint32_t choice,
                                 const struct json *node, const struct json *url)
{
    struct chat_citation citation = {.url = chat_text_of(url),
                                     .title = chat_text_of(json_get(node, "title")),
                                     .json = node->raw};
    struct chat_event event = {.kind = CHAT_EVENT_CITATION,
                               .part = CHAT_PART_TEXT,
                               .choice = choice,
                               .citation = &citation};
    return chat_has(citation.url) ? dialect_emit(call, &event) : ST_OK;
}

static enum status emit_annotations(struct dialect_call *call, uint32_t choice,
                                    const struct json *list)
{
    for (const struct json *item = json_is(list, JSON_ARRAY) ? list->first : NULL; item != NULL;
         item = item->next) {
        const struct json *cited = json_get(item, "url_citation");
        if (cited != NULL)
            TRY(emit_citation(call, choice, cited, json_get(cited, "url")));
    }
    return ST_OK;
}

static enum status emit_images(struct dialect_call *call, uint32_t choice, const struct json *list)
{
    for (const struct json *item = json_is(list, JSON_ARRAY) ? list->first : NULL; item != NULL;
         item = item->next) {
        struct chat_event event = {
            .kind = CHAT_EVENT_PART, .part = CHAT_PART_IMAGE, .choice = choice};
        const struct json *url = json_get(json_get(item, "image_url"), "url");
        if (!has_words(url))
            continue;
        TRY(chat_media_url(call->scratch, url, &event.media));
        TRY(dialect_emit(call, &event));
    }
    return ST_OK;
}

/* --- calls */

/* Services that number no calls give each an id of its own; those that give none get ours. */
static bool is_new_call(const struct back_openai_choice *state, const struct json *id,
                        uint64_t index)
{
    if (!state->call_open || index > state->call_index)
        return true;
    return has_words(id) && !str_eq(chat_text_inner(chat_text_of(id)), state->call_id);
}

static enum status begin_call(struct dialect_call *call, uint32_t choice, const struct json *node,
                              uint64_t index)
{
    struct back_openai_choice *state = choice_of(call, choice);
    const struct json *google = json_get(json_get(node, "extra_content"), "google");
    struct chat_event event = {.kind = CHAT_EVENT_PART,
                               .part = CHAT_PART_TOOL_CALL,
                               .choice = choice,
                               .id = chat_text_of(json_get(node, "id")),
                               .name = chat_text_of(json_get(json_get(node, "function"), "name")),
                               .signature = chat_text_of(json_get(google, "thought_signature")),
                               .origin = STR("google-gemini-v1")};
    if (chat_text_is_empty(event.name))
        return ST_UPSTREAM_BROKEN;
    if (chat_text_is_empty(event.id))
        event.id.raw = arena_printf(call->arena, "\"call_" STR_FMT "_%u\"",
                                    STR_ARG(call->answer_id), state->calls);
    event.name = back_openai_own_name(call, event.name);
    state->call_id = arena_str(call->arena, chat_text_inner(event.id));
    if (!chat_has(event.id) || state->call_id.p == NULL)
        return ST_NO_MEMORY;
    state->calls++;
    state->call_open = state->any_call = true;
    state->call_index = index > UINT32_MAX ? UINT32_MAX : (uint32_t)index;
    return dialect_emit(call, &event);
}

static enum status add_arguments(struct dialect_call *call, uint32_t choice,
                                 const struct json *arguments)
{
    struct chat_event event = {.kind = CHAT_EVENT_DELTA,
                               .part = CHAT_PART_TOOL_CALL,
                               .choice = choice,
                               .text = chat_text_of(arguments)};
    if (json_is(arguments, JSON_OBJECT)) {
        event.text = chat_text_quote(call->scratch, arguments->raw);
        if (!chat_has(event.text))
            return ST_NO_MEMORY;
    }
    return chat_text_is_empty(event.text) ? ST_OK : dialect_emit(call, &event);
}

static enum status emit_call(struct dialect_call *call, uint32_t choice, const struct json *node,
                             uint64_t position)
{
    const struct back_openai_choice *state = choice_of(call, choice);
    const struct json *number = json_get(node, "index"), *id = json_get(node, "id");
    uint64_t index = position;
    if (json_is(number, JSON_NUMBER) && json_u64(number, &index) != ST_OK)
        return ST_UPSTREAM_BROKEN;
    if (is_new_call(state, id, index))
        TRY(begin_call(call, choice, node, index));
    else if (index < state->call_index)
        return ST_UPSTREAM_BROKEN; /* more of a call that has ended */
    return add_arguments(call, choice, json_get(json_get(node, "function"), "arguments"));
}

static enum status emit_calls(struct dialect_call *call, uint32_t choice,
                              const struct json *message)
{
    const struct json *calls = json_get(message, "tool_calls");
    uint64_t position = 0;
    for (const struct json *node = json_is(calls, JSON_ARRAY) ? calls->first : NULL; node != NULL;
         node = node->next)
        TRY(emit_call(call, choice, node, position++));
    return ST_OK;
}

/* --- endings */

static enum chat_finish finish_of(const struct back_openai_choice *state, struct str word)
{
    static const struct {
        const char *word;
        enum chat_finish finish;
    } words[] = {
        {"stop", CHAT_FINISH_STOP},
        {"length", CHAT_FINISH_LENGTH},
        {"tool_calls", CHAT_FINISH_TOOL_CALLS},
        {"function_call", CHAT_FINISH_TOOL_CALLS},
        {"content_filter", CHAT_FINISH_FILTER},
        {"model_length", CHAT_FINISH_WINDOW},                /* Mistral */
        {"error", CHAT_FINISH_ERROR},                        /* Mistral, OpenRouter */
        {"insufficient_system_resource", CHAT_FINISH_ERROR}, /* DeepSeek */
        {"abort", CHAT_FINISH_ERROR},                        /* vLLM */
    };
    enum chat_finish finish = CHAT_FINISH_STOP;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (str_eq(word, str_c(words[i].word)))
            finish = words[i].finish;
    if (finish == CHAT_FINISH_STOP && state->any_call)
        return CHAT_FINISH_TOOL_CALLS; /* some services say stop behind calls, too */
    return finish;
}

/* A stop sequence that the service names (vLLM: stop_reason, SGLang: matched_stop). */
static struct chat_text matched_stop(const struct dialect_call *call, const struct json *choice)
{
    static const char *const names[] = {"stop_reason", "matched_stop"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct chat_text text = chat_text_of(json_get(choice, names[i]));
        for (size_t k = 0; chat_has(text) && k < call->chat->stop_count; k++)
            if (str_eq(call->chat->stops[k].raw, text.raw))
                return text;
    }
    return CHAT_TEXT_NONE;
}

static enum status emit_finish(struct dialect_call *call, uint32_t at, const struct json *choice)
{
    const struct json *reason = json_get(choice, "finish_reason");
    struct chat_event event = {.kind = CHAT_EVENT_FINISH, .choice = at};
    if (!json_is(reason, JSON_STRING))
        return ST_OK;
    event.word = chat_text_inner(chat_text_of(reason));
    event.finish = finish_of(choice_of(call, at), event.word);
    event.text = matched_stop(call, choice);
    if (event.finish == CHAT_FINISH_STOP && chat_has(event.text))
        event.finish = CHAT_FINISH_STOP_SEQUENCE;
    return dialect_emit(call, &event);
}

/* "usage", or the member at the row's path (x_groq.usage). */
static const struct json *usage_of(const struct dialect_call *call, const struct json *root)
{
    struct str rest = call->target->stream_usage_path, name;
    const struct json *usage = json_get(root, "usage");
    if (json_is(usage, JSON_OBJECT) || rest.n == 0)
        return usage;
    for (usage = root; rest.n > 0 && str_split(&rest, '.', &name);)
        usage = json_get_str(usage, name);
    return usage;
}

static enum status emit_usage(struct dialect_call *call, const struct json *root)
{
    const struct json *usage = usage_of(call, root);
    struct back_openai *state = call->back_state;
    struct usage_pick pick;
    struct chat_event event = {.kind = CHAT_EVENT_USAGE, .usage = &state->usage};
    dialect_take_tier(call, json_get(root, "service_tier"));
    if (!json_is(usage, JSON_OBJECT))
        return ST_OK;
    usage_pick_init(&pick, NULL);
    if (!usage_pick_object(&pick, usage->raw))
        return ST_OK;
    state->usage = pick.usage;
    return dialect_emit(call, &event);
}

/* --- errors */

static struct str text_of(struct dialect_call *call, const struct json *node)
{
    struct str text;
    return json_is(node, JSON_STRING) && json_text(node, call->arena, &text) == ST_OK ? text
                                                                                      : STR_NONE;
}

/* {"error":{"message","type","param","code"}}; also {"error":"..."}, {"message":"..."},
 * {"detail":"..."} and FastAPI's {"detail":[{"loc":[...],"msg":"..."}]}. */
void back_openai_error(struct dialect_call *call, const struct json *body, struct chat_error *error)
{
    const struct json *inner = json_get(body, "error"), *detail = json_get(body, "detail");
    const struct json *code;
    uint64_t number;
    if (!json_is(inner, JSON_OBJECT))
        inner = body;
    code = json_get(inner, "code");
    error->message = text_of(call, json_get(inner, "message"));
    if (error->message.n == 0)
        error->message = text_of(call, json_get(body, "error"));
    if (error->message.n == 0)
        error->message = text_of(call, detail);
    if (error->message.n == 0 && json_is(detail, JSON_ARRAY) && detail->first != NULL)
        error->message = text_of(call, json_get(detail->first, "msg"));
    error->type = text_of(call, json_get(inner, "type"));
    error->param = text_of(call, json_get(inner, "param"));
    error->code = text_of(call, code);
    if (error->http == 0 && json_is(code, JSON_NUMBER) && json_u64(code, &number) == ST_OK &&
        number >= 400 && number < 600)
        error->http = (int)number; /* OpenRouter: an error inside a stream has its status */
}

static enum status fail(struct dialect_call *call, const struct json *body)
{
    struct chat_error error = {.http = 0};
    back_openai_error(call, body, &error);
    if (error.http == 0)
        error.http = 502;
    if (error.message.n == 0)
        error.message = STR("The provider reported an error inside its answer.");
    dialect_fail(call, &error);
    return ST_OK;
}

/* --- chunks, and a whole completion */

static enum status start(struct dialect_call *call, const struct json *root)
{
    struct chat_event event = {.kind = CHAT_EVENT_START,
                               .id = chat_text_of(json_get(root, "id")),
                               .name = chat_text_of(json_get(root, "model"))};
    if (call->started)
        return ST_OK;
    if (chat_text_is_empty(event.id))
        event.id = CHAT_TEXT_NONE;
    if (chat_text_is_empty(event.name))
        event.name = CHAT_TEXT_NONE;
    return dialect_emit(call, &event);
}

/* Addresses that a whole answer names beside its text (Perplexity). */
static enum status emit_sources(struct dialect_call *call, const struct json *root,
                                const struct json *choice)
{
    const struct json *list = json_get(root, "citations");
    if (!json_is(list, JSON_ARRAY) || !json_is(json_get(choice, "finish_reason"), JSON_STRING))
        return ST_OK;
    for (const struct json *url = list->first; url != NULL; url = url->next)
        TRY(emit_citation(call, 0, url, url));
    return ST_OK;
}

static enum status emit_choice(struct dialect_call *call, const struct json *root,
                               const struct json *choice, const char *member, uint64_t position)
{
    const struct json *message = json_get(choice, member), *number = json_get(choice, "index");
    const struct json *logprobs = json_get(json_get(choice, "logprobs"), "content");
    uint64_t index = position;
    if (json_is(number, JSON_NUMBER) && json_u64(number, &index) != ST_OK)
        return ST_UPSTREAM_BROKEN;
    if (index >= CHAT_CHOICES_MAX)
        return ST_UPSTREAM_BROKEN;
    uint32_t at = (uint32_t)index;
    TRY(emit_content(call, at, message, json_is(logprobs, JSON_ARRAY) ? logprobs->raw : STR_NONE));
    TRY(emit_annotations(call, at, json_get(message, "annotations")));
    if (at == 0)
        TRY(emit_sources(call, root, choice));
    TRY(emit_images(call, at, json_get(message, "images")));
    TRY(emit_calls(call, at, message));
    return emit_finish(call, at, choice);
}

static enum status emit_choices(struct dialect_call *call, const struct json *root,
                                const char *member)
{
    const struct json *choices = json_get(root, "choices");
    uint64_t position = 0;
    for (const struct json *choice = json_is(choices, JSON_ARRAY) ? choices->first : NULL;
         choice != NULL; choice = choice->next)
        TRY(emit_choice(call, root, choice, member, position++));
    return ST_OK;
}

enum status back_openai_event(struct dialect_call *call, const struct sse_event *event)
{
    struct json *root;
    struct chat_event end = {.kind = CHAT_EVENT_END};
    if (str_eq(str_trim(event->data), STR("[DONE]")))
        return dialect_emit(call, &end);
    TRY(json_parse(call->scratch, event->data, NULL, &root, NULL));
    if (!json_is_none(json_get(root, "error")))
        return fail(call, root);
    TRY(start(call, root));
    TRY(emit_choices(call, root, "delta"));
    return emit_usage(call, root);
}

enum status back_openai_whole(struct dialect_call *call, const struct json *answer)
{
    struct chat_event end = {.kind = CHAT_EVENT_END};
    if (!json_is_none(json_get(answer, "error")))
        return fail(call, answer);
    if (!json_is(json_get(answer, "choices"), JSON_ARRAY))
        return ST_UPSTREAM_BROKEN;
    TRY(start(call, answer));
    TRY(emit_choices(call, answer, "message"));
    TRY(emit_usage(call, answer));
    return dialect_emit(call, &end);
}
