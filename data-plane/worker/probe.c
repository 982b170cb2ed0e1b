/* probe.c: one request with a credential that an admin just saved, or wants tested.
 *
 * GET <base_url>/models is the cheapest call that proves a key for every provider with an OpenAI-shaped list. The integration comes with the
 * probe, so that also an unsaved one can be tried; its provider row is read from the node's catalog. Same egress rules and pins as traffic.
 */
#include "data-plane/worker/probe.h"

#include <stdlib.h>

#include "common/json_tree.h"
#include "data-plane/upstream.h"
#include "data-plane/worker/keyring.h"
#include "data-plane/worker/mailbox.h"
#include "data-plane/worker/names_client.h"
#include "data-plane/worker/url.h"
#include "proto/link.pb-c.h"

#define PROBE_BODY_MAX    (4u * 1024u * 1024u)
#define PROBE_MESSAGE_MAX 1024
#define PROBE_MODELS_MAX  2000
#define PROBE_LINE_MAX    8192
#define PROBE_LIST_BYTES  (IPC_MAX_BYTES / 4 * 3) /* of names in an answer, which must fit a message */
#define PROBE_HEADERS_MAX 16

struct probe {
    struct worker *worker;
    uint32_t tag;
    Sluice__Probe *ask;
    struct arena arena;
    struct buf body;
    struct name_wait wait;
    struct exchange *exchange;
    struct url_parts url;
    struct str url_text;
    struct str auth_header, auth_prefix, extra_headers; /* of the provider's row */
    int64_t started_ns;
    int http_status;
};

static unsigned running;

/* The names of the provider's list, as many as an answer has room for. */
static void take_models(struct probe *probe, char **models, Sluice__ProbeResult *result)
{
    struct json *root;
    size_t bytes = 0;
    if (json_parse(&probe->arena, buf_str(&probe->body), NULL, &root, NULL) != ST_OK)
        return;
    const struct json *data = json_get(root, "data"), *more = json_get(root, "has_more");
    const struct json *item = json_is(data, JSON_ARRAY) ? data->first : NULL;
    result->models = models;
    result->cut = data == NULL || (more != NULL && more->type == JSON_TRUE);
    for (; item != NULL; item = item->next) {
        struct str id;
        if (json_text(json_get(item, "id"), &probe->arena, &id) != ST_OK)
            continue;
        bytes += id.n + 4;
        char *name = arena_cstr(&probe->arena, id);
        if (result->n_models == PROBE_MODELS_MAX || bytes > PROBE_LIST_BYTES || name == NULL) {
            result->cut = true;
            return;
        }
        models[result->n_models++] = name;
    }
}

static void probe_end(struct probe *probe, bool ok, struct str message)
{
    Sluice__ProbeResult result = SLUICE__PROBE_RESULT__INIT;
    char *models[PROBE_MODELS_MAX];
    result.id = probe->ask->id;
    result.ok = ok;
    result.http_status = (uint32_t)probe->http_status;
    result.latency_ms = (uint32_t)((loop_now_ns(probe->worker->loop) - probe->started_ns) / 1000000);
    message = str_is_utf8(str_head(message, PROBE_MESSAGE_MAX)) ? str_head(message, PROBE_MESSAGE_MAX) : STR("");
    char *text = arena_cstr(&probe->arena, message);
    if (text != NULL)
        result.message = text;
    if (ok && strcmp(probe->ask->action, "list_models") == 0)
        take_models(probe, models, &result);
    size_t n = sluice__probe_result__get_packed_size(&result);
    struct ipc_blob *blob = n + sizeof(struct ipc_blob) > IPC_MAX_BYTES ? NULL : arena_alloc(&probe->arena, sizeof *blob + n);
    if (blob != NULL) {
        *blob = (struct ipc_blob){.head = {.kind = IPC_PROBE_RESULT, .tag = probe->tag}, .n = (uint32_t)n};
        sluice__probe_result__pack(&result, (uint8_t *)blob->bytes);
        if (mailbox_send(probe->worker, blob, sizeof *blob + n) != ST_OK)
            metrics_add(&probe->worker->metrics, M_IPC_DROPPED, 1);
    }
    sluice__probe__free_unpacked(probe->ask, NULL);
    buf_free(&probe->body);
    arena_free(&probe->arena);
    free(probe);
    running--;
}

static void on_head(void *arg, int http_status, struct str name, struct str value)
{
    (void)arg;
    (void)http_status;
    (void)name;
    (void)value;
}

static void on_head_end(void *arg, int http_status)
{
    ((struct probe *)arg)->http_status = http_status;
}

static bool on_body(void *arg, const char *p, size_t n)
{
    struct probe *probe = arg;
    buf_add(&probe->body, p, n);
    return true;
}

static void on_done(void *arg, enum status status)
{
    struct probe *probe = arg;
    probe->exchange = NULL;
    if (status != ST_OK)
        probe_end(probe, false, str_c(status_row(status)->text));
    else if (probe->http_status >= 200 && probe->http_status < 300)
        probe_end(probe, true, STR("ok"));
    else
        probe_end(probe, false, buf_str(&probe->body));
}

static const struct upstream_events probe_events = {.head = on_head, .head_end = on_head_end, .body = on_body, .done = on_done};

/* Reads the provider row: where the list is and how a key is sent. Within a catalog read. */
static enum status read_type(struct probe *probe)
{
    const Sluice__Integration *integration = probe->ask->integration;
    struct str record;
    struct id none = ID_NONE;
    TRY(catalog_find(probe->worker->catalog, SLUICE__KIND__KIND_PROVIDER_TYPE, &none, &none,
                     str_c(integration->provider_type), &record));
    const struct cat_provider_type *type = CAT_AS(record, SLUICE__KIND__KIND_PROVIDER_TYPE, cat_provider_type);
    if (type == NULL)
        return ST_BAD_FORMAT;
    if (type->dialect != CAT_DIALECT_OPENAI && type->dialect != CAT_DIALECT_ANTHROPIC)
        return ST_UNSUPPORTED;
    probe->auth_header = arena_str(&probe->arena, cat_str(&type->head, type->auth_header));
    probe->auth_prefix = arena_str(&probe->arena, cat_str(&type->head, type->auth_prefix));
    probe->extra_headers = arena_str(&probe->arena, cat_str(&type->head, type->extra_headers));
    if (probe->auth_header.n == 0) {
        probe->auth_header = STR("authorization");
        probe->auth_prefix = STR("Bearer ");
    }
    struct str base = str_c(integration->base_url);
    while (base.n > 0 && base.p[base.n - 1] == '/')
        base.n--;
    const char *page = type->dialect == CAT_DIALECT_ANTHROPIC ? "?limit=1000" : ""; /* it gives 20 otherwise */
    probe->url_text = arena_printf(&probe->arena, STR_FMT "/models%s", STR_ARG(base), page);
    return probe->url_text.p == NULL ? ST_NO_MEMORY : url_split(probe->url_text, &probe->url);
}

static struct str join_hosts(struct probe *probe, const Sluice__SealedSecrets *sealed)
{
    struct buf list;
    buf_init(&list, 4096);
    for (size_t i = 0; i < sealed->n_hosts; i++) {
        if (i > 0)
            buf_add_char(&list, ',');
        buf_add_str(&list, str_c(sealed->hosts[i]));
    }
    struct str out = buf_status(&list) == ST_OK ? arena_str(&probe->arena, buf_str(&list)) : STR_NONE;
    buf_free(&list);
    return out;
}

/* Fills the key's header line. No stored secret at all is fine: local servers need none. */
static enum status read_key(struct probe *probe, char *line, size_t room, size_t *n)
{
    const Sluice__SealedSecrets *sealed = probe->ask->integration->secrets;
    struct id org, owner, key;
    *n = 0;
    if (sealed == NULL || sealed->n_delivery == 0)
        return ST_OK;
    TRY(id_from_bytes(str_of((char *)probe->ask->org.data, probe->ask->org.len), &org));
    TRY(id_from_bytes(str_of((char *)probe->ask->integration->id.data, probe->ask->integration->id.len), &owner));
    TRY(id_from_bytes(str_of((char *)sealed->delivery[0]->key.data, sealed->delivery[0]->key.len), &key));
    struct str box = str_of((char *)sealed->delivery[0]->box.data, sealed->delivery[0]->box.len);
    struct open_secrets secrets;
    TRY(keyring_open_secrets(probe->worker->keyring, probe->worker->catalog, &org, &owner, sealed->version, &key,
                             join_hosts(probe, sealed), box, &secrets));
    size_t head = probe->auth_header.n + 2 + probe->auth_prefix.n, value = 0;
    enum status status = head < room ? ST_OK : ST_TOO_LARGE;
    if (status == ST_OK) {
        memcpy(line, probe->auth_header.p, probe->auth_header.n);
        memcpy(line + probe->auth_header.n, ": ", 2);
        if (probe->auth_prefix.n > 0)
            memcpy(line + probe->auth_header.n + 2, probe->auth_prefix.p, probe->auth_prefix.n);
        status = keyring_secret(&secrets, STR("key"), line + head, room - head, &value);
    }
    keyring_close_secrets(&secrets);
    if (status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    *n = head + value;
    return ST_OK;
}

/* "name: value\n" lines of the row behind what every probe sends; how many there are. */
static size_t add_row_headers(const struct probe *probe, struct upstream_header *headers, size_t count)
{
    struct str rest = probe->extra_headers, line;
    while (count < PROBE_HEADERS_MAX && rest.n > 0 && str_split(&rest, '\n', &line)) {
        ptrdiff_t colon = str_find_char(line, ':');
        if (colon > 0)
            headers[count++] =
                (struct upstream_header){str_head(line, (size_t)colon), str_trim(str_from(line, (size_t)colon + 1))};
    }
    return count;
}

static enum status send_now(struct probe *probe, const struct name_answer *answer)
{
    static char line[PROBE_LINE_MAX]; /* one thread; wiped below */
    struct netaddr addrs[IPC_ADDRS_MAX];
    size_t count, n = 0;
    struct egress_rules rules = *upstream_egress(probe->worker->upstream);
    rules.allowed_private[1] = str_c(probe->ask->integration->allowed_private);
    TRY(answer->status);
    TRY(egress_check_port(&rules, probe->url.port));
    TRY(egress_filter(&rules, answer->addrs, answer->count, addrs, &count));
    TRY(catalog_begin(probe->worker->catalog));
    enum status status = read_key(probe, line, sizeof line, &n);
    catalog_end(probe->worker->catalog);
    struct upstream_header headers[PROBE_HEADERS_MAX] = {{STR("accept"), STR("application/json")}};
    struct upstream_request request = {.method = "GET", .url = probe->url_text.p, .host = probe->url.host,
                                       .port = probe->url.port, .addrs = addrs, .addr_count = count, .headers = headers,
                                       .header_count = add_row_headers(probe, headers, 1),
                                       .secret_header_count = n > 0, .stream_length = -2,
                                       .times = {5000, 15000, 15000, 20000}};
    request.secret_headers[0] = str_of(line, n);
    if (status == ST_OK)
        status = upstream_start(probe->worker->upstream, &request, &probe_events, probe, &probe->exchange);
    secret_wipe(line, n);
    return status;
}

static void name_found(struct name_wait *wait)
{
    struct probe *probe = wait->owner;
    const struct name_answer *answer;
    enum status status = names_get(probe->worker->names, probe->url.host, &probe->wait, &answer);
    if (status == ST_AGAIN)
        return;
    if (status == ST_OK)
        status = send_now(probe, answer);
    if (status != ST_OK)
        probe_end(probe, false, str_c(status_row(status)->text));
}

void probe_begin(struct worker *worker, uint32_t tag, struct str packed)
{
    struct probe *probe = running < PROBES_MAX ? calloc(1, sizeof *probe) : NULL;
    if (probe == NULL)
        return; /* the asker's deadline ends it */
    probe->ask = sluice__probe__unpack(NULL, packed.n, (const uint8_t *)packed.p);
    if (probe->ask == NULL || probe->ask->integration == NULL) {
        if (probe->ask != NULL)
            sluice__probe__free_unpacked(probe->ask, NULL);
        free(probe);
        return;
    }
    running++;
    probe->worker = worker;
    probe->tag = tag;
    probe->started_ns = loop_now_ns(worker->loop);
    arena_init(&probe->arena, PROBE_BODY_MAX * 8);
    buf_init(&probe->body, PROBE_BODY_MAX);
    probe->wait = (struct name_wait){.done = name_found, .owner = probe};
    enum status status = catalog_begin(worker->catalog);
    if (status == ST_OK) {
        status = read_type(probe);
        catalog_end(worker->catalog);
    }
    if (status != ST_OK)
        probe_end(probe, false, str_c(status_row(status)->text));
    else
        name_found(&probe->wait);
}
