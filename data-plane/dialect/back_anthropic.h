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

/* Rules of every parameter (back_anthropic.def). */
extern const struct param_rule back_anthropic_rules[CHAT_PARAM_COUNT];

/* Members of a request but model and stream, into the object open in w. ST_INVALID (refused),
 * ST_NO_MEMORY. */
MUST_USE enum status back_anthropic_write_members(struct dialect_call *call, struct json_writer *w);
/* "system" and "messages". As above. */
MUST_USE enum status back_anthropic_messages(struct dialect_call *call, struct json_writer *w);
/* What max_tokens, thinking and the form of JSON answers will be -> state. As above. */
MUST_USE enum status back_anthropic_plan(struct dialect_call *call);
/* Its two halves, by a state->model that is set already, for services of Claude whose back state
 * begins with a struct back_anthropic: how JSON is asked for (ST_INVALID; `passes`: a caller's own
 * output_config reaches the model as it is), and max_tokens and thinking. */
MUST_USE enum status back_anthropic_plan_format(struct dialect_call *call, bool passes);
void back_anthropic_plan_thinking(struct dialect_call *call);
/* tools, tool_choice, output_config, thinking. As above. */
MUST_USE enum status back_anthropic_options(struct dialect_call *call, struct json_writer *w);

/* thinking, and the effort of output_config. */
void back_anthropic_thinking(struct dialect_call *call, struct json_writer *w);
/* A tool's schema under `key`, "type":"object" added where it lacks. */
void back_anthropic_schema(struct json_writer *w, const char *key, struct str schema);

/* struct back's functions. */
enum status back_anthropic_event(struct dialect_call *call, const struct sse_event *event);
enum status back_anthropic_whole(struct dialect_call *call, const struct json *answer);
void back_anthropic_error(struct dialect_call *call, const struct json *body,
                          struct chat_error *error);

#endif
