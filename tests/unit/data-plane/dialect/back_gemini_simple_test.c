/* Embeddings, pictures and speech at the Gemini API. */
#include "tests/unit/data-plane/dialect/simple_rows.h"

#define REQUEST(text, more)                                                                        \
    "{'model':'models/gemini-embedding-001','content':{'parts':[{'text':'" text "'}]}" more "}"
#define DRAW(config)                                                                               \
    "{'contents':[{'role':'user','parts':[{'text':'a cat'}]}],'generationConfig':{"                \
    "'responseModalities':['TEXT','IMAGE']," config "}}"
#define IMAGEN(more)                                                                               \
    "{'instances':[{'prompt':'a cat'}],'parameters':{'sampleCount':1,'includeRaiReason':true" more \
    "}}"
#define SPEAK(words, speech)                                                                       \
    "{'contents':[{'role':'user','parts':[{'text':'" words "'}]}],'generationConfig':{"            \
    "'responseModalities':['AUDIO'],'speechConfig':{" speech "}}}"

static const struct simple_row rows[] = {
    {"one input", OP_EMBEDDINGS, "gemini-embedding-001", "{'input':'a','model':'x'}",
     "{'requests':[" REQUEST("a", "") "]}", ""},
    {"BUG a list of inputs became one vector", OP_EMBEDDINGS, "gemini-embedding-001",
     "{'input':['a','b "
     "\\u00e9'],'dimensions':256,'task_type':'CLUSTERING','user':'u','encoding_format':'float'}",
     "{'requests':[" REQUEST(
         "a", ",'taskType':'CLUSTERING','outputDimensionality':256") "," REQUEST("b \\u00e9",
                                                                                 ",'taskType':'"
                                                                                 "CLUSTERING','"
                                                                                 "outputDimensional"
                                                                                 "ity':256") "]}",
     "user"},
    {"Cohere's words for what vectors are for", OP_EMBEDDINGS, "models/gemini-embedding-001",
     "{'input':'a','input_type':'search_query','title':'t'}",
     "{'requests':[" REQUEST("a", ",'taskType':'RETRIEVAL_QUERY','title':'t'") "]}", ""},
    {"pictures as inputs", OP_EMBEDDINGS, "gemini-embedding-001",
     "{'input':[{'text':'a'},{'image':'data:image/png;base64,AAAA'}],'more':1}",
     "{'requests':[" REQUEST(
         "a", "") ",{'model':'models/gemini-embedding-001','content':{'parts':[{'inlineData':{"
                  "'mimeType':'image/png','data':'AAAA'}}]}}]}",
     "more"},
    {"URLs of pictures are refused", OP_EMBEDDINGS, "gemini-embedding-001",
     "{'input':[{'image':'https://a/b.png'}]}",
     "400: input[0]: provider @prod (google) does not take the URL of a picture. Send a data URL.",
     ""},
    {"Imagen", OP_IMAGES_GENERATIONS, "imagen-4.0-generate-001",
     "{'prompt':'a cat','size':'1024x1024','seed':5,'add_watermark':false}",
     IMAGEN(",'aspectRatio':'1:1','seed':5,'addWatermark':false"), ""},
    {"a size that is not exactly Google's is listed", OP_IMAGES_GENERATIONS,
     "imagen-4.0-generate-001",
     "{'prompt':'a cat','size':'1792x1024','quality':'hd','style':'vivid'}",
     IMAGEN(",'aspectRatio':'16:9'"), "quality, style, size"},
    {"a shape that it does not have", OP_IMAGES_GENERATIONS, "imagen-4.0-generate-001",
     "{'prompt':'a cat','size':'1536x1024'}", IMAGEN(""), "size"},
    {"plain values ask for nothing", OP_IMAGES_GENERATIONS, "imagen-4.0-generate-001",
     "{'prompt':'a "
     "cat','size':'auto','quality':'auto','response_format':'b64_json','output_format':'png',"
     "'moderation':'auto','n':1}",
     IMAGEN(""), ""},
    {"JPEG", OP_IMAGES_GENERATIONS, "imagen-4.0-generate-001",
     "{'prompt':'a cat','output_format':'jpeg','output_compression':70}",
     IMAGEN(",'outputOptions':{'mimeType':'image/jpeg','compressionQuality':70}"), ""},
    {"URLs are refused", OP_IMAGES_GENERATIONS, "imagen-4.0-generate-001",
     "{'prompt':'a cat','response_format':'url'}",
     "400: response_format: provider @prod (google) cannot honour it. It gives bytes: ask for "
     "b64_json.",
     ""},
    {"too many at once", OP_IMAGES_GENERATIONS, "imagen-4.0-generate-001", "{'prompt':'a','n':5}",
     "400: n: provider @prod (google) makes 1 to 4 pictures.", ""},
    {"Gemini draws", OP_IMAGES_GENERATIONS, "gemini-2.5-flash-image",
     "{'prompt':'a cat','size':'1536x1024','image_size':'2K','negative_prompt':'dog'}",
     DRAW("'imageConfig':{'aspectRatio':'3:2','imageSize':'2K'}"), "negative_prompt, size"},
    {"one at a time", OP_IMAGES_GENERATIONS, "gemini-2.5-flash-image", "{'prompt':'a','n':2}",
     "400: n: provider @prod (google) cannot honour it. It makes one picture at a time: send n "
     "requests.",
     ""},
    {"speech", OP_AUDIO_SPEECH, "gemini-2.5-flash-preview-tts",
     "{'input':'Hello','voice':'Kore','response_format':'pcm','instructions':'Softly.','speed':2}",
     SPEAK("Softly.\\nHello", "'voiceConfig':{'prebuiltVoiceConfig':{'voiceName':'Kore'}}"),
     "speed"},
    {"formats that would have to be encoded are refused", OP_AUDIO_SPEECH,
     "gemini-2.5-flash-preview-tts", "{'input':'Hello','voice':'Kore'}",
     "400: response_format: provider @prod (google) cannot honour it. It gives pcm and wav: ask "
     "for one of them.",
     ""},
};

Test(back_gemini_simple, writes_what_google_takes)
{
    simple_rows_run(rows, COUNT_OF(rows), CAT_DIALECT_GEMINI, "google");
}

static const struct simple_reply_row replies[] = {
    {"vectors pass as they stand; what Google does not tell is our estimate", OP_EMBEDDINGS, "m",
     "{'input':['abcde','b']}", "{'embeddings':[{'values':[0.10,-2e-3]},{'values':[1, 2]}]}",
     "{'object':'list','data':[{'object':'embedding','index':0,'embedding':[0.10,-2e-3]},{'object':"
     "'embedding','index':1,"
     "'embedding':[1, 2]}],'model':'m','usage':{'prompt_tokens':3,'total_tokens':3}}"},
    {"vectors as base64", OP_EMBEDDINGS, "m", "{'input':'a','encoding_format':'base64'}",
     "{'embeddings':[{'values':[0.5,-1,2]}]}",
     "{'object':'list','data':[{'object':'embedding','index':0,'embedding':'AAAAPwAAgL8AAABA'}],'"
     "model':'m','usage':{"
     "'prompt_tokens':1,'total_tokens':1}}"},
    {"fewer vectors than inputs are no answer", OP_EMBEDDINGS, "m", "{'input':['a','b']}",
     "{'embeddings':[{'values':[1]}]}", "<upstream_broken>"},
    {"more are none either", OP_EMBEDDINGS, "m", "{'input':['a']}",
     "{'embeddings':[{'values':[1]},{'values':[1]}]}", "<upstream_broken>"},
    {"no list", OP_EMBEDDINGS, "m", "{'input':['a']}", "{}", "<upstream_broken>"},
    {"no JSON", OP_EMBEDDINGS, "m", "{'input':['a']}", "{'embeddings':", "<upstream_broken>"},
    {"pictures of Imagen", OP_IMAGES_GENERATIONS, "imagen-4", "{'prompt':'a'}",
     "{'predictions':[{'mimeType':'image/png','bytesBase64Encoded':'AAAA','prompt':'a nice a'}]}",
     "{'created':1700000000,'data':[{'b64_json':'AAAA','revised_prompt':'a nice "
     "a'}],'output_format':'png'}"},
    {"BUG a filtered picture was an empty list", OP_IMAGES_GENERATIONS, "imagen-4",
     "{'prompt':'a'}", "{'predictions':[{'raiFilteredReason':'no'}]}",
     "{'error':{'message':'The model made no picture: "
     "no','type':'invalid_request_error','param':null,'code':"
     "'content_policy_violation'}}"},
    {"pictures of Gemini, counted by tokens", OP_IMAGES_GENERATIONS, "gemini-2.5-flash-image",
     "{'prompt':'a'}",
     "{'candidates':[{'content':{'parts':[{'text':'see'},{'inlineData':{'mimeType':'image/"
     "jpeg','data':'BBBB'}}]},"
     "'finishReason':'STOP'}],'usageMetadata':{'promptTokenCount':4,'candidatesTokenCount':1290}}",
     "{'created':1700000000,'data':[{'b64_json':'BBBB'}],'output_format':'jpeg','usage':{'input_"
     "tokens':4,'output_tokens':"
     "1290,'total_tokens':1294}}"},
    {"Gemini would not", OP_IMAGES_GENERATIONS, "gemini-2.5-flash-image", "{'prompt':'a'}",
     "{'candidates':[{'finishReason':'IMAGE_SAFETY','finishMessage':'unsafe'}]}",
     "{'error':{'message':'The model made no picture: IMAGE_SAFETY: "
     "unsafe','type':'invalid_request_error','param':null,"
     "'code':'content_policy_violation'}}"},
    {"Gemini could not", OP_IMAGES_GENERATIONS, "gemini-2.5-flash-image", "{'prompt':'a'}",
     "{'candidates':[{'finishReason':'NO_IMAGE'}]}",
     "{'error':{'message':'The model made no picture: "
     "NO_IMAGE.','type':'server_error','param':null,'code':'NO_IMAGE'}}"},
    {"samples", OP_AUDIO_SPEECH, "tts", "{'input':'a','response_format':'pcm'}",
     "{'candidates':[{'content':{'parts':[{'inlineData':{'mimeType':'audio/"
     "L16;rate=24000','data':'QUJDRA=='}}]}}]}",
     "ABCD"},
    {"no sound", OP_AUDIO_SPEECH, "tts", "{'input':'a','response_format':'pcm'}",
     "{'candidates':[]}", "<upstream_broken>"},
};

Test(back_gemini_simple, reads_what_google_answers)
{
    simple_replies_run(replies, COUNT_OF(replies), CAT_DIALECT_GEMINI, "google");
}

Test(back_gemini_simple, a_wav_has_its_head)
{
    static struct dialect_run run;
    run_begin(&run, OP_AUDIO_SPEECH, CAT_DIALECT_GEMINI, "tts");
    run_request(&run, quotes("{'input':'a','response_format':'wav'}"));
    run_reply(
        &run, 200, "application/json",
        quotes("{'candidates':[{'content':{'parts':[{'inlineData':{'mimeType':'audio/"
               "L16;rate=16000','data':"
               "'QUJDRA=='}}]}}],'usageMetadata':{'promptTokenCount':3,'candidatesTokenCount':9}}"),
        100);
    static const char head[] =
        "RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3E\0\0\0\x7D\0\0\2\0\x10\0"
        "data\4\0\0\0ABCD";
    cr_expect(str_eq(buf_str(&run.call.out), str_of(head, sizeof head - 1)));
    cr_expect(str_eq(run.call.out_type, STR("audio/wav")));
    cr_expect_eq(run.call.usage.audio_output_tokens, 9);
    run_end(&run);
}

static const struct {
    enum op op;
    const char *model, *row, *path;
} paths[] = {
    {OP_EMBEDDINGS, "gemini-embedding-001", "/v1beta/models/{model}:embedContent",
     "/v1beta/models/gemini-embedding-001:batchEmbedContents"},
    {OP_IMAGES_GENERATIONS, "imagen-4.0-generate-001", "/v1beta/models/{model}:predict",
     "/v1beta/models/imagen-4.0-generate-001:predict"},
    {OP_IMAGES_GENERATIONS, "models/gemini-2.5-flash-image", "/v1beta/models/{model}:predict",
     "/v1beta/models/gemini-2.5-flash-image:generateContent"},
    {OP_AUDIO_SPEECH, "tts", "/v1beta/models/{model}:generateContent",
     "/v1beta/models/tts:generateContent"},
    {OP_EMBEDDINGS, "a/b", "/v1beta/models/{model}:embedContent", NULL},
};

Test(back_gemini_simple, paths)
{
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        const struct simple_op *op = simple_find(dialect_back(CAT_DIALECT_GEMINI), paths[i].op);
        struct dialect_target target = {.model = str_c(paths[i].model)};
        struct buf out;
        buf_init(&out, 1000);
        enum status status = op->path(&target, str_c(paths[i].row), &out);
        cr_expect_eq(status, paths[i].path == NULL ? ST_INVALID : ST_OK);
        if (paths[i].path != NULL)
            cr_expect(str_eq(buf_str(&out), str_c(paths[i].path)), "%.*s", STR_ARG(buf_str(&out)));
        buf_free(&out);
    }
}
