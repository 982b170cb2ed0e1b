/* static_reply.c: the benchmark's upstream: a fixed answer at the least cost (static_reply of
 * dispatch.h).
 *
 * A JSON body in which a string begins with "sim:static" gets the same bytes every time: no
 * parsing, no credential check, no model check, and no truth record unless a truth log file was
 * asked for. "stream":true (written as the SDKs do, with or without one space) gets server-sent
 * events of the same text in one write. The counting rule of usage.h holds for the completion; the
 * prompt counts STATIC_PROMPT, whatever it is.
 */
#include "tests/sim/dispatch.h"
#include "tests/sim/reply.h"

#define STATIC_PROMPT 8
#define STATIC_PART(text)                                                                          \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }
#define STATIC_ID "chatcmpl-static00000000000000000000000"

static const struct str static_text[] = {
    STATIC_PART("The gateway stands between the caller and the model, and adds as "),
    STATIC_PART("little as it can: one look at the key, one at the policy, one slot "),
    STATIC_PART("for the reservation, and the bytes go on as they came, in the "),
    STATIC_PART("order in which they came, without a pause. That is all it does."),
};

struct static_replies {
    struct buf json, stream, stream_usage; /* whole HTTP replies */
    struct usage usage;
};

static void static_head(struct buf *out, const char *type, const struct buf *body)
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

static void static_make_json(struct static_replies *made)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, 8192);
    jw_init(&w, &body);
    jw_object(&w);
    static_common(&w, "chat.completion");
    buf_add_lit(&body,
                ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"");
    for (size_t i = 0; i < COUNT_OF(static_text); i++)
        buf_add_str(&body, static_text[i]);
    buf_add_lit(&body, "\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}]");
    jw_key(&w, "usage");
    call_write_usage(&w, &made->usage);
    jw_end(&w);
    static_head(&made->json, REPLY_JSON, &body);
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

static void static_make_stream(const struct static_replies *made, bool with_usage, struct buf *out)
{
    static const char more[] = "},\"logprobs\":null,\"finish_reason\":null}]";
    static const char more_text[] = "\"},\"logprobs\":null,\"finish_reason\":null}]";
    struct buf body;
    buf_init(&body, 16384);
    static_event(&body, "\"role\":\"assistant\",\"content\":\"\"", STR(""), more, NULL);
    for (size_t i = 0; i < COUNT_OF(static_text); i++)
        static_event(&body, "\"content\":\"", static_text[i], more_text, NULL);
    static_event(&body, "", STR(""), "},\"logprobs\":null,\"finish_reason\":\"stop\"}]", NULL);
    if (with_usage)
        static_event(&body, NULL, STR(""), "", &made->usage);
    buf_add_lit(&body, "data: [DONE]\n\n");
    static_head(out, "text/event-stream; charset=utf-8", &body);
    buf_free(&body);
}

static const struct static_replies *static_get(void)
{
    static struct static_replies made;
    if (made.json.n > 0)
        return &made;
    uint64_t bytes = 0;
    for (size_t i = 0; i < COUNT_OF(static_text); i++)
        bytes += static_text[i].n;
    made.usage = (struct usage){.prompt = STATIC_PROMPT, .completion = usage_tokens(bytes)};
    buf_init(&made.json, 16384);
    buf_init(&made.stream, 16384);
    buf_init(&made.stream_usage, 16384);
    static_make_json(&made);
    static_make_stream(&made, false, &made.stream);
    static_make_stream(&made, true, &made.stream_usage);
    CHECK(made.json.failed == ST_OK && made.stream_usage.failed == ST_OK);
    return &made;
}

static bool static_has(const struct request *req, struct str tight, struct str loose)
{
    return str_find(buf_str(&req->body), tight) >= 0 || str_find(buf_str(&req->body), loose) >= 0;
}

bool static_reply(struct request *req)
{
    if (req->body.n == 0 || str_find(buf_str(&req->body), STR("\"sim:static")) < 0)
        return false;
    const struct static_replies *made = static_get();
    const struct buf *reply = &made->json;
    req->stream = static_has(req, STR("\"stream\":true"), STR("\"stream\": true"));
    if (req->stream)
        reply = static_has(req, STR("\"include_usage\":true"), STR("\"include_usage\": true"))
                    ? &made->stream_usage
                    : &made->stream;
    req->usage = made->usage;
    req->model = STR("gpt-4o-mini");
    req->quiet = req->sim->truth.fd < 0;
    reply_raw(req, 200, buf_str(reply));
    return true;
}
