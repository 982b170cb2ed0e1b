/* model_refresh_test.c: what a provider lists, beside the catalog (gpt-4o, gpt-4o-mini, o1-mini) and the integration's rules. */
#include "control-plane/domain/model_refresh.h"
#include "common/wire.h"
#include "tests/unit/control-plane/api_fixture.h"

static struct model_refresh last;

static void begin(void)
{
    api_fixture_open();
    EXPECT_STATUS(api_call(ADMIN, "POST", "/v1/integrations", "{\"name\":\"i\",\"slug\":\"i\",\"ai_provider_id\":\"openai\",\"key\":\"sk-0123456789abcdef\"}"), 200);
}

TestSuite(model_refresh, .init = begin, .fini = api_fixture_close);

static enum status apply(struct write_op *op, void *arg)
{
    struct record_key key;
    Sluice__Integration *record;
    (void)arg;
    TRY(record_find(op->txn, SLUICE__KIND__KIND_INTEGRATION, &fx.org[0].org, &ID_NONE, STR("i"), &key));
    TRY(record_get(op->txn, &key, op->arena, &record, NULL));
    TRY(model_refresh_apply(op, &key, record, &last));
    return record_put(op, &key, record, STR("i"));
}

/* The provider lists these, separated by '|'. Gives "added/returned/vanished". */
static const char *list(const char *text, bool cut)
{
    static struct str names[32];
    static char said[1024];
    struct str rest = str_c(text), one;
    size_t n = 0;
    last = (struct model_refresh){.listed = names, .cut = cut};
    while (text[0] != '\0' && str_split(&rest, '|', &one))
        names[last.listed_count++] = one;
    OK(fixture_write(&fx.store, apply, NULL, NULL));
    const struct model_names *lists[] = {&last.added, &last.returned, &last.vanished};
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        n += (size_t)snprintf(said + n, sizeof said - n, "%s", i > 0 ? "/" : "");
        for (size_t k = 0; k < lists[i]->count; k++)
            n += (size_t)snprintf(said + n, sizeof said - n, "%s" STR_FMT, k > 0 ? "," : "", STR_ARG(lists[i]->items[k]));
    }
    return said;
}

/* A row of the list of models: "enabled discovered listed vanished?". */
static const char *row(const char *slug)
{
    static char said[128];
    struct answer all = api_call(ADMIN, "GET", "/v1/integrations/i/models", NULL);
    cr_assert_eq(all.status, 200);
    for (const struct json *item = json_get(all.body, "models")->first; item != NULL; item = item->next) {
        struct str name;
        OK(json_text(json_get(item, "slug"), &fx.store.arena, &name));
        if (!str_eq(name, str_c(slug)))
            continue;
        snprintf(said, sizeof said, STR_FMT " " STR_FMT " " STR_FMT " %s", STR_ARG(json_get(item, "enabled")->raw),
                 STR_ARG(json_get(item, "discovered")->raw), STR_ARG(json_get(item, "listed_by_provider")->raw),
                 json_get(item, "vanished_at")->type == JSON_NULL ? "here" : "vanished");
        return said;
    }
    return "none";
}

static void put(const char *body)
{
    EXPECT_STATUS(api_call(ADMIN, "PUT", "/v1/integrations/i/models", body), 200);
}

Test(model_refresh, new_ones_follow_the_flag)
{
    cr_expect_str_eq(row("gpt-4o"), "true false null here");
    cr_expect_str_eq(list("ft:b|gpt-4o|ft:a|gpt-4o|ft:a", false), "ft:a,ft:b//");
    cr_expect_eq(last.taken, 3);
    cr_expect_str_eq(row("ft:a"), "true true true here");
    cr_expect_str_eq(row("gpt-4o"), "true false true here");
    cr_expect_str_eq(row("gpt-4o-mini"), "true false false here");
    put("{\"allow_all_models\":false}");
    cr_expect_str_eq(row("ft:a"), "false true true here");
    cr_expect_str_eq(list("ft:b|gpt-4o|ft:a", false), "//", "nothing is new");
}

Test(model_refresh, a_row_written_by_hand_is_ones_own)
{
    list("ft:a", false);
    put("{\"models\":[{\"slug\":\"ft:a\",\"name\":\"A\"}],\"allow_all_models\":true}");
    cr_expect_str_eq(row("ft:a"), "true false true here", "enabled stays what it was");
    put("{\"models\":[{\"slug\":\"ft:a\",\"enabled\":false}]}");
    cr_expect_str_eq(list("ft:a", false), "//");
    cr_expect_str_eq(row("ft:a"), "false false true here");
}

Test(model_refresh, vanished_and_returned)
{
    list("ft:a|ft:b", false);
    put("{\"models\":[{\"slug\":\"mine\",\"enabled\":true,\"is_custom\":true,\"upstream_model\":\"ft:c\"},{\"slug\":\"never\",\"enabled\":true,\"is_custom\":true},"
        "{\"slug\":\"ft:*\",\"enabled\":true}]}");
    cr_expect_str_eq(list("ft:b|ft:c", false), "//ft:a", "ft:c is known as what an alias stands for");
    cr_expect_str_eq(row("ft:a"), "true true false vanished");
    cr_expect_str_eq(row("mine"), "true false true here");
    cr_expect_str_eq(row("never"), "true false null here", "never listed, so it cannot vanish");
    cr_expect_str_eq(row("ft:*"), "true false null here");
    cr_expect_str_eq(list("ft:b", true), "//", "a list that was cut proves nothing");
    cr_expect_str_eq(list("ft:a", false), "/ft:a/ft:b,mine");
    cr_expect_str_eq(row("ft:a"), "true true true here");
    cr_expect_str_eq(row("mine"), "true false false vanished");
}

Test(model_refresh, what_is_no_name)
{
    cr_expect_str_eq(list("a b||c*|\x01|ok|\xff", false), "ok//");
    cr_expect_eq(last.taken, 1);
    cr_expect_str_eq(list("", false), "//ok");
}
