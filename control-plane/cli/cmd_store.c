/* cmd_store.c: the store as a whole: made, looked at, copied, brought back.
 *
 * Restoring is done beside the present store and puts that aside under another name: nothing is ever removed here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "control-plane/cli/cli.h"
#include "control-plane/ledger/ledger.h"
#include "control-plane/store/backup.h"

#define LINK_HOSTS_MAX 30

enum status cmd_path_prepare(struct cli_call *call)
{
    char folder[HOME_PATH_MAX];
    if (call->operand.p[0] == '/')
        return ST_OK;
    if (getcwd(folder, sizeof(folder)) == NULL)
        return cli_fail(call, status_from_errno(errno), "the working directory has no name");
    call->operand = arena_printf(&call->arena, "%s/" STR_FMT, folder, STR_ARG(call->operand));
    return call->operand.p == NULL ? ST_NO_MEMORY : ST_OK;
}

enum status cmd_init(struct cli_call *call)
{
    const char *hosts[LINK_HOSTS_MAX];
    struct str rest = call->options[CLI_LINK_HOST], item;
    struct home home;
    struct id store_id;
    struct kv_txn *txn;
    size_t count = 0;
    while (params_next(&rest, &item)) {
        if (count == LINK_HOSTS_MAX)
            return cli_fail(call, ST_INVALID, "at most %d link hosts", LINK_HOSTS_MAX);
        hosts[count] = arena_cstr(&call->arena, item);
        if (hosts[count++] == NULL)
            return ST_NO_MEMORY;
    }
    TRY(home_init(call->params, hosts, count, &call->why));
    TRY(home_open(call->params, &home, &call->why));
    enum status status = kv_begin(home.kv, false, &txn);
    if (status == ST_OK) {
        status = record_store_id(txn, &store_id);
        kv_abort(txn);
    }
    home_close(&home);
    TRY(status);
    jw_object(&call->json);
    jw_field_str(&call->json, "data_dir", params_str(call->params, PARAM_DATA_DIR));
    jw_field_id(&call->json, "store_id", &store_id);
    jw_end(&call->json);
    return ST_OK;
}

/* --- status */

static enum status count_kind(struct kv_txn *txn, Sluice__Kind kind, uint64_t *count)
{
    struct record_cursor *cursor;
    struct record_key key;
    struct arena arena;
    enum status status;
    arena_init(&arena, 1u << 20);
    TRY(record_cursor_open_org(txn, kind, NULL, &cursor));
    for (*count = 0; (status = record_cursor_next(cursor, &arena, &key, NULL, NULL)) == ST_OK; ++*count)
        arena_free(&arena);
    record_cursor_close(cursor);
    arena_free(&arena);
    return status == ST_END ? ST_OK : status;
}

static enum status write_counts(struct cli_call *call, struct kv_txn *txn)
{
    static const struct {
        const char *name;
        Sluice__Kind kind;
    } kinds[] = {{"organisations", SLUICE__KIND__KIND_ORGANISATION}, {"workspaces", SLUICE__KIND__KIND_WORKSPACE},
                 {"users", SLUICE__KIND__KIND_USER},                 {"integrations", SLUICE__KIND__KIND_INTEGRATION},
                 {"providers", SLUICE__KIND__KIND_PROVIDER},         {"api_keys", SLUICE__KIND__KIND_API_KEY},
                 {"nodes", SLUICE__KIND__KIND_NODE}};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        uint64_t count;
        TRY(count_kind(txn, kinds[i].kind, &count));
        jw_field_u64(&call->json, kinds[i].name, count);
    }
    return ST_OK;
}

static enum status write_status(struct cli_call *call, struct kv_txn *txn)
{
    struct json_writer *w = &call->json;
    struct id store_id;
    uint64_t revision;
    uint32_t first, last;
    TRY(record_store_id(txn, &store_id));
    TRY(record_revision(txn, &revision));
    jw_object(w);
    jw_field_str(w, "data_dir", params_str(call->params, PARAM_DATA_DIR));
    jw_field_bool(w, "running", call->nodes != NULL);
    jw_field_id(w, "store_id", &store_id);
    jw_field_u64(w, "revision", revision);
    TRY(write_counts(call, txn));
    enum status status = ledger_days(txn, &first, &last);
    if (status != ST_OK && status != ST_NOT_FOUND)
        return status;
    jw_field_time(w, "usage_from", status == ST_OK ? (int64_t)first * ROLLUP_DAY_MS : 0);
    jw_field_time(w, "usage_to", status == ST_OK ? ((int64_t)last + 1) * ROLLUP_DAY_MS : 0);
    jw_end(w);
    return ST_OK;
}

enum status cmd_status(struct cli_call *call)
{
    struct kv_txn *txn;
    TRY(kv_begin(call->home->kv, false, &txn));
    enum status status = write_status(call, txn);
    kv_abort(txn);
    return status;
}

/* --- backup and restore */

static void write_info(struct cli_call *call, const struct backup_info *info, const struct id *new_id)
{
    struct json_writer *w = &call->json;
    jw_object(w);
    jw_field_str(w, "folder", call->operand);
    jw_field_id(w, "store_id", &info->store_id);
    if (new_id != NULL)
        jw_field_id(w, "new_store_id", new_id);
    jw_field_u64(w, "revision", info->revision);
    jw_field_u64(w, "bytes", info->bytes);
    jw_end(w);
}

enum status cmd_backup(struct cli_call *call)
{
    struct backup_info info;
    enum status status = backup_make(call->home->kv, call->operand.p, &info);
    if (status == ST_CONFLICT)
        return cli_fail(call, status, STR_FMT " has a backup in it already", STR_ARG(call->operand));
    TRY(status);
    write_info(call, &info, NULL);
    return ST_OK;
}

/* Renames a store that nobody uses. */
static enum status put_aside(struct cli_call *call, const char *store)
{
    char aside[HOME_PATH_MAX + 32];
    struct kv *kv = NULL;
    if (call->options[CLI_FORCE].p == NULL)
        return cli_fail(call, ST_CONFLICT, "%s exists: --force puts it aside", store);
    enum status status = kv_open(store, NULL, &kv);
    if (status == ST_CONFLICT)
        return cli_fail(call, status, "%s is in use: stop sluice-control first", store);
    if (status == ST_OK)
        kv_close(kv);
    (void)snprintf(aside, sizeof(aside), "%s.replaced-%lld", store, (long long)clock_wall_ms());
    return rename(store, aside) == 0 ? ST_OK
                                     : cli_fail(call, status_from_errno(errno), "cannot rename %s", store);
}

enum status cmd_restore(struct cli_call *call)
{
    struct backup_info info;
    struct id store_id;
    char store[HOME_PATH_MAX];
    home_path(call->params, "store", store);
    enum status status = backup_check(call->operand.p, &info);
    if (status != ST_OK)
        return cli_fail(call, status, STR_FMT " is no sound backup", STR_ARG(call->operand));
    if (access(store, F_OK) == 0)
        TRY(put_aside(call, store));
    char folder[HOME_PATH_MAX];
    home_path(call->params, "", folder);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return cli_fail(call, status_from_errno(errno), "cannot make %s", folder);
    TRY(backup_restore(call->operand.p, store, &store_id));
    write_info(call, &info, &store_id);
    return ST_OK;
}
