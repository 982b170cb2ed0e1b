/* preamble.c: see preamble.h.
 *
 * Why by events and not by time: a provider that is overloaded often answers 200, opens the stream,
 * and says so only then. Must never hold back what a caller could already use.
 */
#include "data-plane/worker/preamble.h"

#include "common/json_scan.h"

/* What an error inside a stream calls itself, as a status. */
static const struct {
    const char *word;
    int http_status;
} words[] = {
    {"invalid_request_error", 400}, {"authentication_error", 401}, {"permission_error", 403},
    {"not_found_error", 404},       {"request_too_large", 413},    {"rate_limit_error", 429},
    {"rate_limit_exceeded", 429},   {"insufficient_quota", 429},   {"overloaded_error", 529},
    {"timeout_error", 504},
};

static bool is_given(const struct json_field *field)
{
    return field->raw.p != NULL && field->type != JSON_NULL;
}

static bool is_text(const struct json_field *field, const char *text)
{
    size_t n = strlen(text);
    return field->raw.p != NULL && field->type == JSON_STRING && field->raw.n == n + 2 &&
           memcmp(field->raw.p + 1, text, n) == 0;
}

/* error: an object with type and code, or a string. */
static int status_of(struct str error, enum json_type type)
{
    struct json_field fields[] = {{.name = "type"}, {.name = "code"}};
    uint64_t code;
    if (type != JSON_OBJECT || json_scan_object(error, fields, COUNT_OF(fields), NULL) != ST_OK)
        return 500;
    if (fields[1].raw.p != NULL && str_to_u64(fields[1].raw, &code) == ST_OK && code >= 400 &&
        code <= 599)
        return (int)code;
    for (size_t k = 0; k < COUNT_OF(fields); k++)
        for (size_t i = 0; i < COUNT_OF(words); i++)
            if (is_text(&fields[k], words[i].word))
                return words[i].http_status;
    return 500;
}

/* --- chats and completions --- */

/* A value that says something: not null, "", [] or {}. */
static bool says(struct str value, enum json_type type)
{
    return type != JSON_NULL && (type == JSON_TRUE || type == JSON_NUMBER || value.n > 2);
}

static bool has_delta(struct str delta)
{
    struct str name, value;
    enum json_type type;
    size_t at = 0;
    while (json_scan_next(delta, &at, &name, &value, &type))
        if (!str_eq(name, STR("\"role\"")) && says(value, type))
            return true;
    return false;
}

static bool is_content(struct str choice)
{
    struct json_field fields[] = {{.name = "delta"}, {.name = "text"}, {.name = "finish_reason"}};
    if (json_scan_object(choice, fields, COUNT_OF(fields), NULL) != ST_OK)
        return true;
    return is_given(&fields[2]) ||
           (fields[1].raw.p != NULL && says(fields[1].raw, fields[1].type)) ||
           (fields[0].type == JSON_OBJECT && fields[0].raw.p != NULL && has_delta(fields[0].raw));
}

static enum preamble judge_chunk(const struct json_field *choices)
{
    struct str name, choice;
    enum json_type type;
    size_t at = 0;
    if (choices->raw.p == NULL || choices->type != JSON_ARRAY)
        return PREAMBLE_CONTENT;
    while (json_scan_next(choices->raw, &at, &name, &choice, &type))
        if (type != JSON_OBJECT || is_content(choice))
            return PREAMBLE_CONTENT;
    return PREAMBLE_OPENS;
}

/* --- streams of named events --- */

static enum preamble judge_type(const struct json_field *type, const char *const *opening,
                                size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_text(type, opening[i]))
            return PREAMBLE_OPENS;
    return PREAMBLE_CONTENT;
}

static enum preamble judge_response(const struct json_field fields[4], int *http_status)
{
    static const char *const opening[] = {"response.created", "response.in_progress",
                                          "response.queued", "response.output_item.added",
                                          "response.content_part.added"};
    struct json_field error = {.name = "error"};
    if (is_text(&fields[2], "error")) {
        *http_status = 500;
        return PREAMBLE_FAILED;
    }
    if (!is_text(&fields[2], "response.failed"))
        return judge_type(&fields[2], opening, COUNT_OF(opening));
    *http_status = 500;
    if (fields[3].type == JSON_OBJECT && fields[3].raw.p != NULL &&
        json_scan_object(fields[3].raw, &error, 1, NULL) == ST_OK && is_given(&error))
        *http_status = status_of(error.raw, error.type);
    return PREAMBLE_FAILED;
}

enum preamble preamble_judge(enum op op, const struct sse_event *event, int *http_status)
{
    static const char *const message[] = {"message_start", "ping", "content_block_start"};
    struct json_field fields[] = {
        {.name = "error"}, {.name = "choices"}, {.name = "type"}, {.name = "response"}};
    if (event->oversize)
        return PREAMBLE_CONTENT;
    if (event->data.n == 0)
        return PREAMBLE_OPENS; /* a comment */
    if (json_scan_object(event->data, fields, COUNT_OF(fields), NULL) != ST_OK)
        return PREAMBLE_CONTENT;
    if (is_given(&fields[0])) {
        *http_status = status_of(fields[0].raw, fields[0].type);
        return PREAMBLE_FAILED;
    }
    switch (op) {
    case OP_CHAT:
    case OP_COMPLETIONS:
        return judge_chunk(&fields[1]);
    case OP_MESSAGES:
        return judge_type(&fields[2], message, COUNT_OF(message));
    case OP_RESPONSES_CREATE:
        return judge_response(fields, http_status);
    default:
        return PREAMBLE_CONTENT;
    }
}
