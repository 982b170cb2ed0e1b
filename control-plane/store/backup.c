/* backup.c: copy, describe, prove, restore.
 *
 * Invariant: what backup_restore opens is byte for byte what backup_make described. The manifest
 * says what is in the copy, so it is read from the copy, not from the store, which has moved on.
 * Restoring gives the store a new id in a folder of its own before one rename puts it where it is
 * opened: it is another history from here on, and there is no moment in which it is the old one.
 * Files are synced before their name counts, names before the call returns.
 */
#include "control-plane/store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/json_tree.h"
#include "control-plane/store/migrate.h"
#include "control-plane/store/records.h"

#define BACKUP_PATH_MAX    4096
#define BACKUP_HASH_BYTES  32u
#define BACKUP_CHUNK       ((size_t)1 << 20)
#define BACKUP_MANIFEST    4096u
#define BACKUP_FILE_MODE   0600
#define BACKUP_FOLDER_MODE 0700

struct backup_manifest {
    struct backup_info info;
    char hash[2 * BACKUP_HASH_BYTES + 1]; /* hex */
};

static enum status backup_name(const char *folder, const char *file, char name[BACKUP_PATH_MAX])
{
    int n = snprintf(name, BACKUP_PATH_MAX, "%s/%s", folder, file);
    return n < 0 || n >= BACKUP_PATH_MAX ? ST_INVALID : ST_OK;
}

static void backup_unlink(const char *folder, const char *file)
{
    char name[BACKUP_PATH_MAX];
    if (backup_name(folder, file, name) == ST_OK)
        (void)unlink(name);
}

static enum status backup_write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return status_from_errno(errno);
        p += done;
        n -= (size_t)done;
    }
    return ST_OK;
}

static enum status backup_sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return status_from_errno(errno);
    enum status status = fsync(fd) == 0 ? ST_OK : status_from_errno(errno);
    close(fd);
    return status;
}

/* Reads a file through; hashes it and, if `to` is a descriptor, copies it. */
static enum status backup_read_through(const char *folder, int to, uint64_t *bytes,
                                       char hash[2 * BACKUP_HASH_BYTES + 1])
{
    char name[BACKUP_PATH_MAX];
    uint8_t raw[BACKUP_HASH_BYTES];
    crypto_generichash_state state;
    enum status status = ST_OK;
    TRY(backup_name(folder, "data.mdb", name));
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return status_from_errno(errno);
    char *chunk = malloc(BACKUP_CHUNK);
    if (chunk == NULL) {
        close(fd);
        return ST_NO_MEMORY;
    }
    CHECK(crypto_generichash_init(&state, NULL, 0, sizeof raw) == 0);
    *bytes = 0;
    for (;;) {
        ssize_t n = read(fd, chunk, BACKUP_CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            status = n == 0 ? ST_OK : status_from_errno(errno);
            break;
        }
        crypto_generichash_update(&state, (const uint8_t *)chunk, (size_t)n);
        *bytes += (uint64_t)n;
        if (to >= 0)
            status = backup_write_all(to, chunk, (size_t)n);
        if (status != ST_OK)
            break;
    }
    CHECK(crypto_generichash_final(&state, raw, sizeof raw) == 0);
    sodium_bin2hex(hash, 2 * sizeof raw + 1, raw, sizeof raw);
    free(chunk);
    close(fd);
    return status;
}

/* --- making --------------------------------------------------------------------------------------
 */

/* What is in the copy; opening it leaves LMDB's lock files, which are no part of a backup. */
static enum status backup_describe(const char *path, struct backup_info *info)
{
    struct kv *kv;
    struct kv_txn *txn;
    TRY(kv_open(path, &(struct kv_options){.read_only = true}, &kv));
    enum status status = kv_begin(kv, false, &txn);
    if (status == ST_OK) {
        status = record_revision(txn, &info->revision);
        if (status == ST_OK)
            status = record_store_id(txn, &info->store_id);
        kv_abort(txn);
    }
    kv_close(kv);
    backup_unlink(path, "lock.mdb");
    backup_unlink(path, "store.lock");
    return status;
}

static enum status backup_write_manifest(const char *path, const struct backup_manifest *manifest)
{
    char name[BACKUP_PATH_MAX], partial[BACKUP_PATH_MAX], text[BACKUP_MANIFEST];
    char id[ID_TEXT + 1], at[CLOCK_TEXT + 1];
    TRY(backup_name(path, "manifest.json", name));
    TRY(backup_name(path, "manifest.json.partial", partial));
    id_to_text(&manifest->info.store_id, id);
    clock_to_text(clock_utc_ms(), at);
    int n = snprintf(text, sizeof text,
                     "{\"format\":%u,\"store_id\":\"%s\",\"revision\":%llu,\"created_at\":\"%s\","
                     "\"bytes\":%llu,\"blake2b\":\"%s\"}\n",
                     MIGRATE_FORMAT, id, (unsigned long long)manifest->info.revision, at,
                     (unsigned long long)manifest->info.bytes, manifest->hash);
    CHECK(n > 0 && (size_t)n < sizeof text);
    int fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, BACKUP_FILE_MODE);
    if (fd < 0)
        return status_from_errno(errno);
    enum status status = backup_write_all(fd, text, (size_t)n);
    if (status == ST_OK && fsync(fd) != 0)
        status = status_from_errno(errno);
    close(fd);
    if (status == ST_OK && rename(partial, name) != 0)
        status = status_from_errno(errno);
    if (status != ST_OK)
        (void)unlink(partial);
    return status;
}

enum status backup_make(struct kv *kv, const char *path, struct backup_info *info)
{
    struct backup_manifest manifest = {0};
    TRY(kv_copy(kv, path));
    enum status status;
    TRY_OUT(backup_describe(path, &manifest.info));
    TRY_OUT(backup_read_through(path, -1, &manifest.info.bytes, manifest.hash));
    TRY_OUT(backup_write_manifest(path, &manifest));
    TRY_OUT(backup_sync_folder(path));
    *info = manifest.info;
out:
    if (status != ST_OK) {
        backup_unlink(path, "manifest.json");
        backup_unlink(path, "data.mdb");
    }
    return status;
}

/* --- proving -------------------------------------------------------------------------------------
 */

static enum status backup_parse_manifest(struct arena *arena, struct str text,
                                         struct backup_manifest *manifest)
{
    struct json *root;
    struct str id, hash;
    uint64_t format;
    if (json_parse(arena, text, NULL, &root, NULL) != ST_OK ||
        json_u64(json_get(root, "format"), &format) != ST_OK || format != MIGRATE_FORMAT ||
        json_u64(json_get(root, "revision"), &manifest->info.revision) != ST_OK ||
        json_u64(json_get(root, "bytes"), &manifest->info.bytes) != ST_OK ||
        json_text(json_get(root, "store_id"), arena, &id) != ST_OK ||
        id_from_text(id, &manifest->info.store_id) != ST_OK ||
        json_text(json_get(root, "blake2b"), arena, &hash) != ST_OK ||
        hash.n != 2 * BACKUP_HASH_BYTES)
        return ST_BAD_FORMAT;
    memcpy(manifest->hash, hash.p, hash.n);
    manifest->hash[hash.n] = '\0';
    return ST_OK;
}

static enum status backup_read_manifest(const char *path, struct backup_manifest *manifest)
{
    char name[BACKUP_PATH_MAX], text[BACKUP_MANIFEST];
    struct arena arena;
    TRY(backup_name(path, "manifest.json", name));
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return status_from_errno(errno);
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    if (n <= 0 || (size_t)n == sizeof text)
        return n < 0 ? ST_IO : ST_BAD_FORMAT;
    arena_init(&arena, (size_t)256 << 10);
    enum status status = backup_parse_manifest(&arena, str_of(text, (size_t)n), manifest);
    arena_free(&arena);
    return status;
}

/* Reads data.mdb once, into `to` if that is a descriptor, and compares with the manifest. */
static enum status backup_prove(const char *path, int to, struct backup_info *info)
{
    struct backup_manifest manifest;
    char hash[2 * BACKUP_HASH_BYTES + 1];
    uint64_t bytes;
    TRY(backup_read_manifest(path, &manifest));
    TRY(backup_read_through(path, to, &bytes, hash));
    if (bytes != manifest.info.bytes || memcmp(hash, manifest.hash, sizeof hash) != 0)
        return ST_BAD_FORMAT;
    *info = manifest.info;
    return ST_OK;
}

enum status backup_check(const char *path, struct backup_info *info)
{
    return backup_prove(path, -1, info);
}

/* --- restoring -----------------------------------------------------------------------------------
 */

/* The copy becomes a store of its own in a folder where nobody looks for one; a leftover of a
 * restore that was cut off is overwritten. */
static enum status backup_stage(const char *path, const char *stage, struct id *store_id)
{
    char name[BACKUP_PATH_MAX];
    struct backup_info info;
    struct kv *kv;
    TRY(backup_name(stage, "data.mdb", name));
    if (mkdir(stage, BACKUP_FOLDER_MODE) != 0 && errno != EEXIST)
        return status_from_errno(errno);
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, BACKUP_FILE_MODE);
    if (fd < 0)
        return status_from_errno(errno);
    enum status status = backup_prove(path, fd, &info);
    if (status == ST_OK && fsync(fd) != 0)
        status = status_from_errno(errno);
    close(fd);
    TRY(status);
    TRY(kv_open(stage, NULL, &kv));
    status = migrate_check(kv);
    if (status == ST_OK)
        status = migrate_renew_id(kv, store_id);
    kv_close(kv);
    return status;
}

enum status backup_restore(const char *path, const char *data_path, struct id *store_id)
{
    char final[BACKUP_PATH_MAX], stage[BACKUP_PATH_MAX], staged[BACKUP_PATH_MAX];
    struct id id;
    TRY(backup_name(data_path, "data.mdb", final));
    TRY(backup_name(data_path, "restoring", stage));
    TRY(backup_name(stage, "data.mdb", staged));
    if (mkdir(data_path, BACKUP_FOLDER_MODE) != 0 && errno != EEXIST)
        return status_from_errno(errno);
    if (access(final, F_OK) == 0)
        return ST_CONFLICT;
    enum status status = backup_stage(path, stage, &id);
    if (status == ST_OK && rename(staged, final) != 0)
        status = status_from_errno(errno);
    if (status == ST_OK)
        status = backup_sync_folder(data_path);
    backup_unlink(stage, "data.mdb");
    backup_unlink(stage, "lock.mdb");
    backup_unlink(stage, "store.lock");
    (void)rmdir(stage);
    TRY(status);
    *store_id = id;
    return ST_OK;
}
