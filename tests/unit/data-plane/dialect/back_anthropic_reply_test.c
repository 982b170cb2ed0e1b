/* Answers: Anthropic's bytes in, OpenAI's out, whole and as a stream, at every size of piece. */
#include "tests/unit/data-plane/dialect/dialect_run.h"

#include "data-plane/dialect/back_anthropic.h"

#define ASK          "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
#define STREAM       ASK ",\"stream\":true}"
#define STREAM_USAGE ASK ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}"

#define EV(name, data) "event: " name "\ndata: {\"type\":\"" name "\"" data "}\n\n"
#define START                                                                                      \
    EV("message_start",                                                                            \
       ",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":"     \
       "\"claude-x\",\"content\":[],\"usage\":{\"input_tokens\":10,\"cache_read_input_tokens\":3," \
       "\"cache_creation_input_tokens\":2,\"output_tokens\":1}}")
#define BLOCK(n, block) EV("content_block_start", ",\"index\":" #n ",\"content_block\":" block)
#define DELTA(n, delta) EV("content_block_delta", ",\"index\":" #n ",\"delta\":" delta)
#define TEXT(n, text)   DELTA(n, "{\"type\":\"text_delta\",\"text\":\"" text "\"}")
#define STOP(n)         EV("content_block_stop", ",\"index\":" #n)
#define END_WITH(reason)                                                                           \
    EV("message_delta", ",\"delta\":{\"stop_reason\":\"" reason                                    \
                        "\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":9}")              \
    EV("message_stop", "")
#define TEXT_BLOCK "{\"type\":\"text\",\"text\":\"\"}"
#define TOOL_BLOCK(id, name)                                                                       \
    "{\"type\":\"tool_use\",\"id\":\"" id "\",\"name\":\"" name "\",\"input\":{}}"
#define JSON_PIECE(n, text)                                                                        \
    DELTA(n, "{\"type\":\"input_json_delta\",\"partial_json\":\"" text "\"}")

#define CHUNK(delta, finish)                                                                       \
    "data: "                                                                                       \
    "{\"id\":\"msg_1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":"     \
    "\"claude-x\",\"choices\":[{\"index\":0,\"delta\":" delta ",\"finish_reason\":" finish         \
    "}]}\n\n"
#define SAID(delta)  CHUNK(delta, "null")
#define ROLE         SAID("{\"role\":\"assistant\",\"content\":\"\"}")
#define FINISH(word) CHUNK("{}", "\"" word "\"") "data: [DONE]\n\n"
#define USAGE_OUT                                                                                  \
    "{\"prompt_tokens\":15,\"completion_tokens\":9,\"total_tokens\":24,\"prompt_tokens_details\":" \
    "{\"cached_tokens\":3,\"cache_write_tokens\":2,\"audio_tokens\":0},\"completion_tokens_"       \
    "details\":{\"reasoning_tokens\":0,\"audio_tokens\":0}}"

static const struct {
    const char *name, *ask, *in, *out;
} streams[] = {
    {"BUG the id of a chunk was made up", STREAM,
     START BLOCK(0, TEXT_BLOCK) EV("ping", "") TEXT(0, "He\\\"l") TEXT(0, "lo \\u00e9") STOP(0)
         END_WITH("end_turn"),
     ROLE SAID("{\"content\":\"He\\\"l\"}") SAID("{\"content\":\"lo \\u00e9\"}") FINISH("stop")},
    {"usage comes if asked, cached tokens inside the prompt's", STREAM_USAGE,
     START BLOCK(0, TEXT_BLOCK) TEXT(0, "a") STOP(0) END_WITH("end_turn"),
     "data: "
     "{\"id\":\"msg_1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":"
     "\"claude-x\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
     "\"finish_reason\":null}],\"usage\":null}\n\n"
     "data: "
     "{\"id\":\"msg_1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":"
     "\"claude-x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]"
     ",\"usage\":null}\n\n"
     "data: "
     "{\"id\":\"msg_1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":"
     "\"claude-x\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":"
     "null}\n\n"
     "data: "
     "{\"id\":\"msg_1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":"
     "\"claude-x\",\"choices\":[],\"usage\":" USAGE_OUT "}\n\ndata: [DONE]\n\n"},
    {"parallel calls, one without parameters", STREAM,
     START BLOCK(0, TEXT_BLOCK) TEXT(0, "ok") STOP(0) BLOCK(1, TOOL_BLOCK("t1", "f"))
         JSON_PIECE(1, "") JSON_PIECE(1, "{\\\"q\\\":") JSON_PIECE(1, "1}") STOP(1)
             BLOCK(2, TOOL_BLOCK("t2", "g")) STOP(2) END_WITH("tool_use"),
     ROLE SAID("{\"content\":\"ok\"}")
         SAID("{\"tool_calls\":[{\"index\":0,\"id\":\"t1\",\"type\":\"function\",\"function\":{"
              "\"name\":\"f\",\"arguments\":\"\"}}]}")
             SAID("{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"q\\\":\"}}]}")
                 SAID("{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"1}\"}}]}")
                     SAID("{\"tool_calls\":[{\"index\":1,\"id\":\"t2\",\"type\":\"function\","
                          "\"function\":{\"name\":\"g\",\"arguments\":\"\"}}]}") SAID(
                         "{\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":\"{}\"}}]}")
                         FINISH("tool_calls")},
    {"functions are answered by function_call",
     ASK ",\"stream\":true,\"functions\":[{\"name\":\"f\"}]}",
     START BLOCK(0, TOOL_BLOCK("t1", "f")) JSON_PIECE(0, "{}") STOP(0) END_WITH("tool_use"),
     ROLE SAID("{\"function_call\":{\"name\":\"f\",\"arguments\":\"\"}}")
         SAID("{\"function_call\":{\"arguments\":\"{}\"}}") FINISH("function_call")},
    {"of several calls only the first fits into function_call",
     ASK ",\"stream\":true,\"functions\":[{\"name\":\"f\"}]}",
     START BLOCK(0, TOOL_BLOCK("t1", "f")) JSON_PIECE(0, "{}") STOP(0)
         BLOCK(1, TOOL_BLOCK("t2", "g")) JSON_PIECE(1, "{}") STOP(1) END_WITH("tool_use"),
     ROLE SAID("{\"function_call\":{\"name\":\"f\",\"arguments\":\"\"}}")
         SAID("{\"function_call\":{\"arguments\":\"{}\"}}") FINISH("function_call")},
    {"thinking flows, and comes once more with its signature to be sent back", STREAM,
     START BLOCK(0, "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}")
         DELTA(0, "{\"type\":\"thinking_delta\",\"thinking\":\"Let \"}")
             DELTA(0, "{\"type\":\"thinking_delta\",\"thinking\":\"me\"}")
                 DELTA(0, "{\"type\":\"signature_delta\",\"signature\":\"SIG==\"}") STOP(0)
                     BLOCK(1, "{\"type\":\"redacted_thinking\",\"data\":\"ENC\"}") STOP(1)
                         BLOCK(2, TEXT_BLOCK) TEXT(2, "a") STOP(2) END_WITH("end_turn"),
     ROLE SAID("{\"reasoning_content\":\"Let \"}") SAID("{\"reasoning_content\":\"me\"}")
         SAID("{\"content\":\"a\"}")
             SAID("{\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"Let "
                  "me\",\"signature\":\"SIG==\",\"format\":\"anthropic-claude-v1\",\"index\":0},{"
                  "\"type\":\"reasoning.encrypted\",\"data\":\"ENC\",\"format\":\"anthropic-claude-"
                  "v1\",\"index\":1}]}") FINISH("stop")},
    {"the JSON tool's call is the answer",
     ASK ",\"stream\":true,\"response_format\":{\"type\":\"json_object\"}}",
     START BLOCK(0, TOOL_BLOCK("t1", "json_response")) JSON_PIECE(0, "{\\\"a\\\":")
         JSON_PIECE(0, "1}") STOP(0) END_WITH("tool_use"),
     ROLE SAID("{\"content\":\"{\\\"a\\\":\"}") SAID("{\"content\":\"1}\"}") FINISH("stop")},
    {"citations of the web are annotations in characters", STREAM,
     START BLOCK(0, TEXT_BLOCK) TEXT(0, "\xC3\xA9\\ud83d\\ude00\\n") STOP(0) BLOCK(
         1, "{\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":\"web_search\",\"input\":{}}")
         JSON_PIECE(1, "{}") STOP(1) BLOCK(2, TEXT_BLOCK)
             DELTA(2, "{\"type\":\"citations_delta\",\"citation\":{\"type\":\"web_search_result_"
                      "location\",\"url\":\"https://"
                      "x\",\"title\":\"X\",\"cited_text\":\"c\",\"encrypted_index\":\"e\"}}")
                 TEXT(2, "ab") STOP(2) END_WITH("end_turn"),
     ROLE SAID("{\"content\":\"\xC3\xA9\\ud83d\\ude00\\n\"}") SAID("{\"content\":\"ab\"}")
         SAID("{\"annotations\":[{\"type\":\"url_citation\",\"url_citation\":{\"start_index\":3,"
              "\"end_index\":5,\"url\":\"https://x\",\"title\":\"X\"}}]}") FINISH("stop")},
    {"a refusal says why", STREAM,
     START EV("message_delta",
              ",\"delta\":{\"stop_reason\":\"refusal\",\"stop_details\":{\"type\":\"refusal\","
              "\"explanation\":\"No.\"}},\"usage\":{\"output_tokens\":9}") EV("message_stop", ""),
     ROLE SAID("{\"refusal\":\"No.\"}") FINISH("content_filter")},
    {"an answer without content is an answer", STREAM, START END_WITH("end_turn"),
     ROLE FINISH("stop")},
    {"a goodbye that is missing is no truncation", STREAM,
     START BLOCK(0, TEXT_BLOCK) TEXT(0, "a") STOP(0)
         EV("message_delta",
            ",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":9}"),
     ROLE SAID("{\"content\":\"a\"}") FINISH("stop")},
    {"BUG a truncated stream looked complete", STREAM, START BLOCK(0, TEXT_BLOCK) TEXT(0, "a"),
     ROLE SAID("{\"content\":\"a\"}") "<upstream_broken>"},
    {"BUG a chunk that does not parse ended the stream silently", STREAM,
     START BLOCK(0, TEXT_BLOCK) TEXT(0, "a") "data: {\"type\":\n\n",
     ROLE SAID("{\"content\":\"a\"}") "<upstream_broken>"},
    {"BUG an error inside the stream looked like a normal stop", STREAM,
     START BLOCK(0, TEXT_BLOCK) TEXT(0, "a")
         EV("error", ",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Over\\\"loaded\"}"),
     ROLE SAID("{\"content\":\"a\"}") "data: "
                                      "{\"error\":{\"message\":\"Over\\\"loaded\",\"type\":"
                                      "\"overloaded_error\",\"param\":null,\"code\":\"overloaded_"
                                      "error\"}}\n\ndata: [DONE]\n\n"},
    {"an error in front of the content is no stream at all", STREAM,
     START EV("error", ",\"error\":{\"type\":\"overloaded_error\",\"message\":\"m\"}"),
     "{\"error\":{\"message\":\"m\",\"type\":\"overloaded_error\",\"param\":null,\"code\":"
     "\"overloaded_error\"}}"},
    {"an unknown event and block are overlooked", STREAM,
     START EV("brand_new", ",\"x\":1") BLOCK(0, "{\"type\":\"brand_new\",\"x\":1}")
         DELTA(0, "{\"type\":\"brand_new\"}") STOP(0) BLOCK(1, TEXT_BLOCK) TEXT(1, "a") STOP(1)
             END_WITH("end_turn"),
     ROLE SAID("{\"content\":\"a\"}") FINISH("stop")},
    {"a call without a name is no answer", STREAM,
     START BLOCK(0, "{\"type\":\"tool_use\",\"input\":{}}"), "<upstream_broken>"},
    {"a stream for a caller who wants none", ASK "}",
     START BLOCK(0, TEXT_BLOCK) TEXT(0, "He") TEXT(0, "llo") STOP(0) BLOCK(1, TOOL_BLOCK("t1", "f"))
         JSON_PIECE(1, "{\\\"q\\\":") JSON_PIECE(1, "1}") STOP(1) END_WITH("tool_use"),
     "{\"id\":\"msg_1\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"claude-"
     "x\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hello\","
     "\"refusal\":null,"
     "\"tool_calls\":[{\"id\":\"t1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
     "\"arguments\":\"{\\\"q\\\":1}\"}}]},\"logprobs\":null,\"finish_reason\":\"tool_calls\"}],"
     "\"usage\":" USAGE_OUT "}"},
};

static void ask(struct dialect_run *run, const char *body)
{
    run_begin(run, OP_CHAT, CAT_DIALECT_ANTHROPIC, "M");
    const char *out = run_request(run, body);
    cr_assert_eq(out[0], '{', "%s", out);
}

Test(back_anthropic_reply, streams_as_openai_does)
{
    static struct dialect_run run;
    static const size_t pieces[] = {1, 2, 3, 61, 1 << 20};
    for (size_t i = 0; i < COUNT_OF(streams); i++) {
        for (size_t k = 0; k < COUNT_OF(pieces); k++) {
            ask(&run, streams[i].ask);
            const char *out =
                run_reply(&run, 200, "text/event-stream; charset=utf-8", streams[i].in, pieces[k]);
            cr_expect_str_eq(out, streams[i].out, "%s, pieces of %zu:\n got %s\nwant %s",
                             streams[i].name, pieces[k], out, streams[i].out);
            run_end(&run);
        }
    }
}

#define MESSAGE(content, reason)                                                                   \
    "{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-x\","        \
    "\"content\":[" content "],\"stop_reason\":" reason                                            \
    ",\"stop_sequence\":null,\"usage\":{\"input_tokens\":10,\"cache_read_input_tokens\":3,"        \
    "\"cache_creation_input_tokens\":2,\"output_tokens\":9}}"
#define COMPLETION(message, finish)                                                                \
    "{\"id\":\"msg_1\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"claude-"  \
    "x\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\"," message                   \
    "},\"logprobs\":null,\"finish_reason\":\"" finish "\"}],\"usage\":" USAGE_OUT "}"

static const struct {
    const char *name, *ask, *in, *out;
} wholes[] = {
    {"words are joined as they were written", ASK "}",
     MESSAGE("{\"type\":\"text\",\"text\":\"a\\n\"},{\"type\":\"text\",\"text\":\"b\"}",
             "\"end_turn\""),
     COMPLETION("\"content\":\"a\\nb\",\"refusal\":null", "stop")},
    {"calls only", ASK "}",
     MESSAGE("{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{\"q\": [1, "
             "\"x\"]}},{\"type\":\"tool_use\",\"id\":\"u\",\"name\":\"g\",\"input\":{}}",
             "\"tool_use\""),
     COMPLETION("\"content\":null,\"refusal\":null,\"tool_calls\":[{\"id\":\"t\",\"type\":"
                "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"q\\\": [1, "
                "\\\"x\\\"]}\"}},{\"id\":\"u\",\"type\":\"function\",\"function\":{\"name\":\"g\","
                "\"arguments\":\"{}\"}}]",
                "tool_calls")},
    {"the JSON tool's call is the answer", ASK ",\"response_format\":{\"type\":\"json_object\"}}",
     MESSAGE("{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"json_response\",\"input\":{\"a\":1}}",
             "\"tool_use\""),
     COMPLETION("\"content\":\"{\\\"a\\\":1}\",\"refusal\":null", "stop")},
    {"thinking with its signature", ASK "}",
     MESSAGE("{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":\"S\"},{\"type\":\"redacted_"
             "thinking\",\"data\":\"E\"},{\"type\":\"text\",\"text\":\"a\"}",
             "\"end_turn\""),
     COMPLETION("\"content\":\"a\",\"refusal\":null,\"reasoning_content\":\"t\",\"reasoning_"
                "details\":[{\"type\":\"reasoning.text\",\"text\":\"t\",\"signature\":\"S\","
                "\"format\":\"anthropic-claude-v1\",\"index\":0},"
                "{\"type\":\"reasoning.encrypted\",\"data\":\"E\",\"format\":\"anthropic-claude-"
                "v1\",\"index\":1}]",
                "stop")},
    {"citations", ASK "}",
     MESSAGE("{\"type\":\"text\",\"text\":\"ab\"},{\"type\":\"text\",\"text\":\"cd\",\"citations\":"
             "[{\"type\":\"web_search_result_location\",\"url\":\"https://"
             "x\",\"title\":\"X\"},{\"type\":\"char_location\",\"cited_text\":\"q\"}]}",
             "\"end_turn\""),
     COMPLETION(
         "\"content\":\"abcd\",\"refusal\":null,\"annotations\":[{\"type\":\"url_citation\",\"url_"
         "citation\":{\"start_index\":2,\"end_index\":4,\"url\":\"https://x\",\"title\":\"X\"}}]",
         "stop")},
    {"functions", ASK ",\"functions\":[{\"name\":\"f\"}]}",
     MESSAGE("{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}", "\"tool_use\""),
     COMPLETION("\"content\":null,\"refusal\":null,\"function_call\":{\"name\":\"f\",\"arguments\":"
                "\"{}\"}",
                "function_call")},
    {"max_tokens", ASK "}", MESSAGE("{\"type\":\"text\",\"text\":\"a\"}", "\"max_tokens\""),
     COMPLETION("\"content\":\"a\",\"refusal\":null", "length")},
    {"stop_sequence", ASK "}", MESSAGE("{\"type\":\"text\",\"text\":\"a\"}", "\"stop_sequence\""),
     COMPLETION("\"content\":\"a\",\"refusal\":null", "stop")},
    {"BUG refusal looked like a normal stop", ASK "}", MESSAGE("", "\"refusal\""),
     COMPLETION("\"content\":\"\",\"refusal\":null", "content_filter")},
    {"BUG a full context looked like a normal stop", ASK "}",
     MESSAGE("{\"type\":\"text\",\"text\":\"a\"}", "\"model_context_window_exceeded\""),
     COMPLETION("\"content\":\"a\",\"refusal\":null", "length")},
    {"BUG a paused turn looked finished", ASK "}",
     MESSAGE("{\"type\":\"text\",\"text\":\"a\"}", "\"pause_turn\""),
     COMPLETION("\"content\":\"a\",\"refusal\":null", "length")},
    {"a reason nobody knows yet", ASK "}",
     MESSAGE("{\"type\":\"text\",\"text\":\"a\"}", "\"brand_new\""),
     COMPLETION("\"content\":\"a\",\"refusal\":null", "stop")},
    {"a whole answer for a caller who wants a stream", STREAM,
     MESSAGE("{\"type\":\"text\",\"text\":\"ab\"}", "\"end_turn\""),
     ROLE SAID("{\"content\":\"ab\"}") FINISH("stop")},
    {"no message at all", ASK "}", "{\"type\":\"message\"}", "<upstream_broken>"},
    {"no stop reason", ASK "}", MESSAGE("{\"type\":\"text\",\"text\":\"a\"}", "null"),
     "<upstream_broken>"},
    {"no JSON", ASK "}", "<html>", "<upstream_broken>"},
    {"nothing", ASK "}", "", "<upstream_broken>"},
};

Test(back_anthropic_reply, answers_as_openai_does)
{
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(wholes); i++) {
        ask(&run, wholes[i].ask);
        const char *out = run_reply(&run, 200, "application/json", wholes[i].in, 50);
        cr_expect_str_eq(out, wholes[i].out, "%s:\n got %s\nwant %s", wholes[i].name, out,
                         wholes[i].out);
        run_end(&run);
    }
}

Test(back_anthropic_reply, the_ledger_sees_the_figures_that_the_caller_sees)
{
    static struct dialect_run run;
    ask(&run, STREAM_USAGE);
    run_reply(&run, 200, "text/event-stream",
              START EV("message_delta",
                       ",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"input_tokens\":20,"
                       "\"cache_read_input_tokens\":4,\"cache_creation_input_tokens\":5,\"output_"
                       "tokens\":9,\"output_tokens_details\":{\"thinking_tokens\":6},"
                       "\"cache_creation\":{\"ephemeral_1h_input_tokens\":2},\"service_tier\":"
                       "\"priority\",\"server_tool_use\":{\"web_search_requests\":1}}")
                  EV("message_stop", ""),
              1000);
    cr_assert(run.call.has_usage);
    cr_expect_eq(run.call.usage.input_tokens, 29);
    cr_expect_eq(run.call.usage.cached_tokens, 4);
    cr_expect_eq(run.call.usage.cache_write_tokens, 5);
    cr_expect_eq(run.call.usage.output_tokens, 9);
    cr_expect_eq(run.call.usage.reasoning_tokens, 6);
    cr_expect_eq(run.call.usage.cache_write_1h_tokens, 2);
    cr_expect_eq(run.call.usage.searches, 1);
    cr_expect_str_eq(run.call.tier, "priority");
    cr_expect(dialect_usage_is_whole(&run.call));
    cr_expect(strstr(run.text,
                     "\"prompt_tokens\":29,\"completion_tokens\":9,\"total_tokens\":38") != NULL,
              "%s", run.text);
    cr_expect(strstr(run.text, "\"reasoning_tokens\":6") != NULL);
    run_end(&run);
}

Test(back_anthropic_reply, a_stream_that_breaks_off_has_no_figures)
{
    static struct dialect_run run;
    ask(&run, STREAM);
    run_reply(&run, 200, "text/event-stream", START BLOCK(0, TEXT_BLOCK) TEXT(0, "a"), 1000);
    cr_expect_not(run.call.has_usage);
    run_end(&run);
}

static const struct {
    int http;
    const char *body, *message, *type;
} errors[] = {
    {429,
     "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"Slow "
     "\\\"down\\\"\"}}",
     "Slow \"down\"", "rate_limit_error"},
    {529, "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"m\"}}", "m",
     "overloaded_error"},
    {502, "<html>bad gateway</html>", "Provider @prod answered with HTTP 502.", ""},
    {500, "", "Provider @prod answered with HTTP 500.", ""},
    {400, "{\"error\":\"text\"}", "Provider @prod answered with HTTP 400.", ""},
};

Test(back_anthropic_reply, errors_keep_status_type_and_words)
{
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        ask(&run, STREAM);
        run_reply(&run, errors[i].http, "application/json", errors[i].body, 10);
        cr_assert_eq(run.call.state, DIALECT_FAILED);
        cr_expect_eq(run.call.error.http, errors[i].http);
        cr_expect(str_eq(run.call.error.message, str_c(errors[i].message)), "%zu: %.*s", i,
                  STR_ARG(run.call.error.message));
        cr_expect(str_eq(run.call.error.type, str_c(errors[i].type)));
        cr_expect_eq(run.text[0], '{');
        run_end(&run);
    }
}

static const struct {
    const char *word;
    int http;
} kinds[] = {
    {"invalid_request_error", 400}, {"authentication_error", 401}, {"permission_error", 403},
    {"not_found_error", 404},       {"request_too_large", 413},    {"rate_limit_error", 429},
    {"timeout_error", 504},         {"overloaded_error", 529},     {"api_error", 500}};

Test(back_anthropic_reply, an_error_in_front_of_the_content_has_its_http_status)
{
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        char answer[2000];
        snprintf(answer, sizeof answer,
                 "event: error\ndata: "
                 "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":\"m\"}}\n\n",
                 kinds[i].word);
        ask(&run, STREAM);
        run_reply(&run, 200, "text/event-stream", answer, 1000);
        cr_assert_eq(run.call.state, DIALECT_FAILED, "%s", run.text);
        cr_expect_eq(run.call.error.http, kinds[i].http, "%s", kinds[i].word);
        run_end(&run);
    }
}

Test(back_anthropic_reply, compliance_off_adds_the_providers_own)
{
    static struct dialect_run run;
    ask(&run, ASK "}");
    run.call.extras = true;
    const char *out =
        run_reply(&run, 200, "application/json",
                  MESSAGE("{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":\"S\"},{"
                          "\"type\":\"text\",\"text\":\"a\",\"citations\":[{\"type\":\"char_"
                          "location\"}]},{\"type\":\"server_tool_use\",\"id\":\"s\"}",
                          "\"end_turn\""),
                  100);
    cr_expect(strstr(out, "\"provider\":\"anthropic\"") != NULL, "%s", out);
    cr_expect(
        strstr(out, "\"content_blocks\":[{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":"
                    "\"S\"},{\"type\":\"text\",\"text\":\"a\",\"citations\":[{\"type\":\"char_"
                    "location\"}]},{\"type\":\"server_tool_use\",\"id\":\"s\"}]") != NULL,
        "%s", out);
    cr_expect(strstr(out, "\"finish_reason\":\"end_turn\"") != NULL);
    cr_expect(strstr(out, "\"cache_read_input_tokens\":3,\"cache_creation_input_tokens\":2") !=
              NULL);
    run_end(&run);
    ask(&run, STREAM);
    run.call.extras = true;
    out = run_reply(&run, 200, "text/event-stream",
                    START BLOCK(0, "{\"type\":\"server_tool_use\",\ndata: \"id\":\"s\"}") STOP(0)
                        BLOCK(1, TEXT_BLOCK) TEXT(1, "a") STOP(1) END_WITH("end_turn"),
                    1000);
    cr_expect(strstr(out, "\"delta\":{\"content_blocks\":[{\"index\":0,\"delta\":{\"type\":"
                          "\"server_tool_use\", \"id\":\"s\"}}]}") != NULL,
              "%s", out);
    cr_expect(strstr(out, "\"delta\":{\"content\":\"a\",\"content_blocks\":[{\"index\":1,\"delta\":"
                          "{\"text\":\"a\"}}]}") != NULL,
              "%s", out);
    run_end(&run);
}
