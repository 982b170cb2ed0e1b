/* params_test.c: precedence, sources, and every way a configuration may be wrong. */
#include "common/params.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static struct params params;
static struct buf why;

static void setup(void)
{
    snprintf(dir, sizeof dir, "/tmp/params_test_XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    buf_init(&why, 4096);
}

static void teardown(void)
{
    static const char *const names[] = {"a.conf", "b.conf", "c.other", "x"};
    char path[128];
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
    params_free(&params);
    buf_free(&why);
}

TestSuite(params, .init = setup, .fini = teardown);

static void put(const char *name, const char *text, size_t n)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    cr_assert(fd >= 0 && write(fd, text, n) == (ssize_t)n);
    close(fd);
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

/* Loads with --config-dir=<the test's folder> and up to three further arguments. */
static enum status load(unsigned program, const char *a, const char *b, const char *c)
{
    char option[96], copies[3][512];
    const char *given[] = {a, b, c};
    snprintf(option, sizeof option, "--config-dir=%s", dir);
    char *argv[6] = {"program", option};
    int argc = 2;
    for (int i = 0; i < 3 && given[i] != NULL; i++) {
        snprintf(copies[i], sizeof copies[i], "%s", given[i]);
        argv[argc++] = copies[i];
    }
    params_free(&params);
    buf_clear(&why);
    return params_load(&params, program, argc, argv, &why);
}

static const char *source(enum param param)
{
    return params.values[param].source;
}

Test(params, defaults_hold_their_own_rules)
{
    cr_assert_eq(load(PARAMS_GATEWAY, NULL, NULL, NULL), ST_OK, "%s", why.p);
    cr_expect_eq(params.action, PARAMS_RUN);
    cr_expect_eq(params_u64(&params, PARAM_GATEWAY_PORT), 8787);
    cr_expect_eq(params_u64(&params, PARAM_JSON_BODY_MAX), 32u << 20);
    cr_expect_eq(params_u64(&params, PARAM_CONNECT_TIMEOUT), 5000);
    cr_expect_eq(params_u64(&params, PARAM_JOURNAL_KEEP), 7u * 86400000u);
    cr_expect_not(params_bool(&params, PARAM_INSECURE_BIND));
    cr_expect(str_eq(params_str(&params, PARAM_GATEWAY_BIND), STR("127.0.0.1")));
    cr_expect_str_eq(source(PARAM_GATEWAY_PORT), "default");
    cr_expect_eq(params_str(&params, PARAM_EXTRA_CA_FILE).p[0], '\0',
                 "an unset text is an empty C string");
    for (size_t i = 0; i < PARAM_COUNT; i++) {
        const struct params_row *row = params_row((enum param)i);
        cr_expect(row->programs != 0 && row->text[0] != '\0', "%s", row->key);
        cr_expect(row->text[strlen(row->text) - 1] != '.', "%s: no full stop in help texts",
                  row->key);
    }
}

Test(params, later_sources_win)
{
    char config[128], place[128];
    put_text("a.conf", "# comment\n\n gateway_port = 1001 \r\nworkers=2\nslots = 100");
    put_text("b.conf", "gateway-port = 1002\n");
    put_text("c.other", "no configuration");
    put_text("x", "workers = 3\n");
    snprintf(config, sizeof config, "--config=%s/x", dir);
    cr_assert_eq(load(PARAMS_GATEWAY, config, "--status_port=9", "--insecure-bind"), ST_OK, "%s",
                 why.p);
    cr_expect_eq(params_u64(&params, PARAM_GATEWAY_PORT), 1002);
    snprintf(place, sizeof place, "%s/b.conf:1", dir);
    cr_expect_str_eq(source(PARAM_GATEWAY_PORT), place);
    cr_expect_eq(params_u64(&params, PARAM_WORKERS), 3);
    cr_expect_eq(params_u64(&params, PARAM_SLOTS), 100);
    snprintf(place, sizeof place, "%s/a.conf:5", dir);
    cr_expect_str_eq(source(PARAM_SLOTS), place);
    cr_expect_eq(params_u64(&params, PARAM_STATUS_PORT), 9);
    cr_expect_str_eq(source(PARAM_STATUS_PORT), "command line");
    cr_expect(params_bool(&params, PARAM_INSECURE_BIND));
    cr_assert_eq(load(PARAMS_GATEWAY, "--gateway-port=5", "--gateway-port=6", NULL), ST_OK);
    cr_expect_eq(params_u64(&params, PARAM_GATEWAY_PORT), 6, "the last of equal options wins");
}

Test(params, wrong_files)
{
    static const struct {
        struct str text;
        const char *wanted;
    } rows[] = {
#define ROW(text, wanted) {{text, sizeof(text) - 1}, wanted}
        ROW("gateway_prot = 1\n", "a.conf:1: `gateway_prot` is no known key"),
        ROW("\n# x\nworkers\n", "a.conf:3: a line must be `key = value`"),
        ROW("workers = 1\nworkers = 2\n", "a.conf:2: `workers` is given twice in this file"),
        ROW("workers = x\n", "a.conf:1: `workers` must be a number"),
        ROW("workers = -1\n", "a.conf:1: `workers` must be a number"),
        ROW("workers =\n", "a.conf:1: `workers` must be a number"),
        ROW("workers = 257\n", "a.conf:1: `workers` must be from 0 to 256"),
        ROW("gateway_port = 65536\n", "must be from 0 to 65535"),
        ROW("gateway_port = 99999999999999999999999\n", "must be from 0 to 65535"),
        ROW("insecure_bind = yes\n", "must be true or false"),
        ROW("head_timeout = 10 parsecs\n", "must be a duration"),
        ROW("head_timeout = s\n", "must be a duration"),
        ROW("head_timeout = 1ms\n", "must be from 100 to 600000 ms"),
        ROW("json_body_max = 32MB\n", "must be a size"),
        ROW("json_body_max = 99999999999999999GiB\n", "bytes"),
        ROW("cors_origins = a\x01"
            "b\n",
            "must be UTF-8 without control characters"),
        ROW("cors_origins = a\0b\n", "must be UTF-8 without control characters"),
        ROW("cors_origins = \xFF\n", "must be UTF-8 without control characters"),
        ROW("control_port = x\n", "`control_port` must be a number"),
        ROW("config = x\n", "`config` is no known key"),
        ROW("k\x1b[31m = 1\n", "`k?[31m` is no known key"),
        ROW("= 1\n", "is no known key"),
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        put("a.conf", rows[i].text.p, rows[i].text.n);
        cr_expect_eq(load(PARAMS_GATEWAY, NULL, NULL, NULL), ST_INVALID, "%s", rows[i].text.p);
        cr_expect(why.n > 0 && strstr(why.p, rows[i].wanted) != NULL, "row %zu: %s", i, why.p);
    }
}

Test(params, another_programs_key_is_passed_over_in_a_file)
{
    put_text("a.conf", "control_port = 7\n");
    cr_expect_eq(load(PARAMS_GATEWAY, NULL, NULL, NULL), ST_OK, "%s", why.p);
    cr_expect_eq(load(PARAMS_GATEWAY, "--control-port=7", NULL, NULL), ST_INVALID);
    cr_expect_not_null(strstr(why.p, "`--control-port` is an option of another program"));
}

Test(params, wrong_arguments)
{
    static const struct {
        const char *arg, *wanted;
    } rows[] = {
        {"--gateway-prot=1", "`--gateway-prot` is no known option"},
        {"--gateway-port", "`--gateway-port` needs a value"},
        {"--gateway-port=", "must be a number"},
        {"--config", "`config` needs a value"},
        {"--help=1", "`help` takes no value"},
        {"--config=/nonexistent/x.conf", "`/nonexistent/x.conf` does not exist"},
        {"--config-dir=/nonexistent", "`/nonexistent` cannot be read as a folder"},
        {"--config=/tmp", "is no regular file"},
        {"worker", "`worker` is not an option"},
        {"-p", "`-p` is not an option"},
        {"--=1", "is no known option"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cr_expect_eq(load(PARAMS_GATEWAY, rows[i].arg, NULL, NULL), ST_INVALID, "%s", rows[i].arg);
        cr_expect(why.n > 0 && strstr(why.p, rows[i].wanted) != NULL, "row %zu: %s", i, why.p);
    }
}

Test(params, files_that_anybody_may_write_are_refused)
{
    char path[128];
    put_text("a.conf", "workers = 1\n");
    snprintf(path, sizeof path, "%s/a.conf", dir);
    cr_assert_eq(chmod(path, 0666), 0);
    cr_expect_eq(load(PARAMS_GATEWAY, NULL, NULL, NULL), ST_INVALID);
    cr_expect_not_null(strstr(why.p, "can be written by everybody"));
}

Test(params, sizes_are_bounded)
{
    char *text = malloc(PARAMS_FILE_MAX + 1);
    memset(text, '#', PARAMS_FILE_MAX + 1);
    put("a.conf", text, PARAMS_FILE_MAX);
    cr_expect_eq(load(PARAMS_GATEWAY, NULL, NULL, NULL), ST_OK);
    put("a.conf", text, PARAMS_FILE_MAX + 1);
    cr_expect_eq(load(PARAMS_GATEWAY, NULL, NULL, NULL), ST_INVALID);
    memset(text, 'x', PARAMS_FILE_MAX);
    memcpy(text, "data_dir=", 9);
    put("a.conf", text, 9 + PARAMS_VALUE_MAX);
    cr_expect_eq(load(PARAMS_GATEWAY, NULL, NULL, NULL), ST_OK, "%s", why.p);
    put("a.conf", text, 9 + PARAMS_VALUE_MAX + 1);
    cr_expect_eq(load(PARAMS_GATEWAY, NULL, NULL, NULL), ST_INVALID);
    cr_expect_not_null(strstr(why.p, "`data_dir` is too long"));
    free(text);
}

Test(params, secrets_are_places)
{
    static const char *const wrong[] = {
        "c2VjcmV0",        "fd:x",          "fd:",
        "fd:-1",           "fd:99999999",   "credential:",
        "credential:../x", "credential:.x", "credential:a/b",
        "file:",           "env:KEY",
    };
    char option[64], path[PARAMS_VALUE_MAX + 1];
    int fd = -2;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        snprintf(option, sizeof option, "--master-key=%s", wrong[i]);
        cr_expect_eq(load(PARAMS_CONTROL, option, NULL, NULL), ST_INVALID, "%s", wrong[i]);
        if (!str_ends(str_c(wrong[i]), STR(":")))
            cr_expect_null(strstr(why.p, wrong[i]),
                           "a value that may be a secret is not repeated: %s", why.p);
    }
    cr_assert_eq(load(PARAMS_CONTROL, NULL, NULL, NULL), ST_OK);
    cr_expect_eq(params_secret(&params, PARAM_MASTER_KEY, &fd, path), ST_NOT_FOUND);
    cr_assert_eq(load(PARAMS_CONTROL, "--master-key=fd:9", "--tls-key=/etc/key", NULL), ST_OK);
    cr_assert_eq(params_secret(&params, PARAM_MASTER_KEY, &fd, path), ST_OK);
    cr_expect_eq(fd, 9);
    cr_assert_eq(params_secret(&params, PARAM_TLS_KEY, &fd, path), ST_OK);
    cr_expect_eq(fd, -1);
    cr_expect_str_eq(path, "/etc/key");
    cr_assert_eq(
        load(PARAMS_CONTROL, "--master-key=credential:vault.key", "--tls-key=file:k", NULL), ST_OK);
    unsetenv("CREDENTIALS_DIRECTORY");
    cr_expect_eq(params_secret(&params, PARAM_MASTER_KEY, &fd, path), ST_INVALID);
    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x", 1);
    cr_assert_eq(params_secret(&params, PARAM_MASTER_KEY, &fd, path), ST_OK);
    cr_expect_str_eq(path, "/run/credentials/x/vault.key");
    cr_assert_eq(params_secret(&params, PARAM_TLS_KEY, &fd, path), ST_OK);
    cr_expect_str_eq(path, "k");
}

Test(params, units)
{
    static const struct {
        const char *arg;
        enum param param;
        uint64_t value;
    } rows[] = {
        {"--head-timeout=500", PARAM_HEAD_TIMEOUT, 500},
        {"--head-timeout=500ms", PARAM_HEAD_TIMEOUT, 500},
        {"--head-timeout=2s", PARAM_HEAD_TIMEOUT, 2000},
        {"--head-timeout= 2 m ", PARAM_HEAD_TIMEOUT, 120000},
        {"--journal-keep=2h", PARAM_JOURNAL_KEEP, 7200000},
        {"--journal-keep=1d", PARAM_JOURNAL_KEEP, 86400000},
        {"--upload-max=2048", PARAM_UPLOAD_MAX, 2048},
        {"--upload-max=2KiB", PARAM_UPLOAD_MAX, 2048},
        {"--upload-max=3 MiB", PARAM_UPLOAD_MAX, 3u << 20},
        {"--upload-max=1GiB", PARAM_UPLOAD_MAX, 1u << 30},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cr_assert_eq(load(PARAMS_GATEWAY, rows[i].arg, NULL, NULL), ST_OK, "%s", rows[i].arg);
        cr_expect_eq(params_u64(&params, rows[i].param), rows[i].value, "%s", rows[i].arg);
    }
}

Test(params, lists)
{
    cr_assert_eq(load(PARAMS_GATEWAY, "--egress-ports= 443 ,,8443, ", NULL, NULL), ST_OK);
    struct str rest = params_str(&params, PARAM_EGRESS_PORTS), item;
    cr_assert(params_next(&rest, &item));
    cr_expect(str_eq(item, STR("443")));
    cr_assert(params_next(&rest, &item));
    cr_expect(str_eq(item, STR("8443")));
    cr_expect_not(params_next(&rest, &item));
}

Test(params, help_and_dump)
{
    struct buf out;
    buf_init(&out, 1u << 16);
    put_text("a.conf", "broken\n");
    cr_assert_eq(load(PARAMS_GATEWAY, "--help", NULL, NULL), ST_OK,
                 "help works with a broken file");
    cr_assert_eq(params.action, PARAMS_HELP);
    params_help(&params, "sluice-gateway [--key=value...]", &out);
    cr_expect_not_null(strstr(out.p, "--json-body-max=SIZE"));
    cr_expect_null(strstr(out.p, "--control-port"));
    cr_expect_eq(buf_status(&out), ST_OK);
    put_text("a.conf", "workers = 4\n");
    cr_assert_eq(load(PARAMS_GATEWAY, "--dump-config", "--slots=64", NULL), ST_OK);
    cr_assert_eq(params.action, PARAMS_DUMP);
    buf_clear(&out);
    params_dump(&params, &out);
    cr_expect_not_null(strstr(out.p, "slots = 64  # command line\n"));
    cr_expect_not_null(strstr(out.p, "a.conf:1\n"));
    cr_expect_not_null(strstr(out.p, "gateway_port = 8787  # default\n"));
    cr_expect_null(strstr(out.p, "master_key"));
    buf_free(&out);
}

Test(params, the_cli_takes_further_arguments)
{
    cr_assert_eq(load(PARAMS_CLI, "--data-dir=/x", "init", "--data-dir=/y"), ST_OK, "%s", why.p);
    cr_expect_eq(params.rest, 3);
    cr_expect(str_eq(params_str(&params, PARAM_DATA_DIR), STR("/x")));
    cr_assert_eq(load(PARAMS_CLI, "--", "--x", NULL), ST_OK);
    cr_expect_eq(params.rest, 3);
}

Test(params, a_look_up_by_the_wrong_type_is_a_bug, .signal = SIGABRT)
{
    cr_assert_eq(load(PARAMS_GATEWAY, NULL, NULL, NULL), ST_OK);
    (void)params_u64(&params, PARAM_DATA_DIR);
}
