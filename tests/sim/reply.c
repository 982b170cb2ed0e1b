/* reply.c: see reply.h.
 *
 * Head lines are those a client of the request's API sees (family.h). Faults that break a complete
 * body (truncate, reset-after) promise its full length and deliver half; gzip compresses it.
 */
#include "tests/sim/reply.h"

#include "common/clock.h"
#include "tests/sim/conn.h"
#include "tests/sim/family.h"

#include <zlib.h>

static const char *reply_reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } reasons[] = {{200, "OK"},
                   {204, "No Content"},
                   {400, "Bad Request"},
                   {401, "Unauthorized"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {408, "Request Timeout"},
                   {409, "Conflict"},
                   {413, "Content Too Large"},
                   {422, "Unprocessable Content"},
                   {429, "Too Many Requests"},
                   {500, "Internal Server Error"},
                   {502, "Bad Gateway"},
                   {503, "Service Unavailable"},
                   {504, "Gateway Timeout"},
                   {529, "Overloaded"}};
    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        if (reasons[i].status == status)
            return reasons[i].text;
    }
    return "Status";
}

/* Everything of the head but its last empty line. */
static void reply_head(struct request *req, int status, const char *content_type)
{
    struct buf *out = &req->conn->out;
    req->status = status;
    req->dispatched = true;
    buf_printf(out, "HTTP/1.1 %d %s\r\ncontent-type: %s\r\n", status, reply_reason(status),
               content_type);
    req->family->head(req, out);
    if (req->fault.retry_after >= 0)
        buf_printf(out, "retry-after: %lld\r\n", (long long)req->fault.retry_after);
    if (req->fault.retry_date >= 0) {
        char date[30];
        clock_to_http(clock_utc_ms() + 1000 * req->fault.retry_date, date);
        buf_printf(out, "retry-after: %s\r\n", date);
    }
    if (req->fault.retry_after_ms >= 0)
        buf_printf(out, "retry-after-ms: %lld\r\n", (long long)req->fault.retry_after_ms);
    buf_add_str(out, buf_str(&req->extra_head));
    if (!req->conn->keep_alive)
        buf_add_lit(out, "connection: close\r\n");
}

/* Compresses into `out`; false: as it was. */
static bool reply_gzip(struct str body, struct buf *out)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)body.p, .avail_in = (uInt)body.n};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    size_t room = deflateBound(&z, z.avail_in);
    bool done = false;
    if (buf_reserve(out, room) == ST_OK) {
        z.next_out = (Bytef *)out->p;
        z.avail_out = (uInt)room;
        done = deflate(&z, Z_FINISH) == Z_STREAM_END;
        out->n = room - z.avail_out;
    }
    deflateEnd(&z);
    return done;
}

void reply_body(struct request *req, int status, const char *content_type, struct str body)
{
    struct buf packed;
    buf_init(&packed, CONN_OUT_MAX);
    reply_head(req, status, content_type);
    if (req->fault.gzip == 1 && reply_gzip(body, &packed)) {
        buf_add_lit(&req->conn->out, "content-encoding: gzip\r\n");
        body = buf_str(&packed);
    }
    if (status == 204)
        body.n = 0;
    buf_printf(&req->conn->out, status == 204 ? "\r\n" : "content-length: %zu\r\n\r\n", body.n);
    if (strcmp(req->method, "HEAD") == 0)
        body.n = 0;
    if (req->fault.truncate >= 0 || req->fault.reset_after >= 0) {
        body = str_head(body, body.n / 2);
        req->ending = req->fault.truncate >= 0 ? ENDING_CUT : ENDING_RESET;
    }
    buf_add_str(&req->conn->out, body);
    buf_free(&packed);
    req->replied = req->fault.hang_after < 0;
}

void reply_error(struct request *req, int status, const char *code, struct str message)
{
    struct buf body;
    buf_init(&body, REQUEST_HEAD_MAX);
    struct failure failure = {.req = req, .status = status, .code = code, .message = message};
    req->family->error(&body, &failure);
    reply_body(req, status, family_content_type(req->family), buf_str(&body));
    buf_free(&body);
}

void reply_source(struct request *req, const char *content_type, struct source *source,
                  int64_t length)
{
    struct buf *out = &req->conn->out;
    req->chunked = length < 0 && !req->http10;
    if (length < 0 && req->http10)
        req->conn->keep_alive = false;
    reply_head(req, 200, content_type);
    if (length >= 0)
        buf_printf(out, "content-length: %lld\r\n\r\n", (long long)length);
    else
        buf_printf(out, "cache-control: no-cache\r\n%s\r\n",
                   req->chunked ? "transfer-encoding: chunked\r\n" : "");
    req->source = source;
    req->counted_as_stream = true;
    req->sim->stats.open_streams++;
}

void reply_raw(struct request *req, int status, struct str bytes)
{
    req->status = status;
    req->dispatched = true;
    buf_add_str(&req->conn->out, bytes);
    req->replied = true;
}
