/* static_reply.c: the benchmark's upstream: a fixed answer at the least cost (static_reply of
 * dispatch.h).
 *
 * A JSON body in which a string begins with "sim:static" gets the same bytes every time: no
 * parsing, no credential check, no model check, and no truth record unless a truth log file was
 * asked for. "stream":true (written as the SDKs do, with or without one space) gets server-sent
 * events of the same text in one write. The end of the path picks the shape. The counting rule of
 * usage.h holds for the completion; the prompt counts STATIC_PROMPT, whatever it is.
 */
#include "tests/sim/static_reply.h"

#include "tests/sim/dispatch.h"
#include "tests/sim/reply.h"

#define STATIC_PART(text)                                                                          \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }
#define STATIC_ID "chatcmpl-static00000000000000000000000"

const struct str static_text[STATIC_PARTS] = {
    STATIC_PART("The gateway stands between the caller and the model, and adds as "),
    STATIC_PART("little as it can: one look at the key, one at the policy, one slot "),
    STATIC_PART("for the reservation, and the bytes go on as they came, in the "),
    STATIC_PART("order in which they came, without a pause. That is all it does."),
};

void static_add(struct buf *out, const char *type, const struct buf *body)
{
    buf_printf(out,
               "HTTP/1.1 200 OK\r\ncontent-type: %s\r\nx-request-id: req_static\r\ncontent-length: "
               "%zu\r\n\r\n",
               type, body->n);
    buf_add_str(out, buf_str(body));
}

static void static_common(struct json_writer *w, const char *object)
{
    jw_field_cstr(w, "id", STATIC_ID);
    jw_field_cstr(w, "object", object);
    jw_field_i64(w, "created", 1760000000);
    jw_field_cstr(w, "model", "gpt-4o-mini");
    jw_field_cstr(w, "system_fingerprint", "fp_sim");
}

static void static_make_json(const struct usage *usage, struct buf *out)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, 8192);
    jw_init(&w, &body);
    jw_object(&w);
    static_common(&w, "chat.completion");
    buf_add_lit(&body,
                ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"");
    for (size_t i = 0; i < STATIC_PARTS; i++)
        buf_add_str(&body, static_text[i]);
    buf_add_lit(&body, "\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}]");
    jw_key(&w, "usage");
    call_write_usage(&w, usage);
    jw_end(&w);
    static_add(out, REPLY_JSON, &body);
    buf_free(&body);
}

/* One event; `delta` NULL is the usage event. */
static void static_event(struct buf *body, const char *delta, struct str text, const char *tail,
                         const struct usage *usage)
{
    struct json_writer w;
    buf_add_lit(body, "data: ");
    jw_init(&w, body);
    jw_object(&w);
    static_common(&w, "chat.completion.chunk");
    if (delta != NULL) {
        buf_printf(body, ",\"choices\":[{\"index\":0,\"delta\":{%s" STR_FMT "%s", delta,
                   STR_ARG(text), tail);
    } else {
        buf_add_lit(body, ",\"choices\":[]");
        jw_key(&w, "usage");
        call_write_usage(&w, usage);
    }
    jw_end(&w);
    buf_add_lit(body, "\n\n");
}

static void static_make_stream(const struct usage *usage, struct buf *out)
{
    static const char more[] = "},\"logprobs\":null,\"finish_reason\":null}]";
    static const char more_text[] = "\"},\"logprobs\":null,\"finish_reason\":null}]";
    struct buf body;
    buf_init(&body, 16384);
    static_event(&body, "\"role\":\"assistant\",\"content\":\"\"", STR(""), more, NULL);
    for (size_t i = 0; i < STATIC_PARTS; i++)
        static_event(&body, "\"content\":\"", static_text[i], more_text, NULL);
    static_event(&body, "", STR(""), "},\"logprobs\":null,\"finish_reason\":\"stop\"}]", NULL);
    if (usage != NULL)
        static_event(&body, NULL, STR(""), "", usage);
    buf_add_lit(&body, "data: [DONE]\n\n");
    static_add(out, "text/event-stream; charset=utf-8", &body);
    buf_free(&body);
}

void static_make_openai(const struct usage *usage, struct buf *json, struct buf *stream,
                        struct buf *stream_usage)
{
    static_make_json(usage, json);
    static_make_stream(NULL, stream);
    static_make_stream(usage, stream_usage);
}

struct static_api {
    const char *path_end; /* the last row takes all that is left */
    const char *model;
    static_maker *make;
    struct buf json, stream, stream_usage; /* whole HTTP replies; made when first asked for */
};

static const struct usage *static_usage(void)
{
    static struct usage usage = {.prompt = STATIC_PROMPT};
    uint64_t bytes = 0;
    for (size_t i = 0; usage.completion == 0 && i < STATIC_PARTS; i++)
        bytes += static_text[i].n;
    if (usage.completion == 0)
        usage.completion = usage_tokens(bytes);
    return &usage;
}

static const struct static_api *static_find(struct str path)
{
    static struct static_api apis[] = {
        {.path_end = "/messages", .model = "claude-sonnet-4-5", .make = static_make_anthropic},
        {.path_end = "", .model = "gpt-4o-mini", .make = static_make_openai},
    };
    struct static_api *api = apis;
    while (!str_ends(path, str_c(api->path_end)))
        api++;
    if (api->json.n > 0)
        return api;
    buf_init(&api->json, 16384);
    buf_init(&api->stream, 16384);
    buf_init(&api->stream_usage, 16384);
    api->make(static_usage(), &api->json, &api->stream, &api->stream_usage);
    CHECK(api->json.failed == ST_OK && api->stream_usage.failed == ST_OK);
    return api;
}

static bool static_has(const struct request *req, struct str tight, struct str loose)
{
    return str_find(buf_str(&req->body), tight) >= 0 || str_find(buf_str(&req->body), loose) >= 0;
}

bool static_reply(struct request *req)
{
    if (req->body.n == 0 || str_find(buf_str(&req->body), STR("\"sim:static")) < 0)
        return false;
    const struct static_api *api = static_find(req->path);
    const struct buf *reply = &api->json;
    req->stream = static_has(req, STR("\"stream\":true"), STR("\"stream\": true"));
    if (req->stream)
        reply = static_has(req, STR("\"include_usage\":true"), STR("\"include_usage\": true"))
                    ? &api->stream_usage
                    : &api->stream;
    req->usage = *static_usage();
    req->model = str_c(api->model);
    req->quiet = req->sim->truth.fd < 0;
    reply_raw(req, 200, buf_str(reply));
    return true;
}
