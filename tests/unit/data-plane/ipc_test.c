/* Datagrams arrive whole or not at all, and only well-shaped ones pass. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "data-plane/ipc.h"

static int pair[2];
static _Alignas(16) char room[IPC_MAX_BYTES];

static void setup(void)
{
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void teardown(void)
{
    close(pair[0]);
    close(pair[1]);
}

TestSuite(ipc, .init = setup, .fini = teardown);

Test(ipc, boundaries_and_order)
{
    struct ipc_name name = {.head = {IPC_NAME_QUERY, 7}, .host = "api.openai.com"};
    struct ipc_head bell = {IPC_DONE, 0};
    size_t n;
    cr_assert_eq(ipc_receive(pair[1], room, sizeof room, &n), ST_AGAIN);
    cr_assert_eq(ipc_send(pair[0], &name, sizeof name), ST_OK);
    cr_assert_eq(ipc_send(pair[0], &bell, sizeof bell), ST_OK);
    cr_assert_eq(ipc_receive(pair[1], room, sizeof room, &n), ST_OK);
    cr_assert(n == sizeof name && ipc_check(room, n));
    cr_assert_arr_eq(room, &name, n);
    cr_assert_eq(ipc_receive(pair[1], room, sizeof room, &n), ST_OK);
    cr_assert(n == sizeof bell && ipc_check(room, n));
}

Test(ipc, full_socket_does_not_block)
{
    size_t sent = 0;
    struct ipc_blob *blob = (struct ipc_blob *)(void *)room;
    *blob = (struct ipc_blob){{IPC_PROBE, 0}, sizeof room - sizeof *blob};
    while (ipc_send(pair[0], room, sizeof room) == ST_OK)
        cr_assert_lt(++sent, 100);
    cr_assert_gt(sent, 0);
    cr_assert_eq(ipc_send(pair[0], room, sizeof room), ST_AGAIN);
}

Test(ipc, closed_and_malformed)
{
    size_t n;
    cr_assert_eq(send(pair[0], "abc", 3, 0), 3);
    cr_assert_eq(ipc_receive(pair[1], room, sizeof room, &n), ST_BAD_FORMAT);
    struct ipc_object object = {.head = {IPC_OBJECT_QUERY, 1}};
    cr_assert_eq(ipc_send(pair[0], &object, sizeof object), ST_OK);
    cr_assert_eq(ipc_receive(pair[1], room, 16, &n), ST_BAD_FORMAT, "longer than the room");
    cr_assert_eq(ipc_receive(pair[1], room, sizeof room, &n), ST_AGAIN);
    close(pair[0]);
    cr_assert_eq(ipc_receive(pair[1], room, sizeof room, &n), ST_CLOSED);
    cr_assert_eq(ipc_send(pair[1], &object, sizeof object), ST_CLOSED);
    pair[0] = dup(pair[1]);
}

Test(ipc, shapes)
{
    struct ipc_name name = {.head = {IPC_NAME_ANSWER, 7}, .count = 1, .addrs[0].family = 4};
    cr_assert(ipc_check(&name, sizeof name));
    cr_assert_not(ipc_check(&name, sizeof name - 1));
    name.count = IPC_ADDRS_MAX + 1;
    cr_assert_not(ipc_check(&name, sizeof name));
    name.count = 2; /* the second has no family */
    cr_assert_not(ipc_check(&name, sizeof name));
    name.count = 1;
    memset(name.host, 'a', sizeof name.host);
    cr_assert_not(ipc_check(&name, sizeof name));
    struct ipc_object object = {.head = {IPC_OBJECT_ANSWER, 7}};
    cr_assert(ipc_check(&object, sizeof object));
    memset(object.object_kind, 'a', sizeof object.object_kind);
    cr_assert_not(ipc_check(&object, sizeof object));
    struct ipc_blob *blob = (struct ipc_blob *)(void *)room;
    *blob = (struct ipc_blob){{IPC_PROBE_RESULT, 0}, 10};
    cr_assert(ipc_check(room, sizeof *blob + 10));
    cr_assert_not(ipc_check(room, sizeof *blob + 9));
    cr_assert_not(ipc_check(room, sizeof blob->head));
    struct ipc_head unknown = {99, 0};
    cr_assert_not(ipc_check(&unknown, sizeof unknown));
}
