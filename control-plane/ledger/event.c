/* event.c: see event.h. */
#include "control-plane/ledger/event.h"

#include <sodium.h>

#include "control-plane/ledger/ledger.h"

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

const char *event_source_text(Sluice__UsageSource source)
{
    static const char *const names[] = {"none",  "provider", "estimated",
                                        "bound", "lost",     "adjusted"};
    return (size_t)source < COUNT_OF(names) ? names[source] : "unknown";
}

const char *event_outcome_text(uint32_t outcome)
{
    static const char *const names[] = {"ok",          "provider_error", "timeout",
                                        "client_gone", "broken",         "died"};
    return outcome < COUNT_OF(names) ? names[outcome] : "unknown";
}

void event_attempt_text(const ProtobufCBinaryData *attempt, char text[EVENT_ATTEMPT_TEXT])
{
    _Static_assert(EVENT_ATTEMPT_TEXT ==
                       sodium_base64_ENCODED_LEN(LEDGER_ATTEMPT_BYTES,
                                                 sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                   "the id's text");
    text[0] = '\0';
    if (attempt->len == LEDGER_ATTEMPT_BYTES)
        sodium_bin2base64(text, EVENT_ATTEMPT_TEXT, attempt->data, attempt->len,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}
