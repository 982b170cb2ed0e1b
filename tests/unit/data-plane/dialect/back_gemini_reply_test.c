/* Answers: Google's bytes in, OpenAI's out, whole and as a stream, at every size of piece. ' stands
 * for " in all of them. */
#include "tests/unit/data-plane/dialect/dialect_run.h"
#include "tests/unit/data-plane/dialect/quotes.h"

#include "data-plane/dialect/back_gemini.h"

#define ASK          "{'messages':[{'role':'user','content':'hi'}]"
#define WHOLE        ASK "}"
#define STREAM       ASK ",'stream':true}"
#define STREAM_USAGE ASK ",'stream':true,'stream_options':{'include_usage':true}}"
#define JSON_TOOLS                                                                                 \
    ",'tools':[{'type':'function','function':{'name':'f'}}],'response_format':{'type':"            \
    "'json_object'}"

#define EV(data)   "data: {" data ",'modelVersion':'gemini-x','responseId':'r1'}\r\n\r\n"
#define PARTS(...) "'candidates':[{'content':{'parts':[" __VA_ARGS__ "],'role':'model'},'index':0}]"
#define LAST(word, ...)                                                                            \
    "'candidates':[{'content':{'parts':[" __VA_ARGS__ "],'role':'model'},'finishReason':'" word    \
    "','index':0}]"
#define TEXT(text)       "{'text':'" text "'}"
#define THOUGHT(text)    "{'text':'" text "','thought':true}"
#define CALL(name, more) "{'functionCall':{'name':'" name "','args':{'q':1}}" more "}"
#define USAGE                                                                                      \
    ",'usageMetadata':{'promptTokenCount':10,'candidatesTokenCount':4,'thoughtsTokenCount':5,"     \
    "'cachedContentTokenCount':3,'toolUsePromptTokenCount':2,'totalTokenCount':21,"                \
    "'promptTokensDetails':[{'modality':'TEXT','tokenCount':3},{'modality':'AUDIO','tokenCount':"  \
    "7}]}"

#define CHUNK_OF(n, delta, finish)                                                                 \
    "data: {'id':'r1','object':'chat.completion.chunk','created':1700000000,'model':'gemini-x',"   \
    "'choices':[{'index':" #n ",'delta':" delta ",'finish_reason':" finish "}]}\n\n"
#define SAID(delta)    CHUNK_OF(0, delta, "null")
#define SAID_1(delta)  CHUNK_OF(1, delta, "null")
#define ROLE           SAID("{'role':'assistant','content':''}")
#define ROLE_1         SAID_1("{'role':'assistant','content':''}")
#define FINISHED(word) CHUNK_OF(0, "{}", "'" word "'")
#define DONE           "data: [DONE]\n\n"
#define CALL_OUT(n, id, more)                                                                      \
    SAID("{'tool_calls':[{'index':" #n ",'id':'" id "','type':'function','function':{'name':'f',"  \
         "'arguments':''}" more "}]}")
#define ARGS(n) SAID("{'tool_calls':[{'index':" #n ",'function':{'arguments':'{\\'q\\':1}'}}]}")
#define USAGE_OUT                                                                                  \
    "{'prompt_tokens':12,'completion_tokens':9,'total_tokens':21,'prompt_tokens_details':"         \
    "{'cached_tokens':3,'cache_write_tokens':0,'audio_tokens':7},'completion_tokens_details':"     \
    "{'reasoning_tokens':5,'audio_tokens':0}}"

static const struct {
    const char *name, *ask, *in, *out;
} streams[] = {
    {"BUG [DONE] was never sent", STREAM,
     EV(PARTS(TEXT("He\\'l"))) EV(LAST("STOP", TEXT("lo \\u00e9"))),
     ROLE SAID("{'content':'He\\'l'}") SAID("{'content':'lo \\u00e9'}") FINISHED("stop") DONE},
    {"an end without words", STREAM,
     EV(PARTS(TEXT("a"))) EV("'candidates':[{'finishReason':'STOP'}]"),
     ROLE SAID("{'content':'a'}") FINISHED("stop") DONE},
    {"BUG of a chunk with words and a call only the first kind survived, and calls ended with stop",
     STREAM, EV(PARTS(TEXT("ok") "," CALL("f", "") "," CALL("f", ""))) EV(LAST("STOP", TEXT(""))),
     ROLE SAID("{'content':'ok'}") CALL_OUT(0, "call_sluice_req-1_0", "") ARGS(0)
         CALL_OUT(1, "call_sluice_req-1_1", "") ARGS(1) FINISHED("tool_calls") DONE},
    {"BUG a call's signature came only with strict off", STREAM,
     EV(LAST("STOP",
             "{'functionCall':{'id':'fc1','name':'f','args':{'q':1}},'thoughtSignature':'S=='}")),
     ROLE CALL_OUT(0, "fc1", ",'extra_content':{'google':{'thought_signature':'S=='}}") ARGS(0)
         FINISHED("tool_calls") DONE},
    {"a call with nothing at all", STREAM,
     EV(LAST("STOP", "{'functionCall':{'id':'a','name':'f'}}")),
     ROLE CALL_OUT(0, "a", "") SAID("{'tool_calls':[{'index':0,'function':{'arguments':'{}'}}]}")
         FINISHED("tool_calls") DONE},
    {"thoughts are reasoning", STREAM, EV(PARTS(THOUGHT("hm"))) EV(LAST("STOP", TEXT("a"))),
     ROLE SAID("{'reasoning_content':'hm'}") SAID("{'content':'a'}") FINISHED("stop") DONE},
    {"a signature beside words comes back with the message", STREAM,
     EV(PARTS(TEXT("a"))) EV(LAST("STOP", "{'text':'','thoughtSignature':'S'}")),
     ROLE SAID("{'content':'a'}")
         SAID("{'reasoning_details':[{'type':'reasoning.encrypted','data':'S','format':"
              "'google-gemini-v1','index':0}]}") FINISHED("stop") DONE},
    {"two candidates", STREAM,
     EV("'candidates':[{'content':{'parts':[" TEXT("a") "]},'index':0},{'content':{'parts':[" TEXT(
         "b") "]},'index':1}]") EV("'candidates':[{'finishReason':'STOP','index':1},{'finishReason'"
                                   ":'MAX_TOKENS','index':0}]"),
     ROLE SAID("{'content':'a'}") ROLE_1 SAID_1("{'content':'b'}") CHUNK_OF(1, "{}", "'stop'")
         FINISHED("length") DONE},
    {"pictures", STREAM, EV(LAST("STOP", "{'inlineData':{'mimeType':'image/png','data':'AAAA'}}")),
     ROLE SAID("{'images':[{'type':'image_url','image_url':{'url':'data:image/png;base64,AAAA'}}]}")
         FINISHED("stop") DONE},
    {"sources are annotations", STREAM,
     EV(PARTS(TEXT("See here.")))
         EV("'candidates':[{'content':{'parts':[]},'finishReason':'STOP','groundingMetadata':{"
            "'groundingChunks':[{'web':{'uri':'https://a','title':'A'}},{'web':{'uri':'https://"
            "b','title':'B'}}],"
            "'groundingSupports':[{'segment':{'startIndex':4,'endIndex':8,'text':'here'},'"
            "groundingChunkIndices':[1,9]}]}}]"),
     ROLE SAID("{'content':'See here.'}")
         SAID("{'annotations':[{'type':'url_citation','url_citation':{'start_index':4,"
              "'end_index':8,'url':'https://b','title':'B'}}]}") FINISHED("stop") DONE},
    {"places in bytes are not told where they are not characters", STREAM,
     EV(PARTS(TEXT("S\xC3\xA9 b")))
         EV("'candidates':[{'finishReason':'STOP','groundingMetadata':{'groundingChunks':[{'web':{"
            "'uri':'https://"
            "a','title':'A'}}],'groundingSupports':[{'segment':{'startIndex':4,'endIndex':5,'text':"
            "'b'},"
            "'groundingChunkIndices':[0]}]}}]"),
     ROLE SAID("{'content':'S\xC3\xA9 b'}")
         SAID("{'annotations':[{'type':'url_citation','url_citation':{'start_index':0,"
              "'end_index':4,'url':'https://a','title':'A'}}]}") FINISHED("stop") DONE},
    {"a prompt that was blocked", STREAM, EV("'promptFeedback':{'blockReason':'SAFETY'}"),
     ROLE SAID("{'refusal':'The prompt was blocked: SAFETY.'}") FINISHED("content_filter") DONE},
    {"BUG an answer that Google calls malformed ended with stop", STREAM,
     EV(PARTS(TEXT("a")))
         EV("'candidates':[{'finishReason':'MALFORMED_FUNCTION_CALL','finishMessage':'Bad call'}]"),
     ROLE SAID("{'content':'a'}") "data: {'error':{'message':'The model\\u0027s answer ended with "
                                  "MALFORMED_FUNCTION_CALL: "
                                  "Bad "
                                  "call','type':'server_error','param':null,'code':'MALFORMED_"
                                  "FUNCTION_CALL'}}\n\n" DONE},
    {"an error inside the stream", STREAM,
     EV(PARTS(
         TEXT("a"))) "data: {'error':{'code':503,'message':'full','status':'UNAVAILABLE'}}\n\n",
     ROLE SAID(
         "{'content':'a'}") "data: "
                            "{'error':{'message':'full','type':'UNAVAILABLE','param':null,'code':"
                            "'UNAVAILABLE'}}\n\n" DONE},
    {"the JSON function's arguments are the answer", ASK ",'stream':true" JSON_TOOLS "}",
     EV(LAST("STOP", CALL("json_response", ",'thoughtSignature':'S'"))),
     ROLE SAID("{'content':'{\\'q\\':1}'}") FINISHED("stop") DONE},
    {"another function beside it makes it an answer with calls",
     ASK ",'stream':true" JSON_TOOLS "}",
     EV(LAST("STOP", "{'functionCall':{'id':'a','name':'f','args':{'q':1}}}")),
     ROLE CALL_OUT(0, "a", "") ARGS(0) FINISHED("tool_calls") DONE},
    {"odds of tokens", STREAM,
     EV("'candidates':[{'content':{'parts':[" TEXT(
         "a") "]},'finishReason':'STOP','logprobsResult':{'chosenCandidates':"
              "[{'token':'a','logProbability':-0.25}],'topCandidates':[{'candidates':[{'token':'a',"
              "'logProbability':-0.25},"
              "{'token':'b','logProbability':-1e1}]}]}}]"),
     ROLE "data: "
          "{'id':'r1','object':'chat.completion.chunk','created':1700000000,'model':'gemini-x','"
          "choices':[{'index':0,"
          "'delta':{'content':'a'},'logprobs':{'content':[{'token':'a','logprob':-0.25,'bytes':"
          "null,'top_logprobs':[{'token':'a',"
          "'logprob':-0.25,'bytes':null},{'token':'b','logprob':-1e1,'bytes':null}]}],'refusal':"
          "null},'finish_reason':null}]}\n\n" FINISHED("stop") DONE},
};

static void ask(struct dialect_run *run, const char *body)
{
    run_begin(run, OP_CHAT, CAT_DIALECT_GEMINI, "gemini-2.5-flash");
    run->target.service = STR("google");
    cr_assert_eq(run_request(run, quotes(body))[0], '{', "%s", run->text);
}

/* quotes() has no way to say an apostrophe. */
static const char *expected(const char *text)
{
    char *copy = (char *)(uintptr_t)quotes(text), *at;
    while ((at = strstr(copy, "\\u0027")) != NULL) {
        *at = '\'';
        memmove(at + 1, at + 6, strlen(at + 6) + 1);
    }
    return copy;
}

Test(back_gemini_reply, streams)
{
    static struct dialect_run run;
    static const size_t pieces[] = {1, 3, 17, 100000};
    for (size_t i = 0; i < COUNT_OF(streams); i++) {
        for (size_t k = 0; k < COUNT_OF(pieces); k++) {
            ask(&run, streams[i].ask);
            const char *want = expected(streams[i].out);
            const char *out =
                run_reply(&run, 200, "text/event-stream", quotes(streams[i].in), pieces[k]);
            cr_expect_str_eq(out, want, "%s (%zu):\n got %s\nwant %s", streams[i].name, pieces[k],
                             out, want);
            run_end(&run);
        }
    }
}

#define MESSAGE(message, finish)                                                                   \
    "{'id':'r1','object':'chat.completion','created':1700000000,'model':'gemini-x','choices':[{"   \
    "'index':0,'message':{'role':'assistant'," message                                             \
    "},'logprobs':null,'finish_reason':'" finish "'}]"
#define ANSWER(data) "{" data ",'modelVersion':'gemini-x','responseId':'r1'}"

static const struct {
    const char *name, *ask, *in, *out;
} wholes[] = {
    {"BUG thoughts were not counted as output", WHOLE, ANSWER(LAST("STOP", TEXT("a")) USAGE),
     MESSAGE("'content':'a','refusal':null", "stop") ",'usage':" USAGE_OUT "}"},
    {"parts are joined without anything between them", WHOLE,
     ANSWER(LAST("STOP", TEXT("a") "," TEXT("b"))),
     MESSAGE("'content':'ab','refusal':null", "stop") "}"},
    {"calls, text and signatures", WHOLE,
     ANSWER(
         LAST("STOP",
              THOUGHT("t") "," TEXT(
                  "a") ",{'functionCall':{'id':'x','name':'f','args':{}},'thoughtSignature':'S'}")),
     MESSAGE("'content':'a','refusal':null,'reasoning_content':'t','tool_calls':[{'id':'x','type':'"
             "function','function':"
             "{'name':'f','arguments':'{}'},'extra_content':{'google':{'thought_signature':'S'}}}]",
             "tool_calls") "}"},
    {"a call alone has no content", WHOLE, ANSWER(LAST("STOP", CALL("f", ""))),
     MESSAGE("'content':null,'refusal':null,'tool_calls':[{'id':'call_sluice_req-1_0','type':'"
             "function','function':{'name':"
             "'f','arguments':'{\\'q\\':1}'}}]",
             "tool_calls") "}"},
    {"signed thoughts", WHOLE,
     ANSWER(LAST("STOP", "{'text':'t','thought':true,'thoughtSignature':'S'}," TEXT("a"))),
     MESSAGE("'content':'a','refusal':null,'reasoning_content':'t','reasoning_details':[{'type':'"
             "reasoning.text','text':'t',"
             "'signature':'S','format':'google-gemini-v1','index':0}]",
             "stop") "}"},
    {"pictures beside words", WHOLE,
     ANSWER(LAST("STOP", TEXT("see") ",{'inlineData':{'mimeType':'image/png','data':'AAAA'}}")),
     MESSAGE("'content':'see','refusal':null,'images':[{'type':'image_url','image_url':{'url':'"
             "data:image/png;base64,AAAA'}}]",
             "stop") "}"},
    {"a blocked prompt", WHOLE,
     ANSWER("'promptFeedback':{'blockReason':'PROHIBITED_CONTENT','blockReasonMessage':'no'}"),
     MESSAGE("'content':null,'refusal':'no'", "content_filter") "}"},
};

Test(back_gemini_reply, whole_answers)
{
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(wholes); i++) {
        ask(&run, wholes[i].ask);
        const char *want = quotes(wholes[i].out);
        const char *out = run_reply(&run, 200, "application/json", quotes(wholes[i].in), 100);
        cr_expect_str_eq(out, want, "%s:\n got %s\nwant %s", wholes[i].name, out, want);
        run_end(&run);
    }
}

Test(back_gemini_reply, usage_is_the_same_for_caller_and_ledger)
{
    static struct dialect_run run;
    ask(&run, STREAM_USAGE);
    const char *out =
        run_reply(&run, 200, "text/event-stream",
                  quotes(EV(PARTS(TEXT("a")) ",'usageMetadata':{'promptTokenCount':10}")
                             EV(LAST("STOP", TEXT("b")) USAGE)),
                  7);
    cr_expect(strstr(out, quotes("'choices':[],'usage':" USAGE_OUT)) != NULL, "%s", out);
    cr_expect_eq(run.call.usage.input_tokens, 12);
    cr_expect_eq(run.call.usage.output_tokens, 9);
    cr_expect_eq(run.call.usage.cached_tokens, 3);
    cr_expect_eq(run.call.usage.reasoning_tokens, 5);
    cr_expect_eq(run.call.usage.audio_input_tokens, 7);
    run_end(&run);
}

Test(back_gemini_reply, a_broken_stream_has_the_usage_so_far)
{
    static struct dialect_run run;
    ask(&run, STREAM);
    const char *out =
        run_reply(&run, 200, "text/event-stream",
                  quotes(EV(PARTS(TEXT("a")) ",'usageMetadata':{'promptTokenCount':10}")), 100);
    cr_expect(strstr(out, "[DONE]") == NULL, "%s", out);
    cr_expect(strstr(out, "<upstream_broken>") != NULL, "%s", out);
    cr_expect(run.call.has_usage && run.call.usage.input_tokens == 10);
    cr_expect_not(dialect_usage_is_whole(&run.call), "charged as reserved");
    run_end(&run);
}

static const struct {
    const char *word, *finish;
} endings[] = {
    {"STOP", "stop"},
    {"MAX_TOKENS", "length"},
    {"SAFETY", "content_filter"},
    {"RECITATION", "content_filter"},
    {"LANGUAGE", "content_filter"},
    {"BLOCKLIST", "content_filter"},
    {"PROHIBITED_CONTENT", "content_filter"},
    {"SPII", "content_filter"},
    {"IMAGE_SAFETY", "content_filter"},
    {"IMAGE_PROHIBITED_CONTENT", "content_filter"},
    {"IMAGE_RECITATION", "content_filter"},
    {"MODEL_ARMOR", "content_filter"},
    {"CONTINUATION", "length"},
    {"OTHER", NULL},
    {"MALFORMED_FUNCTION_CALL", NULL},
    {"UNEXPECTED_TOOL_CALL", NULL},
    {"TOO_MANY_TOOL_CALLS", NULL},
    {"NO_IMAGE", NULL},
    {"IMAGE_OTHER", NULL},
    {"SOMETHING_NEW", NULL},
};

Test(back_gemini_reply, every_ending)
{
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        char answer[500], want[100];
        snprintf(answer, sizeof answer,
                 "{'candidates':[{'content':{'parts':[{'text':'a'}]},'finishReason':'%s'}]}",
                 endings[i].word);
        ask(&run, WHOLE);
        const char *out = run_reply(&run, 200, "application/json", quotes(answer), 100);
        snprintf(want, sizeof want, "\"finish_reason\":\"%s\"",
                 endings[i].finish == NULL ? "" : endings[i].finish);
        if (endings[i].finish != NULL)
            cr_expect(strstr(out, want) != NULL, "%s: %s", endings[i].word, out);
        else
            cr_expect(run.call.state == DIALECT_FAILED && run.call.error.http == 502 &&
                          strstr(out, endings[i].word) != NULL,
                      "%s: %s", endings[i].word, out);
        run_end(&run);
    }
}

static const struct {
    int http;
    const char *body, *message, *type, *code;
} errors[] = {
    {400,
     "{'error':{'code':400,'message':'API key not "
     "valid.','status':'INVALID_ARGUMENT','details':[{'@type':"
     "'type.googleapis.com/google.rpc.ErrorInfo','reason':'API_KEY_INVALID'}]}}",
     "API key not valid.", "INVALID_ARGUMENT", "API_KEY_INVALID"},
    {429, "[{'error':{'code':429,'message':'Quota','status':'RESOURCE_EXHAUSTED'}}]", "Quota",
     "RESOURCE_EXHAUSTED", "RESOURCE_EXHAUSTED"},
    {502, "<html>bad gateway</html>", "Provider @prod answered with HTTP 502.", "", ""},
    {500, "[]", "Provider @prod answered with HTTP 500.", "", ""},
    {403, "{'error':'text'}", "Provider @prod answered with HTTP 403.", "", ""},
};

Test(back_gemini_reply, errors_keep_status_and_words_one_element_arrays_too)
{
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        ask(&run, STREAM);
        run_reply(&run, errors[i].http, "application/json", quotes(errors[i].body), 10);
        cr_assert_eq(run.call.state, DIALECT_FAILED);
        cr_expect_eq(run.call.error.http, errors[i].http);
        cr_expect(str_eq(run.call.error.message, str_c(errors[i].message)), "%zu: %.*s", i,
                  STR_ARG(run.call.error.message));
        cr_expect(str_eq(run.call.error.type, str_c(errors[i].type)));
        cr_expect(str_eq(run.call.error.code, str_c(errors[i].code)));
        run_end(&run);
    }
}

static const char *const broken[] = {
    "{'candidates':[{'content':{'parts':[1]}}]}",
    "{'candidates':[{'content':{'parts':[{'functionCall':{'args':{}}}]}}]}",
    "{'candidates':[{'content':{'parts':[{'text':'a'}]},'index':99,'finishReason':'STOP'}]}",
    "{'candidates':[{'content':{'parts':[{'inlineData':{'mimeType':'image/png'}}]}}]}",
    "{'candidates':[]}",
    "{}",
    "[]",
    "no",
};

Test(back_gemini_reply, what_is_no_answer_is_told_as_broken)
{
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        ask(&run, WHOLE);
        const char *out = run_reply(&run, 200, "application/json", quotes(broken[i]), 100);
        cr_expect_str_eq(out, "<upstream_broken>", "%s: %s", broken[i], out);
        run_end(&run);
    }
}

Test(back_gemini_reply, compliance_off_adds_the_providers_own)
{
    static struct dialect_run run;
    ask(&run, WHOLE);
    run.call.extras = true;
    const char *out = run_reply(
        &run, 200, "application/json",
        quotes(
            ANSWER(LAST("STOP", "{'executableCode':{'language':'PYTHON','code':'1'}}," TEXT("a")))),
        100);
    cr_expect(strstr(out, quotes("'content_blocks':[{'executableCode':{'language':'PYTHON','code':'"
                                 "1'}},{'type':'text',"
                                 "'text':'a'}]")) != NULL,
              "%s", out);
    cr_expect(strstr(out, quotes("'finish_reason':'STOP'")) != NULL, "%s", out);
    run_end(&run);
}
