/* back_bedrock_media.c: images, documents, video and audio of a Converse request.
 *
 * Bytes are what Converse takes, or a place in S3; anything else that a URL names must have been
 * fetched before (wants_bytes). Invariant: every document has a name that AWS takes (letters,
 * digits, hyphens, brackets, single blanks) and no other document of the request has; it comes from
 * the file's. Data stays where it stands, between the quotes of the caller's string.
 */
#include <sodium.h>

#include "data-plane/dialect/back_bedrock.h"

#define MEDIA_REMEDY                                                                               \
    "Send PNG, JPEG, GIF or WebP images, PDF, Office, HTML, Markdown or text documents."
#define NAME_MAX_BYTES 180
#define S3_SCHEME      "s3://"

struct media_row {
    const char *block, *format, *mime, *extension;
};

static const struct media_row rows[] = {
#define MEDIA(block, format, mime, extension) {block, format, mime, extension},
#include "data-plane/dialect/bedrock_media.def"
#undef MEDIA
};

static const struct media_row *row_of_mime(struct str mime)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_eq_nocase(mime, str_c(rows[i].mime)))
            return &rows[i];
    return str_starts_nocase(mime, STR("text/")) ? row_of_mime(STR("text/plain")) : NULL;
}

/* By what follows the last dot of a file's name or a URL's path. */
static const struct media_row *row_of_name(struct str name)
{
    ptrdiff_t query = str_find_char(name, '?');
    if (query >= 0)
        name = str_head(name, (size_t)query);
    size_t at = name.n;
    while (at > 0 && name.p[at - 1] != '.' && name.p[at - 1] != '/')
        at--;
    for (size_t i = 0; i < COUNT_OF(rows) && at > 0; i++)
        if (str_eq_nocase(str_from(name, at), str_c(rows[i].extension)))
            return &rows[i];
    return NULL;
}

static const struct media_row *find_row(const struct chat_part *part)
{
    const struct chat_media *media = &part->media;
    const struct media_row *row = NULL;
    if (media->source == CHAT_SOURCE_TEXT)
        return row_of_mime(STR("text/plain"));
    if (media->fetched.n > 0)
        row = row_of_mime(media->fetched_mime);
    if (row == NULL && media->mime.n > 0)
        return row_of_mime(media->mime);
    if (row == NULL)
        row = row_of_name(chat_text_inner(part->name));
    if (row == NULL && media->source == CHAT_SOURCE_URL)
        row = row_of_name(media->inner);
    if (row != NULL)
        return row;
    return part->kind == CHAT_PART_FILE ? row_of_mime(STR("application/pdf")) : NULL;
}

/* --- names of documents */

static bool has_name(const struct back_bedrock *state, struct str name)
{
    for (const struct bedrock_name *at = state->names; at != NULL; at = at->next)
        if (str_eq(at->text, name))
            return true;
    return false;
}

static size_t plain_name(struct str from, char out[NAME_MAX_BYTES])
{
    size_t n = 0;
    for (size_t i = 0; i < from.n && n < NAME_MAX_BYTES; i++) {
        char c = from.p[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    (c != '\0' && strchr("()[]-", c) != NULL);
        char as = fine ? c : c == ' ' ? ' ' : '-';
        bool again = !fine && n > 0 && (out[n - 1] == as || (as == ' ' && out[n - 1] == ' '));
        if (!again)
            out[n++] = as;
    }
    return n;
}

static enum status add_name(struct dialect_call *call, const struct chat_part *part,
                            struct str *name)
{
    struct back_bedrock *state = back_bedrock_state(call);
    char room[NAME_MAX_BYTES];
    struct str title;
    TRY(chat_text_plain(call->arena, part->name, &title));
    if (row_of_name(title) != NULL)
        while (title.n > 0 && title.p[--title.n] != '.')
            ;
    struct str plain = str_trim(str_of(room, plain_name(title, room)));
    struct bedrock_name *entry = arena_calloc(call->arena, 1, sizeof *entry);
    if (plain.n == 0)
        plain = STR("document");
    state->document_count++;
    *name = has_name(state, plain)
                ? arena_printf(call->arena, STR_FMT " (%zu)", STR_ARG(plain), state->document_count)
                : arena_str(call->arena, plain);
    if (entry == NULL || name->p == NULL)
        return ST_NO_MEMORY;
    *entry = (struct bedrock_name){state->names, *name};
    state->names = entry;
    return ST_OK;
}

/* --- sources */

static void write_inner(struct json_writer *w, const char *key, struct str inner)
{
    jw_key(w, key);
    jw_raw(w, STR("\""));
    buf_add_str(w->buf, inner);
    buf_add_char(w->buf, '"');
}

/* A document's own words: Claude cites from text, the others read a file. */
static enum status write_words(struct dialect_call *call, struct json_writer *w,
                               const struct chat_media *media)
{
    struct chat_text words;
    struct str plain;
    TRY(chat_media_words(call->arena, media, &words));
    if (back_bedrock_state(call)->model.family == BEDROCK_CLAUDE) {
        jw_field_raw(w, "text", words.raw);
        return ST_OK;
    }
    TRY(chat_text_plain(call->arena, words, &plain));
    size_t room = sodium_base64_ENCODED_LEN(plain.n, sodium_base64_VARIANT_ORIGINAL);
    char *text = arena_alloc(call->arena, room);
    if (text == NULL)
        return ST_NO_MEMORY;
    sodium_bin2base64(text, room, (const unsigned char *)plain.p, plain.n,
                      sodium_base64_VARIANT_ORIGINAL);
    write_inner(w, "bytes", str_c(text));
    return ST_OK;
}

static enum status write_source(struct dialect_call *call, struct json_writer *w,
                                const struct chat_part *part)
{
    const struct chat_media *media = &part->media;
    jw_key(w, "source");
    jw_object(w);
    if (media->source == CHAT_SOURCE_TEXT) {
        TRY(write_words(call, w, media));
    } else if (media->source == CHAT_SOURCE_DATA || media->fetched.n > 0) {
        write_inner(w, "bytes", media->fetched.n > 0 ? media->fetched : media->inner);
    } else if (media->source == CHAT_SOURCE_URL && str_starts(media->inner, STR(S3_SCHEME))) {
        jw_key(w, "s3Location");
        jw_object(w);
        write_inner(w, "uri", media->inner);
        jw_end(w);
    } else {
        return dialect_refuse_part(call, part->place,
                                   media->source == CHAT_SOURCE_ID ? "files of another provider"
                                                                   : "this kind of URL",
                                   "Send the data itself (base64), an http or https URL, or an "
                                   "s3:// URL.");
    }
    jw_end(w);
    return ST_OK;
}

bool back_bedrock_wants_bytes(const struct dialect_call *call, const struct chat_part *part)
{
    struct str url = part->media.inner;
    (void)call;
    return part->media.source == CHAT_SOURCE_URL &&
           (str_starts_nocase(url, STR("http://")) || str_starts_nocase(url, STR("https://")));
}

static enum status write_document(struct dialect_call *call, struct json_writer *w,
                                  const struct chat_part *part)
{
    struct str name;
    TRY(add_name(call, part, &name));
    jw_field_str(w, "name", name);
    if (!chat_text_is_empty(part->about))
        jw_field_raw(w, "context", part->about.raw);
    if (part->citing != NULL)
        jw_field_raw(w, "citations", part->citing->raw);
    return ST_OK;
}

enum status back_bedrock_media(struct dialect_call *call, struct json_writer *w,
                               const struct chat_part *part)
{
    const struct chat_media *media = &part->media;
    const struct media_row *row = find_row(part);
    if (row == NULL)
        return dialect_refuse_part(call, part->place, "this type of file or image", MEDIA_REMEDY);
    if (!chat_text_is_empty(media->detail) && !str_eq(media->detail.raw, STR("\"auto\"")))
        dialect_drop(call, "image_url.detail");
    jw_object(w);
    jw_key(w, row->block);
    jw_object(w);
    jw_field_cstr(w, "format", row->format);
    if (strcmp(row->block, "document") == 0)
        TRY(write_document(call, w, part));
    TRY(write_source(call, w, part));
    jw_end(w);
    jw_end(w);
    return ST_OK;
}
