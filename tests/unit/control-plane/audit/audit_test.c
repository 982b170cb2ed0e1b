/* Audit: lists and filters, and every kind of tampering is seen. */
#include "control-plane/store/keys.h"
#include "tests/unit/control-plane/store_fixture.h"

static const char *const actions[] = {"create", "update", "delete"};

static enum status write_audits(struct write_op *op, void *arg)
{
    unsigned i = *(unsigned *)arg;
    struct write_audit audit = {.action = actions[i % 3],
                                .resource_type = i % 2 == 0 ? "integration" : "provider",
                                .org = test_id(i % 5 == 0 ? 2 : 1),
                                .workspace = test_id((uint8_t)(10 + i % 4)),
                                .resource = test_id(77),
                                .slug = STR("slug"),
                                .after_json = STR("{\"a\":1}")};
    writer_audit(op, &audit);
    if (i % 10 == 0)
        writer_audit(op, &audit); /* two in one operation */
    return ST_OK;
}

static void fill(struct fixture *f, unsigned count)
{
    struct write_actor actor = {.id = test_id(5),
                                .type = "api_key",
                                .client_ip = STR("127.0.0.1"),
                                .request_id = STR("req"),
                                .method = STR("POST"),
                                .uri = STR("/v1/x\xFF\0y")};
    fixture_open(f);
    for (unsigned i = 0; i < count; i++)
        OK(writer_run(f->writer, i % 2 == 0 ? &actor : NULL, &f->arena, write_audits, &i, NULL));
}

static size_t count_all(struct fixture *f, const struct audit_filter *filter, size_t limit,
                        uint64_t *first)
{
    struct audit_place place = {0};
    struct audit_page page = {.more = true};
    size_t count = 0;
    uint64_t last = UINT64_MAX;
    while (page.more) {
        struct kv_txn *txn = fixture_read(f);
        OK(audit_list(txn, filter, &place, limit, &f->arena, &page));
        kv_abort(txn);
        for (size_t i = 0; i < page.count; i++) {
            cr_assert_leq(page.records[i]->revision, last);
            last = page.records[i]->revision;
            if (count + i == 0 && first != NULL)
                *first = last;
        }
        count += page.count;
        place = page.place;
    }
    return count;
}

Test(audit, lists_newest_first_with_filters)
{
    struct fixture f;
    uint64_t first = 0;
    fill(&f, 100);
    cr_assert_eq(count_all(&f, &(struct audit_filter){0}, 1000, &first), 110);
    cr_assert_eq(first, 100);
    for (size_t limit = 1; limit < 10; limit++) /* pages meet without gap or repetition */
        cr_assert_eq(count_all(&f, &(struct audit_filter){0}, limit, NULL), 110);
    const struct {
        struct audit_filter filter;
        size_t count;
    } rows[] = {
        {{.org = test_id(2)}, 20 + 10},
        {{.actor = test_id(5)}, 50 + 10},
        {{.workspace = test_id(11)}, 25},
        {{.resource_type = STR("provider")}, 50},
        {{.action = STR("delete")}, 33 + 3},
        {{.action = STR("delete"), .resource_type = STR("provider"), .org = test_id(1)}, 12},
        {{.start_ms = INT64_MAX}, 0},
        {{.end_ms = 1}, 0},
        {{.start_ms = 1, .end_ms = INT64_MAX}, 110},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_assert_eq(count_all(&f, &rows[i].filter, 7, NULL), rows[i].count, "row %zu: %zu", i,
                     count_all(&f, &rows[i].filter, 7, NULL));
    struct kv_txn *txn = fixture_read(&f);
    struct audit_page page;
    IS(audit_list(txn, &(struct audit_filter){0}, &(struct audit_place){0}, 0, &f.arena, &page),
       ST_RANGE);
    OK(audit_list(txn, &(struct audit_filter){.actor = test_id(5)}, &(struct audit_place){0}, 1,
                  &f.arena, &page));
    cr_assert_str_eq(page.records[0]->actor_type, "api_key");
    cr_assert_str_eq(page.records[0]->uri, "/v1/x??y"); /* bytes that could not be read back */
    kv_abort(txn);
    fixture_close(&f);
}

/* --- tampering -----------------------------------------------------------------------------------
 */

struct tamper {
    uint64_t revision, to;
    enum { TAMPER_EDIT, TAMPER_DROP, TAMPER_MOVE, TAMPER_ADD, TAMPER_CUT_TAIL } how;
};

static void row_key(struct key *key, uint64_t revision)
{
    key_init_space(key, KEY_SPACE_AUDIT);
    key_add_u64(key, revision);
    key_add_u16(key, 0);
}

static enum status tamper(struct write_op *op, void *arg)
{
    struct tamper *t = arg;
    struct key from, to;
    struct str row;
    op->no_revision = true;
    row_key(&from, t->revision);
    row_key(&to, t->to);
    TRY(kv_get(op->txn, KV_MAIN, key_str(&from), &row));
    char *copy = arena_cstr(op->arena, row);
    cr_assert_not_null(copy);
    if (t->how == TAMPER_EDIT) {
        char *at = strstr(copy + 2, "slug");
        for (size_t i = 0; at == NULL && i + 4 <= row.n; i++)
            at = memcmp(copy + i, "slug", 4) == 0 ? copy + i : NULL;
        cr_assert_not_null(at);
        at[0] = 'S';
        return kv_put(op->txn, KV_MAIN, key_str(&from), str_of(copy, row.n));
    }
    if (t->how != TAMPER_ADD)
        TRY(kv_delete(op->txn, KV_MAIN, key_str(&from)));
    if (t->how == TAMPER_MOVE || t->how == TAMPER_ADD)
        return kv_put(op->txn, KV_MAIN, key_str(&to), str_of(copy, row.n));
    return ST_OK;
}

static struct audit_check check_chain(struct fixture *f, size_t rows)
{
    struct audit_check check = {0};
    while (!check.done) {
        struct kv_txn *txn = fixture_read(f);
        OK(audit_check_step(txn, rows, &check));
        kv_abort(txn);
    }
    return check;
}

Test(audit, tampering_is_seen)
{
    const struct {
        struct tamper how;
        uint64_t bad_revision;
    } rows[] = {
        {{.revision = 7, .how = TAMPER_EDIT}, 8},
        {{.revision = 7, .how = TAMPER_DROP}, 8},
        {{.revision = 2, .how = TAMPER_DROP}, 3},
        {{.revision = 7, .to = 70, .how = TAMPER_MOVE}, 8},
        {{.revision = 7, .to = 300, .how = TAMPER_ADD}, 300},
        {{.revision = 25, .how = TAMPER_CUT_TAIL}, 0},
        {{.revision = 25, .how = TAMPER_EDIT}, 0}, /* the newest: only the head row knows */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture f;
        fill(&f, 25);
        struct audit_check check = check_chain(&f, 3);
        cr_assert(check.intact && check.count == 28);
        struct tamper how = rows[i].how;
        OK(writer_run(f.writer, NULL, &f.arena, tamper, &how, NULL));
        check = check_chain(&f, 5);
        cr_assert_not(check.intact, "row %zu", i);
        cr_assert_eq(check.bad_revision, rows[i].bad_revision, "row %zu: %llu", i,
                     (unsigned long long)check.bad_revision);
        fixture_close(&f);
    }
}

/* --- records without a revision of their own --- */

static enum status write_quietly(struct write_op *op, void *arg)
{
    struct write_audit audit = {.action = "alert", .resource_type = "api_key"};
    op->no_revision = true;
    for (int i = 0; i < *(int *)arg; i++)
        writer_audit(op, &audit);
    return ST_OK;
}

Test(audit, records_without_revision_follow_the_newest_one)
{
    struct fixture f;
    struct audit_page page;
    int two = 2;
    uint64_t revision;
    fill(&f, 0);
    OK(writer_run(f.writer, NULL, &f.arena, write_quietly, &two, NULL));
    for (unsigned i = 1; i < 4; i++)
        OK(writer_run(f.writer, NULL, &f.arena, write_audits, &i, NULL));
    revision = writer_revision(f.writer);
    OK(writer_run(f.writer, NULL, &f.arena, write_quietly, &two, NULL));
    OK(writer_run(f.writer, NULL, &f.arena, write_quietly, &two, NULL));
    cr_expect_eq(writer_revision(f.writer), revision);
    for (unsigned i = 4; i < 8; i++)
        OK(writer_run(f.writer, NULL, &f.arena, write_audits, &i, NULL));
    struct kv_txn *txn = fixture_read(&f);
    OK(audit_list(txn, &(struct audit_filter){.action = STR("alert")}, &(struct audit_place){0}, 100,
                  &f.arena, &page));
    kv_abort(txn);
    cr_expect_eq(page.count, 6);
    cr_expect_eq(page.records[0]->revision, revision);
    cr_expect_eq(page.records[5]->revision, 0);
    cr_expect(check_chain(&f, 3).intact);
    fixture_close(&f);
}

Test(audit, a_revision_is_taken_when_there_is_no_room)
{
    struct fixture f;
    int many = 6000;
    fill(&f, 1);
    uint64_t revision = writer_revision(f.writer);
    for (int i = 0; i < 10; i++)
        OK(writer_run(f.writer, NULL, &f.arena, write_quietly, &many, NULL));
    cr_expect_eq(writer_revision(f.writer), revision);
    OK(writer_run(f.writer, NULL, &f.arena, write_quietly, &many, NULL));
    cr_expect_eq(writer_revision(f.writer), revision + 1);
    cr_expect(check_chain(&f, 5000).intact);
    fixture_close(&f);
}
