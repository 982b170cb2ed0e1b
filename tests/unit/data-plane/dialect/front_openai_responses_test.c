/* What a Responses request may look like, what Anthropic is sent for it, and what its callers get.
 * ' stands for ". */
#include "tests/unit/data-plane/dialect/dialect_run.h"

#define KEEPS "provider @prod (anthropic) keeps no responses. "
#define OFFER ", or name a model whose provider offers /v1/responses."

static const struct {
    const char *body, *reason;
} refused[] = {
    {"{}", "input: a string or a non-empty array of items is required."},
    {"{'input':[]}", "input: a string or a non-empty array of items is required."},
    {"{'input':'a','instructions':[]}", "instructions: must be a string."},
    {"{'input':'a','previous_response_id':'resp_1'}",
     "previous_response_id: " KEEPS "Send the earlier items in input, and store false" OFFER},
    {"{'input':'a','conversation':{'id':'c'}}",
     "conversation: " KEEPS "Send the earlier items in input" OFFER},
    {"{'input':'a','prompt':{'id':'p'}}",
     "prompt: " KEEPS "Send its text in instructions and input" OFFER},
    {"{'input':'a','background':true}",
     "background: " KEEPS "Leave it out and wait for the answer, or stream it" OFFER},
    {"{'input':'a','max_output_tokens':0}", "max_output_tokens: must be a whole number from 1."},
    {"{'input':'a','reasoning':{'effort':'much'}}",
     "reasoning.effort: must be none, minimal, low, medium, high, xhigh or max."},
    {"{'input':[1]}", "input[0]: must be an object."},
    {"{'input':[{'role':'tool','content':'a'}]}",
     "input[0].role: must be user, assistant, system or developer."},
    {"{'input':[{'role':'user'}]}", "input[0].content: must be a string or an array of parts."},
    {"{'input':[{'role':'user','content':[{}]}]}", "input[0].content[0]: type is required."},
    {"{'input':[{'role':'user','content':[{'type':'input_text'}]}]}",
     "input[0].content[0]: text must be a string."},
    {"{'input':[{'role':'user','content':[{'type':'input_image'}]}]}",
     "input[0].content[0]: image_url (an address or a base64 data URL) or file_id is required."},
    {"{'input':[{'role':'user','content':[{'type':'input_file'}]}]}",
     "input[0].content[0]: file_data (base64), file_id or file_url is required."},
    {"{'input':[{'type':'function_call','name':'f'}]}", "input[0]: call_id and name are required."},
    {"{'input':[{'type':'function_call_output','output':'x'}]}", "input[0]: call_id is required."},
    {"{'input':[{'type':'function_call_output','call_id':'c'}]}",
     "input[0].output: must be a string or an array of parts."},
    {"{'input':[{'type':'item_reference','id':'x'}]}",
     "input[0]: provider @prod (anthropic) does not take references to stored items. Send the "
     "items "
     "themselves."},
    {"{'input':[{'type':'computer_call'}]}",
     "input[0].type: provider @prod (anthropic) does not take items of this type. Send message, "
     "function_call, function_call_output and reasoning items."},
    {"{'input':'a','tools':{}}", "tools: must be an array."},
    {"{'input':'a','tools':[{}]}", "tools[0].type: required."},
    {"{'input':'a','tools':[{'type':'function'}]}", "tools[0].name: required."},
    {"{'input':'a','tools':[{'type':'function','name':'f','parameters':[]}]}",
     "tools[0].parameters: must be a JSON schema object."},
    {"{'input':'a','tools':[{'type':'file_search','vector_store_ids':[]}]}",
     "tools[0]: provider @prod (anthropic) does not take the tool \"file_search\". Describe it as "
     "a "
     "function, or name a model whose provider offers /v1/responses."},
    {"{'input':'a','tool_choice':'always'}",
     "tool_choice: must be none, auto, required, allowed_tools or name a function."},
    {"{'input':'a','tool_choice':{'type':'allowed_tools','mode':'auto'}}",
     "tool_choice.allowed_tools: mode (auto, required) and tools (at most 256) are required."},
    {"{'input':'a','text':{'format':{'type':'json_schema'}}}",
     "text.format: must be text, json_object, or json_schema with schema."},
};

Test(front_openai_responses, refusals_name_the_field_and_the_rule)
{
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        run_begin(&run, OP_RESPONSES_CREATE, CAT_DIALECT_ANTHROPIC, "M");
        enum status status =
            dialect_read(&run.call, str_c(run_quotes(&run, refused[i].body)), &run.chat);
        cr_expect_eq(status_row(status)->http, 400, "%s", refused[i].body);
        cr_expect_str_eq(run.call.reason, refused[i].reason, "%s:\n got %s", refused[i].body,
                         run.call.reason);
        run_end(&run);
    }
}

/* --- requests */

#define HEAD    "{'model':'M','max_tokens':64000,"
#define USER(t) "{'role':'user','content':[{'type':'text','text':'" t "'}]}"
#define HI      "'messages':[" USER("hi") "]"
#define SCHEMA  "{'type':'object','properties':{}}"

static const struct {
    const char *name, *in, *out, *dropped;
} rows[] = {
    {"a string", "{'input':'hi'}", HEAD HI "}", ""},
    {"instructions go in front", "{'input':'hi','instructions':'be'}",
     HEAD "'system':[{'type':'text','text':'be'}]," HI "}", ""},
    {"messages of every role, with and without a type",
     "{'input':[{'role':'developer','content':'be'},{'type':'message','role':'user','content':[{"
     "'type':'input_text','text':'a'},{'type':'input_image','image_url':'https://"
     "x','detail':'auto'}"
     "]},{'type':'message','role':'assistant','id':'m','status':'completed','content':[{'type':"
     "'output_text','text':'b','annotations':[]}]},{'role':'user','content':'c'}]}",
     HEAD "'system':[{'type':'text','text':'be'}],'messages':[{'role':'user','content':[{'type':"
          "'text','text':'a'},{'type':'image','source':{'type':'url','url':'https://x'}}]},{'role':"
          "'assistant','content':[{'type':'text','text':'b'}]}," USER("c") "]}",
     ""},
    {"reasoning, words and calls of one turn are one message; results, too",
     "{'input':[{'role':'user','content':'a'},{'type':'reasoning','id':'r','summary':[{'type':"
     "'summary_text','text':'let me'}],'encrypted_content':'anthropic-claude-v1.text.SIG'},{'type':"
     "'message','role':'assistant','content':[{'type':'output_text','text':'b'}]},{'type':"
     "'function_call','call_id':'c1','name':'f','arguments':'{}'},{'type':'function_call','call_id'"
     ":"
     "'c2','name':'g','arguments':'{\\'q\\':1}'},{'type':'function_call_output','call_id':'c1',"
     "'output':'r1'},{'type':'function_call_output','call_id':'c2','output':[{'type':'input_text',"
     "'text':'r2'}]}]}",
     HEAD "'messages':[" USER(
         "a") ",{'role':'assistant','content':[{'type':'thinking','thinking':'let me','signature':"
              "'SIG'},{'type':'text','text':'b'},{'type':'tool_use','id':'c1','name':'f','input':{}"
              "}"
              ",{'type':'tool_use','id':'c2','name':'g','input':{'q':1}}]},{'role':'user','content'"
              ":"
              "[{'type':'tool_result','tool_use_id':'c1','content':[{'type':'text','text':'r1'}]},{"
              "'type':'tool_result','tool_use_id':'c2','content':[{'type':'text','text':'r2'}]}]}]"
              "}",
     ""},
    {"hidden thinking, and thinking whose words are not shown",
     "{'input':[{'type':'reasoning','id':'r','summary':[],'encrypted_content':"
     "'anthropic-claude-v1.data.ENC'},{'type':'reasoning','id':'s','summary':[],"
     "'encrypted_content':'anthropic-claude-v1.text.SIG'},{'role':'assistant','content':'b'},{"
     "'role':'user','content':'c'}]}",
     HEAD "'messages':[{'role':'assistant','content':[{'type':'redacted_thinking','data':'ENC'},{"
          "'type':'thinking','thinking':'','signature':'SIG'},{'type':'text','text':'b'}]}," USER(
              "c") "]}",
     ""},
    {"BUG reasoning of another provider was sent as ours (litellm 36197)",
     "{'input':[{'type':'reasoning','id':'r','summary':[{'type':'summary_text','text':'x'}],"
     "'encrypted_content':'gAAAA'},{'role':'assistant','content':'b'},{'role':'user','content':'c'}"
     "]}",
     HEAD "'messages':[{'role':'assistant','content':[{'type':'text','text':'b'}]}," USER("c") "]}",
     "input.reasoning"},
    {"what OpenAI's tools did is left out",
     "{'input':[{'role':'user','content':'hi'},{'type':'web_search_call','id':'w'}]}", HEAD HI "}",
     "input.web_search_call"},
    {"tools and a choice",
     "{'input':'hi','tools':[{'type':'function','name':'f','description':'d','parameters':" SCHEMA
     ",'strict':null}],'tool_choice':{'type':'function','name':'f'},'parallel_tool_calls':false}",
     HEAD HI ",'tools':[{'name':'f','description':'d','input_schema':" SCHEMA
             "}],'tool_choice':{'type':'tool','name':'f','disable_parallel_tool_use':true}}",
     ""},
    {"only some of the tools",
     "{'input':'hi','tools':[{'type':'function','name':'f'},{'type':'function','name':'g'}],"
     "'tool_choice':{'type':'allowed_tools','mode':'required','tools':[{'type':'function','name':"
     "'g'}]}}",
     HEAD HI ",'tools':[{'name':'g','input_schema':" SCHEMA "}],'tool_choice':{'type':'any'}}", ""},
    {"a search of the web",
     "{'input':'hi','tools':[{'type':'web_search','user_location':{'type':'approximate','city':"
     "'Bern'},'search_context_size':'low','filters':{}}]}",
     HEAD HI ",'tools':[{'type':'web_search_20250305','name':'web_search','user_location':{'type':"
             "'approximate','city':'Bern'}}]}",
     "tools.web_search.filters, web_search_options.search_context_size"},
    {"a schema for the answer",
     "{'input':'hi','text':{'format':{'type':'json_schema','name':'n','schema':" SCHEMA
     ",'strict':false}}}",
     HEAD HI ",'tools':[{'name':'json_response','description':'Give your whole answer to the user "
             "by calling this tool.','input_schema':" SCHEMA
             "}],'tool_choice':{'type':'tool','name':'json_response'}}",
     ""},
    {"parameters under their own names",
     "{'input':'hi','max_output_tokens':9,'temperature':0.5,'user':'u','store':true,'truncation':"
     "'auto','max_tool_calls':3,'include':['reasoning.encrypted_content','file_search_call.results'"
     "],'metadata':{'a':'b'},'prompt_cache_key':'k','text':{'verbosity':'low'},'new_one':1}",
     "{'model':'M','max_tokens':9," HI ",'temperature':0.5,'metadata':{'user_id':'u'}}",
     "store, truncation, max_tool_calls, include, text.verbosity, prompt_cache_key, new_one"},
    {"values that ask for nothing",
     "{'input':'hi','store':false,'truncation':'disabled','background':false,'top_logprobs':0,"
     "'parallel_tool_calls':true,'service_tier':'auto','text':{'format':{'type':'text'}},"
     "'previous_response_id':null,'stream_options':{'include_obfuscation':false}}",
     HEAD HI ",'service_tier':'auto'}", ""},
    {"an effort", "{'input':'hi','reasoning':{'effort':'high','summary':'auto'}}",
     HEAD HI ",'thinking':{'type':'enabled','budget_tokens':32000}}", ""},
};

Test(front_openai_responses, requests_reach_anthropic)
{
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        run_begin(&run, OP_RESPONSES_CREATE, CAT_DIALECT_ANTHROPIC, "M");
        const char *out = run_request(&run, run_quotes(&run, rows[i].in));
        const char *want = run_quotes(&run, rows[i].out);
        cr_expect_str_eq(out, want, "%s:\n got %s\nwant %s", rows[i].name, out, want);
        cr_expect_str_eq(run.call.dropped, rows[i].dropped, "%s: dropped %s", rows[i].name,
                         run.call.dropped);
        run_end(&run);
    }
}

/* --- answers */

#define IN(name, rest) "event: " name "\ndata: {'type':'" name "'" rest "}\n\n"
#define IN_START                                                                                   \
    IN("message_start", ",'message':{'id':'msg_1','type':'message','model':'claude-x','usage':{"   \
                        "'input_tokens':10,'cache_read_input_tokens':3,'cache_creation_input_"     \
                        "tokens':2,'output_tokens':1}}")
#define IN_BLOCK(n, block) IN("content_block_start", ",'index':" #n ",'content_block':" block)
#define IN_DELTA(n, delta) IN("content_block_delta", ",'index':" #n ",'delta':" delta)
#define IN_STOP(n)         IN("content_block_stop", ",'index':" #n)
#define IN_TEXT(n, text)                                                                           \
    IN_BLOCK(n, "{'type':'text','text':''}")                                                       \
    IN_DELTA(n, "{'type':'text_delta','text':'" text "'}") IN_STOP(n)
#define IN_END(word)                                                                               \
    IN("message_delta", ",'delta':{'stop_reason':'" word "'},'usage':{'output_tokens':9}")         \
    IN("message_stop", "")

#define OBJECT(status, incomplete, output, usage)                                                  \
    "{'id':'resp_req-1','object':'response','created_at':1700000000,'status':'" status             \
    "','background':false,'error':null,'incomplete_details':" incomplete                           \
    ",'model':'claude-x','output':[" output                                                        \
    "],'instructions':null,'max_output_tokens':null,'max_tool_calls':null,'metadata':{'k':'v'},"   \
    "'parallel_tool_calls':true,'previous_response_id':null,'prompt_cache_key':null,'reasoning':{" \
    "'effort':null,'summary':null},'safety_identifier':null,'temperature':null,'text':{'format':{" \
    "'type':'text'}},'tool_choice':'auto','tools':[],'top_logprobs':0,'top_p':null,'user':null,"   \
    "'service_tier':'default','store':false,'truncation':'disabled','usage':" usage "}"
#define USAGE                                                                                      \
    "{'input_tokens':15,'input_tokens_details':{'cached_tokens':3,'cache_write_tokens':2},"        \
    "'output_tokens':9,'output_tokens_details':{'reasoning_tokens':0},'total_tokens':24}"
#define EV(n, name, rest)                                                                          \
    "event: " name "\ndata: {'type':'" name "','sequence_number':" #n rest "}\n\n"
#define BEGUN                                                                                      \
    EV(0, "response.created", ",'response':" OBJECT("in_progress", "null", "", "null"))            \
    EV(1, "response.in_progress", ",'response':" OBJECT("in_progress", "null", "", "null"))
#define MSG(content, status)                                                                       \
    "{'id':'msg_req-1_0','type':'message','role':'assistant','content':[" content                  \
    "],'status':'" status "'}"
#define PART(text) "{'type':'output_text','text':'" text "','annotations':[],'logprobs':[]}"
#define AT         ",'item_id':'msg_req-1_0','output_index':0,'content_index':0"
#define TEXT_TO(n1, n2, n3, n4, n5, status)                                                        \
    EV(2, "response.output_item.added", ",'output_index':0,'item':" MSG("", "in_progress"))        \
    EV(3, "response.content_part.added", AT ",'part':" PART(""))                                   \
    EV(4, "response.output_text.delta", AT ",'delta':'a','logprobs':[]")                           \
    EV(5, "response.output_text.done", AT ",'text':'a','logprobs':[]")                             \
    EV(6, "response.content_part.done", AT ",'part':" PART("a"))                                   \
    EV(7, "response.output_item.done", ",'output_index':0,'item':" MSG(PART("a"), status))
#define ENDED(n, type, status, incomplete, output)                                                 \
    EV(n, type, ",'response':" OBJECT(status, incomplete, output, USAGE))
#define FN(id, call, name, args, status)                                                           \
    "{'id':'" id "','type':'function_call','status':'" status "','call_id':'" call                 \
    "','name':'" name "','arguments':'" args "'}"
#define RS(summary, proof)                                                                         \
    "{'id':'rs_req-1_0','type':'reasoning','summary':[" summary "],'encrypted_content':'" proof "'}"

static const struct {
    const char *name, *in, *out;
} streams[] = {
    {"words", IN_START IN_TEXT(0, "a") IN_END("end_turn"),
     BEGUN TEXT_TO(4, 5, 6, 7, 8, "completed")
         ENDED(8, "response.completed", "completed", "null", MSG(PART("a"), "completed"))},
    {"max_output_tokens", IN_START IN_TEXT(0, "a") IN_END("max_tokens"),
     BEGUN TEXT_TO(4, 5, 6, 7, 8, "incomplete")
         ENDED(8, "response.incomplete", "incomplete", "{'reason':'max_output_tokens'}",
               MSG(PART("a"), "incomplete"))},
    {"a refusal without words", IN_START IN_END("refusal"),
     BEGUN ENDED(2, "response.incomplete", "incomplete", "{'reason':'content_filter'}", "")},
    {"thinking with its proof, and a call",
     IN_START IN_BLOCK(0, "{'type':'thinking','thinking':'','signature':''}")
         IN_DELTA(0, "{'type':'thinking_delta','thinking':'let'}")
             IN_DELTA(0, "{'type':'signature_delta','signature':'SIG'}") IN_STOP(0)
                 IN_BLOCK(1, "{'type':'tool_use','id':'t1','name':'f','input':{}}")
                     IN_DELTA(1, "{'type':'input_json_delta','partial_json':'{}'}") IN_STOP(1)
                         IN_END("tool_use"),
     BEGUN EV(2, "response.output_item.added",
              ",'output_index':0,'item':{'id':'rs_req-1_0','type':'reasoning','summary':[]}")
         EV(3, "response.reasoning_summary_part.added",
            ",'item_id':'rs_req-1_0','output_index':0,'summary_index':0,'part':{'type':"
            "'summary_text','text':''}")
             EV(4, "response.reasoning_summary_text.delta",
                ",'item_id':'rs_req-1_0','output_index':0,'summary_index':0,'delta':'let'")
                 EV(5, "response.reasoning_summary_text.done",
                    ",'item_id':'rs_req-1_0','output_index':0,'summary_index':0,'text':'let'")
                     EV(6, "response.reasoning_summary_part.done",
                        ",'item_id':'rs_req-1_0','output_index':0,'summary_index':0,'part':{'type':"
                        "'summary_text','text':'let'}")
                         EV(7, "response.output_item.done",
                            ",'output_index':0,'item':" RS(
                                "{'type':'summary_text','text':'let'}",
                                "anthropic-claude-v1.text.SIG")) EV(8, "response.output_item.added",
                                                                    ",'output_index':1,'item':" FN(
                                                                        "fc_req-1_1", "t1", "f", "",
                                                                        "in_progress"))
                             EV(9, "response.function_call_arguments.delta",
                                ",'item_id':'fc_req-1_1','output_index':1,'delta':'{}'")
                                 EV(10, "response.function_call_arguments.done",
                                    ",'item_id':'fc_req-1_1','output_index':1,'name':'f',"
                                    "'arguments':'{}'") EV(11, "response.output_item.done",
                                                           ",'output_index':1,'item':" FN(
                                                               "fc_req-1_1", "t1", "f", "{}",
                                                               "completed"))
                                     ENDED(12, "response.completed", "completed", "null",
                                           RS("{'type':'summary_text','text':'let'}",
                                              "anthropic-claude-v1.text.SIG") "," FN("fc_req-1_1",
                                                                                     "t1", "f",
                                                                                     "{}",
                                                                                     "completed"))},
    {"an error behind words is told twice, as OpenAI does",
     IN_START IN_TEXT(0, "a") IN("error", ",'error':{'type':'overloaded_error','message':'busy'}"),
     BEGUN EV(2, "response.output_item.added", ",'output_index':0,'item':" MSG("", "in_progress"))
         EV(3, "response.content_part.added", AT ",'part':" PART(""))
             EV(4, "response.output_text.delta", AT ",'delta':'a','logprobs':[]")
                 EV(5, "response.output_text.done", AT ",'text':'a','logprobs':[]")
                     EV(6, "response.content_part.done", AT ",'part':" PART("a"))
                         EV(7, "error", ",'code':'overloaded_error','message':'busy','param':null")
                             EV(8, "response.failed",
                                ",'response':{'id':'resp_req-1','object':'response','created_at':"
                                "1700000000,'status':'failed','background':false,'error':{'code':"
                                "'server_error','message':'busy'},'incomplete_details':null,'model'"
                                ":'claude-x','output':[],'instructions':null,'max_output_tokens':"
                                "null,'max_tool_calls':null,'metadata':{'k':'v'},"
                                "'parallel_tool_calls':true,'previous_response_id':null,"
                                "'prompt_cache_key':null,'reasoning':{'effort':null,'summary':null}"
                                ",'safety_identifier':null,'temperature':null,'text':{'format':{"
                                "'type':'text'}},'tool_choice':'auto','tools':[],'top_logprobs':0,"
                                "'top_p':null,'user':null,'service_tier':'default','store':false,"
                                "'truncation':'disabled','usage':null}")},
    {"an error in front of them is none",
     IN_START IN("error", ",'error':{'type':'overloaded_error',"
                          "'message':'busy'}"),
     "{'error':{'message':'busy','type':'overloaded_error','param':null,'code':'overloaded_error'}"
     "}"},
    {"a stream that breaks off does not look complete", IN_START, "<upstream_broken>"},
};

Test(front_openai_responses, streams_become_the_events_of_a_response)
{
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(streams); i++)
        for (size_t piece = 1; piece < 9000; piece *= 90) {
            run_begin(&run, OP_RESPONSES_CREATE, CAT_DIALECT_ANTHROPIC, "M");
            run_request(&run, run_quotes(&run, "{'input':'a','stream':true,'metadata':{'k':'v'}}"));
            const char *in = run_quotes(&run, streams[i].in);
            const char *want = run_quotes(&run, streams[i].out);
            const char *out = run_reply(&run, 200, "text/event-stream", in, piece);
            if (strcmp(want, "<upstream_broken>") == 0) {
                cr_expect(str_ends(str_c(out), STR("<upstream_broken>")), "%s", out);
                cr_expect_null(strstr(out, "response.completed"));
            } else {
                cr_expect_str_eq(out, want, "%s:\n got %s\nwant %s", streams[i].name, out, want);
            }
            run_end(&run);
        }
}

#define WHOLE(content, word)                                                                       \
    "{'id':'msg_1','type':'message','role':'assistant','model':'claude-x','content':[" content     \
    "],'stop_reason':'" word "','usage':{'input_tokens':10,'cache_read_input_tokens':3,"           \
    "'cache_creation_input_tokens':2,'output_tokens':9}}"

static const struct {
    const char *name, *in, *out;
} wholes[] = {
    {"words in several blocks are parts of one message",
     WHOLE("{'type':'text','text':'a'},{'type':'text','text':'b','citations':[{'type':"
           "'web_search_result_location','url':'https://x','title':'X','cited_text':'c'}]}",
           "end_turn"),
     OBJECT("completed", "null",
            MSG(PART("a") ",{'type':'output_text','text':'b','annotations':[{'type':'url_citation',"
                          "'start_index':0,'end_index':1,'url':'https://x','title':'X'}],"
                          "'logprobs':[]}",
                "completed"),
            USAGE)},
    {"hidden thinking and a call without arguments",
     WHOLE("{'type':'redacted_thinking','data':'ENC'},{'type':'tool_use','id':'t1','name':'f',"
           "'input':{}}",
           "tool_use"),
     OBJECT(
         "completed", "null",
         RS("", "anthropic-claude-v1.data.ENC") "," FN("fc_req-1_1", "t1", "f", "{}", "completed"),
         USAGE)},
    {"a refusal has words", WHOLE("{'type':'text','text':''}", "refusal"),
     OBJECT("incomplete", "{'reason':'content_filter'}",
            MSG("{'type':'output_text','text':'','annotations':[],'logprobs':[]}", "incomplete"),
            USAGE)},
};

Test(front_openai_responses, whole_answers_are_responses)
{
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(wholes); i++) {
        run_begin(&run, OP_RESPONSES_CREATE, CAT_DIALECT_ANTHROPIC, "M");
        run_request(&run, run_quotes(&run, "{'input':'a','metadata':{'k':'v'}}"));
        const char *in = run_quotes(&run, wholes[i].in), *want = run_quotes(&run, wholes[i].out);
        const char *out = run_reply(&run, 200, "application/json", in, 4000);
        cr_expect_str_eq(out, want, "%s:\n got %s\nwant %s", wholes[i].name, out, want);
        run_end(&run);
    }
}

/* A stream's last event holds the object that a whole answer is. */
Test(front_openai_responses, a_stream_ends_with_the_whole_answer)
{
    static struct dialect_run run;
    static char whole[1 << 16];
    const char *answer =
        WHOLE("{'type':'thinking','thinking':'t','signature':'S'},{'type':'text',"
              "'text':'a'},{'type':'tool_use','id':'t1','name':'f','input':{'q':1}}",
              "tool_use");
    for (int stream = 0; stream < 2; stream++) {
        run_begin(&run, OP_RESPONSES_CREATE, CAT_DIALECT_ANTHROPIC, "M");
        run_request(&run,
                    run_quotes(&run, stream ? "{'stream':true,'input':'a'}" : "{'input':'a'}"));
        const char *out = run_reply(&run, 200, "application/json", run_quotes(&run, answer), 4000);
        if (stream) {
            cr_expect_not_null(strstr(out, whole), "%s\n%s", out, whole);
            cr_expect_not_null(strstr(out, "event: response.completed\n"));
        } else {
            snprintf(whole, sizeof whole, "%s", out);
        }
        run_end(&run);
    }
}
