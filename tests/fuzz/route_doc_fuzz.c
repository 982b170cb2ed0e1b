/* route_doc_fuzz.c: routing documents of callers, with what their conditions look at. Input: the
 * document, a NUL, metadata, a NUL, params. Holds that
 *   1. a document is refused with a reason of UTF-8, or gives a plan that opens, and the same plan
 * twice;
 *   2. every leaf's overrides are a JSON object, every list of headers ends its lines, every node
 * has a path;
 *   3. a document with a guard is never without one in its plan;
 *   4. every condition has an answer or used up its work, and the same answer twice.
 */
#include "common/route_doc.h"
#include "common/route_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_MAX_BYTES (1u << 15)

static struct str object_or_none(struct str text)
{
    enum json_type type;
    bool fine = json_scan_value(text, &type, NULL) == ST_OK && type == JSON_OBJECT;
    return fine ? str_trim(text) : STR_NONE;
}

static void check_node(const struct route_plan *plan, const struct route_node *node)
{
    struct str overrides = route_str(plan, node->set.override_params),
               headers = route_str(plan, node->set.forward_headers),
               options = route_str(plan, node->options);
    enum json_type type;
    CHECK(str_starts(route_str(plan, node->path), STR("config")));
    CHECK(overrides.n == 0 ||
          (json_scan_value(overrides, &type, NULL) == ST_OK && type == JSON_OBJECT));
    CHECK(options.n == 0 ||
          (json_scan_value(options, &type, NULL) == ST_OK && type == JSON_OBJECT));
    CHECK(headers.n == 0 || headers.p[headers.n - 1] == '\n');
    CHECK(str_is_utf8(route_str(plan, node->provider)) &&
          str_is_utf8(route_str(plan, node->model)));
}

static void check_guards(const struct route_plan *plan, struct str document)
{
    struct json_field guard = {.name = "input_guardrails"};
    struct str name, value;
    enum json_type type;
    size_t at = 0;
    if (json_scan_object(document, &guard, 1, NULL) == ST_OK && guard.raw.p != NULL &&
        guard.type == JSON_ARRAY && json_scan_next(guard.raw, &at, &name, &value, &type))
        CHECK(plan->head->guards.len > 0);
}

static void check_conditions(const struct route_plan *plan, struct arena *arena,
                             const struct route_inputs *inputs)
{
    for (size_t i = 0; i < plan->head->conditions; i++) {
        struct route_query query;
        bool first = false, second = false;
        route_query_init(&query, plan, arena, inputs);
        enum status status = route_query_holds(&query, plan->conditions[i].term, &first);
        CHECK(status == ST_OK || status == ST_TOO_LARGE || status == ST_NO_MEMORY);
        if (status != ST_OK)
            continue;
        query.work = ROUTE_WORK_MAX;
        CHECK(route_query_holds(&query, plan->conditions[i].term, &second) == ST_OK);
        CHECK(first == second);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > FUZZ_MAX_BYTES)
        return 0;
    struct str rest = str_of((const char *)data, size), document = STR_NONE, metadata = STR_NONE;
    (void)str_split(&rest, '\0', &document);
    (void)str_split(&rest, '\0', &metadata);
    struct str why = STR_NONE, bytes, again;
    struct route_plan plan;
    struct arena arena;
    arena_init(&arena, 64u << 20);
    enum status status = route_doc_compile(&arena, document, 0, &bytes, &why);
    if (status == ST_OK) {
        struct route_inputs inputs = {object_or_none(metadata), object_or_none(rest),
                                      STR("/v1/chat/completions")};
        CHECK(route_plan_open(bytes, &plan) == ST_OK && plan.head->nodes > 0);
        CHECK(route_doc_compile(&arena, document, 0, &again, &why) == ST_OK &&
              str_eq(bytes, again));
        for (size_t i = 0; i < plan.head->nodes; i++)
            check_node(&plan, &plan.nodes[i]);
        CHECK(str_is_utf8(route_str(&plan, plan.head->warnings)));
        check_guards(&plan, document);
        check_conditions(&plan, &arena, &inputs);
    } else {
        CHECK(status == ST_INVALID || status == ST_NO_MEMORY);
        CHECK(status != ST_INVALID || (why.n > 0 && str_is_utf8(why)));
    }
    arena_free(&arena);
    return 0;
}
