/* api_transcripts.c: POST audio/transcriptions and audio/translations (multipart), in all formats,
 * and streamed.
 *
 * The transcript names the file and its length. Audio counts TRANSCRIPT_BYTES_PER_S bytes a second,
 * at least one second. gpt-4o models count TRANSCRIPT_TOKENS_PER_S input tokens a second (+ the
 * prompt) and the text as output; whisper reports seconds only.
 */
#include "tests/sim/api.h"
#include "tests/sim/stream.h"

#define TRANSCRIPT_BYTES_PER_S  16000
#define TRANSCRIPT_TOKENS_PER_S 10

struct transcript {
    struct str text;
    uint64_t seconds, audio_tokens, text_tokens;
    struct usage usage;
    struct answer_block block; /* the text, as the answer of a stream */
    bool by_tokens, translated;
};

static void transcript_write_usage(struct json_writer *w, const struct transcript *t)
{
    jw_key(w, "usage");
    jw_object(w);
    if (t->by_tokens) {
        jw_field_cstr(w, "type", "tokens");
        jw_field_u64(w, "input_tokens", t->usage.prompt);
        jw_key(w, "input_token_details");
        jw_object(w);
        jw_field_u64(w, "text_tokens", t->text_tokens);
        jw_field_u64(w, "audio_tokens", t->audio_tokens);
        jw_end(w);
        jw_field_u64(w, "output_tokens", t->usage.completion);
        jw_field_u64(w, "total_tokens", t->usage.prompt + t->usage.completion);
    } else {
        jw_field_cstr(w, "type", "duration");
        jw_field_u64(w, "seconds", t->seconds);
    }
    jw_end(w);
}

static void transcript_write_segments(struct json_writer *w, const struct transcript *t)
{
    jw_key(w, "segments");
    jw_array(w);
    jw_object(w);
    jw_field_u64(w, "id", 0);
    jw_field_u64(w, "seek", 0);
    jw_field_u64(w, "start", 0);
    jw_field_u64(w, "end", t->seconds);
    jw_field_str(w, "text", t->text);
    jw_field_raw(w, "tokens", STR("[50364,50365]"));
    jw_field_u64(w, "temperature", 0);
    jw_field_raw(w, "avg_logprob", STR("-0.25"));
    jw_field_raw(w, "compression_ratio", STR("1.5"));
    jw_field_raw(w, "no_speech_prob", STR("0.01"));
    jw_end(w);
    jw_end(w);
}

static void transcript_write_json(struct call *call, const struct transcript *t, bool verbose)
{
    struct json_writer w;
    jw_init(&w, call->out);
    jw_object(&w);
    if (verbose) {
        jw_field_cstr(&w, "task", t->translated ? "translate" : "transcribe");
        jw_field_cstr(&w, "language", "english");
        jw_field_u64(&w, "duration", t->seconds);
    }
    jw_field_str(&w, "text", t->text);
    if (verbose)
        transcript_write_segments(&w, t);
    transcript_write_usage(&w, t);
    jw_end(&w);
}

static void transcript_write_timed(struct call *call, const struct transcript *t, bool vtt)
{
    unsigned s = (unsigned)(t->seconds % 60), m = (unsigned)(t->seconds / 60 % 60),
             h = (unsigned)(t->seconds / 3600);
    char mark = vtt ? '.' : ',';
    buf_printf(call->out, "%s00:00:00%c000 --> %02u:%02u:%02u%c000\n" STR_FMT "\n\n",
               vtt ? "WEBVTT\n\n" : "1\n", mark, h, m, s, mark, STR_ARG(t->text));
    call->content_type = "text/plain; charset=utf-8";
}

static void transcript_event(struct buf *out, const char *type, const char *name, struct str text,
                             const struct transcript *done)
{
    struct json_writer w;
    buf_add_lit(out, "data: ");
    jw_init(&w, out);
    jw_object(&w);
    jw_field_cstr(&w, "type", type);
    jw_field_str(&w, name, text);
    if (done != NULL)
        transcript_write_usage(&w, done);
    jw_end(&w);
    buf_add_lit(out, "\n\n");
}

static void transcript_begin(struct stream *stream, struct buf *out)
{
    (void)stream;
    (void)out;
}

static void transcript_piece(struct stream *stream, struct str text, struct buf *out)
{
    (void)stream;
    transcript_event(out, "transcript.text.delta", "delta", text, NULL);
}

static void transcript_end(struct stream *stream, struct buf *out)
{
    const struct transcript *t = stream->context;
    transcript_event(out, "transcript.text.done", "text", t->text, t);
}

static void transcript_error(struct stream *stream, struct buf *out)
{
    (void)stream;
    buf_add_lit(out, "data: ");
    call_write_stream_error(out);
    buf_add_lit(out, "\n\n");
}

static const struct stream_ops transcript_stream = {.begin = transcript_begin,
                                                    .piece = transcript_piece,
                                                    .end = transcript_end,
                                                    .error = transcript_error};

static bool transcript_read(struct call *call, struct transcript *t)
{
    struct form_part *file = form_file(call->req == NULL ? NULL : call->req->form, 0);
    if (file == NULL) {
        call_error(call, 400, "missing_required_parameter", "file",
                   "Missing required parameter: 'file'.");
        return false;
    }
    t->text = arena_printf(call->keep, "Transcript of " STR_FMT ", %llu bytes.",
                           STR_ARG(buf_str(&file->filename)), (unsigned long long)file->bytes);
    t->seconds =
        file->bytes / TRANSCRIPT_BYTES_PER_S + (file->bytes % TRANSCRIPT_BYTES_PER_S == 0 ? 0 : 1);
    t->seconds = t->seconds == 0 ? 1 : t->seconds;
    t->by_tokens = str_starts(call->model, STR("gpt-4o"));
    if (t->by_tokens) {
        t->audio_tokens = t->seconds * TRANSCRIPT_TOKENS_PER_S;
        t->text_tokens = usage_tokens(call_field(call, "prompt").n);
        t->usage.prompt = t->audio_tokens + t->text_tokens;
        t->usage.completion = usage_tokens(t->text.n);
    }
    return true;
}

static void transcript_answer(struct call *call, bool translated)
{
    struct str format = call_field(call, "response_format");
    struct transcript *t = arena_calloc(call->keep, 1, sizeof *t);
    if (t == NULL || !call_model(call) || !transcript_read(call, t))
        return;
    t->translated = translated;
    call->usage = t->usage;
    if (t->by_tokens && str_eq(call_field(call, "stream"), STR("true"))) {
        t->block = (struct answer_block){.kind = ANSWER_TEXT, .text = t->text};
        struct answer answer = {.blocks = &t->block,
                                .count = 1,
                                .choices = 1,
                                .usage = t->usage,
                                .pieces = t->usage.completion};
        stream_start(call, &transcript_stream, &answer, t);
    } else if (str_eq(format, STR("text"))) {
        buf_printf(call->out, STR_FMT "\n", STR_ARG(t->text));
        call->content_type = "text/plain; charset=utf-8";
    } else if (str_eq(format, STR("srt")) || str_eq(format, STR("vtt"))) {
        transcript_write_timed(call, t, str_eq(format, STR("vtt")));
    } else {
        transcript_write_json(call, t, str_eq(format, STR("verbose_json")));
    }
}

void api_audio_transcribe(struct call *call)
{
    transcript_answer(call, false);
}

void api_audio_translate(struct call *call)
{
    transcript_answer(call, true);
}
