/* usage.c: the rule of usage.h over JSON.
 *
 * The gateway's ledger is compared with these figures to the token, so the rule is simple,
 * documented, and depends on nothing but the request's text. It must never look at a clock, a
 * random number or the order of arrival.
 */
#include "tests/sim/usage.h"

static enum status usage_text(const struct json *node, struct arena *arena, uint64_t *tokens)
{
    struct str text;
    TRY(json_text(node, arena, &text));
    *tokens += usage_tokens(text.n);
    return ST_OK;
}

static bool usage_type_is(const struct json *part, struct str type)
{
    const struct json *node = json_get(part, "type");
    return json_is(node, JSON_STRING) && node->raw.n == type.n + 2 &&
           memcmp(node->raw.p + 1, type.p, type.n) == 0;
}

static enum status usage_part(const struct json *part, struct arena *arena, uint64_t *tokens)
{
    const struct json *text = json_get(part, "text");
    if (json_is(text, JSON_STRING))
        return usage_text(text, arena, tokens);
    if (usage_type_is(part, STR("image_url")) || usage_type_is(part, STR("input_image")))
        *tokens += USAGE_IMAGE;
    else if (usage_type_is(part, STR("input_audio")))
        *tokens += USAGE_AUDIO;
    else if (usage_type_is(part, STR("file")) || usage_type_is(part, STR("input_file")))
        *tokens += USAGE_FILE;
    return ST_OK;
}

enum status usage_content(const struct json *content, struct arena *arena, uint64_t *tokens)
{
    uint64_t sum = 0;
    if (json_is(content, JSON_STRING)) {
        TRY(usage_text(content, arena, &sum));
    } else if (json_is(content, JSON_ARRAY)) {
        for (const struct json *part = content->first; part != NULL; part = part->next)
            TRY(usage_part(part, arena, &sum));
    }
    *tokens = sum;
    return ST_OK;
}

enum status usage_chat(const struct json *root, struct arena *arena, uint64_t *tokens)
{
    const struct json *messages = json_get(root, "messages"), *tools = json_get(root, "tools");
    uint64_t sum = USAGE_CHAT;
    for (const struct json *m = messages == NULL ? NULL : messages->first; m != NULL; m = m->next) {
        uint64_t one = 0;
        TRY(usage_content(json_get(m, "content"), arena, &one));
        sum += USAGE_MESSAGE + one;
    }
    if (json_is(tools, JSON_ARRAY) && tools->count > 0)
        sum += usage_tokens(tools->raw.n);
    *tokens = sum;
    return ST_OK;
}

enum status usage_input(const struct json *input, struct arena *arena, uint64_t *tokens)
{
    uint64_t sum = 0;
    if (json_is(input, JSON_STRING)) {
        TRY(usage_text(input, arena, &sum));
    } else if (json_is(input, JSON_ARRAY)) {
        for (const struct json *item = input->first; item != NULL; item = item->next) {
            if (item->type == JSON_STRING)
                TRY(usage_text(item, arena, &sum));
            else if (item->type == JSON_NUMBER)
                sum += 1;
            else if (item->type == JSON_ARRAY)
                sum += item->count;
            else
                return ST_INVALID;
        }
    } else {
        return ST_INVALID;
    }
    *tokens = sum;
    return ST_OK;
}
