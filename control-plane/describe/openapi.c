/* openapi.c: GET /openapi.json.
 *
 * Made for each request from rows that are compiled in: it cannot be older than the API. Only what
 * is the same for every caller is told, so anybody may read it. Statuses that a route can answer
 * with follow from its row (statuses_of) and from describe.def; those below HTTP itself (408, 411,
 * 413, 431) are said once, in the text.
 */
#include <stdio.h>

#include "control-plane/api/dispatch.h"
#include "control-plane/describe/shape.h"

#define OPENAPI_TEXT                                                                               \
    "Admin API of Sluice. Success is 200 for every method, a body is always a JSON object, an "    \
    "error is the schema `error`. Any request may also be answered 400, 405, 408, 411, 413 or "    \
    "431 by the HTTP layer. x-sluice-scopes: an API key needs one of these; x-sluice-people: who " \
    "may with a session. Members may be written in snake_case or camelCase; unknown ones are "     \
    "ignored. In updates an absent member stays and null clears."

struct description {
    const char *handler, *answer, *query, *refusals, *summary;
};

#define DESCRIBE(handler, answer, query, refusals, summary)                                        \
    static const struct description describe_##handler = {#handler, answer, query, refusals,       \
                                                          summary};
#include "control-plane/describe/describe.def"
#undef DESCRIBE

/* In the order of dispatch_routes. */
static const struct description *const descriptions[] = {
#define ROUTE(method, path, scope, who, people, fields, handler) &describe_##handler,
#include "control-plane/routes.def"
#undef ROUTE
};

/* --- parts of an operation */

static const struct {
    unsigned bit;
    const char *text;
} roles[] = {{PEOPLE_OWNER, "owner"},
             {PEOPLE_ADMIN, "admin"},
             {PEOPLE_WS_ADMIN, "workspace-admin"},
             {PEOPLE_WS_MANAGER, "workspace-manager"},
             {PEOPLE_WS_MEMBER, "workspace-member"},
             {PEOPLE_SIGNED_IN, "signed-in"}};

static void write_permission(struct json_writer *w, const struct route *route)
{
    struct str rest = str_c(route->scope), scope;
    jw_key(w, "security");
    jw_array(w);
    if (route->who != ROUTE_ANYONE && route->who != ROUTE_NO_KEY) {
        jw_raw(w, STR("{\"key\":[]}"));
        jw_raw(w, STR("{\"bearer\":[]}"));
    }
    if (route->people != PEOPLE_NOBODY)
        jw_raw(w, route->method == HTTP_GET ? STR("{\"session\":[]}")
                                            : STR("{\"session\":[],\"csrf\":[]}"));
    jw_end(w);
    jw_key(w, "x-sluice-scopes");
    jw_array(w);
    while (rest.n > 0 && str_split(&rest, '|', &scope))
        jw_str(w, scope);
    jw_end(w);
    jw_key(w, "x-sluice-people");
    jw_array(w);
    for (size_t i = 0; i < COUNT_OF(roles); i++)
        if ((route->people & roles[i].bit) != 0)
            jw_cstr(w, roles[i].text);
    jw_end(w);
}

static void write_parameter(struct json_writer *w, struct str name, const char *in, bool required,
                            struct str type)
{
    jw_object(w);
    jw_field_str(w, "name", name);
    jw_field_cstr(w, "in", in);
    jw_field_bool(w, "required", required);
    jw_key(w, "schema");
    shape_write_type(w, type);
    jw_end(w);
}

static void write_query(struct json_writer *w, struct str items)
{
    struct shape_item item;
    while (shape_next(&items, &item)) {
        if (item.kind == SHAPE_SPREAD)
            write_query(w, str_c(shape_find(item.name)->items));
        else
            write_parameter(w, item.name, "query", !item.optional, item.type);
    }
}

/* "{name}" or "{name*}" without what is around it; n = 0: no parameter. */
static struct str param_of(struct str segment)
{
    if (segment.n < 3 || segment.p[0] != '{')
        return STR("");
    struct str name = str_of(segment.p + 1, segment.n - 2);
    return name.p[name.n - 1] == '*' ? str_head(name, name.n - 1) : name;
}

/* The shape that types the members which a field table leaves to its handler. */
static const struct shape *input_of(const struct field_set *set)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "in_%s", set->name);
    return shape_find(str_c(name));
}

static bool has_field(const struct field_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->rows[i].name, name) == 0)
            return true;
    return false;
}

static struct str input_type(const struct field_set *set, const char *name)
{
    const struct shape *shape = input_of(set);
    struct str items = shape == NULL ? STR("") : str_c(shape->items);
    struct shape_item item;
    while (shape_next(&items, &item))
        if (str_eq(item.name, str_c(name)))
            return item.type;
    return STR("any");
}

static void write_parameters(struct json_writer *w, const struct route *route,
                             const struct description *description)
{
    struct str rest = str_c(route->path), segment;
    jw_key(w, "parameters");
    jw_array(w);
    while (str_split(&rest, '/', &segment))
        if (param_of(segment).n > 0)
            write_parameter(w, param_of(segment), "path", true, STR("text"));
    write_query(w, str_c(description->query));
    if (route->method == HTTP_POST && !route->acts)
        write_parameter(w, STR("idempotency-key"), "header", false, STR("text"));
    if (route->method != HTTP_GET && !route->acts)
        write_parameter(w, STR("dry_run"), "query", false, STR("bool"));
    if (route->method == HTTP_DELETE && has_field(route->fields, "force_delete"))
        write_parameter(w, STR("force_delete"), "query", false, STR("bool"));
    jw_end(w);
}

static void write_body(struct json_writer *w, const struct route *route)
{
    const struct field_set *set = route->fields;
    bool creates = route->method == HTTP_POST;
    if (set->count == 0)
        return;
    jw_key(w, "requestBody");
    jw_object(w);
    jw_key(w, "content");
    jw_object(w);
    jw_key(w, "application/json");
    jw_object(w);
    jw_key(w, "schema");
    jw_object(w);
    jw_field_cstr(w, "type", "object");
    jw_key(w, "properties");
    jw_object(w);
    for (size_t i = 0; i < set->count; i++) {
        jw_key(w, set->rows[i].name);
        if (set->rows[i].kind == FIELD_OTHER)
            shape_write_type(w, input_type(set, set->rows[i].name));
        else
            shape_write_field(w, &set->rows[i], false);
    }
    jw_end(w);
    jw_key(w, "required");
    jw_array(w);
    for (size_t i = 0; i < set->count && creates; i++)
        if ((set->rows[i].flags & FIELD_REQUIRED) != 0)
            jw_cstr(w, set->rows[i].name);
    jw_end(w);
    jw_end(w);
    jw_end(w);
    jw_end(w);
    jw_end(w);
}

static void write_refusal(struct json_writer *w, struct str status)
{
    jw_key_str(w, status);
    jw_raw(w, STR("{\"$ref\":\"#/components/responses/error\"}"));
}

/* A change that is only rehearsed is answered with what it would take away. */
static void write_answer(struct json_writer *w, const struct route *route, const char *type)
{
    bool rehearsed = route->method != HTTP_GET && !route->acts;
    if (rehearsed) {
        jw_object(w);
        jw_key(w, "anyOf");
        jw_array(w);
    }
    shape_write_type(w, str_c(type));
    if (rehearsed) {
        shape_write_type(w, STR("impact"));
        jw_end(w);
        jw_end(w);
    }
}

static void write_content(struct json_writer *w, const struct route *route, const char *answer)
{
    static const struct {
        const char *answer, *media;
    } texts[] = {{"plain", "text/plain"}, {"rows", "text/csv"}, {"rows", "application/x-ndjson"}};
    bool is_text = false;
    jw_key(w, "content");
    jw_object(w);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (strcmp(texts[i].answer, answer) != 0)
            continue;
        is_text = true;
        jw_key(w, texts[i].media);
        jw_raw(w, STR("{\"schema\":{\"type\":\"string\"}}"));
    }
    if (!is_text) {
        jw_key(w, "application/json");
        jw_object(w);
        jw_key(w, "schema");
        write_answer(w, route, answer);
        jw_end(w);
    }
    jw_end(w);
}

static void write_responses(struct json_writer *w, const struct route *route,
                            const struct description *description)
{
    struct str rest = str_c(description->refusals), status;
    jw_key(w, "responses");
    jw_object(w);
    jw_key(w, "200");
    jw_object(w);
    jw_field_cstr(w, "description", description->summary);
    write_content(w, route, description->answer);
    jw_end(w);
    write_refusal(w, STR("400"));
    if (route->who != ROUTE_ANYONE) {
        write_refusal(w, STR("401"));
        write_refusal(w, STR("403"));
        write_refusal(w, STR("404"));
    }
    if (route->method != HTTP_GET)
        write_refusal(w, STR("409"));
    if (route->method == HTTP_POST && !route->acts)
        write_refusal(w, STR("422"));
    while (rest.n > 0 && str_split(&rest, '|', &status))
        write_refusal(w, status);
    jw_end(w);
}

/* Unique: the second route of a handler, an alias, gets its number. */
static void write_name(struct json_writer *w, size_t index)
{
    const char *handler = descriptions[index]->handler, *end = strrchr(handler, '_');
    char name[80];
    size_t before = 0;
    for (size_t i = 0; i < index; i++)
        before += descriptions[i] == descriptions[index];
    (void)snprintf(name, sizeof(name), before == 0 ? "%s" : "%s_%zu", handler, before + 1);
    jw_field_cstr(w, "operationId", name);
    jw_field_cstr(w, "summary", descriptions[index]->summary);
    jw_key(w, "tags");
    jw_array(w);
    jw_str(w, str_of(handler, (size_t)(end - handler)));
    jw_end(w);
}

/* --- the document */

static void write_path(struct json_writer *w, const char *path)
{
    char text[256];
    size_t n = 0;
    for (const char *at = path; *at != '\0' && n < sizeof(text) - 1; at++)
        if (*at != '*')
            text[n++] = *at;
    jw_key_str(w, str_of(text, n));
}

static void write_paths(struct json_writer *w)
{
    static const char *const methods[] = {
        [HTTP_GET] = "get", [HTTP_POST] = "post", [HTTP_PUT] = "put", [HTTP_DELETE] = "delete"};
    size_t count;
    const struct route *routes = dispatch_routes(&count);
    CHECK(count == COUNT_OF(descriptions));
    for (size_t i = 0; i < count; i++) {
        size_t first = 0;
        while (strcmp(routes[first].path, routes[i].path) != 0)
            first++;
        if (first < i)
            continue;
        write_path(w, routes[i].path);
        jw_object(w);
        for (size_t k = i; k < count; k++) {
            if (strcmp(routes[k].path, routes[i].path) != 0)
                continue;
            CHECK((size_t)routes[k].method < COUNT_OF(methods));
            jw_key(w, methods[routes[k].method]);
            jw_object(w);
            write_name(w, k);
            write_permission(w, &routes[k]);
            write_parameters(w, &routes[k], descriptions[k]);
            write_body(w, &routes[k]);
            write_responses(w, &routes[k], descriptions[k]);
            jw_end(w);
        }
        jw_end(w);
    }
}

static void write_components(struct json_writer *w)
{
    const struct shape *shape;
    jw_key(w, "schemas");
    jw_object(w);
    for (size_t i = 0; (shape = shape_at(i)) != NULL; i++) {
        jw_key(w, shape->name);
        shape_write_object(w, str_c(shape->items));
    }
    jw_end(w);
    jw_key(w, "responses");
    jw_raw(w,
           STR("{\"error\":{\"description\":\"Refused: the message names the field and the rule.\","
               "\"content\":{\"application/json\":{\"schema\":{\"$ref\":"
               "\"#/components/schemas/error\"}}}}}"));
    jw_key(w, "securitySchemes");
    jw_raw(w, STR("{\"key\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"x-portkey-api-key\"},"
                  "\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
                  "\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"sluice_session\"},"
                  "\"csrf\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"x-csrf-token\"}}"));
}

enum status api_openapi_get(struct api_call *call)
{
    struct json_writer *w = &call->json;
    jw_object(w);
    jw_field_cstr(w, "openapi", "3.1.0");
    jw_key(w, "info");
    jw_object(w);
    jw_field_cstr(w, "title", "Sluice admin API");
    jw_field_cstr(w, "version", "1");
    jw_field_cstr(w, "description", OPENAPI_TEXT);
    jw_end(w);
    jw_key(w, "servers");
    jw_raw(w, STR("[{\"url\":\"/\"}]"));
    jw_key(w, "paths");
    jw_object(w);
    write_paths(w);
    jw_end(w);
    jw_key(w, "components");
    jw_object(w);
    write_components(w);
    jw_end(w);
    jw_end(w);
    return ST_OK;
}
