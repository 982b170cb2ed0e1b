/* api.h: the handlers of routes.c, all after the contract of call.h. Each api_*.c holds one
 * resource of OpenAI's API. */
#ifndef SLUICE_TESTS_SIM_API_H
#define SLUICE_TESTS_SIM_API_H

#include "tests/sim/call.h"

void api_chat_create(struct call *call);
/* The same when the model is known already: whoever else serves this API has names of its own. */
void api_chat_run(struct call *call);
void api_completions_create(struct call *call);
void api_embeddings_create(struct call *call);
void api_moderations_create(struct call *call);
void api_images_generate(struct call *call);
void api_images_edit(struct call *call);
void api_audio_speech(struct call *call);
void api_audio_transcribe(struct call *call);
void api_audio_translate(struct call *call);
void api_responses_create(struct call *call);
void api_responses_get(struct call *call);
void api_responses_delete(struct call *call);
void api_responses_cancel(struct call *call);
void api_responses_input_items(struct call *call);
void api_files_create(struct call *call);
void api_files_list(struct call *call);
void api_files_get(struct call *call);
void api_files_delete(struct call *call);
void api_files_content(struct call *call);
void api_batches_create(struct call *call);
void api_batches_list(struct call *call);
void api_batches_get(struct call *call);
void api_batches_cancel(struct call *call);
void api_jobs_create(struct call *call);
void api_jobs_list(struct call *call);
void api_jobs_get(struct call *call);
void api_jobs_cancel(struct call *call);
void api_jobs_events(struct call *call);
void api_jobs_checkpoints(struct call *call);
void api_models_list(struct call *call);
void api_models_get(struct call *call);
void api_models_delete(struct call *call);

#endif
