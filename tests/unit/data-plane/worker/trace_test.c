/* trace_test.c: which traceparents are joined, what goes on, and the headers about an answer. */
#include "data-plane/worker/trace.h"

#include <criterion/criterion.h>

static const uint8_t dice[24] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
                                 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0x01,
                                 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8};

static const char *pass_on(const char *traceparent)
{
    static char text[TRACE_PARENT_TEXT + 1];
    struct trace trace;
    trace_begin(&trace, traceparent == NULL ? STR_NONE : str_c(traceparent), dice);
    trace_to_text(&trace, text);
    return text;
}

#define OWN "00-112233445566778899aabbccddeeff01-a1a2a3a4a5a6a7a8-00"

Test(trace, a_valid_traceparent_is_joined_and_anything_else_begins_a_trace)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
         "00-4bf92f3577b34da6a3ce929d0e0e4736-a1a2a3a4a5a6a7a8-01"},
        {" 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00 ",
         "00-4bf92f3577b34da6a3ce929d0e0e4736-a1a2a3a4a5a6a7a8-00"},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff",
         "00-4bf92f3577b34da6a3ce929d0e0e4736-a1a2a3a4a5a6a7a8-01"},
        {"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
         "00-4bf92f3577b34da6a3ce929d0e0e4736-a1a2a3a4a5a6a7a8-01"},
        {"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what",
         "00-4bf92f3577b34da6a3ce929d0e0e4736-a1a2a3a4a5a6a7a8-01"},
        {NULL, OWN},
        {"", OWN},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", OWN},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-", OWN},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0", OWN},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-", OWN},
        {"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x", OWN},
        {"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", OWN},
        {"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", OWN},
        {"00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01", OWN},
        {"00-00000000000000000000000000000000-00f067aa0ba902b7-01", OWN},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", OWN},
        {"00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", OWN},
        {"4bf92f3577b34da6a3ce929d0e0e4736", OWN},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_str_eq(pass_on(rows[i].in), rows[i].out, "row %zu: %s", i, pass_on(rows[i].in));
}

Test(trace, every_attempt_is_a_span_of_its_own)
{
    static const uint8_t zeros[24] = {0};
    struct trace trace;
    char text[TRACE_PARENT_TEXT + 1];
    trace_begin(&trace, STR_NONE, zeros);
    trace_to_text(&trace, text);
    cr_expect_str_eq(text, "00-00000000000000000000000000000001-0000000000000001-00",
                     "never all zeros");
    trace_next_span(&trace, dice);
    trace_to_text(&trace, text);
    cr_expect_str_eq(text, "00-00000000000000000000000000000001-1122334455667788-00");
}

Test(trace, tracestate_goes_on_with_the_trace_it_belongs_to)
{
    struct trace joined, own;
    static char wide[TRACE_STATE_MAX + 1];
    memset(wide, 'a', sizeof wide);
    trace_begin(&joined, STR("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), dice);
    trace_begin(&own, STR_NONE, dice);
    cr_expect(str_eq(trace_state(&joined, STR("rojo=00f067aa0ba902b7,congo=t61")),
                     STR("rojo=00f067aa0ba902b7,congo=t61")));
    cr_expect_eq(trace_state(&own, STR("rojo=1")).n, 0);
    cr_expect_eq(trace_state(&joined, STR("a=\x80")).n, 0);
    cr_expect_eq(trace_state(&joined, STR("a=\r\nx: y")).n, 0);
    cr_expect_eq(trace_state(&joined, str_of(wide, TRACE_STATE_MAX)).n, TRACE_STATE_MAX);
    cr_expect_eq(trace_state(&joined, str_of(wide, TRACE_STATE_MAX + 1)).n, 0);
}

static struct str value_of(const struct reply_header *headers, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(headers[i].name, str_c(name)))
            return headers[i].value;
    return STR_NONE;
}

Test(trace, headers_say_how_an_answer_came_about)
{
    struct reply_header headers[TRACE_HEADERS_MAX + 1];
    struct arena arena;
    arena_init(&arena, 1 << 16);
    struct trace_reply reply = {STR("config.targets[1]"),
                                -1,
                                TRACE_CACHE_MISS,
                                STR("anthropic"),
                                STR("config.a\nconfig.b\xc3\xa9\x01\n"),
                                STR("one.\ntwo.\n")};
    headers[0] = (struct reply_header){STR("x-first"), STR("1")};
    size_t count = trace_reply_headers(&reply, &arena, headers, 1);
    cr_assert_eq(count, 7);
    static const struct {
        const char *name, *value;
    } rows[] = {{"x-first", "1"},
                {"x-portkey-provider", "anthropic"},
                {"x-portkey-last-used-option-index", "config.targets[1]"},
                {"x-portkey-retry-attempt-count", "-1"},
                {"x-portkey-cache-status", "MISS"},
                {"x-sluice-ignored-guards", "config.a, config.b???"},
                {"x-sluice-config-warnings", "2"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect(str_eq(value_of(headers, count, rows[i].name), str_c(rows[i].value)), "%s: %.*s",
                  rows[i].name, STR_ARG(value_of(headers, count, rows[i].name)));
    arena_free(&arena);
}

Test(trace, what_is_not_known_is_left_out)
{
    static const char *const caches[] = {"DISABLED", "HIT", "MISS", "REFRESH"};
    struct reply_header headers[TRACE_HEADERS_MAX];
    struct arena arena;
    arena_init(&arena, 1 << 16);
    for (int cache = TRACE_CACHE_DISABLED; cache <= TRACE_CACHE_REFRESH; cache++) {
        struct trace_reply reply = {.cache = (enum trace_cache)cache};
        size_t count = trace_reply_headers(&reply, &arena, headers, 0);
        cr_expect_eq(count, 2);
        cr_expect(str_eq(value_of(headers, count, "x-portkey-cache-status"), str_c(caches[cache])));
        cr_expect(str_eq(value_of(headers, count, "x-portkey-retry-attempt-count"), STR("0")));
    }
    arena_free(&arena);
    arena_init(&arena, 0);
    struct trace_reply reply = {
        .provider = STR("openai"), .ignored_guards = STR("config.x\n"), .warnings = STR("w\n")};
    cr_expect_eq(trace_reply_headers(&reply, &arena, headers, 0), 2,
                 "without memory what needs none is there");
    arena_free(&arena);
}

Test(trace, a_long_list_of_guards_is_cut)
{
    static char lines[4000];
    struct reply_header headers[TRACE_HEADERS_MAX];
    struct arena arena;
    for (size_t i = 0; i < sizeof lines; i++)
        lines[i] = i % 40 == 39 ? '\n' : 'g';
    arena_init(&arena, 1 << 16);
    struct trace_reply reply = {.ignored_guards = str_of(lines, sizeof lines)};
    size_t count = trace_reply_headers(&reply, &arena, headers, 0);
    cr_expect_leq(value_of(headers, count, "x-sluice-ignored-guards").n, 258);
    arena_free(&arena);
}
