/* back_vertex_path.c: where Vertex AI has what a caller wants.
 *
 *   <row up to "publishers/">publishers/{publisher}/models/{model}:{verb}
 *   <row up to "publishers/">endpoints/{openapi | id}/chat/completions
 *
 * Region and project are the integration's and stand in the path, the region in the host as well
 * (put there when the integration was saved): both are held to Google's own rules here again, so
 * that no value can become another host or path.
 */
#include "data-plane/dialect/back_gemini_simple.h"
#include "data-plane/dialect/back_vertex.h"
#include "data-plane/dialect/path.h"

static bool is_lower(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* "us-central1", "global". */
static bool is_region(struct str text)
{
    bool fine = text.n >= 2 && text.n <= 40 && is_lower(text.p[0]);
    for (size_t i = 0; fine && i < text.n; i++)
        fine = is_lower(text.p[i]) || text.p[i] == '-';
    return fine;
}

/* "my-project", "example.com:my-project", "123456". */
static bool is_project(struct str text)
{
    bool fine = text.n >= 2 && text.n <= 100 && is_lower(text.p[0]);
    for (size_t i = 0; fine && i < text.n; i++)
        fine = is_lower(text.p[i]) || text.p[i] == '-' || text.p[i] == '.' || text.p[i] == ':';
    return fine;
}

/* The row's path up to "publishers/", its placeholders filled. Without a project (express mode, an
 * API key) it begins with "publishers/". */
static enum status add_place(const struct dialect_target *target, struct str row, struct buf *out)
{
    char project_room[128], region_room[64];
    struct str project =
        path_configured(target, "vertex_project_id", project_room, sizeof project_room);
    struct str region = path_configured(target, "vertex_region", region_room, sizeof region_room);
    ptrdiff_t end = str_find(row, STR("publishers/")), start = str_find(row, STR("projects/"));
    if (end < 0 || (region.n > 0 && !is_region(region)))
        return ST_INVALID;
    if (project.n == 0 && start >= 0) {
        buf_add_str(out, str_head(row, (size_t)start));
        return ST_OK;
    }
    if (!is_project(project) || region.n == 0)
        return ST_INVALID;
    return path_fill(target, str_head(row, (size_t)end), STR("-"), out);
}

static enum status add_model(const struct dialect_target *target, struct str row,
                             struct str publisher, struct str model, const char *verb,
                             struct buf *out)
{
    TRY(add_place(target, row, out));
    if (!path_is_name(model) || !path_is_name(publisher))
        return ST_INVALID;
    buf_printf(out, "publishers/" STR_FMT "/models/" STR_FMT "%s", STR_ARG(publisher),
               STR_ARG(model), verb);
    return buf_status(out);
}

enum status back_vertex_path(const struct dialect_target *target, struct str row, bool stream,
                             struct buf *out)
{
    struct vertex_model model;
    vertex_model_of(target->full_model, &model);
    switch (model.kind) {
    case VERTEX_GEMINI:
        return add_model(target, row, model.publisher, model.name,
                         stream ? ":streamGenerateContent?alt=sse" : ":generateContent", out);
    case VERTEX_CLAUDE:
        if (target->op == OP_COUNT_TOKENS)
            return add_model(target, row, model.publisher, STR("count-tokens"), ":rawPredict", out);
        return add_model(target, row, model.publisher, model.name,
                         stream ? ":streamRawPredict" : ":rawPredict", out);
    case VERTEX_RAW:
        return add_model(target, row, model.publisher, model.name,
                         stream ? ":streamRawPredict" : ":rawPredict", out);
    case VERTEX_OPEN:
    case VERTEX_ENDPOINT:
        break;
    }
    struct str id = model.kind == VERTEX_OPEN ? STR("openapi") : model.name;
    TRY(add_place(target, row, out));
    if (!path_is_name(id))
        return ST_INVALID;
    buf_printf(out, "endpoints/" STR_FMT "/chat/completions", STR_ARG(id));
    return buf_status(out);
}

enum status back_vertex_embed_path(const struct dialect_target *target, struct str row,
                                   struct buf *out)
{
    return add_model(target, row, STR("google"), target->model,
                     back_gemini_embeds_single(target->model) ? ":embedContent" : ":predict", out);
}

enum status back_vertex_image_path(const struct dialect_target *target, struct str row,
                                   struct buf *out)
{
    return add_model(target, row, STR("google"), target->model,
                     back_gemini_is_imagen(target->model) ? ":predict" : ":generateContent", out);
}
