/* Backup under load restores to one exact revision; what is damaged is refused. */
#include "control-plane/store/backup.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "control-plane/store/keys.h"
#include "control-plane/store/migrate.h"
#include "tests/unit/control-plane/store_fixture.h"

static enum status put_number(struct write_op *op, void *arg)
{
    struct key key;
    (void)arg;
    key_init(&key);
    key_add_u8(&key, 0x7E);
    key_add_u64(&key, op->revision);
    return kv_put(op->txn, KV_MAIN, key_str(&key), STR("x"));
}

static atomic_bool stop;

static void *write_all_the_time(void *arg)
{
    struct fixture *f = arg;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    while (!atomic_load(&stop)) {
        struct fixture_call call = {put_number, NULL};
        OK(writer_run(f->writer, NULL, &arena, fixture_call, &call, NULL));
        arena_free(&arena);
    }
    return NULL;
}

static void check_restored(const char *path, const struct backup_info *info)
{
    struct fixture f = {0};
    struct audit_check check = {0};
    uint64_t revision, counted = 0;
    struct str key, value;
    struct kv_cursor *cursor;
    OK(kv_open(path, NULL, &f.kv));
    OK(migrate_check(f.kv));
    struct kv_txn *txn = fixture_read(&f);
    OK(record_revision(txn, &revision));
    cr_assert_eq(revision, info->revision);
    OK(audit_check_step(txn, SIZE_MAX, &check));
    cr_assert(check.done && check.intact && check.count == revision);
    OK(kv_cursor_open(txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, STR("\x7E"));
    while (kv_cursor_next(cursor, &key, &value) == ST_OK && key.p[0] == 0x7E)
        cr_assert_eq(key_get_u64(key.p + 1), ++counted);
    cr_assert_eq(counted, revision);
    kv_cursor_close(cursor);
    kv_abort(txn);
    kv_close(f.kv);
}

Test(backup, under_load)
{
    struct fixture f;
    struct id id, new_id;
    pthread_t thread;
    char path[96], restored[96];
    fixture_open(&f);
    OK(migrate_init(f.kv, &id));
    cr_assert_eq(pthread_create(&thread, NULL, write_all_the_time, &f), 0);
    for (int i = 0; i < 5; i++) {
        struct backup_info info, checked;
        writer_wait_revision(f.writer, writer_revision(f.writer) + 20, 10000);
        snprintf(path, sizeof path, "%s-b%d", f.path, i);
        snprintf(restored, sizeof restored, "%s-r%d", f.path, i);
        OK(backup_make(f.kv, path, &info));
        cr_assert(id_eq(&info.store_id, &id) && info.revision > 0);
        OK(backup_check(path, &checked));
        cr_assert_eq(checked.revision, info.revision);
        OK(backup_restore(path, restored, &new_id));
        cr_assert_not(id_eq(&new_id, &id));
        IS(backup_restore(path, restored, &new_id), ST_CONFLICT);
        struct backup_info again;
        IS(backup_make(f.kv, path, &again), ST_CONFLICT);
        OK(backup_check(path, &checked)); /* the refusal left the good one alone */
        check_restored(restored, &info);
        fixture_remove(path);
        fixture_remove(restored);
    }
    atomic_store(&stop, true);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    fixture_close(&f);
}

static void damage(const char *folder, const char *file, long at)
{
    char name[160];
    snprintf(name, sizeof name, "%s/%s", folder, file);
    int fd = open(name, O_RDWR);
    char c = 0;
    cr_assert(fd >= 0 && pread(fd, &c, 1, at) == 1);
    c = (char)(c ^ 1);
    cr_assert_eq(pwrite(fd, &c, 1, at), 1);
    close(fd);
}

Test(backup, damaged_is_refused_and_leaves_nothing)
{
    struct fixture f;
    struct id id;
    struct backup_info info;
    char path[96], restored[96], name[160];
    fixture_open(&f);
    OK(migrate_init(f.kv, &id));
    snprintf(path, sizeof path, "%s-b", f.path);
    snprintf(restored, sizeof restored, "%s-r", f.path);
    IS(backup_restore(path, restored, &id), ST_NOT_FOUND);
    OK(backup_make(f.kv, path, &info));
    damage(path, "data.mdb", 5000);
    IS(backup_check(path, &info), ST_BAD_FORMAT);
    IS(backup_restore(path, restored, &id), ST_BAD_FORMAT);
    snprintf(name, sizeof name, "%s/data.mdb", restored);
    cr_assert_neq(access(name, F_OK), 0);
    damage(path, "data.mdb", 5000);
    OK(backup_check(path, &info));
    damage(path, "manifest.json", 10); /* the format number */
    IS(backup_check(path, &info), ST_BAD_FORMAT);
    damage(path, "manifest.json", 10);
    OK(backup_restore(path, restored, &id));
    fixture_remove(path);
    fixture_remove(restored);
    fixture_close(&f);
}
