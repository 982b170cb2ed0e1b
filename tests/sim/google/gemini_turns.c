/* gemini_turns.c: Google's rules about contents: parts, media, turns of functions, thought
 * signatures.
 *
 *   - a part has exactly one kind of data; roles are user and model; the last turn is the user's;
 *   - a turn of n functionCall parts is followed by one of n functionResponse parts, with their
 * names;
 *   - in the turn that is going on (behind the last user text), the first call of every step has
 * the thoughtSignature it came with, if the model is one that demands it.
 */
#include "tests/sim/google/gemini.h"
#include "tests/sim/media.h"

static const char *const turns_data[] = {
    "text",           "inlineData",         "fileData", "functionCall", "functionResponse",
    "executableCode", "codeExecutionResult"};

static bool turns_check_part(const struct gemini *gemini, const struct json *part, size_t at,
                             size_t index)
{
    const char *found = NULL;
    for (size_t i = 0; i < COUNT_OF(turns_data); i++) {
        if (google_get(part, turns_data[i]) == NULL)
            continue;
        if (found != NULL)
            return google_refuse(gemini->call,
                                 "Invalid value at 'contents[%zu].parts[%zu]' (oneof), oneof field "
                                 "'data' is already set. Cannot set '%s'",
                                 at, index, turns_data[i]);
        found = turns_data[i];
    }
    return found != NULL ||
           google_refuse(gemini->call,
                         "* GenerateContentRequest.contents[%zu].parts[%zu].data: required oneof "
                         "field 'data' must have one initialized field\n",
                         at, index);
}

static bool turns_check_media(const struct gemini *gemini, const struct json *part, size_t at,
                              size_t index)
{
    static const char *const kinds[] = {"image/", "audio/", "video/", "text/"};
    const struct json *blob = google_get(part, "inlineData");
    struct str type = google_text(gemini->call, blob, "mimeType"), bytes = STR_NONE;
    bool known = str_eq(type, STR("application/pdf")) || str_eq(type, STR("application/json"));
    if (blob == NULL)
        return true;
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        known = known || str_starts(type, str_c(kinds[i]));
    if (!known)
        return google_refuse(gemini->call, "Unsupported MIME type: " STR_FMT,
                             STR_ARG(str_head(type, 100)));
    if (media_decode(google_text(gemini->call, blob, "data"), gemini->call->arena, &bytes) != ST_OK)
        return google_refuse(gemini->call,
                             "Invalid value at 'contents[%zu].parts[%zu].inline_data.data' "
                             "(TYPE_BYTES), Base64 decoding failed",
                             at, index);
    const char *actual = media_type(bytes);
    bool judged = str_starts(type, STR("image/")) || str_eq(type, STR("application/pdf"));
    if (judged && (actual == NULL || !str_eq(type, str_c(actual))))
        return google_refuse(gemini->call, str_starts(type, STR("image/"))
                                               ? "Unable to process input image. Please retry or "
                                                 "report in "
                                                 "https://developers.generativeai.google/guide/"
                                                 "troubleshooting"
                                               : "The document has no pages.");
    return true;
}

bool gemini_check_parts(const struct gemini *gemini)
{
    const struct json *contents = google_get(gemini->body, "contents");
    size_t at = 0;
    for (const struct json *c = contents->first; c != NULL; c = c->next, at++) {
        struct str role = google_text(gemini->call, c, "role");
        const struct json *parts = google_get(c, "parts");
        size_t index = 0;
        if (role.p != NULL && !str_eq(role, STR("user")) && !str_eq(role, STR("model")))
            return google_refuse(gemini->call, "Please use a valid role: user, model.");
        if (parts == NULL || parts->count == 0)
            return google_refuse(
                gemini->call,
                "* GenerateContentRequest.contents[%zu].parts: contents.parts must "
                "not be empty.\n",
                at);
        for (const struct json *part = parts->first; part != NULL; part = part->next, index++) {
            if (!turns_check_part(gemini, part, at, index) ||
                !turns_check_media(gemini, part, at, index))
                return false;
        }
    }
    return true;
}

/* The number of parts with this data; *name_of is the n-th one's name, if there are so many. */
static size_t turns_count(const struct gemini *gemini, const struct json *content, const char *data,
                          size_t n, struct str *name_of)
{
    const struct json *parts = google_get(content, "parts");
    size_t count = 0;
    for (const struct json *part = parts == NULL ? NULL : parts->first; part != NULL;
         part = part->next) {
        const struct json *found = google_get(part, data);
        if (found == NULL)
            continue;
        if (count == n && name_of != NULL)
            *name_of = google_text(gemini->call, found, "name");
        count++;
    }
    return count;
}

static bool turns_is_model(const struct gemini *gemini, const struct json *content)
{
    return content != NULL && str_eq(google_text(gemini->call, content, "role"), STR("model"));
}

/* Whether every response of `after` answers a call of `before` by name. */
static bool turns_check_names(const struct gemini *gemini, const struct json *before,
                              const struct json *after, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct str asked = STR_NONE, answered = STR_NONE;
        bool found = false;
        (void)turns_count(gemini, after, "functionResponse", i, &answered);
        for (size_t j = 0; j < count && !found; j++) {
            (void)turns_count(gemini, before, "functionCall", j, &asked);
            found = str_eq(asked, answered);
        }
        if (!found)
            return google_refuse(gemini->call,
                                 "The function response '" STR_FMT
                                 "' names no function call of the "
                                 "turn before.",
                                 STR_ARG(str_head(answered, 100)));
    }
    return true;
}

static bool turns_check_functions(const struct gemini *gemini, const struct json *before,
                                  const struct json *content)
{
    size_t calls = turns_count(gemini, content, "functionCall", 0, NULL);
    size_t responses = turns_count(gemini, content, "functionResponse", 0, NULL);
    size_t asked = before == NULL ? 0 : turns_count(gemini, before, "functionCall", 0, NULL);
    if (calls > 0 &&
        (before == NULL || turns_is_model(gemini, before) || !turns_is_model(gemini, content)))
        return google_refuse(gemini->call,
                             "Please ensure that function call turn comes immediately "
                             "after a user turn or after a function response turn.");
    if (responses > 0 && asked == 0)
        return google_refuse(gemini->call, "Please ensure that function response turn comes "
                                           "immediately after a function call turn.");
    if (asked != responses)
        return google_refuse(gemini->call, "Please ensure that the number of function response "
                                           "parts is equal to the number of function call parts of "
                                           "the function call turn.");
    return responses == 0 || turns_check_names(gemini, before, content, responses);
}

/* The strings that the guide allows in place of a signature that was never there. */
static bool turns_is_placeholder(struct str signature)
{
    return str_eq(signature, STR("skip_thought_signature_validator")) ||
           str_eq(signature, STR("context_engineering_is_the_way_to_go"));
}

static bool turns_check_signature(const struct gemini *gemini, const struct json *part,
                                  bool demanded, size_t index)
{
    const struct json *function = google_get(part, "functionCall");
    struct str name = google_text(gemini->call, function, "name");
    struct str signature = google_text(gemini->call, part, "thoughtSignature");
    if (signature.n == 0)
        return !demanded ||
               google_refuse(
                   gemini->call,
                   "Function call is missing a thought_signature in functionCall parts. "
                   "This is required for tools to work correctly, and missing "
                   "thought_signature may lead to degraded model performance. Additional "
                   "data, function call `default_api:" STR_FMT "` , position %zu. Please "
                   "refer to https://ai.google.dev/gemini-api/docs/thought-signatures for "
                   "more details.",
                   STR_ARG(name), index);
    return turns_is_placeholder(signature) || sim_is_signed(name, signature) ||
           google_refuse(gemini->call, "Corrupted thought signature.");
}

static bool turns_check_signatures(const struct gemini *gemini)
{
    const struct json *contents = google_get(gemini->body, "contents"), *current = contents->first;
    bool demands = google_can(gemini->model, GOOGLE_SIGNED), going_on = false;
    for (const struct json *c = contents->first; c != NULL; c = c->next) {
        if (!turns_is_model(gemini, c) && turns_count(gemini, c, "functionResponse", 0, NULL) == 0)
            current = c;
    }
    for (const struct json *c = contents->first; c != NULL; c = c->next) {
        size_t index = 0, calls = 0;
        going_on = going_on || c == current;
        for (const struct json *part = google_get(c, "parts")->first; part != NULL;
             part = part->next, index++) {
            if (google_get(part, "functionCall") == NULL)
                continue;
            if (!turns_check_signature(gemini, part, demands && going_on && calls == 0, index))
                return false;
            calls++;
        }
    }
    return true;
}

bool gemini_check_turns(const struct gemini *gemini)
{
    const struct json *contents = google_get(gemini->body, "contents"), *before = NULL;
    for (const struct json *c = contents->first; c != NULL; c = c->next) {
        if (!turns_check_functions(gemini, before, c))
            return false;
        before = c;
    }
    if (turns_is_model(gemini, before))
        return google_refuse(gemini->call, "Please ensure that multiturn requests end with a user "
                                           "role or a function response.");
    return turns_check_signatures(gemini);
}
