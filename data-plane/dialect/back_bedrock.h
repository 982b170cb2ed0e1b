/* back_bedrock.h: the Converse API of AWS Bedrock, in pieces.
 *
 * Source: Amazon Bedrock API reference, "Converse", "ConverseStream"; the model of the AWS SDKs.
 */
#ifndef SLUICE_DATA_DIALECT_BACK_BEDROCK_H
#define SLUICE_DATA_DIALECT_BACK_BEDROCK_H

#include "common/json_write.h"
#include "data-plane/dialect/back_anthropic.h"
#include "data-plane/dialect/bedrock_model.h"

/* Whose signatures thinking carries that is not Claude's own; hidden thinking of all of them. */
#define BACK_BEDROCK_SIGNS "amazon-bedrock-v1"

/* The name of a document of this request. */
struct bedrock_name {
    struct bedrock_name *next;
    struct str text;
};

struct back_bedrock {
    struct back_anthropic claude; /* first: back_anthropic_plan_* work on it */
    struct bedrock_model model;
    /* request */
    bool in_words;   /* no tool is declared, so earlier calls and results are told in words */
    bool own_choice; /* the choice of tools goes to the model past Converse */
    struct bedrock_name *names;
    size_t document_count;
};

static inline struct back_bedrock *back_bedrock_state(const struct dialect_call *call)
{
    return call->back_state;
}

/* Each writes into the object that is open in w. ST_INVALID (refused), ST_NO_MEMORY. */

/* "system" and "messages". */
MUST_USE enum status back_bedrock_messages(struct dialect_call *call, struct json_writer *w);
/* One image, document, video or audio block, and whether its URL must be fetched before. */
MUST_USE enum status back_bedrock_media(struct dialect_call *call, struct json_writer *w,
                                        const struct chat_part *part);
/* "toolConfig" and "outputConfig". */
MUST_USE enum status back_bedrock_tools(struct dialect_call *call, struct json_writer *w);
/* Members of "additionalModelRequestFields": what only the model's own API knows. */
MUST_USE enum status back_bedrock_extras(struct dialect_call *call, struct json_writer *w);

bool back_bedrock_wants_bytes(const struct dialect_call *call, const struct chat_part *part);
/* The object `key` with what `fill` writes into it, unless that is nothing. */
MUST_USE enum status
back_bedrock_object(struct dialect_call *call, struct json_writer *w, const char *key,
                    enum status (*fill)(struct dialect_call *call, struct json_writer *w));

/* True if a tool is declared. */
bool back_bedrock_has_tools(const struct dialect_call *call);
/* {"cachePoint":...} behind what carries this mark; nothing where `mark` is NULL. Models without a
 * cache list `field` as dropped. */
void back_bedrock_mark(struct dialect_call *call, struct json_writer *w, const struct json *mark,
                       unsigned trait, const char *field);

/* struct back's functions. */
enum status back_bedrock_frame(struct dialect_call *call,
                               const struct eventstream_message *message);
enum status back_bedrock_whole(struct dialect_call *call, const struct json *answer);
void back_bedrock_error(struct dialect_call *call, const struct json *body,
                        struct chat_error *error);

#endif
