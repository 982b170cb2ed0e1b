/* Requests: OpenAI's chat in, Google's body out. Each row is named for what broke elsewhere or what
 * it holds. */
#include "tests/unit/data-plane/dialect/gemini_rows.h"

#include "data-plane/dialect/path.h"

static const struct gemini_row rows[] = {
    {"words pass as they stand", "gemini-2.5-flash",
     "{'messages':[" USER("\\u0000 \xC3\xA9 \\ud83d\\ude00") "]}",
     OUT(TURN("user", TEXT("\\u0000 \xC3\xA9 \\ud83d\\ude00")), ""), ""},
    {"BUG later system messages were lost", "gemini-2.5-flash",
     "{'messages':[" TOLD("a") "," USER("hi") "," SAID(
         "yo") ",{'role':'developer','content':[{'type':'text',"
               "'text':'b'},{'type':'text','text':'c'}]}," USER("ho") "]}",
     "{'systemInstruction':{'parts':[" TEXT("a") "," TEXT("b") "," TEXT("c") "]},'contents':[" TURN(
         "user", TEXT("hi")) "," TURN("model", TEXT("yo")) "," TURN("user", TEXT("ho")) "],"
                                                                                        "'g"
                                                                                        "en"
                                                                                        "er"
                                                                                        "at"
                                                                                        "io"
                                                                                        "nC"
                                                                                        "on"
                                                                                        "fi"
                                                                                        "g'"
                                                                                        ":{"
                                                                                        "}"
                                                                                        "}",
     ""},
    {"neighbours of one role are one turn, a system message between them or not",
     "gemini-2.5-flash",
     "{'messages':[" USER("a") "," TOLD("s") "," USER("b") "," SAID("c") "," SAID("d") "," USER(
         "e") "]}",
     "{'systemInstruction':{'parts':[" TEXT("s") "]},'contents':[" TURN(
         "user",
         TEXT("a") "," TEXT("b")) "," TURN("model",
                                           TEXT("c") "," TEXT(
                                               "d")) "," TURN("user",
                                                              TEXT("e")) "],'generationConfig':{}}",
     ""},
    {"a model without instructions hears them from the user", "gemma-3-27b-it",
     "{'messages':[" TOLD("a") "," USER("hi") "," SAID("yo") "," USER("ho") "]}",
     OUT(TURN("user", TEXT("a") "," TEXT("hi")) "," TURN("model", TEXT("yo")) "," TURN("user",
                                                                                       TEXT("ho")),
         ""),
     ""},
    {"an assistant who said nothing is no turn", "gemini-2.5-flash",
     "{'messages':[" USER("hi") "," SAID("") "," USER("ho") "]}",
     OUT(TURN("user", TEXT("hi")) "," TURN("user", TEXT("ho")), ""), ""},
    {"names cannot be told", "gemini-2.5-flash",
     "{'messages':[{'role':'user','name':'bo','content':'hi'}]}", OUT(HI_OUT, ""), "messages.name"},
    {"cache marks are for other providers", "gemini-2.5-flash",
     "{'messages':[{'role':'user','content':[{'type':'text','text':'hi','cache_control':{'"
     "type':'ephemeral'}}]}]}",
     OUT(HI_OUT, ""), "messages.cache_control"},
    /* --- parameters */
    {"sampling passes as text", "gemini-2.5-flash",
     "{" HI ",'temperature':1.70,'top_p':0.5,'top_k':5,'seed':7,'presence_penalty':0.1,'"
     "frequency_penalty':0.2}",
     OUT(HI_OUT, "'temperature':1.70,'topP':0.5,'topK':5,'seed':7,'presencePenalty':0.1,'"
                 "frequencyPenalty':0.2"),
     ""},
    {"max_completion_tokens wins", "gemini-2.5-flash",
     "{" HI ",'max_tokens':7,'max_completion_tokens':9}", OUT(HI_OUT, "'maxOutputTokens':9"), ""},
    {"BUG stop as a string was not wrapped", "gemini-2.5-flash", "{" HI ",'stop':'END'}",
     OUT(HI_OUT, "'stopSequences':['END']"), ""},
    {"BUG n was dropped", "gemini-2.5-flash", "{" HI ",'n':3}", OUT(HI_OUT, "'candidateCount':3"),
     ""},
    {"n has a limit", "gemini-2.5-flash", "{" HI ",'n':9}",
     "400: n: provider @prod (google) gives 1 to 8 answers.", ""},
    {"logprobs", "gemini-2.5-flash", "{" HI ",'logprobs':true,'top_logprobs':3}",
     OUT(HI_OUT, "'responseLogprobs':true,'logprobs':3"), ""},
    {"plain values ask for nothing", "gemini-2.5-flash",
     "{" HI ",'n':1,'logit_bias':{},'store':false,'tools':[],'modalities':['text'],'"
     "parallel_tool_calls':true,"
     "'response_format':{'type':'text'},'service_tier':'auto','verbosity':'medium'}",
     OUT(HI_OUT, ""), ""},
    {"what cannot be honoured is listed", "gemini-2.5-flash",
     "{" HI ",'logit_bias':{'1':2},'store':true,'metadata':{'a':'b'},'user':'u','verbosity':'low',"
     "'prompt_cache_key':'k','parallel_tool_calls':false,'nonsense':1}",
     OUT(HI_OUT, ""),
     "logit_bias, parallel_tool_calls, verbosity, user, prompt_cache_key, metadata, store, "
     "nonsense"},
    {"service tiers", "gemini-2.5-flash", "{" HI ",'service_tier':'flex'}",
     "{'contents':[" HI_OUT "],'generationConfig':{},'serviceTier':'flex'}", ""},
    {"a tier that is not there", "gemini-2.5-flash", "{" HI ",'service_tier':'scale'}",
     OUT(HI_OUT, ""), "service_tier"},
    {"BUG safety settings were dropped", "gemini-2.5-flash",
     "{" HI ",'safety_settings':[{'category':'C','threshold':'T'}],'cachedContent':'"
     "cachedContents/1',"
     "'image_config':{'aspectRatio':'1:1'}}",
     "{'contents':[" HI_OUT "],'generationConfig':{'imageConfig':{'aspectRatio':'1:1'}},"
     "'safetySettings':[{'category':'C','threshold':'T'}],'cachedContent':'cachedContents/"
     "1'}",
     ""},
    {"Google's members where its OpenAI-compatible service has them", "gemini-2.5-flash",
     "{" HI ",'extra_body':{'google':{'thinking_config':{'thinking_budget':0},'cached_"
     "content':'c'}}}",
     "{'contents':[" HI_OUT
     "],'generationConfig':{'thinkingConfig':{'thinking_budget':0}},'cachedContent':'c'}",
     ""},
    {"pictures are asked for", "gemini-2.5-flash-image", "{" HI ",'modalities':['text','image']}",
     OUT(HI_OUT, "'responseModalities':['TEXT','IMAGE']"), ""},
    {"audio out is refused", "gemini-2.5-flash", "{" HI ",'modalities':['text','audio']}",
     "400: modalities: provider @prod (google) answers a chat in text and images. Ask for "
     "these, or use "
     "/v1/audio/speech.",
     ""},
    /* --- thinking */
    {"effort is a budget", "gemini-2.5-flash", "{" HI ",'reasoning_effort':'medium'}",
     OUT(HI_OUT, "'thinkingConfig':{'includeThoughts':true,'thinkingBudget':8192}"), ""},
    {"none is no thinking", "gemini-2.5-flash", "{" HI ",'reasoning_effort':'none'}",
     OUT(HI_OUT, "'thinkingConfig':{'thinkingBudget':0}"), ""},
    {"a model that cannot stop thinking", "gemini-2.5-pro", "{" HI ",'reasoning_effort':'none'}",
     OUT(HI_OUT, "'thinkingConfig':{'thinkingBudget':128}"), "reasoning_effort"},
    {"effort is a level", "gemini-3-flash-preview", "{" HI ",'reasoning_effort':'medium'}",
     OUT(HI_OUT, "'thinkingConfig':{'includeThoughts':true,'thinkingLevel':'MEDIUM'}"), ""},
    {"a level that is not there is the next one, listed", "gemini-3-pro-preview",
     "{" HI ",'reasoning_effort':'medium'}",
     OUT(HI_OUT, "'thinkingConfig':{'includeThoughts':true,'thinkingLevel':'HIGH'}"),
     "reasoning_effort"},
    {"more effort than a model has is listed", "gemini-3.5-flash",
     "{" HI ",'reasoning_effort':'xhigh'}",
     OUT(HI_OUT, "'thinkingConfig':{'includeThoughts':true,'thinkingLevel':'HIGH'}"),
     "reasoning_effort"},
    {"a model that does not think", "gemini-2.0-flash", "{" HI ",'reasoning_effort':'high'}",
     OUT(HI_OUT, ""), "reasoning_effort"},
    {"none is plain where nothing thinks", "gemini-2.0-flash", "{" HI ",'reasoning_effort':'none'}",
     OUT(HI_OUT, ""), ""},
    {"a budget of another gateway's callers", "gemini-2.5-flash",
     "{" HI ",'thinking':{'type':'enabled','budget_tokens':2000}}",
     OUT(HI_OUT, "'thinkingConfig':{'includeThoughts':true,'thinkingBudget':2000}"), ""},
    {"BUG a budget out of range was clamped silently", "gemini-2.5-pro",
     "{" HI ",'thinking':{'type':'enabled','budget_tokens':50000}}",
     OUT(HI_OUT, "'thinkingConfig':{'includeThoughts':true,'thinkingBudget':32768}"), "thinking"},
    {"the caller's own thinkingConfig wins", "gemini-2.5-flash",
     "{" HI ",'reasoning_effort':'low','thinkingConfig':{'thinkingBudget':5}}",
     OUT(HI_OUT, "'thinkingConfig':{'thinkingBudget':5}"), "reasoning_effort"},
    /* --- media */
    {"pictures, sound, documents", "gemini-2.5-flash",
     "{'messages':[{'role':'user','content':[" PICTURE(
         "data:image/jpg;base64,AAAA") ",{'type':'input_audio','input_audio':"
                                       "{'data':'BBBB','format':'mp3'}},{'type':'file','"
                                       "file':{'file_data':'data:application/"
                                       "pdf;base64,CCCC'}},"
                                       "{'type':'file','file':{'file_data':'DDDD'}}]}]}",
     OUT(TURN("user", "{'inlineData':{'mimeType':'image/"
                      "jpeg','data':'AAAA'}},{'inlineData':{'mimeType':'audio/mp3','data':"
                      "'BBBB'}},{'inlineData':{'mimeType':'application/"
                      "pdf','data':'CCCC'}},{'inlineData':{'mimeType':"
                      "'application/pdf','data':'DDDD'}}"),
         ""),
     ""},
    {"films", "gemini-2.5-flash",
     "{'messages':[{'role':'user','content':[{'type':'video_url','video_url':{'url':'data:video/"
     "mp4;base64,AAAA'}}]}]}",
     OUT(TURN("user", "{'inlineData':{'mimeType':'video/mp4','data':'AAAA'}}"), ""), ""},
    {"a file's name cannot be told", "gemini-2.5-flash",
     "{'messages':[{'role':'user','content':[{'type':'file','file':{'filename':'a.pdf','file_data':"
     "'AAAA'}}]}]}",
     OUT(TURN("user", "{'inlineData':{'mimeType':'application/pdf','data':'AAAA'}}"), ""),
     "messages.filename"},
    {"what Google reads for itself", "gemini-2.5-flash",
     "{'messages':[{'role':'user','content':[" PICTURE("gs://b/x.webp") "," PICTURE(
         "https://youtu.be/abc") ",{'type':'file',"
                                 "'file':{'file_id':'files/"
                                 "abc'}},{'type':'file','file':{'file_url':'gs://b/"
                                 "y','mime_type':'video/mp4'}}]}]}",
     OUT(TURN("user", "{'fileData':{'mimeType':'image/webp','fileUri':'gs://b/"
                      "x.webp'}},{'fileData':{'fileUri':"
                      "'https://youtu.be/abc'}},{'fileData':{'fileUri':'https://"
                      "generativelanguage.googleapis.com/v1beta/files/abc'}},"
                      "{'fileData':{'mimeType':'video/mp4','fileUri':'gs://b/y'}}"),
         ""),
     ""},
    {"how closely to look cannot be told", "gemini-2.5-flash",
     "{'messages':[{'role':'user','content':[{'type':'image_url','image_url':{'url':'gs://"
     "b/x.png','detail':'low'}}]}]}",
     OUT(TURN("user", "{'fileData':{'mimeType':'image/png','fileUri':'gs://b/x.png'}}"), ""),
     "image_url.detail"},
    {"files of others", "gemini-2.5-flash",
     "{'messages':[{'role':'user','content':[{'type':'file','file':{'file_id':'file-1'}}]}]"
     "}",
     "400: messages[0].content[0]: provider @prod (google) does not take files of another "
     "provider. Send it as a data "
     "URL, an https URL, a gs:// URI or a file of the Gemini API.",
     ""},
    {"other URLs", "gemini-2.5-flash",
     "{'messages':[{'role':'user','content':[" PICTURE("ftp://a/b") "]}]}",
     "400: messages[0].content[0]: provider @prod (google) does not take this kind of URL. "
     "Send it as a data URL, an https "
     "URL, a gs:// URI or a file of the Gemini API.",
     ""},
    {"content that nobody knows", "gemini-2.5-flash",
     "{'messages':[{'role':'user','content':[{'type':'x'}]}]}",
     "400: messages[0].content[0]: provider @prod (google) does not take this type of "
     "content. Send text, image_url, "
     "input_audio, video_url or file parts.",
     ""},
};

Test(back_gemini, writes_what_generate_content_takes)
{
    gemini_rows_run(rows, COUNT_OF(rows));
}

Test(back_gemini, has_a_rule_for_every_parameter)
{
    enum chat_param_name missing = params_check(dialect_back(CAT_DIALECT_GEMINI)->params);
    cr_expect_eq(missing, CHAT_PARAM_COUNT, "%s",
                 missing < CHAT_PARAM_COUNT ? params_text(missing) : "");
}

static struct chat_part *first_part(struct dialect_run *run)
{
    return run->chat->messages->parts.first;
}

Test(back_gemini, urls_of_the_web_are_fetched_and_others_are_not)
{
    static const struct {
        const char *url;
        bool wanted;
    } urls[] = {{"https://a.example/x.png", true},
                {"HTTP://a.example/x", true},
                {"https://youtu.be/x", false},
                {"gs://b/x", false},
                {"data:image/png;base64,AAAA", false},
                {"https://generativelanguage.googleapis.com/v1beta/files/x", false}};
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        char body[512];
        snprintf(body, sizeof body, "{'messages':[{'role':'user','content':[" PICTURE("%s") "]}]}",
                 urls[i].url);
        run_begin(&run, OP_CHAT, CAT_DIALECT_GEMINI, "gemini-2.5-flash");
        run_request(&run, quotes(body));
        cr_expect_eq(run.call.back->wants_bytes(&run.call, first_part(&run)), urls[i].wanted, "%s",
                     urls[i].url);
        run_end(&run);
    }
}

Test(back_gemini, what_was_fetched_is_sent)
{
    static struct dialect_run run;
    struct str out;
    run_begin(&run, OP_CHAT, CAT_DIALECT_GEMINI, "gemini-2.5-flash");
    run_request(&run,
                quotes("{'messages':[{'role':'user','content':[" PICTURE("https://a/b") "]}]}"));
    first_part(&run)->media.fetched = STR("QUJD");
    first_part(&run)->media.fetched_mime = STR("image/webp");
    cr_assert_eq(dialect_write(&run.call, &out), ST_OK);
    cr_expect_str_eq(
        run_keep(&run, out),
        quotes(OUT(TURN("user", "{'inlineData':{'mimeType':'image/webp','data':'QUJD'}}"), "")));
    run_end(&run);
}

static const struct {
    const char *model;
    bool stream;
    const char *path;
} paths[] = {
    {"gemini-2.5-flash", false, "/v1beta/models/gemini-2.5-flash:generateContent"},
    {"models/gemini-2.5-flash", true,
     "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"},
    {"tunedModels/mine-1", false, "/v1beta/tunedModels/mine-1:generateContent"},
    {"tunedModels/mine-1", true, "/v1beta/tunedModels/mine-1:streamGenerateContent?alt=sse"},
    {"a/../b", false, NULL},
    {"a?key=x", false, NULL},
    {"a#b", true, NULL},
    {"..", false, NULL},
    {"", false, NULL},
};

Test(back_gemini, the_model_stands_in_the_path_and_nothing_else_does)
{
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct dialect_target target = {.model = str_c(paths[i].model)};
        const struct back *back = dialect_back(CAT_DIALECT_GEMINI);
        struct buf out;
        buf_init(&out, 4096);
        enum status status = back->path(&target, STR("/v1beta/models/{model}:generateContent"),
                                        paths[i].stream, &out);
        if (paths[i].path == NULL)
            cr_expect_eq(status, ST_INVALID, "%s", paths[i].model);
        else
            cr_expect(status == ST_OK && str_eq(buf_str(&out), str_c(paths[i].path)), "%.*s",
                      STR_ARG(buf_str(&out)));
        buf_free(&out);
    }
}

Test(path, placeholders_come_from_the_configuration)
{
    struct dialect_target target = {.configurations_json =
                                        str_c(quotes("{'a':'x-1','b':'x/y','n':1}"))};
    struct buf out;
    buf_init(&out, 4096);
    cr_expect_eq(path_fill(&target, STR("/p/{a}/{id}:{model}"), STR("m@1"), &out), ST_OK);
    cr_expect(str_eq(buf_str(&out), STR("/p/x-1/{id}:m@1")));
    cr_expect_eq(path_fill(&target, STR("/{b}"), STR("m"), &out), ST_INVALID);
    cr_expect_eq(path_fill(&target, STR("/{n}"), STR("m"), &out), ST_INVALID);
    cr_expect_eq(path_fill(&target, STR("/{missing}"), STR("m"), &out), ST_INVALID);
    buf_free(&out);
}
