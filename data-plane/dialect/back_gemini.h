/* back_gemini.h: Google's generateContent dialect, in pieces that the Gemini API and Vertex AI
 * share.
 *
 * Source: Gemini API reference (v1beta: "generateContent", "Caching", "Thought signatures") and
 * Vertex AI reference (v1: "Method: models.generateContent").
 */
#ifndef SLUICE_DATA_DIALECT_BACK_GEMINI_H
#define SLUICE_DATA_DIALECT_BACK_GEMINI_H

#include "common/json_write.h"
#include "data-plane/dialect/dialect.h"
#include "data-plane/dialect/gemini_model.h"

#define BACK_GEMINI_SIGNS "google-gemini-v1"

/* A call that came without an id gets one of ours, which is not sent back to Google. */
#define BACK_GEMINI_ID "call_sluice_"

struct back_gemini {
    struct gemini_model model;
    bool vertex; /* behind Vertex AI's paths */
    /* request */
    struct chat_text json_tool; /* the function whose call is the JSON answer; absent: none */
    /* answer */
    struct slot_usage usage;
    bool has_usage;
    uint32_t made; /* ids given to calls */
    struct back_gemini_choice {
        bool called, answered, wide; /* a function; the JSON one; words beyond ASCII so far */
    } choices[CHAT_CHOICES_MAX];
};

/* Prepares call->back_state: what the model takes. */
struct back_gemini *back_gemini_state(struct dialect_call *call);
/* "systemInstruction" and "contents", into the object open in w. ST_INVALID (refused),
 * ST_NO_MEMORY. */
MUST_USE enum status back_gemini_contents(struct dialect_call *call, struct json_writer *w);
/* One part of words, pictures or files. As above. */
MUST_USE enum status back_gemini_media(struct dialect_call *call, struct json_writer *w,
                                       const struct chat_part *part);
/* How JSON answers are asked for -> state. As above. */
MUST_USE enum status back_gemini_plan(struct dialect_call *call);
/* "tools" and "toolConfig". As above. */
MUST_USE enum status back_gemini_tools(struct dialect_call *call, struct json_writer *w);
/* "generationConfig" and Google's own members. As above. */
MUST_USE enum status back_gemini_config(struct dialect_call *call, struct json_writer *w);
/* An extra of the caller's under either of Google's spellings, also in the object "google" or
 * "extra_body.google" that Google's OpenAI-compatible service takes. NULL: none. */
const struct json *back_gemini_extra(const struct chat *chat, const char *snake, const char *camel);

/* logprobsResult -> OpenAI's list of tokens, in the scratch arena; n = 0: none, or no memory. */
struct str back_gemini_logprobs(struct dialect_call *call, const struct json *result);
/* groundingMetadata -> citations of the open text. Statuses as dialect_emit. */
MUST_USE enum status back_gemini_grounding(struct dialect_call *call, uint32_t choice,
                                           const struct json *grounding);

/* Rules of every parameter (back_gemini.def). */
extern const struct param_rule back_gemini_rules[CHAT_PARAM_COUNT];

/* struct back's functions. */
enum status back_gemini_write(struct dialect_call *call, struct buf *out);
enum status back_gemini_event(struct dialect_call *call, const struct sse_event *event);
enum status back_gemini_whole(struct dialect_call *call, const struct json *answer);
bool back_gemini_wants_bytes(const struct dialect_call *call, const struct chat_part *part);
void back_gemini_error(struct dialect_call *call, const struct json *body,
                       struct chat_error *error);

#endif
