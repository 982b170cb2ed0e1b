/* idempotency_test.c: a request that comes again is answered again; what differs is told apart. */
#include "control-plane/api/idempotency.h"
#include "common/clock.h"
#include "tests/unit/control-plane/api_fixture.h"

static void begin(void)
{
    clock_test_set(1, 1795000000000);
    api_fixture_open();
}

TestSuite(idempotency, .init = begin, .fini = api_fixture_close);

static struct answer post_as(struct str key, const char *name, const char *path, const char *body)
{
    struct http_header headers[] = {{STR("x-portkey-api-key"), key}, {STR("idempotency-key"), str_c(name)}};
    return api_send(headers, COUNT_OF(headers), "POST", path, body);
}

static struct answer post(const char *name, const char *path, const char *body)
{
    return post_as(ADMIN, name, path, body);
}

#define KEYS "/v1/api-keys/organisation/service"
#define BODY "{\"name\":\"k\",\"scopes\":[\"organisation_users.list\"]}"

/* The one answer that holds a key that is never shown again. */
Test(idempotency, a_repeated_create_is_one)
{
    struct answer first = post("a", KEYS, BODY);
    EXPECT_STATUS(first, 200);
    uint64_t revision = writer_revision(fx.store.writer);
    for (int i = 0; i < 3; i++) {
        struct answer again = post("a", KEYS, BODY);
        EXPECT_STATUS(again, 200);
        cr_expect(str_eq(again.text, first.text) && str_eq(again.revision, first.revision), STR_FMT, STR_ARG(again.text));
        cr_expect(str_eq(again.replayed, STR("true")));
    }
    cr_expect_null(first.replayed.p);
    cr_expect_eq(writer_revision(fx.store.writer), revision, "nothing was changed");
    EXPECT_RAW(api_call(ADMIN, "GET", "/v1/api-keys", NULL), "total", "4");
    struct answer other = post("b", KEYS, BODY);
    cr_expect_not(str_eq(other.text, first.text));
    EXPECT_RAW(api_call(ADMIN, "GET", "/v1/api-keys", NULL), "total", "5");
}

Test(idempotency, another_request_with_the_same_key)
{
    EXPECT_STATUS(post("a", KEYS, BODY), 200);
    static const char *const other[][2] = {
        {KEYS, "{\"name\":\"other\",\"scopes\":[]}"},
        {KEYS, BODY " "},
        {KEYS "?wait=applied", BODY},
        {"/v1/admin/workspaces", "{\"name\":\"w\"}"},
    };
    for (size_t i = 0; i < COUNT_OF(other); i++) {
        struct answer got = post("a", other[i][0], other[i][1]);
        EXPECT_STATUS(got, 422);
        cr_expect(str_find(got.text, STR("idempotency-key: ")) > 0, STR_FMT, STR_ARG(got.text));
    }
}

/* Keys of two callers do not meet. */
Test(idempotency, is_of_one_caller)
{
    struct answer first = post("a", "/v1/admin/workspaces", "{\"name\":\"w\"}");
    struct answer other = post_as(fx.org[1].org_key, "a", "/v1/admin/workspaces", "{\"name\":\"w\"}");
    EXPECT_STATUS(other, 200);
    cr_expect_not(str_eq(text_at(first.body, "id"), text_at(other.body, "id")));
    struct answer second = api_call(ADMIN, "POST", KEYS, "{\"name\":\"k\",\"scopes\":[\"workspaces.create\"]}");
    struct answer third = post_as(text_at(second.body, "key"), "a", "/v1/admin/workspaces", "{\"name\":\"w\"}");
    EXPECT_STATUS(third, 200);
    cr_expect_not(str_eq(text_at(first.body, "id"), text_at(third.body, "id")));
}

/* What was refused is tried again; a call that may no longer be made is not answered from memory. */
Test(idempotency, refusals_are_not_kept)
{
    EXPECT_STATUS(post("a", KEYS, "{}"), 400);
    EXPECT_STATUS(post("a", KEYS, BODY), 200);
    struct answer narrow = api_call(ADMIN, "POST", KEYS, "{\"name\":\"k\",\"scopes\":[\"workspaces.create\"]}");
    struct str key = text_at(narrow.body, "key");
    EXPECT_STATUS(post_as(key, "a", "/v1/admin/workspaces", "{\"name\":\"w\"}"), 200);
    EXPECT_STATUS(api_call(ADMIN, "PUT", TARGET("/v1/api-keys/" STR_FMT, STR_ARG(text_at(narrow.body, "id"))), "{\"scopes\":[]}"), 200);
    EXPECT_STATUS(post_as(key, "a", "/v1/admin/workspaces", "{\"name\":\"w\"}"), 403);
}

/* After rotation the caller has another value, which cannot open what the old one was told. */
Test(idempotency, another_value_of_the_credential)
{
    struct answer made = api_call(ADMIN, "POST", KEYS, "{\"name\":\"k\",\"scopes\":[\"workspaces.create\",\"organisation_service_api_keys.rotate\"]}");
    struct str key = text_at(made.body, "key");
    EXPECT_STATUS(post_as(key, "a", "/v1/admin/workspaces", "{\"name\":\"w\"}"), 200);
    struct answer rotated = api_call(ADMIN, "POST", TARGET("/v1/api-keys/" STR_FMT "/rotate", STR_ARG(text_at(made.body, "id"))), NULL);
    EXPECT_STATUS(post_as(text_at(rotated.body, "key"), "a", "/v1/admin/workspaces", "{\"name\":\"w\"}"), 422);
    EXPECT_STATUS(post_as(key, "a", "/v1/admin/workspaces", "{\"name\":\"w\"}"), 200);
}

Test(idempotency, syntax)
{
    static char text[IDEMPOTENCY_KEY_MAX + 2];
    memset(text, 'k', IDEMPOTENCY_KEY_MAX + 1);
    EXPECT_STATUS(post(text, KEYS, BODY), 400);
    text[IDEMPOTENCY_KEY_MAX] = '\0';
    EXPECT_STATUS(post(text, KEYS, BODY), 200);
    EXPECT_STATUS(post("", KEYS, BODY), 400);
    EXPECT_STATUS(post("a b", KEYS, BODY), 400);
    EXPECT_STATUS(post("\xC3\xA4", KEYS, BODY), 400);
}

static enum status purge(struct write_op *op, void *arg)
{
    struct key place = {.n = 0};
    return idempotency_purge(op, &place, arg);
}

Test(idempotency, is_forgotten_after_a_day)
{
    bool left;
    struct answer first = post("a", "/v1/admin/workspaces", "{\"name\":\"w\"}");
    clock_test_advance(IDEMPOTENCY_KEEP_MS - 1);
    cr_expect(str_eq(post("a", "/v1/admin/workspaces", "{\"name\":\"w\"}").text, first.text));
    OK(writer_run(fx.store.writer, NULL, &fx.store.arena, purge, &left, NULL));
    cr_expect(str_eq(post("a", "/v1/admin/workspaces", "{\"name\":\"w\"}").text, first.text));
    clock_test_advance(1);
    struct answer anew = post("a", "/v1/admin/workspaces", "{\"name\":\"other\"}");
    EXPECT_STATUS(anew, 200);
    OK(writer_run(fx.store.writer, NULL, &fx.store.arena, purge, &left, NULL));
    cr_expect_not(left);
    cr_expect(str_eq(post("a", "/v1/admin/workspaces", "{\"name\":\"other\"}").text, anew.text));
}

/* The store holds no text of a new key. */
Test(idempotency, is_sealed)
{
    struct answer made = post("a", KEYS, BODY);
    struct str key = text_at(made.body, "key");
    struct kv_cursor *cursor;
    struct kv_txn *txn = fixture_read(&fx.store);
    struct str name, row;
    OK(kv_cursor_open(txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, STR(""));
    while (kv_cursor_next(cursor, &name, &row) == ST_OK)
        cr_expect_lt(str_find(row, key), 0);
    kv_cursor_close(cursor);
    kv_abort(txn);
}
