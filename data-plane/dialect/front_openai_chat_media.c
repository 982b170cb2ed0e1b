/* front_openai_chat_media.c: images, audio and files of a chat request, read.
 *
 * Whether a URL may be fetched, or a type read, is the back's to say (chat_media.c has the rest).
 */
#include "data-plane/dialect/front_openai_chat.h"

static enum status no_memory(struct dialect_call *call)
{
    return dialect_refuse(call, ST_NO_MEMORY, "Not enough memory.");
}

static enum status wrong(struct dialect_call *call, const struct chat_part *part, const char *rule)
{
    struct str where = chat_place_text(call->arena, part->place);
    return dialect_refuse(call, ST_INVALID, STR_FMT ": %s", STR_ARG(where), rule);
}

static enum status set_url(struct dialect_call *call, struct chat_part *part,
                           const struct json *url)
{
    enum status status = chat_media_url(call->arena, url, &part->media);
    if (status == ST_INVALID)
        return wrong(call, part, "a data URL must be base64: data:<type>;base64,<data>.");
    if (status != ST_OK)
        return no_memory(call);
    return part->media.inner.n == 0 && part->media.source == CHAT_SOURCE_URL
               ? wrong(call, part, "a url is required.")
               : ST_OK;
}

enum status front_openai_chat_image(struct dialect_call *call, struct chat_part *part,
                                    const struct json *node)
{
    const struct json *image = json_get(node, "image_url");
    const struct json *url = json_is(image, JSON_STRING) ? image : json_get(image, "url");
    TRY(set_url(call, part, url));
    part->media.detail = chat_text_of(json_get(image, "detail"));
    return ST_OK;
}

enum status front_openai_chat_audio(struct dialect_call *call, struct chat_part *part,
                                    const struct json *node)
{
    const struct json *audio = json_get(node, "input_audio"), *format = json_get(audio, "format");
    struct chat_media *media = &part->media;
    struct str word;
    if (!json_is(format, JSON_STRING) || !json_is(json_get(audio, "data"), JSON_STRING))
        return wrong(call, part, "input_audio needs data and format.");
    media->source = CHAT_SOURCE_DATA;
    if (json_text(format, call->arena, &word) != ST_OK)
        return no_memory(call);
    media->mime = arena_printf(call->arena, "audio/" STR_FMT, STR_ARG(word));
    return media->mime.p != NULL && chat_inner(call->arena, json_get(audio, "data"), &media->inner) == ST_OK
               ? ST_OK
               : no_memory(call);
}

static enum status file_source(struct dialect_call *call, struct chat_part *part,
                               const struct json *file)
{
    const struct json *data = json_get(file, "file_data"), *url = json_get(file, "file_url");
    const struct json *id = json_get(file, "file_id");
    struct chat_media *media = &part->media;
    if (json_is(url, JSON_STRING))
        return set_url(call, part, url);
    if (!json_is(id, JSON_STRING) && !json_is(data, JSON_STRING))
        return wrong(call, part, "file needs file_data, file_id or file_url.");
    media->source = json_is(id, JSON_STRING) ? CHAT_SOURCE_ID : CHAT_SOURCE_DATA;
    if (chat_inner(call->arena, json_is(id, JSON_STRING) ? id : data, &media->inner) != ST_OK)
        return no_memory(call);
    if (media->source == CHAT_SOURCE_DATA && str_starts_nocase(media->inner, STR("data:")))
        return set_url(call, part, data);
    return ST_OK;
}

/* file_data is a data URL or bare base64; file_url and mime_type are what other gateways take. */
enum status front_openai_chat_file(struct dialect_call *call, struct chat_part *part,
                                   const struct json *node)
{
    const struct json *file = json_get(node, "file"), *mime = json_get(file, "mime_type");
    part->name = chat_text_of(json_get(file, "filename"));
    TRY(file_source(call, part, file));
    if (part->media.mime.n == 0 && json_is(mime, JSON_STRING) &&
        json_text(mime, call->arena, &part->media.mime) != ST_OK)
        return no_memory(call);
    return ST_OK;
}

/* Not OpenAI's: what services that watch films call it. */
enum status front_openai_chat_video(struct dialect_call *call, struct chat_part *part,
                                    const struct json *node)
{
    const struct json *video = json_get(node, "video_url");
    return set_url(call, part, json_is(video, JSON_STRING) ? video : json_get(video, "url"));
}
