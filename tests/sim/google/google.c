/* google.c: see google.h. */
#include "tests/sim/google/google.h"

#include "tests/sim/reply.h"

#include <stdarg.h>

#define THINKS     GOOGLE_THINKS
#define MAY_THINK  GOOGLE_MAY_THINK
#define BUDGET     GOOGLE_BUDGET
#define LEVEL      GOOGLE_LEVEL
#define ALWAYS     GOOGLE_ALWAYS
#define SIGNED     GOOGLE_SIGNED
#define PICTURES   GOOGLE_PICTURES
#define JSON_CALLS GOOGLE_JSON_CALLS
#define GOOGLE(name, display, input, output, kind, traits)                                         \
    {name, display, input, output, GOOGLE_##kind, traits},

static const struct google_model google_models[] = {
#include "tests/sim/google/google.def"
};

static const struct google_model google_custom = {
    .name = "",
    .display = "A model of --model",
    .input_tokens = 1048576,
    .output_tokens = 65536,
    .kind = GOOGLE_CHAT,
    .traits = MAY_THINK | BUDGET | LEVEL | JSON_CALLS,
};

const struct google_model *google_at(size_t i)
{
    return i < COUNT_OF(google_models) ? &google_models[i] : NULL;
}

const struct google_model *google_find(const struct options *options, struct str name)
{
    for (size_t i = 0; i < COUNT_OF(google_models); i++) {
        if (str_eq(name, str_c(google_models[i].name)))
            return &google_models[i];
    }
    for (size_t i = 0; i < options->models.count; i++) {
        if (str_eq(name, str_c(options->models.item[i])))
            return &google_custom;
    }
    return NULL;
}

const struct google_model *google_open(struct call *call, enum google_kind kind, const char *method)
{
    const struct google_model *model = google_find(&call->sim->options, call->id);
    call->model = arena_str(call->keep, call->id);
    if (model == NULL || model->kind != kind) {
        bool vertex = str_find(call->req->path, STR("/publishers/")) >= 0;
        call_error(call, 404, NULL, NULL,
                   vertex ? "Publisher Model `" STR_FMT "` was not found or your project does not "
                            "have access to it (%s)."
                          : "models/" STR_FMT " is not found for API version v1beta, or is not "
                            "supported for %s. Call ModelService.ListModels to see the list of "
                            "available models and their supported methods.",
                   STR_ARG(str_head(call->id, 200)), method);
        return NULL;
    }
    if (call->root != NULL)
        return model;
    (void)google_refuse(call, "Invalid JSON payload received. A JSON object is required.");
    return NULL;
}

/* Whether a key is the name in snake case. */
static bool google_is_snake(struct str key, const char *name)
{
    size_t i = 0;
    for (; *name != '\0'; name++) {
        bool upper = *name >= 'A' && *name <= 'Z';
        if (upper && (i >= key.n || key.p[i++] != '_'))
            return false;
        if (i >= key.n || key.p[i++] != (upper ? (char)(*name + ('a' - 'A')) : *name))
            return false;
    }
    return i == key.n;
}

const struct json *google_get(const struct json *node, const char *name)
{
    const struct json *found = json_get(node, name);
    for (const struct json *m = found == NULL && json_is(node, JSON_OBJECT) ? node->first : NULL;
         m != NULL; m = m->next) {
        if (google_is_snake(m->key, name))
            return m;
    }
    return found;
}

struct str google_text(const struct call *call, const struct json *node, const char *name)
{
    struct str text = STR_NONE;
    const struct json *member = google_get(node, name);
    if (!json_is(member, JSON_STRING) || json_text(member, call->arena, &text) != ST_OK)
        return STR_NONE;
    return text.p == NULL ? STR("") : text;
}

int64_t google_integer(const struct json *node, const char *name, int64_t otherwise)
{
    int64_t value = otherwise;
    const struct json *member = google_get(node, name);
    return member != NULL && json_i64(member, &value) == ST_OK ? value : otherwise;
}

static const struct {
    int status;
    const char *word, *message;
} google_statuses[] = {
    {400, "INVALID_ARGUMENT", "The simulator was asked to refuse this request."},
    {401, "UNAUTHENTICATED", "Request had invalid authentication credentials."},
    {403, "PERMISSION_DENIED", "The caller does not have permission"},
    {404, "NOT_FOUND", "Requested entity was not found."},
    {409, "ABORTED", "The operation was aborted."},
    {429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."},
    {499, "CANCELLED", "The operation was cancelled."},
    {500, "INTERNAL", "An internal error has occurred. Please retry."},
    {503, "UNAVAILABLE", "The model is overloaded. Please try again later."},
    {504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."},
};

const char *google_status(int status)
{
    for (size_t i = 0; i < COUNT_OF(google_statuses); i++) {
        if (google_statuses[i].status == status)
            return google_statuses[i].word;
    }
    return status >= 500 ? "INTERNAL" : "FAILED_PRECONDITION";
}

static struct str google_message(int status)
{
    for (size_t i = 0; i < COUNT_OF(google_statuses); i++) {
        if (google_statuses[i].status == status)
            return str_c(google_statuses[i].message);
    }
    return STR("The request was refused.");
}

/* `code` is the reason of an ErrorInfo. A stream that was not asked for as events is an array, its
 * error, too. */
void google_error(struct buf *out, const struct failure *failure)
{
    struct json_writer w;
    bool array = failure->req != NULL &&
                 str_ends(failure->req->path, STR(":streamGenerateContent")) &&
                 str_find(failure->req->query, STR("alt=sse")) < 0;
    jw_init(&w, out);
    if (array)
        jw_array(&w);
    jw_object(&w);
    jw_key(&w, "error");
    jw_object(&w);
    jw_field_i64(&w, "code", failure->status);
    jw_field_str(&w, "message",
                 failure->message.p == NULL ? google_message(failure->status) : failure->message);
    jw_field_cstr(&w, "status", google_status(failure->status));
    if (failure->code != NULL) {
        jw_key(&w, "details");
        jw_array(&w);
        jw_object(&w);
        jw_field_cstr(&w, "@type", "type.googleapis.com/google.rpc.ErrorInfo");
        jw_field_cstr(&w, "reason", failure->code);
        jw_field_cstr(&w, "domain", "googleapis.com");
        jw_end(&w);
        jw_end(&w);
    }
    jw_end(&w);
    jw_end(&w);
    if (array)
        jw_end(&w);
}

void google_head(struct request *req, struct buf *out)
{
    (void)req;
    buf_add_lit(out, "server: scaffolding on HTTPServer2\r\nserver-timing: gfet4t7; dur=1\r\n"
                     "vary: Origin\r\nvary: X-Origin\r\nvary: Referer\r\n");
}

bool google_refuse(struct call *call, const char *format, ...)
{
    char text[800];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    CHECK(n >= 0);
    call_error(call, 400, NULL, NULL, "%s", text);
    return false;
}

/* The place without its last member. */
static struct str google_parent(const struct shape_fault *fault)
{
    struct str path = str_c(fault->path), name = str_c(fault->name);
    return str_head(path, path.n > name.n ? path.n - name.n - 1 : 0);
}

static const char *google_type(unsigned types)
{
    if ((types & SHAPE_STRING) != 0)
        return "TYPE_STRING";
    if ((types & SHAPE_BOOL) != 0)
        return "TYPE_BOOL";
    if ((types & SHAPE_INTEGER) != 0)
        return "TYPE_INT32";
    return (types & SHAPE_NUMBER) != 0 ? "TYPE_FLOAT" : "TYPE_MESSAGE";
}

static void google_refuse_shape(struct call *call, const struct shape_fault *fault)
{
    struct str parent = google_parent(fault);
    switch (fault->rule) {
    case SHAPE_UNKNOWN:
        (void)google_refuse(
            call,
            "Invalid JSON payload received. Unknown name \"%s\"%s" STR_FMT "%s: Cannot find field.",
            fault->name, parent.n > 0 ? " at '" : "", STR_ARG(parent), parent.n > 0 ? "'" : "");
        break;
    case SHAPE_WRONG_TYPE:
        (void)google_refuse(call, "Invalid value at '%s' (%s)", fault->path,
                            google_type(fault->types));
        break;
    case SHAPE_NO_CHOICE:
        (void)google_refuse(call, "Invalid value at '%s' (TYPE_ENUM), \"" STR_FMT "\"", fault->path,
                            STR_ARG(str_head(fault->found, 100)));
        break;
    case SHAPE_MISSING:
        (void)google_refuse(call, "* %s: %s is not specified\n", fault->path, fault->name);
        break;
    case SHAPE_TOO_SMALL:
    case SHAPE_TOO_LARGE:
        (void)google_refuse(call,
                            "Unable to submit request because %s is out of range: the supported "
                            "range is from %lld (inclusive) to %lld (inclusive). Update the value "
                            "and try again.",
                            fault->path, (long long)(fault->field->min / SHAPE_MICRO),
                            (long long)(fault->field->max / SHAPE_MICRO));
        break;
    default:
        (void)google_refuse(call, "* %s: has too few or too many items\n", fault->path);
        break;
    }
}

bool google_check(struct call *call, const struct shape *shape)
{
    static const struct shape_style style = {.brackets = true, .snake_or_camel = true};
    struct shape_fault fault;
    if (shape_check(call->root, shape, &style, call->arena, &fault))
        return true;
    google_refuse_shape(call, &fault);
    return false;
}
