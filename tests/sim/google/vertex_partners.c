/* vertex_partners.c: other makers' models on Vertex AI: Claude, Mistral, and OpenAI-shaped
 * endpoints.
 *
 * Claude: the Messages API without `model`, with anthropic_version "vertex-2023-10-16"; names are
 * claude-x@date. Errors are then Anthropic's. Mistral: the chat API, whose `model` is that of the
 * path. An endpoint: the chat API; the shared one (openapi) knows publisher/model names. Whether a
 * reply streams is said twice, by the verb and by the body, and both must agree.
 */
#include "tests/sim/anthropic/messages.h"
#include "tests/sim/api.h"
#include "tests/sim/google/google.h"

static const char *const partners_mistral[] = {"mistral-small-2503", "mistral-medium-3",
                                               "mistral-large-2411", "codestral-2"};
static const char *const partners_open[] = {
    "meta/llama-3.1-8b-instruct-maas",         "meta/llama-3.1-405b-instruct-maas",
    "meta/llama-3.3-70b-instruct-maas",        "meta/llama-4-maverick-17b-128e-instruct-maas",
    "deepseek-ai/deepseek-v3.1-maas",          "openai/gpt-oss-120b-maas",
    "qwen/qwen3-235b-a22b-instruct-2507-maas", "zai-org/glm-5-maas",
};

/* claude-sonnet-4-5@20250929 or claude-opus-4-6(@default) as Anthropic spells it. */
static const struct claude *partners_claude(struct call *call, struct str name)
{
    ptrdiff_t at = str_find_char(name, '@');
    struct str date = at < 0 ? STR("") : str_from(name, (size_t)at + 1);
    if (at >= 0)
        name = str_head(name, (size_t)at);
    if (date.n > 0 && !str_eq(date, STR("default")))
        name = arena_printf(call->arena, STR_FMT "-" STR_FMT, STR_ARG(name), STR_ARG(date));
    const struct claude *claude = claude_find(&call->sim->options, name);
    /* the dated ones have no undated spelling here, as on Vertex */
    return claude != NULL && at < 0 && claude->alias != NULL ? NULL : claude;
}

/* False: an error is the outcome. */
static bool partners_open_body(struct call *call, bool stream)
{
    if (call->root == NULL)
        return google_refuse(call, "A JSON body is required.");
    return call_flag(call->root, "stream") == stream ||
           google_refuse(call, "`stream` of the body and the method do not agree.");
}

static bool partners_open_claude(struct call *call, struct str name, struct messages *messages)
{
    const struct claude *claude = partners_claude(call, name);
    call->model = arena_str(call->keep, name);
    if (claude == NULL) {
        call_error(call, 404, NULL, NULL,
                   "Publisher Model `publishers/anthropic/models/" STR_FMT
                   "` was not found or your "
                   "project does not have access to it.",
                   STR_ARG(str_head(name, 200)));
        return false;
    }
    call->family = &family_anthropic;
    *messages = (struct messages){.call = call,
                                  .claude = claude,
                                  .host = MESSAGES_VERTEX,
                                  .betas = request_header(call->req, "anthropic-beta")};
    return true;
}

static void partners_run_claude(struct call *call, bool stream)
{
    struct messages messages;
    if (partners_open_body(call, stream) && partners_open_claude(call, call->id, &messages))
        messages_answer(&messages, stream, messages_frame_sse);
}

void vertex_claude(struct call *call)
{
    partners_run_claude(call, false);
}

void vertex_claude_stream(struct call *call)
{
    partners_run_claude(call, true);
}

void vertex_claude_count(struct call *call)
{
    struct messages messages;
    struct answer_ask ask;
    struct toolbox toolbox;
    struct json_writer w;
    if (!partners_open_body(call, false) ||
        !partners_open_claude(call, call_text(call, call->root, "model"), &messages))
        return;
    messages.counts_only = true;
    if (!messages_check(&messages) || !messages_read(&messages, &ask, &toolbox))
        return;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_field_u64(&w, "input_tokens", ask.usage.prompt);
    jw_end(&w);
}

static bool partners_knows(const struct call *call, const char *const *names, size_t count,
                           struct str name)
{
    const struct options_list *more = &call->sim->options.models;
    for (size_t i = 0; i < count; i++) {
        if (str_eq(name, str_c(names[i])))
            return true;
    }
    for (size_t i = 0; i < more->count; i++) {
        if (str_eq(name, str_c(more->item[i])))
            return true;
    }
    return false;
}

static void partners_run_mistral(struct call *call, bool stream)
{
    if (!partners_open_body(call, stream))
        return;
    call->model = arena_str(call->keep, call->id);
    if (!partners_knows(call, partners_mistral, COUNT_OF(partners_mistral), call->id)) {
        call_error(call, 404, NULL, NULL,
                   "Publisher Model `publishers/mistralai/models/" STR_FMT
                   "` was not found or your "
                   "project does not have access to it.",
                   STR_ARG(str_head(call->id, 200)));
        return;
    }
    if (!str_eq(call_text(call, call->root, "model"), call->id)) {
        (void)google_refuse(call, "`model` of the body and the path do not agree.");
        return;
    }
    api_chat_run(call);
}

void vertex_mistral(struct call *call)
{
    partners_run_mistral(call, false);
}

void vertex_mistral_stream(struct call *call)
{
    partners_run_mistral(call, true);
}

void vertex_endpoint_chat(struct call *call)
{
    struct str model = call->root == NULL ? STR_NONE : call_text(call, call->root, "model");
    bool shared = str_eq(call->id, STR("openapi"));
    struct str prefix = STR("google/");
    if (call->root == NULL) {
        (void)google_refuse(call, "A JSON body is required.");
        return;
    }
    if (shared && model.p == NULL) {
        (void)google_refuse(call, "Missing required field: model.");
        return;
    }
    bool google = str_starts(model, prefix) &&
                  google_find(&call->sim->options, str_from(model, prefix.n)) != NULL;
    if (shared && !google && !partners_knows(call, partners_open, COUNT_OF(partners_open), model)) {
        call_error(call, 404, NULL, NULL, "Model `" STR_FMT "` was not found.",
                   STR_ARG(str_head(model, 200)));
        return;
    }
    call->model = arena_str(call->keep, model.p == NULL ? STR("") : model);
    api_chat_run(call);
}
