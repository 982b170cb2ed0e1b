/* mailbox.h: the worker's end of the pair with the courier: sends questions, routes what comes in to its module.
 *
 * One watch on fd 3. A full socket drops and counts (M_IPC_DROPPED); askers repeat by their own timers. One thread.
 */
#ifndef SLUICE_DATA_WORKER_MAILBOX_H
#define SLUICE_DATA_WORKER_MAILBOX_H

#include "data-plane/ipc.h"
#include "data-plane/worker/worker.h"

struct mailbox;

/* Watches `fd` (kept, not owned). ST_NO_MEMORY, ST_IO. */
MUST_USE enum status mailbox_open(struct worker *worker, int fd, struct mailbox **mailbox);
void mailbox_close(struct mailbox *mailbox);
/* ST_AGAIN (dropped and counted), ST_CLOSED. */
MUST_USE enum status mailbox_send(struct worker *worker, const void *message, size_t n);

/* A question about a provider's object; embedded in its asker; done is called once unless cancelled. */
struct object_wait {
    struct object_wait *next, **back;
    uint32_t tag;
    enum status status; /* ST_OK owned, ST_NOT_FOUND, ST_CONTROL_AWAY */
    struct loop_timer timer;
    struct worker *worker;
    void (*done)(struct object_wait *wait);
    void *owner;
};
/* Asks whether (workspace, provider) made this object. ST_AGAIN: could not be asked now. */
MUST_USE enum status mailbox_ask_object(struct worker *worker, const struct id *org, const struct id *workspace,
                                        const struct id *provider, struct str object, struct object_wait *wait);
void mailbox_object_cancel(struct object_wait *wait);

#endif
