/* Requests to services of OpenAI's dialect: a Messages request in, the body out, and what is listed
 * as dropped. Each row is named for what broke elsewhere or what it holds. ' stands for ". */
#include "tests/unit/data-plane/dialect/dialect_run.h"

#include "data-plane/dialect/back_openai.h"

#define HI      "'messages':[{'role':'user','content':'hi'}]"
#define HEAD    "{'model':'M'," HI
#define IN      "{'max_tokens':9," HI
#define MAX     ",'max_completion_tokens':9"
#define TALK(m) "{'max_tokens':9,'messages':[" m "]}"
#define SAID(m) "{'model':'M','messages':[" m "]" MAX "}"
#define SCHEMA                                                                                     \
    "{'type':'object','properties':{'a':{'type':'string'}},'required':['a'],"                      \
    "'additionalProperties':false}"
#define LOOSE    "{'type':'object','properties':{'a':{'type':'string'}}}"
#define TOOL     "{'name':'f','input_schema':" LOOSE "}"
#define FUNCTION "{'type':'function','function':{'name':'f','parameters':" LOOSE "}}"
#define L50      "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"

static const struct {
    const char *name, *service, *in, *out, *dropped;
} rows[] = {
    {"OpenAI's newer name of max_tokens", "openai", IN "}", HEAD MAX "}", ""},
    {"others have the old one", "groq", IN "}", HEAD ",'max_tokens':9}", ""},
    {"a stream always asks for usage", "openai", IN ",'stream':true}",
     "{'model':'M','stream':true,'stream_options':{'include_usage':true}," HI MAX "}", ""},
    {"system goes in front, several blocks as one string", "openai",
     "{'max_tokens':9,'system':[{'type':'text','text':'a','cache_control':{'type':'ephemeral'}},"
     "{'type':'text','text':'b'}]," HI "}",
     "{'model':'M','messages':[{'role':'system','content':'a\\n\\nb'},{'role':'user','content':'hi'"
     "}"
     "]" MAX "}",
     "messages.cache_control"},
    {"a service that takes cache marks gets them", "openrouter",
     "{'max_tokens':9,'system':[{'type':'text','text':'a','cache_control':{'type':'ephemeral'}},"
     "{'type':'text','text':'b'}]," HI "}",
     "{'model':'M','messages':[{'role':'system','content':[{'type':'text','text':'a',"
     "'cache_control':{'type':'ephemeral'}},{'type':'text','text':'b'}]},{'role':'user','content':"
     "'hi'}],'max_tokens':9}",
     ""},
    {"system among messages stays where it stands", "openai",
     TALK("{'role':'user','content':'a'},{'role':'system','content':'b'}"),
     SAID("{'role':'user','content':'a'},{'role':'system','content':'b'}"), ""},
    {"or goes in front where a service wants it there", "groq",
     TALK("{'role':'user','content':'a'},{'role':'system','content':'b'}"),
     "{'model':'M','messages':[{'role':'system','content':'b'},{'role':'user','content':'a'}],"
     "'max_tokens':9}",
     ""},
    {"images by data and by URL", "openai",
     TALK(
         "{'role':'user','content':[{'type':'text','text':'see'},{'type':'image','source':{'type':"
         "'base64','media_type':'image/png','data':'AAAA'}},{'type':'image','source':{'type':'url',"
         "'url':'https://x/y.png'}}]}"),
     SAID("{'role':'user','content':[{'type':'text','text':'see'},{'type':'image_url','image_url':{"
          "'url':'data:image/png;base64,AAAA'}},{'type':'image_url','image_url':{'url':"
          "'https://x/y.png'}}]}"),
     ""},
    {"an image by the id of a file cannot go", "openai",
     TALK("{'role':'user','content':[{'type':'image','source':{'type':'file','file_id':'f'}}]}"),
     "400: messages[0].content[0]: provider @prod (openai) does not take images by the id of a "
     "file. "
     "Send the image's data or its URL.",
     ""},
    {"documents: PDF as a file, text as words", "openai",
     TALK("{'role':'user','content':[{'type':'document','title':'T','source':{'type':'base64',"
          "'media_type':'application/pdf','data':'AAAA'},'citations':{'enabled':true}},"
          "{'type':'document','title':'T','context':'C','source':{'type':'text','media_type':"
          "'text/plain','data':'words'}}]}"),
     SAID("{'role':'user','content':[{'type':'file','file':{'file_data':"
          "'data:application/pdf;base64,AAAA','filename':'T'}},{'type':'text','text':"
          "'T\\n\\nC\\n\\nwords'}]}"),
     "messages.citations"},
    {"a document by URL cannot go", "openai",
     TALK("{'role':'user','content':[{'type':'document','source':{'type':'url','url':'https://x'}}]"
          "}"),
     "400: messages[0].content[0]: provider @prod (openai) does not take documents by URL. Send "
     "the "
     "document's data.",
     ""},
    {"a block that only Claude knows cannot go", "openai",
     TALK("{'role':'user','content':[{'type':'search_result','source':'s','title':'t','content':[]}"
          "]}"),
     "400: messages[0].content[0]: provider @prod (openai) does not take parts of this type. Send "
     "text, image, input_audio or file (PDF or text) parts.",
     ""},
    {"calls and their results, results first", "openai",
     TALK(
         "{'role':'user','content':'a'},{'role':'assistant','content':[{'type':'text','text':'b'},"
         "{'type':'tool_use','id':'t1','name':'f','input':{'q':'x'}},{'type':'tool_use','id':'t2',"
         "'name':'g','input':{}}]},{'role':'user','content':[{'type':'text','text':'c'},{'type':"
         "'tool_result','tool_use_id':'t1','content':'r1'},{'type':'tool_result','tool_use_id':'t2'"
         ",'is_error':true,'content':[{'type':'text','text':'r2'}]}]}"),
     SAID(
         "{'role':'user','content':'a'},{'role':'assistant','content':'b','tool_calls':[{'id':'t1',"
         "'type':'function','function':{'name':'f','arguments':'{\\'q\\':\\'x\\'}'}},{'id':'t2',"
         "'type':'function','function':{'name':'g','arguments':'{}'}}]},{'role':'tool',"
         "'tool_call_id':'t1','content':'r1'},{'role':'tool','tool_call_id':'t2','content':'r2'},"
         "{'role':'user','content':'c'}"),
     "messages.is_error"},
    {"an assistant who only calls says nothing", "openai",
     TALK("{'role':'assistant','content':[{'type':'tool_use','id':'t','name':'f','input':{}}]},"
          "{'role':'user','content':[{'type':'tool_result','tool_use_id':'t'}]}"),
     SAID("{'role':'assistant','content':null,'tool_calls':[{'id':'t','type':'function','function':"
          "{'name':'f','arguments':'{}'}}]},{'role':'tool','tool_call_id':'t','content':''}"),
     ""},
    {"an image in a result follows in the user's message", "openai",
     TALK("{'role':'user','content':[{'type':'tool_result','tool_use_id':'t','content':[{'type':"
          "'image','source':{'type':'base64','media_type':'image/png','data':'AAAA'}}]},{'type':"
          "'text','text':'so?'}]}"),
     SAID("{'role':'tool','tool_call_id':'t','content':'The result is in the next message of the "
          "user.'},{'role':'user','content':[{'type':'image_url','image_url':{'url':"
          "'data:image/png;base64,AAAA'}},{'type':'text','text':'so?'}]}"),
     ""},
    {"earlier thinking is left out", "openai",
     TALK("{'role':'assistant','content':[{'type':'thinking','thinking':'t','signature':'s'},"
          "{'type':'redacted_thinking','data':'d'},{'type':'text','text':'a'}]},{'role':'user',"
          "'content':'b'}"),
     SAID("{'role':'assistant','content':'a'},{'role':'user','content':'b'}"), "messages.thinking"},
    {"or goes back to a service that wants it", "deepseek",
     TALK("{'role':'assistant','content':[{'type':'thinking','thinking':'t','signature':''},"
          "{'type':'text','text':'a'}]},{'role':'user','content':'b'}"),
     "{'model':'M','messages':[{'role':'assistant','content':'a','reasoning_content':'t'},{'role':"
     "'user','content':'b'}],'max_tokens':9}",
     ""},
    {"BUG the signature of a call was lost (litellm 25322)", "openai",
     TALK("{'role':'assistant','content':[{'type':'redacted_thinking','data':"
          "'google-gemini-v1.call.SIG=='},{'type':'tool_use','id':'t','name':'f','input':{}}]},"
          "{'role':'user','content':[{'type':'tool_result','tool_use_id':'t','content':'r'}]}"),
     SAID("{'role':'assistant','content':null,'tool_calls':[{'id':'t','type':'function','function':"
          "{'name':'f','arguments':'{}'},'extra_content':{'google':{'thought_signature':'SIG=='}}}]"
          "},{'role':'tool','tool_call_id':'t','content':'r'}"),
     ""},
    {"tools, a choice, one call at a time", "openai",
     IN ",'tools':[" TOOL "],'tool_choice':{'type':'any','disable_parallel_tool_use':true}}",
     HEAD ",'tools':[" FUNCTION "],'tool_choice':'required','parallel_tool_calls':false" MAX "}",
     ""},
    {"the one tool", "openai", IN ",'tools':[" TOOL "],'tool_choice':{'type':'tool','name':'f'}}",
     HEAD ",'tools':[" FUNCTION "],'tool_choice':{'type':'function','function':{'name':'f'}}" MAX
          "}",
     ""},
    {"no tool", "openai", IN ",'tools':[" TOOL "],'tool_choice':{'type':'none'}}",
     HEAD ",'tools':[" FUNCTION "],'tool_choice':'none'" MAX "}", ""},
    {"a tool of Anthropic's cannot go", "openai",
     IN ",'tools':[" TOOL ",{'type':'web_search_20250305','name':'web_search'}]}",
     "400: tools[1]: provider @prod (openai) does not take tools that another provider runs. "
     "Describe it as a function, or name a model of that provider.",
     ""},
    {"a long name is cut the same way everywhere", "openai",
     "{'max_tokens':9,'messages':[{'role':'assistant','content':[{'type':'tool_use','id':'t','name'"
     ":'" L50 L50 "','input':{}}]}],'tools':[{'name':'" L50 L50
     "','input_schema':{}}],'tool_choice':{'type':'tool','name':'" L50 L50 "'}}",
     "{'model':'M','messages':[{'role':'assistant','content':null,'tool_calls':[{'id':'t','type':"
     "'function','function':{'name':'aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeee_"
     "e539af2f8df1b3b9','arguments':'{}'}}]}],'tools':[{'type':'function','function':{'name':"
     "'aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeee_e539af2f8df1b3b9','parameters':{}}}],"
     "'tool_choice':{'type':'function','function':{'name':"
     "'aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeee_e539af2f8df1b3b9'}}" MAX "}",
     ""},
    {"a schema for the answer is strict", "openai",
     IN ",'output_config':{'format':{'type':'json_schema','schema':" SCHEMA "}}}",
     HEAD
     ",'response_format':{'type':'json_schema','json_schema':{'name':'response','schema':" SCHEMA
     ",'strict':true}}" MAX "}",
     ""},
    {"unless OpenAI would refuse it as strict", "openai",
     IN ",'output_config':{'format':{'type':'json_schema','schema':" LOOSE "}}}",
     HEAD
     ",'response_format':{'type':'json_schema','json_schema':{'name':'response','schema':" LOOSE
     "}}" MAX "}",
     "output_config.format.strict"},
    {"sampling and stops", "openai",
     IN ",'temperature':0.5,'top_p':0.9,'top_k':4,'stop_sequences':['a','b']}",
     HEAD MAX ",'temperature':0.5,'top_p':0.9,'stop':['a','b']}", "top_k"},
    {"top_k where it is known", "together-ai", IN ",'top_k':4}", HEAD ",'max_tokens':9,'top_k':4}",
     ""},
    {"a user, unless he is too long", "openai", IN ",'metadata':{'user_id':'u'}}",
     HEAD MAX ",'user':'u'}", ""},
    {"BUG a user of more than 64 bytes was refused", "openai",
     IN ",'metadata':{'user_id':'" L50 "123456789012345'}}", HEAD MAX "}", "metadata.user_id"},
    {"service_tier in OpenAI's words", "openai", IN ",'service_tier':'standard_only'}",
     HEAD MAX ",'service_tier':'default'}", ""},
    {"others have no tiers", "groq", IN ",'service_tier':'standard_only'}", HEAD ",'max_tokens':9}",
     "service_tier"},
    {"what steers Anthropic only is listed", "openai",
     IN ",'context_management':{'edits':[]},'cache_control':{'type':'ephemeral'},'container':null,"
        "'mcp_servers':[]}",
     HEAD MAX "}", "context_management, cache_control, mcp_servers"},
    {"what would change the answer is refused", "openai",
     IN ",'mcp_servers':[{'type':'url','url':'https://x','name':'x'}]}",
     "400: mcp_servers: provider @prod (openai) cannot honour it. Describe their tools as tools.",
     ""},
};

Test(back_openai, writes_what_services_take)
{
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        run_begin(&run, OP_MESSAGES, CAT_DIALECT_OPENAI, "M");
        run.target.service = str_c(rows[i].service);
        const char *out = run_request(&run, run_quotes(&run, rows[i].in));
        const char *want = run_quotes(&run, rows[i].out);
        if (want[0] == '4')
            want = rows[i].out;
        cr_expect_str_eq(out, want, "%s:\n got %s\nwant %s", rows[i].name, out, want);
        if (want[0] != '4')
            cr_expect_str_eq(run.call.dropped, rows[i].dropped, "%s: dropped %s", rows[i].name,
                             run.call.dropped);
        run_end(&run);
    }
}

/* Efforts by model; "" = no reasoning_effort. */
static const struct {
    const char *model, *capabilities, *in, *effort, *dropped;
} efforts[] = {
    {"o3-mini", "", "'output_config':{'effort':'high'}", "high", ""},
    {"o3-mini", "", "'output_config':{'effort':'max'}", "high", "output_config.effort"},
    {"gpt-5.2", "", "'output_config':{'effort':'xhigh'}", "xhigh", ""},
    {"gpt-5.2", "", "'output_config':{'effort':'max'}", "xhigh", "output_config.effort"},
    {"openai/gpt-5.1", "", "'output_config':{'effort':'xhigh'}", "high", "output_config.effort"},
    {"gpt-5.1-codex-max", "", "'output_config':{'effort':'xhigh'}", "xhigh", ""},
    {"gpt-4o", "", "'output_config':{'effort':'low'}", "", "output_config.effort"},
    {"gpt-5-chat-latest", "", "'output_config':{'effort':'low'}", "", "output_config.effort"},
    {"gpt-5-mini", "", "'thinking':{'type':'enabled','budget_tokens':1024}", "low", ""},
    {"gpt-5-mini", "", "'thinking':{'type':'enabled','budget_tokens':4096}", "medium", ""},
    {"gpt-5-mini", "", "'thinking':{'type':'enabled','budget_tokens':31999}", "high", ""},
    {"gpt-5-mini", "", "'thinking':{'type':'disabled'}", "minimal", "thinking"},
    {"gpt-5.1", "", "'thinking':{'type':'disabled'}", "none", ""},
    {"gpt-4o", "", "'thinking':{'type':'disabled'}", "", ""},
    {"gpt-5.1", "", "'thinking':{'type':'adaptive'}", "", ""},
    {"gpt-5.1", "", "'thinking':{'type':'adaptive'},'output_config':{'effort':'low'}", "low", ""},
    {"gpt-oss-120b", "", "'output_config':{'effort':'max'}", "high", "output_config.effort"},
    {"own", "", "'output_config':{'effort':'medium'}", "medium", ""},
    {"own", "", "'thinking':{'type':'disabled'}", "", "thinking"},
    {"own", "streaming\n", "'thinking':{'type':'enabled','budget_tokens':9999}", "", "thinking"},
    {"own", "streaming\nreasoning\n", "'thinking':{'type':'enabled','budget_tokens':9999}",
     "medium", ""},
};

Test(back_openai, asks_for_an_effort_that_the_model_has)
{
    static struct dialect_run run;
    char in[512], want[128];
    for (size_t i = 0; i < COUNT_OF(efforts); i++) {
        run_begin(&run, OP_MESSAGES, CAT_DIALECT_OPENAI, efforts[i].model);
        run.target.capabilities = str_c(efforts[i].capabilities);
        snprintf(in, sizeof in, IN ",%s}", efforts[i].in);
        const char *out = run_request(&run, run_quotes(&run, in));
        snprintf(want, sizeof want, "\"reasoning_effort\":\"%s\"", efforts[i].effort);
        cr_expect_eq(strstr(out, "reasoning_effort") != NULL, efforts[i].effort[0] != '\0',
                     "%s %s: %s", efforts[i].model, efforts[i].in, out);
        cr_expect(efforts[i].effort[0] == '\0' || strstr(out, want) != NULL, "%s %s: %s",
                  efforts[i].model, efforts[i].in, out);
        cr_expect_str_eq(run.call.dropped, efforts[i].dropped, "%s %s: dropped %s",
                         efforts[i].model, efforts[i].in, run.call.dropped);
        run_end(&run);
    }
}

Test(back_openai, a_model_that_reasons_takes_no_sampling)
{
    static struct dialect_run run;
    run_begin(&run, OP_MESSAGES, CAT_DIALECT_OPENAI, "gpt-5");
    run.target.service = STR("openai");
    const char *out = run_request(
        &run, run_quotes(&run, IN ",'temperature':1,'top_p':0.5,'stop_sequences':['x']}"));
    cr_expect_null(strstr(out, "temperature"), "the value that asks for nothing: %s", out);
    cr_expect_null(strstr(out, "stop"), "%s", out);
    cr_expect_str_eq(run.call.dropped, "top_p, stop_sequences");
    run_end(&run);
}

Test(back_openai, a_row_renames_members)
{
    static struct dialect_run run;
    run_begin(&run, OP_CHAT, CAT_DIALECT_OPENAI, "M");
    run.target.service = STR("openai");
    run.target.renames = STR("max_completion_tokens max_tokens\nseed random_seed\n");
    run.target.no_stream_options = true;
    const char *out = run_request(
        &run, run_quotes(&run, "{" HI ",'max_tokens':9,'seed':3,'random_seed':4,'own':[1],"
                               "'stream':true,'stream_options':{'include_usage':true}}"));
    cr_expect_str_eq(out,
                     run_quotes(&run, "{'model':'M','stream':true," HI
                                      ",'max_tokens':9,'random_seed':3,'own':[1]}"),
                     "%s", out);
    cr_expect_str_eq(run.call.dropped, "random_seed");
    run_end(&run);
}

Test(back_openai, has_a_rule_for_every_parameter)
{
    cr_expect_eq(params_check(dialect_back(CAT_DIALECT_OPENAI)->params), CHAT_PARAM_COUNT);
}
