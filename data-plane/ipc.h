/* ipc.h: messages between the courier and one worker, over a SOCK_SEQPACKET pair (fd 3 in both roles' convention).
 *
 * The master keeps both ends of every pair, so a restarted courier or worker finds its pair as it was. Datagrams of at most
 * IPC_MAX_BYTES; a full socket drops and counts (the asker retries by its own timer). Fixed little structs, same machine.
 */
#ifndef SLUICE_DATA_IPC_H
#define SLUICE_DATA_IPC_H

#include "common/id.h"
#include "common/netaddr.h"

#define IPC_MAX_BYTES   (64 * 1024)
#define IPC_HOST_MAX    253
#define IPC_ADDRS_MAX   16
#define IPC_OBJECT_MAX  128
#define IPC_VALUE_KEY   256 /* LIMIT_VALUE_KEY of common/limit.h */

enum ipc_kind {
    IPC_NAME_QUERY = 1, /* worker -> courier: struct ipc_name */
    IPC_NAME_ANSWER,    /* courier -> worker: struct ipc_name */
    IPC_OBJECT_QUERY,   /* worker -> courier: struct ipc_object */
    IPC_OBJECT_ANSWER,
    IPC_DONE,           /* worker -> courier: slots wait (doorbell) */
    IPC_PROBE,          /* courier -> worker: struct ipc_blob, packed Sluice__Probe */
    IPC_PROBE_RESULT,   /* worker -> courier: struct ipc_blob, packed Sluice__ProbeResult */
    IPC_CATALOG_NEW,    /* courier -> worker: the catalog file's live generation or revision moved (struct ipc_blob, n = 0) */
    IPC_COURIER_UP,     /* courier -> worker: a (new) courier listens: ask again what is open */
    IPC_COUNTER_OPEN,   /* worker -> courier: struct ipc_counter: which row is this counter taken from? */
    IPC_COUNTER_ROW,    /* courier -> worker: struct ipc_row */
    IPC_WISH,           /* worker -> courier: account.want or need of row `tag` grew, or something was returned */
    IPC_GRANTED,        /* courier -> worker: accounts or verdicts changed: look again at who waits */
    IPC_RECALL,         /* courier -> worker: row `tag` asks back what is not reserved */
    IPC_RATE_FIX,       /* worker -> courier: struct ipc_fix: tokens of a rate that were not needed */
};

struct ipc_head {
    uint32_t kind;
    uint32_t tag; /* the asker's; the answer repeats it */
};

struct ipc_name {
    struct ipc_head head;
    uint32_t status; /* enum status of the look-up */
    uint32_t count;
    uint32_t ttl_s;
    char host[IPC_HOST_MAX + 1];
    struct netaddr addrs[IPC_ADDRS_MAX];
};

struct ipc_object {
    struct ipc_head head;
    uint32_t status; /* answer: ST_OK owned, ST_NOT_FOUND not, ST_CONTROL_AWAY cannot tell */
    struct id org, workspace, provider;
    char object[IPC_OBJECT_MAX];
    char object_kind[16];
};

/* What a counter is (limit.h, struct limit_ref), and how its definition stands. */
struct ipc_counter {
    struct ipc_head head;
    struct id counter, org, entity, second, workspace;
    int64_t value, anew_ms;
    uint8_t level, measure, window, nth;
    uint32_t value_key_n;
    char value_key[IPC_VALUE_KEY];
};

struct ipc_row {
    struct ipc_head head;
    struct id counter;
    uint32_t status; /* ST_OK, ST_OVERLOADED */
    uint32_t row, generation;
};

struct ipc_fix {
    struct ipc_head head;
    uint32_t row, generation;
    int64_t utc_ms, add;
};

struct ipc_blob {
    struct ipc_head head;
    uint32_t n;
    char bytes[];
};

/* One datagram out. ST_AGAIN: the socket is full. ST_CLOSED: the other side is gone. ST_IO. */
MUST_USE enum status ipc_send(int fd, const void *message, size_t n);
/* One datagram in; *n is its size. ST_AGAIN: none waits. ST_CLOSED. ST_BAD_FORMAT: too short, or longer
 * than the room (it is gone then). ST_IO. Aligned for any ipc struct if the room is. */
MUST_USE enum status ipc_receive(int fd, void *room, size_t room_bytes, size_t *n);

/* True if the n received bytes have the shape of their kind: sizes, counts, ends of texts. Unknown kinds have none. */
bool ipc_check(const void *message, size_t n);

#endif
