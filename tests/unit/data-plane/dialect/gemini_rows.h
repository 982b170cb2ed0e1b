/* gemini_rows.h: a request in OpenAI's words, and what Google is sent: rows of tables, and how they
 * are run. ' stands for " in all of them. */
#ifndef SLUICE_TESTS_GEMINI_ROWS_H
#define SLUICE_TESTS_GEMINI_ROWS_H

#include "tests/unit/data-plane/dialect/dialect_run.h"
#include "tests/unit/data-plane/dialect/quotes.h"

#include "data-plane/dialect/back_gemini.h"

#define USER(text)     "{'role':'user','content':'" text "'}"
#define SAID(text)     "{'role':'assistant','content':'" text "'}"
#define TOLD(text)     "{'role':'system','content':'" text "'}"
#define HI             "'messages':[" USER("hi") "]"
#define TEXT(text)     "{'text':'" text "'}"
#define TURN(who, ...) "{'role':'" who "','parts':[" __VA_ARGS__ "]}"
#define OUT(contents, config)                                                                      \
    "{'contents':[" contents "],"                                                                  \
    "'generationConfig':{" config "}}"
#define HI_OUT TURN("user", TEXT("hi"))
#define TOOL(name)                                                                                 \
    "{'type':'function','function':{'name':'" name                                                 \
    "','parameters':{'type':'object','properties':{'q':{'$ref':'#/$defs/q'}},"                     \
    "'additionalProperties':false}}}"
#define TOOL_OUT(name)                                                                             \
    "{'name':'" name "','parametersJsonSchema':{'type':'object','properties':{'q':{'$ref':"        \
    "'#/$defs/q'}},'additionalProperties':false}}"
#define TOOLS_OUT(list) "'tools':[{'functionDeclarations':[" list "]}]"
#define CALL(id, name)                                                                             \
    "{'id':'" id "','type':'function','function':{'name':'" name "','arguments':'{\\'a\\':1}'}}"
#define CALLED(id, name) "{'functionCall':{'id':'" id "','name':'" name "','args':{'a':1}}}"
#define RESULT(id, text) "{'role':'tool','tool_call_id':'" id "','content':'" text "'}"
#define GAVE(id, name, res)                                                                        \
    "{'functionResponse':{'id':'" id "','name':'" name "','response':" res "}}"
#define PICTURE(url) "{'type':'image_url','image_url':{'url':'" url "'}}"

struct gemini_row {
    const char *name, *model, *in, *out, *dropped;
};

static inline void gemini_rows_run(const struct gemini_row *rows, size_t count)
{
    static struct dialect_run run;
    for (size_t i = 0; i < count; i++) {
        const char *want = rows[i].out[0] == '{' ? quotes(rows[i].out) : rows[i].out;
        struct json_field field = {.name = "contents"};
        run_begin(&run, OP_CHAT, CAT_DIALECT_GEMINI, rows[i].model);
        run.target.service = STR("google");
        const char *out = run_request(&run, quotes(rows[i].in));
        cr_expect_str_eq(out, want, "%s:\n got %s\nwant %s", rows[i].name, out, want);
        cr_expect_str_eq(run.call.dropped, rows[i].dropped, "%s: dropped \"%s\"", rows[i].name,
                         run.call.dropped);
        if (out[0] == '{')
            cr_expect_eq(json_scan_object(str_c(out), &field, 1, NULL), ST_OK, "%s", rows[i].name);
        run_end(&run);
    }
}

#endif
