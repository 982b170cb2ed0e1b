/* invoke_text.c: InvokeModel for the text models with a body of their own: Titan, Llama, Mistral,
 * Command.
 *
 * Four shapes of one thing: a prompt, a bound, an answer, its counts. They differ in names only, so
 * the names are a table. Source: "Inference request parameters and response fields" of the Bedrock
 * guide.
 */
#include "tests/sim/aws/invoke.h"
#include "tests/sim/aws/aws.h"
#include "tests/sim/stream.h"

#define TEXT_TOKENS 512 /* unless the request says how many */

static const struct shape_field titan_config_fields[] = {
    SHAPE_COUNT("maxTokenCount", false, 1, 8192),
    SHAPE_DECIMAL("temperature", 0, 1),
    SHAPE_DECIMAL("topP", 0, 1),
    SHAPE_LIST("stopSequences", false, SHAPE_STRING, NULL),
};
static const struct shape titan_config_shape = SHAPE_OF(titan_config_fields);
static const struct shape_field titan_fields[] = {
    SHAPE_TEXT("inputText", true),
    SHAPE_MEMBERS("textGenerationConfig", false, &titan_config_shape),
};
static const struct shape_field llama_fields[] = {
    SHAPE_TEXT("prompt", true),
    SHAPE_COUNT("max_gen_len", false, 1, 2048),
    SHAPE_DECIMAL("temperature", 0, 1),
    SHAPE_DECIMAL("top_p", 0, 1),
    SHAPE_LIST("images", false, SHAPE_STRING, NULL),
};
static const struct shape_field mistral_fields[] = {
    SHAPE_TEXT("prompt", true),
    SHAPE_COUNT("max_tokens", false, 1, 8192),
    SHAPE_LIST("stop", false, SHAPE_STRING, NULL),
    SHAPE_DECIMAL("temperature", 0, 1),
    SHAPE_DECIMAL("top_p", 0, 1),
    SHAPE_COUNT("top_k", false, 0, 200),
};
static const struct shape_field command_fields[] = {
    SHAPE_TEXT("prompt", true),
    SHAPE_COUNT("max_tokens", false, 1, 4096),
    SHAPE_LIST("stop_sequences", false, SHAPE_STRING, NULL),
    SHAPE_DECIMAL("temperature", 0, 5),
    SHAPE_DECIMAL("p", 0, 1),
    SHAPE_COUNT("k", false, 0, 500),
    SHAPE_ENUM("return_likelihoods", false, "GENERATION|ALL|NONE"),
    SHAPE_FLAG("stream"),
    SHAPE_COUNT("num_generations", false, 1, 5),
    SHAPE_MEMBERS("logit_bias", false, NULL),
    SHAPE_ENUM("truncate", false, "NONE|START|END"),
};

static const struct {
    enum bedrock_kind kind;
    struct shape shape;
    const char *prompt, *config, *limit, *stops;
} text_families[] = {
    {BEDROCK_TITAN_TEXT, SHAPE_OF(titan_fields), "inputText", "textGenerationConfig",
     "maxTokenCount", "stopSequences"},
    {BEDROCK_LLAMA, SHAPE_OF(llama_fields), "prompt", NULL, "max_gen_len", NULL},
    {BEDROCK_MISTRAL, SHAPE_OF(mistral_fields), "prompt", NULL, "max_tokens", "stop"},
    {BEDROCK_COMMAND, SHAPE_OF(command_fields), "prompt", NULL, "max_tokens", "stop_sequences"},
};

struct text_reply {
    enum bedrock_kind kind;
    struct str id, prompt;
};

static void text_write_finish(struct json_writer *w, const struct answer *answer, const char *name,
                              const char *stop, const char *length)
{
    jw_field_cstr(w, name, answer == NULL ? NULL : answer->cut ? length : stop);
}

/* One reply, or one chunk of a stream (`done` NULL: not its last). */
static void text_write(struct json_writer *w, const struct text_reply *reply, struct str text,
                       const struct usage *usage, const struct answer *done)
{
    switch (reply->kind) {
    case BEDROCK_LLAMA:
        jw_field_str(w, "generation", text);
        jw_field_u64(w, "prompt_token_count", usage->prompt);
        jw_field_u64(w, "generation_token_count", usage->completion);
        text_write_finish(w, done, "stop_reason", "stop", "length");
        break;
    case BEDROCK_MISTRAL:
        jw_key(w, "outputs");
        jw_array(w);
        jw_object(w);
        jw_field_str(w, "text", text);
        text_write_finish(w, done, "stop_reason", "stop", "length");
        jw_end(w);
        jw_end(w);
        break;
    case BEDROCK_COMMAND:
        jw_field_str(w, "id", reply->id);
        jw_key(w, "generations");
        jw_array(w);
        jw_object(w);
        jw_field_str(w, "id", reply->id);
        jw_field_str(w, "text", text);
        text_write_finish(w, done, "finish_reason", "COMPLETE", "MAX_TOKENS");
        jw_end(w);
        jw_end(w);
        jw_field_str(w, "prompt", reply->prompt);
        break;
    default:
        jw_field_u64(w, "inputTextTokenCount", usage->prompt);
        jw_key(w, "results");
        jw_array(w);
        jw_object(w);
        jw_field_u64(w, "tokenCount", usage->completion);
        jw_field_str(w, "outputText", text);
        text_write_finish(w, done, "completionReason", "FINISH", "LENGTH");
        jw_end(w);
        jw_end(w);
    }
}

static void text_write_chunk(struct json_writer *w, const struct text_reply *reply, struct str text,
                             const struct usage *usage, const struct answer *done)
{
    if (reply->kind == BEDROCK_TITAN_TEXT) {
        jw_field_str(w, "outputText", text);
        jw_field_u64(w, "index", 0);
        jw_field_u64(w, "totalOutputTextTokenCount", usage->completion);
        jw_field_u64(w, "inputTextTokenCount", usage->prompt);
        text_write_finish(w, done, "completionReason", "FINISH", "LENGTH");
    } else if (reply->kind == BEDROCK_COMMAND) {
        jw_field_str(w, "text", text);
        jw_field_bool(w, "is_finished", done != NULL);
        if (done != NULL)
            text_write_finish(w, done, "finish_reason", "COMPLETE", "MAX_TOKENS");
    } else {
        text_write(w, reply, text, usage, done);
    }
}

static void text_add_chunk(struct stream *stream, struct str text, bool last, struct buf *out)
{
    const struct answer *answer = &stream->answer;
    struct usage usage =
        last ? answer->usage : answer_usage_at(answer, stream->block, stream->offset + text.n);
    struct buf json;
    struct json_writer w;
    buf_init(&json, SIM_TEXT_MAX);
    jw_init(&w, &json);
    jw_object(&w);
    text_write_chunk(&w, stream->context, text, &usage, last ? answer : NULL);
    if (last) {
        jw_key(&w, "amazon-bedrock-invocationMetrics");
        jw_object(&w);
        jw_field_u64(&w, "inputTokenCount", usage.prompt);
        jw_field_u64(&w, "outputTokenCount", usage.completion);
        jw_field_u64(&w, "invocationLatency", 1);
        jw_field_u64(&w, "firstByteLatency", 1);
        jw_end(&w);
    }
    jw_end(&w);
    invoke_add_chunk(out, buf_str(&json));
    buf_free(&json);
}

static void text_begin(struct stream *stream, struct buf *out)
{
    (void)stream;
    (void)out;
}

static void text_piece(struct stream *stream, struct str text, struct buf *out)
{
    text_add_chunk(stream, text, false, out);
}

static void text_end(struct stream *stream, struct buf *out)
{
    text_add_chunk(stream, STR(""), true, out);
}

static void text_error(struct stream *stream, struct buf *out)
{
    (void)stream;
    aws_add_frame(out, "exception", "modelStreamErrorException",
                  STR("{\"message\":\"The model broke off.\",\"originalStatusCode\":500}"));
}

static const struct stream_ops text_ops = {
    .begin = text_begin, .piece = text_piece, .end = text_end, .error = text_error};

void invoke_text(struct call *call, const struct bedrock_model *model, bool stream)
{
    struct answer_ask ask = {.choices = 1};
    struct answer answer;
    struct json_writer w;
    size_t i = 0;
    while (text_families[i].kind != model->kind)
        i++;
    if (!invoke_check(call, &text_families[i].shape))
        return;
    const struct json *config = text_families[i].config == NULL
                                    ? call->root
                                    : json_get(call->root, text_families[i].config);
    struct text_reply *reply = arena_calloc(call->keep, 1, sizeof *reply);
    ask.user = call_text(call, call->root, text_families[i].prompt);
    ask.usage.prompt = usage_tokens(ask.user.n);
    if (text_families[i].stops != NULL)
        ask.stops = json_get(config, text_families[i].stops);
    ask.max_tokens = call_integer(config, text_families[i].limit, TEXT_TOKENS);
    if (reply == NULL || answer_make(call, &ask, &answer) != ST_OK) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return;
    }
    *reply = (struct text_reply){.kind = model->kind,
                                 .id = sim_make_id(call->keep, ""),
                                 .prompt = arena_str(call->keep, ask.user)};
    if (stream) {
        stream_start(call, &text_ops, &answer, reply);
        return;
    }
    jw_init(&w, call->out);
    jw_object(&w);
    text_write(&w, reply, answer_text(&answer), &answer.usage, &answer);
    jw_end(&w);
    call->usage = answer.usage;
}
