/* vault.c: the master key, the vault keys, and sealing with them.
 *
 * Invariant: readable keys and credentials exist only inside one call, in guarded memory, and are
 * wiped before it returns. The store holds boxes, each bound to what it belongs to (seal.h) and
 * carrying the id of the key that opens it, so a key can be replaced while older boxes are still
 * read. A vault key's box carries the id of the master key (a hash of it), which tells a wrong
 * master key from a damaged row in the log without revealing either. Nothing here may log or format
 * a value.
 */
#include "control-plane/vault/vault.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/wire.h"
#include "control-plane/vault/vault_keys.h"

#define VAULT_MAGIC   0x76610001u
#define VAULT_VERSION 1u /* of key boxes */

struct vault {
    uint32_t magic;
    pthread_mutex_t lock;
    struct secret *master, *staged; /* staged: sealed with, not yet committed */
};

enum status vault_new(struct secret *master, struct vault **out)
{
    if (secret_size(master) != SEAL_KEY_BYTES) {
        secret_free(master);
        return ST_INVALID;
    }
    struct vault *vault = calloc(1, sizeof *vault);
    if (vault == NULL) {
        secret_free(master);
        return ST_NO_MEMORY;
    }
    vault->magic = VAULT_MAGIC;
    vault->master = master;
    CHECK(pthread_mutex_init(&vault->lock, NULL) == 0);
    *out = vault;
    return ST_OK;
}

void vault_free(struct vault *vault)
{
    if (vault == NULL)
        return;
    CHECK_OBJ(vault, VAULT_MAGIC);
    secret_free(vault->master);
    secret_free(vault->staged);
    pthread_mutex_destroy(&vault->lock);
    vault->magic = 0;
    free(vault);
}

void vault_master_stage(struct vault *vault, struct secret *master)
{
    CHECK(pthread_mutex_lock(&vault->lock) == 0);
    CHECK(vault->staged == NULL);
    vault->staged = master;
    CHECK(pthread_mutex_unlock(&vault->lock) == 0);
}

/* While a change of the master key waits for its commit it is open which one a new vault key should
 * be sealed with. */
static bool vault_master_is_staged(struct vault *vault)
{
    CHECK(pthread_mutex_lock(&vault->lock) == 0);
    bool staged = vault->staged != NULL;
    CHECK(pthread_mutex_unlock(&vault->lock) == 0);
    return staged;
}

void vault_master_settle(struct vault *vault, bool committed)
{
    CHECK(pthread_mutex_lock(&vault->lock) == 0);
    if (committed && vault->staged != NULL) {
        secret_free(vault->master);
        TAKE(vault->master, &vault->staged);
    }
    secret_free(vault->staged);
    vault->staged = NULL;
    CHECK(pthread_mutex_unlock(&vault->lock) == 0);
}

/* --- vault keys ----------------------------------------------------------------------------------
 */

struct record_key vault_key_record(const struct id *key_id)
{
    return (struct record_key){.kind = SLUICE__KIND__KIND_VAULT_KEY, .id = *key_id};
}

static struct id vault_master_id(struct secret *master)
{
    static const char domain[] = "sluice master id";
    struct id id;
    struct str bytes = secret_open(master);
    CHECK(crypto_generichash(id.b, sizeof id.b, (const uint8_t *)domain, sizeof domain,
                             (const uint8_t *)bytes.p, bytes.n) == 0);
    secret_close(master);
    return id;
}

static struct seal_scope vault_key_scope(const struct id *owner, const char *field)
{
    return (struct seal_scope){
        .owner = *owner, .field = field, .version = VAULT_VERSION, .hosts = STR("")};
}

enum status vault_wrap(struct vault *vault, struct secret *master, struct arena *arena,
                       const struct id *key_id, struct secret *key, struct str *box)
{
    struct seal_scope scope = vault_key_scope(key_id, "vault_key");
    CHECK(pthread_mutex_lock(&vault->lock) == 0);
    if (master == NULL)
        master = vault->master;
    struct id master_id = vault_master_id(master);
    enum status status = seal_box(arena, master, &master_id, &scope, secret_open(key), box);
    secret_close(key);
    CHECK(pthread_mutex_unlock(&vault->lock) == 0);
    return status;
}

static enum status vault_unwrap(struct vault *vault, const struct id *key_id, struct str box,
                                struct secret **key)
{
    struct seal_scope scope = vault_key_scope(key_id, "vault_key");
    struct id sealed_by;
    TRY(seal_key_id(box, &sealed_by));
    CHECK(pthread_mutex_lock(&vault->lock) == 0);
    struct secret *master = vault->master;
    struct id master_id = vault_master_id(master);
    if (!id_eq(&sealed_by, &master_id) && vault->staged != NULL) {
        master = vault->staged;
        master_id = vault_master_id(master);
    }
    enum status status = ST_BAD_SEAL;
    if (id_eq(&sealed_by, &master_id))
        status = seal_open(master, &scope, box, key);
    else
        log_error("vault_master_key_differs", LOG_ID("vault_key", key_id),
                  LOG_ID("sealed_by", &sealed_by), LOG_ID("have", &master_id));
    CHECK(pthread_mutex_unlock(&vault->lock) == 0);
    return status;
}

enum status vault_active(struct kv_txn *txn, struct id *key_id)
{
    struct record_cursor *cursor;
    struct record_key key;
    Sluice__VaultKey *row;
    char room[1024];
    struct arena arena;
    arena_init_with(&arena, room, sizeof room, (size_t)1 << 20);
    TRY(record_cursor_open(txn, SLUICE__KIND__KIND_VAULT_KEY, &ID_NONE, &ID_NONE, &cursor));
    enum status status;
    while ((status = record_cursor_next(cursor, &arena, &key, &row, NULL)) == ST_OK) {
        if (row->active) {
            *key_id = key.id;
            break;
        }
    }
    record_cursor_close(cursor);
    arena_free(&arena);
    return status == ST_END ? ST_NOT_FOUND : status;
}

enum status vault_key_open(struct vault *vault, struct kv_txn *txn, const struct id *key_id,
                           struct secret **out)
{
    struct record_key record = vault_key_record(key_id);
    Sluice__VaultKey *row;
    struct arena arena;
    struct secret *key = NULL;
    CHECK_OBJ(vault, VAULT_MAGIC);
    arena_init(&arena, (size_t)1 << 20);
    enum status status = record_get(txn, &record, &arena, &row, NULL);
    if (status == ST_OK)
        status = vault_unwrap(vault, key_id, wire_str(&row->box), &key);
    arena_free(&arena);
    if (status == ST_OK && secret_size(key) != SEAL_KEY_BYTES) {
        secret_free(key);
        return ST_BAD_FORMAT;
    }
    TRY(status);
    *out = key;
    return ST_OK;
}

static enum status vault_deactivate(struct write_op *op)
{
    struct record_cursor *cursor;
    struct record_key key;
    Sluice__VaultKey *row;
    enum status status;
    TRY(record_cursor_open(op->txn, SLUICE__KIND__KIND_VAULT_KEY, &ID_NONE, &ID_NONE, &cursor));
    while ((status = record_cursor_next(cursor, op->arena, &key, &row, NULL)) == ST_OK) {
        if (!row->active)
            continue;
        row->active = false;
        status = record_update(op, &key, row);
        if (status != ST_OK)
            break;
    }
    record_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

enum status vault_key_add(struct write_op *op, struct vault *vault, struct id *key_id)
{
    struct id id = id_new();
    struct record_key record = vault_key_record(&id);
    struct secret *key;
    struct str box;
    if (vault_master_is_staged(vault))
        return ST_AGAIN;
    TRY(vault_deactivate(op));
    TRY(secret_random(SEAL_KEY_BYTES, &key));
    enum status status = vault_wrap(vault, NULL, op->arena, &id, key, &box);
    secret_free(key);
    TRY(status);
    Sluice__VaultKey row = SLUICE__VAULT_KEY__INIT;
    row.id = wire_id_data(&id);
    row.box = wire_data(box);
    row.active = true;
    row.created_at_ms = op->now_ms;
    TRY(record_put(op, &record, &row, STR_NONE));
    *key_id = id;
    return ST_OK;
}

enum status vault_init(struct write_op *op, struct vault *vault)
{
    struct id key_id;
    enum status status = vault_active(op->txn, &key_id);
    if (status != ST_NOT_FOUND)
        return status == ST_OK ? ST_CONFLICT : status;
    TRY(vault_key_add(op, vault, &key_id));
    writer_audit(op, &(struct write_audit){
                         .action = "create", .resource_type = "vault_key", .resource = key_id});
    return ST_OK;
}

enum status vault_check(struct vault *vault, struct kv_txn *txn)
{
    struct id key_id;
    struct secret *key;
    TRY(vault_active(txn, &key_id));
    TRY(vault_key_open(vault, txn, &key_id, &key));
    secret_free(key);
    return ST_OK;
}

/* --- other keys ----------------------------------------------------------------------------------
 */

enum status vault_seal_key(struct vault *vault, struct kv_txn *txn, struct arena *arena,
                           const struct id *owner, const char *field, struct secret *key,
                           struct id *key_id, struct str *box)
{
    struct seal_scope scope = vault_key_scope(owner, field);
    struct secret *vault_key;
    struct id id;
    TRY(vault_active(txn, &id));
    TRY(vault_key_open(vault, txn, &id, &vault_key));
    enum status status = seal_box(arena, vault_key, &id, &scope, secret_open(key), box);
    secret_close(key);
    secret_free(vault_key);
    TRY(status);
    *key_id = id;
    return ST_OK;
}

enum status vault_open_key(struct vault *vault, struct kv_txn *txn, const struct id *owner,
                           const char *field, struct str box, struct secret **key)
{
    struct seal_scope scope = vault_key_scope(owner, field);
    struct secret *vault_key;
    struct id id;
    if (seal_key_id(box, &id) != ST_OK)
        return ST_BAD_SEAL;
    TRY(vault_key_open(vault, txn, &id, &vault_key));
    enum status status = seal_open(vault_key, &scope, box, key);
    secret_free(vault_key);
    return status;
}

/* --- credentials ---------------------------------------------------------------------------------
 */

static int vault_host_cmp(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lower case, sorted, each once. A ',' or a control byte could make two sets look alike. */
static enum status vault_hosts(struct arena *arena, const struct vault_owner *owner,
                               Sluice__SealedSecrets *sealed)
{
    if (owner->host_count > VAULT_HOSTS_MAX)
        return ST_INVALID;
    char **hosts = arena_calloc(arena, owner->host_count + 1, sizeof *hosts);
    size_t count = 0;
    if (hosts == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < owner->host_count; i++) {
        char *host = arena_cstr(arena, owner->hosts[i]);
        if (host == NULL)
            return ST_NO_MEMORY;
        for (size_t at = 0; at < owner->hosts[i].n; at++) {
            if ((unsigned char)host[at] <= ' ' || (unsigned char)host[at] > '~' || host[at] == ',')
                return ST_INVALID;
            if (host[at] >= 'A' && host[at] <= 'Z')
                host[at] = (char)(host[at] - 'A' + 'a');
        }
        if (host[0] == '\0')
            return ST_INVALID;
        hosts[i] = host;
    }
    qsort(hosts, owner->host_count, sizeof *hosts, vault_host_cmp);
    for (size_t i = 0; i < owner->host_count; i++)
        if (i == 0 || strcmp(hosts[i], hosts[count - 1]) != 0)
            hosts[count++] = hosts[i];
    sealed->hosts = hosts;
    sealed->n_hosts = count;
    return ST_OK;
}

enum status vault_secrets_scope(struct arena *arena, const struct id *org, const struct id *owner,
                                const Sluice__SealedSecrets *sealed, struct seal_scope *scope)
{
    size_t n = 0, at = 0;
    for (size_t i = 0; i < sealed->n_hosts; i++)
        n += strlen(sealed->hosts[i]) + 1;
    char *joined = arena_alloc(arena, n + 1);
    if (joined == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < sealed->n_hosts; i++) {
        size_t length = strlen(sealed->hosts[i]);
        if (i > 0)
            joined[at++] = ',';
        memcpy(joined + at, sealed->hosts[i], length);
        at += length;
    }
    *scope = (struct seal_scope){.org = *org,
                                 .owner = *owner,
                                 .field = "secrets",
                                 .version = sealed->version,
                                 .hosts = {joined, at}};
    return ST_OK;
}

enum status vault_seal_secrets(struct write_op *op, struct vault *vault,
                               const struct vault_owner *owner, struct str plain,
                               Sluice__SealedSecrets **out)
{
    struct vault_delivery_keys *keys = NULL;
    struct secret *vault_key = NULL;
    struct seal_scope scope;
    struct id key_id;
    struct str box, id_copy;
    enum status status;
    Sluice__SealedSecrets *sealed = arena_alloc(op->arena, sizeof *sealed);
    if (sealed == NULL)
        return ST_NO_MEMORY;
    sluice__sealed_secrets__init(sealed);
    sealed->version = owner->version;
    TRY(vault_hosts(op->arena, owner, sealed));
    TRY(vault_secrets_scope(op->arena, &owner->org, &owner->id, sealed, &scope));
    TRY(vault_active(op->txn, &key_id));
    TRY_OUT(vault_key_open(vault, op->txn, &key_id, &vault_key));
    TRY_OUT(seal_box(op->arena, vault_key, &key_id, &scope, plain, &box));
    id_copy = arena_str(op->arena, id_bytes(&key_id));
    if (id_copy.p == NULL) {
        status = ST_NO_MEMORY;
        goto out;
    }
    sealed->vault_key = wire_data(id_copy);
    sealed->vault_box = wire_data(box);
    TRY_OUT(vault_delivery_open(vault, op->txn, &keys));
    TRY_OUT(vault_delivery_seal(op, keys, &scope, plain, sealed));
    *out = sealed;
out:
    vault_delivery_close(keys);
    secret_free(vault_key);
    return status;
}

enum status vault_open_secrets(struct vault *vault, struct kv_txn *txn, const struct id *org,
                               const struct id *owner, const Sluice__SealedSecrets *sealed,
                               struct secret **plain)
{
    struct seal_scope scope;
    struct secret *vault_key = NULL;
    struct id key_id;
    struct arena arena;
    enum status status;
    arena_init(&arena, (size_t)64 << 10);
    TRY_OUT(vault_secrets_scope(&arena, org, owner, sealed, &scope));
    if (seal_key_id(wire_str(&sealed->vault_box), &key_id) != ST_OK) {
        status = ST_BAD_SEAL;
        goto out;
    }
    TRY_OUT(vault_key_open(vault, txn, &key_id, &vault_key));
    status = seal_open(vault_key, &scope, wire_str(&sealed->vault_box), plain);
out:
    secret_free(vault_key);
    arena_free(&arena);
    return status;
}
