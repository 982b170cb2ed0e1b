/* enrol_test.c: what enrolment keeps, what it gives away once, and what a removal changes. */
#include "tests/unit/control-plane/publish_fixture.h"

static struct node_bundle bundle;

static void setup(void)
{
    pf_open();
    snprintf(pf.link_url, sizeof pf.link_url, "tls+tcp://127.0.0.1:1");
}

static void teardown(void)
{
    node_bundle_free(&bundle);
    pf_close();
}

TestSuite(enrol, .init = setup, .fini = teardown);

static enum status find_op(const char *name, struct record_key *key, Sluice__Node **node)
{
    struct kv_txn *txn = fixture_read(&pf.f);
    enum status status = enrol_find(txn, &pf.f.arena, str_c(name), key, node);
    kv_abort(txn);
    return status;
}

Test(enrol, the_record_holds_the_key_sealed_and_no_private_key)
{
    struct record_key key;
    Sluice__Node *node;
    struct secret *opened;
    struct str packed;
    pf_enrol("one", "", &bundle);
    OK(find_op("one", &key, &node));
    cr_expect(id_eq(&key.id, &bundle.node));
    cr_expect(id_eq(&key.parent, &pf.group));
    cr_expect_str_eq(node->region, "eu");
    cr_expect_eq(memcmp(node->public_key.data, bundle.public_key, sizeof bundle.public_key), 0);
    OK(wire_pack(node, &pf.f.arena, &packed));
    struct str private_key = secret_open(bundle.private_key), node_key = secret_open(bundle.node_key);
    cr_expect(str_find(packed, private_key) < 0);
    cr_expect(str_find(packed, node_key) < 0);
    struct kv_txn *txn = fixture_read(&pf.f);
    OK(vault_open_key(pf.vault, txn, &key.id, "node_key", wire_str(&node->key_box), &opened));
    kv_abort(txn);
    cr_expect(str_eq(secret_open(opened), node_key));
    secret_close(opened);
    secret_free(opened);
    secret_close(bundle.private_key);
    secret_close(bundle.node_key);
}

Test(enrol, found_by_name_and_id)
{
    struct record_key key;
    Sluice__Node *node;
    char id[ID_TEXT + 1];
    pf_enrol("one", "other", &bundle);
    id_to_text(&bundle.node, id);
    OK(find_op(id, &key, &node));
    cr_expect_str_eq(node->name, "one");
    cr_expect(id_eq(&key.parent, &pf.other_group));
    IS(find_op("two", &key, &node), ST_NOT_FOUND);
    IS(find_op("01a1fd5b-c75c-7000-8877-b07e8e341003", &key, &node), ST_NOT_FOUND);
}

struct attempt {
    struct enrol_order order;
    struct node_bundle bundle;
};

static enum status attempt_op(struct write_op *op, void *arg)
{
    struct attempt *attempt = arg;
    return enrol_node(op, pf.vault, &pf.ca, &attempt->order, &attempt->bundle);
}

Test(enrol, orders_that_cannot_be)
{
    static const struct {
        const char *name, *region, *group, *link, *control;
        enum status status;
    } rows[] = {
        {"", "", "", "tls+tcp://h:1", "http://h", ST_OK},
        {"", "eu.west_1", "default", "tls+tcp://h:1", "https://h", ST_OK},
        {"a b", "", "", "tls+tcp://h:1", "http://h", ST_INVALID},
        {"a\n", "", "", "tls+tcp://h:1", "http://h", ST_INVALID},
        {"a", "e/u", "", "tls+tcp://h:1", "http://h", ST_INVALID},
        {"0123456789012345678901234567890123456789012345678901234567890123x", "", "", "tls+tcp://h:1", "http://h", ST_INVALID},
        {"a", "", "", "tcp://h:1", "http://h", ST_INVALID},
        {"a", "", "", "tls+tcp://h 1", "http://h", ST_INVALID},
        {"a", "", "", "", "http://h", ST_INVALID},
        {"a", "", "", "tls+tcp://h:1", "file:///x", ST_INVALID},
        {"a", "", "nope", "tls+tcp://h:1", "http://h", ST_NOT_FOUND},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct attempt attempt = {.order = {.name = str_c(rows[i].name),
                                            .region = str_c(rows[i].region),
                                            .group = str_c(rows[i].group),
                                            .link_url = str_c(rows[i].link),
                                            .control_url = str_c(rows[i].control)}};
        cr_expect_eq(fixture_write(&pf.f, attempt_op, &attempt, NULL), rows[i].status, "row %zu", i);
        node_bundle_free(&attempt.bundle);
    }
}

Test(enrol, a_name_is_taken_until_its_node_is_removed)
{
    struct attempt attempt = {.order = {.name = STR("one"), .link_url = STR("tls+tcp://h:1"), .control_url = STR("http://h")}};
    pf_enrol("one", "", &bundle);
    IS(fixture_write(&pf.f, attempt_op, &attempt, NULL), ST_CONFLICT);
    node_bundle_free(&attempt.bundle);
    OK(fixture_write(&pf.f, pf_remove_op, "one", NULL));
    IS(fixture_write(&pf.f, pf_remove_op, "one", NULL), ST_NOT_FOUND);
    OK(fixture_write(&pf.f, attempt_op, &attempt, NULL));
    node_bundle_free(&attempt.bundle);
}

static size_t delivery_keys(const struct id *group, struct id *last)
{
    struct kv_txn *txn = fixture_read(&pf.f);
    struct record_cursor *cursor;
    struct record_key key;
    size_t count = 0;
    OK(record_cursor_open(txn, SLUICE__KIND__KIND_DELIVERY_KEY, &ID_NONE, group, &cursor));
    while (record_cursor_next(cursor, &pf.f.arena, &key, NULL, NULL) == ST_OK) {
        *last = key.id;
        count++;
    }
    record_cursor_close(cursor);
    kv_abort(txn);
    return count;
}

Test(enrol, a_removal_replaces_its_groups_delivery_key_only)
{
    struct id before, other_before, after, other_after;
    pf_enrol("one", "", &bundle);
    cr_assert_eq(delivery_keys(&pf.group, &before), 1);
    cr_assert_eq(delivery_keys(&pf.other_group, &other_before), 1);
    OK(fixture_write(&pf.f, pf_remove_op, "one", NULL));
    cr_assert_eq(delivery_keys(&pf.group, &after), 1);
    cr_assert_eq(delivery_keys(&pf.other_group, &other_after), 1);
    cr_expect_not(id_eq(&before, &after));
    cr_expect(id_eq(&other_before, &other_after));
}
