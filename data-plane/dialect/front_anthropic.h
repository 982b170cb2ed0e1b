/* front_anthropic.h: what the files of Anthropic's Messages dialect, as callers speak it, share
 * (front_anthropic*.c).
 *
 * Source: Anthropic API reference, "Create a Message", "Count tokens in a Message", "Streaming
 * messages", "Errors".
 */
#ifndef SLUICE_DATA_DIALECT_FRONT_ANTHROPIC_H
#define SLUICE_DATA_DIALECT_FRONT_ANTHROPIC_H

#include "common/json_write.h"
#include "data-plane/dialect/dialect.h"

#define CLAUDE_SIGNS "anthropic-claude-v1" /* back.signs_as of Claude, wherever it runs */

/* A stream's state: of the first choice, which is all that a message has. */
struct front_anthropic {
    uint32_t blocks;          /* content blocks begun */
    enum chat_part_kind open; /* kind of the open block; NONE */
    bool signed_block;        /* the open thinking has its signature */
    bool refused;             /* words of a refusal have come */
    enum chat_finish finish;
    struct chat_text stop;
};

/* system and messages -> chat. ST_INVALID, ST_NO_MEMORY. */
MUST_USE enum status front_anthropic_messages(struct dialect_call *call, const struct json *body,
                                              struct chat *chat);
/* tools, tool_choice, thinking, output_config -> chat. As above. */
MUST_USE enum status front_anthropic_tools(struct dialect_call *call, const struct json *body,
                                           struct chat *chat);

/* The type of an error by its status ("overloaded_error"). Never NULL. */
const char *front_anthropic_error_type(int http);
/* Does the answer come from Claude, so that its blocks and citations are already in this dialect?
 */
bool front_anthropic_is_claude(const struct dialect_call *call);
/* stop_reason; `refused`: words of a refusal came. Never NULL. */
const char *front_anthropic_stop(enum chat_finish finish, bool refused);
/* "stop_reason", "stop_sequence" and "stop_details", into the open object. */
void front_anthropic_ending(struct json_writer *w, enum chat_finish finish, struct chat_text stop,
                            bool refused);
/* The "usage" object: input without what came from or went to a cache, as the API counts. */
void front_anthropic_usage(struct json_writer *w, const struct slot_usage *usage);
/* "id", "type", "role", "model" of a message, into the open object. */
void front_anthropic_head(struct json_writer *w, struct chat_text id, struct chat_text model);
/* Has this citation of a text a form here? */
bool front_anthropic_cites(const struct dialect_call *call, const struct chat_citation *citation);
/* One that has. */
void front_anthropic_citation(struct dialect_call *call, struct json_writer *w,
                              const struct chat_citation *citation);
/* The signature as it goes to the caller, with its origin where it is not Claude's. Absent: none.
 * Without memory call->out fails. */
struct chat_text front_anthropic_signature(struct dialect_call *call, enum chat_proof proof,
                                           struct str origin, struct chat_text signature);
/* "source" of an image. */
void front_anthropic_source(struct json_writer *w, const struct chat_media *media);

void front_anthropic_event(struct dialect_call *call, const struct chat_event *event);
void front_anthropic_whole(struct dialect_call *call, const struct chat_answer *answer);
void front_anthropic_error(struct dialect_call *call, const struct chat_error *error,
                           bool in_stream);

#endif
