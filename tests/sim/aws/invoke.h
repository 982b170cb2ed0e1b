/* invoke.h: InvokeModel: one body per model family (invoke*.c). A handler checks its own body and
 * writes the reply; `stream` is never set for what does not stream. */
#ifndef SLUICE_TESTS_SIM_AWS_INVOKE_H
#define SLUICE_TESTS_SIM_AWS_INVOKE_H

#include "tests/sim/aws/bedrock.h"

typedef void invoke_fn(struct call *call, const struct bedrock_model *model, bool stream);

invoke_fn invoke_claude, invoke_text, invoke_titan_embed, invoke_cohere_embed, invoke_cohere_rerank,
    invoke_stable_image, invoke_stable_xl, invoke_canvas;

/* Runs the model on call->root; also for the row of a batch job (call->req is NULL then). */
void invoke_run(struct call *call, const struct bedrock_model *model, bool stream);
/* Adds one `chunk` frame: {"bytes": base64 of this JSON}. */
void invoke_add_chunk(struct buf *out, struct str json);
/* Makes the outcome the error of the model's own validation. False, always. */
bool invoke_refuse(struct call *call, const struct shape_fault *fault);
/* Checks the body by the model's own table. False: an error is the outcome. */
MUST_USE bool invoke_check(struct call *call, const struct shape *shape);

#endif
