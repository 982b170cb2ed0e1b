/* integration_probe.c: has a data plane act once with an integration's credential: to try it, also
 * one that is not saved, or to ask the provider for its models.
 *
 * The control plane opens no credential and calls no provider. One that is not saved is sealed as
 * if it were, by an operation that is undone, so the same rules hold for it: a kept secret goes to
 * no new host. Asking holds a listener thread for PROBE_MS at most, and no transaction.
 */
#include "common/wire.h"
#include "control-plane/api/change.h"
#include "control-plane/api/fields.h"
#include "control-plane/api/integrations.h"
#include "control-plane/api/resolve.h"
#include "control-plane/domain/model_refresh.h"
#include "control-plane/publish/publish.h"

#define PROBE_MS 20000

static const struct field rows[] = {
    {"key", FIELD_OTHER, 0, 0, 0, 0},
    {"configurations", FIELD_OTHER, 0, 0, 0, 0},
};
const struct field_set api_fields_integration_test = {"integration_test", rows, COUNT_OF(rows)};

struct probing {
    struct record_key key;
    struct str unsaved; /* a packed integration; n = 0: as it is stored */
    struct id node;
    struct probe_result result;
};

/* The integration that the path names, looked up in a transaction of its own. */
static enum status find_integration(struct api_call *call, struct record_key *key)
{
    Sluice__Integration *record;
    TRY(kv_begin(call->api->kv, false, &call->txn));
    enum status status = resolve_own_integration(call, call->params[0], key, &record);
    kv_abort(call->txn);
    call->txn = NULL;
    return status;
}

static enum status ask(struct api_call *call, const char *action, struct probing *p)
{
    static const char nobody[] = "No data plane is connected that may use this integration, so "
                                 "nobody can try its credential";
    if (call->api->publish == NULL)
        return api_fail(call, ST_NO_DATA_PLANE, "%s", nobody);
    enum status status = publish_probe(call->api->publish, &p->key, p->unsaved, action, PROBE_MS,
                                       call->arena, &p->node, &p->result);
    if (status == ST_NOT_READY)
        return api_fail(call, ST_NO_DATA_PLANE, "%s", nobody);
    if (status == ST_UPSTREAM_TIMEOUT)
        return api_fail(call, status, "The data plane did not answer in time");
    return status;
}

static void write_result(struct api_call *call, const struct probing *p, const char *object)
{
    struct json_writer *w = &call->json;
    jw_field_cstr(w, "object", object);
    jw_field_bool(w, "success", p->result.ok);
    jw_field_u64(w, "http_status", p->result.http_status);
    jw_field_str(w, "message", p->result.message);
    jw_field_u64(w, "latency_ms", p->result.latency_ms);
    jw_field_id(w, "data_plane_id", &p->node);
}

/* --- the test */

static enum status seal_unsaved(struct api_call *call)
{
    struct probing *p = call->state;
    Sluice__Integration *record;
    TRY(change_permit_again(call));
    TRY(resolve_own_integration(call, call->params[0], &p->key, &record));
    TRY(integrations_read_secrets(call, &p->key, record, api_body(call, "key"),
                                  api_body(call, "configurations")));
    TRY(wire_pack(record, call->arena, &p->unsaved));
    return ST_REHEARSED;
}

enum status api_integrations_test(struct api_call *call)
{
    struct probing p = {.unsaved = STR("")};
    enum status status;
    if (api_body(call, "key") == NULL && api_body(call, "configurations") == NULL) {
        status = find_integration(call, &p.key);
    } else {
        call->state = &p;
        status = api_write_aside(call, seal_unsaved);
        call->state = NULL;
        status = status == ST_REHEARSED ? ST_OK : status;
    }
    TRY(status);
    TRY(ask(call, "test", &p));
    jw_object(&call->json);
    write_result(call, &p, "integration-test");
    jw_end(&call->json);
    return ST_OK;
}

/* --- the list of models */

static void write_names(struct json_writer *w, const char *name, const struct model_names *names)
{
    jw_key(w, name);
    jw_array(w);
    for (size_t i = 0; i < names->count; i++)
        jw_str(w, names->items[i]);
    jw_end(w);
}

static void write_refresh(struct api_call *call, const struct probing *p,
                          const struct model_refresh *refresh, const Sluice__Integration *record)
{
    struct json_writer *w = &call->json;
    jw_object(w);
    write_result(call, p, "integration-models-refresh");
    jw_field_bool(w, "dry_run", api_query_flag(call, "dry_run"));
    jw_field_u64(w, "listed", refresh->taken);
    jw_field_bool(w, "complete", !refresh->cut);
    write_names(w, "added", &refresh->added);
    write_names(w, "returned", &refresh->returned);
    write_names(w, "vanished", &refresh->vanished);
    jw_field_u64(w, "absent", record == NULL ? 0 : record->n_absent_models);
    jw_end(w);
}

static enum status refresh(struct api_call *call)
{
    const struct probing *p = call->state;
    struct record_key key;
    Sluice__Integration *record;
    struct model_refresh names = {.listed = p->result.models,
                                  .listed_count = p->result.model_count,
                                  .cut = p->result.cut};
    TRY(change_permit_again(call));
    TRY(resolve_own_integration(call, call->params[0], &key, &record));
    if (!id_eq(&key.id, &p->key.id))
        return api_fail(call, ST_CONFLICT, "The integration was replaced meanwhile");
    TRY(model_refresh_apply(call->op, &key, record, &names));
    TRY(integrations_touch(call, &key, record, "refresh_models"));
    write_refresh(call, p, &names, record);
    return api_query_flag(call, "dry_run") ? ST_REHEARSED : ST_OK;
}

enum status api_integration_models_refresh(struct api_call *call)
{
    struct probing p = {.unsaved = STR("")};
    const struct model_refresh nothing = {.cut = true};
    TRY(find_integration(call, &p.key));
    TRY(ask(call, "list_models", &p));
    if (!p.result.ok) {
        write_refresh(call, &p, &nothing, NULL);
        return ST_OK;
    }
    call->state = &p;
    enum status status = api_query_flag(call, "dry_run") ? api_write_aside(call, refresh)
                                                         : api_write(call, refresh);
    call->state = NULL;
    return status == ST_REHEARSED ? ST_OK : status;
}
