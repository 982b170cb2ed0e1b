/* What a provider's row changes in a body that is otherwise passed byte for byte. ' stands for ".
 */
#include <criterion/criterion.h>

#include "data-plane/worker/row_rules.h"

static const struct {
    const char *name, *renames, *in, *out;
} rows[] = {
    {"nothing to do", "a b\n", "{'c': 1}", "{'c': 1}"},
    {"a member is renamed, blanks and all", "a b\n", "{ 'a' : 1 , 'c':2}", "{ 'b' : 1 , 'c':2}"},
    {"only at the top", "a b\n", "{'x':{'a':1},'y':'a'}", "{'x':{'a':1},'y':'a'}"},
    {"several renames", "a b\nc d\n", "{'a':1,'c':2}", "{'b':1,'d':2}"},
    {"of both names the renamed one wins (first)", "a b\n", "{'b': 1 ,'a':2}", "{'b':2}"},
    {"of both names the renamed one wins (last)", "a b\n", "{'a':2 , 'b':1}", "{'b':2 }"},
    {"of both names the renamed one wins (inside)", "a b\n", "{'x':0,'b':1,'a':2}",
     "{'x':0,'b':2}"},
    {"developer is system", "",
     "{'messages':[{'role':'developer','content':'developer'},{'role':"
     "'user'},{'content':'x', 'role': 'developer'}]}",
     "{'messages':[{'role':'system','content':'developer'},{'role':'user'},{'content':'x', 'role': "
     "'system'}]}"},
    {"messages that are none", "", "{'messages':'developer'}", "{'messages':'developer'}"},
    {"what is no rule", "a\n \nx y", "{'a':1,'x':2}", "{'a':1,'y':2}"},
};

static struct str quotes(struct arena *arena, const char *text)
{
    char *copy = arena_cstr(arena, str_c(text));
    for (char *p = copy; *p != '\0'; p++)
        if (*p == '\'')
            *p = '"';
    return str_c(copy);
}

Test(row_rules, change_what_they_name_and_nothing_else)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena arena;
        struct edits edits;
        struct str out;
        arena_init(&arena, 1u << 20);
        struct str in = quotes(&arena, rows[i].in), want = quotes(&arena, rows[i].out);
        edits_init(&edits, &arena);
        row_rules_apply(&(struct row_rules){str_c(rows[i].renames), true}, in, &edits);
        cr_assert_eq(edits_apply(&edits, in, &out), ST_OK);
        cr_expect(str_eq(out, want), "%s: " STR_FMT, rows[i].name, STR_ARG(out));
        arena_free(&arena);
    }
}

Test(row_rules, a_service_that_knows_developer_keeps_it)
{
    struct arena arena;
    struct edits edits;
    arena_init(&arena, 1u << 20);
    struct str in = quotes(&arena, "{'messages':[{'role':'developer'}]}"), out;
    edits_init(&edits, &arena);
    row_rules_apply(&(struct row_rules){STR(""), false}, in, &edits);
    cr_assert_eq(edits_apply(&edits, in, &out), ST_OK);
    cr_expect_eq(out.p, in.p, "untouched");
    arena_free(&arena);
}

Test(row_rules, tell_tokens_from_text)
{
    static const struct {
        const char *body;
        bool tokens;
    } inputs[] = {
        {"{'input':'a'}", false},           {"{'input':['a',1]}", false}, {"{'input':[1,2]}", true},
        {"{'input':[[1],[2]]}", true},      {"{'input':[]}", false},      {"{}", false},
        {"{'input':[{'text':'a'}]}", false}};
    struct arena arena;
    arena_init(&arena, 1u << 20);
    for (size_t i = 0; i < COUNT_OF(inputs); i++)
        cr_expect_eq(row_rules_has_tokens(quotes(&arena, inputs[i].body)), inputs[i].tokens, "%s",
                     inputs[i].body);
    arena_free(&arena);
}

Test(edits, many_are_kept_in_order_and_too_many_refused)
{
    struct arena arena;
    struct edits edits;
    struct str out;
    char text[2 * EDITS_MAX];
    arena_init(&arena, 4u << 20);
    memset(text, 'x', sizeof text);
    edits_init(&edits, &arena);
    for (size_t i = EDITS_MAX; i > 0; i--)
        edits_add(&edits, i - 1, 1, STR("y"));
    cr_assert_eq(edits_apply(&edits, str_of(text, sizeof text), &out), ST_OK);
    cr_expect_eq(str_find_char(out, 'x'), (ptrdiff_t)EDITS_MAX);
    cr_expect_eq(out.n, sizeof text);
    edits_add(&edits, EDITS_MAX, 1, STR("y"));
    cr_expect_eq(edits_apply(&edits, str_of(text, sizeof text), &out), ST_TOO_LARGE);
    arena_free(&arena);
}
