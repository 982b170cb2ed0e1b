/* cohere_core.h: Cohere's embeddings and reranking, wherever they are served: at Cohere, or by
 * Bedrock in a shape of its own.
 *
 * The bodies are checked by who serves them; here the answer is made and written. Rule of
 * reranking: a document's score is the share of the query's words that it holds; of equal ones the
 * earlier stands first.
 */
#ifndef SLUICE_TESTS_SIM_COHERE_COHERE_CORE_H
#define SLUICE_TESTS_SIM_COHERE_COHERE_CORE_H

#include "tests/sim/call.h"

enum cohere_shape { COHERE_SHAPE_OWN, COHERE_SHAPE_BEDROCK };

/* Answers a request with texts, images or inputs; output_dimension is judged against `dimensions`.
 */
void cohere_write_embeddings(struct call *call, uint32_t dimensions, enum cohere_shape shape);
/* Answers a request with query, documents and top_n. */
void cohere_write_rerank(struct call *call, enum cohere_shape shape);
/* Writes meta: the API's version and what is billed; a name of NULL: nothing more. */
void cohere_write_meta(struct json_writer *w, const char *unit, uint64_t count, const char *unit2,
                       uint64_t count2);

#endif
