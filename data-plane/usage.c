/* usage.c: see usage.h.
 *
 * Invariant: a token is counted in exactly one class, so that the sum over the classes is what the
 * provider reported and no price is applied twice. A count beyond what a price can bill is cut to
 * it: such an answer is nonsense, and the largest bill that can be recorded is the safe reading.
 */
#include "data-plane/usage.h"

static uint64_t cut(uint64_t n)
{
    return n < PRICE_COUNT_MAX ? n : PRICE_COUNT_MAX;
}

void usage_split(struct price_usage *out, const struct slot_usage *usage)
{
    const struct price_totals totals = {
        .input_tokens = cut(usage->input_tokens),
        .cached_tokens = cut(usage->cached_tokens),
        .cache_write_tokens = cut(usage->cache_write_tokens),
        .cache_write_1h_tokens = cut(usage->cache_write_1h_tokens),
        .audio_input_tokens = cut(usage->audio_input_tokens),
        .audio_cached_tokens = cut(usage->audio_cached_tokens),
        .image_input_tokens = cut(usage->image_input_tokens),
        .image_cached_tokens = cut(usage->image_cached_tokens),
        .output_tokens = cut(usage->output_tokens),
        .reasoning_tokens = cut(usage->reasoning_tokens),
        .audio_output_tokens = cut(usage->audio_output_tokens),
        .image_output_tokens = cut(usage->image_output_tokens),
    };
    *out = (struct price_usage){{0}};
    price_usage_split(out, &totals);
    out->n[PRICE_IMAGE] = cut(usage->images);
    out->n[PRICE_AUDIO_INPUT_SECOND] = cut(usage->audio_ms);
    out->n[PRICE_INPUT_CHARACTER] = cut(usage->characters);
    out->n[PRICE_WEB_SEARCH] = cut(usage->searches);
    out->n[PRICE_FILE_SEARCH] = cut(usage->file_searches);
    out->n[PRICE_RERANK_SEARCH] = cut(usage->rerank_searches);
    out->n[PRICE_CODE_EXECUTION] = cut(usage->code_executions);
}

size_t usage_pack(uint64_t *words, size_t max, const struct price_usage *usage)
{
    size_t count = 0;
    for (unsigned i = 0; i < PRICE_CLASS_COUNT && count < max; i++)
        if (usage->n[i] > 0)
            words[count++] = USAGE_COUNT(i, cut(usage->n[i]));
    return count;
}

void usage_unpack(struct price_usage *out, const uint64_t *words, size_t count)
{
    *out = (struct price_usage){{0}};
    for (size_t i = 0; i < count; i++)
        if (USAGE_COUNT_CLASS(words[i]) < PRICE_CLASS_COUNT)
            out->n[USAGE_COUNT_CLASS(words[i])] = cut(USAGE_COUNT_N(words[i]));
}

#define MEASURES                                                                                   \
    (PRICE_BIT(PRICE_AUDIO_INPUT_SECOND) | PRICE_BIT(PRICE_AUDIO_OUTPUT_SECOND) |                  \
     PRICE_BIT(PRICE_VIDEO_SECOND) | PRICE_BIT(PRICE_INPUT_CHARACTER) | PRICE_BIT(PRICE_IMAGE) |   \
     PRICE_BIT(PRICE_RERANK_SEARCH))

uint64_t usage_unpriced(const struct price_usage *usage, uint64_t unpriced)
{
    uint64_t priced = 0;
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++)
        priced |= usage->n[i] > 0 ? PRICE_BIT(i) & ~unpriced : 0;
    if (priced & MEASURES)
        unpriced &= ~PRICE_TOKEN_CLASSES;
    if (priced & PRICE_TOKEN_CLASSES)
        unpriced &= ~MEASURES;
    return unpriced;
}

uint64_t usage_input_tokens(const struct price_usage *usage)
{
    return usage->n[PRICE_INPUT_TOKEN] + usage->n[PRICE_CACHE_READ_TOKEN] +
           usage->n[PRICE_CACHE_WRITE_TOKEN] + usage->n[PRICE_CACHE_WRITE_1H_TOKEN] +
           usage->n[PRICE_AUDIO_INPUT_TOKEN] + usage->n[PRICE_AUDIO_CACHE_TOKEN] +
           usage->n[PRICE_IMAGE_INPUT_TOKEN] + usage->n[PRICE_IMAGE_CACHE_TOKEN];
}

uint64_t usage_output_tokens(const struct price_usage *usage)
{
    return usage->n[PRICE_OUTPUT_TOKEN] + usage->n[PRICE_REASONING_TOKEN] +
           usage->n[PRICE_AUDIO_OUTPUT_TOKEN] + usage->n[PRICE_IMAGE_OUTPUT_TOKEN] +
           usage->n[PRICE_VIDEO_OUTPUT_TOKEN];
}
