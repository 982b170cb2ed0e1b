/* api_images.c: POST images/generations (JSON), images/edits and images/variations (multipart).
 *
 * Every image is the same 1x1 PNG; the URL form differs by the prompt. gpt-image models always give
 * base64 and a usage, counted as OpenAI prices them: output tokens by quality and size (a table),
 * input = tokens of the prompt + 300 per image sent.
 */
#include "tests/sim/api.h"
#include "tests/sim/media.h"

#define IMAGES_MAX          10
#define IMAGES_INPUT_TOKENS 300

struct images_ask {
    struct str prompt, size, quality, format;
    int64_t n;
    uint64_t inputs; /* images sent */
};

/* Output tokens of one gpt-image picture. */
static uint64_t images_output_tokens(const struct images_ask *ask)
{
    static const uint64_t table[3][3] = {{272, 408, 400}, {1056, 1584, 1568}, {4160, 6240, 6208}};
    size_t size = str_eq(ask->size, STR("1024x1536"))   ? 1
                  : str_eq(ask->size, STR("1536x1024")) ? 2
                                                        : 0;
    size_t quality = str_eq(ask->quality, STR("low"))    ? 0
                     : str_eq(ask->quality, STR("high")) ? 2
                                                         : 1;
    return table[quality][size];
}

static void images_write_usage(struct json_writer *w, const struct images_ask *ask,
                               struct usage *usage)
{
    uint64_t text = usage_tokens(ask->prompt.n), image = ask->inputs * IMAGES_INPUT_TOKENS;
    *usage = (struct usage){.prompt = text + image,
                            .completion = (uint64_t)ask->n * images_output_tokens(ask)};
    jw_key(w, "usage");
    jw_object(w);
    jw_field_u64(w, "input_tokens", usage->prompt);
    jw_key(w, "input_tokens_details");
    jw_object(w);
    jw_field_u64(w, "text_tokens", text);
    jw_field_u64(w, "image_tokens", image);
    jw_end(w);
    jw_field_u64(w, "output_tokens", usage->completion);
    jw_field_u64(w, "total_tokens", usage->prompt + usage->completion);
    jw_end(w);
}

static void images_write(struct call *call, const struct images_ask *ask)
{
    bool modern = str_starts(call->model, STR("gpt-image"));
    bool base64 = modern || str_eq(ask->format, STR("b64_json"));
    char url[96];
    snprintf(url, sizeof url, "https://images.sim.invalid/%016llx.png",
             (unsigned long long)sim_hash(ask->prompt, 2));
    struct json_writer w;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_field_i64(&w, "created", sim_now_s());
    jw_key(&w, "data");
    jw_array(&w);
    for (int64_t i = 0; i < ask->n; i++) {
        jw_object(&w);
        if (base64)
            jw_field_cstr(&w, "b64_json", MEDIA_PNG);
        else
            jw_field_cstr(&w, "url", url);
        if (!modern)
            jw_field_str(&w, "revised_prompt", ask->prompt);
        jw_end(&w);
    }
    jw_end(&w);
    if (modern)
        images_write_usage(&w, ask, &call->usage);
    jw_end(&w);
}

void api_images_generate(struct call *call)
{
    struct images_ask ask = {.prompt = call_text(call, call->root, "prompt"),
                             .size = call_text(call, call->root, "size"),
                             .quality = call_text(call, call->root, "quality"),
                             .format = call_text(call, call->root, "response_format")};
    struct str model = call_text(call, call->root, "model");
    if (!call_model_named(call, model.p == NULL ? STR("dall-e-3") : model) ||
        !call_number(call, "n", 1, IMAGES_MAX, 1, &ask.n))
        return;
    if (ask.prompt.n == 0)
        call_error(call, 400, "missing_required_parameter", "prompt",
                   "Missing required parameter: 'prompt'.");
    else
        images_write(call, &ask);
}

void api_images_edit(struct call *call)
{
    struct images_ask ask = {.prompt = call_field(call, "prompt"),
                             .size = call_field(call, "size"),
                             .quality = call_field(call, "quality"),
                             .format = call_field(call, "response_format"),
                             .n = 1};
    struct form *form = call->req == NULL ? NULL : call->req->form;
    struct str model = call_field(call, "model"), n_text = call_field(call, "n");
    uint64_t n = 1;
    while (form_file(form, ask.inputs) != NULL)
        ask.inputs++;
    if (!call_model_named(call, model.p == NULL ? STR("gpt-image-1") : model))
        return;
    if (n_text.p != NULL && (str_to_u64(n_text, &n) != ST_OK || n < 1 || n > IMAGES_MAX)) {
        call_error(call, 400, "invalid_value", "n", "Invalid value for 'n'.");
        return;
    }
    ask.n = (int64_t)n;
    if (ask.inputs == 0)
        call_error(call, 400, "missing_required_parameter", "image",
                   "Missing required parameter: 'image'.");
    else
        images_write(call, &ask);
}
