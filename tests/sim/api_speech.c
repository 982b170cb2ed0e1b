/* api_speech.c: POST audio/speech: bytes that begin like the format asked for and go on as noise
 * drawn from the input.
 *
 * SPEECH_BYTES_PER_TOKEN bytes for each token of the input, in pieces of SPEECH_PIECE_BYTES without
 * a length, as OpenAI sends speech. The same input and format give the same bytes. Stream faults
 * count these pieces.
 */
#include "tests/sim/api.h"
#include "tests/sim/stream.h"

#define SPEECH_BYTES_PER_TOKEN 1600
#define SPEECH_PIECE_BYTES     4096

struct speech_format {
    const char *name, *type, *magic;
    size_t magic_bytes;
};

struct speech {
    struct source source; /* first */
    struct request *req;
    const struct speech_format *format;
    uint64_t left, noise, at;
};

static const struct speech_format speech_formats[] = {
    {"mp3", "audio/mpeg", "\xff\xfb\x90\x64", 4},         {"opus", "audio/ogg", "OggS", 4},
    {"aac", "audio/aac", "\xff\xf1\x50\x80", 4},          {"flac", "audio/flac", "fLaC", 4},
    {"wav", "audio/wav", "RIFF\xff\xff\xff\xffWAVE", 12}, {"pcm", "audio/pcm", "", 0},
};

static enum source_step speech_fill(struct source *source, struct buf *out, int64_t *wait_ms)
{
    struct speech *speech = (struct speech *)(void *)source;
    const struct fault *fault = &speech->req->fault;
    enum source_step step = SOURCE_MORE;
    size_t n = speech->left < SPEECH_PIECE_BYTES ? (size_t)speech->left : SPEECH_PIECE_BYTES;
    if (stream_breaks_at(fault, speech->at, &step))
        return step;
    if (speech->at++ == 0)
        buf_add(out, speech->format->magic, speech->format->magic_bytes);
    while (out->n < n) {
        size_t missing = n - out->n;
        speech->noise = sim_hash(STR_NONE, speech->noise);
        buf_add(out, &speech->noise,
                missing < sizeof speech->noise ? missing : sizeof speech->noise);
    }
    speech->left -= n;
    if (speech->left == 0)
        return SOURCE_END;
    *wait_ms = fault->interval >= 0 ? fault->interval : speech->req->sim->options.chunk_interval_ms;
    return *wait_ms > 0 ? SOURCE_PAUSE : SOURCE_MORE;
}

static const struct speech_format *speech_find_format(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(speech_formats); i++) {
        if (name.n == 0 || str_eq(name, str_c(speech_formats[i].name)))
            return &speech_formats[i];
    }
    return NULL;
}

void api_audio_speech(struct call *call)
{
    struct str input = call_text(call, call->root, "input");
    if (!call_model(call))
        return;
    if (input.n == 0 || json_is_none(json_get(call->root, "voice"))) {
        const char *missing = input.n == 0 ? "input" : "voice";
        call_error(call, 400, "missing_required_parameter", missing,
                   "Missing required parameter: '%s'.", missing);
        return;
    }
    const struct speech_format *format =
        speech_find_format(call_text(call, call->root, "response_format"));
    if (format == NULL || call->req == NULL) {
        call_error(call, 400, "invalid_value", "response_format",
                   "Invalid value for 'response_format'.");
        return;
    }
    struct speech *speech = arena_calloc(call->keep, 1, sizeof *speech);
    if (speech == NULL) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return;
    }
    *speech = (struct speech){.source.fill = speech_fill,
                              .req = call->req,
                              .format = format,
                              .left = usage_tokens(input.n) * SPEECH_BYTES_PER_TOKEN,
                              .noise = sim_hash(input, 3)};
    call->usage.prompt = usage_tokens(input.n);
    call->source = &speech->source;
    call->content_type = format->type;
}
