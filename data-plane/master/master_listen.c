/* master_listen.c: the ports of a gateway host.
 *
 * Each worker has a socket of its own per address (SO_REUSEPORT), made here and kept for life, so
 * that a successor finds the same queue and no connection is refused while a worker is replaced.
 * With port 0 the first socket chooses and the others follow.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/netaddr.h"
#include "data-plane/master/master_internal.h"

#define LISTEN_BACKLOG 4096

static enum status make_listener(const struct netaddr *addr, uint16_t port, bool shared, int *out)
{
    struct sockaddr_storage name;
    socklen_t n = netaddr_to_sockaddr(addr, port, &name);
    int on = 1, off = 0;
    int fd = socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return status_from_errno(errno);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (shared)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (name.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, shared ? &on : &off, sizeof on);
    if (bind(fd, (struct sockaddr *)&name, n) != 0 || listen(fd, LISTEN_BACKLOG) != 0) {
        int err = errno;
        close(fd);
        return err == EADDRINUSE ? ST_CONFLICT : status_from_errno(err);
    }
    *out = fd;
    return ST_OK;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage name;
    socklen_t n = sizeof name;
    struct netaddr addr;
    uint16_t port = 0;
    if (getsockname(fd, (struct sockaddr *)&name, &n) != 0 ||
        netaddr_from_sockaddr((struct sockaddr *)&name, &addr, &port) != ST_OK)
        return 0;
    return port;
}

/* Nobody else may hold the port: SO_REUSEPORT alone would let two gateways share it without a word.
 */
static enum status check_free(const struct netaddr *addr, uint16_t port)
{
    int fd;
    if (port == 0)
        return ST_OK;
    TRY(make_listener(addr, port, false, &fd));
    close(fd);
    return ST_OK;
}

static enum status check_plain(const struct master *master, const struct netaddr *addr,
                               struct str item)
{
    bool loopback = netaddr_classify(addr) == NETADDR_LOOPBACK;
    if (loopback || params_str(master->params, PARAM_TLS_CERT).n > 0 ||
        params_bool(master->params, PARAM_INSECURE_BIND))
        return ST_OK;
    log_error(
        "bind_refused", LOG_STR("address", item),
        LOG_CSTR("why",
                 "beyond loopback a certificate (tls_cert, tls_key) or --insecure-bind is needed"));
    return ST_INVALID;
}

static enum status bad_address(struct str item, enum status status)
{
    log_error("bind_failed", LOG_STR("address", item), LOG_STATUS(status));
    return status;
}

static enum status listen_gateway(struct master *master)
{
    struct str rest = params_str(master->params, PARAM_GATEWAY_BIND), item;
    uint16_t port = (uint16_t)params_u64(master->params, PARAM_GATEWAY_PORT);
    while (params_next(&rest, &item)) {
        struct netaddr addr;
        if (master->listener_count == WORKER_LISTENERS_MAX ||
            netaddr_from_text(item, &addr) != ST_OK)
            return bad_address(item, ST_INVALID);
        TRY(check_plain(master, &addr, item));
        enum status status = check_free(&addr, port);
        for (uint32_t worker = 0; worker < master->workers && status == ST_OK; worker++) {
            int *fd = &master->listeners[worker][master->listener_count];
            status = make_listener(&addr, port, true, fd);
            if (status == ST_OK && port == 0)
                port = port_of(*fd);
        }
        if (status != ST_OK)
            return bad_address(item, status);
        master->listener_count++;
        log_info("listening", LOG_STR("address", item), LOG_U64("port", port),
                 LOG_CSTR("what", "gateway"));
    }
    return master->listener_count > 0 ? ST_OK : bad_address(STR(""), ST_INVALID);
}

static enum status listen_status(struct master *master)
{
    struct str rest = params_str(master->params, PARAM_STATUS_BIND), item;
    uint16_t port = (uint16_t)params_u64(master->params, PARAM_STATUS_PORT);
    while (params_next(&rest, &item)) {
        struct netaddr addr;
        if (master->status_count == COURIER_STATUS_MAX || netaddr_from_text(item, &addr) != ST_OK)
            return bad_address(item, ST_INVALID);
        enum status status =
            make_listener(&addr, port, false, &master->status_fds[master->status_count]);
        if (status != ST_OK)
            return bad_address(item, status);
        port = port_of(master->status_fds[master->status_count++]);
        log_info("listening", LOG_STR("address", item), LOG_U64("port", port),
                 LOG_CSTR("what", "status"));
    }
    return ST_OK;
}

/* Who connects from now on is refused at once instead of waiting in a queue that nobody empties. */
void master_close_listeners(struct master *master)
{
    for (uint32_t worker = 0; worker < master->workers; worker++)
        for (uint32_t i = 0; i < master->listener_count; i++)
            close(master->listeners[worker][i]);
    master->listener_count = 0;
}

enum status master_listen(struct master *master)
{
    TRY(listen_gateway(master));
    return listen_status(master);
}
