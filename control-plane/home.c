/* home.c: the data folder. Files are made with their final mode and never overwritten; a step that
 * finds its result already there is done, so an init that was cut off can be run again, except that
 * a store is initialised once (ST_CONFLICT).
 */
#include "control-plane/home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control-plane/domain/enrol.h"
#include "control-plane/store/migrate.h"

#define MASTER_KEY_BYTES 32
#define HOME_ARENA_BYTES (4u << 20)

void home_path(const struct params *params, const char *name, char path[HOME_PATH_MAX])
{
    struct str dir = params_str(params, PARAM_DATA_DIR);
    int n = snprintf(path, HOME_PATH_MAX, STR_FMT "/%s", STR_ARG(dir), name);
    CHECK(n > 0 && n < HOME_PATH_MAX);
}

static enum status explain(struct buf *why, enum status status, const char *what, const char *path)
{
    buf_printf(why, "%s %s: %s", what, path, status_row(status)->text);
    return status;
}

static enum status make_folder(const char *path, struct buf *why)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return ST_OK;
    return explain(why, status_from_errno(errno), "cannot make folder", path);
}

/* Writes a new file; one that is there stays as it is. */
static enum status write_file(const char *path, mode_t mode, struct str bytes, struct buf *why)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return errno == EEXIST ? ST_OK
                               : explain(why, status_from_errno(errno), "cannot make", path);
    ssize_t written = write(fd, bytes.p, bytes.n);
    bool failed = written < 0 || (size_t)written != bytes.n || fsync(fd) != 0;
    if (close(fd) != 0 || failed)
        return explain(why, ST_IO, "cannot write", path);
    return ST_OK;
}

static enum status make_master_key(const struct params *params, struct buf *why)
{
    char path[HOME_PATH_MAX];
    struct secret *key = NULL;
    if (params_str(params, PARAM_MASTER_KEY).n > 0)
        return ST_OK;
    home_path(params, "master.key", path);
    TRY(secret_random(MASTER_KEY_BYTES, &key));
    enum status status = write_file(path, 0600, secret_open(key), why);
    secret_close(key);
    secret_free(key);
    return status;
}

static enum status write_pair(const struct params *params, const char *cert, const char *key,
                              const struct pki_pair *pair, struct buf *why)
{
    char path[HOME_PATH_MAX];
    home_path(params, key, path);
    TRY(write_file(path, 0600, pair->key_pem, why));
    home_path(params, cert, path);
    return write_file(path, 0644, pair->cert_pem, why);
}

static enum status make_link_pki(const struct params *params, const char *const *names,
                                 size_t count, struct buf *why)
{
    struct pki_pair ca = {STR_NONE, STR_NONE}, server = {STR_NONE, STR_NONE};
    struct arena arena;
    char path[HOME_PATH_MAX];
    home_path(params, "link/server.pem", path);
    if (access(path, F_OK) == 0)
        return ST_OK;
    home_path(params, "link", path);
    TRY(make_folder(path, why));
    arena_init(&arena, HOME_ARENA_BYTES);
    enum status status = pki_make_ca(&arena, "Sluice link CA", &ca);
    if (status == ST_OK)
        status = pki_make_server(&arena, &ca, names, count, &server);
    if (status != ST_OK)
        (void)explain(why, status, "cannot make certificates of", path);
    if (status == ST_OK)
        status = write_pair(params, "link/ca.pem", "link/ca.key", &ca, why);
    if (status == ST_OK)
        status = write_pair(params, "link/server.pem", "link/server.key", &server, why);
    pki_wipe(&ca);
    pki_wipe(&server);
    arena_wipe(&arena);
    return status;
}

static enum status open_master(const struct params *params, struct secret **key, struct buf *why)
{
    char path[PARAMS_VALUE_MAX + 1];
    int fd = -1;
    enum status status = params_secret(params, PARAM_MASTER_KEY, &fd, path);
    if (status == ST_NOT_FOUND) {
        home_path(params, "master.key", path);
        status = ST_OK;
    }
    if (status == ST_OK)
        status = fd >= 0 ? secret_read_fd(fd, MASTER_KEY_BYTES, key)
                         : secret_read_file(path, MASTER_KEY_BYTES, key);
    return status == ST_OK
               ? ST_OK
               : explain(why, status, "cannot read the master key", fd >= 0 ? "" : path);
}

static enum status open_parts(const struct params *params, struct home *home, struct buf *why)
{
    struct kv_options options = {.map_bytes = params_u64(params, PARAM_STORE_MAP)};
    struct secret *master = NULL;
    char path[HOME_PATH_MAX];
    home_path(params, "store", path);
    enum status status = kv_open(path, &options, &home->kv);
    if (status == ST_CONFLICT)
        buf_printf(why, "%s is in use by another process", path);
    else if (status != ST_OK)
        (void)explain(why, status, "cannot open store", path);
    if (status == ST_OK)
        status = open_master(params, &master, why);
    if (status == ST_OK)
        status = vault_new(master, &home->vault);
    return status;
}

static enum status make_first_keys(struct write_op *op, void *arg)
{
    struct home *home = arg;
    struct id group;
    TRY(vault_init(op, home->vault));
    return enrol_group(op, home->vault, STR(ENROL_GROUP_DEFAULT), &group);
}

static enum status init_store(struct home *home, struct buf *why)
{
    struct write_actor actor = {.type = "cli"};
    struct arena arena;
    struct id store_id;
    enum status status = migrate_init(home->kv, &store_id);
    if (status == ST_CONFLICT)
        buf_printf(why, "the store is initialised already");
    TRY(status);
    TRY(writer_start(home->kv, &home->writer));
    arena_init(&arena, HOME_ARENA_BYTES);
    status = writer_run(home->writer, &actor, &arena, make_first_keys, home, NULL);
    arena_wipe(&arena);
    return status;
}

enum status home_init(const struct params *params, const char *const *link_names, size_t name_count,
                      struct buf *why)
{
    struct home home = {NULL, NULL, NULL};
    char path[HOME_PATH_MAX];
    home_path(params, "", path);
    TRY(make_folder(path, why));
    TRY(make_master_key(params, why));
    TRY(make_link_pki(params, link_names, name_count, why));
    enum status status = open_parts(params, &home, why);
    if (status == ST_OK)
        status = init_store(&home, why);
    home_close(&home);
    return status;
}

enum status home_open(const struct params *params, struct home *home, struct buf *why)
{
    struct kv_txn *txn = NULL;
    *home = (struct home){NULL, NULL, NULL};
    enum status status = open_parts(params, home, why);
    if (status == ST_OK) {
        status = migrate_check(home->kv);
        if (status == ST_NOT_FOUND)
            buf_printf(why, "the store is not initialised: run `sluicectl init`");
    }
    if (status == ST_OK)
        status = kv_begin(home->kv, false, &txn);
    if (status == ST_OK)
        status = vault_check(home->vault, txn);
    kv_abort(txn);
    if (status == ST_BAD_SEAL)
        buf_printf(why, "the master key does not open this store");
    if (status == ST_OK)
        status = writer_start(home->kv, &home->writer);
    if (status != ST_OK)
        home_close(home);
    return status;
}

void home_close(struct home *home)
{
    writer_stop(home->writer);
    vault_free(home->vault);
    if (home->kv != NULL)
        kv_close(home->kv);
    *home = (struct home){NULL, NULL, NULL};
}

enum status home_read_pem(const struct params *params, const char *name, struct secret **pem)
{
    char path[HOME_PATH_MAX];
    home_path(params, name, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return status_from_errno(errno);
    struct secret *raw = NULL, *text = NULL;
    TRY(secret_read_fd(fd, 0, &raw));
    struct str bytes = secret_open(raw);
    enum status status = secret_new(bytes.n + 1, &text);
    if (status == ST_OK) {
        memcpy(secret_open_write(text), bytes.p, bytes.n);
        secret_close(text);
        *pem = text;
    }
    secret_close(raw);
    secret_free(raw);
    return status;
}
