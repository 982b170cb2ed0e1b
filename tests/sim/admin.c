/* admin.c: /__sim/...: how tests look at the simulator without a file (admin_request of
 * dispatch.h).
 *
 *   GET  /__sim/requests?attempt_id=   truth records, oldest first     GET /__sim/last?n=   the
 * last n (default 1) GET  /__sim/stats                  counters                        POST
 * /__sim/reset    empties ring, objects, counters
 *   GET  /__sim/file/picture | page | moved | large   what a URL in a message may name
 *
 * These requests need no credential, meet no fault, and are never in the truth log or in the
 * counters of requests.
 */
#include "tests/sim/dispatch.h"
#include "tests/sim/media.h"
#include "tests/sim/reply.h"

#define LARGE_BYTES (2u << 20)

static void admin_stats(struct request *req, struct json_writer *w)
{
    const struct sim_stats *s = &req->sim->stats;
    jw_object(w);
    jw_field_u64(w, "accepted", s->accepted);
    jw_field_u64(w, "open_connections", s->open_connections);
    jw_field_u64(w, "open_streams", s->open_streams);
    jw_field_u64(w, "requests", s->requests);
    jw_field_u64(w, "completed", s->completed);
    jw_field_u64(w, "aborted", s->aborted);
    jw_field_u64(w, "broken", s->broken);
    jw_field_u64(w, "bytes_in", s->bytes_in);
    jw_field_u64(w, "bytes_out", s->bytes_out);
    jw_field_u64(w, "prompt_tokens", s->prompt_tokens);
    jw_field_u64(w, "completion_tokens", s->completion_tokens);
    jw_end(w);
}

static void admin_reset(struct sim *sim)
{
    struct sim_stats kept = {.open_connections = sim->stats.open_connections,
                             .open_streams = sim->stats.open_streams};
    truth_reset(&sim->truth);
    objects_reset(&sim->objects);
    sim->stats = kept;
    sim->first_next = 0;
    memset(sim->first, 0, sizeof sim->first);
    sim->cached_next = 0;
    memset(sim->cached, 0, sizeof sim->cached);
}

/* A picture under a type that says nothing; a page; a redirect to the picture; a picture of 2 MiB. */
static void admin_file(struct request *req, struct str name)
{
    static const char moved[] = "HTTP/1.1 302 Found\r\nlocation: /__sim/file/picture\r\n"
                                "content-length: 0\r\n\r\n";
    struct arena arena;
    struct str png = STR_NONE;
    char *room;
    arena_init(&arena, 2 * LARGE_BYTES);
    CHECK(media_decode(STR(MEDIA_PNG), &arena, &png) == ST_OK);
    if (str_eq(name, STR("picture"))) {
        reply_body(req, 200, "application/octet-stream", png);
    } else if (str_eq(name, STR("page"))) {
        reply_body(req, 200, "text/html; charset=utf-8", STR("<html>no picture</html>"));
    } else if (str_eq(name, STR("moved"))) {
        reply_raw(req, 302, STR(moved));
    } else if (str_eq(name, STR("large")) && (room = arena_calloc(&arena, 1, LARGE_BYTES)) != NULL) {
        memcpy(room, png.p, png.n);
        reply_body(req, 200, "image/png", str_of(room, LARGE_BYTES));
    } else {
        reply_error(req, 404, NULL, STR("no such file"));
    }
    arena_free(&arena);
}

void admin_request(struct request *req, struct str rest)
{
    struct buf out;
    struct json_writer w;
    bool get = strcmp(req->method, "GET") == 0;
    uint64_t last = UINT64_MAX;
    req->admin = true;
    if (get && str_starts(rest, STR("file/"))) {
        admin_file(req, str_from(rest, 5));
        return;
    }
    buf_init(&out, TRUTH_RING_BYTES + TRUTH_RING + 16);
    jw_init(&w, &out);
    if (get && str_eq(rest, STR("stats"))) {
        admin_stats(req, &w);
    } else if (get && str_eq(rest, STR("requests"))) {
        truth_list(&req->sim->truth, request_query(req, "attempt_id"), last, &out);
    } else if (get && str_eq(rest, STR("last"))) {
        if (str_to_u64(request_query(req, "n"), &last) != ST_OK)
            last = 1;
        truth_list(&req->sim->truth, STR_NONE, last, &out);
    } else if (!get && str_eq(rest, STR("reset"))) {
        admin_reset(req->sim);
        buf_add_lit(&out, "{\"reset\":true}");
    } else {
        buf_free(&out);
        reply_error(req, 404, NULL, STR("no such /__sim/ operation"));
        return;
    }
    reply_body(req, 200, REPLY_JSON, buf_str(&out));
    buf_free(&out);
}
