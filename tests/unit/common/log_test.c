/* log_test.c: whatever the fields hold, a line is one JSON object, and a full pipe costs nothing
 * but the line. */
#include "common/log.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/json_tree.h"

static int ends[2];
static struct arena arena;
static char text[65536];

static void setup(void)
{
    cr_assert_eq(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    arena_init(&arena, 1u << 20);
    clock_test_set(0, 1000);
    log_open("test", ends[1], LOG_LEVEL_INFO);
}

static void teardown(void)
{
    close(ends[0]);
    close(ends[1]);
    arena_free(&arena);
}

TestSuite(log, .init = setup, .fini = teardown);

/* The one line that was written, parsed. */
static const struct json *line(void)
{
    struct json *root;
    ssize_t n = read(ends[0], text, sizeof text);
    cr_assert_gt(n, 0);
    cr_assert_eq(text[n - 1], '\n');
    struct str s = str_of(text, (size_t)n - 1);
    cr_assert_lt(str_find_char(s, '\n'), 0);
    cr_assert_eq(json_parse(&arena, s, NULL, &root, NULL), ST_OK, "%.*s", (int)n, text);
    return root;
}

static struct str field(const struct json *root, const char *name)
{
    struct str value;
    const struct json *node = json_get(root, name);
    if (json_is(node, JSON_STRING)) {
        cr_assert_eq(json_text(node, &arena, &value), ST_OK);
        return value;
    }
    return node == NULL ? STR_NONE : node->raw;
}

Test(log, fields_keep_their_types)
{
    struct id id = {{0xAB}};
    log_warn("event_name", LOG_STR("s", STR("x")), LOG_CSTR("none", NULL), LOG_U64("u", UINT64_MAX),
             LOG_I64("i", INT64_MIN), LOG_BOOL("b", true), LOG_ID("id", &id),
             LOG_STATUS(ST_NOT_FOUND));
    const struct json *root = line();
    cr_expect(str_eq(field(root, "ts"), STR("1970-01-01T00:00:01.000Z")));
    cr_expect(str_eq(field(root, "level"), STR("warn")));
    cr_expect(str_eq(field(root, "program"), STR("test")));
    cr_expect(str_eq(field(root, "event"), STR("event_name")));
    cr_expect(str_eq(field(root, "s"), STR("x")));
    cr_expect(str_eq(field(root, "none"), STR("")));
    cr_expect(str_eq(field(root, "u"), STR("18446744073709551615")));
    cr_expect(str_eq(field(root, "i"), STR("-9223372036854775808")));
    cr_expect(str_eq(field(root, "b"), STR("true")));
    cr_expect(str_eq(field(root, "id"), STR("ab000000-0000-0000-0000-000000000000")));
    cr_expect(str_eq(field(root, "status"), STR("not_found")));
}

Test(log, nothing_from_outside_forges_a_line)
{
    static const struct str rows[] = {
        {"\n{\"level\":\"error\"}\n", 19},
        {"a\",\"b\":\"c", 9},
        {"\\", 1},
        {"\0\x01\x1F\x7F", 4},
        {"\xFF\xC3(", 3},
        {"\xE2\x80\xA8 \xC3\xA9", 6},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        log_info("e", LOG_STR("v", rows[i]));
        const struct json *root = line();
        cr_expect_eq(root->count, 6, "row %zu: no further member", i);
        if (str_is_utf8(rows[i]))
            cr_expect(str_eq(field(root, "v"), rows[i]), "row %zu", i);
    }
}

Test(log, long_lines_are_cut_at_a_field)
{
    static char big[5000];
    memset(big, '"', sizeof big);
    log_info("e", LOG_U64("first", 1), LOG_STR("big", str_of(big, sizeof big)), LOG_U64("last", 2));
    const struct json *root = line();
    cr_expect(str_eq(field(root, "first"), STR("1")));
    cr_expect_null(json_get(root, "big"));
    cr_expect(str_eq(field(root, "cut"), STR("true")));
}

Test(log, levels)
{
    enum log_level level;
    log_debug("hidden");
    cr_expect_lt(read(ends[0], text, sizeof text), 0, "below the minimum nothing is written");
    log_error("shown");
    cr_expect(str_eq(field(line(), "level"), STR("error")));
    cr_expect_eq(log_level_from_text(STR("debug"), &level), ST_OK);
    cr_expect_eq(level, LOG_LEVEL_DEBUG);
    cr_expect_eq(log_level_from_text(STR("WARN"), &level), ST_INVALID);
    cr_expect_eq(log_level_from_text(STR(""), &level), ST_INVALID);
}

Test(log, a_full_pipe_drops_and_counts)
{
    uint64_t before = log_dropped();
    for (int i = 0; i < 2000; i++)
        log_info("filling_the_pipe", LOG_I64("i", i));
    cr_expect_gt(log_dropped(), before);
}
