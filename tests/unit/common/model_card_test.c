/* model_card_test.c: which rows a list shows, in which order, and what a row says. */
#include "common/model_card.h"

#include <criterion/criterion.h>

static const struct model_card cards[] = {
    {.provider = {"openai", 6}, .service = {"openai", 6}, .model = {"gpt-4o", 6}, .name = {"GPT-4o", 6}, .type = {"chat", 4}, .inputs = {"text\nimage\n", 11},
     .outputs = {"text\n", 5}, .capabilities = {"vision\nfunction_calling\n", 24}, .context_window_tokens = 128000, .release_date = {"2024-05-13", 10}},
    {.provider = {"openai", 6}, .service = {"openai", 6}, .model = {"ada-v2", 6}, .type = {"embedding", 9}, .inputs = {"text\n", 5}, .status = {"deprecated", 10}},
    {.provider = {"eu-claude", 9}, .service = {"anthropic", 9}, .model = {"claude/x:1", 10}, .type = {"chat", 4}, .capabilities = {"vision\n", 7},
     .context_window_tokens = 200000, .release_date = {"2024-06", 7}, .description = {"Our own Tuned one", 17}, .custom = true, .created_ms = 86400000},
};

static struct model_card_query ask(const char *query)
{
    struct model_card_query q = {.limit = UINT64_MAX};
    struct str rest = str_c(query), pair, name;
    while (rest.n > 0 && str_split(&rest, '&', &pair))
        if (str_split(&pair, '=', &name))
            model_card_ask(&q, name, pair);
    return q;
}

/* Bit per card that fits. */
static unsigned fits(const char *query)
{
    struct model_card_query q = ask(query);
    unsigned bits = 0;
    for (unsigned i = 0; i < COUNT_OF(cards); i++)
        bits |= (unsigned)model_card_fits(&cards[i], &q) << i;
    return bits;
}

Test(model_card, filters)
{
    static const struct {
        const char *query;
        unsigned bits;
    } cases[] = {
        {"", 7}, {"unknown=1", 7},
        {"provider=openai", 3}, {"provider=@openai", 3}, {"provider=eu-claude", 4}, {"provider=anthropic", 4}, {"provider=open", 0},
        {"ai_service=anthropic", 4}, {"ai_service=eu-claude", 0},
        {"search=GPT", 1}, {"search=tuned", 4}, {"search=@openai/g", 1}, {"search=openai/a", 2}, {"search=@eu", 4}, {"search=claude/x", 4}, {"search=zzz", 0},
        {"type=chat", 5}, {"status=deprecated", 2}, {"status=active", 5}, {"input_modality=image", 1}, {"input_modality=imag", 0}, {"output_modality=text", 1},
        {"capability=vision", 5}, {"capability=vision,function_calling", 1}, {"capability=vision, nothing", 0},
        {"is_custom=true", 4}, {"is_custom=false", 3}, {"type=chat&capability=vision&is_custom=false", 1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        cr_expect_eq(fits(cases[i].query), cases[i].bits, "%s: %u, not %u", cases[i].query, fits(cases[i].query), cases[i].bits);
    char longest[512];
    memset(longest, 'g', sizeof longest);
    struct model_card_query q = {.search = {longest, sizeof longest}, .limit = UINT64_MAX};
    cr_expect_not(model_card_fits(&cards[0], &q), "a search has a length");
}

Test(model_card, order)
{
    static const struct {
        const char *query;
        unsigned first, second, third;
    } cases[] = {
        {"", 2, 1, 0}, {"order=desc", 0, 1, 2}, {"sort=name", 1, 2, 0}, {"sort=ai_service", 2, 1, 0},
        {"sort=context_window&order=desc", 2, 0, 1}, {"sort=created", 1, 2, 0}, {"sort=nonsense", 2, 1, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct model_card_query q = ask(cases[i].query);
        cr_expect_lt(model_card_compare(&cards[cases[i].first], &cards[cases[i].second], &q), 0, "%s", cases[i].query);
        cr_expect_lt(model_card_compare(&cards[cases[i].second], &cards[cases[i].third], &q), 0, "%s", cases[i].query);
        cr_expect_gt(model_card_compare(&cards[cases[i].third], &cards[cases[i].first], &q), 0, "%s", cases[i].query);
        cr_expect_eq(model_card_compare(&cards[0], &cards[0], &q), 0);
    }
}

Test(model_card, pages)
{
    struct model_card_query q = ask("limit=5&offset=10");
    cr_expect(q.limit == 5 && q.offset == 10);
    q = ask("limit=0&offset=x");
    cr_expect(q.limit == UINT64_MAX && q.offset == 0);
}

static struct buf written(const struct model_card *card, const struct model_card_price *price)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, 8192);
    jw_init(&w, &out);
    model_card_write(&w, card, price);
    cr_assert_eq(buf_status(&out), ST_OK);
    return out;
}

Test(model_card, row)
{
    struct model_card_price price = {.source = MODEL_CARD_CATALOG};
    price.row.has = PRICE_BIT(PRICE_INPUT_TOKEN) | PRICE_BIT(PRICE_OUTPUT_TOKEN);
    price.row.picousd[PRICE_INPUT_TOKEN] = 2500000;
    price.row.picousd[PRICE_OUTPUT_TOKEN] = 10000000;
    struct buf out = written(&cards[0], &price);
    cr_expect_str_eq(out.p, "{\"id\":\"@openai/gpt-4o\",\"object\":\"model\",\"created\":1715558400,\"owned_by\":\"openai\",\"slug\":\"gpt-4o\",\"canonical_slug\":\"gpt-4o\","
                            "\"provider\":\"openai\",\"ai_service\":\"openai\",\"name\":\"GPT-4o\",\"description\":null,\"type\":\"chat\",\"is_custom\":false,\"status\":\"active\","
                            "\"deprecated\":false,\"release_date\":\"2024-05-13\",\"modalities\":{\"input\":[\"text\",\"image\"],\"output\":[\"text\"]},"
                            "\"capabilities\":[\"vision\",\"function_calling\"],\"limits\":{\"context_window\":128000,\"max_input_tokens\":null,\"max_output_tokens\":null},"
                            "\"price\":{\"currency\":\"USD\",\"source\":\"catalog\",\"per_unit\":{\"input_token\":0.0000025,\"output_token\":0.00001}}}");
    buf_free(&out);
    price = (struct model_card_price){.source = MODEL_CARD_UNPRICED};
    out = written(&cards[2], &price);
    cr_expect(strstr(out.p, "\"created\":86400,") != NULL && strstr(out.p, "\"price\":null") != NULL && strstr(out.p, "\"name\":\"claude/x:1\"") != NULL, "%s", out.p);
    buf_free(&out);
    price.source = MODEL_CARD_CATALOG; /* a model of the catalog without a known price is not free */
    price.row.has = 0;
    out = written(&cards[1], &price);
    cr_expect(strstr(out.p, "\"price\":null") != NULL && strstr(out.p, "\"deprecated\":true") != NULL, "%s", out.p);
    buf_free(&out);
}
