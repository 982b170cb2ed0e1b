/* reply_test.c: the envelope, the empty object, the trace. */
#include "control-plane/http/reply.h"

#include <criterion/criterion.h>

Test(reply, errors_have_one_shape)
{
    struct http_reply reply;
    reply_init(&reply);
    buf_add_lit(&reply.body, "half a body");
    reply_error(&reply, ST_CONFLICT, STR("say \"what\""));
    cr_expect_eq(reply.status, 409);
    cr_expect_str_eq(reply.body.p, "{\"success\":false,\"message\":\"say \\\"what\\\"\",\"data\":{\"message\":\"say \\\"what\\\"\","
                                   "\"errorCode\":\"AB07\",\"code\":\"conflict\"}}");
    reply_error(&reply, ST_FORBIDDEN, STR_NONE);
    cr_expect(strstr(reply.body.p, "You do not have enough permissions to execute this request") != NULL);
    reply_wipe(&reply);
}

Test(reply, nothing_to_say_is_an_empty_object)
{
    struct http_reply reply;
    reply_init(&reply);
    reply.status = 200;
    reply_finish(&reply);
    cr_expect_str_eq(reply.body.p, "{}");
    reply.body.failed = ST_NO_MEMORY;
    reply_finish(&reply);
    cr_expect_eq(reply.status, 503);
    reply_wipe(&reply);
}

Test(reply, trace_ids_are_kept_only_if_clean)
{
    static const struct {
        const char *sent;
        bool kept;
    } cases[] = {{"my-trace_1", true}, {"", false}, {"a b", false}, {"a\tb", false}, {"\xc3\xa4", false}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_header header = {STR("X-Portkey-Trace-Id"), str_c(cases[i].sent)};
        struct http_request request = {.headers = &header, .header_count = 1};
        reply_trace(&request);
        cr_expect_eq(strcmp(request.trace_id, cases[i].sent) == 0, cases[i].kept, "%s", cases[i].sent);
        cr_expect(cases[i].kept || strcmp(request.trace_id, request.request_id) == 0);
        cr_expect_eq(strlen(request.request_id), ID_TEXT);
    }
}

Test(reply, a_header_value_with_a_line_end_is_dropped)
{
    struct http_reply reply;
    reply_init(&reply);
    reply_header(&reply, STR("x-a"), STR("fine"));
    reply_header(&reply, STR("x-b"), STR("a\r\nx-c: d"));
    cr_expect_eq(reply.header_count, 1);
    reply_wipe(&reply);
}
