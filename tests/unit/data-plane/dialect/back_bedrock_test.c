/* Requests to Bedrock: OpenAI's chat (and Messages) in, Converse's body out, and what is listed as
 * dropped. Each row is named for what broke elsewhere or what it holds. ' stands for ". */
#include "tests/unit/data-plane/dialect/dialect_run.h"

#include "data-plane/dialect/back_bedrock.h"

#define CLAUDE "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
#define OLD    "anthropic.claude-3-haiku-20240307-v1:0"
#define OPUS   "eu.anthropic.claude-opus-4-8"
#define NOVA   "eu.amazon.nova-pro-v1:0"
#define NOVA2  "amazon.nova-2-lite-v1:0"
#define LLAMA  "us.meta.llama3-3-70b-instruct-v1:0"
#define COHERE "cohere.command-r-plus-v1:0"
#define OSS    "openai.gpt-oss-120b-1:0"
#define R1     "us.deepseek.r1-v1:0"

#define USER(text)         "{'role':'user','content':'" text "'}"
#define BLOCK(text)        "{'text':'" text "'}"
#define TURN(role, blocks) "{'role':'" role "','content':[" blocks "]}"
#define TALK(m)            "{'messages':[" m "]"
#define SAID(m)            "{'messages':[" m "]"
#define HI                 TALK(USER("hi"))
#define HI_OUT             SAID(TURN("user", BLOCK("hi")))
#define PARTS(p)           TALK("{'role':'user','content':[" p "]}") "}"
#define PARTS_OUT(b)       SAID(TURN("user", b)) "}"
#define LOOSE              "{'type':'object','properties':{'q':{'type':'string'}}}"
#define TOOL(name)         "{'type':'function','function':{'name':'" name "','parameters':" LOOSE "}}"
#define SPEC(name)         "{'toolSpec':{'name':'" name "','inputSchema':{'json':" LOOSE "}}}"
#define CALL(id, name, args)                                                                       \
    "{'id':'" id "','type':'function','function':{'name':'" name "','arguments':'" args "'}}"
#define CALLS(list)   "{'role':'assistant','content':null,'tool_calls':[" list "]}"
#define RESULT(id, t) "{'role':'tool','tool_call_id':'" id "','content':'" t "'}"
#define USE(id, name, input)                                                                       \
    "{'toolUse':{'toolUseId':'" id "','name':'" name "','input':" input "}}"
#define RESULT_OUT(id, t) "{'toolResult':{'toolUseId':'" id "','content':[" BLOCK(t) "]}}"
#define FORMAT                                                                                     \
    ",'response_format':{'type':'json_schema','json_schema':{'name':'n','strict':true,'schema':"   \
    "{'type':'object'}}}"
#define JSON_SPEC(schema)                                                                          \
    "{'toolSpec':{'name':'json_response','description':'Give your whole answer to the user by "    \
    "calling this tool.','inputSchema':{'json':" schema "}}}"
#define MORE(m) ",'additionalModelRequestFields':{" m "}"
#define L64     "aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffffgggggggghhhhhhhh"

static const struct {
    const char *name, *model, *in, *out, *dropped;
} rows[] = {
    {"words pass as they stand", CLAUDE, TALK(USER("\\u0000 \xC3\xA9")) "}",
     SAID(TURN("user", BLOCK("\\u0000 \xC3\xA9"))) "}", ""},
    {"several system messages, wherever they stand", CLAUDE,
     TALK("{'role':'system','content':'a'}," USER("hi") ",{'role':'developer','content':'b'}") "}",
     "{'system':[" BLOCK("a") "," BLOCK("b") "],'messages':[" TURN("user", BLOCK("hi")) "]}", ""},
    {"neighbours of one role are one turn, an assistant who said nothing is none", CLAUDE,
     TALK(USER("a") ",{'role':'assistant','content':' '}," USER("b") "," USER("c")) "}",
     SAID(TURN("user", BLOCK("a") "," BLOCK("b") "," BLOCK("c"))) "}", ""},
    {"blank texts are left out", CLAUDE,
     PARTS("{'type':'text','text':' \\n'},{'type':'text','text':'x'}"), PARTS_OUT(BLOCK("x")), ""},
    {"BUG stop as a string was not wrapped; which one it was is asked for", CLAUDE,
     HI ",'stop':'END','max_tokens':7}",
     HI_OUT ",'inferenceConfig':{'maxTokens':7,'stopSequences':['END']},"
            "'additionalModelResponseFieldPaths':['/stop_sequence']}",
     ""},
    {"sampling by Converse's names", NOVA, HI ",'temperature':0.70,'top_p':0.5,'top_k':5}",
     HI_OUT
     ",'inferenceConfig':{'temperature':0.70,'topP':0.5}" MORE("'inferenceConfig':{'topK':5}") "}",
     ""},
    {"temperature or top_p, where Claude takes one of them", CLAUDE,
     HI ",'temperature':0.7,'top_p':0.5,'top_k':5}",
     HI_OUT ",'inferenceConfig':{'temperature':0.7}" MORE("'top_k':5") "}", "top_p"},
    {"a Claude without sampling", OPUS, HI ",'temperature':0.7,'top_k':5}", HI_OUT "}",
     "temperature, top_k"},
    {"a temperature above 1 is refused", NOVA, HI ",'temperature':1.2}",
     "400: temperature: provider @prod (bedrock) takes 0 to 1. Send a value in that range.", ""},
    {"Cohere's own members", COHERE,
     HI ",'top_k':5,'seed':3,'presence_penalty':0.5,'frequency_penalty':0.2}",
     HI_OUT MORE("'k':5,'seed':3,'presence_penalty':0.5,'frequency_penalty':0.2") "}", ""},
    {"what a family cannot honour is listed", LLAMA,
     HI ",'top_k':5,'seed':3,'presence_penalty':0.5,'logit_bias':{'1':2},'user':'u','nonsense':1}",
     HI_OUT "}", "logit_bias, user, top_k, seed, presence_penalty, nonsense"},
    {"plain values ask for nothing", LLAMA,
     HI ",'temperature':1,'top_p':1.0,'n':1,'presence_penalty':0,'logprobs':false,'tools':[],"
        "'response_format':{'type':'text'},'parallel_tool_calls':true,'service_tier':'auto'}",
     HI_OUT "}", ""},
    {"n is refused with a remedy", CLAUDE, HI ",'n':2}",
     "400: n: provider @prod (bedrock) cannot honour it. It gives one answer to a request: send n "
     "requests.",
     ""},
    {"metadata is requestMetadata", CLAUDE, HI ",'metadata':{'team':'a b','k':'1'}}",
     HI_OUT ",'requestMetadata':{'team':'a b','k':'1'}}", ""},
    {"metadata that breaks its limits is listed", CLAUDE, HI ",'metadata':{'team':'a{b'}}",
     HI_OUT "}", "metadata"},
    {"service tiers", CLAUDE, HI ",'service_tier':'priority'}",
     HI_OUT ",'serviceTier':{'type':'priority'}}", ""},
    {"a tier that is not there", CLAUDE, HI ",'service_tier':'scale'}", HI_OUT "}", "service_tier"},
    {"Converse's own members pass under either spelling", NOVA,
     HI ",'guardrail_config':{'guardrailIdentifier':'g','guardrailVersion':'1'},"
        "'performanceConfig':{'latency':'optimized'},'additional_model_request_fields':{'x':1},"
        "'additional_model_response_field_paths':['/a']}",
     HI_OUT ",'guardrailConfig':{'guardrailIdentifier':'g','guardrailVersion':'1'},"
            "'performanceConfig':{'latency':'optimized'},'additionalModelResponseFieldPaths':["
            "'/a']" MORE("'x':1") "}",
     ""},
    {"the caller's own additional field comes before ours", CLAUDE,
     HI ",'top_k':5,'additional_model_request_fields':{'top_k':9}}", HI_OUT MORE("'top_k':9") "}",
     ""},
    {"additional fields must be an object", CLAUDE, HI ",'additional_model_request_fields':[1]}",
     "400: additional_model_request_fields: must be an object.", ""},
    {"betas as a list", CLAUDE, HI ",'anthropic_beta':'a, b','anthropic_version':'x'}",
     HI_OUT MORE("'anthropic_beta':['a','b']") "}", ""},
    /* --- tools */
    {"parallel calls and their results; ids alike on both sides", CLAUDE,
     TALK(USER("go") "," CALLS(CALL("a|1", "f", "{\\\"q\\\":1}") "," CALL("b", "g", "")) "," RESULT(
         "a|1", "r1") "," RESULT("b",
                                 "r2") "," USER("and?")) ",'tools':[" TOOL("f") "," TOOL("g") "]}",
     SAID(TURN("user", BLOCK("go")) "," TURN(
         "assistant",
         USE("a_1", "f", "{'q':1}") "," USE(
             "b", "g",
             "{}")) "," TURN("user",
                             RESULT_OUT("a_1", "r1") "," RESULT_OUT("b", "r2") "," BLOCK(
                                 "and?"))) ",'toolConfig':{'tools':[" SPEC("f") "," SPEC("g") "]}}",
     ""},
    {"an id that is too long is cut, and stays its own", CLAUDE,
     TALK(USER("go") "," CALLS(CALL(L64 "i", "f", "{}")) "," RESULT(
         L64 "i", "r")) ",'tools':[" TOOL("f") "]}",
     SAID(TURN("user", BLOCK("go")) "," TURN(
         "assistant",
         USE("aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeefffffff-3c6b1833899b98c4", "f",
             "{}")) "," TURN("user",
                             RESULT_OUT(
                                 "aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeefffffff-3c6b1833899b98c4",
                                 "r"))) ",'toolConfig':{'tools':[" SPEC("f") "]}}",
     ""},
    {"tool_choice required", CLAUDE, HI ",'tools':[" TOOL("f") "],'tool_choice':'required'}",
     HI_OUT ",'toolConfig':{'tools':[" SPEC("f") "],'toolChoice':{'any':{}}}}", ""},
    {"tool_choice auto", CLAUDE, HI ",'tools':[" TOOL("f") "],'tool_choice':'auto'}",
     HI_OUT ",'toolConfig':{'tools':[" SPEC("f") "],'toolChoice':{'auto':{}}}}", ""},
    {"tool_choice by name", CLAUDE,
     HI ",'tools':[" TOOL("f") "],'tool_choice':{'type':'function','function':{'name':'f'}}}",
     HI_OUT ",'toolConfig':{'tools':[" SPEC("f") "],'toolChoice':{'tool':{'name':'f'}}}}", ""},
    {"a family that cannot be forced", LLAMA,
     HI ",'tools':[" TOOL("f") "],'tool_choice':'required'}",
     HI_OUT ",'toolConfig':{'tools':[" SPEC("f") "]}}", "tool_choice"},
    {"BUG tool_choice none was ignored", CLAUDE,
     HI ",'tools':[" TOOL("f") "],'tool_choice':'none'}", HI_OUT "}", ""},
    {"earlier calls without tools broke: they are told in words", CLAUDE,
     TALK(USER("go") "," CALLS(CALL("a", "f", "{\\\"q\\\":\\\"x\\\"}")) "," RESULT("a", "r")) "}",
     SAID(TURN("user", BLOCK("go")) "," TURN(
         "assistant",
         BLOCK("[Called f with {\\\"q\\\":\\\"x\\\"}]")) "," TURN("user",
                                                                  BLOCK("[Result of f]") "," BLOCK(
                                                                      "r"))) "}",
     "messages.tool_calls"},
    {"calls one by one: Claude's own choice", CLAUDE,
     HI ",'tools':[" TOOL("f") "],'tool_choice':'required','parallel_tool_calls':false}",
     HI_OUT ",'toolConfig':{'tools':[" SPEC("f") "]}" MORE(
         "'tool_choice':{'type':'any','disable_parallel_tool_use':true}") "}",
     ""},
    {"calls one by one, where nobody can say so", OLD,
     HI ",'tools':[" TOOL("f") "],'parallel_tool_calls':false}",
     HI_OUT ",'toolConfig':{'tools':[" SPEC("f") "]}}", "parallel_tool_calls"},
    {"strict tools where the model has them", CLAUDE,
     HI ",'tools':[{'type':'function','function':{'name':'f','description':'d','strict':true,"
        "'parameters':{'$defs':{}}}}]}",
     HI_OUT ",'toolConfig':{'tools':[{'toolSpec':{'name':'f','description':'d','inputSchema':{"
            "'json':{'type':'object','$defs':{}}},'strict':true}}]}}",
     ""},
    {"strict tools where it has not", OLD,
     HI ",'tools':[{'type':'function','function':{'name':'f','strict':true}}]}",
     HI_OUT ",'toolConfig':{'tools':[{'toolSpec':{'name':'f','inputSchema':{'json':{'type':"
            "'object','properties':{}}}}}]}}",
     "tools.strict"},
    {"invalid arguments were a 500", CLAUDE,
     TALK(USER("go") "," CALLS(CALL("a", "f", "no json")) "," RESULT("a", "r")) ",'tools':[" TOOL(
         "f") "]}",
     "400: messages[1].tool_calls[0]: provider @prod (bedrock) does not take arguments that are no "
     "JSON object. Send the call as the model made it.",
     ""},
    {"Anthropic's own tools go to the model past Converse", CLAUDE,
     HI ",'tools':[{'type':'bash_20250124','name':'bash'}," TOOL("f") "]}",
     HI_OUT ",'toolConfig':{'tools':[" SPEC("f") "]}" MORE(
         "'tools':[{'type':'bash_20250124','name':'bash'}]") "}",
     ""},
    {"they are no one else's", NOVA, HI ",'tools':[{'type':'bash_20250124','name':'bash'}]}",
     "400: tools[0]: provider @prod (bedrock) does not take tools that another provider runs. "
     "Describe it as a function, or name a model of that provider.",
     ""},
    {"web search is Nova's", NOVA, HI ",'web_search_options':{'search_context_size':'low'}}",
     HI_OUT ",'toolConfig':{'tools':[{'systemTool':{'name':'nova_grounding'}}]}}",
     "web_search_options"},
    {"web search is nobody else's", CLAUDE, HI ",'web_search_options':{}}",
     "400: web_search_options: of the models of provider @prod (bedrock) only Amazon Nova searches "
     "the web. Leave it out.",
     ""},
    /* --- the answer's form */
    {"BUG a JSON schema was lost", CLAUDE, HI FORMAT "}",
     HI_OUT ",'outputConfig':{'textFormat':{'type':'json_schema','structure':{'jsonSchema':{"
            "'schema':'{\\\"type\\\":\\\"object\\\"}','name':'n'}}}}}",
     ""},
    {"a schema by a tool that must be called", OLD, HI FORMAT "}",
     HI_OUT ",'toolConfig':{'tools':[" JSON_SPEC(
         "{'type':'object'}") "],'toolChoice':{'tool':{'name':'json_response'}}}}",
     ""},
    {"a schema beside tools: one of them", NOVA, HI FORMAT ",'tools':[" TOOL("f") "]}",
     HI_OUT ",'toolConfig':{'tools':[" SPEC("f") "," JSON_SPEC(
         "{'type':'object'}") "],'toolChoice':{'any':{}}}}",
     ""},
    {"any JSON object", NOVA, HI ",'response_format':{'type':'json_object'}}",
     HI_OUT ",'toolConfig':{'tools':[" JSON_SPEC(
         "{'type':'object'}") "],'toolChoice':{'tool':{'name':'json_response'}}}}",
     ""},
    {"JSON that cannot be had is refused", LLAMA, HI ",'response_format':{'type':'json_object'}}",
     "400: response_format: the model " LLAMA " cannot be made to answer JSON. Ask for it in your "
     "words, or name a model that can.",
     ""},
    /* --- thinking */
    {"effort is a share of max_tokens", CLAUDE, HI ",'reasoning_effort':'high','max_tokens':10000}",
     HI_OUT ",'inferenceConfig':{'maxTokens':10000}" MORE(
         "'thinking':{'type':'enabled','budget_tokens':8000}") "}",
     ""},
    {"a budget needs max_tokens", CLAUDE, HI ",'reasoning_effort':'low'}",
     HI_OUT ",'inferenceConfig':{'maxTokens':64000}" MORE(
         "'thinking':{'type':'enabled','budget_tokens':12800}") "}",
     ""},
    {"models that adapt get a word", OPUS, HI ",'reasoning_effort':'medium'}",
     HI_OUT MORE("'thinking':{'type':'adaptive','display':'summarized'},'output_config':{'effort':"
                 "'medium'}") "}",
     ""},
    {"Nova 2 has efforts", NOVA2, HI ",'reasoning_effort':'medium','max_tokens':9}",
     HI_OUT ",'inferenceConfig':{'maxTokens':9}" MORE(
         "'reasoningConfig':{'type':'enabled','maxReasoningEffort':'medium'}") "}",
     ""},
    {"Nova 2 refuses max_tokens and sampling beside the highest", NOVA2,
     HI ",'reasoning_effort':'xhigh','max_tokens':9,'temperature':0.3}",
     HI_OUT MORE("'reasoningConfig':{'type':'enabled','maxReasoningEffort':'high'}") "}",
     "max_tokens, temperature, reasoning_effort"},
    {"gpt-oss by its own name", OSS, HI ",'reasoning_effort':'low'}",
     HI_OUT MORE("'reasoning_effort':'low'") "}", ""},
    {"models that think by themselves or not at all", R1, HI ",'reasoning_effort':'low'}",
     HI_OUT "}", "reasoning_effort"},
    {"signed thinking comes back, others' does not", CLAUDE,
     TALK(USER("a") ",{'role':'assistant','content':'b','reasoning_details':[{'type':"
                    "'reasoning.text','text':'t','signature':'S','format':'anthropic-claude-v1'},"
                    "{'type':'reasoning.encrypted','data':'D','format':'amazon-bedrock-v1'},"
                    "{'type':'reasoning.text','text':'g','signature':'G','format':"
                    "'google-gemini-v1'}]}," USER("c")) "}",
     SAID(TURN("user", BLOCK("a")) "," TURN(
         "assistant", "{'reasoningContent':{'reasoningText':{'text':'t','signature':'S'}}},"
                      "{'reasoningContent':{'redactedContent':'D'}}," BLOCK(
                          "b")) "," TURN("user", BLOCK("c"))) "}",
     "messages.reasoning_content"},
    /* --- media */
    {"images as bytes", CLAUDE,
     PARTS("{'type':'text','text':'see'},{'type':'image_url','image_url':{'url':"
           "'data:image/jpg;base64,AAAA','detail':'high'}}"),
     PARTS_OUT(BLOCK("see") ",{'image':{'format':'jpeg','source':{'bytes':'AAAA'}}}"),
     "image_url.detail"},
    {"BUG a URL was a crash: what is not fetched is refused", CLAUDE,
     PARTS("{'type':'image_url','image_url':{'url':'ftp://x/y.png'}}"),
     "400: messages[0].content[0]: provider @prod (bedrock) does not take this kind of URL. Send "
     "the data itself (base64), an http or https URL, or an s3:// URL.",
     ""},
    {"a place in S3 passes", NOVA,
     PARTS("{'type':'image_url','image_url':{'url':'s3://b/y.webp?x=1'}}"),
     PARTS_OUT("{'image':{'format':'webp','source':{'s3Location':{'uri':'s3://b/y.webp?x=1'}}}}"),
     ""},
    {"an image that nobody reads", CLAUDE,
     PARTS("{'type':'image_url','image_url':{'url':'data:image/tiff;base64,AAAA'}}"),
     "400: messages[0].content[0]: provider @prod (bedrock) does not take this type of file or "
     "image. Send PNG, JPEG, GIF or WebP images, PDF, Office, HTML, Markdown or text documents.",
     ""},
    {"BUG documents lost their names; two of one name", CLAUDE,
     PARTS("{'type':'text','text':'read'},{'type':'file','file':{'file_data':"
           "'data:application/pdf;base64,AAAA','filename':'Q3_report  v2.pdf'}},{'type':'file',"
           "'file':{'file_data':'data:application/pdf;base64,BBBB','filename':'Q3_report v2.pdf'}},"
           "{'type':'file','file':{'file_data':'data:text/csv;base64,CCCC'}}"),
     PARTS_OUT(BLOCK("read") ",{'document':{'format':'pdf','name':'Q3-report v2','source':{'bytes':"
                             "'AAAA'}}},{'document':{'format':'pdf','name':'Q3-report v2 (2)',"
                             "'source':{'bytes':'BBBB'}}},{'document':{'format':'csv','name':"
                             "'document','source':{'bytes':'CCCC'}}}"),
     ""},
    {"the format by the file's name", NOVA,
     PARTS("{'type':'text','text':'r'},{'type':'file','file':{'file_data':'AAAA','filename':"
           "'a.DOCX'}}"),
     PARTS_OUT(BLOCK("r") ",{'document':{'format':'docx','name':'a','source':{'bytes':'AAAA'}}}"),
     ""},
    {"audio", NOVA, PARTS("{'type':'input_audio','input_audio':{'format':'wav','data':'AAAA'}}"),
     PARTS_OUT("{'audio':{'format':'wav','source':{'bytes':'AAAA'}}}"), ""},
    /* --- cache */
    {"cache marks are blocks behind", CLAUDE,
     "{'messages':[{'role':'system','content':[{'type':'text','text':'s','cache_control':{'type':"
     "'ephemeral'}}]},{'role':'user','content':[{'type':'text','text':'a','cache_control':{'type':"
     "'ephemeral','ttl':'1h'}},{'type':'text','text':'b'}]}],'tools':[{'type':'function',"
     "'function':{'name':'f'},'cache_control':{'type':'ephemeral'}}]}",
     "{'system':[" BLOCK("s") ",{'cachePoint':{'type':'default'}}],'messages':[" TURN(
         "user", BLOCK("a") ",{'cachePoint':{'type':'default','ttl':'1h'}}," BLOCK(
                     "b")) "],"
                           "'toolConfig':{'tools':[{'toolSpec':{'name':'f','inputSchema':{'json':{'"
                           "type':'object',"
                           "'properties':{}}}}},{'cachePoint':{'type':'default'}}]}}",
     ""},
    {"Nova has no cache of tools", NOVA,
     HI ",'tools':[{'type':'function','function':{'name':'f','parameters':" LOOSE
        "},'cache_control':{'type':'ephemeral'}}]}",
     HI_OUT ",'toolConfig':{'tools':[" SPEC("f") "]}}", "tools.cache_control"},
    {"most models have no cache at all", LLAMA,
     PARTS("{'type':'text','text':'a','cache_control':{'type':'ephemeral'}}"),
     PARTS_OUT(BLOCK("a")), "messages.cache_control"},
};

Test(back_bedrock, requests)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct dialect_run *run = calloc(1, sizeof *run);
        run_begin(run, OP_CHAT, CAT_DIALECT_BEDROCK, rows[i].model);
        run->target.service = STR("bedrock");
        cr_expect_str_eq(run_request(run, run_quotes(run, rows[i].in)),
                         run_quotes(run, rows[i].out), "%s:\n%s\nwanted\n%s", rows[i].name,
                         run->text, run_quotes(run, rows[i].out));
        cr_expect_str_eq(run->call.dropped, rows[i].dropped, "%s: dropped %s", rows[i].name,
                         run->call.dropped);
        run_end(run);
        free(run);
    }
}

/* The Messages API in: what Claude's own callers say passes to Claude, and is told to others. */
static const struct {
    const char *name, *model, *in, *out, *dropped;
} messages[] = {
    {"thinking and effort in Claude's own words", OPUS,
     "{'max_tokens':9,'thinking':{'type':'adaptive'},'output_config':{'effort':'max'},'messages':"
     "[" USER("hi") "]}",
     HI_OUT ",'inferenceConfig':{'maxTokens':9}" MORE(
         "'thinking':{'type':'adaptive'},'output_config':{'effort':'max'}") "}",
     ""},
    {"an effort alone is no thinking", CLAUDE,
     "{'max_tokens':9,'temperature':0.5,'output_config':{'effort':'low'},'messages':[" USER(
         "hi") "]}",
     HI_OUT ",'inferenceConfig':{'maxTokens':9,'temperature':0.5}" MORE(
         "'output_config':{'effort':'low'}") "}",
     ""},
    {"a budget for Nova 2 cannot be kept", NOVA2,
     "{'max_tokens':9000,'thinking':{'type':'enabled','budget_tokens':5000},'messages':[" USER(
         "hi") "]}",
     HI_OUT ",'inferenceConfig':{'maxTokens':9000}}", "thinking"},
    {"BUG tool_choice stood at the top, documents lost their names", CLAUDE,
     "{'max_tokens':9,'tools':[{'name':'f','input_schema':" LOOSE "}],'tool_choice':{'type':'any',"
     "'disable_parallel_tool_use':true},'messages':[{'role':'user','content':[{'type':'document',"
     "'title':'T.pdf','context':'C','citations':{'enabled':true},'source':{'type':'text',"
     "'media_type':'text/plain','data':'w\\u00e9'}},{'type':'text','text':'read'}]}]}",
     SAID(TURN("user", "{'document':{'format':'txt','name':'T','context':'C','citations':{"
                       "'enabled':true},'source':{'text':'w\\u00e9'}}}," BLOCK(
                           "read"))) ",'inferenceConfig':{'maxTokens':9},'toolConfig':{'tools':"
                                     "[" SPEC("f") "]}" MORE("'tool_choice':{'type':'any','disable_"
                                                             "parallel_tool_use':true}") "}",
     ""},
    {"words as a file for those who read files", NOVA,
     "{'max_tokens':9,'messages':[{'role':'user','content':[{'type':'document','source':{'type':"
     "'text','media_type':'text/plain','data':'w\\u00e9'}},{'type':'text','text':'read'}]}]}",
     SAID(TURN("user",
               "{'document':{'format':'txt','name':'document','source':{'bytes':'d8Op'}}}," BLOCK(
                   "read"))) ",'inferenceConfig':{'maxTokens':9}}",
     ""},
    {"a failed result, and one with an image", CLAUDE,
     "{'max_tokens':9,'tools':[{'name':'f','input_schema':" LOOSE "}],'messages':[" USER(
         "go") ",{'role':'assistant','content':[{'type':'tool_use','id':'a','name':'f','input':{}}"
               "]},{'role':'user','content':[{'type':'tool_result','tool_use_id':'a','is_error':"
               "true,"
               "'content':[{'type':'text','text':'x'},{'type':'image','source':{'type':'base64',"
               "'media_type':'image/png','data':'AAAA'}}]}]}]}",
     SAID(TURN("user", BLOCK("go")) "," TURN("assistant", USE("a", "f", "{}")) "," TURN(
         "user", "{'toolResult':{'toolUseId':'a','content':[" BLOCK(
                     "x") ",{'image':{"
                          "'format':'png','source':{'bytes':'AAAA'}}}],'status':'error'"
                          "}}")) ",'inferenceConfig':{'maxTokens':9},'toolConfig':{'"
                                 "tools':[" SPEC("f") "]}}",
     ""},
    {"where a result has no status", LLAMA,
     "{'max_tokens':9,'tools':[{'name':'f','input_schema':" LOOSE "}],'messages':[" USER(
         "go") ",{'role':'assistant','content':[{'type':'tool_use','id':'a','name':'f','input':{}}"
               "]},{'role':'user','content':[{'type':'tool_result','tool_use_id':'a','is_error':"
               "true,"
               "'content':'x'}]}]}",
     SAID(TURN("user", BLOCK("go")) "," TURN("assistant", USE("a", "f", "{}")) "," TURN(
         "user",
         RESULT_OUT(
             "a",
             "x"))) ",'inferenceConfig':{'maxTokens':9},'toolConfig':{'tools':[" SPEC("f") "]}}",
     "messages.content.is_error"},
};

Test(back_bedrock, messages)
{
    for (size_t i = 0; i < COUNT_OF(messages); i++) {
        struct dialect_run *run = calloc(1, sizeof *run);
        run_begin(run, OP_MESSAGES, CAT_DIALECT_BEDROCK, messages[i].model);
        run->target.service = STR("bedrock");
        cr_expect_str_eq(run_request(run, run_quotes(run, messages[i].in)),
                         run_quotes(run, messages[i].out), "%s:\n%s\nwanted\n%s", messages[i].name,
                         run->text, run_quotes(run, messages[i].out));
        cr_expect_str_eq(run->call.dropped, messages[i].dropped, "%s: dropped %s", messages[i].name,
                         run->call.dropped);
        run_end(run);
        free(run);
    }
}

static const struct {
    const char *model, *stream_path;
} paths[] = {
    {CLAUDE, "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream"},
    {"arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2",
     "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fa1b2/"
     "converse-stream"},
    {"a/../b?c#d@e f", "/model/a%2F..%2Fb%3Fc%23d%40e%20f/converse-stream"},
    {"..", "/model/%2E%2E/converse-stream"},
};

Test(back_bedrock, the_model_is_one_segment_of_the_path)
{
    const struct back *back = dialect_back(CAT_DIALECT_BEDROCK);
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct dialect_target target = {.model = str_c(paths[i].model)};
        struct buf out;
        buf_init(&out, 4096);
        cr_expect_eq(back->path(&target, str_c(back->default_path), true, &out), ST_OK);
        cr_expect_str_eq(out.p, paths[i].stream_path);
        buf_clear(&out);
        cr_expect_eq(back->path(&target, str_c(back->default_path), false, &out), ST_OK);
        cr_expect(str_ends(buf_str(&out), STR("/converse")));
        buf_free(&out);
    }
    struct dialect_target nothing = {.model = STR("")};
    struct buf out;
    buf_init(&out, 64);
    cr_expect_eq(back->path(&nothing, str_c(back->default_path), true, &out), ST_INVALID);
    buf_free(&out);
}

#define PROFILE "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2"

static const struct {
    const char *name, *model, *base, *configuration, *id;
    enum bedrock_family family;
} models[] = {
    {"a plain id", OLD, "", "", OLD, BEDROCK_CLAUDE},
    {"a region's prefix", CLAUDE, "", "", &CLAUDE[3], BEDROCK_CLAUDE},
    {"a prefix with a hyphen", "us-gov.anthropic.claude-sonnet-5", "", "",
     "anthropic.claude-sonnet-5", BEDROCK_CLAUDE},
    {"the longer name first", NOVA2, "", "", NOVA2, BEDROCK_NOVA_2},
    {"an ARN that ends in the id", "arn:aws:bedrock:eu-west-1::foundation-model/" NOVA2, "", "",
     NOVA2, BEDROCK_NOVA_2},
    {"an ARN of a region's profile", "arn:aws:bedrock:eu-west-1:1:inference-profile/" CLAUDE, "",
     "", &CLAUDE[3], BEDROCK_CLAUDE},
    {"an ARN that says nothing", PROFILE, "", "", "a1b2", BEDROCK_OTHER},
    {"the rule's base model says it", PROFILE, NOVA2, "", NOVA2, BEDROCK_NOVA_2},
    {"the configuration says it", PROFILE, "",
     "{\"a\":[{}],\"aws_inference_profiles\":{\"x\":\"y\",\"" PROFILE "\":\"" OLD "\"}}", OLD,
     BEDROCK_CLAUDE},
    {"a configuration of another form is none", PROFILE, "", "{\"aws_inference_profiles\":[1]}",
     "a1b2", BEDROCK_OTHER},
    {"nothing at all", "x", "", "", "x", BEDROCK_OTHER},
};

Test(back_bedrock, models)
{
    for (size_t i = 0; i < COUNT_OF(models); i++) {
        struct dialect_target target = {.model = str_c(models[i].model),
                                        .base_model = str_c(models[i].base),
                                        .configurations_json = str_c(models[i].configuration)};
        struct bedrock_model model;
        bedrock_model_of(&target, &model);
        cr_expect_eq(model.family, models[i].family, "%s", models[i].name);
        cr_expect(str_eq(model.id, str_c(models[i].id)), "%s: %.*s", models[i].name,
                  STR_ARG(model.id));
    }
}

Test(back_bedrock, a_url_is_fetched_unless_it_lies_in_s3)
{
    const struct back *back = dialect_back(CAT_DIALECT_BEDROCK);
    static const struct {
        enum chat_source source;
        const char *url;
        bool wants;
    } urls[] = {{CHAT_SOURCE_URL, "https://x/y.png", true},
                {CHAT_SOURCE_URL, "HTTP://x/y.png", true},
                {CHAT_SOURCE_URL, "s3://b/y.png", false},
                {CHAT_SOURCE_URL, "file:///etc/passwd", false},
                {CHAT_SOURCE_DATA, "https://x", false}};
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        struct chat_part part = {.kind = CHAT_PART_IMAGE,
                                 .media = {.source = urls[i].source, .inner = str_c(urls[i].url)}};
        cr_expect_eq(back->wants_bytes(NULL, &part), urls[i].wants, "%s", urls[i].url);
    }
}

Test(back_bedrock, has_a_rule_for_every_parameter)
{
    cr_expect_eq(params_check(dialect_back(CAT_DIALECT_BEDROCK)->params), CHAT_PARAM_COUNT);
}
