/* gemini.h: one generateContent request, at the Gemini API or on Vertex AI.
 *
 * Steps: gemini_check (shape, then rules) -> gemini_read (prompt counted, what is asked) -> answer
 * -> whole or streamed reply. What outlives the handler (the stream) is in the call's keep arena.
 * Sources: the API reference of both, the SDK's types, and the guides on functions, thinking and
 * thought signatures.
 */
#ifndef SLUICE_TESTS_SIM_GOOGLE_GEMINI_H
#define SLUICE_TESTS_SIM_GOOGLE_GEMINI_H

#include "tests/sim/google/google.h"
#include "tests/sim/stream.h"

struct gemini {
    struct call *call;
    const struct google_model *model;
    const struct json *body; /* inside generateContentRequest for countTokens */
    bool vertex;
};

/* What a reply needs besides its blocks; in keep. */
struct gemini_reply {
    struct str id, model;
    const struct google_model *row;
    struct str grounding, ratings; /* members of a candidate as JSON, or p = NULL */
    bool calls_have_ids;
    bool logprobs;
    bool events;   /* alt=sse; else the stream is an array */
    uint64_t seed; /* of signatures */
};

extern const struct shape gemini_shape, gemini_count_shape, gemini_content_shape,
    gemini_contents_shape;

/* False: an error is the outcome. */
MUST_USE bool gemini_check(const struct gemini *gemini);
MUST_USE bool gemini_check_turns(const struct gemini *gemini);
MUST_USE bool gemini_check_parts(const struct gemini *gemini);
/* Counts contents, systemInstruction and tools; *user is what the last content says, *has_results
 * that it brings function responses. ST_NO_MEMORY. */
MUST_USE enum status gemini_count(const struct gemini *gemini, struct usage *usage,
                                  struct str *user, bool *has_results);
/* Reads what is asked. False: an error is the outcome. */
MUST_USE bool gemini_read(const struct gemini *gemini, struct answer_ask *ask,
                          struct toolbox *toolbox);

/* Writes usageMetadata. */
void gemini_write_usage(struct json_writer *w, const struct usage *usage);
/* Writes the prompt's tokens by modality as a member of this name. */
void gemini_write_details(struct json_writer *w, const char *name, const struct usage *usage);
/* Writes one block, or `text` of it, as a part; `first_call`: it is the first call of the answer.
 */
void gemini_write_part(struct json_writer *w, const struct gemini_reply *reply,
                       const struct answer_block *block, struct str text, bool first_call);
const char *gemini_finish_reason(const struct answer *answer);
/* Writes the members of a candidate behind its content. */
void gemini_write_finish(struct json_writer *w, const struct gemini_reply *reply,
                         const struct answer *answer);
void gemini_write_logprobs(struct json_writer *w, struct str text);
/* Makes the outcome a stream (gemini_stream.c). */
void gemini_start_stream(struct call *call, const struct answer *answer,
                         struct gemini_reply *reply);

#endif
