/* cli.c: from the command line to a command's `run`, here or in sluice-control, and back to the terminal.
 *
 * sluice-control is asked first; only when nobody listens is the store opened here, and its lock decides if both happen at
 * once. What a command prints may hold keys: it is kept in one buffer that never moves while it is small, and wiped.
 */
#include "control-plane/cli/cli.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/log.h"
#include "control-plane/operator.h"

#define CLI_ARENA_BYTES (64u << 20)
#define CLI_OUT_FIRST   (64u << 10)
#define CLI_POSITIONS   4
#define CLI_PARAMS_MAX  64

struct cli_args {
    struct str words[CLI_POSITIONS]; /* what is no option */
    size_t word_count;
    char *params[CLI_PARAMS_MAX + 2]; /* for params_load; [0] is the program */
    int param_count;
    bool json, help;
    struct cli_call *call;
    uint64_t given; /* options */
};

/* --- a call */

void cli_call_init(struct cli_call *call, const struct params *params)
{
    *call = (struct cli_call){.params = params};
    arena_init(&call->arena, CLI_ARENA_BYTES);
    buf_init(&call->out, CLI_OUT_MAX);
    buf_init(&call->why, CLI_WHY_MAX);
    if (buf_reserve(&call->out, CLI_OUT_FIRST) != ST_OK)
        call->out.failed = ST_NO_MEMORY;
    jw_init(&call->json, &call->out);
}

void cli_call_free(struct cli_call *call)
{
    arena_wipe(&call->arena);
    if (call->out.p != NULL)
        secret_wipe(call->out.p, call->out.room_bytes);
    buf_free(&call->out);
    buf_free(&call->why);
}

enum status cli_fail(struct cli_call *call, enum status status, const char *format, ...)
{
    char text[CLI_WHY_MAX / 2];
    va_list args;
    if (call->why.n > 0)
        return status;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    buf_add_str(&call->why, str_c(text));
    return status;
}

struct write_actor cli_actor(void)
{
    return (struct write_actor){.type = "cli"};
}

enum status cli_flush(struct cli_call *call)
{
    TRY(buf_status(&call->out));
    if (call->out.n == 0)
        return ST_OK;
    enum status status = call->write(call->write_arg, buf_str(&call->out));
    secret_wipe(call->out.p, call->out.n);
    buf_clear(&call->out);
    return status;
}

enum status cli_run(const struct cli_command *command, struct cli_call *call)
{
    enum status status = command->run(call);
    if (call->json.depth == 0) {
        enum status flushed = cli_flush(call);
        if (status == ST_OK)
            status = flushed;
    }
    if (status != ST_OK)
        (void)cli_fail(call, status, "%s", status_row(status)->text);
    return status;
}

/* --- arguments */

static int usage(const struct cli_command *command, FILE *to)
{
    static const char *const values[] = {
#define CLI_OPTION(name, text, value, help) value,
#include "control-plane/cli/options.def"
#undef CLI_OPTION
    };
    static const char *const helps[] = {
#define CLI_OPTION(name, text, value, help) help,
#include "control-plane/cli/options.def"
#undef CLI_OPTION
    };
    const struct cli_command *row;
    if (command == NULL) {
        (void)fputs("sluicectl COMMAND [OPERAND] [--option VALUE ...] [--data-dir DIR] [--json]\n\n", to);
        for (size_t i = 0; (row = cli_command_at(i)) != NULL; i++)
            (void)fprintf(to, "  %-14s %-6s %s\n", row->name, row->operand == NULL ? "" : row->operand, row->help);
        (void)fputs("\nsluicectl COMMAND --help tells its options.\n", to);
        return 2;
    }
    (void)fprintf(to, "sluicectl %s%s%s [--option VALUE ...]\n  %s\n", command->name, command->operand == NULL ? "" : " ",
                  command->operand == NULL ? "" : command->operand, command->help);
    for (size_t i = 0; i < CLI_OPTION_COUNT; i++)
        if ((command->options >> i & 1) != 0 && i != CLI_PASSWORD_HASH)
            (void)fprintf(to, "  --%-15s %-12s %s\n", cli_option_name((enum cli_option)i), values[i], helps[i]);
    (void)fputs("  --data-dir DIR and the other parameters of `sluice-control --help` that name files\n  --json\n", to);
    return 2;
}

/* A parameter of params.def; its value is the next argument unless it is there. */
static bool take_param(struct cli_args *args, struct str name, struct str value)
{
    if (args->param_count >= CLI_PARAMS_MAX)
        return false;
    struct str text = arena_printf(&args->call->arena, "--" STR_FMT "=" STR_FMT, STR_ARG(name), STR_ARG(value));
    args->params[args->param_count] = arena_cstr(&args->call->arena, text);
    return args->params[args->param_count++] != NULL;
}

/* One `--name`, `--name=value` or `--name value`; *next is the argument behind it. */
static bool take_option(struct cli_args *args, struct str word, char **next, bool *used_next)
{
    ptrdiff_t at = str_find_char(word, '=');
    struct str name = at < 0 ? word : str_head(word, (size_t)at), value = STR_NONE;
    if (str_eq(name, STR("json")) || str_eq(name, STR("help"))) {
        *(str_eq(name, STR("json")) ? &args->json : &args->help) = true;
        return at < 0;
    }
    size_t option = 0;
    while (option < CLI_OPTION_COUNT && !str_eq(name, str_c(cli_option_name((enum cli_option)option))))
        option++;
    bool flag = option == CLI_FORCE || option == CLI_APPLY;
    if (at >= 0)
        value = str_from(word, (size_t)at + 1);
    else if (!flag && *next != NULL)
        value = str_c(*next), *used_next = true;
    if (value.p == NULL && !flag)
        return false;
    if (option == CLI_OPTION_COUNT)
        return take_param(args, name, value);
    args->call->options[option] = flag ? STR("true") : value;
    args->given |= UINT64_C(1) << option;
    return true;
}

static bool take_arguments(struct cli_args *args, int argc, char **argv)
{
    args->params[args->param_count++] = argv[0];
    for (int i = 1; i < argc; i++) {
        struct str word = str_c(argv[i]);
        bool used_next = false;
        if (str_starts(word, STR("--"))) {
            if (!take_option(args, str_from(word, 2), &argv[i + 1], &used_next)) {
                (void)fprintf(stderr, "sluicectl: %s: needs a value, or takes none\n", argv[i]);
                return false;
            }
            i += used_next;
        } else if (args->word_count < CLI_POSITIONS) {
            args->words[args->word_count++] = word;
        } else {
            return false;
        }
    }
    return true;
}

/* The command that the first one or two words name; the word behind is its operand. */
static const struct cli_command *find_command(struct cli_args *args)
{
    const struct cli_command *row;
    for (size_t i = 0; (row = cli_command_at(i)) != NULL; i++) {
        struct str name = str_c(row->name), rest = name, word;
        size_t n = 0;
        bool same = true;
        while (same && str_split(&rest, ' ', &word))
            same = n < args->word_count && str_eq(args->words[n++], word);
        if (!same)
            continue;
        if (n < args->word_count)
            args->call->operand = args->words[n++];
        return n == args->word_count ? row : NULL;
    }
    return NULL;
}

/* --- running */

static enum status write_stdout(void *arg, struct str bytes)
{
    (void)arg;
    return fwrite(bytes.p, 1, bytes.n, stdout) == bytes.n ? ST_OK : ST_IO;
}

static enum status write_buf(void *arg, struct str bytes)
{
    struct buf *buf = arg;
    buf_add_str(buf, bytes);
    return buf_status(buf);
}

static enum status run_here(const struct cli_command *command, struct cli_call *call)
{
    struct home home = {NULL, NULL, NULL};
    if (command->offline)
        return cli_run(command, call);
    TRY(home_open(call->params, &home, &call->why));
    call->home = &home;
    enum status status = cli_run(command, call);
    call->home = NULL;
    home_close(&home);
    return status;
}

static enum status run_somewhere(const struct cli_command *command, struct cli_call *call)
{
    enum status status = ST_NOT_FOUND;
    if (!command->offline) {
        struct buf words;
        buf_init(&words, CLI_WORDS_MAX);
        status = cli_words_format(command, call, &words);
        if (status == ST_OK)
            status = operator_ask(call->params, buf_str(&words), call->write, call->write_arg, &call->why);
        buf_free(&words);
        if (status != ST_AGAIN)
            return status;
    }
    return run_here(command, call);
}

static enum status run_and_show(const struct cli_command *command, struct cli_call *call, bool as_json)
{
    struct buf reply;
    enum status status = ST_OK;
    buf_init(&reply, CLI_OUT_MAX);
    if (buf_reserve(&reply, CLI_OUT_FIRST) != ST_OK)
        return ST_NO_MEMORY;
    call->write = command->streams ? write_stdout : write_buf;
    call->write_arg = &reply;
    if (command->prepare != NULL)
        status = command->prepare(call);
    if (status == ST_OK)
        status = run_somewhere(command, call);
    if (reply.n > 0) {
        enum status shown = command->show != NULL && status == ST_OK ? command->show(call, buf_str(&reply), as_json)
                                                                     : cli_show(call, buf_str(&reply), as_json);
        if (status == ST_OK)
            status = shown;
    }
    if (fflush(stdout) != 0 && status == ST_OK)
        status = ST_IO;
    secret_wipe(reply.p, reply.room_bytes);
    buf_free(&reply);
    return status;
}

static void print_fault(const struct cli_call *call, enum status status, bool as_json)
{
    struct str why = call->why.n > 0 ? buf_str(&call->why) : str_c(status_row(status)->text);
    if (!as_json) {
        (void)fprintf(stderr, "sluicectl: " STR_FMT "\n", STR_ARG(why));
        return;
    }
    struct json_writer w;
    struct buf out;
    buf_init(&out, CLI_OUT_FIRST);
    jw_init(&w, &out);
    jw_object(&w);
    jw_key(&w, "error");
    jw_object(&w);
    jw_field_cstr(&w, "code", status_row(status)->code);
    jw_field_str(&w, "message", why);
    jw_end(&w);
    jw_end(&w);
    (void)fprintf(stderr, STR_FMT "\n", STR_ARG(buf_str(&out)));
    buf_free(&out);
}

static int run_command(struct cli_args *args, const struct cli_command *command)
{
    static struct params params;
    struct cli_call *call = args->call;
    enum status status = params_load(&params, PARAMS_CLI, args->param_count, args->params, &call->why);
    if (status == ST_OK) {
        call->params = &params;
        status = run_and_show(command, call, args->json);
        params_free(&params);
    }
    if (status != ST_OK)
        print_fault(call, status, args->json);
    return status == ST_OK ? 0 : 1;
}

int cli_main(int argc, char **argv)
{
    struct cli_call call;
    struct cli_args args = {.call = &call};
    int code;
    if (secret_process_init() != ST_OK) {
        (void)fputs("sluicectl: cannot protect its memory\n", stderr);
        return 1;
    }
    log_open("sluicectl", 2, LOG_LEVEL_WARN);
    cli_call_init(&call, NULL);
    const struct cli_command *command = NULL;
    bool understood = take_arguments(&args, argc, argv);
    if (understood)
        command = find_command(&args);
    if (args.help)
        code = usage(command, stdout) - 2;
    else if (command == NULL || (args.given & ~command->options) != 0 ||
             (command->operand != NULL) != (call.operand.n > 0))
        code = usage(command, stderr);
    else
        code = run_command(&args, command);
    cli_call_free(&call);
    return code;
}
