#include "data-plane/sse.h"

#include <criterion/criterion.h>
#include <stdio.h>

struct seen {
    char text[8192];
    size_t n, raw;
};

static bool note(void *arg, const struct sse_event *event)
{
    struct seen *seen = arg;
    int n = snprintf(seen->text + seen->n, sizeof seen->text - seen->n, "[%.*s|%.*s]", STR_ARG(event->name), STR_ARG(event->data));
    seen->n += (size_t)n;
    seen->raw += event->raw.n;
    return true;
}

static const struct {
    const char *bytes, *events;
    size_t rest;
} rows[] = {
    {"data: a\n\ndata: b\n\n", "[|a][|b]", 0},
    {"data: a\r\n\r\ndata: b\r\n\r\n", "[|a][|b]", 0},
    {"data: a\r\rdata: b\r\r ", "[|a][|b]", 1},
    {"event: x\ndata: 1\ndata: 2\n\n", "[x|1\n2]", 0},
    {"data:no space\n\n", "[|no space]", 0},
    {": comment\n\n", "[|]", 0},
    {"data\n\n", "[|]", 0},
    {"data: unfinished\n", "", 17},
    {"\n\ndata: z\n\n", "[|][|][|z]", 0},
    {"id: 4\nretry: 5\ndata: q\n\n", "[|q]", 0},
};

Test(sse, splits_whole_and_at_every_byte)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t total = strlen(rows[i].bytes);
        for (size_t cut = 0; cut <= total; cut++) {
            struct sse sse;
            struct seen seen = {.n = 0};
            sse_init(&sse);
            cr_assert_eq(sse_feed(&sse, rows[i].bytes, cut, note, &seen), ST_OK);
            cr_assert_eq(sse_feed(&sse, rows[i].bytes + cut, total - cut, note, &seen), ST_OK);
            cr_expect_str_eq(seen.text, rows[i].events, "row %zu cut %zu: %s", i, cut, seen.text);
            cr_expect_eq(sse_rest(&sse).n, rows[i].rest, "row %zu cut %zu", i, cut);
            cr_expect_eq(seen.raw + sse_rest(&sse).n, total);
            sse_free(&sse);
        }
    }
}

Test(sse, byte_by_byte_gives_the_same)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sse sse;
        struct seen seen = {.n = 0};
        sse_init(&sse);
        for (size_t at = 0; rows[i].bytes[at] != '\0'; at++)
            cr_assert_eq(sse_feed(&sse, rows[i].bytes + at, 1, note, &seen), ST_OK);
        cr_expect_str_eq(seen.text, rows[i].events);
        sse_free(&sse);
    }
}

static bool count_oversize(void *arg, const struct sse_event *event)
{
    size_t *bytes = arg;
    *bytes += event->raw.n;
    return true;
}

Test(sse, an_event_without_end_goes_on_in_pieces)
{
    struct sse sse;
    size_t bytes = 0;
    static char block[65536];
    memset(block, 'x', sizeof block);
    sse_init(&sse);
    for (int i = 0; i < 40; i++)
        cr_assert_eq(sse_feed(&sse, block, sizeof block, count_oversize, &bytes), ST_OK);
    cr_expect_eq(bytes + sse_rest(&sse).n, 40 * sizeof block);
    cr_expect_leq(sse_rest(&sse).n, SSE_EVENT_MAX);
    sse_free(&sse);
}
