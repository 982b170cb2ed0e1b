/* back_gemini_speech.c: words spoken by Gemini's speech models, as /v1/audio/speech.
 *
 * Google gives raw samples ("audio/L16;rate=24000"): that is OpenAI's format pcm; for wav a head is
 * put in front. Other formats would have to be encoded, and are refused.
 * Source: Gemini API reference, "Speech generation"; RIFF WAVE (Microsoft, 1991), format 1.
 */
#include <sodium.h>

#include "data-plane/dialect/back_gemini_simple.h"

#define WAV_HEAD     44
#define RATE_DEFAULT 24000

const struct simple_rule back_gemini_speech_rules[] = {
    {"voice", PARAM_CONVERT, NULL, "prebuiltVoiceConfig.voiceName"},
    {"instructions", PARAM_CONVERT, NULL, "said in front of the words"},
    {"response_format", PARAM_CONVERT, NULL, "pcm, wav"},
    {"speed", PARAM_DROP, NULL, NULL},
    {"stream_format", PARAM_REFUSE, NULL, "It gives whole audio: leave stream_format out."},
    {"language_code", PARAM_CONVERT, NULL, "speechConfig.languageCode"},
    {NULL, PARAM_UNRULED, NULL, NULL},
};

static bool wants(const struct simple *ask, const char *format)
{
    const struct json *node = simple_member(ask, "response_format");
    return node != NULL && str_eq(chat_text_inner(chat_text_of(node)), str_c(format));
}

static void write_words(const struct simple *ask, struct json_writer *w)
{
    struct chat_text style = chat_text_of(simple_member(ask, "instructions"));
    jw_key(w, "text");
    jw_raw(w, STR("\""));
    if (!chat_text_is_empty(style)) {
        buf_add_str(w->buf, chat_text_inner(style));
        buf_add_lit(w->buf, "\\n");
    }
    buf_add_str(w->buf, chat_text_inner(ask->prompt));
    buf_add_char(w->buf, '"');
}

static void write_voice(const struct simple *ask, struct json_writer *w)
{
    const struct json *voice = simple_member(ask, "voice");
    const struct json *language = simple_member(ask, "language_code");
    jw_key(w, "speechConfig");
    jw_object(w);
    if (language != NULL)
        jw_field_raw(w, "languageCode", language->raw);
    if (voice != NULL) {
        jw_key(w, "voiceConfig");
        jw_object(w);
        jw_key(w, "prebuiltVoiceConfig");
        jw_object(w);
        jw_field_raw(w, "voiceName", voice->raw);
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
}

enum status back_gemini_speech_write(struct dialect_call *call, const struct simple *ask,
                                     struct buf *out)
{
    struct json_writer w;
    if (!wants(ask, "pcm") && !wants(ask, "wav"))
        return params_refuse(call, "response_format", "It gives pcm and wav: ask for one of them.");
    jw_init(&w, out);
    jw_object(&w);
    TRY(simple_apply(call, ask, back_gemini_speech_rules, &w));
    jw_key(&w, "contents");
    jw_array(&w);
    jw_object(&w);
    jw_field_cstr(&w, "role", "user");
    jw_key(&w, "parts");
    jw_array(&w);
    jw_object(&w);
    write_words(ask, &w);
    jw_end(&w);
    jw_end(&w);
    jw_end(&w);
    jw_end(&w);
    jw_key(&w, "generationConfig");
    jw_object(&w);
    jw_field_raw(&w, "responseModalities", STR("[\"AUDIO\"]"));
    write_voice(ask, &w);
    jw_end(&w);
    jw_end(&w);
    return ST_OK;
}

/* --- answer */

static void put(char *at, uint32_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (char)(value >> (8 * i));
}

/* 16 bits, one channel. */
static void write_head(char head[WAV_HEAD], uint32_t bytes, uint32_t rate)
{
    memcpy(head, "RIFF", 4);
    put(head + 4, bytes + WAV_HEAD - 8, 4);
    memcpy(head + 8, "WAVEfmt ", 8);
    put(head + 16, 16, 4);
    put(head + 20, 1, 2);
    put(head + 22, 1, 2);
    put(head + 24, rate, 4);
    put(head + 28, rate * 2, 4);
    put(head + 32, 2, 2);
    put(head + 34, 16, 2);
    memcpy(head + 36, "data", 4);
    put(head + 40, bytes, 4);
}

/* "audio/L16;codec=pcm;rate=24000" */
static uint32_t rate_of(struct str mime)
{
    ptrdiff_t at = str_find(mime, STR("rate="));
    struct str rest = at < 0 ? STR("") : str_from(mime, (size_t)at + 5);
    ptrdiff_t end = str_find_char(rest, ';');
    uint64_t rate;
    if (str_to_u64(end < 0 ? rest : str_head(rest, (size_t)end), &rate) != ST_OK || rate == 0 ||
        rate > 1000000)
        return RATE_DEFAULT;
    return (uint32_t)rate;
}

static enum status decode(struct dialect_call *call, const struct simple *ask, struct str data,
                          struct str mime, struct simple_answer *answer)
{
    char *room = arena_alloc(call->arena, data.n + WAV_HEAD);
    size_t n = 0, lead = wants(ask, "wav") ? WAV_HEAD : 0;
    if (room == NULL)
        return ST_NO_MEMORY;
    if (sodium_base642bin((unsigned char *)room + lead, data.n, data.p, data.n, NULL, &n, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return ST_UPSTREAM_BROKEN;
    if (lead > 0)
        write_head(room, (uint32_t)n, rate_of(mime));
    answer->bytes = str_of(room, lead + n);
    answer->mime = lead > 0 ? STR("audio/wav") : STR("audio/pcm");
    return ST_OK;
}

enum status back_gemini_speech_read(struct dialect_call *call, const struct simple *ask,
                                    struct str type, struct str body, struct simple_answer *answer)
{
    struct json *root;
    uint64_t value;
    (void)type;
    TRY(json_parse(call->arena, body, NULL, &root, NULL));
    const struct json *candidate = json_at(json_get(root, "candidates"), 0);
    const struct json *part = json_at(json_get(json_get(candidate, "content"), "parts"), 0);
    const struct json *blob = json_get(part, "inlineData"), *data = json_get(blob, "data");
    const struct json *usage = json_get(root, "usageMetadata");
    if (!json_is(data, JSON_STRING))
        return ST_UPSTREAM_BROKEN;
    if (json_u64(json_get(usage, "promptTokenCount"), &value) == ST_OK)
        answer->usage.input_tokens = value;
    if (json_u64(json_get(usage, "candidatesTokenCount"), &value) == ST_OK)
        answer->usage.output_tokens = answer->usage.audio_output_tokens = value;
    answer->has_usage = usage != NULL;
    return decode(call, ask, chat_text_inner(chat_text_of(data)),
                  chat_text_inner(chat_text_of(json_get(blob, "mimeType"))), answer);
}
