/* uplink_fixture.h: a scripted control plane on a real link, and a courier that notes what it is called with. For uplink_test.c. */
#ifndef SLUICE_TESTS_UPLINK_FIXTURE_H
#define SLUICE_TESTS_UPLINK_FIXTURE_H

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "common/frame.h"
#include "common/link.h"
#include "common/pki.h"
#include "common/wire.h"
#include "data-plane/courier/uplink.h"

#define SCRIPT_MAX 16

static struct arena pki_arena;
static struct node_bundle bundle;
static struct secret *server_key; /* the same bytes; one thread per secret, and the uplink locks its own */
static struct link_server *server;
static struct uplink *uplink;
static struct id store_id, other_store;

/* --- what the control plane does ------------------------------------------------------------------- */

enum step { STEP_QUIET, STEP_PART, STEP_REVOKED, STEP_CONFLICT, STEP_SILENT, STEP_WRONG_KEY, STEP_WRONG_COUNTER };

struct script {
    enum step step;
    const struct id *store;
    uint64_t through;
    bool more, full;
    uint64_t cursor;
    bool probe;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct script script[SCRIPT_MAX];
static size_t script_count, script_at;
static Sluice__ChangesRequest asked[256]; /* scalars only */
static char asked_store[256], asked_refused[256][64];
static size_t asked_count;
static unsigned grant_requests;
static bool grants_silent, recall_next;
static unsigned hellos, uploads, questions, probe_results;
static bool refuse_once; /* the next request that is not Changes is called a repetition */
static uint64_t usage_through;

static uint8_t wrong_key[FRAME_KEY_BYTES];

static void answer(struct link_request *request, struct arena *arena, const struct frame *head, Sluice__LinkKind kind,
                   const ProtobufCMessage *message, enum step step)
{
    struct frame back = *head;
    struct str wire;
    back.kind = kind;
    if (step == STEP_WRONG_COUNTER)
        back.counter++;
    static uint8_t key[FRAME_KEY_BYTES];
    struct str right = secret_open(server_key);
    memcpy(key, right.p, sizeof key);
    secret_close(server_key);
    cr_assert_eq(frame_seal(arena, step == STEP_WRONG_KEY ? wrong_key : key, &back, message, &wire), ST_OK);
    link_request_reply(request, wire);
}

static void answer_error(struct link_request *request, struct arena *arena, const struct frame *head, enum status status)
{
    Sluice__LinkError error;
    sluice__link_error__init(&error);
    error.status = arena_cstr(arena, str_c(status_row(status)->code));
    answer(request, arena, head, SLUICE__LINK_KIND__LINK_ERROR, &error.base, STEP_PART);
}

static void answer_changes(struct link_request *request, struct arena *arena, const struct frame *head)
{
    Sluice__ChangesRequest *ask;
    Sluice__ChangesReply reply;
    Sluice__Probe probe, *probes[] = {&probe};
    Sluice__Recall recall, *recalls[] = {&recall};
    cr_assert_eq(frame_message(head, arena, &ask), ST_OK);
    asked[asked_count] = *ask;
    asked_store[asked_count] = ask->store_id.len > 0 ? (char)ask->store_id.data[0] : 0;
    snprintf(asked_refused[asked_count], sizeof asked_refused[0], "%s", ask->refused);
    asked_count++;
    struct script now = script_at < script_count ? script[script_at] : (struct script){.step = STEP_QUIET};
    if (script_at < script_count)
        script_at++;
    if (now.step == STEP_REVOKED || now.step == STEP_CONFLICT) {
        answer_error(request, arena, head, now.step == STEP_REVOKED ? ST_NODE_REVOKED : ST_CONFLICT);
        return;
    }
    if (now.step == STEP_SILENT) {
        link_request_drop(request);
        return;
    }
    sluice__changes_reply__init(&reply);
    bool quiet = now.step == STEP_QUIET;
    reply.store_id = wire_id_data(quiet ? &store_id : now.store);
    reply.through_revision = quiet ? ask->have_revision : now.through;
    reply.newest_revision = quiet ? ask->have_revision : now.through;
    reply.more = now.more;
    reply.full = now.full;
    reply.cursor_revision = now.cursor;
    reply.cursor_key = now.more ? wire_data(STR("cursor")) : (ProtobufCBinaryData){0};
    reply.utc_ms = 1700000000000;
    if (now.probe) {
        sluice__probe__init(&probe);
        probe.id = wire_id_data(&store_id);
        probe.action = arena_cstr(arena, STR("test"));
        reply.n_probes = 1;
        reply.probes = probes;
    }
    if (recall_next) {
        recall_next = false;
        sluice__recall__init(&recall);
        recall.counter = wire_id_data(&store_id);
        recall.keep = 9;
        reply.n_recalls = 1;
        reply.recalls = recalls;
    }
    if (quiet)
        usleep(20000); /* stands for the long poll */
    answer(request, arena, head, SLUICE__LINK_KIND__LINK_CHANGES_REPLY, &reply.base, now.step);
}

static void answer_usage(struct link_request *request, struct arena *arena, const struct frame *head)
{
    Sluice__UsageRequest *usage;
    Sluice__UsageAck ack;
    cr_assert_eq(frame_message(head, arena, &usage), ST_OK);
    sluice__usage_ack__init(&ack);
    ack.journal_boot = usage->batch->journal_boot;
    ack.through_seq = usage_through;
    uploads++;
    answer(request, arena, head, SLUICE__LINK_KIND__LINK_USAGE_REPLY, &ack.base, STEP_PART);
}

static void answer_objects(struct link_request *request, struct arena *arena, const struct frame *head)
{
    Sluice__ObjectRequest *objects;
    Sluice__ObjectReply reply;
    protobuf_c_boolean owned[64];
    cr_assert_eq(frame_message(head, arena, &objects), ST_OK);
    sluice__object_reply__init(&reply);
    for (size_t i = 0; i < objects->n_object_ids; i++)
        owned[i] = strncmp(objects->object_ids[i], "ours", 4) == 0;
    reply.n_owned = objects->n_object_ids;
    reply.owned = owned;
    questions++;
    answer(request, arena, head, SLUICE__LINK_KIND__LINK_OBJECT_REPLY, &reply.base, STEP_PART);
}

/* One row in reply, whose epoch says how many requests there were. */
static void answer_grants(struct link_request *request, struct arena *arena, const struct frame *head)
{
    Sluice__GrantsRequest *grants;
    Sluice__GrantsReply reply;
    Sluice__Grant grant, *rows[] = {&grant};
    cr_assert_eq(frame_message(head, arena, &grants), ST_OK);
    cr_expect_eq(grants->ended_boot, 5);
    grant_requests++;
    if (grants_silent) {
        link_request_drop(request);
        return;
    }
    sluice__grants_reply__init(&reply);
    sluice__grant__init(&grant);
    grant.counter = wire_id_data(&store_id);
    grant.epoch = grant_requests;
    reply.grants = rows;
    reply.n_grants = 1;
    answer(request, arena, head, SLUICE__LINK_KIND__LINK_GRANTS_REPLY, &reply.base, STEP_PART);
}

static void control_plane(void *arg, struct link_request *request)
{
    struct arena arena;
    struct frame head;
    (void)arg;
    arena_init(&arena, 64u << 20);
    pthread_mutex_lock(&lock);
    struct str key = secret_open(server_key);
    cr_assert_eq(frame_open(link_request_wire(request), (const uint8_t *)key.p, &head), ST_OK);
    secret_close(server_key);
    if (refuse_once && head.kind != SLUICE__LINK_KIND__LINK_CHANGES) {
        refuse_once = false;
        answer_error(request, &arena, &head, ST_CONFLICT);
    } else if (head.kind == SLUICE__LINK_KIND__LINK_HELLO) {
        Sluice__HelloReply reply;
        sluice__hello_reply__init(&reply);
        reply.store_id = wire_id_data(&store_id);
        hellos++;
        answer(request, &arena, &head, SLUICE__LINK_KIND__LINK_HELLO_REPLY, &reply.base, STEP_PART);
    } else if (head.kind == SLUICE__LINK_KIND__LINK_CHANGES) {
        answer_changes(request, &arena, &head);
    } else if (head.kind == SLUICE__LINK_KIND__LINK_USAGE) {
        answer_usage(request, &arena, &head);
    } else if (head.kind == SLUICE__LINK_KIND__LINK_OBJECT) {
        answer_objects(request, &arena, &head);
    } else if (head.kind == SLUICE__LINK_KIND__LINK_GRANTS) {
        answer_grants(request, &arena, &head);
    } else {
        Sluice__ProbeResultReply reply;
        sluice__probe_result_reply__init(&reply);
        reply.known = true;
        probe_results++;
        answer(request, &arena, &head, SLUICE__LINK_KIND__LINK_PROBE_RESULT_REPLY, &reply.base, STEP_PART);
    }
    pthread_mutex_unlock(&lock);
    arena_free(&arena);
}

/* --- what the courier does --------------------------------------------------------------------------- */

struct applied {
    size_t parts;
    uint64_t through;
    bool full, last;
};

static struct applied applied[64];
static size_t applied_count;
static uint64_t have_revision;
static struct id have_store;
static enum status apply_result;
static const char *apply_why;
static unsigned copies, probes_seen, acked_calls;
static _Atomic int revoked_state;
static _Atomic bool link_state;
static uint64_t acked_through;
static unsigned batches_left;
static enum status object_answers[4096];
static _Atomic unsigned object_answer_count;

static void on_hello(void *arg, const Sluice__HelloReply *reply)
{
    (void)arg;
    (void)reply;
}

static void on_position(void *arg, uint64_t *revision, struct id *store)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    *revision = have_revision;
    *store = have_store;
    pthread_mutex_unlock(&lock);
}

static void on_copy_begins(void *arg)
{
    (void)arg;
    copies++;
}

static enum status on_changes(void *arg, Sluice__ChangesReply *const *replies, size_t count, const char **refused,
                              uint64_t *refused_revision)
{
    (void)arg;
    const Sluice__ChangesReply *last = replies[count - 1];
    pthread_mutex_lock(&lock);
    enum status status = apply_result;
    if (status == ST_OK) {
        applied[applied_count++] = (struct applied){count, last->through_revision, last->full, !last->more};
        if (!last->more) {
            have_revision = last->through_revision;
            cr_assert_eq(id_from_bytes(wire_str(&last->store_id), &have_store), ST_OK);
        }
    } else {
        *refused = apply_why;
        *refused_revision = last->through_revision;
        apply_result = ST_OK;
    }
    pthread_mutex_unlock(&lock);
    return status;
}

static void on_health(void *arg, Sluice__NodeHealth *health)
{
    (void)arg;
    health->workers_ready = 3;
}

static void on_probe(void *arg, const Sluice__Probe *probe)
{
    (void)arg;
    Sluice__ProbeResult result;
    struct arena own;
    struct str packed;
    arena_init(&own, 1u << 20);
    sluice__probe_result__init(&result);
    result.id = probe->id;
    result.ok = strcmp(probe->action, "test") == 0;
    cr_assert_eq(wire_pack(&result, &own, &packed), ST_OK);
    probes_seen++;
    uplink_probe_result(uplink, packed);
    uplink_probe_result(uplink, STR("\xff malformed"));
    arena_free(&own);
}

static void on_contact(void *arg, int64_t utc_ms, uint64_t newest)
{
    (void)arg;
    (void)utc_ms;
    (void)newest;
}

static void on_state(void *arg, bool up)
{
    (void)arg;
    atomic_store(&link_state, up);
}

static void on_revoked(void *arg, bool revoked)
{
    (void)arg;
    atomic_store(&revoked_state, revoked ? 1 : 2);
}

static enum status on_usage_next(void *arg, struct arena *own, Sluice__UsageBatch **batch)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    unsigned left = batches_left;
    pthread_mutex_unlock(&lock);
    if (left == 0)
        return ST_END;
    Sluice__UsageBatch *out = arena_alloc(own, sizeof *out);
    sluice__usage_batch__init(out);
    out->journal_boot = 5;
    out->first_seq = 11;
    *batch = out;
    return ST_OK;
}

static void on_usage_acked(void *arg, uint64_t boot, uint64_t through)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    cr_expect_eq(boot, 5);
    acked_through = through;
    acked_calls++;
    batches_left--;
    pthread_mutex_unlock(&lock);
}

static _Atomic unsigned grants_wanted, grant_answers, grants_failed, recalls_seen;

static enum status on_grants_next(void *arg, struct arena *own, Sluice__GrantsRequest **request,
                                  unsigned *wait_ms)
{
    (void)arg;
    *wait_ms = 60000;
    if (atomic_load(&grants_wanted) == 0)
        return ST_END;
    atomic_fetch_sub(&grants_wanted, 1);
    *request = arena_alloc(own, sizeof **request);
    sluice__grants_request__init(*request);
    (*request)->ended_boot = 5;
    return ST_OK;
}

static void on_grants_answer(void *arg, int64_t sent_ms, const Sluice__GrantsRequest *request,
                             const Sluice__GrantsReply *reply)
{
    (void)arg;
    cr_expect_eq(request->ended_boot, 5);
    cr_expect_gt(sent_ms, 0);
    if (reply == NULL) {
        atomic_fetch_add(&grants_failed, 1);
        return;
    }
    cr_expect_eq(reply->n_grants, 1);
    atomic_fetch_add(&grant_answers, 1);
}

static void on_recall(void *arg, const Sluice__Recall *recall)
{
    (void)arg;
    cr_expect_eq(recall->keep, 9);
    atomic_fetch_add(&recalls_seen, 1);
}

static void on_object(void *arg, uint64_t tag, enum status status)
{
    (void)arg;
    object_answers[tag] = status;
    atomic_fetch_add(&object_answer_count, 1);
}

static const struct uplink_calls calls = {.hello = on_hello,
                                          .position = on_position,
                                          .copy_begins = on_copy_begins,
                                          .changes = on_changes,
                                          .health = on_health,
                                          .probe = on_probe,
                                          .contact = on_contact,
                                          .state = on_state,
                                          .revoked = on_revoked,
                                          .usage_next = on_usage_next,
                                          .usage_acked = on_usage_acked,
                                          .grants_next = on_grants_next,
                                          .grants_answer = on_grants_answer,
                                          .recall = on_recall,
                                          .object_answer = on_object};

static void setup(void)
{
    struct pki_pair ca, server_pair, client_pair;
    memset(store_id.b, 'A', sizeof store_id.b);
    memset(other_store.b, 'B', sizeof other_store.b);
    arena_init(&pki_arena, 8u << 20);
    cr_assert_eq(pki_make_ca(&pki_arena, "ca", &ca), ST_OK);
    cr_assert_eq(pki_make_server(&pki_arena, &ca, NULL, 0, &server_pair), ST_OK);
    cr_assert_eq(pki_make_client(&pki_arena, &ca, "node", &client_pair), ST_OK);
    const struct link_server_options options = {
        .url = "tls+tcp://127.0.0.1:0",
        .identity = {server_pair.cert_pem.p, server_pair.key_pem.p, ca.cert_pem.p},
        .handler = control_plane};
    cr_assert_eq(link_server_start(&options, &server), ST_OK);
    bundle.node = id_new();
    cr_assert_eq(secret_random(FRAME_KEY_BYTES, &bundle.node_key), ST_OK);
    cr_assert_eq(secret_new(FRAME_KEY_BYTES, &server_key), ST_OK);
    memcpy(secret_open_write(server_key), secret_open(bundle.node_key).p, FRAME_KEY_BYTES);
    secret_close(server_key);
    secret_close(bundle.node_key);
    cr_assert_eq(secret_new(client_pair.key_pem.n + 1, &bundle.key_pem), ST_OK);
    memcpy(secret_open_write(bundle.key_pem), client_pair.key_pem.p, client_pair.key_pem.n);
    secret_close(bundle.key_pem);
    bundle.cert_pem = strdup(client_pair.cert_pem.p);
    bundle.ca_pem = strdup(ca.cert_pem.p);
    snprintf(bundle.link_url, sizeof bundle.link_url, "tls+tcp://127.0.0.1:%u", link_server_port(server));
}

static void teardown(void)
{
    uplink_stop(uplink);
    link_server_stop(server);
}

static void begin(const struct script *rows, size_t count)
{
    static const struct uplink_config config = {.bundle = &bundle, .boot = 77, .workers = 3, .software = "test"};
    for (size_t i = 0; i < count; i++)
        script[i] = rows[i];
    script_count = count;
    cr_assert_eq(uplink_start(&config, &calls, &uplink), ST_OK);
}

#define WAIT_FOR(condition)                                                                        \
    do {                                                                                           \
        for (;;) {                                                                                 \
            pthread_mutex_lock(&lock);                                                             \
            bool reached_ = (condition);                                                           \
            pthread_mutex_unlock(&lock);                                                           \
            if (reached_)                                                                          \
                break;                                                                             \
            usleep(1000);                                                                          \
        }                                                                                          \
    } while (0)

#endif
