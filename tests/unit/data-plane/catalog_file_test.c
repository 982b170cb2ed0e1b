/* The catalog file: what is applied is seen whole or not at all, by this process and by readers in
 * others. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/wire.h"
#include "data-plane/catalog_file.h"

static char dir[64], path[96];
static struct arena arena;
static struct catalog *catalog;
static const struct id org = {{1}}, workspace = {{2}}, integration = {{3}}, store = {{9}},
                       other_store = {{8}};
static const char *refused;
static uint64_t refused_revision;

static void open_again(void)
{
    bool fresh;
    catalog_close(catalog);
    cr_assert_eq(catalog_open_writer(path, &catalog, &fresh), ST_OK);
}

static void setup(void)
{
    snprintf(dir, sizeof dir, "/tmp/catalog-test-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/catalog.mdb", dir);
    arena_init(&arena, 256u << 20);
    catalog = NULL;
    open_again();
}

static void teardown(void)
{
    static const char *const names[] = {"", "-lock", ".bad", "-lock.bad"};
    char name[128];
    catalog_close(catalog);
    arena_free(&arena);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        snprintf(name, sizeof name, "%s%s", path, names[i]);
        unlink(name);
    }
    rmdir(dir);
}

TestSuite(catalog_file, .init = setup, .fini = teardown);

/* --- making replies --- */

static ProtobufCBinaryData raw(const struct id *id)
{
    return wire_data(id_bytes(id));
}

static struct id id_n(unsigned n)
{
    return (struct id){{0xA0, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

static Sluice__ChangesReply *reply_new(bool full, bool more, uint64_t through)
{
    Sluice__ChangesReply *reply = arena_alloc(&arena, sizeof *reply);
    sluice__changes_reply__init(reply);
    reply->store_id = raw(&store);
    reply->full = full;
    reply->more = more;
    reply->through_revision = through;
    reply->changes = arena_alloc(&arena, 4096 * sizeof *reply->changes);
    return reply;
}

static Sluice__Change *add(Sluice__ChangesReply *reply, uint64_t revision, int kind,
                           const struct id *parent, struct id id, const ProtobufCMessage *message)
{
    Sluice__Change *change = arena_alloc(&arena, sizeof *change);
    struct id *keep = arena_alloc(&arena, 2 * sizeof *keep);
    sluice__change__init(change);
    keep[0] = id;
    keep[1] = *parent;
    change->revision = revision;
    change->kind = (Sluice__Kind)kind;
    change->org = raw(&org);
    change->parent = raw(&keep[1]);
    change->id = raw(&keep[0]);
    change->deleted = message == NULL;
    struct str wire;
    if (message != NULL) {
        cr_assert_eq(wire_pack(message, &arena, &wire), ST_OK);
        change->body = wire_data(wire);
    }
    reply->changes[reply->n_changes++] = change;
    return change;
}

static void add_provider(Sluice__ChangesReply *reply, uint64_t revision, unsigned n,
                         const char *slug)
{
    Sluice__Provider provider = SLUICE__PROVIDER__INIT;
    provider.slug = (char *)(uintptr_t)slug;
    add(reply, revision, SLUICE__KIND__KIND_PROVIDER, &workspace, id_n(n),
        slug == NULL ? NULL : &provider.base);
}

static void add_rule(Sluice__ChangesReply *reply, uint64_t revision, unsigned n, const char *slug)
{
    Sluice__ModelRule rule = SLUICE__MODEL_RULE__INIT;
    rule.slug = (char *)(uintptr_t)slug;
    add(reply, revision, SLUICE__KIND__KIND_MODEL_RULE, &integration, id_n(n),
        slug == NULL ? NULL : &rule.base);
}

static enum status apply(Sluice__ChangesReply *reply)
{
    return catalog_apply(catalog, &reply, 1, &refused, &refused_revision);
}

static void start_with(unsigned providers)
{
    Sluice__ChangesReply *reply = reply_new(true, false, 10);
    for (unsigned i = 1; i <= providers; i++)
        add_provider(reply, i, i, arena_printf(&arena, "p%u", i).p);
    cr_assert_eq(apply(reply), ST_OK);
}

/* 0 = not there, else the n of the id. */
static unsigned find(const char *slug)
{
    struct str record;
    cr_assert_eq(catalog_begin(catalog), ST_OK);
    enum status status =
        catalog_find(catalog, SLUICE__KIND__KIND_PROVIDER, &org, &workspace, str_c(slug), &record);
    unsigned n = 0;
    if (status == ST_OK) {
        const struct cat_provider *row = CAT_AS(record, SLUICE__KIND__KIND_PROVIDER, cat_provider);
        cr_assert_not_null(row);
        cr_assert(str_eq(cat_str(&row->head, row->slug), str_c(slug)));
        n = (unsigned)(row->head.id.b[1] << 16 | row->head.id.b[2] << 8 | row->head.id.b[3]);
    } else {
        cr_assert_eq(status, ST_NOT_FOUND);
    }
    catalog_end(catalog);
    return n;
}

static enum status count_row(void *arg, struct str record)
{
    cr_assert_not_null(cat_check(record, SLUICE__KIND__KIND_PROVIDER, sizeof(struct cat_provider)));
    ++*(unsigned *)arg;
    return ST_OK;
}

static unsigned count_providers(void)
{
    unsigned n = 0;
    cr_assert_eq(catalog_begin(catalog), ST_OK);
    cr_assert_eq(
        catalog_each(catalog, SLUICE__KIND__KIND_PROVIDER, &org, &workspace, count_row, &n), ST_OK);
    catalog_end(catalog);
    return n;
}

static uint64_t position(void)
{
    uint64_t revision;
    struct id id;
    catalog_position(catalog, &revision, &id);
    return revision;
}

/* --- tests --- */

Test(catalog_file, empty_file_is_not_ready)
{
    cr_assert_eq(catalog_begin(catalog), ST_NOT_READY);
    cr_assert_eq(position(), 0);
    Sluice__ChangesReply *reply = reply_new(false, false, 5);
    cr_assert_eq(apply(reply), ST_BAD_FORMAT, "changes of a store that was never copied");
    cr_assert_not_null(refused);
}

Test(catalog_file, full_then_incremental)
{
    start_with(3);
    cr_assert_eq(position(), 10);
    cr_assert_eq(find("p2"), 2);
    cr_assert_eq(count_providers(), 3);
    Sluice__ChangesReply *reply = reply_new(false, false, 14);
    add_provider(reply, 11, 2, "renamed");
    add_provider(reply, 12, 3, NULL);
    add_provider(reply, 13, 4, "p2");
    cr_assert_eq(apply(reply), ST_OK);
    cr_assert_eq(position(), 14);
    cr_assert_eq(find("renamed"), 2);
    cr_assert_eq(find("p2"), 4);
    cr_assert_eq(find("p3"), 0);
    cr_assert_eq(count_providers(), 3);
}

Test(catalog_file, several_replies_are_one_transaction)
{
    start_with(1);
    Sluice__ChangesReply *parts[2] = {reply_new(false, true, 11), reply_new(false, false, 12)};
    add_provider(parts[0], 11, 5, "five");
    add(parts[1], 12, SLUICE__KIND__KIND_PROVIDER, &workspace, id_n(6), NULL)->deleted = false;
    parts[1]->changes[0]->body = wire_data(STR("\xff\xff"));
    cr_assert_eq(catalog_apply(catalog, parts, 2, &refused, &refused_revision), ST_BAD_FORMAT);
    cr_assert_eq(refused_revision, 12);
    cr_assert_eq(find("five"), 0);
    cr_assert_eq(position(), 10);
    parts[1]->n_changes = 0;
    cr_assert_eq(catalog_apply(catalog, parts, 2, &refused, &refused_revision), ST_OK);
    cr_assert_null(refused);
    cr_assert_eq(find("five"), 5);
    cr_assert_eq(position(), 12);
}

/* The index row belongs to whoever took the slug last, in whatever order the feed tells it. */
Test(catalog_file, slugs_change_hands)
{
    start_with(2);
    Sluice__ChangesReply *reply = reply_new(false, false, 14);
    add_provider(reply, 11, 1, "p2"); /* swap */
    add_provider(reply, 12, 2, "p1");
    cr_assert_eq(apply(reply), ST_OK);
    cr_assert(find("p1") == 2 && find("p2") == 1);
    reply = reply_new(false, false, 20);
    add_provider(reply, 15, 7, "p1"); /* 2 has lost it already, the feed says so later */
    add_provider(reply, 16, 2, NULL);
    cr_assert_eq(apply(reply), ST_OK);
    cr_assert(find("p1") == 7 && find("p2") == 1);
}

Test(catalog_file, old_changes_and_old_replies_take_nothing_back)
{
    start_with(1);
    Sluice__ChangesReply *reply = reply_new(false, false, 12);
    add_provider(reply, 12, 1, "new");
    cr_assert_eq(apply(reply), ST_OK);
    reply = reply_new(false, false, 11);
    add_provider(reply, 11, 1, "old");
    cr_assert_eq(apply(reply), ST_OK);
    cr_assert(find("new") == 1 && find("old") == 0);
    cr_assert_eq(position(), 12);
}

Test(catalog_file, unknown_kinds_are_skipped_and_counted)
{
    start_with(1);
    Sluice__ChangesReply *reply = reply_new(false, false, 12);
    Sluice__User user = SLUICE__USER__INIT;
    add(reply, 11, SLUICE__KIND__KIND_USER, &ID_NONE, id_n(1), &user.base);
    add(reply, 11, 77, &ID_NONE, id_n(1), &user.base);
    add(reply, 11, 77, &ID_NONE, id_n(1), NULL);
    add(reply, 12, CAT_KIND_META, &ID_NONE, ID_NONE, &user.base);
    add(reply, 12, 0x88, &ID_NONE, ID_NONE, &user.base);
    add(reply, 12, -1, &ID_NONE, ID_NONE, &user.base);
    cr_assert_eq(apply(reply), ST_OK);
    cr_assert_eq(catalog_skipped(catalog), 5); /* a tombstone of what was never kept is no skip */
    cr_assert_eq(position(), 12);
    cr_assert_eq(find("p1"), 1);
}

static unsigned rule_count(const char *first)
{
    struct str record;
    cr_assert_eq(catalog_begin(catalog), ST_OK);
    enum status status =
        catalog_get(catalog, CAT_KIND_RULES, &org, &ID_NONE, &integration, &record);
    unsigned n = 0;
    if (status == ST_OK) {
        const struct cat_rules *rules = cat_check_rules(record);
        cr_assert_not_null(rules);
        n = rules->exact_count + rules->pattern_count;
        cr_assert(str_eq(cat_str(&rules->head, rules->rules[0].slug), str_c(first)));
    }
    catalog_end(catalog);
    return n;
}

Test(catalog_file, rules_are_rebuilt)
{
    start_with(1);
    cr_assert_eq(rule_count(""), 0);
    Sluice__ChangesReply *reply = reply_new(false, false, 13);
    add_rule(reply, 11, 1, "o1");
    add_rule(reply, 12, 2, "gpt-4o");
    add_rule(reply, 13, 3, "*");
    cr_assert_eq(apply(reply), ST_OK);
    cr_assert_eq(rule_count("gpt-4o"), 3);
    reply = reply_new(false, false, 15);
    add_rule(reply, 14, 2, NULL);
    add_rule(reply, 15, 4, "a");
    cr_assert_eq(apply(reply), ST_OK);
    cr_assert_eq(rule_count("a"), 3);
    reply = reply_new(false, false, 18);
    add_rule(reply, 16, 1, NULL);
    add_rule(reply, 17, 3, NULL);
    add_rule(reply, 18, 4, NULL);
    cr_assert_eq(apply(reply), ST_OK);
    cr_assert_eq(rule_count(""), 0);
    reply = reply_new(false, false, 19);
    add_rule(reply, 19, 5, "x");
    reply->changes[0]->body = wire_data(STR("\xff"));
    cr_assert_eq(apply(reply), ST_BAD_FORMAT);
    cr_assert_eq(refused_revision, 19);
    cr_assert_eq(position(), 18);
}

static void add_policy(Sluice__ChangesReply *reply, uint64_t revision, int kind, unsigned n,
                       char *limit)
{
    Sluice__Policy policy = SLUICE__POLICY__INIT;
    policy.limit_json = limit == NULL ? "" : limit;
    Sluice__Change *change = add(reply, revision, kind, &workspace, id_n(n), &policy.base);
    change->deleted = limit == NULL;
}

static unsigned policy_count(void)
{
    struct str record;
    cr_assert_eq(catalog_begin(catalog), ST_OK);
    bool there =
        catalog_get(catalog, CAT_KIND_POLICIES, &org, &ID_NONE, &workspace, &record) == ST_OK;
    unsigned n = there ? cat_check_policies(record)->count : 0;
    catalog_end(catalog);
    return n;
}

Test(catalog_file, policies_of_both_kinds_are_listed_per_workspace)
{
    start_with(1);
    cr_assert_eq(policy_count(), 0);
    Sluice__ChangesReply *reply = reply_new(false, false, 12);
    add_policy(reply, 11, SLUICE__KIND__KIND_USAGE_POLICY, 1, "{\"credit_limit\":5}");
    add_policy(reply, 12, SLUICE__KIND__KIND_RATE_POLICY, 2,
               "{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":5}");
    cr_assert_eq(apply(reply), ST_OK);
    cr_assert_eq(policy_count(), 2);
    reply = reply_new(false, false, 13);
    add_policy(reply, 13, SLUICE__KIND__KIND_USAGE_POLICY, 1, NULL);
    cr_assert_eq(apply(reply), ST_OK);
    cr_assert_eq(policy_count(), 1);
    reply = reply_new(false, false, 14);
    add_policy(reply, 14, SLUICE__KIND__KIND_USAGE_POLICY, 3, "{\"credit_limit\":-5}");
    cr_assert_eq(apply(reply), ST_BAD_FORMAT);
    cr_assert_eq(refused_revision, 14);
    cr_assert_eq(policy_count(), 1);
    reply = reply_new(false, false, 15);
    add_policy(reply, 15, SLUICE__KIND__KIND_RATE_POLICY, 2, NULL);
    cr_assert_eq(apply(reply), ST_OK);
    cr_assert_eq(policy_count(), 0);
}

Test(catalog_file, api_key_is_found_by_both_hashes)
{
    static uint8_t hash[32] = {1}, previous[32] = {2};
    Sluice__ApiKey key = SLUICE__API_KEY__INIT;
    key.type = SLUICE__API_KEY_TYPE__API_KEY_WORKSPACE_SERVICE;
    key.hash = (ProtobufCBinaryData){32, hash};
    key.previous_hash = (ProtobufCBinaryData){32, previous};
    Sluice__ChangesReply *reply = reply_new(true, false, 10);
    add(reply, 1, SLUICE__KIND__KIND_API_KEY, &workspace, id_n(1), &key.base);
    cr_assert_eq(apply(reply), ST_OK);
    struct str record;
    cr_assert_eq(catalog_begin(catalog), ST_OK);
    for (size_t i = 0; i < 2; i++) {
        struct str name = str_of((char *)(i == 0 ? hash : previous), 32);
        cr_assert_eq(
            catalog_find(catalog, SLUICE__KIND__KIND_API_KEY, &ID_NONE, &ID_NONE, name, &record),
            ST_OK);
        cr_assert_not_null(CAT_AS(record, SLUICE__KIND__KIND_API_KEY, cat_api_key));
    }
    catalog_end(catalog);
    key.previous_hash.len = 0;
    reply = reply_new(false, false, 11);
    add(reply, 11, SLUICE__KIND__KIND_API_KEY, &workspace, id_n(1), &key.base);
    cr_assert_eq(apply(reply), ST_OK);
    cr_assert_eq(catalog_begin(catalog), ST_OK);
    cr_assert_eq(catalog_find(catalog, SLUICE__KIND__KIND_API_KEY, &ID_NONE, &ID_NONE,
                              str_of((char *)previous, 32), &record),
                 ST_NOT_FOUND);
    catalog_end(catalog);
}

Test(catalog_file, full_copy_in_parts_flips_at_its_end)
{
    start_with(3);
    Sluice__ChangesReply *reply = reply_new(true, true, 20);
    add_provider(reply, 11, 11, "p1");
    cr_assert_eq(apply(reply), ST_OK);
    cr_assert_eq(position(), 10);
    cr_assert(find("p1") == 1 && find("p3") == 3);
    reply = reply_new(true, false, 30);
    add_provider(reply, 21, 12, "p2");
    cr_assert_eq(apply(reply), ST_OK);
    cr_assert_eq(position(), 30);
    cr_assert(find("p1") == 11 && find("p2") == 12 && find("p3") == 0);
    bool more = true;
    unsigned rounds = 0;
    while (more && rounds++ < 10)
        cr_assert_eq(catalog_tidy(catalog, &more), ST_OK);
    cr_assert(!more && rounds == 2, "%u", rounds);
    cr_assert_eq(count_providers(), 2);
}

Test(catalog_file, abandoned_copy_leaves_nothing_behind)
{
    start_with(1);
    Sluice__ChangesReply *reply = reply_new(true, true, 20);
    add_provider(reply, 11, 50, "ghost");
    cr_assert_eq(apply(reply), ST_OK);
    catalog_abandon(catalog);
    reply = reply_new(true, false, 30);
    add_provider(reply, 12, 1, "p1");
    cr_assert_eq(apply(reply), ST_OK);
    cr_assert(find("ghost") == 0 && find("p1") == 1);
}

Test(catalog_file, restart_keeps_position_and_drops_a_half_copy)
{
    start_with(2);
    Sluice__ChangesReply *reply = reply_new(true, true, 20);
    add_provider(reply, 11, 50, "ghost");
    cr_assert_eq(apply(reply), ST_OK);
    open_again();
    uint64_t revision;
    struct id id;
    catalog_position(catalog, &revision, &id);
    cr_assert(revision == 10 && id_eq(&id, &store));
    cr_assert(find("p2") == 2 && find("ghost") == 0);
    bool more;
    cr_assert_eq(catalog_tidy(catalog, &more), ST_OK);
    cr_assert(more);
    reply = reply_new(false, false, 11);
    add_provider(reply, 11, 3, "p3");
    cr_assert_eq(apply(reply), ST_OK);
    cr_assert_eq(find("p3"), 3);
}

Test(catalog_file, another_store_needs_a_copy)
{
    start_with(1);
    Sluice__ChangesReply *reply = reply_new(false, false, 40);
    reply->store_id = raw(&other_store);
    cr_assert_eq(apply(reply), ST_BAD_FORMAT);
    cr_assert_not_null(refused);
    reply = reply_new(true, false, 4);
    reply->store_id = raw(&other_store);
    cr_assert_eq(apply(reply), ST_OK);
    cr_assert_eq(position(), 4);
    cr_assert_eq(find("p1"), 0);
}

Test(catalog_file, a_foreign_file_is_put_aside)
{
    static const char junk[20000] = "this is no catalog";
    char bad[128];
    bool fresh = true;
    start_with(1);
    catalog_close(catalog);
    cr_assert_eq(catalog_open_writer(path, &catalog, &fresh), ST_OK);
    cr_assert(!fresh && position() == 10);
    catalog_close(catalog);
    int fd = open(path, O_WRONLY | O_TRUNC);
    cr_assert_eq(write(fd, junk, sizeof junk), (ssize_t)sizeof junk);
    close(fd);
    cr_assert_eq(catalog_open_writer(path, &catalog, &fresh), ST_OK);
    cr_assert(fresh && position() == 0);
    snprintf(bad, sizeof bad, "%s.bad", path);
    cr_assert_eq(access(bad, F_OK), 0);
    cr_assert_eq(catalog_begin(catalog), ST_NOT_READY);
}

Test(catalog_file, reader_needs_a_file)
{
    struct catalog *reader;
    cr_assert_eq(catalog_open("/nonexistent/catalog.mdb", &reader), ST_NOT_FOUND);
}

/* A reader in another process keeps its revision while a full copy flips and the old generation is
 * deleted. */
static int reader_main(int in, int out)
{
    struct catalog *reader;
    struct str record;
    char c = 'r';
    unsigned n = 0;
    if (catalog_open(path, &reader) != ST_OK || catalog_begin(reader) != ST_OK)
        return 1;
    if (write(out, &c, 1) != 1 || read(in, &c, 1) != 1) /* the flip happens here */
        return 2;
    if (catalog_revision(reader) != 10 ||
        catalog_each(reader, SLUICE__KIND__KIND_PROVIDER, &org, &workspace, count_row, &n) !=
            ST_OK ||
        n != 300)
        return 3;
    catalog_end(reader);
    if (catalog_begin(reader) != ST_OK || catalog_revision(reader) != 30)
        return 4;
    if (catalog_find(reader, SLUICE__KIND__KIND_PROVIDER, &org, &workspace, STR("p7"), &record) !=
        ST_NOT_FOUND)
        return 5;
    n = 0;
    if (catalog_each_of_kind(reader, SLUICE__KIND__KIND_PROVIDER, count_row, &n) != ST_OK || n != 1)
        return 6;
    catalog_end(reader);
    catalog_close(reader);
    return 0;
}

Test(catalog_file, flip_while_a_reader_holds_its_transaction)
{
    int to[2], from[2], status;
    char c;
    start_with(300);
    catalog_close(catalog); /* an LMDB handle must not cross a fork */
    catalog = NULL;
    cr_assert(pipe(to) == 0 && pipe(from) == 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(reader_main(to[0], from[1]));
    open_again();
    cr_assert_eq(read(from[0], &c, 1), 1);
    Sluice__ChangesReply *reply = reply_new(true, false, 30);
    add_provider(reply, 21, 900, "only");
    cr_assert_eq(apply(reply), ST_OK);
    bool more = true;
    while (more)
        cr_assert_eq(catalog_tidy(catalog, &more), ST_OK);
    catalog_check_readers(catalog);
    cr_assert_eq(write(to[1], &c, 1), 1);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "reader: %d", WEXITSTATUS(status));
}

/* A reader that died in its transaction must not pin pages: the file stops growing once its slot is
 * freed. */
Test(catalog_file, a_dead_reader_is_cleared)
{
    int from[2], status;
    char c;
    struct stat before, after;
    start_with(300);
    catalog_close(catalog);
    catalog = NULL;
    cr_assert_eq(pipe(from), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct catalog *reader;
        if (catalog_open(path, &reader) == ST_OK && catalog_begin(reader) == ST_OK &&
            write(from[1], "r", 1) == 1)
            pause();
        _exit(1);
    }
    open_again();
    cr_assert_eq(read(from[0], &c, 1), 1);
    kill(pid, SIGKILL);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    catalog_check_readers(catalog);
    for (uint64_t revision = 11; revision < 61; revision++) {
        if (revision == 31)
            stat(path, &before);
        Sluice__ChangesReply *reply = reply_new(false, false, revision);
        for (unsigned i = 1; i <= 300; i++)
            add_provider(reply, revision, i,
                         arena_printf(&arena, "p%u-%u", i, (unsigned)revision).p);
        cr_assert_eq(apply(reply), ST_OK);
    }
    stat(path, &after);
    cr_assert_leq(after.st_size, before.st_size + before.st_size / 4);
}
