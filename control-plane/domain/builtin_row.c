/* builtin_row.c: the fields of a catalog line (builtin_row.h).
 *
 * Two tables: name, kind, place in the message. A member that no row names goes into data_json, so
 * that the data may say more than this version knows. What decides money or routing is checked
 * here, once, and never again at a request: units and sizes of prices, paths.
 * Must never write a default for a figure that is absent: unknown stays unknown.
 */
#include "control-plane/domain/builtin_row.h"

#include "common/json_write.h"
#include "common/price.h"

#define REST_MAX ((size_t)64 << 10) /* of data_json */

enum field_kind { FIELD_TEXT, FIELD_BOOL, FIELD_TEXTS, FIELD_READ };

struct field {
    const char *name;
    enum field_kind kind;
    bool required;
    bool keep; /* in data_json as well */
    size_t at; /* place in the message; FIELD_TEXTS: of n_<name>, the array follows */
    enum status (*read)(struct arena *arena, const struct json *node, void *message);
};

static enum status read_text(struct arena *arena, const struct json *node, char **text)
{
    struct str value;
    TRY(json_text(node, arena, &value));
    if (memchr(value.p, '\0', value.n) != NULL)
        return ST_INVALID;
    char *copy = arena_cstr(arena, value);
    if (copy == NULL)
        return ST_NO_MEMORY;
    *text = copy;
    return ST_OK;
}

static enum status read_texts(struct arena *arena, const struct json *node, size_t *count,
                              char ***items)
{
    if (!json_is(node, JSON_ARRAY))
        return ST_INVALID;
    char **array = arena_calloc(arena, node->count, sizeof *array);
    if (array == NULL)
        return ST_NO_MEMORY;
    size_t n = 0;
    for (const struct json *item = node->first; item != NULL; item = item->next)
        TRY(read_text(arena, item, &array[n++]));
    *count = n;
    *items = array;
    return ST_OK;
}

/* {"a": "b", ...} as an array of messages with two texts. */
static enum status read_pairs(struct arena *arena, const struct json *node,
                              const ProtobufCMessageDescriptor *type, size_t first_at,
                              size_t second_at, size_t *count, void ***rows)
{
    if (!json_is(node, JSON_OBJECT))
        return ST_INVALID;
    void **array = arena_calloc(arena, node->count, sizeof *array);
    if (array == NULL)
        return ST_NO_MEMORY;
    size_t n = 0;
    for (const struct json *member = node->first; member != NULL; member = member->next) {
        char *row = arena_alloc(arena, type->sizeof_message),
             *name = arena_cstr(arena, member->key);
        if (row == NULL || name == NULL)
            return ST_NO_MEMORY;
        if (strlen(name) != member->key.n)
            return ST_INVALID;
        protobuf_c_message_init(type, row);
        *(char **)(void *)(row + first_at) = name;
        TRY(read_text(arena, member, (char **)(void *)(row + second_at)));
        array[n++] = row;
    }
    *count = n;
    *rows = array;
    return ST_OK;
}

static enum status read_endpoints(struct arena *arena, const struct json *node, void *message)
{
    Sluice__ProviderType *row = message;
    void **rows;
    TRY(read_pairs(arena, node, &sluice__endpoint__descriptor, offsetof(Sluice__Endpoint, op),
                   offsetof(Sluice__Endpoint, path), &row->n_endpoints, &rows));
    row->endpoints = (Sluice__Endpoint **)rows;
    for (size_t i = 0; i < row->n_endpoints; i++) {
        if (row->endpoints[i]->path[0] != '/' || row->endpoints[i]->op[0] == '\0')
            return ST_INVALID;
    }
    return ST_OK;
}

static enum status read_extra_headers(struct arena *arena, const struct json *node, void *message)
{
    Sluice__ProviderType *row = message;
    void **rows;
    TRY(read_pairs(arena, node, &sluice__header__descriptor, offsetof(Sluice__Header, name),
                   offsetof(Sluice__Header, value), &row->n_extra_headers, &rows));
    row->extra_headers = (Sluice__Header **)rows;
    return ST_OK;
}

static enum status read_renames(struct arena *arena, const struct json *node, void *message)
{
    Sluice__ProviderType *row = message;
    void **rows;
    TRY(read_pairs(arena, node, &sluice__rename__descriptor, offsetof(Sluice__Rename, from),
                   offsetof(Sluice__Rename, to), &row->n_renames, &rows));
    row->renames = (Sluice__Rename **)rows;
    return ST_OK;
}

static enum status read_auth(struct arena *arena, const struct json *node, void *message)
{
    Sluice__ProviderType *row = message;
    struct str scheme;
    TRY(json_text(json_get(node, "scheme"), arena, &scheme));
    if (!str_eq(scheme, STR("header")))
        return ST_OK;
    TRY(read_text(arena, json_get(node, "header"), &row->auth_header));
    return read_text(arena, json_get(node, "prefix"), &row->auth_prefix);
}

static enum status read_limits(struct arena *arena, const struct json *node, void *message)
{
    Sluice__Model *row = message;
    const struct {
        const char *name;
        uint64_t *to;
    } limits[] = {
        {"context_window_tokens", &row->context_window_tokens},
        {"max_input_tokens", &row->max_input_tokens},
        {"max_output_tokens", &row->max_output_tokens},
    };
    (void)arena;
    if (!json_is(node, JSON_OBJECT))
        return ST_INVALID;
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        const struct json *limit = json_get(node, limits[i].name);
        if (limit == NULL)
            continue;
        TRY(json_u64(limit, limits[i].to));
        if (*limits[i].to == 0)
            return ST_INVALID;
    }
    return ST_OK;
}

static enum status read_prices(struct arena *arena, const struct json *node, void *message)
{
    Sluice__Model *row = message;
    if (!json_is(node, JSON_OBJECT) || node->count == 0)
        return ST_INVALID;
    Sluice__Prices *prices = arena_alloc(arena, sizeof *prices);
    Sluice__Prices **pages = arena_alloc(arena, sizeof *pages);
    Sluice__Price *price = arena_calloc(arena, node->count, sizeof *price);
    Sluice__Price **rows = arena_calloc(arena, node->count, sizeof *rows);
    struct price_table *table = arena_alloc(arena, sizeof *table);
    if (prices == NULL || pages == NULL || price == NULL || rows == NULL || table == NULL)
        return ST_NO_MEMORY;
    sluice__prices__init(prices);
    price_table_init(table);
    for (const struct json *member = node->first; member != NULL; member = member->next, price++) {
        sluice__price__init(price);
        price->unit = arena_cstr(arena, member->key);
        if (price->unit == NULL)
            return ST_NO_MEMORY;
        TRY(json_i64(member, &price->picousd));
        TRY(price_table_add(table, member->key,
                            price->picousd)); /* proves unit, variant, range and number */
        rows[prices->n_rows++] = price;
    }
    prices->rows = rows;
    pages[0] = prices;
    row->prices = pages;
    row->n_prices = 1;
    return ST_OK;
}

#define AT(member)    offsetof(Sluice__ProviderType, member)
#define MODEL(member) offsetof(Sluice__Model, member)

static const struct field provider_fields[] = {
    {"slug", FIELD_TEXT, true, false, AT(slug), NULL},
    {"name", FIELD_TEXT, true, false, AT(name), NULL},
    {"dialect", FIELD_TEXT, true, false, AT(dialect), NULL},
    {"base_url", FIELD_TEXT, true, false, AT(base_url), NULL},
    {"auth", FIELD_READ, true, true, 0, read_auth},
    {"endpoints", FIELD_READ, true, false, 0, read_endpoints},
    {"extra_headers", FIELD_READ, false, false, 0, read_extra_headers},
    {"renames", FIELD_READ, false, false, 0, read_renames},
    {"developer_to_system", FIELD_BOOL, false, false, AT(developer_to_system), NULL},
    {"no_stream_options", FIELD_BOOL, false, false, AT(no_stream_options), NULL},
    {"text_embeddings", FIELD_BOOL, false, false, AT(text_embeddings), NULL},
    {"stream_usage_path", FIELD_TEXT, false, false, AT(stream_usage_path), NULL},
    {"passthrough", FIELD_TEXTS, false, false, AT(n_passthrough), NULL},
    {"env", FIELD_TEXTS, false, false, AT(n_env), NULL},
    {"docs_url", FIELD_TEXT, false, false, AT(docs_url), NULL},
};

static const struct field model_fields[] = {
    {"id", FIELD_TEXT, true, false, MODEL(slug), NULL},
    {"name", FIELD_TEXT, false, false, MODEL(name), NULL},
    {"type", FIELD_TEXT, false, false, MODEL(type), NULL},
    {"limits", FIELD_READ, false, false, 0, read_limits},
    {"input", FIELD_TEXTS, false, false, MODEL(n_input_modalities), NULL},
    {"output", FIELD_TEXTS, false, false, MODEL(n_output_modalities), NULL},
    {"capabilities", FIELD_TEXTS, false, false, MODEL(n_capabilities), NULL},
    {"not_capabilities", FIELD_TEXTS, false, false, MODEL(n_not_capabilities), NULL},
    {"status", FIELD_TEXT, false, false, MODEL(status), NULL},
    {"family", FIELD_TEXT, false, false, MODEL(family), NULL},
    {"knowledge_cutoff", FIELD_TEXT, false, false, MODEL(knowledge_cutoff), NULL},
    {"release_date", FIELD_TEXT, false, false, MODEL(release_date), NULL},
    {"prices_picousd", FIELD_READ, false, false, 0, read_prices},
};

static enum status read_field(struct arena *arena, const struct field *field,
                              const struct json *node, char *message)
{
    char *to = message + field->at;
    protobuf_c_boolean *flag;
    bool value;
    switch (field->kind) {
    case FIELD_TEXT:
        return read_text(arena, node, (char **)(void *)to);
    case FIELD_BOOL:
        flag = (protobuf_c_boolean *)(void *)to;
        TRY(json_bool(node, &value));
        *flag = value;
        return ST_OK;
    case FIELD_TEXTS:
        return read_texts(arena, node, (size_t *)(void *)to,
                          (char ***)(void *)(to + sizeof(size_t)));
    case FIELD_READ:
        return field->read(arena, node, message);
    }
    return ST_INTERNAL;
}

struct table {
    const struct field *fields;
    size_t count;
};

static enum status read_members(struct arena *arena, const struct json *node, struct table table,
                                void *message, struct json_writer *rest, const char **bad)
{
    uint32_t seen = 0;
    for (const struct json *member = node->first; member != NULL; member = member->next) {
        size_t i = 0;
        while (i < table.count && !str_eq(member->key, str_c(table.fields[i].name)))
            i++;
        if (i == table.count || table.fields[i].keep) {
            jw_key_str(rest, member->key);
            jw_raw(rest, member->raw);
        }
        if (i == table.count)
            continue;
        seen |= UINT32_C(1) << i;
        *bad = table.fields[i].name;
        TRY(read_field(arena, &table.fields[i], member, message));
    }
    for (size_t i = 0; i < table.count; i++) {
        *bad = table.fields[i].name;
        if (table.fields[i].required && !(seen & UINT32_C(1) << i))
            return ST_INVALID;
    }
    return ST_OK;
}

/* Fills the message from one object; the members without a row go into *data_json. */
static enum status read_row(struct arena *arena, const struct json *node, struct table table,
                            void *message, char **data_json, const char **bad)
{
    struct buf rest;
    struct json_writer writer;
    enum status status;
    *bad = "";
    buf_init(&rest, REST_MAX);
    jw_init(&writer, &rest);
    jw_object(&writer);
    TRY_OUT(read_members(arena, node, table, message, &writer, bad));
    jw_end(&writer);
    TRY_OUT(buf_status(&rest));
    *data_json = arena_cstr(arena, buf_str(&rest));
    status = *data_json == NULL ? ST_NO_MEMORY : ST_OK;
out:
    buf_free(&rest);
    return status == ST_OK || status == ST_NO_MEMORY ? status : ST_BAD_FORMAT;
}

enum status builtin_row_provider(struct arena *arena, const struct json *node,
                                 Sluice__ProviderType *row, const char **bad)
{
    static const struct table table = {provider_fields, COUNT_OF(provider_fields)};
    sluice__provider_type__init(row);
    return read_row(arena, node, table, row, &row->data_json, bad);
}

enum status builtin_row_model(struct arena *arena, const struct json *node, Sluice__Model *row,
                              const char **bad)
{
    static const struct table table = {model_fields, COUNT_OF(model_fields)};
    sluice__model__init(row);
    return read_row(arena, node, table, row, &row->data_json, bad);
}
