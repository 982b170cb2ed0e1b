/* http.c: llhttp's callbacks build a request.
 *
 *   message_begin -> url -> (field, value)* -> headers_complete -> body* -> message_complete:
 * paused until answered
 *
 * Strict parsing (no lenient flag). The parser stops at the end of each message, so pipelined
 * requests wait in conn->pending and are never answered out of order. A multipart body goes
 * straight into the form; any other body is kept up to REQUEST_BODY_MAX. Callbacks never write to
 * the client, except for "100 Continue".
 */
#include "tests/sim/conn.h"

static struct conn *http_conn(llhttp_t *parser)
{
    return parser->data;
}

static int http_on_begin(llhttp_t *parser)
{
    struct conn *conn = http_conn(parser);
    CHECK(conn->req == NULL);
    return request_open(conn->sim, conn, &conn->req) == ST_OK ? 0 : -1;
}

static int http_on_url(llhttp_t *parser, const char *p, size_t n)
{
    struct request *req = http_conn(parser)->req;
    buf_add(&req->head, p, n);
    req->target_n = (uint32_t)req->head.n;
    return buf_status(&req->head) == ST_OK ? 0 : -1;
}

static int http_on_field(llhttp_t *parser, const char *p, size_t n)
{
    struct request *req = http_conn(parser)->req;
    if (req->in_value || req->header_count == 0) {
        if (req->header_count == REQUEST_HEADERS_MAX)
            return -1;
        req->in_value = false;
        req->headers[req->header_count++] =
            (struct request_header){.name_at = (uint32_t)req->head.n};
    }
    struct request_header *h = &req->headers[req->header_count - 1];
    size_t before = req->head.n;
    buf_add(&req->head, p, n);
    if (buf_status(&req->head) != ST_OK)
        return -1;
    for (size_t i = before; i < req->head.n; i++) {
        if (req->head.p[i] >= 'A' && req->head.p[i] <= 'Z')
            req->head.p[i] = (char)(req->head.p[i] + ('a' - 'A'));
    }
    h->name_n += (uint32_t)n;
    h->value_at = (uint32_t)req->head.n;
    return 0;
}

static int http_on_value(llhttp_t *parser, const char *p, size_t n)
{
    struct request *req = http_conn(parser)->req;
    if (req->header_count == 0)
        return -1;
    struct request_header *h = &req->headers[req->header_count - 1];
    req->in_value = true;
    buf_add(&req->head, p, n);
    h->value_n += (uint32_t)n;
    return buf_status(&req->head) == ST_OK ? 0 : -1;
}

static void http_open_form(struct request *req)
{
    struct str type = request_header(req, "content-type");
    if (!str_starts_nocase(type, STR("multipart/form-data")))
        return;
    bool keep_files = str_ends(req->path, STR("/files"));
    if (form_open(type, keep_files, &req->form) != ST_OK) {
        req->refuse_status = 400;
        return;
    }
    req->body_sha = EVP_MD_CTX_new();
    CHECK(req->body_sha != NULL && EVP_DigestInit_ex(req->body_sha, EVP_sha256(), NULL) == 1);
}

static int http_on_headers(llhttp_t *parser)
{
    struct conn *conn = http_conn(parser);
    struct request *req = conn->req;
    req->method = llhttp_method_name(llhttp_get_method(parser));
    req->http10 = llhttp_get_http_major(parser) == 1 && llhttp_get_http_minor(parser) == 0;
    struct str target = str_of(req->head.p, req->target_n);
    ptrdiff_t question = str_find_char(target, '?');
    req->path = question < 0 ? target : str_head(target, (size_t)question);
    req->query = question < 0 ? STR_NONE : str_from(target, (size_t)question + 1);
    http_open_form(req);
    if (str_eq_nocase(request_header(req, "expect"), STR("100-continue")))
        buf_add_lit(&conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
    return 0;
}

static int http_on_body(llhttp_t *parser, const char *p, size_t n)
{
    struct request *req = http_conn(parser)->req;
    req->body_bytes += n;
    if (req->form == NULL) {
        buf_add(&req->body, p, n);
        if (buf_status(&req->body) != ST_OK)
            req->refuse_status = 413;
        return 0;
    }
    CHECK(EVP_DigestUpdate(req->body_sha, p, n) == 1);
    if (req->body_logged.n < REQUEST_BODY_LOGGED) {
        size_t room = REQUEST_BODY_LOGGED - req->body_logged.n;
        buf_add(&req->body_logged, p, n < room ? n : room);
    }
    if (req->refuse_status == 0 && form_feed(req->form, str_of(p, n)) != ST_OK)
        req->refuse_status = 400;
    return 0;
}

static int http_on_complete(llhttp_t *parser)
{
    struct conn *conn = http_conn(parser);
    conn->keep_alive = llhttp_should_keep_alive(parser) != 0;
    conn->busy = true;
    return HPE_PAUSED;
}

void http_open(struct conn *conn)
{
    static llhttp_settings_t settings;
    if (settings.on_message_begin == NULL) {
        llhttp_settings_init(&settings);
        settings.on_message_begin = http_on_begin;
        settings.on_url = http_on_url;
        settings.on_header_field = http_on_field;
        settings.on_header_value = http_on_value;
        settings.on_headers_complete = http_on_headers;
        settings.on_body = http_on_body;
        settings.on_message_complete = http_on_complete;
    }
    llhttp_init(&conn->parser, HTTP_REQUEST, &settings);
    conn->parser.data = conn;
}

enum status http_feed(struct conn *conn, const char *p, size_t n)
{
    llhttp_errno_t result = llhttp_execute(&conn->parser, p, n);
    if (result == HPE_OK)
        return ST_OK;
    if (result != HPE_PAUSED)
        return ST_BAD_HTTP;
    const char *rest = llhttp_get_error_pos(&conn->parser);
    CHECK(rest >= p && rest <= p + n);
    buf_add(&conn->pending, rest, n - (size_t)(rest - p));
    return buf_status(&conn->pending);
}

void http_resume(struct conn *conn)
{
    llhttp_resume(&conn->parser);
}
