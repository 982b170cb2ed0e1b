/* event_usage.c: see event_usage.h. */
#include "control-plane/ledger/event_usage.h"

void event_usage(const Sluice__UsageEvent *event, struct price_usage *usage)
{
    memset(usage, 0, sizeof *usage);
    for (size_t i = 0; i < event->n_counts; i++)
        if (event->counts[i]->price_class < PRICE_CLASS_COUNT)
            usage->n[event->counts[i]->price_class] = event->counts[i]->n;
    if (event->n_counts > 0)
        return;
    const struct price_totals totals = {.input_tokens = event->input_tokens,
                                        .cached_tokens = event->cached_tokens,
                                        .cache_write_tokens = event->cache_write_tokens,
                                        .audio_input_tokens = event->audio_input_tokens,
                                        .output_tokens = event->output_tokens,
                                        .reasoning_tokens = event->reasoning_tokens,
                                        .audio_output_tokens = event->audio_output_tokens};
    price_usage_split(usage, &totals);
    usage->n[PRICE_IMAGE] = event->images;
    usage->n[PRICE_AUDIO_INPUT_SECOND] = event->seconds_milli;
    usage->n[PRICE_INPUT_CHARACTER] = event->characters;
}
