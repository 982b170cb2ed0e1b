/* converse.h: one request of Bedrock's Converse API.
 *
 * A Converse request is checked as Bedrock checks it (converse_shape.c, converse_check.c), then
 * written as a Messages request (converse_translate.c), which is Bedrock's own way with a Claude:
 * so a Claude refuses what it refuses at home, and every model's prompt is counted by one rule. The
 * answer is then written in Converse's words.
 */
#ifndef SLUICE_TESTS_SIM_AWS_CONVERSE_H
#define SLUICE_TESTS_SIM_AWS_CONVERSE_H

#include "tests/sim/anthropic/messages.h"
#include "tests/sim/aws/bedrock.h"

struct converse {
    struct call *call;
    struct bedrock_model model;
    const struct json *body; /* the Converse request; inside `input` for count-tokens */
};

/* What an answer needs besides its blocks; in keep. */
struct converse_reply {
    bool redacted; /* the thought is shown as redactedContent */
    bool guarded;  /* a guardrail was asked for: it is what stops a refused answer */
    uint64_t seed; /* of a thought's signature */
    int64_t started_ms;
    struct str extra; /* additionalModelResponseFields; p = NULL: none */
};

extern const struct shape converse_shape, converse_tokens_shape;

/* False: an error is the outcome. */
MUST_USE bool converse_check(const struct converse *converse);
/* The request as a Messages request, in the call's arena. ST_NO_MEMORY. */
MUST_USE enum status converse_translate(const struct converse *converse,
                                        const struct json **messages);
/* Writes the members of a usage object. */
void converse_write_usage(struct json_writer *w, const struct usage *usage);
const char *converse_stop_reason(const struct answer *answer);
/* Makes the outcome a stream (converse_stream.c). */
void converse_stream(struct call *call, const struct answer *answer, struct converse_reply *reply);

#endif
