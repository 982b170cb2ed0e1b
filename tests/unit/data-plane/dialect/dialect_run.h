/* dialect_run.h: one translated call without a worker: a caller's request in, the provider's body
 * out; the provider's answer in, the caller's bytes out. For the tables of the dialect tests. */
#ifndef SLUICE_TESTS_DIALECT_RUN_H
#define SLUICE_TESTS_DIALECT_RUN_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/catalog_codec.h"
#include "data-plane/dialect/dialect.h"

struct dialect_run {
    struct arena arena;
    struct dialect_call call;
    struct dialect_target target;
    const struct chat *chat;
    char text[1 << 20]; /* the last result, NUL-terminated */
};

static inline void run_begin(struct dialect_run *run, enum op op, uint16_t dialect,
                             const char *model)
{
    arena_init(&run->arena, 64u << 20);
    run->target = (struct dialect_target){.provider = STR("prod"),
                                          .service = STR("anthropic"),
                                          .model = str_c(model),
                                          .base_model = str_c(model),
                                          .max_output_tokens = 64000};
    cr_assert_eq(dialect_begin(&run->call, &run->arena, dialect_front(op), dialect_back(dialect),
                               &run->target),
                 ST_OK);
    run->call.created_s = 1700000000;
    run->call.answer_id = STR("req-1");
}

static inline void run_end(struct dialect_run *run)
{
    dialect_free(&run->call);
    arena_free(&run->arena);
}

static inline const char *run_keep(struct dialect_run *run, struct str text)
{
    cr_assert_lt(text.n, sizeof run->text);
    if (text.n > 0)
        memcpy(run->text, text.p, text.n);
    run->text[text.n] = '\0';
    return run->text;
}

/* JSON that is written with ' for " in a table; in the run's arena. */
static inline const char *run_quotes(struct dialect_run *run, const char *text)
{
    char *copy = arena_cstr(&run->arena, str_c(text));
    cr_assert_not_null(copy);
    for (char *p = copy; *p != '\0'; p++)
        if (*p == '\'')
            *p = '"';
    return copy;
}

/* The provider's body, or "<status>: <reason>" where it is refused. */
static inline const char *run_request(struct dialect_run *run, const char *body)
{
    struct str out;
    enum status status = dialect_read(&run->call, str_c(body), &run->chat);
    if (status == ST_OK)
        status = dialect_write(&run->call, &out);
    if (status == ST_OK)
        return run_keep(run, out);
    snprintf(run->text, sizeof run->text, "%d: %s", status_row(status)->http, run->call.reason);
    return run->text;
}

/* Feeds an answer in pieces of `piece` bytes and gives all that the caller would get; a status that
 * is not ST_OK is appended as "<name>". */
static inline const char *run_reply(struct dialect_run *run, int http, const char *type,
                                    const char *answer, size_t piece)
{
    size_t n = strlen(answer);
    enum status status = ST_OK;
    dialect_reply_begin(&run->call, http, str_c(type));
    for (size_t at = 0; at < n && status == ST_OK; at += piece)
        status = dialect_reply_feed(&run->call, answer + at, n - at < piece ? n - at : piece);
    if (status == ST_OK)
        status = dialect_reply_end(&run->call);
    if (run->call.state == DIALECT_FAILED && !(run->call.content && run->chat->stream))
        dialect_write_error(&run->call, &run->call.error);
    run_keep(run, buf_str(&run->call.out));
    if (status != ST_OK)
        snprintf(run->text + strlen(run->text), 64, "<%s>", status_row(status)->code);
    return run->text;
}

#endif
