/* main.c: sluice-sim: reads the command line, listens, says where on one line of stdout, runs until
 * SIGTERM or SIGINT.
 *
 * The line is {"port":..,"url":..,"pid":..}; it appears when connections are accepted, never
 * before. Everything else that is said goes to stderr. The descriptor limit is raised to its
 * maximum: every client is a descriptor.
 */
#include "tests/sim/conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAIN_BACKLOG 4096

static struct sim *main_sim; /* for the signal handler only */

static void main_stop(int signal)
{
    (void)signal;
    main_sim->loop.stop = 1;
}

static enum status main_address(const struct options *options, struct sockaddr_storage *address,
                                socklen_t *n)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)address;
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, options->bind, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(options->port);
        *n = sizeof *v4;
        return ST_OK;
    }
    if (inet_pton(AF_INET6, options->bind, &v6->sin6_addr) != 1)
        return ST_INVALID;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(options->port);
    *n = sizeof *v6;
    return ST_OK;
}

/* Opens the listener; *port is what the kernel gave. */
static enum status main_bind(struct sim *sim, uint16_t *port)
{
    struct sockaddr_storage address;
    socklen_t n = 0;
    int yes = 1;
    TRY(main_address(&sim->options, &address, &n));
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return ST_IO;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, n) != 0 || listen(fd, MAIN_BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &n) != 0) {
        close(fd);
        return ST_IO;
    }
    sim->listener.fd = fd;
    *port =
        ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)(void *)&address)->sin_port
                                           : ((struct sockaddr_in6 *)(void *)&address)->sin6_port);
    return ST_OK;
}

static void main_raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void main_signals(struct sim *sim)
{
    struct sigaction action = {.sa_handler = main_stop};
    main_sim = sim;
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void main_announce(const struct sim *sim, uint16_t port)
{
    bool v6 = strchr(sim->options.bind, ':') != NULL;
    printf("{\"port\":%u,\"url\":\"%s://%s%s%s:%u\",\"pid\":%d}\n", port,
           sim->tls == NULL ? "http" : "https", v6 ? "[" : "", sim->options.bind, v6 ? "]" : "",
           port, (int)getpid());
    fflush(stdout);
}

static int main_fail(const char *what, const char *detail)
{
    fprintf(stderr, "sluice-sim: %s: %s\n", what, detail);
    return 1;
}

int main(int argc, char **argv)
{
    static struct sim sim;
    uint16_t port = 0;
    enum status status = options_parse(argc, argv, &sim.options);
    if (status != ST_OK)
        return status == ST_END ? 0 : 2;
    if (sodium_init() < 0)
        return main_fail("libsodium", "cannot start");
    main_raise_limit();
    buf_init(&sim.scratch, SIM_TEXT_MAX);
    if (sim.options.tls_cert != NULL &&
        tls_context_open(sim.options.tls_cert, sim.options.tls_key, &sim.tls) != ST_OK)
        return main_fail("unusable certificate or key", sim.options.tls_cert);
    if (truth_open(&sim.truth, sim.options.truth_log) != ST_OK)
        return main_fail("cannot open the truth log", sim.options.truth_log);
    if (loop_init(&sim.loop) != ST_OK || main_bind(&sim, &port) != ST_OK ||
        conn_listen(&sim) != ST_OK)
        return main_fail("cannot listen", sim.options.bind);
    main_signals(&sim);
    main_announce(&sim, port);
    loop_run(&sim.loop);
    truth_close(&sim.truth);
    objects_reset(&sim.objects);
    return 0;
}
