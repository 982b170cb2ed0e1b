/* Vault: boxes open only where they belong, keys rotate, a removed node opens nothing new, nothing
 * readable stays. */
#include "control-plane/vault/vault.h"

#include <fcntl.h>

#include "tests/unit/common/secret_scan.h"
#include "tests/unit/control-plane/store_fixture.h"

#define SK "{\"key\":\"sk-very-secret-0123456789\"}"

static struct fixture f;
static struct vault *vault;

typedef enum status (*step)(struct write_op *op);
static struct id org, integration, group;
static struct str plain;
static struct vault_owner owner;
static struct secret *new_master;
static struct vault_reseal job;

static enum status run_step(struct write_op *op, void *arg)
{
    return (*(step *)arg)(op);
}

static enum status run(step fn)
{
    return fixture_write(&f, run_step, &fn, NULL);
}

static enum status step_init(struct write_op *op)
{
    return vault_init(op, vault);
}

static enum status step_group(struct write_op *op)
{
    return vault_add_group(op, vault, &group);
}

static enum status step_put(struct write_op *op)
{
    Sluice__Integration row = SLUICE__INTEGRATION__INIT;
    struct record_key key = {.kind = SLUICE__KIND__KIND_INTEGRATION, .org = org, .id = integration};
    TRY(vault_seal_secrets(op, vault, &owner, plain, &row.secrets));
    row.id = wire_id_data(&integration);
    return record_put(op, &key, &row, STR("openai"));
}

static enum status step_rotate(struct write_op *op)
{
    return vault_rotate(op, vault);
}

static enum status step_rotate_group(struct write_op *op)
{
    return vault_rotate_group(op, vault, &group);
}

static enum status step_reseal(struct write_op *op, void *arg)
{
    return vault_reseal_step(op, vault, *(size_t *)arg, &job);
}

static enum status step_master(struct write_op *op)
{
    return vault_rotate_master(op, vault, new_master);
}

static void vault_begin(void)
{
    static const struct str hosts[] = {{"B.example:8443", 14}, {"a.example", 9}, {"A.example", 9}};
    struct secret *master;
    fixture_open(&f);
    OK(secret_random(SEAL_KEY_BYTES, &master));
    OK(vault_new(master, &vault));
    org = test_id(1);
    integration = test_id(2);
    group = test_id(3);
    owner = (struct vault_owner){
        .org = org, .id = integration, .version = 1, .hosts = hosts, .host_count = 3};
    plain = STR(SK);
    OK(run(step_init));
    OK(run(step_group));
    OK(run(step_put));
}

static void vault_end(void)
{
    vault_free(vault);
    fixture_close(&f);
}

static Sluice__Integration *get_integration(void)
{
    Sluice__Integration *row;
    struct record_key key = {.kind = SLUICE__KIND__KIND_INTEGRATION, .org = org, .id = integration};
    struct kv_txn *txn = fixture_read(&f);
    OK(record_get(txn, &key, &f.arena, &row, NULL));
    kv_abort(txn);
    return row;
}

static enum status try_open(const struct id *of_org, const struct id *of,
                            const Sluice__SealedSecrets *sealed)
{
    struct secret *got = NULL;
    struct kv_txn *txn = fixture_read(&f);
    enum status status = vault_open_secrets(vault, txn, of_org, of, sealed, &got);
    kv_abort(txn);
    if (status == ST_OK) {
        cr_assert(str_eq(secret_open(got), plain));
        secret_close(got);
    }
    secret_free(got);
    return status;
}

Test(vault, opens_where_it_belongs_only, .init = vault_begin, .fini = vault_end)
{
    Sluice__SealedSecrets *sealed = get_integration()->secrets;
    struct id other = test_id(9);
    cr_assert_eq(sealed->n_hosts, 2);
    cr_assert_str_eq(sealed->hosts[0], "a.example");
    cr_assert_str_eq(sealed->hosts[1], "b.example:8443");
    cr_assert_eq(sealed->n_delivery, 1);
    OK(try_open(&org, &integration, sealed));
    IS(try_open(&other, &integration, sealed), ST_BAD_SEAL);
    IS(try_open(&org, &other, sealed), ST_BAD_SEAL);
    sealed->version = 2;
    IS(try_open(&org, &integration, sealed), ST_BAD_SEAL);
    sealed->version = 1;
    sealed->n_hosts = 1;
    IS(try_open(&org, &integration, sealed), ST_BAD_SEAL);
    sealed->n_hosts = 2;
    ProtobufCBinaryData box = sealed->vault_box;
    sealed->vault_box = sealed->delivery[0]->box; /* the other key family's box */
    cr_assert_neq(try_open(&org, &integration, sealed), ST_OK);
    sealed->vault_box = box;
    OK(try_open(&org, &integration, sealed));
}

Test(vault, hosts_are_refused, .init = vault_begin, .fini = vault_end)
{
    const struct str bad[] = {STR("a,b"), STR("a b"), STR(""), STR("a\n"), STR("\xC3\xA9.example")};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        owner.hosts = &bad[i];
        owner.host_count = 1;
        cr_assert_eq(run(step_put), ST_INVALID, "row %zu", i);
    }
}

Test(vault, another_master_key_opens_nothing, .init = vault_begin, .fini = vault_end)
{
    struct secret *master;
    struct vault *other;
    struct kv_txn *txn = fixture_read(&f);
    OK(vault_check(vault, txn));
    OK(secret_random(SEAL_KEY_BYTES, &master));
    OK(vault_new(master, &other));
    IS(vault_check(other, txn), ST_BAD_SEAL);
    vault_free(other);
    kv_abort(txn);
    OK(secret_random(SEAL_KEY_BYTES - 1, &master));
    IS(vault_new(master, &other), ST_INVALID);
    IS(run(step_init), ST_CONFLICT);
    IS(run(step_group), ST_CONFLICT);
}

/* --- nodes ---------------------------------------------------------------------------------------
 */

struct test_node {
    uint8_t pk[SEAL_PK_BYTES];
    struct secret *sk, *delivery;
    Sluice__Node row;
};

static void node_make(struct test_node *node)
{
    OK(seal_keypair(node->pk, &node->sk));
    node->delivery = NULL;
    node->row = (Sluice__Node)SLUICE__NODE__INIT;
    node->row.group = wire_id_data(&group);
    node->row.public_key = (ProtobufCBinaryData){SEAL_PK_BYTES, node->pk};
}

/* What the feed would give the node: its group's delivery key. */
static enum status node_pull(struct test_node *node)
{
    struct record_cursor *cursor;
    struct record_key key;
    Sluice__DeliveryKey *row, out;
    struct kv_txn *txn = fixture_read(&f);
    OK(record_cursor_open(txn, SLUICE__KIND__KIND_DELIVERY_KEY, &ID_NONE, &group, &cursor));
    OK(record_cursor_next(cursor, &f.arena, &key, &row, NULL));
    IS(record_cursor_next(cursor, NULL, &key, NULL, NULL), ST_END);
    record_cursor_close(cursor);
    enum status status = vault_delivery_for_node(vault, txn, &f.arena, row, &node->row, &out);
    kv_abort(txn);
    TRY(status);
    cr_assert(out.vault_box.len == 0 && out.vault_key.len == 0);
    secret_free(node->delivery);
    OK(seal_open_from(node->pk, node->sk, wire_str(&out.node_box), &node->delivery));
    return ST_OK;
}

static enum status node_opens(struct test_node *node)
{
    Sluice__SealedSecrets *sealed = get_integration()->secrets;
    struct seal_scope scope = {.org = org,
                               .owner = integration,
                               .field = "secrets",
                               .version = sealed->version,
                               .hosts = STR("a.example,b.example:8443")};
    struct secret *got;
    struct kv_txn *txn = fixture_read(&f);
    OK(vault_secrets_for_group(txn, &group, sealed));
    kv_abort(txn);
    cr_assert(sealed->vault_box.len == 0 && sealed->n_delivery == 1);
    TRY(seal_open(node->delivery, &scope, wire_str(&sealed->delivery[0]->box), &got));
    cr_assert(str_eq(secret_open(got), plain));
    secret_close(got);
    secret_free(got);
    return ST_OK;
}

static enum status count_change(void *arg, const struct record_change *change)
{
    size_t *kinds = arg;
    kinds[change->key.kind + (change->deleted ? 32 : 0)]++;
    return ST_OK;
}

Test(vault, a_removed_node_opens_nothing_new, .init = vault_begin, .fini = vault_end)
{
    struct test_node gone, stays;
    node_make(&gone);
    node_make(&stays);
    OK(node_pull(&gone));
    OK(node_pull(&stays));
    OK(node_opens(&gone));
    uint64_t before = writer_revision(f.writer);
    OK(run(step_rotate_group));
    cr_assert_eq(writer_revision(f.writer), before + 1);
    gone.row.revoked = true;
    IS(node_pull(&gone), ST_NODE_REVOKED);
    IS(node_opens(&gone), ST_BAD_SEAL);
    IS(node_opens(&stays), ST_BAD_SEAL); /* until it has pulled that revision */
    OK(node_pull(&stays));
    OK(node_opens(&stays));
    size_t kinds[64] = {0};
    bool more;
    struct kv_txn *txn = fixture_read(&f);
    OK(record_changes(txn, before, STR_NONE, SIZE_MAX, count_change, kinds, &more));
    kv_abort(txn);
    cr_assert_eq(kinds[SLUICE__KIND__KIND_INTEGRATION], 1);
    cr_assert_eq(kinds[SLUICE__KIND__KIND_DELIVERY_KEY], 1);
    cr_assert_eq(kinds[SLUICE__KIND__KIND_DELIVERY_KEY + 32], 1);
    cr_assert_eq(kinds[SLUICE__KIND__KIND_VAULT_KEY], 0);
    secret_free(gone.sk);
    secret_free(gone.delivery);
    secret_free(stays.sk);
    secret_free(stays.delivery);
}

Test(vault, groups_have_keys_of_their_own, .init = vault_begin, .fini = vault_end)
{
    struct test_node node;
    struct id first = group;
    node_make(&node);
    group = test_id(4);
    OK(run(step_group)); /* existing credentials are sealed for it, too */
    cr_assert_eq(get_integration()->secrets->n_delivery, 2);
    OK(node_pull(&node));
    OK(node_opens(&node));
    struct kv_txn *txn = fixture_read(&f);
    Sluice__DeliveryKey key = SLUICE__DELIVERY_KEY__INIT, out;
    key.id = wire_id_data(&first);
    key.group = wire_id_data(&first);
    IS(vault_delivery_for_node(vault, txn, &f.arena, &key, &node.row, &out), ST_FORBIDDEN);
    kv_abort(txn);
    group = test_id(5);
    IS(run(step_rotate_group), ST_NOT_FOUND);
    secret_free(node.sk);
    secret_free(node.delivery);
}

/* --- rotation ------------------------------------------------------------------------------------
 */

static size_t count_vault_keys(void)
{
    struct record_cursor *cursor;
    size_t count = 0;
    struct kv_txn *txn = fixture_read(&f);
    OK(record_cursor_open(txn, SLUICE__KIND__KIND_VAULT_KEY, &ID_NONE, &ID_NONE, &cursor));
    while (record_cursor_next(cursor, NULL, NULL, NULL, NULL) == ST_OK)
        count++;
    record_cursor_close(cursor);
    kv_abort(txn);
    return count;
}

static unsigned reseal_all(size_t rows)
{
    unsigned steps = 0;
    job = (struct vault_reseal){0};
    while (!job.done) {
        OK(writer_run(f.writer, NULL, &f.arena, step_reseal, &rows, NULL));
        cr_assert_lt(++steps, 100);
    }
    return steps;
}

Test(vault, vault_key_rotates_in_steps, .init = vault_begin, .fini = vault_end)
{
    struct test_node node;
    for (uint8_t i = 20; i < 30; i++) {
        integration = owner.id = org = owner.org = test_id(i);
        OK(run(step_put));
    }
    OK(run(step_rotate));
    cr_assert_eq(count_vault_keys(), 2);
    OK(try_open(&org, &integration, get_integration()->secrets));
    size_t one = 1;
    job = (struct vault_reseal){0};
    OK(writer_run(f.writer, NULL, &f.arena, step_reseal, &one,
                  NULL)); /* and then the process dies */
    cr_assert_gt(reseal_all(1), 1);
    cr_assert_eq(count_vault_keys(), 1);
    OK(try_open(&org, &integration, get_integration()->secrets));
    node_make(&node);
    OK(node_pull(&node));
    OK(node_opens(&node));
    uint64_t before = writer_revision(f.writer);
    reseal_all(100); /* nothing to do: no revision */
    cr_assert_eq(writer_revision(f.writer), before);
    secret_free(node.sk);
    secret_free(node.delivery);
}

Test(vault, master_key_rotates, .init = vault_begin, .fini = vault_end)
{
    char bytes[SEAL_KEY_BYTES] = "another master key of 32 bytes..", copy[SEAL_KEY_BYTES];
    struct secret *master;
    struct vault *reopened;
    memcpy(copy, bytes, sizeof copy);
    OK(secret_take(bytes, sizeof bytes, &new_master));
    OK(run(step_master));
    IS(run(step_rotate), ST_AGAIN);
    vault_rotate_master_done(vault, true);
    OK(try_open(&org, &integration, get_integration()->secrets));
    OK(run(step_rotate));
    OK(secret_take(copy, sizeof copy, &master));
    OK(vault_new(master, &reopened));
    struct kv_txn *txn = fixture_read(&f);
    OK(vault_check(reopened, txn));
    kv_abort(txn);
    vault_free(reopened);
}

/* --- what stays readable -------------------------------------------------------------------------
 */

static bool file_has(const char *name, struct str needle)
{
    char path[128];
    static char text[4 << 20];
    snprintf(path, sizeof path, "%s/%s", f.path, name);
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    cr_assert(n > 0);
    return str_find(str_of(text, (size_t)n), needle) >= 0;
}

Test(vault, nothing_readable_on_disk_or_in_memory, .init = vault_begin, .fini = vault_end)
{
    unsigned char canary[sizeof scan_canary];
    cr_assert_not(file_has("data.mdb", STR("sk-very-secret")));
    cr_assert(file_has("data.mdb", STR("b.example:8443")));
    scan_write(canary);
    plain = str_of((const char *)canary, sizeof canary);
    OK(run(step_put));
    OK(try_open(&org, &integration, get_integration()->secrets));
    OK(run(step_rotate_group));
    OK(run(step_rotate));
    reseal_all(10);
    secret_wipe(canary, sizeof canary);
    cr_assert_eq(scan_memory(), 0);
}

Test(vault, node_keys, .init = vault_begin, .fini = vault_end)
{
    struct secret *key, *got;
    struct id node = test_id(7), other = test_id(8), key_id;
    struct str box;
    struct kv_txn *txn = fixture_read(&f);
    OK(secret_random(SEAL_KEY_BYTES, &key));
    OK(vault_seal_key(vault, txn, &f.arena, &node, "node_key", key, &key_id, &box));
    OK(vault_open_key(vault, txn, &node, "node_key", box, &got));
    cr_assert(str_eq(secret_open(key), secret_open(got)));
    secret_close(key);
    secret_close(got);
    secret_free(got);
    IS(vault_open_key(vault, txn, &other, "node_key", box, &got), ST_BAD_SEAL);
    IS(vault_open_key(vault, txn, &node, "delivery_key", box, &got), ST_BAD_SEAL);
    IS(vault_open_key(vault, txn, &node, "node_key", STR("no box"), &got), ST_BAD_SEAL);
    kv_abort(txn);
    secret_free(key);
}
