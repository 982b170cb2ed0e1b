/* back_gemini_images.c: pictures, by Imagen (predict) and by Gemini's image models
 * (generateContent).
 *
 * OpenAI's size is pixels, Google's a shape: the nearest shape within 2 % is taken; a size that is
 * not exactly Google's is listed as dropped. A prompt or picture that a filter stopped is an error,
 * not an empty list. Source: Vertex AI reference, "Imagen API"; Gemini API reference,
 * "ImageConfig".
 */
#include "data-plane/dialect/back_gemini_simple.h"

#include <stdio.h>

#define IMAGEN_MAX 4

const struct simple_rule back_gemini_image_rules[] = {
    {"background", PARAM_DROP, NULL, NULL},
    {"moderation", PARAM_DROP, NULL, NULL},
    {"output_compression", PARAM_CONVERT, NULL, "outputOptions.compressionQuality, of Imagen"},
    {"output_format", PARAM_CONVERT, NULL, "outputOptions.mimeType, of Imagen: png, jpeg"},
    {"partial_images", PARAM_DROP, NULL, NULL},
    {"quality", PARAM_DROP, NULL, NULL},
    {"response_format", PARAM_REFUSE, NULL, "It gives bytes: ask for b64_json."},
    {"size", PARAM_CONVERT, NULL, "aspectRatio"},
    {"style", PARAM_DROP, NULL, NULL},
    {"user", PARAM_DROP, NULL, NULL},
    {"aspect_ratio", PARAM_CONVERT, NULL, "aspectRatio"},
    {"image_size", PARAM_CONVERT, NULL, "sampleImageSize, imageSize"},
    {"negative_prompt", PARAM_CONVERT, NULL, "negativePrompt, of Imagen"},
    {"seed", PARAM_CONVERT, NULL, "seed"},
    {"person_generation", PARAM_CONVERT, NULL, "personGeneration, of Imagen"},
    {"safety_setting", PARAM_CONVERT, NULL, "safetySetting, of Imagen"},
    {"add_watermark", PARAM_CONVERT, NULL, "addWatermark, of Imagen"},
    {"enhance_prompt", PARAM_CONVERT, NULL, "enhancePrompt, of Imagen"},
    {"language", PARAM_CONVERT, NULL, "language, of Imagen"},
    {NULL, PARAM_UNRULED, NULL, NULL},
};

/* Imagen's own parameters, which pass. */
static const char *const imagens[][2] = {{"negative_prompt", "negativePrompt"},
                                         {"seed", "seed"},
                                         {"person_generation", "personGeneration"},
                                         {"safety_setting", "safetySetting"},
                                         {"add_watermark", "addWatermark"},
                                         {"enhance_prompt", "enhancePrompt"},
                                         {"language", "language"},
                                         {"image_size", "sampleImageSize"}};

static const struct {
    const char *name;
    unsigned wide, high;
    bool imagen;
} shapes[] = {{"1:1", 1, 1, true},   {"3:4", 3, 4, true},   {"4:3", 4, 3, true},
              {"9:16", 9, 16, true}, {"16:9", 16, 9, true}, {"2:3", 2, 3, false},
              {"3:2", 3, 2, false},  {"4:5", 4, 5, false},  {"5:4", 5, 4, false},
              {"21:9", 21, 9, false}};

bool back_gemini_is_imagen(struct str model)
{
    return str_find(model, STR("imagen")) >= 0 || str_find(model, STR("imagegeneration")) >= 0;
}

/* --- the shape */

/* "1536x1024" between quotes. */
static bool pixels_of(const struct json *size, uint64_t *wide, uint64_t *high)
{
    struct str inner = chat_text_inner(chat_text_of(size));
    ptrdiff_t cross = str_find_char(inner, 'x');
    return cross > 0 && str_to_u64(str_head(inner, (size_t)cross), wide) == ST_OK &&
           str_to_u64(str_from(inner, (size_t)cross + 1), high) == ST_OK && *wide > 0 &&
           *high > 0 && *wide < 100000 && *high < 100000;
}

/* Google's shape of these pixels: within 2 %, or none (NULL). */
static const char *shape_of(uint64_t wide, uint64_t high, bool imagen)
{
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        uint64_t a = wide * shapes[i].high, b = high * shapes[i].wide;
        uint64_t apart = a > b ? a - b : b - a;
        if ((shapes[i].imagen || !imagen) && apart * 50 <= b)
            return shapes[i].name;
    }
    return NULL;
}

static void write_shape(struct dialect_call *call, const struct simple *ask, struct json_writer *w,
                        bool imagen)
{
    const struct json *own = simple_member(ask, "aspect_ratio");
    uint64_t wide, high;
    const char *shape = NULL;
    if (simple_asks(ask, "size")) {
        bool pixels = pixels_of(simple_member(ask, "size"), &wide, &high);
        shape = pixels ? shape_of(wide, high, imagen) : NULL;
        if (own != NULL || shape == NULL || wide != 1024 || high != 1024)
            dialect_drop(call, "size");
    }
    if (own != NULL)
        jw_field_raw(w, "aspectRatio", own->raw);
    else if (shape != NULL)
        jw_field_cstr(w, "aspectRatio", shape);
}

/* --- request */

static void write_output(struct dialect_call *call, const struct simple *ask, struct json_writer *w)
{
    const struct json *format = simple_member(ask, "output_format");
    const struct json *quality = simple_member(ask, "output_compression");
    bool jpeg = format != NULL && str_eq(format->raw, STR("\"jpeg\""));
    if (!jpeg) {
        simple_drop(call, ask, "output_format");
        simple_drop(call, ask, "output_compression");
        return;
    }
    jw_key(w, "outputOptions");
    jw_object(w);
    jw_field_cstr(w, "mimeType", "image/jpeg");
    if (quality != NULL)
        jw_field_raw(w, "compressionQuality", quality->raw);
    jw_end(w);
}

static enum status write_imagen(struct dialect_call *call, const struct simple *ask,
                                struct json_writer *w)
{
    if (ask->count > IMAGEN_MAX)
        return dialect_refuse(
            call, ST_INVALID, "n: provider @" STR_FMT " (" STR_FMT ") makes 1 to %d pictures.",
            STR_ARG(call->target->provider), STR_ARG(call->target->service), IMAGEN_MAX);
    jw_key(w, "instances");
    jw_array(w);
    jw_object(w);
    jw_field_raw(w, "prompt", ask->prompt.raw);
    jw_end(w);
    jw_end(w);
    jw_key(w, "parameters");
    jw_object(w);
    jw_field_u64(w, "sampleCount", ask->count);
    jw_field_bool(w, "includeRaiReason", true);
    write_shape(call, ask, w, true);
    write_output(call, ask, w);
    for (size_t i = 0; i < COUNT_OF(imagens); i++) {
        const struct json *value = simple_member(ask, imagens[i][0]);
        if (value != NULL)
            jw_field_raw(w, imagens[i][1], value->raw);
    }
    jw_end(w);
    return ST_OK;
}

static enum status write_gemini(struct dialect_call *call, const struct simple *ask,
                                struct json_writer *w)
{
    const struct json *size = simple_member(ask, "image_size"), *seed = simple_member(ask, "seed");
    if (ask->count > 1)
        return params_refuse(call, "n", "It makes one picture at a time: send n requests.");
    for (size_t i = 0; i < COUNT_OF(imagens); i++)
        if (strcmp(imagens[i][0], "image_size") != 0 && strcmp(imagens[i][0], "seed") != 0)
            simple_drop(call, ask, imagens[i][0]);
    simple_drop(call, ask, "output_format");
    simple_drop(call, ask, "output_compression");
    jw_key(w, "contents");
    jw_array(w);
    jw_object(w);
    jw_field_cstr(w, "role", "user");
    jw_key(w, "parts");
    jw_array(w);
    jw_object(w);
    jw_field_raw(w, "text", ask->prompt.raw);
    jw_end(w);
    jw_end(w);
    jw_end(w);
    jw_end(w);
    jw_key(w, "generationConfig");
    jw_object(w);
    jw_field_raw(w, "responseModalities", STR("[\"TEXT\",\"IMAGE\"]"));
    if (seed != NULL)
        jw_field_raw(w, "seed", seed->raw);
    jw_key(w, "imageConfig");
    jw_object(w);
    write_shape(call, ask, w, false);
    if (size != NULL)
        jw_field_raw(w, "imageSize", size->raw);
    jw_end(w);
    jw_end(w);
    return ST_OK;
}

enum status back_gemini_image_write(struct dialect_call *call, const struct simple *ask,
                                    struct buf *out)
{
    struct json_writer w;
    jw_init(&w, out);
    jw_object(&w);
    TRY(simple_apply(call, ask, back_gemini_image_rules, &w));
    TRY(back_gemini_is_imagen(call->target->model) ? write_imagen(call, ask, &w)
                                                   : write_gemini(call, ask, &w));
    jw_end(&w);
    return ST_OK;
}

/* --- answer */

static struct simple_picture *add_picture(struct dialect_call *call, size_t most,
                                          struct simple_answer *answer)
{
    if (answer->pictures == NULL)
        answer->pictures = arena_calloc(call->arena, most, sizeof *answer->pictures);
    return answer->pictures == NULL || answer->picture_count == most
               ? NULL
               : &answer->pictures[answer->picture_count++];
}

/* No picture: why. */
static enum status fail(struct dialect_call *call, struct str word, const struct json *said)
{
    struct str text = STR("");
    bool filtered = word.n == 0 || str_find(word, STR("SAFETY")) >= 0 ||
                    str_find(word, STR("PROHIBITED")) >= 0 ||
                    str_find(word, STR("RECITATION")) >= 0;
    struct chat_error error = {.http = filtered ? 400 : 502,
                               .type =
                                   filtered ? STR("invalid_request_error") : STR("server_error"),
                               .code = filtered ? STR("content_policy_violation") : word};
    if (json_is(said, JSON_STRING))
        TRY(json_text(said, call->arena, &text));
    error.message =
        arena_printf(call->arena, "The model made no picture%s" STR_FMT "%s" STR_FMT,
                     word.n > 0 ? ": " : "", STR_ARG(word), text.n > 0 ? ": " : ".", STR_ARG(text));
    dialect_fail(call, &error);
    return ST_OK;
}

static enum status read_imagen(struct dialect_call *call, const struct simple *ask,
                               const struct json *root, struct simple_answer *answer)
{
    const struct json *list = json_get(root, "predictions"), *reason = NULL;
    for (const struct json *one = json_is(list, JSON_ARRAY) ? list->first : NULL; one != NULL;
         one = one->next) {
        const struct json *bytes = json_get(one, "bytesBase64Encoded");
        if (json_get(one, "raiFilteredReason") != NULL)
            reason = json_get(one, "raiFilteredReason");
        if (!json_is(bytes, JSON_STRING))
            continue;
        struct simple_picture *picture = add_picture(call, ask->count, answer);
        if (picture == NULL)
            return ST_UPSTREAM_BROKEN;
        picture->inner = chat_text_inner(chat_text_of(bytes));
        picture->mime = chat_text_inner(chat_text_of(json_get(one, "mimeType")));
        picture->prompt = chat_text_of(json_get(one, "prompt"));
    }
    answer->usage.images = answer->picture_count;
    answer->has_usage = true;
    return answer->picture_count > 0 ? ST_OK : fail(call, STR(""), reason);
}

static uint64_t count_of(const struct json *usage, const char *name)
{
    uint64_t value;
    return json_u64(json_get(usage, name), &value) == ST_OK ? value : 0;
}

static enum status read_gemini(struct dialect_call *call, const struct json *root,
                               struct simple_answer *answer)
{
    const struct json *list = json_get(root, "candidates"),
                      *usage = json_get(root, "usageMetadata");
    const struct json *first = json_is(list, JSON_ARRAY) ? list->first : NULL;
    const struct json *parts = json_get(json_get(first, "content"), "parts");
    const struct json *feedback = json_get(root, "promptFeedback");
    const struct json *word = json_get(first, "finishReason");
    answer->id = chat_text_of(json_get(root, "responseId"));
    answer->usage.input_tokens = count_of(usage, "promptTokenCount");
    answer->usage.reasoning_tokens = count_of(usage, "thoughtsTokenCount");
    answer->usage.output_tokens =
        count_of(usage, "candidatesTokenCount") + answer->usage.reasoning_tokens;
    answer->has_usage = usage != NULL;
    for (const struct json *part = json_is(parts, JSON_ARRAY) ? parts->first : NULL; part != NULL;
         part = part->next) {
        const struct json *blob = json_get(part, "inlineData"), *data = json_get(blob, "data");
        if (!json_is(data, JSON_STRING) || json_is(json_get(part, "thought"), JSON_TRUE))
            continue;
        struct simple_picture *picture = add_picture(call, 8, answer);
        if (picture == NULL)
            return ST_UPSTREAM_BROKEN;
        picture->inner = chat_text_inner(chat_text_of(data));
        picture->mime = chat_text_inner(chat_text_of(json_get(blob, "mimeType")));
    }
    answer->usage.images = answer->picture_count;
    if (answer->picture_count > 0)
        return ST_OK;
    call->usage = answer->usage; /* it was worked on all the same */
    call->has_usage = answer->has_usage;
    if (word == NULL)
        word = json_get(feedback, "blockReason");
    return fail(call, chat_text_inner(chat_text_of(word)), json_get(first, "finishMessage"));
}

enum status back_gemini_image_read(struct dialect_call *call, const struct simple *ask,
                                   struct str type, struct str body, struct simple_answer *answer)
{
    struct json *root;
    (void)type;
    TRY(json_parse(call->arena, body, NULL, &root, NULL));
    return back_gemini_is_imagen(call->target->model) ? read_imagen(call, ask, root, answer)
                                                      : read_gemini(call, root, answer);
}
