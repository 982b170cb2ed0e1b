/* cohere_family.c: Cohere's API as a family: routes, credential, models, error shape.
 *
 * Error bodies: {"id","message"}. The key comes as a bearer token. Source: Cohere API reference,
 * "Errors".
 */
#include "tests/sim/cohere/cohere.h"
#include "tests/sim/cohere/cohere_core.h"
#include "tests/sim/family.h"
#include "tests/sim/reply.h"

#define TOOLS                                  COHERE_TOOLS
#define THINKS                                 COHERE_THINKS
#define SEES                                   COHERE_SEES
#define COHERE(name, kind, dimensions, traits) {name, COHERE_##kind, dimensions, traits},
static const struct cohere_model cohere_models[] = {
#include "tests/sim/cohere/cohere.def"
};
#undef COHERE

/* A model of --model takes everything. */
static const struct cohere_model cohere_custom[] = {
    [COHERE_CHAT] = {"", COHERE_CHAT, 0, TOOLS | THINKS | SEES},
    [COHERE_EMBED] = {"", COHERE_EMBED, 1536, 0},
    [COHERE_RERANK] = {"", COHERE_RERANK, 0, 0},
};

static const struct route cohere_routes[] = {
    {"POST", "v2/chat", cohere_chat, 0},
    {"POST", "v2/embed", cohere_embed, 0},
    {"POST", "v2/rerank", cohere_rerank, 0},
};

static bool cohere_is_meant(const struct request *req)
{
    return str_find(request_header(req, "host"), STR("cohere")) >= 0;
}

static bool cohere_admit(struct request *req)
{
    struct str bearer = request_header(req, "authorization");
    struct str key =
        str_starts_nocase(bearer, STR("Bearer ")) ? str_trim(str_from(bearer, 7)) : STR("");
    if (bearer.n == 0) {
        reply_error(req, 401, NULL, STR("no api key supplied"));
        return false;
    }
    if (key.n > 0 && options_accept_key(&req->sim->options, key))
        return true;
    reply_error(req, 401, NULL, STR("invalid api token"));
    return false;
}

static void cohere_head(struct request *req, struct buf *out)
{
    buf_printf(out, "x-debug-trace-id: " STR_FMT "\r\n", STR_ARG(request_reply_id(req)));
}

static void cohere_error(struct buf *out, const struct failure *failure)
{
    static const struct {
        int status;
        const char *message;
    } rows[] = {
        {401, "invalid api token"},
        {404, "not found"},
        {429, "Please wait and try again later"},
        {503, "service unavailable"},
    };
    struct json_writer w;
    struct str message =
        failure->message.p != NULL ? failure->message
        : failure->status >= 500
            ? STR("internal server error, this has been reported to our developers")
            : STR("invalid request");
    for (size_t i = 0; failure->message.p == NULL && i < COUNT_OF(rows); i++)
        if (rows[i].status == failure->status)
            message = str_c(rows[i].message);
    jw_init(&w, out);
    jw_object(&w);
    if (failure->req != NULL)
        jw_field_str(&w, "id", request_reply_id(failure->req));
    jw_field_str(&w, "message", message);
    jw_end(&w);
}

const struct family family_cohere = {
    .name = "cohere",
    .routes = cohere_routes,
    .route_count = COUNT_OF(cohere_routes),
    .is_meant = cohere_is_meant,
    .admit = cohere_admit,
    .head = cohere_head,
    .error = cohere_error,
};

const struct cohere_model *cohere_open(struct call *call, enum cohere_kind kind)
{
    struct str name = call_text(call, call->root, "model");
    const struct options *options = &call->sim->options;
    if (name.n == 0) {
        call_error(call, 400, NULL, NULL, "invalid request: model is required");
        return NULL;
    }
    call->model = arena_str(call->keep, name);
    for (size_t i = 0; i < COUNT_OF(cohere_models); i++)
        if (str_eq(name, str_c(cohere_models[i].name)) && cohere_models[i].kind == kind)
            return &cohere_models[i];
    for (size_t i = 0; i < options->models.count; i++)
        if (str_eq(name, str_c(options->models.item[i])))
            return &cohere_custom[kind];
    call_error(call, 404, NULL, NULL,
               "model '" STR_FMT "' not found, make sure the correct model ID was used and that "
               "you have access to the model.",
               STR_ARG(str_head(name, 200)));
    return NULL;
}

bool cohere_check_shape(struct call *call, const struct shape *shape)
{
    static const struct shape_style style = {.brackets = true};
    struct shape_fault fault;
    if (shape_check(call->root, shape, &style, call->arena, &fault))
        return true;
    call_error(call, fault.rule == SHAPE_UNKNOWN ? 422 : 400, NULL, NULL,
               fault.rule == SHAPE_UNKNOWN   ? "unknown field: parameter '%s' is not a valid field"
               : fault.rule == SHAPE_MISSING ? "invalid request: '%s' is required"
                                             : "invalid request: '%s' has an invalid value",
               fault.path);
    return false;
}

void cohere_embed(struct call *call)
{
    static const struct shape_field fields[] = {
        SHAPE_TEXT("model", true),
        SHAPE_LIST("texts", false, SHAPE_STRING, NULL),
        SHAPE_LIST("images", false, SHAPE_STRING, NULL),
        SHAPE_LIST("inputs", false, SHAPE_OBJECT, NULL),
        SHAPE_ENUM("input_type", true,
                   "search_document|search_query|classification|clustering|image"),
        SHAPE_ENUM("truncate", false, "NONE|START|END"),
        SHAPE_LIST("embedding_types", false, SHAPE_STRING, NULL),
        SHAPE_COUNT("output_dimension", false, 256, 1536),
        SHAPE_COUNT("max_tokens", false, 1, 128000),
        SHAPE_COUNT("priority", false, 0, 999),
    };
    static const struct shape shape = SHAPE_OF(fields);
    const struct cohere_model *model = cohere_open(call, COHERE_EMBED);
    if (model != NULL && cohere_check_shape(call, &shape))
        cohere_write_embeddings(call, model->dimensions, COHERE_SHAPE_OWN);
}

void cohere_rerank(struct call *call)
{
    static const struct shape_field fields[] = {
        SHAPE_TEXT("model", true),
        SHAPE_TEXT("query", true),
        SHAPE_LIST("documents", true, SHAPE_STRING, NULL),
        SHAPE_COUNT("top_n", false, 1, 10000),
        SHAPE_COUNT("max_tokens_per_doc", false, 1, 1 << 20),
        SHAPE_COUNT("priority", false, 0, 999),
    };
    static const struct shape shape = SHAPE_OF(fields);
    if (cohere_open(call, COHERE_RERANK) != NULL && cohere_check_shape(call, &shape))
        cohere_write_rerank(call, COHERE_SHAPE_OWN);
}
