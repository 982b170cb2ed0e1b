/* vertex.c: Vertex AI as a family: routes of its projects, and the credential.
 *
 * An OAuth token is required (google_token.c gives them out); the short paths of express mode take
 * an API key in x-goog-api-key. What is not Google's own model speaks its maker's API behind
 * Vertex's path.
 */
#include "tests/sim/google/google.h"
#include "tests/sim/reply.h"

#define PROJECT "projects/*/locations/*/"

static const struct route vertex_routes[] = {
    {"POST", PROJECT "publishers/google/models/*:generateContent", gemini_generate, 0},
    {"POST", PROJECT "publishers/google/models/*:streamGenerateContent", gemini_stream, 0},
    {"POST", PROJECT "publishers/google/models/*:countTokens", gemini_count_tokens, 0},
    {"POST", PROJECT "publishers/google/models/*:embedContent", gemini_embed, 0},
    {"POST", PROJECT "publishers/google/models/*:predict", vertex_predict, 0},
    {"POST", PROJECT "publishers/anthropic/models/count-tokens:rawPredict", vertex_claude_count, 0},
    {"POST", PROJECT "publishers/anthropic/models/*:rawPredict", vertex_claude, 0},
    {"POST", PROJECT "publishers/anthropic/models/*:streamRawPredict", vertex_claude_stream, 0},
    {"POST", PROJECT "publishers/mistralai/models/*:rawPredict", vertex_mistral, 0},
    {"POST", PROJECT "publishers/mistralai/models/*:streamRawPredict", vertex_mistral_stream, 0},
    {"POST", PROJECT "endpoints/*/chat/completions", vertex_endpoint_chat, 0},
    {"POST", PROJECT "batchPredictionJobs", vertex_batches_create, 0},
    {"GET", PROJECT "batchPredictionJobs", vertex_batches_list, 0},
    {"GET", PROJECT "batchPredictionJobs/*", vertex_batches_get, 0},
    {"POST", PROJECT "batchPredictionJobs/*:cancel", vertex_batches_cancel, 0},
    {"POST", PROJECT "tuningJobs", vertex_tunings_create, 0},
    {"GET", PROJECT "tuningJobs", vertex_tunings_list, 0},
    {"GET", PROJECT "tuningJobs/*", vertex_tunings_get, 0},
    {"POST", PROJECT "tuningJobs/*:cancel", vertex_tunings_cancel, 0},
    {"POST", "publishers/google/models/*:generateContent", gemini_generate, 0},
    {"POST", "publishers/google/models/*:streamGenerateContent", gemini_stream, 0},
    {"POST", "publishers/google/models/*:countTokens", gemini_count_tokens, 0},
};

static bool vertex_is_meant(const struct request *req)
{
    return str_find(request_header(req, "host"), STR("aiplatform")) >= 0 ||
           str_find(req->path, STR("/projects/")) >= 0;
}

static bool vertex_admit(struct request *req)
{
    struct str key = request_header(req, "x-goog-api-key");
    if (str_find(req->path, STR("/projects/")) >= 0 || key.n == 0)
        return google_admit_token(req);
    if (options_accept_key(&req->sim->options, key))
        return true;
    reply_error(req, 400, "API_KEY_INVALID",
                STR("API key not valid. Please pass a valid API key."));
    return false;
}

const struct family family_vertex = {
    .name = "vertex",
    .content_type = "application/json; charset=UTF-8",
    .routes = vertex_routes,
    .route_count = COUNT_OF(vertex_routes),
    .is_meant = vertex_is_meant,
    .admit = vertex_admit,
    .head = google_head,
    .error = google_error,
};

static bool oauth_is_meant(const struct request *req)
{
    return str_find(request_header(req, "host"), STR("oauth2")) >= 0 ||
           str_find(buf_str(&req->body), STR("jwt-bearer")) >= 0;
}

/* The assertion in the body is the credential. */
static bool oauth_admit(struct request *req)
{
    (void)req;
    return true;
}

static const struct route oauth_routes[] = {
    {"POST", "token", google_token, ROUTE_SHARED | ROUTE_RAW},
};

const struct family family_google_oauth = {
    .name = "google-oauth",
    .content_type = "application/json; charset=UTF-8",
    .routes = oauth_routes,
    .route_count = COUNT_OF(oauth_routes),
    .is_meant = oauth_is_meant,
    .admit = oauth_admit,
    .head = google_head,
    .error = google_error,
};
