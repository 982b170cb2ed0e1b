/* main.c: sluice-control: parameters, signals, and the life of one struct app (app.c).
 *
 * TERM and INT stop it: requests in progress end, the store is closed. HUP reads the configuration
 * and the certificates again, USR1 opens log_file again. The first line on stdout says where it
 * listens, for whoever started it; everything else is log lines on stderr or in log_file.
 */
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/secret.h"
#include "control-plane/app.h"

#define MAIN_TICK_S 60

static int print(const struct params *params)
{
    struct buf out;
    buf_init(&out, 1u << 20);
    if (params->action == PARAMS_HELP)
        params_help(params, "sluice-control [--key=value ...]", &out);
    else
        params_dump(params, &out);
    (void)fwrite(out.p, 1, out.n, stdout);
    buf_free(&out);
    return 0;
}

static enum log_level level_of(const struct params *params)
{
    enum log_level level = LOG_LEVEL_INFO;
    if (log_level_from_text(params_str(params, PARAM_LOG_LEVEL), &level) != ST_OK)
        level = LOG_LEVEL_INFO;
    return level;
}

/* A configuration that cannot be read changes nothing. */
static void reload(struct app *app, int argc, char **argv)
{
    static struct params params;
    struct buf why;
    buf_init(&why, 4096);
    enum status status = params_load(&params, PARAMS_CONTROL, argc, argv, &why);
    if (status == ST_OK) {
        status = app_reload(app, &params, &why);
        log_open("control", STDERR_FILENO, level_of(&params));
        params_free(&params);
    }
    if (status == ST_OK)
        log_info("reloaded");
    else
        log_error("not_reloaded", LOG_STATUS(status), LOG_STR("why", buf_str(&why)));
    buf_free(&why);
}

/* Sleeps in ticks until a signal says stop. */
static int wait_for_signal(const sigset_t *signals, const struct params *params, struct app *app,
                           int argc, char **argv)
{
    const struct timespec tick = {.tv_sec = MAIN_TICK_S};
    for (;;) {
        int number = sigtimedwait(signals, NULL, &tick);
        if (number == SIGTERM || number == SIGINT)
            return number;
        if (number == SIGHUP)
            reload(app, argc, argv);
        else if (number == SIGUSR1 && log_to_file(params_str(params, PARAM_LOG_FILE)) != ST_OK)
            log_error("log_file_not_opened", LOG_STR("path", params_str(params, PARAM_LOG_FILE)));
        else if (number < 0)
            app_upkeep(app);
    }
}

static int run(const struct params *params, int argc, char **argv)
{
    struct app *app;
    struct buf why;
    sigset_t signals;
    log_open("control", STDERR_FILENO, level_of(params));
    if (log_to_file(params_str(params, PARAM_LOG_FILE)) != ST_OK) {
        log_error("log_file_not_opened", LOG_STR("path", params_str(params, PARAM_LOG_FILE)));
        return 1;
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGUSR1);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    buf_init(&why, 4096);
    enum status status = app_start(params, &app, &why);
    if (status != ST_OK) {
        log_error("start_failed", LOG_STATUS(status), LOG_STR("why", buf_str(&why)));
        buf_free(&why);
        return 1;
    }
    buf_free(&why);
    printf("{\"control_port\":%u,\"link_port\":%u}\n", app_control_port(app), app_link_port(app));
    (void)fflush(stdout);
    log_info("ready", LOG_U64("control_port", app_control_port(app)),
             LOG_U64("link_port", app_link_port(app)));
    int number = wait_for_signal(&signals, params, app, argc, argv);
    log_info("stopping", LOG_I64("signal", number));
    app_stop(app);
    return 0;
}

int main(int argc, char **argv)
{
    struct params params;
    struct buf why;
    if (secret_process_init() != ST_OK) {
        (void)fputs("sluice-control: cannot protect its memory\n", stderr);
        return 1;
    }
    buf_init(&why, 4096);
    enum status status = params_load(&params, PARAMS_CONTROL, argc, argv, &why);
    if (status != ST_OK) {
        (void)fprintf(stderr, "sluice-control: %.*s\n", (int)why.n, why.n > 0 ? why.p : "");
        buf_free(&why);
        return 2;
    }
    buf_free(&why);
    int result = params.action == PARAMS_RUN ? run(&params, argc, argv) : print(&params);
    params_free(&params);
    return result;
}
