/* back_anthropic.h: Anthropic's Messages dialect, in pieces that other services of Claude share.
 *
 * Source: Anthropic API reference ("Create a Message", "Streaming messages", "Errors").
 */
#ifndef SLUICE_DATA_DIALECT_BACK_ANTHROPIC_H
#define SLUICE_DATA_DIALECT_BACK_ANTHROPIC_H

#include "common/json_write.h"
#include "data-plane/dialect/anthropic_model.h"
#include "data-plane/dialect/dialect.h"

#define BACK_ANTHROPIC_SIGNS "anthropic-claude-v1"

struct back_anthropic {
    struct anthropic_model model;
    /* request: decided before anything is written */
    struct chat_text json_tool; /* the tool whose call is the JSON answer; absent: none */
    bool thinks;                /* thinking is asked for */
    uint64_t max_tokens, budget_tokens;
    /* answer */
    enum chat_part_kind block; /* of the open content block */
    bool json_block, any_call; /* the block is the JSON answer; another tool was called */
    size_t arguments_bytes;
    struct slot_usage usage;
};

/* Members of a request but model and stream, into the object open in w. ST_INVALID (refused),
 * ST_NO_MEMORY. */
MUST_USE enum status back_anthropic_write_members(struct dialect_call *call, struct json_writer *w);
/* "system" and "messages". As above. */
MUST_USE enum status back_anthropic_messages(struct dialect_call *call, struct json_writer *w);
/* What max_tokens, thinking and the form of JSON answers will be -> state. As above. */
MUST_USE enum status back_anthropic_plan(struct dialect_call *call);
/* tools, tool_choice, output_config, thinking. As above. */
MUST_USE enum status back_anthropic_options(struct dialect_call *call, struct json_writer *w);

/* struct back's functions. */
enum status back_anthropic_event(struct dialect_call *call, const struct sse_event *event);
enum status back_anthropic_whole(struct dialect_call *call, const struct json *answer);
void back_anthropic_error(struct dialect_call *call, const struct json *body,
                          struct chat_error *error);

#endif
