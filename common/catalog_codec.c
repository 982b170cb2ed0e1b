/* catalog_codec.c: protobuf entity -> flat record, by tables.
 *
 *   [cat_head][fixed part of the kind ......................][bytes of the strings, one after the
 * other] ^ numbers, ids, hashes   ^ cat_ref{off,len} ------^
 *
 * One row of `kinds` per kind names the message, the size of its fixed part, the fields that are
 * copied as they are (struct field) and, where a field needs thought, one function. Encoding runs
 * in the courier only; workers use the inline readers of the header and cat_check.
 *
 * Invariant: a record that leaves here passes cat_check, every ref lies inside it, all text is
 * UTF-8 without NUL, and every enum that decides about access has a value this version knows. What
 * comes in is the control plane's, but it came over a wire: nothing here may CHECK it.
 */
#include "common/catalog_codec.h"

#include <sodium.h>
#include <stdlib.h>

#include "common/catalog_flat.h"
#include "common/route_plan.h"
#include "common/wire.h"

enum field_op { FIELD_STR, FIELD_ID, FIELD_HASH, FIELD_U8, FIELD_I64, FIELD_U64, FIELD_LINES };

struct field {
    enum field_op op;
    size_t from;  /* in the message; FIELD_LINES: of n_x, the pointer follows */
    size_t to;    /* in the record */
    unsigned max; /* FIELD_U8: largest value known */
};

struct kind_row {
    Sluice__Kind kind;
    const ProtobufCMessageDescriptor *type;
    size_t fixed_bytes;
    const struct field *fields;
    size_t field_count;
    size_t slug_at; /* place of the ref to its index name, 0 = none */
    enum status (*extra)(struct buf *flat, const void *message);
};

static enum status flat_put_field(struct buf *flat, const struct field *field, const char *message)
{
    const void *from = message + field->from;
    switch (field->op) {
    case FIELD_STR:
        return flat_put_str(flat, field->to, str_c(*(char *const *)from));
    case FIELD_ID:
        return flat_put_exact(flat, field->to, *(const ProtobufCBinaryData *)from, ID_BYTES);
    case FIELD_HASH:
        return flat_put_exact(flat, field->to, *(const ProtobufCBinaryData *)from, 32);
    case FIELD_U8: {
        uint32_t value = *(const uint32_t *)from;
        uint8_t byte = (uint8_t)value;
        if (value > field->max)
            return ST_BAD_FORMAT;
        flat_put(flat, field->to, &byte, 1);
        return ST_OK;
    }
    case FIELD_I64:
    case FIELD_U64:
        flat_put(flat, field->to, from, 8);
        return ST_OK;
    case FIELD_LINES:
        return flat_put_lines(
            flat, field->to, *(const size_t *)from,
            *(char *const *const *)(const void *)(message + field->from + sizeof(size_t)));
    }
    return ST_INTERNAL;
}

/* --- what needs thought --- */

static enum status api_key_extra(struct buf *flat, const void *message)
{
    static const struct {
        const char *name;
        uint64_t bit;
    } scopes[] = {
        {"completions.write", CAT_SCOPE_COMPLETIONS_WRITE},
        {"models.list", CAT_SCOPE_MODELS_LIST},
        {"providers.list", CAT_SCOPE_PROVIDERS_LIST},
        {"virtual_keys.list", CAT_SCOPE_PROVIDERS_LIST},
        {"logs.write", CAT_SCOPE_LOGS_WRITE},
        {"passthrough.invoke", CAT_SCOPE_PASSTHROUGH},
    };
    const Sluice__ApiKey *key = message;
    uint64_t bits = 0;
    for (size_t i = 0; i < key->n_scopes; i++) {
        for (size_t j = 0; j < COUNT_OF(scopes); j++) {
            if (str_eq(str_c(key->scopes[i]), str_c(scopes[j].name)))
                bits |= scopes[j].bit;
        }
    }
    if (key->type == SLUICE__API_KEY_TYPE__API_KEY_NONE || key->hash.len != 32)
        return ST_BAD_FORMAT;
    flat_put(flat, offsetof(struct cat_api_key, scopes), &bits, sizeof bits);
    return flat_put_limits(flat, offsetof(struct cat_api_key, limits), LIMIT_KEY,
                           key->usage_limits_json, key->rate_limits_json, key->last_reset_at_ms);
}

static enum status workspace_extra(struct buf *flat, const void *message)
{
    const Sluice__Workspace *workspace = message;
    return flat_put_limits(flat, offsetof(struct cat_workspace, limits), LIMIT_WORKSPACE,
                           workspace->usage_limits_json, workspace->rate_limits_json,
                           workspace->last_reset_at_ms);
}

static enum status provider_extra(struct buf *flat, const void *message)
{
    const Sluice__Provider *provider = message;
    return flat_put_limits(flat, offsetof(struct cat_provider, limits), LIMIT_PROVIDER,
                           provider->usage_limits_json, provider->rate_limits_json,
                           provider->last_reset_at_ms);
}

static enum status integration_extra(struct buf *flat, const void *message)
{
    static const struct flat_secrets_at at = {
        offsetof(struct cat_integration, secrets_version),
        offsetof(struct cat_integration, delivery_key),
        offsetof(struct cat_integration, secrets_box),
        offsetof(struct cat_integration, hosts),
    };
    const Sluice__Integration *integration = message;
    uint32_t flags = (integration->allow_all_models ? CAT_INTEGRATION_ALLOW_ALL : 0) |
                     (integration->passthrough ? CAT_INTEGRATION_PASSTHROUGH : 0) |
                     (integration->elsewhere ? CAT_INTEGRATION_ELSEWHERE : 0);
    struct id type = id_named(STR("provider-type/"), str_c(integration->provider_type));
    flat_put(flat, offsetof(struct cat_integration, flags), &flags, sizeof flags);
    flat_put(flat, offsetof(struct cat_integration, provider_type), &type, sizeof type);
    TRY(flat_put_names(flat, offsetof(struct cat_integration, header_names),
                       integration->n_custom_headers, integration->custom_headers));
    TRY(flat_put_adjusts(flat, offsetof(struct cat_integration, price_adjusts),
                         integration->n_price_adjusts, integration->price_adjusts));
    TRY(flat_put_limits(flat, offsetof(struct cat_integration, limits), LIMIT_INTEGRATION,
                        integration->usage_limits_json, integration->rate_limits_json,
                        integration->last_reset_at_ms));
    return flat_put_secrets(flat, at, integration->secrets);
}

static enum status access_extra(struct buf *flat, const void *message)
{
    const Sluice__WorkspaceAccess *access = message;
    TRY(flat_put_adjusts(flat, offsetof(struct cat_access, price_adjusts), access->n_price_adjusts,
                         access->price_adjusts));
    TRY(flat_put_limits(flat, offsetof(struct cat_access, limits), LIMIT_ACCESS,
                        access->usage_limits_json, access->rate_limits_json,
                        access->last_reset_at_ms));
    return flat_put_model_prices(flat, offsetof(struct cat_access, model_prices),
                                 access->n_model_prices, access->model_prices);
}

uint16_t catalog_dialect(struct str text)
{
    static const struct {
        const char *name;
        enum cat_dialect dialect;
    } names[] = {
        {"openai", CAT_DIALECT_OPENAI},   {"anthropic", CAT_DIALECT_ANTHROPIC},
        {"gemini", CAT_DIALECT_GEMINI},   {"azure-openai", CAT_DIALECT_AZURE_OPENAI},
        {"bedrock", CAT_DIALECT_BEDROCK}, {"azure_openai", CAT_DIALECT_AZURE_OPENAI},
        {"vertex", CAT_DIALECT_VERTEX},   {"cohere", CAT_DIALECT_COHERE},
    };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (str_eq(text, str_c(names[i].name)))
            return (uint16_t)names[i].dialect;
    }
    return CAT_DIALECT_OTHER;
}

/* "name: value\n" of each header, "from to\n" of each rename. */
static enum status provider_type_pairs(struct buf *flat, const Sluice__ProviderType *type)
{
    size_t start = flat->n;
    for (size_t i = 0; i < type->n_extra_headers; i++) {
        const Sluice__Header *header = type->extra_headers[i];
        TRY(flat_add_word(flat, str_c(header->name)));
        buf_add_lit(flat, ": ");
        TRY(flat_add_line(flat, str_c(header->value)));
    }
    flat_put_ref(flat, offsetof(struct cat_provider_type, extra_headers), start);
    start = flat->n;
    for (size_t i = 0; i < type->n_renames; i++) {
        const Sluice__Rename *rename = type->renames[i];
        TRY(flat_add_word(flat, str_c(rename->from)));
        buf_add_char(flat, ' ');
        TRY(flat_add_line(flat, str_c(rename->to)));
    }
    flat_put_ref(flat, offsetof(struct cat_provider_type, renames), start);
    return ST_OK;
}

/* An operation this version does not know is not offered; that decides nothing else. */
static enum status provider_type_extra(struct buf *flat, const void *message)
{
    const Sluice__ProviderType *type = message;
    uint16_t dialect = catalog_dialect(str_c(type->dialect));
    flat_put(flat, offsetof(struct cat_provider_type, dialect), &dialect, sizeof dialect);
    for (size_t i = 0; i < type->n_endpoints; i++) {
        enum op op;
        if (op_from_text(str_c(type->endpoints[i]->op), &op) != ST_OK)
            continue;
        size_t to = offsetof(struct cat_provider_type, paths) + (size_t)op * sizeof(struct cat_ref);
        TRY(flat_put_str(flat, to, str_c(type->endpoints[i]->path)));
    }
    return provider_type_pairs(flat, type);
}

static enum status model_extra(struct buf *flat, const void *message)
{
    const Sluice__Model *model = message;
    return flat_put_prices(flat, offsetof(struct cat_model, prices), model->n_prices,
                           model->prices);
}

static enum status config_extra(struct buf *flat, const void *message)
{
    const Sluice__Config *config = message;
    return flat_put_plan(flat, offsetof(struct cat_config, plan), str_c(config->document_json));
}

static enum status delivery_key_extra(struct buf *flat, const void *message)
{
    const Sluice__DeliveryKey *key = message;
    size_t start = flat->n;
    buf_add(flat, key->node_box.data, key->node_box.len);
    flat_put_ref(flat, offsetof(struct cat_delivery_key, node_box), start);
    return ST_OK;
}

/* --- the tables
 * ------------------------------------------------------------------------------------------------------
 */

#define COPY(op, type, from, record, to, max)                                                      \
    {                                                                                              \
        FIELD_##op, offsetof(type, from), offsetof(struct record, to), max                         \
    }
#define NAMED(op, type, record, name) COPY(op, type, name, record, name, 0)
#define LINES(type, record, name)     COPY(LINES, type, n_##name, record, name, 0)
#define STATUS_FIELD(type, record)                                                                 \
    COPY(U8, type, status, record, status, SLUICE__STATUS__STATUS_DISABLED)

static const struct field organisation_fields[] = {
    STATUS_FIELD(Sluice__Organisation, cat_org),
    COPY(U8, Sluice__Organisation, default_limit_mode, cat_org, default_limit_mode, 1),
    NAMED(STR, Sluice__Organisation, cat_org, slug),
    NAMED(STR, Sluice__Organisation, cat_org, name),
};
static const struct field workspace_fields[] = {
    STATUS_FIELD(Sluice__Workspace, cat_workspace),
    COPY(U8, Sluice__Workspace, default_limit_mode, cat_workspace, default_limit_mode, 2),
    NAMED(ID, Sluice__Workspace, cat_workspace, default_config),
    NAMED(STR, Sluice__Workspace, cat_workspace, slug),
    NAMED(STR, Sluice__Workspace, cat_workspace, name),
    NAMED(STR, Sluice__Workspace, cat_workspace, defaults_json),
};
static const struct field api_key_fields[] = {
    COPY(U8, Sluice__ApiKey, type, cat_api_key, type, SLUICE__API_KEY_TYPE__API_KEY_WORKSPACE_USER),
    STATUS_FIELD(Sluice__ApiKey, cat_api_key),
    COPY(U8, Sluice__ApiKey, config_override, cat_api_key, config_override, 2),
    NAMED(I64, Sluice__ApiKey, cat_api_key, expires_at_ms),
    NAMED(I64, Sluice__ApiKey, cat_api_key, previous_until_ms),
    NAMED(HASH, Sluice__ApiKey, cat_api_key, hash),
    NAMED(HASH, Sluice__ApiKey, cat_api_key, previous_hash),
    NAMED(ID, Sluice__ApiKey, cat_api_key, user),
    NAMED(ID, Sluice__ApiKey, cat_api_key, default_config),
    NAMED(STR, Sluice__ApiKey, cat_api_key, name),
    NAMED(STR, Sluice__ApiKey, cat_api_key, defaults_json),
    LINES(Sluice__ApiKey, cat_api_key, allowed_models),
};
static const struct field provider_fields[] = {
    STATUS_FIELD(Sluice__Provider, cat_provider),
    NAMED(I64, Sluice__Provider, cat_provider, expires_at_ms),
    NAMED(ID, Sluice__Provider, cat_provider, integration),
    NAMED(STR, Sluice__Provider, cat_provider, slug),
    NAMED(STR, Sluice__Provider, cat_provider, name),
    NAMED(STR, Sluice__Provider, cat_provider, model_config_json),
    LINES(Sluice__Provider, cat_provider, allowed_models),
};
static const struct field integration_fields[] = {
    STATUS_FIELD(Sluice__Integration, cat_integration),
    NAMED(ID, Sluice__Integration, cat_integration, workspace),
    NAMED(STR, Sluice__Integration, cat_integration, slug),
    NAMED(STR, Sluice__Integration, cat_integration, name),
    NAMED(STR, Sluice__Integration, cat_integration, base_url),
    NAMED(STR, Sluice__Integration, cat_integration, configurations_json),
    NAMED(STR, Sluice__Integration, cat_integration, allowed_private),
    NAMED(STR, Sluice__Integration, cat_integration, api_dialect),
};
static const struct field access_fields[] = {
    COPY(U8, Sluice__WorkspaceAccess, enabled, cat_access, enabled, 1),
};
static const struct field provider_type_fields[] = {
    COPY(U8, Sluice__ProviderType, developer_to_system, cat_provider_type, developer_to_system, 1),
    COPY(U8, Sluice__ProviderType, no_stream_options, cat_provider_type, no_stream_options, 1),
    COPY(U8, Sluice__ProviderType, text_embeddings, cat_provider_type, text_embeddings, 1),
    NAMED(STR, Sluice__ProviderType, cat_provider_type, slug),
    NAMED(STR, Sluice__ProviderType, cat_provider_type, name),
    NAMED(STR, Sluice__ProviderType, cat_provider_type, base_url),
    NAMED(STR, Sluice__ProviderType, cat_provider_type, auth_header),
    NAMED(STR, Sluice__ProviderType, cat_provider_type, auth_prefix),
    NAMED(STR, Sluice__ProviderType, cat_provider_type, stream_usage_path),
    LINES(Sluice__ProviderType, cat_provider_type, passthrough),
};
static const struct field model_fields[] = {
    NAMED(U64, Sluice__Model, cat_model, context_window_tokens),
    NAMED(U64, Sluice__Model, cat_model, max_input_tokens),
    NAMED(U64, Sluice__Model, cat_model, max_output_tokens),
    NAMED(STR, Sluice__Model, cat_model, slug),
    NAMED(STR, Sluice__Model, cat_model, name),
    NAMED(STR, Sluice__Model, cat_model, type),
    NAMED(STR, Sluice__Model, cat_model, status),
    LINES(Sluice__Model, cat_model, input_modalities),
    LINES(Sluice__Model, cat_model, output_modalities),
    LINES(Sluice__Model, cat_model, capabilities),
    NAMED(STR, Sluice__Model, cat_model, release_date),
};
static const struct field config_fields[] = {
    STATUS_FIELD(Sluice__Config, cat_config),
    NAMED(STR, Sluice__Config, cat_config, slug),
    NAMED(STR, Sluice__Config, cat_config, name),
    NAMED(STR, Sluice__Config, cat_config, document_json),
};

#define KIND_ROW(KIND, type, record, fields, slug_at, extra)                                       \
    {                                                                                              \
        SLUICE__KIND__KIND_##KIND, &type##__descriptor, sizeof(struct record), fields,             \
            COUNT_OF(fields), slug_at, extra                                                       \
    }
#define SLUG_OF(record) offsetof(struct record, slug)

static const struct kind_row kinds[] = {
    KIND_ROW(ORGANISATION, sluice__organisation, cat_org, organisation_fields, SLUG_OF(cat_org),
             NULL),
    KIND_ROW(WORKSPACE, sluice__workspace, cat_workspace, workspace_fields, SLUG_OF(cat_workspace),
             workspace_extra),
    KIND_ROW(INTEGRATION, sluice__integration, cat_integration, integration_fields,
             SLUG_OF(cat_integration), integration_extra),
    KIND_ROW(WORKSPACE_ACCESS, sluice__workspace_access, cat_access, access_fields, 0,
             access_extra),
    KIND_ROW(PROVIDER, sluice__provider, cat_provider, provider_fields, SLUG_OF(cat_provider),
             provider_extra),
    KIND_ROW(API_KEY, sluice__api_key, cat_api_key, api_key_fields, 0, api_key_extra),
    KIND_ROW(CONFIG, sluice__config, cat_config, config_fields, SLUG_OF(cat_config), config_extra),
    KIND_ROW(PROVIDER_TYPE, sluice__provider_type, cat_provider_type, provider_type_fields,
             SLUG_OF(cat_provider_type), provider_type_extra),
    KIND_ROW(MODEL, sluice__model, cat_model, model_fields, SLUG_OF(cat_model), model_extra),
    {SLUICE__KIND__KIND_DELIVERY_KEY, &sluice__delivery_key__descriptor,
     sizeof(struct cat_delivery_key), NULL, 0, 0, delivery_key_extra},
};

/* --- encode
 * ----------------------------------------------------------------------------------------------------------
 */

static const struct kind_row *kind_find(Sluice__Kind kind)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (kinds[i].kind == kind)
            return &kinds[i];
    }
    return NULL;
}

static enum status encode_message(struct buf *flat, const struct kind_row *row, const void *message)
{
    for (size_t i = 0; i < row->field_count; i++)
        TRY(flat_put_field(flat, &row->fields[i], message));
    return row->extra == NULL ? ST_OK : row->extra(flat, message);
}

enum status catalog_encode(struct arena *arena, Sluice__Kind kind, uint64_t revision,
                           const struct id *org, const struct id *parent, const struct id *id,
                           struct str body, struct str *record)
{
    const struct kind_row *row = kind_find(kind);
    if (row == NULL)
        return ST_NOT_FOUND;
    struct cat_head head = {(uint16_t)kind, CAT_VERSION, 0, revision, *org, *parent, *id};
    struct arena scratch;
    struct buf flat;
    void *message = NULL;
    arena_init(&scratch, WIRE_HEAP_MAX_BYTES);
    enum status status = flat_begin(&flat, row->fixed_bytes, &head);
    if (status == ST_OK)
        status = wire_unpack_known(row->type, body, &scratch, &message);
    if (status == ST_OK)
        status = encode_message(&flat, row, message);
    if (status == ST_OK)
        status = flat_end(&flat, arena, record);
    buf_free(&flat);
    arena_free(&scratch);
    return status;
}

/* --- model rules
 * -----------------------------------------------------------------------------------------------------
 */

static bool rule_is_pattern(const Sluice__ModelRule *rule)
{
    return str_find_char(str_c(rule->slug), '*') >= 0;
}

static size_t rule_literal_bytes(const Sluice__ModelRule *rule)
{
    size_t n = 0;
    for (const char *p = rule->slug; *p != '\0'; p++)
        n += *p != '*';
    return n;
}

/* Exact before patterns; exact by slug; patterns by longest literal part; then by id, so that the
 * order never depends on input. */
static int rule_compare(const void *left, const void *right)
{
    const Sluice__ModelRule *a = *(const Sluice__ModelRule *const *)left;
    const Sluice__ModelRule *b = *(const Sluice__ModelRule *const *)right;
    bool a_pattern = rule_is_pattern(a), b_pattern = rule_is_pattern(b);
    if (a_pattern != b_pattern)
        return a_pattern ? 1 : -1;
    size_t a_bytes = rule_literal_bytes(a), b_bytes = rule_literal_bytes(b);
    if (a_pattern && a_bytes != b_bytes)
        return a_bytes > b_bytes ? -1 : 1;
    int order = str_cmp(str_c(a->slug), str_c(b->slug));
    return order != 0 ? order
                      : str_cmp(str_of((const char *)a->id.data, a->id.len),
                                str_of((const char *)b->id.data, b->id.len));
}

#define RULE(member) (base + offsetof(struct cat_rule, member))

static enum status encode_rule(struct buf *flat, size_t base, const Sluice__ModelRule *rule)
{
    struct flat_secrets_at at = {RULE(secrets_version), RULE(delivery_key), RULE(secrets_box),
                                 RULE(hosts)};
    uint32_t flags = (rule->enabled ? CAT_RULE_ENABLED : 0) |
                     (rule->is_custom ? CAT_RULE_CUSTOM : 0) |
                     (rule->is_finetune ? CAT_RULE_FINETUNE : 0) |
                     (rule_is_pattern(rule) ? CAT_RULE_PATTERN : 0) |
                     (rule->discovered ? CAT_RULE_LISTING : 0);
    flat_put(flat, RULE(flags), &flags, sizeof flags);
    TRY(flat_put_exact(flat, RULE(id), rule->id, ID_BYTES));
    TRY(flat_put_str(flat, RULE(slug), str_c(rule->slug)));
    TRY(flat_put_str(flat, RULE(base_model), str_c(rule->base_model)));
    TRY(flat_put_str(flat, RULE(upstream_model), str_c(rule->upstream_model)));
    TRY(flat_put_str(flat, RULE(name), str_c(rule->name)));
    TRY(flat_put_str(flat, RULE(description), str_c(rule->description)));
    flat_put(flat, RULE(created_at_ms), &rule->created_at_ms, sizeof rule->created_at_ms);
    TRY(flat_put_str(flat, RULE(base_url), str_c(rule->base_url)));
    TRY(flat_put_names(flat, RULE(header_names), rule->n_custom_headers, rule->custom_headers));
    TRY(flat_put_secrets(flat, at, rule->secrets));
    return flat_put_prices(flat, RULE(prices), rule->n_prices, rule->prices);
}

#undef RULE

enum status catalog_encode_rules(struct arena *arena, uint64_t revision, const struct id *org,
                                 const struct id *integration, Sluice__ModelRule *const *rules,
                                 size_t count, struct str *record)
{
    struct cat_head head = {CAT_KIND_RULES, CAT_VERSION, 0, revision, *org, ID_NONE, *integration};
    uint32_t patterns = 0;
    if (count > FLAT_MAX_BYTES / sizeof(struct cat_rule))
        return ST_TOO_LARGE;
    const Sluice__ModelRule **sorted = arena_calloc(arena, count, sizeof(Sluice__ModelRule *));
    if (sorted == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        sorted[i] = rules[i];
        patterns += rule_is_pattern(rules[i]);
    }
    qsort(sorted, count, sizeof(Sluice__ModelRule *), rule_compare);
    struct buf flat;
    enum status status =
        flat_begin(&flat, sizeof(struct cat_rules) + count * sizeof(struct cat_rule), &head);
    uint32_t counts[2] = {(uint32_t)count - patterns, patterns};
    flat_put(&flat, offsetof(struct cat_rules, exact_count), counts, sizeof counts);
    for (size_t i = 0; i < count && status == ST_OK; i++)
        status =
            encode_rule(&flat, sizeof(struct cat_rules) + i * sizeof(struct cat_rule), sorted[i]);
    if (status == ST_OK)
        status = flat_end(&flat, arena, record);
    buf_free(&flat);
    return status;
}

/* --- keys and checks --- */

struct str catalog_index_name(const struct cat_head *head, unsigned nth)
{
    struct str value = {(const char *)head, head->length};
    const struct cat_api_key *key = CAT_AS(value, SLUICE__KIND__KIND_API_KEY, cat_api_key);
    if (key != NULL && nth < 2) {
        static const uint8_t none[32];
        const uint8_t *hash = nth == 0 ? key->hash : key->previous_hash;
        return memcmp(hash, none, sizeof none) == 0 ? STR_NONE : str_of((const char *)hash, 32);
    }
    const struct kind_row *row = nth == 0 ? kind_find((Sluice__Kind)head->kind) : NULL;
    if (row == NULL || row->slug_at == 0 || head->length < row->fixed_bytes)
        return STR_NONE;
    struct cat_ref ref;
    memcpy(&ref, (const char *)head + row->slug_at, sizeof ref);
    return cat_str(head, ref);
}

void catalog_key(uint8_t key[CAT_KEY_BYTES], uint8_t generation, uint8_t kind, const struct id *org,
                 const struct id *parent, const struct id *id)
{
    static const struct id none;
    bool flat = kind == SLUICE__KIND__KIND_DELIVERY_KEY;
    key[0] = generation;
    key[1] = kind;
    memcpy(key + 2, org, ID_BYTES);
    memcpy(key + 18, flat ? &none : parent, ID_BYTES);
    memcpy(key + 34, id, ID_BYTES);
}

void catalog_index_key(uint8_t key[CAT_KEY_BYTES], uint8_t generation, uint8_t kind,
                       const struct id *org, const struct id *parent, struct str name)
{
    static const struct id none;
    struct id hash;
    bool global = kind == SLUICE__KIND__KIND_API_KEY;
    crypto_generichash(hash.b, ID_BYTES, (const unsigned char *)name.p, name.n, NULL, 0);
    catalog_key(key, generation, kind | 0x80, global ? &none : org, global ? &none : parent, &hash);
}

uint32_t catalog_layout(void)
{
    uint32_t mix = 2166136261u ^ ROUTE_PLAN_VERSION << 8;
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        mix = (mix ^ (uint32_t)kinds[i].fixed_bytes ^ (uint32_t)kinds[i].kind << 16) * 16777619u;
    mix = (mix ^ PRICE_BOOK_LAYOUT ^ (uint32_t)sizeof(struct price_adjust) << 16) * 16777619u;
    mix = (mix ^ (uint32_t)sizeof(struct cat_rule) ^ (uint32_t)sizeof(struct price_table) << 16) *
          16777619u;
    return (mix ^ (uint32_t)sizeof(struct cat_policy) ^ (uint32_t)sizeof(struct cat_limit) << 16) *
           16777619u;
}

const void *cat_check(struct str value, uint16_t kind, size_t fixed_bytes)
{
    struct cat_head head;
    if (value.n < sizeof head || value.n < fixed_bytes)
        return NULL;
    memcpy(&head, value.p, sizeof head);
    if (head.kind != kind || head.length != value.n)
        return NULL;
    if (head.version == 0 || (head.version != CAT_VERSION && head.version + 1 != CAT_VERSION))
        return NULL;
    return value.p;
}

const struct cat_rules *cat_check_rules(struct str value)
{
    const struct cat_rules *rules = CAT_AS(value, CAT_KIND_RULES, cat_rules);
    if (rules == NULL)
        return NULL;
    uint64_t count = (uint64_t)rules->exact_count + rules->pattern_count;
    return count <= (value.n - sizeof *rules) / sizeof(struct cat_rule) ? rules : NULL;
}

const struct cat_policies *cat_check_policies(struct str value)
{
    const struct cat_policies *policies = CAT_AS(value, CAT_KIND_POLICIES, cat_policies);
    if (policies == NULL)
        return NULL;
    return policies->count <= (value.n - sizeof *policies) / sizeof(struct cat_policy) ? policies
                                                                                      : NULL;
}
