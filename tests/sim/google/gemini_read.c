/* gemini_read.c: the prompt of a generateContent request, counted by the rule of usage.h and by
 * modality, and what is asked (gemini.h).
 *
 * systemInstruction is one more message. Pictures count 85 each, audio and video 100, documents
 * 200. A function's response counts its JSON text, which is also what the simulated model answers
 * to.
 */
#include "tests/sim/google/gemini.h"
#include "tests/sim/talk.h"

#define READ_IMAGE_TOKENS 1290 /* of a picture that is made */

struct reader {
    const struct gemini *gemini;
    struct talk talk;
    struct usage usage;
    bool has_results;
};

static void read_media(struct reader *reader, struct str type, struct str what)
{
    if (str_starts(type, STR("image/"))) {
        reader->usage.image += USAGE_IMAGE;
        talk_block(&reader->talk, what, USAGE_IMAGE);
    } else if (str_starts(type, STR("audio/")) || str_starts(type, STR("video/"))) {
        reader->usage.audio += USAGE_AUDIO;
        talk_block(&reader->talk, what, USAGE_AUDIO);
    } else {
        reader->usage.file += USAGE_FILE;
        talk_block(&reader->talk, what, USAGE_FILE);
    }
}

static void read_part(struct reader *reader, const struct json *part)
{
    struct call *call = reader->gemini->call;
    struct str text = google_text(call, part, "text");
    const struct json *blob = google_get(part, "inlineData"), *file = google_get(part, "fileData");
    const struct json *response = google_get(part, "functionResponse");
    if (text.p != NULL)
        talk_text(&reader->talk, text);
    else if (blob != NULL)
        read_media(reader, google_text(call, blob, "mimeType"), blob->raw);
    else if (file != NULL)
        read_media(reader, google_text(call, file, "mimeType"), file->raw);
    else if (response != NULL) {
        reader->has_results = true;
        talk_text(&reader->talk, google_get(response, "response")->raw);
    }
}

static void read_content(struct reader *reader, const struct json *content, struct str role)
{
    const struct json *parts = google_get(content, "parts");
    talk_message(&reader->talk, role);
    reader->has_results = false;
    for (const struct json *part = parts == NULL ? NULL : parts->first; part != NULL;
         part = part->next)
        read_part(reader, part);
}

enum status gemini_count(const struct gemini *gemini, struct usage *usage, struct str *user,
                         bool *has_results)
{
    struct reader reader = {.gemini = gemini};
    const struct json *system = google_get(gemini->body, "systemInstruction");
    const struct json *tools = google_get(gemini->body, "tools");
    const struct json *contents = google_get(gemini->body, "contents");
    talk_begin(&reader.talk, gemini->call);
    if (tools != NULL && tools->count > 0)
        talk_block(&reader.talk, tools->raw, usage_tokens(tools->raw.n));
    if (system != NULL)
        read_content(&reader, system, STR("system"));
    for (const struct json *c = contents == NULL ? NULL : contents->first; c != NULL; c = c->next) {
        struct str role = google_text(gemini->call, c, "role");
        read_content(&reader, c, role.p == NULL ? STR("user") : role);
    }
    *user = reader.talk.said;
    *has_results = reader.has_results;
    *usage = reader.usage;
    usage->prompt = reader.talk.tokens;
    return reader.talk.failed ? ST_NO_MEMORY : ST_OK;
}

/* Whether a name is in the list of those that may be called. */
static bool read_is_allowed(struct call *call, const struct json *allowed, struct str name)
{
    for (const struct json *one = allowed == NULL ? NULL : allowed->first; one != NULL;
         one = one->next) {
        struct str text = STR("");
        if (json_text(one, call->arena, &text) == ST_OK && str_eq(text, name))
            return true;
    }
    return allowed == NULL || allowed->count == 0;
}

static enum status read_tools(const struct gemini *gemini, struct toolbox *toolbox)
{
    struct call *call = gemini->call;
    const struct json *tools = google_get(gemini->body, "tools");
    const struct json *config =
        google_get(google_get(gemini->body, "toolConfig"), "functionCallingConfig");
    const struct json *allowed = google_get(config, "allowedFunctionNames");
    struct str mode = google_text(call, config, "mode");
    size_t count = 0;
    for (const struct json *tool = tools == NULL ? NULL : tools->first; tool != NULL;
         tool = tool->next) {
        const struct json *list = google_get(tool, "functionDeclarations");
        count += list == NULL ? 0 : list->count;
    }
    *toolbox = (struct toolbox){.mode = str_eq(mode, STR("NONE"))  ? TOOLS_NONE
                                        : str_eq(mode, STR("ANY")) ? TOOLS_DEMANDED
                                                                   : TOOLS_AUTO};
    TRY(tools_reserve(toolbox, count, call->arena));
    for (const struct json *tool = tools == NULL ? NULL : tools->first; tool != NULL;
         tool = tool->next) {
        const struct json *list = google_get(tool, "functionDeclarations");
        for (const struct json *one = list == NULL ? NULL : list->first; one != NULL;
             one = one->next) {
            const struct json *schema = google_get(one, "parameters");
            struct str name = google_text(call, one, "name");
            if (schema == NULL)
                schema = google_get(one, "parametersJsonSchema");
            if (read_is_allowed(call, allowed, name))
                toolbox->offers[toolbox->count++] = (struct tool){.name = name, .schema = schema};
        }
    }
    return ST_OK;
}

static enum answer_thought read_thought(const struct gemini *gemini)
{
    const struct json *thinking =
        google_get(google_get(gemini->body, "generationConfig"), "thinkingConfig");
    bool thinks = google_can(gemini->model, GOOGLE_THINKS);
    if (google_get(thinking, "thinkingBudget") != NULL)
        thinks = google_integer(thinking, "thinkingBudget", -1) != 0;
    if (google_get(thinking, "thinkingLevel") != NULL)
        thinks = true;
    if (!thinks)
        return ANSWER_NO_THOUGHT;
    const struct json *shown = google_get(thinking, "includeThoughts");
    return shown != NULL && shown->type == JSON_TRUE ? ANSWER_THOUGHT_SHOWN : ANSWER_THOUGHT_HIDDEN;
}

/* Whether pictures are asked for: by a model that makes them, unless modalities leave them out. */
static bool read_pictures(const struct gemini *gemini, const struct json *config)
{
    const struct json *modalities = google_get(config, "responseModalities");
    for (const struct json *one = modalities == NULL ? NULL : modalities->first; one != NULL;
         one = one->next) {
        struct str name = STR("");
        if (json_text(one, gemini->call->arena, &name) == ST_OK && str_eq(name, STR("IMAGE")))
            return true;
    }
    return modalities == NULL && google_can(gemini->model, GOOGLE_PICTURES);
}

bool gemini_read(const struct gemini *gemini, struct answer_ask *ask, struct toolbox *toolbox)
{
    struct call *call = gemini->call;
    const struct json *config = google_get(gemini->body, "generationConfig");
    struct str mime = google_text(call, config, "responseMimeType");
    bool has_results = false;
    *ask = (struct answer_ask){.max_tokens = google_integer(config, "maxOutputTokens", FAULT_NONE),
                               .choices = (uint64_t)google_integer(config, "candidateCount", 1),
                               .stops = google_get(config, "stopSequences"),
                               .json = str_eq(mime, STR("application/json")),
                               .schema = google_get(config, "responseSchema"),
                               .call_prefix = "",
                               .thought = read_thought(gemini)};
    if (ask->schema == NULL)
        ask->schema = google_get(config, "responseJsonSchema");
    if (gemini_count(gemini, &ask->usage, &ask->user, &has_results) != ST_OK ||
        read_tools(gemini, toolbox) != ST_OK) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return false;
    }
    ask->toolbox = has_results ? NULL : toolbox;
    if (read_pictures(gemini, config)) {
        ask->images = 1;
        ask->image_tokens = READ_IMAGE_TOKENS;
    }
    return true;
}
