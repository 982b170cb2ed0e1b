/* front_openai_chat.h: what the files of OpenAI's chat dialect share (front_openai_chat*.c).
 *
 * Source: OpenAI API reference, "Create chat completion" and "The chat completion chunk object".
 */
#ifndef SLUICE_DATA_DIALECT_FRONT_OPENAI_CHAT_H
#define SLUICE_DATA_DIALECT_FRONT_OPENAI_CHAT_H

#include "common/json_write.h"
#include "data-plane/dialect/dialect.h"

/* A stream's state. call->keep[0] holds reasoning_details so far, keep[1] the words of the open
 * thinking: both of the first choice only. */
struct front_openai_chat {
    struct str prefix;         /* of every chunk: {"id":...,"model":..., */
    struct chat_part thinking; /* the open one */
    uint32_t details;
    struct front_openai_chat_choice {
        bool begun;
        size_t length, part_from; /* characters of content so far; where the open text began */
        struct chat_citation *citations, *last;
    } choices[CHAT_CHOICES_MAX];
};

/* messages -> chat. ST_INVALID, ST_NO_MEMORY. */
MUST_USE enum status front_openai_chat_messages(struct dialect_call *call,
                                                const struct json *messages, struct chat *chat);
/* The parameters of max_tokens and stop -> chat. As above. */
MUST_USE enum status front_openai_chat_limits(struct dialect_call *call, struct chat *chat);
/* tools, tool_choice, parallel_tool_calls, functions, function_call, response_format -> chat. */
MUST_USE enum status front_openai_chat_tools(struct dialect_call *call, const struct json *body,
                                             struct chat *chat);

/* {"mode","tools"} of a choice among some tools: the model is shown those only. ST_INVALID. */
MUST_USE enum status front_openai_chat_allowed(struct dialect_call *call,
                                               const struct json *allowed, struct chat *chat);

/* The source of one part of content -> part->media. ST_INVALID, ST_NO_MEMORY. */
MUST_USE enum status front_openai_chat_image(struct dialect_call *call, struct chat_part *part,
                                             const struct json *node);
MUST_USE enum status front_openai_chat_audio(struct dialect_call *call, struct chat_part *part,
                                             const struct json *node);
MUST_USE enum status front_openai_chat_file(struct dialect_call *call, struct chat_part *part,
                                            const struct json *node);
MUST_USE enum status front_openai_chat_video(struct dialect_call *call, struct chat_part *part,
                                             const struct json *node);

/* A usage object, as OpenAI counts: the prompt includes what came from a cache. `extras` adds the
 * cache figures under the names that Anthropic's users know. */
void front_openai_chat_usage(struct json_writer *w, const struct slot_usage *usage, bool extras);
/* finish_reason: OpenAI's word, or with `extras` the provider's own. Never NULL. */
struct str front_openai_chat_finish(const struct dialect_call *call, enum chat_finish finish,
                                    struct str word);
/* One entry of reasoning_details: signed or hidden thinking, as it is to come back. */
void front_openai_chat_detail(const struct dialect_call *call, struct json_writer *w,
                              const struct chat_part *part, uint32_t index);
/* One entry of annotations: a citation in the text whose characters are from..to. */
void front_openai_chat_annotation(struct json_writer *w, const struct chat_citation *citation,
                                  size_t from, size_t to);
/* One entry of tool_calls, arguments included; index CHAT_NO_INDEX: none. */
void front_openai_chat_call(struct json_writer *w, struct chat_text id, struct chat_text name,
                            struct chat_text arguments, struct chat_text signature, uint32_t index);
/* One entry of images. */
void front_openai_chat_picture(struct json_writer *w, const struct chat_media *media);
/* Characters (code points) of what stands between a JSON string's quotes. */
size_t front_openai_chat_length(struct str inner);

void front_openai_chat_event(struct dialect_call *call, const struct chat_event *event);
void front_openai_chat_whole(struct dialect_call *call, const struct chat_answer *answer);
void front_openai_chat_error(struct dialect_call *call, const struct chat_error *error,
                             bool in_stream);

#endif
