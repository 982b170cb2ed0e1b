/* The estimate of a chat's tokens, by its stated rule. ' stands for ". */
#include "tests/unit/data-plane/dialect/dialect_run.h"

#include "data-plane/dialect/count.h"

#define USER(content) "{'messages':[{'role':'user','content':" content "}]}"

static const struct {
    const char *body;
    uint64_t tokens;
} rows[] = {
    {USER("''"), 3 + 4},
    {USER("'abcd'"), 3 + 4 + 1},
    {USER("'abcde'"), 3 + 4 + 2},
    {USER("'\xE4\xBD\xA0\xE5\xA5\xBD'"), 3 + 4 + 2},
    {"{'system':'abcd','messages':[{'role':'user','content':'abcd'}]}", 3 + 4 + 1 + 4 + 1},
    {USER("[{'type':'image','source':{'type':'url','url':'https://x'}}]"), 3 + 4 + 1600},
    {USER("[{'type':'document','source':{'type':'text','data':'abcdefgh'}}]"), 3 + 4 + 2},
    {USER("[{'type':'tool_result','tool_use_id':'t','content':'abcd'}]"), 3 + 4 + 1},
    {"{'tools':[{'name':'abcd','description':'abcd','input_schema':{'a':1}}],'messages':[{'role':"
     "'user','content':''}]}",
     3 + 4 + 1 + 1 + 2},
    {"{'tools':[{'type':'bash_20250124','name':'bash'}],'messages':[{'role':'assistant','content':"
     "[{'type':'thinking','thinking':'abcd','signature':'s'},{'type':'tool_use','id':'t','name':"
     "'abcd','input':{'a':1}}]}]}",
     3 + 4 + 1 + 2 + 10},
};

Test(count, follows_its_rule)
{
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        run_begin(&run, OP_COUNT_TOKENS, CAT_DIALECT_OPENAI, "M");
        cr_assert_eq(dialect_read(&run.call, str_c(run_quotes(&run, rows[i].body)), &run.chat),
                     ST_OK, "%s", rows[i].body);
        cr_expect_eq(count_estimate(run.chat), rows[i].tokens, "%s: %llu", rows[i].body,
                     (unsigned long long)count_estimate(run.chat));
        run_end(&run);
    }
}
