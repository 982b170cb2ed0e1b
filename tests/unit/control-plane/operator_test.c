/* The operator socket: commands run where the store is open; who does not speak the words gets nothing done. */
#include "control-plane/operator.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/json_tree.h"
#include "control-plane/cli/cli.h"

#define OK(expr) cr_assert_eq((expr), ST_OK, "%s", #expr)

static struct params params;
static struct home home;
static struct operator *server;
static struct buf why, out;
static char folder[64];

static enum status collect(void *arg, struct str bytes)
{
    buf_add_str(arg, bytes);
    return buf_status(arg);
}

/* `inner`: a folder below, or "". */
static void begin_in(const char *inner)
{
    char option[256];
    buf_init(&why, 4096);
    buf_init(&out, CLI_OUT_MAX);
    snprintf(folder, sizeof folder, "/tmp/sluice-operator-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(option, sizeof option, "--data-dir=%s%s", folder, inner);
    char *argv[] = {"sluicectl", "--config-dir=", option, "--store-map=64MiB"};
    OK(params_load(&params, PARAMS_CLI, (int)COUNT_OF(argv), argv, &why));
    OK(home_init(&params, NULL, 0, &why));
    OK(home_open(&params, &home, &why));
    OK(operator_start(&params, &home, NULL, 4711, &server));
}

static void begin(void)
{
    begin_in("");
}

static int remove_entry(const char *path, const struct stat *stat_of, int type, struct FTW *at)
{
    (void)stat_of, (void)type, (void)at;
    return remove(path);
}

static void end(void)
{
    operator_stop(server);
    home_close(&home);
    params_free(&params);
    buf_free(&why);
    buf_free(&out);
    cr_assert_eq(nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

TestSuite(operator, .init = begin, .fini = end, .timeout = 60);

static enum status ask(struct str words)
{
    buf_clear(&out);
    buf_clear(&why);
    return operator_ask(&params, words, collect, &out, &why);
}

static struct json *reply(struct arena *arena)
{
    struct json *root;
    OK(json_parse(arena, buf_str(&out), NULL, &root, NULL));
    return root;
}

Test(operator, commands_run_here)
{
    struct arena arena;
    struct str text;
    uint64_t count;
    arena_init(&arena, 1u << 20);
    OK(ask(str_of("org create\0=Acme\0slug=acme\0", 27)));
    OK(ask(str_of("node add\0region=eu\0control=http://c:1\0link=h\0", 45)));
    struct json *made = reply(&arena);
    OK(json_text(json_get(made, "link"), &arena, &text));
    cr_assert(str_eq(text, STR("tls+tcp://h:4711")), "the port of the link that runs");
    OK(json_text(json_get(made, "token"), &arena, &text));
    cr_assert(str_starts(text, STR("slnb1.")));
    OK(ask(str_of("status\0", 7)));
    OK(json_u64(json_get(reply(&arena), "nodes"), &count));
    cr_assert_eq(count, 1);
    arena_free(&arena);
}

Test(operator, a_refusal_comes_with_its_sentence)
{
    OK(ask(str_of("org create\0=Acme\0slug=acme\0", 27)));
    cr_assert_eq(ask(str_of("org create\0=Acme\0slug=acme\0", 27)), ST_CONFLICT);
    cr_assert(str_eq(buf_str(&why), STR("there is an organisation with this slug")));
    cr_assert_eq(out.n, 0);
    cr_assert_eq(ask(str_of("node remove\0=nobody\0", 20)), ST_NOT_FOUND);
}

Test(operator, foreign_words_do_nothing)
{
    cr_assert_eq(ask(str_of("restore\0=/tmp\0", 14)), ST_INVALID);
    cr_assert_eq(ask(STR("GET / HTTP/1.1\r\n\r\n")), ST_INVALID);
    static char many[CLI_WORDS_MAX + 5000];
    memset(many, 'x', sizeof many);
    cr_assert_neq(ask(str_of(many, sizeof many)), ST_OK);
    OK(ask(str_of("status\0", 7)));
}

Test(operator, a_caller_who_leaves_stops_nobody)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/operator.sock", folder);
    for (int i = 0; i < 20; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
        cr_assert_eq(send(fd, "status\0", (size_t)(i % 8), 0), i % 8);
        close(fd);
    }
    OK(ask(str_of("status\0", 7)));
}

Test(operator, only_its_owner_can_open_it)
{
    char path[128];
    struct stat stat_of;
    snprintf(path, sizeof path, "%s/operator.sock", folder);
    cr_assert_eq(stat(path, &stat_of), 0);
    cr_assert_eq(stat_of.st_mode & 0777, 0600);
}

Test(operator, a_long_path_is_no_obstacle)
{
    end();
    begin_in("/a-folder-whose-name-alone-is-longer-than-what-the-kernel-allows-in-the-address-of-a-unix-socket-which-is-108-bytes");
    OK(ask(str_of("status\0", 7)));
}

Test(operator, nobody_listens)
{
    operator_stop(server);
    server = NULL;
    cr_assert_eq(ask(str_of("status\0", 7)), ST_AGAIN);
}
