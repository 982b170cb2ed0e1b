/* catalog_codec.h: the flat records of the catalog file (ARCHITECTURE section 8, Keys and Records).
 *
 *   key    [generation 1][kind 1][org 16][parent 16][id 16]              kinds: Sluice__Kind
 *   index  [generation 1][kind|0x80][org 16][parent 16][BLAKE2b-128(slug)] -> org 16, parent 16, id 16
 *          where a name is unique: a slug below its organisation and parent (a model's below its provider type), an API key's
 *          hash below no organisation and no parent (catalog_index_key sees to that)
 *   A delivery key stands below no parent, because a node does not know its group (catalog_key sees to that).
 *   value  struct cat_head, then the fixed part of the kind, then bytes that cat_refs point at (offsets from the record's start)
 *
 * Written by the courier (catalog_encode), read in place by workers: packed, little-endian, no unpacking on the request path.
 * A reader takes a record through cat_check once per fetch and strings through cat_str, which never leaves the record:
 * a damaged file can give wrong text but no wild read.
 * Readers accept CAT_VERSION and CAT_VERSION - 1.
 */
#ifndef SLUICE_COMMON_CATALOG_CODEC_H
#define SLUICE_COMMON_CATALOG_CODEC_H

#include "common/arena.h"
#include "common/id.h"
#include "common/limit.h"
#include "common/ops.h"
#include "common/price_book.h"
#include "proto/catalog.pb-c.h"

#define CAT_VERSION     1
#define CAT_KEY_BYTES   50
#define CAT_KIND_META   0x70 /* one record per generation and one for the file: struct cat_meta */
#define CAT_KIND_RULES  0x71 /* derived: all model rules of one integration, id = integration: struct cat_rules */
#define CAT_KIND_POLICIES 0x72 /* derived: the active policies of one workspace, id = workspace: struct cat_policies */

#define CAT_PACKED __attribute__((packed))

struct cat_ref {
    uint32_t off, len;
} CAT_PACKED;

struct cat_head {
    uint16_t kind, version;
    uint32_t length; /* of the whole record */
    uint64_t revision;
    struct id org, parent, id;
} CAT_PACKED;

struct cat_meta {
    struct cat_head head;
    struct id store_id;
    uint64_t through_revision;
    int64_t applied_utc_ms;
    uint8_t live_generation; /* 0: none yet. Of the file's record; a generation's own record repeats its number */
    uint32_t layout;         /* catalog_layout() of the program that wrote the file */
} CAT_PACKED;

/* One limit of an entity, compiled from its JSON. A ref `limits` holds these one after the other (cat_limit_count,
 * cat_limit_at): usage limits first, then rate limits. */
struct cat_limit {
    struct id counter; /* limit_counter_id of the entity; of a policy: none, the counter follows from the value key */
    int64_t anew_ms;   /* last reset by hand; another value means that the counter has a new epoch */
    struct limit_def def;
};
_Static_assert(sizeof(struct cat_limit) == 80, "a catalog layout without holes");

struct cat_org {
    struct cat_head head;
    uint8_t status; /* Sluice__Status */
    uint8_t default_limit_mode; /* 0 standard, 1 strict */
    struct cat_ref slug, name;
} CAT_PACKED;

struct cat_workspace {
    struct cat_head head;
    uint8_t status;
    uint8_t default_limit_mode; /* 0 as the organisation says, 1 standard, 2 strict */
    struct id default_config; /* none = no default */
    struct cat_ref slug, name, defaults_json;
    struct cat_ref limits;
} CAT_PACKED;

/* Scopes that the gateway itself asks for, as bits; everything else is the admin API's. */
#define CAT_SCOPE_COMPLETIONS_WRITE 1u
#define CAT_SCOPE_MODELS_LIST       2u
#define CAT_SCOPE_PROVIDERS_LIST    4u /* providers.list or virtual_keys.list */
#define CAT_SCOPE_LOGS_WRITE        8u
#define CAT_SCOPE_PASSTHROUGH       16u /* passthrough.invoke */

struct cat_api_key {
    struct cat_head head; /* parent = workspace, or none */
    uint8_t type;         /* Sluice__ApiKeyType */
    uint8_t status;
    uint8_t config_override; /* 0 not said, 1 allowed, 2 refused */
    uint64_t scopes;
    int64_t expires_at_ms;   /* 0 = never */
    int64_t previous_until_ms;
    uint8_t hash[32];
    uint8_t previous_hash[32];
    struct id user;
    struct id default_config;
    struct cat_ref name, defaults_json;
    struct cat_ref allowed_models; /* patterns, each ended by '\n'; empty = no narrowing */
    struct cat_ref limits;
} CAT_PACKED;

struct cat_provider {
    struct cat_head head; /* parent = workspace */
    uint8_t status;
    int64_t expires_at_ms;
    struct id integration;
    struct cat_ref slug, name, model_config_json;
    struct cat_ref allowed_models;
    struct cat_ref limits;
} CAT_PACKED;

#define CAT_INTEGRATION_ALLOW_ALL   1u
#define CAT_INTEGRATION_PASSTHROUGH 2u
#define CAT_INTEGRATION_ELSEWHERE   4u /* bound to regions that this node is not in */

struct cat_integration {
    struct cat_head head;
    uint8_t status;
    uint32_t flags;
    struct id provider_type;
    struct id workspace; /* set: only this workspace may use it */
    uint32_t secrets_version;
    struct id delivery_key; /* key id of secrets_box; none = no secret stored */
    struct cat_ref slug, name, base_url;
    struct cat_ref secrets_box; /* the box for this node's group */
    struct cat_ref hosts;       /* sorted comma list, exactly as sealed into the box */
    struct cat_ref header_names; /* custom headers whose values are in the secrets, each ended by '\n' */
    struct cat_ref configurations_json;
    struct cat_ref allowed_private; /* comma list of CIDRs */
    struct cat_ref api_dialect;
    struct cat_ref price_adjusts; /* price_book.h */
    struct cat_ref limits; /* over all workspaces */
} CAT_PACKED;

struct cat_access {
    struct cat_head head; /* parent = integration, id = workspace */
    uint8_t enabled;
    struct cat_ref price_adjusts; /* price_book.h */
    struct cat_ref model_prices;  /* price_book_of_model */
    struct cat_ref limits;
} CAT_PACKED;

#define CAT_RULE_ENABLED  1u
#define CAT_RULE_CUSTOM   2u
#define CAT_RULE_FINETUNE 4u
#define CAT_RULE_PATTERN  8u /* the slug holds '*' */
#define CAT_RULE_LISTING 16u /* listed by the provider, ruled by nobody */

struct cat_rule {
    struct id id;
    uint32_t flags;
    uint32_t secrets_version;
    struct id delivery_key;
    struct cat_ref slug, base_model, upstream_model, name, base_url, secrets_box, hosts, header_names;
    struct cat_ref prices; /* price_book.h */
    struct cat_ref description;
    int64_t created_at_ms;
} CAT_PACKED;

/* Exact rules first, sorted by slug bytes; then patterns, longest literal part first. */
struct cat_rules {
    struct cat_head head; /* parent none, id = integration */
    uint32_t exact_count, pattern_count;
    struct cat_rule rules[];
} CAT_PACKED;

/* What a condition or a group of a policy looks at (admin-api.md 3.3). */
enum cat_policy_key {
    CAT_POLICY_API_KEY = 1,  /* id of the caller's key */
    CAT_POLICY_WORKSPACE,    /* id */
    CAT_POLICY_ORGANISATION, /* id */
    CAT_POLICY_METADATA,     /* one entry of the request's metadata; `name` says which */
    CAT_POLICY_CONFIG,       /* slug or id of the config used */
    CAT_POLICY_PROMPT,       /* nothing here has one: absent */
    CAT_POLICY_ENDPOINT,     /* operation of ops.def */
    CAT_POLICY_VIRTUAL_KEY,  /* from here on of the target: slug or id of the provider */
    CAT_POLICY_PROVIDER,     /* slug of the provider, or of its type */
    CAT_POLICY_MODEL,        /* "@provider/model", or the model alone */
};

/* `values` and `excludes`: items of {u16 length, bytes} (cat_item_next); '*' within an item stands for any run of bytes.
 * Holds if the looked-at text is there, fits one of `values` (none = any) and fits none of `excludes`. */
struct cat_condition {
    uint8_t key; /* enum cat_policy_key */
    struct cat_ref name, values, excludes;
} CAT_PACKED;

#define CAT_POLICY_OF_TARGET 1u /* looks at the provider or model, so it is judged per attempt */

struct cat_policy {
    struct id id;
    uint16_t kind; /* KIND_USAGE_POLICY, KIND_RATE_POLICY */
    uint16_t flags;
    struct cat_ref name;
    struct cat_ref conditions; /* array of struct cat_condition: all must hold */
    struct cat_ref groups;     /* the same shape, values unused: one counter per distinct tuple of these */
    struct cat_limit limit;
} CAT_PACKED;

struct cat_policies {
    struct cat_head head; /* parent none, id = workspace */
    uint32_t count;
    struct cat_policy policies[]; /* by id */
} CAT_PACKED;

struct cat_provider_type {
    struct cat_head head;
    uint16_t dialect; /* enum cat_dialect */
    uint8_t developer_to_system;
    uint8_t no_stream_options;
    uint8_t text_embeddings;
    struct cat_ref slug, name, base_url, auth_header, auth_prefix;
    struct cat_ref extra_headers;     /* "name: value\n"* */
    struct cat_ref renames;           /* "from to\n"* */
    struct cat_ref stream_usage_path; /* "usage", "x_groq.usage" */
    struct cat_ref passthrough;       /* "prefix\n"* */
    struct cat_ref paths[OP_COUNT];   /* behind base_url; empty = not offered */
} CAT_PACKED;

enum cat_dialect {
    CAT_DIALECT_OPENAI = 1,
    CAT_DIALECT_ANTHROPIC,
    CAT_DIALECT_AZURE_OPENAI,
    CAT_DIALECT_BEDROCK,
    CAT_DIALECT_GEMINI,
    CAT_DIALECT_VERTEX,
    CAT_DIALECT_COHERE,
    CAT_DIALECT_OTHER = 255,
};

struct cat_model {
    struct cat_head head; /* parent = provider type */
    uint64_t context_window_tokens, max_input_tokens, max_output_tokens;
    struct cat_ref slug, name, type, status;
    struct cat_ref input_modalities, output_modalities, capabilities; /* "item\n"* */
    struct cat_ref release_date;
    struct cat_ref prices; /* price_book.h */
} CAT_PACKED;

struct cat_config {
    struct cat_head head; /* parent = workspace */
    uint8_t status;
    struct cat_ref slug, name, document_json;
    struct cat_ref plan; /* route_plan.h, at any byte: copy it to where it is aligned before it is opened */
} CAT_PACKED;

struct cat_delivery_key {
    struct cat_head head;
    struct cat_ref node_box; /* crypto_box_seal to this node's public key */
} CAT_PACKED;

/* The dialect of a name ("openai", "azure-openai"); CAT_DIALECT_OTHER if it is not known. */
uint16_t catalog_dialect(struct str name);

/* Builds the flat record of one entity from its packed protobuf body; gives it in the arena. ST_TOO_LARGE, ST_NO_MEMORY. A kind without a flat form gives ST_NOT_FOUND (skipped and
 * counted); an unknown enum in a field that decides gives ST_BAD_FORMAT (the revision is refused). KIND_MODEL_RULE has no flat
 * record of its own: the writer of the file keeps its protobuf row and rebuilds cat_rules with catalog_encode_rules. */
MUST_USE enum status catalog_encode(struct arena *arena, Sluice__Kind kind, uint64_t revision, const struct id *org,
                                    const struct id *parent, const struct id *id, struct str body,
                                    struct str *record);
MUST_USE enum status catalog_encode_rules(struct arena *arena, uint64_t revision, const struct id *org,
                                          const struct id *integration, Sluice__ModelRule *const *rules, size_t count,
                                          struct str *record);

/* The active policies of one workspace. A policy that limits nothing (an alert alone, or calls of tools) is left out.
 * KIND_USAGE_POLICY and KIND_RATE_POLICY have no flat record of their own either. Statuses as catalog_encode. */
struct catalog_policy {
    Sluice__Kind kind;
    struct id id;
    const Sluice__Policy *policy;
};
MUST_USE enum status catalog_encode_policies(struct arena *arena, uint64_t revision, const struct id *org,
                                             const struct id *workspace, const struct catalog_policy *policies, size_t count,
                                             struct str *record);

/* The name under which a kind is indexed (slug, key hash), borrowed from the record; n = 0 for none. Second index names
 * (an API key's previous hash) are given by n-th = 1. */
struct str catalog_index_name(const struct cat_head *head, unsigned nth);

/* Keys. `slug_hash` form for indexes. */
void catalog_key(uint8_t key[CAT_KEY_BYTES], uint8_t generation, uint8_t kind, const struct id *org,
                 const struct id *parent, const struct id *id);
void catalog_index_key(uint8_t key[CAT_KEY_BYTES], uint8_t generation, uint8_t kind, const struct id *org,
                       const struct id *parent, struct str name);

/* A number that changes with the layout of any record: a file written with another one is made anew. */
uint32_t catalog_layout(void);

/* Proves that `value` is a record of `kind` with at least `fixed_bytes` and a version we read. NULL otherwise. */
const void *cat_check(struct str value, uint16_t kind, size_t fixed_bytes);
#define CAT_AS(value, kind, type) ((const struct type *)cat_check((value), (kind), sizeof(struct type)))
/* As cat_check for CAT_KIND_RULES, counts included. */
const struct cat_rules *cat_check_rules(struct str value);
/* As cat_check for CAT_KIND_POLICIES, counts included. */
const struct cat_policies *cat_check_policies(struct str value);

/* The bytes of a ref; empty if it points outside the record. */
static inline struct str cat_str(const struct cat_head *head, struct cat_ref ref)
{
    uint32_t length = head->length;
    if (ref.off > length || ref.len > length - ref.off)
        return STR_NONE;
    return (struct str){(const char *)head + ref.off, ref.len};
}

/* A key of conditions and groups, as it is written: "api_key", "metadata." (the name follows), ... Never NULL. */
const char *cat_policy_key_text(enum cat_policy_key key);

/* The limits in a ref. */
static inline size_t cat_limit_count(struct str limits)
{
    return limits.n / sizeof(struct cat_limit);
}

static inline struct cat_limit cat_limit_at(struct str limits, size_t n)
{
    struct cat_limit limit;
    memcpy(&limit, limits.p + n * sizeof limit, sizeof limit);
    return limit;
}

/* The conditions or groups of a policy; n below cat_condition_count. */
static inline size_t cat_condition_count(struct str conditions)
{
    return conditions.n / sizeof(struct cat_condition);
}

static inline struct cat_condition cat_condition_at(struct str conditions, size_t n)
{
    struct cat_condition condition;
    memcpy(&condition, conditions.p + n * sizeof condition, sizeof condition);
    return condition;
}

/* Cuts the first item off `items`. False at the end, or where the bytes are damaged. */
static inline bool cat_item_next(struct str *items, struct str *item)
{
    uint16_t n;
    if (items->n < sizeof n)
        return false;
    memcpy(&n, items->p, sizeof n);
    if (n > items->n - sizeof n)
        return false;
    *item = (struct str){items->p + sizeof n, n};
    *items = (struct str){item->p + n, items->n - sizeof n - n};
    return true;
}

#endif
