/* azure_paths.h: the paths that clients of Azure OpenAI send, as this gateway's own.
 *
 *   /openai/deployments/@prod/fast/chat/completions   -> /v1/chat/completions, model "@prod/fast"
 *   /openai/v1/responses, /openai/files/{id}          -> /v1/responses, /v1/files/{id}
 *
 * Azure's clients put the model into the path; here it names any provider's model, not a deployment
 * only. Pure but for the arena.
 */
#ifndef SLUICE_DATA_WORKER_AZURE_PATHS_H
#define SLUICE_DATA_WORKER_AZURE_PATHS_H

#include "common/arena.h"

/* The path as ours; one that is not Azure's stays. *model: what stood between "deployments" and the
 * operation, unescaped; n = 0: nothing. Borrows, or gives in the arena. ST_NO_MEMORY. */
MUST_USE enum status azure_paths_rewrite(struct arena *arena, struct str path, struct str *ours,
                                         struct str *model);

#endif
