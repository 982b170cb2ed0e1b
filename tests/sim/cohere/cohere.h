/* cohere.h: Cohere's API (v2) as it is played here: chats, embeddings, reranking.
 *
 * Steps of a chat: cohere_check (shape, then rules) -> cohere_read (prompt counted, what is asked)
 * -> answer -> written whole, or as events. Every refusal is the call's outcome. Source: Cohere API
 * v2 reference and the official SDK's types.
 */
#ifndef SLUICE_TESTS_SIM_COHERE_COHERE_H
#define SLUICE_TESTS_SIM_COHERE_COHERE_H

#include "tests/sim/shape.h"
#include "tests/sim/stream.h"

enum cohere_kind { COHERE_CHAT, COHERE_EMBED, COHERE_RERANK };
enum cohere_trait { COHERE_TOOLS = 1, COHERE_THINKS = 2, COHERE_SEES = 4 };

struct cohere_model {
    const char *name;
    enum cohere_kind kind;
    uint32_t dimensions;
    unsigned traits; /* enum cohere_trait, or-ed */
};

struct cohere_reply {
    struct str id;
    struct str source; /* the document that is cited, as JSON; p = NULL: none is */
    bool logprobs;
    uint64_t contents, calls; /* of a stream: so many have begun */
};

/* The operations, after the contract of call.h. */
void cohere_chat(struct call *call);
void cohere_embed(struct call *call);
void cohere_rerank(struct call *call);

/* Sets the call's model, which must be one of that kind. NULL: an error is the outcome. */
const struct cohere_model *cohere_open(struct call *call, enum cohere_kind kind);
/* Judges the body by a table. False: an error is the outcome. */
MUST_USE bool cohere_check_shape(struct call *call, const struct shape *shape);
/* Judges a chat request. As above. */
MUST_USE bool cohere_check(struct call *call, const struct cohere_model *model);

/* Pieces of a reply. */
const char *cohere_finish_reason(const struct answer *answer);
void cohere_write_usage(struct json_writer *w, const struct usage *usage);
void cohere_write_call(struct json_writer *w, const struct answer_block *block,
                       struct str arguments);
void cohere_write_citation(struct json_writer *w, const struct cohere_reply *reply);
void cohere_write_logprobs(struct json_writer *w, struct str text);

/* Makes the outcome a stream. */
void cohere_start_stream(struct call *call, const struct answer *answer,
                         struct cohere_reply *reply);

#endif
