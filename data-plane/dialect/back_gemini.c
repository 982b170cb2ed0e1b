/* back_gemini.c: Google's generateContent as a back: its row, its address, and the order of a
 * request's members.
 *
 *   /v1beta/models/{model}:generateContent   as the row has it
 *                         :streamGenerateContent?alt=sse   where a stream is wanted
 *
 * The key goes into a header (the row's), never into the address. A model that is tuned
 * ("tunedModels/x") brings its own collection.
 */
#include "data-plane/dialect/back_gemini_simple.h"

#include "common/catalog_codec.h"
#include "data-plane/dialect/path.h"

struct back_gemini *back_gemini_state(struct dialect_call *call)
{
    struct back_gemini *state = call->back_state;
    const struct dialect_target *target = call->target;
    gemini_model_of(target->base_model.n > 0 ? target->base_model : target->model, &state->model);
    state->vertex = back_gemini_is_vertex(call);
    return state;
}

static void write_tier(struct dialect_call *call, struct json_writer *w)
{
    static const struct {
        const char *word, *as;
    } tiers[] = {{"\"default\"", "standard"}, {"\"flex\"", "flex"}, {"\"priority\"", "priority"}};
    const struct chat_param *tier = &call->chat->params[CHAT_PARAM_SERVICE_TIER];
    const struct back_gemini *state = call->back_state;
    if (!params_asks(call->chat, CHAT_PARAM_SERVICE_TIER))
        return;
    for (size_t i = 0; i < COUNT_OF(tiers) && !state->vertex; i++) {
        if (str_eq(tier->value->raw, str_c(tiers[i].word))) {
            jw_field_cstr(w, "serviceTier", tiers[i].as);
            return;
        }
    }
    dialect_drop(call, tier->field);
}

enum status back_gemini_write(struct dialect_call *call, struct buf *out)
{
    struct json_writer w;
    back_gemini_state(call);
    TRY(back_gemini_plan(call));
    jw_init(&w, out);
    jw_object(&w);
    TRY(back_gemini_contents(call, &w));
    TRY(back_gemini_tools(call, &w));
    TRY(back_gemini_config(call, &w));
    write_tier(call, &w);
    jw_end(&w);
    return ST_OK;
}

/* The row's path up to its verb, with the model in it. */
static enum status add_model(const struct dialect_target *target, struct str row, struct buf *out)
{
    static const char lead[] = "models/{model}";
    struct str model = target->model;
    ptrdiff_t at = str_find(row, str_c(lead)), verb = str_find_char(row, ':');
    if (at < 0 || verb < at)
        return ST_INVALID;
    if (str_starts(model, STR("models/")))
        model = str_from(model, 7);
    if (!str_starts(model, STR("tunedModels/")))
        return path_fill(target, str_head(row, (size_t)verb), model, out);
    TRY(path_fill(target, str_head(row, (size_t)at), model, out));
    return path_fill(target, STR("tunedModels/{model}"), str_from(model, 12), out);
}

static enum status path(const struct dialect_target *target, struct str row, bool stream,
                        struct buf *out)
{
    TRY(add_model(target, row, out));
    buf_add_str(out, stream ? STR(":streamGenerateContent?alt=sse") : STR(":generateContent"));
    return ST_OK;
}

static enum status embed_path(const struct dialect_target *target, struct str row, struct buf *out)
{
    TRY(add_model(target, row, out));
    buf_add_lit(out, ":batchEmbedContents");
    return ST_OK;
}

static enum status image_path(const struct dialect_target *target, struct str row, struct buf *out)
{
    TRY(add_model(target, row, out));
    buf_add_str(out,
                back_gemini_is_imagen(target->model) ? STR(":predict") : STR(":generateContent"));
    return ST_OK;
}

static enum status speech_path(const struct dialect_target *target, struct str row, struct buf *out)
{
    return path(target, row, false, out);
}

#define MODEL_PATH "/v1beta/models/{model}:"

static const struct simple_op simple[] = {
    {OP_EMBEDDINGS, back_gemini_embed_rules, MODEL_PATH "embedContent", embed_path,
     back_gemini_embed_write, back_gemini_embed_read},
    {OP_IMAGES_GENERATIONS, back_gemini_image_rules, MODEL_PATH "predict", image_path,
     back_gemini_image_write, back_gemini_image_read},
    {OP_AUDIO_SPEECH, back_gemini_speech_rules, MODEL_PATH "generateContent", speech_path,
     back_gemini_speech_write, back_gemini_speech_read},
};

extern const struct back back_gemini;
const struct back back_gemini = {
    .name = "gemini",
    .dialect = CAT_DIALECT_GEMINI,
    .via = OP_CHAT,
    .default_path = MODEL_PATH "generateContent",
    .signs_as = BACK_GEMINI_SIGNS,
    .state_bytes = sizeof(struct back_gemini),
    .params = back_gemini_rules,
    .path = path,
    .write = back_gemini_write,
    .event = back_gemini_event,
    .whole = back_gemini_whole,
    .error = back_gemini_error,
    .wants_bytes = back_gemini_wants_bytes,
    .simple = simple,
    .simple_count = COUNT_OF(simple),
};
