/* What a Messages request may look like, and what its callers get from providers of OpenAI's
 * dialect. ' stands for ". */
#include "tests/unit/data-plane/dialect/dialect_run.h"

#include "data-plane/dialect/front_anthropic.h"

#define USER "'messages':[{'role':'user','content':'a'}]"

static const struct {
    const char *body, *reason;
} refused[] = {
    {"{" USER "}", "max_tokens: required, and must be a whole number from 1."},
    {"{'max_tokens':0," USER "}", "max_tokens: required, and must be a whole number from 1."},
    {"{'max_tokens':9}", "messages: a non-empty array is required."},
    {"{'max_tokens':9,'messages':[]}", "messages: a non-empty array is required."},
    {"{'max_tokens':9,'messages':[1]}", "messages[0]: must be an object."},
    {"{'max_tokens':9,'messages':[{'role':'tool','content':'a'}]}",
     "messages[0].role: must be user, assistant or system."},
    {"{'max_tokens':9,'messages':[{'role':'user'}]}",
     "messages[0].content: must be a string or an array of blocks."},
    {"{'max_tokens':9,'messages':[{'role':'user','content':[{}]}]}",
     "messages[0].content[0]: type is required."},
    {"{'max_tokens':9,'messages':[{'role':'user','content':[{'type':'text'}]}]}",
     "messages[0].content[0]: text must be a string."},
    {"{'max_tokens':9,'system':[{'type':'text','text':1}]," USER "}",
     "system[0]: text must be a string."},
    {"{'max_tokens':9,'messages':[{'role':'user','content':[{'type':'image','source':{'type':'x'}}]"
     "}]"
     "}",
     "messages[0].content[0]: source must be base64, url, file or (documents) text."},
    {"{'max_tokens':9,'messages':[{'role':'user','content':[{'type':'image','source':{'type':'url'}"
     "}]"
     "}]}",
     "messages[0].content[0]: a url is required."},
    {"{'max_tokens':9,'messages':[{'role':'assistant','content':[{'type':'tool_use','id':'a','name'"
     ":"
     "'f','input':'x'}]}]}",
     "messages[0].content[0]: id, name and input (an object) are required."},
    {"{'max_tokens':9,'messages':[{'role':'assistant','content':[{'type':'redacted_thinking'}]}]}",
     "messages[0].content[0]: data is required."},
    {"{'max_tokens':9,'messages':[{'role':'user','content':[{'type':'tool_result'}]}]}",
     "messages[0].content[0]: tool_use_id is required."},
    {"{'max_tokens':9,'tools':{}," USER "}", "tools: must be an array."},
    {"{'max_tokens':9,'tools':[1]," USER "}", "tools[0]: must be an object."},
    {"{'max_tokens':9,'tools':[{'input_schema':{}}]," USER "}", "tools[0].name: required."},
    {"{'max_tokens':9,'tools':[{'name':'f'}]," USER "}",
     "tools[0].input_schema: a JSON schema object is required."},
    {"{'max_tokens':9,'tool_choice':{'type':'some'}," USER "}",
     "tool_choice.type: must be auto, any, tool or none."},
    {"{'max_tokens':9,'tool_choice':{'type':'tool'}," USER "}",
     "tool_choice.name: required beside type tool."},
    {"{'max_tokens':9,'thinking':{}," USER "}", "thinking.type: required."},
    {"{'max_tokens':9,'thinking':{'type':'enabled'}," USER "}",
     "thinking.budget_tokens: must be a whole number from 1."},
    {"{'max_tokens':9,'output_config':{'effort':'much'}," USER "}",
     "output_config.effort: must be low, medium, high, xhigh or max."},
    {"{'max_tokens':9,'output_config':{'format':{'type':'text'}}," USER "}",
     "output_config.format: must be json_schema with schema."},
    {"{'max_tokens':9,'stop_sequences':'x'," USER "}",
     "stop_sequences: must be an array of strings."},
    {"{'max_tokens':9,'stop_sequences':[1]," USER "}",
     "stop_sequences: must be at most 64 strings."},
};

Test(front_anthropic, refusals_name_the_field_and_the_rule)
{
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        run_begin(&run, OP_MESSAGES, CAT_DIALECT_OPENAI, "M");
        enum status status =
            dialect_read(&run.call, str_c(run_quotes(&run, refused[i].body)), &run.chat);
        cr_expect_eq(status_row(status)->http, 400, "%s", refused[i].body);
        cr_expect_str_eq(run.call.reason, refused[i].reason, "%s:\n got %s", refused[i].body,
                         run.call.reason);
        run_end(&run);
    }
}

/* --- answers */

#define CHUNK(choice) "data: {'id':'chatcmpl-1','model':'gpt-x','choices':[" choice "]}\n\n"
#define SAYS(delta)   CHUNK("{'index':0,'delta':" delta ",'finish_reason':null}")
#define ENDS(word)    CHUNK("{'index':0,'delta':{},'finish_reason':'" word "'}")
#define USAGE                                                                                      \
    "data: {'id':'chatcmpl-1','model':'gpt-x','choices':[],'usage':{'prompt_tokens':15,"           \
    "'completion_tokens':9,'prompt_tokens_details':{'cached_tokens':3},"                           \
    "'completion_tokens_details':{'reasoning_tokens':4}}}\n\n"
#define DONE "data: [DONE]\n\n"

#define EV(name, rest) "event: " name "\ndata: {'type':'" name "'" rest "}\n\n"
#define FIGURES(in, read, out, think)                                                              \
    "{'input_tokens':" in ",'cache_creation_input_tokens':0,'cache_read_input_tokens':" read       \
    ",'output_tokens':" out ",'output_tokens_details':{'thinking_tokens':" think "}}"
#define START                                                                                      \
    EV("message_start",                                                                            \
       ",'message':{'id':'msg_chatcmpl-1','type':'message','role':'assistant','model':'gpt-x',"    \
       "'content':[],'stop_reason':null,'stop_sequence':null,'usage':" FIGURES("0", "0", "0",      \
                                                                               "0") "}")
#define PING        EV("ping", "")
#define OPEN(n, b)  EV("content_block_start", ",'index':" #n ",'content_block':" b)
#define DELTA(n, d) EV("content_block_delta", ",'index':" #n ",'delta':" d)
#define CLOSE(n)    EV("content_block_stop", ",'index':" #n)
#define TEXT(n)     OPEN(n, "{'type':'text','text':''}")
#define WORDS(n, t) DELTA(n, "{'type':'text_delta','text':'" t "'}")
#define STOP_AT(word, sequence, details)                                                           \
    EV("message_delta", ",'delta':{'stop_reason':'" word "','stop_sequence':" sequence             \
                        ",'stop_details':" details "},'usage':" FIGURES("12", "3", "9", "4"))      \
    EV("message_stop", "")
#define STOP(word) STOP_AT(word, "null", "null")
#define REFUSED    STOP_AT("refusal", "null", "{'type':'refusal','category':null,'explanation':null}")
#define CALL(n, id, name)                                                                          \
    OPEN(n, "{'type':'tool_use','id':'" id "','name':'" name                                       \
            "','input':{},'caller':{'type':'direct'}}")
#define ARGS(n, t) DELTA(n, "{'type':'input_json_delta','partial_json':'" t "'}")
#define ASK        "{'max_tokens':9,'stream':true,'stop_sequences':['END']," USER "}"

static const struct {
    const char *name, *in, *out;
} streams[] = {
    {"words",
     SAYS("{'role':'assistant','content':''}") SAYS("{'content':'He'}") SAYS("{'content':'llo'}")
         ENDS("stop") USAGE DONE,
     START TEXT(0) PING WORDS(0, "He") WORDS(0, "llo") CLOSE(0) STOP("end_turn")},
    {"an answer without words is an answer", ENDS("stop") USAGE DONE, START STOP("end_turn")},
    {"max_tokens", SAYS("{'content':'a'}") ENDS("length") USAGE DONE,
     START TEXT(0) PING WORDS(0, "a") CLOSE(0) STOP("max_tokens")},
    {"a full context", ENDS("model_length") USAGE DONE,
     START STOP("model_context_window_exceeded")},
    {"a filter", SAYS("{'content':'a'}") ENDS("content_filter") USAGE DONE,
     START TEXT(0) PING WORDS(0, "a") CLOSE(0) REFUSED},
    {"a refusal in words", SAYS("{'refusal':'No.'}") ENDS("stop") USAGE DONE,
     START TEXT(0) PING WORDS(0, "No.") CLOSE(0) REFUSED},
    {"a stop sequence that the service names",
     SAYS("{'content':'a'}") CHUNK("{'index':0,'delta':{},'finish_reason':'stop','stop_reason':"
                                   "'END'}") USAGE DONE,
     START TEXT(0) PING WORDS(0, "a") CLOSE(0) STOP_AT("stop_sequence", "'END'", "null")},
    {"thinking under any of its names, then words",
     SAYS("{'reasoning_content':'let '}") SAYS("{'reasoning':'me'}")
         SAYS("{'content':[{'type':'thinking','thinking':[{'type':'text','text':'!'}]},{'type':"
              "'text','text':'a'}]}") ENDS("stop") USAGE DONE,
     START OPEN(0, "{'type':'thinking','thinking':'','signature':''}")
         PING DELTA(0, "{'type':'thinking_delta','thinking':'let '}")
             DELTA(0, "{'type':'thinking_delta','thinking':'me'}")
                 DELTA(0, "{'type':'thinking_delta','thinking':'!'}") CLOSE(0) TEXT(1) WORDS(1, "a")
                     CLOSE(1) STOP("end_turn")},
    {"parallel calls, by index",
     SAYS("{'tool_calls':[{'index':0,'id':'c1','type':'function','function':{'name':'f',"
          "'arguments':''}}]}") SAYS("{'tool_calls':[{'index':0,'function':{'arguments':'{}'}}]}")
         SAYS("{'tool_calls':[{'index':1,'id':'c2','function':{'name':'g','arguments':'{\\'q'}}]}")
             SAYS("{'tool_calls':[{'index':1,'function':{'arguments':'\\':1}'}}]}")
                 ENDS("tool_calls") USAGE DONE,
     START CALL(0, "c1", "f") PING ARGS(0, "{}") CLOSE(0) CALL(1, "c2", "g") ARGS(1, "{\\'q")
         ARGS(1, "\\':1}") CLOSE(1) STOP("tool_use")},
    {"BUG calls of one index but own ids ran together",
     SAYS(
         "{'tool_calls':[{'index':0,'id':'c1','function':{'name':'f','arguments':'{}'}},{'index':0,"
         "'id':'c2','function':{'name':'g','arguments':'{}'}}]}") ENDS("stop") USAGE DONE,
     START CALL(0, "c1", "f") PING ARGS(0, "{}") CLOSE(0) CALL(1, "c2", "g") ARGS(1, "{}") CLOSE(1)
         STOP("tool_use")},
    {"a call without an id, an index or arguments",
     SAYS("{'tool_calls':[{'function':{'name':'f'}}]}") ENDS("stop") USAGE DONE,
     START CALL(0, "call_req-1_0", "f") PING ARGS(0, "{}") CLOSE(0) STOP("tool_use")},
    {"arguments as an object",
     SAYS("{'tool_calls':[{'id':'c1','function':{'name':'f','arguments':{'q':1}}}]}") ENDS("stop")
         USAGE DONE,
     START CALL(0, "c1", "f") PING ARGS(0, "{\\'q\\':1}") CLOSE(0) STOP("tool_use")},
    {"the signature of a call comes in front of it",
     SAYS(
         "{'tool_calls':[{'index':0,'id':'c1','extra_content':{'google':{'thought_signature':'SIG'}"
         "},'function':{'name':'f','arguments':'{}'}}]}") ENDS("tool_calls") USAGE DONE,
     START OPEN(0, "{'type':'redacted_thinking','data':'google-gemini-v1.call.SIG'}") PING CLOSE(0)
         CALL(1, "c1", "f") ARGS(1, "{}") CLOSE(1) STOP("tool_use")},
    {"citations",
     SAYS("{'content':'a','annotations':[{'type':'url_citation','url_citation':{'url':'https://x',"
          "'title':'X','start_index':0,'end_index':1}}]}") ENDS("stop") USAGE DONE,
     START TEXT(0) PING WORDS(0, "a")
         DELTA(0, "{'type':'citations_delta','citation':{'type':'web_search_result_location','url':"
                  "'https://x','title':'X','cited_text':'','encrypted_index':''}}") CLOSE(0)
             STOP("end_turn")},
    {"a service that forgets to say goodbye", SAYS("{'content':'a'}") ENDS("stop") USAGE,
     START TEXT(0) PING WORDS(0, "a") CLOSE(0) STOP("end_turn")},
    {"usage beside the last words (Groq)",
     SAYS("{'content':'a'}") "data: "
                             "{'id':'chatcmpl-1','model':'gpt-x','choices':[{'index':0,'delta':"
                             "{},'finish_reason':'stop'}],'x_groq':{'usage':{'prompt_tokens':15,"
                             "'completion_tokens':9,'prompt_tokens_details':{'cached_tokens':3},"
                             "'completion_tokens_details':{'reasoning_tokens':4}}}}\n\n" DONE,
     START TEXT(0) PING WORDS(0, "a") CLOSE(0) STOP("end_turn")},
    {"BUG a stream that breaks off looked complete (bifrost 6081)", SAYS("{'content':'a'}"),
     START TEXT(0) PING WORDS(0, "a") "<upstream_broken>"},
    {"an error behind words is an event",
     SAYS("{'content':'a'}") "data: "
                             "{'error':{'message':'busy','type':'server_error','code':503}}\n\n",
     START TEXT(0) PING WORDS(0, "a") "event: error\ndata: {'type':'error','error':{'type':"
                                      "'overloaded_error','message':'busy'},'request_id':'req-1'}"
                                      "\n\n"},
    {"an error in front of words is none", "data: {'error':{'message':'busy','code':429}}\n\n",
     "{'type':'error','error':{'type':'rate_limit_error','message':'busy'},'request_id':'req-1'}"},
    {"a reason that says error is an error (mistral, vLLM)", SAYS("{'content':'a'}") ENDS("abort"),
     START TEXT(0) PING WORDS(0, "a") "event: error\ndata: {'type':'error','error':{'type':"
                                      "'api_error','message':'Provider @prod gave up inside its "
                                      "answer (abort).'},'request_id':'req-1'}\n\n"},
};

Test(front_anthropic, streams_become_the_events_of_a_message)
{
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(streams); i++)
        for (size_t piece = 1; piece < 4000; piece *= 60) {
            run_begin(&run, OP_MESSAGES, CAT_DIALECT_OPENAI, "M");
            run.target.stream_usage_path = STR("x_groq.usage");
            run_request(&run, run_quotes(&run, ASK));
            const char *in = run_quotes(&run, streams[i].in);
            const char *want = run_quotes(&run, streams[i].out);
            const char *out = run_reply(&run, 200, "text/event-stream", in, piece);
            cr_expect_str_eq(out, want, "%s:\n got %s\nwant %s", streams[i].name, out, want);
            run_end(&run);
        }
}

#define WHOLE(message, word)                                                                       \
    "{'id':'chatcmpl-1','model':'gpt-x','choices':[{'index':0,'message':" message                  \
    ",'finish_reason':'" word "'}],'usage':{'prompt_tokens':15,'completion_tokens':9,"             \
    "'prompt_tokens_details':{'cached_tokens':3}}}"
#define MESSAGE(content, word)                                                                     \
    "{'id':'msg_chatcmpl-1','type':'message','role':'assistant','model':'gpt-x','content':"        \
    "[" content "],'stop_reason':'" word                                                           \
    "','stop_sequence':null,'stop_details':null,'usage':" FIGURES("12", "3", "9", "0") "}"

static const struct {
    const char *name;
    int http;
    const char *in, *out;
} wholes[] = {
    {"words", 200, WHOLE("{'role':'assistant','content':'a'}", "stop"),
     MESSAGE("{'type':'text','text':'a'}", "end_turn")},
    {"thinking, words and calls", 200,
     WHOLE("{'content':'a','reasoning_content':'t','tool_calls':[{'id':'c1','type':'function',"
           "'function':{'name':'f','arguments':'{\\'q\\': 1}'}}]}",
           "tool_calls"),
     MESSAGE("{'type':'thinking','thinking':'t','signature':''},{'type':'text','text':'a'},{'type':"
             "'tool_use','id':'c1','name':'f','input':{'q': 1},'caller':{'type':'direct'}}",
             "tool_use")},
    {"arguments that are none stay visible", 200,
     WHOLE(
         "{'content':null,'tool_calls':[{'id':'c1','function':{'name':'f','arguments':'{\\'q'}}]}",
         "length"),
     MESSAGE("{'type':'tool_use','id':'c1','name':'f','input':{'_malformed_arguments':'{\\'q'},"
             "'caller':{'type':'direct'}}",
             "max_tokens")},
    {"an image", 200,
     WHOLE("{'content':'a','images':[{'type':'image_url','image_url':{'url':"
           "'data:image/png;base64,AAAA'}}]}",
           "stop"),
     MESSAGE("{'type':'text','text':'a'},{'type':'image','source':{'type':'base64','media_type':"
             "'image/png','data':'AAAA'}}",
             "end_turn")},
    {"a provider's error", 429, "{'error':{'message':'slow','type':'tokens','code':'x'}}",
     "{'type':'error','error':{'type':'rate_limit_error','message':'slow'},'request_id':'req-1'}"},
    {"an error of a few words", 500, "{'error':'no'}",
     "{'type':'error','error':{'type':'api_error','message':'no'},'request_id':'req-1'}"},
    {"FastAPI's errors", 422, "{'detail':[{'loc':['body'],'msg':'no'}]}",
     "{'type':'error','error':{'type':'invalid_request_error','message':'no'},'request_id':'req-1'"
     "}"},
    {"an error that is no JSON", 502, "<html>",
     "{'type':'error','error':{'type':'api_error','message':'Provider @prod answered with HTTP "
     "502.'}"
     ",'request_id':'req-1'}"},
    {"BUG a Responses object came out (litellm 31551)", 200, "{'object':'response','output':[]}",
     "<upstream_broken>"},
};

Test(front_anthropic, whole_answers_are_messages)
{
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(wholes); i++) {
        run_begin(&run, OP_MESSAGES, CAT_DIALECT_OPENAI, "M");
        run_request(&run, run_quotes(&run, "{'max_tokens':9," USER "}"));
        const char *in = run_quotes(&run, wholes[i].in), *want = run_quotes(&run, wholes[i].out);
        const char *out = run_reply(&run, wholes[i].http, "application/json", in, 100);
        cr_expect_str_eq(out, want, "%s:\n got %s\nwant %s", wholes[i].name, out, want);
        run_end(&run);
    }
}

Test(front_anthropic, a_long_name_of_a_tool_comes_back_whole)
{
    static struct dialect_run run;
    run_begin(&run, OP_MESSAGES, CAT_DIALECT_OPENAI, "M");
    const char *long_name =
        "mcp__a_server_with_a_rather_long_name__a_tool_with_a_rather_long_name_1";
    struct str ask = arena_printf(&run.arena,
                                  "{\"max_tokens\":9,\"tools\":[{\"name\":\"%s\",\"input_schema\":{"
                                  "}}],\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}",
                                  long_name);
    const char *out = run_request(&run, ask.p);
    const char *sent = strstr(out, "mcp__");
    cr_assert_not_null(sent);
    cr_expect_null(strstr(out, long_name));
    struct str answer = arena_printf(&run.arena,
                                     "{\"choices\":[{\"message\":{\"tool_calls\":[{\"id\":\"c\","
                                     "\"function\":{\"name\":\"%.64s\",\"arguments\":\"{}\"}}]},"
                                     "\"finish_reason\":\"tool_calls\"}]}",
                                     sent);
    out = run_reply(&run, 200, "application/json", answer.p, 4000);
    cr_expect_not_null(strstr(out, long_name), "%s", out);
    run_end(&run);
}

Test(front_anthropic, signatures_of_others_say_whose_they_are)
{
    struct arena arena;
    struct str origin = STR_NONE;
    enum chat_proof proof = CHAT_PROOF_CALL;
    struct chat_text joined, back, plain = {STR("\"abc/+=\"")};
    arena_init(&arena, 1u << 16);
    joined = chat_proof_join(&arena, STR("google-gemini-v1"), CHAT_PROOF_THINKING, plain);
    cr_expect(str_eq(joined.raw, STR("\"google-gemini-v1.text.abc/+=\"")));
    cr_assert(chat_proof_split(joined, &origin, &proof, &arena, &back));
    cr_expect(str_eq(origin, STR("google-gemini-v1")) && proof == CHAT_PROOF_THINKING);
    cr_expect(str_eq(back.raw, plain.raw));
    cr_expect_not(chat_proof_split(plain, &origin, &proof, &arena, &back), "Claude's own");
    arena_free(&arena);
}

/* How the API names what went wrong (API reference, "Errors"). */
static const struct {
    int http;
    const char *type;
} types[] = {{400, "invalid_request_error"},
             {401, "authentication_error"},
             {402, "billing_error"},
             {403, "permission_error"},
             {404, "not_found_error"},
             {413, "request_too_large"},
             {422, "invalid_request_error"},
             {429, "rate_limit_error"},
             {500, "api_error"},
             {503, "overloaded_error"},
             {504, "timeout_error"},
             {529, "overloaded_error"},
             {0, "api_error"}};

Test(front_anthropic, errors_have_the_type_of_their_status)
{
    for (size_t i = 0; i < COUNT_OF(types); i++)
        cr_expect_str_eq(front_anthropic_error_type(types[i].http), types[i].type);
}
