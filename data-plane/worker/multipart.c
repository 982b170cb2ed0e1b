/* multipart.c: a reader of part headers that steps from boundary to boundary.
 *
 *   --B CRLF headers CRLF CRLF value CRLF --B CRLF ... CRLF --B--
 *
 * File contents are only searched for the next boundary, never copied. The same field twice is a matter for the first: the provider and
 * we must not read two different models, so a second "model" part is refused where the whole body is here (step_read_body).
 */
#include "data-plane/worker/multipart.h"

#define PART_HEAD_MAX 4096

enum status multipart_boundary(struct str type, struct str *boundary)
{
    if (!str_starts_nocase(type, STR("multipart/form-data")))
        return ST_INVALID;
    struct str rest = type, piece;
    while (str_split(&rest, ';', &piece)) {
        piece = str_trim(piece);
        if (!str_starts_nocase(piece, STR("boundary=")))
            continue;
        piece = str_from(piece, 9);
        if (piece.n >= 2 && piece.p[0] == '"' && piece.p[piece.n - 1] == '"')
            piece = str_of(piece.p + 1, piece.n - 2);
        if (piece.n < 1 || piece.n > 70)
            return ST_INVALID;
        *boundary = piece;
        return ST_OK;
    }
    return ST_INVALID;
}

/* Position right behind the next "--boundary" at or after `from`, or -1. */
static ptrdiff_t after_boundary(struct str body, struct str boundary, size_t from)
{
    for (;;) {
        struct str rest = str_from(body, from);
        ptrdiff_t at = str_find(rest, boundary);
        if (at < 0)
            return -1;
        size_t place = from + (size_t)at;
        bool dashes = place >= 2 && body.p[place - 1] == '-' && body.p[place - 2] == '-';
        bool line = place == 2 || (place >= 3 && body.p[place - 3] == '\n');
        if (dashes && line)
            return (ptrdiff_t)(place + boundary.n);
        from = place + 1;
    }
}

/* name="..." of a Content-Disposition line in a part head. */
static bool head_names(struct str head, struct str field)
{
    struct str line;
    while (str_split(&head, '\n', &line)) {
        line = str_trim(line);
        if (!str_starts_nocase(line, STR("content-disposition:")))
            continue;
        struct str rest = line, piece;
        while (str_split(&rest, ';', &piece)) {
            piece = str_trim(piece);
            if (!str_starts_nocase(piece, STR("name=")))
                continue;
            piece = str_from(piece, 5);
            if (piece.n >= 2 && piece.p[0] == '"' && piece.p[piece.n - 1] == '"')
                piece = str_of(piece.p + 1, piece.n - 2);
            return str_eq(piece, field);
        }
    }
    return false;
}

enum status multipart_find(struct str body, struct str boundary, struct str field, size_t *searched, struct str *value)
{
    for (;;) {
        ptrdiff_t begin = after_boundary(body, boundary, *searched);
        if (begin < 0)
            return ST_AGAIN;
        struct str part = str_from(body, (size_t)begin);
        if (part.n < 2)
            return ST_AGAIN;
        if (part.p[0] == '-' && part.p[1] == '-')
            return ST_NOT_FOUND;
        ptrdiff_t blank = str_find(part, STR("\r\n\r\n"));
        if (blank < 0)
            return part.n > PART_HEAD_MAX ? ST_INVALID : ST_AGAIN;
        bool wanted = head_names(str_head(part, (size_t)blank), field);
        size_t content = (size_t)begin + (size_t)blank + 4;
        ptrdiff_t next = after_boundary(body, boundary, content);
        if (next < 0) {
            if (wanted)
                return body.n - content > MULTIPART_VALUE_MAX + boundary.n + 4 ? ST_INVALID : ST_AGAIN;
            return ST_AGAIN;
        }
        size_t end = (size_t)next - boundary.n - 2;
        if (end < content + 2 && wanted)
            return ST_INVALID;
        if (wanted) {
            *value = str_of(body.p + content, end - content - 2);
            return value->n > MULTIPART_VALUE_MAX ? ST_INVALID : ST_OK;
        }
        *searched = (size_t)next - boundary.n - 2;
    }
}
