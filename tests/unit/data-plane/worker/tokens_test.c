/* Tokens: one flight for all who ask, renewal ahead of the end, no token behind it, what is done
 * about a 401. The exchange is the test's own: it stands in place of fetch.h. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "data-plane/worker/fetch.h"
#include "data-plane/worker/tokens.h"
#include "data-plane/worker/worker.h"

#define SECOND_NS INT64_C(1000000000)

/* --- in place of the loop's clock and of fetch.h */

static int64_t now_ns = 1000 * SECOND_NS;
static fetch_done flying;
static void *flying_owner;
static size_t flights;
static char sent[256];

int64_t loop_now_ns(const struct loop *loop)
{
    (void)loop;
    return now_ns;
}

enum status fetch_begin(struct worker *worker, const struct fetch_ask *ask, fetch_done done,
                        void *owner, struct fetch **fetch)
{
    (void)worker;
    struct str body = secret_open(ask->body);
    snprintf(sent, sizeof sent, STR_FMT, STR_ARG(body));
    secret_close(ask->body);
    secret_free(ask->body);
    secret_free(ask->secret_lines);
    if (ask->hosts.n > 0 && str_find(ask->url, ask->hosts) < 0)
        return ST_INVALID;
    cr_assert_null(flying, "two flights at a time");
    flying = done;
    flying_owner = owner;
    flights++;
    *fetch = (struct fetch *)&flights;
    return ST_OK;
}

void fetch_cancel(struct fetch *fetch)
{
    if (fetch != NULL)
        flying = NULL;
}

static void land(enum status status, int http, const char *text)
{
    char body[256];
    fetch_done done = flying;
    snprintf(body, sizeof body, "%s", text);
    struct fetch_answer answer = {.status = status, .http_status = http, .body = str_c(body)};
    cr_assert_not_null(done);
    flying = NULL;
    done(flying_owner, &answer);
}

#define TOKEN(name, life) "{\"access_token\":\"" name "\",\"expires_in\":" life "}"

/* --- the asking side */

static enum status read_secret(const struct dialect_signing *signing, struct str name, char *room,
                               size_t max, size_t *n)
{
    (void)signing;
    if (!str_eq(name, STR("key")) || max < 6)
        return ST_NOT_FOUND;
    memcpy(room, "s3cret", 6);
    *n = 6;
    return ST_OK;
}

static enum status ask(const struct dialect_signing *signing, struct str scope,
                       struct token_request *request)
{
    if (str_eq(scope, STR("unfit")))
        return ST_NOT_FOUND;
    request->url = STR("https://tokens.example/token");
    return token_secret(signing, request, STR("key"), &request->body);
}

static const struct token_kind kind = {.name = "kind", .ask = ask, .read = token_read_oauth};

struct caller {
    struct token_wait wait;
    size_t woken;
};

static void woken(struct token_wait *wait)
{
    struct caller *caller = wait->owner;
    caller->woken++;
}

static struct worker worker;
static struct params params;
static struct tokens *tokens;
static char reason[TOKEN_REASON_MAX], got[64];
static struct token_owner owner = {.version = 1, .hosts = {"tokens.example", 14}};

static void set_up(void)
{
    worker.params = &params;
    cr_assert_eq(tokens_open(&worker, &tokens), ST_OK);
}

static void tear_down(void)
{
    tokens_close(tokens);
}

TestSuite(tokens, .init = set_up, .fini = tear_down);

static enum status get(struct caller *caller, const char *scope)
{
    struct dialect_signing signing = {.secret = read_secret, .reason = reason};
    size_t n = 0;
    caller->wait.done = woken;
    caller->wait.owner = caller;
    enum status status = tokens_get(tokens, &signing, &kind, str_c(scope), &owner, &caller->wait,
                                    got, sizeof got - 1, &n);
    got[n] = '\0';
    return status;
}

Test(tokens, one_flight_serves_all_who_ask)
{
    struct caller callers[3] = {{.woken = 0}};
    for (size_t i = 0; i < COUNT_OF(callers); i++)
        cr_expect_eq(get(&callers[i], ""), ST_AGAIN);
    cr_expect_eq(flights, 1);
    cr_expect_str_eq(sent, "s3cret");
    tokens_wait_cancel(&callers[1].wait);
    land(ST_OK, 200, TOKEN("one", "3600"));
    cr_expect(callers[0].woken == 1 && callers[1].woken == 0 && callers[2].woken == 1);
    cr_expect_eq(get(&callers[0], ""), ST_OK);
    cr_expect_str_eq(got, "one");
    cr_expect_eq(flights, 1);
}

Test(tokens, scopes_and_owners_have_tokens_of_their_own)
{
    struct caller caller = {.woken = 0};
    cr_expect_eq(get(&caller, "a"), ST_AGAIN);
    land(ST_OK, 200, TOKEN("a", "3600"));
    cr_expect_eq(get(&caller, "b"), ST_AGAIN);
    land(ST_OK, 200, TOKEN("b", "3600"));
    owner.version++;
    cr_expect_eq(get(&caller, "a"), ST_AGAIN);
    land(ST_OK, 200, TOKEN("c", "3600"));
    cr_expect_eq(get(&caller, "a"), ST_OK);
    cr_expect_str_eq(got, "c");
    owner.version--;
    cr_expect_eq(get(&caller, "a"), ST_OK);
    cr_expect_str_eq(got, "a");
}

Test(tokens, renewal_begins_ahead_and_nobody_waits_for_it)
{
    struct caller caller = {.woken = 0};
    cr_expect_eq(get(&caller, ""), ST_AGAIN);
    land(ST_OK, 200, TOKEN("one", "3600"));
    now_ns += 3299 * SECOND_NS;
    cr_expect_eq(get(&caller, ""), ST_OK);
    cr_expect_eq(flights, 1);
    now_ns += 2 * SECOND_NS; /* less than five minutes are left */
    cr_expect_eq(get(&caller, ""), ST_OK);
    cr_expect_str_eq(got, "one");
    cr_expect_eq(get(&caller, ""), ST_OK);
    cr_expect_eq(flights, 2);
    land(ST_OK, 200, TOKEN("two", "3600"));
    cr_expect_eq(get(&caller, ""), ST_OK);
    cr_expect_str_eq(got, "two");
}

Test(tokens, a_renewal_that_fails_leaves_the_token_until_its_end_and_not_beyond)
{
    struct caller caller = {.woken = 0};
    cr_expect_eq(get(&caller, ""), ST_AGAIN);
    land(ST_OK, 200, TOKEN("one", "100"));
    now_ns += 81 * SECOND_NS;
    cr_expect_eq(get(&caller, ""), ST_OK);
    land(ST_UPSTREAM_CONNECT, 0, "");
    cr_expect_eq(get(&caller, ""), ST_OK);
    cr_expect_str_eq(got, "one");
    cr_expect_eq(flights, 2); /* not at once again */
    now_ns += 2 * SECOND_NS;
    cr_expect_eq(get(&caller, ""), ST_OK);
    cr_expect_eq(flights, 3);
    now_ns += 17 * SECOND_NS; /* it ends */
    cr_expect_eq(get(&caller, ""), ST_AGAIN);
    cr_expect_str_eq(got, "");
    cr_expect_eq(flights, 3);
    land(ST_OK, 200, TOKEN("two", "100"));
    cr_expect_eq(caller.woken, 1 + 1);
}

Test(tokens, a_refusal_is_told_and_not_repeated_at_once)
{
    struct caller caller = {.woken = 0};
    cr_expect_eq(get(&caller, ""), ST_AGAIN);
    land(ST_OK, 401, "{\"error\":\"invalid_client\",\"error_description\":\"wrong\"}");
    cr_expect_eq(caller.woken, 1);
    cr_expect_eq(get(&caller, ""), ST_CREDENTIAL_REFUSED);
    cr_expect_str_eq(reason, "invalid_client: wrong");
    now_ns += 9 * SECOND_NS;
    cr_expect_eq(get(&caller, ""), ST_CREDENTIAL_REFUSED);
    cr_expect_eq(flights, 1);
    now_ns += 2 * SECOND_NS;
    cr_expect_eq(get(&caller, ""), ST_AGAIN);
    cr_expect_eq(flights, 2);
}

Test(tokens, what_cannot_be_asked_is_refused)
{
    struct caller caller = {.woken = 0};
    cr_expect_eq(get(&caller, "unfit"), ST_CREDENTIAL_REFUSED);
    cr_expect_not_null(strstr(reason, "not of the kind"));
    owner.hosts = STR("other.example");
    cr_expect_eq(get(&caller, ""), ST_CREDENTIAL_REFUSED);
    cr_expect_not_null(strstr(reason, "credential_hosts"));
    cr_expect_eq(flights, 0);
}

Test(tokens, a_token_that_was_not_taken_is_fetched_anew_unless_it_is_young)
{
    struct caller caller = {.woken = 0};
    cr_expect_eq(get(&caller, ""), ST_AGAIN);
    land(ST_OK, 200, TOKEN("one", "3600"));
    now_ns += 5 * SECOND_NS;
    tokens_forget(tokens, &owner); /* it has just come: another one would fare no better */
    cr_expect_eq(get(&caller, ""), ST_OK);
    now_ns += 5 * SECOND_NS;
    owner.version++;
    tokens_forget(tokens, &owner); /* another's */
    owner.version--;
    cr_expect_eq(get(&caller, ""), ST_OK);
    tokens_forget(tokens, &owner);
    cr_expect_eq(get(&caller, ""), ST_AGAIN);
    cr_expect_eq(flights, 2);
}

Test(tokens, the_one_that_was_not_used_for_longest_makes_room)
{
    struct caller caller = {.woken = 0};
    char scope[16];
    for (size_t i = 0; i < TOKENS_MAX + 1; i++) {
        now_ns += 1000;
        snprintf(scope, sizeof scope, "%zu", i);
        cr_expect_eq(get(&caller, scope), ST_AGAIN);
        land(ST_OK, 200, TOKEN("x", "3600"));
    }
    cr_expect_eq(get(&caller, "1"), ST_OK);
    cr_expect_eq(get(&caller, "0"), ST_AGAIN);
}
