/* publish.c: answering the nodes, and waking those that wait.
 *
 *   message -> caller (record, key) -> frame verified -> revoked? -> counter new? -> by kind
 *   Changes without news -> parking -> answered by the server thread, or dropped
 *
 * The watcher thread hands the writer's revision to the parking table; the server thread answers
 * what becomes due there. A parked request's node is looked up again before it is answered: a
 * removal in between turns the answer into node_revoked.
 *
 * Must never: answer anything to a message whose MAC did not verify.
 */
#include "control-plane/publish/publish.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/wire.h"
#include "control-plane/ingest/ingest.h"
#include "control-plane/publish/caller.h"
#include "control-plane/publish/changes.h"
#include "control-plane/publish/lender.h"

#define PUBLISH_MAGIC       0x5075626cu
#define PUBLISH_ARENA_BYTES ((size_t)256 << 20) /* an unpacked request (128 MiB) and its answer */
#define PUBLISH_THREADS     16 /* an upload holds one while its commit is under way */
#define PUBLISH_WATCH_MS    250

struct publish {
    uint32_t magic;
    struct kv *kv;
    struct writer *writer;
    struct request_log *request_log;
    struct vault *vault;
    char *control_url;
    struct nodes *nodes;
    struct probes *probes;
    struct parking *parking;
    struct lender *lender;
    struct link_server *link;
    _Atomic uint64_t strangers;
    _Atomic int64_t stranger_logged_ms;
    pthread_t watcher, server;
    bool watching, serving; /* by the thread that starts and stops us */
};

struct publish_call {
    struct publish *publish;
    struct link_request *request;
    struct caller *caller;
    struct frame *frame;
    struct arena *arena;
};

/* --- changes ---------------------------------------------------------------------------------- */

/* Builds and sends the answer to a Changes request: news or none. */
static void publish_answer_changes(struct publish *publish, struct caller *caller,
                                   struct link_request *request, const struct frame *head,
                                   const Sluice__ChangesRequest *ask)
{
    Sluice__ChangesReply reply;
    struct kv_txn *txn;
    enum status status = kv_begin(publish->kv, false, &txn);
    if (status == ST_OK) {
        status = changes_build(publish->vault, txn, caller->node, ask, caller->arena, &reply);
        if (status == ST_OK)
            status = probes_attach(publish->probes, txn, &caller->id, &caller->group, caller->arena,
                                   &reply);
        if (status == ST_OK)
            status = recalls_attach(lender_recalls(publish->lender), &caller->id, caller->arena,
                                    &reply);
        if (status == ST_OK)
            caller_answer(caller, request, head, SLUICE__LINK_KIND__LINK_CHANGES_REPLY,
                          &reply.base);
        kv_abort(txn);
    }
    if (status != ST_OK) {
        log_error("publish_changes_failed", LOG_ID("node", &caller->id), LOG_STATUS(status));
        caller_refuse(caller, request, head, status);
    }
}

/* Answers a request that was parked. */
static void publish_serve(struct publish *publish, const struct parked *parked)
{
    struct arena arena;
    struct caller caller;
    if (parked->gone) {
        link_request_drop(parked->request);
        return;
    }
    arena_init(&arena, PUBLISH_ARENA_BYTES);
    if (caller_open(publish->kv, publish->vault, &parked->head.node, &arena, &caller) != ST_OK) {
        link_request_drop(parked->request);
    } else {
        Sluice__ChangesRequest ask;
        sluice__changes_request__init(&ask);
        ask.store_id = wire_id_data(&parked->store_id);
        ask.have_revision = parked->have_revision;
        if (caller.node->revoked) {
            nodes_forget(publish->nodes, &caller.id);
            caller_refuse(&caller, parked->request, &parked->head, ST_NODE_REVOKED);
        } else {
            publish_answer_changes(publish, &caller, parked->request, &parked->head, &ask);
        }
        caller_close(&caller);
    }
    arena_free(&arena);
}

/* Answers the node's parked request now, if it has one. */
static void publish_serve_node(struct publish *publish, const struct id *node)
{
    struct parked parked;
    if (parking_take(publish->parking, node, &parked) == ST_OK)
        publish_serve(publish, &parked);
}

static void *publish_server(void *arg)
{
    struct publish *publish = arg;
    struct parked parked;
    while (parking_wait(publish->parking, &parked) == ST_OK)
        publish_serve(publish, &parked);
    return NULL;
}

static void *publish_watcher(void *arg)
{
    struct publish *publish = arg;
    uint64_t seen = writer_revision(publish->writer);
    while (!parking_stopping(publish->parking)) {
        uint64_t newest = writer_wait_revision(publish->writer, seen, PUBLISH_WATCH_MS);
        if (newest > seen)
            nodes_committed(publish->nodes, newest);
        seen = newest;
        parking_news(publish->parking, newest);
    }
    return NULL;
}

static void publish_gone(void *arg, uint32_t peer)
{
    struct publish *publish = arg;
    nodes_gone(publish->nodes, peer);
    parking_gone(publish->parking, peer);
}

/* The newest revision that a node needs not be told: applied, or refused. */
static uint64_t publish_known(const Sluice__ChangesRequest *ask)
{
    return ask->refused_revision > ask->have_revision ? ask->refused_revision : ask->have_revision;
}

/* Parks a request without news, or with news that come too soon after the last wake. False: it must
 * be answered now. */
static bool publish_park(struct publish_call *call, const Sluice__ChangesRequest *ask,
                         const struct id *store_id, int64_t not_before_ms)
{
    uint32_t wait_ms = ask->wait_ms < LINK_WAIT_MAX_MS ? ask->wait_ms : LINK_WAIT_MAX_MS;
    const struct parked parked = {.request = call->request,
                                  .head = *call->frame,
                                  .store_id = *store_id,
                                  .have_revision = ask->have_revision,
                                  .known = publish_known(ask),
                                  .peer = link_request_peer(call->request),
                                  .deadline_ms = clock_mono_ms() + wait_ms,
                                  .not_before_ms = not_before_ms};
    return parking_add(call->publish->parking, &parked) == ST_OK;
}

/* --- requests by kind ------------------------------------------------------------------------- */

static enum status publish_position(struct publish *publish, struct id *store_id,
                                    uint64_t *revision)
{
    struct kv_txn *txn;
    TRY(kv_begin(publish->kv, false, &txn));
    enum status status = record_store_id(txn, store_id);
    if (status == ST_OK)
        status = record_revision(txn, revision);
    kv_abort(txn);
    return status;
}

static enum status publish_hello(struct publish_call *call)
{
    Sluice__Hello *hello;
    Sluice__HelloReply reply;
    struct id store_id;
    TRY(frame_message(call->frame, call->arena, &hello));
    if (hello->format_min > CHANGES_FORMAT || hello->format_max < CHANGES_FORMAT)
        return ST_BAD_FORMAT;
    nodes_hello(call->publish->nodes, &call->caller->id, hello->software);
    sluice__hello_reply__init(&reply);
    TRY(publish_position(call->publish, &store_id, &reply.revision));
    reply.store_id = wire_id_data(&store_id);
    reply.utc_ms = clock_utc_ms();
    reply.node_name = call->caller->node->name;
    reply.region = call->caller->node->region;
    reply.control_url = call->publish->control_url;
    reply.format = CHANGES_FORMAT;
    log_info("node_hello", LOG_ID("node", &call->caller->id),
             LOG_CSTR("name", call->caller->node->name), LOG_CSTR("software", hello->software));
    caller_answer(call->caller, call->request, call->frame, SLUICE__LINK_KIND__LINK_HELLO_REPLY,
                  &reply.base);
    return ST_OK;
}

/* Has this node something to be told that is no change? */
static bool publish_told(struct publish *publish, const struct id *node)
{
    return probes_waiting(publish->probes, node) ||
           recalls_waiting(lender_recalls(publish->lender), node);
}

static enum status publish_changes(struct publish_call *call)
{
    struct publish *publish = call->publish;
    Sluice__ChangesRequest *ask;
    struct id store_id;
    uint64_t newest;
    TRY(frame_message(call->frame, call->arena, &ask));
    TRY(publish_position(publish, &store_id, &newest));
    bool same_store = str_eq(wire_str(&ask->store_id), id_bytes(&store_id));
    nodes_report(publish->nodes, &call->caller->id, same_store, ask);
    bool fresh = same_store && ask->cursor_key.len == 0 && ask->have_revision <= newest;
    bool may_park = fresh && ask->wait_ms > 0 && link_request_may_park(call->request) &&
                    !publish_told(publish, &call->caller->id);
    if (may_park) {
        int64_t not_before_ms = nodes_wake(publish->nodes, &call->caller->id, PUBLISH_WAKE_MS);
        bool wait = newest <= publish_known(ask) || not_before_ms > clock_mono_ms();
        if (wait && publish_park(call, ask, &store_id, not_before_ms)) {
            /* Something may have been filed between the look and the parking. */
            if (publish_told(publish, &call->caller->id))
                publish_serve_node(publish, &call->caller->id);
            return ST_OK;
        }
    }
    publish_answer_changes(publish, call->caller, call->request, call->frame, ask);
    return ST_OK;
}

static enum status publish_usage(struct publish_call *call)
{
    Sluice__UsageRequest *request;
    Sluice__UsageAck ack;
    TRY(frame_message(call->frame, call->arena, &request));
    TRY(ingest_usage(call->publish->writer, call->publish->request_log, call->caller, request,
                     &ack));
    caller_answer(call->caller, call->request, call->frame, SLUICE__LINK_KIND__LINK_USAGE_REPLY,
                  &ack.base);
    return ST_OK;
}

static enum status publish_lend(struct publish_call *call)
{
    Sluice__GrantsRequest *request;
    Sluice__GrantsReply reply;
    TRY(frame_message(call->frame, call->arena, &request));
    TRY(lender_answer(call->publish->lender, call->frame, request, call->arena, &reply));
    caller_answer(call->caller, call->request, call->frame, SLUICE__LINK_KIND__LINK_GRANTS_REPLY,
                  &reply.base);
    return ST_OK;
}

static enum status publish_objects(struct publish_call *call)
{
    Sluice__ObjectRequest *request;
    Sluice__ObjectReply reply;
    TRY(frame_message(call->frame, call->arena, &request));
    TRY(ingest_objects(call->publish->kv, call->arena, request, &reply));
    caller_answer(call->caller, call->request, call->frame, SLUICE__LINK_KIND__LINK_OBJECT_REPLY,
                  &reply.base);
    return ST_OK;
}

static enum status publish_probe_result(struct publish_call *call)
{
    Sluice__ProbeResult *answer;
    Sluice__ProbeResultReply reply;
    TRY(frame_message(call->frame, call->arena, &answer));
    sluice__probe_result_reply__init(&reply);
    reply.known = probe_answer(call->publish->probes, &call->caller->id, answer);
    caller_answer(call->caller, call->request, call->frame,
                  SLUICE__LINK_KIND__LINK_PROBE_RESULT_REPLY, &reply.base);
    return ST_OK;
}

static enum status publish_dispatch(struct publish_call *call)
{
    static enum status (*const handlers[])(struct publish_call * call) = {
        [SLUICE__LINK_KIND__LINK_HELLO] = publish_hello,
        [SLUICE__LINK_KIND__LINK_CHANGES] = publish_changes,
        [SLUICE__LINK_KIND__LINK_USAGE] = publish_usage,
        [SLUICE__LINK_KIND__LINK_GRANTS] = publish_lend,
        [SLUICE__LINK_KIND__LINK_OBJECT] = publish_objects,
        [SLUICE__LINK_KIND__LINK_PROBE_RESULT] = publish_probe_result,
    };
    struct frame *frame = call->frame;
    if ((size_t)frame->kind >= COUNT_OF(handlers) || handlers[frame->kind] == NULL)
        return ST_BAD_FORMAT;
    TRY(nodes_admit(call->publish->nodes, &frame->node, frame->boot, frame->counter,
                    link_request_peer(call->request)));
    return handlers[frame->kind](call);
}

/* A message that nothing proves: counted, told in the log at most once a second, and not answered.
 */
static void publish_stranger(struct publish *publish, struct link_request *request, enum status why)
{
    int64_t now_ms = clock_mono_ms();
    int64_t logged_ms = atomic_load(&publish->stranger_logged_ms);
    uint64_t count = atomic_fetch_add(&publish->strangers, 1) + 1;
    if (now_ms - logged_ms >= 1000 &&
        atomic_compare_exchange_strong(&publish->stranger_logged_ms, &logged_ms, now_ms))
        log_warn("link_stranger", LOG_U64("count", count), LOG_STATUS(why));
    link_request_drop(request);
}

static void publish_handle(void *arg, struct link_request *request)
{
    struct publish *publish = arg;
    struct arena arena;
    struct frame frame;
    struct caller caller = {.key = NULL};
    struct id claimed;
    struct str wire = link_request_wire(request);
    arena_init(&arena, PUBLISH_ARENA_BYTES);
    enum status status = frame_peek(wire, &claimed);
    if (status == ST_OK)
        status = caller_open(publish->kv, publish->vault, &claimed, &arena, &caller);
    if (status == ST_OK)
        status = caller_verify(&caller, wire, &frame);
    if (status != ST_OK) {
        publish_stranger(publish, request, status);
    } else {
        struct publish_call call = {publish, request, &caller, &frame, &arena};
        status = caller.node->revoked ? ST_NODE_REVOKED : publish_dispatch(&call);
        if (status != ST_OK)
            caller_refuse(&caller, request, &frame, status);
        if (status == ST_NODE_REVOKED)
            nodes_forget(publish->nodes, &caller.id);
    }
    caller_close(&caller);
    arena_free(&arena);
}

/* --- probes ----------------------------------------------------------------------------------- */

static bool publish_may_probe(struct kv_txn *txn, struct arena *arena, const struct id *node,
                              const Sluice__Integration *integration)
{
    struct record_key key;
    Sluice__Node *row;
    struct id group;
    return record_locate(txn, SLUICE__KIND__KIND_NODE, &ID_NONE, node, &key) == ST_OK &&
           record_get(txn, &key, arena, &row, NULL) == ST_OK && wire_id(&row->group, &group) == ST_OK &&
           changes_reaches(txn, &group, arena, integration);
}

/* A connected node that may use the integration, the one seen last. ST_NOT_READY, ST_NOT_FOUND (the
 * integration). */
static enum status publish_pick(struct publish *publish, struct arena *arena,
                                const struct record_key *integration, struct id *node)
{
    struct node_live *list;
    struct kv_txn *txn;
    Sluice__Integration *record;
    size_t count;
    const struct node_live *best = NULL;
    TRY(nodes_list(publish->nodes, arena, &list, &count));
    TRY(kv_begin(publish->kv, false, &txn));
    enum status status = record_get(txn, integration, arena, &record, NULL);
    for (size_t i = 0; i < count && status == ST_OK; i++)
        if (list[i].connected && (best == NULL || list[i].last_seen_ms > best->last_seen_ms) &&
            publish_may_probe(txn, arena, &list[i].id, record))
            best = &list[i];
    kv_abort(txn);
    TRY(status);
    if (best == NULL)
        return ST_NOT_READY;
    *node = best->id;
    return ST_OK;
}

enum status publish_probe(struct publish *publish, const struct record_key *integration,
                          struct str unsaved, const char *action, unsigned wait_ms,
                          struct arena *arena, struct id *node, struct probe_result *result)
{
    CHECK_OBJ(publish, PUBLISH_MAGIC);
    struct id probe;
    TRY(publish_pick(publish, arena, integration, node));
    TRY(probe_ask(publish->probes, node, integration, unsaved, action, wait_ms, &probe));
    publish_serve_node(publish, node);
    return probe_wait(publish->probes, &probe, arena, result);
}

/* --- life ------------------------------------------------------------------------------------- */

static enum status publish_threads(struct publish *publish)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    publish->watching = pthread_create(&publish->watcher, NULL, publish_watcher, publish) == 0;
    publish->serving = pthread_create(&publish->server, NULL, publish_server, publish) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return publish->watching && publish->serving ? ST_OK : ST_NO_MEMORY;
}

enum status publish_start(const struct publish_options *options, struct publish **out)
{
    struct publish *publish = calloc(1, sizeof *publish);
    if (publish == NULL)
        return ST_NO_MEMORY;
    publish->magic = PUBLISH_MAGIC;
    publish->kv = options->kv;
    publish->writer = options->writer;
    publish->request_log = options->request_log;
    publish->vault = options->vault;
    publish->control_url = strdup(options->control_url);
    const struct link_server_options link = {.url = options->link_url,
                                             .identity = options->identity,
                                             .threads = PUBLISH_THREADS,
                                             .parked_max = NODES_MAX,
                                             .handler = publish_handle,
                                             .gone = publish_gone,
                                             .arg = publish};
    enum status status = publish->control_url != NULL ? ST_OK : ST_NO_MEMORY;
    if (status == ST_OK)
        status = nodes_new(&publish->nodes);
    if (status == ST_OK)
        status = probes_new(&publish->probes);
    if (status == ST_OK)
        status = parking_new(writer_revision(options->writer), &publish->parking);
    const struct lender_options lender = {options->kv, options->writer, publish->nodes,
                                          publish->parking, options->request_max_ms,
                                          options->node_lost_after_ms};
    if (status == ST_OK)
        status = lender_new(&lender, &publish->lender);
    if (status == ST_OK)
        status = publish_threads(publish);
    if (status == ST_OK)
        status = link_server_start(&link, &publish->link);
    if (status != ST_OK) {
        publish_stop(publish);
        return status;
    }
    *out = publish;
    return ST_OK;
}

void publish_stop(struct publish *publish)
{
    if (publish == NULL)
        return;
    CHECK_OBJ(publish, PUBLISH_MAGIC);
    link_server_stop(publish->link);
    if (publish->parking != NULL)
        parking_stop(publish->parking);
    if (publish->serving)
        pthread_join(publish->server, NULL);
    if (publish->watching)
        pthread_join(publish->watcher, NULL);
    publish->serving = publish->watching = false;
}

uint16_t publish_port(const struct publish *publish)
{
    CHECK_OBJ(publish, PUBLISH_MAGIC);
    return link_server_port(publish->link);
}

struct nodes *publish_nodes(struct publish *publish)
{
    CHECK_OBJ(publish, PUBLISH_MAGIC);
    return publish->nodes;
}

struct grants *publish_grants(struct publish *publish)
{
    CHECK_OBJ(publish, PUBLISH_MAGIC);
    return lender_grants(publish->lender);
}

uint64_t publish_strangers(const struct publish *publish)
{
    CHECK_OBJ(publish, PUBLISH_MAGIC);
    return atomic_load(&publish->strangers);
}
