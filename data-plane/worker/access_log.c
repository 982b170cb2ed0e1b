/* access_log.c: see access_log.h.
 *
 * A write to a pipe of at most PIPE_BUF bytes is atomic; larger ones may interleave with another worker's, so each flush hands over whole
 * lines in pieces of at most 4 KiB. Must never block: the pipe is non-blocking.
 */
#include "data-plane/worker/access_log.h"

#include <unistd.h>

#include "common/clock.h"
#include "common/json_write.h"

#define ACCESS_BUFFER_BYTES (64u * 1024u)
#define ACCESS_FLUSH_BYTES  (32u * 1024u)
#define ACCESS_FLUSH_MS     200
#define ACCESS_PIECE_BYTES  4096u

static struct {
    struct worker *worker;
    struct buf buf;
    struct loop_timer timer;
    int fd;
    bool on;
} access_log;

static void flush(void)
{
    struct str rest = buf_str(&access_log.buf);
    while (rest.n > 0) {
        size_t n = rest.n < ACCESS_PIECE_BYTES ? rest.n : ACCESS_PIECE_BYTES;
        while (n > 0 && rest.p[n - 1] != '\n')
            n--;
        if (n == 0)
            n = (size_t)str_find_char(rest, '\n') + 1;
        if (write(access_log.fd, rest.p, n) != (ssize_t)n) {
            uint64_t lines = 0;
            for (size_t i = 0; i < rest.n; i++)
                lines += rest.p[i] == '\n';
            metrics_add(&access_log.worker->metrics, M_LOG_DROPPED, lines);
            break;
        }
        rest = str_from(rest, n);
    }
    buf_clear(&access_log.buf);
}

static void flush_due(struct loop_timer *timer)
{
    (void)timer;
    flush();
}

enum status access_log_open(struct worker *worker, int fd, bool on)
{
    access_log.worker = worker;
    access_log.fd = fd;
    access_log.on = on;
    access_log.timer = (struct loop_timer){.expired = flush_due};
    buf_init(&access_log.buf, ACCESS_BUFFER_BYTES);
    return on ? buf_reserve(&access_log.buf, ACCESS_FLUSH_BYTES * 2) : ST_OK;
}

void access_log_close(void)
{
    if (access_log.on)
        flush();
    buf_free(&access_log.buf);
    access_log.on = false;
}

static void count(const struct req *req)
{
    struct metrics *metrics = &req->worker->metrics;
    int http = req->attempt.http_status;
    enum metric which = !req->answer_begun ? M_REQUESTS_CLIENT_GONE
                      : req->refused != ST_OK ? (status_row(req->refused)->http >= 500 ? M_REQUESTS_FAILED : M_REQUESTS_REFUSED)
                      : http >= 400 ? M_REQUESTS_PROVIDER_ERR : M_REQUESTS_OK;
    metrics_add(metrics, which, 1);
    metrics_observe_us(metrics, M_REQUEST_US, (uint64_t)(loop_now_ns(req->worker->loop) - req->started_ns) / 1000);
}

static void field_id(struct json_writer *w, const char *name, const struct id *id)
{
    if (!id_is_none(id))
        jw_field_id(w, name, id);
}

static void write_line(const struct req *req)
{
    const struct req_attempt *attempt = &req->attempt;
    const struct slot_usage *usage = &req->usage.usage;
    struct json_writer w;
    jw_init(&w, &access_log.buf);
    jw_object(&w);
    jw_field_time(&w, "ts", clock_utc_ms());
    jw_field_cstr(&w, "event", "request");
    jw_field_id(&w, "request_id", &req->id);
    if (req->surface == REQ_SURFACE_OP && req->path.n > 0)
        jw_field_cstr(&w, "operation", op_row(req->op)->text);
    jw_field_i64(&w, "status", req->answer_begun ? attempt->http_status : 499);
    if (req->refused != ST_OK)
        jw_field_cstr(&w, "refused", status_row(req->refused)->code);
    field_id(&w, "org", &req->auth.org);
    field_id(&w, "workspace", &req->auth.workspace);
    field_id(&w, "api_key", &req->auth.key);
    if (attempt->provider_slug.n > 0)
        jw_field_str(&w, "provider", attempt->provider_slug);
    if (attempt->target != NULL && attempt->target->model.n > 0)
        jw_field_str(&w, "model", str_head(attempt->target->model, 200));
    jw_field_bool(&w, "stream", req->body.is_stream);
    jw_field_u64(&w, "attempts", req->attempts_sent);
    if (req->recall.status == TRACE_CACHE_HIT)
        jw_field_cstr(&w, "cache", "hit");
    if (req->usage.found) {
        jw_field_u64(&w, "input_tokens", usage->input_tokens);
        jw_field_u64(&w, "output_tokens", usage->output_tokens);
    }
    jw_field_i64(&w, "duration_us", (loop_now_ns(req->worker->loop) - req->started_ns) / 1000);
    jw_end(&w);
    buf_add_char(&access_log.buf, '\n');
}

void access_log_request(const struct req *req)
{
    count(req);
    if (!access_log.on)
        return;
    size_t before = access_log.buf.n;
    write_line(req);
    if (buf_status(&access_log.buf) != ST_OK) {
        access_log.buf.n = before;
        access_log.buf.failed = ST_OK;
        metrics_add(&req->worker->metrics, M_LOG_DROPPED, 1);
    }
    if (access_log.buf.n >= ACCESS_FLUSH_BYTES)
        flush();
    else if (access_log.timer.due_ns == 0)
        loop_timer_set(req->worker->loop, &access_log.timer, ACCESS_FLUSH_MS);
}
