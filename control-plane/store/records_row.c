/* records_row.c: which kinds there are and what their rows look like.
 *
 * The one table that says, per kind, its message, whether nodes hear of it, whether its names are
 * unique in the whole store, and whether it can be found by id alone. A kind without a row here has
 * no records (audit rows are audit/audit.c's). A row is believed only if its kind, version and
 * length agree with where it was found; version N and N-1 are read.
 */
#include "control-plane/store/records_row.h"

#define RECORD_KIND_MAX SLUICE__KIND__KIND_INVITE

static const struct record_kind record_kinds[RECORD_KIND_MAX + 1] = {
    [SLUICE__KIND__KIND_ORGANISATION] = {&sluice__organisation__descriptor, true, true, false},
    [SLUICE__KIND__KIND_WORKSPACE] = {&sluice__workspace__descriptor, true, false, false},
    [SLUICE__KIND__KIND_USER] = {&sluice__user__descriptor, true, false, false},
    [SLUICE__KIND__KIND_MEMBER] = {&sluice__member__descriptor, true, false, false},
    [SLUICE__KIND__KIND_INTEGRATION] = {&sluice__integration__descriptor, true, false, false},
    [SLUICE__KIND__KIND_MODEL_RULE] = {&sluice__model_rule__descriptor, true, false, true},
    [SLUICE__KIND__KIND_WORKSPACE_ACCESS] = {&sluice__workspace_access__descriptor, true, false,
                                             false},
    [SLUICE__KIND__KIND_PROVIDER] = {&sluice__provider__descriptor, true, false, true},
    [SLUICE__KIND__KIND_API_KEY] = {&sluice__api_key__descriptor, true, true, true},
    [SLUICE__KIND__KIND_CONFIG] = {&sluice__config__descriptor, true, false, true},
    [SLUICE__KIND__KIND_PROVIDER_TYPE] = {&sluice__provider_type__descriptor, true, false, false},
    [SLUICE__KIND__KIND_MODEL] = {&sluice__model__descriptor, true, false, false},
    [SLUICE__KIND__KIND_NODE_GROUP] = {&sluice__node_group__descriptor, false, false, false},
    [SLUICE__KIND__KIND_NODE] = {&sluice__node__descriptor, false, false, true},
    [SLUICE__KIND__KIND_DELIVERY_KEY] = {&sluice__delivery_key__descriptor, true, false, true},
    [SLUICE__KIND__KIND_OBJECT] = {&sluice__provider_object__descriptor, false, false, false},
    [SLUICE__KIND__KIND_VAULT_KEY] = {&sluice__vault_key__descriptor, false, false, false},
    [SLUICE__KIND__KIND_CONFIG_VERSION] = {&sluice__config_version__descriptor, false, false,
                                           false},
    [SLUICE__KIND__KIND_SESSION] = {&sluice__session__descriptor, false, false, false},
    [SLUICE__KIND__KIND_INVITE] = {&sluice__invite__descriptor, false, false, false},
    [SLUICE__KIND__KIND_USAGE_POLICY] = {&sluice__policy__descriptor, true, false, true},
    [SLUICE__KIND__KIND_RATE_POLICY] = {&sluice__policy__descriptor, true, false, true},
};

const struct record_kind *record_kind(Sluice__Kind kind)
{
    CHECK((unsigned)kind <= RECORD_KIND_MAX && record_kinds[kind].descriptor != NULL);
    return &record_kinds[kind];
}

const ProtobufCMessageDescriptor *record_descriptor(Sluice__Kind kind)
{
    return (unsigned)kind <= RECORD_KIND_MAX ? record_kinds[kind].descriptor : NULL;
}

static void key_add_record(struct key *key, const struct record_key *record)
{
    key_add_u8(key, (uint8_t)record->kind);
    key_add_id(key, &record->org);
    key_add_id(key, &record->parent);
    key_add_id(key, &record->id);
}

void record_row_key(struct key *key, const struct record_key *record)
{
    key_init(key);
    key_add_record(key, record);
}

void record_space_key(struct key *key, enum key_space space, const struct record_key *record)
{
    key_init_space(key, space);
    key_add_record(key, record);
}

void record_revision_key(struct key *key, uint64_t revision, const struct record_key *record)
{
    key_init_space(key, KEY_SPACE_REVISION);
    key_add_u64(key, revision);
    key_add_record(key, record);
}

void record_hash_key(struct key *key, Sluice__Kind kind, const struct id *org,
                     const struct id *parent, const uint8_t hash[KEY_HASH_BYTES])
{
    bool global = record_kind(kind)->global;
    key_init(key);
    key_add_u8(key, (uint8_t)((unsigned)kind | KEY_INDEX_BIT));
    key_add_id(key, global || org == NULL ? &ID_NONE : org);
    key_add_id(key, global || parent == NULL ? &ID_NONE : parent);
    key_add_bytes(key, hash, KEY_HASH_BYTES);
}

void record_locate_key(struct key *key, Sluice__Kind kind, const struct id *org,
                       const struct id *id)
{
    key_init_space(key, KEY_SPACE_ID);
    key_add_u8(key, (uint8_t)kind);
    key_add_id(key, org);
    key_add_id(key, id);
}

void record_key_read(const char *tail, struct record_key *record)
{
    record->kind = (Sluice__Kind)(uint8_t)tail[0];
    memcpy(record->org.b, tail + 1, ID_BYTES);
    memcpy(record->parent.b, tail + 1 + ID_BYTES, ID_BYTES);
    memcpy(record->id.b, tail + 1 + 2 * ID_BYTES, ID_BYTES);
}

void record_change_key(const struct record_key *record, uint8_t bytes[RECORD_CHANGE_KEY])
{
    struct key key;
    record_row_key(&key, record);
    CHECK(key.n == RECORD_CHANGE_KEY);
    memcpy(bytes, key.b, key.n);
}

enum status record_head_read(Sluice__Kind kind, struct str value, struct record_head *head)
{
    if (value.n < RECORD_HEAD_BYTES || key_get_u16(value.p) != (uint16_t)kind ||
        key_get_u16(value.p + 2) > RECORD_VERSION ||
        key_get_u32(value.p + 4) != value.n - RECORD_HEAD_BYTES)
        return ST_BAD_FORMAT;
    head->revision = key_get_u64(value.p + 8);
    head->body = str_from(value, RECORD_HEAD_BYTES);
    return ST_OK;
}

enum status record_head_get(struct kv_txn *txn, const struct record_key *record,
                            struct record_head *head)
{
    struct key key;
    struct str value;
    record_row_key(&key, record);
    TRY(kv_get(txn, KV_MAIN, key_str(&key), &value));
    return record_head_read(record->kind, value, head);
}
