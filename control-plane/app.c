/* app.c: starting and stopping sluice-control.
 *
 * Each part is started when what it needs is there and stopped before what it needs goes. Nothing
 * listens before the store is open and the catalog is in it, so a first request never meets a
 * half-made state. A fault at start ends the process with one sentence: there is no half-started
 * control plane.
 */
#include "control-plane/app.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "control-plane/api/deleted.h"
#include "control-plane/api/dispatch.h"
#include "control-plane/api/idempotency.h"
#include "control-plane/auth/session.h"
#include "control-plane/auth/throttle.h"
#include "control-plane/domain/catalog_sync.h"
#include "control-plane/domain/key_rotation.h"
#include "control-plane/home.h"
#include "control-plane/operator.h"
#include "control-plane/http/server.h"
#include "control-plane/http/static.h"
#include "control-plane/http/tls_front.h"
#include "control-plane/ledger/keep.h"
#include "control-plane/logs/request_log.h"
#include "control-plane/publish/publish.h"
#include "control-plane/store/trash.h"

#define APP_MAGIC       0x41505001u
#define APP_TIMEOUT_MS  5000
#define APP_PURGE_ROWS  1000
#define APP_KEEP_RUN_MS 3000 /* a signal waits for it */
#define APP_THREADS_MIN 4
#define APP_THREADS_MAX 128

struct app {
    uint32_t magic;
    struct home home;
    struct request_log *request_log; /* NULL: none is kept */
    struct publish *publish;
    struct operator* operator_socket;
    struct static_files *console;
    struct tls_front *front; /* NULL: plain HTTP */
    struct server *server;
    struct throttle *throttle;
    int64_t tombstone_keep_ms;
    struct keep_options keep;
    struct api api;
};

/* The folder that was given, or the first of `places` (from the program's own) that is there. */
static enum status find_folder(struct str given, const char *const *places, size_t count,
                               char path[HOME_PATH_MAX])
{
    char exe[HOME_PATH_MAX / 2];
    if (given.n > 0)
        return snprintf(path, HOME_PATH_MAX, STR_FMT, STR_ARG(given)) < HOME_PATH_MAX
                   ? ST_OK
                   : ST_TOO_LARGE;
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    if (n <= 0)
        return ST_IO;
    exe[n] = '\0';
    *strrchr(exe, '/') = '\0';
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(path, HOME_PATH_MAX, "%s/%s", exe, places[i]);
        if (access(path, R_OK) == 0)
            return ST_OK;
    }
    return ST_NOT_FOUND;
}

/* catalog_dir, or the folder beside an installed or a built program. */
static enum status find_catalog(const struct params *params, char path[HOME_PATH_MAX])
{
    static const char *const places[] = {"../share/sluice/catalog-data",
                                         "../../../control-plane/catalog-data"};
    return find_folder(params_str(params, PARAM_CATALOG_DIR), places, COUNT_OF(places), path);
}

/* console_dir, or the folder beside an installed program; without one there is no console. */
static void open_console(struct app *app, const struct params *params)
{
    static const char *const places[] = {"../share/sluice/console"};
    struct str given = params_str(params, PARAM_CONSOLE_DIR);
    char path[HOME_PATH_MAX];
    if (find_folder(given, places, COUNT_OF(places), path) != ST_OK)
        return;
    if (static_open(path, params_str(params, PARAM_PUBLIC_GATEWAY_URL), &app->console) != ST_OK)
        log_warn("console_missing", LOG_CSTR("folder", path));
}

static enum status load_catalog(struct app *app, const struct params *params, struct buf *why)
{
    struct catalog_sync_result result;
    struct builtin_error error = {.line = 0};
    char path[HOME_PATH_MAX];
    enum status status = find_catalog(params, path);
    if (status != ST_OK) {
        buf_printf(why, "the built-in catalog is not found: set catalog_dir");
        return status;
    }
    status = catalog_sync(app->home.writer, path, &result, &error);
    if (status != ST_OK)
        buf_printf(why, "catalog %s, line %zu: %s", error.file, error.line, error.what);
    else
        log_info("catalog_loaded", LOG_U64("rows", result.rows), LOG_U64("written", result.written),
                 LOG_U64("removed", result.removed));
    return status;
}

static void free_identity(struct secret *pems[3])
{
    for (size_t i = 0; i < 3; i++) {
        if (pems[i] != NULL)
            secret_close(pems[i]);
        secret_free(pems[i]);
    }
}

static enum status start_link(struct app *app, const struct params *params, struct buf *why)
{
    static const char *const files[3] = {"link/server.pem", "link/server.key", "link/ca.pem"};
    struct secret *pems[3] = {NULL, NULL, NULL};
    const char *texts[3];
    char url[PARAMS_VALUE_MAX + 32];
    enum status status = ST_OK;
    for (size_t i = 0; i < 3 && status == ST_OK; i++) {
        status = home_read_pem(params, files[i], &pems[i]);
        if (status == ST_OK)
            texts[i] = secret_open(pems[i]).p;
        else
            buf_printf(why, "cannot read %s below data_dir", files[i]);
    }
    if (status == ST_OK) {
        struct str bind = params_str(params, PARAM_LINK_BIND),
                   control = params_str(params, PARAM_CONTROL_URL);
        bool v6 = str_find_char(bind, ':') >= 0;
        (void)snprintf(url, sizeof(url), v6 ? "tls+tcp://[%.*s]:%u" : "tls+tcp://%.*s:%u",
                       STR_ARG(bind), (unsigned)params_u64(params, PARAM_LINK_PORT));
        struct publish_options options = {.kv = app->home.kv,
                                          .writer = app->home.writer,
                                          .vault = app->home.vault,
                                          .request_log = app->request_log,
                                          .link_url = url,
                                          .identity = {texts[0], texts[1], texts[2]},
                                          .control_url = control.p,
                                          .request_max_ms = (int64_t)params_u64(
                                              params, PARAM_REQUEST_TIMEOUT),
                                          .node_lost_after_ms = (int64_t)params_u64(
                                              params, PARAM_NODE_LOST_AFTER)};
        status = publish_start(&options, &app->publish);
        if (status != ST_OK)
            buf_printf(why, "cannot listen for data planes on %s: %s", url,
                       status_row(status)->text);
    }
    free_identity(pems);
    return status;
}

/* With tls_cert: the front takes the addresses, and the plain listener a free port on loopback; and
 * at a reload its certificate and key are read anew. */
static enum status start_front(struct app *app, const struct params *params, struct buf *why)
{
    struct str cert = params_str(params, PARAM_TLS_CERT);
    struct secret *key = NULL;
    char path[PARAMS_VALUE_MAX + 1];
    int fd = -1;
    if (cert.n == 0)
        return ST_OK;
    enum status status = params_secret(params, PARAM_TLS_KEY, &fd, path);
    if (status == ST_OK)
        status = fd >= 0 ? secret_read_fd(fd, 0, &key) : secret_read_file(path, 0, &key);
    if (status != ST_OK) {
        buf_printf(why, "tls_cert needs tls_key, a file that others cannot read: %s",
                   status_row(status)->text);
        return status;
    }
    struct tls_front_options options = {.addresses = params_str(params, PARAM_CONTROL_BIND),
                                        .port = (uint16_t)params_u64(params, PARAM_CONTROL_PORT),
                                        .cert_path = cert.p,
                                        .key_pem = key};
    status = app->front == NULL ? tls_front_start(&options, &app->front)
                                : tls_front_reload(app->front, &options);
    secret_free(key);
    if (status != ST_OK)
        buf_printf(why, "TLS of the admin listener: %s",
                   status == ST_INVALID ? "certificate, key or address is not valid"
                                        : "cannot listen");
    return status;
}

/* Never a reason not to start: the log is a convenience, the rest is money. */
static void start_request_log(struct app *app, const struct params *params)
{
    char path[HOME_PATH_MAX];
    if (!params_bool(params, PARAM_REQUEST_LOG))
        return;
    home_path(params, "logs", path);
    const struct request_log_options options = {
        .path = path,
        .map_bytes = params_u64(params, PARAM_REQUEST_LOG_MAP),
        .keep_ms = (int64_t)params_u64(params, PARAM_REQUEST_LOG_KEEP)};
    enum status status = request_log_open(&options, &app->request_log);
    if (status != ST_OK)
        log_error("request_log_not_opened", LOG_STATUS(status), LOG_CSTR("folder", path));
}

static enum status start_server(struct app *app, const struct params *params, struct buf *why)
{
    uint64_t threads = params_u64(params, PARAM_CONTROL_THREADS);
    app->throttle = throttle_new();
    if (app->throttle == NULL)
        return ST_NO_MEMORY;
    TRY(start_front(app, params, why));
    open_console(app, params);
    app->api = (struct api){.kv = app->home.kv,
                            .writer = app->home.writer,
                            .vault = app->home.vault,
                            .publish = app->publish,
                            .request_log = app->request_log,
                            .console = app->console,
                            .private_upstreams = params_str(params, PARAM_PRIVATE_UPSTREAMS),
                            .gateway_url = params_str(params, PARAM_PUBLIC_GATEWAY_URL),
                            .ignore_guardrails = params_bool(params, PARAM_IGNORE_GUARDRAILS),
                            .control_url = params_str(params, PARAM_CONTROL_URL),
                            .throttle = app->throttle,
                            .session_ttl_ms = (int64_t)params_u64(params, PARAM_SESSION_TTL),
                            .hours_keep_ms = (int64_t)params_u64(params, PARAM_HOURS_KEEP),
                            .started_ms = clock_utc_ms()};
    struct str address =
        app->front != NULL ? STR("127.0.0.1") : params_str(params, PARAM_CONTROL_BIND);
    struct server_options options = {
        .addresses = address,
        .port = app->front != NULL ? 0 : (uint16_t)params_u64(params, PARAM_CONTROL_PORT),
        .threads = (unsigned)(threads < APP_THREADS_MIN   ? APP_THREADS_MIN
                              : threads > APP_THREADS_MAX ? APP_THREADS_MAX
                                                          : threads),
        .timeout_ms = APP_TIMEOUT_MS,
        .insecure_bind = params_bool(params, PARAM_INSECURE_BIND),
        .body_max = dispatch_body_max,
        .handle = dispatch_handle,
        .peer_of = tls_front_peer,
        .peers = app->front,
        .arg = &app->api,
    };
    enum status status = server_start(&options, &app->server);
    if (status == ST_FORBIDDEN)
        buf_printf(why,
                   STR_FMT
                   " is not a loopback address: give tls_cert and tls_key, or --insecure-bind",
                   STR_ARG(address));
    else if (status != ST_OK)
        buf_printf(why, "cannot listen on " STR_FMT " port %u", STR_ARG(address), options.port);
    if (status == ST_OK && app->front != NULL)
        status = tls_front_serve(app->front, server_port(app->server));
    return status;
}

static enum status start_operator(struct app *app, const struct params *params, struct buf *why)
{
    enum status status = operator_start(params, &app->home, publish_nodes(app->publish),
                                        publish_port(app->publish), &app->operator_socket);
    if (status != ST_OK)
        buf_printf(why, "cannot listen on operator.sock below data_dir: %s",
                   status_row(status)->text);
    return status;
}

enum status app_start(const struct params *params, struct app **out, struct buf *why)
{
    struct app *app = calloc(1, sizeof(*app));
    if (app == NULL)
        return ST_NO_MEMORY;
    app->magic = APP_MAGIC;
    app->tombstone_keep_ms = (int64_t)params_u64(params, PARAM_TOMBSTONE_KEEP);
    app->keep = (struct keep_options){
        .entries_ms = (int64_t)params_u64(params, PARAM_LEDGER_KEEP),
        .hours_ms = (int64_t)params_u64(params, PARAM_HOURS_KEEP),
        .days_ms = (int64_t)params_u64(params, PARAM_DAYS_KEEP)};
    enum status status = home_open(params, &app->home, why);
    if (status == ST_OK)
        status = load_catalog(app, params, why);
    if (status == ST_OK)
        start_request_log(app, params);
    if (status == ST_OK)
        status = start_link(app, params, why);
    if (status == ST_OK)
        status = start_server(app, params, why);
    if (status == ST_OK)
        status = start_operator(app, params, why);
    if (status != ST_OK) {
        app_stop(app);
        return status;
    }
    atomic_store(&app->api.ready, true);
    *out = app;
    return ST_OK;
}

void app_stop(struct app *app)
{
    if (app == NULL)
        return;
    CHECK_OBJ(app, APP_MAGIC);
    atomic_store(&app->api.ready, false);
    operator_stop(app->operator_socket);
    tls_front_stop(app->front);
    server_stop(app->server);
    throttle_free(app->throttle);
    static_close(app->console);
    publish_stop(app->publish);
    request_log_close(app->request_log);
    home_close(&app->home);
    app->magic = 0;
    free(app);
}

uint16_t app_control_port(const struct app *app)
{
    return app->front != NULL ? tls_front_port(app->front) : server_port(app->server);
}

uint16_t app_link_port(const struct app *app)
{
    return publish_port(app->publish);
}

/* --- upkeep */

struct purge {
    int64_t before_ms;
    struct record_key last;
    struct key place;
    bool left;
};

static enum status purge_tombstones(struct write_op *op, void *arg)
{
    struct purge *purge = arg;
    op->no_revision = true;
    return record_purge(op, purge->before_ms, APP_PURGE_ROWS, &purge->left);
}

static enum status purge_sessions(struct write_op *op, void *arg)
{
    struct purge *purge = arg;
    return session_purge(op, &purge->last, &purge->left);
}

static enum status purge_answers(struct write_op *op, void *arg)
{
    struct purge *purge = arg;
    return idempotency_purge(op, &purge->place, &purge->left);
}

static enum status purge_deleted(struct write_op *op, void *arg)
{
    struct purge *purge = arg;
    return trash_purge(op, purge->before_ms, DELETED_PER_PURGE, &purge->place, &purge->left);
}

/* Step by step, so that traffic of the writer goes on in between. */
static void run_steps(struct app *app, write_fn step, struct purge *job)
{
    struct write_actor actor = {.type = "system"};
    struct arena arena;
    arena_init(&arena, 4u << 20);
    for (job->left = true; job->left;) {
        enum status status = writer_run(app->home.writer, &actor, &arena, step, job, NULL);
        arena_free(&arena);
        if (status == ST_OK)
            continue;
        log_warn("purge_failed", LOG_STATUS(status));
        break;
    }
}

static void rotate_keys(struct app *app)
{
    uint64_t rotated;
    enum status status =
        key_rotation_all_due(app->home.kv, app->home.writer, app->home.vault, &rotated);
    if (status != ST_OK)
        log_warn("rotation_failed", LOG_STATUS(status));
}

void app_upkeep(struct app *app)
{
    struct purge tombstones = {.before_ms = clock_utc_ms() - app->tombstone_keep_ms};
    struct purge sessions = {.before_ms = 0}, answers = {.before_ms = 0};
    struct purge deleted = {.before_ms = clock_utc_ms() - DELETED_KEEP_MS};
    kv_check_readers(app->home.kv);
    run_steps(app, purge_tombstones, &tombstones);
    run_steps(app, purge_sessions, &sessions);
    run_steps(app, purge_answers, &answers);
    run_steps(app, purge_deleted, &deleted);
    rotate_keys(app);
    grants_upkeep(publish_grants(app->publish));
    keep_run(app->home.writer, &app->keep, clock_utc_ms(), APP_KEEP_RUN_MS);
}

enum status app_reload(struct app *app, const struct params *params, struct buf *why)
{
    return app->front == NULL ? ST_OK : start_front(app, params, why);
}
