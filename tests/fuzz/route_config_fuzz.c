/* route_config_fuzz.c: routing documents out of a request header. Holds that
 *   1. a document is read or refused with a reason of UTF-8, within the arena's cap;
 *   2. a leaf's override_params is the document's own text and a JSON object;
 *   3. a document with a guard that is not run is never accepted.
 */
#include "common/json_scan.h"
#include "data-plane/route_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_MAX_BYTES (1u << 16)

static void check_leaf(struct str document, const struct route_leaf *leaf)
{
    CHECK(leaf->index.n > 0);
    CHECK(leaf->provider.n == 0 || str_is_utf8(leaf->provider));
    CHECK(leaf->model.n == 0 || str_is_utf8(leaf->model));
    if (leaf->override_json.n == 0)
        return;
    CHECK(leaf->override_json.p >= document.p &&
          leaf->override_json.p + leaf->override_json.n <= document.p + document.n);
    enum json_type type;
    CHECK(json_scan_value(leaf->override_json, &type, NULL) == ST_OK && type == JSON_OBJECT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > FUZZ_MAX_BYTES)
        return 0;
    struct str document = str_of((const char *)data, size), why = STR_NONE;
    struct route_leaf leaf = {.index = STR_NONE};
    struct arena arena;
    arena_init(&arena, 16u << 20);
    enum status status = route_config_read(&arena, document, &leaf, &why);
    if (status == ST_OK) {
        struct json_field guard = {.name = "input_guardrails"};
        check_leaf(document, &leaf);
        if (json_scan_object(document, &guard, 1, NULL) == ST_OK && guard.type == JSON_ARRAY &&
            guard.raw.p != NULL) {
            size_t at = 0;
            struct str name, value;
            enum json_type type;
            CHECK(!json_scan_next(guard.raw, &at, &name, &value, &type));
        }
    } else {
        CHECK(status == ST_INVALID || status == ST_NO_MEMORY);
        CHECK(status != ST_INVALID || (why.n > 0 && str_is_utf8(why)));
    }
    arena_free(&arena);
    return 0;
}
