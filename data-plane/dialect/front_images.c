/* front_images.c: POST /v1/images/generations in OpenAI's words.
 *
 * Pictures go back as base64 (b64_json): a gateway keeps none that a URL could name.
 * Source: OpenAI API reference, "Create image".
 */
#include "data-plane/dialect/front_simple.h"

#define IMAGES_MAX 10

static enum status read(struct dialect_call *call, struct str body, struct simple *ask)
{
    static const char *const own[] = {"prompt", "n", NULL};
    struct str raws[2] = {STR_NONE, STR_NONE};
    TRY(simple_read_members(call, body, own, raws, ask));
    ask->count = 1;
    if (raws[1].p != NULL)
        TRY(front_simple_count(call, raws[1], "n", IMAGES_MAX, &ask->count));
    return front_simple_text(call, raws[0], "prompt", &ask->prompt);
}

static void write_picture(struct json_writer *w, const struct simple_picture *picture)
{
    jw_object(w);
    jw_key(w, "b64_json");
    jw_raw(w, STR("\""));
    buf_add_str(w->buf, picture->inner);
    buf_add_char(w->buf, '"');
    if (chat_has(picture->prompt))
        jw_field_raw(w, "revised_prompt", picture->prompt.raw);
    jw_end(w);
}

static void write_usage(struct json_writer *w, const struct slot_usage *usage)
{
    jw_key(w, "usage");
    jw_object(w);
    jw_field_u64(w, "input_tokens", usage->input_tokens);
    jw_field_u64(w, "output_tokens", usage->output_tokens);
    jw_field_u64(w, "total_tokens", usage->input_tokens + usage->output_tokens);
    jw_end(w);
}

/* "image/png" -> "png"; OpenAI's word for a JPEG is the same. */
static struct str format_of(const struct simple_answer *answer)
{
    struct str mime = answer->picture_count == 0 ? STR("") : answer->pictures[0].mime;
    return str_starts(mime, STR("image/")) ? str_from(mime, 6) : STR("png");
}

static void write(struct dialect_call *call, const struct simple *ask,
                  const struct simple_answer *answer)
{
    struct json_writer w;
    (void)ask;
    jw_init(&w, &call->out);
    jw_object(&w);
    jw_field_i64(&w, "created", call->created_s);
    jw_key(&w, "data");
    jw_array(&w);
    for (size_t i = 0; i < answer->picture_count; i++)
        write_picture(&w, &answer->pictures[i]);
    jw_end(&w);
    jw_field_str(&w, "output_format", format_of(answer));
    if (answer->has_usage && answer->usage.input_tokens + answer->usage.output_tokens > 0)
        write_usage(&w, &answer->usage);
    jw_end(&w);
}

static const struct simple_front simple = {.read = read, .write = write};

extern const struct front front_images;
const struct front front_images = {.name = "images",
                                   .op = OP_IMAGES_GENERATIONS,
                                   .simple = &simple,
                                   .error = front_openai_chat_error};
