/* main.c: one program, roles by argv[1]: master (also when none is given), courier, worker, selftest-sandbox
 * (ARCHITECTURE section 8, Processes).
 *
 * Children get MASTER_CHILD_ARGS fixed arguments and then the master's own options, so that every
 * process reads the same configuration by itself. Nothing is decided here.
 */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/secret.h"
#include "data-plane/courier/courier.h"
#include "data-plane/master/master.h"
#include "data-plane/sandbox.h"
#include "data-plane/worker/worker.h"

static const char usage[] = "sluice-gateway [--key=value ...]\nsluice-gateway selftest-sandbox";

/* Loads the configuration of argv[skip..]; prints help or the dump if asked. -1: go on; else the
 * exit code. `program` is the name in log lines. */
static int load(struct params *params, const char *program, int skip, int argc, char **argv)
{
    struct buf text;
    buf_init(&text, 1u << 20);
    int code = -1;
    enum log_level level = LOG_LEVEL_INFO;
    if (params_load(params, PARAMS_GATEWAY, argc - skip, argv + skip, &text) != ST_OK ||
        log_level_from_text(params_str(params, PARAM_LOG_LEVEL), &level) != ST_OK) {
        fprintf(stderr, "sluice-gateway: %.*s\n",
                STR_ARG(text.n > 0 ? buf_str(&text) : STR("log_level: unknown")));
        code = 2;
    } else if (params->action != PARAMS_RUN) {
        if (params->action == PARAMS_HELP)
            params_help(params, usage, &text);
        else
            params_dump(params, &text);
        fputs(text.n > 0 ? text.p : "", stdout);
        code = 0;
    }
    log_open(program, 2, level);
    buf_free(&text);
    return code;
}

static uint32_t number(const char *text)
{
    uint64_t value = 0;
    return str_to_u64(str_c(text), &value) == ST_OK && value <= UINT32_MAX ? (uint32_t)value
                                                                           : UINT32_MAX;
}

static int run_worker(const struct params *params, char **argv)
{
    char catalog[PARAMS_VALUE_MAX + 32];
    struct worker_boot boot = {.params = params,
                               .control_fd = 3,
                               .segment_fd = 4,
                               .secrets_fd = 5,
                               .log_fd = 6,
                               .listener_count = number(argv[3]),
                               .column = number(argv[2]),
                               .catalog_path = catalog};
    if (boot.listener_count > WORKER_LISTENERS_MAX)
        return 2;
    for (size_t i = 0; i < boot.listener_count; i++)
        boot.listener_fds[i] = 7 + (int)i;
    snprintf(catalog, sizeof catalog, "%s/catalog.mdb", params_str(params, PARAM_DATA_DIR).p);
    return worker_main(&boot);
}

static int run_master(const struct params *params, int option_count, char **options)
{
    struct str log_file = params_str(params, PARAM_LOG_FILE);
    if (log_to_file(log_file) == ST_OK)
        return master_main(params, option_count, options);
    log_error("log_file_not_opened", LOG_STR("path", log_file));
    return 1;
}

int main(int argc, char **argv)
{
    static struct params params;
    if (secret_process_init() != ST_OK)
        return 1;
    bool child = argc >= MASTER_CHILD_ARGS &&
                 (strcmp(argv[1], "worker") == 0 || strcmp(argv[1], "courier") == 0);
    if (argc >= 2 && strcmp(argv[1], "selftest-sandbox") == 0)
        return sandbox_selftest_main();
    int skip = child ? MASTER_CHILD_ARGS - 1 : argc >= 2 && strcmp(argv[1], "master") == 0 ? 1 : 0;
    const char *program = !child                           ? "gateway.master"
                          : strcmp(argv[1], "worker") == 0 ? "gateway.worker"
                                                           : "gateway.courier";
    int code = load(&params, program, skip, argc, argv);
    if (code < 0 && child && strcmp(argv[1], "worker") == 0) {
        code = run_worker(&params, argv);
    } else if (code < 0 && child) {
        struct courier_boot boot = {
            .params = &params, .workers = number(argv[2]), .status_count = number(argv[3])};
        code = courier_main(&boot);
    } else if (code < 0) {
        code = run_master(&params, argc - 1 - skip, argv + 1 + skip);
    }
    params_free(&params);
    return code;
}
