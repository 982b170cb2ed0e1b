/* Cohere's v2 API: OpenAI's and Anthropic's requests in, Cohere's body out; its answers in, the
 * caller's out, whole and streamed, at every size of piece. ' stands for " in all of them. */
#include "tests/unit/data-plane/dialect/simple_rows.h"

#define USER(text)          "{'role':'user','content':'" text "'}"
#define HI                  "'messages':[" USER("hi") "]"
#define TEXT(text)          "{'type':'text','text':'" text "'}"
#define TURN(who, ...)      "{'role':'" who "','content':[" __VA_ARGS__ "]}"
#define HI_OUT              TURN("user", TEXT("hi"))
#define OUT(messages, more) "{'model':'command-a-03-2025','messages':[" messages "]" more "}"
#define THINKER             "command-a-reasoning-08-2025"
#define THINKS_OUT(more)    "{'model':'" THINKER "','messages':[" HI_OUT "]" more "}"
#define SCHEMA              "{'type':'object','properties':{'q':{'type':'string'}},'required':['q']}"
#define TOOL(more)                                                                                 \
    "{'type':'function','function':{'name':'f','description':'d','parameters':" SCHEMA more "}}"
#define OTHER    "{'type':'function','function':{'name':'g'}}"
#define TOOL_OUT TOOL("")
#define OTHER_OUT                                                                                  \
    "{'type':'function','function':{'name':'g','parameters':{'type':'object','properties':{}}}}"
#define CALL(id)                                                                                   \
    "{'id':'" id "','type':'function','function':{'name':'f','arguments':'{\\'q\\':1}'}}"

static const struct {
    const char *name, *model, *capabilities, *in, *out, *dropped;
} rows[] =
    {
        {"words pass as they stand", "command-a-03-2025", "",
         "{'messages':[{'role':'developer','content':'s'}," USER("\\u0000 \xC3\xA9") "]}",
         OUT(TURN("system", TEXT("s")) "," TURN("user", TEXT("\\u0000 \xC3\xA9")), ""), ""},
        {"parameters have Cohere's names", "command-a-03-2025", "",
         "{" HI
         ",'max_completion_tokens':9,'temperature':0.5,'top_p':0.9,'top_k':5,'seed':7,'stop':'E',"
         "'presence_penalty':0.1,'frequency_penalty':0.2,'logprobs':true}",
         OUT(HI_OUT,
             ",'p':0.9,'stop_sequences':['E'],'max_tokens':9,'temperature':0.5,'k':5,'seed':7,"
             "'presence_penalty':0.1,'frequency_penalty':0.2,'logprobs':true"),
         ""},
        {"plain values ask for nothing", "command-a-03-2025", "",
         "{" HI
         ",'n':1,'top_p':1,'tools':[],'modalities':['text'],'response_format':{'type':'text'},"
         "'parallel_tool_calls':true,'store':false}",
         OUT(HI_OUT, ""), ""},
        {"what cannot be honoured is listed", "command-a-03-2025", "",
         "{" HI ",'logit_bias':{'1':2},'user':'u','verbosity':'low','nonsense':1}", OUT(HI_OUT, ""),
         "logit_bias, verbosity, user, nonsense"},
        {"n is refused", "command-a-03-2025", "", "{" HI ",'n':2}",
         "400: n: provider @prod (cohere) cannot honour it. It gives one answer to a request: send "
         "n "
         "requests.",
         ""},
        {"Cohere's own members pass", "command-a-03-2025", "",
         "{" HI ",'documents':['d'],'safety_mode':'OFF','citation_options':{'mode':'FAST'}}",
         OUT(HI_OUT, ",'documents':['d'],'safety_mode':'OFF','citation_options':{'mode':'FAST'}"),
         ""},
        {"BUG tool_calls and tool_call_id were dropped, so tool loops failed", "command-a-03-2025",
         "",
         "{'messages':[" USER("hi") ",{'role':'assistant','content':'plan','tool_calls':[" CALL(
             "a") "," CALL("b") "]},"
                                "{'role':'tool','tool_call_id':'a','content':'1'},"
                                "{'role':'tool','tool_call_id':'b','content':'2'}," USER(
                                    "so?") "],"
                                           "'tools':[" TOOL("") "]}",
         OUT(HI_OUT ",{'role':'assistant','tool_plan':'plan','tool_calls':[" CALL(
                 "a") "," CALL("b") "]},"
                                    "{'role':'tool','tool_call_id':'a','content':[" TEXT(
                                        "1") "]},{'role':'tool','tool_call_id':'b','content':"
                                             "[" TEXT("2") "]}," TURN("user", TEXT("so?")),
             ",'tools':[" TOOL_OUT "]"),
         ""},
        {"choices of tools", "command-a-03-2025", "",
         "{" HI ",'tools':[" TOOL("") "," OTHER "],'tool_choice':'required'}",
         OUT(HI_OUT, ",'tools':[" TOOL_OUT "," OTHER_OUT "],'tool_choice':'REQUIRED'"), ""},
        {"no tool", "command-a-03-2025", "", "{" HI ",'tools':[" OTHER "],'tool_choice':'none'}",
         OUT(HI_OUT, ",'tools':[" OTHER_OUT "],'tool_choice':'NONE'"), ""},
        {"a named tool is the only one", "command-a-03-2025", "",
         "{" HI ",'tools':[" TOOL(
             "") "," OTHER "],'tool_choice':{'type':'function','function':{'name':'g'}}}",
         OUT(HI_OUT, ",'tools':[" OTHER_OUT "],'tool_choice':'REQUIRED'"), ""},
        {"strict tools", "command-a-03-2025", "", "{" HI ",'tools':[" TOOL(",'strict':true") "]}",
         OUT(HI_OUT, ",'tools':[" TOOL_OUT "],'strict_tools':true"), ""},
        {"strict is for all tools or none", "command-a-03-2025", "",
         "{" HI ",'tools':[" TOOL(",'strict':true") "," OTHER "]}",
         OUT(HI_OUT, ",'tools':[" TOOL_OUT "," OTHER_OUT "]"), "tools.strict"},
        {"a schema", "command-a-03-2025", "",
         "{" HI ",'response_format':{'type':'json_schema','json_schema':{'name':'x','strict':true,"
         "'schema':" SCHEMA "}}}",
         OUT(HI_OUT, ",'response_format':{'type':'json_object','json_schema':" SCHEMA "}"), ""},
        {"JSON", "command-a-03-2025", "", "{" HI ",'response_format':{'type':'json_object'}}",
         OUT(HI_OUT, ",'response_format':{'type':'json_object'}"), ""},
        {"JSON beside tools is refused", "command-a-03-2025", "",
         "{" HI ",'tools':[" OTHER "],'response_format':{'type':'json_object'}}",
         "400: response_format: provider @prod (cohere) does not take it beside tools. Send one of "
         "the "
         "two.",
         ""},
        {"pictures", "command-a-03-2025", "",
         "{'messages':[{'role':'user','content':[{'type':'image_url','image_url':{'url':"
         "'data:image/png;base64,AAAA','detail':'low'}},{'type':'image_url','image_url':{'url':"
         "'https://a/b.png'}}]}]}",
         OUT(TURN("user", "{'type':'image_url','image_url':{'url':'data:image/"
                          "png;base64,AAAA','detail':'low'}},"
                          "{'type':'image_url','image_url':{'url':'https://a/b.png'}}"),
             ""),
         ""},
        {"a text document is its words", "command-a-03-2025", "",
         "{'messages':[{'role':'user','content':[{'type':'file','file':{'filename':'n','file_data':"
         "'data:text/plain;base64,aGV5'}}]}]}",
         OUT(TURN("user", TEXT("n\\n\\nhey")), ""), ""},
        {"a PDF is refused", "command-a-03-2025", "",
         "{'messages':[{'role':'user','content':[{'type':'file','file':{'filename':'n','file_data':"
         "'data:application/pdf;base64,AAAA'}}]}]}",
         "400: messages[0].content[0]: provider @prod (cohere) does not take parts of this type "
         "here. "
         "Send text, image_url or file (plain text) parts.",
         ""},
        {"an effort", THINKER, "reasoning\n", "{" HI ",'reasoning_effort':'low'}",
         THINKS_OUT(",'thinking':{'type':'enabled','token_budget':1024}"), ""},
        {"a high effort has no budget", THINKER, "reasoning\n",
         "{" HI ",'reasoning_effort':'high'}", THINKS_OUT(",'thinking':{'type':'enabled'}"), ""},
        {"what had to be lowered is listed", THINKER, "", "{" HI ",'reasoning_effort':'xhigh'}",
         THINKS_OUT(",'thinking':{'type':'enabled'}"), "reasoning_effort"},
        {"no effort", THINKER, "reasoning\n", "{" HI ",'reasoning_effort':'none'}",
         THINKS_OUT(",'thinking':{'type':'disabled'}"), ""},
        {"models that do not think", "command-a-03-2025", "function_calling\n",
         "{" HI ",'reasoning_effort':'low'}", OUT(HI_OUT, ""), "reasoning_effort"},
        {"the caller's own thinking comes first", THINKER, "reasoning\n",
         "{" HI ",'reasoning_effort':'low','thinking':{'type':'disabled'}}",
         THINKS_OUT(",'thinking':{'type':'disabled'}"), "reasoning_effort"},
        {"thinking goes back in front of its calls", "command-a-03-2025", "",
         "{'messages':[" USER("hi") ",{'role':'assistant','reasoning_content':'mm','tool_calls':"
                                    "[" CALL("a") "]},{'role':'tool','tool_call_id':'a','content':'"
                                                  "1'}],'tools':[" TOOL("") "]}",
         OUT(HI_OUT
             ",{'role':'assistant','content':[{'type':'thinking','thinking':'mm'}],'tool_calls':"
             "[" CALL("a") "]},{'role':'tool','tool_call_id':'a','content':[" TEXT("1") "]}",
             ",'tools':[" TOOL_OUT "]"),
         ""},
        {"an assistant who said nothing is no turn", "command-a-03-2025", "",
         "{'messages':[" USER("hi") ",{'role':'assistant','content':''}," USER("ho") "]}",
         OUT(HI_OUT "," TURN("user", TEXT("ho")), ""), ""},
};

Test(back_cohere, requests)
{
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *want = simple_text(rows[i].out);
        run_begin(&run, OP_CHAT, CAT_DIALECT_COHERE, rows[i].model);
        run.target.service = STR("cohere");
        run.target.capabilities = str_c(rows[i].capabilities);
        const char *out = run_request(&run, quotes(rows[i].in));
        cr_expect_str_eq(out, want, "%s:\n got %s\nwant %s", rows[i].name, out, want);
        cr_expect_str_eq(run.call.dropped, rows[i].dropped, "%s: dropped \"%s\"", rows[i].name,
                         run.call.dropped);
        run_end(&run);
    }
}

Test(back_cohere, a_messages_caller_thinks_by_budget_and_signed_thinking_is_dropped)
{
    static struct dialect_run run;
    const char *want =
        quotes("{'model':'" THINKER
               "','messages':[" TURN("user", TEXT("hi")) "," TURN("assistant", TEXT("yo")) "," TURN(
                   "user", TEXT("ho")) "],'thinking':{'type':'enabled',"
                                       "'token_budget':2048},'max_tokens':4096}");
    run_begin(&run, OP_MESSAGES, CAT_DIALECT_COHERE, THINKER);
    run.target.service = STR("cohere");
    const char *out = run_request(
        &run, quotes("{'max_tokens':4096,'thinking':{'type':'enabled','budget_tokens':2048},"
                     "'messages':[" USER("hi") ",{'role':'assistant','content':[{'type':'thinking',"
                                               "'thinking':'mm','signature':'abc'}," TEXT(
                                                   "yo") "]}," USER("ho") "]}"));
    cr_expect_str_eq(out, want, "got %s", out);
    cr_expect_str_eq(run.call.dropped, "messages.thinking", "%s", run.call.dropped);
    run_end(&run);
}

Test(back_cohere, every_parameter_has_a_rule)
{
    const struct back *back = dialect_back(CAT_DIALECT_COHERE);
    cr_expect_eq(params_check(back->params), CHAT_PARAM_COUNT);
    for (size_t i = 0; i < back->simple_count; i++)
        cr_expect_null(simple_check(back->simple[i].op, back->simple[i].rules));
}

/* --- answers */

#define EV(type, more) "event: " type "\ndata: {'type':'" type "'" more "}\n\n"
#define MESSAGE(more)  ",'delta':{'message':{" more "}}"
#define START          EV("message-start", ",'id':'m1'" MESSAGE("'role':'assistant'"))
#define WORDS(n, text) EV("content-delta", ",'index':" #n MESSAGE("'content':{'text':'" text "'}"))
#define THOUGHT(n, text)                                                                           \
    EV("content-delta", ",'index':" #n MESSAGE("'content':{'thinking':'" text "'}"))
#define OPEN(n, kind)                                                                              \
    EV("content-start", ",'index':" #n MESSAGE("'content':{'type':'" kind "','" kind "':''}"))
#define CLOSE(n) EV("content-end", ",'index':" #n)
#define CALL_START(n, id)                                                                          \
    EV("tool-call-start",                                                                          \
       ",'index':" #n MESSAGE("'tool_calls':{'id':'" id                                            \
                              "','type':'function','function':{'name':'f','arguments':''}}"))
#define CALL_MORE(n)                                                                               \
    EV("tool-call-delta",                                                                          \
       ",'index':" #n MESSAGE("'tool_calls':{'function':{'arguments':'{\\'q\\':1}'}}"))
#define CALL_END(n) EV("tool-call-end", ",'index':" #n)
#define USAGE                                                                                      \
    "'usage':{'billed_units':{'input_tokens':10,'output_tokens':4.0},'tokens':{'input_tokens':70," \
    "'output_tokens':9},'cached_tokens':3}"
#define END(word) EV("message-end", ",'id':'m1','delta':{'finish_reason':'" word "'," USAGE "}")

#define CHUNK(delta, finish)                                                                       \
    "data: {'id':'m1','object':'chat.completion.chunk','created':1700000000,'model':"              \
    "'command-a-03-2025','choices':[{'index':0,'delta':" delta ",'finish_reason':" finish          \
    "}]}\n\n"
#define SAID(delta)    CHUNK(delta, "null")
#define ROLE           SAID("{'role':'assistant','content':''}")
#define FINISHED(word) CHUNK("{}", "'" word "'")
#define DONE           "data: [DONE]\n\n"
#define USAGE_OUT                                                                                  \
    "{'prompt_tokens':10,'completion_tokens':4,'total_tokens':14,'prompt_tokens_details':"         \
    "{'cached_tokens':3,'cache_write_tokens':0"

#define STREAM "{" HI ",'stream':true}"

static const struct {
    const char *name, *in, *out;
} streams[] = {
    {"words", START OPEN(0, "text") WORDS(0, "He\\'l") WORDS(0, "lo") CLOSE(0) END("COMPLETE"),
     ROLE SAID("{'content':'He\\'l'}") SAID("{'content':'lo'}") FINISHED("stop") DONE},
    {"the end is told as such", START WORDS(0, "a") END("MAX_TOKENS"),
     ROLE SAID("{'content':'a'}") FINISHED("length") DONE},
    {"a plan and calls",
     START EV("tool-plan-delta", MESSAGE("'tool_plan':'I will'")) CALL_START(0, "c0") CALL_MORE(0)
         CALL_END(0) CALL_START(1, "c1") CALL_END(1) END("TOOL_CALL"),
     ROLE SAID("{'content':'I will'}") SAID(
         "{'tool_calls':[{'index':0,'id':'c0','type':'function','function':{'name':'f',"
         "'arguments':''}}]}")
         SAID("{'tool_calls':[{'index':0,'function':{'arguments':'{\\'q\\':1}'}}]}")
             SAID("{'tool_calls':[{'index':1,'id':'c1','type':'function','function':{'name':'f',"
                  "'arguments':''}}]}")
                 SAID("{'tool_calls':[{'index':1,'function':{'arguments':'{}'}}]}")
                     FINISHED("tool_calls") DONE},
    {"a thought",
     START OPEN(0, "thinking") THOUGHT(0, "mm") CLOSE(0) OPEN(1, "text") WORDS(1, "a") CLOSE(1)
         END("COMPLETE"),
     ROLE SAID("{'reasoning_content':'mm'}") SAID("{'content':'a'}") FINISHED("stop") DONE},
};

Test(back_cohere, streams)
{
    static struct dialect_run run;
    static const size_t pieces[] = {1, 2, 7, 65536};
    for (size_t i = 0; i < COUNT_OF(streams); i++) {
        for (size_t p = 0; p < COUNT_OF(pieces); p++) {
            run_begin(&run, OP_CHAT, CAT_DIALECT_COHERE, "command-a-03-2025");
            cr_assert_eq(run_request(&run, run_quotes(&run, STREAM))[0], '{');
            const char *out = run_reply(&run, 200, "text/event-stream",
                                        run_quotes(&run, streams[i].in), pieces[p]);
            const char *want = run_quotes(&run, streams[i].out);
            cr_expect_str_eq(out, want, "%s:\n got %s\nwant %s", streams[i].name, out, want);
            cr_expect_eq(run.call.usage.input_tokens, 10);
            cr_expect_eq(run.call.usage.output_tokens, 4);
            cr_expect_eq(run.call.usage.cached_tokens, 3);
            run_end(&run);
        }
    }
}

static void expect_reply(const char *ask, int http, const char *type, const char *in,
                         const char *part)
{
    static struct dialect_run run;
    run_begin(&run, OP_CHAT, CAT_DIALECT_COHERE, "command-a-03-2025");
    cr_assert_eq(run_request(&run, run_quotes(&run, ask))[0], '{');
    const char *out = run_reply(&run, http, type, run_quotes(&run, in), 7);
    cr_expect_not_null(strstr(out, run_quotes(&run, part)), "%s has no %s", out, part);
    run_end(&run);
}

Test(back_cohere, whole_answers)
{
    static const char *const json = "application/json";
    expect_reply("{" HI "}", 200, json,
                 "{'id':'m1','finish_reason':'COMPLETE','message':{'role':'assistant','content':["
                 "{'type':'thinking','thinking':'mm'},{'type':'text','text':'yo'}]}," USAGE "}",
                 "'message':{'role':'assistant','content':'yo','refusal':null,"
                 "'reasoning_content':'mm'");
    expect_reply(
        "{" HI "}", 200, json,
        "{'id':'m1','finish_reason':'TOOL_CALL','message':{'tool_plan':'p','tool_calls':[" CALL(
            "c") "]}," USAGE "}",
        "'tool_calls':[" CALL("c") "]");
    expect_reply(
        "{" HI "}", 200, json,
        "{'id':'m1','finish_reason':'COMPLETE','message':{'content':[{'type':'text','text':"
        "'yo'}]}," USAGE "}",
        "'usage':" USAGE_OUT);
    expect_reply(
        "{" HI ",'logprobs':true}", 200, json,
        "{'id':'m1','finish_reason':'COMPLETE','message':{'content':[{'type':'text','text':"
        "'yo'}]},'logprobs':[{'text':'yo','token_ids':[1,2],'logprobs':[-0.5,-1]}]}",
        "[{'token':'yo','logprob':-0.5,'bytes':null,'top_logprobs':[]},{'token':'',"
        "'logprob':-1,'bytes':null,'top_logprobs':[]}]");
    expect_reply(
        "{" HI "}", 200, json,
        "{'id':'m1','finish_reason':'COMPLETE','message':{'content':[{'type':'text','text':"
        "'yo'}],'citations':[{'start':0,'end':1,'text':'y','sources':[{'type':'document',"
        "'id':'d','document':{'url':'https://a','title':'t'}}],'type':'TEXT_CONTENT'}]}}",
        "'url_citation':{'start_index':0,'end_index':1,'url':'https://a','title':'t'}");
}

Test(back_cohere, errors)
{
    expect_reply("{" HI "}", 429, "application/json", "{'id':'x','message':'slow down'}",
                 "'message':'slow down'");
    expect_reply("{" HI "}", 200, "application/json",
                 "{'id':'m1','finish_reason':'TIMEOUT','message':{'content':[{'type':'text','text':"
                 "'yo'}]}}",
                 "Provider @prod gave up inside its answer (TIMEOUT).");
    expect_reply(STREAM, 200, "text/event-stream",
                 START EV("message-end", ",'delta':{'error':'it broke','finish_reason':'ERROR'}"),
                 "'message':'it broke'");
    expect_reply(STREAM, 200, "text/event-stream", START WORDS(0, "a"), "<");
}

/* --- embeddings and reranking */

static const struct simple_row asks[] = {
    {"embeddings", OP_EMBEDDINGS, "embed-v4.0", "{'input':['a','b'],'dimensions':256,'user':'u'}",
     "{'model':'embed-v4.0','texts':['a','b'],'input_type':'search_document','embedding_types':["
     "'float'],'output_dimension':256}",
     "user"},
    {"what for", OP_EMBEDDINGS, "embed-v4.0",
     "{'input':'a','input_type':'search_query','truncate':'END'}",
     "{'model':'embed-v4.0','texts':['a'],'input_type':'search_query','embedding_types':['float'],"
     "'truncate':'END'}",
     ""},
    {"pictures", OP_EMBEDDINGS, "embed-v4.0", "{'input':[{'image':'data:image/png;base64,AAAA'}]}",
     "{'model':'embed-v4.0','images':['data:image/png;base64,AAAA'],'input_type':'image',"
     "'embedding_types':['float']}",
     ""},
    {"token numbers are refused", OP_EMBEDDINGS, "embed-v4.0", "{'input':[[1,2]]}",
     "400: input[0]: provider @prod (cohere) does not take token numbers. Send strings (LangChain: "
     "OpenAIEmbeddings(check_embedding_ctx_length=False)).",
     ""},
    {"rerank", OP_RERANK, "rerank-v3.5",
     "{'query':'q','documents':['a',{'text':'b'}],'top_n':1,'max_tokens_per_doc':9,'rank_fields':["
     "'text']}",
     "{'model':'rerank-v3.5','query':'q','documents':['a','b'],'top_n':1,'max_tokens_per_doc':9}",
     "rank_fields"},
};

static const struct simple_reply_row replies[] = {
    {"embeddings", OP_EMBEDDINGS, "embed-v4.0", "{'input':['a','b']}",
     "{'id':'e1','embeddings':{'float':[[0.5,1],[2,3]]},'texts':['a','b'],'meta':{'billed_units':{"
     "'input_tokens':4}}}",
     "{'object':'list','data':[{'object':'embedding','index':0,'embedding':[0.5,1]},{'object':"
     "'embedding','index':1,'embedding':[2,3]}],'model':'embed-v4.0','usage':{'prompt_tokens':4,"
     "'total_tokens':4}}"},
    {"rerank", OP_RERANK, "rerank-v3.5",
     "{'query':'q','documents':['a','b'],'return_documents':true}",
     "{'results':[{'index':1,'relevance_score':0.9},{'index':0,'relevance_score':1e-5}],'id':'r1',"
     "'meta':{'api_version':{'version':'2'},'billed_units':{'search_units':1}}}",
     "{'id':'r1','object':'list','model':'rerank-v3.5','results':[{'index':1,'relevance_score':0.9,"
     "'document':{'text':'b'}},{'index':0,'relevance_score':1e-5,'document':{'text':'a'}}],'meta':{"
     "'billed_units':{'search_units':1}}}"},
};

Test(back_cohere, simple_operations)
{
    simple_rows_run(asks, COUNT_OF(asks), CAT_DIALECT_COHERE, "cohere");
    simple_replies_run(replies, COUNT_OF(replies), CAT_DIALECT_COHERE, "cohere");
}

Test(back_cohere, vectors_that_are_not_one_for_each_input_are_no_answer)
{
    static struct dialect_run run;
    run_begin(&run, OP_EMBEDDINGS, CAT_DIALECT_COHERE, "embed-v4.0");
    cr_assert_eq(run_request(&run, run_quotes(&run, "{'input':['a','b']}"))[0], '{');
    const char *out = run_reply(&run, 200, "application/json",
                                run_quotes(&run, "{'embeddings':{'float':[[1]]}}"), 7);
    cr_expect_str_eq(out, "<upstream_broken>", "%s", out);
    run_end(&run);
}
