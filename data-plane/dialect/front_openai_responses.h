/* front_openai_responses.h: what the files of OpenAI's Responses dialect share
 * (front_openai_responses*.c).
 *
 * Source: OpenAI API reference, "Create a model response", "The response object", "Streaming
 * events".
 */
#ifndef SLUICE_DATA_DIALECT_FRONT_OPENAI_RESPONSES_H
#define SLUICE_DATA_DIALECT_FRONT_OPENAI_RESPONSES_H

#include "common/json_write.h"
#include "data-plane/dialect/dialect.h"

enum responses_item { RESPONSES_NONE, RESPONSES_MESSAGE, RESPONSES_REASONING, RESPONSES_CALL };

/* A stream's state: of the first choice, which is all that a response has. call->keep[0] holds the
 * output items so far (the open one from item_from on), keep[1] the words of the open part, keep[2] the
 * logprobs of the open text, without brackets. */
struct front_openai_responses {
    bool silent; /* a whole answer is being put together: no events */
    uint32_t sequence;
    uint32_t items;    /* begun */
    uint32_t contents; /* of the open message */
    enum responses_item item;
    enum chat_part_kind part;              /* the open one; NONE */
    size_t item_from;                      /* in keep[0] */
    struct str item_id;                    /* plain bytes */
    struct chat_text call_id, name, proof; /* of the open item */
    struct chat_citation *citations, *last_citation; /* of the open text */
    enum chat_finish finish;
    bool refused; /* words of a refusal came */
    struct chat_text model;
};

/* input and instructions -> chat. ST_INVALID, ST_NO_MEMORY. */
MUST_USE enum status front_openai_responses_input(struct dialect_call *call,
                                                  const struct json *body, struct chat *chat);
/* tools, tool_choice, text.format -> chat. As above. */
MUST_USE enum status front_openai_responses_tools(struct dialect_call *call,
                                                  const struct json *body, struct chat *chat);

/* The response object as the value that is due in w. status: "in_progress", "completed",
 * "incomplete", "failed"; error: NULL, or why it failed. */
void front_openai_responses_object(struct dialect_call *call, struct json_writer *w,
                                   const char *status, const struct chat_error *error);
/* "completed" or "incomplete". Never NULL. */
const char *front_openai_responses_status(const struct front_openai_responses *state);

/* --- events and items (front_openai_responses_items.c); in silence no event is written */

/* "event: TYPE", and data with type and number; the caller writes members and ends it. Gives where
 * the data begin. */
size_t front_openai_responses_begin(struct dialect_call *call, struct json_writer *w,
                                    const char *type);
void front_openai_responses_end(struct dialect_call *call, struct json_writer *w, size_t from);
/* As begin, about the open item. `place`: "content_index", "summary_index" or NULL. */
size_t front_openai_responses_about(struct dialect_call *call, struct json_writer *w,
                                    const char *type, const char *place);
/* An event that holds the whole response object. */
void front_openai_responses_tell(struct dialect_call *call, const char *type, const char *status,
                                 const struct chat_error *error);
/* The words of the open part as a JSON string. */
void front_openai_responses_words(struct dialect_call *call, struct json_writer *w);
/* A citation of a text of `to` characters. */
void front_openai_responses_annotation(struct json_writer *w, const struct chat_citation *citation,
                                       size_t to);
/* "logprobs"; n = 0: []. */
void front_openai_responses_logprobs(struct json_writer *w, struct str logprobs);
/* The open content part; `whole`: with its words. */
void front_openai_responses_content(struct dialect_call *call, struct json_writer *w, bool whole);
void front_openai_responses_begin_message(struct dialect_call *call);
void front_openai_responses_begin_reasoning(struct dialect_call *call);
void front_openai_responses_begin_call(struct dialect_call *call, const struct chat_event *event);
/* The proof of the open thinking; or an item for one that has no words (hidden thinking, a call).
 */
void front_openai_responses_proof(struct dialect_call *call, enum chat_proof proof,
                                  struct str origin, struct chat_text signature);
/* A picture that the model made, as the tool that makes them would show it. */
void front_openai_responses_image(struct dialect_call *call, const struct chat_media *media);
/* Ends the open item, if there is one. */
void front_openai_responses_end_item(struct dialect_call *call, bool incomplete);

void front_openai_responses_event(struct dialect_call *call, const struct chat_event *event);
void front_openai_responses_whole(struct dialect_call *call, const struct chat_answer *answer);
void front_openai_responses_error(struct dialect_call *call, const struct chat_error *error,
                                  bool in_stream);

#endif
