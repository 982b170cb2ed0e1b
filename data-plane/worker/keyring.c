/* keyring.c: delivery keys in guarded memory, credentials opened for one attempt (keyring.h).
 *
 * A delivery key reaches the node sealed to its X25519 public key, as a record of the feed; it is
 * opened once and kept. Rotation brings a new key id; old ones are dropped when the table is full,
 * oldest first. The opened credential lives in a struct secret and its values are copied only into
 * the header lines that upstream.c wipes.
 */
#include "data-plane/worker/keyring.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "data-plane/worker/worker.h"

#define KEYRING_KEYS_MAX 16

struct keyring_key {
    struct id id;
    struct secret *key;
};

struct keyring {
    uint8_t public_key[SEAL_PK_BYTES];
    struct secret *private_key;
    struct secret *scratch; /* stays writable: it is empty (wiped) whenever no credential is open */
    char *scratch_bytes;
    struct loop *loop;
    struct loop_job lock_job; /* closes the delivery key again at the end of the turn */
    struct secret *unlocked;  /* the delivery key that is readable in this turn */
    struct keyring_key keys[KEYRING_KEYS_MAX]; /* newest last */
    size_t count;
};

/* A key page is unlocked once per turn of the loop, not once per request: two system calls and two
 * TLB flushes less for each. */
static void lock_again(struct loop_job *job)
{
    struct keyring *keyring = job->owner;
    if (keyring->unlocked != NULL)
        secret_close(keyring->unlocked);
    keyring->unlocked = NULL;
}

static void unlock(struct keyring *keyring, struct secret *key)
{
    if (keyring->unlocked == key)
        return;
    lock_again(&keyring->lock_job);
    secret_open(key);
    keyring->unlocked = key;
    loop_defer(keyring->loop, &keyring->lock_job);
}

enum status keyring_open(struct worker *worker, int fd, struct keyring **out)
{
    struct secret *both = NULL;
    struct keyring *keyring = calloc(1, sizeof *keyring);
    enum status status = keyring == NULL ? ST_NO_MEMORY : ST_OK;
    if (status == ST_OK) {
        keyring->loop = worker->loop;
        keyring->lock_job = (struct loop_job){.run = lock_again, .owner = keyring};
    }
    if (status == ST_OK)
        status = secret_read_fd(fd, SEAL_PK_BYTES + SEAL_SK_BYTES, &both);
    if (status == ST_OK) {
        char private_key[SEAL_SK_BYTES];
        struct str bytes = secret_open(both);
        memcpy(keyring->public_key, bytes.p, SEAL_PK_BYTES);
        memcpy(private_key, bytes.p + SEAL_PK_BYTES, SEAL_SK_BYTES);
        secret_close(both);
        status = secret_take(private_key, sizeof private_key, &keyring->private_key);
    }
    if (status == ST_OK)
        status = secret_new(KEYRING_SCRATCH_BYTES, &keyring->scratch);
    if (status == ST_OK)
        keyring->scratch_bytes = secret_open_write(keyring->scratch);
    secret_free(both);
    if (status != ST_OK) {
        if (keyring != NULL)
            secret_free(keyring->private_key);
        free(keyring);
        return status;
    }
    *out = keyring;
    return ST_OK;
}

void keyring_close(struct keyring *keyring)
{
    if (keyring == NULL)
        return;
    lock_again(&keyring->lock_job);
    loop_defer_cancel(keyring->loop, &keyring->lock_job);
    for (size_t i = 0; i < keyring->count; i++)
        secret_free(keyring->keys[i].key);
    secret_free(keyring->private_key);
    secret_free(keyring->scratch);
    free(keyring);
}

static void keep(struct keyring *keyring, const struct id *id, struct secret *key)
{
    if (keyring->count == KEYRING_KEYS_MAX) {
        lock_again(&keyring->lock_job);
        secret_free(keyring->keys[0].key);
        memmove(&keyring->keys[0], &keyring->keys[1],
                (KEYRING_KEYS_MAX - 1) * sizeof keyring->keys[0]);
        keyring->count--;
    }
    keyring->keys[keyring->count++] = (struct keyring_key){*id, key};
}

static enum status find_key(struct keyring *keyring, struct catalog *catalog, const struct id *id,
                            struct secret **key)
{
    for (size_t i = keyring->count; i-- > 0;) {
        if (id_eq(&keyring->keys[i].id, id)) {
            *key = keyring->keys[i].key;
            return ST_OK;
        }
    }
    struct str record;
    struct id none = ID_NONE;
    TRY(catalog_get(catalog, SLUICE__KIND__KIND_DELIVERY_KEY, &none, &none, id, &record));
    const struct cat_delivery_key *row =
        CAT_AS(record, SLUICE__KIND__KIND_DELIVERY_KEY, cat_delivery_key);
    if (row == NULL)
        return ST_BAD_FORMAT;
    TRY(seal_open_from(keyring->public_key, keyring->private_key,
                       cat_str(&row->head, row->node_box), key));
    if (secret_size(*key) != SEAL_KEY_BYTES) {
        secret_free(*key);
        return ST_BAD_SEAL;
    }
    keep(keyring, id, *key);
    return ST_OK;
}

enum status keyring_open_secrets(struct keyring *keyring, struct catalog *catalog,
                                 const struct id *org, const struct id *owner, uint32_t version,
                                 const struct id *delivery_key, struct str hosts, struct str box,
                                 struct open_secrets *out)
{
    struct secret *key;
    TRY(find_key(keyring, catalog, delivery_key, &key));
    if (box.n > KEYRING_SCRATCH_BYTES)
        return ST_TOO_LARGE;
    struct seal_scope scope = {
        .org = *org, .owner = *owner, .field = "secrets", .version = version, .hosts = hosts};
    size_t n;
    unlock(keyring, key);
    TRY(seal_open_into(key, &scope, box, keyring->scratch_bytes, &n));
    *out = (struct open_secrets){keyring, str_of(keyring->scratch_bytes, n)};
    return ST_OK;
}

enum status keyring_secret(const struct open_secrets *secrets, struct str name, char *out,
                           size_t room, size_t *n)
{
    char wanted[256];
    if (secrets->plain.p == NULL || name.n >= sizeof wanted)
        return ST_NOT_FOUND;
    memcpy(wanted, name.p, name.n);
    wanted[name.n] = '\0';
    struct json_field field = {.name = wanted};
    struct str text;
    enum status status = json_scan_object(secrets->plain, &field, 1, NULL);
    bool object = field.type == JSON_OBJECT;
    if (status == ST_OK && (field.raw.p == NULL || (field.type != JSON_STRING && !object)))
        status = ST_NOT_FOUND;
    if (status == ST_OK && field.raw.n > room)
        status = ST_TOO_LARGE;
    if (status == ST_OK && object)
        text = field.raw;
    else if (status == ST_OK)
        status = json_unescape(field.raw, out, &text);
    if (status == ST_OK) {
        if (text.p != out)
            memcpy(out, text.p, text.n);
        *n = text.n;
    }
    return status;
}

void keyring_close_secrets(struct open_secrets *secrets)
{
    if (secrets->plain.p == NULL)
        return;
    secret_wipe(secrets->keyring->scratch_bytes, secrets->plain.n);
    secrets->plain = STR_NONE;
}
