/* messages_media.c: images and documents of a Messages request (messages_check_media of
 * messages.h).
 *
 * Bytes must be base64 and be what their media type says; URLs must be https. Nothing is fetched.
 */
#include "tests/sim/anthropic/messages.h"
#include "tests/sim/media.h"

static bool media_check_bytes(const struct messages *messages, const struct json *source,
                              const char *place, size_t at, size_t index)
{
    struct call *call = messages->call;
    struct str bytes = STR_NONE, named = call_text(call, source, "media_type");
    if (media_decode(call_text(call, source, "data"), call->arena, &bytes) != ST_OK) {
        call_error(call, 400, NULL, NULL,
                   "messages.%zu.content.%zu.%s.source.base64: invalid base64 data", at, index,
                   place);
        return false;
    }
    const char *found = media_type(bytes);
    bool image = strcmp(place, "image") == 0;
    if (found == NULL || str_starts(str_c(found), STR("image/")) != image) {
        call_error(call, 400, NULL, NULL, "%s",
                   image ? "Could not process image" : "The PDF specified was not valid.");
        return false;
    }
    if (str_eq(named, str_c(found)))
        return true;
    call_error(
        call, 400, NULL, NULL,
        "messages.%zu.content.%zu.%s.source.base64.data: The image was specified using the " STR_FMT
        " media type, but the image appears to be a %s image",
        at, index, place, STR_ARG(str_head(named, 100)), found);
    return false;
}

static bool media_check_block(const struct messages *messages, const struct json *block, size_t at,
                              size_t index)
{
    struct call *call = messages->call;
    const struct json *source = json_get(block, "source"), *content = json_get(block, "content");
    struct str type = call_text(call, block, "type"), kind = call_text(call, source, "type");
    bool image = str_eq(type, STR("image")), document = str_eq(type, STR("document"));
    if (str_eq(type, STR("tool_result")) && json_is(content, JSON_ARRAY)) {
        for (const struct json *inner = content->first; inner != NULL; inner = inner->next) {
            if (!media_check_block(messages, inner, at, index))
                return false;
        }
    }
    if (!image && !document)
        return true;
    if (str_eq(kind, STR("base64")))
        return media_check_bytes(messages, source, image ? "image" : "document", at, index);
    struct str url = call_text(call, source, "url");
    if (!str_eq(kind, STR("url")) || str_starts_nocase(url, STR("https://")))
        return true;
    call_error(call, 400, NULL, NULL,
               "messages.%zu.content.%zu." STR_FMT
               ".source.url.url: Only HTTPS URLs are supported.",
               at, index, STR_ARG(type));
    return false;
}

bool messages_check_media(const struct messages *messages)
{
    const struct json *list = json_get(messages->call->root, "messages");
    size_t at = 0;
    for (const struct json *m = list->first; m != NULL; m = m->next, at++) {
        const struct json *content = json_get(m, "content");
        size_t index = 0;
        if (!json_is(content, JSON_ARRAY))
            continue;
        for (const struct json *block = content->first; block != NULL; block = block->next) {
            if (!media_check_block(messages, block, at, index++))
                return false;
        }
    }
    return true;
}
