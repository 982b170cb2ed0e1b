/* publish_test.c: nodes over a real link: identity, waiting, waking, removal, probes. */
#include "tests/unit/control-plane/publish_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

static struct test_node node;
static struct arena arena;

static void setup(void)
{
    pf_open();
    pf_listen();
    arena_init(&arena, (size_t)256 << 20);
    node_join(&node, "one", "");
}

static void teardown(void)
{
    node_leave(&node);
    pf_close();
    arena_free(&arena);
}

TestSuite(publish, .init = setup, .fini = teardown, .timeout = 60);

#define HELLO         SLUICE__LINK_KIND__LINK_HELLO
#define HELLO_REPLY   SLUICE__LINK_KIND__LINK_HELLO_REPLY
#define CHANGES       SLUICE__LINK_KIND__LINK_CHANGES
#define CHANGES_REPLY SLUICE__LINK_KIND__LINK_CHANGES_REPLY
#define LINK_REFUSED  SLUICE__LINK_KIND__LINK_ERROR
#define NOTHING       SLUICE__LINK_KIND__LINK_NONE

static Sluice__Hello hello(void)
{
    static char software[] = "test 1.0";
    Sluice__Hello message;
    sluice__hello__init(&message);
    message.software = software;
    message.format_min = message.format_max = CHANGES_FORMAT;
    return message;
}

static Sluice__LinkKind say_hello(struct test_node *who, unsigned timeout_ms)
{
    Sluice__Hello message = hello();
    void *reply;
    return node_call(who, &arena, HELLO, &message.base, timeout_ms, &reply);
}

Test(publish, hello_tells_who_and_where)
{
    Sluice__Hello message = hello();
    Sluice__HelloReply *reply;
    cr_assert_eq(node_call(&node, &arena, HELLO, &message.base, 10000, &reply), HELLO_REPLY);
    cr_expect_str_eq(reply->node_name, "one");
    cr_expect_str_eq(reply->region, "eu");
    cr_expect_str_eq(reply->control_url, "http://127.0.0.1:8788");
    cr_expect(str_eq(wire_str(&reply->store_id), id_bytes(&pf.store_id)));
    cr_expect_eq(reply->revision, writer_revision(pf.f.writer));
    struct node_live live;
    OK(nodes_get(publish_nodes(pf.publish), &node.bundle.node, &live));
    cr_expect(live.connected);
    cr_expect_str_eq(live.software, "test 1.0");
}

Test(publish, a_format_we_do_not_speak_is_refused)
{
    Sluice__Hello message = hello();
    Sluice__LinkError *error;
    message.format_min = message.format_max = CHANGES_FORMAT + 1;
    cr_assert_eq(node_call(&node, &arena, HELLO, &message.base, 10000, &error), LINK_REFUSED);
    cr_expect_str_eq(error->status, "bad_format");
}

Test(publish, a_wrong_node_key_gets_nothing)
{
    struct secret *right = node.bundle.node_key;
    OK(secret_random(FRAME_KEY_BYTES, &node.bundle.node_key));
    cr_expect_eq(say_hello(&node, 700), NOTHING);
    cr_expect_eq(publish_strangers(pf.publish), 1);
    secret_free(node.bundle.node_key);
    node.bundle.node_key = right;
    cr_expect_eq(say_hello(&node, 10000), HELLO_REPLY);
}

Test(publish, an_unknown_node_gets_nothing)
{
    struct id right = node.bundle.node;
    node.bundle.node = id_new();
    cr_expect_eq(say_hello(&node, 700), NOTHING);
    node.bundle.node = right;
    struct str reply;
    cr_expect_eq(link_client_call(node.client, STR("garbage"), 700, &arena, &reply), ST_CONTROL_AWAY);
    cr_expect_eq(publish_strangers(pf.publish), 2);
}

Test(publish, one_nodes_key_does_not_speak_for_another)
{
    struct test_node second;
    node_join(&second, "two", "");
    struct id own = second.bundle.node;
    second.bundle.node = node.bundle.node;
    cr_expect_eq(say_hello(&second, 700), NOTHING);
    second.bundle.node = own;
    cr_expect_eq(say_hello(&second, 10000), HELLO_REPLY);
    node_leave(&second);
}

Test(publish, a_repeated_counter_is_refused)
{
    Sluice__LinkError *error;
    Sluice__Hello message = hello();
    cr_assert_eq(say_hello(&node, 10000), HELLO_REPLY);
    node.counter--;
    cr_assert_eq(node_call(&node, &arena, HELLO, &message.base, 10000, &error), LINK_REFUSED);
    cr_expect_str_eq(error->status, "conflict");
    node.boot++;
    node.counter = 0;
    cr_expect_eq(say_hello(&node, 10000), HELLO_REPLY);
}

Test(publish, kinds_that_are_no_request_are_refused)
{
    static const Sluice__LinkKind kinds[] = {HELLO_REPLY, CHANGES_REPLY, LINK_REFUSED,
                                             SLUICE__LINK_KIND__LINK_USAGE_REPLY, SLUICE__LINK_KIND__LINK_OBJECT_REPLY};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        Sluice__LinkError *error;
        cr_assert_eq(node_call(&node, &arena, kinds[i], NULL, 10000, &error), LINK_REFUSED);
        cr_expect_str_eq(error->status, "bad_format");
    }
}

/* --- waiting ------------------------------------------------------------------------------------------ */

Test(publish, without_news_the_request_waits_and_ends_empty)
{
    struct waiter waiter;
    uint64_t have = writer_revision(pf.f.writer);
    waiter_start(&waiter, &node, changes_ask(have, 300));
    waiter_join(&waiter);
    cr_assert_eq(waiter.kind, CHANGES_REPLY);
    cr_expect_eq(waiter.reply->n_changes, 0);
    cr_expect_eq(waiter.reply->through_revision, have);
    arena_free(&waiter.arena);
}

Test(publish, a_commit_wakes_who_waits)
{
    struct waiter waiter;
    uint64_t have = writer_revision(pf.f.writer);
    waiter_start(&waiter, &node, changes_ask(have, 25000));
    wait_until_applied(&node, have);
    uint64_t revision = pf_change("news");
    waiter_join(&waiter);
    cr_assert_eq(waiter.kind, CHANGES_REPLY);
    cr_expect_eq(waiter.reply->through_revision, revision);
    cr_expect_eq(waiter.reply->n_changes, 1);
    arena_free(&waiter.arena);
}

Test(publish, many_commits_reach_every_node_in_order)
{
    enum { NODES = 3, COMMITS = 100 };
    static struct test_node nodes[NODES];
    uint64_t have = writer_revision(pf.f.writer), target = 0;
    char name[16];
    for (unsigned i = 0; i < NODES; i++) {
        snprintf(name, sizeof name, "n%u", i);
        node_join(&nodes[i], name, i == 0 ? "other" : "");
    }
    for (unsigned i = 0; i < COMMITS; i++) {
        snprintf(name, sizeof name, "name-%u", i);
        target = pf_change(name);
    }
    for (unsigned i = 0; i < NODES; i++) {
        uint64_t at = have;
        while (at < target) {
            Sluice__ChangesReply *reply;
            Sluice__ChangesRequest ask = changes_ask(at, 25000);
            cr_assert_eq(node_call(&nodes[i], &arena, CHANGES, &ask.base, 35000, &reply), CHANGES_REPLY);
            cr_assert_gt(reply->through_revision, at);
            at = reply->through_revision;
        }
        Sluice__ChangesReply *reply;
        Sluice__ChangesRequest ask = changes_ask(at, 0);
        cr_assert_eq(node_call(&nodes[i], &arena, CHANGES, &ask.base, 35000, &reply), CHANGES_REPLY);
        cr_expect_eq(reply->n_changes, 0);
        node_leave(&nodes[i]);
    }
}

Test(publish, wait_applied_counts_connected_nodes)
{
    struct nodes_applied applied;
    uint64_t revision = pf_change("a");
    nodes_wait_applied(publish_nodes(pf.publish), revision, 100, &applied);
    cr_expect_eq(applied.of, 0);
    cr_assert_eq(say_hello(&node, 10000), HELLO_REPLY);
    nodes_wait_applied(publish_nodes(pf.publish), revision, 50, &applied);
    cr_expect(applied.of == 1 && applied.applied == 0);
    struct waiter waiter;
    waiter_start(&waiter, &node, changes_ask(revision, 200));
    nodes_wait_applied(publish_nodes(pf.publish), revision, 20000, &applied);
    cr_expect(applied.of == 1 && applied.applied == 1 && applied.refused == 0);
    waiter_join(&waiter);
    Sluice__ChangesRequest ask = changes_ask(revision, 0);
    ask.refused_revision = pf_change("b");
    ask.refused = (char *)(uintptr_t)"too strange";
    void *reply;
    cr_assert_eq(node_call(&node, &arena, CHANGES, &ask.base, 10000, &reply), CHANGES_REPLY);
    nodes_wait_applied(publish_nodes(pf.publish), ask.refused_revision, 20000, &applied);
    cr_expect(applied.of == 1 && applied.applied == 0 && applied.refused == 1);
    struct node_live live;
    OK(nodes_get(publish_nodes(pf.publish), &node.bundle.node, &live));
    cr_expect_str_eq(live.refused, "too strange");
    cr_expect_geq(live.lag_ms, 0);
    arena_free(&waiter.arena);
}

Test(publish, a_removed_node_is_told_so_and_gets_nothing_more)
{
    struct waiter waiter;
    uint64_t have = writer_revision(pf.f.writer);
    waiter_start(&waiter, &node, changes_ask(have, 25000));
    wait_until_applied(&node, have);
    OK(fixture_write(&pf.f, pf_remove_op, "one", NULL));
    waiter_join(&waiter);
    cr_assert_eq(waiter.kind, LINK_REFUSED);
    cr_expect_str_eq(((Sluice__LinkError *)(void *)waiter.reply)->status, "node_revoked");
    struct nodes_applied applied;
    nodes_wait_applied(publish_nodes(pf.publish), UINT64_MAX, 0, &applied);
    cr_expect_eq(applied.of, 0, "nobody waits for a removed node");
    Sluice__LinkError *error;
    Sluice__ChangesRequest ask = changes_ask(0, 0);
    cr_assert_eq(node_call(&node, &arena, CHANGES, &ask.base, 10000, &error), LINK_REFUSED);
    cr_expect_str_eq(error->status, "node_revoked");
    struct test_node second;
    node_join(&second, "one", ""); /* the name is free again */
    cr_expect_eq(say_hello(&second, 10000), HELLO_REPLY);
    node_leave(&second);
    arena_free(&waiter.arena);
}

Test(publish, what_is_sealed_after_a_removal_opens_for_those_who_stay_only)
{
    struct test_node stays;
    node_join(&stays, "stays", "");
    OK(fixture_write(&pf.f, pf_remove_op, "one", NULL));
    Sluice__ChangesRequest ask = changes_ask(0, 0);
    Sluice__ChangesReply *reply;
    cr_assert_eq(node_call(&stays, &arena, CHANGES, &ask.base, 10000, &reply), CHANGES_REPLY);
    Sluice__DeliveryKey *key;
    const Sluice__Change *change = NULL;
    for (size_t i = 0; i < reply->n_changes; i++)
        if (reply->changes[i]->kind == SLUICE__KIND__KIND_DELIVERY_KEY && !reply->changes[i]->deleted)
            change = reply->changes[i];
    cr_assert_not_null(change);
    OK(wire_unpack(&sluice__delivery_key__descriptor, wire_str(&change->body), &arena, &key));
    struct secret *opened;
    OK(seal_open_from(stays.bundle.public_key, stays.bundle.private_key, wire_str(&key->node_box), &opened));
    secret_free(opened);
    IS(seal_open_from(node.bundle.public_key, node.bundle.private_key, wire_str(&key->node_box), &opened), ST_BAD_SEAL);
    node_leave(&stays);
}

/* --- probes ------------------------------------------------------------------------------------------- */

/* A node that takes one probe and answers it. */
static void *probe_node(void *arg)
{
    struct test_node *who = arg;
    static char message[] = "model list", model[] = "gpt-4o-mini", *models[] = {model};
    struct arena own;
    arena_init(&own, 64u << 20);
    uint64_t have = writer_revision(pf.f.writer);
    for (;;) {
        Sluice__ChangesReply *reply;
        Sluice__ChangesRequest ask = changes_ask(have, 25000);
        if (node_call(who, &own, CHANGES, &ask.base, 35000, &reply) != CHANGES_REPLY)
            break;
        if (reply->n_probes == 0)
            continue;
        const Sluice__Probe *probe = reply->probes[0];
        bool sealed = probe->integration->secrets->n_delivery == 1 && probe->integration->secrets->vault_box.len == 0;
        Sluice__ProbeResult result;
        Sluice__ProbeResultReply *ack;
        sluice__probe_result__init(&result);
        result.id = probe->id;
        result.ok = sealed && strcmp(probe->action, "list_models") == 0;
        result.http_status = 200;
        result.latency_ms = 12;
        result.message = message;
        result.n_models = 1;
        result.models = models;
        cr_assert_eq(node_call(who, &own, SLUICE__LINK_KIND__LINK_PROBE_RESULT, &result.base, 10000, &ack),
                     SLUICE__LINK_KIND__LINK_PROBE_RESULT_REPLY);
        cr_expect(ack->known);
        cr_assert_eq(node_call(who, &own, SLUICE__LINK_KIND__LINK_PROBE_RESULT, &result.base, 10000, &ack),
                     SLUICE__LINK_KIND__LINK_PROBE_RESULT_REPLY);
        cr_expect_not(ack->known, "an answer counts once");
        break;
    }
    arena_free(&own);
    return NULL;
}

Test(publish, a_probe_travels_to_a_connected_node_and_back)
{
    struct record_key integration = {SLUICE__KIND__KIND_INTEGRATION, pf.org, ID_NONE, pf.integration};
    struct probe_result result;
    struct id who;
    pthread_t thread;
    IS(publish_probe(pf.publish, &integration, STR(""), "list_models", 100, &arena, &who, &result), ST_NOT_READY);
    cr_assert_eq(pthread_create(&thread, NULL, probe_node, &node), 0);
    wait_until_applied(&node, writer_revision(pf.f.writer));
    OK(publish_probe(pf.publish, &integration, STR(""), "list_models", 20000, &arena, &who, &result));
    pthread_join(thread, NULL);
    cr_expect(id_eq(&who, &node.bundle.node));
    cr_expect(result.ok);
    cr_expect_eq(result.http_status, 200);
    cr_expect(str_eq(result.message, STR("model list")));
    cr_assert_eq(result.model_count, 1);
    cr_expect(str_eq(result.models[0], STR("gpt-4o-mini")));
}

Test(publish, a_probe_with_what_is_not_saved)
{
    struct record_key integration = {SLUICE__KIND__KIND_INTEGRATION, pf.org, ID_NONE, pf.integration};
    Sluice__Integration *record;
    Sluice__ChangesReply *reply;
    struct kv_txn *txn;
    struct str unsaved;
    struct id probe;
    OK(kv_begin(pf.f.kv, false, &txn));
    OK(record_get(txn, &integration, &arena, &record, NULL));
    record->base_url = arena_cstr(&arena, STR("https://not.saved/v1"));
    record->masked_json = arena_cstr(&arena, STR("{}"));
    OK(wire_pack(record, &arena, &unsaved));
    struct probes *probes;
    OK(probes_new(&probes));
    OK(probe_ask(probes, &node.bundle.node, &integration, unsaved, "test", 1000, &probe));
    sluice__changes_reply__init((reply = arena_alloc(&arena, sizeof *reply)));
    OK(probes_attach(probes, txn, &node.bundle.node, &pf.group, &arena, reply));
    kv_abort(txn);
    memset((char *)unsaved.p, 'x', unsaved.n); /* the node's reply keeps nothing of the asker's */
    cr_assert_eq(reply->n_probes, 1);
    const Sluice__Integration *sent = reply->probes[0]->integration;
    cr_expect_str_eq(sent->base_url, "https://not.saved/v1");
    cr_expect_str_eq(sent->masked_json, "", "cut as what is stored");
    cr_expect_eq(sent->secrets->vault_box.len, 0);
    probes_free(probes);
}

Test(publish, a_probe_without_an_answer_ends_in_time)
{
    struct record_key integration = {SLUICE__KIND__KIND_INTEGRATION, pf.org, ID_NONE, pf.integration};
    struct probe_result result;
    struct id who;
    cr_assert_eq(say_hello(&node, 10000), HELLO_REPLY);
    IS(publish_probe(pf.publish, &integration, STR(""), "test", 200, &arena, &who, &result), ST_UPSTREAM_TIMEOUT);
}

/* --- objects ------------------------------------------------------------------------------------------ */

Test(publish, objects_nobody_made_are_nobodys)
{
    Sluice__ObjectRequest request;
    Sluice__ObjectReply *reply;
    static char first[] = "file-1", second[] = "", *ids[] = {first, second};
    sluice__object_request__init(&request);
    request.org = wire_id_data(&pf.org);
    request.workspace = wire_id_data(&pf.workspace);
    request.provider = wire_id_data(&pf.integration);
    request.n_object_ids = 2;
    request.object_ids = ids;
    cr_assert_eq(node_call(&node, &arena, SLUICE__LINK_KIND__LINK_OBJECT, &request.base, 10000, &reply),
                 SLUICE__LINK_KIND__LINK_OBJECT_REPLY);
    cr_assert_eq(reply->n_owned, 2);
    cr_expect_not(reply->owned[0] || reply->owned[1]);
}

/* --- usage -------------------------------------------------------------------------------------------- */

static Sluice__UsageEvent usage_event(uint64_t seq)
{
    static uint8_t attempts[8][36];
    Sluice__UsageEvent event;
    sluice__usage_event__init(&event);
    uint8_t *attempt = attempts[seq % 8];
    memcpy(attempt, node.bundle.node.b, ID_BYTES);
    attempt[23] = 1; /* boot */
    attempt[35] = (uint8_t)seq;
    event.attempt_id = (ProtobufCBinaryData){.len = 36, .data = attempt};
    event.seq = seq;
    event.at_ms = clock_utc_ms();
    event.org = wire_id_data(&pf.org);
    event.workspace = wire_id_data(&pf.workspace);
    event.provider = wire_id_data(&pf.integration);
    event.source = SLUICE__USAGE_SOURCE__USAGE_SOURCE_PROVIDER;
    event.object_id = (char *)(uintptr_t)"file-7";
    event.object_kind = (char *)(uintptr_t)"file";
    return event;
}

static uint64_t upload(uint64_t first, size_t count)
{
    Sluice__UsageEvent events[8], *list[8];
    Sluice__UsageBatch batch;
    Sluice__UsageRequest request;
    Sluice__UsageAck *ack;
    sluice__usage_batch__init(&batch);
    sluice__usage_request__init(&request);
    for (size_t i = 0; i < count; i++) {
        events[i] = usage_event(first + i);
        list[i] = &events[i];
    }
    batch.journal_boot = 1;
    batch.first_seq = first;
    batch.n_events = count;
    batch.events = list;
    request.batch = &batch;
    cr_assert_eq(node_call(&node, &arena, SLUICE__LINK_KIND__LINK_USAGE, &request.base, 10000, &ack),
                 SLUICE__LINK_KIND__LINK_USAGE_REPLY);
    cr_assert_eq(ack->journal_boot, 1);
    return ack->through_seq;
}

Test(publish, usage_is_acknowledged_as_far_as_the_ledger_holds_it)
{
    uint64_t revision = writer_revision(pf.f.writer);
    cr_expect_eq(upload(1, 3), 3);
    cr_expect_eq(upload(1, 3), 3, "sent again, nothing twice");
    cr_expect_eq(upload(2, 4), 5, "overlapping");
    cr_expect_eq(upload(7, 1), 5, "a gap is not passed");
    cr_expect_eq(writer_revision(pf.f.writer), revision, "spending makes no revision");
    Sluice__ObjectRequest request;
    Sluice__ObjectReply *reply;
    static char ours[] = "file-7", theirs[] = "file-8", *ids[] = {ours, theirs};
    sluice__object_request__init(&request);
    request.org = wire_id_data(&pf.org);
    request.workspace = wire_id_data(&pf.workspace);
    request.provider = wire_id_data(&pf.integration);
    request.n_object_ids = 2;
    request.object_ids = ids;
    cr_assert_eq(node_call(&node, &arena, SLUICE__LINK_KIND__LINK_OBJECT, &request.base, 10000, &reply),
                 SLUICE__LINK_KIND__LINK_OBJECT_REPLY);
    cr_expect(reply->owned[0] && !reply->owned[1]);
    request.workspace = wire_id_data(&pf.user);
    cr_assert_eq(node_call(&node, &arena, SLUICE__LINK_KIND__LINK_OBJECT, &request.base, 10000, &reply),
                 SLUICE__LINK_KIND__LINK_OBJECT_REPLY);
    cr_expect_not(reply->owned[0], "another workspace's");
}

Test(publish, usage_without_a_batch_is_refused)
{
    Sluice__UsageRequest request;
    Sluice__LinkError *error;
    sluice__usage_request__init(&request);
    cr_assert_eq(node_call(&node, &arena, SLUICE__LINK_KIND__LINK_USAGE, &request.base, 10000, &error), LINK_REFUSED);
    cr_expect_str_eq(error->status, "bad_format");
}

/* --- many at once ------------------------------------------------------------------------------------- */

enum { CROWD = 16 };
static struct test_node crowd[CROWD];
static struct arena crowd_arenas[CROWD];

static void *crowd_hello(void *arg)
{
    size_t i = (size_t)(uintptr_t)arg;
    Sluice__Hello message = hello();
    void *reply;
    const struct node_bundle *bundle = &crowd[i].bundle;
    struct str key = secret_open(bundle->key_pem);
    const struct link_identity identity = {bundle->cert_pem, key.p, bundle->ca_pem};
    OK(link_client_open(bundle->link_url, &identity, NULL, NULL, &crowd[i].client));
    secret_close(bundle->key_pem);
    cr_expect_eq(node_call(&crowd[i], &crowd_arenas[i], HELLO, &message.base, 20000, &reply), HELLO_REPLY);
    return NULL;
}

Test(publish, sixteen_nodes_join_at_once)
{
    pthread_t threads[CROWD];
    char name[16];
    for (size_t i = 0; i < CROWD; i++) {
        snprintf(name, sizeof name, "crowd-%zu", i);
        crowd[i] = (struct test_node){.boot = 1};
        arena_init(&crowd_arenas[i], 64u << 20);
        pf_enrol(name, "", &crowd[i].bundle);
    }
    for (size_t i = 0; i < CROWD; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, crowd_hello, (void *)(uintptr_t)i), 0);
    for (size_t i = 0; i < CROWD; i++) {
        pthread_join(threads[i], NULL);
        arena_free(&crowd_arenas[i]);
        node_leave(&crowd[i]);
    }
}
