/* nodes_test.c: the live table of nodes under a clock that the test moves. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "common/clock.h"
#include "control-plane/publish/nodes.h"

static struct nodes *nodes;
static struct arena arena;
static struct id one = {{1}}, two = {{2}};

static void setup(void)
{
    clock_test_set(1000000000, 1700000000000);
    arena_init(&arena, 1u << 20);
    cr_assert_eq(nodes_new(&nodes), ST_OK);
}

static void teardown(void)
{
    nodes_free(nodes);
    arena_free(&arena);
}

TestSuite(nodes, .init = setup, .fini = teardown);

static struct node_live get(const struct id *id)
{
    struct node_live live = {.applied = 0};
    cr_assert_eq(nodes_get(nodes, id, &live), ST_OK);
    return live;
}

static void report(const struct id *id, uint64_t have, uint64_t refused, bool same_store)
{
    Sluice__ChangesRequest ask;
    sluice__changes_request__init(&ask);
    ask.have_revision = have;
    ask.refused_revision = refused;
    ask.refused = (char *)(uintptr_t)(refused != 0 ? "why" : "");
    nodes_report(nodes, id, same_store, &ask);
}

Test(nodes, a_counter_counts_once_per_boot)
{
    static const struct {
        uint64_t boot, counter;
        enum status status;
    } rows[] = {
        {1, 5, ST_OK}, {1, 5, ST_CONFLICT}, {1, 4, ST_OK}, {2, 5, ST_OK}, {1, 4, ST_CONFLICT}, {1, 6, ST_OK}, {3, 1, ST_OK},
        {4, 1, ST_OK}, {1, 6, ST_CONFLICT}, /* the fourth boot still has a place */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        clock_test_advance(1);
        cr_expect_eq(nodes_admit(nodes, &one, rows[i].boot, rows[i].counter, 7), rows[i].status, "row %zu", i);
    }
}

Test(nodes, connected_is_heard_lately_on_a_connection_that_stands)
{
    struct node_live live;
    cr_expect_eq(nodes_get(nodes, &one, &live), ST_NOT_FOUND);
    cr_assert_eq(nodes_admit(nodes, &one, 1, 1, 7), ST_OK);
    cr_expect(get(&one).connected);
    clock_test_advance(NODES_SILENT_MS + 2);
    cr_expect_not(get(&one).connected);
    cr_assert_eq(nodes_admit(nodes, &one, 1, 2, 8), ST_OK);
    nodes_gone(nodes, 7);
    cr_expect(get(&one).connected, "an older connection that ends changes nothing");
    nodes_gone(nodes, 8);
    cr_expect_not(get(&one).connected);
    nodes_forget(nodes, &one);
    cr_expect_eq(nodes_get(nodes, &one, &live), ST_NOT_FOUND);
}

Test(nodes, lag_is_the_age_of_the_oldest_revision_that_is_lacking)
{
    cr_assert_eq(nodes_admit(nodes, &one, 1, 1, 7), ST_OK);
    report(&one, 10, 0, true);
    cr_expect_eq(get(&one).lag_ms, 0);
    nodes_committed(nodes, 11);
    clock_test_advance(100);
    nodes_committed(nodes, 12);
    clock_test_advance(50);
    cr_expect_eq(get(&one).lag_ms, 150);
    report(&one, 11, 0, true);
    cr_expect_eq(get(&one).lag_ms, 50);
    report(&one, 12, 0, true);
    cr_expect_eq(get(&one).lag_ms, 0);
    report(&one, 12, 0, false);
    cr_expect_eq(get(&one).applied, 0, "a revision of another store counts for nothing");
}

Test(nodes, applied_and_refused_are_counted_over_connected_nodes)
{
    struct nodes_applied applied;
    cr_assert_eq(nodes_admit(nodes, &one, 1, 1, 7), ST_OK);
    cr_assert_eq(nodes_admit(nodes, &two, 1, 1, 8), ST_OK);
    report(&one, 5, 0, true);
    report(&two, 4, 5, true);
    nodes_wait_applied(nodes, 5, 0, &applied);
    cr_expect(applied.of == 2 && applied.applied == 1 && applied.refused == 1);
    nodes_wait_applied(nodes, 6, 0, &applied);
    cr_expect(applied.of == 2 && applied.applied == 0 && applied.refused == 0);
    nodes_gone(nodes, 8);
    nodes_wait_applied(nodes, 5, 0, &applied);
    cr_expect(applied.of == 1 && applied.applied == 1);
    cr_expect_str_eq(get(&two).refused, "why");
    report(&two, 5, 0, true);
    cr_expect_str_eq(get(&two).refused, "");
}

Test(nodes, wakes_keep_their_distance)
{
    cr_assert_eq(nodes_admit(nodes, &one, 1, 1, 7), ST_OK);
    int64_t first = nodes_wake(nodes, &one, 10);
    cr_expect_eq(first, clock_mono_ms());
    cr_expect_eq(nodes_wake(nodes, &one, 10), first + 10);
    clock_test_advance(100);
    cr_expect_eq(nodes_wake(nodes, &one, 10), clock_mono_ms());
}

Test(nodes, texts_are_cut_at_whole_characters)
{
    char text[NODES_TEXT_MAX + 3];
    memset(text, 'a', sizeof text);
    memcpy(text + NODES_TEXT_MAX - 1, "\xe2\x82\xac", 4); /* begins one byte before the cut */
    cr_assert_eq(nodes_admit(nodes, &one, 1, 1, 7), ST_OK);
    nodes_hello(nodes, &one, text);
    cr_expect_eq(strlen(get(&one).software), NODES_TEXT_MAX - 1);
}

Test(nodes, the_table_is_bounded)
{
    struct id id = {{9}};
    for (uint32_t i = 0; i < NODES_MAX; i++) {
        memcpy(id.b + 4, &i, sizeof i);
        cr_assert_eq(nodes_admit(nodes, &id, 1, 1, 7), ST_OK);
    }
    cr_expect_eq(nodes_admit(nodes, &one, 1, 1, 7), ST_OVERLOADED);
    cr_expect_eq(nodes_admit(nodes, &id, 1, 2, 7), ST_OK);
}
