/* cmd_ledger.c: what inspect.c prints, of the store in use and of a copy of one: proof that the ledger adds up, and its raw events as
 * lines, which drills and accountants compare with what providers say.
 */
#include <stdio.h>

#include "control-plane/cli/cli.h"
#include "control-plane/cli/inspect.h"

static ssize_t pass_on(void *arg, const char *p, size_t n)
{
    struct cli_call *call = arg;
    return call->write(call->write_arg, str_of(p, n)) == ST_OK ? (ssize_t)n : -1;
}

static enum status print(struct cli_call *call, struct kv *kv, enum status (*what)(struct kv *kv, FILE *out))
{
    FILE *out = fopencookie(call, "w", (cookie_io_functions_t){.write = pass_on});
    if (out == NULL)
        return ST_NO_MEMORY;
    enum status status = what(kv, out);
    if (fclose(out) != 0 && status == ST_OK)
        status = ST_IO;
    return status == ST_CONFLICT ? cli_fail(call, status, "the store does not agree with itself") : status;
}

static enum status print_folder(struct cli_call *call, enum status (*what)(struct kv *kv, FILE *out))
{
    const struct kv_options options = {.map_bytes = params_u64(call->params, PARAM_STORE_MAP), .read_only = true};
    struct kv *kv;
    enum status status = kv_open(call->operand.p, &options, &kv);
    if (status != ST_OK)
        return cli_fail(call, status, "cannot open the store in " STR_FMT, STR_ARG(call->operand));
    status = print(call, kv, what);
    kv_close(kv);
    return status;
}

enum status cmd_ledger_verify(struct cli_call *call)
{
    return print(call, call->home->kv, inspect_check);
}

enum status cmd_ledger_dump(struct cli_call *call)
{
    return print(call, call->home->kv, inspect_events);
}

enum status cmd_ledger_counters(struct cli_call *call)
{
    struct str text = call->options[CLI_ENTITY];
    struct id entity = ID_NONE;
    if (text.n > 0 && id_from_text(text, &entity) != ST_OK)
        return cli_fail(call, ST_INVALID, "--entity takes an id");
    FILE *out = fopencookie(call, "w", (cookie_io_functions_t){.write = pass_on});
    if (out == NULL)
        return ST_NO_MEMORY;
    enum status status = inspect_counters(call->home->kv, &entity, out);
    if (fclose(out) != 0 && status == ST_OK)
        status = ST_IO;
    return status;
}

enum status cmd_inspect_check(struct cli_call *call)
{
    return print_folder(call, inspect_check);
}

enum status cmd_inspect_events(struct cli_call *call)
{
    return print_folder(call, inspect_events);
}
