/* Flat records: what goes in comes out, what decides and is unknown is refused, and damage never
 * reads outside. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/catalog_codec.h"
#include "common/route_plan.h"

static struct arena arena;
static const struct id org = {{1}}, parent = {{2}}, self = {{3}};

static void setup(void)
{
    arena_init(&arena, 64u << 20);
}

static void teardown(void)
{
    arena_free(&arena);
}

TestSuite(catalog_codec, .init = setup, .fini = teardown);

static ProtobufCBinaryData bytes_of(const void *p, size_t n)
{
    return (ProtobufCBinaryData){n, (uint8_t *)(uintptr_t)p};
}

static struct str pack(const void *message)
{
    size_t n = protobuf_c_message_get_packed_size(message);
    uint8_t *p = arena_alloc(&arena, n);
    cr_assert_eq(protobuf_c_message_pack(message, p), n);
    return str_of((char *)p, n);
}

static enum status encode(Sluice__Kind kind, const void *message, struct str *record)
{
    return catalog_encode(&arena, kind, 42, &org, &parent, &self, pack(message), record);
}

static bool text_is(const struct cat_head *head, struct cat_ref ref, const char *text)
{
    return str_eq(cat_str(head, ref), str_c(text));
}

static struct str api_key_record(Sluice__ApiKey *key)
{
    static uint8_t hash[32] = {7, 7}, old[32] = {8, 8};
    static char *scopes[] = {"logs.view", "completions.write", "virtual_keys.list"};
    static char *models[] = {"gpt-4o*", "o1"};
    sluice__api_key__init(key);
    key->type = SLUICE__API_KEY_TYPE__API_KEY_WORKSPACE_SERVICE;
    key->name = "app";
    key->hash = bytes_of(hash, 32);
    key->previous_hash = bytes_of(old, 32);
    key->previous_until_ms = 99;
    key->scopes = scopes;
    key->n_scopes = 3;
    key->allowed_models = models;
    key->n_allowed_models = 2;
    key->expires_at_ms = -5;
    key->default_config = bytes_of(&self, 16);
    struct str record;
    cr_assert_eq(encode(SLUICE__KIND__KIND_API_KEY, key, &record), ST_OK);
    return record;
}

Test(catalog_codec, api_key)
{
    Sluice__ApiKey key;
    struct str record = api_key_record(&key);
    const struct cat_api_key *flat = CAT_AS(record, SLUICE__KIND__KIND_API_KEY, cat_api_key);
    cr_assert_not_null(flat);
    cr_assert_eq(flat->head.revision, 42);
    cr_assert(id_eq(&flat->head.org, &org) && id_eq(&flat->head.parent, &parent) &&
              id_eq(&flat->head.id, &self));
    cr_assert_eq(flat->type, SLUICE__API_KEY_TYPE__API_KEY_WORKSPACE_SERVICE);
    cr_assert_eq(flat->scopes, CAT_SCOPE_COMPLETIONS_WRITE | CAT_SCOPE_PROVIDERS_LIST);
    cr_assert_eq(flat->expires_at_ms, -5);
    cr_assert(id_eq(&flat->default_config, &self));
    cr_assert(id_is_none(&flat->user));
    cr_assert(text_is(&flat->head, flat->allowed_models, "gpt-4o*\no1\n"));
    cr_assert(text_is(&flat->head, flat->name, "app"));
    cr_assert_eq(catalog_index_name(&flat->head, 0).p[0], 7);
    cr_assert_eq(catalog_index_name(&flat->head, 0).n, 32);
    cr_assert_eq(catalog_index_name(&flat->head, 1).p[0], 8);
    cr_assert_eq(catalog_index_name(&flat->head, 2).n, 0);
}

Test(catalog_codec, what_decides_must_be_known)
{
    Sluice__ApiKey key;
    struct str record;
    api_key_record(&key);
    key.status = (Sluice__Status)3;
    cr_assert_eq(encode(SLUICE__KIND__KIND_API_KEY, &key, &record), ST_BAD_FORMAT);
    key.status = SLUICE__STATUS__STATUS_DISABLED;
    cr_assert_eq(encode(SLUICE__KIND__KIND_API_KEY, &key, &record), ST_OK);
    key.type = (Sluice__ApiKeyType)4;
    cr_assert_eq(encode(SLUICE__KIND__KIND_API_KEY, &key, &record), ST_BAD_FORMAT);
    key.type = SLUICE__API_KEY_TYPE__API_KEY_NONE;
    cr_assert_eq(encode(SLUICE__KIND__KIND_API_KEY, &key, &record), ST_BAD_FORMAT);
    key.type = SLUICE__API_KEY_TYPE__API_KEY_WORKSPACE_USER;
    key.config_override = 3;
    cr_assert_eq(encode(SLUICE__KIND__KIND_API_KEY, &key, &record), ST_BAD_FORMAT);
    key.config_override = 2;
    key.hash.len = 31;
    cr_assert_eq(encode(SLUICE__KIND__KIND_API_KEY, &key, &record), ST_BAD_FORMAT);
    key.hash.len = 32;
    key.user = bytes_of("short", 5);
    cr_assert_eq(encode(SLUICE__KIND__KIND_API_KEY, &key, &record), ST_BAD_FORMAT);
}

Test(catalog_codec, kinds_without_a_flat_form_are_not_found)
{
    static const int kinds[] = {0, 3, 4, 6, 13, 14, 16, 17, 18, 19, 200};
    struct str record;
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        cr_assert_eq(catalog_encode(&arena, (Sluice__Kind)kinds[i], 1, &org, &parent, &self,
                                    STR(""), &record),
                     ST_NOT_FOUND, "kind %d", kinds[i]);
}

Test(catalog_codec, integration_carries_the_first_box)
{
    Sluice__Integration in = SLUICE__INTEGRATION__INIT;
    Sluice__SealedSecrets secrets = SLUICE__SEALED_SECRETS__INIT;
    Sluice__DeliveryBox box = SLUICE__DELIVERY_BOX__INIT, *boxes[] = {&box};
    Sluice__Header header = SLUICE__HEADER__INIT, *headers[] = {&header};
    char *hosts[] = {"api.openai.com", "eu.api.openai.com:8443"};
    header.name = "X-Team";
    box.key = bytes_of(&self, 16);
    box.box = bytes_of("\0\1\2", 3);
    secrets.version = 6;
    secrets.delivery = boxes;
    secrets.n_delivery = 1;
    secrets.hosts = hosts;
    secrets.n_hosts = 2;
    in.slug = "openai-prod";
    in.provider_type = "openai";
    in.secrets = &secrets;
    in.custom_headers = headers;
    in.n_custom_headers = 1;
    in.allow_all_models = 1;
    in.base_url = "https://api.openai.com/v1";
    struct str record;
    cr_assert_eq(encode(SLUICE__KIND__KIND_INTEGRATION, &in, &record), ST_OK);
    const struct cat_integration *flat =
        CAT_AS(record, SLUICE__KIND__KIND_INTEGRATION, cat_integration);
    cr_assert_eq(flat->flags, CAT_INTEGRATION_ALLOW_ALL);
    cr_assert_eq(flat->secrets_version, 6);
    cr_assert(text_is(&flat->head, flat->hosts, "api.openai.com,eu.api.openai.com:8443"));
    cr_assert(text_is(&flat->head, flat->header_names, "X-Team\n"));
    cr_assert(str_eq(cat_str(&flat->head, flat->secrets_box), str_of("\0\1\2", 3)));
    cr_assert(id_eq(&flat->delivery_key, &self));
    cr_assert(!id_is_none(&flat->provider_type));
    cr_assert(str_eq(catalog_index_name(&flat->head, 0), STR("openai-prod")));
    hosts[0] = "a,b";
    cr_assert_eq(encode(SLUICE__KIND__KIND_INTEGRATION, &in, &record), ST_BAD_FORMAT);
    hosts[0] = "a";
    header.name = "x\ny";
    cr_assert_eq(encode(SLUICE__KIND__KIND_INTEGRATION, &in, &record), ST_BAD_FORMAT);
    header.name = "\xff";
    cr_assert_eq(encode(SLUICE__KIND__KIND_INTEGRATION, &in, &record), ST_BAD_FORMAT);
}

Test(catalog_codec, provider_type_tables)
{
    Sluice__ProviderType type = SLUICE__PROVIDER_TYPE__INIT;
    Sluice__Endpoint chat = SLUICE__ENDPOINT__INIT, newer = SLUICE__ENDPOINT__INIT,
                     *ends[] = {&newer, &chat};
    Sluice__Rename rename = SLUICE__RENAME__INIT, *renames[] = {&rename};
    Sluice__Header header = SLUICE__HEADER__INIT, *headers[] = {&header};
    chat.op = "chat";
    chat.path = "/chat/completions";
    newer.op = "telepathy";
    newer.path = "/t";
    rename.from = "max_completion_tokens";
    rename.to = "max_tokens";
    header.name = "anthropic-version";
    header.value = "2023-06-01";
    type.slug = "groq";
    type.dialect = "openai";
    type.endpoints = ends;
    type.n_endpoints = 2;
    type.renames = renames;
    type.n_renames = 1;
    type.extra_headers = headers;
    type.n_extra_headers = 1;
    struct str record;
    cr_assert_eq(encode(SLUICE__KIND__KIND_PROVIDER_TYPE, &type, &record), ST_OK);
    const struct cat_provider_type *flat =
        CAT_AS(record, SLUICE__KIND__KIND_PROVIDER_TYPE, cat_provider_type);
    cr_assert_eq(flat->dialect, CAT_DIALECT_OPENAI);
    cr_assert(text_is(&flat->head, flat->paths[OP_CHAT], "/chat/completions"));
    cr_assert_eq(flat->paths[OP_EMBEDDINGS].len, 0);
    cr_assert(text_is(&flat->head, flat->renames, "max_completion_tokens max_tokens\n"));
    cr_assert(text_is(&flat->head, flat->extra_headers, "anthropic-version: 2023-06-01\n"));
    type.dialect = "tomorrow";
    cr_assert_eq(encode(SLUICE__KIND__KIND_PROVIDER_TYPE, &type, &record), ST_OK);
    flat = CAT_AS(record, SLUICE__KIND__KIND_PROVIDER_TYPE, cat_provider_type);
    cr_assert_eq(flat->dialect, CAT_DIALECT_OTHER);
}

Test(catalog_codec, rules_are_sorted_and_marked)
{
    static const char *const slugs[] = {"*-preview", "o1", "gpt-4o", "o1-*", "*", "gpt-4o-mini"};
    static const char *const want[] = {"gpt-4o", "gpt-4o-mini", "o1", "*-preview", "o1-*", "*"};
    Sluice__ModelRule rules[6], *list[6];
    for (size_t i = 0; i < 6; i++) {
        sluice__model_rule__init(&rules[i]);
        rules[i].slug = (char *)(uintptr_t)slugs[i];
        rules[i].enabled = i % 2;
        list[i] = &rules[i];
    }
    struct str record;
    cr_assert_eq(catalog_encode_rules(&arena, 9, &org, &self, list, 6, &record), ST_OK);
    const struct cat_rules *flat = cat_check_rules(record);
    cr_assert_not_null(flat);
    cr_assert_eq(flat->exact_count, 3);
    cr_assert_eq(flat->pattern_count, 3);
    for (size_t i = 0; i < 6; i++) {
        cr_assert(text_is(&flat->head, flat->rules[i].slug, want[i]), "%zu", i);
        cr_assert_eq((flat->rules[i].flags & CAT_RULE_PATTERN) != 0, i >= 3);
    }
    cr_assert_eq(flat->rules[2].flags, CAT_RULE_ENABLED);
    cr_assert_eq(catalog_encode_rules(&arena, 9, &org, &self, NULL, 0, &record), ST_OK);
    cr_assert_not_null(cat_check_rules(record));
}

Test(catalog_codec, prices_are_a_book_and_nonsense_is_refused)
{
    Sluice__Model model = SLUICE__MODEL__INIT;
    Sluice__Prices prices = SLUICE__PRICES__INIT, later = SLUICE__PRICES__INIT,
                   *pages[] = {&prices, &later};
    Sluice__Price input = SLUICE__PRICE__INIT, newer = SLUICE__PRICE__INIT,
                  *rows[] = {&newer, &input};
    input.unit = "input_token";
    input.picousd = 150000;
    newer.unit = "thought_token";
    newer.picousd = 1;
    prices.rows = rows;
    prices.n_rows = 2;
    later.effective_from_ms = 5000;
    model.slug = "gpt-4o-mini";
    model.prices = pages;
    model.n_prices = 2;
    model.context_window_tokens = 128000;
    struct str record, page;
    cr_assert_eq(encode(SLUICE__KIND__KIND_MODEL, &model, &record), ST_OK);
    const struct cat_model *flat = CAT_AS(record, SLUICE__KIND__KIND_MODEL, cat_model);
    cr_assert_eq(flat->context_window_tokens, 128000);
    struct price_row row;
    struct price_query query = {0};
    cr_assert_eq(price_book_at(cat_str(&flat->head, flat->prices), 4999, &page), ST_OK);
    cr_assert_eq(price_pick(page, &query, &row), ST_OK);
    cr_assert_eq(row.has, PRICE_BIT(PRICE_INPUT_TOKEN));
    cr_assert_eq(row.picousd[PRICE_INPUT_TOKEN], 150000);
    cr_assert_eq(price_book_at(cat_str(&flat->head, flat->prices), 5000, &page), ST_OK);
    cr_assert_eq(page.n, 0);
    input.picousd = -1;
    cr_assert_eq(encode(SLUICE__KIND__KIND_MODEL, &model, &record), ST_BAD_FORMAT);
    model.n_prices = 0;
    cr_assert_eq(encode(SLUICE__KIND__KIND_MODEL, &model, &record), ST_OK);
    flat = CAT_AS(record, SLUICE__KIND__KIND_MODEL, cat_model);
    cr_assert_eq(flat->prices.len, 0);
}

Test(catalog_codec, access_carries_adjustments_and_prices_of_models)
{
    Sluice__WorkspaceAccess access = SLUICE__WORKSPACE_ACCESS__INIT;
    Sluice__PriceAdjust adjust = SLUICE__PRICE_ADJUST__INIT, *adjusts[] = {&adjust};
    Sluice__PriceFactor all = SLUICE__PRICE_FACTOR__INIT, *factors[] = {&all};
    Sluice__ModelPrices model = SLUICE__MODEL_PRICES__INIT, *models[] = {&model};
    Sluice__Prices prices = SLUICE__PRICES__INIT, *pages[] = {&prices};
    Sluice__Price input = SLUICE__PRICE__INIT, *rows[] = {&input};
    all.ppm = 1500000;
    adjust.free = adjust.has_charge = 1;
    adjust.charge = factors;
    adjust.n_charge = 1;
    access.price_adjusts = adjusts;
    access.n_price_adjusts = 1;
    input.unit = "input_token";
    input.picousd = 7;
    prices.rows = rows;
    prices.n_rows = 1;
    model.slug = "gpt-4o";
    model.prices = pages;
    model.n_prices = 1;
    access.model_prices = models;
    access.n_model_prices = 1;
    struct str record, page, book;
    struct price_adjust read;
    cr_assert_eq(encode(SLUICE__KIND__KIND_WORKSPACE_ACCESS, &access, &record), ST_OK);
    const struct cat_access *flat = CAT_AS(record, SLUICE__KIND__KIND_WORKSPACE_ACCESS, cat_access);
    cr_assert_eq(price_book_at(cat_str(&flat->head, flat->price_adjusts), 0, &page), ST_OK);
    cr_assert_eq(price_adjust_read(page, &read), ST_OK);
    cr_assert(read.free && read.has_charge);
    cr_assert_eq(read.charge_ppm[PRICE_IMAGE], 1500000);
    cr_assert_eq(read.cost_ppm[PRICE_IMAGE], 1000000);
    struct str all_models = cat_str(&flat->head, flat->model_prices);
    cr_assert_eq(price_book_of_model(all_models, STR("gpt-4"), &book), ST_OK);
    cr_assert_eq(book.n, 0);
    cr_assert_eq(price_book_of_model(all_models, STR("gpt-4o"), &book), ST_OK);
    cr_assert_eq(price_book_at(book, 0, &page), ST_OK);
    struct price_row row;
    cr_assert_eq(price_pick(page, &(struct price_query){0}, &row), ST_OK);
    cr_assert_eq(row.picousd[PRICE_INPUT_TOKEN], 7);
}

/* Every single-byte change and every truncation: refused, or read without leaving the record (ASan
 * watches). */
Test(catalog_codec, damaged_records_are_refused_or_harmless)
{
    Sluice__ApiKey key;
    struct str record = api_key_record(&key);
    for (size_t n = 0; n < record.n; n++)
        cr_assert_null(CAT_AS(str_head(record, n), SLUICE__KIND__KIND_API_KEY, cat_api_key));
    char *copy = malloc(record.n);
    for (size_t at = 0; at < record.n; at++) {
        for (unsigned flip = 1; flip < 256; flip <<= 1) {
            memcpy(copy, record.p, record.n);
            copy[at] = (char)(copy[at] ^ (char)flip);
            const struct cat_api_key *flat =
                CAT_AS(str_of(copy, record.n), SLUICE__KIND__KIND_API_KEY, cat_api_key);
            if (flat == NULL)
                continue;
            struct str text = cat_str(&flat->head, flat->allowed_models);
            cr_assert(text.n == 0 || (text.p >= copy && text.p + text.n <= copy + record.n));
            text = cat_str(&flat->head, flat->name);
            cr_assert(text.n == 0 || (text.p >= copy && text.p + text.n <= copy + record.n));
        }
    }
    free(copy);
}

Test(catalog_codec, damaged_rule_counts_are_refused)
{
    Sluice__ModelRule rule = SLUICE__MODEL_RULE__INIT, *list[] = {&rule};
    rule.slug = "m";
    struct str record;
    cr_assert_eq(catalog_encode_rules(&arena, 9, &org, &self, list, 1, &record), ST_OK);
    char *copy = arena_alloc(&arena, record.n);
    memcpy(copy, record.p, record.n);
    uint32_t counts[] = {2, 100, 0x7fffffff, UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        memcpy(copy + offsetof(struct cat_rules, pattern_count), &counts[i], 4);
        cr_assert_null(cat_check_rules(str_of(copy, record.n)));
    }
}

Test(catalog_codec, versions)
{
    Sluice__Config config = SLUICE__CONFIG__INIT;
    config.slug = "pc-x";
    struct str record;
    cr_assert_eq(encode(SLUICE__KIND__KIND_CONFIG, &config, &record), ST_OK);
    struct cat_head *head = (struct cat_head *)(void *)(uintptr_t)record.p;
    cr_assert_not_null(CAT_AS(record, SLUICE__KIND__KIND_CONFIG, cat_config));
    cr_assert_null(CAT_AS(record, SLUICE__KIND__KIND_PROVIDER, cat_provider));
    head->version = CAT_VERSION + 1;
    cr_assert_null(CAT_AS(record, SLUICE__KIND__KIND_CONFIG, cat_config));
    head->version = 0;
    cr_assert_null(CAT_AS(record, SLUICE__KIND__KIND_CONFIG, cat_config));
}

Test(catalog_codec, hostile_bodies)
{
    char empties[4096];
    for (size_t i = 0; i + 1 < sizeof empties;
         i += 2) { /* ProviderType.endpoints, empty, two thousand times */
        empties[i] = 8 << 3 | 2;
        empties[i + 1] = 0;
    }
    const struct str bodies[] = {STR("\xff"), STR("\x0a\x7f"), STR("\x0a\xff\xff\xff\xff\x0f"),
                                 STR("\x0b")};
    struct str record;
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        cr_assert_eq(catalog_encode(&arena, SLUICE__KIND__KIND_PROVIDER_TYPE, 1, &org, &parent,
                                    &self, bodies[i], &record),
                     ST_BAD_FORMAT, "%zu", i);
    struct arena before = arena;
    char *bomb = malloc(4u << 20);
    for (size_t i = 0; i < 4u << 20; i += sizeof empties)
        memcpy(bomb + i, empties, sizeof empties);
    cr_assert_eq(catalog_encode(&arena, SLUICE__KIND__KIND_PROVIDER_TYPE, 1, &org, &parent, &self,
                                str_of(bomb, 4u << 20), &record),
                 ST_TOO_LARGE);
    cr_assert_eq(arena.used_bytes, before.used_bytes);
    free(bomb);
}

Test(catalog_codec, keys)
{
    uint8_t key[CAT_KEY_BYTES], one[CAT_KEY_BYTES], two[CAT_KEY_BYTES];
    catalog_key(key, 3, SLUICE__KIND__KIND_PROVIDER, &org, &parent, &self);
    cr_assert(key[0] == 3 && key[1] == 8 && key[2] == 1 && key[18] == 2 && key[34] == 3);
    catalog_index_key(one, 3, SLUICE__KIND__KIND_PROVIDER, &org, &parent, STR("a"));
    catalog_index_key(two, 3, SLUICE__KIND__KIND_PROVIDER, &org, &parent, STR("b"));
    cr_assert(one[1] == 0x88 && memcmp(one, two, 34) == 0 && memcmp(one, two, CAT_KEY_BYTES) != 0);
    catalog_index_key(one, 3, SLUICE__KIND__KIND_API_KEY, &org, &parent, STR("h"));
    catalog_index_key(two, 3, SLUICE__KIND__KIND_API_KEY, &ID_NONE, &ID_NONE, STR("h"));
    cr_assert_arr_eq(one, two, CAT_KEY_BYTES);
}

static struct route_plan config_plan(const char *document)
{
    Sluice__Config config = SLUICE__CONFIG__INIT;
    struct str record, copy;
    struct route_plan plan;
    config.slug = "pc-x";
    config.document_json = (char *)(uintptr_t)document;
    cr_assert_eq(encode(SLUICE__KIND__KIND_CONFIG, &config, &record), ST_OK);
    const struct cat_config *flat = CAT_AS(record, SLUICE__KIND__KIND_CONFIG, cat_config);
    cr_assert_not_null(flat);
    copy = arena_str(&arena, cat_str(&flat->head, flat->plan));
    cr_assert_eq(route_plan_open(copy, &plan), ST_OK);
    return plan;
}

Test(catalog_codec, a_config_is_compiled_when_it_is_written)
{
    struct route_plan plan = config_plan(
        "{\"strategy\":{\"mode\":\"fallback\"},\"targets\":[{\"provider\":\"@a\"},{}]}");
    cr_assert_eq(plan.head->nodes, 3);
    cr_assert(str_eq(route_str(&plan, plan.nodes[1].provider), STR("a")));
    cr_assert_eq(config_plan("").head->nodes, 1);
}

Test(catalog_codec, a_config_that_cannot_be_used_says_why)
{
    static const char *const documents[] = {"{\"targets\":[]}", "{\"options\":[]}", "nonsense",
                                            "{\"provider\":\"openai\",\"api_key\":\"k\"}"};
    for (size_t i = 0; i < COUNT_OF(documents); i++) {
        struct route_plan plan = config_plan(documents[i]);
        cr_assert_eq(plan.head->nodes, 0);
        cr_assert(str_starts(route_str(&plan, plan.head->refusal), STR("config")));
    }
}
