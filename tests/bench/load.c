/* load.c: the load generator of the benchmarks: N connections, each sending the same request and waiting for its answer.
 *
 *   sluice-load --host H --port P --path /v1/... [--header 'n: v']... [--body FILE] --connections N --seconds S
 *               [--warmup S] [--pid PID]... [--hold] [--ramp PER_SECOND] [--sources N]
 *               [--answers N]
 *
 * Prints one JSON object: answers per second, percentiles of time to the last and to the first byte of the body, answers by status,
 * failures, and per given process the CPU it used while measured (/proc/PID/task/x/schedstat, in nanoseconds) and its memory.
 * --hold: every connection makes one request only and stays with it (open streams); prints a line {"held":N} when all have had
 * their first byte, then measures.
 * --answers: ends when so many were measured. Must never judge: comparisons and thresholds are bench.py's.
 */
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/json_write.h"
#include "tests/bench/histogram.h"
#include "tests/bench/load_conn.h"
#include "tests/bench/usage.h"

#define CONNECTIONS_MAX 20000
#define PIDS_MAX        16
#define BODY_MAX        (64u << 20)
#define RETRY_NS        10000000u

struct load {
    struct load_target target;
    struct buf request;
    const char *host, *path, *body_file;
    struct buf headers;
    unsigned port, connections, seconds_ms, warmup_ms, ramp;
    bool hold, measuring;
    int pids[PIDS_MAX];
    struct usage before[PIDS_MAX], after[PIDS_MAX];
    unsigned pid_count;
    struct load_conn *conns;
    unsigned opened, held;
    uint64_t failures, body_bytes, by_status[6], answers_max;
    struct histogram whole, first;
};

static struct load load;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "sluice-load: %s\n", what);
    exit(2);
}

static uint64_t number(const char *text, uint64_t max)
{
    uint64_t value;
    if (str_to_u64(str_c(text), &value) != ST_OK || value > max)
        die("a number is malformed or too large");
    return value;
}

static void read_options(int argc, char **argv)
{
    static const struct option options[] = {
        {"host", 1, NULL, 'h'},    {"port", 1, NULL, 'p'},   {"path", 1, NULL, 'u'}, {"header", 1, NULL, 'H'},
        {"body", 1, NULL, 'b'},    {"connections", 1, NULL, 'c'}, {"seconds", 1, NULL, 's'}, {"warmup", 1, NULL, 'w'},
        {"pid", 1, NULL, 'P'},     {"hold", 0, NULL, 'o'},   {"ramp", 1, NULL, 'r'}, {"sources", 1, NULL, 'S'},
        {"milliseconds", 1, NULL, 'm'}, {"answers", 1, NULL, 'n'}, {NULL, 0, NULL, 0}};
    load.host = "127.0.0.1";
    load.path = "/";
    load.connections = 1;
    load.seconds_ms = 3000;
    buf_init(&load.headers, 65536);
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'h': load.host = optarg; break;
        case 'p': load.port = (unsigned)number(optarg, 65535); break;
        case 'u': load.path = optarg; break;
        case 'H': buf_printf(&load.headers, "%s\r\n", optarg); break;
        case 'b': load.body_file = optarg; break;
        case 'c': load.connections = (unsigned)number(optarg, CONNECTIONS_MAX); break;
        case 's': load.seconds_ms = (unsigned)number(optarg, 86400) * 1000; break;
        case 'm': load.seconds_ms = (unsigned)number(optarg, 86400000); break;
        case 'n': load.answers_max = number(optarg, UINT32_MAX); break;
        case 'w': load.warmup_ms = (unsigned)number(optarg, 86400000); break;
        case 'o': load.hold = true; break;
        case 'r': load.ramp = (unsigned)number(optarg, 1000000); break;
        case 'S': load.target.sources = (uint32_t)number(optarg, 200); break;
        case 'P':
            if (load.pid_count < PIDS_MAX)
                load.pids[load.pid_count++] = (int)number(optarg, INT32_MAX);
            break;
        default: die("unknown option");
        }
    }
    if (load.port == 0 || load.connections == 0)
        die("--port and --connections are needed");
}

static void make_request(void)
{
    struct buf body;
    buf_init(&body, BODY_MAX);
    if (load.body_file != NULL) {
        FILE *file = fopen(load.body_file, "re");
        if (file == NULL)
            die("the body file cannot be opened");
        char piece[65536];
        for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;)
            buf_add(&body, piece, n);
        fclose(file);
    }
    buf_init(&load.request, BODY_MAX + 131072);
    buf_printf(&load.request, "%s %s HTTP/1.1\r\nhost: %s:%u\r\n", body.n > 0 ? "POST" : "GET", load.path, load.host,
               load.port);
    buf_add_str(&load.request, buf_str(&load.headers));
    if (body.n > 0)
        buf_printf(&load.request, "content-type: application/json\r\ncontent-length: %zu\r\n", body.n);
    buf_add_lit(&load.request, "\r\n");
    buf_add_str(&load.request, buf_str(&body));
    if (buf_status(&load.request) != ST_OK || buf_status(&body) != ST_OK)
        die("the request is too large");
    load.target.request = buf_str(&load.request);
    buf_free(&body);
}

static void find_target(void)
{
    char port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *found;
    snprintf(port, sizeof port, "%u", load.port % 65536);
    if (getaddrinfo(load.host, port, &hints, &found) != 0)
        die("--host must be an address");
    memcpy(&load.target.addr, found->ai_addr, found->ai_addrlen);
    load.target.addr_n = found->ai_addrlen;
    freeaddrinfo(found);
    load.target.epoll = epoll_create1(EPOLL_CLOEXEC);
    load.conns = calloc(load.connections, sizeof *load.conns);
    if (load.target.epoll < 0 || load.conns == NULL)
        die("out of memory");
    for (unsigned i = 0; i < load.connections; i++)
        load.conns[i].fd = -1;
}

static void count(struct load_conn *conn, enum load_event event, uint64_t now)
{
    if (event == LOAD_FIRST_BYTE) {
        load.held++;
        if (load.measuring && !load.hold)
            histogram_add(&load.first, conn->first_ns - conn->started_ns);
        return;
    }
    if (!load.measuring)
        return;
    if (event == LOAD_FAILED) {
        load.failures++;
        return;
    }
    load.by_status[conn->status / 100 % 6]++;
    load.body_bytes += conn->body_bytes;
    histogram_add(&load.whole, now - conn->started_ns);
    if (!conn->got_body)
        histogram_add(&load.first, now - conn->started_ns);
}

static void run_conn(unsigned i)
{
    struct load_conn *conn = &load.conns[i];
    for (enum load_event event; (event = load_conn_run(conn, &load.target)) != LOAD_NOTHING;) {
        count(conn, event, (uint64_t)clock_mono_ns());
        if (event != LOAD_DONE)
            continue;
        if (load.hold)
            load_conn_close(conn);
        else if (conn->state == LOAD_RESTING)
            load_conn_begin(conn);
    }
}

/* Opens what is not open; --ramp bounds how many per second. */
static void open_more(uint64_t begun)
{
    uint64_t now = (uint64_t)clock_mono_ns(), allowed = load.connections;
    if (load.ramp > 0)
        allowed = (now - begun) * load.ramp / 1000000000u + 1;
    for (unsigned i = 0; i < load.connections && i < allowed; i++) {
        if (load.conns[i].state != LOAD_CLOSED || (load.hold && i < load.opened))
            continue;
        if (load_conn_open(&load.conns[i], &load.target, i) != ST_OK && load.measuring)
            load.failures++;
        if (i >= load.opened)
            load.opened = i + 1;
    }
}

static void take_usage(struct usage *usages)
{
    for (unsigned i = 0; i < load.pid_count; i++)
        usages[i] = usage_of(load.pids[i]);
}

/* Runs until `until`, or until all streams are held. */
static void run_until(uint64_t until, uint64_t begun, bool until_held)
{
    static struct epoll_event events[512];
    uint64_t next_open = 0;
    for (;;) {
        uint64_t now = (uint64_t)clock_mono_ns();
        bool enough = load.answers_max > 0 && load.whole.count >= load.answers_max;
        if (now >= until || enough || (until_held && load.held >= load.connections))
            return;
        if (now >= next_open) {
            open_more(begun);
            next_open = now + RETRY_NS;
        }
        int n = epoll_wait(load.target.epoll, events, 512, 10);
        for (int i = 0; i < n; i++) {
            struct load_conn *conn = &load.conns[events[i].data.u32];
            if ((events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
                conn->hung_up = true;
            run_conn(events[i].data.u32);
        }
    }
}

static void write_times(struct json_writer *w, const char *name, const struct histogram *h)
{
    jw_key(w, name);
    jw_object(w);
    jw_key(w, "p50_us");
    jw_decimal(w, (int64_t)histogram_at(h, 500), 3);
    jw_key(w, "p90_us");
    jw_decimal(w, (int64_t)histogram_at(h, 900), 3);
    jw_key(w, "p99_us");
    jw_decimal(w, (int64_t)histogram_at(h, 990), 3);
    jw_key(w, "max_us");
    jw_decimal(w, (int64_t)h->max_ns, 3);
    jw_end(w);
}

static void report(uint64_t elapsed_ns)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, 65536);
    jw_init(&w, &out);
    jw_object(&w);
    jw_field_u64(&w, "answers", load.whole.count);
    jw_field_u64(&w, "failures", load.failures);
    jw_field_u64(&w, "per_second", load.whole.count * 1000000000u / elapsed_ns);
    jw_field_u64(&w, "elapsed_ms", elapsed_ns / 1000000u);
    jw_field_u64(&w, "body_bytes", load.body_bytes);
    jw_field_u64(&w, "status_2xx", load.by_status[2]);
    jw_field_u64(&w, "status_4xx", load.by_status[4]);
    jw_field_u64(&w, "status_5xx", load.by_status[5]);
    write_times(&w, "whole", &load.whole);
    write_times(&w, "first_byte", &load.first);
    jw_key(&w, "processes");
    jw_array(&w);
    for (unsigned i = 0; i < load.pid_count; i++) {
        jw_object(&w);
        jw_field_u64(&w, "pid", (uint64_t)load.pids[i]);
        jw_field_u64(&w, "cpu_ns", load.after[i].cpu_ns - load.before[i].cpu_ns);
        jw_field_u64(&w, "rss_bytes", load.after[i].rss_bytes);
        jw_end(&w);
    }
    jw_end(&w);
    jw_end(&w);
    printf(STR_FMT "\n", STR_ARG(buf_str(&out)));
    fflush(stdout);
    buf_free(&out);
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    make_request();
    find_target();
    uint64_t begun = (uint64_t)clock_mono_ns();
    if (load.hold) {
        run_until(begun + 120000000000u, begun, true);
        printf("{\"held\":%u}\n", load.held);
        fflush(stdout);
    }
    run_until((uint64_t)clock_mono_ns() + (uint64_t)load.warmup_ms * 1000000u, begun, false);
    load.measuring = true;
    take_usage(load.before);
    uint64_t from = (uint64_t)clock_mono_ns();
    run_until(from + (uint64_t)load.seconds_ms * 1000000u, begun, false);
    take_usage(load.after);
    report((uint64_t)clock_mono_ns() - from);
    for (unsigned i = 0; i < load.connections; i++)
        load_conn_close(&load.conns[i]);
    buf_free(&load.request);
    buf_free(&load.headers);
    free(load.conns);
    return 0;
}
