/* back_openai.h: OpenAI's chat dialect as a back, in pieces that other hosts of it share.
 *
 * Source: OpenAI API reference, "Create chat completion", "The chat completion chunk object"; what
 * other services do otherwise is in back_openai_services.def, and their rows' renames
 * (params_renamed).
 */
#ifndef SLUICE_DATA_DIALECT_BACK_OPENAI_H
#define SLUICE_DATA_DIALECT_BACK_OPENAI_H

#include "common/json_write.h"
#include "data-plane/dialect/dialect.h"
#include "data-plane/dialect/openai_model.h"

#define BACK_OPENAI_NAME_MAX 64 /* bytes of a function's name */

/* What a service takes beyond what all do (back_openai_services.def). */
enum back_openai_trait {
    OPENAI_FULL = 1,           /* OpenAI's newer members */
    OPENAI_NEW_MAX = 2,        /* max_completion_tokens; models that reason refuse max_tokens */
    OPENAI_TOP_K = 4,          /* top_k */
    OPENAI_CACHE_MARKS = 8,    /* cache_control on parts */
    OPENAI_THINKING_BACK = 16, /* reasoning_content of earlier turns */
    OPENAI_NO_USER = 32,       /* refuses user */
    OPENAI_SYSTEM_INSIDE = 64, /* takes system messages between others, also as the last one */
};

struct back_openai {
    struct openai_model model;
    unsigned traits;
    /* answer */
    struct back_openai_choice {
        bool call_open, any_call, refused;
        uint32_t call_index; /* the provider's, of the open call */
        struct str call_id;
        uint32_t calls;
    } choices[CHAT_CHOICES_MAX];
    struct slot_usage usage;
};

/* Rules of every parameter, for services that have not all of OpenAI's (back_openai.def). */
extern const struct param_rule back_openai_rules[CHAT_PARAM_COUNT];

/* Members of a request but model and stream, into the object open in w. ST_INVALID (refused),
 * ST_NO_MEMORY. */
MUST_USE enum status back_openai_write_members(struct dialect_call *call, struct json_writer *w);
/* "messages". As above. */
MUST_USE enum status back_openai_messages(struct dialect_call *call, struct json_writer *w);
/* tools, tool_choice, parallel_tool_calls, response_format. As above. */
MUST_USE enum status back_openai_tools(struct dialect_call *call, struct json_writer *w);

/* A function's name as OpenAI takes it: a longer one is cut and ends in a hash of the whole. Plain
 * text between quotes; raw.p = NULL: no memory. */
struct chat_text back_openai_name(struct arena *arena, struct chat_text name);
/* The caller's name of a function that was sent under `name`. Borrows. */
struct chat_text back_openai_own_name(const struct dialect_call *call, struct chat_text name);

/* struct back's functions. */
enum status back_openai_write(struct dialect_call *call, struct buf *out);
enum status back_openai_event(struct dialect_call *call, const struct sse_event *event);
enum status back_openai_whole(struct dialect_call *call, const struct json *answer);
void back_openai_error(struct dialect_call *call, const struct json *body,
                       struct chat_error *error);

#endif
