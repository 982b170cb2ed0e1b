/* What a chat request may look like; every refusal names its field. The translation itself:
 * back_anthropic_test.c. */
#include "tests/unit/data-plane/dialect/dialect_run.h"

#include "data-plane/dialect/front_openai_chat.h"

static const struct {
    const char *body, *reason;
} refused[] = {
    {"[]", "The request body cannot be read: not a JSON object at byte 0."},
    {"{\"messages\":[{\"role\":\"user\",\"role\":\"system\"}]}",
     "The request body cannot be read: duplicate member name at byte 43."},
    {"{}", "messages: a non-empty array is required."},
    {"{\"messages\":[]}", "messages: a non-empty array is required."},
    {"{\"messages\":[1]}", "messages[0]: must be an object."},
    {"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"content\":\"a\"}]}",
     "messages[1].role: must be system, developer, user, assistant or tool."},
    {"{\"messages\":[{\"role\":\"bot\"}]}",
     "messages[0].role: must be system, developer, user, assistant or tool."},
    {"{\"messages\":[{\"role\":\"user\",\"content\":1}]}",
     "messages[0].content: must be a string, an array of parts or null."},
    {"{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"a\"}]}]}",
     "messages[0].content[0]: type is required."},
    {"{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":1}]}]}",
     "messages[0].content[0]: its words must be a string."},
    {"{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{}}]}]}",
     "messages[0].content[0]: a url is required."},
    {"{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\",\"input_audio\":{"
     "\"data\":\"AA\"}}]}]}",
     "messages[0].content[0]: input_audio needs data and format."},
    {"{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":{\"filename\":"
     "\"x\"}}]}]}",
     "messages[0].content[0]: file needs file_data, file_id or file_url."},
    {"{\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]}",
     "messages[0].tool_call_id: required."},
    {"{\"messages\":[{\"role\":\"function\",\"name\":\"f\",\"content\":\"x\"}]}",
     "messages[0].role: a function message must follow the call it answers."},
    {"{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":{}}]}",
     "messages[0].tool_calls: must be an array."},
    {"{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\",\"type\":\"custom\","
     "\"custom\":{}}]}]}",
     "messages[0].tool_calls[0]: only calls of functions are translated."},
    {"{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\",\"function\":{"
     "\"arguments\":\"{}\"}}]}]}",
     "messages[0].tool_calls[0]: id and function.name are required."},
    {"{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":"
     "\"f\",\"arguments\":{}}}]}]}",
     "messages[0].tool_calls[0]: function.arguments must be a string of JSON."},
    {"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"tools\":{}}",
     "tools: must be an array."},
    {"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"tools\":[{}]}",
     "tools[0].type: required."},
    {"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"tools\":[{\"type\":\"function\","
     "\"function\":{}}]}",
     "tools[0].function.name: required."},
    {"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"tools\":[{\"type\":\"function\","
     "\"function\":{\"name\":\"f\",\"parameters\":[]}}]}",
     "tools[0].function.parameters: must be a JSON schema object."},
    {"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"tool_choice\":\"always\"}",
     "tool_choice: must be none, auto, required or name a function."},
    {"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"tool_choice\":{\"type\":\"allowed_"
     "tools\",\"allowed_tools\":{\"mode\":\"auto\"}}}",
     "tool_choice.allowed_tools: mode (auto, required) and tools (at most 256) are required."},
    {"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"response_format\":{\"type\":\"json_"
     "schema\",\"json_schema\":{}}}",
     "response_format: must be text, json_object, or json_schema with json_schema.schema."},
    {"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"response_format\":\"json\"}",
     "response_format.type: required."},
    {"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"stop\":1}",
     "stop: must be a string or an array of strings."},
    {"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"stop\":[1]}",
     "stop: must be at most 64 strings."},
    {"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"max_tokens\":\"7\"}",
     "max_tokens: must be a whole number from 1."},
    {"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"max_completion_tokens\":-1}",
     "max_completion_tokens: must be a whole number from 1."},
    {"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"reasoning_effort\":\"huge\"}",
     "reasoning_effort: must be none, minimal, low, medium, high, xhigh or max."},
};

Test(front_openai_chat, refusals_name_the_field_and_the_rule)
{
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        run_begin(&run, OP_CHAT, CAT_DIALECT_ANTHROPIC, "M");
        enum status status = dialect_read(&run.call, str_c(refused[i].body), &run.chat);
        cr_expect_eq(status_row(status)->http, 400, "%s", refused[i].body);
        cr_expect_str_eq(run.call.reason, refused[i].reason, "%s:\n got %s", refused[i].body,
                         run.call.reason);
        run_end(&run);
    }
}

Test(front_openai_chat, one_message_has_a_bounded_number_of_calls)
{
    static struct dialect_run run;
    struct buf body;
    buf_init(&body, 1u << 20);
    buf_add_lit(&body, "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[");
    for (int i = 0; i <= CHAT_CALLS_MAX; i++)
        buf_printf(&body, "%s{\"id\":\"c%d\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}",
                   i > 0 ? "," : "", i);
    buf_add_lit(&body, "]}]}");
    run_begin(&run, OP_CHAT, CAT_DIALECT_ANTHROPIC, "M");
    cr_expect_eq(dialect_read(&run.call, buf_str(&body), &run.chat), ST_INVALID);
    cr_expect_str_eq(run.call.reason,
                     "messages[0].tool_calls[256]: too many calls in one message.");
    run_end(&run);
    buf_free(&body);
}

static const struct {
    const char *inner;
    size_t length;
} lengths[] = {{"", 0},
               {"abc", 3},
               {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 3},
               {"\\n\\\"\\\\", 3},
               {"\\u00e9x", 2},
               {"\\ud83d\\ude00x", 2},
               {"\\uD83D\\uDE00", 1}};

Test(front_openai_chat, counts_characters_not_bytes_or_escapes)
{
    for (size_t i = 0; i < COUNT_OF(lengths); i++)
        cr_expect_eq(front_openai_chat_length(str_c(lengths[i].inner)), lengths[i].length, "%s",
                     lengths[i].inner);
}

Test(front_openai_chat, a_request_is_read_once_for_all_attempts)
{
    static struct dialect_run run;
    struct dialect_call second;
    struct str body;
    run_begin(&run, OP_CHAT, CAT_DIALECT_ANTHROPIC, "M");
    const char *first = run_request(&run, "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}");
    cr_assert_eq(dialect_begin(&second, &run.arena, run.call.front, run.call.back, &run.target),
                 ST_OK);
    second.chat = run.chat;
    cr_assert_eq(dialect_write(&second, &body), ST_OK);
    cr_expect(str_eq(body, str_c(first)));
    dialect_free(&second);
    run_end(&run);
}
