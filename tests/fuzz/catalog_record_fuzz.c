/* catalog_record_fuzz.c: damaged records of the catalog file, and entities as they come from the feed.
 * Holds that
 *   1. what cat_check lets through can be read with cat_str without leaving the record;
 *   2. an entity of any bytes is encoded to a record that passes its own check, or refused;
 *   3. index names lie inside the record, or are the hashes of a key.
 * Input: kind, then a record (its length field is set right, so that damage goes deeper than that),
 * and the same bytes as a protobuf body.
 */
#include <stdlib.h>

#include "common/catalog_codec.h"
#include "common/route_plan.h"
#include "common/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_MAX_BYTES (1u << 16)

static const struct {
    uint16_t kind;
    size_t fixed_bytes;
} kinds[] = {
    {SLUICE__KIND__KIND_ORGANISATION, sizeof(struct cat_org)},
    {SLUICE__KIND__KIND_WORKSPACE, sizeof(struct cat_workspace)},
    {SLUICE__KIND__KIND_INTEGRATION, sizeof(struct cat_integration)},
    {SLUICE__KIND__KIND_WORKSPACE_ACCESS, sizeof(struct cat_access)},
    {SLUICE__KIND__KIND_PROVIDER, sizeof(struct cat_provider)},
    {SLUICE__KIND__KIND_API_KEY, sizeof(struct cat_api_key)},
    {SLUICE__KIND__KIND_CONFIG, sizeof(struct cat_config)},
    {SLUICE__KIND__KIND_PROVIDER_TYPE, sizeof(struct cat_provider_type)},
    {SLUICE__KIND__KIND_MODEL, sizeof(struct cat_model)},
    {SLUICE__KIND__KIND_DELIVERY_KEY, sizeof(struct cat_delivery_key)},
};

/* Reads every byte, so that the sanitizer looks. */
static void touch(struct str text)
{
    static volatile char sink;
    for (size_t i = 0; i < text.n; i++)
        sink = text.p[i];
    (void)sink;
}

/* Every eight bytes of the fixed part taken as a ref: more than any reader does. */
static void check_refs(const struct cat_head *head)
{
    struct cat_ref ref;
    for (size_t at = sizeof *head; at + sizeof ref <= head->length; at += 4) {
        memcpy(&ref, (const char *)head + at, sizeof ref);
        touch(cat_str(head, ref));
    }
    touch(catalog_index_name(head, 0));
    touch(catalog_index_name(head, 1));
}

static void check_rules(struct str value)
{
    const struct cat_rules *rules = cat_check_rules(value);
    if (rules == NULL)
        return;
    uint64_t count = (uint64_t)rules->exact_count + rules->pattern_count;
    CHECK(sizeof *rules + count * sizeof(struct cat_rule) <= value.n);
    for (uint64_t i = 0; i < count; i++) {
        touch(cat_str(&rules->head, rules->rules[i].slug));
        touch(cat_str(&rules->head, rules->rules[i].secrets_box));
        touch(cat_str(&rules->head, rules->rules[i].prices));
    }
}

static void touch_conditions(const struct cat_head *head, struct cat_ref ref)
{
    struct str conditions = cat_str(head, ref), item;
    for (size_t i = 0; i < cat_condition_count(conditions); i++) {
        struct cat_condition condition = cat_condition_at(conditions, i);
        touch(cat_str(head, condition.name));
        for (struct str rest = cat_str(head, condition.values); cat_item_next(&rest, &item);)
            touch(item);
        for (struct str rest = cat_str(head, condition.excludes); cat_item_next(&rest, &item);)
            touch(item);
    }
}

static void check_policies(struct str value)
{
    const struct cat_policies *policies = cat_check_policies(value);
    for (uint32_t i = 0; policies != NULL && i < policies->count; i++) {
        struct cat_policy policy = policies->policies[i];
        touch(cat_str(&policies->head, policy.name));
        touch_conditions(&policies->head, policy.conditions);
        touch_conditions(&policies->head, policy.groups);
    }
}

/* The bytes as a policy's body: listed, or refused. */
static void check_policy(struct str body)
{
    struct id id = {{3}};
    struct arena arena;
    Sluice__Policy *policy;
    struct str record;
    arena_init(&arena, 64u << 20);
    if (wire_unpack_known(&sluice__policy__descriptor, body, &arena, &policy) == ST_OK) {
        const struct catalog_policy rows[] = {{SLUICE__KIND__KIND_USAGE_POLICY, id, policy},
                                              {SLUICE__KIND__KIND_RATE_POLICY, id, policy}};
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            if (catalog_encode_policies(&arena, 5, &id, &id, &rows[i], 1, &record) != ST_OK)
                continue;
            CHECK(cat_check_policies(record) != NULL);
            check_policies(record);
        }
    }
    arena_free(&arena);
}

static void check_damaged(uint16_t kind, size_t fixed_bytes, const uint8_t *data, size_t size)
{
    char *copy = malloc(size);
    CHECK(copy != NULL);
    memcpy(copy, data, size);
    struct str value = str_of(copy, size);
    if (size >= sizeof(struct cat_head)) {
        struct cat_head head;
        memcpy(&head, copy, sizeof head);
        head.kind = kind;
        head.version = CAT_VERSION;
        head.length = (uint32_t)size;
        memcpy(copy, &head, sizeof head);
    }
    const struct cat_head *head = cat_check(value, kind, fixed_bytes);
    CHECK((head != NULL) == (size >= fixed_bytes && size >= sizeof *head));
    if (head != NULL)
        check_refs(head);
    if (size >= sizeof(struct cat_head)) {
        const uint16_t rules = CAT_KIND_RULES;
        memcpy(copy, &rules, sizeof rules);
        check_rules(value);
        const uint16_t policies = CAT_KIND_POLICIES;
        memcpy(copy, &policies, sizeof policies);
        check_policies(value);
    }
    free(copy);
}

/* A config that was written holds a plan, whatever its document. */
static void check_plan(const struct cat_head *head)
{
    struct arena arena;
    struct route_plan plan;
    if (head->kind != SLUICE__KIND__KIND_CONFIG)
        return;
    arena_init(&arena, 4u << 20);
    const struct cat_config *config = (const struct cat_config *)(const void *)head;
    struct str copy = arena_str(&arena, cat_str(head, config->plan));
    CHECK(copy.p != NULL && route_plan_open(copy, &plan) == ST_OK);
    CHECK((plan.head->nodes == 0) == (plan.head->refusal.len > 0));
    arena_free(&arena);
}

static void check_encoded(Sluice__Kind kind, size_t fixed_bytes, struct str body)
{
    struct id id = {{3}};
    struct str record;
    struct arena arena;
    arena_init(&arena, 64u << 20);
    enum status status = catalog_encode(&arena, kind, 5, &id, &id, &id, body, &record);
    if (status == ST_OK) {
        const struct cat_head *head = cat_check(record, (uint16_t)kind, fixed_bytes);
        CHECK(head != NULL && head->revision == 5);
        touch(catalog_index_name(head, 0));
        touch(catalog_index_name(head, 1));
        check_refs(head);
        check_plan(head);
    } else {
        CHECK(status == ST_BAD_FORMAT || status == ST_TOO_LARGE || status == ST_INVALID ||
              status == ST_RANGE || status == ST_NOT_FOUND);
    }
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > FUZZ_MAX_BYTES)
        return 0;
    size_t row = data[0] % COUNT_OF(kinds);
    check_damaged(kinds[row].kind, kinds[row].fixed_bytes, data + 1, size - 1);
    check_encoded((Sluice__Kind)kinds[row].kind, kinds[row].fixed_bytes,
                  str_of((const char *)data + 1, size - 1));
    check_policy(str_of((const char *)data + 1, size - 1));
    return 0;
}
