/* back_bedrock_images.c: pictures by Stability AI, Titan Image and Nova Canvas.
 *
 *   stability.stable-diffusion-xl   text_prompts, width, height        one picture
 *   stability.*                     prompt, aspect_ratio               one picture
 *   amazon.titan-image, nova-canvas textToImageParams, imageGenerationConfig   one to five
 *
 * Stability's shapes are taken where OpenAI's pixels are within 2 % of one; a size that is not
 * exactly the model's is listed as dropped. What a filter stopped is an error, not an empty list.
 */
#include "data-plane/dialect/back_bedrock_simple.h"

#define CANVAS_MAX 5

const struct simple_rule back_bedrock_image_rules[] = {
    {"background", PARAM_DROP, NULL, NULL},
    {"moderation", PARAM_DROP, NULL, NULL},
    {"output_compression", PARAM_DROP, NULL, NULL},
    {"output_format", PARAM_CONVERT, NULL, "output_format, of Stability; others give PNG"},
    {"partial_images", PARAM_DROP, NULL, NULL},
    {"quality", PARAM_CONVERT, NULL, "quality, of Titan and Canvas: high and hd are premium"},
    {"response_format", PARAM_REFUSE, NULL, "It gives bytes: ask for b64_json."},
    {"size", PARAM_CONVERT, NULL, "width and height, or aspect_ratio"},
    {"style", PARAM_DROP, NULL, NULL},
    {"user", PARAM_DROP, NULL, NULL},
    {"aspect_ratio", PARAM_CONVERT, NULL, "aspect_ratio, of Stability"},
    {"negative_prompt", PARAM_CONVERT, NULL, "negative_prompt, negativeText, a weight of -1"},
    {"seed", PARAM_CONVERT, NULL, "seed"},
    {"cfg_scale", PARAM_CONVERT, NULL, "cfg_scale, cfgScale"},
    {"steps", PARAM_CONVERT, NULL, "steps, of SDXL"},
    {"style_preset", PARAM_CONVERT, NULL, "style_preset, of SDXL"},
    {NULL, PARAM_UNRULED, NULL, NULL},
};

enum kind { OTHER, XL, STABLE, CANVAS };

static enum kind kind_of(const struct dialect_call *call)
{
    static const struct {
        const char *name;
        enum kind kind;
    } rows[] = {{"stability.stable-diffusion-xl", XL},
                {"stability.", STABLE},
                {"amazon.titan-image", CANVAS},
                {"amazon.nova-canvas", CANVAS}};
    struct bedrock_model model;
    bedrock_model_of(call->target, &model);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_find(model.id, str_c(rows[i].name)) >= 0)
            return rows[i].kind;
    return OTHER;
}

/* --- sizes */

/* "1536x1024" between quotes. */
static bool pixels_of(const struct simple *ask, uint64_t *wide, uint64_t *high)
{
    struct str inner = chat_text_inner(chat_text_of(simple_member(ask, "size")));
    ptrdiff_t cross = str_find_char(inner, 'x');
    return simple_asks(ask, "size") && cross > 0 &&
           str_to_u64(str_head(inner, (size_t)cross), wide) == ST_OK &&
           str_to_u64(str_from(inner, (size_t)cross + 1), high) == ST_OK && *wide > 0 &&
           *high > 0 && *wide < 100000 && *high < 100000;
}

static const char *shape_of(uint64_t wide, uint64_t high)
{
    static const struct {
        const char *name;
        unsigned wide, high;
    } shapes[] = {{"1:1", 1, 1},   {"3:2", 3, 2},   {"2:3", 2, 3},   {"5:4", 5, 4},  {"4:5", 4, 5},
                  {"16:9", 16, 9}, {"9:16", 9, 16}, {"21:9", 21, 9}, {"9:21", 9, 21}};
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        uint64_t a = wide * shapes[i].high, b = high * shapes[i].wide;
        if ((a > b ? a - b : b - a) * 50 <= b)
            return shapes[i].name;
    }
    return NULL;
}

static void write_shape(struct dialect_call *call, const struct simple *ask, struct json_writer *w)
{
    const struct json *own = simple_member(ask, "aspect_ratio");
    uint64_t wide = 0, high = 0;
    const char *shape = pixels_of(ask, &wide, &high) ? shape_of(wide, high) : NULL;
    if (own != NULL)
        jw_field_raw(w, "aspect_ratio", own->raw);
    else if (shape != NULL)
        jw_field_cstr(w, "aspect_ratio", shape);
    if (own != NULL || shape == NULL || wide != 1024 || high != 1024)
        simple_drop(call, ask, "size");
}

static void write_pixels(struct dialect_call *call, const struct simple *ask, struct json_writer *w)
{
    uint64_t wide, high;
    if (pixels_of(ask, &wide, &high)) {
        jw_field_u64(w, "width", wide);
        jw_field_u64(w, "height", high);
    } else {
        simple_drop(call, ask, "size");
    }
    simple_drop(call, ask, "aspect_ratio");
}

static void write_own(const struct simple *ask, struct json_writer *w, const char *name,
                      const char *as)
{
    const struct json *value = simple_member(ask, name);
    if (value != NULL)
        jw_field_raw(w, as, value->raw);
}

/* --- requests */

static void write_xl(struct dialect_call *call, const struct simple *ask, struct json_writer *w)
{
    const struct json *negative = simple_member(ask, "negative_prompt");
    jw_key(w, "text_prompts");
    jw_array(w);
    jw_object(w);
    jw_field_raw(w, "text", ask->prompt.raw);
    jw_end(w);
    if (negative != NULL) {
        jw_object(w);
        jw_field_raw(w, "text", negative->raw);
        jw_field_i64(w, "weight", -1);
        jw_end(w);
    }
    jw_end(w);
    write_pixels(call, ask, w);
    write_own(ask, w, "seed", "seed");
    write_own(ask, w, "cfg_scale", "cfg_scale");
    write_own(ask, w, "steps", "steps");
    write_own(ask, w, "style_preset", "style_preset");
    simple_drop(call, ask, "output_format");
    simple_drop(call, ask, "quality");
}

static void write_stable(struct dialect_call *call, const struct simple *ask, struct json_writer *w)
{
    static const char *const others[] = {"quality", "cfg_scale", "steps", "style_preset"};
    jw_field_raw(w, "prompt", ask->prompt.raw);
    write_shape(call, ask, w);
    write_own(ask, w, "negative_prompt", "negative_prompt");
    write_own(ask, w, "seed", "seed");
    write_own(ask, w, "output_format", "output_format");
    for (size_t i = 0; i < COUNT_OF(others); i++)
        simple_drop(call, ask, others[i]);
}

static void write_canvas(struct dialect_call *call, const struct simple *ask, struct json_writer *w)
{
    static const char *const others[] = {"output_format", "steps", "style_preset"};
    struct str quality = chat_text_inner(chat_text_of(simple_member(ask, "quality")));
    bool premium = str_eq(quality, STR("high")) || str_eq(quality, STR("hd")) ||
                   str_eq(quality, STR("premium"));
    jw_field_cstr(w, "taskType", "TEXT_IMAGE");
    jw_key(w, "textToImageParams");
    jw_object(w);
    jw_field_raw(w, "text", ask->prompt.raw);
    write_own(ask, w, "negative_prompt", "negativeText");
    jw_end(w);
    jw_key(w, "imageGenerationConfig");
    jw_object(w);
    jw_field_u64(w, "numberOfImages", ask->count);
    write_pixels(call, ask, w);
    if (simple_asks(ask, "quality"))
        jw_field_cstr(w, "quality", premium ? "premium" : "standard");
    write_own(ask, w, "cfg_scale", "cfgScale");
    write_own(ask, w, "seed", "seed");
    jw_end(w);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        simple_drop(call, ask, others[i]);
}

static enum status check(struct dialect_call *call, const struct simple *ask, enum kind kind)
{
    uint64_t most = kind == CANVAS ? CANVAS_MAX : 1;
    if (kind == OTHER)
        return dialect_refuse(
            call, ST_INVALID,
            "model: " STR_FMT " of provider @" STR_FMT
            " is not known to make pictures. Name a Stability, Titan Image or Nova Canvas model.",
            STR_ARG(call->target->model), STR_ARG(call->target->provider));
    if (ask->count <= most)
        return ST_OK;
    return dialect_refuse(call, ST_INVALID,
                          "n: the model " STR_FMT " of provider @" STR_FMT
                          " makes at most %llu a request. Send several.",
                          STR_ARG(call->target->model), STR_ARG(call->target->provider),
                          (unsigned long long)most);
}

enum status back_bedrock_image_write(struct dialect_call *call, const struct simple *ask,
                                     struct buf *out)
{
    enum kind kind = kind_of(call);
    struct json_writer w;
    TRY(check(call, ask, kind));
    jw_init(&w, out);
    jw_object(&w);
    if (kind == XL)
        write_xl(call, ask, &w);
    else if (kind == STABLE)
        write_stable(call, ask, &w);
    else
        write_canvas(call, ask, &w);
    TRY(simple_apply(call, ask, back_bedrock_image_rules, &w));
    jw_end(&w);
    return ST_OK;
}

/* --- answers */

static enum status fail(struct dialect_call *call, const struct json *why)
{
    struct str text = STR("it did not say why");
    struct chat_error error = {
        .http = 400, .type = STR("invalid_request_error"), .code = STR("content_policy_violation")};
    if (json_is(why, JSON_STRING))
        TRY(json_text(why, call->arena, &text));
    error.message =
        arena_printf(call->arena, "The model made no picture: " STR_FMT ".", STR_ARG(text));
    dialect_fail(call, &error);
    return ST_OK;
}

static void add_picture(struct simple_answer *answer, const struct json *bytes, struct str mime)
{
    if (!json_is(bytes, JSON_STRING))
        return;
    answer->pictures[answer->picture_count++] =
        (struct simple_picture){.inner = chat_text_inner(chat_text_of(bytes)), .mime = mime};
}

/* SDXL: one list of what was made, each with how it ended. */
static const struct json *read_artifacts(const struct json *list, struct simple_answer *answer)
{
    const struct json *why = NULL;
    for (const struct json *one = list->first; one != NULL; one = one->next) {
        const struct json *reason = json_get(one, "finishReason");
        if (json_is(reason, JSON_STRING) && str_eq(reason->raw, STR("\"CONTENT_FILTERED\"")))
            why = reason;
        else
            add_picture(answer, json_get(one, "base64"), STR("image/png"));
    }
    return why;
}

static struct str mime_of(const struct simple *ask, enum kind kind)
{
    struct str format = chat_text_inner(chat_text_of(simple_member(ask, "output_format")));
    if (kind == STABLE && str_eq(format, STR("jpeg")))
        return STR("image/jpeg");
    return kind == STABLE && str_eq(format, STR("webp")) ? STR("image/webp") : STR("image/png");
}

enum status back_bedrock_image_read(struct dialect_call *call, const struct simple *ask,
                                    struct str type, struct str body, struct simple_answer *answer)
{
    struct json *root;
    (void)type;
    TRY(json_parse(call->arena, body, NULL, &root, NULL));
    const struct json *artifacts = json_get(root, "artifacts"), *images = json_get(root, "images");
    const struct json *list = json_is(artifacts, JSON_ARRAY) ? artifacts : images, *why;
    const struct json *reasons = json_get(root, "finish_reasons");
    if (!json_is(list, JSON_ARRAY))
        return ST_UPSTREAM_BROKEN;
    answer->pictures = arena_calloc(call->arena, list->count + 1, sizeof *answer->pictures);
    if (answer->pictures == NULL)
        return ST_NO_MEMORY;
    why = json_is(reasons, JSON_ARRAY) ? reasons->first : json_get(root, "error");
    if (list == artifacts)
        why = read_artifacts(list, answer);
    for (const struct json *one = list == images ? list->first : NULL; one != NULL; one = one->next)
        add_picture(answer, one, mime_of(ask, kind_of(call)));
    answer->usage.images = answer->picture_count;
    answer->has_usage = true;
    return answer->picture_count > 0 ? ST_OK : fail(call, why);
}
