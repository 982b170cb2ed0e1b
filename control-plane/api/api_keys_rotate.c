/* api_keys_rotate.c: POST /v1/api-keys/{key}/rotate: a new value, and a while in which the old one
 * still works.
 *
 * The old hash stays in the index and in the record until previous_until_ms, so both values find
 * the key meanwhile. A second rotation within that time is refused: the value before the old one
 * would stop at once, which nobody expects.
 */
#include "common/apikey.h"
#include "common/secret.h"
#include "common/wire.h"
#include "control-plane/api/api_keys.h"
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

/* Next date of a policy that names a period; one that names a date keeps it. */
static enum status advance_policy(struct api_call *call, Sluice__ApiKey *record)
{
    struct json *policy;
    const char *why;
    struct str text = str_c(record->rotation_policy_json), patched;
    if (text.n == 0)
        return ST_OK;
    TRY(json_parse(call->arena, text, NULL, &policy, NULL));
    if (json_is_none(json_get(policy, "rotation_period")) &&
        json_is_none(json_get(policy, "rotation_period_days")))
        return ST_OK;
    struct json *clear;
    TRY(json_parse(call->arena, STR("{\"next_rotation_at\":null}"), NULL, &clear, NULL));
    TRY(fields_merge(call->arena, text, clear, &patched));
    TRY(json_parse(call->arena, patched, NULL, &policy, NULL));
    return rotation_complete(call->arena, policy, call->now_ms, &record->rotation_policy_json,
                             &why);
}

enum status api_api_keys_rotate(struct api_call *call)
{
    struct record_key key;
    Sluice__ApiKey *record;
    int64_t transition_ms;
    char text[APIKEY_TEXT + 1];
    enum status status = api_keys_find(call, "rotate", &key, &record);
    if (status == ST_FORBIDDEN)
        status = api_keys_find(call, "update", &key, &record);
    TRY(status);
    TRY(read_transition(call, record, &transition_ms));
    if (record->previous_hash.len > 0 && call->now_ms < record->previous_until_ms)
        return api_fail(call, ST_CONFLICT, "This key is in transition from an earlier rotation");
    struct str old = wire_str(&record->hash), older = wire_str(&record->previous_hash);
    apikey_make(text);
    struct str made = arena_str(call->arena, str_c(text));
    secret_wipe(text, sizeof(text));
    if (made.p == NULL)
        return ST_NO_MEMORY;
    TRY(api_keys_adopt(call, made, record));
    TRY(advance_policy(call, record));
    record->previous_hash = wire_data(old);
    record->previous_until_ms = call->now_ms + transition_ms;
    record->updated_at_ms = call->now_ms;
    if (older.n > 0)
        TRY(record_index_remove(call->op, &key, older));
    TRY(record_put(call->op, &key, record, wire_str(&record->hash)));
    TRY(record_index_add(call->op, &key, old));
    api_audit(call, "rotate", "api_key", &key.parent, &key.id, record->name);
    jw_object(&call->json);
    jw_field_id(&call->json, "id", &key.id);
    jw_field_str(&call->json, "key", made);
    jw_field_time(&call->json, "key_transition_expires_at", record->previous_until_ms);
    jw_field_cstr(&call->json, "object", "api-key");
    jw_end(&call->json);
    return ST_OK;
}
