/* ipc.c: datagrams between courier and worker, and the proof that one has the shape its kind says.
 *
 * Both ends live on one host but not in one protection domain: a worker parses strangers' bytes, so
 * the courier believes nothing that ipc_check has not seen, and the worker checks in turn, because
 * the courier resolves strangers' names. Must never: block.
 */
#include "data-plane/ipc.h"

#include <errno.h>
#include <sys/socket.h>

enum status ipc_send(int fd, const void *message, size_t n)
{
    CHECK(n >= sizeof(struct ipc_head) && n <= IPC_MAX_BYTES);
    ssize_t sent;
    do {
        sent = send(fd, message, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0)
        return ST_OK;
    if (errno == EAGAIN || errno == ENOBUFS)
        return ST_AGAIN;
    return errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN ? ST_CLOSED : ST_IO;
}

enum status ipc_receive(int fd, void *room, size_t room_bytes, size_t *n)
{
    ssize_t got;
    do {
        got = recv(fd, room, room_bytes, MSG_DONTWAIT | MSG_TRUNC);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN)
        return ST_AGAIN;
    if (got == 0 || (got < 0 && errno == ECONNRESET))
        return ST_CLOSED;
    if (got < 0)
        return ST_IO;
    if ((size_t)got < sizeof(struct ipc_head) || (size_t)got > room_bytes)
        return ST_BAD_FORMAT;
    *n = (size_t)got;
    return ST_OK;
}

static bool text_ends(const char *text, size_t room)
{
    return memchr(text, '\0', room) != NULL;
}

static bool name_check(const struct ipc_name *name)
{
    if (name->count > IPC_ADDRS_MAX || !text_ends(name->host, sizeof name->host))
        return false;
    for (uint32_t i = 0; i < name->count; i++) {
        if (name->addrs[i].family != 4 && name->addrs[i].family != 6)
            return false;
    }
    return true;
}

bool ipc_check(const void *message, size_t n)
{
    const struct ipc_head *head = message;
    switch ((enum ipc_kind)head->kind) {
    case IPC_NAME_QUERY:
    case IPC_NAME_ANSWER:
        return n == sizeof(struct ipc_name) && name_check(message);
    case IPC_OBJECT_QUERY:
    case IPC_OBJECT_ANSWER: {
        const struct ipc_object *object = message;
        return n == sizeof *object && text_ends(object->object, sizeof object->object) &&
               text_ends(object->object_kind, sizeof object->object_kind);
    }
    case IPC_PROBE:
    case IPC_PROBE_RESULT:
    case IPC_CATALOG_NEW: {
        const struct ipc_blob *blob = message;
        return n >= sizeof *blob && blob->n == n - sizeof *blob;
    }
    case IPC_COUNTER_OPEN: {
        const struct ipc_counter *counter = message;
        return n == sizeof *counter && counter->value_key_n <= sizeof counter->value_key;
    }
    case IPC_COUNTER_ROW:
        return n == sizeof(struct ipc_row);
    case IPC_RATE_FIX:
        return n == sizeof(struct ipc_fix);
    case IPC_DONE:
    case IPC_COURIER_UP:
    case IPC_WISH:
    case IPC_GRANTED:
    case IPC_RECALL:
        return n == sizeof *head;
    }
    return false;
}
