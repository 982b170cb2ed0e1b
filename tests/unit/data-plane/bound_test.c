/* What a request can cost at most: tables of requests per operation, the fields that have no bound,
 * and the bill at the dearest price. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "data-plane/bound.h"

static struct bound bound;

static enum status most_of(enum op op, const char *body)
{
    struct bound_ask ask = {.op = op,
                            .body = str_c(body),
                            .body_bytes = strlen(body),
                            .model = STR("gpt-4o"),
                            .context_tokens = 128000,
                            .max_output_tokens = 16384};
    return bound_most(&ask, &bound);
}

Test(bound, output_by_max_tokens_times_choices)
{
    static const struct {
        enum op op;
        const char *body;
        uint64_t output;
    } rows[] = {
        {OP_CHAT, "{\"messages\":[]}", 16384},
        {OP_CHAT, "{\"messages\":[],\"max_tokens\":null}", 16384},
        {OP_CHAT, "{\"messages\":[],\"max_tokens\":100}", 100},
        {OP_CHAT, "{\"messages\":[],\"max_tokens\":100,\"n\":3}", 300},
        {OP_CHAT, "{\"messages\":[],\"max_tokens\":100,\"max_completion_tokens\":70}", 100},
        {OP_CHAT, "{\"messages\":[],\"m\\u0061x_tokens\":100}", 100},
        {OP_CHAT, "{\"messages\":[],\"max_tokens\":1e2}", 16384},
        {OP_CHAT, "{\"messages\":[],\"max_tokens\":\"100\"}", 16384},
        {OP_CHAT, "{\"messages\":[],\"max_tokens\":-1}", 16384},
        {OP_CHAT, "{\"messages\":[],\"max_tokens\":99999999999999999999}", 16384},
        {OP_CHAT, "{\"messages\":[],\"max_tokens\":10,\"prediction\":\"0123456789\"}", 22},
        {OP_RESPONSES_CREATE, "{\"input\":\"x\",\"max_output_tokens\":50}", 50},
        {OP_MESSAGES, "{\"messages\":[],\"max_tokens\":50}", 50},
        {OP_COMPLETIONS, "{\"prompt\":\"x\",\"max_tokens\":5,\"n\":2,\"best_of\":4}", 20},
        {OP_COMPLETIONS, "{\"prompt\":[\"x\",\"y\",\"z\"],\"max_tokens\":5}", 15},
        {OP_COMPLETIONS, "{\"prompt\":[1,2,3],\"max_tokens\":5}", 5},
        {OP_EMBEDDINGS, "{\"input\":[\"x\"]}", 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cr_assert_eq(most_of(rows[i].op, rows[i].body), ST_OK, "%s", rows[i].body);
        cr_assert_eq(bound.most.output_tokens, rows[i].output, "%s: %lu", rows[i].body,
                     (unsigned long)bound.most.output_tokens);
    }
}

Test(bound, what_has_no_bound_is_named)
{
    static const struct {
        enum op op;
        const char *body, *field;
    } rows[] = {
        {OP_CHAT, "{\"messages\":[],\"n\":\"3\"}", "n"},
        {OP_CHAT, "{\"messages\":[],\"n\":2.5}", "n"},
        {OP_CHAT, "{\"messages\":[],\"web_search_options\":{}}", "web_search_options"},
        {OP_RESPONSES_CREATE, "{\"input\":\"x\",\"tools\":[{\"type\":\"web_search\"}]}", "tools"},
        {OP_RESPONSES_CREATE,
         "{\"input\":\"x\",\"max_tool_calls\":2,\"tools\":[{\"type\":\"image_generation\"}]}",
         "tools"},
        {OP_MESSAGES,
         "{\"messages\":[],\"max_tokens\":5,\"tools\":[{\"type\":\"web_search_20250305\"}]}",
         "tools"},
        {OP_MESSAGES, "{\"messages\":[],\"max_tokens\":5,\"container\":\"c\"}", "container"},
        {OP_FINE_TUNING_CREATE, "{}", "fine_tuning_create"},
        {OP_PASSTHROUGH, "{}", "passthrough"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cr_assert_eq(most_of(rows[i].op, rows[i].body), ST_UNBOUNDED_COST, "%s", rows[i].body);
        cr_assert_str_eq(bound.field, rows[i].field);
        cr_assert_gt(strlen(bound.remedy), 10);
    }
    struct bound_ask ask = {.op = OP_CHAT, .body = STR("{\"messages\":[]}")};
    cr_assert_eq(bound_most(&ask, &bound), ST_UNBOUNDED_COST, "a model without figures");
    cr_assert_str_eq(bound.field, "max_completion_tokens");
    ask.op = OP_AUDIO_TRANSCRIPTIONS;
    ask.body = STR_NONE;
    ask.body_bytes = BOUND_UNKNOWN;
    cr_assert_eq(bound_most(&ask, &bound), ST_UNBOUNDED_COST);
    cr_assert_str_eq(bound.field, "content-length");
}

#define MESSAGE(part) "{\"messages\":[{\"role\":\"user\",\"content\":[" part "]}],\"max_tokens\":1}"

/* At least what the rule of each kind says, whatever way it is written. */
Test(bound, input_is_bounded_by_what_it_holds)
{
    static const struct {
        enum op op;
        const char *body;
        uint64_t at_least, at_most;
    } rows[] = {
        {OP_CHAT, MESSAGE("{\"type\":\"text\",\"text\":\"hello\"}"), 50, 600},
        {OP_CHAT, MESSAGE("{\"type\":\"image_url\",\"image_url\":{\"url\":\"http://x\"}}"), 1445,
         2200},
        {OP_CHAT, MESSAGE("{\"t\\u0079pe\":\"im\\u0061ge_url\"},{\"type\":\"image_url\"}"), 2890,
         4000},
        {OP_CHAT, MESSAGE("{\"type\":\"input_audio\"}"), 512, 1200},
        {OP_CHAT, MESSAGE("{\"type\":\"file\",\"file\":{\"file_id\":\"f\"}}"), 128000, 128000},
        {OP_CHAT, MESSAGE("{\"type\":\"hologram\"}"), 128000, 128000},
        {OP_CHAT, MESSAGE("{\"type\":7}"), 128000, 128000},
        {OP_MESSAGES,
         MESSAGE(
             "{\"type\":\"tool_result\",\"content\":[{\"type\":\"image\"},{\"type\":\"image\"}]}"),
         2890, 4400},
        {OP_MESSAGES, MESSAGE("{\"type\":\"tool_use\",\"input\":{\"type\":\"circle\"}}"), 50, 1400},
        {OP_MESSAGES, MESSAGE("{\"type\":\"document\"}"), 128000, 130000},
        {OP_RESPONSES_CREATE,
         "{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\"}]}]}", 1445, 2200},
        {OP_RESPONSES_CREATE, "{\"input\":\"x\",\"previous_response_id\":\"r\"}", 128000, 128000},
        {OP_RESPONSES_CREATE, "{\"input\":[{\"type\":\"item_reference\",\"id\":\"r\"}]}", 128000,
         128000},
        {OP_RESPONSES_CREATE,
         "{\"input\":\"x\",\"max_tool_calls\":2,\"tools\":[{\"type\":\"web_search\"}]}", 3 * 128000,
         3 * 128000 + 1000},
        {OP_MESSAGES,
         "{\"messages\":[],\"max_tokens\":5,\"tools\":[{\"type\":\"web_search_20250305\","
         "\"max_uses\":1},{\"type\":\"bash_20250124\"},{\"name\":\"f\",\"input_schema\":{}}]}",
         2 * 128000, 2 * 128000 + 1000},
        {OP_CHAT, "{\"messages\":[],\"tools\":[{\"type\":\"function\",\"function\":{}}]}", 50,
         1400},
        {OP_EMBEDDINGS, "{\"input\":[\"abcdefgh\"]}", 20, 600},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cr_assert_eq(most_of(rows[i].op, rows[i].body), ST_OK, "%s", rows[i].body);
        uint64_t input = bound.most.input_tokens;
        cr_assert(input >= rows[i].at_least && input <= rows[i].at_most, "%s: %lu", rows[i].body,
                  (unsigned long)input);
    }
}

Test(bound, images_speech_and_rerank_by_the_request)
{
    struct slot_usage likely;
    cr_assert_eq(most_of(OP_IMAGES_GENERATIONS, "{\"prompt\":\"x\",\"n\":4,\"size\":\"auto\"}"),
                 ST_OK);
    cr_assert_eq(bound.most.other.n[PRICE_IMAGE], 4);
    cr_assert_eq(bound.query.size.n, 0);
    struct bound_ask ask = {.op = OP_AUDIO_SPEECH,
                            .body = STR("{\"input\":\"a\\n\\u00e9\\ud83d\\ude00\xc3\xa9z\"}")};
    bound_likely(&ask, 0, &likely);
    cr_assert_eq(likely.characters, 6);
    cr_assert_eq(most_of(OP_RERANK, "{\"query\":\"q\",\"documents\":[\"a\",\"b\"]}"), ST_OK);
    cr_assert_eq(bound.most.other.n[PRICE_RERANK_SEARCH], 1);
    ask = (struct bound_ask){.op = OP_AUDIO_TRANSCRIPTIONS, .body_bytes = 4000};
    cr_assert_eq(bound_most(&ask, &bound), ST_OK);
    cr_assert_eq(bound.most.other.n[PRICE_AUDIO_INPUT_SECOND], 4000000);
    bound_likely(&ask, 0, &likely);
    cr_assert_eq(likely.audio_ms, 2000);
}

Test(bound, likely_is_never_above_what_was_asked_for)
{
    struct slot_usage likely;
    struct bound_ask ask = {.op = OP_CHAT, .body = STR("{\"messages\":[],\"max_tokens\":7}")};
    bound_likely(&ask, 7, &likely);
    cr_assert_eq(likely.output_tokens, 7);
    cr_assert_eq(likely.input_tokens, 1 + ask.body.n / 4);
    ask.op = OP_RESPONSES_GET;
    bound_likely(&ask, 7, &likely);
    cr_assert(likely.output_tokens == 0 && likely.input_tokens == 0);
}

/* --- prices --- */

static struct price_terms terms_of(const char *const *units, const int64_t *prices, size_t count)
{
    static struct price_table table;
    price_table_init(&table);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(price_table_add(&table, str_c(units[i]), prices[i]), ST_OK);
    return (struct price_terms){.catalog = price_table_blob(&table), .ceiling_picousd = -1};
}

/* The most, or -1 if something has no price. */
static int64_t most_nanousd(const struct price_terms *terms)
{
    struct price_amounts amounts;
    struct price_usage usage;
    cr_assert_eq(price_bound(terms, &bound.query, &bound.most, &amounts), ST_OK);
    bound_usage(&bound.most, &usage);
    return usage_unpriced(&usage, amounts.uncharged) == 0 ? amounts.charge_nanousd : -1;
}

Test(bound, tiers_that_may_come_to_apply)
{
    static const char *const units[] = {"input_token", "output_token", "output_token:tier=priority",
                                        "output_token:tier=flex"};
    static const int64_t prices[] = {0, 1000, 3000, 500};
    static const struct {
        const char *body;
        int64_t nanousd;
    } rows[] = {
        {"{\"messages\":[],\"max_tokens\":10}", 30},
        {"{\"messages\":[],\"max_tokens\":10,\"service_tier\":\"auto\"}", 30},
        {"{\"messages\":[],\"max_tokens\":10,\"service_tier\":\"default\"}", 10},
        {"{\"messages\":[],\"max_tokens\":10,\"service_tier\":\"flex\"}", 10},
        {"{\"messages\":[],\"max_tokens\":10,\"service_tier\":\"priority\"}", 30},
    };
    struct price_terms terms = terms_of(units, prices, 4);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cr_assert_eq(most_of(OP_CHAT, rows[i].body), ST_OK);
        cr_assert_eq(most_nanousd(&terms), rows[i].nanousd, "%s", rows[i].body);
    }
}

Test(bound, a_measure_stands_for_tokens_without_a_price)
{
    static const char *const units[] = {"audio_input_second", "input_token", "output_token"};
    static const int64_t prices[] = {100000000, 2500000, 10000000};
    struct bound_ask ask = {.op = OP_AUDIO_TRANSCRIPTIONS, .body_bytes = 10};
    cr_assert_eq(bound_most(&ask, &bound), ST_OK);
    struct price_terms terms = terms_of(units, prices, 1);
    cr_assert_eq(most_nanousd(&terms), 1000000, "by the second");
    terms = terms_of(units + 1, prices + 1, 2);
    cr_assert_gt(most_nanousd(&terms), 0, "by the token");
    terms = terms_of(units + 1, prices + 1, 1);
    cr_assert_eq(most_of(OP_CHAT, "{\"messages\":[],\"max_tokens\":1}"), ST_OK);
    cr_assert_eq(most_nanousd(&terms), -1, "input without output is not a price");
}

Test(bound, tools_and_models_without_a_price_are_never_free)
{
    static const char *const units[] = {"input_token", "output_token", "web_search"};
    static const int64_t prices[] = {1, 1, 7000};
    static const char body[] = "{\"input\":\"x\",\"max_output_tokens\":1,\"max_tool_calls\":1,"
                               "\"tools\":[{\"type\":\"web_search\"}]}";
    cr_assert_eq(most_of(OP_RESPONSES_CREATE, body), ST_OK);
    struct price_terms terms = terms_of(units, prices, 3);
    cr_assert_geq(most_nanousd(&terms), 7);
    terms = terms_of(units, prices, 2);
    cr_assert_eq(most_nanousd(&terms), -1);
    terms = terms_of(units, prices, 0);
    cr_assert_eq(most_of(OP_CHAT, "{\"messages\":[],\"max_tokens\":1}"), ST_OK);
    cr_assert_eq(most_nanousd(&terms), -1);
}

Test(bound, images_by_quality_and_size)
{
    static const char *const units[] = {"image", "image:hd", "image:hd/1024x1792", "input_token",
                                        "image_output_token"};
    static const int64_t prices[] = {40000000, 80000000, 120000000, 0, 0};
    struct price_terms terms = terms_of(units, prices, 5);
    cr_assert_eq(most_of(OP_IMAGES_GENERATIONS, "{\"n\":2,\"quality\":\"hd\"}"), ST_OK);
    cr_assert_eq(most_nanousd(&terms), 240000, "the size is the provider's choice");
    cr_assert_eq(
        most_of(OP_IMAGES_GENERATIONS, "{\"n\":2,\"quality\":\"standard\",\"size\":\"1024x1024\"}"),
        ST_OK);
    cr_assert_eq(most_nanousd(&terms), 80000);
}

/* Whatever a body holds: no crash, and numbers that can be billed. */
Test(bound, odd_bodies)
{
    static const char *const bodies[] = {
        "{}", "{\"messages\":7,\"input\":7,\"prompt\":{},\"tools\":3}",
        "{\"messages\":[[[[[[[[[[]]]]]]]]]],\"tools\":[[],1,null]}",
        "{\"n\":18446744073709551615,\"max_tokens\":18446744073709551615}"};
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        for (int op = 0; op < OP_COUNT; op++) {
            struct slot_usage likely;
            struct price_usage usage;
            struct bound_ask ask = {.op = (enum op)op, .body = str_c(bodies[i])};
            bound_likely(&ask, 0, &likely);
            if (most_of((enum op)op, bodies[i]) != ST_OK)
                continue;
            bound_usage(&bound.most, &usage);
            for (unsigned c = 0; c < PRICE_CLASS_COUNT; c++)
                cr_assert_leq(usage.n[c], PRICE_COUNT_MAX);
        }
    }
}
