/* json_fuzz.c: hostile JSON against the scanner, the tree, the writer and jansson.
 *
 * Held for every input: scan and tree agree (but for duplicates, which the scan looks for at the
 * top only); jansson agrees where its rules are ours (json_oracle.h); a tree written out again is
 * scanned, parsed, and written to the same bytes; stepping over a validated text visits what the
 * tree holds.
 */
#include <stdlib.h>

#include "common/json_scan.h"
#include "common/json_tree.h"
#include "common/json_write.h"
#include "tests/unit/common/json_oracle.h"

#define FUZZ_MAX_BYTES (1u << 16)

static void write_node(struct json_writer *w, struct arena *arena, const struct json *node)
{
    struct str text;
    int64_t number;
    if (node->type == JSON_STRING) {
        CHECK(json_text(node, arena, &text) == ST_OK);
        CHECK(str_is_utf8(text));
        jw_str(w, text);
    } else if (node->type == JSON_OBJECT || node->type == JSON_ARRAY) {
        node->type == JSON_OBJECT ? jw_object(w) : jw_array(w);
        for (const struct json *child = node->first; child != NULL; child = child->next) {
            if (node->type == JSON_OBJECT)
                jw_key_str(w, child->key);
            write_node(w, arena, child);
        }
        jw_end(w);
    } else {
        if (node->type == JSON_NUMBER && json_i64(node, &number) == ST_OK)
            jw_i64(w, number);
        else
            jw_raw(w, node->raw);
    }
}

static void check_steps(const struct json *node)
{
    if (node->type != JSON_OBJECT && node->type != JSON_ARRAY)
        return;
    size_t at = 0;
    struct str name, value;
    enum json_type type;
    const struct json *child = node->first;
    while (json_scan_next(node->raw, &at, &name, &value, &type)) {
        CHECK(child != NULL && value.p == child->raw.p && value.n == child->raw.n &&
              type == child->type);
        CHECK((name.p != NULL) == (node->type == JSON_OBJECT));
        check_steps(child);
        child = child->next;
    }
    CHECK(child == NULL);
}

static void check_object(struct str text, const struct json *root, enum status scanned)
{
    struct json_field f[] = {{.name = "model"}, {.name = "a"}, {.name = "messages"}};
    enum status status = json_scan_object(text, f, COUNT_OF(f), NULL);
    if (scanned != ST_OK)
        CHECK(status != ST_OK);
    if (root == NULL)
        return;
    CHECK((status == ST_OK) == (root->type == JSON_OBJECT) || root->count > JSON_SCAN_MAX_MEMBERS);
    for (size_t i = 0; i < COUNT_OF(f) && status == ST_OK; i++) {
        const struct json *member = json_get(root, f[i].name);
        CHECK(f[i].raw.p == (member == NULL ? NULL : member->raw.p));
        CHECK(member == NULL || (f[i].raw.n == member->raw.n && f[i].type == member->type));
    }
}

static void write_again(struct str text, struct arena *arena, struct buf *out)
{
    struct json *root;
    struct json_writer w;
    enum status status = json_parse(arena, text, NULL, &root, NULL);
    CHECK(status == ST_OK);
    jw_init(&w, out);
    write_node(&w, arena, root);
    CHECK(buf_status(out) == ST_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > FUZZ_MAX_BYTES)
        return 0;
    struct str text = str_of((const char *)data, size);
    struct arena arena;
    struct buf first, second;
    struct json *root = NULL;
    struct json_error scan_error = {0, NULL}, tree_error = {0, NULL};
    enum json_type type = JSON_NULL;
    arena_init(&arena, 64u << 20);
    buf_init(&first, 16u << 20);
    buf_init(&second, 16u << 20);

    enum status scanned = json_scan_value(text, &type, &scan_error);
    enum status parsed = json_parse(&arena, text, NULL, &root, &tree_error);
    bool duplicate =
        tree_error.what != NULL && str_eq(str_c(tree_error.what), STR("duplicate member name"));
    CHECK(scan_error.at <= size && tree_error.at <= size);
    CHECK(scanned == parsed || (scanned != ST_OK && parsed != ST_OK) || duplicate);
    CHECK(scanned == ST_OK || scan_error.what != NULL);
    if (scanned != ST_TOO_LARGE && parsed != ST_TOO_LARGE) {
        enum oracle lenient = oracle_judge(text, true), strict = oracle_judge(text, false);
        CHECK(lenient == ORACLE_CANNOT_SAY || (lenient == ORACLE_ACCEPTS) == (scanned == ST_OK));
        CHECK(strict == ORACLE_CANNOT_SAY || (strict == ORACLE_ACCEPTS) == (parsed == ST_OK));
    }
    check_object(text, root, scanned);
    if (parsed == ST_OK) {
        CHECK(root->type == type);
        check_steps(root);
        write_again(text, &arena, &first);
        write_again(buf_str(&first), &arena, &second);
        CHECK(str_eq(buf_str(&first), buf_str(&second)));
    }
    buf_free(&second);
    buf_free(&first);
    arena_free(&arena);
    return 0;
}
