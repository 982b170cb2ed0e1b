/* req.c: the walk over the steps, and the seam to the connection.
 *
 * Invariants: a request is finished exactly once; nothing of it is touched after req_finish but by
 * the deferred free at the end of the turn; a sent attempt is settled before the memory goes; no
 * catalog read is open between two steps. Must never hold policy: that is the steps'.
 */
#include "data-plane/worker/req.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "data-plane/worker/access_log.h"
#include "data-plane/worker/keep_alive.h"
#include "data-plane/worker/batch_rows.h"
#include "data-plane/worker/drain.h"
#include "data-plane/worker/cost_words.h"
#include "data-plane/worker/media_fetch.h"
#include "data-plane/worker/multipart.h"
#include "data-plane/worker/refusal.h"
#include "data-plane/worker/reply_list.h"
#include "data-plane/worker/translate.h"

#define REQ_POOL_MAX 1024

typedef enum step_result (*step_fn)(struct req *req);

static const step_fn steps[] = {
#define STEP(name, once) req_step_##name,
#include "data-plane/req_steps.def"
#undef STEP
};

static struct req *pool; /* a worker is one thread: its free requests */
static unsigned pool_count;
static uint64_t id_seed, id_count;

/* A mixed counter over a random seed (splitmix64). */
static uint64_t mixed(uint64_t n)
{
    if (id_seed == 0)
        randombytes_buf(&id_seed, sizeof id_seed);
    uint64_t mix = id_seed + n * 0x9E3779B97F4A7C15u;
    mix = (mix ^ (mix >> 30)) * 0xBF58476D1CE4E5B9u;
    mix = (mix ^ (mix >> 27)) * 0x94D049BB133111EBu;
    return mix ^ (mix >> 31);
}

uint64_t req_random(void)
{
    return mixed(++id_count);
}

/* A UUIDv7-shaped request id without a system call. */
static struct id new_request_id(void)
{
    struct id id;
    uint64_t ms = (uint64_t)clock_utc_ms(), n = ++id_count, mix = mixed(n);
    for (int i = 0; i < 6; i++)
        id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
    id.b[6] = (uint8_t)(0x70 | ((n >> 8) & 0x0F));
    id.b[7] = (uint8_t)n;
    for (int i = 0; i < 8; i++)
        id.b[8 + i] = (uint8_t)(mix >> (56 - 8 * i));
    id.b[8] = (uint8_t)(0x80 | (id.b[8] & 0x3F));
    return id;
}

static void free_now(struct loop_job *job)
{
    struct req *req = job->owner;
    CHECK_OBJ(req, REQ_MAGIC);
    req->worker->body_bytes -= req->body.charged + req->media_bytes;
    translate_free(req);
    buf_free(&req->body.mem);
    if (req->body.rows != NULL)
        batch_rows_free(req->body.rows);
    buf_free(&req->body.original);
    buf_free(&req->held);
    sse_free(&req->sse);
    arena_free(&req->arena);
    req->magic = 0;
    if (pool_count >= REQ_POOL_MAX) {
        free(req);
        return;
    }
    req->next_free = pool;
    pool = req;
    pool_count++;
}

static struct req *req_new(struct worker *worker, struct conn *conn, const struct http_head *head)
{
    struct req *req = pool;
    if (req != NULL) {
        pool = req->next_free;
        pool_count--;
    } else {
        req = malloc(sizeof *req);
        if (req == NULL)
            return NULL;
    }
    memset(req, 0, offsetof(struct req, inline_memory));
    req->magic = REQ_MAGIC;
    req->worker = worker;
    req->conn = conn;
    req->head = head;
    req->id = new_request_id();
    req->started_ns = loop_now_ns(worker->loop);
    req->finish_job = (struct loop_job){.run = free_now, .owner = req};
    arena_init_with(&req->arena, req->inline_memory, sizeof req->inline_memory, REQ_ARENA_MAX);
    buf_init(&req->body.mem, (size_t)params_u64(worker->params, PARAM_JSON_BODY_MAX));
    sse_init(&req->sse);
    buf_init(&req->held, COST_HELD_BYTES);
    return req;
}

/* --- the walk
 * -------------------------------------------------------------------------------------------------------------
 */

void req_goto(struct req *req, enum req_step_name step)
{
    req->step = step;
}

void req_run(struct req *req)
{
    CHECK_OBJ(req, REQ_MAGIC);
    if (req->running || req->finished)
        return;
    req->running = true;
    enum step_result result = STEP_NEXT;
    while (!req->finished && result != STEP_WAIT && result != STEP_DONE) {
        CHECK((size_t)req->step < COUNT_OF(steps));
        result = steps[req->step](req);
        if (req->finished)
            break;
        if (result == STEP_NEXT)
            req->step++;
        if (result == STEP_REFUSE) {
            if (!attempts_refused(req))
                req_answer_refusal(req);
            break;
        }
    }
    req->running = false;
}

static void cancel_exchange(struct req *req)
{
    struct exchange *exchange = req->attempt.exchange;
    if (exchange == NULL)
        return;
    req->attempt.reached = upstream_was_sent(exchange);
    req->attempt.exchange = NULL;
    upstream_cancel(exchange);
}

void req_stop_attempt(struct req *req)
{
    names_wait_cancel(&req->attempt.wait);
    limits_client_cancel(&req->limit_wait);
    tokens_wait_cancel(&req->attempt.token_wait);
    req_own_cancel(req);
    reply_list_cancel(req);
    media_fetch_cancel(req);
    keep_alive_cancel(req);
    recall_cancel(req);
    cancel_exchange(req);
}

void req_finish(struct req *req)
{
    CHECK_OBJ(req, REQ_MAGIC);
    if (req->finished)
        return;
    req->finished = true;
    drain_end(req);
    attempts_cancel(req);
    req_stop_attempt(req);
    req_settle(req, SLOT_OUTCOME_CLIENT_GONE);
    if (req->uses_taken)
        limits_end(req->worker->limits, req->uses.list, req->uses.count);
    access_log_request(req);
    req->conn = NULL;
    atomic_fetch_sub_explicit(&req->worker->column->open_requests, 1, memory_order_relaxed);
    loop_defer(req->worker->loop, &req->finish_job);
}

/* --- the seam to the connection
 * ------------------------------------------------------------------------------------------- */

struct req *req_begin(struct worker *worker, struct conn *conn, const struct http_head *head)
{
    struct req *req = req_new(worker, conn, head);
    if (req == NULL) {
        conn_reply_simple(
            conn, 503, NULL, 0,
            STR("{\"error\":{\"message\":\"Not enough memory.\",\"code\":\"overloaded\"}}"));
        return NULL;
    }
    atomic_fetch_add_explicit(&worker->column->open_requests, 1, memory_order_relaxed);
    req_run(req);
    return req->finished ? NULL : req;
}

size_t req_body(struct req *req, const char *p, size_t n)
{
    CHECK_OBJ(req, REQ_MAGIC);
    return req_body_take(req, p, n);
}

/* What flowed through was checked as it came; its end is the last of it. */
static enum status body_is_whole(struct req *req)
{
    struct req_body *body = &req->body;
    if (body->rows != NULL && !req_rows_take(req, STR_NONE, true))
        return req->refused;
    return body->watch != NULL ? multipart_watch_end(body->watch) : ST_OK;
}

/* Only the step that waits for the body is entered again: another one has its own waker, and would
 * wait twice. */
void req_body_end(struct req *req)
{
    CHECK_OBJ(req, REQ_MAGIC);
    if (req->finished)
        return;
    enum status status = body_is_whole(req);
    if (status != ST_OK) {
        req_body_failed(req, status);
        return;
    }
    req->body.complete = true;
    if (req->body.streaming && req->attempt.exchange != NULL)
        upstream_resume(req->attempt.exchange);
    else if (req->step == REQ_STEP_read_body)
        req_run(req);
}

void req_body_failed(struct req *req, enum status status)
{
    CHECK_OBJ(req, REQ_MAGIC);
    if (req->finished)
        return;
    cancel_exchange(req);
    if (req->refused == ST_OK)
        req_refuse(req, status, "%s", status_row(status)->text);
    req_answer_refusal(req);
}

void req_writable(struct req *req)
{
    CHECK_OBJ(req, REQ_MAGIC);
    if (!req->finished && req->recall.answer != NULL)
        recall_resume(req);
    else if (!req->finished && req->attempt.exchange != NULL)
        upstream_resume(req->attempt.exchange);
}

void req_client_gone(struct req *req)
{
    CHECK_OBJ(req, REQ_MAGIC);
    req->conn = NULL;
    if (!drain_begin(req))
        req_finish(req);
}

enum step_result req_refuse(struct req *req, enum status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(req->reason, sizeof req->reason, format, args);
    va_end(args);
    req->refused = status;
    return STEP_REFUSE;
}
