#include "data-plane/usage_pick.h"

#include <criterion/criterion.h>

static char room[USAGE_PICK_MEMBER_MAX];

static const struct {
    const char *answer;
    bool found;
    uint64_t input, output, cached, reasoning;
    const char *id;
} rows[] = {
    {"{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"choices\":[{\"message\":{\"content\":"
     "\"usage {\\\"usage\\\": 7}\"}}],"
     "\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":34,\"total_tokens\":46,\"prompt_tokens_"
     "details\":{\"cached_tokens\":5},"
     "\"completion_tokens_details\":{\"reasoning_tokens\":6}}}",
     true, 12, 34, 5, 6, "chatcmpl-1"},
    {"{\"usage\" : { \"input_tokens\" : 3 , \"output_tokens\" : 4 } , \"id\" : \"resp_1\" }", true,
     3, 4, 0, 0, "resp_1"},
    {"{\"data\":[{\"id\":\"inner\",\"usage\":{\"prompt_tokens\":99}}],\"usage\":{\"prompt_tokens\":"
     "1,\"total_tokens\":1}}",
     true, 1, 0, 0, 0, ""},
    {"{\"id\":\"msg_1\",\"usage\":{\"input_tokens\":3,\"cache_read_input_tokens\":20,\"cache_"
     "creation_input_tokens\":7,\"output_tokens\":4,\"output_tokens_details\":{\"thinking_tokens\":2}}}",
     true, 30, 4, 20, 2, "msg_1"},
    {"{\"object\":\"x\",\"usage\":null}", false, 0, 0, 0, 0, ""},
    {"{\"object\":\"x\"}", false, 0, 0, 0, 0, ""},
    {"[{\"usage\":{\"prompt_tokens\":1}}]", false, 0, 0, 0, 0, ""},
    {"not json at all \"usage\":{", false, 0, 0, 0, 0, ""},
    {"{\"a\":\"\\\\\\\"\",\"usage\":{\"prompt_tokens\":2}}", true, 2, 0, 0, 0, ""},
};

Test(usage_pick, finds_usage_at_every_split)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t total = strlen(rows[i].answer);
        for (size_t cut = 0; cut <= total; cut++) {
            struct usage_pick pick;
            usage_pick_init(&pick, room);
            usage_pick_feed(&pick, rows[i].answer, cut);
            usage_pick_feed(&pick, rows[i].answer + cut, total - cut);
            cr_assert_eq(pick.found, rows[i].found, "row %zu cut %zu", i, cut);
            cr_expect_eq(pick.usage.input_tokens, rows[i].input, "row %zu cut %zu", i, cut);
            cr_expect_eq(pick.usage.output_tokens, rows[i].output);
            cr_expect_eq(pick.usage.cached_tokens, rows[i].cached);
            cr_expect_eq(pick.usage.reasoning_tokens, rows[i].reasoning);
            cr_expect_str_eq(pick.id, rows[i].id);
        }
    }
}

Test(usage_pick, a_member_beyond_the_room_is_no_usage)
{
    static char big[3 * USAGE_PICK_MEMBER_MAX];
    struct usage_pick pick;
    usage_pick_init(&pick, room);
    memset(big, 'x', sizeof big);
    usage_pick_feed(&pick, "{\"id\":\"", 7);
    usage_pick_feed(&pick, big, sizeof big);
    usage_pick_feed(&pick, "\",\"usage\":{\"prompt_tokens\":8}}", 30);
    cr_expect_str_eq(pick.id, "");
    cr_expect(pick.found);
    cr_expect_eq(pick.usage.input_tokens, 8);
}

static const struct {
    const char *data, *path;
    bool found, only;
    uint64_t input;
} events[] = {
    {"{\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":1}}", "usage", true,
     true, 5},
    {"{\"choices\":[{\"delta\":{}}],\"usage\":{\"prompt_tokens\":5}}", "usage", true, false, 5},
    {"{\"choices\":[{\"delta\":{}}],\"usage\":null}", "usage", false, false, 0},
    {"{\"choices\":[{\"delta\":{\"content\":\"\\\"usage\\\"\"}}]}", "usage", false, false, 0},
    {"{\"choices\":[],\"x_groq\":{\"usage\":{\"prompt_tokens\":6}}}", "x_groq.usage", true, true,
     6},
    {"{\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"usage\":{\"input_tokens\":7,"
     "\"output_tokens\":2}}}",
     "usage", true, false, 7},
    {"[DONE] \"usage\"", "usage", false, false, 0},
};

Test(usage_pick, reads_stream_events)
{
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        struct usage_pick pick;
        bool only = true;
        usage_pick_init(&pick, room);
        cr_expect_eq(usage_pick_event(&pick, str_c(events[i].data), str_c(events[i].path), &only),
                     events[i].found, "row %zu", i);
        cr_expect_eq(only, events[i].only, "row %zu", i);
        cr_expect_eq(pick.usage.input_tokens, events[i].input, "row %zu", i);
    }
}

Test(usage_pick, collects_the_files_that_a_batch_or_job_made)
{
    static const struct {
        const char *answer, *files;
    } table[] = {
        {"{\"input_file_id\":\"file-in\",\"output_file_id\":\"file-1\",\"error_file_id\":\"file-"
         "2\"}",
         "file-1 file-2"},
        {"{\"output_file_id\":null,\"error_file_id\":\"file-2\"}", "file-2"},
        {"{\"result_files\":[\"file-1\",\"file-2\",\"file-1\"]}", "file-1 file-2"},
        {"{\"result_files\":[],\"x\":{\"output_file_id\":\"file-inner\"}}", ""},
        {"{\"output_file_id\":\"with blank\",\"error_file_id\":\"q\\\"uote\"}", ""},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        for (size_t cut = 0; cut <= strlen(table[i].answer); cut++) {
            struct usage_pick pick;
            usage_pick_init(&pick, room);
            usage_pick_feed(&pick, table[i].answer, cut);
            usage_pick_feed(&pick, table[i].answer + cut, strlen(table[i].answer) - cut);
            cr_expect_str_eq(pick.files, table[i].files, "row %zu cut %zu", i, cut);
        }
    }
    char full[120] = "";
    for (int i = 0; i < 40; i++)
        usage_pick_files(full, STR("[\"file-aaaaaaaaaaaaaaaaaaaaaaaaa\",\"file-"
                                   "bbbbbbbbbbbbbbbbbbbbbbbbb\",\"f-c\",\"f-d\"]"));
    cr_expect_leq(strlen(full), 119);
    cr_expect(str_ends(str_c(full), STR("f-d")));
}

static struct slot_usage pick_whole(const char *answer)
{
    struct usage_pick pick;
    usage_pick_init(&pick, room);
    usage_pick_feed(&pick, answer, strlen(answer));
    cr_assert(pick.found, "%s", answer);
    return usage_pick_total(&pick);
}

Test(usage_pick, every_figure_that_is_priced)
{
    struct slot_usage u = pick_whole(
        "{\"usage\":{\"input_tokens\":10,\"cache_creation_input_tokens\":7,\"cache_read_input_"
        "tokens\":5,\"cache_creation\":{\"ephemeral_5m_input_tokens\":4,\"ephemeral_1h_input_"
        "tokens\":3},\"output_tokens\":2,\"server_tool_use\":{\"web_search_requests\":6}}}");
    cr_assert(u.input_tokens == 22 && u.cached_tokens == 5 && u.cache_write_tokens == 7 &&
              u.cache_write_1h_tokens == 3 && u.output_tokens == 2 && u.searches == 6);
    u = pick_whole("{\"usage\":{\"input_tokens\":50,\"output_tokens\":9,\"input_tokens_details\":{"
                   "\"text_tokens\":10,\"image_tokens\":40,\"audio_tokens\":3,\"cached_tokens\":8,"
                   "\"cached_tokens_details\":{\"image_tokens\":6,\"audio_tokens\":1}},\"output_"
                   "tokens_details\":{\"image_tokens\":7,\"audio_tokens\":2}}}");
    cr_assert(u.image_input_tokens == 40 && u.image_cached_tokens == 6 &&
              u.audio_input_tokens == 3 && u.audio_cached_tokens == 1 &&
              u.image_output_tokens == 7 && u.audio_output_tokens == 2);
    u = pick_whole("{\"results\":[],\"meta\":{\"billed_units\":{\"search_units\":4}}}");
    cr_assert_eq(u.rerank_searches, 4);
    u = pick_whole("{\"output\":[{\"type\":\"web_search_call\",\"id\":\"x\"},{\"id\":\"web_search_"
                   "callx\",\"type\":\"message\",\"content\":[{\"type\":\"web_search_call\"}]},{"
                   "\"type\":\"file_search_call\"},{\"type\":\"web_search_call\"}],\"usage\":{"
                   "\"input_tokens\":1}}");
    cr_assert(u.searches == 2 && u.file_searches == 1 && u.code_executions == 0);
}

Test(usage_pick, tier_and_images_of_an_answer)
{
    static const char answer[] =
        "{\"service_tier\":\"priority\",\"data\":[{\"url\":\"a{\"},{\"b64\":"
        "{\"x\":{}}}],\"x\":[{},{}]}";
    struct usage_pick pick;
    usage_pick_init(&pick, room);
    for (size_t i = 0; i < strlen(answer); i++)
        usage_pick_feed(&pick, answer + i, 1);
    cr_assert_str_eq(pick.tier, "priority");
    cr_assert_eq(pick.items, 2);
}

Test(usage_pick, calls_in_a_stream)
{
    struct usage_pick pick;
    bool only;
    usage_pick_init(&pick, room);
    cr_assert(usage_pick_event(
        &pick,
        STR("{\"type\":\"response.completed\",\"response\":{\"output\":[{\"type\":\"web_search_"
            "call\"},{\"type\":\"code_interpreter_call\"}],\"usage\":{\"input_tokens\":5}}}"),
        STR_NONE, &only));
    struct slot_usage u = usage_pick_total(&pick);
    cr_assert(u.searches == 1 && u.code_executions == 1);
}

Test(usage_pick, an_anthropic_stream_counts_when_it_has_ended)
{
    struct usage_pick pick;
    bool only;
    usage_pick_init(&pick, room);
    usage_pick_event(&pick,
                     STR("{\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":3,"
                         "\"cache_read_input_tokens\":20,\"output_tokens\":1}}}"),
                     STR("usage"), &only);
    cr_expect_not(pick.found, "a stream that breaks off here has no figures");
    usage_pick_event(&pick, STR("{\"type\":\"message_delta\",\"usage\":{\"output_tokens\":9}}"),
                     STR("usage"), &only);
    cr_expect(pick.found);
    cr_expect_eq(pick.usage.input_tokens, 23);
    cr_expect_eq(pick.usage.cached_tokens, 20);
    cr_expect_eq(pick.usage.output_tokens, 9);
}
