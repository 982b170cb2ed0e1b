/* back_gemini_reply.c: what generateContent answers, as events. A stream is whole answers with a
 * piece each, so both are one code:
 *
 *   first one -> START    each candidate's parts -> PART, DELTA, SIGNATURE    grounding -> CITATION
 *   finishReason -> FINISH    usageMetadata -> USAGE    its connection ends -> END (the engine's)
 *
 * Candidates and kinds of parts may mix in one piece. A call comes whole, its arguments as an
 * object; one without an id gets ours. A signature that stands beside words, or alone, is hidden
 * thinking of its own. An answer that Google itself calls broken (a malformed call, say) is an
 * error, whatever came before. Usage is told as OpenAI counts: thoughts are output, what tools of
 * Google read is input.
 */
#include <stdio.h>

#include "data-plane/dialect/back_gemini.h"

static struct back_gemini *state_of(struct dialect_call *call)
{
    return call->back_state;
}

static struct str word_of(const struct json *node)
{
    return chat_text_inner(chat_text_of(node));
}

static bool is_true(const struct json *node)
{
    return json_is(node, JSON_TRUE);
}

/* --- usage and endings */

static uint64_t count_of(const struct json *usage, const char *name)
{
    uint64_t value;
    return json_u64(json_get(usage, name), &value) == ST_OK ? value : 0;
}

/* Of the list of counts by modality. */
static uint64_t count_among(const struct json *list, const char *modality)
{
    uint64_t sum = 0;
    for (const struct json *item = json_is(list, JSON_ARRAY) ? list->first : NULL; item != NULL;
         item = item->next)
        if (str_eq(word_of(json_get(item, "modality")), str_c(modality)))
            sum += count_of(item, "tokenCount");
    return sum;
}

/* Later figures replace earlier ones: each piece has those of the whole so far. */
static enum status emit_usage(struct dialect_call *call, const struct json *usage)
{
    struct slot_usage *out = &state_of(call)->usage;
    struct chat_event event = {.kind = CHAT_EVENT_USAGE, .usage = out};
    if (!json_is(usage, JSON_OBJECT))
        return ST_OK;
    const struct json *asked = json_get(usage, "promptTokensDetails");
    const struct json *said = json_get(usage, "candidatesTokensDetails");
    const struct json *kept = json_get(usage, "cacheTokensDetails");
    uint64_t thoughts = count_of(usage, "thoughtsTokenCount");
    *out = (struct slot_usage){
        .input_tokens =
            count_of(usage, "promptTokenCount") + count_of(usage, "toolUsePromptTokenCount"),
        .output_tokens = count_of(usage, "candidatesTokenCount") + thoughts,
        .cached_tokens = count_of(usage, "cachedContentTokenCount"),
        .reasoning_tokens = thoughts,
        .audio_input_tokens = count_among(asked, "AUDIO"),
        .audio_cached_tokens = count_among(kept, "AUDIO"),
        .audio_output_tokens = count_among(said, "AUDIO"),
        .image_input_tokens = count_among(asked, "IMAGE"),
        .image_cached_tokens = count_among(kept, "IMAGE"),
        .image_output_tokens = count_among(said, "IMAGE"),
    };
    return dialect_emit(call, &event);
}

static const struct {
    const char *word;
    enum chat_finish finish;
} endings[] = {
    {"STOP", CHAT_FINISH_STOP},
    {"MAX_TOKENS", CHAT_FINISH_LENGTH},
    {"CONTINUATION", CHAT_FINISH_PAUSE},
    {"SAFETY", CHAT_FINISH_FILTER},
    {"RECITATION", CHAT_FINISH_FILTER},
    {"LANGUAGE", CHAT_FINISH_FILTER},
    {"BLOCKLIST", CHAT_FINISH_FILTER},
    {"PROHIBITED_CONTENT", CHAT_FINISH_FILTER},
    {"SPII", CHAT_FINISH_FILTER},
    {"MODEL_ARMOR", CHAT_FINISH_FILTER},
    {"IMAGE_SAFETY", CHAT_FINISH_FILTER},
    {"IMAGE_PROHIBITED_CONTENT", CHAT_FINISH_FILTER},
    {"IMAGE_RECITATION", CHAT_FINISH_FILTER},
};

/* Anything else (OTHER, MALFORMED_FUNCTION_CALL, NO_IMAGE ...) is an answer that failed. */
static enum chat_finish finish_of(struct str word)
{
    for (size_t i = 0; i < COUNT_OF(endings); i++)
        if (str_eq(word, str_c(endings[i].word)))
            return endings[i].finish;
    return CHAT_FINISH_ERROR;
}

static enum status fail_ending(struct dialect_call *call, const struct json *candidate,
                               struct str word)
{
    struct str said = STR("");
    struct chat_error error = {.http = 502, .type = STR("server_error"), .code = word};
    if (json_is(json_get(candidate, "finishMessage"), JSON_STRING))
        TRY(json_text(json_get(candidate, "finishMessage"), call->scratch, &said));
    error.message =
        arena_printf(call->scratch, "The model's answer ended with " STR_FMT "%s" STR_FMT,
                     STR_ARG(word), said.n > 0 ? ": " : ".", STR_ARG(said));
    dialect_fail(call, &error);
    return ST_OK;
}

static enum status emit_finish(struct dialect_call *call, uint32_t choice,
                               const struct json *candidate)
{
    struct back_gemini_choice *state = &state_of(call)->choices[choice];
    const struct json *reason = json_get(candidate, "finishReason");
    struct chat_event event = {
        .kind = CHAT_EVENT_FINISH, .choice = choice, .word = word_of(reason)};
    if (!json_is(reason, JSON_STRING) || str_eq(event.word, STR("FINISH_REASON_UNSPECIFIED")))
        return ST_OK;
    event.finish = finish_of(event.word);
    if (event.finish == CHAT_FINISH_ERROR)
        return fail_ending(call, candidate, event.word);
    if (event.finish == CHAT_FINISH_STOP && state->called)
        event.finish = CHAT_FINISH_TOOL_CALLS;
    return dialect_emit(call, &event);
}

/* --- parts */

static enum status emit_signature(struct dialect_call *call, uint32_t choice,
                                  enum chat_part_kind open, struct chat_text signature)
{
    bool thinks = open == CHAT_PART_THINKING;
    struct chat_event event = {.kind = thinks ? CHAT_EVENT_SIGNATURE : CHAT_EVENT_PART,
                               .part = thinks ? CHAT_PART_THINKING : CHAT_PART_REDACTED,
                               .choice = choice,
                               .signature = signature};
    return chat_text_is_empty(signature) ? ST_OK : dialect_emit(call, &event);
}

static bool is_wide(struct str inner)
{
    for (size_t i = 0; i < inner.n; i++)
        if ((inner.p[i] & 0x80) != 0 || inner.p[i] == '\\')
            return true;
    return false;
}

static enum status emit_words(struct dialect_call *call, uint32_t choice, const struct json *part,
                              struct str logprobs)
{
    struct back_gemini_choice *state = &state_of(call)->choices[choice];
    bool thought = is_true(json_get(part, "thought"));
    struct chat_event event = {.kind = CHAT_EVENT_DELTA,
                               .part = thought ? CHAT_PART_THINKING : CHAT_PART_TEXT,
                               .choice = choice,
                               .text = chat_text_of(json_get(part, "text")),
                               .logprobs = thought ? STR_NONE : logprobs};
    if (state->answered && !thought)
        return ST_OK; /* words beside the function that is the answer */
    state->wide = state->wide || (!thought && is_wide(chat_text_inner(event.text)));
    if (!chat_text_is_empty(event.text) || event.logprobs.n > 0)
        TRY(dialect_emit(call, &event));
    return emit_signature(call, choice, event.part,
                          chat_text_of(json_get(part, "thoughtSignature")));
}

static struct chat_text id_of(struct dialect_call *call, const struct json *function)
{
    struct chat_text id = chat_text_of(json_get(function, "id"));
    if (!chat_text_is_empty(id))
        return id;
    struct str answer = call->answer_id;
    id.raw = arena_printf(call->scratch, "\"" BACK_GEMINI_ID STR_FMT "_%u\"", STR_ARG(answer),
                          state_of(call)->made++);
    return id;
}

/* The call of the JSON function is the answer's text. */
static enum status emit_call(struct dialect_call *call, uint32_t choice, const struct json *part)
{
    struct back_gemini *state = state_of(call);
    const struct json *function = json_get(part, "functionCall"),
                      *args = json_get(function, "args");
    struct chat_text name = chat_text_of(json_get(function, "name"));
    bool answer = chat_has(name) && str_eq(name.raw, state->json_tool.raw);
    struct chat_event begin = {.kind = CHAT_EVENT_PART,
                               .part = CHAT_PART_TOOL_CALL,
                               .choice = choice,
                               .name = name,
                               .signature = chat_text_of(json_get(part, "thoughtSignature"))};
    struct chat_event words = {.kind = CHAT_EVENT_DELTA,
                               .part = answer ? CHAT_PART_TEXT : CHAT_PART_TOOL_CALL,
                               .choice = choice};
    if (chat_text_is_empty(name))
        return ST_UPSTREAM_BROKEN;
    words.text = chat_text_quote(call->scratch, json_is(args, JSON_OBJECT) ? args->raw : STR("{}"));
    if (!chat_has(words.text))
        return ST_NO_MEMORY;
    if (answer) {
        state->choices[choice].answered = true;
        return dialect_emit(call, &words);
    }
    state->choices[choice].called = true;
    begin.id = id_of(call, function);
    if (!chat_has(begin.id))
        return ST_NO_MEMORY;
    TRY(dialect_emit(call, &begin));
    TRY(dialect_emit(call, &words));
    return dialect_emit(call, &(struct chat_event){.kind = CHAT_EVENT_PART_END, .choice = choice});
}

/* A picture, or sound. Base64 has nothing that JSON escapes but "/", which some do. */
static enum status emit_data(struct dialect_call *call, uint32_t choice, const struct json *part)
{
    const struct json *blob = json_get(part, "inlineData"), *data = json_get(blob, "data");
    struct chat_event event = {.kind = CHAT_EVENT_PART, .part = CHAT_PART_IMAGE, .choice = choice};
    struct str mime = word_of(json_get(blob, "mimeType"));
    if (is_true(json_get(part, "thought")))
        return ST_OK; /* a draft */
    if (!json_is(data, JSON_STRING) || mime.n == 0)
        return ST_UPSTREAM_BROKEN;
    if (str_starts_nocase(mime, STR("audio/")))
        event.part = CHAT_PART_AUDIO;
    else if (!str_starts_nocase(mime, STR("image/"))) {
        event.part = CHAT_PART_NATIVE;
        event.json = part->raw;
    }
    event.media =
        (struct chat_media){.source = CHAT_SOURCE_DATA, .mime = mime, .inner = word_of(data)};
    TRY(dialect_emit(call, &event));
    TRY(dialect_emit(call, &(struct chat_event){.kind = CHAT_EVENT_PART_END, .choice = choice}));
    return emit_signature(call, choice, event.part,
                          chat_text_of(json_get(part, "thoughtSignature")));
}

static enum status emit_part(struct dialect_call *call, uint32_t choice, const struct json *part,
                             struct str logprobs)
{
    struct chat_event native = {
        .kind = CHAT_EVENT_PART, .part = CHAT_PART_NATIVE, .choice = choice, .json = part->raw};
    if (!json_is(part, JSON_OBJECT))
        return ST_UPSTREAM_BROKEN;
    if (json_is(json_get(part, "text"), JSON_STRING))
        return emit_words(call, choice, part, logprobs);
    if (json_get(part, "functionCall") != NULL)
        return emit_call(call, choice, part);
    if (json_get(part, "inlineData") != NULL)
        return emit_data(call, choice, part);
    if (json_get(part, "thoughtSignature") != NULL && part->count == 1)
        return emit_signature(call, choice, CHAT_PART_NONE,
                              chat_text_of(json_get(part, "thoughtSignature")));
    TRY(dialect_emit(call, &native)); /* executableCode and others: shown with strict off */
    return dialect_emit(call, &(struct chat_event){.kind = CHAT_EVENT_PART_END, .choice = choice});
}

/* --- candidates */

static enum status take_candidate(struct dialect_call *call, const struct json *candidate)
{
    const struct json *parts = json_get(json_get(candidate, "content"), "parts");
    uint64_t index = 0;
    if (json_get(candidate, "index") != NULL &&
        json_u64(json_get(candidate, "index"), &index) != ST_OK)
        return ST_UPSTREAM_BROKEN;
    if (index >= CHAT_CHOICES_MAX)
        return ST_UPSTREAM_BROKEN;
    uint32_t choice = (uint32_t)index;
    struct str logprobs = back_gemini_logprobs(call, json_get(candidate, "logprobsResult"));
    for (const struct json *part = json_is(parts, JSON_ARRAY) ? parts->first : NULL; part != NULL;
         part = part->next) {
        TRY(emit_part(call, choice, part, logprobs));
        if (json_is(json_get(part, "text"), JSON_STRING) && !is_true(json_get(part, "thought")))
            logprobs = STR_NONE;
    }
    TRY(back_gemini_grounding(call, choice, json_get(candidate, "groundingMetadata")));
    return emit_finish(call, choice, candidate);
}

/* The prompt itself was stopped: there are no candidates. */
static enum status take_block(struct dialect_call *call, const struct json *feedback)
{
    const struct json *reason = json_get(feedback, "blockReason");
    struct chat_text said = chat_text_of(json_get(feedback, "blockReasonMessage"));
    struct str word = word_of(reason);
    if (word.n == 0)
        return ST_OK;
    if (chat_text_is_empty(said)) {
        said.raw =
            arena_printf(call->scratch, "\"The prompt was blocked: " STR_FMT ".\"", STR_ARG(word));
        if (!chat_has(said))
            return ST_NO_MEMORY;
    }
    struct chat_event words = {.kind = CHAT_EVENT_DELTA, .part = CHAT_PART_REFUSAL, .text = said};
    struct chat_event finish = {
        .kind = CHAT_EVENT_FINISH, .finish = CHAT_FINISH_FILTER, .word = word};
    TRY(dialect_emit(call, &words));
    return dialect_emit(call, &finish);
}

static enum status take(struct dialect_call *call, const struct json *answer)
{
    const struct json *candidates = json_get(answer, "candidates");
    struct chat_event start = {.kind = CHAT_EVENT_START,
                               .id = chat_text_of(json_get(answer, "responseId")),
                               .name = chat_text_of(json_get(answer, "modelVersion"))};
    struct chat_error error = {.http = 0};
    if (json_get(answer, "error") != NULL) {
        back_gemini_error(call, answer, &error);
        if (error.message.n == 0)
            error.message = STR("The provider reported an error inside its answer.");
        dialect_fail(call, &error);
        return ST_OK;
    }
    TRY(dialect_emit(call, &start));
    TRY(emit_usage(call, json_get(answer, "usageMetadata")));
    for (const struct json *one = json_is(candidates, JSON_ARRAY) ? candidates->first : NULL;
         one != NULL; one = one->next)
        TRY(take_candidate(call, one));
    return take_block(call, json_get(answer, "promptFeedback"));
}

enum status back_gemini_event(struct dialect_call *call, const struct sse_event *event)
{
    struct json *root;
    TRY(json_parse(call->scratch, event->data, NULL, &root, NULL));
    return take(call, root);
}

enum status back_gemini_whole(struct dialect_call *call, const struct json *answer)
{
    TRY(take(call, answer));
    return dialect_emit(call, &(struct chat_event){.kind = CHAT_EVENT_END});
}

/* --- errors */

static int http_of(struct str word)
{
    static const struct {
        const char *word;
        int http;
    } codes[] = {
        {"INVALID_ARGUMENT", 400},  {"FAILED_PRECONDITION", 400}, {"OUT_OF_RANGE", 400},
        {"UNAUTHENTICATED", 401},   {"PERMISSION_DENIED", 403},   {"NOT_FOUND", 404},
        {"ABORTED", 409},           {"ALREADY_EXISTS", 409},      {"RESOURCE_EXHAUSTED", 429},
        {"CANCELLED", 499},         {"UNIMPLEMENTED", 501},       {"UNAVAILABLE", 503},
        {"DEADLINE_EXCEEDED", 504},
    };
    for (size_t i = 0; i < COUNT_OF(codes); i++)
        if (str_eq(word, str_c(codes[i].word)))
            return codes[i].http;
    return 500;
}

/* The reason of a detail of type ErrorInfo: "API_KEY_INVALID". */
static struct str reason_of(const struct json *details)
{
    for (const struct json *item = json_is(details, JSON_ARRAY) ? details->first : NULL;
         item != NULL; item = item->next)
        if (json_is(json_get(item, "reason"), JSON_STRING))
            return word_of(json_get(item, "reason"));
    return STR("");
}

void back_gemini_error(struct dialect_call *call, const struct json *body, struct chat_error *error)
{
    const struct json *inner = json_get(body, "error");
    struct str word = word_of(json_get(inner, "status")), text;
    struct str reason = reason_of(json_get(inner, "details"));
    uint64_t code;
    if (error->http == 0 && json_u64(json_get(inner, "code"), &code) == ST_OK && code >= 400 &&
        code <= 599)
        error->http = (int)code;
    if (error->http == 0)
        error->http = http_of(word);
    if (word.n > 0)
        error->type = arena_str(call->arena, word);
    if (reason.n > 0 || word.n > 0)
        error->code = arena_str(call->arena, reason.n > 0 ? reason : word);
    if (json_is(json_get(inner, "message"), JSON_STRING) &&
        json_text(json_get(inner, "message"), call->arena, &text) == ST_OK)
        error->message = text;
}
