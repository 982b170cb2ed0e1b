/* openai.c: OpenAI's API as a family: routes, credential, head lines, error shape.
 *
 * It also stands for every OpenAI-compatible provider, whose keys come in `authorization`,
 * `api-key` or `x-api-key`; so it is meant by whatever no other family claims.
 *
 * Error bodies: {"error":{"message","type","param","code"}}; the type follows from the status.
 */
#include "tests/sim/azure/entra.h"
#include "tests/sim/api.h"
#include "tests/sim/family.h"
#include "tests/sim/reply.h"

#include "common/clock.h"

static const struct route openai_routes[] = {
    {"POST", "chat/completions", api_chat_create, 0},
    {"POST", "completions", api_completions_create, 0},
    {"POST", "embeddings", api_embeddings_create, 0},
    {"POST", "moderations", api_moderations_create, 0},
    {"POST", "images/generations", api_images_generate, 0},
    {"POST", "images/edits", api_images_edit, 0},
    {"POST", "audio/speech", api_audio_speech, 0},
    {"POST", "audio/transcriptions", api_audio_transcribe, 0},
    {"POST", "audio/translations", api_audio_translate, 0},
    {"POST", "responses", api_responses_create, 0},
    {"GET", "responses/*", api_responses_get, 0},
    {"DELETE", "responses/*", api_responses_delete, 0},
    {"POST", "responses/*/cancel", api_responses_cancel, 0},
    {"GET", "responses/*/input_items", api_responses_input_items, 0},
    {"POST", "files", api_files_create, 0},
    {"GET", "files", api_files_list, 0},
    {"GET", "files/*", api_files_get, 0},
    {"DELETE", "files/*", api_files_delete, 0},
    {"GET", "files/*/content", api_files_content, 0},
    {"POST", "batches", api_batches_create, 0},
    {"GET", "batches", api_batches_list, 0},
    {"GET", "batches/*", api_batches_get, 0},
    {"POST", "batches/*/cancel", api_batches_cancel, 0},
    {"POST", "fine_tuning/jobs", api_jobs_create, 0},
    {"GET", "fine_tuning/jobs", api_jobs_list, 0},
    {"GET", "fine_tuning/jobs/*", api_jobs_get, 0},
    {"POST", "fine_tuning/jobs/*/cancel", api_jobs_cancel, 0},
    {"GET", "fine_tuning/jobs/*/events", api_jobs_events, 0},
    {"GET", "fine_tuning/jobs/*/checkpoints", api_jobs_checkpoints, 0},
    {"GET", "models", api_models_list, 0},
    {"GET", "models/**", api_models_get, 0},
    {"DELETE", "models/**", api_models_delete, 0},
};

static bool openai_is_meant(const struct request *req)
{
    (void)req;
    return true;
}

static bool openai_admit(struct request *req)
{
    struct str key;
    const char *header = NULL;
    if (!request_credential(req, &key, &header) || strcmp(header, "x-goog-api-key") == 0) {
        reply_error(req, 401, NULL,
                    STR("You didn't provide an API key. You need to provide your API key in an "
                        "Authorization "
                        "header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."));
        return false;
    }
    if (entra_is_token(key) ? entra_accepts(key) : options_accept_key(&req->sim->options, key))
        return true;
    struct str tail = key.n > 4 ? str_from(key, key.n - 4) : STR("");
    struct str message =
        arena_printf(&req->keep,
                     "Incorrect API key provided: ****" STR_FMT ". You can find your "
                     "API key at https://platform.openai.com/account/api-keys.",
                     STR_ARG(tail));
    reply_error(req, 401, "invalid_api_key", message);
    return false;
}

static void openai_head(struct request *req, struct buf *out)
{
    buf_printf(out,
               "x-request-id: " STR_FMT "\r\n"
               "openai-processing-ms: %lld\r\nopenai-version: 2020-10-01\r\n"
               "openai-organization: sluice-sim\r\nx-ratelimit-limit-requests: 10000\r\n"
               "x-ratelimit-remaining-requests: 9999\r\nx-ratelimit-reset-requests: 6ms\r\n",
               STR_ARG(request_reply_id(req)), (long long)(clock_wall_ms() - req->started_ms));
}

static const char *openai_error_type(int status, const char *code)
{
    if (status == 429)
        return code != NULL && strcmp(code, "insufficient_quota") == 0 ? "insufficient_quota"
                                                                       : "requests";
    return status >= 500 ? "server_error" : "invalid_request_error";
}

static struct str openai_status_message(int status)
{
    if (status == 429)
        return STR("Rate limit reached for requests. Please try again later.");
    if (status == 503)
        return STR("The engine is currently overloaded, please try again later.");
    if (status >= 500)
        return STR("The server had an error while processing your request. Sorry about that!");
    return STR("The simulator was asked to refuse this request.");
}

static void openai_error(struct buf *out, const struct failure *failure)
{
    struct json_writer w;
    bool forced = failure->message.p == NULL;
    const char *code = forced && failure->status == 429 ? "rate_limit_exceeded" : failure->code;
    jw_init(&w, out);
    jw_object(&w);
    jw_key(&w, "error");
    jw_object(&w);
    jw_field_str(&w, "message", forced ? openai_status_message(failure->status) : failure->message);
    jw_field_cstr(&w, "type", openai_error_type(failure->status, code));
    jw_field_cstr(&w, "param", failure->param);
    jw_field_cstr(&w, "code", code);
    jw_end(&w);
    jw_end(&w);
}

const struct family family_openai = {
    .name = "openai",
    .routes = openai_routes,
    .route_count = COUNT_OF(openai_routes),
    .is_meant = openai_is_meant,
    .admit = openai_admit,
    .head = openai_head,
    .error = openai_error,
};
