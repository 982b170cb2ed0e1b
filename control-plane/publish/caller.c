/* caller.c: from a claimed node id to a proved caller.
 *
 * Reading the record for every message costs microseconds and needs no cache that could lag behind
 * a removal. The key is open only inside one MAC computation.
 */
#include "control-plane/publish/caller.h"

#include "common/log.h"
#include "common/wire.h"

static enum status caller_read(struct kv_txn *txn, struct vault *vault, struct caller *caller)
{
    struct record_key key;
    TRY(record_locate(txn, SLUICE__KIND__KIND_NODE, &ID_NONE, &caller->id, &key));
    TRY(record_get(txn, &key, caller->arena, &caller->node, NULL));
    TRY(wire_id(&caller->node->group, &caller->group));
    TRY(vault_open_key(vault, txn, &caller->id, "node_key", wire_str(&caller->node->key_box),
                       &caller->key));
    if (secret_size(caller->key) == FRAME_KEY_BYTES)
        return ST_OK;
    secret_free(caller->key);
    return ST_BAD_SEAL;
}

enum status caller_open(struct kv *kv, struct vault *vault, const struct id *node,
                        struct arena *arena, struct caller *caller)
{
    struct kv_txn *txn;
    struct caller found = {.id = *node, .arena = arena};
    TRY(kv_begin(kv, false, &txn));
    enum status status = caller_read(txn, vault, &found);
    kv_abort(txn);
    if (status == ST_OK)
        *caller = found;
    return status;
}

void caller_close(struct caller *caller)
{
    secret_free(caller->key);
    caller->key = NULL;
}

enum status caller_verify(struct caller *caller, struct str wire, struct frame *frame)
{
    struct str key = secret_open(caller->key);
    enum status status = frame_open(wire, (const uint8_t *)key.p, frame);
    secret_close(caller->key);
    return status;
}

void caller_answer(struct caller *caller, struct link_request *request, const struct frame *head,
                   Sluice__LinkKind kind, const ProtobufCMessage *message)
{
    struct frame answer = {
        .node = caller->id, .boot = head->boot, .counter = head->counter, .kind = kind};
    struct str wire;
    struct str key = secret_open(caller->key);
    enum status status = frame_seal(caller->arena, (const uint8_t *)key.p, &answer, message, &wire);
    secret_close(caller->key);
    if (status == ST_OK) {
        link_request_reply(request, wire);
        return;
    }
    log_error("link_answer_failed", LOG_ID("node", &caller->id), LOG_U64("kind", kind),
              LOG_STATUS(status));
    link_request_drop(request);
}

void caller_refuse(struct caller *caller, struct link_request *request, const struct frame *head,
                   enum status status)
{
    Sluice__LinkError error;
    sluice__link_error__init(&error);
    error.status = arena_cstr(caller->arena, str_c(status_row(status)->code));
    error.message = arena_cstr(caller->arena, str_c(status_row(status)->text));
    if (error.status == NULL || error.message == NULL)
        link_request_drop(request);
    else
        caller_answer(caller, request, head, SLUICE__LINK_KIND__LINK_ERROR, &error.base);
}
