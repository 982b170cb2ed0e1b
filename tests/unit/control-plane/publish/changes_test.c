/* changes_test.c: the feed as one node sees it: what is in it, what must never be, and how parts join. */
#include "tests/unit/control-plane/publish_fixture.h"

static struct node_bundle mine, theirs;
static Sluice__Node *node;
static struct arena arena;

static Sluice__Node *read_node(const struct node_bundle *bundle)
{
    struct kv_txn *txn = fixture_read(&pf.f);
    struct record_key key;
    Sluice__Node *row;
    OK(record_locate(txn, SLUICE__KIND__KIND_NODE, &ID_NONE, &bundle->node, &key));
    OK(record_get(txn, &key, &arena, &row, NULL));
    kv_abort(txn);
    return row;
}

static void setup(void)
{
    pf_open();
    snprintf(pf.link_url, sizeof pf.link_url, "tls+tcp://127.0.0.1:1");
    arena_init(&arena, (size_t)256 << 20);
    pf_enrol("mine", "", &mine);
    pf_enrol("theirs", "other", &theirs);
    node = read_node(&mine);
}

static void teardown(void)
{
    node_bundle_free(&mine);
    node_bundle_free(&theirs);
    arena_free(&arena);
    pf_close();
}

TestSuite(changes, .init = setup, .fini = teardown);

/* Builds, packs while the transaction lives, and reads back what a node would. */
static Sluice__ChangesReply *build(const Sluice__Node *for_node, const Sluice__ChangesRequest *ask)
{
    Sluice__ChangesReply reply, *back;
    struct str wire;
    struct kv_txn *txn = fixture_read(&pf.f);
    OK(changes_build(pf.vault, txn, for_node, ask, &arena, &reply));
    OK(wire_pack(&reply, &arena, &wire));
    kv_abort(txn);
    OK(wire_unpack_known(&sluice__changes_reply__descriptor, wire, &arena, &back));
    return back;
}

static Sluice__Integration *integration_of(const Sluice__ChangesReply *reply)
{
    Sluice__Integration *row;
    const Sluice__Change *change = find_change(reply, SLUICE__KIND__KIND_INTEGRATION);
    cr_assert_not_null(change);
    OK(wire_unpack(&sluice__integration__descriptor, wire_str(&change->body), &arena, &row));
    return row;
}

Test(changes, a_new_node_gets_everything_it_may_see)
{
    Sluice__ChangesRequest ask = changes_ask(0, 0);
    Sluice__ChangesReply *reply = build(node, &ask);
    cr_expect(reply->full);
    cr_expect_not(reply->more);
    cr_expect_eq(reply->through_revision, writer_revision(pf.f.writer));
    cr_expect(str_eq(wire_str(&reply->store_id), id_bytes(&pf.store_id)));
    cr_expect_not_null(find_change(reply, SLUICE__KIND__KIND_ORGANISATION));
    cr_expect_not_null(find_change(reply, SLUICE__KIND__KIND_WORKSPACE));
    cr_expect(changes_is_news(&ask, reply));
}

Test(changes, what_a_node_may_not_see_is_not_there)
{
    static const Sluice__Kind never[] = {SLUICE__KIND__KIND_USER,      SLUICE__KIND__KIND_MEMBER,
                                         SLUICE__KIND__KIND_NODE,      SLUICE__KIND__KIND_NODE_GROUP,
                                         SLUICE__KIND__KIND_VAULT_KEY, SLUICE__KIND__KIND_AUDIT,
                                         SLUICE__KIND__KIND_OBJECT,    SLUICE__KIND__KIND_SESSION,
                                         SLUICE__KIND__KIND_INVITE};
    Sluice__ChangesRequest ask = changes_ask(0, 0);
    Sluice__ChangesReply *reply = build(node, &ask);
    for (size_t i = 0; i < COUNT_OF(never); i++)
        cr_expect_null(find_change(reply, never[i]), "kind %d", (int)never[i]);
    struct str wire;
    OK(wire_pack(reply, &arena, &wire));
    cr_expect(str_find(wire, STR("argon2id")) < 0);
    cr_expect(str_find(wire, STR("sk-canary")) < 0);
    cr_expect(str_find(wire, STR("sk-***")) < 0);
    cr_expect_not_null(find_change(reply, SLUICE__KIND__KIND_API_KEY));
    cr_expect(str_find(wire, STR("masked")) < 0);
    cr_expect(str_find(wire, STR("canary")) < 0);
    cr_expect(str_find(wire, STR("\"private\"")) < 0);
}

Test(changes, credentials_open_with_the_groups_key_and_no_other)
{
    Sluice__ChangesRequest ask = changes_ask(0, 0);
    Sluice__ChangesReply *reply = build(node, &ask);
    Sluice__Integration *row = integration_of(reply);
    cr_assert_eq(row->secrets->vault_box.len, 0);
    cr_assert_eq(row->secrets->vault_key.len, 0);
    cr_assert_eq(row->secrets->n_delivery, 1);
    size_t keys = 0;
    for (size_t i = 0; i < reply->n_changes; i++)
        keys += reply->changes[i]->kind == SLUICE__KIND__KIND_DELIVERY_KEY;
    cr_assert_eq(keys, 1);
    Sluice__DeliveryKey *key;
    const Sluice__Change *change = find_change(reply, SLUICE__KIND__KIND_DELIVERY_KEY);
    OK(wire_unpack(&sluice__delivery_key__descriptor, wire_str(&change->body), &arena, &key));
    cr_expect_eq(key->vault_box.len, 0);
    struct secret *delivery, *plain, *none;
    OK(seal_open_from(mine.public_key, mine.private_key, wire_str(&key->node_box), &delivery));
    IS(seal_open_from(theirs.public_key, theirs.private_key, wire_str(&key->node_box), &none), ST_BAD_SEAL);
    const struct seal_scope scope = {pf.org, pf.integration, "secrets", 1, STR("api.example.org")};
    OK(seal_open(delivery, &scope, wire_str(&row->secrets->delivery[0]->box), &plain));
    cr_expect(str_eq(secret_open(plain), STR(PLAIN_SECRET)));
    secret_close(plain);
    secret_free(plain);
    secret_free(delivery);
}

static enum status bind_to_other(struct write_op *op, void *arg)
{
    struct record_key key = {SLUICE__KIND__KIND_INTEGRATION, pf.org, ID_NONE, pf.integration};
    static char other[] = "other", *regions[] = {other};
    Sluice__Integration *row;
    (void)arg;
    TRY(record_get(op->txn, &key, op->arena, &row, NULL));
    row->regions = regions;
    row->n_regions = 1;
    return record_put(op, &key, row, STR("openai"));
}

Test(changes, a_bound_integration_reaches_its_regions_only)
{
    Sluice__ChangesRequest ask = changes_ask(0, 0);
    OK(fixture_write(&pf.f, bind_to_other, NULL, NULL));
    Sluice__Integration *here = integration_of(build(node, &ask));
    cr_expect(here->elsewhere);
    cr_expect_null(here->secrets);
    Sluice__Integration *there = integration_of(build(read_node(&theirs), &ask));
    cr_expect_not(there->elsewhere);
    cr_assert_not_null(there->secrets);
    cr_expect_eq(there->secrets->n_delivery, 1);
    cr_expect_eq(there->n_regions, 0);
}

Test(changes, groups_get_different_boxes)
{
    Sluice__ChangesRequest ask = changes_ask(0, 0);
    Sluice__Integration *ours = integration_of(build(node, &ask));
    Sluice__Integration *others = integration_of(build(read_node(&theirs), &ask));
    cr_assert_eq(others->secrets->n_delivery, 1);
    cr_expect_not(str_eq(wire_str(&ours->secrets->delivery[0]->key), wire_str(&others->secrets->delivery[0]->key)));
}

Test(changes, only_what_is_newer)
{
    uint64_t before = writer_revision(pf.f.writer);
    Sluice__ChangesRequest ask = changes_ask(before, 0);
    Sluice__ChangesReply *reply = build(node, &ask);
    cr_expect_not(reply->full);
    cr_expect_eq(reply->n_changes, 0);
    cr_expect_eq(reply->through_revision, before);
    cr_expect_not(changes_is_news(&ask, reply));
    uint64_t after = pf_change("second");
    reply = build(node, &ask);
    cr_expect_eq(reply->n_changes, 1);
    cr_expect_eq(reply->through_revision, after);
    cr_expect_str_eq(integration_of(reply)->name, "second");
    cr_expect(changes_is_news(&ask, reply));
}

static enum status delete_integration(struct write_op *op, void *arg)
{
    (void)arg;
    return record_delete(op, &(struct record_key){SLUICE__KIND__KIND_INTEGRATION, pf.org, ID_NONE, pf.integration});
}

static enum status purge_all(struct write_op *op, void *arg)
{
    bool left;
    (void)arg;
    op->no_revision = false;
    return record_purge(op, INT64_MAX, 1000, &left);
}

Test(changes, a_deletion_is_told_and_a_forgotten_one_means_a_full_copy)
{
    Sluice__ChangesRequest ask = changes_ask(writer_revision(pf.f.writer), 0);
    OK(fixture_write(&pf.f, delete_integration, NULL, NULL));
    Sluice__ChangesReply *reply = build(node, &ask);
    cr_assert_eq(reply->n_changes, 1);
    cr_expect(reply->changes[0]->deleted);
    cr_expect_eq(reply->changes[0]->body.len, 0);
    cr_expect_not(reply->full);
    OK(fixture_write(&pf.f, purge_all, NULL, NULL));
    reply = build(node, &ask);
    cr_expect(reply->full);
    cr_expect_null(find_change(reply, SLUICE__KIND__KIND_INTEGRATION));
}

Test(changes, another_store_or_an_impossible_revision_means_a_full_copy)
{
    struct id other = test_id(9);
    Sluice__ChangesRequest ask = changes_ask(writer_revision(pf.f.writer), 0);
    ask.store_id = wire_id_data(&other);
    cr_expect(build(node, &ask)->full);
    ask = changes_ask(writer_revision(pf.f.writer) + 1, 0);
    cr_expect(build(node, &ask)->full);
}

/* 300 workspaces of 40 KiB: several parts. */
static enum status put_many(struct write_op *op, void *arg)
{
    char *text = arena_calloc(op->arena, 1, 40001);
    (void)arg;
    memset(text, 'x', 40000);
    for (unsigned i = 0; i < 300; i++) {
        struct record_key key = {SLUICE__KIND__KIND_WORKSPACE, pf.org, ID_NONE, id_new()};
        Sluice__Workspace row;
        sluice__workspace__init(&row);
        row.id = wire_id_data(&key.id);
        row.description = text;
        TRY(record_put(op, &key, &row, STR_NONE));
    }
    return ST_OK;
}

Test(changes, parts_join_without_gap_or_repetition)
{
    uint64_t before = writer_revision(pf.f.writer);
    OK(fixture_write(&pf.f, put_many, NULL, NULL));
    Sluice__ChangesRequest ask = changes_ask(before, 0);
    struct id last = ID_NONE;
    unsigned parts = 0, rows = 0;
    for (;;) {
        Sluice__ChangesReply *reply = build(node, &ask);
        parts++;
        for (size_t i = 0; i < reply->n_changes; i++, rows++) {
            struct id id;
            OK(id_from_bytes(wire_str(&reply->changes[i]->id), &id));
            cr_assert_gt(memcmp(id.b, last.b, ID_BYTES), 0);
            last = id;
        }
        if (!reply->more)
            break;
        cr_expect_eq(reply->through_revision, before, "all rows are of one revision: none is complete before the last part");
        ask.cursor_revision = reply->cursor_revision;
        ask.cursor_key = reply->cursor_key;
    }
    cr_expect_eq(rows, 300);
    cr_expect_geq(parts, 3);
}

Test(changes, a_cursor_that_is_none_is_refused)
{
    Sluice__ChangesReply reply;
    Sluice__ChangesRequest ask = changes_ask(1, 0);
    struct kv_txn *txn = fixture_read(&pf.f);
    ask.cursor_revision = 1;
    ask.cursor_key = wire_data(STR("short"));
    IS(changes_build(pf.vault, txn, node, &ask, &arena, &reply), ST_BAD_FORMAT);
    char key[RECORD_CHANGE_KEY] = {0};
    ask.cursor_key = wire_data(str_of(key, sizeof key));
    ask.cursor_revision = UINT64_MAX;
    IS(changes_build(pf.vault, txn, node, &ask, &arena, &reply), ST_BAD_FORMAT);
    kv_abort(txn);
}

Test(changes, a_refused_revision_is_no_news_until_a_newer_one)
{
    Sluice__ChangesRequest ask = changes_ask(writer_revision(pf.f.writer), 0);
    ask.refused_revision = pf_change("refused");
    cr_expect_not(changes_is_news(&ask, build(node, &ask)));
    pf_change("better");
    cr_expect(changes_is_news(&ask, build(node, &ask)));
}
