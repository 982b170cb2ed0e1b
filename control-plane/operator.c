/* operator.c: both ends of the operator socket (operator.h).
 *
 * The server trusts its peer with the store but not with its own stability: words are bounded, read under a deadline, and parsed by
 * the table of commands; those that need the store for themselves are not served.
 */
#include "control-plane/operator.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "control-plane/cli/cli.h"

#define OPERATOR_MAGIC   0x4F505201u
#define OPERATOR_BACKLOG 8
#define OPERATOR_HEAD    5u
#define OPERATOR_FRAME   (1u << 20)
#define OPERATOR_TICK_MS 200

struct operator {
    uint32_t magic;
    const struct params *params;
    const struct home *home;
    struct nodes *nodes;
    uint16_t link_port;
    int folder, listener;
    atomic_bool stop;
    pthread_t thread;
    struct sockaddr_un address;
};

/* A socket's address has 108 bytes and a data folder's path may have more, so the folder is named by a descriptor. *folder is
 * the caller's to close once the address is used. */
static enum status socket_address(const struct params *params, struct sockaddr_un *address, int *folder)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int fd = open(params_str(params, PARAM_DATA_DIR).p, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return status_from_errno(errno);
    (void)snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/operator.sock", fd);
    *folder = fd;
    return ST_OK;
}

/* Waits for `events`; the server also looks whether it must end. */
static enum status wait_for(int fd, short events, int64_t deadline_ms, const atomic_bool *stop)
{
    for (;;) {
        int64_t left = deadline_ms - clock_mono_ms();
        struct pollfd poll_fd = {.fd = fd, .events = events};
        if (left <= 0 || (stop != NULL && atomic_load(stop)))
            return ST_CLOSED;
        int n = poll(&poll_fd, 1, stop != NULL && left > OPERATOR_TICK_MS ? OPERATOR_TICK_MS : (int)left);
        if (n > 0)
            return ST_OK;
        if (n < 0 && errno != EINTR)
            return ST_IO;
    }
}

static enum status send_all(int fd, struct str bytes, int64_t deadline_ms, const atomic_bool *stop)
{
    while (bytes.n > 0) {
        TRY(wait_for(fd, POLLOUT, deadline_ms, stop));
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return ST_CLOSED;
        if (n > 0)
            bytes = str_from(bytes, (size_t)n);
    }
    return ST_OK;
}

/* --- server */

struct peer {
    const struct operator *op;
    int fd;
};

static enum status send_frame(const struct peer *peer, char kind, struct str bytes)
{
    int64_t deadline = clock_mono_ms() + OPERATOR_SEND_MS;
    const uint8_t head[OPERATOR_HEAD] = {(uint8_t)kind, (uint8_t)(bytes.n >> 24), (uint8_t)(bytes.n >> 16),
                                         (uint8_t)(bytes.n >> 8), (uint8_t)bytes.n};
    TRY(send_all(peer->fd, str_of((const char *)head, sizeof(head)), deadline, &peer->op->stop));
    return send_all(peer->fd, bytes, deadline, &peer->op->stop);
}

static enum status send_output(void *arg, struct str bytes)
{
    while (bytes.n > 0) {
        struct str part = str_head(bytes, OPERATOR_FRAME);
        TRY(send_frame(arg, 'o', part));
        bytes = str_from(bytes, part.n);
    }
    return ST_OK;
}

static bool peer_may(int fd)
{
    struct ucred cred;
    socklen_t n = sizeof(cred);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) == 0 && (cred.uid == geteuid() || cred.uid == 0);
}

static enum status read_words(const struct peer *peer, struct buf *words)
{
    int64_t deadline = clock_mono_ms() + OPERATOR_WORDS_MS;
    for (;;) {
        TRY(wait_for(peer->fd, POLLIN, deadline, &peer->op->stop));
        TRY(buf_reserve(words, 4096));
        ssize_t n = recv(peer->fd, words->p + words->n, 4096, MSG_DONTWAIT);
        if (n == 0)
            return ST_OK;
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return ST_CLOSED;
        if (n > 0)
            words->n += (size_t)n;
    }
}

static void serve(const struct peer *peer)
{
    const struct operator *op = peer->op;
    const struct cli_command *command;
    struct cli_call call;
    struct buf words, end;
    cli_call_init(&call, op->params);
    buf_init(&words, CLI_WORDS_MAX);
    buf_init(&end, CLI_WHY_MAX + 256);
    enum status status = read_words(peer, &words);
    if (status == ST_OK)
        status = cli_words_parse(buf_str(&words), &command, &call);
    if (status == ST_OK) {
        call.home = op->home;
        call.nodes = op->nodes;
        call.link_port = op->link_port;
        call.write = send_output;
        call.write_arg = (void *)(uintptr_t)peer;
        status = cli_run(command, &call);
        log_info("operator_command", LOG_CSTR("command", command->name), LOG_STATUS(status));
    } else {
        (void)cli_fail(&call, status, "sluice-control does not know this command");
    }
    buf_add_str(&end, str_c(status_row(status)->name));
    buf_add_char(&end, '\0');
    buf_add_str(&end, buf_str(&call.why));
    (void)send_frame(peer, 'e', buf_str(&end));
    buf_free(&end);
    buf_free(&words);
    cli_call_free(&call);
}

static void *operator_thread(void *arg)
{
    struct operator *op = arg;
    while (!atomic_load(&op->stop)) {
        if (wait_for(op->listener, POLLIN, clock_mono_ms() + OPERATOR_SEND_MS, &op->stop) != ST_OK)
            continue;
        int fd = accept4(op->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        struct peer peer = {op, fd};
        if (peer_may(fd))
            serve(&peer);
        close(fd);
    }
    return NULL;
}

static enum status listen_on(struct operator *op)
{
    const struct sockaddr *address = (const struct sockaddr *)&op->address;
    op->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (op->listener < 0)
        return status_from_errno(errno);
    (void)unlink(op->address.sun_path);
    mode_t before = umask(0177);
    int failed = bind(op->listener, address, sizeof(op->address));
    umask(before);
    return failed != 0 || listen(op->listener, OPERATOR_BACKLOG) != 0 ? status_from_errno(errno) : ST_OK;
}

enum status operator_start(const struct params *params, const struct home *home, struct nodes *nodes,
                           uint16_t link_port, struct operator **out)
{
    struct operator *op = calloc(1, sizeof(*op));
    if (op == NULL)
        return ST_NO_MEMORY;
    *op = (struct operator){.magic = OPERATOR_MAGIC, .params = params, .home = home, .nodes = nodes,
                            .link_port = link_port, .folder = -1, .listener = -1};
    enum status status = socket_address(params, &op->address, &op->folder);
    if (status == ST_OK)
        status = listen_on(op);
    if (status == ST_OK && pthread_create(&op->thread, NULL, operator_thread, op) != 0)
        status = ST_NO_MEMORY;
    if (status != ST_OK) {
        if (op->listener >= 0)
            close(op->listener);
        if (op->folder >= 0)
            close(op->folder);
        free(op);
        return status;
    }
    *out = op;
    return ST_OK;
}

void operator_stop(struct operator *op)
{
    if (op == NULL)
        return;
    CHECK_OBJ(op, OPERATOR_MAGIC);
    atomic_store(&op->stop, true);
    (void)pthread_join(op->thread, NULL);
    (void)unlink(op->address.sun_path);
    close(op->listener);
    close(op->folder);
    op->magic = 0;
    free(op);
}

/* --- caller */

static enum status read_exact(int fd, char *p, size_t n)
{
    while (n > 0) {
        ssize_t got = recv(fd, p, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return ST_CLOSED;
        p += got;
        n -= (size_t)got;
    }
    return ST_OK;
}

static enum status status_by_name(struct str name)
{
    for (int i = 0; i < ST_COUNT; i++)
        if (str_eq(name, str_c(status_row((enum status)i)->name)))
            return (enum status)i;
    return ST_BAD_FORMAT;
}

/* Reads frames until the end frame, whose status it gives. */
static enum status read_reply(int fd, struct buf *frame, enum status (*write)(void *arg, struct str bytes), void *arg,
                              struct buf *why)
{
    for (;;) {
        uint8_t head[OPERATOR_HEAD];
        TRY(read_exact(fd, (char *)head, sizeof(head)));
        size_t n = (size_t)head[1] << 24 | (size_t)head[2] << 16 | (size_t)head[3] << 8 | head[4];
        if (n > OPERATOR_FRAME)
            return ST_BAD_FORMAT;
        buf_clear(frame);
        TRY(buf_reserve(frame, n));
        TRY(read_exact(fd, frame->p, n));
        struct str bytes = {frame->p, n}, name;
        if (head[0] == 'o') {
            TRY(write(arg, bytes));
            continue;
        }
        if (!str_split(&bytes, '\0', &name))
            return ST_BAD_FORMAT;
        buf_add_str(why, bytes);
        return status_by_name(name);
    }
}

/* gives a connected socket. ST_AGAIN: nobody listens. */
static enum status call_server(const struct params *params, int *out, struct buf *why)
{
    struct sockaddr_un address;
    int folder;
    enum status status = socket_address(params, &address, &folder);
    if (status != ST_OK)
        return status == ST_NOT_FOUND ? ST_AGAIN : status;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        status = errno == ENOENT || errno == ECONNREFUSED ? ST_AGAIN : status_from_errno(errno);
        if (status != ST_AGAIN)
            buf_printf(why, "cannot reach sluice-control at " STR_FMT "/operator.sock",
                       STR_ARG(params_str(params, PARAM_DATA_DIR)));
        if (fd >= 0)
            close(fd);
    } else {
        *out = fd;
    }
    close(folder);
    return status;
}

enum status operator_ask(const struct params *params, struct str words,
                         enum status (*write)(void *arg, struct str bytes), void *arg, struct buf *why)
{
    struct buf frame;
    int fd = -1;
    TRY(call_server(params, &fd, why));
    buf_init(&frame, OPERATOR_FRAME + 1);
    enum status status = send_all(fd, words, clock_mono_ms() + OPERATOR_WORDS_MS, NULL);
    if (status == ST_OK && shutdown(fd, SHUT_WR) != 0)
        status = ST_IO;
    if (status == ST_OK)
        status = read_reply(fd, &frame, write, arg, why);
    if (frame.p != NULL)
        secret_wipe(frame.p, frame.room_bytes);
    buf_free(&frame);
    close(fd);
    return status;
}
