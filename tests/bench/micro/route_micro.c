/* route_micro.c: CPU per step of routing (README.md). */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/json_merge.h"
#include "common/regex.h"
#include "common/route_doc.h"
#include "data-plane/answer_cache.h"
#include "data-plane/breaker.h"
#include "data-plane/route_walk.h"

#define ROUNDS  15
#define WORKERS 8

static const char saved[] =
    "{\"strategy\":{\"mode\":\"fallback\",\"on_status_codes\":[429,500,502,503,504]},\"retry\":{"
    "\"attempts\":2,\"on_status_codes\":[429,503]},\"request_timeout\":60000,\"targets\":["
    "{\"override_params\":{\"model\":\"@openai-prod/gpt-4o\"}},"
    "{\"override_params\":{\"model\":\"@openai-eu/gpt-4o\"}},"
    "{\"override_params\":{\"model\":\"@azure/gpt-4o\",\"temperature\":0.2}},"
    "{\"override_params\":{\"model\":\"@anthropic/claude-3-sonnet\"}},"
    "{\"provider\":\"@bedrock\",\"override_params\":{\"model\":\"claude\"}}]}";
static const char conditional[] =
    "{\"strategy\":{\"mode\":\"conditional\",\"conditions\":["
    "{\"query\":{\"metadata.team\":\"blue\"},\"then\":\"a\"},"
    "{\"query\":{\"params.model\":{\"$regex\":\"^claude\"}},\"then\":\"b\"},"
    "{\"query\":{\"metadata.tier\":{\"$in\":[\"gold\",\"silver\"]},\"params.max_tokens\":{\"$lt\":"
    "1000}},\"then\":\"c\"}],\"default\":\"d\"},\"targets\":[{\"name\":\"a\",\"provider\":\"@a\"},"
    "{\"name\":\"b\",\"provider\":\"@b\"},{\"name\":\"c\",\"provider\":\"@c\"},{\"name\":\"d\","
    "\"provider\":\"@d\"},{\"name\":\"e\",\"provider\":\"@e\"}]}";
static const char metadata[] = "{\"_user\":\"u-1\",\"team\":\"red\",\"tier\":\"gold\"}";

static char body[2400], worst[400000];
static struct arena arena;
static struct str saved_plan, conditional_plan, sink;
static struct breaker *breaker;
static struct answer_cache *cache;
static uint32_t program[REGEX_WORDS_MAX];
static size_t words;
static int64_t now_ms = 1000000;
static uint64_t total;

static bool is_cooled(void *arg, size_t leaf)
{
    (void)arg;
    return breaker_is_cooled(breaker, 100 + leaf, now_ms);
}

static uint64_t roll(void *arg)
{
    (void)arg;
    return total * 0x9E3779B97F4A7C15u;
}

static void walk(struct str record)
{
    static const struct route_eyes eyes = {NULL, is_cooled, roll};
    _Alignas(16) char room[8192];
    struct arena request;
    struct route_plan plan;
    struct route_walk walk;
    struct route_inputs inputs = {STR(metadata), str_c(body), STR("/v1/chat/completions")};
    size_t leaf;
    arena_init_with(&request, room, sizeof room, 1 << 20);
    struct str copy = arena_str(&request, record);
    CHECK(route_plan_open(copy, &plan) == ST_OK);
    CHECK(route_walk_begin(&walk, &plan, &request, &inputs) == ST_OK);
    CHECK(route_walk_first(&walk, &eyes, &leaf) == ROUTE_WALK_LEAF);
    total += leaf;
    arena_free(&request);
}

static void step_plan_saved(void)
{
    walk(saved_plan);
}

static void step_plan_conditional(void)
{
    walk(conditional_plan);
}

static void compile(const char *text)
{
    struct arena request;
    struct str why;
    arena_init(&request, 64u << 20);
    enum status status = route_doc_compile(&request, str_c(text), 0, &sink, &why);
    CHECK(status == ST_OK || status == ST_INVALID);
    total += status;
    arena_free(&request);
}

static void step_plan_inline(void)
{
    compile(saved);
}

static void step_save_worst(void)
{
    compile(worst);
}

static void step_breaker(void)
{
    struct breaker_ticket ticket = breaker_begin(breaker, 100 + total++ % 5, now_ms);
    breaker_end(breaker, &ticket, BREAKER_OK, 300, now_ms);
}

static void step_merge(void)
{
    _Alignas(16) char room[4096];
    struct arena request;
    struct buf out;
    arena_init_with(&request, room, sizeof room, 1 << 20);
    buf_init(&out, 1 << 20);
    CHECK(json_merge(&request, &out, str_c(body),
                     STR("{\"temperature\":0.2,\"metadata\":{\"a\":\"b\"}}")) == ST_OK);
    total += out.n;
    buf_free(&out);
    arena_free(&request);
}

static void step_cache_key(void)
{
    _Alignas(16) char room[16384];
    struct arena request;
    struct answer_name name = {{{1}}, {{2}}, 1, STR("openai/gpt-4o"), STR(""), str_c(body)};
    struct answer_key key;
    arena_init_with(&request, room, sizeof room, 1 << 20);
    CHECK(answer_cache_key(cache, &request, &name, &key) == ST_OK);
    total += key.b[0];
    arena_free(&request);
}

static void step_regex(void)
{
    uint64_t work = 1 << 20;
    bool found;
    CHECK(regex_test(program, words, STR("claude-3-5-sonnet-20241022"), &work, &found) == ST_OK);
    total += found;
}

static const struct {
    const char *name;
    void (*run)(void);
    unsigned runs;
} steps[] = {{"plan_saved", step_plan_saved, 20000},
             {"plan_conditional", step_plan_conditional, 20000},
             {"plan_inline", step_plan_inline, 2000},
             {"breaker", step_breaker, 20000},
             {"merge", step_merge, 10000},
             {"cache_key", step_cache_key, 10000},
             {"regex", step_regex, 20000},
             {"save_worst", step_save_worst, 1}};

static double cpu_ns(void)
{
    struct timespec now;
    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Conditions with the dearest patterns, and names that are compared with each other. */
static void make_worst(void)
{
    size_t n = (size_t)snprintf(worst, sizeof worst,
                                "{\"strategy\":{\"mode\":\"conditional\",\"conditions\":[");
    for (int i = 0; i < 250; i++)
        n += (size_t)snprintf(worst + n, sizeof worst - n,
                              "%s{\"query\":{\"params.k%d\":{\"$regex\":\"((((((a|b)*c?){3}){3}){3}"
                              "){3})*\"}},\"then\":\"t%d\"}",
                              i > 0 ? "," : "", i % 60, i);
    n += (size_t)snprintf(worst + n, sizeof worst - n, "]},\"targets\":[");
    for (int i = 0; i < 250; i++) {
        n += (size_t)snprintf(worst + n, sizeof worst - n, "%s{", i > 0 ? "," : "");
        for (int k = 0; k < 100; k++)
            n += (size_t)snprintf(worst + n, sizeof worst - n, "\"k%d\":0,", k);
        n += (size_t)snprintf(worst + n, sizeof worst - n, "\"name\":\"t%d\"}", i);
    }
    snprintf(worst + n, sizeof worst - n, "]}");
}

static void prepare(void)
{
    static struct breaker_column *columns[WORKERS];
    struct regex_error error;
    struct str why;
    size_t n =
        (size_t)snprintf(body, sizeof body,
                         "{\"model\":\"gpt-4o\",\"max_tokens\":500,\"metadata\":{\"x\":\"y\"},"
                         "\"messages\":[{\"role\":\"user\",\"content\":\"");
    memset(body + n, 'a', 2000);
    snprintf(body + n + 2000, sizeof body - n - 2000, "\"}],\"temperature\":1}");
    make_worst();
    arena_init(&arena, 64u << 20);
    CHECK(route_doc_compile(&arena, STR(saved), ROUTE_DOC_SAVED, &saved_plan, &why) == ST_OK);
    CHECK(route_doc_compile(&arena, STR(conditional), ROUTE_DOC_SAVED, &conditional_plan, &why) ==
          ST_OK);
    for (size_t i = 0; i < WORKERS; i++) {
        columns[i] = aligned_alloc(64, sizeof *columns[i]);
        CHECK(columns[i] != NULL);
        memset(columns[i], 0, sizeof *columns[i]);
    }
    CHECK(breaker_new(columns, WORKERS, 0, &breaker) == ST_OK);
    for (uint64_t key = 101; key < 103; key++)
        for (int i = 0; i < BREAKER_STREAK; i++) {
            struct breaker_ticket ticket = breaker_begin(breaker, key, now_ms);
            breaker_end(breaker, &ticket, BREAKER_FAILED, -1, now_ms);
        }
    CHECK(answer_cache_new(1u << 20, &cache) == ST_OK);
    CHECK(regex_compile(STR("^(claude|gpt)-[\\w.-]+-(sonnet|mini)"), program, &words, &error) ==
          ST_OK);
}

int main(void)
{
    prepare();
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        double rounds[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            double begun = cpu_ns();
            for (unsigned run = 0; run < steps[i].runs; run++)
                steps[i].run();
            rounds[round] = (cpu_ns() - begun) / steps[i].runs;
        }
        qsort(rounds, ROUNDS, sizeof rounds[0], by_value);
        printf("{\"step\":\"%s\",\"ns\":%.0f,\"runs\":%u}\n", steps[i].name, rounds[ROUNDS / 2],
               steps[i].runs);
    }
    printf("{\"saved_plan_bytes\":%zu,\"conditional_plan_bytes\":%zu}\n", saved_plan.n,
           conditional_plan.n);
    return total == 0; /* the work was not thrown away */
}
