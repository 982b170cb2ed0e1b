/* back_vertex.c: Vertex AI's rows: Gemini, Claude, and who speaks OpenAI's chat there.
 *
 * Only the first row is in backs.def; it chooses among them by the model's name. A caller who
 * speaks the model's own dialect passes spliced: Messages to Claude (whose body names a version in
 * the model's place), OpenAI's chat to the others.
 */
#include "data-plane/dialect/back_vertex.h"

#include "common/catalog_codec.h"
#include "data-plane/dialect/back_anthropic.h"
#include "data-plane/dialect/back_gemini_simple.h"
#include "data-plane/dialect/back_openai.h"

#define CLAUDE_VERSION "vertex-2023-10-16"

extern const struct back back_vertex, back_vertex_claude, back_vertex_open, back_vertex_raw;

/* Errors are Google's where its own front made them, also for models of other makers. */
void back_vertex_error(struct dialect_call *call, const struct json *body, struct chat_error *error)
{
    const struct json *inner = json_get(body, "error");
    if (call->back == &back_vertex || json_is(json_get(inner, "status"), JSON_STRING))
        back_gemini_error(call, body, error);
    else if (call->back == &back_vertex_claude)
        back_anthropic_error(call, body, error);
    else
        back_openai_error(call, body, error);
}

static enum status write_claude(struct dialect_call *call, struct buf *out)
{
    struct json_writer w;
    jw_init(&w, out);
    jw_object(&w);
    jw_field_cstr(&w, "anthropic_version", CLAUDE_VERSION);
    if (call->chat->stream)
        jw_field_bool(&w, "stream", true);
    TRY(back_anthropic_write_members(call, &w));
    jw_end(&w);
    return ST_OK;
}

const struct back *back_vertex_choose(struct arena *arena, struct dialect_target *target)
{
    struct vertex_model model;
    struct str joined;
    vertex_model_of(target->model, &model);
    target->model = model.name;
    switch (model.kind) {
    case VERTEX_GEMINI:
        return &back_vertex;
    case VERTEX_CLAUDE:
        return &back_vertex_claude;
    case VERTEX_RAW:
        return &back_vertex_raw;
    case VERTEX_OPEN: /* its body names the publisher as well */
        joined =
            arena_printf(arena, STR_FMT "/" STR_FMT, STR_ARG(model.publisher), STR_ARG(model.name));
        if (joined.p != NULL)
            target->model = joined;
        return &back_vertex_open;
    case VERTEX_ENDPOINT:
        break;
    }
    return &back_vertex_open;
}

static const struct simple_op simple[] = {
    {OP_EMBEDDINGS, back_gemini_embed_rules, BACK_VERTEX_PATH, back_vertex_embed_path,
     back_gemini_embed_write, back_gemini_embed_read},
    {OP_IMAGES_GENERATIONS, back_gemini_image_rules, BACK_VERTEX_PATH, back_vertex_image_path,
     back_gemini_image_write, back_gemini_image_read},
};

const struct back back_vertex = {
    .name = "vertex",
    .dialect = CAT_DIALECT_VERTEX,
    .via = OP_CHAT,
    .default_path = BACK_VERTEX_PATH,
    .signs_as = BACK_GEMINI_SIGNS,
    .state_bytes = sizeof(struct back_gemini),
    .params = back_gemini_rules,
    .choose = back_vertex_choose,
    .path = back_vertex_path,
    .write = back_gemini_write,
    .event = back_gemini_event,
    .whole = back_gemini_whole,
    .error = back_vertex_error,
    .wants_bytes = back_gemini_wants_bytes,
    .simple = simple,
    .simple_count = COUNT_OF(simple),
    .sign = back_vertex_sign,
};

const struct back back_vertex_claude = {
    .name = "vertex-claude",
    .dialect = CAT_DIALECT_VERTEX,
    .via = OP_CHAT,
    .default_path = BACK_VERTEX_PATH,
    .native = OP_BIT(OP_MESSAGES) | OP_BIT(OP_COUNT_TOKENS),
    .mixed_errors = true,
    .model_member = "\"anthropic_version\":\"" CLAUDE_VERSION "\"",
    .signs_as = BACK_ANTHROPIC_SIGNS,
    .state_bytes = sizeof(struct back_anthropic),
    .params = back_anthropic_rules,
    .path = back_vertex_path,
    .write = write_claude,
    .event = back_anthropic_event,
    .whole = back_anthropic_whole,
    .error = back_vertex_error,
    .sign = back_vertex_sign,
};

const struct back back_vertex_open = {
    .name = "vertex-open",
    .dialect = CAT_DIALECT_VERTEX,
    .via = OP_CHAT,
    .default_path = BACK_VERTEX_PATH,
    .native = OP_BIT(OP_CHAT),
    .mixed_errors = true,
    .state_bytes = sizeof(struct back_openai),
    .params = back_openai_rules,
    .path = back_vertex_path,
    .write = back_openai_write,
    .event = back_openai_event,
    .whole = back_openai_whole,
    .error = back_vertex_error,
    .sign = back_vertex_sign,
};

const struct back back_vertex_raw = {
    .name = "vertex-raw",
    .dialect = CAT_DIALECT_VERTEX,
    .via = OP_CHAT,
    .default_path = BACK_VERTEX_PATH,
    .native = OP_BIT(OP_CHAT),
    .mixed_errors = true,
    .no_stream_options = true,
    .state_bytes = sizeof(struct back_openai),
    .params = back_openai_rules,
    .path = back_vertex_path,
    .write = back_openai_write,
    .event = back_openai_event,
    .whole = back_openai_whole,
    .error = back_vertex_error,
    .sign = back_vertex_sign,
};
