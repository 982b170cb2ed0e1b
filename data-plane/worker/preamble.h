/* preamble.h: what stands in front of a stream's content: is this event content, does it say that
 * the stream failed, or does it only open the stream?
 *
 * For streams that pass untranslated and could still be left for another target (attempts.h). By
 * operation: chunks of chats and completions (a role, an empty text), Anthropic's message_start,
 * ping and block starts, Responses' response.created and added items; of other operations every
 * event is content but an error. What cannot be read is content: it passes. Pure.
 * Sources: OpenAI API reference, "Streaming events"; Anthropic API reference, "Streaming messages".
 */
#ifndef SLUICE_DATA_WORKER_PREAMBLE_H
#define SLUICE_DATA_WORKER_PREAMBLE_H

#include "common/ops.h"
#include "data-plane/sse.h"

enum preamble { PREAMBLE_OPENS, PREAMBLE_CONTENT, PREAMBLE_FAILED };

/* http_status: of PREAMBLE_FAILED, what the error would have been as an answer of its own. */
enum preamble preamble_judge(enum op op, const struct sse_event *event, int *http_status);

#endif
