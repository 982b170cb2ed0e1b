/* estimate.c: see estimate.h.
 *
 * Fixed point: output in 1/16 tokens, input in tokens per 16 KiB of body. Gains of 1/8 for the mean
 * and 1/4 for the deviation, larger for the first samples. A figure that no request can have is
 * cut, so that nothing overflows.
 */
#include "data-plane/estimate.h"

#include <stdlib.h>

#define OUTPUT_UNIT 16
#define INPUT_BYTES 16384
#define FIGURE_MAX  (INT64_C(1) << 30) /* tokens: products of two stay in 64 bits */

struct figure {
    int64_t mean, deviation;
};

struct estimate {
    uint64_t tag; /* 0: never used */
    uint32_t samples;
    struct figure output, input;
};

struct estimates {
    struct estimate places[ESTIMATE_PLACES];
};

enum status estimates_open(struct estimates **estimates)
{
    *estimates = calloc(1, sizeof **estimates);
    return *estimates == NULL ? ST_NO_MEMORY : ST_OK;
}

void estimates_close(struct estimates *estimates)
{
    free(estimates);
}

/* FNV-1a, mixed; never 0. Two pairs that meet in all 64 bits share an estimate: no harm. */
static uint64_t tag_of(const struct id *key, struct str model)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < ID_BYTES; i++)
        hash = (hash ^ key->b[i]) * UINT64_C(0x100000001B3);
    for (size_t i = 0; i < model.n; i++)
        hash = (hash ^ (uint8_t)model.p[i]) * UINT64_C(0x100000001B3);
    hash ^= hash >> 29;
    return hash == 0 ? 1 : hash;
}

static int64_t cut(uint64_t value)
{
    return value < FIGURE_MAX ? (int64_t)value : FIGURE_MAX;
}

static uint64_t high(const struct figure *figure)
{
    return (uint64_t)(figure->mean + figure->deviation);
}

static void learn(struct figure *figure, int64_t value, uint32_t samples)
{
    if (samples == 0) {
        *figure = (struct figure){value, value / 4};
        return;
    }
    int64_t error = value - figure->mean, size = error < 0 ? -error : error;
    int64_t gain = samples < 7 ? samples + 1 : 8;
    figure->mean += error / gain;
    figure->deviation += (size - figure->deviation) / (gain < 4 ? gain : 4);
}

void estimates_apply(const struct estimates *estimates, const struct id *key, struct str model,
                     uint64_t body_bytes, uint64_t max_tokens, struct slot_usage *likely)
{
    uint64_t tag = tag_of(key, model);
    const struct estimate *known = &estimates->places[tag % ESTIMATE_PLACES];
    if (known->tag != tag)
        return;
    uint64_t output = high(&known->output) / OUTPUT_UNIT + 1;
    if (likely->output_tokens > 0)
        likely->output_tokens = max_tokens > 0 && max_tokens < output ? max_tokens : output;
    if (likely->input_tokens > 0)
        likely->input_tokens =
            (uint64_t)cut(high(&known->input) * (uint64_t)cut(body_bytes) / INPUT_BYTES) + 1;
}

void estimates_learn(struct estimates *estimates, const struct id *key, struct str model,
                     uint64_t body_bytes, uint64_t input_tokens, uint64_t output_tokens)
{
    uint64_t tag = tag_of(key, model);
    struct estimate *known = &estimates->places[tag % ESTIMATE_PLACES];
    if (known->tag != tag)
        *known = (struct estimate){.tag = tag};
    learn(&known->output, cut(output_tokens) * OUTPUT_UNIT, known->samples);
    if (body_bytes > 0)
        learn(&known->input, cut((uint64_t)cut(input_tokens) * INPUT_BYTES / body_bytes),
              known->samples);
    if (known->samples < UINT32_MAX)
        known->samples++;
}
