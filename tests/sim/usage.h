/* usage.h: the counting rule of the simulator. Pure.
 *
 *   tokens(text)    = bytes / 4, rounded up
 *   chat prompt     = 3 + sum over messages (4 + tokens(text of all text parts) + 85 per image, 100
 * per audio, 200 per file part)
 *                     + tokens(raw JSON of tools)
 *   completion      = tokens(answer) per choice (+ tokens reported as reasoning)
 *   other prompts   = tokens(text); a token array counts its length
 * A stream that breaks off has completed what it had sent by then.
 */
#ifndef SLUICE_TESTS_SIM_USAGE_H
#define SLUICE_TESTS_SIM_USAGE_H

#include "common/json_tree.h"

#define USAGE_BYTES_PER_TOKEN 4u

#define USAGE_IMAGE   85u
#define USAGE_AUDIO   100u
#define USAGE_FILE    200u
#define USAGE_MESSAGE 4u
#define USAGE_CHAT    3u

struct usage {
    uint64_t prompt, completion; /* total = the sum */
    uint64_t image, audio, file; /* parts of prompt that are no text */
    uint64_t image_out;          /* part of completion: pictures */
    uint64_t cached;             /* part of prompt: read from a prompt cache */
    uint64_t cache_write;        /* part of prompt: written to one */
    uint64_t cache_write_1h;     /* part of cache_write: to live an hour */
    uint64_t reasoning;          /* part of completion */
};

static inline uint64_t usage_tokens(uint64_t bytes)
{
    return (bytes + USAGE_BYTES_PER_TOKEN - 1) / USAGE_BYTES_PER_TOKEN;
}

/* Tokens of a chat message's or a response input item's `content`: a string or an array of parts.
 * NULL counts 0. ST_NO_MEMORY. */
MUST_USE enum status usage_content(const struct json *content, struct arena *arena,
                                   uint64_t *tokens);
/* Tokens of a chat request's messages and tools. ST_NO_MEMORY. */
MUST_USE enum status usage_chat(const struct json *root, struct arena *arena, uint64_t *tokens);
/* Tokens of `input` or `prompt`: a string, an array of strings, a token array or an array of token
 * arrays. ST_INVALID for another shape, ST_NO_MEMORY. */
MUST_USE enum status usage_input(const struct json *input, struct arena *arena, uint64_t *tokens);

#endif
