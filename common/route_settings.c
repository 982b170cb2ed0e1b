/* route_settings.c: reads what a level says about how its targets are called.
 *
 * These are inherited: the node holds the parent's when its own are read. override_params is merged
 * with the parent's, object by object; retry and cache replace the parent's whole object, so
 * a child that names one of their members resets the others; the rest is child's or else parent's
 * (gateway-semantics.md section 2.3).
 */
#include "common/json_merge.h"
#include "common/route_build.h"

#define OVERRIDES_MAX (256u << 10)
#define FORWARD_MAX   64u

enum status route_read_codes(struct route_build *b, struct str path, const char *member,
                             const struct json *value, struct route_codes *codes)
{
    *codes = (struct route_codes){{0}};
    if (!json_is(value, JSON_ARRAY))
        return route_refuse(b, path, member, "must be an array of HTTP statuses");
    for (const struct json *item = value->first; item != NULL; item = item->next) {
        uint64_t code;
        if (json_u64(item, &code) != ST_OK || code < 100 || code > 599)
            return route_refuse(b, path, member,
                                "holds something else than a status from 100 to 599");
        codes->bits[(code - 100) / 64] |= UINT64_C(1) << ((code - 100) % 64);
    }
    return ST_OK;
}

static bool members_fit(const struct json *value)
{
    if (value->type == JSON_OBJECT && value->count > JSON_MERGE_MEMBERS_MAX)
        return false;
    for (const struct json *item = value->first; item != NULL; item = item->next)
        if (!members_fit(item))
            return false;
    return true;
}

/* The parent's overrides with this level's on top. */
static enum status merge_overrides(struct route_build *b, struct route_node *node, struct str own)
{
    struct route_ref above = node->set.override_params;
    struct buf merged;
    if (above.len == 0) {
        node->set.override_params = route_text(b, own);
        return ST_OK;
    }
    buf_init(&merged, ROUTE_PLAN_MAX);
    enum status status =
        json_merge(b->arena, &merged, str_of(b->text.p + above.off, above.len), own);
    if (status == ST_OK)
        node->set.override_params = route_text(b, buf_str(&merged));
    buf_free(&merged);
    return status;
}

enum status route_key_override_params(struct route_build *b, struct route_node *node,
                                      const char *key, const struct json *value)
{
    struct str model = STR_NONE;
    if (!json_is(value, JSON_OBJECT))
        return route_refuse(b, b->level.path, key, "must be an object");
    if (value->raw.n > OVERRIDES_MAX || !members_fit(value))
        return route_refuse(b, b->level.path, key, "is too large (256 KiB, 256 members an object)");
    const struct json *named = json_get(value, "model");
    if (named != NULL) {
        enum status status = json_text(named, b->arena, &model);
        if (status == ST_INVALID || model.n == 0 || model.n > ROUTE_TEXT_MAX)
            return route_refuse(b, b->level.path, "override_params.model",
                                "must be a string that is not empty");
        TRY(status);
        node->model = route_text(b, model);
    }
    return merge_overrides(b, node, value->raw);
}

enum status route_key_retry(struct route_build *b, struct route_node *node, const char *key,
                            const struct json *value)
{
    static const char *const names[] = {"attempts", "on_status_codes", "use_retry_after_header"};
    const struct json *given[COUNT_OF(names)];
    uint64_t attempts = 0;
    bool uses_header = false;
    struct str path = route_member_path(b, b->level.path, key);
    if (path.p == NULL)
        return ST_NO_MEMORY;
    if (!json_is(value, JSON_OBJECT))
        return route_refuse(b, path, NULL, "must be an object");
    TRY(route_pick(b, path, value, names, COUNT_OF(names), given));
    if (given[0] != NULL && json_u64(given[0], &attempts) != ST_OK)
        return route_refuse(b, path, names[0], "must be a whole number, 0 or more");
    node->set.retry_codes = (struct route_codes){{0}};
    if (given[1] != NULL)
        TRY(route_read_codes(b, path, names[1], given[1], &node->set.retry_codes));
    if (given[2] != NULL && json_bool(given[2], &uses_header) != ST_OK)
        return route_refuse(b, path, names[2], "must be true or false");
    if (attempts > ROUTE_RETRIES_MAX)
        route_warn(b, path, names[0], "more than 5 count as 5");
    if (attempts == 0)
        route_warn(b, path, names[0], "0 or not given, so nothing is tried again");
    node->set.retry_attempts =
        (uint8_t)(attempts > ROUTE_RETRIES_MAX ? ROUTE_RETRIES_MAX : attempts);
    node->set.retry_has_codes = given[1] != NULL;
    node->set.retry_uses_header = uses_header;
    return ST_OK;
}

enum status route_key_cache(struct route_build *b, struct route_node *node, const char *key,
                            const struct json *value)
{
    static const char *const names[] = {"mode", "max_age"};
    const struct json *given[COUNT_OF(names)] = {value, NULL};
    struct str mode = STR("simple");
    uint64_t max_age_s = 0;
    struct str path = route_member_path(b, b->level.path, key);
    if (path.p == NULL)
        return ST_NO_MEMORY;
    if (json_is(value, JSON_OBJECT))
        TRY(route_pick(b, path, value, names, COUNT_OF(names), given));
    else if (!json_is(value, JSON_STRING))
        return route_refuse(b, path, NULL, "must be an object or a mode");
    if (json_is(given[0], JSON_STRING))
        TRY(json_text(given[0], b->arena, &mode));
    bool semantic = str_eq(mode, STR("semantic"));
    if ((given[0] != NULL && !json_is(given[0], JSON_STRING)) ||
        (!semantic && !str_eq(mode, STR("simple"))))
        return route_refuse(b, path, names[0], "must be \"simple\" or \"semantic\"");
    if (semantic)
        route_warn(b, path, names[0], "\"semantic\" is not supported and taken as \"simple\"");
    if (given[1] != NULL && (json_u64(given[1], &max_age_s) != ST_OK || max_age_s == 0 ||
                             max_age_s > ROUTE_CACHE_MAX_AGE_S))
        return route_refuse(b, path, names[1], "must be a whole number of seconds, 1 to 7776000");
    node->set.cache = ROUTE_ON;
    node->set.cache_max_age_s = (uint32_t)max_age_s;
    return ST_OK;
}

enum status route_key_timeout(struct route_build *b, struct route_node *node, const char *key,
                              const struct json *value)
{
    static const char *const names[ROUTE_TIMEOUTS] = {"request_timeout", "connect_timeout",
                                                      "first_byte_timeout", "idle_timeout",
                                                      "total_timeout"};
    uint64_t ms;
    if (json_u64(value, &ms) != ST_OK || ms > ROUTE_TIMEOUT_MAX_MS)
        return route_refuse(b, b->level.path, key,
                            "must be a whole number of milliseconds, at most 86400000");
    for (size_t i = 0; i < ROUTE_TIMEOUTS && ms > 0; i++)
        if (str_eq(str_c(key), str_c(names[i])))
            node->set.timeout_ms[i] = (uint32_t)ms;
    if (ms == 0)
        route_warn(b, b->level.path, key, "0 says nothing; the next higher setting holds");
    return ST_OK;
}

/* The shape only: whether the address may be called is for egress to say, whenever it is. */
enum status route_key_custom_host(struct route_build *b, struct route_node *node, const char *key,
                                  const struct json *value)
{
    struct str text = STR_NONE;
    TRY(route_read_text(b, key, value, &text));
    bool https = str_starts(text, STR("https://")), http = str_starts(text, STR("http://"));
    struct str rest = str_from(text, https ? 8 : 7);
    if ((!https && !http) || rest.n == 0 || rest.p[0] == '/' || str_find_char(text, ' ') >= 0 ||
        str_find_char(text, '@') >= 0 || str_find_char(text, '#') >= 0 ||
        str_find_char(text, '\\') >= 0)
        return route_refuse(b, b->level.path, key,
                            "must be an http:// or https:// address without user or fragment");
    node->set.custom_host = route_text(b, text);
    return ST_OK;
}

static bool is_token(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
        if (!fine)
            return false;
    }
    return name.n > 0 && name.n <= 128;
}

/* Headers that carry credentials, framing or ours: they are never sent on. */
static bool may_forward(struct str name)
{
    static const char *const never[] = {
        "authorization",  "proxy-authorization",
        "x-api-key",      "api-key",
        "x-goog-api-key", "cookie",
        "host",           "connection",
        "keep-alive",     "te",
        "trailer",        "transfer-encoding",
        "upgrade",        "content-length",
        "expect",
    };
    for (size_t i = 0; i < COUNT_OF(never); i++)
        if (str_eq(name, str_c(never[i])))
            return false;
    return !str_starts(name, STR("x-portkey-")) && !str_starts(name, STR("x-sluice-"));
}

enum status route_key_forward_headers(struct route_build *b, struct route_node *node,
                                      const char *key, const struct json *value)
{
    uint32_t start = (uint32_t)b->text.n;
    if (!json_is(value, JSON_ARRAY) || value->count > FORWARD_MAX)
        return route_refuse(b, b->level.path, key, "must be an array of at most 64 header names");
    for (const struct json *item = value->first; item != NULL; item = item->next) {
        struct str name = STR_NONE;
        if (json_is(item, JSON_STRING))
            TRY(json_text(item, b->arena, &name));
        char *low = arena_cstr(b->arena, str_trim(name));
        if (low == NULL)
            return ST_NO_MEMORY;
        name = str_of(low, str_trim(name).n);
        for (size_t i = 0; i < name.n; i++)
            low[i] = (char)(low[i] >= 'A' && low[i] <= 'Z' ? low[i] + ('a' - 'A') : low[i]);
        if (!is_token(name))
            return route_refuse(b, b->level.path, key, "holds something else than a header name");
        if (!may_forward(name))
            return route_refuse(b, b->level.path, key,
                                "names a header that is never sent on (credentials, framing, "
                                "x-portkey-*, x-sluice-*)");
        (void)route_text(b, name);
        (void)route_text(b, STR("\n"));
    }
    node->set.forward_headers = (struct route_ref){start, (uint32_t)b->text.n - start};
    return ST_OK;
}

static enum status read_switch(struct route_build *b, const char *key, const struct json *value,
                               uint8_t *out)
{
    bool on;
    if (json_bool(value, &on) != ST_OK)
        return route_refuse(b, b->level.path, key, "must be true or false");
    *out = on ? ROUTE_ON : ROUTE_OFF;
    return ST_OK;
}

enum status route_key_strict(struct route_build *b, struct route_node *node, const char *key,
                             const struct json *value)
{
    return read_switch(b, key, value, &node->set.strict);
}

enum status route_key_keep_alive(struct route_build *b, struct route_node *node, const char *key,
                                 const struct json *value)
{
    return read_switch(b, key, value, &node->set.keep_alive);
}
