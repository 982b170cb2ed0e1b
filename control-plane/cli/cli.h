/* cli.h: the commands of sluicectl as functions, and how each gets at the store.
 *
 *   sluicectl COMMAND [OPERAND] [--option VALUE ...] [--json]
 *
 * A command has up to three parts (cli_table.c): `prepare` on the caller's side (reads a password file), `run` where the
 * store is open, `show` on the caller's side (writes a bundle file, prints). `run` happens in this process, or, while
 * sluice-control holds the store, in that one (control-plane/operator.h): the same function with the same words.
 * Owner: whoever runs a command owns its cli_call; out and why are wiped by cli_call_free, they may hold keys. One thread
 * per call. Failure: `why` has one sentence. Limits: CLI_WORDS_MAX bytes of words, CLI_OUT_MAX bytes of a reply that is
 * not streamed.
 */
#ifndef SLUICE_CONTROL_CLI_H
#define SLUICE_CONTROL_CLI_H

#include "common/json_write.h"
#include "control-plane/home.h"
#include "control-plane/publish/nodes.h"

#define CLI_WORDS_MAX (64u << 10)
#define CLI_OUT_MAX   (4u << 20)
#define CLI_WHY_MAX   1024u

enum cli_option {
#define CLI_OPTION(name, text, value, help) CLI_##name,
#include "control-plane/cli/options.def"
#undef CLI_OPTION
    CLI_OPTION_COUNT
};

/* Where output goes: all bytes, in order. ST_IO, ST_CLOSED: nobody reads any more, so the command ends. */
typedef enum status (*cli_write_fn)(void *arg, struct str bytes);

struct cli_call {
    const struct params *params;
    const struct home *home;  /* open; only params for a command that is `offline` */
    struct nodes *nodes;      /* what nodes said; NULL when sluice-control does not run */
    uint16_t link_port;       /* of the running link; 0 when it does not run */
    struct str operand;       /* n = 0: none */
    struct str options[CLI_OPTION_COUNT]; /* p = NULL: not given */
    struct str made_password; /* to show with the reply; stays on the caller's side */
    struct arena arena;
    struct buf out, why;
    struct json_writer json;  /* writes to out */
    cli_write_fn write;
    void *write_arg;
};

struct cli_command {
    const char *name;    /* "node add" */
    const char *operand; /* "NAME"; NULL: takes none */
    uint64_t options;    /* bits of enum cli_option */
    bool offline;        /* the store must not be in use, and may not exist */
    bool streams;        /* JSON lines, passed on as they come */
    const char *help;
    enum status (*prepare)(struct cli_call *call);
    enum status (*run)(struct cli_call *call);
    enum status (*show)(struct cli_call *call, struct str json, bool as_json);
};

#define CLI_BIT(name) (UINT64_C(1) << CLI_##name)

/* By position, for help and tests; NULL behind the last. */
const struct cli_command *cli_command_at(size_t index);
const char *cli_option_name(enum cli_option option);

void cli_call_init(struct cli_call *call, const struct params *params);
void cli_call_free(struct cli_call *call);

/* The words of a call as bytes, NUL behind each: command, then "=operand", then "option=value"s. gives in `out`. ST_TOO_LARGE. */
MUST_USE enum status cli_words_format(const struct cli_command *command, const struct cli_call *call, struct buf *out);
/* Reads them; borrows. ST_INVALID: no such command or option, or one that needs the store for itself. */
MUST_USE enum status cli_words_parse(struct str words, const struct cli_command **command, struct cli_call *call);

/* Runs the command's `run` and hands what is left of its output to `write`. Statuses of the command. */
MUST_USE enum status cli_run(const struct cli_command *command, struct cli_call *call);
/* For `streams`: hands over what was written so far. */
MUST_USE enum status cli_flush(struct cli_call *call);
/* Sets `why` once, gives `status` back. */
enum status cli_fail(struct cli_call *call, enum status status, const char *format, ...) PRINTF_LIKE(3, 4);
/* The organisation that --org names, or the only one. Sets `why`. ST_NOT_FOUND, ST_RANGE. */
MUST_USE enum status cli_find_org(struct cli_call *call, struct kv_txn *txn, struct id *org);
/* The actor of audit records. */
struct write_actor cli_actor(void);

/* Prints a reply: objects as `name: value` lines, arrays of objects as tables; or the JSON as it is. ST_IO, ST_BAD_JSON. */
MUST_USE enum status cli_show(struct cli_call *call, struct str json, bool as_json);

/* The program. Returns the exit code: 0 done, 1 refused or failed, 2 wrong usage. */
int cli_main(int argc, char **argv);

/* --- the commands (cmd_*.c) */
enum status cmd_init(struct cli_call *call);
enum status cmd_restore(struct cli_call *call);
enum status cmd_backup(struct cli_call *call);
enum status cmd_status(struct cli_call *call);
enum status cmd_org_create(struct cli_call *call);
enum status cmd_admin_create(struct cli_call *call);
enum status cmd_admin_reset_link(struct cli_call *call);
enum status cmd_password_prepare(struct cli_call *call);
enum status cmd_password_show(struct cli_call *call, struct str json, bool as_json);
enum status cmd_node_add(struct cli_call *call);
enum status cmd_node_add_show(struct cli_call *call, struct str json, bool as_json);
enum status cmd_node_list(struct cli_call *call);
enum status cmd_node_remove(struct cli_call *call);
enum status cmd_ledger_verify(struct cli_call *call);
enum status cmd_ledger_dump(struct cli_call *call);
enum status cmd_audit_verify(struct cli_call *call);
enum status cmd_ledger_export(struct cli_call *call);
enum status cmd_ledger_rerate(struct cli_call *call);
enum status cmd_ledger_counters(struct cli_call *call);
enum status cmd_node_write_off(struct cli_call *call);
enum status cmd_inspect_check(struct cli_call *call);
enum status cmd_inspect_events(struct cli_call *call);
enum status cmd_path_prepare(struct cli_call *call);

#endif
