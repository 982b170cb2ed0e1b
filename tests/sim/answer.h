/* answer.h: what the simulated model says: a pure function of the request's text.
 *
 *   text       = "You said: " + the last message's text (ANSWER_ECHO_MAX bytes of it); JSON when
 * JSON was asked for tool call  = when a function is offered and wanted (tools.h): its arguments,
 * made from its schema bytes:N    = text padded or cut to N bytes; chunks:N pads to 4 bytes per
 * chunk max_tokens = cuts the text to 4 bytes per token; finish_reason is then "length"
 */
#ifndef SLUICE_TESTS_SIM_ANSWER_H
#define SLUICE_TESTS_SIM_ANSWER_H

#include "tests/sim/call.h"

#define ANSWER_ECHO_MAX   2000
#define ANSWER_PIECES_MAX 64 /* of a stream unless asked otherwise */

struct answer_ask {
    struct str user; /* the last message's text */
    uint64_t prompt_tokens;
    int64_t max_tokens; /* FAULT_NONE: no limit */
    uint64_t choices;   /* at least 1 */
    bool json;
    const struct json *schema;   /* NULL: any */
    const struct json *function; /* to be called, or NULL */
};

struct answer {
    struct str text;      /* or the arguments of the call; in keep */
    struct str tool_name; /* p = NULL: not a call */
    struct str tool_id;
    bool cut; /* by max_tokens */
    uint64_t choices;
    uint64_t pieces;    /* of a stream */
    struct usage usage; /* of all choices */
};

/* ST_NO_MEMORY. */
MUST_USE enum status answer_make(struct call *call, const struct answer_ask *ask,
                                 struct answer *answer);
/* Piece `i` of the text; pieces never split a UTF-8 sequence. */
struct str answer_piece(const struct answer *answer, uint64_t i);
/* Usage when only the first `i` pieces went out. */
struct usage answer_usage_after(const struct answer *answer, uint64_t i);
/* The text of a message's content, parts joined with newlines; in the call's arena. p = NULL: no
 * memory. */
struct str answer_content_text(struct call *call, const struct json *content);

#endif
