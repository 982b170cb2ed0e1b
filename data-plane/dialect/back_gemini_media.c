/* back_gemini_media.c: pictures, sound, films and documents of a request, as Google takes them.
 *
 *   data                     -> inlineData          the words of a document -> text
 *   gs://..., films of YouTube, files of the Gemini API ("files/...")       -> fileData
 *   other URLs, Gemini API   -> inlineData, of what was fetched (back.wants_bytes)
 *   other URLs, Vertex AI    -> fileData where their ending tells the type, else as above
 */
#include "common/catalog_codec.h"
#include "data-plane/dialect/back_gemini_simple.h"

#define FILES_HOST   "https://generativelanguage.googleapis.com/v1beta/"
#define MEDIA_REMEDY "Send it as a data URL, an https URL, a gs:// URI or a file of the Gemini API."

static const struct {
    const char *ending, *mime;
} endings[] = {
    {".png", "image/png"},         {".jpg", "image/jpeg"},      {".jpeg", "image/jpeg"},
    {".webp", "image/webp"},       {".heic", "image/heic"},     {".heif", "image/heif"},
    {".gif", "image/gif"},         {".pdf", "application/pdf"}, {".txt", "text/plain"},
    {".md", "text/markdown"},      {".html", "text/html"},      {".csv", "text/csv"},
    {".json", "application/json"}, {".mp4", "video/mp4"},       {".mpeg", "video/mpeg"},
    {".mov", "video/quicktime"},   {".webm", "video/webm"},     {".mp3", "audio/mp3"},
    {".wav", "audio/wav"},         {".flac", "audio/flac"},     {".ogg", "audio/ogg"},
    {".aac", "audio/aac"},         {".m4a", "audio/m4a"},       {".opus", "audio/ogg"},
};

/* Types that callers name in another way than Google. */
static const struct {
    const char *as, *mime;
} spellings[] = {
    {"image/jpg", "image/jpeg"},  {"audio/mpeg", "audio/mp3"},  {"audio/opus", "audio/ogg"},
    {"audio/pcm16", "audio/pcm"}, {"audio/x-wav", "audio/wav"}, {"audio/g711", "audio/basic"},
};

static struct str mime_of_url(struct str url)
{
    ptrdiff_t query = str_find_char(url, '?'), dot;
    struct str path = query < 0 ? url : str_head(url, (size_t)query);
    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        dot = (ptrdiff_t)path.n - (ptrdiff_t)strlen(endings[i].ending);
        if (dot > 0 && str_eq_nocase(str_from(path, (size_t)dot), str_c(endings[i].ending)))
            return str_c(endings[i].mime);
    }
    return STR_NONE;
}

static struct str mime_as_google(struct str mime)
{
    for (size_t i = 0; i < COUNT_OF(spellings); i++)
        if (str_eq_nocase(mime, str_c(spellings[i].as)))
            return str_c(spellings[i].mime);
    return mime;
}

static bool is_web(struct str url)
{
    return str_starts_nocase(url, STR("https://")) || str_starts_nocase(url, STR("http://"));
}

/* What Google reads for itself, wherever it runs. */
static bool is_googles(struct str url)
{
    static const char *const starts[] = {
        "gs://",
        FILES_HOST,
        "https://www.youtube.com/watch",
        "https://youtube.com/watch",
        "https://youtu.be/",
    };
    for (size_t i = 0; i < COUNT_OF(starts); i++)
        if (str_starts_nocase(url, str_c(starts[i])))
            return true;
    return false;
}

bool back_gemini_is_vertex(const struct dialect_call *call)
{
    return call->back->dialect == CAT_DIALECT_VERTEX;
}

bool back_gemini_wants_bytes(const struct dialect_call *call, const struct chat_part *part)
{
    const struct chat_media *media = &part->media;
    bool told = media->mime.n > 0 || mime_of_url(media->inner).n > 0;
    if (media->source != CHAT_SOURCE_URL || !is_web(media->inner) || is_googles(media->inner))
        return false;
    return !back_gemini_is_vertex(call) || !told;
}

static void write_inner(struct json_writer *w, const char *key, struct str lead, struct str inner)
{
    jw_key(w, key);
    jw_raw(w, STR("\""));
    buf_add_str(w->buf, lead);
    buf_add_str(w->buf, inner);
    buf_add_char(w->buf, '"');
}

void back_gemini_write_inline(struct json_writer *w, struct str mime, struct str data)
{
    jw_object(w);
    jw_key(w, "inlineData");
    jw_object(w);
    jw_field_str(w, "mimeType", mime_as_google(mime));
    write_inner(w, "data", STR(""), data);
    jw_end(w);
    jw_end(w);
}

static enum status write_uri(struct json_writer *w, struct str mime, struct str lead,
                             struct str uri)
{
    jw_object(w);
    jw_key(w, "fileData");
    jw_object(w);
    if (mime.n > 0)
        jw_field_str(w, "mimeType", mime_as_google(mime));
    write_inner(w, "fileUri", lead, uri);
    jw_end(w);
    jw_end(w);
    return ST_OK;
}

/* The type of data that nobody named. */
static struct str usual_mime(const struct chat_part *part)
{
    return part->kind == CHAT_PART_IMAGE ? STR("image/jpeg") : STR("application/pdf");
}

static enum status write_url(struct dialect_call *call, struct json_writer *w,
                             const struct chat_part *part)
{
    const struct chat_media *media = &part->media;
    struct str mime = media->mime.n > 0 ? media->mime : mime_of_url(media->inner);
    bool film = is_googles(media->inner) && !str_starts_nocase(media->inner, STR("gs://"));
    if (media->fetched.n > 0) {
        back_gemini_write_inline(w, media->fetched_mime, media->fetched);
        return ST_OK;
    }
    if (!is_googles(media->inner) && !is_web(media->inner))
        return dialect_refuse_part(call, part->place, "this kind of URL", MEDIA_REMEDY);
    if (mime.n == 0 && !film)
        mime = usual_mime(part);
    return write_uri(w, mime, STR(""), media->inner);
}

enum status back_gemini_media(struct dialect_call *call, struct json_writer *w,
                              const struct chat_part *part)
{
    const struct chat_media *media = &part->media;
    if (part->kind == CHAT_PART_NATIVE)
        return dialect_refuse_part(call, part->place, "this type of content",
                                   "Send text, image_url, input_audio, video_url or file parts.");
    if (!chat_text_is_empty(part->about)) { /* what it is, in front of it */
        jw_object(w);
        jw_field_raw(w, "text", part->about.raw);
        jw_end(w);
    }
    if (part->kind == CHAT_PART_FILE && !chat_text_is_empty(part->name))
        dialect_drop(call, "messages.filename");
    if (!chat_text_is_empty(media->detail) && !str_eq(media->detail.raw, STR("\"auto\"")))
        dialect_drop(call, "image_url.detail");
    switch (media->source) {
    case CHAT_SOURCE_DATA:
        back_gemini_write_inline(w, media->mime.n > 0 ? media->mime : usual_mime(part),
                                 media->inner);
        return ST_OK;
    case CHAT_SOURCE_TEXT:
        jw_object(w);
        write_inner(w, "text", STR(""), media->inner);
        jw_end(w);
        return ST_OK;
    case CHAT_SOURCE_URL:
        return write_url(call, w, part);
    case CHAT_SOURCE_ID:
        break;
    }
    if (!str_starts(media->inner, STR("files/")))
        return dialect_refuse_part(call, part->place, "files of another provider", MEDIA_REMEDY);
    return write_uri(w, media->mime, STR(FILES_HOST), media->inner);
}
