/* Embeddings, reranking and pictures at Bedrock (InvokeModel). */
#include "tests/unit/data-plane/dialect/simple_rows.h"

#define TITAN1 "amazon.titan-embed-text-v1"
#define TITAN2 "us.amazon.titan-embed-text-v2:0"
#define TITANI "amazon.titan-embed-image-v1"
#define COHERE "cohere.embed-english-v3"
#define RERANK "cohere.rerank-v3-5:0"
#define XL     "stability.stable-diffusion-xl-v1"
#define STABLE "us.stability.stable-image-core-v1:1"
#define CANVAS "amazon.nova-canvas-v1:0"
#define DRAW   "{'prompt':'a cat'"
#define PNG    "'data:image/png;base64,AAAA'"

static const struct simple_row rows[] = {
    {"Titan 1", OP_EMBEDDINGS, TITAN1, "{'input':'a \\u00e9','dimensions':256,'user':'u'}",
     "{'inputText':'a \\u00e9'}", "dimensions, user"},
    {"Titan 2, with what it has", OP_EMBEDDINGS, TITAN2,
     "{'input':['a'],'dimensions':256,'normalize':true,'input_type':'x'}",
     "{'inputText':'a','dimensions':256,'normalize':true}", "input_type"},
    {"BUG only the first of several inputs was embedded", OP_EMBEDDINGS, TITAN2,
     "{'input':['a','b']}",
     "400: input: the model " TITAN2 " of provider @prod embeds one input a request. Send one, or "
     "name a Cohere model.",
     ""},
    {"token numbers", OP_EMBEDDINGS, TITAN2, "{'input':[1,2]}",
     "400: input: provider @prod (bedrock) does not take token numbers. Send strings "
     "(LangChain: "
     "OpenAIEmbeddings(check_embedding_ctx_length=False)).",
     ""},
    {"a picture for the model that reads them", OP_EMBEDDINGS, TITANI,
     "{'input':[{'text':'a','image':" PNG "}],'dimensions':384}",
     "{'inputText':'a','inputImage':'AAAA','embeddingConfig':{'outputEmbeddingLength':384}}", ""},
    {"Cohere takes lists, and says what for", OP_EMBEDDINGS, COHERE, "{'input':['a','b']}",
     "{'texts':['a','b'],'input_type':'search_document'}", ""},
    {"Cohere's own words", OP_EMBEDDINGS, "eu.cohere.embed-v4:0",
     "{'input':'a','input_type':'search_query','truncate':'END','dimensions':512,'normalize':true}",
     "{'texts':['a'],'input_type':'search_query','truncate':'END','output_dimension':512}",
     "normalize"},
    {"pictures at Cohere", OP_EMBEDDINGS, COHERE, "{'input':[{'image':" PNG "}]}",
     "{'images':[" PNG "],'input_type':'image'}", ""},
    {"pictures beside words", OP_EMBEDDINGS, COHERE, "{'input':[{'text':'a'},{'image':" PNG "}]}",
     "400: input[1]: provider @prod (bedrock) does not take pictures beside words. Send them in "
     "two "
     "requests.",
     ""},
    {"URLs of pictures", OP_EMBEDDINGS, COHERE, "{'input':[{'image':'https://a/b.png'}]}",
     "400: input[0]: provider @prod (bedrock) does not take the URL of a picture. Send a data URL.",
     ""},
    {"a model that chats", OP_EMBEDDINGS, "amazon.nova-lite-v1:0", "{'input':'a'}",
     "400: model: amazon.nova-lite-v1:0 of provider @prod is not known to embed. Name a Titan or "
     "Cohere embedding model.",
     ""},
    {"reranking", OP_RERANK, RERANK, "{'query':'q','documents':['a','b'],'top_n':1}",
     "{'query':'q','documents':['a','b'],'top_n':1,'api_version':2}", ""},
    {"Amazon's reranker has no versions", OP_RERANK, "amazon.rerank-v1:0",
     "{'query':'q','documents':['a'],'rank_fields':['x']}", "{'query':'q','documents':['a']}",
     "rank_fields"},
    {"SDXL", OP_IMAGES_GENERATIONS, XL,
     DRAW ",'size':'1024x768','negative_prompt':'dogs','seed':3,'style':'vivid','quality':'hd'}",
     "{'text_prompts':[{'text':'a cat'},{'text':'dogs','weight':-1}],'width':1024,'height':768,"
     "'seed':3}",
     "quality, style"},
    {"Stability by shape", OP_IMAGES_GENERATIONS, STABLE,
     DRAW ",'size':'1024x1024','output_format':'webp','negative_prompt':'dogs'}",
     "{'prompt':'a cat','aspect_ratio':'1:1','negative_prompt':'dogs','output_format':'webp'}", ""},
    {"a size that is not exactly its own is listed", OP_IMAGES_GENERATIONS, STABLE,
     DRAW ",'size':'1792x1024'}", "{'prompt':'a cat','aspect_ratio':'16:9'}", "size"},
    {"Canvas makes several", OP_IMAGES_GENERATIONS, CANVAS,
     DRAW ",'n':3,'size':'1280x720','quality':'high','seed':1,'negative_prompt':'dogs',"
          "'output_format':'jpeg'}",
     "{'taskType':'TEXT_IMAGE','textToImageParams':{'text':'a cat','negativeText':'dogs'},"
     "'imageGenerationConfig':{'numberOfImages':3,'width':1280,'height':720,'quality':'premium',"
     "'seed':1}}",
     "output_format"},
    {"more than it makes", OP_IMAGES_GENERATIONS, CANVAS, DRAW ",'n':6}",
     "400: n: the model " CANVAS " of provider @prod makes at most 5 a request. Send several.", ""},
    {"more than one at Stability", OP_IMAGES_GENERATIONS, STABLE, DRAW ",'n':2}",
     "400: n: the model " STABLE " of provider @prod makes at most 1 a request. Send several.", ""},
    {"URLs", OP_IMAGES_GENERATIONS, CANVAS, DRAW ",'response_format':'url'}",
     "400: response_format: provider @prod (bedrock) cannot honour it. It gives bytes: ask for "
     "b64_json.",
     ""},
    {"a model that makes none", OP_IMAGES_GENERATIONS, "amazon.nova-lite-v1:0", DRAW "}",
     "400: model: amazon.nova-lite-v1:0 of provider @prod is not known to make pictures. Name a "
     "Stability, Titan Image or Nova Canvas model.",
     ""},
};

Test(back_bedrock_simple, requests)
{
    simple_rows_run(rows, COUNT_OF(rows), CAT_DIALECT_BEDROCK, "bedrock");
}

#define VECTOR(n, v) "{'object':'embedding','index':" #n ",'embedding':" v "}"
#define LIST(model, items, tokens)                                                                 \
    "{'object':'list','data':[" items "],'model':'" model "','usage':{'prompt_tokens':" tokens     \
    ",'total_tokens':" tokens "}}"

static const struct simple_reply_row replies[] = {
    {
        "Titan counts in its answer",
        OP_EMBEDDINGS,
        TITAN2,
        "{'input':'a'}",
        "{'embedding':[0.5,-1e-3],'embeddingsByType':{},'inputTextTokenCount':7}",
        LIST(TITAN2, VECTOR(0, "[0.5,-1e-3]"), "7"),
    },
    {"Cohere's list", OP_EMBEDDINGS, COHERE, "{'input':['a','b']}",
     "{'id':'x','embeddings':[[1],[2]],'response_type':'embeddings_floats'}",
     LIST(COHERE, VECTOR(0, "[1]") "," VECTOR(1, "[2]"), "2")},
    {"Cohere's list by type", OP_EMBEDDINGS, COHERE, "{'input':['a','b']}",
     "{'embeddings':{'float':[[1],[2]]}}",
     LIST(COHERE, VECTOR(0, "[1]") "," VECTOR(1, "[2]"), "2")},
    {"too few vectors", OP_EMBEDDINGS, COHERE, "{'input':['a','b']}", "{'embeddings':[[1]]}",
     "<upstream_broken>"},
    {"no vector", OP_EMBEDDINGS, TITAN2, "{'input':'a'}", "{'message':'x'}", "<upstream_broken>"},
    {"a document that was not sent", OP_RERANK, RERANK, "{'query':'q','documents':['a']}",
     "{'results':[{'index':1,'relevance_score':0.5}]}", "<upstream_broken>"},
    {"pictures", OP_IMAGES_GENERATIONS, CANVAS, DRAW ",'n':2}",
     "{'images':['AA','BB'],'error':null}",
     "{'created':1700000000,'data':[{'b64_json':'AA'},{'b64_json':'BB'}],'output_format':'png'}"},
    {"SDXL's", OP_IMAGES_GENERATIONS, XL, DRAW "}",
     "{'result':'success','artifacts':[{'seed':1,'base64':'AA','finishReason':'SUCCESS'}]}",
     "{'created':1700000000,'data':[{'b64_json':'AA'}],'output_format':'png'}"},
    {"a filter", OP_IMAGES_GENERATIONS, STABLE, DRAW "}",
     "{'seeds':[1],'finish_reasons':['Filter reason: prompt'],'images':[]}",
     "{'error':{'message':'The model made no picture: Filter reason: prompt.','type':"
     "'invalid_request_error','param':null,'code':'content_policy_violation'}}"},
    {"SDXL's filter", OP_IMAGES_GENERATIONS, XL, DRAW "}",
     "{'artifacts':[{'base64':'AA','finishReason':'CONTENT_FILTERED'}]}",
     "{'error':{'message':'The model made no picture: CONTENT_FILTERED.','type':"
     "'invalid_request_error','param':null,'code':'content_policy_violation'}}"},
    {"Canvas's error", OP_IMAGES_GENERATIONS, CANVAS, DRAW "}",
     "{'images':[],'error':'blocked by our policy'}",
     "{'error':{'message':'The model made no picture: blocked by our policy.','type':"
     "'invalid_request_error','param':null,'code':'content_policy_violation'}}"},
};

Test(back_bedrock_simple, replies)
{
    simple_replies_run(replies, COUNT_OF(replies), CAT_DIALECT_BEDROCK, "bedrock");
}

Test(back_bedrock_simple, tokens_come_in_a_header_where_the_answer_has_none)
{
    static struct dialect_run run;
    static const struct upstream_header headers[] = {
        {{"content-type", 12}, {"application/json", 16}},
        {{"X-Amzn-Bedrock-Input-Token-Count", 32}, {"12", 2}}};
    run_begin(&run, OP_EMBEDDINGS, CAT_DIALECT_BEDROCK, COHERE);
    run_request(&run, "{\"input\":\"a\"}");
    run.call.reply_headers = headers;
    run.call.reply_header_count = COUNT_OF(headers);
    const char *out = run_reply(&run, 200, "application/json", "{\"embeddings\":[[1]]}", 5);
    cr_expect_not_null(strstr(out, "\"prompt_tokens\":12"), "%s", out);
    cr_expect(run.call.has_usage);
    run_end(&run);
}

Test(back_bedrock_simple, has_a_rule_for_every_parameter)
{
    const struct back *back = dialect_back(CAT_DIALECT_BEDROCK);
    for (size_t i = 0; i < back->simple_count; i++)
        cr_expect_null(simple_check(back->simple[i].op, back->simple[i].rules), "%s",
                       simple_check(back->simple[i].op, back->simple[i].rules));
}
