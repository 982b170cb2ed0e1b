/* What in a stream only opens it, what is content, and what says that it failed. ' stands for ". */
#include <criterion/criterion.h>

#include "common/str.h"
#include "data-plane/worker/preamble.h"

static const struct {
    enum op op;
    const char *data;
    enum preamble kind;
    int http_status;
} rows[] = {
    {OP_CHAT, "{'choices':[{'index':0,'delta':{'role':'assistant','content':''}}]}", PREAMBLE_OPENS,
     0},
    {OP_CHAT, "{'choices':[{'delta':{'role':'assistant','content':null,'tool_calls':[]}}]}",
     PREAMBLE_OPENS, 0},
    {OP_CHAT, "{'choices':[],'prompt_filter_results':[{}]}", PREAMBLE_OPENS, 0},
    {OP_CHAT, "{'choices':[{'delta':{'content':'a'}}]}", PREAMBLE_CONTENT, 0},
    {OP_CHAT, "{'choices':[{'delta':{}},{'delta':{'reasoning_content':'a'}}]}", PREAMBLE_CONTENT,
     0},
    {OP_CHAT, "{'choices':[{'delta':{'tool_calls':[{'index':0}]}}]}", PREAMBLE_CONTENT, 0},
    {OP_CHAT, "{'choices':[{'delta':{},'finish_reason':'stop'}]}", PREAMBLE_CONTENT, 0},
    {OP_CHAT, "{'choices':[{'delta':{},'finish_reason':null}]}", PREAMBLE_OPENS, 0},
    {OP_CHAT, "{'choices':'x'}", PREAMBLE_CONTENT, 0},
    {OP_CHAT, "{}", PREAMBLE_CONTENT, 0},
    {OP_CHAT, "[DONE]", PREAMBLE_CONTENT, 0},
    {OP_CHAT, "no json", PREAMBLE_CONTENT, 0},
    {OP_CHAT, "", PREAMBLE_OPENS, 0},
    {OP_CHAT, "{'error':null,'choices':[{'delta':{'content':'a'}}]}", PREAMBLE_CONTENT, 0},
    {OP_CHAT, "{'error':{'message':'x','type':'server_error'}}", PREAMBLE_FAILED, 500},
    {OP_CHAT, "{'error':{'code':'rate_limit_exceeded'}}", PREAMBLE_FAILED, 429},
    {OP_CHAT, "{'error':{'code':503}}", PREAMBLE_FAILED, 503},
    {OP_CHAT, "{'error':{'code':99}}", PREAMBLE_FAILED, 500},
    {OP_CHAT, "{'error':'x'}", PREAMBLE_FAILED, 500},
    {OP_COMPLETIONS, "{'choices':[{'text':'','finish_reason':null}]}", PREAMBLE_OPENS, 0},
    {OP_COMPLETIONS, "{'choices':[{'text':'a','finish_reason':null}]}", PREAMBLE_CONTENT, 0},
    {OP_MESSAGES, "{'type':'message_start','message':{}}", PREAMBLE_OPENS, 0},
    {OP_MESSAGES, "{'type':'ping'}", PREAMBLE_OPENS, 0},
    {OP_MESSAGES, "{'type':'content_block_start'}", PREAMBLE_OPENS, 0},
    {OP_MESSAGES, "{'type':'content_block_delta'}", PREAMBLE_CONTENT, 0},
    {OP_MESSAGES, "{'type':'message_delta'}", PREAMBLE_CONTENT, 0},
    {OP_MESSAGES, "{'type':'error','error':{'type':'overloaded_error'}}", PREAMBLE_FAILED, 529},
    {OP_MESSAGES, "{'type':'error','error':{'type':'invalid_request_error'}}", PREAMBLE_FAILED,
     400},
    {OP_RESPONSES_CREATE, "{'type':'response.created','response':{'error':null}}", PREAMBLE_OPENS,
     0},
    {OP_RESPONSES_CREATE, "{'type':'response.output_item.added'}", PREAMBLE_OPENS, 0},
    {OP_RESPONSES_CREATE, "{'type':'response.output_text.delta'}", PREAMBLE_CONTENT, 0},
    {OP_RESPONSES_CREATE, "{'type':'response.completed'}", PREAMBLE_CONTENT, 0},
    {OP_RESPONSES_CREATE, "{'type':'error','message':'x'}", PREAMBLE_FAILED, 500},
    {OP_RESPONSES_CREATE,
     "{'type':'response.failed','response':{'error':{'code':'rate_limit_exceeded'}}}",
     PREAMBLE_FAILED, 429},
    {OP_RESPONSES_CREATE, "{'type':'response.failed'}", PREAMBLE_FAILED, 500},
    {OP_AUDIO_SPEECH, "{'type':'speech.audio.delta'}", PREAMBLE_CONTENT, 0},
    {OP_AUDIO_SPEECH, "{'error':{}}", PREAMBLE_FAILED, 500},
};

Test(preamble, ends_with_the_first_content)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[256];
        size_t n = strlen(rows[i].data);
        for (size_t k = 0; k < n; k++)
            text[k] = (char)(rows[i].data[k] == '\'' ? '"' : rows[i].data[k]);
        struct sse_event event = {.data = str_of(text, n)};
        int http_status = 0;
        cr_assert_eq(preamble_judge(rows[i].op, &event, &http_status), rows[i].kind, "%s",
                     rows[i].data);
        cr_assert_eq(http_status, rows[i].http_status, "%s: %d", rows[i].data, http_status);
    }
}

Test(preamble, passes_what_is_too_large_to_read)
{
    struct sse_event event = {.oversize = true};
    int http_status = 0;
    cr_assert_eq(preamble_judge(OP_CHAT, &event, &http_status), PREAMBLE_CONTENT);
}
