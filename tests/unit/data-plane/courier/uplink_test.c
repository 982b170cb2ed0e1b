/* uplink_test.c: the courier's conversation against a scripted control plane over a real link. */
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
    struct str right = secret_open(bundle.node_key);
    memcpy(key, right.p, sizeof key);
    secret_close(bundle.node_key);
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

static void control_plane(void *arg, struct link_request *request)
{
    struct arena arena;
    struct frame head;
    (void)arg;
    arena_init(&arena, 64u << 20);
    pthread_mutex_lock(&lock);
    struct str key = secret_open(bundle.node_key);
    cr_assert_eq(frame_open(link_request_wire(request), (const uint8_t *)key.p, &head), ST_OK);
    secret_close(bundle.node_key);
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

TestSuite(uplink, .init = setup, .fini = teardown, .timeout = 30);

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

Test(uplink, applies_a_feed_and_reports_where_it_stands)
{
    const struct script rows[] = {{.step = STEP_PART, .store = &store_id, .through = 7}};
    begin(rows, 1);
    WAIT_FOR(asked_count >= 3);
    cr_expect_eq(hellos, 1);
    cr_expect_eq(applied_count, 1);
    cr_expect_eq(applied[0].through, 7);
    cr_expect_eq(asked[0].have_revision, 0);
    cr_expect_eq(asked_store[0], 0);
    cr_expect_eq(asked[1].have_revision, 7);
    cr_expect_eq(asked_store[1], 'A');
    cr_expect_eq(asked[1].wait_ms, LINK_WAIT_MAX_MS);
    cr_expect(uplink_is_up(uplink));
    cr_expect(atomic_load(&link_state));
}

Test(uplink, stages_parts_and_applies_them_together)
{
    const struct script rows[] = {
        {.step = STEP_PART, .store = &store_id, .through = 3, .more = true, .cursor = 4},
        {.step = STEP_PART, .store = &store_id, .through = 5, .more = true, .cursor = 6},
        {.step = STEP_PART, .store = &store_id, .through = 9},
    };
    begin(rows, 3);
    WAIT_FOR(asked_count >= 4);
    cr_assert_eq(applied_count, 1);
    cr_expect_eq(applied[0].parts, 3);
    cr_expect_eq(applied[0].through, 9);
    cr_expect_eq(asked[1].cursor_revision, 4);
    cr_expect_eq(asked[1].wait_ms, 0);
    cr_expect_eq(asked[2].cursor_revision, 6);
    cr_expect_eq(asked[3].cursor_revision, 0);
    cr_expect_eq(asked[3].have_revision, 9);
}

Test(uplink, a_full_copy_is_applied_part_by_part)
{
    const struct script rows[] = {
        {.step = STEP_PART, .store = &store_id, .through = 3, .more = true, .full = true, .cursor = 4},
        {.step = STEP_PART, .store = &store_id, .through = 5, .more = true, .full = true, .cursor = 6},
        {.step = STEP_PART, .store = &store_id, .through = 9, .full = true},
    };
    begin(rows, 3);
    WAIT_FOR(asked_count >= 4);
    cr_assert_eq(applied_count, 3);
    cr_expect_eq(copies, 1);
    cr_expect(applied[0].full && !applied[0].last && applied[2].last);
    cr_expect_eq(asked[2].cursor_revision, 6);
    cr_expect_eq(asked[3].have_revision, 9);
}

Test(uplink, parts_of_another_store_or_mode_start_over)
{
    const struct script rows[] = {
        {.step = STEP_PART, .store = &store_id, .through = 3, .more = true, .cursor = 4},
        {.step = STEP_PART, .store = &other_store, .through = 5},                                       /* another store */
        {.step = STEP_PART, .store = &store_id, .through = 3, .more = true, .cursor = 4},
        {.step = STEP_PART, .store = &store_id, .through = 5, .full = true},                            /* another mode */
        {.step = STEP_PART, .store = &other_store, .through = 8, .full = true},
    };
    begin(rows, 5);
    WAIT_FOR(asked_count >= 6);
    cr_assert_eq(applied_count, 1);
    cr_expect_eq(applied[0].through, 8);
    cr_expect_eq(asked[2].cursor_revision, 0);
    cr_expect_eq(asked[4].cursor_revision, 0);
    cr_expect_eq(asked_store[5], 'B');
}

Test(uplink, a_refused_revision_is_told_until_a_newer_one_is_applied)
{
    const struct script rows[] = {
        {.step = STEP_PART, .store = &store_id, .through = 4},
        {.step = STEP_PART, .store = &store_id, .through = 5},
    };
    apply_result = ST_BAD_FORMAT;
    apply_why = "an enum of the future";
    begin(rows, 2);
    WAIT_FOR(asked_count >= 3);
    cr_expect_eq(asked[1].refused_revision, 4);
    cr_expect_str_eq(asked_refused[1], "an enum of the future");
    cr_expect_eq(asked[1].have_revision, 0);
    cr_expect_eq(asked[2].refused_revision, 0);
    cr_expect_eq(asked[2].have_revision, 5);
}

Test(uplink, what_could_not_be_written_is_asked_for_again)
{
    const struct script rows[] = {
        {.step = STEP_PART, .store = &store_id, .through = 4},
        {.step = STEP_PART, .store = &store_id, .through = 4},
    };
    apply_result = ST_STORE_FULL;
    begin(rows, 2);
    WAIT_FOR(applied_count >= 1);
    cr_expect_eq(asked[1].refused_revision, 0);
    cr_expect_eq(asked[1].have_revision, 0);
    cr_expect_eq(applied[0].through, 4);
}

Test(uplink, replies_that_are_not_ours_are_not_believed)
{
    const struct script rows[] = {
        {.step = STEP_WRONG_KEY, .store = &store_id, .through = 4},
        {.step = STEP_WRONG_COUNTER, .store = &store_id, .through = 5},
        {.step = STEP_PART, .store = &store_id, .through = 6},
    };
    begin(rows, 3);
    WAIT_FOR(applied_count >= 1);
    cr_expect_eq(applied[0].through, 6);
}

Test(uplink, a_repetition_is_sent_again_as_a_new_message)
{
    const struct script rows[] = {{.step = STEP_CONFLICT}, {.step = STEP_PART, .store = &store_id, .through = 6}};
    refuse_once = true; /* the hello */
    begin(rows, 2);
    WAIT_FOR(applied_count >= 1);
    cr_expect_eq(hellos, 1);
    cr_expect_eq(asked_count >= 2, true);
}

Test(uplink, a_removed_node_says_so)
{
    const struct script rows[] = {{.step = STEP_REVOKED}};
    begin(rows, 1);
    while (atomic_load(&revoked_state) != 1)
        usleep(1000);
    usleep(300000);
    cr_expect_eq(asked_count, 1, "a removed node asks every 30 s");
}

Test(uplink, probes_are_handed_on_and_answered)
{
    const struct script rows[] = {{.step = STEP_PART, .store = &store_id, .through = 1, .probe = true}};
    begin(rows, 1);
    WAIT_FOR(probe_results >= 1);
    cr_expect_eq(probes_seen, 1);
}

Test(uplink, usage_is_uploaded_until_none_is_left_and_when_told)
{
    usage_through = 20;
    batches_left = 3;
    begin(NULL, 0);
    WAIT_FOR(acked_calls == 3);
    cr_expect_eq(acked_through, 20);
    pthread_mutex_lock(&lock);
    batches_left = 1;
    pthread_mutex_unlock(&lock);
    uplink_usage_ready(uplink);
    WAIT_FOR(acked_calls == 4);
    cr_expect_eq(uploads, 4);
}

Test(uplink, an_ack_without_progress_is_no_ack)
{
    usage_through = 10; /* the batch begins at 11 */
    batches_left = 1;
    begin(NULL, 0);
    WAIT_FOR(uploads >= 2);
    cr_expect_eq(acked_calls, 0);
    pthread_mutex_lock(&lock);
    usage_through = 11;
    pthread_mutex_unlock(&lock);
    WAIT_FOR(acked_calls == 1);
}

static struct ipc_object question(const char *object)
{
    struct ipc_object query = {.org = store_id, .workspace = store_id, .provider = store_id};
    snprintf(query.object, sizeof query.object, "%s", object);
    snprintf(query.object_kind, sizeof query.object_kind, "file");
    return query;
}

Test(uplink, questions_are_answered_once_each)
{
    begin(NULL, 0);
    WAIT_FOR(hellos == 1);
    for (unsigned i = 0; i < 200; i++) {
        struct ipc_object query = question(i % 2 == 0 ? "ours-1" : "theirs-1");
        uplink_ask_object(uplink, i, &query);
    }
    while (atomic_load(&object_answer_count) < 200)
        usleep(1000);
    for (unsigned i = 0; i < 200; i++)
        cr_expect_eq(object_answers[i], i % 2 == 0 ? ST_OK : ST_NOT_FOUND);
    cr_expect_lt(questions, 200, "questions of one kind travel together");
    usleep(20000);
    cr_expect_eq(atomic_load(&object_answer_count), 200);
}

Test(uplink, without_a_link_questions_are_refused_at_once)
{
    snprintf(bundle.link_url, sizeof bundle.link_url, "tls+tcp://127.0.0.1:1");
    begin(NULL, 0);
    struct ipc_object query = question("ours-1");
    uplink_ask_object(uplink, 1, &query);
    while (atomic_load(&object_answer_count) < 1)
        usleep(1000);
    cr_expect_eq(object_answers[1], ST_CONTROL_AWAY);
    cr_expect_not(uplink_is_up(uplink));
}

/* The poll alone would last 35 s, longer than the suite may. */
Test(uplink, stop_ends_a_long_poll)
{
    const struct script rows[] = {{.step = STEP_SILENT}};
    begin(rows, 1);
    WAIT_FOR(asked_count == 1);
    uplink_stop(uplink);
    uplink = NULL;
}
