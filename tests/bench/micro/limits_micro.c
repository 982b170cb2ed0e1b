/* limits_micro.c: what limits cost the control plane (README.md): CPU per granted row and per
 * ingested event, and admin writes beside a fleet that uploads and asks. */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/limit.h"
#include "common/wire.h"
#include "control-plane/ledger/counters.h"
#include "control-plane/ledger/grants.h"
#include "control-plane/ledger/ledger.h"
#include "tests/bench/histogram.h"

#define MUST(expr)                                                                                 \
    do {                                                                                           \
        enum status must_ = (expr);                                                                \
        if (must_ != ST_OK) {                                                                      \
            (void)fprintf(stderr, "%s: %s\n", #expr, status_row(must_)->code);                     \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

enum { ROWS = 6, KEYS = 200, NODES = 20, BATCH = 25, FLEET_EVENTS = 5000, SECONDS = 10 };

static struct {
    char path[256];
    struct kv *kv;
    struct writer *writer;
    struct grants *grants;
    struct id org, workspace, integration, provider, keys[KEYS];
} world;

static struct id id_of(uint8_t kind, unsigned n)
{
    struct id id = {{kind, (uint8_t)(n >> 8), (uint8_t)n}};
    return id;
}

/* --- entities: the key's limits, and those above it --- */

static char limits[] = "[{\"credit_limit\":1000000,\"periodic_reset\":\"monthly\"},"
                       "{\"type\":\"tokens\",\"credit_limit\":900000000000}]";
static char rates[] = "[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":100000000}]";

static enum status put_entities(struct write_op *op, void *arg)
{
    (void)arg;
    struct write_audit audit = {.action = "create", .resource_type = "bench"};
    struct record_key key = {SLUICE__KIND__KIND_ORGANISATION, world.org, ID_NONE, world.org};
    Sluice__Organisation org = SLUICE__ORGANISATION__INIT;
    Sluice__Workspace workspace = SLUICE__WORKSPACE__INIT;
    Sluice__Integration integration = SLUICE__INTEGRATION__INIT;
    Sluice__Provider provider = SLUICE__PROVIDER__INIT;
    writer_audit(op, &audit);
    TRY(record_put(op, &key, &org, STR("bench")));
    key = (struct record_key){SLUICE__KIND__KIND_WORKSPACE, world.org, ID_NONE, world.workspace};
    workspace.usage_limits_json = limits;
    TRY(record_put(op, &key, &workspace, STR("bench")));
    key =
        (struct record_key){SLUICE__KIND__KIND_INTEGRATION, world.org, ID_NONE, world.integration};
    integration.usage_limits_json = limits;
    TRY(record_put(op, &key, &integration, STR("bench")));
    key = (struct record_key){SLUICE__KIND__KIND_PROVIDER, world.org, world.workspace,
                              world.provider};
    provider.usage_limits_json = limits;
    TRY(record_put(op, &key, &provider, STR("bench")));
    for (unsigned i = 0; i < KEYS; i++) {
        Sluice__ApiKey row = SLUICE__API_KEY__INIT;
        char hash[33];
        (void)snprintf(hash, sizeof hash, "%032u", i);
        key = (struct record_key){SLUICE__KIND__KIND_API_KEY, world.org, world.workspace,
                                  world.keys[i]};
        row.usage_limits_json = limits;
        row.rate_limits_json = rates;
        TRY(record_put(op, &key, &row, str_of(hash, 32)));
    }
    return ST_OK;
}

static bool reachable(void *arg, const struct id *node, uint64_t boot)
{
    (void)arg;
    (void)node;
    return boot != 0;
}

static void recall(void *arg, const struct grants_recall *recalls, size_t count)
{
    (void)arg;
    (void)recalls;
    (void)count;
}

static void open_world(void)
{
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(world.path, sizeof world.path, "%s/sluice-limits-XXXXXX",
                   tmp == NULL ? "/tmp" : tmp);
    if (mkdtemp(world.path) == NULL)
        exit(1);
    world.org = id_of(1, 0), world.workspace = id_of(2, 0);
    world.integration = id_of(3, 0), world.provider = id_of(4, 0);
    for (unsigned i = 0; i < KEYS; i++)
        world.keys[i] = id_of(5, i);
    MUST(kv_open(world.path, &(struct kv_options){.map_bytes = UINT64_C(8) << 30}, &world.kv));
    MUST(writer_start(world.kv, &world.writer));
    struct arena arena;
    arena_init(&arena, (size_t)64 << 20);
    MUST(writer_run(world.writer, NULL, &arena, put_entities, NULL, NULL));
    arena_free(&arena);
    const struct grants_options options = {.kv = world.kv,
                                           .writer = world.writer,
                                           .reachable = reachable,
                                           .recall = recall,
                                           .request_max_ms = 900000,
                                           .node_lost_after_ms = 86400000};
    MUST(grants_new(&options, &world.grants));
}

static void close_world(void)
{
    char name[600];
    struct dirent *entry;
    grants_free(world.grants);
    writer_stop(world.writer);
    kv_close(world.kv);
    DIR *dir = opendir(world.path);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        (void)snprintf(name, sizeof name, "%s/%s", world.path, entry->d_name);
        (void)unlink(name);
    }
    if (dir != NULL)
        (void)closedir(dir);
    (void)rmdir(world.path);
}

/* --- a node's messages: six counters per attempt --- */

struct node {
    struct id id;
    uint64_t frames, seq;
    unsigned key; /* whose requests it carries now */
    uint64_t epochs[KEYS][ROWS], granted[KEYS][ROWS];
};

static struct limit_ref ref_of(unsigned key, unsigned row)
{
    struct limit_ref refs[ROWS] = {{.level = LIMIT_INTEGRATION,
                                    .measure = LIMIT_COST,
                                    .window = LIMIT_BUDGET,
                                    .entity = world.integration},
                                   {.level = LIMIT_WORKSPACE,
                                    .measure = LIMIT_COST,
                                    .window = LIMIT_BUDGET,
                                    .entity = world.workspace},
                                   {.level = LIMIT_PROVIDER,
                                    .measure = LIMIT_COST,
                                    .window = LIMIT_BUDGET,
                                    .entity = world.provider},
                                   {.level = LIMIT_KEY,
                                    .measure = LIMIT_COST,
                                    .window = LIMIT_BUDGET,
                                    .entity = world.keys[key]},
                                   {.level = LIMIT_KEY,
                                    .measure = LIMIT_TOKENS,
                                    .window = LIMIT_BUDGET,
                                    .entity = world.keys[key]},
                                   {.level = LIMIT_KEY,
                                    .measure = LIMIT_REQUESTS,
                                    .window = LIMIT_MINUTE,
                                    .entity = world.keys[key]}};
    refs[row].org = world.org;
    return refs[row];
}

struct ask {
    Sluice__GrantsRequest request;
    Sluice__Grant rows[ROWS], *at[ROWS];
    Sluice__CounterRef refs[ROWS];
    struct limit_ref names[ROWS];
    struct id counters[ROWS];
};

static void fill_ask(struct node *node, struct ask *ask)
{
    ask->request = (Sluice__GrantsRequest)SLUICE__GRANTS_REQUEST__INIT;
    for (unsigned i = 0; i < ROWS; i++) {
        struct limit_ref *ref = &ask->names[i];
        *ref = ref_of(node->key, i);
        limit_counter_id(ref, &ask->counters[i]);
        ask->rows[i] = (Sluice__Grant)SLUICE__GRANT__INIT;
        ask->rows[i].counter = wire_id_data(&ask->counters[i]);
        ask->rows[i].epoch = node->epochs[node->key][i];
        ask->rows[i].granted = node->granted[node->key][i];
        ask->rows[i].spent = i == 5 ? node->granted[node->key][i] : 0;
        ask->rows[i].need = 100;
        ask->rows[i].wanted = 10000;
        ask->refs[i] = (Sluice__CounterRef)SLUICE__COUNTER_REF__INIT;
        ask->refs[i].org = wire_id_data(&ref->org);
        ask->refs[i].level = ref->level;
        ask->refs[i].entity = wire_id_data(&ref->entity);
        ask->refs[i].workspace = wire_id_data(&world.workspace);
        ask->refs[i].measure = ref->measure;
        ask->refs[i].window = ref->window;
        if (ref->level <= LIMIT_WORKSPACE)
            ask->refs[i].workspace = (ProtobufCBinaryData){0};
        ask->rows[i].ref = ask->rows[i].epoch == 0 ? &ask->refs[i] : NULL;
        ask->at[i] = &ask->rows[i];
    }
    ask->request.grants = ask->at;
    ask->request.n_grants = ROWS;
}

static void take(struct node *node, const Sluice__GrantsReply *reply)
{
    for (unsigned i = 0; i < ROWS && i < reply->n_grants; i++) {
        node->epochs[node->key][i] = reply->grants[i]->epoch;
        node->granted[node->key][i] = reply->grants[i]->granted;
    }
}

struct upload {
    Sluice__UsageBatch batch;
    Sluice__UsageEvent events[500], *at[500];
    Sluice__Reserve reserves[500][ROWS], *reserve_at[500][ROWS];
    Sluice__UsageCount counts[2], *counts_at[2];
    struct id counters[ROWS];
    uint8_t attempts[500][LEDGER_ATTEMPT_BYTES];
};
static char model[] = "gpt-4o-mini-2024-07-18", operation[] = "chat_completions";

static void fill_upload(struct node *node, struct upload *up, size_t count)
{
    up->batch = (Sluice__UsageBatch)SLUICE__USAGE_BATCH__INIT;
    for (unsigned i = 0; i < ROWS; i++) {
        struct limit_ref ref = ref_of(node->key, i);
        limit_counter_id(&ref, &up->counters[i]);
    }
    for (size_t e = 0; e < count; e++) {
        Sluice__UsageEvent *event = &up->events[e];
        *event = (Sluice__UsageEvent)SLUICE__USAGE_EVENT__INIT;
        memset(up->attempts[e], 1, LEDGER_ATTEMPT_BYTES);
        memcpy(up->attempts[e], node->id.b, ID_BYTES);
        event->attempt_id = (ProtobufCBinaryData){LEDGER_ATTEMPT_BYTES, up->attempts[e]};
        event->seq = node->seq + e + 1;
        event->at_ms = clock_utc_ms();
        event->org = wire_id_data(&world.org);
        event->workspace = wire_id_data(&world.workspace);
        event->integration = wire_id_data(&world.integration);
        event->provider = wire_id_data(&world.provider);
        event->api_key = wire_id_data(&world.keys[node->key]);
        event->operation = operation;
        event->model = event->priced_model = model;
        event->source = SLUICE__USAGE_SOURCE__USAGE_SOURCE_PROVIDER;
        event->http_status = 200;
        event->input_tokens = 1200, event->output_tokens = 300;
        event->cost_nanousd = event->charge_nanousd = 480000;
        event->duration_us = 1800000, event->first_byte_us = 400000;
        for (unsigned i = 0; i < ROWS; i++) {
            up->reserves[e][i] = (Sluice__Reserve)SLUICE__RESERVE__INIT;
            up->reserves[e][i].counter = wire_id_data(&up->counters[i]);
            up->reserves[e][i].epoch = node->epochs[node->key][i];
            up->reserves[e][i].amount = i == 4 ? 1500 : 480000;
            up->reserve_at[e][i] = &up->reserves[e][i];
        }
        event->n_reserves = ROWS - 1; /* of a rate nothing is settled */
        event->reserves = up->reserve_at[e];
        up->at[e] = event;
    }
    up->batch.journal_boot = 1;
    up->batch.first_seq = node->seq + 1;
    up->batch.events = up->at;
    up->batch.n_events = count;
}

/* --- CPU of one step, without commits --- */

static int64_t cpu_ns(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const char *name, unsigned units, bool uploads)
{
    enum { ROUNDS = 15, RUNS = 40 };
    static struct node node;
    static struct upload up;
    struct ask ask;
    double ns[ROUNDS];
    struct arena arena;
    arena_init(&arena, (size_t)64 << 20);
    node.id = id_of(9, uploads);
    for (unsigned round = 0; round < ROUNDS; round++) {
        int64_t spent_ns = 0;
        struct kv_txn *txn;
        MUST(kv_begin(world.kv, true, &txn));
        for (unsigned run = 0; run < RUNS; run++) {
            struct write_op op = {.txn = txn, .arena = &arena, .now_ms = clock_utc_ms()};
            struct grants_asker asker = {node.id, 1, ++node.frames};
            Sluice__GrantsReply reply;
            struct grants_work work = {
                .grants = world.grants, .asker = &asker, .request = &ask.request, .reply = &reply};
            uint64_t through;
            node.key = run % KEYS;
            fill_ask(&node, &ask);
            fill_upload(&node, &up, units);
            int64_t begin_ns = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
            if (uploads)
                MUST(ledger_ingest_op(&op, &node.id, &up.batch, &through));
            else
                MUST(grants_answer_op(&op, &work));
            spent_ns += cpu_ns(CLOCK_THREAD_CPUTIME_ID) - begin_ns;
            if (uploads)
                node.seq = through;
            else
                take(&node, &reply);
            arena_free(&arena);
        }
        MUST(kv_commit(txn));
        ns[round] = (double)spent_ns / RUNS / units;
    }
    qsort(ns, ROUNDS, sizeof ns[0], compare);
    printf("{\"step\":\"%s\",\"ns\":%.0f}\n", name, ns[ROUNDS / 2]);
}

/* --- a fleet, and admins beside --- */

static _Atomic bool stop;
static _Atomic uint64_t uploaded, granted_rows;

static void *run_node(void *arg)
{
    const int64_t gap_ns = INT64_C(1000000000) * BATCH * NODES / FLEET_EVENTS;
    struct node *node = arg;
    struct upload *up = calloc(1, sizeof *up);
    struct ask ask;
    struct arena arena;
    int64_t next_ns = clock_mono_ns();
    arena_init(&arena, (size_t)64 << 20);
    while (up != NULL && !stop) {
        Sluice__GrantsReply reply;
        struct grants_asker asker = {node->id, 1, ++node->frames};
        uint64_t through;
        node->key = (node->key + 1) % KEYS;
        fill_ask(node, &ask);
        MUST(grants_answer(world.grants, &asker, &ask.request, &arena, &reply));
        take(node, &reply);
        granted_rows += ROWS;
        fill_upload(node, up, BATCH);
        MUST(ledger_ingest(world.writer, &node->id, &up->batch, &through));
        node->seq = through;
        uploaded += BATCH;
        arena_free(&arena);
        next_ns += gap_ns;
        int64_t wait_ns = next_ns - clock_mono_ns();
        if (wait_ns > 0) {
            const struct timespec pause = {wait_ns / 1000000000, wait_ns % 1000000000};
            (void)nanosleep(&pause, NULL);
        }
    }
    free(up);
    return NULL;
}

static enum status admin_write(struct write_op *op, void *arg)
{
    struct write_audit audit = {.action = "update", .resource_type = "provider"};
    struct record_key key = {SLUICE__KIND__KIND_PROVIDER, world.org, world.workspace,
                             world.provider};
    Sluice__Provider provider = SLUICE__PROVIDER__INIT;
    (void)arg;
    provider.usage_limits_json = limits;
    writer_audit(op, &audit);
    return record_put(op, &key, &provider, STR("bench"));
}

static void fleet(bool beside)
{
    static struct node nodes[NODES];
    static struct histogram times;
    pthread_t threads[NODES];
    struct arena arena;
    uint64_t used_before, used_after, map;
    arena_init(&arena, (size_t)1 << 20);
    memset(&times, 0, sizeof times);
    kv_usage(world.kv, &used_before, &map);
    int64_t cpu_begin_ns = cpu_ns(CLOCK_PROCESS_CPUTIME_ID), begin_ns = clock_mono_ns();
    for (unsigned i = 0; i < NODES && beside; i++) {
        nodes[i].id = id_of(8, i);
        nodes[i].key = i * 7;
        if (pthread_create(&threads[i], NULL, run_node, &nodes[i]) != 0)
            exit(1);
    }
    while (clock_mono_ns() - begin_ns < INT64_C(1000000000) * SECONDS) {
        const struct timespec pause = {0, 5000000};
        int64_t at_ns = clock_mono_ns();
        MUST(writer_run(world.writer, NULL, &arena, admin_write, NULL, NULL));
        histogram_add(&times, (uint64_t)(clock_mono_ns() - at_ns));
        arena_free(&arena);
        (void)nanosleep(&pause, NULL);
    }
    double seconds = (double)(clock_mono_ns() - begin_ns) / 1e9;
    stop = true;
    for (unsigned i = 0; i < NODES && beside; i++)
        (void)pthread_join(threads[i], NULL);
    stop = false;
    int64_t cpu = cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_begin_ns;
    kv_usage(world.kv, &used_after, &map);
    uint64_t events = uploaded > 0 ? uploaded : 1;
    printf(
        "{\"step\":\"%s\",\"events_per_s\":%.0f,\"granted_rows_per_s\":%.0f,\"admin_p50_ms\":%.2f,"
        "\"admin_p99_ms\":%.2f,\"admin_writes\":%lu,\"cpu_us_per_event\":%.1f,\"bytes_per_event\":%"
        ".0f}\n",
        beside ? "admin_beside_fleet" : "admin_alone", (double)uploaded / seconds,
        (double)granted_rows / seconds, (double)histogram_at(&times, 500) / 1e6,
        (double)histogram_at(&times, 990) / 1e6, (unsigned long)times.count,
        beside ? (double)cpu / 1000 / (double)events : 0,
        beside ? (double)(used_after - used_before) / (double)events : 0);
}

int main(void)
{
    open_world();
    measure("grant_row", ROWS, false);
    measure("ingest_event_of_25", BATCH, true);
    measure("ingest_event_of_500", 500, true);
    fleet(false);
    fleet(true);
    close_world();
    return 0;
}
