/* converse_answer.c: POST model/{id}/converse, converse-stream and count-tokens.
 *
 * inputTokens never holds what was read from or written to the cache; totalTokens holds all. The
 * members that additionalModelResponseFieldPaths asks for are those of the Claude reply: of them
 * the simulator has stop_sequence.
 */
#include "tests/sim/aws/converse.h"
#include "tests/sim/media.h"
#include "tests/sim/sim.h"

#include "common/clock.h"

const char *converse_stop_reason(const struct answer *answer)
{
    if (answer->refused)
        return "content_filtered";
    if (answer->cut)
        return "max_tokens";
    if (answer->stopped_by.p != NULL)
        return "stop_sequence";
    return answer_first(answer, ANSWER_CALL) != NULL ? "tool_use" : "end_turn";
}

void converse_write_usage(struct json_writer *w, const struct usage *usage)
{
    jw_object(w);
    jw_field_u64(w, "inputTokens", usage->prompt - usage->cached - usage->cache_write);
    jw_field_u64(w, "outputTokens", usage->completion);
    jw_field_u64(w, "totalTokens", usage->prompt + usage->completion);
    jw_field_u64(w, "cacheReadInputTokens", usage->cached);
    jw_field_u64(w, "cacheWriteInputTokens", usage->cache_write);
    if (usage->cache_write > 0) {
        jw_key(w, "cacheDetails");
        jw_array(w);
        for (int i = 0; i < 2; i++) {
            uint64_t tokens =
                i == 0 ? usage->cache_write_1h : usage->cache_write - usage->cache_write_1h;
            if (tokens == 0)
                continue;
            jw_object(w);
            jw_field_cstr(w, "ttl", i == 0 ? "1h" : "5m");
            jw_field_u64(w, "inputTokens", tokens);
            jw_end(w);
        }
        jw_end(w);
    }
    jw_end(w);
}

static void converse_write_block(struct json_writer *w, struct call *call,
                                 const struct converse_reply *reply,
                                 const struct answer_block *block)
{
    jw_object(w);
    switch (block->kind) {
    case ANSWER_TEXT:
        jw_field_str(w, "text", block->text);
        break;
    case ANSWER_IMAGE: /* not asked for here */
        break;
    case ANSWER_CALL:
        jw_key(w, "toolUse");
        jw_object(w);
        jw_field_str(w, "toolUseId", block->id);
        jw_field_str(w, "name", block->name);
        jw_field_raw(w, "input", block->cut ? STR("{}") : block->text);
        jw_end(w);
        break;
    case ANSWER_THOUGHT:
        jw_key(w, "reasoningContent");
        jw_object(w);
        if (reply->redacted) {
            jw_field_str(w, "redactedContent", sim_sign(call->arena, STR("redacted"), reply->seed));
        } else {
            jw_key(w, "reasoningText");
            jw_object(w);
            jw_field_str(w, "text", block->text);
            jw_field_str(w, "signature", sim_sign(call->arena, block->text, reply->seed));
            jw_end(w);
        }
        jw_end(w);
        break;
    }
    jw_end(w);
}

static void converse_write(struct call *call, const struct converse_reply *reply,
                           const struct answer *answer)
{
    struct json_writer w;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_key(&w, "output");
    jw_object(&w);
    jw_key(&w, "message");
    jw_object(&w);
    jw_field_cstr(&w, "role", "assistant");
    jw_key(&w, "content");
    jw_array(&w);
    for (size_t i = 0; i < answer->count; i++) {
        const struct answer_block *block = &answer->blocks[i];
        if (block->text.n > 0 || block->kind != ANSWER_TEXT)
            converse_write_block(&w, call, reply, block);
    }
    jw_end(&w);
    jw_end(&w);
    jw_end(&w);
    jw_field_cstr(&w, "stopReason",
                  reply->guarded && answer->refused ? "guardrail_intervened"
                                                    : converse_stop_reason(answer));
    jw_key(&w, "usage");
    converse_write_usage(&w, &answer->usage);
    jw_key(&w, "metrics");
    jw_object(&w);
    jw_field_i64(&w, "latencyMs", clock_wall_ms() - reply->started_ms);
    jw_end(&w);
    if (reply->extra.p != NULL)
        jw_field_raw(&w, "additionalModelResponseFields", reply->extra);
    jw_end(&w);
    call->usage = answer->usage;
}

/* The beta names of a list as the header would have them. */
static struct str converse_betas(struct call *call)
{
    const struct json *list = json_get(call->root, "anthropic_beta");
    struct str betas = STR("");
    for (const struct json *item = json_is(list, JSON_ARRAY) ? list->first : NULL; item != NULL;
         item = item->next) {
        struct str name = STR("");
        if (json_text(item, call->arena, &name) == ST_OK)
            betas = arena_printf(call->arena, STR_FMT "," STR_FMT, STR_ARG(betas), STR_ARG(name));
    }
    return betas;
}

/* Checks the request and leaves its translation in call->root. False: an error is the outcome. */
static bool converse_open(struct converse *converse, struct messages *messages)
{
    struct call *call = converse->call;
    if (!converse_check(converse))
        return false;
    if (converse_translate(converse, &call->root) != ST_OK) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return false;
    }
    *messages = (struct messages){.call = call,
                                  .host = MESSAGES_BEDROCK,
                                  .claude = converse->model.claude,
                                  .betas = converse_betas(call)};
    if (converse->model.kind != BEDROCK_CLAUDE) {
        messages->claude = claude_any();
        return true;
    }
    call->error_prefix = "The model returned the following errors: ";
    bool good = messages_check(messages);
    call->error_prefix = NULL;
    return good;
}

/* Models of others think by themselves, or when their own parameter says so. */
static bool converse_thinks(const struct converse *converse)
{
    struct call *call = converse->call;
    struct str id = str_c(converse->model.id);
    return (converse->model.traits & BEDROCK_THINKS) != 0 &&
           (str_starts(id, STR("deepseek.r1")) ||
            str_eq(call_text(call, json_get(call->root, "reasoningConfig"), "type"),
                   STR("enabled")));
}

static struct str converse_extra(struct call *call, const struct json *paths,
                                 const struct answer *answer)
{
    for (const struct json *path = paths == NULL ? NULL : paths->first; path != NULL;
         path = path->next) {
        struct str text = STR("");
        struct buf out;
        struct json_writer w;
        if (json_text(path, call->arena, &text) != ST_OK || !str_eq(text, STR("/stop_sequence")))
            continue;
        buf_init(&out, 4096);
        jw_init(&w, &out);
        jw_object(&w);
        jw_key(&w, "stop_sequence");
        if (answer->stopped_by.p == NULL)
            jw_null(&w);
        else
            jw_str(&w, answer->stopped_by);
        jw_end(&w);
        struct str extra = arena_str(call->keep, buf_str(&out));
        buf_free(&out);
        return extra;
    }
    return STR_NONE;
}

static void converse_run(struct call *call, bool stream)
{
    struct converse converse = {.call = call};
    struct messages messages;
    struct answer_ask ask;
    struct toolbox toolbox;
    struct answer answer;
    if (!bedrock_open(call, &converse.model) || !bedrock_check(call, &converse_shape))
        return;
    converse.body = call->root;
    if (!converse_open(&converse, &messages) || !messages_read(&messages, &ask, &toolbox))
        return;
    ask.call_prefix = "tooluse_";
    if (converse.model.kind != BEDROCK_CLAUDE)
        ask.thought = converse_thinks(&converse) ? ANSWER_THOUGHT_SHOWN : ANSWER_NO_THOUGHT;
    struct converse_reply *reply = arena_calloc(call->keep, 1, sizeof *reply);
    if (reply == NULL || answer_make(call, &ask, &answer) != ST_OK) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return;
    }
    *reply = (struct converse_reply){
        .redacted = messages_is_redacted(ask.user),
        .seed = sim_hash(ask.user, 0),
        .started_ms = clock_wall_ms(),
        .guarded = json_get(converse.body, "guardrailConfig") != NULL,
        .extra = converse_extra(call, json_get(converse.body, "additionalModelResponseFieldPaths"),
                                &answer)};
    if (stream)
        converse_stream(call, &answer, reply);
    else
        converse_write(call, reply, &answer);
}

void bedrock_converse(struct call *call)
{
    converse_run(call, false);
}

void bedrock_converse_stream(struct call *call)
{
    converse_run(call, true);
}

/* The body of an InvokeModel request inside count-tokens. False: an error is the outcome. */
static bool converse_count_invoke(struct call *call, const struct bedrock_model *model,
                                  struct messages *messages)
{
    struct str bytes = STR_NONE;
    struct json *root = NULL;
    struct str body = call_text(call, call->root, "body");
    if (media_decode(body, call->arena, &bytes) != ST_OK ||
        json_parse(call->arena, bytes, NULL, &root, NULL) != ST_OK || root->type != JSON_OBJECT) {
        call_error(call, 400, NULL, NULL, "The body of invokeModel is not base64 of JSON.");
        return false;
    }
    call->root = root;
    *messages = (struct messages){.call = call,
                                  .host = MESSAGES_BEDROCK,
                                  .claude = model->claude,
                                  .betas = converse_betas(call)};
    return messages_check(messages);
}

void bedrock_count_tokens(struct call *call)
{
    static const struct shape_field input_fields[] = {
        SHAPE_MEMBERS("converse", false, &converse_tokens_shape),
        SHAPE_MEMBERS("invokeModel", false, NULL),
    };
    static const struct shape input_shape = {
        .fields = input_fields, .count = COUNT_OF(input_fields), .one_of = true};
    static const struct shape_field fields[] = {SHAPE_MEMBERS("input", true, &input_shape)};
    static const struct shape shape = SHAPE_OF(fields);
    struct converse converse = {.call = call};
    struct messages messages;
    struct answer_ask ask;
    struct toolbox toolbox;
    struct json_writer w;
    if (!bedrock_open(call, &converse.model) || !bedrock_check(call, &shape))
        return;
    if (converse.model.kind != BEDROCK_CLAUDE) {
        call_error(call, 400, NULL, NULL, "The provided model doesn't support counting tokens.");
        return;
    }
    const struct json *input = json_get(call->root, "input");
    converse.body = json_get(input, "converse");
    call->root = json_get(input, "invokeModel");
    if (converse.body != NULL ? !converse_open(&converse, &messages)
                              : !converse_count_invoke(call, &converse.model, &messages))
        return;
    messages.counts_only = true;
    if (!messages_read(&messages, &ask, &toolbox))
        return;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_field_u64(&w, "inputTokens", ask.usage.prompt);
    jw_end(&w);
}
