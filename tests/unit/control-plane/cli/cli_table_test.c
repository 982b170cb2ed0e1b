/* The words of a call: what is written is read again, and nothing else is. */
#include <criterion/criterion.h>

#include "control-plane/cli/cli.h"

static struct cli_call call;

static void begin(void)
{
    cli_call_init(&call, NULL);
}

static void end(void)
{
    cli_call_free(&call);
}

TestSuite(cli_table, .init = begin, .fini = end);

Test(cli_table, words_are_read_as_they_were_written)
{
    const struct cli_command *command, *found;
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) {
        struct cli_call in = {.operand = command->operand == NULL ? STR_NONE : STR("a=b c")}, out = {.params = NULL};
        struct buf words;
        buf_init(&words, CLI_WORDS_MAX);
        for (size_t option = 0; option < CLI_OPTION_COUNT; option++)
            if ((command->options >> option & 1) != 0)
                in.options[option] = option % 2 == 0 ? STR("x=y") : STR("");
        cr_assert_eq(cli_words_format(command, &in, &words), ST_OK);
        enum status wanted = command->offline ? ST_INVALID : ST_OK;
        cr_assert_eq(cli_words_parse(buf_str(&words), &found, &out), wanted, "%s", command->name);
        if (wanted == ST_OK) {
            cr_assert_eq(found, command);
            cr_assert(str_eq(in.operand, out.operand));
            for (size_t option = 0; option < CLI_OPTION_COUNT; option++) {
                cr_assert_eq(in.options[option].p == NULL, out.options[option].p == NULL);
                cr_assert(str_eq(in.options[option], out.options[option]));
            }
        }
        buf_free(&words);
    }
}

Test(cli_table, foreign_words_are_refused)
{
    static const struct str words[] = {
        {"", 0},                            /* nothing */
        {"status", 6},                      /* no NUL behind it */
        {"stat\0", 5},                      /* no such command */
        {"status \0", 8},
        {"init\0", 5},                      /* needs the store for itself */
        {"restore\0=/x\0", 12},
        {"backup\0", 7},                    /* without its operand */
        {"backup\0=\0", 9},                 /* with an empty one */
        {"status\0=x\0", 10},               /* takes none */
        {"status\0region=eu\0", 17},        /* not its option */
        {"node add\0region\0", 16},         /* without a value */
        {"node add\0regio=eu\0", 18},       /* none at all */
        {"node add\0\0region=eu\0", 20},    /* an empty word in the middle */
        {"\0status\0", 8},
    };
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        const struct cli_command *command;
        struct cli_call out = {.params = NULL};
        cr_assert_eq(cli_words_parse(words[i], &command, &out), ST_INVALID, "row %zu", i);
    }
}

Test(cli_table, a_fault_is_told_once)
{
    cr_assert_eq(cli_fail(&call, ST_CONFLICT, "first %d", 1), ST_CONFLICT);
    cr_assert_eq(cli_fail(&call, ST_IO, "second"), ST_IO);
    cr_assert(str_eq(buf_str(&call.why), STR("first 1")));
}
