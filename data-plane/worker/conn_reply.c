/* conn_reply.c: replies to bytes: status line, headers, framing, CORS, and the front's own
 * refusals.
 *
 * Why framing is decided here alone: the length that is announced, the bytes that follow and
 * whether the connection stays must agree, or the next reply is read as part of this one.
 * Invariants: after conn_reply_begin the framing is fixed; exactly reply_left more bytes go out
 * (more are cut off, fewer break the connection); headers that frame or that belong to this hop are
 * never taken from callers, whose headers come from providers. Never: emit a header whose name is
 * no token or whose value could end the line.
 */
#include <stdio.h>

#include "common/id.h"
#include "data-plane/worker/conn_internal.h"

static const struct {
    int status;
    const char *text;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {424, "Failed Dependency"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {529, "Overloaded"},
};

static const char *reason_of(int status)
{
    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return "Status";
}

/* --- headers ---------------------------------------------------------------------------------- */

/* conn's own, or of one hop only (RFC 9110 section 7.6.1). */
static const struct str kept_back[] = {
    {"te", 2},
    {"date", 4},
    {"trailer", 7},
    {"upgrade", 7},
    {"connection", 10},
    {"keep-alive", 10},
    {"content-length", 14},
    {"proxy-connection", 16},
    {"transfer-encoding", 17},
};

static bool may_pass(const struct reply_header *header)
{
    for (size_t i = 0; i < COUNT_OF(kept_back); i++)
        if (str_eq_nocase(header->name, kept_back[i]))
            return false;
    return !str_starts_nocase(header->name, STR("access-control-")) &&
           http1_is_token(header->name) && http1_is_field_value(header->value);
}

static void add_header(struct conn *conn, struct str name, struct str value)
{
    conn_out_add(conn, name.p, name.n);
    conn_out_lit(conn, ": ");
    conn_out_add(conn, value.p, value.n);
    conn_out_lit(conn, "\r\n");
}

/* In base 10 or 16. */
static void add_number(struct conn *conn, uint64_t value, unsigned base)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value > 0);
    conn_out_add(conn, digits + at, sizeof digits - at);
}

static void add_status_line(struct conn *conn, int status)
{
    struct str reason = str_c(reason_of(status));
    conn_out_lit(conn, "HTTP/1.1 ");
    add_number(conn, (uint64_t)status, 10);
    conn_out_lit(conn, " ");
    conn_out_add(conn, reason.p, reason.n);
    conn_out_lit(conn, "\r\nDate: ");
    conn_out_add(conn, front_date(conn->front), 29);
    conn_out_lit(conn, "\r\n");
}

static void add_length(struct conn *conn, uint64_t length)
{
    conn_out_lit(conn, "Content-Length: ");
    add_number(conn, length, 10);
    conn_out_lit(conn, "\r\n");
}

/* --- CORS ------------------------------------------------------------------------------------- */

/* What to say in Access-Control-Allow-Origin, or STR_NONE. */
static struct str allowed_origin(const struct conn *conn)
{
    struct str list = conn->front->settings.cors_origins, item;
    if (list.n == 0)
        return STR_NONE;
    struct str origin = http_head_get(conn->head, STR("origin"));
    if (origin.n == 0)
        return STR_NONE;
    while (params_next(&list, &item)) {
        if (str_eq(item, STR("*")))
            return item;
        if (str_eq(item, origin))
            return origin;
    }
    return STR_NONE;
}

static void add_cors(struct conn *conn)
{
    struct str origin = allowed_origin(conn);
    if (origin.n == 0)
        return;
    add_header(conn, STR("Access-Control-Allow-Origin"), origin);
    conn_out_lit(conn, "Access-Control-Expose-Headers: *\r\nVary: Origin\r\n");
}

bool conn_preflight(struct conn *conn)
{
    const struct http_head *head = conn->head;
    if (!str_eq(head->method_text, STR("OPTIONS")) || allowed_origin(conn).n == 0 ||
        http_head_get(head, STR("access-control-request-method")).n == 0)
        return false;
    conn->preflight = true;
    conn_reply_simple(conn, 204, NULL, 0, STR_NONE);
    return true;
}

static void add_preflight(struct conn *conn)
{
    struct str wanted = http_head_get(conn->head, STR("access-control-request-headers"));
    conn_out_lit(conn, "Access-Control-Allow-Methods: GET, POST, PUT, PATCH, DELETE, OPTIONS\r\n"
                       "Access-Control-Max-Age: 86400\r\n");
    if (wanted.n > 0)
        add_header(conn, STR("Access-Control-Allow-Headers"), wanted);
}

/* --- begin, write, end ------------------------------------------------------------------------ */

/* The connection can carry another request behind this one. */
static bool can_stay(const struct conn *conn)
{
    if (conn->close_after || conn->front->draining || !conn->head->keep_alive)
        return false;
    if (conn->in == CONN_IN_DONE)
        return true;
    if (conn->in != CONN_IN_BODY)
        return false;
    /* The rest of the body can be thrown away only if it is surely coming, and short. */
    bool coming = conn->body_wanted || !conn->head->expect_continue;
    return coming && conn->body_left != CONN_BODY_UNKNOWN && conn->body_left <= CONN_SKIP_BYTES;
}

static void choose_framing(struct conn *conn, int status, int64_t length)
{
    conn->no_reply_body = conn->head->head_only || length == -2 || status == 204 || status == 304;
    conn->reply_left = length >= 0 ? length : 0;
    if (length >= 0 || conn->no_reply_body)
        conn->framing = CONN_FRAMING_LENGTH;
    else
        conn->framing = conn->head->http10 ? CONN_FRAMING_CLOSE : CONN_FRAMING_CHUNKED;
    if (conn->framing == CONN_FRAMING_CLOSE || !can_stay(conn))
        conn->close_after = true;
}

static void add_framing(struct conn *conn, int status, int64_t length)
{
    if (conn->framing == CONN_FRAMING_CHUNKED)
        conn_out_lit(conn, "Transfer-Encoding: chunked\r\n");
    else if (length >= 0 && status != 204)
        add_length(conn, (uint64_t)length);
    else if (length == -2 && status != 204 && status != 304 && !conn->head->head_only)
        add_length(conn, 0);
    if (conn->close_after)
        conn_out_lit(conn, "Connection: close\r\n\r\n");
    else if (conn->head->http10)
        conn_out_lit(conn, "Connection: keep-alive\r\n\r\n");
    else
        conn_out_lit(conn, "\r\n");
}

enum status conn_reply_begin(struct conn *conn, int http_status, const struct reply_header *headers,
                             size_t count, int64_t length)
{
    if (conn->dead)
        return ST_CLOSED;
    CHECK(!conn->reply_begun && conn->head != NULL);
    conn->reply_begun = true;
    choose_framing(conn, http_status, length);
    add_status_line(conn, http_status);
    for (size_t i = 0; i < count; i++)
        if (may_pass(&headers[i]))
            add_header(conn, headers[i].name, headers[i].value);
    add_cors(conn);
    if (conn->preflight)
        add_preflight(conn);
    add_framing(conn, http_status, length);
    return ST_OK;
}

static void add_chunk(struct conn *conn, const char *p, size_t n)
{
    add_number(conn, n, 16);
    conn_out_lit(conn, "\r\n");
    conn_out_add(conn, p, n);
    conn_out_lit(conn, "\r\n");
}

void conn_reply_write(struct conn *conn, const char *p, size_t n)
{
    if (conn->dead || n == 0)
        return;
    CHECK(conn->reply_begun && !conn->reply_ended);
    conn->reply_bytes += n;
    if (conn->framing == CONN_FRAMING_LENGTH) {
        /* More than was announced would be read as the next reply. */
        n = (uint64_t)n > (uint64_t)conn->reply_left ? (size_t)conn->reply_left : n;
        conn->reply_left -= (int64_t)n;
    }
    if (conn->no_reply_body)
        return;
    if (conn->framing == CONN_FRAMING_CHUNKED)
        add_chunk(conn, p, n);
    else
        conn_out_add(conn, p, n);
    /* Before the flush: whoever saw no room for all it had is told when there is some. */
    conn->above_high |= conn->out_bytes >= CONN_OUT_HIGH_BYTES;
    if (conn->out_bytes >= CONN_FLUSH_NOW_BYTES && !conn->write_failed)
        conn_out_flush(conn);
}

size_t conn_write_room(const struct conn *conn)
{
    return conn->out_bytes >= CONN_OUT_HIGH_BYTES ? 0 : CONN_OUT_HIGH_BYTES - conn->out_bytes;
}

void conn_reply_end(struct conn *conn)
{
    if (conn->dead)
        return;
    CHECK(conn->reply_begun && !conn->reply_ended);
    if (conn->framing == CONN_FRAMING_LENGTH && conn->reply_left > 0 && !conn->no_reply_body) {
        conn_abort(conn);
        return;
    }
    if (conn->framing == CONN_FRAMING_CHUNKED)
        conn_out_lit(conn, "0\r\n\r\n");
    conn->req = NULL;
    conn->reply_ended = true;
    conn_wake(conn);
}

uint64_t conn_reply_bytes(const struct conn *conn)
{
    return conn->reply_bytes;
}

void conn_reply_simple(struct conn *conn, int http_status, const struct reply_header *headers,
                       size_t count, struct str body)
{
    if (conn_reply_begin(conn, http_status, headers, count, (int64_t)body.n) != ST_OK)
        return;
    conn_reply_write(conn, body.p, body.n);
    conn_reply_end(conn);
}

/* --- the front's own refusals ----------------------------------------------------------------- */

void conn_refuse(struct conn *conn, enum status status, const char *why)
{
    const struct status_row *row = status_row(status);
    char id[ID_TEXT + 1], body[512], head[256];
    struct id made = id_new();
    id_to_text(&made, id);
    int body_n =
        snprintf(body, sizeof body,
                 "{\"error\":{\"message\":\"%s\",\"type\":\"invalid_request_error\",\"param\":null,"
                 "\"code\":\"%s\"}}",
                 why, row->code);
    int head_n =
        snprintf(head, sizeof head,
                 "Content-Type: application/json\r\nx-request-id: %s\r\nx-portkey-trace-id: %s\r\n"
                 "x-sluice-error-source: gateway\r\n",
                 id, id);
    CHECK(body_n > 0 && (size_t)body_n < sizeof body && head_n > 0 && (size_t)head_n < sizeof head);
    metrics_add(&conn->front->worker->metrics, M_BAD_HTTP, 1);
    add_status_line(conn, row->http);
    conn_out_add(conn, head, (size_t)head_n);
    add_length(conn, (uint64_t)body_n);
    conn_out_lit(conn, "Connection: close\r\n\r\n");
    conn_out_add(conn, body, (size_t)body_n);
    conn->in = CONN_IN_BROKEN;
    conn->close_after = conn->reply_begun = conn->reply_ended = true;
    conn_wake(conn);
}
