/* Legacy completions at providers that only chat. ' stands for ". */
#include "tests/unit/data-plane/dialect/dialect_run.h"

#define ONLY "provider @prod (anthropic) answers chats only. "
#define CHAT "Send it to /v1/chat/completions, or name a model whose provider completes text."
#define SAYS "'messages':[{'role':'user','content':[{'type':'text','text':'a'}]}]"

static const struct {
    const char *name, *in, *out, *dropped;
} rows[] = {
    {"a prompt", "{'prompt':'a'}", "{'model':'M','max_tokens':64000," SAYS "}", ""},
    {"one in a list",
     "{'prompt':['a'],'max_tokens':3,'stop':'x','temperature':0.5,'suffix':null,"
     "'echo':false,'best_of':1,'seed':1,'own':2}",
     "{'model':'M','max_tokens':3," SAYS ",'temperature':0.5,'stop_sequences':['x']}", "seed, own"},
    {"several", "{'prompt':['a','b']}", "400: prompt: " ONLY "Send one prompt in a request.", ""},
    {"tokens", "{'prompt':[1,2]}", "400: prompt: " ONLY "Send text instead of tokens.", ""},
    {"lists of tokens", "{'prompt':[[1],[2]]}", "400: prompt: " ONLY "Send text instead of tokens.",
     ""},
    {"none", "{'max_tokens':3}", "400: prompt: a string is required.", ""},
    {"an empty list", "{'prompt':[]}", "400: prompt: a string is required.", ""},
    {"echo", "{'prompt':'a','echo':true}", "400: echo: " ONLY CHAT, ""},
    {"suffix", "{'prompt':'a','suffix':'b'}", "400: suffix: " ONLY CHAT, ""},
    {"logprobs", "{'prompt':'a','logprobs':2}", "400: logprobs: " ONLY CHAT, ""},
    {"best_of", "{'prompt':'a','best_of':2}", "400: best_of: " ONLY CHAT, ""},
    {"max_tokens", "{'prompt':'a','max_tokens':0}",
     "400: max_tokens: must be a whole number from 1.", ""},
};

Test(front_openai_completions, requests_become_chats)
{
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        run_begin(&run, OP_COMPLETIONS, CAT_DIALECT_ANTHROPIC, "M");
        const char *out = run_request(&run, run_quotes(&run, rows[i].in));
        const char *want = run_quotes(&run, rows[i].out);
        cr_expect_str_eq(out, want, "%s:\n got %s\nwant %s", rows[i].name, out, want);
        cr_expect_str_eq(run.call.dropped, rows[i].dropped, "%s: dropped %s", rows[i].name,
                         run.call.dropped);
        run_end(&run);
    }
}

Test(front_openai_completions, members_of_a_chat_do_not_slip_in)
{
    static struct dialect_run run;
    run_begin(&run, OP_COMPLETIONS, CAT_DIALECT_OPENAI, "M");
    const char *out = run_request(
        &run, run_quotes(&run, "{'prompt':'a','messages':[],'max_completion_tokens':4,'top_a':1}"));
    cr_expect_str_eq(out,
                     run_quotes(&run, "{'model':'M','messages':[{'role':'user','content':'a'}],"
                                      "'top_a':1}"),
                     "%s", out);
    cr_expect_str_eq(run.call.dropped, "messages, max_completion_tokens");
    run_end(&run);
}

#define ANSWER                                                                                     \
    "{'id':'c1','model':'m','choices':[{'index':0,'message':{'content':'ab','reasoning_content':"  \
    "'t'},'finish_reason':'length'}],'usage':{'prompt_tokens':1,'completion_tokens':2}}"
#define HEAD "{'id':'c1','object':'text_completion','created':1700000000,'model':'m',"
#define USAGE                                                                                      \
    "'usage':{'prompt_tokens':1,'completion_tokens':2,'total_tokens':3,'prompt_tokens_details':{"  \
    "'cached_tokens':0,'cache_write_tokens':0,'audio_tokens':0},'completion_tokens_details':{"     \
    "'reasoning_tokens':0,'audio_tokens':0}}"
#define SAID(text, finish)                                                                         \
    "'choices':[{'text':'" text "','index':0,'logprobs':null,'finish_reason':" finish "}]"

static const struct {
    const char *ask, *out;
} answers[] = {
    {"{'prompt':'a'}", HEAD SAID("ab", "'length'") "," USAGE "}"},
    {"{'prompt':'a','stream':true}", "data: " HEAD SAID("ab", "null") "}\n\ndata: " HEAD SAID(
                                         "", "'length'") "}\n\ndata: [DONE]\n\n"},
    {"{'prompt':'a','stream':true,'stream_options':{'include_usage':true}}",
     "data: " HEAD SAID("ab", "null") ",'usage':null}\n\ndata: " HEAD SAID(
         "", "'length'") ",'usage':null}\n\ndata: " HEAD "'choices':[]," USAGE "}\n\ndata: "
                         "[DONE]\n\n"},
};

Test(front_openai_completions, words_come_back_as_text)
{
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        run_begin(&run, OP_COMPLETIONS, CAT_DIALECT_OPENAI, "M");
        run_request(&run, run_quotes(&run, answers[i].ask));
        const char *want = run_quotes(&run, answers[i].out);
        const char *out = run_reply(&run, 200, "application/json", run_quotes(&run, ANSWER), 99);
        cr_expect_str_eq(out, want, "%s:\n got %s\nwant %s", answers[i].ask, out, want);
        run_end(&run);
    }
}
