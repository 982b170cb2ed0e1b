/* api_keys_rotate.c: POST /v1/api-keys/{key}/rotate and .../successor: a new value, and fetching
 * one that the rotation policy made while nobody was there. What rotation means is
 * domain/key_rotation.c's.
 */
#include "control-plane/api/api_keys.h"
#include "control-plane/domain/key_rotation.h"
#include "control-plane/domain/rotation.h"

static enum status read_transition(struct api_call *call, const Sluice__ApiKey *record,
                                   int64_t *transition_ms)
{
    const struct json *node = api_body(call, "key_transition_period_ms");
    *transition_ms = rotation_transition_ms(call->arena, str_c(record->rotation_policy_json));
    if (json_is_none(node))
        return ST_OK;
    if (json_i64(node, transition_ms) != ST_OK || *transition_ms < ROTATION_TRANSITION_MIN_MS)
        return api_invalid(call, "key_transition_period_ms", "must be 1800000 or more");
    return ST_OK;
}

/* The key of the path, for whoever may rotate or update it. */
static enum status find(struct api_call *call, struct record_key *key, Sluice__ApiKey **record)
{
    enum status status = api_keys_find(call, "rotate", key, record);
    return status == ST_FORBIDDEN ? api_keys_find(call, "update", key, record) : status;
}

static void write_value(struct api_call *call, const struct record_key *key,
                        const Sluice__ApiKey *record, struct str text)
{
    jw_object(&call->json);
    jw_field_id(&call->json, "id", &key->id);
    jw_field_str(&call->json, "key", text);
    jw_field_time(&call->json, "key_transition_expires_at", record->previous_until_ms);
    jw_field_cstr(&call->json, "object", "api-key");
    jw_end(&call->json);
}

enum status api_api_keys_rotate(struct api_call *call)
{
    struct record_key key;
    Sluice__ApiKey *record;
    struct key_rotation rotation = {.by_policy = false};
    TRY(find(call, &key, &record));
    TRY(read_transition(call, record, &rotation.transition_ms));
    enum status status = key_rotation_run(call->op, call->api->vault, &key, record, &rotation);
    if (status == ST_CONFLICT)
        return api_fail(call, status, "This key is in transition from an earlier rotation");
    TRY(status);
    api_audit(call, "rotate", "api_key", &key.parent, &key.id, record->name);
    write_value(call, &key, record, rotation.text);
    return ST_OK;
}

enum status api_api_keys_successor(struct api_call *call)
{
    struct record_key key;
    Sluice__ApiKey *record;
    struct str text;
    TRY(find(call, &key, &record));
    enum status status =
        key_rotation_successor(call->api->vault, call->txn, call->arena, &key, record, &text);
    if (status == ST_NOT_FOUND)
        return api_fail(
            call, status,
            "The value of this key was shown when it was made; rotate it for another (404)");
    TRY(status);
    api_audit(call, "fetch_successor", "api_key", &key.parent, &key.id, record->name);
    write_value(call, &key, record, text);
    return ST_OK;
}
