/* vertex_model.c: see vertex_model.h; the rows are vertex_model.def's. */
#include "data-plane/dialect/vertex_model.h"

static const struct {
    const char *name;
    enum vertex_kind kind;
} publishers[] = {
#define PUBLISHER(name, kind) {name, VERTEX_##kind},
#define FAMILY(beginning, publisher)
#include "data-plane/dialect/vertex_model.def"
#undef PUBLISHER
#undef FAMILY
};

static const struct {
    const char *beginning, *publisher;
} families[] = {
#define PUBLISHER(name, kind)
#define FAMILY(beginning, publisher) {beginning, publisher},
#include "data-plane/dialect/vertex_model.def"
#undef PUBLISHER
#undef FAMILY
};

/* "meta.llama" and "meta/llama" -> "llama". */
static bool has_publisher(struct str model, const char *publisher, struct str *name)
{
    size_t n = strlen(publisher);
    if (!str_starts(model, str_c(publisher)) || model.n <= n + 1 ||
        (model.p[n] != '.' && model.p[n] != '/'))
        return false;
    *name = str_from(model, n + 1);
    return true;
}

static enum vertex_kind kind_of(const char *publisher)
{
    for (size_t i = 0; i < COUNT_OF(publishers); i++)
        if (strcmp(publishers[i].name, publisher) == 0)
            return publishers[i].kind;
    return VERTEX_OPEN;
}

void vertex_model_of(struct str model, struct vertex_model *out)
{
    *out = (struct vertex_model){VERTEX_GEMINI, STR("google"), model};
    if (has_publisher(model, "endpoints", &out->name)) {
        out->kind = VERTEX_ENDPOINT;
        out->publisher = STR("");
        return;
    }
    for (size_t i = 0; i < COUNT_OF(publishers); i++) {
        if (!has_publisher(model, publishers[i].name, &out->name))
            continue;
        out->publisher = str_c(publishers[i].name);
        out->kind = publishers[i].kind;
        break;
    }
    for (size_t i = 0; i < COUNT_OF(families) && out->name.p == model.p; i++) {
        if (!str_starts(model, str_c(families[i].beginning)))
            continue;
        out->publisher = str_c(families[i].publisher);
        out->kind = kind_of(families[i].publisher);
        break;
    }
    if (out->kind == VERTEX_GEMINI && str_ends(model, STR("-maas")))
        out->kind = VERTEX_OPEN;
}
