/* cohere_chat.c: POST v2/chat; the whole reply, and what it shares with the stream.
 *
 * A thought and the text are content; words in front of calls are tool_plan. With documents the
 * first eight characters of the answer cite the first of them. Both counts of usage are the same
 * here: all tokens are billed.
 */
#include "tests/sim/cohere/cohere.h"

#define CITED      "You said"
#define SOURCE_MAX 65536

const char *cohere_finish_reason(const struct answer *answer)
{
    return answer->cut                                 ? "MAX_TOKENS"
           : answer->stopped_by.p != NULL              ? "STOP_SEQUENCE"
           : answer_first(answer, ANSWER_CALL) != NULL ? "TOOL_CALL"
                                                       : "COMPLETE";
}

void cohere_write_usage(struct json_writer *w, const struct usage *usage)
{
    static const char *const names[] = {"billed_units", "tokens"};
    jw_key(w, "usage");
    jw_object(w);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        jw_key(w, names[i]);
        jw_object(w);
        jw_field_u64(w, "input_tokens", usage->prompt);
        jw_field_u64(w, "output_tokens", usage->completion);
        jw_end(w);
    }
    jw_field_u64(w, "cached_tokens", usage->cached);
    jw_end(w);
}

void cohere_write_call(struct json_writer *w, const struct answer_block *block,
                       struct str arguments)
{
    jw_object(w);
    jw_field_str(w, "id", block->id);
    jw_field_cstr(w, "type", "function");
    jw_key(w, "function");
    jw_object(w);
    jw_field_str(w, "name", block->name);
    jw_field_str(w, "arguments", arguments);
    jw_end(w);
    jw_end(w);
}

void cohere_write_citation(struct json_writer *w, const struct cohere_reply *reply)
{
    jw_object(w);
    jw_field_u64(w, "start", 0);
    jw_field_u64(w, "end", sizeof CITED - 1);
    jw_field_cstr(w, "text", CITED);
    jw_key(w, "sources");
    jw_array(w);
    jw_object(w);
    jw_field_cstr(w, "type", "document");
    jw_field_cstr(w, "id", "doc:0");
    jw_field_raw(w, "document", reply->source);
    jw_end(w);
    jw_end(w);
    jw_field_cstr(w, "type", "TEXT_CONTENT");
    jw_end(w);
}

/* Every 4 bytes are a token, each with the same probability. */
void cohere_write_logprobs(struct json_writer *w, struct str text)
{
    jw_object(w);
    jw_field_str(w, "text", text);
    for (size_t list = 0; list < 2; list++) {
        jw_key(w, list == 0 ? "token_ids" : "logprobs");
        jw_array(w);
        for (size_t at = 0; at < text.n; at += USAGE_BYTES_PER_TOKEN) {
            if (list == 0)
                jw_u64(w, at / USAGE_BYTES_PER_TOKEN + 1);
            else
                jw_raw(w, STR("-0.25"));
        }
        jw_end(w);
    }
    jw_end(w);
}

/* The first document as a citation shows it: its data with an id. */
static struct str source_of(struct call *call)
{
    const struct json *list = json_get(call->root, "documents");
    const struct json *first = list == NULL ? NULL : list->first;
    const struct json *data = json_get(first, "data");
    struct buf out;
    struct json_writer w;
    if (first == NULL)
        return STR_NONE;
    buf_init(&out, SOURCE_MAX);
    jw_init(&w, &out);
    jw_object(&w);
    jw_field_cstr(&w, "id", "doc:0");
    if (first->type == JSON_STRING)
        jw_field_raw(&w, "content", first->raw);
    for (const struct json *m = data == NULL ? NULL : data->first; m != NULL; m = m->next) {
        jw_key_str(&w, m->key);
        jw_raw(&w, m->raw);
    }
    jw_end(&w);
    struct str kept = buf_status(&out) == ST_OK ? arena_str(call->keep, buf_str(&out)) : STR_NONE;
    buf_free(&out);
    return kept;
}

static enum answer_thought thought_of(struct call *call, const struct cohere_model *model)
{
    struct str type = call_text(call, json_get(call->root, "thinking"), "type");
    bool off = (model->traits & COHERE_THINKS) == 0 || str_eq(type, STR("disabled"));
    return off ? ANSWER_NO_THOUGHT : ANSWER_THOUGHT_SHOWN;
}

/* What is asked. False: an error is the outcome. */
static bool read_chat(struct call *call, const struct cohere_model *model, struct answer_ask *ask,
                      struct toolbox *toolbox)
{
    const struct json *messages = json_get(call->root, "messages"), *last = messages->first;
    const struct json *format = json_get(call->root, "response_format");
    struct str choice = call_text(call, call->root, "tool_choice");
    while (last->next != NULL)
        last = last->next;
    *ask = (struct answer_ask){
        .user = answer_content_text(call, json_get(last, "content")),
        .max_tokens = call_integer(call->root, "max_tokens", FAULT_NONE),
        .choices = 1,
        .stops = json_get(call->root, "stop_sequences"),
        .json = str_eq(call_text(call, format, "type"), STR("json_object")),
        .schema = json_get(format, "json_schema"),
        .call_prefix = "call_",
        .thought = thought_of(call, model),
    };
    if (ask->user.p == NULL || usage_chat(call->root, call->arena, &ask->usage.prompt) != ST_OK ||
        tools_read(toolbox, call->root, call->arena) != ST_OK) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return false;
    }
    toolbox->mode = str_eq(choice, STR("NONE"))       ? TOOLS_NONE
                    : str_eq(choice, STR("REQUIRED")) ? TOOLS_DEMANDED
                                                      : TOOLS_AUTO;
    ask->toolbox = str_eq(call_text(call, last, "role"), STR("user")) ? toolbox : NULL;
    return true;
}

static void write_message(struct json_writer *w, const struct cohere_reply *reply,
                          const struct answer *answer)
{
    const struct answer_block *thought = answer_first(answer, ANSWER_THOUGHT);
    const struct answer_block *text = answer_first(answer, ANSWER_TEXT);
    bool calls = answer_first(answer, ANSWER_CALL) != NULL;
    jw_key(w, "message");
    jw_object(w);
    jw_field_cstr(w, "role", "assistant");
    if (thought != NULL || !calls) {
        jw_key(w, "content");
        jw_array(w);
        for (size_t i = 0; i < answer->count; i++) {
            const struct answer_block *block = &answer->blocks[i];
            bool is_thought = block->kind == ANSWER_THOUGHT;
            if (block->kind != ANSWER_THOUGHT && (block->kind != ANSWER_TEXT || calls))
                continue;
            jw_object(w);
            jw_field_cstr(w, "type", is_thought ? "thinking" : "text");
            jw_field_str(w, is_thought ? "thinking" : "text", block->text);
            jw_end(w);
        }
        jw_end(w);
    }
    if (calls) {
        if (text != NULL)
            jw_field_str(w, "tool_plan", text->text);
        jw_key(w, "tool_calls");
        jw_array(w);
        for (size_t i = 0; i < answer->count; i++)
            if (answer->blocks[i].kind == ANSWER_CALL)
                cohere_write_call(w, &answer->blocks[i], answer->blocks[i].text);
        jw_end(w);
    } else if (reply->source.p != NULL) {
        jw_key(w, "citations");
        jw_array(w);
        cohere_write_citation(w, reply);
        jw_end(w);
    }
    jw_end(w);
}

static void write_whole(struct call *call, const struct cohere_reply *reply,
                        const struct answer *answer)
{
    struct json_writer w;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_field_str(&w, "id", reply->id);
    jw_field_cstr(&w, "finish_reason", cohere_finish_reason(answer));
    write_message(&w, reply, answer);
    cohere_write_usage(&w, &answer->usage);
    if (reply->logprobs && answer_text(answer).p != NULL) {
        jw_key(&w, "logprobs");
        jw_array(&w);
        cohere_write_logprobs(&w, answer_text(answer));
        jw_end(&w);
    }
    jw_end(&w);
    call->usage = answer->usage;
}

void cohere_chat(struct call *call)
{
    const struct cohere_model *model = cohere_open(call, COHERE_CHAT);
    struct answer_ask ask;
    struct toolbox toolbox;
    struct answer answer;
    if (model == NULL || !cohere_check(call, model) || !read_chat(call, model, &ask, &toolbox))
        return;
    struct cohere_reply *reply = arena_calloc(call->keep, 1, sizeof *reply);
    if (reply == NULL || answer_make(call, &ask, &answer) != ST_OK) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return;
    }
    *reply = (struct cohere_reply){.id = sim_make_id(call->keep, ""),
                                   .source = source_of(call),
                                   .logprobs = call_flag(call->root, "logprobs")};
    if (call_flag(call->root, "stream"))
        cohere_start_stream(call, &answer, reply);
    else
        write_whole(call, reply, &answer);
}
