/* api.h: the handlers of routes.c. Each api_*.c holds one resource of OpenAI's API.
 *
 * Handlers that take a `struct call` follow call.h; those that take a `struct request` answer through reply.h.
 */
#ifndef SLUICE_TESTS_SIM_API_H
#define SLUICE_TESTS_SIM_API_H

#include "tests/sim/call.h"

void api_chat_create(struct call *call);
void api_completions_create(struct call *call);
void api_embeddings_create(struct call *call);
void api_models_list(struct call *call);
void api_models_get(struct call *call);
void api_models_delete(struct call *call);

#endif
