/* back_gemini_config.c: generationConfig, thinking, and the members that only Google knows.
 *
 * Thinking: effort is a level for Gemini 3 and a budget for Gemini 2.5, as Google's own
 * OpenAI-compatible service maps it; where a model has no such level, the next higher one is taken
 * and reasoning_effort listed as dropped. Thoughts are shown whenever effort or a budget is asked
 * for. Google's own members pass under both of their spellings, and in the objects where Google's
 * OpenAI-compatible service takes them.
 */
#include "data-plane/dialect/back_gemini.h"

#define BUDGET_LOW    1024u /* ai.google.dev, "OpenAI compatibility", thinking */
#define BUDGET_MEDIUM 8192u
#define BUDGET_HIGH   24576u

const struct param_rule back_gemini_rules[CHAT_PARAM_COUNT] = {
#define RULE(name, action, as, note) [CHAT_PARAM_##name] = {PARAM_##action, as, note},
#include "data-plane/dialect/back_gemini.def"
#undef RULE
};

static struct back_gemini *state_of(struct dialect_call *call)
{
    return call->back_state;
}

/* --- Google's own members */

enum place { PLACE_ROOT, PLACE_CONFIG };

static const struct {
    const char *snake, *camel;
    enum place place;
} natives[] = {
    {"safety_settings", "safetySettings", PLACE_ROOT},
    {"cached_content", "cachedContent", PLACE_ROOT},
    {"labels", "labels", PLACE_ROOT},
    {"model_armor_config", "modelArmorConfig", PLACE_ROOT},
    {"thinking_config", "thinkingConfig", PLACE_CONFIG},
    {"response_modalities", "responseModalities", PLACE_CONFIG},
    {"media_resolution", "mediaResolution", PLACE_CONFIG},
    {"speech_config", "speechConfig", PLACE_CONFIG},
    {"image_config", "imageConfig", PLACE_CONFIG},
    {"audio_timestamp", "audioTimestamp", PLACE_CONFIG},
    {"routing_config", "routingConfig", PLACE_CONFIG},
    {"enable_enhanced_civic_answers", "enableEnhancedCivicAnswers", PLACE_CONFIG},
};

/* The object of Google's members, where a caller has one. */
static const struct json *google_object(const struct chat *chat)
{
    const struct json *google = params_extra(chat, "google");
    return google != NULL ? google : json_get(params_extra(chat, "extra_body"), "google");
}

const struct json *back_gemini_extra(const struct chat *chat, const char *snake, const char *camel)
{
    const struct json *google = google_object(chat), *found = params_extra(chat, snake);
    if (found == NULL)
        found = params_extra(chat, camel);
    if (found == NULL)
        found = json_get(google, snake);
    return found != NULL ? found : json_get(google, camel);
}

static void write_natives(struct dialect_call *call, struct json_writer *w, enum place place)
{
    for (size_t i = 0; i < COUNT_OF(natives); i++) {
        const struct json *value =
            natives[i].place == place
                ? back_gemini_extra(call->chat, natives[i].snake, natives[i].camel)
                : NULL;
        if (!json_is_none(value))
            jw_field_raw(w, natives[i].camel, value->raw);
    }
}

/* What is neither Google's nor used otherwise is listed. */
static void list_others(struct dialect_call *call, struct json_writer *w)
{
    static const char *const none[] = {NULL};
    const char *known[2 * COUNT_OF(natives) + 4];
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(natives); i++) {
        known[n++] = natives[i].snake;
        known[n++] = natives[i].camel;
    }
    known[n++] = "google";
    known[n++] = "thinking";
    if (google_object(call->chat) != NULL)
        known[n++] = "extra_body";
    known[n] = NULL;
    params_extras(call, none, known, w);
}

/* --- thinking */

/* "thinking": {"type":"enabled","budget_tokens":n}, as other gateways' callers write it. */
static void read_thinking(const struct chat *chat, enum chat_effort *effort, uint64_t *budget)
{
    const struct json *thinking = params_extra(chat, "thinking"), *type;
    uint64_t tokens;
    *effort = chat->effort;
    *budget = chat->thinking_tokens;
    if (!json_is(thinking, JSON_OBJECT))
        return;
    type = json_get(thinking, "type");
    if (json_is(type, JSON_STRING) && str_eq(type->raw, STR("\"disabled\"")))
        *effort = CHAT_EFFORT_NONE;
    else if (json_u64(json_get(thinking, "budget_tokens"), &tokens) == ST_OK && tokens > 0)
        *budget = tokens;
}

/* NULL: there is no word for it. *exact: the word says what was asked. */
static const char *level_of(const struct gemini_model *model, enum chat_effort effort, bool *exact)
{
    *exact = true;
    switch (effort) {
    case CHAT_EFFORT_UNSAID:
        return NULL;
    case CHAT_EFFORT_NONE:
        *exact = false;
        return model->minimal ? "MINIMAL" : "LOW";
    case CHAT_EFFORT_MINIMAL:
        *exact = model->minimal;
        return model->minimal ? "MINIMAL" : "LOW";
    case CHAT_EFFORT_LOW:
        return "LOW";
    case CHAT_EFFORT_MEDIUM:
        *exact = model->medium;
        return model->medium ? "MEDIUM" : "HIGH";
    case CHAT_EFFORT_HIGH:
        return "HIGH";
    case CHAT_EFFORT_XHIGH:
    case CHAT_EFFORT_MAX:
        break;
    }
    *exact = false;
    return "HIGH";
}

/* Thinking tokens; 0 is none at all. */
static uint64_t budget_of(const struct gemini_model *model, enum chat_effort effort, bool *exact)
{
    *exact = true;
    switch (effort) {
    case CHAT_EFFORT_UNSAID:
    case CHAT_EFFORT_NONE:
        *exact = !model->always;
        return model->always ? model->budget_least : 0;
    case CHAT_EFFORT_MINIMAL:
    case CHAT_EFFORT_LOW:
        return BUDGET_LOW;
    case CHAT_EFFORT_MEDIUM:
        return BUDGET_MEDIUM;
    case CHAT_EFFORT_HIGH:
        return BUDGET_HIGH;
    case CHAT_EFFORT_XHIGH:
    case CHAT_EFFORT_MAX:
        break;
    }
    *exact = model->budget_most > BUDGET_HIGH;
    return model->budget_most;
}

static void write_thinking_config(struct json_writer *w, const char *level, uint64_t budget,
                                  bool shown)
{
    jw_key(w, "thinkingConfig");
    jw_object(w);
    if (shown)
        jw_field_bool(w, "includeThoughts", true);
    if (level != NULL)
        jw_field_cstr(w, "thinkingLevel", level);
    else
        jw_field_u64(w, "thinkingBudget", budget);
    jw_end(w);
}

static void write_thinking(struct dialect_call *call, struct json_writer *w)
{
    const struct gemini_model *model = &state_of(call)->model;
    const char *field = call->chat->params[CHAT_PARAM_REASONING_EFFORT].field, *level = NULL;
    enum chat_effort effort;
    uint64_t budget;
    bool exact = true;
    field = field == NULL ? "thinking" : field;
    read_thinking(call->chat, &effort, &budget);
    if (effort == CHAT_EFFORT_UNSAID && budget == 0)
        return;
    if (model->thinking == GEMINI_THINKING_NONE ||
        back_gemini_extra(call->chat, "thinking_config", "thinkingConfig") != NULL) {
        if (effort != CHAT_EFFORT_NONE || model->thinking != GEMINI_THINKING_NONE)
            dialect_drop(call, field);
        return;
    }
    if (budget > 0) {
        exact = budget >= model->budget_least && budget <= model->budget_most;
        budget = budget < model->budget_least ? model->budget_least : budget;
        budget = budget > model->budget_most ? model->budget_most : budget;
    } else if (model->thinking == GEMINI_THINKING_LEVEL) {
        level = level_of(model, effort, &exact);
    } else {
        budget = budget_of(model, effort, &exact);
    }
    if (!exact)
        dialect_drop(call, field);
    write_thinking_config(w, level, budget, effort != CHAT_EFFORT_NONE);
}

/* --- the answer's form */

static void write_stops(const struct chat *chat, struct json_writer *w)
{
    if (chat->stop_count == 0)
        return;
    jw_key(w, "stopSequences");
    jw_array(w);
    for (size_t i = 0; i < chat->stop_count; i++)
        jw_raw(w, chat->stops[i].raw);
    jw_end(w);
}

static void write_format(struct dialect_call *call, struct json_writer *w)
{
    const struct chat *chat = call->chat;
    bool forced = chat->choice == CHAT_CHOICE_ANY || chat->choice == CHAT_CHOICE_NAMED;
    bool calls = forced && chat->tools != NULL && !state_of(call)->model.json_calls;
    if (chat->format == CHAT_FORMAT_TEXT || chat_has(state_of(call)->json_tool) || calls)
        return; /* a call that is forced answers instead of JSON */
    jw_field_cstr(w, "responseMimeType", "application/json");
    if (chat->format == CHAT_FORMAT_SCHEMA)
        jw_field_raw(w, "responseJsonSchema", chat->schema);
}

static enum status refuse_modality(struct dialect_call *call)
{
    return dialect_refuse(call, ST_INVALID,
                          "modalities: provider @" STR_FMT " (" STR_FMT
                          ") answers a chat in text and images. Ask for these, or use "
                          "/v1/audio/speech.",
                          STR_ARG(call->target->provider), STR_ARG(call->target->service));
}

static enum status write_modalities(struct dialect_call *call, struct json_writer *w)
{
    const struct chat_param *param = &call->chat->params[CHAT_PARAM_MODALITIES];
    if (!params_asks(call->chat, CHAT_PARAM_MODALITIES))
        return ST_OK;
    if (back_gemini_extra(call->chat, "response_modalities", "responseModalities") != NULL) {
        dialect_drop(call, param->field);
        return ST_OK;
    }
    if (!json_is(param->value, JSON_ARRAY))
        return refuse_modality(call);
    jw_key(w, "responseModalities");
    jw_array(w);
    for (const struct json *item = param->value->first; item != NULL; item = item->next) {
        bool text = str_eq(item->raw, STR("\"text\""));
        if (!text && !str_eq(item->raw, STR("\"image\"")))
            return refuse_modality(call);
        jw_cstr(w, text ? "TEXT" : "IMAGE");
    }
    jw_end(w);
    return ST_OK;
}

static enum status write_count(struct dialect_call *call, struct json_writer *w)
{
    const struct chat_param *n = &call->chat->params[CHAT_PARAM_N];
    uint64_t count;
    if (!params_asks(call->chat, CHAT_PARAM_N))
        return ST_OK;
    if (json_u64(n->value, &count) != ST_OK || count == 0 || count > CHAT_CHOICES_MAX)
        return dialect_refuse(
            call, ST_INVALID, "n: provider @" STR_FMT " (" STR_FMT ") gives 1 to %d answers.",
            STR_ARG(call->target->provider), STR_ARG(call->target->service), CHAT_CHOICES_MAX);
    jw_field_u64(w, "candidateCount", count);
    return ST_OK;
}

enum status back_gemini_config(struct dialect_call *call, struct json_writer *w)
{
    jw_key(w, "generationConfig");
    jw_object(w);
    TRY(params_apply(call, back_gemini_rules, w));
    write_stops(call->chat, w);
    TRY(write_count(call, w));
    TRY(write_modalities(call, w));
    write_format(call, w);
    write_thinking(call, w);
    write_natives(call, w, PLACE_CONFIG);
    jw_end(w);
    write_natives(call, w, PLACE_ROOT);
    list_others(call, w);
    return ST_OK;
}
