/* mailbox.c: see mailbox.h. Messages come from the courier of the same host, which may be newer or
 * damaged: sizes and kinds are checked, what is not understood is dropped. Reads are capped per
 * turn so that a chatty courier cannot starve clients.
 */
#include "data-plane/worker/mailbox.h"

#include <stdlib.h>
#include <sys/epoll.h>

#include "data-plane/worker/limits_client.h"
#include "data-plane/worker/names_client.h"
#include "data-plane/worker/probe.h"

#define MAILBOX_PER_TURN  64
#define OBJECT_TIMEOUT_MS 5000

struct mailbox {
    struct worker *worker;
    struct loop_watch watch;
    struct object_wait *objects;
    uint32_t next_tag;
    _Alignas(16) char room[IPC_MAX_BYTES];
};

static void object_done(struct object_wait *wait, enum status status)
{
    mailbox_object_cancel(wait);
    wait->status = status;
    wait->done(wait);
}

static void on_object(struct mailbox *mailbox, const struct ipc_object *answer)
{
    for (struct object_wait *wait = mailbox->objects; wait != NULL; wait = wait->next) {
        if (wait->tag == answer->head.tag) {
            object_done(wait,
                        answer->status < ST_COUNT ? (enum status)answer->status : ST_CONTROL_AWAY);
            return;
        }
    }
}

static void dispatch(struct mailbox *mailbox, size_t n)
{
    const struct ipc_head *head = (const void *)mailbox->room;
    if (head->kind == IPC_NAME_ANSWER && n >= sizeof(struct ipc_name))
        names_on_answer(mailbox->worker->names, (const void *)mailbox->room);
    else if (head->kind == IPC_OBJECT_ANSWER && n >= sizeof(struct ipc_object))
        on_object(mailbox, (const void *)mailbox->room);
    else if (head->kind >= IPC_COUNTER_ROW && head->kind <= IPC_RECALL)
        limits_client_message(mailbox->worker, head, n);
    else if (head->kind == IPC_PROBE && n >= sizeof(struct ipc_blob))
        probe_begin(mailbox->worker, head->tag,
                    str_of(mailbox->room + sizeof(struct ipc_blob), n - sizeof(struct ipc_blob)));
}

static void mailbox_ready(struct loop_watch *watch, uint32_t events)
{
    struct mailbox *mailbox = watch->owner;
    (void)events;
    for (int i = 0; i < MAILBOX_PER_TURN; i++) {
        size_t n;
        enum status status = ipc_receive(watch->fd, mailbox->room, sizeof mailbox->room, &n);
        if (status == ST_CLOSED) {
            loop_watch_remove(mailbox->worker->loop, watch);
            return;
        }
        if (status != ST_OK)
            return;
        if (n >= sizeof(struct ipc_head))
            dispatch(mailbox, n);
    }
}

enum status mailbox_open(struct worker *worker, int fd, struct mailbox **out)
{
    struct mailbox *mailbox = calloc(1, sizeof *mailbox);
    if (mailbox == NULL)
        return ST_NO_MEMORY;
    mailbox->worker = worker;
    mailbox->watch = (struct loop_watch){.fd = fd, .ready = mailbox_ready, .owner = mailbox};
    enum status status = loop_watch_set(worker->loop, &mailbox->watch, EPOLLIN);
    if (status != ST_OK) {
        free(mailbox);
        return status;
    }
    *out = mailbox;
    return ST_OK;
}

void mailbox_close(struct mailbox *mailbox)
{
    if (mailbox == NULL)
        return;
    loop_watch_remove(mailbox->worker->loop, &mailbox->watch);
    free(mailbox);
}

enum status mailbox_send(struct worker *worker, const void *message, size_t n)
{
    enum status status = ipc_send(worker->mailbox->watch.fd, message, n);
    if (status != ST_OK)
        metrics_add(&worker->metrics, M_IPC_DROPPED, 1);
    return status;
}

static void object_expired(struct loop_timer *timer)
{
    object_done(timer->owner, ST_CONTROL_AWAY);
}

enum status mailbox_ask_object(struct worker *worker, const struct id *org,
                               const struct id *workspace, const struct id *provider,
                               struct str object, struct object_wait *wait)
{
    struct mailbox *mailbox = worker->mailbox;
    struct ipc_object query = {.head = {.kind = IPC_OBJECT_QUERY, .tag = ++mailbox->next_tag},
                               .org = *org,
                               .workspace = *workspace,
                               .provider = *provider};
    CHECK(wait->back == NULL); /* waits once */
    if (object.n == 0 || object.n >= sizeof query.object)
        return ST_NOT_FOUND;
    memcpy(query.object, object.p, object.n);
    TRY(mailbox_send(worker, &query, sizeof query));
    wait->tag = query.head.tag;
    wait->worker = worker;
    wait->timer = (struct loop_timer){.expired = object_expired, .owner = wait};
    wait->next = mailbox->objects;
    if (wait->next != NULL)
        wait->next->back = &wait->next;
    wait->back = &mailbox->objects;
    mailbox->objects = wait;
    loop_timer_set(worker->loop, &wait->timer, OBJECT_TIMEOUT_MS);
    return ST_OK;
}

void mailbox_object_cancel(struct object_wait *wait)
{
    if (wait->back == NULL)
        return;
    *wait->back = wait->next;
    if (wait->next != NULL)
        wait->next->back = wait->back;
    wait->next = NULL;
    wait->back = NULL;
    loop_timer_clear(wait->worker->loop, &wait->timer);
}
