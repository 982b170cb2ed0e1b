/* answer_cache_test.c: hits and misses, every part of a key, ages, bounds, and the [BUG]s of
 * section 2.6 by name. */
#include "data-plane/answer_cache.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define SECOND INT64_C(1000)

static struct answer_cache *cache;
static struct arena arena;
static const struct id org = {{1}}, other_org = {{2}}, workspace = {{3}}, other_workspace = {{4}};

static void setup(void)
{
    arena_init(&arena, 8u << 20);
    cr_assert_eq(answer_cache_new(1u << 20, &cache), ST_OK);
}

static void teardown(void)
{
    answer_cache_free(cache);
    arena_free(&arena);
}

TestSuite(answer_cache, .init = setup, .fini = teardown);

static struct answer_name question(const char *body)
{
    return (struct answer_name){org, workspace, 1, STR("openai/gpt-4o"), STR(""), str_c(body)};
}

static struct answer_key key_of(const struct answer_name *name)
{
    struct answer_key key = {{0}};
    cr_assert_eq(answer_cache_key(cache, &arena, name, &key), ST_OK);
    return key;
}

static bool put(const struct answer_name *name, const char *body, int status, uint32_t max_age_s,
                int64_t now_ms)
{
    struct answer_key key = key_of(name);
    struct answer_draft *draft = answer_draft_begin(cache, &key, &name->org, &name->workspace,
                                                    STR("application/json"), false);
    cr_assert_not_null(draft);
    struct str rest = str_c(body);
    for (; rest.n > 0; rest = str_from(rest, 3)) /* in pieces, as they come */
        answer_draft_add(draft, str_head(rest, 3));
    return answer_draft_store(draft, status, max_age_s, now_ms);
}

/* The stored body, or NULL. */
static const char *get(const struct answer_name *name, uint32_t max_age_s, int64_t now_ms)
{
    struct answer_key key = key_of(name);
    const struct answer *answer =
        answer_cache_find(cache, &key, &name->org, &name->workspace, max_age_s, now_ms);
    if (answer == NULL)
        return NULL;
    const char *copy = arena_cstr(&arena, answer->body);
    cr_expect(str_eq(answer->content_type, STR("application/json")));
    answer_release(cache, answer);
    return copy;
}

static struct answer_cache_figures figures(void)
{
    struct answer_cache_figures out;
    answer_cache_figures(cache, &out);
    return out;
}

Test(answer_cache, the_same_question_gets_the_same_answer)
{
    struct answer_name name =
        question("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}");
    cr_expect_null(get(&name, 60, 0));
    cr_expect(put(&name, "{\"id\":\"1\"}", 200, 60, 0));
    cr_expect_str_eq(get(&name, 60, 1000), "{\"id\":\"1\"}");
    name.body =
        STR(" {\"messages\": [{\"content\":\"h\\u0069\", \"role\":\"user\"}], \"model\":\"m\"}");
    cr_expect_str_eq(get(&name, 60, 1000), "{\"id\":\"1\"}", "however it is written");
    cr_expect(put(&name, "{\"id\":\"2\"}", 200, 60, 2000));
    cr_expect_str_eq(get(&name, 60, 3000), "{\"id\":\"2\"}", "a newer answer takes its place");
    cr_expect_eq(figures().entries, 1);
    cr_expect_eq(figures().hits, 3);
    cr_expect_eq(figures().misses, 1);
}

Test(answer_cache, every_part_of_a_name_makes_another_key)
{
    struct answer_name base = question("{\"a\":1}"),
                       names[] = {base, base, base, base, base, base, base, base};
    names[1].org = other_org;
    names[2].workspace = other_workspace;
    names[3].op = 2;
    names[4].targets = STR("openai/gpt-4");
    names[5].space = STR("o");
    names[6].body = STR("{\"a\":2}");
    names[7].targets = STR("openai/gpt-4");
    names[7].space = STR("o");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char body[32];
        cr_expect_null(get(&names[i], 60, 0), "name %zu", i);
        snprintf(body, sizeof body, "%zu", i);
        cr_expect(put(&names[i], body, 200, 60, 0));
    }
    for (size_t i = 0; i < COUNT_OF(names); i++)
        cr_expect_eq(get(&names[i], 60, 0)[0], '0' + (char)i, "name %zu", i);
}

Test(answer_cache, bug_2_6_nothing_is_answered_across_tenants)
{
    struct answer_name mine = question("{\"prompt\":\"secret\"}"), theirs = mine;
    struct answer_key key = key_of(&mine);
    cr_expect(put(&mine, "mine", 200, 60, 0));
    theirs.org = other_org;
    cr_expect_null(get(&theirs, 60, 0));
    theirs = mine;
    theirs.workspace = other_workspace;
    cr_expect_null(get(&theirs, 60, 0));
    cr_expect_null(answer_cache_find(cache, &key, &other_org, &workspace, 60, 0),
                   "not even with the key of another");
    cr_expect_null(answer_cache_find(cache, &key, &org, &other_workspace, 60, 0));
}

Test(answer_cache, bug_2_6_max_age_is_in_seconds)
{
    struct answer_name name = question("{}");
    cr_expect(put(&name, "x", 200, 60, 0));
    cr_expect_not_null(get(&name, 60, 60 * SECOND - 1));
    cr_expect_null(get(&name, 60, 60 * SECOND));
    cr_expect_eq(figures().entries, 0, "what expired is gone");
}

Test(answer_cache, an_age_is_the_readers_and_never_above_the_writers)
{
    struct answer_name name = question("{}");
    cr_expect(put(&name, "x", 200, 100, 0));
    cr_expect_null(get(&name, 10, 10 * SECOND));
    cr_expect_not_null(get(&name, 1000, 99 * SECOND), "still there for who takes older ones");
    cr_expect_null(get(&name, 1000, 100 * SECOND));
    cr_expect(put(&name, "y", 200, 0, 0));
    cr_expect_not_null(get(&name, 0, (ANSWER_MAX_AGE_DEFAULT_S - 1) * SECOND), "a day by default");
    cr_expect_null(get(&name, 0, ANSWER_MAX_AGE_DEFAULT_S * SECOND));
}

Test(answer_cache, bug_2_6_errors_are_not_stored)
{
    static const int statuses[] = {100, 201, 202, 204, 206, 301, 400, 401, 404, 429, 500, 503};
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        struct answer_name name = question("{}");
        cr_expect_not(put(&name, "{\"error\":{}}", statuses[i], 60, 0), "%d", statuses[i]);
        cr_expect_null(get(&name, 60, 0));
    }
    cr_expect_eq(figures().bytes, 0);
}

Test(answer_cache, an_error_leaves_the_answer_from_before)
{
    struct answer_name name = question("{}");
    cr_expect(put(&name, "good", 200, 60, 0));
    cr_expect_not(put(&name, "bad", 500, 60, 0));
    cr_expect_str_eq(get(&name, 60, 0), "good");
}

Test(answer_cache, an_answer_that_broke_off_is_not_stored)
{
    struct answer_name name = question("{}");
    struct answer_key key = key_of(&name);
    struct answer_draft *draft =
        answer_draft_begin(cache, &key, &org, &workspace, STR("text/event-stream"), true);
    answer_draft_add(draft, STR("data: half"));
    answer_draft_drop(draft);
    cr_expect_null(get(&name, 60, 0));
    cr_expect_eq(figures().bytes, 0);
    cr_expect_eq(figures().drafts, 0);
}

Test(answer_cache, bug_2_6_streams_are_stored_as_the_bytes_of_their_events)
{
    static const char *const pieces[] = {"data: {\"a\":1}\n\n", "data: {\"b\"", ":2}\n\n",
                                         "data: [DONE]\n\n"};
    struct answer_name name = question("{\"stream\":true}");
    struct answer_key key = key_of(&name);
    struct answer_draft *draft =
        answer_draft_begin(cache, &key, &org, &workspace, STR("text/event-stream"), true);
    for (size_t i = 0; i < COUNT_OF(pieces); i++)
        answer_draft_add(draft, str_c(pieces[i]));
    cr_expect(answer_draft_store(draft, 200, 60, 0));
    const struct answer *answer = answer_cache_find(cache, &key, &org, &workspace, 60, 1);
    cr_assert_not_null(answer);
    cr_expect(answer->is_stream);
    cr_expect(str_eq(answer->content_type, STR("text/event-stream")));
    cr_expect(str_eq(answer->body, STR("data: {\"a\":1}\n\ndata: {\"b\":2}\n\ndata: [DONE]\n\n")));
    answer_release(cache, answer);
}

Test(answer_cache, what_cannot_be_a_key_is_said)
{
    struct answer_key key;
    struct answer_name name = question("{\"a\":");
    cr_expect_eq(answer_cache_key(cache, &arena, &name, &key), ST_BAD_JSON);
    static char many[200000] = "[0";
    size_t n = 2;
    for (unsigned i = 0; i < ANSWER_BODY_NODES_MAX; i++)
        n += (size_t)snprintf(many + n, sizeof many - n, ",0");
    snprintf(many + n, sizeof many - n, "]");
    name.body = str_c(many);
    cr_expect_eq(answer_cache_key(cache, &arena, &name, &key), ST_TOO_LARGE);
}

Test(answer_cache, keys_of_two_processes_differ)
{
    struct answer_cache *second;
    struct answer_name name = question("{}");
    struct answer_key a = key_of(&name), b;
    cr_assert_eq(answer_cache_new(1u << 20, &second), ST_OK);
    cr_assert_eq(answer_cache_key(second, &arena, &name, &b), ST_OK);
    cr_expect(memcmp(a.b, b.b, sizeof a.b) != 0, "nobody can make them meet in one bucket");
    answer_cache_free(second);
}

/* --- bounds --- */

static void put_number(unsigned number, size_t bytes)
{
    char body[64], *answer = arena_alloc(&arena, bytes + 1);
    snprintf(body, sizeof body, "{\"n\":%u}", number);
    memset(answer, 'x', bytes);
    answer[bytes] = '\0';
    struct answer_name name = question(body);
    (void)put(&name, answer, 200, 60, 0);
}

static bool has_number(unsigned number)
{
    char body[64];
    snprintf(body, sizeof body, "{\"n\":%u}", number);
    struct answer_name name = question(body);
    return get(&name, 60, 0) != NULL;
}

Test(answer_cache, bug_2_6_memory_is_bounded_and_the_least_used_go_first)
{
    for (unsigned i = 0; i < 40; i++) {
        put_number(i, 30000);
        cr_assert_leq(figures().bytes, 1u << 20);
        cr_assert(has_number(0), "asked for every time, so it stays");
    }
    cr_expect_not(has_number(1));
    cr_expect(has_number(39) && has_number(38) && has_number(20));
    cr_expect_geq(figures().entries, 30);
    cr_expect_gt(figures().evicted, 0);
}

Test(answer_cache, what_is_too_large_is_not_stored_and_takes_no_room)
{
    put_number(1, 100);
    put_number(2, (1u << 20) / 8 + 1);
    cr_expect_not(has_number(2));
    cr_expect(has_number(1), "and nothing had to go for it");
    cr_expect_leq(figures().bytes, 1000);
}

Test(answer_cache, drafts_are_counted)
{
    struct answer_draft *drafts[40];
    static char piece[20000];
    for (unsigned i = 0; i < COUNT_OF(drafts); i++) {
        struct answer_key key = {{(uint8_t)i}};
        drafts[i] = answer_draft_begin(cache, &key, &org, &workspace, STR("t"), false);
        for (int k = 0; k < 5; k++)
            answer_draft_add(drafts[i], str_of(piece, sizeof piece));
        cr_assert_leq(figures().bytes, 1u << 20);
    }
    size_t stored = 0;
    for (unsigned i = 0; i < COUNT_OF(drafts); i++) {
        stored += answer_draft_store(drafts[i], 200, 60, 0);
        cr_assert_leq(figures().bytes, 1u << 20);
    }
    cr_expect(stored > 0 && stored < COUNT_OF(drafts));
    cr_expect_eq(figures().drafts, 0);
}

Test(answer_cache, an_answer_being_sent_outlives_its_place)
{
    put_number(0, 30000);
    struct answer_name name = question("{\"n\":0}");
    struct answer_key key = key_of(&name);
    const struct answer *answer = answer_cache_find(cache, &key, &org, &workspace, 60, 0);
    cr_assert_not_null(answer);
    for (unsigned i = 1; i < 60; i++)
        put_number(i, 30000);
    cr_expect_not(has_number(0));
    cr_expect_leq(figures().bytes, 1u << 20, "and is counted");
    for (size_t i = 0; i < answer->body.n; i++)
        cr_assert_eq(answer->body.p[i], 'x');
    answer_release(cache, answer);
    answer_release(cache, NULL);
}

Test(answer_cache, nothing_to_do_is_no_error)
{
    struct answer_cache *small;
    answer_draft_add(NULL, STR("x"));
    answer_draft_drop(NULL);
    cr_expect_not(answer_draft_store(NULL, 200, 1, 0));
    cr_expect_eq(answer_cache_new(ANSWER_MIN_BYTES - 1, &small), ST_INVALID);
    answer_cache_free(NULL);
}
