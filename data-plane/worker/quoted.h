/* quoted.h: ids of objects at a provider that a JSON request body quotes.
 *
 * At the top level `input_file_id`, `training_file`, `validation_file`, `previous_response_id` and
 * `conversation`; at any depth `file_id`, `file_ids`, `vector_store_ids` and `container` (OpenAI
 * API reference). What is below `metadata`, `parameters` or `schema` is the caller's own data and
 * quotes nothing. Pure; borrows the body, which is valid JSON.
 */
#ifndef SLUICE_DATA_WORKER_QUOTED_H
#define SLUICE_DATA_WORKER_QUOTED_H

#include "common/json_scan.h"

/* One id, as a raw JSON string with its quotes. */
typedef enum status (*quoted_fn)(void *arg, struct str raw);

/* A cheap look, so that most bodies need no walk: false only if quoted_each would find nothing. */
bool quoted_maybe(struct str body);
/* Calls `found` for each id; the first status but ST_OK ends the walk and is given back. */
MUST_USE enum status quoted_each(struct str body, quoted_fn found, void *arg);

#endif
