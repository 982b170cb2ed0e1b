/* gemini_family.c: the Gemini API (generativelanguage.googleapis.com) as a family: routes and
 * credential.
 *
 * The key comes in x-goog-api-key. A key in the URL is refused unless --url-keys 1 allows it,
 * because a gateway must never write one there. The models' paths are others', too: a request with
 * such a key, or for a host of Google's, is meant for here.
 */
#include "tests/sim/google/google.h"
#include "tests/sim/reply.h"

static const struct route gemini_routes[] = {
    {"POST", "models/*:generateContent", gemini_generate, 0},
    {"POST", "models/*:streamGenerateContent", gemini_stream, 0},
    {"POST", "models/*:countTokens", gemini_count_tokens, 0},
    {"POST", "models/*:embedContent", gemini_embed, 0},
    {"POST", "models/*:batchEmbedContents", gemini_embed_batch, 0},
    {"POST", "models/*:predict", vertex_predict, 0},
    {"GET", "models", gemini_models_list, ROUTE_SHARED},
    {"GET", "models/*", gemini_models_get, ROUTE_SHARED},
};

static bool gemini_is_meant(const struct request *req)
{
    return request_header(req, "x-goog-api-key").p != NULL ||
           str_find(request_header(req, "host"), STR("generativelanguage")) >= 0;
}

static bool gemini_admit(struct request *req)
{
    struct str key = request_header(req, "x-goog-api-key"), in_url = request_query(req, "key");
    if (in_url.p != NULL && req->sim->options.url_keys == 0) {
        reply_error(req, 400, "API_KEY_IN_URL",
                    STR("The key stands in the URL: send it in the header x-goog-api-key."));
        return false;
    }
    key = key.n == 0 ? in_url : key;
    if (key.n == 0) {
        reply_error(req, 403, NULL,
                    STR("Method doesn't allow unregistered callers (callers without established "
                        "identity). Please use API Key or other form of API consumer identity to "
                        "call this API."));
        return false;
    }
    if (options_accept_key(&req->sim->options, key))
        return true;
    reply_error(req, 400, "API_KEY_INVALID",
                STR("API key not valid. Please pass a valid API key."));
    return false;
}

const struct family family_gemini = {
    .name = "gemini",
    .content_type = "application/json; charset=UTF-8",
    .routes = gemini_routes,
    .route_count = COUNT_OF(gemini_routes),
    .is_meant = gemini_is_meant,
    .admit = gemini_admit,
    .head = google_head,
    .error = google_error,
};
