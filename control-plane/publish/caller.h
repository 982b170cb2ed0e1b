/* caller.h: who sent a message of the link, proved: the node's record and key as the store has them
 * now, and sealing answers to it.
 *
 * Owner: caller_open gives, caller_close wipes. The record lives in the caller's arena; no
 * transaction stays open.
 */
#ifndef SLUICE_CONTROL_PUBLISH_CALLER_H
#define SLUICE_CONTROL_PUBLISH_CALLER_H

#include "common/frame.h"
#include "common/link.h"
#include "control-plane/vault/vault.h"

struct caller {
    struct id id, group;
    Sluice__Node *node;
    struct secret *key;
    struct arena *arena;
};

/* Finds a node's record and opens its key. ST_NOT_FOUND: no such node. ST_BAD_SEAL, ST_NO_MEMORY,
 * store statuses. */
MUST_USE enum status caller_open(struct kv *kv, struct vault *vault, const struct id *node,
                                 struct arena *arena, struct caller *caller);
void caller_close(struct caller *caller);

/* Verifies a frame with the caller's key. Statuses of frame_open. */
MUST_USE enum status caller_verify(struct caller *caller, struct str wire, struct frame *frame);

/* Seals `message` as the answer of kind `kind` to `head` and ends the request with it; on failure
 * the request is dropped. */
void caller_answer(struct caller *caller, struct link_request *request, const struct frame *head,
                   Sluice__LinkKind kind, const ProtobufCMessage *message);
/* Answers LINK_ERROR. */
void caller_refuse(struct caller *caller, struct link_request *request, const struct frame *head,
                   enum status status);

#endif
