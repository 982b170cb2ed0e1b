/* azure.c: see azure.h.
 *
 *   asked      finds, in this order
 *   nothing    the default; the only one; else the caller must choose
 *   a name     an alias, a model's slug (the default's before others), a deployment's own name
 *
 * Names come from admins and go into an address: they were checked when they were saved and are
 * checked here again, so that no '#', '@', '/' or '?' of theirs ever reaches a URL.
 */
#include "data-plane/dialect/azure.h"

#include <stdarg.h>
#include <stdio.h>

struct deployment {
    struct str alias, name, version, model;
    bool is_default;
};

struct deployments {
    struct deployment list[AZURE_DEPLOYMENTS_MAX];
    size_t count;
    struct str version; /* of the integration itself */
};

static enum status say(char *reason, size_t room, enum status status, const char *format, ...)
    PRINTF_LIKE(4, 5);

static enum status say(char *reason, size_t room, enum status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(reason, room, format, args);
    va_end(args);
    return status;
}

/* --- the list */

static enum status read_text(struct arena *arena, const struct json *node, const char *name,
                             struct str *text)
{
    const struct json *member = json_get(node, name);
    struct str plain;
    *text = STR("");
    if (!json_is(member, JSON_STRING))
        return ST_OK;
    TRY(json_text(member, arena, &plain));
    *text = arena_str(arena, plain); /* the document lies in the catalog */
    return text->p == NULL ? ST_NO_MEMORY : ST_OK;
}

static enum status read_deployment(struct arena *arena, const struct json *node,
                                   struct deployment *out)
{
    const struct json *chosen = json_get(node, "is_default");
    TRY(read_text(arena, node, "alias", &out->alias));
    TRY(read_text(arena, node, "azure_deployment_name", &out->name));
    TRY(read_text(arena, node, "azure_api_version", &out->version));
    TRY(read_text(arena, node, "azure_model_slug", &out->model));
    out->is_default = json_is_bool(chosen) && str_eq(chosen->raw, STR("true"));
    return ST_OK;
}

static enum status read_list(struct arena *arena, struct str configurations,
                             struct deployments *out)
{
    struct json *root = NULL;
    out->count = 0;
    out->version = STR("");
    if (configurations.n == 0)
        return ST_OK;
    TRY(json_parse(arena, configurations, NULL, &root, NULL));
    TRY(read_text(arena, root, "azure_api_version", &out->version));
    const struct json *list = json_get(root, "azure_deployment_config");
    for (const struct json *item = json_is(list, JSON_ARRAY) ? list->first : NULL;
         item != NULL && out->count < AZURE_DEPLOYMENTS_MAX; item = item->next) {
        TRY(read_deployment(arena, item, &out->list[out->count]));
        out->count += out->list[out->count].name.n > 0 ? 1 : 0;
    }
    return ST_OK;
}

/* --- choosing */

static const struct deployment *find_default(const struct deployments *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].is_default)
            return &all->list[i];
    return all->count == 1 ? &all->list[0] : NULL;
}

static const struct deployment *find_named(const struct deployments *all, struct str name)
{
    const struct deployment *fallback = find_default(all);
    for (size_t i = 0; i < all->count; i++)
        if (str_eq(all->list[i].alias, name))
            return &all->list[i];
    if (fallback != NULL && str_eq(fallback->model, name))
        return fallback;
    for (size_t i = 0; i < all->count; i++)
        if (str_eq(all->list[i].model, name))
            return &all->list[i];
    for (size_t i = 0; i < all->count; i++)
        if (str_eq(all->list[i].name, name))
            return &all->list[i];
    return NULL;
}

/* "fast, gpt-4o": the aliases, or the slugs of those that have none. */
static void list_names(const struct deployments *all, char *out, size_t room)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < all->count; i++) {
        const struct deployment *d = &all->list[i];
        struct str name = d->alias.n > 0 ? d->alias : d->model.n > 0 ? d->model : d->name;
        if (name.n + 3 > room - n)
            break;
        n += (size_t)snprintf(out + n, room - n, "%s" STR_FMT, i > 0 ? ", " : "", STR_ARG(name));
    }
}

/* Does the name stand for a deployment? A file has no model itself, but the rows of one that is
 * uploaded for a batch have. */
static bool is_by_deployment(enum op op, struct str asked)
{
    switch (op) {
    case OP_FILES_UPLOAD:
        return asked.n > 0;
    case OP_CHAT:
    case OP_COMPLETIONS:
    case OP_EMBEDDINGS:
    case OP_IMAGES_GENERATIONS:
    case OP_IMAGES_EDITS:
    case OP_AUDIO_SPEECH:
    case OP_AUDIO_TRANSCRIPTIONS:
    case OP_AUDIO_TRANSLATIONS:
    case OP_RESPONSES_CREATE:
    case OP_MESSAGES:
    case OP_COUNT_TOKENS:
        return true;
    default:
        return false;
    }
}

/* Streams report usage on request since 2024-08-01-preview; older versions refuse the member. */
static bool has_stream_options(struct str version)
{
    bool dated = version.n >= 10 && version.p[0] >= '0' && version.p[0] <= '9';
    return !dated || str_cmp(str_head(version, 10), STR("2024-08-01")) >= 0;
}

static void fill(const struct deployments *all, const struct deployment *chosen, bool by_deployment,
                 struct dialect_deployment *out)
{
    struct str version = chosen != NULL && chosen->version.n > 0 ? chosen->version : all->version;
    *out = (struct dialect_deployment){.api_version =
                                           version.n > 0 ? version : STR(AZURE_API_VERSION)};
    out->no_stream_options = !has_stream_options(out->api_version);
    if (chosen == NULL || !by_deployment)
        return;
    out->upstream = chosen->name;
    out->model = chosen->model.n > 0 ? chosen->model : chosen->name;
}

enum status azure_resolve(struct arena *arena, const struct dialect_target *target, enum op op,
                          struct str asked, struct dialect_deployment *out, char *reason,
                          size_t room)
{
    struct deployments all;
    const struct deployment *chosen;
    bool by_deployment = is_by_deployment(op, asked);
    char names[256];
    TRY(read_list(arena, target->configurations_json, &all));
    chosen = asked.n == 0 || !by_deployment ? find_default(&all) : find_named(&all, asked);
    fill(&all, chosen, by_deployment, out);
    if (chosen != NULL || all.count == 0 || !by_deployment)
        return ST_OK;
    list_names(&all, names, sizeof names);
    if (asked.n == 0)
        return say(reason, room, ST_NO_MODEL,
                   "model: provider @" STR_FMT " has no default deployment. Name one of: %s.",
                   STR_ARG(target->provider), names);
    return say(reason, room, ST_MODEL_NOT_FOUND,
               "model: provider @" STR_FMT " has no deployment \"" STR_FMT "\". It has: %s.",
               STR_ARG(target->provider), STR_ARG(str_head(asked, 100)), names);
}

/* --- the address */

static bool is_name(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && (i == 0 || (c != '-' && c != '_' && c != '.')))
            return false;
    }
    return text.n > 0 && text.n <= AZURE_NAME_MAX && str_find(text, STR("..")) < 0;
}

static bool cut(struct str *text, struct str at, struct str *before)
{
    ptrdiff_t place = str_find(*text, at);
    if (place < 0)
        return false;
    *before = str_head(*text, (size_t)place);
    *text = str_from(*text, (size_t)place + at.n);
    return true;
}

/* "/deployments/{azure_deployment_id}/x?api-version=..." -> "/v1/x" */
static enum status add_v1_path(struct str row, struct buf *out)
{
    struct str before, path = row;
    cut(&path, STR("/deployments/{azure_deployment_id}"), &before);
    ptrdiff_t query = str_find_char(path, '?');
    buf_add_lit(out, "/v1");
    buf_add_str(out, query < 0 ? path : str_head(path, (size_t)query));
    return buf_status(out);
}

enum status azure_path(const struct dialect_target *target, struct str row, bool stream,
                       struct buf *out)
{
    struct str before, version = target->api_version;
    (void)stream;
    if (version.n == 0)
        version = STR(AZURE_API_VERSION);
    if (str_eq(version, STR("v1")))
        return add_v1_path(row, out);
    if (cut(&row, STR("{azure_deployment_id}"), &before)) {
        if (!is_name(target->model))
            return ST_INVALID;
        buf_add_str(out, before);
        buf_add_str(out, target->model);
    }
    if (cut(&row, STR("{azure_api_version}"), &before)) {
        if (!is_name(version))
            return ST_INVALID;
        buf_add_str(out, before);
        buf_add_str(out, version);
    }
    buf_add_str(out, row);
    return buf_status(out);
}
