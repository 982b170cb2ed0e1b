/* publish_fixture.h: a store with a vault, a node group and entities; nodes enrolled in it; a link they speak over. */
#ifndef SLUICE_TEST_PUBLISH_FIXTURE_H
#define SLUICE_TEST_PUBLISH_FIXTURE_H

#include <pthread.h>

#include "common/clock.h"
#include "control-plane/domain/enrol.h"
#include "control-plane/publish/changes.h"
#include "control-plane/publish/publish.h"
#include "control-plane/store/migrate.h"
#include "tests/unit/control-plane/store_fixture.h"

#define PLAIN_SECRET "{\"key\":\"sk-canary-0123456789\"}"

struct publish_fixture {
    struct fixture f;
    struct vault *vault;
    struct pki_pair ca, server;
    struct id store_id, group, other_group, org, workspace, integration, user;
    struct publish *publish;
    char link_url[64];
};

static struct publish_fixture pf;

static inline enum status pf_init_vault(struct write_op *op, void *arg)
{
    (void)arg;
    return vault_init(op, pf.vault);
}

static inline enum status pf_groups(struct write_op *op, void *arg)
{
    (void)arg;
    TRY(enrol_group(op, pf.vault, STR(ENROL_GROUP_DEFAULT), &pf.group));
    return enrol_group(op, pf.vault, STR("other"), &pf.other_group);
}

static inline enum status pf_put_integration(struct write_op *op, void *arg)
{
    static const struct str hosts[] = {{"api.example.org", 15}};
    const struct vault_owner owner = {pf.org, pf.integration, 1, hosts, 1};
    struct record_key key = {SLUICE__KIND__KIND_INTEGRATION, pf.org, ID_NONE, pf.integration};
    Sluice__Integration row;
    sluice__integration__init(&row);
    row.id = wire_id_data(&pf.integration);
    row.slug = arena_cstr(op->arena, STR("openai"));
    row.name = arena_cstr(op->arena, str_c(arg));
    row.masked_json = arena_cstr(op->arena, STR("{\"masked_key\":\"sk-***\"}"));
    TRY(vault_seal_secrets(op, pf.vault, &owner, STR(PLAIN_SECRET), &row.secrets));
    return record_put(op, &key, &row, STR("openai"));
}

static inline enum status pf_put_entities(struct write_op *op, void *arg)
{
    struct record_key org = {SLUICE__KIND__KIND_ORGANISATION, pf.org, ID_NONE, pf.org};
    struct record_key workspace = {SLUICE__KIND__KIND_WORKSPACE, pf.org, ID_NONE, pf.workspace};
    struct record_key user = {SLUICE__KIND__KIND_USER, pf.org, ID_NONE, pf.user};
    Sluice__Organisation o;
    Sluice__Workspace w;
    Sluice__User u;
    sluice__organisation__init(&o);
    sluice__workspace__init(&w);
    sluice__user__init(&u);
    o.id = wire_id_data(&pf.org);
    o.slug = arena_cstr(op->arena, STR("acme"));
    o.settings_json = arena_cstr(op->arena, STR("{\"private\":1}"));
    w.id = wire_id_data(&pf.workspace);
    w.slug = arena_cstr(op->arena, STR("main"));
    u.id = wire_id_data(&pf.user);
    u.password_hash = arena_cstr(op->arena, STR("$argon2id$canary"));
    TRY(record_put(op, &org, &o, STR("acme")));
    TRY(record_put(op, &workspace, &w, STR("main")));
    TRY(record_put(op, &user, &u, STR_NONE));
    struct record_key key = {SLUICE__KIND__KIND_API_KEY, pf.org, pf.workspace, id_new()};
    struct record_key session = {SLUICE__KIND__KIND_SESSION, pf.org, pf.user, id_new()};
    Sluice__ApiKey k;
    Sluice__Session s;
    sluice__api_key__init(&k);
    sluice__session__init(&s);
    k.id = wire_id_data(&key.id);
    k.masked = arena_cstr(op->arena, STR("slk_ab...masked"));
    k.successor_box = wire_data(STR("successor-canary"));
    s.client_ip = arena_cstr(op->arena, STR("session-canary"));
    TRY(record_put(op, &key, &k, STR("key-of-the-fixture-89abcdef012345")));
    TRY(record_put(op, &session, &s, STR_NONE));
    return pf_put_integration(op, arg);
}

/* Changes the integration's name: one small revision. */
static inline uint64_t pf_change(const char *name)
{
    static char room[128];
    uint64_t revision;
    snprintf(room, sizeof room, "%s", name);
    OK(fixture_write(&pf.f, pf_put_integration, room, &revision));
    return revision;
}

struct pf_enrol {
    const char *name, *group;
    struct node_bundle *bundle;
};

static inline enum status pf_enrol_op(struct write_op *op, void *arg)
{
    struct pf_enrol *enrol = arg;
    const struct enrol_order order = {.name = str_c(enrol->name),
                                      .region = STR("eu"),
                                      .group = str_c(enrol->group),
                                      .link_url = str_c(pf.link_url),
                                      .control_url = STR("http://127.0.0.1:8788")};
    return enrol_node(op, pf.vault, &pf.ca, &order, enrol->bundle);
}

static inline void pf_enrol(const char *name, const char *group, struct node_bundle *bundle)
{
    struct pf_enrol enrol = {name, group, bundle};
    OK(fixture_write(&pf.f, pf_enrol_op, &enrol, NULL));
}

static inline enum status pf_remove_op(struct write_op *op, void *arg)
{
    struct record_key key;
    Sluice__Node *node;
    TRY(enrol_find(op->txn, op->arena, str_c(arg), &key, &node));
    return enrol_remove(op, pf.vault, &key);
}

static inline void pf_open(void)
{
    struct secret *master;
    pf = (struct publish_fixture){.org = test_id(1), .workspace = test_id(2), .integration = test_id(3), .user = test_id(4)};
    fixture_folder(pf.f.path);
    arena_init(&pf.f.arena, (size_t)256 << 20);
    OK(kv_open(pf.f.path, &(struct kv_options){.map_bytes = FIXTURE_MAP_BYTES}, &pf.f.kv));
    OK(migrate_init(pf.f.kv, &pf.store_id));
    OK(writer_start(pf.f.kv, &pf.f.writer));
    OK(secret_random(SEAL_KEY_BYTES, &master));
    OK(vault_new(master, &pf.vault));
    OK(pki_make_ca(&pf.f.arena, "test CA", &pf.ca));
    OK(fixture_write(&pf.f, pf_init_vault, NULL, NULL));
    OK(fixture_write(&pf.f, pf_groups, NULL, NULL));
    OK(fixture_write(&pf.f, pf_put_entities, "first", NULL));
}

static inline void pf_close(void)
{
    publish_stop(pf.publish);
    vault_free(pf.vault);
    fixture_close(&pf.f);
}

/* Starts the link on a free port; nodes enrolled later know its URL. */
static inline void pf_listen(void)
{
    OK(pki_make_server(&pf.f.arena, &pf.ca, NULL, 0, &pf.server));
    const struct publish_options options = {.kv = pf.f.kv,
                                            .writer = pf.f.writer,
                                            .vault = pf.vault,
                                            .link_url = "tls+tcp://127.0.0.1:0",
                                            .identity = {pf.server.cert_pem.p, pf.server.key_pem.p, pf.ca.cert_pem.p},
                                            .control_url = "http://127.0.0.1:8788",
                                            .request_max_ms = 60000,
                                            .node_lost_after_ms = 3600000};
    OK(publish_start(&options, &pf.publish));
    snprintf(pf.link_url, sizeof pf.link_url, "tls+tcp://127.0.0.1:%u", publish_port(pf.publish));
}

/* --- a node, as the courier will be ------------------------------------------------------------------- */

struct test_node {
    struct node_bundle bundle;
    struct link_client *client;
    uint64_t boot;
    _Atomic uint64_t counter;
};

static inline void node_join(struct test_node *node, const char *name, const char *group)
{
    *node = (struct test_node){.boot = 1};
    pf_enrol(name, group, &node->bundle);
    struct str key = secret_open(node->bundle.key_pem);
    const struct link_identity identity = {node->bundle.cert_pem, key.p, node->bundle.ca_pem};
    OK(link_client_open(node->bundle.link_url, &identity, NULL, NULL, &node->client));
    secret_close(node->bundle.key_pem);
}

static inline void node_leave(struct test_node *node)
{
    link_client_interrupt(node->client);
    node_bundle_free(&node->bundle);
}

/* One request; the reply's kind, or LINK_NONE when nothing came within timeout_ms. */
static inline Sluice__LinkKind node_call(struct test_node *node, struct arena *arena, Sluice__LinkKind kind,
                                         const ProtobufCMessage *message, unsigned timeout_ms, void *reply)
{
    struct frame head = {.node = node->bundle.node, .boot = node->boot, .counter = ++node->counter, .kind = kind};
    struct frame back;
    struct str wire, answer;
    struct str key = secret_open(node->bundle.node_key);
    OK(frame_seal(arena, (const uint8_t *)key.p, &head, message, &wire));
    enum status status = link_client_call(node->client, wire, timeout_ms, arena, &answer);
    if (status == ST_OK) {
        OK(frame_open(answer, (const uint8_t *)key.p, &back));
        cr_assert_eq(back.counter, head.counter);
        cr_assert_eq(back.boot, head.boot);
        OK(frame_message(&back, arena, reply));
    }
    secret_close(node->bundle.node_key);
    return status == ST_OK ? back.kind : SLUICE__LINK_KIND__LINK_NONE;
}

static inline Sluice__ChangesRequest changes_ask(uint64_t have, unsigned wait_ms)
{
    Sluice__ChangesRequest ask;
    sluice__changes_request__init(&ask);
    ask.have_revision = have;
    ask.wait_ms = wait_ms;
    if (have > 0)
        ask.store_id = wire_id_data(&pf.store_id);
    return ask;
}

/* A Changes request that waits, on a thread of its own; arena_free its arena behind waiter_join. */
struct waiter {
    struct test_node *node;
    Sluice__ChangesRequest ask;
    struct arena arena;
    Sluice__LinkKind kind;
    Sluice__ChangesReply *reply;
    pthread_t thread;
};

static inline void *wait_changes(void *arg)
{
    struct waiter *waiter = arg;
    waiter->kind = node_call(waiter->node, &waiter->arena, SLUICE__LINK_KIND__LINK_CHANGES, &waiter->ask.base, 35000, &waiter->reply);
    return NULL;
}

static inline void waiter_start(struct waiter *waiter, struct test_node *who, Sluice__ChangesRequest ask)
{
    *waiter = (struct waiter){.node = who, .ask = ask};
    arena_init(&waiter->arena, 64u << 20);
    cr_assert_eq(pthread_create(&waiter->thread, NULL, wait_changes, waiter), 0);
}

static inline void waiter_join(struct waiter *waiter)
{
    pthread_join(waiter->thread, NULL);
}

static inline void wait_until_applied(struct test_node *who, uint64_t revision)
{
    struct node_live live = {.applied = 0};
    while (nodes_get(publish_nodes(pf.publish), &who->bundle.node, &live) != ST_OK || live.applied < revision)
        usleep(1000);
}

static inline const Sluice__Change *find_change(const Sluice__ChangesReply *reply, Sluice__Kind kind)
{
    for (size_t i = 0; i < reply->n_changes; i++)
        if (reply->changes[i]->kind == kind)
            return reply->changes[i];
    return NULL;
}

#endif
