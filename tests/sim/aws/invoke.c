/* invoke.c: POST model/{id}/invoke and invoke-with-response-stream: which body is whose (invoke.h).
 *
 * A stream's chunks wrap the model's own JSON as base64; the figures that a whole reply has in its
 * head (x-amzn-bedrock-*) come in the last chunk as amazon-bedrock-invocationMetrics.
 */
#include "tests/sim/aws/invoke.h"

#include "tests/sim/anthropic/messages.h"
#include "tests/sim/aws/aws.h"

#include <sodium.h>

#define CHUNK_MAX (SIM_TEXT_MAX * 2)

static invoke_fn *const invoke_families[] = {
    [BEDROCK_CLAUDE] = invoke_claude,
    [BEDROCK_TITAN_TEXT] = invoke_text,
    [BEDROCK_LLAMA] = invoke_text,
    [BEDROCK_MISTRAL] = invoke_text,
    [BEDROCK_COMMAND] = invoke_text,
    [BEDROCK_TITAN_EMBED_1] = invoke_titan_embed,
    [BEDROCK_TITAN_EMBED_2] = invoke_titan_embed,
    [BEDROCK_TITAN_EMBED_IMAGE] = invoke_titan_embed,
    [BEDROCK_COHERE_EMBED] = invoke_cohere_embed,
    [BEDROCK_COHERE_RERANK] = invoke_cohere_rerank,
    [BEDROCK_STABLE_IMAGE] = invoke_stable_image,
    [BEDROCK_STABLE_XL] = invoke_stable_xl,
    [BEDROCK_CANVAS] = invoke_canvas,
};

void invoke_add_chunk(struct buf *out, struct str json)
{
    struct buf payload;
    size_t room = sodium_base64_encoded_len(json.n, sodium_base64_VARIANT_ORIGINAL);
    buf_init(&payload, CHUNK_MAX);
    buf_add_lit(&payload, "{\"bytes\":\"");
    if (buf_reserve(&payload, room) == ST_OK) {
        sodium_bin2base64(payload.p + payload.n, room, (const unsigned char *)json.p, json.n,
                          sodium_base64_VARIANT_ORIGINAL);
        payload.n += room - 1;
    }
    buf_add_lit(&payload, "\",\"p\":\"abcdefghij\"}");
    if (buf_status(&payload) == ST_OK)
        aws_add_frame(out, "event", "chunk", buf_str(&payload));
    else
        out->failed = ST_NO_MEMORY;
    buf_free(&payload);
}

/* A Claude's error event is Bedrock's exception; its last event carries the figures. */
static void invoke_frame_claude(struct buf *out, const char *event, struct str json)
{
    if (strcmp(event, "error") == 0)
        aws_add_frame(out, "exception", "modelStreamErrorException",
                      STR("{\"message\":\"The model broke off.\",\"originalStatusCode\":500}"));
    else
        invoke_add_chunk(out, json);
}

void invoke_claude(struct call *call, const struct bedrock_model *model, bool stream)
{
    struct messages messages = {
        .call = call, .host = MESSAGES_BEDROCK, .claude = model->claude, .betas = STR("")};
    const struct json *betas = json_get(call->root, "anthropic_beta");
    for (const struct json *item = json_is(betas, JSON_ARRAY) ? betas->first : NULL; item != NULL;
         item = item->next) {
        struct str name = STR("");
        if (json_is(item, JSON_STRING) && json_text(item, call->arena, &name) == ST_OK)
            messages.betas = arena_printf(call->arena, STR_FMT "," STR_FMT, STR_ARG(messages.betas),
                                          STR_ARG(name));
    }
    messages_answer(&messages, stream, invoke_frame_claude);
}

bool invoke_refuse(struct call *call, const struct shape_fault *fault)
{
    const char *rule = "is not valid";
    switch (fault->rule) {
    case SHAPE_MISSING:
        call_error(call, 400, NULL, NULL,
                   "Malformed input request: #: required key [%s] not found, please reformat your "
                   "input and try again.",
                   fault->name);
        return false;
    case SHAPE_UNKNOWN:
        call_error(call, 400, NULL, NULL,
                   "Malformed input request: #: extraneous key [%s] is not permitted, please "
                   "reformat your input and try again.",
                   fault->name);
        return false;
    case SHAPE_TOO_SMALL:
        rule = "is less than its minimum";
        break;
    case SHAPE_TOO_LARGE:
        rule = "is greater than its maximum";
        break;
    case SHAPE_WRONG_TYPE:
        rule = "has the wrong type";
        break;
    default:
        break;
    }
    call_error(call, 400, NULL, NULL,
               "Malformed input request: #/%s: the value %s, please reformat your input and try "
               "again.",
               fault->path, rule);
    return false;
}

bool invoke_check(struct call *call, const struct shape *shape)
{
    static const struct shape_style style = {.brackets = false};
    struct shape_fault fault;
    return shape_check(call->root, shape, &style, call->arena, &fault) ||
           invoke_refuse(call, &fault);
}

void invoke_run(struct call *call, const struct bedrock_model *model, bool stream)
{
    invoke_fn *family =
        (size_t)model->kind < COUNT_OF(invoke_families) ? invoke_families[model->kind] : NULL;
    if (family == NULL) {
        call_error(call, 400, NULL, NULL,
                   "This model is played with Converse only: use converse or converse-stream.");
        return;
    }
    if (stream && model->kind > BEDROCK_COMMAND) {
        call_error(call, 400, NULL, NULL, "The model is unsupported for streaming.");
        return;
    }
    family(call, model, stream);
}

static void invoke_open(struct call *call, bool stream)
{
    struct bedrock_model model;
    if (!bedrock_open(call, &model))
        return;
    invoke_run(call, &model, stream);
    if (call->source != NULL) {
        call->content_type = "application/vnd.amazon.eventstream";
        buf_printf(&call->req->extra_head, "x-amzn-bedrock-content-type: application/json\r\n");
    } else if (call->status == 200) {
        buf_printf(
            &call->req->extra_head,
            "x-amzn-bedrock-input-token-count: %llu\r\n"
            "x-amzn-bedrock-output-token-count: %llu\r\n"
            "x-amzn-bedrock-cache-read-input-token-count: %llu\r\n"
            "x-amzn-bedrock-cache-write-input-token-count: %llu\r\n"
            "x-amzn-bedrock-invocation-latency: 1\r\n",
            (unsigned long long)(call->usage.prompt - call->usage.cached - call->usage.cache_write),
            (unsigned long long)call->usage.completion, (unsigned long long)call->usage.cached,
            (unsigned long long)call->usage.cache_write);
    }
}

void bedrock_invoke(struct call *call)
{
    invoke_open(call, false);
}

void bedrock_invoke_stream(struct call *call)
{
    invoke_open(call, true);
}
