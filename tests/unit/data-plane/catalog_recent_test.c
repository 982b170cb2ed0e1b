/* Recent look-ups: an answer belongs to one question in one snapshot. */
#include "data-plane/catalog_recent.h"

#include <criterion/criterion.h>

static struct catalog_recent recent;
static const struct id org = {{1}}, parent = {{2}};

static struct catalog_asked ask(uint8_t how, uint8_t kind, const struct id *o, const struct id *p, const char *name)
{
    struct catalog_asked asked;
    cr_assert(catalog_recent_ask(&asked, how, kind, o, p, str_c(name)));
    return asked;
}

static bool knows(const struct catalog_asked *asked, uint64_t snapshot)
{
    enum status status;
    struct str record;
    return catalog_recent_get(&recent, asked, snapshot, &status, &record);
}

Test(catalog_recent, answers_the_same_question_only)
{
    const struct id other = {{3}};
    enum status status = ST_INTERNAL;
    struct str record = STR_NONE;
    struct catalog_asked asked = ask(0, 5, &org, &parent, "name");
    cr_expect_not(knows(&asked, 7));
    catalog_recent_put(&recent, &asked, 7, ST_OK, STR("record"));
    cr_assert(catalog_recent_get(&recent, &asked, 7, &status, &record));
    cr_expect(status == ST_OK && str_eq(record, STR("record")));
    const struct catalog_asked others[] = {ask(1, 5, &org, &parent, "name"), ask(0, 6, &org, &parent, "name"),
                                           ask(0, 5, &other, &parent, "name"), ask(0, 5, &org, &other, "name"),
                                           ask(0, 5, &org, &parent, "nam"), ask(0, 5, &org, &parent, "name ")};
    for (size_t i = 0; i < COUNT_OF(others); i++)
        cr_expect_not(knows(&others[i], 7), "question %zu", i);
}

Test(catalog_recent, another_snapshot_knows_nothing)
{
    struct catalog_asked asked = ask(0, 5, &org, &parent, "name");
    catalog_recent_put(&recent, &asked, 7, ST_OK, STR("old"));
    cr_expect_not(knows(&asked, 8));
    cr_expect_not(knows(&asked, 6));
    catalog_recent_put(&recent, &asked, 8, ST_NOT_FOUND, STR_NONE);
    enum status status;
    struct str record = STR("untouched");
    cr_assert(catalog_recent_get(&recent, &asked, 8, &status, &record));
    cr_expect(status == ST_NOT_FOUND && str_eq(record, STR("untouched")));
}

Test(catalog_recent, neither_faults_nor_long_questions_are_kept)
{
    char name[CATALOG_RECENT_ASKED];
    struct catalog_asked asked = ask(0, 5, &org, &parent, "name");
    catalog_recent_put(&recent, &asked, 7, ST_BAD_FORMAT, STR_NONE);
    cr_expect_not(knows(&asked, 7));
    memset(name, 'x', sizeof name);
    size_t most = CATALOG_RECENT_ASKED - 2 - 2 * ID_BYTES;
    cr_expect(catalog_recent_ask(&asked, 0, 5, &org, &parent, str_of(name, most)));
    cr_expect_not(catalog_recent_ask(&asked, 0, 5, &org, &parent, str_of(name, most + 1)));
}
