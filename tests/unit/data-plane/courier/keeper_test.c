/* The keeper: shared status follows the file, hosts are listed, and a file that kills couriers is
 * put aside. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/wire.h"
#include "data-plane/courier/keeper.h"
#include "data-plane/courier/keeper_hosts.h"

static const struct id node = {{5}}, store = {{9}}, org = {{1}};
static char dir[64], path[96];
static struct segment seg;
static struct keeper *keeper;
static unsigned changes;
static const char *refused;
static uint64_t refused_revision;

static void changed(void *arg)
{
    (void)arg;
    changes++;
}

static void open_keeper(void)
{
    const struct keeper_config config = {.path = path, .segment = &seg, .changed = changed};
    cr_assert_eq(keeper_open(&config, &keeper), ST_OK);
}

static void setup(void)
{
    snprintf(dir, sizeof dir, "/tmp/keeper-test-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/catalog.mdb", dir);
    cr_assert_eq(segment_create(1, 16, 64, &node, 7, &seg), ST_OK);
    open_keeper();
}

static void teardown(void)
{
    keeper_close(keeper);
    segment_close(&seg);
    pid_t pid = fork();
    if (pid == 0)
        execl("/bin/rm", "rm", "-rf", dir, (char *)NULL);
    waitpid(pid, NULL, 0);
}

TestSuite(keeper, .init = setup, .fini = teardown);

static struct segment_status *shared(void)
{
    return &seg.head->status;
}

/* Applies integrations with the given base_url and one host of its secrets each. */
static enum status apply(uint64_t through, const char *const (*rows)[2], size_t count)
{
    static uint8_t packed[16][512];
    static Sluice__Change changes_room[16], *list[16];
    static struct id ids[16];
    Sluice__ChangesReply reply, *replies[] = {&reply};
    sluice__changes_reply__init(&reply);
    reply.store_id = wire_id_data(&store);
    reply.full = atomic_load(&shared()->has_catalog) == 0;
    reply.through_revision = through;
    reply.changes = list;
    for (size_t i = 0; i < count; i++) {
        Sluice__Integration row;
        Sluice__SealedSecrets secrets;
        char *hosts[] = {(char *)(uintptr_t)rows[i][1]};
        sluice__integration__init(&row);
        sluice__sealed_secrets__init(&secrets);
        secrets.hosts = hosts;
        secrets.n_hosts = 1;
        row.secrets = &secrets;
        row.base_url = (char *)(uintptr_t)rows[i][0];
        sluice__change__init(list[i] = &changes_room[i]);
        ids[i] = (struct id){{0xA0, (uint8_t)i}};
        list[i]->revision = through;
        list[i]->kind = SLUICE__KIND__KIND_INTEGRATION;
        list[i]->org = wire_id_data(&org);
        list[i]->id = wire_id_data(&ids[i]);
        list[i]->body =
            (ProtobufCBinaryData){sluice__integration__pack(&row, packed[i]), packed[i]};
    }
    reply.n_changes = count;
    return keeper_apply(keeper, replies, 1, &refused, &refused_revision);
}

Test(keeper, status_and_hosts_follow_the_file)
{
    static const char *const rows[][2] = {
        {"https://api.openai.com/v1", "api.openai.com"},
        {"https://eu.example.com:8443/v1", "eu.example.com:8443"},
        {"http://10.0.0.1:11434", "[2001:db8::1]:443"},
        {"https://{resource}.openai.azure.com", "b.example.com"},
        {"", "api.openai.com"},
    };
    struct buf hosts;
    buf_init(&hosts, KEEPER_HOSTS_BYTES);
    cr_assert_eq(atomic_load(&shared()->catalog_epoch), 1);
    cr_assert_eq(atomic_load(&shared()->has_catalog), 0);
    keeper_hosts(keeper, &hosts);
    cr_assert_eq(hosts.n, 0);
    cr_assert_eq(apply(12, rows, 5), ST_OK);
    cr_assert_eq(changes, 1);
    cr_assert_eq(atomic_load(&shared()->has_catalog), 1);
    cr_assert_eq(atomic_load(&shared()->revision), 12);
    keeper_hosts(keeper, &hosts);
    cr_assert_str_eq(hosts.p, "api.openai.com\nb.example.com\neu.example.com\n");
    buf_free(&hosts);
    cr_assert_eq(apply(12, rows, 0), ST_OK);
    cr_assert_eq(changes, 1, "nothing new");
    keeper_close(keeper);
    open_keeper();
    cr_assert_eq(atomic_load(&shared()->catalog_epoch), 1, "the same file: workers need not go");
    cr_assert_eq(atomic_load(&shared()->revision), 12);
}

Test(keeper, a_refused_revision_changes_nothing)
{
    static const char *const good[][2] = {{"https://a.example.com", "a.example.com"}};
    static const char *const bad[][2] = {{"https://a.example.com", "a,b"}};
    cr_assert_eq(apply(5, good, 1), ST_OK);
    cr_assert_eq(apply(6, bad, 1), ST_BAD_FORMAT);
    cr_assert_not_null(refused);
    cr_assert_eq(refused_revision, 6);
    cr_assert_eq(atomic_load(&shared()->revision), 5);
    cr_assert_eq(changes, 1);
}

static bool put_aside(void)
{
    char bad[128];
    snprintf(bad, sizeof bad, "%s.bad", path);
    return access(bad, F_OK) == 0;
}

/* A courier that comes, finds the catalog, and dies: inside an operation on the file, or elsewhere.
 */
static void die(bool inside)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        open_keeper();
        atomic_store(&shared()->catalog_busy, inside ? 1u : 0u);
        _exit(atomic_load(&shared()->revision) == 5 ? 1 : 2);
    }
    waitpid(pid, &status, 0);
    cr_assert_eq(WEXITSTATUS(status), 1);
    cr_assert_not(put_aside());
}

Test(keeper, a_file_that_kills_couriers_is_put_aside)
{
    static const char *const rows[][2] = {{"https://a.example.com", "a.example.com"}};
    cr_assert_eq(apply(5, rows, 1), ST_OK);
    keeper_close(keeper);
    keeper = NULL;
    for (int i = 0; i <= KEEPER_DEATHS; i++)
        die(true);
    open_keeper();
    cr_assert(put_aside());
    cr_assert_eq(atomic_load(&shared()->revision), 0);
    cr_assert_eq(atomic_load(&shared()->has_catalog), 0);
    cr_assert_eq(atomic_load(&shared()->catalog_epoch), 2, "workers must be replaced");
}

/* Kills at random must not throw a good catalog away: with the control plane gone nobody could
 * bring it back. */
Test(keeper, deaths_elsewhere_cost_nothing)
{
    static const char *const rows[][2] = {{"https://a.example.com", "a.example.com"}};
    cr_assert_eq(apply(5, rows, 1), ST_OK);
    keeper_close(keeper);
    keeper = NULL;
    for (int i = 0; i < 5 * KEEPER_DEATHS; i++)
        die(i % 3 == 0);
    open_keeper();
    cr_assert_not(put_aside());
    cr_assert_eq(atomic_load(&shared()->revision), 5);
    cr_assert_eq(atomic_load(&shared()->catalog_epoch), 1);
}

Test(keeper, url_hosts)
{
    static const char *const table[][2] = {
        {"https://api.x.ai/v1", "api.x.ai"},
        {"api.x.ai:443", "api.x.ai"},
        {"http://localhost", "localhost"},
        {"https://127.0.0.1/", ""},
        {"https://[::1]:8/", ""},
        {"https://0x7f.1/", ""},
        {"", ""},
        {"https://", ""},
        {"https://{x}.y.z", ""},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++)
        cr_assert(str_eq(url_host(str_c(table[i][0])), str_c(table[i][1])), "%s", table[i][0]);
}
