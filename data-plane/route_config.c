/* route_config.c: reads a routing document into its leaf (route_config.h).
 *
 * Keys that change what is safe (guardrails, hooks, mutators) are refused by path: a caller who relies on a guard must not be told "fine" by
 * a gateway that does not run it. Unknown harmless keys are tolerated, as the documents of the peer are.
 */
#include "data-plane/route_config.h"

static enum status refuse(struct arena *arena, struct str *why, const char *path, const char *rule)
{
    *why = arena_printf(arena, "config.%s: %s", path, rule);
    return ST_INVALID;
}

static enum status check_safety(struct arena *arena, const struct json *node, struct str *why)
{
    static const char *const unsafe[] = {"input_guardrails", "output_guardrails", "before_request_hooks",
                                         "after_request_hooks", "input_mutators", "output_mutators"};
    for (size_t i = 0; i < COUNT_OF(unsafe); i++) {
        const struct json *value = json_get(node, unsafe[i]);
        if (!json_is_none(value) && value->count > 0)
            return refuse(arena, why, unsafe[i], "guardrails, hooks and mutators are not supported.");
    }
    return ST_OK;
}

static enum status read_slug(struct arena *arena, const struct json *node, const char *name, struct str *slug, struct str *why)
{
    const struct json *value = json_get(node, name);
    if (json_is_none(value))
        return ST_OK;
    if (json_text(value, arena, slug) != ST_OK)
        return refuse(arena, why, name, "must be a string.");
    if (slug->n > 0 && slug->p[0] == '@')
        *slug = str_from(*slug, 1);
    return slug->n > 0 ? ST_OK : refuse(arena, why, name, "must not be empty.");
}

static enum status read_leaf(struct arena *arena, const struct json *node, struct route_leaf *leaf, struct str *why)
{
    TRY(check_safety(arena, node, why));
    TRY(read_slug(arena, node, "virtual_key", &leaf->provider, why));
    TRY(read_slug(arena, node, "provider", &leaf->provider, why));
    const struct json *override = json_get(node, "override_params");
    if (json_is_none(override))
        return ST_OK;
    if (!json_is(override, JSON_OBJECT))
        return refuse(arena, why, "override_params", "must be an object.");
    leaf->override_json = override->raw;
    const struct json *model = json_get(override, "model");
    if (!json_is_none(model) && json_text(model, arena, &leaf->model) != ST_OK)
        return refuse(arena, why, "override_params.model", "must be a string.");
    return ST_OK;
}

enum status route_config_read(struct arena *arena, struct str document, struct route_leaf *out, struct str *why)
{
    struct json *root;
    struct json_error error = {0, "not a JSON object"};
    struct route_leaf leaf = {.index = STR("config")};
    enum status status = json_parse(arena, document, NULL, &root, &error);
    if (status == ST_NO_MEMORY)
        return status;
    if (status != ST_OK || !json_is(root, JSON_OBJECT)) {
        *why = arena_printf(arena, "config: not a valid JSON object (%s at byte %zu).", error.what, error.at);
        return ST_INVALID;
    }
    const struct json *mode = json_get(json_get(root, "strategy"), "mode"), *targets = json_get(root, "targets");
    struct str text = STR("single");
    if (!json_is_none(mode) && json_text(mode, arena, &text) != ST_OK)
        return refuse(arena, why, "strategy.mode", "must be a string.");
    if (!str_eq(text, STR("single")))
        return refuse(arena, why, "strategy.mode", "only \"single\" is supported by this version.");
    TRY(read_leaf(arena, root, &leaf, why));
    if (!json_is_none(targets)) {
        if (!json_is(targets, JSON_ARRAY) || targets->count == 0)
            return refuse(arena, why, "targets", "must be a non-empty array.");
        if (!json_is(json_at(targets, 0), JSON_OBJECT))
            return refuse(arena, why, "targets[0]", "must be an object.");
        if (!json_is_none(json_get(json_at(targets, 0), "targets")))
            return refuse(arena, why, "targets[0].targets", "nested targets are not supported by this version.");
        leaf.index = STR("config.targets[0]");
        TRY(read_leaf(arena, json_at(targets, 0), &leaf, why));
    }
    *out = leaf;
    return ST_OK;
}
