/* answer.h: what the simulated model says: a pure function of the request's text.
 *
 *   text      = "You said: " + the last message's text (ANSWER_ECHO_MAX bytes of it); JSON when
 * JSON was asked for calls     = one block per function to be called (tools.h): arguments made from
 * its schema thought   = "The user says: " + that text, when thinking was asked for bytes:N pads or
 * cuts the text to N bytes; chunks:N pads it to 4 bytes per chunk stops       cut a text before the
 * first stop sequence in it max_tokens  cuts the blocks one after the other to 4 bytes per token
 *
 * An API shows the blocks in this order: thought, text, calls, pictures. A thought that it does not
 * show is counted and has no block, or an empty one. A picture (media.h) has no text and is never
 * cut.
 */
#ifndef SLUICE_TESTS_SIM_ANSWER_H
#define SLUICE_TESTS_SIM_ANSWER_H

#include "tests/sim/call.h"
#include "tests/sim/tools.h"

#define ANSWER_ECHO_MAX   2000
#define ANSWER_PIECES_MAX 64 /* of a stream unless asked otherwise */
#define ANSWER_CALLS_MAX  (TOOLS_CALLS_MAX * 8)
#define ANSWER_IMAGES_MAX 8
#define ANSWER_BLOCKS_MAX (ANSWER_CALLS_MAX + ANSWER_IMAGES_MAX + 2)

enum answer_thought {
    ANSWER_NO_THOUGHT,
    ANSWER_THOUGHT_SHOWN,
    ANSWER_THOUGHT_OMITTED, /* counted; its block is empty */
    ANSWER_THOUGHT_HIDDEN,  /* counted; it has no block */
};

struct answer_ask {
    struct str user;    /* the last message's text */
    struct usage usage; /* what is known before the answer: prompt and its parts */
    int64_t max_tokens; /* FAULT_NONE: no limit */
    uint64_t choices;   /* at least 1 */
    bool json;
    const struct json *schema;     /* of the JSON; NULL: any */
    const struct json *stops;      /* an array of stop sequences or one string; NULL: none */
    const struct toolbox *toolbox; /* NULL: no function may be called */
    const char *call_prefix;       /* of the ids of calls */
    enum answer_thought thought;
    uint64_t images;       /* pictures behind the text */
    uint64_t image_tokens; /* of each */
};

enum answer_kind { ANSWER_THOUGHT, ANSWER_TEXT, ANSWER_CALL, ANSWER_IMAGE };

struct answer_block {
    enum answer_kind kind;
    struct str text;     /* a call's arguments as JSON; in keep */
    struct str name, id; /* of a call */
    uint64_t tokens;     /* beside those of its text: a picture's */
    bool cut;            /* by max_tokens */
};

struct answer {
    struct answer_block *blocks; /* at least one; in keep */
    size_t count;
    bool cut;              /* by max_tokens */
    bool refused;          /* as the fault asked */
    struct str stopped_by; /* the stop sequence; p = NULL: none */
    uint64_t choices;
    uint64_t pieces;    /* of a stream */
    uint64_t hidden;    /* reasoning tokens of one choice that no block shows */
    struct usage usage; /* of all choices */
};

/* ST_NO_MEMORY. */
MUST_USE enum status answer_make(struct call *call, const struct answer_ask *ask,
                                 struct answer *answer);
/* Where piece `i` begins, in bytes of all blocks one behind the other; pieces never split a UTF-8
 * sequence. Piece `pieces` begins at the end. */
size_t answer_piece_start(const struct answer *answer, uint64_t i);
/* Usage when only what stands before `offset` in block `block` went out. */
struct usage answer_usage_at(const struct answer *answer, size_t block, size_t offset);
/* The first block of that kind, or NULL. */
const struct answer_block *answer_first(const struct answer *answer, enum answer_kind kind);
/* The words of the answer; p = NULL: it has none. */
struct str answer_text(const struct answer *answer);
/* The text of a message's content, parts joined with newlines; in the call's arena. p = NULL: no
 * memory. */
struct str answer_content_text(struct call *call, const struct json *content);

#endif
