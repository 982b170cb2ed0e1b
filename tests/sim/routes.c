/* routes.c: which handler plays which operation of the API (routes_find of dispatch.h).
 *
 * A provider's base path differs (/v1, /openai/v1, /api/paas/v4, /compatible-mode/v1 ...), so a
 * route is matched against the end of the path: the longest end that fits wins, and what stands
 * before it is not looked at.
 */
#include "tests/sim/api.h"
#include "tests/sim/dispatch.h"

#define ROUTES_SEGMENTS_MAX 32

static const struct route routes[] = {
    {"POST", "chat/completions", api_chat_create},
    {"POST", "completions", api_completions_create},
    {"POST", "embeddings", api_embeddings_create},
    {"POST", "moderations", api_moderations_create},
    {"POST", "images/generations", api_images_generate},
    {"POST", "images/edits", api_images_edit},
    {"POST", "audio/speech", api_audio_speech},
    {"POST", "audio/transcriptions", api_audio_transcribe},
    {"POST", "audio/translations", api_audio_translate},
    {"POST", "responses", api_responses_create},
    {"GET", "responses/*", api_responses_get},
    {"DELETE", "responses/*", api_responses_delete},
    {"POST", "responses/*/cancel", api_responses_cancel},
    {"GET", "responses/*/input_items", api_responses_input_items},
    {"POST", "files", api_files_create},
    {"GET", "files", api_files_list},
    {"GET", "files/*", api_files_get},
    {"DELETE", "files/*", api_files_delete},
    {"GET", "files/*/content", api_files_content},
    {"POST", "batches", api_batches_create},
    {"GET", "batches", api_batches_list},
    {"GET", "batches/*", api_batches_get},
    {"POST", "batches/*/cancel", api_batches_cancel},
    {"POST", "fine_tuning/jobs", api_jobs_create},
    {"GET", "fine_tuning/jobs", api_jobs_list},
    {"GET", "fine_tuning/jobs/*", api_jobs_get},
    {"POST", "fine_tuning/jobs/*/cancel", api_jobs_cancel},
    {"GET", "fine_tuning/jobs/*/events", api_jobs_events},
    {"GET", "fine_tuning/jobs/*/checkpoints", api_jobs_checkpoints},
    {"GET", "models", api_models_list},
    {"GET", "models/**", api_models_get},
    {"DELETE", "models/**", api_models_delete},
};

/* Whether `path` (no leading slash) is the route; *id is what stood for its star. */
static bool routes_match(struct str pattern, struct str path, struct str *id)
{
    struct str want, have;
    while (str_split(&pattern, '/', &want)) {
        if (str_eq(want, STR("**"))) {
            *id = path;
            return path.n > 0;
        }
        if (!str_split(&path, '/', &have) || have.n == 0)
            return false;
        if (str_eq(want, STR("*")))
            *id = have;
        else if (!str_eq(want, have))
            return false;
    }
    return path.n == 0;
}

const struct route *routes_find(struct str method, struct str path, struct str *id,
                                bool *wrong_method)
{
    struct str rest = path, piece;
    *wrong_method = false;
    for (int depth = 0; depth < ROUTES_SEGMENTS_MAX && rest.n > 0; depth++) {
        for (size_t i = 0; i < COUNT_OF(routes); i++) {
            struct str found = STR_NONE;
            if (!routes_match(str_c(routes[i].path), rest, &found))
                continue;
            if (!str_eq(method, str_c(routes[i].method))) {
                *wrong_method = true;
                continue;
            }
            *wrong_method = false;
            *id = found;
            return &routes[i];
        }
        if (!str_split(&rest, '/', &piece))
            return NULL;
    }
    return NULL;
}
