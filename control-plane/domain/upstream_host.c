/* upstream_host.c: placeholders and custom hosts, strictly.
 *
 *   https://{azure_resource_name}.openai.azure.com/openai  +  "acme"  ->
 * https://acme.openai.azure.com/openai
 *
 * Invariant: a value never contributes a byte outside [A-Za-z0-9._-] (and, behind the host, ":" and
 * "@"), so a base URL's host is the row's but for its labels. A URL as a whole is accepted only
 * where the row or the admin says "custom". What cannot be parsed strictly is refused, never
 * repaired.
 */
#include "control-plane/domain/upstream_host.h"

#include "common/buf.h"
#include "common/netaddr.h"

#define LABEL_MAX 128

/* Configuration fields that hold a whole URL. */
static const char *const url_fields[] = {"custom_host", "azure_foundry_url",
                                         "huggingface_base_url"};

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static struct str lower(struct arena *arena, struct str text)
{
    char *copy = arena_cstr(arena, text);
    for (size_t i = 0; copy != NULL && i < text.n; i++)
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] + 32);
    return copy == NULL ? STR_NONE : str_of(copy, text.n);
}

/* A DNS name: labels of letters, digits, '-' and '_', no empty one. */
static bool is_name(struct str host)
{
    struct str rest = host, label;
    if (host.n == 0 || host.n > 253)
        return false;
    while (str_split(&rest, '.', &label)) {
        if (label.n == 0 || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
            return false;
        for (size_t i = 0; i < label.n; i++)
            if (!is_word(label.p[i]) && label.p[i] != '-' && label.p[i] != '_')
                return false;
    }
    return true;
}

/* True if the operator opened a range for it, or it is public. */
static enum status check_address(struct str host, struct str allowed_private, bool *inside,
                                 const char **why)
{
    struct netaddr addr;
    *inside = false;
    if (!netaddr_looks_numeric(host)) {
        *why = "is not a host name";
        *inside = allowed_private.n > 0;
        return is_name(host) ? ST_OK : ST_INVALID;
    }
    *why = "is not an IP address in its plain spelling";
    if (netaddr_from_text(host, &addr) != ST_OK)
        return ST_INVALID;
    *why = "is an address that credentials are never sent to";
    enum netaddr_class kind = netaddr_classify(&addr);
    if (kind == NETADDR_METADATA || kind == NETADDR_MULTICAST)
        return ST_INVALID;
    *inside = netaddr_in_list(&addr, allowed_private);
    *why = "is not a public address, and the operator has not opened its range (private_upstreams)";
    return kind == NETADDR_PUBLIC || *inside ? ST_OK : ST_INVALID;
}

static bool path_is_plain(struct str path)
{
    for (size_t i = 0; i < path.n; i++)
        if (!is_word(path.p[i]) &&
            (path.p[i] == '\0' || strchr("/._-~:@%+,;=!$&'()*{}", path.p[i]) == NULL))
            return false;
    return str_find(path, STR("/../")) < 0 && !str_ends(path, STR("/..")) &&
           str_find(path, STR("//")) < 0;
}

enum status upstream_host_check(struct arena *arena, struct str url, struct str allowed_private,
                                char **base_url, struct str *host, const char **why)
{
    bool plain = str_starts_nocase(url, STR("http://")), inside;
    struct str rest = url, name, authority;
    uint16_t port, own = plain ? 80 : 443;
    *why = "must be an http or https URL";
    if (url.n > UPSTREAM_URL_MAX)
        return ST_INVALID;
    if (plain || str_starts_nocase(url, STR("https://")))
        rest = str_from(url, plain ? 7 : 8);
    else if (str_find(url, STR("://")) >= 0)
        return ST_INVALID;
    while (rest.n > 0 && rest.p[rest.n - 1] == '/')
        rest.n--;
    ptrdiff_t slash = str_find_char(rest, '/');
    authority = slash < 0 ? rest : str_head(rest, (size_t)slash);
    struct str path = str_from(rest, authority.n);
    *why = "must have no user, query, fragment or unusual bytes";
    if (str_find_char(authority, '@') >= 0 || !path_is_plain(path) ||
        netaddr_split_port(authority, own, &name, &port) != ST_OK || port == 0)
        return ST_INVALID;
    TRY(check_address(name, allowed_private, &inside, why));
    *why = "needs https";
    if (plain && !inside)
        return ST_INVALID;
    bool v6 = str_find_char(name, ':') >= 0;
    struct str low = lower(arena, name);
    const char *scheme = plain ? "http" : "https", *left = v6 ? "[" : "", *right = v6 ? "]" : "";
    struct str at =
        port == own ? arena_printf(arena, "%s" STR_FMT "%s", left, STR_ARG(low), right)
                    : arena_printf(arena, "%s" STR_FMT "%s:%u", left, STR_ARG(low), right, port);
    struct str whole =
        arena_printf(arena, "%s://" STR_FMT STR_FMT, scheme, STR_ARG(at), STR_ARG(path));
    if (low.p == NULL || at.p == NULL || whole.p == NULL)
        return ST_NO_MEMORY;
    *base_url = arena_cstr(arena, whole);
    *host = at;
    return *base_url == NULL ? ST_NO_MEMORY : ST_OK;
}

static enum status config_text(struct arena *arena, const struct json *configurations,
                               struct str name, struct str *value)
{
    const struct json *node = json_get_str(configurations, name);
    *value = STR_NONE;
    if (json_is_none(node))
        return ST_OK;
    return json_text(node, arena, value);
}

static bool value_is_plain(struct str value, bool in_host)
{
    if (value.n == 0 || value.n > LABEL_MAX)
        return false;
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        if (!is_word(c) && c != '-' && c != '_' && c != '.' && (in_host || (c != ':' && c != '@')))
            return false;
    }
    return value.p[0] != '.' && value.p[0] != '-' && value.p[value.n - 1] != '.' &&
           str_find(value, STR("..")) < 0;
}

/* Regions of clouds: they stand in hosts, and no label of theirs has a dot. */
static bool region_is_plain(struct str value)
{
    for (size_t i = 0; i < value.n; i++)
        if (!(value.p[i] >= 'a' && value.p[i] <= 'z') &&
            !(value.p[i] >= '0' && value.p[i] <= '9') && value.p[i] != '-')
            return false;
    return true;
}

static bool value_fits(struct str name, struct str value, bool in_host)
{
    return value_is_plain(value, in_host) &&
           (!str_ends(name, STR("_region")) || region_is_plain(value));
}

/* Fills a template's placeholders. Those that the configuration does not have stay in a path and
 * empty a host. */
static enum status fill(struct arena *arena, struct str template, const struct json *configurations,
                        struct str *filled, struct str *why)
{
    struct buf out;
    enum status status = ST_OK;
    ptrdiff_t slash =
        str_find_char(str_from(template, str_find(template, STR("://")) < 0 ? 0 : 8), '/');
    size_t host_end = slash < 0 ? template.n : (size_t)slash + 8;
    *filled = STR("");
    buf_init(&out, UPSTREAM_URL_MAX);
    for (size_t i = 0; i < template.n;) {
        struct str rest = str_from(template, i), name, value;
        ptrdiff_t close = template.p[i] == '{' ? str_find_char(rest, '}') : -1;
        if (close < 0) {
            buf_add_char(&out, template.p[i++]);
            continue;
        }
        name = str_of(rest.p + 1, (size_t)close - 1);
        bool in_host = i < host_end;
        if (config_text(arena, configurations, name, &value) != ST_OK ||
            (value.n > 0 && !value_fits(name, value, in_host))) {
            const char *rule = str_ends(name, STR("_region"))
                                   ? "must be lower-case letters, digits and '-'"
                                   : "must be letters, digits, '-', '_' and '.'";
            *why = arena_printf(arena, "configurations." STR_FMT ": %s", STR_ARG(name), rule);
            status = ST_INVALID;
            goto out;
        }
        if (value.n == 0 && in_host)
            goto out;
        buf_add_str(&out, value.n > 0 ? value : str_head(rest, (size_t)close + 1));
        i += (size_t)close + 1;
    }
    status = buf_status(&out);
    if (status == ST_OK)
        *filled = arena_str(arena, buf_str(&out));
    if (status == ST_OK && filled->p == NULL)
        status = ST_NO_MEMORY;
out:
    buf_free(&out);
    return status;
}

static void add_host(struct upstream_host *out, struct str host)
{
    for (size_t i = 0; i < out->host_count; i++)
        if (str_eq(out->hosts[i], host))
            return;
    if (host.n > 0 && out->host_count < UPSTREAM_HOSTS_MAX)
        out->hosts[out->host_count++] = host;
}

static enum status fault(struct arena *arena, struct str *why, const char *field, const char *what)
{
    *why = arena_printf(arena, "configurations.%s: %s", field, what);
    return ST_INVALID;
}

/* A URL of the configuration, if there is one; `credential_hosts` and model hosts are checked in
 * the same way. */
static enum status custom_url(struct arena *arena, const struct upstream_input *input,
                              struct upstream_host *out, struct str *why)
{
    for (size_t i = 0; i < COUNT_OF(url_fields); i++) {
        struct str url, host;
        const char *what;
        if (config_text(arena, input->configurations, str_c(url_fields[i]), &url) != ST_OK)
            return fault(arena, why, url_fields[i], "must be a string");
        if (url.n == 0)
            continue;
        enum status status =
            upstream_host_check(arena, url, input->allowed_private, &out->base_url, &host, &what);
        if (status == ST_INVALID)
            return fault(arena, why, url_fields[i], what);
        TRY(status);
        add_host(out, host);
        return ST_OK;
    }
    return ST_OK;
}

/* Adds the hosts of a list of the row's (in data_json) whose placeholders all have values, but
 * `not`. */
static enum status list_hosts(struct arena *arena, const struct upstream_input *input,
                              const struct json *list, struct str not, struct upstream_host *out,
                              struct str *why)
{
    for (const struct json *item = list == NULL ? NULL : list->first; item != NULL;
         item = item->next) {
        struct str template, host;
        TRY(json_text(item, arena, &template));
        if (str_eq(template, not ))
            continue;
        TRY(fill(arena, template, input->configurations, &host, why));
        if (host.n > 0 && is_name(host))
            add_host(out, lower(arena, host));
    }
    return ST_OK;
}

static enum status read_data(struct arena *arena, const struct upstream_input *input,
                             struct json **data)
{
    *data = NULL;
    return input->type->data_json[0] == '\0'
               ? ST_OK
               : json_parse(arena, str_c(input->type->data_json), NULL, data, NULL);
}

/* The row's base_urls: a value of a placeholder that has a host of its own. n = 0: none. */
static enum status base_of_value(struct arena *arena, const struct upstream_input *input,
                                 const struct json *data, struct str *base)
{
    const struct json *fields = json_get(data, "base_urls");
    *base = STR_NONE;
    for (const struct json *field = fields == NULL ? NULL : fields->first; field != NULL;
         field = field->next) {
        struct str value;
        if (config_text(arena, input->configurations, field->key, &value) != ST_OK)
            continue;
        const struct json *url = value.n > 0 ? json_get_str(field, value) : NULL;
        if (url != NULL)
            return json_text(url, arena, base);
    }
    return ST_OK;
}

/* "https://{x}.a.com/b" -> "{x}.a.com" */
static struct str template_host(struct str template)
{
    ptrdiff_t scheme = str_find(template, STR("://"));
    struct str rest = scheme < 0 ? template : str_from(template, (size_t)scheme + 3);
    ptrdiff_t slash = str_find_char(rest, '/');
    return slash < 0 ? rest : str_head(rest, (size_t)slash);
}

/* The row's own base URL and hosts. */
static enum status row_url(struct arena *arena, const struct upstream_input *input,
                           const struct json *data, struct upstream_host *out, struct str *why)
{
    struct str template = str_c(input->type->base_url), base, host, not = STR("");
    const char *what;
    TRY(fill(arena, template, input->configurations, &base, why)); /* checks the values, too */
    if (base.n == 0)
        return ST_OK;
    TRY(base_of_value(arena, input, data, &host));
    if (host.n > 0) {
        base = host;
        not = template_host(template);
    }
    enum status status =
        upstream_host_check(arena, base, input->allowed_private, &out->base_url, &host, &what);
    if (status == ST_INVALID)
        return fault(arena, why, "base_url", what);
    TRY(status);
    add_host(out, host);
    return list_hosts(arena, input, json_get(data, "hosts"), not, out, why);
}

static enum status extra_hosts(struct arena *arena, const struct upstream_input *input,
                               struct upstream_host *out, struct str *why)
{
    const struct json *list = json_get(input->configurations, "credential_hosts");
    if (json_is_none(list))
        return ST_OK;
    if (!json_is(list, JSON_ARRAY) || list->count > UPSTREAM_HOSTS_MAX / 2)
        return fault(arena, why, "credential_hosts", "must be an array of at most 8 hosts");
    for (const struct json *item = list->first; item != NULL; item = item->next) {
        struct str text, host;
        char *url;
        const char *what = "must be strings";
        enum status status = json_text(item, arena, &text);
        if (status == ST_OK)
            status = upstream_host_check(arena, text, input->allowed_private, &url, &host, &what);
        if (status == ST_INVALID)
            return fault(arena, why, "credential_hosts", what);
        TRY(status);
        add_host(out, host);
    }
    return ST_OK;
}

enum status upstream_host_make(struct arena *arena, const struct upstream_input *input,
                               struct upstream_host *out, struct str *why)
{
    *out = (struct upstream_host){.base_url = NULL};
    *why = STR("");
    struct json *data;
    TRY(read_data(arena, input, &data));
    TRY(custom_url(arena, input, out, why));
    if (out->base_url == NULL)
        TRY(row_url(arena, input, data, out, why));
    TRY(list_hosts(arena, input, json_get(data, "token_hosts"), STR(""), out, why));
    TRY(extra_hosts(arena, input, out, why));
    if (out->base_url == NULL)
        out->base_url = arena_cstr(arena, STR(""));
    return out->base_url == NULL ? ST_NO_MEMORY : ST_OK;
}
