/* gemini_answer.c: POST models/{m}:generateContent, :streamGenerateContent and :countTokens; the
 * whole reply.
 *
 * candidatesTokenCount never holds the thoughts; totalTokenCount holds all. A thoughtSignature
 * stands on the first call of an answer (of a model that thinks), and is proof of that call's name.
 */
#include "tests/sim/google/gemini.h"
#include "tests/sim/media.h"

#define GROUNDING_MAX 65536

void gemini_write_details(struct json_writer *w, const char *name, const struct usage *usage)
{
    const struct {
        const char *modality;
        uint64_t tokens;
    } rows[] = {{"TEXT", usage->prompt - usage->image - usage->audio - usage->file},
                {"IMAGE", usage->image},
                {"AUDIO", usage->audio},
                {"DOCUMENT", usage->file}};
    jw_key(w, name);
    jw_array(w);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].tokens == 0)
            continue;
        jw_object(w);
        jw_field_cstr(w, "modality", rows[i].modality);
        jw_field_u64(w, "tokenCount", rows[i].tokens);
        jw_end(w);
    }
    jw_end(w);
}

static void gemini_write_one_detail(struct json_writer *w, const char *name, const char *modality,
                                    uint64_t tokens)
{
    jw_key(w, name);
    jw_array(w);
    jw_object(w);
    jw_field_cstr(w, "modality", modality);
    jw_field_u64(w, "tokenCount", tokens);
    jw_end(w);
    jw_end(w);
}

void gemini_write_usage(struct json_writer *w, const struct usage *usage)
{
    jw_key(w, "usageMetadata");
    jw_object(w);
    jw_field_u64(w, "promptTokenCount", usage->prompt);
    if (usage->completion > usage->reasoning)
        jw_field_u64(w, "candidatesTokenCount", usage->completion - usage->reasoning);
    jw_field_u64(w, "totalTokenCount", usage->prompt + usage->completion);
    if (usage->cached > 0) {
        jw_field_u64(w, "cachedContentTokenCount", usage->cached);
        gemini_write_one_detail(w, "cacheTokensDetails", "TEXT", usage->cached);
    }
    gemini_write_details(w, "promptTokensDetails", usage);
    if (usage->image_out > 0)
        gemini_write_one_detail(w, "candidatesTokensDetails", "IMAGE", usage->image_out);
    if (usage->reasoning > 0)
        jw_field_u64(w, "thoughtsTokenCount", usage->reasoning);
    jw_end(w);
}

void gemini_write_part(struct json_writer *w, const struct gemini_reply *reply,
                       const struct answer_block *block, struct str text, bool first_call)
{
    struct arena arena;
    arena_init(&arena, 65536);
    jw_object(w);
    switch (block->kind) {
    case ANSWER_THOUGHT:
        jw_field_str(w, "text", text);
        jw_field_bool(w, "thought", true);
        break;
    case ANSWER_TEXT:
        jw_field_str(w, "text", text);
        break;
    case ANSWER_CALL:
        jw_key(w, "functionCall");
        jw_object(w);
        jw_field_str(w, "name", block->name);
        jw_field_raw(w, "args", block->cut ? STR("{}") : block->text);
        if (reply->calls_have_ids)
            jw_field_str(w, "id", block->id);
        jw_end(w);
        if (first_call && google_can(reply->row, GOOGLE_THINKS))
            jw_field_str(w, "thoughtSignature", sim_sign(&arena, block->name, reply->seed));
        break;
    case ANSWER_IMAGE:
        jw_key(w, "inlineData");
        jw_object(w);
        jw_field_cstr(w, "mimeType", "image/png");
        jw_field_cstr(w, "data", MEDIA_PNG);
        jw_end(w);
        break;
    }
    jw_end(w);
    arena_free(&arena);
}

const char *gemini_finish_reason(const struct answer *answer)
{
    return answer->refused ? "SAFETY" : answer->cut ? "MAX_TOKENS" : "STOP";
}

/* Every 4 bytes are a token, each with the same probability. */
void gemini_write_logprobs(struct json_writer *w, struct str text)
{
    static const char *const lists[] = {"chosenCandidates", "topCandidates"};
    jw_key(w, "logprobsResult");
    jw_object(w);
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        jw_key(w, lists[i]);
        jw_array(w);
        for (size_t at = 0; at < text.n; at += USAGE_BYTES_PER_TOKEN) {
            struct str token = str_head(str_from(text, at), USAGE_BYTES_PER_TOKEN);
            jw_object(w);
            if (i == 1) {
                jw_key(w, "candidates");
                jw_array(w);
                jw_object(w);
            }
            jw_field_str(w, "token", token);
            jw_field_u64(w, "tokenId", at / USAGE_BYTES_PER_TOKEN + 1);
            jw_field_raw(w, "logProbability", STR("-0.25"));
            if (i == 1) {
                jw_end(w);
                jw_end(w);
            }
            jw_end(w);
        }
        jw_end(w);
    }
    jw_end(w);
}

void gemini_write_finish(struct json_writer *w, const struct gemini_reply *reply,
                         const struct answer *answer)
{
    jw_field_cstr(w, "finishReason", gemini_finish_reason(answer));
    if (reply->ratings.p != NULL)
        jw_field_raw(w, "safetyRatings", reply->ratings);
    if (reply->grounding.p != NULL)
        jw_field_raw(w, "groundingMetadata", reply->grounding);
    if (reply->logprobs)
        jw_field_raw(w, "avgLogprobs", STR("-0.25"));
}

static void gemini_write_candidate(struct json_writer *w, const struct gemini_reply *reply,
                                   const struct answer *answer, uint64_t index)
{
    bool first_call = true;
    jw_object(w);
    jw_key(w, "content");
    jw_object(w);
    jw_key(w, "parts");
    jw_array(w);
    for (size_t i = 0; i < answer->count; i++) {
        const struct answer_block *block = &answer->blocks[i];
        if (block->text.n == 0 && block->kind != ANSWER_IMAGE && block->kind != ANSWER_CALL)
            continue;
        gemini_write_part(w, reply, block, block->text, first_call);
        first_call = first_call && block->kind != ANSWER_CALL;
    }
    jw_end(w);
    jw_field_cstr(w, "role", "model");
    jw_end(w);
    gemini_write_finish(w, reply, answer);
    jw_field_u64(w, "index", index);
    if (reply->logprobs && answer_text(answer).p != NULL)
        gemini_write_logprobs(w, answer_text(answer));
    jw_end(w);
}

static void gemini_write(struct call *call, const struct gemini_reply *reply,
                         const struct answer *answer)
{
    struct json_writer w;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_key(&w, "candidates");
    jw_array(&w);
    for (uint64_t i = 0; i < answer->choices; i++)
        gemini_write_candidate(&w, reply, answer, i);
    jw_end(&w);
    gemini_write_usage(&w, &answer->usage);
    jw_field_str(&w, "modelVersion", reply->model);
    jw_field_str(&w, "responseId", reply->id);
    jw_end(&w);
    call->usage = answer->usage;
}

/* The reply when the prompt itself was stopped: no candidate, only why. */
static void gemini_write_blocked(struct call *call, const struct gemini_reply *reply,
                                 const struct usage *usage, bool stream)
{
    struct json_writer w;
    if (stream && reply->events) {
        buf_add_lit(call->out, "data: ");
        call->content_type = "text/event-stream";
    }
    jw_init(&w, call->out);
    if (stream && !reply->events)
        jw_array(&w);
    jw_object(&w);
    jw_field_raw(&w, "promptFeedback", STR("{\"blockReason\":\"PROHIBITED_CONTENT\"}"));
    call->usage.prompt = usage->prompt;
    gemini_write_usage(&w, &call->usage);
    jw_field_str(&w, "modelVersion", reply->model);
    jw_field_str(&w, "responseId", reply->id);
    jw_end(&w);
    if (stream)
        reply->events ? buf_add_lit(call->out, "\r\n\r\n") : jw_end(&w);
}

/* What a search tool leaves on the answer, if one was offered: one query, one source. */
static struct str gemini_grounding(const struct gemini *gemini, struct str user)
{
    static const char *const names[] = {"googleSearch", "googleSearchRetrieval",
                                        "enterpriseWebSearch", "googleMaps"};
    const struct json *tools = google_get(gemini->body, "tools");
    bool searches = false;
    for (const struct json *tool = tools == NULL ? NULL : tools->first; tool != NULL;
         tool = tool->next) {
        for (size_t i = 0; i < COUNT_OF(names); i++)
            searches = searches || google_get(tool, names[i]) != NULL;
    }
    if (!searches)
        return STR_NONE;
    struct buf out;
    struct json_writer w;
    buf_init(&out, GROUNDING_MAX);
    jw_init(&w, &out);
    jw_object(&w);
    jw_key(&w, "webSearchQueries");
    jw_array(&w);
    jw_str(&w, str_head(user, 200));
    jw_end(&w);
    jw_field_raw(&w, "groundingChunks",
                 STR("[{\"web\":{\"uri\":\"https://example.com/\",\"title\":\"example.com\"}}]"));
    jw_field_raw(&w, "groundingSupports",
                 STR("[{\"segment\":{\"startIndex\":0,\"endIndex\":8,\"text\":\"You said\"},"
                     "\"groundingChunkIndices\":[0]}]"));
    jw_field_raw(&w, "searchEntryPoint", STR("{\"renderedContent\":\"<div></div>\"}"));
    jw_end(&w);
    struct str kept =
        buf_status(&out) == ST_OK ? arena_str(gemini->call->keep, buf_str(&out)) : STR_NONE;
    buf_free(&out);
    return kept;
}

/* One rating per category that the request names. */
static struct str gemini_ratings(const struct gemini *gemini)
{
    const struct json *settings = google_get(gemini->body, "safetySettings");
    bool refused = gemini->call->fault->refuse == 1;
    struct buf out;
    struct json_writer w;
    if (settings == NULL || settings->count == 0)
        return STR_NONE;
    buf_init(&out, GROUNDING_MAX);
    jw_init(&w, &out);
    jw_array(&w);
    for (const struct json *one = settings->first; one != NULL; one = one->next) {
        jw_object(&w);
        jw_field_str(&w, "category", google_text(gemini->call, one, "category"));
        jw_field_cstr(&w, "probability", refused ? "HIGH" : "NEGLIGIBLE");
        if (refused)
            jw_field_bool(&w, "blocked", true);
        jw_end(&w);
    }
    jw_end(&w);
    struct str kept =
        buf_status(&out) == ST_OK ? arena_str(gemini->call->keep, buf_str(&out)) : STR_NONE;
    buf_free(&out);
    return kept;
}

static struct gemini gemini_of(struct call *call, const struct google_model *model)
{
    return (struct gemini){.call = call,
                           .model = model,
                           .body = call->root,
                           .vertex = str_find(call->req->path, STR("/publishers/")) >= 0};
}

static void gemini_run(struct call *call, bool stream)
{
    const struct google_model *model =
        google_open(call, GOOGLE_CHAT, stream ? "streamGenerateContent" : "generateContent");
    struct answer_ask ask;
    struct toolbox toolbox;
    struct answer answer;
    if (model == NULL || !google_check(call, &gemini_shape))
        return;
    struct gemini gemini = gemini_of(call, model);
    if (!gemini_check(&gemini) || !gemini_read(&gemini, &ask, &toolbox))
        return;
    const struct json *config = google_get(call->root, "generationConfig");
    const struct json *logprobs = google_get(config, "responseLogprobs");
    struct gemini_reply *reply = arena_calloc(call->keep, 1, sizeof *reply);
    if (reply == NULL || answer_make(call, &ask, &answer) != ST_OK) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return;
    }
    *reply =
        (struct gemini_reply){.id = str_head(sim_make_id(call->keep, ""), 22),
                              .model = model->name[0] == '\0' ? call->model : str_c(model->name),
                              .row = model,
                              .grounding = gemini_grounding(&gemini, ask.user),
                              .ratings = gemini_ratings(&gemini),
                              .calls_have_ids = google_can(model, GOOGLE_SIGNED) && !gemini.vertex,
                              .logprobs = logprobs != NULL && logprobs->type == JSON_TRUE,
                              .events = str_eq(call_query(call, "alt"), STR("sse")),
                              .seed = sim_hash(ask.user, 0)};
    if (call->fault->block == 1)
        gemini_write_blocked(call, reply, &ask.usage, stream);
    else if (stream)
        gemini_start_stream(call, &answer, reply);
    else
        gemini_write(call, reply, &answer);
}

void gemini_generate(struct call *call)
{
    gemini_run(call, false);
}

void gemini_stream(struct call *call)
{
    gemini_run(call, true);
}

void gemini_count_tokens(struct call *call)
{
    const struct google_model *model = google_open(call, GOOGLE_CHAT, "countTokens");
    struct usage usage;
    struct str user;
    bool has_results = false;
    struct json_writer w;
    if (model == NULL || !google_check(call, &gemini_count_shape))
        return;
    struct gemini gemini = gemini_of(call, model);
    if (google_get(call->root, "generateContentRequest") != NULL)
        gemini.body = google_get(call->root, "generateContentRequest");
    if (google_get(gemini.body, "contents") == NULL) {
        (void)google_refuse(call, "* CountTokensRequest.contents: contents is not specified\n");
        return;
    }
    if (gemini_count(&gemini, &usage, &user, &has_results) != ST_OK) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return;
    }
    jw_init(&w, call->out);
    jw_object(&w);
    jw_field_u64(&w, "totalTokens", usage.prompt);
    if (gemini.vertex)
        jw_field_u64(&w, "totalBillableCharacters", usage.prompt * USAGE_BYTES_PER_TOKEN);
    gemini_write_details(&w, "promptTokensDetails", &usage);
    jw_end(&w);
}
