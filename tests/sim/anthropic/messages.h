/* messages.h: one request of Anthropic's Messages API, wherever it is served: api.anthropic.com,
 * Bedrock's InvokeModel, Vertex's rawPredict.
 *
 * Owner: the handler's stack; what outlives the handler (the stream) is in the call's keep arena.
 * Steps: messages_check (shape, then rules) -> messages_read (prompt counted, what is asked) ->
 * answer -> messages_write or messages_stream. Every refusal is the call's outcome, with the words
 * of the real API (errors: API reference, "Errors"; the rules: the guides on tool use, thinking,
 * caching).
 */
#ifndef SLUICE_TESTS_SIM_ANTHROPIC_MESSAGES_H
#define SLUICE_TESTS_SIM_ANTHROPIC_MESSAGES_H

#include "tests/sim/anthropic/claude.h"
#include "tests/sim/shape.h"
#include "tests/sim/stream.h"

enum messages_host { MESSAGES_ANTHROPIC, MESSAGES_BEDROCK, MESSAGES_VERTEX };

struct messages {
    struct call *call;
    const struct claude *claude;
    enum messages_host host;
    bool counts_only; /* count_tokens */
    bool latest;      /* API version 2026-10-21: no sampling parameters */
    struct str betas; /* the anthropic-beta header, or what stands for it */
};

/* How one event of a stream goes out; `json` is the event's data. */
typedef void messages_frame(struct buf *out, const char *event, struct str json);

/* What an answer needs besides its blocks; in keep. */
struct messages_reply {
    struct str id, model;
    bool redacted; /* the thought is shown as redacted_thinking */
    bool latest;   /* API version 2026-10-21: "citations": null where there are none */
    uint64_t seed; /* of its signature */
    messages_frame *frame;
};

/* Whether a beta is asked for: the exact name, or its beginning when it ends with '-'. */
bool messages_has_beta(const struct messages *messages, const char *name);

/* False: an error is the outcome. */
MUST_USE bool messages_check(const struct messages *messages);
MUST_USE bool messages_check_turns(const struct messages *messages); /* turns.c */
MUST_USE bool messages_check_media(const struct messages *messages); /* messages_media.c */
/* The words that a fault of the shape is refused with. */
void messages_refuse_shape(struct call *call, const struct shape_fault *fault);

/* Reads and counts the prompt, and what is asked. False: an error is the outcome. */
MUST_USE bool messages_read(const struct messages *messages, struct answer_ask *ask,
                            struct toolbox *toolbox);
/* Whether a text asks for a thought that is not shown but as redacted. */
bool messages_is_redacted(struct str user);

/* Answers: whole, or as a stream with this framing. */
void messages_answer(const struct messages *messages, bool stream, messages_frame *frame);
/* Makes the outcome a stream (messages_stream.c). */
void messages_stream(struct call *call, const struct answer *answer, struct messages_reply *reply);
/* The events of an answer that is sent at once, in these pieces of its only block. */
void messages_write_events(const struct answer *answer, struct messages_reply *reply,
                           const struct str *pieces, size_t count, struct buf *out);
/* server-sent events, Anthropic's own framing */
messages_frame messages_frame_sse;

/* Writes the message object (`arena`: for its texts); `answer` NULL: as it is when a stream begins.
 */
void messages_write(struct json_writer *w, struct arena *arena, const struct messages_reply *reply,
                    const struct answer *answer, const struct usage *usage);
/* Writes one content block; `begins`: as it is when it begins in a stream. */
void messages_write_block(struct json_writer *w, struct arena *arena,
                          const struct messages_reply *reply, const struct answer_block *block,
                          bool begins);
/* Writes the members of a usage object; `whole`: those of a message, else of message_delta. */
void messages_write_usage(struct json_writer *w, const struct usage *usage, bool whole);
/* Writes stop_reason and the members beside it; NULL: all null. */
void messages_write_stop(struct json_writer *w, const struct answer *answer);

#endif
