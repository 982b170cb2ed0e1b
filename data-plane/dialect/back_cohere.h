/* back_cohere.h: Cohere's v2 API as a back: chats, embeddings, reranking.
 *
 * Source: Cohere API v2 reference ("Chat", "Chat with Streaming", "Embed", "Rerank", "Errors");
 * guides "Tool use", "Reasoning", "Structured outputs".
 */
#ifndef SLUICE_DATA_DIALECT_BACK_COHERE_H
#define SLUICE_DATA_DIALECT_BACK_COHERE_H

#include "common/json_write.h"
#include "data-plane/dialect/dialect.h"
#include "data-plane/dialect/simple.h"

#define BACK_COHERE_SIMPLE_COUNT 2

/* "messages", into the object open in w. ST_INVALID (refused), ST_NO_MEMORY. */
MUST_USE enum status back_cohere_messages(struct dialect_call *call, struct json_writer *w);
/* tools, tool_choice, strict_tools, response_format. As above. */
MUST_USE enum status back_cohere_tools(struct dialect_call *call, struct json_writer *w);

/* Embeddings and reranking. */
extern const struct simple_op back_cohere_simple[BACK_COHERE_SIMPLE_COUNT];

/* struct back's functions. */
enum status back_cohere_event(struct dialect_call *call, const struct sse_event *event);
enum status back_cohere_whole(struct dialect_call *call, const struct json *answer);
void back_cohere_error(struct dialect_call *call, const struct json *body,
                       struct chat_error *error);

#endif
