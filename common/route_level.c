/* route_level.c: reads one level of a document: its keys, in the order of route_keys.def, and who
 * is called.
 *
 * A reader checks the shape of one value and puts it into the node. What a node inherits is in it
 * already when its level is read, so "the child says nothing" needs no code. Invariant: every key
 * of the level is read, refused, listed as a guard, or warned of; one that looks like a guard
 * counts as one, because a guard that does not run is worse than a request that does not go.
 */
#include "common/route_build.h"

#define OPTIONS_MAX       (64u << 10)
#define OPTIONS_COUNT_MAX 64u
#define OPTION_NAME_MAX   64u
#define WEIGHT_MAX        INT64_C(1000000) /* times ROUTE_WEIGHT_ONE */
#define WEIGHT_DIGITS     6

static const struct {
    const char *name;
    enum status (*read)(struct route_build *b, struct route_node *node, const char *key,
                        const struct json *value);
} keys[] = {
#define ROUTE_KEY(name, read) {#name, route_key_##read},
#include "common/route_keys.def"
#undef ROUTE_KEY
};

static const char *const option_prefixes[] = {
    "aws_",       "amzn_",       "azure_",       "vertex_",  "openai_",
    "anthropic_", "workers_ai_", "huggingface_", "mistral_", "stability_",
    "fireworks_", "snowflake_",  "oracle_"};
static const char *const guard_words[] = {"guardrail", "hook", "mutator"};

enum status route_read_text(struct route_build *b, const char *key, const struct json *value,
                            struct str *text)
{
    if (json_is(value, JSON_STRING))
        TRY(json_text(value, b->arena, text));
    bool fine = json_is(value, JSON_STRING) && text->n > 0 && text->n <= ROUTE_TEXT_MAX;
    for (size_t i = 0; fine && i < text->n; i++)
        fine = (unsigned char)text->p[i] >= 0x20 && text->p[i] != 0x7F;
    if (!fine)
        return route_refuse(b, b->level.path, key,
                            "must be a string of 1 to 2048 bytes without control characters");
    return ST_OK;
}

/* --- who is called --- */

enum status route_key_version_1(struct route_build *b, struct route_node *node, const char *key,
                                const struct json *value)
{
    (void)node;
    (void)value;
    return route_refuse(b, b->level.path, key,
                        "belongs to the first version of configs; use strategy and targets");
}

enum status route_key_name(struct route_build *b, struct route_node *node, const char *key,
                           const struct json *value)
{
    struct str text = STR_NONE;
    TRY(route_read_text(b, key, value, &text));
    node->name = route_text(b, text);
    return ST_OK;
}

static enum status read_slug(struct route_build *b, struct route_node *node, const char *key,
                             const struct json *value)
{
    struct str text = STR_NONE;
    TRY(route_read_text(b, key, value, &text));
    if (text.p[0] == '@')
        text = str_from(text, 1);
    if (text.n == 0 || text.n > 255)
        return route_refuse(b, b->level.path, key, "must be a slug of 1 to 255 characters");
    node->provider = route_text(b, text);
    return ST_OK;
}

enum status route_key_virtual_key(struct route_build *b, struct route_node *node, const char *key,
                                  const struct json *value)
{
    b->level.has_virtual_key = true;
    return read_slug(b, node, key, value);
}

enum status route_key_provider(struct route_build *b, struct route_node *node, const char *key,
                               const struct json *value)
{
    if (b->level.has_virtual_key)
        route_warn(b, b->level.path, "virtual_key", "not used beside a provider");
    b->level.has_provider = true;
    return read_slug(b, node, key, value);
}

enum status route_key_weight(struct route_build *b, struct route_node *node, const char *key,
                             const struct json *value)
{
    int64_t weight;
    if (json_decimal(value, WEIGHT_DIGITS, true, &weight) != ST_OK || weight < 0 ||
        weight > WEIGHT_MAX * ROUTE_WEIGHT_ONE)
        return route_refuse(b, b->level.path, key, "must be a number from 0 to 1000000");
    b->level.has_weight = true;
    node->weight = weight;
    return ST_OK;
}

/* The level's credentials and provider options, kept as they are for the target's own dialect. */
enum status route_key_option(struct route_build *b, struct route_node *node, const char *key,
                             const struct json *value)
{
    (void)node;
    if (b->level.options.n > 0)
        buf_add_char(&b->level.options, ',');
    buf_printf(&b->level.options, "\"%s\":", key);
    buf_add_str(&b->level.options, value->raw);
    return buf_status(&b->level.options) == ST_TOO_LARGE
               ? route_refuse(b, b->level.path, key, "is too large")
               : buf_status(&b->level.options);
}

enum status route_key_credential(struct route_build *b, struct route_node *node, const char *key,
                                 const struct json *value)
{
    if ((b->flags & ROUTE_DOC_SAVED) != 0)
        return route_refuse(b, b->level.path, key,
                            "a saved config holds no credentials; keep them in an integration and "
                            "name its provider here");
    bool shaped = json_is(value, JSON_STRING) ||
                  (json_is(value, JSON_OBJECT) && str_ends(str_c(key), STR("_json")));
    if (!shaped || value->raw.n <= 2)
        return route_refuse(b, b->level.path, key, "must be a string that is not empty");
    node->flags |= ROUTE_HAS_CREDENTIALS;
    return route_key_option(b, node, key, value);
}

/* --- keys without an effect, or with one that we do not have --- */

enum status route_key_guard(struct route_build *b, struct route_node *node, const char *key,
                            const struct json *value)
{
    (void)node;
    bool container = value->type == JSON_ARRAY || value->type == JSON_OBJECT;
    if (value->type == JSON_FALSE || (container && value->count == 0))
        return ST_OK;
    buf_add_str(&b->guards, b->level.path);
    buf_printf(&b->guards, ".%s\n", key);
    return ST_OK;
}

enum status route_key_unused(struct route_build *b, struct route_node *node, const char *key,
                             const struct json *value)
{
    (void)node;
    (void)value;
    route_warn(b, b->level.path, key, "not used by this gateway");
    return ST_OK;
}

enum status route_key_targets(struct route_build *b, struct route_node *node, const char *key,
                              const struct json *value)
{
    (void)node;
    (void)key;
    b->level.targets = value;
    return ST_OK;
}

enum status route_key_strategy(struct route_build *b, struct route_node *node, const char *key,
                               const struct json *value)
{
    (void)node;
    (void)key;
    b->level.strategy = value;
    return ST_OK;
}

/* --- the level --- */

/* snake_case of an unknown key, if it is one that may stand for a provider option; else n = 0. */
static enum status option_name(struct route_build *b, struct str key, struct str *name)
{
    size_t n = 0;
    char *out = arena_alloc(b->arena, 2 * OPTION_NAME_MAX + 1);
    if (out == NULL)
        return ST_NO_MEMORY;
    *name = str_of(out, 0);
    for (size_t i = 0; i < key.n && i < OPTION_NAME_MAX; i++) {
        char c = key.p[i];
        bool capital = c >= 'A' && c <= 'Z';
        if (capital)
            out[n++] = '_';
        out[n++] = (char)(capital ? c + ('a' - 'A') : c);
        bool fine = capital || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        if (!fine)
            return ST_OK;
    }
    out[n] = '\0';
    for (size_t i = 0; i < COUNT_OF(option_prefixes) && key.n <= OPTION_NAME_MAX; i++)
        if (str_starts(str_of(out, n), str_c(option_prefixes[i])))
            name->n = n;
    return ST_OK;
}

static enum status read_prefixed(struct route_build *b, struct route_node *node, struct str name,
                                 const struct json *member)
{
    size_t spelled = 0;
    for (const struct json *other = b->level.source->first; other != NULL; other = other->next)
        spelled += route_key_is(other->key, name);
    if (spelled > 1)
        return route_refuse(b, b->level.path, name.p, "is given twice");
    if (++b->level.option_count > OPTIONS_COUNT_MAX)
        return route_refuse(b, b->level.path, NULL, "holds too many provider options");
    return route_key_option(b, node, name.p, member);
}

static enum status read_unknown(struct route_build *b, struct route_node *node,
                                const struct json *member)
{
    struct str shown = route_shown(b->arena, member->key), option;
    if (shown.p == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < COUNT_OF(guard_words); i++) {
        struct str word = str_c(guard_words[i]);
        for (size_t at = 0; at + word.n <= member->key.n && !json_is_none(member); at++)
            if (str_eq_nocase(str_of(member->key.p + at, word.n), word))
                return route_key_guard(b, node, shown.p, member);
    }
    TRY(option_name(b, member->key, &option));
    if (option.n > 0 && !json_is_none(member))
        return read_prefixed(b, node, option, member);
    route_warn(b, b->level.path, shown.p, "unknown key, not used");
    return ST_OK;
}

static enum status read_keys(struct route_build *b, struct route_node *node,
                             const struct json *source)
{
    const struct json *values[COUNT_OF(keys)] = {NULL};
    for (const struct json *member = source->first; member != NULL; member = member->next) {
        size_t at = 0;
        while (at < COUNT_OF(keys) && !route_key_is(member->key, str_c(keys[at].name)))
            at++;
        if (at < COUNT_OF(keys) && values[at] != NULL)
            return route_refuse(b, b->level.path, keys[at].name, "is given twice");
        if (at < COUNT_OF(keys))
            values[at] = member;
        else
            TRY(read_unknown(b, node, member));
    }
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (!json_is_none(values[i]))
            TRY(keys[i].read(b, node, keys[i].name, values[i]));
    return ST_OK;
}

/* What one key says about another. */
static enum status check_level(struct route_build *b, struct route_node *node)
{
    const struct route_level *level = &b->level;
    bool has_credentials = (node->flags & ROUTE_HAS_CREDENTIALS) != 0;
    bool named = level->has_provider || level->has_virtual_key;
    if (has_credentials && !level->has_provider)
        return route_refuse(b, level->path, "provider", "is required beside credentials");
    if (level->options.n > 0 && !has_credentials)
        route_warn(b, level->path, NULL,
                   "provider options have no effect without credentials in the same target");
    if (level->targets != NULL && named)
        route_warn(b, level->path, level->has_provider ? "provider" : "virtual_key",
                   "not used, because targets name their own");
    if (level->has_weight && level->above != ROUTE_LOADBALANCE)
        route_warn(b, level->path, "weight", "has an effect only below a loadbalance");
    if (level->targets == NULL && node->set.custom_host.len > 0 && !has_credentials)
        route_warn(b, level->path, "custom_host",
                   "a stored credential never goes to an address given here");
    if (level->options.n > 0) {
        struct route_ref open = route_text(b, STR("{"));
        (void)route_text(b, buf_str(&level->options));
        (void)route_text(b, STR("}"));
        node->options = (struct route_ref){open.off, (uint32_t)b->text.n - open.off};
    }
    return ST_OK;
}

enum status route_read_level(struct route_build *b, struct route_node *node, size_t index,
                             const struct json *source)
{
    const struct route_node *nodes = (const void *)b->nodes.p;
    struct route_ref path = node->path;
    b->level = (struct route_level){.above = ROUTE_LEAF, .source = source};
    if (node->parent != ROUTE_NONE)
        b->level.above = (enum route_mode)nodes[node->parent].mode;
    b->level.path = arena_str(b->arena, str_of(b->text.p + path.off, path.len));
    if (b->level.path.p == NULL)
        return ST_NO_MEMORY;
    if (!json_is(source, JSON_OBJECT))
        return route_refuse(b, b->level.path, NULL, "must be an object");
    buf_init(&b->level.options, OPTIONS_MAX);
    enum status status = read_keys(b, node, source);
    if (status == ST_OK)
        status = check_level(b, node);
    buf_free(&b->level.options);
    return status == ST_OK ? route_read_strategy(b, node, index) : status;
}
