/* gemini_stream.c: a streamed generateContent: replies that each hold what has come since the one
 * before.
 *
 *   alt=sse: "data: {...}\r\n\r\n"        else: one JSON array, "[{...}\n,\r\n{...}\n]"
 *
 * Words come piece by piece; a call and a picture come whole, each in a chunk of its own. The last
 * chunk has the finishReason (and, of a model that signs, an empty part with a signature).
 * usageMetadata is in every chunk and is cumulative. There is no [DONE].
 */
#include "tests/sim/google/gemini.h"

#define CHUNK_MAX (SIM_TEXT_MAX * 2)

static void chunk_open(const struct stream *stream, struct buf *out)
{
    const struct gemini_reply *reply = stream->context;
    if (reply->events)
        buf_add_lit(out, "data: ");
    else if (stream->serial > 0)
        buf_add_lit(out, ",\r\n");
    else
        buf_add_char(out, '[');
}

static void chunk_close(struct stream *stream, struct buf *out)
{
    const struct gemini_reply *reply = stream->context;
    stream->serial++;
    if (reply->events)
        buf_add_lit(out, "\r\n\r\n");
    else
        buf_add_char(out, '\n');
}

/* The content of one candidate: a part of the open block, or (last) its end. */
static void chunk_write_content(struct json_writer *w, const struct stream *stream, struct str text,
                                bool last)
{
    const struct gemini_reply *reply = stream->context;
    bool first_call = true;
    jw_key(w, "content");
    jw_object(w);
    jw_key(w, "parts");
    jw_array(w);
    if (last) {
        struct arena arena;
        arena_init(&arena, 65536);
        jw_object(w);
        jw_field_cstr(w, "text", "");
        if (google_can(reply->row, GOOGLE_SIGNED) &&
            answer_first(&stream->answer, ANSWER_CALL) == NULL)
            jw_field_str(w, "thoughtSignature", sim_sign(&arena, STR("text"), reply->seed));
        jw_end(w);
        arena_free(&arena);
    } else {
        for (size_t i = 0; i < stream->block; i++)
            first_call = first_call && stream->answer.blocks[i].kind != ANSWER_CALL;
        gemini_write_part(w, reply, stream_block(stream), text, first_call);
    }
    jw_end(w);
    jw_field_cstr(w, "role", "model");
    jw_end(w);
}

static void chunk_add(struct stream *stream, struct str text, bool last, struct buf *out)
{
    const struct gemini_reply *reply = stream->context;
    const struct answer *answer = &stream->answer;
    struct usage usage =
        last ? answer->usage : answer_usage_at(answer, stream->block, stream->offset + text.n);
    struct json_writer w;
    chunk_open(stream, out);
    jw_init(&w, out);
    jw_object(&w);
    jw_key(&w, "candidates");
    jw_array(&w);
    for (uint64_t i = 0; i < answer->choices; i++) {
        jw_object(&w);
        chunk_write_content(&w, stream, text, last);
        if (last)
            gemini_write_finish(&w, reply, answer);
        else if (reply->logprobs && stream_block(stream)->kind == ANSWER_TEXT)
            gemini_write_logprobs(&w, text);
        jw_field_u64(&w, "index", i);
        jw_end(&w);
    }
    jw_end(&w);
    if (!last)
        usage.image_out = 0;
    gemini_write_usage(&w, &usage);
    jw_field_str(&w, "modelVersion", reply->model);
    jw_field_str(&w, "responseId", reply->id);
    jw_end(&w);
    chunk_close(stream, out);
}

static void gemini_begin(struct stream *stream, struct buf *out)
{
    (void)stream;
    (void)out;
}

static void gemini_piece(struct stream *stream, struct str text, struct buf *out)
{
    if (stream_block(stream)->kind != ANSWER_CALL)
        chunk_add(stream, text, false, out);
}

static void gemini_close(struct stream *stream, struct buf *out)
{
    enum answer_kind kind = stream_block(stream)->kind;
    if (kind == ANSWER_CALL || kind == ANSWER_IMAGE)
        chunk_add(stream, STR(""), false, out);
}

static void gemini_end(struct stream *stream, struct buf *out)
{
    const struct gemini_reply *reply = stream->context;
    chunk_add(stream, STR(""), true, out);
    if (!reply->events)
        buf_add_char(out, ']');
}

static void gemini_fail(struct stream *stream, struct buf *out)
{
    struct failure failure = {.status = 503};
    const struct gemini_reply *reply = stream->context;
    chunk_open(stream, out);
    google_error(out, &failure);
    chunk_close(stream, out);
    if (!reply->events)
        buf_add_char(out, ']');
}

static const struct stream_ops gemini_ops = {.begin = gemini_begin,
                                             .piece = gemini_piece,
                                             .close = gemini_close,
                                             .end = gemini_end,
                                             .error = gemini_fail};

void gemini_start_stream(struct call *call, const struct answer *answer, struct gemini_reply *reply)
{
    stream_start(call, &gemini_ops, answer, reply);
    if (call->source != NULL && !reply->events)
        call->content_type = "application/json; charset=UTF-8";
}
