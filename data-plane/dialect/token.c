/* token.c: see token.h. What kinds of tokens share: room for secrets, and OAuth's answer.
 *
 * Must never copy a secret out of guarded memory: an answer is scanned where it lies, and unescaped
 * in place.
 */
#include "data-plane/dialect/token.h"

#include <stdio.h>

#include "common/json_scan.h"

#define LIFE_LEAST_S 1
#define LIFE_MOST_S  (24 * 3600)

char *token_room(struct token_request *request, size_t bytes)
{
    if (bytes > request->room_bytes - request->used)
        return NULL;
    char *p = request->room + request->used;
    request->used += bytes;
    return p;
}

enum status token_text_begin(struct token_request *request, size_t bytes, struct token_text *text)
{
    *text = (struct token_text){.at = token_room(request, bytes), .room = bytes};
    return text->at != NULL ? ST_OK : ST_TOO_LARGE;
}

void token_text_add(struct token_text *text, struct str bytes)
{
    if (bytes.n > text->room - text->n) {
        text->n = text->room; /* full */
        return;
    }
    memcpy(text->at + text->n, bytes.p, bytes.n);
    text->n += bytes.n;
}

void token_text_escape(struct token_text *text, struct str bytes)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < bytes.n; i++) {
        unsigned char c = (unsigned char)bytes.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == '_' || c == '~';
        const char escape[] = {'%', hex[c >> 4], hex[c & 15]};
        token_text_add(text, plain ? str_of(bytes.p + i, 1) : str_of(escape, sizeof escape));
    }
}

enum status token_text_end(const struct token_text *text, struct str *whole)
{
    *whole = str_of(text->at, text->n);
    return text->n < text->room ? ST_OK : ST_TOO_LARGE;
}

enum status token_secret(const struct dialect_signing *signing, struct token_request *request,
                         struct str name, struct str *value)
{
    char *at = request->room + request->used;
    size_t n;
    TRY(signing->secret(signing, name, at, request->room_bytes - request->used, &n));
    request->used += n;
    *value = str_of(at, n);
    return ST_OK;
}

/* Printable and short: it comes from outside, and goes into an error's message. */
static void say(struct token_value *value, struct str code, struct str text)
{
    size_t n = 0;
    snprintf(value->reason, sizeof value->reason, STR_FMT "%s" STR_FMT, STR_ARG(str_head(code, 60)),
             text.n > 0 ? ": " : "", STR_ARG(str_head(text, 180)));
    for (char *p = value->reason; *p != '\0'; p++, n++)
        if (*p < ' ' || *p > '~')
            *p = ' ';
}

static struct str text_of(const struct json_field *field)
{
    struct str text;
    bool string = field->raw.p != NULL && field->type == JSON_STRING;
    return string && json_unescape(field->raw, (char *)(uintptr_t)field->raw.p, &text) == ST_OK
               ? text
               : STR("");
}

enum status token_read_oauth(int http_status, char *body, size_t n, struct token_value *value)
{
    enum { TOKEN, LIFE, ERROR, DESCRIPTION, COUNT };
    struct json_field fields[COUNT] = {{.name = "access_token"},
                                       {.name = "expires_in"},
                                       {.name = "error"},
                                       {.name = "error_description"}};
    uint64_t life;
    bool json = json_scan_object(str_of(body, n), fields, COUNT, NULL) == ST_OK;
    if (http_status == 200 && json && str_to_u64(fields[LIFE].raw, &life) == ST_OK) {
        value->value = text_of(&fields[TOKEN]);
        value->life_s = life > LIFE_MOST_S ? LIFE_MOST_S : (int64_t)life;
        if (value->value.n > 0 && value->life_s >= LIFE_LEAST_S)
            return ST_OK;
    }
    if (json && fields[ERROR].raw.p != NULL)
        say(value, text_of(&fields[ERROR]), text_of(&fields[DESCRIPTION]));
    else
        snprintf(value->reason, sizeof value->reason, "HTTP %d without a token", http_status);
    return http_status >= 400 && http_status < 500 && http_status != 408 && http_status != 429
               ? ST_CREDENTIAL_REFUSED
               : ST_UPSTREAM_BROKEN;
}
