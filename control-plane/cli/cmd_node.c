/* cmd_node.c: hosts of the data plane. The bundle is made where the store is and travels once to whoever asked; that side
 * writes the file, so it belongs to that user.
 */
#include <stdio.h>

#include "control-plane/cli/cli.h"
#include "control-plane/domain/enrol.h"
#include "control-plane/ledger/lost.h"
#include "control-plane/publish/nodes.h"

struct add_job {
    struct vault *vault;
    struct pki_pair ca;
    struct enrol_order order;
    struct node_bundle bundle;
};

static enum status add_node(struct write_op *op, void *arg)
{
    struct add_job *job = arg;
    struct record_key group;
    if (job->order.group.n > 0 && record_find(op->txn, SLUICE__KIND__KIND_NODE_GROUP, &ID_NONE, &ID_NONE,
                                              job->order.group, &group) == ST_NOT_FOUND)
        TRY(enrol_group(op, job->vault, job->order.group, &group.id));
    return enrol_node(op, job->vault, &job->ca, &job->order, &job->bundle);
}

/* "host", "host:port", "[v6]:port" or a bare IPv6 address, with the link's port where none is given. */
static enum status link_url(struct cli_call *call, struct str *url)
{
    struct str given = call->options[CLI_LINK], port_text;
    uint64_t port = call->link_port > 0 ? call->link_port : params_u64(call->params, PARAM_LINK_PORT);
    if (given.n == 0)
        given = params_str(call->params, PARAM_PUBLIC_LINK);
    if (given.n == 0)
        given = params_str(call->params, PARAM_LINK_BIND);
    if (str_eq(given, STR("0.0.0.0")) || str_eq(given, STR("::")))
        return cli_fail(call, ST_INVALID, "the link listens on every address: say how this node reaches it, --link HOST");
    ptrdiff_t colon = str_find_char(given, ':');
    bool bracket = given.n > 0 && given.p[0] == '[';
    bool bare6 = !bracket && colon >= 0 && str_find_char(str_from(given, (size_t)colon + 1), ':') >= 0;
    ptrdiff_t close = bracket ? str_find_char(given, ']') : -1;
    bool has_port = bracket ? close >= 0 && (size_t)close + 1 < given.n : colon >= 0 && !bare6;
    port_text = has_port ? STR_NONE : arena_printf(&call->arena, ":%u", (unsigned)port);
    *url = arena_printf(&call->arena, bare6 ? "tls+tcp://[" STR_FMT "]" STR_FMT : "tls+tcp://" STR_FMT STR_FMT,
                        STR_ARG(given), STR_ARG(port_text));
    return url->p == NULL ? ST_NO_MEMORY : ST_OK;
}

static enum status write_bundle(struct cli_call *call, struct node_bundle *bundle)
{
    struct json_writer *w = &call->json;
    struct secret *token;
    TRY(node_bundle_token(bundle, &token));
    struct str text = secret_open(token);
    jw_object(w);
    jw_field_id(w, "id", &bundle->node);
    jw_field_cstr(w, "name", bundle->name);
    jw_field_cstr(w, "region", bundle->region);
    jw_field_cstr(w, "link", bundle->link_url);
    jw_field_str(w, "token", str_trim(str_head(text, strnlen(text.p, text.n))));
    jw_end(w);
    secret_close(token);
    secret_free(token);
    return ST_OK;
}

static enum status run_add(struct cli_call *call, struct add_job *job)
{
    struct write_actor actor = cli_actor();
    enum status status = writer_run(call->home->writer, &actor, &call->arena, add_node, job, NULL);
    if (status == ST_CONFLICT)
        return cli_fail(call, status, "there is a node with this name");
    if (status == ST_INVALID)
        return cli_fail(call, status, "names and regions have letters, digits, '-', '_' and '.'; URLs a scheme and a host");
    TRY(status);
    return write_bundle(call, &job->bundle);
}

enum status cmd_node_add(struct cli_call *call)
{
    const struct str *options = call->options;
    struct add_job job = {.vault = call->home->vault,
                          .order = {.name = options[CLI_NODE_NAME],
                                    .region = options[CLI_REGION],
                                    .group = options[CLI_GROUP],
                                    .labels_json = options[CLI_LABELS],
                                    .control_url = options[CLI_CONTROL]}};
    struct secret *cert = NULL, *key = NULL;
    struct json *labels;
    if (job.order.control_url.n == 0)
        job.order.control_url = params_str(call->params, PARAM_CONTROL_URL);
    if (job.order.labels_json.n > 0 &&
        (json_parse(&call->arena, job.order.labels_json, NULL, &labels, NULL) != ST_OK || !json_is(labels, JSON_OBJECT)))
        return cli_fail(call, ST_INVALID, "labels are a JSON object");
    TRY(link_url(call, &job.order.link_url));
    enum status status = home_read_pem(call->params, "link/ca.pem", &cert);
    if (status == ST_OK)
        status = home_read_pem(call->params, "link/ca.key", &key);
    if (status == ST_OK) {
        struct str cert_text = secret_open(cert), key_text = secret_open(key);
        job.ca = (struct pki_pair){str_head(cert_text, cert_text.n - 1), str_head(key_text, key_text.n - 1)};
        status = run_add(call, &job);
        secret_close(cert);
        secret_close(key);
    } else {
        (void)cli_fail(call, status, "cannot read the link's CA below data_dir");
    }
    node_bundle_free(&job.bundle);
    secret_free(cert);
    secret_free(key);
    return status;
}

static enum status write_file(struct cli_call *call, const struct json *reply, const char *path)
{
    struct node_bundle bundle;
    struct str token;
    TRY(json_text(json_get(reply, "token"), &call->arena, &token));
    TRY(node_bundle_parse(token, &bundle));
    enum status status = node_bundle_write(path, &bundle);
    node_bundle_free(&bundle);
    if (status == ST_CONFLICT)
        return cli_fail(call, status, "%s exists; the node is enrolled, remove it before you try again", path);
    return status == ST_OK ? ST_OK : cli_fail(call, status, "cannot write %s", path);
}

enum status cmd_node_add_show(struct cli_call *call, struct str text, bool as_json)
{
    struct str path = call->options[CLI_OUT];
    struct json *reply;
    struct json_writer w;
    struct buf out;
    if (path.n == 0)
        return cli_show(call, text, as_json);
    TRY(json_parse(&call->arena, text, NULL, &reply, NULL));
    TRY(write_file(call, reply, path.p));
    buf_init(&out, CLI_WORDS_MAX);
    jw_init(&w, &out);
    jw_object(&w);
    for (const struct json *member = reply->first; member != NULL; member = member->next)
        if (!str_eq(member->key, STR("token")))
            jw_key_str(&w, member->key), jw_raw(&w, member->raw);
    jw_field_str(&w, "file", path);
    jw_end(&w);
    enum status status = cli_show(call, buf_str(&out), as_json);
    buf_free(&out);
    if (!as_json)
        (void)printf("on the node: sluice-gateway --node-file=" STR_FMT " --data-dir=DIR\n", STR_ARG(path));
    return status;
}

/* --- list and remove */

static enum status write_node(struct cli_call *call, const struct record_key *key, const Sluice__Node *node)
{
    struct json_writer *w = &call->json;
    struct node_live live = {.id = key->id};
    if (call->nodes != NULL) {
        enum status status = nodes_get(call->nodes, &key->id, &live);
        if (status != ST_OK && status != ST_NOT_FOUND)
            return status;
    }
    jw_object(w);
    jw_field_id(w, "id", &key->id);
    jw_field_cstr(w, "name", node->name);
    jw_field_cstr(w, "region", node->region);
    jw_field_cstr(w, "status",
                  node->revoked            ? "removed"
                  : call->nodes == NULL    ? "unknown"
                  : live.last_seen_ms == 0 ? "never_seen"
                  : live.connected         ? "connected"
                                           : "disconnected");
    jw_field_u64(w, "revision", live.applied);
    jw_field_i64(w, "lag_ms", live.lag_ms);
    jw_field_time(w, "last_seen_at", live.last_seen_ms);
    jw_field_time(w, "created_at", node->created_at_ms);
    jw_end(w);
    return ST_OK;
}

enum status cmd_node_list(struct cli_call *call)
{
    struct record_cursor *cursor = NULL;
    struct record_key key;
    struct kv_txn *txn;
    Sluice__Node *node;
    TRY(kv_begin(call->home->kv, false, &txn));
    jw_object(&call->json);
    jw_key(&call->json, "nodes");
    jw_array(&call->json);
    enum status status = record_cursor_open_org(txn, SLUICE__KIND__KIND_NODE, NULL, &cursor);
    while (status == ST_OK) {
        status = record_cursor_next(cursor, &call->arena, &key, &node, NULL);
        if (status == ST_OK)
            status = write_node(call, &key, node);
    }
    record_cursor_close(cursor);
    kv_abort(txn);
    if (status != ST_END)
        return status;
    jw_end(&call->json);
    jw_end(&call->json);
    return ST_OK;
}

struct remove_job {
    struct vault *vault;
    struct str name;
    struct record_key key;
};

static enum status remove_node(struct write_op *op, void *arg)
{
    struct remove_job *job = arg;
    Sluice__Node *node;
    TRY(enrol_find(op->txn, op->arena, job->name, &job->key, &node));
    return enrol_remove(op, job->vault, &job->key);
}

enum status cmd_node_remove(struct cli_call *call)
{
    struct remove_job job = {.vault = call->home->vault, .name = call->operand};
    struct write_actor actor = cli_actor();
    enum status status = writer_run(call->home->writer, &actor, &call->arena, remove_node, &job, NULL);
    if (status == ST_NOT_FOUND)
        return cli_fail(call, status, "no node has this name or id");
    if (status == ST_CONFLICT)
        return cli_fail(call, status, "this node is removed already");
    TRY(status);
    jw_object(&call->json);
    jw_field_id(&call->json, "id", &job.key.id);
    jw_field_cstr(&call->json, "status", "removed");
    jw_end(&call->json);
    return ST_OK;
}

/* --- write-off */

static enum status find_node(struct cli_call *call, struct record_key *key)
{
    struct kv_txn *txn;
    Sluice__Node *node;
    TRY(kv_begin(call->home->kv, false, &txn));
    enum status status = enrol_find(txn, &call->arena, call->operand, key, &node);
    kv_abort(txn);
    return status == ST_NOT_FOUND ? cli_fail(call, status, "no node has this name or id") : status;
}

enum status cmd_node_write_off(struct cli_call *call)
{
    struct write_actor actor = cli_actor();
    struct lost_result result;
    struct record_key key;
    struct node_live live = {.connected = false};
    bool undo = call->options[CLI_UNDO].p != NULL;
    TRY(find_node(call, &key));
    if (call->nodes != NULL && nodes_get(call->nodes, &key.id, &live) == ST_OK && live.connected)
        return cli_fail(call, ST_IN_USE, "this node is connected: it gives back itself what it does not need");
    TRY((undo ? lost_undo : lost_write_off)(call->home->writer, &actor, &key.id, &result));
    jw_object(&call->json);
    jw_field_id(&call->json, "id", &key.id);
    jw_field_cstr(&call->json, "status", undo ? "freed" : "written_off");
    jw_field_u64(&call->json, "boots", result.boots);
    jw_field_u64(&call->json, "counters", result.counters);
    jw_end(&call->json);
    return ST_OK;
}
