/* Format and identity of a store. */
#include "control-plane/store/migrate.h"

#include "control-plane/store/keys.h"
#include "tests/unit/control-plane/store_fixture.h"

static enum status put_format(struct write_op *op, void *arg)
{
    struct key key;
    key_init_meta(&key, KEY_META_FORMAT);
    op->no_revision = true;
    return kv_put(op->txn, KV_MAIN, key_str(&key), *(struct str *)arg);
}

Test(migrate, new_known_newer_and_damaged)
{
    struct fixture f;
    struct id id, again, stored;
    fixture_open(&f);
    IS(migrate_check(f.kv), ST_NOT_FOUND);
    OK(migrate_init(f.kv, &id));
    OK(migrate_check(f.kv));
    IS(migrate_init(f.kv, &again), ST_CONFLICT);
    struct kv_txn *txn = fixture_read(&f);
    OK(record_store_id(txn, &stored));
    cr_assert(id_eq(&id, &stored));
    kv_abort(txn);
    OK(migrate_renew_id(f.kv, &again));
    cr_assert_not(id_eq(&id, &again));
    struct str newer = STR("\0\0\0\2"), damaged = STR("\1");
    OK(writer_run(f.writer, NULL, &f.arena, put_format, &newer, NULL));
    IS(migrate_check(f.kv), ST_BAD_FORMAT);
    OK(writer_run(f.writer, NULL, &f.arena, put_format, &damaged, NULL));
    IS(migrate_check(f.kv), ST_BAD_FORMAT);
    fixture_close(&f);
}
