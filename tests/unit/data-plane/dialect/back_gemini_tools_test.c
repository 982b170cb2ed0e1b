/* Requests with tools, signatures and JSON answers: OpenAI's chat in, Google's body out. */
#include "tests/unit/data-plane/dialect/gemini_rows.h"

static const struct gemini_row rows[] = {
    {"BUG schema keywords were lost", "gemini-2.5-flash",
     "{" HI ",'tools':[" TOOL("f") ",{'type':'function',"
                                   "'function':{'name':'g','description':'d','strict':true}}]}",
     "{'contents':[" HI_OUT
     "]," TOOLS_OUT(TOOL_OUT("f") ",{'name':'g','description':'d'}") ",'generationConfig':{}}",
     "tools.strict"},
    {"a choice of any", "gemini-2.5-flash",
     "{" HI ",'tools':[" TOOL("f") "],'tool_choice':'required'}",
     "{'contents':[" HI_OUT
     "]," TOOLS_OUT(TOOL_OUT("f")) ",'toolConfig':{'functionCallingConfig':{'mode':'ANY'}},"
                                   "'generationConfig':{}}",
     ""},
    {"a choice of one", "gemini-2.5-flash",
     "{" HI ",'tools':[" TOOL("f") "],'tool_choice':{'type':'function',"
                                   "'function':{'name':'f'}}}",
     "{'contents':[" HI_OUT
     "]," TOOLS_OUT(TOOL_OUT("f")) ",'toolConfig':{'functionCallingConfig':{'mode':'ANY',"
                                   "'allowedFunctionNames':['f']}},'generationConfig':{}}",
     ""},
    {"a choice of none", "gemini-2.5-flash",
     "{" HI ",'tools':[" TOOL("f") "],'tool_choice':'none'}",
     "{'contents':[" HI_OUT
     "]," TOOLS_OUT(TOOL_OUT("f")) ",'toolConfig':{'functionCallingConfig':{'mode':'NONE'}},"
                                   "'generationConfig':{}}",
     ""},
    {"Google's own tools by their names", "gemini-2.5-flash",
     "{" HI ",'tools':[{'type':'google_search'},{'type':'urlContext','urlContext':{}},{'"
     "type':'function','function':"
     "{'name':'googleMaps'}},{'type':'file_search','file_search':{'fileSearchStoreNames':['"
     "s']}}]}",
     "{'contents':[" HI_OUT
     "],'tools':[{'googleSearch':{}},{'urlContext':{}},{'googleMaps':{}},{'fileSearch':"
     "{'fileSearchStoreNames':['s']}}],'generationConfig':{}}",
     ""},
    {"a function of the caller's may have such a name", "gemini-2.5-flash",
     "{" HI ",'tools':[{'type':'function','function':{'name':'google_search','description':"
     "'mine'}}]}",
     "{'contents':[" HI_OUT
     "]," TOOLS_OUT("{'name':'google_search','description':'mine'}") ",'generationConfig':{}}",
     ""},
    {"web_search_options asks for the search", "gemini-2.5-flash",
     "{" HI ",'web_search_options':{'search_context_size':'low'}}",
     "{'contents':[" HI_OUT "],'tools':[{'googleSearch':{}}],'generationConfig':{}}",
     "web_search_options.search_context_size"},
    {"tools of others are refused", "gemini-2.5-flash",
     "{" HI ",'tools':[{'type':'code_interpreter'}]}",
     "400: tools[0].type: provider @prod (google) does not take this type of tool. Send "
     "functions, or a tool of "
     "Google's such as google_search.",
     ""},
    {"BUG names of results were made up, text beside calls was lost, results were not one "
     "turn",
     "gemini-2.5-flash",
     "{'messages':[" USER("hi") ",{'role':'assistant','content':'ok','tool_calls':[" CALL(
         "c1", "f") "," CALL("c2",
                             "g") "]}," RESULT("c2",
                                               "2") "," RESULT("c1",
                                                               "{\\'t\\':1}") "," USER("so") "]}",
     OUT(TURN("user", TEXT("hi")) "," TURN(
             "model", TEXT("ok") "," CALLED("c1", "f") "," CALLED(
                          "c2", "g")) "," TURN("user",
                                               GAVE("c2", "g", "{'output':'2'}") "," GAVE(
                                                   "c1", "f", "{'t':1}") "," TEXT("so")),
         ""),
     ""},
    {"ids that are ours do not go to Google", "gemini-2.5-flash",
     "{'messages':[" USER("hi") ",{'role':'assistant','tool_calls':[" CALL(
         "call_sluice_x_0", "f") "]}," RESULT("call_sluice_x_0", "2") "]}",
     OUT(TURN("user", TEXT("hi")) "," TURN(
             "model",
             "{'functionCall':{'name':'f','args':{'"
             "a':1}}}") "," TURN("user",
                                 "{'functionResponse':{'name':'f','response':{'output':'2'}}}"),
         ""),
     ""},
    {"older functions", "gemini-2.5-flash",
     "{'messages':[" USER(
         "hi") ",{'role':'assistant','function_call':{'name':'f','arguments':''}},"
               "{'role':'function','name':'f','content':'x'}],'functions':[{'name':'f'}]}",
     "{'contents':[" TURN("user", TEXT("hi")) "," TURN(
         "model",
         "{'functionCall':{'id':'"
         "call_1','name':'f','args':"
         "{}}}") "," TURN("user",
                          GAVE("call_1", "f",
                               "{'output':'x'}")) "]," TOOLS_OUT("{'name':'f'}") ",'"
                                                                                 "generationConfig'"
                                                                                 ":{}}",
     ""},
    {"a result without its call is refused", "gemini-2.5-flash",
     "{'messages':[" RESULT("c1", "2") "]}",
     "400: messages[0]: provider @prod (google) does not take a result whose call it "
     "cannot see. Send the "
     "assistant's message with the call that it answers.",
     ""},
    {"arguments must be an object", "gemini-2.5-flash",
     "{'messages':[{'role':'assistant','tool_calls':[{'id':'a','type':'function','function'"
     ":{'name':'f',"
     "'arguments':'[1]'}}]}]}",
     "400: messages[0].tool_calls[0]: provider @prod (google) does not take arguments that "
     "are no JSON object. "
     "Send the call as the model made it.",
     ""},
    {"pictures in a result stand behind it", "gemini-2.5-flash",
     "{'messages':[{'role':'assistant','tool_calls':[" CALL(
         "c1", "f") "]},{'role':'tool','tool_call_id':'c1',"
                    "'content':[{'type':'text','text':'see'}," PICTURE(
                        "data:image/png;base64,AAAA") "]}]}",
     OUT(TURN("model", CALLED("c1", "f")) "," TURN(
             "user", GAVE("c1", "f", "{'output':'see'}") ",{'inlineData':{'mimeType':'image/"
                                                         "png','data':'AAAA'}}"),
         ""),
     ""},
    {"or inside of it, where the model takes that", "gemini-3.5-flash",
     "{'messages':[{'role':'assistant','tool_calls':[{'id':'c1','type':'function','"
     "function':{'name':'f','arguments':"
     "'{}'},'extra_content':{'google':{'thought_signature':'S'}}}]},{'role':'tool','tool_"
     "call_id':'c1','content':[" PICTURE("data:image/png;base64,AAAA") "]}]}",
     OUT(TURN("model", "{'functionCall':{'id':'c1','name':'f','args':{}},'thoughtSignature'"
                       ":'S'}") "," TURN("user", "{'functionResponse':{'id':'c1','name':'f','"
                                                 "response':{'output':''},'parts':[{'inlineData':"
                                                 "{'mimeType':'image/png','data':'AAAA'}}]}}"),
         ""),
     ""},
    /* --- signatures */
    {"BUG a call's signature was lost in tool loops", "gemini-3-pro-preview",
     "{'messages':[" USER("hi") ",{'role':'assistant','tool_calls':[{'id':'c1','type':'"
                                "function','function':{'name':'f',"
                                "'arguments':'{}'},'extra_content':{'google':{'thought_"
                                "signature':'SIG=='}}}," CALL("c2", "g") "]}," RESULT(
                                    "c1", "1") "," RESULT("c2", "2") "]}",
     OUT(TURN("user", TEXT("hi")) "," TURN(
             "model",
             "{'functionCall':{'id':'c1','name':'f','args':{}},'thoughtSignature':"
             "'SIG=='}," CALLED("c2", "g")) "," TURN("user",
                                                     GAVE("c1", "f", "{'output':'1'}") "," GAVE(
                                                         "c2", "g", "{'output':'2'}")),
         ""),
     ""},
    {"a signature that a client lost is waived, and told", "gemini-3-pro-preview",
     "{'messages':[" USER("hi") ",{'role':'assistant','tool_calls':[" CALL("c1", "f") "," CALL(
         "c2", "g") "]}," RESULT("c1", "1") "," RESULT("c2", "2") "]}",
     OUT(TURN("user", TEXT("hi")) "," TURN(
             "model", "{'functionCall':{'id':'c1','name':'f','args':{'a':1}},"
                      "'thoughtSignature':'skip_thought_signature_validator'}," CALLED(
                          "c2", "g")) "," TURN("user",
                                               GAVE("c1", "f", "{'output':'1'}") "," GAVE(
                                                   "c2", "g", "{'output':'2'}")),
         ""),
     "messages.thought_signature"},
    {"a message's own signature goes to its last words", "gemini-3-pro-preview",
     "{'messages':[" USER("hi") ",{'role':'assistant','content':'yo','reasoning_details':[{"
                                "'type':'reasoning.encrypted',"
                                "'data':'S','format':'google-gemini-v1'}]}," USER("ho") "]}",
     OUT(TURN("user", TEXT("hi")) "," TURN(
             "model", "{'text':'yo','thoughtSignature':'S'}") "," TURN("user", TEXT("ho")),
         ""),
     ""},
    {"or stands alone", "gemini-3-pro-preview",
     "{'messages':[{'role':'assistant','reasoning_details':[{'type':'reasoning.text','text'"
     ":'t','signature':'A','format':"
     "'google-gemini-v1'},{'type':'reasoning.encrypted','data':'S','format':'google-gemini-"
     "v1'}]}]}",
     OUT(TURN("model", "{'text':'t','thought':true,'thoughtSignature':'A'},{'text':'','"
                       "thoughtSignature':'S'}"),
         ""),
     ""},
    {"BUG unsigned or others' thinking became text", "gemini-2.5-flash",
     "{'messages':[" USER("hi") ",{'role':'assistant','content':'x','reasoning_content':'t'"
                                "}," USER("a") ",{'role':'assistant','content':'y','"
                                               "reasoning_details':[{'type':'reasoning."
                                               "text','text':'t','signature':'G',"
                                               "'format':'anthropic-claude-v1'}]}]}",
     OUT(TURN("user", TEXT("hi")) "," TURN("model", TEXT("x")) "," TURN("user", TEXT("a")) "," TURN(
             "model", TEXT("y")),
         ""),
     "messages.reasoning_content"},
    /* --- the answer's form */
    {"BUG a schema was cut down to what Google's own form has", "gemini-2.5-flash",
     "{" HI ",'response_format':{'type':'json_schema','json_schema':{'name':'n','schema':{'"
     "$ref':'#/$defs/a','$defs':"
     "{'a':{'type':'object','additionalProperties':false}}}}}}",
     OUT(HI_OUT, "'responseMimeType':'application/json','responseJsonSchema':{'$ref':'#/"
                 "$defs/a','$defs':{'a':{'type':"
                 "'object','additionalProperties':false}}}"),
     ""},
    {"any JSON", "gemini-2.5-flash", "{" HI ",'response_format':{'type':'json_object'}}",
     OUT(HI_OUT, "'responseMimeType':'application/json'"), ""},
    {"a model without schemas", "gemini-1.5-pro",
     "{" HI ",'response_format':{'type':'json_schema','json_schema':{'name':"
     "'n','schema':{}}}}",
     "400: response_format: the model gemini-1.5-pro takes no JSON schema. Send "
     "json_object, or name a newer model.",
     ""},
    {"JSON beside functions, where the model takes both", "gemini-3.5-flash",
     "{" HI ",'tools':[" TOOL("f") "],'response_format':{'type':'json_object'}}",
     "{'contents':[" HI_OUT
     "]," TOOLS_OUT(TOOL_OUT("f")) ",'generationConfig':{'responseMimeType':'application/json'}}",
     ""},
    {"JSON beside functions is a function elsewhere", "gemini-2.5-flash",
     "{" HI ",'tools':[" TOOL("f") "],'response_format':{'type':'json_schema','json_schema'"
                                   ":{'name':'n','schema':{'type':"
                                   "'object'}}}}",
     "{'contents':[" HI_OUT "]," TOOLS_OUT(TOOL_OUT(
         "f") ",{'name':'json_response','description':'Give your whole answer "
              "to the user by calling this "
              "function.','parametersJsonSchema':{'type':'object'}}") ",'toolConfig':{'"
                                                                      "functionCallingConfi"
                                                                      "g':{'mode':'ANY'}},'"
                                                                      "generationConfig':{}"
                                                                      "}",
     ""},
    {"a call that is forced answers instead of JSON", "gemini-2.5-flash",
     "{" HI
     ",'tools':[" TOOL("f") "],'tool_choice':'required','response_format':{'type':'json_object'}}",
     "{'contents':[" HI_OUT
     "]," TOOLS_OUT(TOOL_OUT("f")) ",'toolConfig':{'functionCallingConfig':{'mode':'ANY'}},"
                                   "'generationConfig':{}}",
     ""},
};

Test(back_gemini_tools, writes_what_generate_content_takes)
{
    gemini_rows_run(rows, COUNT_OF(rows));
}
