/* anthropic_static.c: the benchmark's fixed message (static_reply.h), made by the same writers as
 * any other, once. */
#include "tests/sim/anthropic/messages.h"
#include "tests/sim/reply.h"
#include "tests/sim/static_reply.h"

void static_make_anthropic(const struct usage *usage, struct buf *json, struct buf *stream,
                           struct buf *stream_usage)
{
    struct arena arena;
    struct buf body, text;
    struct json_writer w;
    arena_init(&arena, 64 << 10);
    buf_init(&body, 16384);
    buf_init(&text, 4096);
    for (size_t i = 0; i < STATIC_PARTS; i++)
        buf_add_str(&text, static_text[i]);
    struct answer_block block = {.kind = ANSWER_TEXT, .text = buf_str(&text)};
    struct answer answer = {.blocks = &block, .count = 1, .choices = 1, .usage = *usage};
    struct messages_reply reply = {.id = STR("msg_static"),
                                   .model = STR("claude-sonnet-4-5-20250929"),
                                   .frame = messages_frame_sse};
    jw_init(&w, &body);
    messages_write(&w, &arena, &reply, &answer, usage);
    static_add(json, REPLY_JSON, &body);
    buf_clear(&body);
    messages_write_events(&answer, &reply, static_text, STATIC_PARTS, &body);
    static_add(stream, "text/event-stream; charset=utf-8", &body);
    static_add(stream_usage, "text/event-stream; charset=utf-8", &body);
    buf_free(&text);
    buf_free(&body);
    arena_free(&arena);
}
