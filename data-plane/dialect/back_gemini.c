/* back_gemini.c: Google's generateContent as a back: its row, its address, and the order of a
 * request's members.
 *
 *   /v1beta/models/{model}:generateContent   as the row has it
 *                         :streamGenerateContent?alt=sse   where a stream is wanted
 *
 * The key goes into a header (the row's), never into the address. A model that is tuned
 * ("tunedModels/x") brings its own collection.
 */
#include "data-plane/dialect/back_gemini.h"

#include "common/catalog_codec.h"
#include "data-plane/dialect/path.h"

struct back_gemini *back_gemini_state(struct dialect_call *call)
{
    struct back_gemini *state = call->back_state;
    const struct dialect_target *target = call->target;
    gemini_model_of(target->base_model.n > 0 ? target->base_model : target->model, &state->model);
    state->vertex = call->back->dialect == CAT_DIALECT_VERTEX;
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

static enum status path(const struct dialect_target *target, struct str row, bool stream,
                        struct buf *out)
{
    static const char lead[] = "models/{model}";
    struct str model = target->model;
    ptrdiff_t at = str_find(row, str_c(lead));
    bool tuned = at >= 0 && str_starts(model, STR("tunedModels/"));
    if (str_starts(model, STR("models/")))
        model = str_from(model, 7);
    if (tuned) {
        buf_add_str(out, str_head(row, (size_t)at));
        TRY(path_fill(target, STR("tunedModels/{model}"), str_from(model, 12), out));
        row = str_from(row, (size_t)at + sizeof lead - 1);
    }
    if (!stream)
        return path_fill(target, row, model, out);
    ptrdiff_t verb = str_find(row, STR(":generateContent"));
    if (verb < 0)
        return ST_INVALID;
    TRY(path_fill(target, str_head(row, (size_t)verb), model, out));
    buf_add_lit(out, ":streamGenerateContent?alt=sse");
    return ST_OK;
}

extern const struct back back_gemini;
const struct back back_gemini = {
    .name = "gemini",
    .dialect = CAT_DIALECT_GEMINI,
    .via = OP_CHAT,
    .default_path = "/v1beta/models/{model}:generateContent",
    .signs_as = BACK_GEMINI_SIGNS,
    .state_bytes = sizeof(struct back_gemini),
    .params = back_gemini_rules,
    .path = path,
    .write = back_gemini_write,
    .event = back_gemini_event,
    .whole = back_gemini_whole,
    .error = back_gemini_error,
    .wants_bytes = back_gemini_wants_bytes,
};
