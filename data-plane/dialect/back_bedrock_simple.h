/* back_bedrock_simple.h: Bedrock's operations without a conversation (InvokeModel): embeddings,
 * reranking, pictures. As simple_op's functions; the table is back_bedrock_simple.
 *
 * Source: Amazon Bedrock user guide, "Inference request parameters" of each model.
 */
#ifndef SLUICE_DATA_DIALECT_BACK_BEDROCK_SIMPLE_H
#define SLUICE_DATA_DIALECT_BACK_BEDROCK_SIMPLE_H

#include "data-plane/dialect/back_bedrock.h"
#include "data-plane/dialect/simple.h"

#define BACK_BEDROCK_SIMPLE_COUNT 3

extern const struct simple_op back_bedrock_simple[BACK_BEDROCK_SIMPLE_COUNT];

extern const struct simple_rule back_bedrock_image_rules[];
enum status back_bedrock_image_write(struct dialect_call *call, const struct simple *ask,
                                     struct buf *out);
enum status back_bedrock_image_read(struct dialect_call *call, const struct simple *ask,
                                    struct str type, struct str body, struct simple_answer *answer);

#endif
