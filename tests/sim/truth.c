/* truth.c: see truth.h.
 *
 * The log is the judge of the gateway's ledger, so a record is made for every request that reached
 * us, also when the client went away or we were told to break it, and it says what had been sent by
 * then. Header values are written in full, credentials too: that is the point of this log, and why
 * it belongs to tests only.
 */
#include "tests/sim/truth.h"

#include "common/clock.h"
#include "common/json_write.h"
#include "tests/sim/request.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define TRUTH_KEY_HASH_HEX 16

enum status truth_open(struct truth *truth, const char *path)
{
    truth->fd = -1;
    buf_init(&truth->line, TRUTH_LINE_MAX);
    if (path == NULL)
        return ST_OK;
    truth->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return truth->fd < 0 ? ST_IO : ST_OK;
}

static void truth_drop_oldest(struct truth *truth)
{
    struct truth_entry *entry = &truth->ring[truth->first++ % TRUTH_RING];
    truth->ring_bytes -= entry->n;
    free(entry->line);
    *entry = (struct truth_entry){0};
}

void truth_reset(struct truth *truth)
{
    while (truth->first < truth->end)
        truth_drop_oldest(truth);
}

void truth_close(struct truth *truth)
{
    truth_reset(truth);
    buf_free(&truth->line);
    if (truth->fd >= 0)
        close(truth->fd);
}

static void truth_write_auth(struct json_writer *w, const struct request *req)
{
    struct str value;
    const char *header = NULL;
    char hash[65];
    unsigned char digest[32];
    unsigned n = sizeof digest;
    if (!request_credential(req, &value, &header)) {
        jw_field_cstr(w, "auth_header", NULL);
        jw_field_cstr(w, "auth_sha256_prefix", NULL);
        return;
    }
    CHECK(EVP_Digest(value.p, value.n, digest, &n, EVP_sha256(), NULL) == 1);
    for (size_t i = 0; i < TRUTH_KEY_HASH_HEX / 2; i++) {
        hash[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hash[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    jw_field_cstr(w, "auth_header", header);
    jw_field_str(w, "auth_sha256_prefix", str_of(hash, TRUTH_KEY_HASH_HEX));
}

/* A name that came more than once gets its values joined by ", ", as RFC 9110 section 5.3 has it.
 */
static void truth_write_headers(struct json_writer *w, struct request *req)
{
    jw_key(w, "headers");
    jw_object(w);
    for (size_t i = 0; i < req->header_count; i++) {
        struct str name = str_of(req->head.p + req->headers[i].name_at, req->headers[i].name_n);
        struct str value = str_of(req->head.p + req->headers[i].value_at, req->headers[i].value_n);
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++)
            seen =
                str_eq(name, str_of(req->head.p + req->headers[j].name_at, req->headers[j].name_n));
        if (seen)
            continue;
        for (size_t j = i + 1; j < req->header_count; j++) {
            const struct request_header *h = &req->headers[j];
            if (!str_eq(name, str_of(req->head.p + h->name_at, h->name_n)))
                continue;
            struct str joined = arena_printf(&req->keep, STR_FMT ", " STR_FMT, STR_ARG(value),
                                             (int)h->value_n, req->head.p + h->value_at);
            value = joined.p == NULL ? value : joined;
        }
        jw_key_str(w, name);
        jw_str(w, value);
    }
    jw_end(w);
}

static void truth_write_body(struct json_writer *w, const struct request *req)
{
    char hash[65];
    request_body_hash(req, hash);
    jw_field_cstr(w, "body_sha256", hash);
    struct str kept = req->form != NULL ? buf_str(&req->body_logged) : buf_str(&req->body);
    kept = str_head(kept, REQUEST_BODY_LOGGED);
    jw_field_str(w, "body", kept.p == NULL ? STR("") : kept);
}

static void truth_write_line(struct truth *truth, struct request *req, bool completed, bool aborted)
{
    struct json_writer w;
    struct str attempt = request_header(req, "x-client-request-id");
    buf_clear(&truth->line);
    jw_init(&w, &truth->line);
    jw_object(&w);
    jw_key(&w, "attempt_id");
    if (attempt.p == NULL)
        jw_null(&w);
    else
        jw_str(&w, attempt);
    jw_field_cstr(&w, "method", req->method == NULL ? "" : req->method);
    jw_field_str(&w, "host", request_header(req, "host"));
    jw_field_str(&w, "path", req->path);
    jw_field_str(&w, "query", req->query);
    jw_field_str(&w, "model", req->model);
    truth_write_auth(&w, req);
    jw_field_i64(&w, "status", req->status);
    jw_field_bool(&w, "stream", req->stream);
    jw_field_u64(&w, "prompt_tokens", req->usage.prompt);
    jw_field_u64(&w, "completion_tokens", req->usage.completion);
    jw_field_u64(&w, "total_tokens", req->usage.prompt + req->usage.completion);
    jw_field_u64(&w, "cached_tokens", req->usage.cached);
    jw_field_u64(&w, "cache_write_tokens", req->usage.cache_write);
    jw_field_u64(&w, "cache_write_1h_tokens", req->usage.cache_write_1h);
    jw_field_u64(&w, "reasoning_tokens", req->usage.reasoning);
    jw_field_u64(&w, "bytes_in", req->body_bytes);
    jw_field_u64(&w, "bytes_out", req->bytes_out);
    jw_field_bool(&w, "completed", completed);
    jw_field_bool(&w, "aborted", aborted);
    jw_field_i64(&w, "started_ms", req->started_ms);
    jw_field_i64(&w, "ended_ms", clock_wall_ms());
    truth_write_headers(&w, req);
    truth_write_body(&w, req);
    jw_end(&w);
}

static void truth_keep(struct truth *truth, struct str attempt)
{
    while (truth->first < truth->end && (truth->end - truth->first == TRUTH_RING ||
                                         truth->ring_bytes + truth->line.n > TRUTH_RING_BYTES))
        truth_drop_oldest(truth);
    struct truth_entry *entry = &truth->ring[truth->end % TRUTH_RING];
    entry->line = malloc(truth->line.n + 1);
    CHECK(entry->line != NULL);
    memcpy(entry->line, truth->line.p, truth->line.n + 1);
    entry->n = truth->line.n;
    ptrdiff_t at = attempt.n == 0 ? -1 : str_find(buf_str(&truth->line), attempt);
    entry->attempt_at = at < 0 ? 0 : (size_t)at;
    entry->attempt_n = at < 0 ? 0 : attempt.n;
    truth->ring_bytes += entry->n;
    truth->end++;
}

void truth_record(struct truth *truth, struct request *req, bool completed, bool aborted)
{
    struct sim_stats *stats = &req->sim->stats;
    if (req->admin)
        return;
    stats->requests++;
    stats->completed += completed ? 1 : 0;
    stats->aborted += aborted ? 1 : 0;
    stats->broken += !completed && !aborted ? 1 : 0;
    stats->prompt_tokens += req->usage.prompt;
    stats->completion_tokens += req->usage.completion;
    if (req->quiet)
        return;
    truth_write_line(truth, req, completed, aborted);
    if (buf_status(&truth->line) != ST_OK)
        return;
    truth_keep(truth, request_header(req, "x-client-request-id"));
    buf_add_char(&truth->line, '\n');
    if (truth->fd >= 0)
        CHECK(write(truth->fd, truth->line.p, truth->line.n) == (ssize_t)truth->line.n);
}

void truth_list(const struct truth *truth, struct str attempt_id, uint64_t last, struct buf *out)
{
    uint64_t from = truth->end - truth->first > last ? truth->end - last : truth->first;
    bool comma = false;
    buf_add_char(out, '[');
    for (uint64_t at = from; at < truth->end; at++) {
        const struct truth_entry *entry = &truth->ring[at % TRUTH_RING];
        struct str mine = str_of(entry->line + entry->attempt_at, entry->attempt_n);
        if (attempt_id.p != NULL && !str_eq(mine, attempt_id))
            continue;
        if (comma)
            buf_add_char(out, ',');
        buf_add(out, entry->line, entry->n);
        comma = true;
    }
    buf_add_char(out, ']');
}
