/* idempotency.c: see idempotency.h.
 *
 * What makes two requests the same: method, path, query and body, byte for byte. Which caller: the
 * key or person, so two callers may use the same Idempotency-Key. Must never answer one caller with
 * what another was told: the row's place and the seal both depend on who asks.
 */
#include "control-plane/api/idempotency.h"

#include <sodium.h>

#include "common/seal.h"

#define IDEMPOTENCY_VERSION    1
#define IDEMPOTENCY_HASH_BYTES 32
#define IDEMPOTENCY_HEAD_BYTES (1 + 8 + 8 + IDEMPOTENCY_HASH_BYTES)

static struct str sent_key(const struct api_call *call)
{
    return http_request_header(call->request, "idempotency-key");
}

static enum status row_key(const struct api_call *call, struct str name, struct key *key)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= 0x20 || name.p[i] >= 0x7F)
            return ST_INVALID;
    if (name.n > IDEMPOTENCY_KEY_MAX)
        return ST_INVALID;
    key_init_space(key, KEY_SPACE_IDEMPOTENCY);
    key_add_id(key, &call->auth.org);
    key_add_id(key, &call->auth.actor);
    key_add_hash(key, name);
    return ST_OK;
}

static void hash_part(crypto_generichash_state *state, struct str part)
{
    uint64_t n = part.n;
    crypto_generichash_update(state, (const uint8_t *)&n, sizeof(n));
    crypto_generichash_update(state, (const uint8_t *)part.p, part.n);
}

static void request_hash(const struct api_call *call, uint8_t hash[IDEMPOTENCY_HASH_BYTES])
{
    const struct http_request *request = call->request;
    crypto_generichash_state state;
    CHECK(crypto_generichash_init(&state, NULL, 0, IDEMPOTENCY_HASH_BYTES) == 0);
    hash_part(&state, str_c(http_method_text(request->method)));
    hash_part(&state, request->path);
    hash_part(&state, request->query);
    hash_part(&state, request->body);
    CHECK(crypto_generichash_final(&state, hash, IDEMPOTENCY_HASH_BYTES) == 0);
}

static enum status seal_key(const struct api_call *call, struct secret **key)
{
    crypto_generichash_state state;
    uint8_t bytes[SEAL_KEY_BYTES];
    static const uint8_t personal[] = "sluice-idempot-0", no_salt[16];
    CHECK(crypto_generichash_blake2b_init_salt_personal(&state, NULL, 0, sizeof(bytes), no_salt,
                                                        personal) == 0);
    hash_part(&state, auth_credential(call->request));
    hash_part(&state, sent_key(call));
    CHECK(crypto_generichash_final(&state, bytes, sizeof(bytes)) == 0);
    sodium_memzero(&state, sizeof(state));
    return secret_take(bytes, sizeof(bytes), key);
}

static struct seal_scope scope_of(const struct api_call *call)
{
    return (struct seal_scope){.org = call->auth.org,
                               .owner = call->auth.actor,
                               .field = "idempotency",
                               .version = IDEMPOTENCY_VERSION,
                               .hosts = STR("")};
}

/* Opens the kept reply into the call's. ST_BAD_SEAL: the caller proved themselves in another way.
 */
static enum status replay(struct api_call *call, struct str row)
{
    struct secret *key = NULL, *plain = NULL;
    struct seal_scope scope = scope_of(call);
    uint64_t revision = key_get_u64(row.p + 9);
    struct str box = arena_str(call->arena, str_from(row, IDEMPOTENCY_HEAD_BYTES));
    if (box.p == NULL)
        return ST_NO_MEMORY;
    TRY(seal_key(call, &key));
    enum status status = seal_open(key, &scope, box, &plain);
    if (status == ST_OK) {
        buf_add_str(&call->reply->body, secret_open(plain));
        secret_close(plain);
        call->replayed_revision = revision;
        call->op->no_revision = true;
    }
    secret_free(plain);
    secret_free(key);
    return status;
}

enum status idempotency_look(struct api_call *call, bool *replayed)
{
    uint8_t hash[IDEMPOTENCY_HASH_BYTES];
    struct str name = sent_key(call), row;
    struct key key;
    *replayed = false;
    if (name.p == NULL)
        return ST_OK;
    if (name.n == 0 || row_key(call, name, &key) != ST_OK)
        return api_invalid(call, "idempotency-key", "must have 1 to 255 visible characters");
    enum status status = kv_get(call->txn, KV_MAIN, key_str(&key), &row);
    if (status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    if (row.n <= IDEMPOTENCY_HEAD_BYTES || row.p[0] != IDEMPOTENCY_VERSION)
        return ST_BAD_FORMAT;
    if ((int64_t)key_get_u64(row.p + 1) + IDEMPOTENCY_KEEP_MS <= call->now_ms)
        return ST_OK;
    request_hash(call, hash);
    if (memcmp(row.p + 17, hash, sizeof(hash)) != 0)
        return api_fail(call, ST_UNPROCESSABLE,
                        "idempotency-key: was used for another request within the last day");
    status = replay(call, row);
    if (status == ST_BAD_SEAL)
        return api_fail(call, ST_UNPROCESSABLE,
                        "idempotency-key: was used with another value of this credential");
    *replayed = status == ST_OK;
    return status;
}

enum status idempotency_keep(struct api_call *call)
{
    struct secret *secret = NULL;
    struct seal_scope scope = scope_of(call);
    struct str name = sent_key(call), box, reply = buf_str(&call->reply->body);
    struct key key;
    if (name.p == NULL)
        return ST_OK;
    TRY(row_key(call, name, &key));
    TRY(buf_status(&call->reply->body));
    TRY(seal_key(call, &secret));
    enum status status = seal_box(call->arena, secret, &call->auth.actor, &scope,
                                  reply.n > 0 ? reply : STR("{}"), &box);
    secret_free(secret);
    TRY(status);
    char *row = arena_alloc(call->arena, IDEMPOTENCY_HEAD_BYTES + box.n);
    if (row == NULL)
        return ST_NO_MEMORY;
    row[0] = IDEMPOTENCY_VERSION;
    key_put_u64((uint8_t *)row + 1, (uint64_t)call->now_ms);
    key_put_u64((uint8_t *)row + 9, call->op->revision);
    request_hash(call, (uint8_t *)row + 17);
    memcpy(row + IDEMPOTENCY_HEAD_BYTES, box.p, box.n);
    return kv_put(call->txn, KV_MAIN, key_str(&key), str_of(row, IDEMPOTENCY_HEAD_BYTES + box.n));
}

enum status idempotency_purge(struct write_op *op, struct key *place, bool *left)
{
    struct kv_cursor *cursor;
    struct key prefix;
    struct str name, row;
    op->no_revision = true;
    key_init_space(&prefix, KEY_SPACE_IDEMPOTENCY);
    TRY(kv_cursor_open(op->txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, key_str(place->n == 0 ? &prefix : place));
    enum status status = ST_OK;
    for (size_t i = 0; status == ST_OK && i < IDEMPOTENCY_PURGE_PER_STEP; i++) {
        status = kv_cursor_next(cursor, &name, &row);
        if (status != ST_OK || !str_starts(name, key_str(&prefix))) {
            status = status == ST_OK ? ST_END : status;
            break;
        }
        key_init(place);
        key_add_bytes(place, name.p, name.n);
        bool over = row.n < IDEMPOTENCY_HEAD_BYTES ||
                    (int64_t)key_get_u64(row.p + 1) + IDEMPOTENCY_KEEP_MS <= op->now_ms;
        if (over)
            status = kv_delete(op->txn, KV_MAIN, key_str(place));
    }
    kv_cursor_close(cursor);
    *left = status == ST_OK;
    return status == ST_END ? ST_OK : status;
}
