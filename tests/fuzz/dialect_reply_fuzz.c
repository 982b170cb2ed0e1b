/* dialect_reply_fuzz.c: a provider's answer, through every back and front. Holds that
 *   1. the caller's bytes do not depend on where the provider's are cut;
 *   2. a whole answer or error is valid JSON; a stream is one-line events of valid JSON or [DONE];
 *   3. what ended well is complete: a stream ends with its dialect's last event;
 *   4. the figures are known exactly when the caller could see them.
 * Input: one byte for front and back, one for the kind of answer and the caller's wish, the rest is
 * the answer.
 */
#include <stdlib.h>

#include "common/catalog_codec.h"
#include "data-plane/dialect/dialect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_MAX_BYTES (1u << 16)

struct result {
    enum status status;
    enum dialect_state state;
    bool content, has_usage;
    struct str out;
};

#define SAYS  "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}"
#define INPUT "\"input\":\"a\"}"

#define ASKS 4

/* What callers of each dialect ask, and what a stream of theirs ends with. */
static const struct {
    enum op op;
    const char *asks[ASKS], *last;
} fronts[] = {
    {OP_CHAT,
     {"{" SAYS, "{\"stream\":true," SAYS,
      "{\"stream\":true,\"response_format\":{\"type\":\"json_object\"}," SAYS,
      "{\"stream\":true,\"stream_options\":{\"include_usage\":true},\"functions\":[]," SAYS},
     "data: [DONE]"},
    {OP_MESSAGES,
     {"{\"max_tokens\":9," SAYS, "{\"max_tokens\":9,\"stream\":true," SAYS,
      "{\"max_tokens\":9,\"stream\":true,\"stop_sequences\":[\"x\"]," SAYS,
      "{\"max_tokens\":9,\"stream\":true,\"tools\":[{\"name\":\"f\",\"input_schema\":{}}]," SAYS},
     "event: message_stop"},
    {OP_RESPONSES_CREATE,
     {"{" INPUT, "{\"stream\":true," INPUT, "{\"stream\":true,\"metadata\":{ \n}," INPUT,
      "{\"stream\":true,\"tools\":[{\"type\":\"function\",\"name\":\"f\"}]," INPUT},
     "event: response."},
    {OP_COMPLETIONS,
     {"{\"prompt\":\"a\"}", "{\"stream\":true,\"prompt\":\"a\"}",
      "{\"stream\":true,\"prompt\":\"a\",\"stop\":\"x\"}",
      "{\"stream\":true,\"stream_options\":{\"include_usage\":true},\"prompt\":\"a\"}"},
     "data: [DONE]"},
};

static void answer(struct arena *arena, const uint8_t head[2], struct str bytes, size_t piece,
                   struct result *result)
{
    static const uint16_t dialects[] = {CAT_DIALECT_ANTHROPIC, CAT_DIALECT_OPENAI, CAT_DIALECT_GEMINI};
    size_t front = head[0] % COUNT_OF(fronts);
    static const struct dialect_target target = {
        .provider = {"p", 1}, .service = {"s", 1}, .model = {"claude-sonnet-4-0", 17}};
    struct dialect_call call;
    const struct chat *chat;
    struct str body;
    bool sse = (head[1] & 1u) != 0;
    CHECK(dialect_begin(&call, arena, dialect_front(fronts[front].op),
                        dialect_back(dialects[head[0] / COUNT_OF(fronts) % COUNT_OF(dialects)]),
                        &target) == ST_OK);
    call.answer_id = STR("id");
    call.extras = (head[1] & 2u) != 0;
    CHECK(dialect_read(&call, str_c(fronts[front].asks[head[1] / 8u % ASKS]), &chat) == ST_OK);
    CHECK(dialect_write(&call, &body) == ST_OK);
    dialect_reply_begin(&call, (head[1] & 4u) != 0 ? 400 : 200,
                        sse ? STR("text/event-stream") : STR("application/json"));
    enum status status = ST_OK;
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
                              .content = call.content && chat->stream,
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

/* Every event is one line of data, with or without a name in front, and an empty line. */
static void check_stream(struct arena *arena, const struct result *result, const char *last)
{
    struct str rest = result->out, event = STR("");
    while (rest.n > 0) {
        ptrdiff_t end = str_find(rest, STR("\n\n"));
        CHECK(end >= 0);
        event = str_head(rest, (size_t)end);
        rest = str_from(rest, (size_t)end + 2);
        struct str data = event;
        if (str_starts(data, STR("event: ")))
            data = str_from(data, (size_t)str_find_char(data, '\n') + 1);
        CHECK(str_starts(data, STR("data: ")));
        data = str_from(data, 6);
        CHECK(str_find_char(data, '\n') < 0 && str_find_char(data, '\r') < 0);
        if (!str_eq(data, STR("[DONE]")))
            check_json(arena, data);
        else
            CHECK(rest.n == 0);
    }
    CHECK(result->status != ST_OK || result->state == DIALECT_FAILED ||
          str_starts(event, str_c(last)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct result whole, cut;
    if (size < 2 || size > FUZZ_MAX_BYTES)
        return 0;
    char *copy = malloc(size - 2 + 1);
    CHECK(copy != NULL);
    memcpy(copy, data + 2, size - 2);
    struct str bytes = str_of(copy, size - 2);
    arena_init(&arena, 256u << 20);
    answer(&arena, data, bytes, size, &whole);
    answer(&arena, data, bytes, 1 + data[0] % 7u, &cut);
    CHECK(whole.status == cut.status && whole.state == cut.state);
    CHECK(whole.has_usage == cut.has_usage && str_eq(whole.out, cut.out));
    if (whole.content)
        check_stream(&arena, &whole, fronts[data[0] % COUNT_OF(fronts)].last);
    else if (whole.status == ST_OK)
        check_json(&arena, whole.out);
    arena_free(&arena);
    free(copy);
    return 0;
}
