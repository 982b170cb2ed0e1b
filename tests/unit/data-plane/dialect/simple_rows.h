/* simple_rows.h: a request without a conversation in, the provider's body out; its answer in, the
 * caller's out: rows of tables, and how they are run. ' stands for " in all of them. */
#ifndef SLUICE_TESTS_SIMPLE_ROWS_H
#define SLUICE_TESTS_SIMPLE_ROWS_H

#include "tests/unit/data-plane/dialect/dialect_run.h"
#include "tests/unit/data-plane/dialect/quotes.h"

#include "data-plane/dialect/simple.h"

struct simple_row {
    const char *name;
    enum op op;
    const char *model, *in, *out, *dropped;
};

struct simple_reply_row {
    const char *name;
    enum op op;
    const char *model, *ask, *in, *out;
};

static inline const char *simple_text(const char *text)
{
    return text[0] == '{' ? quotes(text) : text;
}

static inline void simple_rows_run(const struct simple_row *rows, size_t count, uint16_t dialect,
                                   const char *service)
{
    static struct dialect_run run;
    for (size_t i = 0; i < count; i++) {
        const char *want = simple_text(rows[i].out);
        run_begin(&run, rows[i].op, dialect, rows[i].model);
        run.target.service = str_c(service);
        const char *out = run_request(&run, quotes(rows[i].in));
        cr_expect_str_eq(out, want, "%s:\n got %s\nwant %s", rows[i].name, out, want);
        cr_expect_str_eq(run.call.dropped, rows[i].dropped, "%s: dropped \"%s\"", rows[i].name,
                         run.call.dropped);
        run_end(&run);
    }
}

static inline void simple_replies_run(const struct simple_reply_row *rows, size_t count,
                                      uint16_t dialect, const char *service)
{
    static struct dialect_run run;
    for (size_t i = 0; i < count; i++) {
        const char *want = simple_text(rows[i].out);
        run_begin(&run, rows[i].op, dialect, rows[i].model);
        run.target.service = str_c(service);
        cr_assert_eq(run_request(&run, quotes(rows[i].ask))[0], '{', "%s: %s", rows[i].name,
                     run.text);
        const char *out = run_reply(&run, 200, "application/json", quotes(rows[i].in), 7);
        cr_expect_str_eq(out, want, "%s:\n got %s\nwant %s", rows[i].name, out, want);
        run_end(&run);
    }
}

#endif
