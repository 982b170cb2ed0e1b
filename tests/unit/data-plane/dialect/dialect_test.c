/* The engine by itself: a back and a front that write down what they see. */
#include "tests/unit/data-plane/dialect/dialect_run.h"

static const char *const kinds[] = {"START",    "PART",   "DELTA", "SIGN", "CITE",
                                    "END_PART", "FINISH", "USAGE", "END"};

static void note(struct dialect_call *call, const struct chat_event *event)
{
    buf_printf(&call->out, "%s", kinds[event->kind]);
    if (event->kind == CHAT_EVENT_PART || event->kind == CHAT_EVENT_DELTA ||
        event->kind == CHAT_EVENT_PART_END)
        buf_printf(&call->out, "(%d,%u,%u,%u)", event->part, event->choice, event->part_at,
                   event->call_at);
    buf_add_char(&call->out, ' ');
}

static void note_whole(struct dialect_call *call, const struct chat_answer *answer)
{
    for (size_t i = 0; i < answer->choice_count; i++)
        for (const struct chat_part *part = answer->choices[i].parts.first; part != NULL;
             part = part->next)
            buf_printf(&call->out, "%zu:%d=%.*s ", i, part->kind,
                       STR_ARG(part->kind == CHAT_PART_TOOL_CALL ? part->json : part->text.raw));
}

static void note_error(struct dialect_call *call, const struct chat_error *error, bool in_stream)
{
    buf_printf(&call->out, "ERROR(%.*s,%d)", STR_ARG(error->message), in_stream);
}

static const struct front front = {
    .name = "notes", .op = OP_CHAT, .event = note, .whole = note_whole, .error = note_error};
static const struct back back = {.name = "hand"};

struct engine {
    struct arena arena;
    struct dialect_call call;
    struct dialect_target target;
    struct chat chat;
};

static struct engine *begin(bool stream)
{
    static struct engine e;
    arena_init(&e.arena, 1u << 20);
    e.target =
        (struct dialect_target){.provider = STR("p"), .service = STR("s"), .model = STR("m")};
    e.chat = (struct chat){.stream = stream};
    cr_assert_eq(dialect_begin(&e.call, &e.arena, &front, &back, &e.target), ST_OK);
    e.call.chat = &e.chat;
    e.call.answer_id = STR("id");
    return &e;
}

static void finish(struct engine *e)
{
    dialect_free(&e->call);
    arena_free(&e->arena);
}

#define WORDS(text) ((struct chat_text){STR("\"" text "\"")})
#define EMIT(...)   dialect_emit(&e->call, &(struct chat_event){__VA_ARGS__})
#define OUT(want)                                                                                  \
    cr_expect(str_eq(buf_str(&e->call.out), STR(want)), "%.*s", STR_ARG(buf_str(&e->call.out)))

Test(dialect, opens_and_closes_parts_that_a_back_does_not)
{
    struct engine *e = begin(true);
    cr_expect_eq(e->call.state, DIALECT_HOLD);
    cr_expect_eq(EMIT(.kind = CHAT_EVENT_DELTA, .part = CHAT_PART_THINKING, .text = WORDS("t")),
                 ST_OK);
    cr_expect_eq(e->call.state, DIALECT_FLOW);
    cr_expect_eq(EMIT(.kind = CHAT_EVENT_DELTA, .part = CHAT_PART_TEXT, .text = WORDS("a")), ST_OK);
    cr_expect_eq(EMIT(.kind = CHAT_EVENT_DELTA, .part = CHAT_PART_TEXT, .text = WORDS("")), ST_OK);
    cr_expect_eq(EMIT(.kind = CHAT_EVENT_PART, .part = CHAT_PART_TOOL_CALL, .id = WORDS("1"),
                      .name = WORDS("f")),
                 ST_OK);
    cr_expect_eq(EMIT(.kind = CHAT_EVENT_PART, .part = CHAT_PART_TOOL_CALL, .id = WORDS("2"),
                      .name = WORDS("g")),
                 ST_OK);
    cr_expect_eq(EMIT(.kind = CHAT_EVENT_DELTA, .part = CHAT_PART_TOOL_CALL, .text = WORDS("{}")),
                 ST_OK);
    cr_expect_eq(EMIT(.kind = CHAT_EVENT_FINISH, .finish = CHAT_FINISH_TOOL_CALLS), ST_OK);
    cr_expect_eq(EMIT(.kind = CHAT_EVENT_FINISH, .finish = CHAT_FINISH_STOP), ST_OK);
    cr_expect_eq(EMIT(.kind = CHAT_EVENT_END), ST_OK);
    cr_expect_eq(EMIT(.kind = CHAT_EVENT_DELTA, .part = CHAT_PART_TEXT, .text = WORDS("late")),
                 ST_OK);
    cr_expect_eq(e->call.state, DIALECT_ENDED);
    OUT("START PART(3,0,0,4294967295) DELTA(3,0,0,4294967295) END_PART(3,0,0,4294967295) "
        "PART(1,0,1,4294967295) DELTA(1,0,1,4294967295) "
        "END_PART(1,0,1,4294967295) PART(5,0,2,0) DELTA(5,0,2,0) END_PART(5,0,2,0) PART(5,0,3,1) DELTA(5,0,3,1) "
        "END_PART(5,0,3,1) FINISH END ");
    finish(e);
}

Test(dialect, choices_do_not_disturb_each_other)
{
    struct engine *e = begin(false);
    for (uint32_t i = 0; i < 3; i++)
        for (uint32_t choice = 0; choice < 2; choice++)
            cr_expect_eq(EMIT(.kind = CHAT_EVENT_DELTA, .part = CHAT_PART_TEXT, .choice = choice,
                              .text = WORDS("ab")),
                         ST_OK);
    for (uint32_t choice = 0; choice < 2; choice++)
        cr_expect_eq(EMIT(.kind = CHAT_EVENT_FINISH, .choice = choice, .finish = CHAT_FINISH_STOP),
                     ST_OK);
    cr_expect_eq(EMIT(.kind = CHAT_EVENT_END), ST_OK);
    OUT("0:1=\"ababab\" 1:1=\"ababab\" ");
    finish(e);
}

Test(dialect, what_is_no_answer_is_the_providers_fault)
{
    struct engine *e = begin(true);
    cr_expect_eq(EMIT(.kind = CHAT_EVENT_DELTA, .part = CHAT_PART_TOOL_CALL, .text = WORDS("{}")),
                 ST_UPSTREAM_BROKEN);
    cr_expect_eq(EMIT(.kind = CHAT_EVENT_DELTA, .part = CHAT_PART_TEXT, .choice = CHAT_CHOICES_MAX,
                      .text = WORDS("x")),
                 ST_UPSTREAM_BROKEN);
    cr_expect_eq(EMIT(.kind = CHAT_EVENT_END), ST_UPSTREAM_BROKEN);
    finish(e);
}

Test(dialect, an_error_ends_the_answer_where_it_stands)
{
    struct chat_error error = {.http = 529, .message = STR("over")};
    struct engine *e = begin(true);
    cr_expect_eq(EMIT(.kind = CHAT_EVENT_START), ST_OK);
    dialect_fail(&e->call, &error);
    OUT("START ");
    cr_expect_eq(e->call.state, DIALECT_FAILED);
    dialect_write_error(&e->call, &e->call.error);
    OUT("ERROR(over,0)");
    finish(e);
    e = begin(true);
    cr_expect_eq(EMIT(.kind = CHAT_EVENT_DELTA, .part = CHAT_PART_TEXT, .text = WORDS("a")), ST_OK);
    dialect_fail(&e->call, &error);
    dialect_fail(&e->call, &error);
    cr_expect_eq(EMIT(.kind = CHAT_EVENT_FINISH), ST_OK);
    OUT("START PART(1,0,0,4294967295) DELTA(1,0,0,4294967295) ERROR(over,1)");
    finish(e);
}

Test(dialect, a_finish_that_says_error_is_an_error)
{
    struct engine *e = begin(true);
    cr_expect_eq(EMIT(.kind = CHAT_EVENT_DELTA, .part = CHAT_PART_TEXT, .text = WORDS("a")), ST_OK);
    cr_expect_eq(EMIT(.kind = CHAT_EVENT_FINISH, .finish = CHAT_FINISH_ERROR, .word = STR("abort")),
                 ST_OK);
    cr_expect_eq(e->call.state, DIALECT_FAILED);
    cr_expect_eq(e->call.error.http, 502);
    OUT("START PART(1,0,0,4294967295) DELTA(1,0,0,4294967295) "
        "ERROR(Provider @p gave up inside its answer (abort).,1)");
    finish(e);
}

Test(dialect, what_a_front_leaves_out_is_listed_in_every_attempt)
{
    static struct dialect_run run;
    struct dialect_call second;
    struct str body;
    run_begin(&run, OP_MESSAGES, CAT_DIALECT_OPENAI, "M");
    run_request(&run, run_quotes(&run, "{'max_tokens':9,'tools':[{'name':'f','input_schema':{},"
                                       "'defer_loading':true}],'messages':[{'role':'user',"
                                       "'content':'a'}]}"));
    cr_expect_str_eq(run.call.dropped, "tools.defer_loading");
    cr_assert_eq(dialect_begin(&second, &run.arena, run.call.front, run.call.back, &run.target),
                 ST_OK);
    second.chat = run.chat;
    cr_assert_eq(dialect_write(&second, &body), ST_OK);
    cr_expect_str_eq(second.dropped, "tools.defer_loading");
    dialect_free(&second);
    run_end(&run);
}

Test(dialect, dropped_fields_are_listed_once_and_fit_a_header)
{
    struct engine *e = begin(true);
    char name[40];
    dialect_drop(&e->call, "seed");
    dialect_drop(&e->call, "a\r\nx: y,\xC3\xA9");
    dialect_drop(&e->call, "seed");
    dialect_drop(&e->call, NULL);
    dialect_drop(&e->call, "");
    cr_expect_str_eq(e->call.dropped, "seed, a??x??y???", "%s", e->call.dropped);
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "a_rather_long_name_%d", i);
        dialect_drop(&e->call, name);
    }
    cr_expect_lt(strlen(e->call.dropped), sizeof e->call.dropped);
    cr_expect(str_ends(str_c(e->call.dropped), STR("_40")) ||
              str_find(str_c(e->call.dropped), STR("_30")) > 0);
    finish(e);
}

Test(dialect, headers_of_a_call_are_bounded)
{
    struct engine *e = begin(true);
    for (size_t i = 0; i < DIALECT_HEADERS_MAX; i++)
        cr_expect_eq(dialect_add_header(&e->call, STR("a"), STR("b")), ST_OK);
    cr_expect_eq(dialect_add_header(&e->call, STR("a"), STR("b")), ST_TOO_LARGE);
    finish(e);
}

Test(dialect, knows_who_is_there)
{
    cr_expect_not_null(dialect_front(OP_CHAT));
    cr_expect_null(dialect_front(OP_FILES_UPLOAD));
    cr_expect_not_null(dialect_front(OP_MESSAGES));
    cr_expect_not_null(dialect_front(OP_COUNT_TOKENS));
    cr_expect_not_null(dialect_back(CAT_DIALECT_ANTHROPIC));
    cr_expect_not_null(dialect_back(CAT_DIALECT_OPENAI));
    cr_expect_null(dialect_back(CAT_DIALECT_OTHER));
}
