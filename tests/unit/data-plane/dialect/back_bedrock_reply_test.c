/* Answers: Converse's bytes in, OpenAI's out, whole and as a stream, at many sizes of piece. In the
 * tables a stream is a list of "name payload" lines; "!name payload" is an exception. ' stands for
 * ". */
#include "tests/unit/data-plane/dialect/dialect_run.h"
#include "tests/unit/data-plane/eventstream_write.h"

#define CLAUDE "us.anthropic.claude-sonnet-4-5-20250929-v1:0"

#define ASK    "{'messages':[{'role':'user','content':'hi'}]"
#define STREAM ASK ",'stream':true}"
#define JSON   ",'response_format':{'type':'json_object'}"

#define START     "messageStart {'role':'assistant'}\n"
#define DELTA(d)  "contentBlockDelta {'contentBlockIndex':0,'delta':" d ",'p':'abc'}\n"
#define TEXT(t)   DELTA("{'text':'" t "'}")
#define STOP      "contentBlockStop {'contentBlockIndex':0}\n"
#define END(word) "messageStop {'stopReason':'" word "'}\n" METADATA
#define METADATA                                                                                   \
    "metadata {'usage':{'inputTokens':10,'outputTokens':9,'totalTokens':24,"                       \
    "'cacheReadInputTokens':3,'cacheWriteInputTokens':2},'metrics':{'latencyMs':1}}\n"
#define CALL(id, name)                                                                             \
    "contentBlockStart {'contentBlockIndex':1,'start':{'toolUse':{'toolUseId':'" id                \
    "','name':'" name "'}}}\n"
#define INPUT(text) DELTA("{'toolUse':{'input':'" text "'}}")

#define CHUNK(delta, finish)                                                                       \
    "data: {'id':'req-1','object':'chat.completion.chunk','created':1700000000,'model':'" CLAUDE   \
    "','choices':[{'index':0,'delta':" delta ",'finish_reason':" finish "}]}\n\n"
#define SAID(delta)  CHUNK(delta, "null")
#define ROLE         SAID("{'role':'assistant','content':''}")
#define FINISH(word) CHUNK("{}", "'" word "'") "data: [DONE]\n\n"
#define USAGE                                                                                      \
    "{'prompt_tokens':15,'completion_tokens':9,'total_tokens':24,'prompt_tokens_details':{"        \
    "'cached_tokens':3,'cache_write_tokens':2,'audio_tokens':0},'completion_tokens_details':{"     \
    "'reasoning_tokens':0,'audio_tokens':0}}"

static const struct {
    const char *name, *ask, *in, *out;
} streams[] = {
    {"words", STREAM, START TEXT("He\\\"l") TEXT("lo \\u00e9") STOP END("end_turn"),
     ROLE SAID("{'content':'He\\\"l'}") SAID("{'content':'lo \\u00e9'}") FINISH("stop")},
    {"BUG two texts were joined by a line end", STREAM,
     START TEXT("a") STOP TEXT("b") STOP END("end_turn"),
     ROLE SAID("{'content':'a'}") SAID("{'content':'b'}") FINISH("stop")},
    {"parallel calls, one without parameters", STREAM,
     START TEXT("ok") STOP CALL("t1", "f") INPUT("") INPUT("{\\\"q\\\":") INPUT("1}")
         STOP CALL("t2", "g") STOP END("tool_use"),
     ROLE SAID("{'content':'ok'}") SAID(
         "{'tool_calls':[{'index':0,'id':'t1','type':'function','function':{'name':'f',"
         "'arguments':''}}]}") SAID("{'tool_calls':[{'index':0,'function':{'arguments':"
                                    "'{\\\"q\\\":'}}]}")
         SAID("{'tool_calls':[{'index':0,'function':{'arguments':'1}'}}]}") SAID(
             "{'tool_calls':[{'index':1,'id':'t2','type':'function','function':{'name':'g',"
             "'arguments':''}}]}") SAID("{'tool_calls':[{'index':1,'function':{'arguments':'{}'}}]"
                                        "}") FINISH("tool_calls")},
    {"thinking with its signature, hidden thinking", STREAM,
     START DELTA("{'reasoningContent':{'text':'hm'}}")
         DELTA("{'reasoningContent':{'signature':'S'}}") STOP DELTA(
             "{'reasoningContent':{'redactedContent':'D'}}") STOP TEXT("a") STOP END("end_turn"),
     ROLE SAID("{'reasoning_content':'hm'}") SAID("{'content':'a'}")
         SAID("{'reasoning_details':[{'type':'reasoning.text','text':'hm','signature':'S','format':"
              "'anthropic-claude-v1','index':0},{'type':'reasoning.encrypted','data':'D','format':"
              "'amazon-bedrock-v1','index':1}]}") FINISH("stop")},
    {"the JSON tool's call is the content", ASK JSON ",'stream':true}",
     START CALL("t1", "json_response") INPUT("{\\\"a\\\":") INPUT("1}") STOP END("tool_use"),
     ROLE SAID("{'content':'{\\\"a\\\":'}") SAID("{'content':'1}'}") FINISH("stop")},
    {"the JSON tool called with nothing", ASK JSON ",'stream':true}",
     START CALL("t1", "json_response") STOP END("tool_use"),
     ROLE SAID("{'content':'{}'}") FINISH("stop")},
    {"out of tokens", STREAM, START TEXT("a") STOP END("max_tokens"),
     ROLE SAID("{'content':'a'}") FINISH("length")},
    {"the context is full", STREAM, START TEXT("a") STOP END("model_context_window_exceeded"),
     ROLE SAID("{'content':'a'}") FINISH("length")},
    {"a guardrail", STREAM, START TEXT("no") STOP END("guardrail_intervened"),
     ROLE SAID("{'content':'no'}") FINISH("content_filter")},
    {"a filter", STREAM, START END("content_filtered"), ROLE FINISH("content_filter")},
    {"events that are new", STREAM, START "newEvent {'a':1}\n" TEXT("a") STOP END("end_turn"),
     ROLE SAID("{'content':'a'}") FINISH("stop")},
    {"BUG an exception looked like a stop", STREAM,
     START TEXT("a") "!modelStreamErrorException {'message':'broke','originalStatusCode':400}\n",
     ROLE SAID("{'content':'a'}") "data: {'error':{'message':'broke','type':"
                                  "'ModelStreamErrorException','param':null,'code':"
                                  "'ModelStreamErrorException'}}\n\ndata: [DONE]\n\n"},
    {"an exception in front of the content", STREAM,
     START "!throttlingException {'message':'Too many tokens'}\n",
     "{'error':{'message':'Too many tokens','type':'ThrottlingException','param':null,'code':"
     "'ThrottlingException'}}"},
    {"an exception without words", STREAM, "!internalServerException {}\n",
     "{'error':{'message':'The provider reported an error inside its answer.','type':"
     "'InternalServerException','param':null,'code':'InternalServerException'}}"},
    {"an ending that is an error", STREAM, START TEXT("a") STOP END("malformed_tool_use"),
     ROLE SAID("{'content':'a'}") "data: {'error':{'message':'Provider @prod gave up inside its "
                                  "answer (malformed_tool_use).','type':'server_error','param':"
                                  "null,'code':null}}\n\ndata: [DONE]\n\n"},
    {"BUG truncation was told as the end", STREAM, START TEXT("a"),
     ROLE SAID("{'content':'a'}") "<upstream_broken>"},
    {"nothing came after the stop", STREAM,
     START TEXT("a") STOP "messageStop {'stopReason':'end_turn'}\n",
     ROLE SAID("{'content':'a'}") FINISH("stop")},
    {"a payload that is no JSON", STREAM, START "contentBlockDelta {'delta'\n",
     "<upstream_broken>"},
    {"a call without a name", STREAM,
     START "contentBlockStart {'start':{'toolUse':{'toolUseId':'a'}}}\n", "<upstream_broken>"},
};

static void write_frames(struct buf *out, const char *lines)
{
    struct str rest = str_c(lines), line, name;
    buf_init(out, 1 << 20);
    while (rest.n > 0 && str_split(&rest, '\n', &line)) {
        char room[2][2048];
        bool exception = line.p[0] == '!';
        cr_assert(str_split(&line, ' ', &name));
        snprintf(room[0], sizeof room[0], STR_FMT, STR_ARG(str_from(name, exception ? 1 : 0)));
        snprintf(room[1], sizeof room[1], STR_FMT, STR_ARG(line));
        write_event(out, exception ? "exception" : "event", room[0], room[1]);
    }
}

static const char *reply(struct dialect_run *run, const char *model, enum op op, const char *ask,
                         int http, const char *type, struct str answer, size_t piece)
{
    enum status status = ST_OK;
    run_begin(run, op, CAT_DIALECT_BEDROCK, model);
    run->target.service = STR("bedrock");
    run_request(run, run_quotes(run, ask));
    dialect_reply_begin(&run->call, http, str_c(type));
    for (size_t at = 0; at < answer.n && status == ST_OK; at += piece) {
        struct str part = str_head(str_from(answer, at), piece);
        status = dialect_reply_feed(&run->call, part.p, part.n);
    }
    if (status == ST_OK)
        status = dialect_reply_end(&run->call);
    if (run->call.state == DIALECT_FAILED && !(run->call.content && run->chat->stream))
        dialect_write_error(&run->call, &run->call.error);
    run_keep(run, buf_str(&run->call.out));
    if (status != ST_OK)
        snprintf(run->text + strlen(run->text), 64, "<%s>", status_row(status)->code);
    return run->text;
}

Test(back_bedrock_reply, streams)
{
    static const size_t pieces[] = {1, 7, 64, 1000, 100000};
    struct dialect_run *run = calloc(1, sizeof *run);
    for (size_t i = 0; i < COUNT_OF(streams); i++) {
        struct arena arena;
        struct buf frames;
        arena_init(&arena, 1 << 20);
        char *lines = arena_cstr(&arena, str_c(streams[i].in));
        for (char *p = lines; *p != '\0'; p++)
            *p = *p == '\'' ? '"' : *p;
        write_frames(&frames, lines);
        for (size_t k = 0; k < COUNT_OF(pieces); k++) {
            const char *text =
                reply(run, CLAUDE, OP_CHAT, streams[i].ask, 200,
                      "application/vnd.amazon.eventstream", buf_str(&frames), pieces[k]);
            const char *wanted = run_quotes(run, streams[i].out);
            cr_expect_str_eq(text, wanted, "%s, pieces of %zu:\n%s\nwanted\n%s", streams[i].name,
                             pieces[k], text, wanted);
            run_end(run);
        }
        buf_free(&frames);
        arena_free(&arena);
    }
    free(run);
}

#define WHOLE(content, reason)                                                                     \
    "{'output':{'message':{'role':'assistant','content':[" content "]}},'stopReason':'" reason     \
    "','usage':{'inputTokens':10,'outputTokens':9,'totalTokens':24,'cacheReadInputTokens':3,"      \
    "'cacheWriteInputTokens':2},'metrics':{'latencyMs':1}}"
#define ANSWER(message, finish)                                                                    \
    "{'id':'req-1','object':'chat.completion','created':1700000000,'model':'" CLAUDE               \
    "','choices':[{'index':0,'message':{'role':'assistant','content':" message                     \
    "},'logprobs':null,'finish_reason':'" finish "'}],'usage':" USAGE "}"
#define ERROR(message, type, code)                                                                 \
    "{'error':{'message':'" message "','type':" type ",'param':null,'code':" code "}}"

static const struct {
    const char *name, *ask;
    int http;
    const char *in, *out;
} wholes[] = {
    {"BUG texts were joined by a line end", ASK "}", 200,
     WHOLE("{'text':'a'},{'text':'b'}", "end_turn"), ANSWER("'ab','refusal':null", "stop")},
    {"calls", ASK "}", 200,
     WHOLE("{'text':'ok'},{'toolUse':{'toolUseId':'t1','name':'f','input':{'q':\"1\"}}},{"
           "'toolUse':{'toolUseId':'t2','name':'g','input':{}}}",
           "tool_use"),
     ANSWER("'ok','refusal':null,'tool_calls':[{'id':'t1','type':'function','function':{'name':'f',"
            "'arguments':'{\\\"q\\\":\\\"1\\\"}'}},{'id':'t2','type':'function','function':{'name':"
            "'g','arguments':'{}'}}]",
            "tool_calls")},
    {"thinking", ASK "}", 200,
     WHOLE("{'reasoningContent':{'reasoningText':{'text':'hm','signature':'S'}}},{"
           "'reasoningContent':{'redactedContent':'D'}},{'text':'a'}",
           "end_turn"),
     ANSWER("'a','refusal':null,'reasoning_content':'hm','reasoning_details':[{'type':"
            "'reasoning.text','text':'hm','signature':'S','format':'anthropic-claude-v1','index':0}"
            ",{'type':'reasoning.encrypted','data':'D','format':'amazon-bedrock-v1','index':1}]",
            "stop")},
    {"the JSON tool's arguments are the content", ASK JSON "}", 200,
     WHOLE("{'toolUse':{'toolUseId':'t','name':'json_response','input':{'a':1}}}", "tool_use"),
     ANSWER("'{\\\"a\\\":1}','refusal':null", "stop")},
    {"citations", ASK "}", 200,
     WHOLE("{'citationsContent':{'content':[{'text':'said'}],'citations':[{'title':'T',"
           "'sourceContent':[{'text':'src'}],'location':{'web':{'url':'https://x'}}}]}}",
           "end_turn"),
     ANSWER("'said','refusal':null,'annotations':[{'type':'url_citation','url_citation':{"
            "'start_index':0,'end_index':4,'url':'https://x','title':'T'}}]",
            "stop")},
    {"a block that is new", ASK "}", 200, WHOLE("{'newBlock':{}},{'text':'a'}", "end_turn"),
     ANSWER("'a','refusal':null", "stop")},
    {"an ending that is an error", ASK "}", 200, WHOLE("{'text':'a'}", "malformed_model_output"),
     ERROR("Provider @prod gave up inside its answer (malformed_model_output).", "'server_error'",
           "null")},
    {"no message", ASK "}", 200, "{'output':{}}", "<upstream_broken>"},
    {"no reason", ASK "}", 200, "{'output':{'message':{'content':[]}}}", "<upstream_broken>"},
    {"an error with its type", ASK "}", 400,
     "{'__type':'com.amazon.coral#ValidationException','message':'bad \\u00e9'}",
     ERROR("bad \xC3\xA9", "'ValidationException'", "'ValidationException'")},
    {"an error of the front door", ASK "}", 403, "{'Message':'The security token is invalid.'}",
     ERROR("The security token is invalid.", "'AccessDeniedException'", "'AccessDeniedException'")},
    {"an error of a stream is a whole one", STREAM, 429, "{'message':'slow down'}",
     ERROR("slow down", "'ThrottlingException'", "'ThrottlingException'")},
    {"an error that says nothing", ASK "}", 503, "<html>",
     ERROR("Provider @prod answered with HTTP 503.", "'ServiceUnavailableException'",
           "'ServiceUnavailableException'")},
};

Test(back_bedrock_reply, wholes)
{
    struct dialect_run *run = calloc(1, sizeof *run);
    for (size_t i = 0; i < COUNT_OF(wholes); i++) {
        struct arena arena;
        arena_init(&arena, 1 << 20);
        char *answer = arena_cstr(&arena, str_c(wholes[i].in));
        for (char *p = answer; *p != '\0'; p++)
            *p = *p == '\'' ? '"' : *p;
        const char *text = reply(run, CLAUDE, OP_CHAT, wholes[i].ask, wholes[i].http,
                                 "application/json", str_c(answer), 5);
        const char *wanted = run_quotes(run, wholes[i].out);
        cr_expect_str_eq(text, wanted, "%s:\n%s\nwanted\n%s", wholes[i].name, text, wanted);
        run_end(run);
        arena_free(&arena);
    }
    free(run);
}

/* A Messages caller gets Anthropic's events, Claude's signatures as they are. */
Test(back_bedrock_reply, a_messages_stream)
{
    struct dialect_run *run = calloc(1, sizeof *run);
    struct buf frames;
    buf_init(&frames, 1 << 20);
    write_event(&frames, "event", "messageStart", "{\"role\":\"assistant\"}");
    write_event(&frames, "event", "contentBlockDelta",
                "{\"delta\":{\"reasoningContent\":{\"text\":\"hm\"}}}");
    write_event(&frames, "event", "contentBlockDelta",
                "{\"delta\":{\"reasoningContent\":{\"signature\":\"S\"}}}");
    write_event(&frames, "event", "contentBlockStop", "{}");
    write_event(&frames, "event", "contentBlockStart",
                "{\"start\":{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"f\"}}}");
    write_event(&frames, "event", "contentBlockDelta",
                "{\"delta\":{\"toolUse\":{\"input\":\"{}\"}}}");
    write_event(&frames, "event", "contentBlockStop", "{}");
    write_event(&frames, "event", "messageStop", "{\"stopReason\":\"tool_use\"}");
    write_event(&frames, "event", "metadata",
                "{\"usage\":{\"inputTokens\":5,\"outputTokens\":6,\"cacheReadInputTokens\":4}}");
    const char *text =
        reply(run, CLAUDE, OP_MESSAGES,
              "{'max_tokens':9,'stream':true,'messages':[{'role':'user','content':'hi'}]}", 200,
              "application/vnd.amazon.eventstream", buf_str(&frames), 33);
    static const char *const wanted[] = {
        "{\"type\":\"thinking_delta\",\"thinking\":\"hm\"}",
        "{\"type\":\"signature_delta\",\"signature\":\"S\"}",
        "\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\"",
        "\"stop_reason\":\"tool_use\"",
        "\"cache_read_input_tokens\":4",
        "event: message_stop",
    };
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        cr_expect_not_null(strstr(text, wanted[i]), "%s in %s", wanted[i], text);
    run_end(run);
    buf_free(&frames);
    free(run);
}
