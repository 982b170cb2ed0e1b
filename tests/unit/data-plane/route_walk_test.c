/* route_walk_test.c: plans walked with scripted outcomes, as tables: which targets are tried, in
 * which order, and what the end is; draws; cooled targets; the [BUG]s of section 2.1 by name. */
#include "data-plane/route_walk.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "common/route_doc.h"

/* Providers are named by one letter; a target's outcome is that of its letter. */
struct script {
    const char *fails;  /* "a500 b429 c-": '-' no answer (502) */
    const char *cooled; /* "ab" */
    uint64_t random;
};

static const struct route_plan *current;
static const struct script *script;
static uint64_t rolled;

static char letter(size_t leaf)
{
    struct str provider = route_str(current, current->nodes[leaf].provider);
    return provider.n > 0 ? provider.p[0] : '?';
}

static bool is_cooled(void *arg, size_t leaf)
{
    (void)arg;
    return script->cooled != NULL && strchr(script->cooled, letter(leaf)) != NULL;
}

static uint64_t roll(void *arg)
{
    (void)arg;
    rolled++;
    return script->random;
}

static struct route_outcome outcome_of(char provider)
{
    struct route_outcome out = {200, false};
    for (const char *p = script->fails; p != NULL && *p != '\0'; p++) {
        if (*p != provider || (p != script->fails && p[-1] != ' '))
            continue;
        out.no_answer = p[1] == '-';
        out.http_status = p[1] == '-' ? 502 : (p[1] - '0') * 100 + (p[2] - '0') * 10 + (p[3] - '0');
    }
    return out;
}

/* "ab=" and how it ended: the status, or "none" when a conditional led nowhere. */
static const char *walk(const char *document, const struct script *with, const char *metadata)
{
    static char trace[600];
    static const struct route_eyes eyes = {NULL, is_cooled, roll};
    struct arena arena;
    struct str bytes, why = STR_NONE;
    struct route_plan plan;
    struct route_walk walk;
    struct route_inputs inputs = {str_c(metadata), STR("{\"model\":\"m\"}"), STR("/")};
    size_t leaf = 0, n = 0;
    arena_init(&arena, 1 << 22);
    cr_assert_eq(route_doc_compile(&arena, str_c(document), 0, &bytes, &why), ST_OK, "%s: %.*s",
                 document, STR_ARG(why));
    cr_assert_eq(route_plan_open(bytes, &plan), ST_OK);
    current = &plan;
    script = with;
    cr_assert_eq(route_walk_begin(&walk, &plan, &arena, &inputs), ST_OK);
    struct route_outcome outcome = {0, false};
    enum route_step step = route_walk_first(&walk, &eyes, &leaf);
    while (step == ROUTE_WALK_LEAF && n < 512) {
        trace[n++] = letter(leaf);
        outcome = outcome_of(letter(leaf));
        step = route_walk_next(&walk, &eyes, outcome, &leaf);
    }
    cr_assert_neq(step, ROUTE_WALK_LEAF, "a walk ends");
    if (step == ROUTE_WALK_NO_MATCH)
        snprintf(trace + n, sizeof trace - n, "=none");
    else
        snprintf(trace + n, sizeof trace - n, "=%d", outcome.http_status);
    arena_free(&arena);
    return trace;
}

#define T(p)       "{\"provider\":\"" p "\"}"
#define FALL(list) "{\"strategy\":{\"mode\":\"fallback\"},\"targets\":[" list "]}"
#define FALL_ON(codes, list)                                                                       \
    "{\"strategy\":{\"mode\":\"fallback\",\"on_status_codes\":[" codes "]},\"targets\":[" list "]" \
                                                                                               "}"
#define BALANCE(list) "{\"strategy\":{\"mode\":\"loadbalance\"},\"targets\":[" list "]}"
#define SINGLE(list)  "{\"strategy\":{\"mode\":\"single\"},\"targets\":[" list "]}"
#define ABC           T("a") "," T("b") "," T("c")

struct row {
    const char *document;
    struct script script;
    const char *trace;
};

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *trace = walk(rows[i].document, &rows[i].script, "{\"team\":\"red\"}");
        cr_expect_str_eq(trace, rows[i].trace, "row %zu, %s: %s, not %s", i, rows[i].document,
                         trace, rows[i].trace);
    }
}

Test(route_walk, strategies_take_their_targets_in_order)
{
    static const struct row rows[] = {
        {T("a"), {NULL, NULL, 0}, "a=200"},
        {T("a"), {"a500", NULL, 0}, "a=500"},
        {SINGLE(ABC), {NULL, NULL, 0}, "a=200"},
        {SINGLE(ABC), {"a500", NULL, 0}, "a=500"},
        {FALL(ABC), {NULL, NULL, 0}, "a=200"},
        {FALL(ABC), {"a500", NULL, 0}, "ab=200"},
        {FALL(ABC), {"a400 b404", NULL, 0}, "abc=200"},
        {FALL(ABC), {"a500 b502 c503", NULL, 0}, "abc=503"},
        {FALL(ABC), {"a- b-", NULL, 0}, "abc=200"},
        {FALL(ABC), {"a246", NULL, 0}, "a=246"},
        {FALL(ABC), {"a446", NULL, 0}, "ab=200"},
        {FALL(ABC), {"a301", NULL, 0}, "ab=200"},
        {FALL(T("a")), {"a500", NULL, 0}, "a=500"},
    };
    check(rows, COUNT_OF(rows));
}

Test(route_walk, a_list_of_statuses_decides_alone)
{
    static const struct row rows[] = {
        {FALL_ON("429", ABC), {"a429", NULL, 0}, "ab=200"},
        {FALL_ON("429", ABC), {"a500", NULL, 0}, "a=500"},
        {FALL_ON("429,500", ABC), {"a500 b429", NULL, 0}, "abc=200"},
        {FALL_ON("", ABC), {"a500", NULL, 0}, "a=500"},
        {FALL_ON("200", ABC), {NULL, NULL, 0}, "abc=200"},
        {FALL_ON("200", ABC), {"b500", NULL, 0}, "ab=500"},
        {FALL_ON("429", ABC), {"a-", NULL, 0}, "a=502"},
        {FALL_ON("500", ABC), {"a-", NULL, 0}, "ab=200"},
        {FALL_ON("502", ABC), {"a-", NULL, 0}, "ab=200"},
        {FALL_ON("504", ABC), {"a-", NULL, 0}, "ab=200"},
    };
    check(rows, COUNT_OF(rows));
}

Test(route_walk, nested_strategies_hand_up_what_they_do_not_take)
{
    static const struct row rows[] = {
        {FALL(FALL(T("a") "," T("b")) "," T("c")), {"a500 b500", NULL, 0}, "abc=200"},
        {FALL(FALL_ON("429", T("a") "," T("b")) "," T("c")), {"a500", NULL, 0}, "ac=200"},
        {FALL(FALL_ON("429", T("a") "," T("b")) "," T("c")), {"a429", NULL, 0}, "ab=200"},
        {FALL_ON("503", FALL(T("a") "," T("b")) "," T("c")), {"a500 b500", NULL, 0}, "ab=500"},
        {FALL(BALANCE(T("a") "," T("b")) "," T("c")), {"b500", NULL, 1500000}, "bc=200"},
        {BALANCE(FALL(T("a") "," T("b")) "," T("c")), {"a500 b500", NULL, 0}, "ab=500"},
        {FALL(SINGLE(SINGLE(T("a"))) "," SINGLE(T("b"))), {"a500", NULL, 0}, "ab=200"},
        {FALL(FALL(FALL(T("a")))), {"a500", NULL, 0}, "a=500"},
        {BALANCE(T("a") "," T("b")), {"a500", NULL, 0}, "a=500"},
    };
    check(rows, COUNT_OF(rows));
}

#define WEIGHTED(p, w) "{\"provider\":\"" p "\",\"weight\":" w "}"

Test(route_walk, draws_follow_the_weights)
{
    static const char document[] =
        BALANCE(WEIGHTED("a", "0.7") "," WEIGHTED("b", "0.3") "," WEIGHTED("c", "0"));
    size_t seen[3] = {0};
    for (uint64_t i = 0; i < 1000; i++) {
        struct script with = {NULL, NULL, i * 1000 + 500};
        seen[walk(document, &with, "{}")[0] - 'a']++;
    }
    cr_expect_eq(seen[0], 700);
    cr_expect_eq(seen[1], 300);
    cr_expect_eq(seen[2], 0, "a weight of 0 is never drawn");
}

Test(route_walk, one_draw_per_loadbalance)
{
    struct script with = {"a500", NULL, 0};
    rolled = 0;
    cr_expect_str_eq(walk(BALANCE(ABC), &with, "{}"), "a=500");
    cr_expect_eq(rolled, 1);
}

/* --- cooled targets --- */

Test(route_walk, cooled_targets_are_passed_over)
{
    static const struct row rows[] = {
        {FALL(ABC), {NULL, "a", 0}, "b=200"},
        {FALL(ABC), {NULL, "ab", 0}, "c=200"},
        {FALL(ABC), {"a500", "b", 0}, "ac=200"},
        {FALL(ABC), {"a500", "bc", 0}, "a=500"},
        {BALANCE(ABC), {NULL, "a", 0}, "b=200"},
        {BALANCE(ABC), {NULL, "ac", 999999}, "b=200"},
        {FALL(BALANCE(T("a") "," T("b")) "," T("c")), {NULL, "ab", 0}, "c=200"},
        {BALANCE(FALL(T("a") "," T("b")) "," T("c")), {NULL, "ab", 0}, "c=200"},
        {FALL(SINGLE(T("a")) "," T("c")), {NULL, "a", 0}, "c=200"},
    };
    check(rows, COUNT_OF(rows));
}

Test(route_walk, when_all_are_cooled_none_is)
{
    static const struct row rows[] = {
        {T("a"), {NULL, "a", 0}, "a=200"},
        {FALL(ABC), {NULL, "abc", 0}, "a=200"},
        {FALL(ABC), {"a500", "abc", 0}, "ab=200"},
        {BALANCE(ABC), {NULL, "abc", 1500000}, "b=200"},
        {BALANCE(WEIGHTED("a", "0") "," T("b")), {NULL, "b", 0}, "b=200"},
    };
    check(rows, COUNT_OF(rows));
}

/* --- conditionals --- */

#define WHEN(query, then) "{\"query\":" query ",\"then\":\"" then "\"}"
#define N(p)              "{\"provider\":\"" p "\",\"name\":\"" p "\"}"
#define IF(conditions, rest, list)                                                                 \
    "{\"strategy\":{\"mode\":\"conditional\",\"conditions\":[" conditions "]" rest                 \
    "},\"targets\":[" list "]}"
#define RED   "{\"metadata.team\":\"red\"}"
#define BLUE  "{\"metadata.team\":\"blue\"}"
#define NAMED N("a") "," N("b") "," N("c")

Test(route_walk, conditions_lead_to_the_first_that_holds)
{
    static const struct row rows[] = {
        {IF(WHEN(RED, "b"), "", NAMED), {NULL, NULL, 0}, "b=200"},
        {IF(WHEN(BLUE, "a") "," WHEN(RED, "c"), "", NAMED), {NULL, NULL, 0}, "c=200"},
        {IF(WHEN(RED, "c") "," WHEN(RED, "a"), "", NAMED), {NULL, NULL, 0}, "c=200"},
        {IF(WHEN(BLUE, "a"), ",\"default\":\"b\"", NAMED), {NULL, NULL, 0}, "b=200"},
        {IF(WHEN(RED, "b"), "", NAMED), {"b500", NULL, 0}, "b=500"},
        {IF(WHEN(RED, "b"), "", NAMED), {NULL, "b", 0}, "b=200"},
        {IF(WHEN(BLUE, "a"), "", NAMED), {NULL, NULL, 0}, "=none"},
        {FALL(IF(WHEN(BLUE, "a"), "", NAMED) "," T("z")), {NULL, NULL, 0}, "z=200"},
        {FALL(T("z") "," IF(WHEN(BLUE, "a"), "", NAMED)), {"z500", NULL, 0}, "z=500"},
        {FALL_ON("500", T("z") "," IF(WHEN(RED, "a"), "", NAMED)), {"z500", NULL, 0}, "za=200"},
        {IF(WHEN(RED, "b"), "",
            N("a") ",{\"name\":\"b\",\"strategy\":{\"mode\":\"fallback\"},"
                   "\"targets\":[" T("x") "," T("y") "]}"),
         {"x500", NULL, 0},
         "xy=200"},
    };
    check(rows, COUNT_OF(rows));
}

Test(route_walk, a_condition_without_an_answer_refuses_the_walk)
{
    static char body[12 << 20];
    struct arena arena;
    struct str bytes, why;
    struct route_plan plan;
    struct route_walk walked;
    memset(body, 'a', sizeof body - 1);
    memcpy(body, "{\"t\":\"", 6);
    memcpy(body + sizeof body - 13, "\",\"last\":1}", 12);
    struct route_inputs inputs = {STR_NONE, str_c(body), STR("/")};
    arena_init(&arena, 1 << 20);
    cr_assert_eq(route_doc_compile(&arena, STR(IF(WHEN("{\"params.last\":1}", "a"), "", NAMED)), 0,
                                   &bytes, &why),
                 ST_OK);
    cr_assert_eq(route_plan_open(bytes, &plan), ST_OK);
    cr_expect_eq(route_walk_begin(&walked, &plan, &arena, &inputs), ST_TOO_LARGE);
    arena_free(&arena);
}

/* --- [BUG]s of section 2.1, ours right --- */

Test(route_walk, bug_2_1_all_weights_0_is_refused_instead_of_hanging)
{
    struct arena arena;
    struct str bytes, why = STR_NONE;
    arena_init(&arena, 1 << 20);
    cr_expect_eq(route_doc_compile(&arena, STR(BALANCE(WEIGHTED("a", "0") "," WEIGHTED("b", "0"))),
                                   0, &bytes, &why),
                 ST_INVALID);
    cr_expect(str_starts(why, STR("config.targets: all weights are 0")));
    arena_free(&arena);
}

Test(route_walk, bug_2_1_negative_weights_are_refused)
{
    struct arena arena;
    struct str bytes, why = STR_NONE;
    arena_init(&arena, 1 << 20);
    cr_expect_eq(route_doc_compile(&arena, STR(BALANCE(WEIGHTED("a", "-1"))), 0, &bytes, &why),
                 ST_INVALID);
    cr_expect(str_starts(why, STR("config.targets[0].weight: ")));
    arena_free(&arena);
}

/* A failure that the gateway made itself (its own timeout, a refused connection) stopped the chain.
 */
Test(route_walk, bug_1_2_what_the_gateway_could_not_reach_falls_on)
{
    static const struct row rows[] = {{FALL(ABC), {"a- b-", NULL, 0}, "abc=200"}};
    check(rows, COUNT_OF(rows));
}
