/* static_reply.h: what the fixed replies of the benchmark mode share (static_reply.c). */
#ifndef SLUICE_TESTS_SIM_STATIC_REPLY_H
#define SLUICE_TESTS_SIM_STATIC_REPLY_H

#include "common/buf.h"
#include "tests/sim/usage.h"

#define STATIC_PROMPT 8u /* tokens, whatever the prompt is */
#define STATIC_PARTS  4

/* The fixed answer, in the pieces of its stream. */
extern const struct str static_text[STATIC_PARTS];

/* Makes whole HTTP replies in one API's shape: complete, streamed, and streamed with usage. */
typedef void static_maker(const struct usage *usage, struct buf *json, struct buf *stream,
                          struct buf *stream_usage);
static_maker static_make_openai, static_make_anthropic;

/* Appends a reply's head and this body. */
void static_add(struct buf *out, const char *type, const struct buf *body);

#endif
