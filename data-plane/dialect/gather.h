/* gather.h: events put together to a whole answer (struct chat_answer).
 *
 * For callers who want no stream, whether the provider streamed or not. Owner: the call; parts lie
 * in its arena, words of an open part in a buffer that grows to GATHER_TEXT_MAX.
 */
#ifndef SLUICE_DATA_DIALECT_GATHER_H
#define SLUICE_DATA_DIALECT_GATHER_H

#include "data-plane/dialect/chat.h"

#define GATHER_TEXT_MAX (32u * 1024u * 1024u)

struct chat_gather;

/* gives a gatherer; its node lies in the arena, gather_free releases its buffers. NULL: no memory.
 */
struct chat_gather *gather_new(struct arena *arena);
/* NULL is fine. */
void gather_free(struct chat_gather *gather);
/* Bytes of memory beside the arena. */
size_t gather_held_bytes(const struct chat_gather *gather);
/* One event in order (chat_event). `stable`: what it points at outlives the gatherer, so that words
 * that come in one piece are borrowed. ST_NO_MEMORY, ST_TOO_LARGE. */
MUST_USE enum status gather_event(struct chat_gather *gather, const struct chat_event *event,
                                  bool stable);
/* Borrows; complete after CHAT_EVENT_END. */
const struct chat_answer *gather_answer(const struct chat_gather *gather);

#endif
