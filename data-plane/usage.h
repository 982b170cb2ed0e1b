/* usage.h: what an attempt used, as providers report it and as prices count it.
 *
 *   struct slot_usage   totals that include their parts, as they stand in answers (input includes cached, ...)
 *     -> usage_split    disjoint counts, one per price class (price.h)
 *     -> usage_pack     the non-zero ones as words {class 8 bits, n 56 bits}: the form in slots and in bounds
 *
 * Pure, no allocation; safe on any words.
 */
#ifndef SLUICE_DATA_USAGE_H
#define SLUICE_DATA_USAGE_H

#include "common/price.h"

struct slot_usage {
    uint64_t input_tokens; /* all input: cached, written to a cache, audio and image tokens included */
    uint64_t output_tokens; /* all output: reasoning, audio and image tokens included */
    uint64_t cached_tokens, cache_write_tokens;
    uint64_t cache_write_1h_tokens; /* part of cache_write_tokens */
    uint64_t reasoning_tokens;
    uint64_t audio_input_tokens, audio_cached_tokens, audio_output_tokens;
    uint64_t image_input_tokens, image_cached_tokens, image_output_tokens;
    uint64_t images;     /* made */
    uint64_t audio_ms;   /* heard */
    uint64_t characters; /* spoken */
    uint64_t searches, file_searches, rerank_searches, code_executions;
};

/* The counts per price class. PRICE_REQUEST stays 0: who bills adds one where the row prices requests. */
void usage_split(struct price_usage *out, const struct slot_usage *usage);

#define USAGE_COUNT(price_class, n) ((uint64_t)(price_class) | (uint64_t)(n) << 8)
#define USAGE_COUNT_CLASS(word)     ((unsigned)((word) & 0xFF))
#define USAGE_COUNT_N(word)         ((word) >> 8)

/* The non-zero counts as words; how many (at most max: the rest is left out). */
size_t usage_pack(uint64_t *words, size_t max, const struct price_usage *usage);
/* The counts back; unknown classes are left out. */
void usage_unpack(struct price_usage *out, const uint64_t *words, size_t count);

/* Of the classes `unpriced`, those for which nothing that has a price stands: seconds, images, characters and searches of a
 * rerank stand for tokens where these have no price, and tokens for them. */
uint64_t usage_unpriced(const struct price_usage *usage, uint64_t unpriced);

/* All input and all output tokens of disjoint counts. */
uint64_t usage_input_tokens(const struct price_usage *usage);
uint64_t usage_output_tokens(const struct price_usage *usage);

#endif
