/* reply.c: the envelope, the identifying headers, and the empty object.
 *
 * Clients decide by these forms alone (an empty body breaks two SDKs, an array breaks one, a
 * missing trace id makes all of them repeat a request), so no handler writes a status line, a
 * header or an error by itself.
 */
#include "control-plane/http/reply.h"

#include "common/secret.h"

void reply_init(struct http_reply *reply)
{
    *reply = (struct http_reply){.status = 500, .content_type = REPLY_JSON};
    buf_init(&reply->body, HTTP_REPLY_MAX_BYTES);
}

void reply_pieces(struct http_reply *reply, const char *content_type,
                  enum status (*piece)(void *arg, struct buf *out), void (*end)(void *arg),
                  void *arg)
{
    reply->content_type = content_type;
    reply->piece = piece;
    reply->piece_end = end;
    reply->piece_arg = arg;
}

void reply_wipe(struct http_reply *reply)
{
    if (reply->piece != NULL)
        reply->piece_end(reply->piece_arg);
    reply->piece = NULL;
    if (reply->body.p != NULL)
        secret_wipe(reply->body.p, reply->body.room_bytes);
    buf_free(&reply->body);
}

static bool is_clean(struct str value)
{
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7F)
            return false;
    return value.p != NULL;
}

void reply_header(struct http_reply *reply, struct str name, struct str value)
{
    CHECK(reply->header_count < HTTP_REPLY_HEADERS_MAX);
    if (is_clean(value))
        reply->headers[reply->header_count++] = (struct http_header){name, value};
}

void reply_error(struct http_reply *reply, enum status status, struct str message)
{
    reply_error_detail(reply, status, message, STR(""));
}

void reply_error_detail(struct http_reply *reply, enum status status, struct str message,
                        struct str impact)
{
    const struct status_row *row = status_row(status);
    if (message.n == 0)
        message = str_c(row->text);
    reply_wipe(reply);
    reply->status = row->http;
    reply->content_type = REPLY_JSON;
    reply->cacheable = false;
    struct json_writer w;
    jw_init(&w, &reply->body);
    jw_object(&w);
    jw_field_bool(&w, "success", false);
    jw_field_str(&w, "message", message);
    jw_key(&w, "data");
    jw_object(&w);
    jw_field_str(&w, "message", message);
    jw_field_cstr(&w, "errorCode", row->ab);
    jw_field_cstr(&w, "code", row->code);
    if (impact.n > 0)
        jw_field_raw(&w, "impact", impact);
    jw_end(&w);
    jw_end(&w);
}

void reply_finish(struct http_reply *reply)
{
    enum status status = buf_status(&reply->body);
    if (status != ST_OK) {
        reply_error(reply, status == ST_TOO_LARGE ? ST_INTERNAL : status, STR_NONE);
        return;
    }
    if (reply->body.n == 0 && reply->piece == NULL)
        buf_add_lit(&reply->body, "{}");
}

void reply_trace(struct http_request *request)
{
    struct id id = id_new();
    id_to_text(&id, request->request_id);
    struct str trace = http_request_header(request, "x-portkey-trace-id");
    bool clean = trace.n > 0 && trace.n <= HTTP_TRACE_MAX;
    for (size_t i = 0; i < trace.n && clean; i++)
        clean = trace.p[i] > 0x20 && trace.p[i] < 0x7F;
    if (!clean)
        trace = str_c(request->request_id);
    memcpy(request->trace_id, trace.p, trace.n);
    request->trace_id[trace.n] = '\0';
}

void reply_identify(struct http_reply *reply, const struct http_request *request)
{
    reply_header(reply, STR("x-request-id"), str_c(request->request_id));
    reply_header(reply, STR("x-portkey-trace-id"), str_c(request->trace_id));
}
