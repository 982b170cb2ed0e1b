#include "data-plane/dialect/chat.h"

#include <criterion/criterion.h>

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, 1u << 20);
}

static void teardown(void)
{
    arena_free(&arena);
}

TestSuite(chat, .init = setup, .fini = teardown);

static const struct {
    const char *json, *object;
    enum status status;
} arguments[] = {
    {"\"{\\\"q\\\": \\\"\\\\u00e9\\\"}\"", "{\"q\": \"\\u00e9\"}", ST_OK},
    {"{\"q\":1}", "{\"q\":1}", ST_OK},
    {"\"\"", "{}", ST_OK},
    {"\" \\n\"", "{}", ST_OK},
    {"\"{}\"", "{}", ST_OK},
    {"\"[1]\"", NULL, ST_INVALID},
    {"\"{\\\"q\\\":\"", NULL, ST_INVALID},
    {"\"{} x\"", NULL, ST_INVALID},
    {"\"null\"", NULL, ST_INVALID},
};

Test(chat, arguments_are_an_object_or_refused)
{
    for (size_t i = 0; i < COUNT_OF(arguments); i++) {
        struct str object;
        enum status status = chat_arguments_object(&arena, str_c(arguments[i].json), &object);
        cr_expect_eq(status, arguments[i].status, "row %zu", i);
        if (status == ST_OK)
            cr_expect(str_eq(object, str_c(arguments[i].object)), "row %zu: %.*s", i,
                      STR_ARG(object));
    }
}

Test(chat, arguments_become_a_string)
{
    struct chat_text text = chat_arguments_text(&arena, STR("{\"a\": \"b\\n\"}"));
    cr_expect(str_eq(text.raw, STR("\"{\\\"a\\\": \\\"b\\\\n\\\"}\"")), "%.*s", STR_ARG(text.raw));
    text = chat_arguments_text(&arena, STR("\"{}\""));
    cr_expect(str_eq(text.raw, STR("\"{}\"")));
    text = chat_arguments_text(&arena, STR_NONE);
    cr_expect(str_eq(text.raw, STR("\"{}\"")));
}

Test(chat, a_result_finds_its_call_in_the_message_before)
{
    struct chat chat = {0};
    struct chat_message *first = chat_add_message(&arena, &chat, CHAT_ROLE_ASSISTANT, 0);
    struct chat_part *old = chat_add_part(&arena, &first->parts, CHAT_PART_TOOL_CALL);
    old->id.raw = STR("\"a\"");
    struct chat_message *second = chat_add_message(&arena, &chat, CHAT_ROLE_ASSISTANT, 1);
    chat_add_part(&arena, &second->parts, CHAT_PART_TEXT);
    struct chat_part *call = chat_add_part(&arena, &second->parts, CHAT_PART_TOOL_CALL);
    call->id.raw = STR("\"a\"");
    struct chat_message *results = chat_add_message(&arena, &chat, CHAT_ROLE_USER, 2);
    struct chat_part *result = chat_add_part(&arena, &results->parts, CHAT_PART_TOOL_RESULT);
    result->id.raw = STR("\"a\"");
    cr_expect_eq(chat_find_call(results, result), call);
    result->id.raw = STR("\"b\"");
    cr_expect_null(chat_find_call(results, result));
    cr_expect_null(chat_find_call(first, result));
    cr_expect_eq(chat.messages, first);
    cr_expect_eq(chat.last_message, results);
}

static const struct {
    struct chat_place place;
    const char *text;
} places[] = {
    {{"messages", "content", 2, 3}, "messages[2].content[3]"},
    {{"messages", "content", 2, CHAT_NO_INDEX}, "messages[2].content"},
    {{"messages", NULL, 0, CHAT_NO_INDEX}, "messages[0]"},
    {{"input", NULL, CHAT_NO_INDEX, CHAT_NO_INDEX}, "input"},
    {{NULL, NULL, 0, 0}, ""},
};

Test(chat, places_are_spelled_as_callers_write_them)
{
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct str text = chat_place_text(&arena, places[i].place);
        cr_expect(str_eq(text, str_c(places[i].text)), "%.*s", STR_ARG(text));
    }
}

static const struct {
    const char *url, *mime, *data;
} urls[] = {
    {"data:image/png;base64,AAAA", "image/png", "AAAA"},
    {"DATA:image/png;charset=x;base64,AA==", "image/png", "AA=="},
    {"data:;base64,", "", ""},
    {"data:image/png,AAAA", NULL, NULL},
    {"data:image/png;base64", NULL, NULL},
    {"https://x/;base64,y", NULL, NULL},
    {"", NULL, NULL},
};

Test(chat, data_urls_are_cut_in_place)
{
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        struct str mime, data;
        enum status status = chat_data_url(str_c(urls[i].url), &mime, &data);
        cr_expect_eq(status, urls[i].data == NULL ? ST_INVALID : ST_OK, "%s", urls[i].url);
        if (status != ST_OK)
            continue;
        cr_expect(str_eq(mime, str_c(urls[i].mime)), "%s", urls[i].url);
        cr_expect(str_eq(data, str_c(urls[i].data)), "%s", urls[i].url);
    }
}

Test(chat, words_are_quoted_and_read_back)
{
    struct str plain;
    struct chat_text text = chat_text_quote(&arena, STR("a\"\\\n\x01\xC3\xA9"));
    cr_assert(chat_has(text));
    cr_expect_eq(chat_text_plain(&arena, text, &plain), ST_OK);
    cr_expect(str_eq(plain, STR("a\"\\\n\x01\xC3\xA9")));
    cr_expect_eq(chat_text_plain(&arena, CHAT_TEXT_NONE, &plain), ST_OK);
    cr_expect_eq(plain.n, 0);
    cr_expect(chat_text_is_empty(CHAT_TEXT_NONE));
}
