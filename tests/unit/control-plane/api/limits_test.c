/* limits_test.c: limits as tables: what a workspace accepts and reads back, and what is refused with the field's name. */
#include "tests/unit/control-plane/api_fixture.h"

TestSuite(limits, .init = api_fixture_open, .fini = api_fixture_close);

static const struct {
    const char *member, *sent, *read; /* read NULL: 400 that names the member */
} cases[] = {
    {"usage_limits", "[{\"credit_limit\":100.0}]", "[{\"credit_limit\":100}]"},
    {"usage_limits", "[{\"credit_limit\":1e2,\"alert_threshold\":250}]", "[{\"credit_limit\":100,\"alert_threshold\":250}]"},
    {"usage_limits", "{\"credit_limit\":0.5}", "[{\"credit_limit\":0.5}]"},
    {"usage_limits", "[{\"type\":\"tokens\",\"credit_limit\":9007199254740993,\"x\":[1.50]}]",
     "[{\"type\":\"tokens\",\"credit_limit\":9007199254740993,\"x\":[1.50]}]"},
    {"usage_limits", "[{\"type\":\"cost\",\"mode\":\"strict\",\"credit_limit\":1,\"periodic_reset\":\"weekly\"}]",
     "[{\"type\":\"cost\",\"mode\":\"strict\",\"credit_limit\":1,\"periodic_reset\":\"weekly\"}]"},
    {"usage_limits", "[{\"credit_limit\":1,\"periodic_reset\":null,\"periodic_reset_days\":365}]",
     "[{\"credit_limit\":1,\"periodic_reset\":null,\"periodic_reset_days\":365}]"},
    {"usage_limits", "[]", "null"},
    {"usage_limits", "{}", "null"},
    {"usage_limits", "null", "null"},
    {"usage_limits", "5", NULL},
    {"usage_limits", "\"5\"", NULL},
    {"usage_limits", "[5]", NULL},
    {"usage_limits", "[{\"credit_limit\":-1}]", NULL},
    {"usage_limits", "[{\"credit_limit\":\"5\"}]", NULL},
    {"usage_limits", "[{\"credit_limit\":1e99}]", NULL},
    {"usage_limits", "[{\"credit_limit\":1,\"type\":\"money\"}]", NULL},
    {"usage_limits", "[{\"credit_limit\":1,\"mode\":\"lax\"}]", NULL},
    {"usage_limits", "[{\"credit_limit\":1,\"periodic_reset\":\"yearly\"}]", NULL},
    {"usage_limits", "[{\"credit_limit\":1,\"periodic_reset\":\"monthly\",\"periodic_reset_days\":3}]", NULL},
    {"usage_limits", "[{\"credit_limit\":1,\"periodic_reset_days\":0}]", NULL},
    {"usage_limits", "[{\"credit_limit\":1,\"periodic_reset_days\":366}]", NULL},
    {"usage_limits", "[{\"credit_limit\":1,\"next_usage_reset_at\":\"\"}]", NULL},
    {"rate_limits", "[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":0}]", "[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":0}]"},
    {"rate_limits", "{\"type\":\"tokens\",\"unit\":\"rpw\",\"value\":5.0}", "[{\"type\":\"tokens\",\"unit\":\"rpw\",\"value\":5}]"},
    {"rate_limits", "[{\"type\":\"concurrency\",\"value\":5}]", "[{\"type\":\"concurrency\",\"value\":5}]"},
    {"rate_limits", "[]", "null"},
    {"rate_limits", "{}", "null"},
    {"rate_limits", "[{\"type\":\"requests\",\"value\":5}]", NULL},
    {"rate_limits", "[{\"type\":\"requests\",\"unit\":\"per-moon\",\"value\":5}]", NULL},
    {"rate_limits", "[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":1.5}]", NULL},
    {"rate_limits", "[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":-1}]", NULL},
    {"rate_limits", "[{\"unit\":\"rpm\",\"value\":1}]", NULL},
    {"rate_limits", "[{}]", NULL},
    {"rate_limits", "true", NULL},
    {"usage_limits", "[{\"credit_limit\":9300000000}]", NULL},
    {"usage_limits", "[{\"type\":\"tokens\",\"credit_limit\":1.5}]", NULL},
    {"usage_limits", "[{\"credit_limit\":1,\"amount\":\"price\"}]", NULL},
    {"usage_limits", "[{\"credit_limit\":1,\"amount\":\"cost\",\"on_disconnect\":\"deny\"}]",
     "[{\"credit_limit\":1,\"amount\":\"cost\",\"on_disconnect\":\"deny\"}]"},
    {"usage_limits", "[{\"credit_limit\":1,\"on_disconnect\":\"guess\"}]", NULL},
    {"usage_limits", "[{\"credit_limit\":1,\"unpriced_token_price\":-1}]", NULL},
    {"usage_limits", "[{\"credit_limit\":1,\"mode\":7}]", NULL},
    {"rate_limits", "[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":9,\"burst\":3,\"mode\":\"strict\"}]",
     "[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":9,\"burst\":3,\"mode\":\"strict\"}]"},
    {"rate_limits", "[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":9,\"burst\":-1}]", NULL},
};

/* Messages name the entry, the field and the rule. */
Test(limits, says_what_is_wrong)
{
    static const struct {
        const char *body, *says;
    } wrong[] = {
        {"{\"name\":\"w\",\"usage_limits\":[{\"credit_limit\":1},{\"credit_limit\":1,\"mode\":\"lax\"}]}",
         "usage_limits[1].mode: must be one of standard, strict"},
        {"{\"name\":\"w\",\"usage_limits\":{\"credit_limit\":1,\"type\":\"money\"}}",
         "usage_limits.type: must be one of cost, tokens, requests"},
        {"{\"name\":\"w\",\"rate_limits\":[{\"type\":\"requests\",\"unit\":\"rpy\",\"value\":1}]}",
         "rate_limits.unit: must be one of rps, rpm, rph, rpd, rpw"},
        {"{\"name\":\"w\",\"rate_limits\":[{\"type\":\"requests\",\"unit\":\"rpm\"}]}",
         "rate_limits.value: is required"},
        {"{\"name\":\"w\",\"rate_limits\":[4]}", "rate_limits: must be an object"},
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct answer got = api_call(ADMIN, "POST", "/v1/admin/workspaces", wrong[i].body);
        EXPECT_STATUS(got, 400);
        cr_expect(str_eq(text_at(got.body, "message"), str_c(wrong[i].says)), STR_FMT,
                  STR_ARG(text_at(got.body, "message")));
    }
}

Test(limits, both_kinds_share_sixteen_places)
{
    struct buf body;
    buf_init(&body, 65536);
    buf_add_lit(&body, "{\"name\":\"w\",\"usage_limits\":[");
    for (int i = 0; i < 9; i++)
        buf_printf(&body, "%s{\"credit_limit\":%d}", i == 0 ? "" : ",", i);
    buf_add_lit(&body, "],\"rate_limits\":[");
    for (int i = 0; i < 8; i++)
        buf_printf(&body, "%s{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":%d}", i == 0 ? "" : ",", i);
    buf_add_lit(&body, "]}");
    EXPECT_STATUS(api_call(ADMIN, "POST", "/v1/admin/workspaces", body.p), 400);
    buf_free(&body);
}

Test(limits, accepted_and_refused)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *body = TARGET("{\"name\":\"w\",\"%s\":%s}", cases[i].member, cases[i].sent);
        struct answer got = api_call(ADMIN, "POST", "/v1/admin/workspaces", body);
        if (cases[i].read == NULL) {
            EXPECT_STATUS(got, 400);
            cr_expect(str_starts(text_at(got.body, "message"), str_c(cases[i].member)), "%s: " STR_FMT, body, STR_ARG(got.text));
            continue;
        }
        EXPECT_STATUS(got, 200);
        cr_expect(str_eq(raw_at(got.body, cases[i].member), str_c(cases[i].read)), "%s reads " STR_FMT, body,
                  STR_ARG(raw_at(got.body, cases[i].member)));
    }
}

Test(limits, at_most_sixteen)
{
    struct buf body;
    buf_init(&body, 65536);
    buf_add_lit(&body, "{\"name\":\"w\",\"usage_limits\":[");
    for (int i = 0; i < 17; i++)
        buf_printf(&body, "%s{\"credit_limit\":%d}", i == 0 ? "" : ",", i);
    buf_add_lit(&body, "]}");
    EXPECT_STATUS(api_call(ADMIN, "POST", "/v1/admin/workspaces", body.p), 400);
    buf_free(&body);
}
