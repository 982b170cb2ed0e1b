/* bedrock_reply_fuzz.c: what Bedrock streams, through every front that takes an answer. Holds that
 *   1. the caller's bytes do not depend on where the provider's are cut;
 *   2. a whole answer or error is valid JSON; each event of a stream is one line of it, or [DONE];
 *   3. the figures are known exactly when the caller could see them.
 * Input: one byte for front and wish, then lines "name payload" that become frames ("!" in front:
 * an exception); the checksums are right, because eventstream_fuzz.c sees to wrong ones.
 */
#include <stdlib.h>

#include "common/catalog_codec.h"
#include "data-plane/dialect/dialect.h"
#include "tests/unit/data-plane/eventstream_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_MAX_BYTES (1u << 15)
#define SAYS           "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}"

static const struct {
    enum op op;
    const char *body;
} asks[] = {
    {OP_CHAT, "{\"stream\":true," SAYS},
    {OP_CHAT, "{" SAYS},
    {OP_CHAT, "{\"stream\":true,\"response_format\":{\"type\":\"json_object\"}," SAYS},
    {OP_MESSAGES, "{\"stream\":true,\"max_tokens\":9," SAYS},
    {OP_MESSAGES, "{\"max_tokens\":9," SAYS},
    {OP_RESPONSES_CREATE, "{\"stream\":true,\"input\":\"a\"}"},
    {OP_RESPONSES_CREATE, "{\"input\":\"a\"}"},
};

struct result {
    enum status status;
    enum dialect_state state;
    bool streams, has_usage;
    struct str out;
};

static void answer(struct arena *arena, uint8_t wish, struct str bytes, size_t piece,
                   struct result *result)
{
    static const struct dialect_target target = {
        .provider = {"p", 1}, .service = {"s", 1}, .model = {"anthropic.claude-3-haiku", 24}};
    enum op op = asks[wish % COUNT_OF(asks)].op;
    struct dialect_call call;
    const struct chat *chat;
    struct str body;
    enum status status = ST_OK;
    CHECK(dialect_begin(&call, arena, dialect_front(op), dialect_back(CAT_DIALECT_BEDROCK),
                        &target) == ST_OK);
    call.answer_id = STR("id");
    CHECK(dialect_read(&call, str_c(asks[wish % COUNT_OF(asks)].body), &chat) == ST_OK);
    CHECK(dialect_write(&call, &body) == ST_OK);
    dialect_reply_begin(&call, 200, STR("application/vnd.amazon.eventstream"));
    for (size_t at = 0; at < bytes.n && status == ST_OK; at += piece) {
        struct str part = str_head(str_from(bytes, at), piece);
        status = dialect_reply_feed(&call, part.p, part.n);
    }
    if (status == ST_OK)
        status = dialect_reply_end(&call);
    CHECK(status != ST_OK || call.state == DIALECT_ENDED || call.state == DIALECT_FAILED);
    if (call.state == DIALECT_FAILED && !(call.content && chat->stream))
        dialect_write_error(&call, &call.error);
    *result = (struct result){.status = status,
                              .state = call.state,
                              .streams = call.content && chat->stream,
                              .has_usage = call.has_usage,
                              .out = arena_str(arena, buf_str(&call.out))};
    CHECK(result->out.p != NULL);
    dialect_free(&call);
}

static void check_json(struct arena *arena, struct str text)
{
    struct json *root;
    CHECK(json_parse(arena, text, NULL, &root, NULL) == ST_OK);
}

static void check_stream(struct arena *arena, struct str rest)
{
    while (rest.n > 0) {
        ptrdiff_t end = str_find(rest, STR("\n\n"));
        CHECK(end >= 0);
        struct str event = str_head(rest, (size_t)end);
        ptrdiff_t data = str_find(event, STR("data: "));
        CHECK(data == 0 || str_starts(event, STR("event: ")));
        struct str text = str_from(event, (size_t)data + 6);
        CHECK(data >= 0 && str_find_char(text, '\n') < 0 && str_find_char(text, '\r') < 0);
        if (!str_eq(text, STR("[DONE]")))
            check_json(arena, text);
        rest = str_from(rest, (size_t)end + 2);
    }
}

/* Lines as frames; a name that has no place in a header is cut. */
static void write_frames(struct buf *out, struct str lines)
{
    struct str line, name;
    buf_init(out, 1u << 20);
    while (lines.n > 0 && str_split(&lines, '\n', &line)) {
        char room[64], payload[4096];
        bool exception = line.n > 0 && line.p[0] == '!';
        if (!str_split(&line, ' ', &name))
            continue;
        name = str_head(str_from(name, exception ? 1 : 0), sizeof room - 1);
        line = str_head(line, sizeof payload - 1);
        memcpy(room, name.p, name.n);
        room[name.n] = '\0';
        if (line.n > 0)
            memcpy(payload, line.p, line.n);
        payload[line.n] = '\0';
        write_event(out, exception ? "exception" : "event", room, payload);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct result whole, cut;
    struct buf frames;
    if (size < 1 || size > FUZZ_MAX_BYTES)
        return 0;
    write_frames(&frames, str_of((const char *)data + 1, size - 1));
    CHECK(buf_status(&frames) == ST_OK);
    arena_init(&arena, 256u << 20);
    answer(&arena, data[0], buf_str(&frames), frames.n + 1, &whole);
    answer(&arena, data[0], buf_str(&frames), 1u + data[0] / COUNT_OF(asks), &cut);
    CHECK(whole.status == cut.status && whole.state == cut.state);
    CHECK(str_eq(whole.out, cut.out) && whole.has_usage == cut.has_usage);
    if (whole.streams)
        check_stream(&arena, whole.out);
    else if (whole.state == DIALECT_ENDED || whole.state == DIALECT_FAILED)
        check_json(&arena, whole.out);
    arena_free(&arena);
    buf_free(&frames);
    return 0;
}
