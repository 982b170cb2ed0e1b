/* invoke_image.c: InvokeModel for pictures: Stability's two generations, and Titan Image / Nova
 * Canvas.
 *
 * Every picture is the one of media.h. Source: the models' pages of the Bedrock guide.
 */
#include "tests/sim/aws/invoke.h"
#include "tests/sim/media.h"

void invoke_stable_image(struct call *call, const struct bedrock_model *model, bool stream)
{
    static const struct shape_field fields[] = {
        {.name = "prompt", .types = SHAPE_STRING, .needed = true, .min = 1, .max = 10000},
        SHAPE_TEXT("negative_prompt", false),
        SHAPE_ENUM("aspect_ratio", false, "16:9|1:1|21:9|2:3|3:2|4:5|5:4|9:16|9:21"),
        SHAPE_ENUM("mode", false, "text-to-image|image-to-image"),
        SHAPE_COUNT("seed", false, 0, 4294967294),
        SHAPE_ENUM("output_format", false, "jpeg|png|webp"),
        SHAPE_TEXT("image", false),
        SHAPE_DECIMAL("strength", 0, 1),
    };
    static const struct shape shape = SHAPE_OF(fields);
    struct json_writer w;
    (void)model;
    (void)stream;
    if (!invoke_check(call, &shape))
        return;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_key(&w, "seeds");
    jw_array(&w);
    jw_i64(&w, call_integer(call->root, "seed", 1));
    jw_end(&w);
    jw_field_raw(&w, "finish_reasons",
                 call->fault->refuse == 1 ? STR("[\"Filter reason: prompt\"]") : STR("[null]"));
    jw_key(&w, "images");
    jw_array(&w);
    if (call->fault->refuse != 1)
        jw_cstr(&w, MEDIA_PNG);
    jw_end(&w);
    jw_end(&w);
}

void invoke_stable_xl(struct call *call, const struct bedrock_model *model, bool stream)
{
    static const struct shape_field prompt_fields[] = {
        SHAPE_TEXT("text", true),
        SHAPE_DECIMAL("weight", -10, 10),
    };
    static const struct shape prompt_shape = SHAPE_OF(prompt_fields);
    static const struct shape_field fields[] = {
        {.name = "text_prompts",
         .types = SHAPE_ARRAY,
         .items = SHAPE_OBJECT,
         .needed = true,
         .min = 1,
         .shape = &prompt_shape},
        SHAPE_COUNT("height", false, 320, 1536),
        SHAPE_COUNT("width", false, 320, 1536),
        SHAPE_DECIMAL("cfg_scale", 0, 35),
        SHAPE_TEXT("clip_guidance_preset", false),
        SHAPE_TEXT("sampler", false),
        SHAPE_COUNT("samples", false, 1, 1),
        SHAPE_COUNT("seed", false, 0, 4294967295),
        SHAPE_COUNT("steps", false, 10, 150),
        SHAPE_TEXT("style_preset", false),
        SHAPE_MEMBERS("extras", false, NULL),
        SHAPE_TEXT("init_image", false),
        SHAPE_TEXT("init_image_mode", false),
        SHAPE_DECIMAL("image_strength", 0, 1),
    };
    static const struct shape shape = SHAPE_OF(fields);
    struct json_writer w;
    (void)model;
    (void)stream;
    if (!invoke_check(call, &shape))
        return;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_field_cstr(&w, "result", "success");
    jw_key(&w, "artifacts");
    jw_array(&w);
    jw_object(&w);
    jw_field_i64(&w, "seed", call_integer(call->root, "seed", 1));
    jw_field_cstr(&w, "base64", MEDIA_PNG);
    jw_field_cstr(&w, "finishReason", call->fault->refuse == 1 ? "CONTENT_FILTERED" : "SUCCESS");
    jw_end(&w);
    jw_end(&w);
    jw_end(&w);
}

void invoke_canvas(struct call *call, const struct bedrock_model *model, bool stream)
{
    static const struct shape_field text_fields[] = {
        {.name = "text", .types = SHAPE_STRING, .needed = true, .min = 1, .max = 1024},
        SHAPE_TEXT("negativeText", false),
        SHAPE_TEXT("conditionImage", false),
        SHAPE_TEXT("controlMode", false),
        SHAPE_DECIMAL("controlStrength", 0, 1),
    };
    static const struct shape text_shape = SHAPE_OF(text_fields);
    static const struct shape_field config_fields[] = {
        SHAPE_COUNT("numberOfImages", false, 1, 5),
        SHAPE_ENUM("quality", false, "standard|premium"),
        SHAPE_COUNT("height", false, 320, 4096),
        SHAPE_COUNT("width", false, 320, 4096),
        SHAPE_DECIMAL("cfgScale", 1, 10),
        SHAPE_COUNT("seed", false, 0, 2147483646),
    };
    static const struct shape config_shape = SHAPE_OF(config_fields);
    static const struct shape_field fields[] = {
        SHAPE_ENUM("taskType", true,
                   "TEXT_IMAGE|INPAINTING|OUTPAINTING|IMAGE_VARIATION|COLOR_GUIDED_GENERATION|"
                   "BACKGROUND_REMOVAL"),
        SHAPE_MEMBERS("textToImageParams", false, &text_shape),
        SHAPE_MEMBERS("inPaintingParams", false, NULL),
        SHAPE_MEMBERS("outPaintingParams", false, NULL),
        SHAPE_MEMBERS("imageVariationParams", false, NULL),
        SHAPE_MEMBERS("imageGenerationConfig", false, &config_shape),
    };
    static const struct shape shape = SHAPE_OF(fields);
    struct json_writer w;
    (void)model;
    (void)stream;
    if (!invoke_check(call, &shape))
        return;
    bool text = str_eq(call_text(call, call->root, "taskType"), STR("TEXT_IMAGE"));
    if (text && json_get(call->root, "textToImageParams") == NULL) {
        call_error(call, 400, NULL, NULL,
                   "Malformed input request: #: required key [textToImageParams] not found, please "
                   "reformat your input and try again.");
        return;
    }
    int64_t n = call_integer(json_get(call->root, "imageGenerationConfig"), "numberOfImages", 1);
    jw_init(&w, call->out);
    jw_object(&w);
    jw_key(&w, "images");
    jw_array(&w);
    for (int64_t i = 0; i < n; i++)
        jw_cstr(&w, MEDIA_PNG);
    jw_end(&w);
    jw_field_cstr(&w, "error", NULL);
    jw_end(&w);
}
