/* cli_table.c: which commands there are and what each takes; help is printed from it, and the words of a call are read by it,
 * whether they come from a shell or from the operator socket. Nothing here decides anything.
 */
#include "control-plane/cli/cli.h"

static const struct cli_command commands[] = {
    {.name = "init",
     .options = CLI_BIT(LINK_HOST),
     .offline = true,
     .help = "make the data folder: store, keys, certificates of the link",
     .run = cmd_init},
    {.name = "org create",
     .operand = "NAME",
     .options = CLI_BIT(SLUG) | CLI_BIT(ADMIN_EMAIL) | CLI_BIT(FIRST_NAME) | CLI_BIT(LAST_NAME) |
                CLI_BIT(WORKSPACE_NAME) | CLI_BIT(WORKSPACE_SLUG) | CLI_BIT(PASSWORD_FILE) |
                CLI_BIT(PASSWORD_HASH),
     .help = "make an organisation with a workspace, and a key of each kind, shown once",
     .prepare = cmd_password_prepare,
     .run = cmd_org_create,
     .show = cmd_password_show},
    {.name = "admin create",
     .operand = "EMAIL",
     .options = CLI_BIT(ORG) | CLI_BIT(ROLE) | CLI_BIT(FIRST_NAME) | CLI_BIT(LAST_NAME) |
                CLI_BIT(PASSWORD_FILE) | CLI_BIT(PASSWORD_HASH),
     .help = "make a user of the console, or give one a new password and role",
     .prepare = cmd_password_prepare,
     .run = cmd_admin_create,
     .show = cmd_password_show},
    {.name = "admin reset-link",
     .operand = "EMAIL",
     .options = CLI_BIT(ORG) | CLI_BIT(CONTROL),
     .help = "make a link by which a person sets a new password, once, within a day",
     .run = cmd_admin_reset_link},
    {.name = "node add",
     .options = CLI_BIT(REGION) | CLI_BIT(NODE_NAME) | CLI_BIT(GROUP) | CLI_BIT(LABELS) |
                CLI_BIT(LINK) | CLI_BIT(CONTROL) | CLI_BIT(OUT),
     .help = "enrol a data plane host: makes its keys and certificate",
     .run = cmd_node_add,
     .show = cmd_node_add_show},
    {.name = "node list", .help = "nodes, and what is known of them", .run = cmd_node_list},
    {.name = "node remove",
     .operand = "NODE",
     .help = "revoke a node by name or id, and replace the delivery keys it held",
     .run = cmd_node_remove},
    {.name = "node write-off",
     .operand = "NODE",
     .options = CLI_BIT(UNDO),
     .help = "count as spent what a lost node holds of budgets (after node_lost_after this happens by itself)",
     .run = cmd_node_write_off},
    {.name = "status", .help = "the store, its revision, what is in it", .run = cmd_status},
    {.name = "backup",
     .operand = "DIR",
     .help = "copy the store into a folder, also while it is in use (master.key and link/ are "
             "yours to keep)",
     .prepare = cmd_path_prepare,
     .run = cmd_backup},
    {.name = "restore",
     .operand = "DIR",
     .options = CLI_BIT(FORCE),
     .offline = true,
     .help = "make the store from a backup",
     .prepare = cmd_path_prepare,
     .run = cmd_restore},
    {.name = "ledger verify",
     .streams = true,
     .help = "add all kept usage events up again, follow the chain of audit records, compare with "
             "what is stored",
     .run = cmd_ledger_verify},
    {.name = "ledger dump",
     .streams = true,
     .help = "raw usage events, one JSON object a line",
     .run = cmd_ledger_dump},
    {.name = "audit verify",
     .help = "follow the chain of audit records from the first to the newest",
     .run = cmd_audit_verify},
    {.name = "ledger export",
     .options = CLI_BIT(ORG) | CLI_BIT(WORKSPACE) | CLI_BIT(FROM) | CLI_BIT(TO) | CLI_BIT(FORMAT),
     .streams = true,
     .help = "an organisation's entries as CSV or JSON lines, for people who add things up",
     .run = cmd_ledger_export},
    {.name = "ledger rerate",
     .options = CLI_BIT(ORG) | CLI_BIT(WORKSPACE) | CLI_BIT(INTEGRATION) | CLI_BIT(MODEL) | CLI_BIT(FROM) | CLI_BIT(TO) |
                CLI_BIT(NOTE) | CLI_BIT(APPLY),
     .help = "price entries again after a price was corrected: preview, or adjusting entries with --apply",
     .run = cmd_ledger_rerate},
    {.name = "ledger counters",
     .options = CLI_BIT(ENTITY),
     .streams = true,
     .help = "counters of limits, one JSON object a line: used, held by nodes, next reset; money in nano-USD",
     .run = cmd_ledger_counters},
    {.name = "inspect check",
     .operand = "DIR",
     .offline = true,
     .streams = true,
     .help = "ledger verify of a backup, or of a store that nobody uses",
     .prepare = cmd_path_prepare,
     .run = cmd_inspect_check},
    {.name = "inspect events",
     .operand = "DIR",
     .offline = true,
     .streams = true,
     .help = "ledger dump of a backup, or of a store that nobody uses",
     .prepare = cmd_path_prepare,
     .run = cmd_inspect_events},
};

static const char *const option_names[] = {
#define CLI_OPTION(name, text, value, help) text,
#include "control-plane/cli/options.def"
#undef CLI_OPTION
};

const struct cli_command *cli_command_at(size_t index)
{
    return index < COUNT_OF(commands) ? &commands[index] : NULL;
}

const char *cli_option_name(enum cli_option option)
{
    CHECK((size_t)option < COUNT_OF(option_names));
    return option_names[option];
}

enum status cli_words_format(const struct cli_command *command, const struct cli_call *call, struct buf *out)
{
    buf_add_str(out, str_c(command->name));
    buf_add_char(out, '\0');
    if (call->operand.n > 0) {
        buf_add_char(out, '=');
        buf_add_str(out, call->operand);
        buf_add_char(out, '\0');
    }
    for (size_t i = 0; i < CLI_OPTION_COUNT; i++) {
        if (call->options[i].p == NULL)
            continue;
        buf_add_str(out, str_c(option_names[i]));
        buf_add_char(out, '=');
        buf_add_str(out, call->options[i]);
        buf_add_char(out, '\0');
    }
    return buf_status(out);
}

static enum status parse_option(const struct cli_command *command, struct str word, struct cli_call *call)
{
    ptrdiff_t at = str_find_char(word, '=');
    if (at < 0)
        return ST_INVALID;
    struct str name = str_head(word, (size_t)at);
    for (size_t i = 0; i < CLI_OPTION_COUNT; i++) {
        if (!str_eq(name, str_c(option_names[i])) || (command->options >> i & 1) == 0)
            continue;
        call->options[i] = str_from(word, (size_t)at + 1);
        return ST_OK;
    }
    return ST_INVALID;
}

enum status cli_words_parse(struct str words, const struct cli_command **command, struct cli_call *call)
{
    struct str rest = words, word;
    const struct cli_command *found = NULL;
    if (words.n == 0 || words.p[words.n - 1] != '\0' || !str_split(&rest, '\0', &word))
        return ST_INVALID;
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        if (str_eq(word, str_c(commands[i].name)))
            found = &commands[i];
    if (found == NULL || found->offline)
        return ST_INVALID;
    while (str_split(&rest, '\0', &word)) {
        if (word.n == 0 && rest.n == 0)
            break;
        if (word.n > 1 && word.p[0] == '=' && found->operand != NULL)
            call->operand = str_from(word, 1);
        else
            TRY(parse_option(found, word, call));
    }
    if ((found->operand != NULL) != (call->operand.n > 0))
        return ST_INVALID;
    *command = found;
    return ST_OK;
}
