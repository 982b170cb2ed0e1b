/* The processes of a gateway host from outside: they come up without a control plane, come back
 * when killed, drain, and leave nothing. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/node_bundle.h"
#include "common/pki.h"
#include "common/wire.h"
#include "data-plane/catalog_file.h"

#define WAIT_MS 20000

static char dir[64], program[512];
static uint16_t gateway_port, status_port;
static pid_t master;
static char page[65536];

/* --- a node's folder --- */

static void write_bundle(void)
{
    struct arena arena;
    struct pki_pair ca, client;
    struct node_bundle bundle = {.node = {{5}}, .name = "n", .region = "eu"};
    char path[128];
    arena_init(&arena, 1u << 20);
    cr_assert_eq(pki_make_ca(&arena, "test", &ca), ST_OK);
    cr_assert_eq(pki_make_client(&arena, &ca, "n", &client), ST_OK);
    cr_assert_eq(node_bundle_make_keys(&bundle), ST_OK);
    snprintf(bundle.link_url, sizeof bundle.link_url, "tls+tcp://127.0.0.1:9");
    snprintf(bundle.control_url, sizeof bundle.control_url, "http://127.0.0.1:9");
    bundle.ca_pem = strdup(ca.cert_pem.p);
    bundle.cert_pem = strdup(client.cert_pem.p);
    cr_assert_eq(secret_new(client.key_pem.n + 1, &bundle.key_pem), ST_OK);
    memcpy(secret_open_write(bundle.key_pem), client.key_pem.p, client.key_pem.n + 1);
    secret_close(bundle.key_pem);
    snprintf(path, sizeof path, "%s/node.bundle", dir);
    cr_assert_eq(node_bundle_write(path, &bundle), ST_OK);
    node_bundle_free(&bundle);
    arena_free(&arena);
}

static void write_catalog(void)
{
    static const struct id store = {{9}}, org = {{1}};
    Sluice__ChangesReply reply, *replies[] = {&reply};
    Sluice__Change change, *changes[] = {&change};
    Sluice__Organisation organisation;
    struct catalog *catalog;
    const char *refused;
    uint64_t at;
    uint8_t packed[512];
    char path[128];
    bool fresh;
    sluice__changes_reply__init(&reply);
    sluice__change__init(&change);
    sluice__organisation__init(&organisation);
    organisation.slug = "acme";
    change.revision = 1;
    change.kind = SLUICE__KIND__KIND_ORGANISATION;
    change.org = change.id = wire_id_data(&org);
    change.body = (ProtobufCBinaryData){sluice__organisation__pack(&organisation, packed), packed};
    reply.store_id = wire_id_data(&store);
    reply.full = 1;
    reply.through_revision = 7;
    reply.changes = changes;
    reply.n_changes = 1;
    snprintf(path, sizeof path, "%s/catalog.mdb", dir);
    cr_assert_eq(catalog_open_writer(path, &catalog, &fresh), ST_OK);
    cr_assert_eq(catalog_apply(catalog, replies, 1, &refused, &at), ST_OK);
    catalog_close(catalog);
}

/* --- processes --- */

static uint16_t free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&at, n) == 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    close(fd);
    return ntohs(at.sin_port);
}

static void start_gateway(void)
{
    char data[96], gateway[32], status[32], log[96];
    gateway_port = free_port();
    status_port = free_port();
    snprintf(data, sizeof data, "--data-dir=%s", dir);
    snprintf(gateway, sizeof gateway, "--gateway-port=%u", gateway_port);
    snprintf(status, sizeof status, "--status-port=%u", status_port);
    snprintf(log, sizeof log, "%s/log", dir);
    master = fork();
    if (master == 0) {
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        dup2(fd, 1);
        dup2(fd, 2);
        execl(program, "sluice-gateway", "--config-dir=", data, gateway, status, "--workers=2",
              "--slots=64", "--drain-max-s=5", (char *)NULL);
        _exit(127);
    }
}

static void pause_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* GET on the status port: the HTTP status, 0 if nobody answers; the whole answer is in `page`. */
static int get(const char *path)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(status_port)};
    char request[128];
    size_t n = 0;
    ssize_t got = 0;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {5, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0) {
        int len = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
        (void)!send(fd, request, (size_t)len, MSG_NOSIGNAL);
        while ((got = recv(fd, page + n, sizeof page - 1 - n, 0)) > 0)
            n += (size_t)got;
    }
    close(fd);
    page[n] = '\0';
    return n > 12 ? (int)strtol(page + 9, NULL, 10) : 0;
}

static void show_log(void)
{
    char path[96];
    snprintf(path, sizeof path, "%s/log", dir);
    pid_t pid = fork();
    if (pid == 0)
        execl("/usr/bin/tail", "tail", "-30", path, (char *)NULL);
    waitpid(pid, NULL, 0);
}

#define UNTIL(cond)                                                                                \
    do {                                                                                           \
        int64_t by_ = clock_mono_ms() + WAIT_MS;                                                   \
        while (!(cond) && clock_mono_ms() < by_)                                                   \
            pause_ms(20);                                                                          \
        if (!(cond))                                                                               \
            show_log();                                                                            \
        cr_assert(cond);                                                                           \
    } while (0)

/* Children of the master in the given role, in order of pid. */
static size_t children(const char *role, pid_t *out, size_t max)
{
    size_t count = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; (entry = readdir(proc)) != NULL && count < max;) {
        char path[300], text[512];
        int pid = (int)strtol(entry->d_name, NULL, 10), parent = 0;
        if (pid <= 0)
            continue;
        snprintf(path, sizeof path, "/proc/%d/stat", pid);
        FILE *file = fopen(path, "re");
        if (file == NULL || fscanf(file, "%*d %*s %*c %d", &parent) != 1)
            parent = 0;
        if (file != NULL)
            fclose(file);
        if (parent != master)
            continue;
        snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
        if (fd >= 0)
            close(fd);
        text[n > 0 ? n : 0] = '\0';
        if (n > 0 && strcmp(text + strlen(text) + 1, role) == 0)
            out[count++] = pid;
    }
    closedir(proc);
    return count;
}

static bool both_ready(void)
{
    return get("/readyz") == 200 && strstr(page, "\"workers_ready\":2") != NULL;
}

static void setup(void)
{
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 64);
    cr_assert_gt(n, 0);
    program[n] = '\0';
    for (int i = 0; i < 2; i++)
        *strrchr(program, '/') = '\0';
    memcpy(program + strlen(program), "/bin/sluice-gateway", sizeof "/bin/sluice-gateway");
    cr_assert_geq(sodium_init(), 0);
    snprintf(dir, sizeof dir, "/tmp/master-test-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    write_bundle();
}

static void teardown(void)
{
    if (master > 0) {
        kill(master, SIGKILL);
        waitpid(master, NULL, 0);
    }
    pid_t pid = fork();
    if (pid == 0)
        execl("/bin/rm", "rm", "-rf", dir, (char *)NULL);
    waitpid(pid, NULL, 0);
}

TestSuite(master, .init = setup, .fini = teardown, .timeout = 120);

static bool gone(pid_t pid)
{
    return kill(pid, 0) != 0;
}

Test(master, without_a_catalog_it_is_alive_and_not_ready)
{
    start_gateway();
    UNTIL(get("/healthz") == 200);
    UNTIL(get("/readyz") == 503 && strstr(page, "\"workers_ready\":2") != NULL);
    cr_assert_not_null(strstr(page, "\"catalog\":false"));
    cr_assert_eq(get("/nothing"), 404);
}

Test(master, serves_from_its_catalog_without_a_control_plane)
{
    write_catalog();
    start_gateway();
    UNTIL(both_ready());
    cr_assert_not_null(strstr(page, "\"revision\":7"));
    cr_assert_not_null(strstr(page, "\"seccomp\":true,\"landlock_files\":true"));
    cr_assert_eq(get("/metrics"), 200);
    cr_assert_not_null(strstr(page, "\nsluice_catalog_revision 7\n"));
    cr_assert_not_null(strstr(page, "\nsluice_workers_ready 2\n"));
}

Test(master, killed_children_come_back)
{
    pid_t before[4], after[4];
    write_catalog();
    start_gateway();
    UNTIL(both_ready());
    cr_assert_eq(children("worker", before, 4), 2);
    kill(before[0], SIGKILL);
    UNTIL(gone(before[0]));
    UNTIL(both_ready());
    cr_assert_eq(children("worker", after, 4), 2);
    cr_assert(after[0] != before[0] && after[1] != before[0]);
    cr_assert_eq(children("courier", before, 4), 1);
    kill(before[0], SIGKILL);
    UNTIL(gone(before[0]));
    UNTIL(both_ready());
    cr_assert_eq(children("courier", after, 4), 1);
    cr_assert_neq(after[0], before[0]);
    for (int i = 0; i < 5; i++) { /* more deaths than there are columns */
        cr_assert_eq(children("worker", before, 4), 2);
        kill(before[1], SIGKILL);
        UNTIL(gone(before[1]));
        UNTIL(both_ready());
    }
}

Test(master, a_stuck_worker_is_replaced)
{
    pid_t before[4];
    write_catalog();
    start_gateway();
    UNTIL(both_ready());
    cr_assert_eq(children("worker", before, 4), 2);
    kill(before[0], SIGSTOP); /* begins no turn any more */
    UNTIL(gone(before[0]));
    UNTIL(both_ready());
    cr_assert(!gone(before[1]), "the other one was well");
}

Test(master, hup_replaces_workers)
{
    pid_t before[4], after[4];
    write_catalog();
    start_gateway();
    UNTIL(both_ready());
    cr_assert_eq(children("worker", before, 4), 2);
    kill(master, SIGHUP);
    UNTIL(gone(before[0]) && gone(before[1]));
    UNTIL(both_ready());
    cr_assert_eq(children("worker", after, 4), 2);
    cr_assert(after[0] != before[0] && after[0] != before[1]);
}

Test(master, term_ends_everything)
{
    pid_t workers[4], courier[4];
    int status;
    write_catalog();
    start_gateway();
    UNTIL(both_ready());
    children("worker", workers, 4);
    children("courier", courier, 4);
    kill(master, SIGTERM);
    cr_assert_eq(waitpid(master, &status, 0), master);
    master = 0;
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cr_assert(gone(workers[0]) && gone(workers[1]) && gone(courier[0]));
}

static bool logged(const char *event)
{
    static char text[1 << 20];
    char path[96];
    snprintf(path, sizeof path, "%s/log", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return strstr(text, event) != NULL;
}

/* What workers leave in the segment is lost with the master, so it does not go without a courier.
 */
Test(master, it_does_not_end_without_a_courier)
{
    pid_t courier[4];
    int status;
    write_catalog();
    start_gateway();
    UNTIL(both_ready());
    for (int i = 0; i < 4; i++) { /* until its back-off is long */
        UNTIL(children("courier", courier, 4) == 1);
        kill(courier[0], SIGKILL);
        UNTIL(gone(courier[0]));
    }
    kill(master, SIGTERM);
    cr_assert_eq(waitpid(master, &status, 0), master);
    master = 0;
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cr_assert(logged("courier_stopped"));
}

/* A signal to the whole group reaches the courier too, but it must outlive the workers that drain
 * on it. */
Test(master, the_courier_ends_for_the_master_only)
{
    pid_t courier[4];
    int status;
    write_catalog();
    start_gateway();
    UNTIL(both_ready());
    cr_assert_eq(children("courier", courier, 4), 1);
    for (int i = 0; i < 3; i++) {
        kill(courier[0], i == 1 ? SIGINT : SIGTERM);
        cr_assert_eq(get("/healthz"), 200);
    }
    cr_assert_not(logged("courier_stopped"));
    kill(master, SIGTERM);
    cr_assert_eq(waitpid(master, &status, 0), master);
    master = 0;
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cr_assert(logged("courier_stopped"));
}

Test(master, when_the_master_dies_the_children_leave)
{
    pid_t workers[4], courier[4];
    write_catalog();
    start_gateway();
    UNTIL(both_ready());
    children("worker", workers, 4);
    children("courier", courier, 4);
    kill(master, SIGKILL);
    waitpid(master, NULL, 0);
    master = 0;
    UNTIL(gone(workers[0]) && gone(workers[1]) && gone(courier[0]));
    cr_assert_eq(get("/healthz"), 0);
}

Test(master, a_damaged_catalog_file_is_replaced)
{
    static const char junk[65536] = {1};
    char path[128];
    struct stat stat_room;
    write_catalog();
    snprintf(path, sizeof path, "%s/catalog.mdb", dir);
    int fd = open(path, O_WRONLY);
    cr_assert_eq(pwrite(fd, junk, sizeof junk, 0), (ssize_t)sizeof junk);
    close(fd);
    start_gateway();
    UNTIL(get("/readyz") == 503 && strstr(page, "\"workers_ready\":2") != NULL);
    snprintf(path, sizeof path, "%s/catalog.mdb.bad", dir);
    cr_assert_eq(stat(path, &stat_room), 0);
}
