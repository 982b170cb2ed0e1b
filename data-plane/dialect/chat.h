/* chat.h: a chat request and its answer, as neither the caller nor the provider spells them.
 *
 *   caller's JSON --front--> struct chat ---------back--> provider's JSON
 *   caller's bytes <--front-- struct chat_event <--back-- provider's bytes
 *
 * Owner: the arena of the request. Everything is borrowed from the parsed text or lies in that
 * arena; nothing is freed singly. One thread. Pure data: no input or output here.
 *
 * Words stay JSON. A struct chat_text is a JSON string exactly as it stood, with its quotes and
 * escapes, proved valid; a writer puts it into the next document as it is (jw_raw), so text is
 * neither unescaped nor escaped again on the way. A struct str named `json` or `schema` is a whole
 * valid JSON value. Only identifiers that must be compared or cut are plain bytes, and say so.
 *
 * Limits: CHAT_CALLS_MAX tool calls in one message, CHAT_CHOICES_MAX choices, CHAT_STOPS_MAX stop
 * sequences; everything else is bounded by the body's size and json_limits.
 */
#ifndef SLUICE_DATA_DIALECT_CHAT_H
#define SLUICE_DATA_DIALECT_CHAT_H

#include "common/json_tree.h"
#include "data-plane/usage.h"

#define CHAT_CALLS_MAX   256
#define CHAT_CHOICES_MAX 8
#define CHAT_STOPS_MAX   64
#define CHAT_NO_INDEX    UINT32_MAX

/* A JSON string with its quotes; raw.p = NULL: absent. */
struct chat_text {
    struct str raw;
};

#define CHAT_TEXT_NONE ((struct chat_text){{NULL, 0}})

/* --- parts: what a message is made of, in requests and in answers */

enum chat_part_kind {
    CHAT_PART_NONE,
    CHAT_PART_TEXT,        /* text */
    CHAT_PART_REFUSAL,     /* text */
    CHAT_PART_THINKING,    /* text, signature (may be absent: words that nobody vouches for) */
    CHAT_PART_REDACTED,    /* signature: thinking that only its provider can read */
    CHAT_PART_TOOL_CALL,   /* id, name, arguments; signature if the provider wants it back */
    CHAT_PART_TOOL_RESULT, /* id, parts, failed */
    CHAT_PART_IMAGE,       /* media */
    CHAT_PART_AUDIO,       /* media */
    CHAT_PART_FILE,        /* media, name, about, citing */
    CHAT_PART_NATIVE,      /* json: a part that only the dialect it came from knows */
};

enum chat_source {
    CHAT_SOURCE_DATA, /* base64 */
    CHAT_SOURCE_TEXT, /* the document's own words */
    CHAT_SOURCE_URL,
    CHAT_SOURCE_ID, /* a file that the provider keeps */
};

struct chat_media {
    enum chat_source source;
    struct str mime; /* plain bytes, "image/png"; n = 0: not said */
    /* What stands between the quotes of a JSON string: may be written between quotes as it is. */
    struct str inner;
    struct chat_text detail; /* images: how closely to look */
    struct str fetched, fetched_mime; /* URL: base64 of what was there, and its type; n = 0: not
                                         fetched (back.wants_bytes) */
};

/* Where something stood in the caller's document, for errors: messages[2].content[0]. */
struct chat_place {
    const char *list, *field; /* "messages", "content"; static */
    uint32_t at, item;        /* CHAT_NO_INDEX: none */
};

struct chat_parts {
    struct chat_part *first, *last;
};

/* A source that a text names. */
struct chat_citation {
    struct chat_citation *next;
    struct chat_text url, title, quote;
    bool ranged; /* it supports characters from..to of the text, not all of it */
    size_t from, to;
    struct str json; /* as the provider says it */
};

struct chat_part {
    enum chat_part_kind kind;
    bool failed; /* a tool result that reports an error */
    struct chat_part *next;
    struct chat_text text, id, name, signature;
    struct chat_text about;    /* what a document is, told to the model beside it */
    const struct json *citing; /* whether and how a document is to be cited; NULL: not said */
    struct str json;         /* TOOL_CALL: the arguments, a JSON object, or a JSON string that
                                holds one; NATIVE: the part */
    struct chat_parts parts; /* TOOL_RESULT */
    struct chat_media media;
    const struct json *cache; /* the caller's cache_control on this part; NULL: none */
    struct chat_citation *citations, *last_citation; /* of a text */
    struct str origin; /* whose signature it is (back.signs_as), plain bytes; n = 0: not said */
    struct chat_place place;
};

enum chat_role { CHAT_ROLE_SYSTEM, CHAT_ROLE_USER, CHAT_ROLE_ASSISTANT };

/* Results of tools are parts of the user's messages, whatever the caller's dialect calls the role;
 * "developer" is CHAT_ROLE_SYSTEM. System messages stay where they stood. */
struct chat_message {
    enum chat_role role;
    struct chat_message *next;
    struct chat_parts parts; /* in the caller's order; an assistant's thinking comes first */
    struct chat_text name;   /* who among several of one role */
    uint32_t at;             /* in the caller's list */
    const struct chat_message
        *asked; /* the assistant's message before it; its calls are answered */
};

/* --- tools */

enum chat_flag { CHAT_UNSAID, CHAT_NO, CHAT_YES };

struct chat_tool {
    struct chat_tool *next;
    struct chat_text name, description;
    struct str schema; /* of its arguments; p = NULL: none */
    enum chat_flag strict;
    const struct json *cache; /* cache_control */
    const struct json *node;  /* as the caller gave it, for what only one dialect knows */
    bool native;              /* no function: a tool that a provider runs; only `node` is set */
    uint32_t at;
};

enum chat_choice {
    CHAT_CHOICE_UNSAID,
    CHAT_CHOICE_AUTO,
    CHAT_CHOICE_NONE,
    CHAT_CHOICE_ANY,
    CHAT_CHOICE_NAMED
};

/* --- parameters: params.def lists them; how each provider takes them is a rule of its back */

enum chat_param_name {
#define PARAM(name, text, plain) CHAT_PARAM_##name,
#include "data-plane/dialect/params.def"
#undef PARAM
    CHAT_PARAM_COUNT
};

struct chat_param {
    const struct json *value; /* NULL: not given, or null */
    const char *field;        /* as the caller's dialect calls it; static */
};

/* A member of the request that its front does not know: a back may take it by name. */
struct chat_extra {
    struct chat_extra *next;
    const struct json *value; /* value->key is its name */
};

/* Something that no translation of this front carries: listed as dropped in every attempt. */
struct chat_left {
    struct chat_left *next;
    const char *field;
};

enum chat_effort {
    CHAT_EFFORT_UNSAID,
    CHAT_EFFORT_NONE,
    CHAT_EFFORT_MINIMAL,
    CHAT_EFFORT_LOW,
    CHAT_EFFORT_MEDIUM,
    CHAT_EFFORT_HIGH,
    CHAT_EFFORT_XHIGH,
    CHAT_EFFORT_MAX,
};

enum chat_format { CHAT_FORMAT_TEXT, CHAT_FORMAT_JSON, CHAT_FORMAT_SCHEMA };

struct simple; /* simple.h */

struct chat {
    const struct simple *simple; /* no chat at all: another operation; NULL: a chat */
    struct chat_message *messages, *last_message;
    const struct chat_message *last_assistant;
    struct chat_tool *tools, *last_tool;
    enum chat_choice choice;
    struct chat_text choice_name;
    enum chat_flag parallel_calls;
    bool legacy_functions; /* asked by `functions`: to be answered by `function_call` */
    enum chat_format format;
    struct chat_text format_name, format_description;
    struct str schema;
    enum chat_flag format_strict;
    enum chat_effort effort;
    uint64_t thinking_tokens; /* an explicit budget; 0: none */
    uint64_t max_tokens;      /* thinking included; 0: not said */
    struct chat_text stops[CHAT_STOPS_MAX];
    size_t stop_count;
    bool stream, stream_usage;
    struct chat_param params[CHAT_PARAM_COUNT];
    struct chat_extra *extras, *last_extra;
    struct chat_left *left_out;
    const struct json *body; /* the caller's document, for answers that repeat parts of it */
};

/* --- the answer */

enum chat_finish {
    CHAT_FINISH_NONE,
    CHAT_FINISH_STOP,
    CHAT_FINISH_STOP_SEQUENCE, /* text: which */
    CHAT_FINISH_LENGTH,        /* max_tokens */
    CHAT_FINISH_WINDOW,        /* the model's context is full */
    CHAT_FINISH_TOOL_CALLS,
    CHAT_FINISH_REFUSAL, /* the model's own refusal */
    CHAT_FINISH_FILTER,  /* a filter of the provider */
    CHAT_FINISH_PAUSE,   /* the provider's own tools want another turn */
    CHAT_FINISH_ERROR,   /* the provider gave up inside the answer: dialect_emit makes an error of it */
};

/* What went wrong at the provider. Words are plain bytes. */
struct chat_error {
    int http;           /* status that says it best; 0: unknown */
    struct str message; /* the provider's, or ours about it */
    struct str type, code, param;
};

enum chat_event_kind {
    CHAT_EVENT_START,     /* id, model */
    CHAT_EVENT_PART,      /* a part of kind `part` begins; TOOL_CALL: id, name; REDACTED: signature;
                             IMAGE, AUDIO: media; NATIVE: json */
    CHAT_EVENT_DELTA,     /* text: more words of the open part, or more of a call's arguments */
    CHAT_EVENT_SIGNATURE, /* signature of the open part, whole */
    CHAT_EVENT_CITATION,  /* citation: of the open text */
    CHAT_EVENT_PART_END,
    CHAT_EVENT_FINISH, /* of one choice: finish, text (stop sequence), word */
    CHAT_EVENT_USAGE,  /* usage: whole figures of the answer; the last one counts */
    CHAT_EVENT_END,
};

/* One step of an answer. Borrowed from its emitter for the call only.
 *
 * What a consumer sees, made so by dialect_emit whatever a back sends:
 *   START { [PART (DELTA | SIGNATURE | CITATION)* PART_END]* FINISH } per choice, USAGE?, END
 * Parts of one choice never overlap; choices may alternate. An error ends it all (chat_error). */
struct chat_event {
    enum chat_event_kind kind;
    enum chat_part_kind part; /* PART, DELTA, SIGNATURE, CITATION, PART_END: of which kind */
    uint32_t choice;
    uint32_t part_at,
        call_at; /* set by dialect_emit: which part of the choice, which of its calls */
    struct chat_text id, name, text, signature;
    struct str origin; /* whose signature it is; n = 0: the back's (signs_as) */
    struct str json;
    struct str logprobs; /* DELTA: a JSON array of OpenAI's token objects; p = NULL: none */
    struct chat_media media;
    const struct chat_citation *citation;
    enum chat_finish finish;
    struct str word; /* FINISH: the provider's own, plain bytes */
    const struct slot_usage *usage;
};

/* An answer put together: each choice's parts as in a request. */
struct chat_answer_choice {
    struct chat_parts parts;
    enum chat_finish finish;
    struct chat_text stop;
    struct str word;
    struct str logprobs; /* JSON array, or none */
};

struct chat_answer {
    struct chat_text id, model;
    struct chat_answer_choice choices[CHAT_CHOICES_MAX];
    size_t choice_count;
    bool has_usage;
    struct slot_usage usage;
};

/* --- building: each gives a zeroed node at the end of its list; NULL: no memory */

struct chat_message *chat_add_message(struct arena *arena, struct chat *chat, enum chat_role role,
                                      uint32_t at);
struct chat_part *chat_add_part(struct arena *arena, struct chat_parts *parts,
                                enum chat_part_kind kind);
struct chat_tool *chat_add_tool(struct arena *arena, struct chat *chat);
/* A member that the front does not know -> extras. ST_NO_MEMORY. */
MUST_USE enum status chat_add_extra(struct arena *arena, struct chat *chat,
                                    const struct json *member);
/* Lists a field as left out by the front (once); borrows the name. ST_NO_MEMORY. */
MUST_USE enum status chat_leave_out(struct arena *arena, struct chat *chat, const char *field);

/* --- words */

/* The string at a node as chat_text; absent if it is no string (or NULL). */
struct chat_text chat_text_of(const struct json *node);
static inline bool chat_has(struct chat_text text)
{
    return text.raw.p != NULL;
}
/* Absent, or "". */
static inline bool chat_text_is_empty(struct chat_text text)
{
    return text.raw.n <= 2;
}
/* What stands between the quotes. */
static inline struct str chat_text_inner(struct chat_text text)
{
    return text.raw.n < 2 ? STR("") : (struct str){text.raw.p + 1, text.raw.n - 2};
}
/* Quotes plain bytes; gives the string in the arena (raw.p = NULL: no memory). */
struct chat_text chat_text_quote(struct arena *arena, struct str plain);
/* Copies into the arena (raw.p = NULL: absent, or no memory). */
struct chat_text chat_text_copy(struct arena *arena, struct chat_text text);
/* Unescapes; borrows where it can. ST_NO_MEMORY. An absent text gives an empty one. */
MUST_USE enum status chat_text_plain(struct arena *arena, struct chat_text text, struct str *plain);

/* The effort of a word ("low"), or CHAT_EFFORT_UNSAID. */
enum chat_effort chat_effort_of(struct str word);
/* Its word. Never NULL; CHAT_EFFORT_UNSAID gives "". */
const char *chat_effort_word(enum chat_effort effort);

/* --- tools and places */

/* The arguments of a call as a JSON object: unescaped and proved if they came as a string; empty
 * ones are {}. ST_INVALID: no object. ST_NO_MEMORY. */
MUST_USE enum status chat_arguments_object(struct arena *arena, struct str json,
                                           struct str *object);
/* The arguments as a JSON string, as OpenAI's dialects carry them. raw.p = NULL: no memory. */
struct chat_text chat_arguments_text(struct arena *arena, struct str json);
/* The call that a result of this message answers. NULL: none. */
const struct chat_part *chat_find_call(const struct chat_message *message,
                                       const struct chat_part *result);
/* "messages[2].content[0]" in the arena; an empty one if there is no memory. */
struct str chat_place_text(struct arena *arena, struct chat_place place);

/* --- media */

/* Splits "data:image/png;base64,...." as it stands between the quotes of a JSON string. ST_INVALID:
 * another kind of URL. */
MUST_USE enum status chat_data_url(struct str inner, struct str *mime, struct str *data);
/* What stands between the quotes of a string; one with escapes (some encoders write "image\/png") is
 * copied without those that it does not need. An absent node gives n = 0. ST_NO_MEMORY. */
MUST_USE enum status chat_inner(struct arena *arena, const struct json *node, struct str *inner);
/* A URL -> media: its data if it is a data URL. ST_INVALID: a data URL that is not base64.
 * ST_NO_MEMORY. */
MUST_USE enum status chat_media_url(struct arena *arena, const struct json *url,
                                    struct chat_media *media);
/* The words of a text document as a JSON string: its own, or decoded from base64. ST_INVALID: not
 * base64 of UTF-8 text. ST_NO_MEMORY. */
MUST_USE enum status chat_media_words(struct arena *arena, const struct chat_media *media,
                                      struct chat_text *words);

/* --- signatures in dialects that cannot say whose they are
 *
 *   google-gemini-v1.call.<signature>     origin, kind, and what stands between the quotes
 *
 * Signatures that Anthropic's callers get from Claude itself stay as they are, so that they hold
 * when they are sent to Claude directly. */

enum chat_proof { CHAT_PROOF_THINKING, CHAT_PROOF_REDACTED, CHAT_PROOF_CALL };

/* Joins; absent if there is no memory. */
struct chat_text chat_proof_join(struct arena *arena, struct str origin, enum chat_proof proof,
                                 struct chat_text signature);
/* Splits what chat_proof_join made; false: it is none of ours. Borrows. */
bool chat_proof_split(struct chat_text joined, struct str *origin, enum chat_proof *proof,
                      struct arena *arena, struct chat_text *signature);

#endif
