/* simple.h: operations that are one question and one answer: embeddings, rerank, images, speech.
 *
 *   caller's JSON --front.simple->read--> struct simple        --op->write--> provider's JSON
 *   caller's bytes <--front.simple->write-- struct simple_answer <--op->read-- provider's answer
 *
 * They ride in a dialect_call like a chat (dialect.h): one front per operation, and per back one
 * row (struct simple_op) for each operation that its provider has. A row says what happens to every
 * parameter (simple_params.def); what has no rule is listed as dropped.
 *
 * Owner: the request's arena. Words stay JSON, as in chat.h; vectors too: they may be megabytes, so
 * they are scanned and spliced, never parsed into nodes. One thread; pure.
 * Limits: SIMPLE_ITEMS_MAX inputs or documents.
 *
 * To add an operation of a provider: one row in its back's table, with rules, write and read.
 */
#ifndef SLUICE_DATA_DIALECT_SIMPLE_H
#define SLUICE_DATA_DIALECT_SIMPLE_H

#include "common/json_write.h"
#include "data-plane/dialect/dialect.h"

#define SIMPLE_ITEMS_MAX 4096

/* A member of the request that is no part of its main question. */
struct simple_member {
    struct simple_member *next;
    const struct json *value; /* value->key is its name; never null */
    const char *field;
};

/* An input to embed, or a document to rank. */
struct simple_item {
    struct simple_item *next;
    struct chat_text text; /* absent: none */
    bool has_media;
    struct chat_media media; /* a picture */
    struct str tokens;       /* JSON array of token numbers; n = 0: none */
    struct str json;         /* the item as the caller gave it */
    struct chat_place place;
};

struct simple {
    enum op op;
    struct simple_member *members, *last_member;
    struct simple_item *items, *last_item;
    size_t item_count;
    struct chat_text prompt; /* images: what to draw; speech: what to say; rerank: the query */
    uint64_t count;          /* images: n, 1 if not said; rerank: top_n, 0 if not said */
    bool base64;             /* embeddings: vectors as base64 */
    bool documents;          /* rerank: show the documents in the answer */
};

struct simple_rank {
    uint32_t index;
    struct str score; /* JSON number */
};

struct simple_picture {
    struct str inner, mime;  /* base64 as between quotes; plain bytes, n = 0: not said */
    struct chat_text prompt; /* as the provider rewrote it */
};

struct simple_answer {
    struct chat_text id, model;
    struct str *vectors; /* of each item, in order: JSON arrays of numbers */
    size_t vector_count;
    struct simple_rank *ranks; /* best first */
    size_t rank_count;
    struct simple_picture *pictures;
    size_t picture_count;
    struct str bytes, mime; /* speech */
    bool has_usage;
    struct slot_usage usage;
    uint64_t searches; /* rerank: search units billed */
};

/* What a back does with one parameter. */
struct simple_rule {
    const char *name; /* NULL: the end */
    enum param_action action;
    const char *as, *note; /* as in params.h */
};

/* One operation of a provider. */
struct simple_op {
    enum op op;
    const struct simple_rule *rules;
    const char *default_path;
    /* The path behind base_url in out, from the row's. NULL: as it is. ST_INVALID: the model's name
     * or the configuration has what does not belong there. */
    enum status (*path)(const struct dialect_target *target, struct str row, struct buf *out);
    /* ask -> request body. ST_INVALID (dialect_refuse), ST_NO_MEMORY, ST_TOO_LARGE. */
    enum status (*write)(struct dialect_call *call, const struct simple *ask, struct buf *out);
    /* The provider's whole answer (its content type and bytes) -> answer. Other statuses than
     * ST_NO_MEMORY: it is none. */
    enum status (*read)(struct dialect_call *call, const struct simple *ask, struct str type,
                        struct str body, struct simple_answer *answer);
};

/* The caller's side of one operation. */
struct simple_front {
    /* Request text (a validated object) -> ask. ST_INVALID (dialect_refuse), ST_NO_MEMORY. */
    enum status (*read)(struct dialect_call *call, struct str body, struct simple *ask);
    /* answer -> call->out, and call->out_type if it is no JSON. */
    void (*write)(struct dialect_call *call, const struct simple *ask,
                  const struct simple_answer *answer);
};

/* The row of an operation, or NULL: the back's providers do not have it. */
const struct simple_op *simple_find(const struct back *back, enum op op);

/* --- for the engine */

/* Reads, writes, and ends a call whose front is simple; statuses as dialect_read and others. */
MUST_USE enum status simple_request(struct dialect_call *call, struct str body,
                                    const struct simple **ask);
MUST_USE enum status simple_end(struct dialect_call *call);

/* --- for fronts */

/* Reads all members into ask->members but "model", "stream" and those in `own` (ended by NULL),
 * which are given raw (p = NULL: absent or null) in `raws`. ST_BAD_JSON, ST_TOO_LARGE,
 * ST_NO_MEMORY. */
MUST_USE enum status simple_read_members(struct dialect_call *call, struct str body,
                                         const char *const *own, struct str *raws,
                                         struct simple *ask);
/* gives a zeroed item at the end of the list. NULL: no memory, or SIMPLE_ITEMS_MAX. */
struct simple_item *simple_add_item(struct arena *arena, struct simple *ask);

/* --- for backs */

/* A member that was given, or NULL. */
const struct json *simple_member(const struct simple *ask, const char *name);
/* True if it was given with a value that asks for something (simple_params.def). */
bool simple_asks(const struct simple *ask, const char *name);
/* Applies the rules: writes what passes as members of the object open in w, lists what drops.
 * ST_INVALID: refused (dialect_refuse has been called). */
MUST_USE enum status simple_apply(struct dialect_call *call, const struct simple *ask,
                                  const struct simple_rule *rules, struct json_writer *w);
/* Lists a member that the back's own code cannot honour. */
void simple_drop(struct dialect_call *call, const struct simple *ask, const char *name);
/* Refuses inputs that are token numbers, or pictures: 400 that names the client's option. */
MUST_USE enum status simple_want_text(struct dialect_call *call, const struct simple *ask,
                                      bool media);
/* "documents": the items' texts, and "top_n", as Cohere and those after it ask for a ranking. */
void simple_write_documents(struct json_writer *w, const struct simple *ask);
/* A list of vectors, one per item, in order. ST_UPSTREAM_BROKEN: it is none. ST_NO_MEMORY. */
MUST_USE enum status simple_read_vectors(struct dialect_call *call, const struct simple *ask,
                                         struct str list, struct simple_answer *answer);
/* [{"index":0,"relevance_score":0.9}, ...], at most one per item. As above. */
MUST_USE enum status simple_read_ranks(struct dialect_call *call, const struct simple *ask,
                                       struct str list, struct simple_answer *answer);
/* The first parameter of the operation that has no rule, or NULL. */
const char *simple_check(enum op op, const struct simple_rule *rules);

/* A JSON array of numbers as base64 of 32-bit floats, little-endian, in the arena. ST_INVALID: it
 * is none. ST_NO_MEMORY. */
MUST_USE enum status simple_base64(struct arena *arena, struct str vector, struct str *text);

#endif
