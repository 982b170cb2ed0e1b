/* multipart.c: a reader of part heads that steps from delimiter to delimiter.
 *
 *   --B CRLF head CRLF CRLF content CRLF --B CRLF ... CRLF --B-- epilogue
 *
 * The gateway authorises and prices the model it finds here, and the provider reads the same bytes with a parser of its own: what
 * two parsers could read differently is refused, however unlikely from an honest client. So every "--B" must be a whole delimiter
 * line, nothing but one CRLF may stand before the first, heads have no folded lines or bare CR and LF, and a part has one
 * Content-Disposition with one plain name. File contents are searched once, whatever the size of the pieces in which they arrive,
 * and never copied. Must never: give another verdict on the same body for being cut elsewhere.
 */
#include "data-plane/worker/multipart_internal.h"

#define PART_HEAD_MAX 4096

/* --- parameters: *( OWS ";" OWS name "=" value ) ------------------------------------------------------------------------- */

static struct str skip_blanks(struct str s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = str_from(s, 1);
    return s;
}

/* A quoted value, escapes left in; rest stands at the opening quote. */
static enum status take_quoted(struct str *rest, struct str *value)
{
    for (size_t i = 1; i < rest->n; i++) {
        if (rest->p[i] == '\\') {
            i++;
        } else if (rest->p[i] == '"') {
            *value = str_of(rest->p + 1, i - 1);
            *rest = str_from(*rest, i + 1);
            return ST_OK;
        }
    }
    return ST_INVALID;
}

/* Takes the next parameter. ST_NOT_FOUND: there is none. */
static enum status take_parameter(struct str *rest, struct str *name, struct str *value)
{
    *rest = skip_blanks(*rest);
    if (rest->n == 0)
        return ST_NOT_FOUND;
    if (rest->p[0] != ';')
        return ST_INVALID;
    *rest = skip_blanks(str_from(*rest, 1));
    if (rest->n == 0)
        return ST_NOT_FOUND;
    ptrdiff_t equals = str_find_char(*rest, '=');
    if (equals < 1)
        return ST_INVALID;
    *name = str_head(*rest, (size_t)equals);
    for (size_t i = 0; i < name->n; i++)
        if (name->p[i] <= ' ' || name->p[i] == '"' || name->p[i] == ';')
            return ST_INVALID;
    *rest = str_from(*rest, (size_t)equals + 1);
    if (rest->n > 0 && rest->p[0] == '"')
        return take_quoted(rest, value);
    ptrdiff_t end = str_find_char(*rest, ';');
    *value = str_trim(end < 0 ? *rest : str_head(*rest, (size_t)end));
    *rest = end < 0 ? str_from(*rest, rest->n) : str_from(*rest, (size_t)end);
    for (size_t i = 0; i < value->n; i++)
        if (value->p[i] <= ' ' || value->p[i] == '"')
            return ST_INVALID;
    return ST_OK;
}

/* The one parameter `wanted` behind the leading word of a header's value. ST_NOT_FOUND; ST_INVALID: malformed, twice, escaped, or in
 * the extended form (name*=). */
static enum status find_parameter(struct str text, struct str word, struct str wanted, struct str *out)
{
    struct str name, value;
    bool found = false;
    enum status status;
    text = str_trim(text);
    if (!str_starts_nocase(text, word))
        return ST_INVALID;
    text = str_from(text, word.n);
    while ((status = take_parameter(&text, &name, &value)) == ST_OK) {
        if (!str_starts_nocase(name, wanted))
            continue;
        bool exact = name.n == wanted.n;
        if ((!exact && name.p[wanted.n] == '*') || (exact && (found || str_find_char(value, '\\') >= 0)))
            return ST_INVALID;
        if (exact)
            *out = value;
        found = found || exact;
    }
    if (status != ST_NOT_FOUND)
        return status;
    return found ? ST_OK : ST_NOT_FOUND;
}

/* RFC 2046, bchars. */
static bool is_boundary_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("'()+_,-./:=? ", c) != NULL);
}

enum status multipart_boundary(struct str type, struct str *boundary)
{
    struct str found = STR_NONE;
    if (find_parameter(type, STR("multipart/form-data"), STR("boundary"), &found) != ST_OK)
        return ST_INVALID;
    if (found.n < 1 || found.n > 70 || found.p[found.n - 1] == ' ')
        return ST_INVALID;
    for (size_t i = 0; i < found.n; i++)
        if (!is_boundary_char(found.p[i]))
            return ST_INVALID;
    *boundary = found;
    return ST_OK;
}

/* --- delimiters ----------------------------------------------------------------------------------------------------------- */

/* Proves that the body begins with a delimiter, as far as it is here. */
enum status multipart_check_start(struct str body, struct str boundary)
{
    struct str rest = body.n > 0 && body.p[0] == '\r' ? str_from(body, 2) : body;
    if (rest.p != body.p && !str_starts(STR("\r\n"), str_head(body, 2)))
        return ST_INVALID;
    if (!str_starts(STR("--"), str_head(rest, 2)))
        return ST_INVALID;
    rest = str_from(rest, 2);
    if (!str_starts(boundary, str_head(rest, boundary.n)))
        return ST_INVALID;
    return rest.n < boundary.n ? ST_AGAIN : ST_OK;
}

/* Reads the rest of a delimiter line, from behind its boundary. The padding that RFC 2046 allows here is refused: nobody sends it. */
static enum status end_delimiter(struct str body, size_t at, struct multipart_delimiter *out)
{
    struct str next = str_head(str_from(body, at), 2);
    out->close = str_eq(next, STR("--"));
    out->end = at + 2;
    if (out->close || str_eq(next, STR("\r\n")))
        return ST_OK;
    return str_starts(STR("--"), next) || str_starts(STR("\r\n"), next) ? ST_AGAIN : ST_INVALID;
}

/* The first delimiter whose boundary begins at or behind *from. ST_AGAIN: none yet, and *from moves over what need not be searched
 * again. */
enum status multipart_find_delimiter(struct str body, struct str boundary, size_t *from, struct multipart_delimiter *out)
{
    for (;;) {
        ptrdiff_t found = str_find(str_from(body, *from), boundary);
        if (found < 0) {
            if (body.n >= boundary.n && body.n - boundary.n + 1 > *from)
                *from = body.n - boundary.n + 1;
            return ST_AGAIN;
        }
        size_t at = *from + (size_t)found;
        if (at < 2 || body.p[at - 1] != '-' || body.p[at - 2] != '-') {
            *from = at + 1;
            continue;
        }
        size_t dashes = at - 2;
        bool begins = dashes >= 2 && body.p[dashes - 2] == '\r' && body.p[dashes - 1] == '\n';
        if (dashes != 0 && !begins)
            return ST_INVALID;
        out->begin = begins ? dashes - 2 : 0;
        return end_delimiter(body, at + boundary.n, out);
    }
}

/* --- heads of parts ------------------------------------------------------------------------------------------------------- */

static enum status read_header(struct str line, struct str field, unsigned *dispositions, bool *encoded, bool *wanted)
{
    static const struct str disposition = {"content-disposition", 19}, encoding = {"content-transfer-encoding", 25};
    ptrdiff_t colon = str_find_char(line, ':');
    if (colon < 1 || line.p[0] == ' ' || line.p[0] == '\t')
        return ST_INVALID;
    struct str name = str_head(line, (size_t)colon), value = str_trim(str_from(line, (size_t)colon + 1));
    if (str_eq_nocase(name, disposition)) {
        struct str found = STR_NONE;
        if (++*dispositions > 1 || find_parameter(value, STR("form-data"), STR("name"), &found) != ST_OK)
            return ST_INVALID;
        *wanted = str_eq(found, field);
    } else if (str_eq_nocase(str_trim(name), disposition)) {
        return ST_INVALID;
    } else if (str_eq_nocase(name, encoding)) {
        *encoded = !str_eq_nocase(value, STR("binary")) && !str_eq_nocase(value, STR("8bit")) &&
                   !str_eq_nocase(value, STR("7bit"));
    }
    return ST_OK;
}

/* head: whole lines, each with its CRLF. */
static enum status read_head(struct str head, struct str field, bool *wanted)
{
    unsigned dispositions = 0;
    bool encoded = false;
    *wanted = false;
    while (head.n > 0) {
        ptrdiff_t end = str_find(head, STR("\r\n"));
        if (end < 0)
            return ST_INVALID;
        struct str line = str_head(head, (size_t)end);
        head = str_from(head, (size_t)end + 2);
        if (str_find_char(line, '\r') >= 0 || str_find_char(line, '\n') >= 0 || str_find_char(line, '\0') >= 0)
            return ST_INVALID;
        TRY(read_header(line, field, &dispositions, &encoded, wanted));
    }
    return dispositions == 1 && !(*wanted && encoded) ? ST_OK : ST_INVALID;
}

enum status multipart_read_part(struct str body, struct str boundary, size_t begin, struct str field, struct multipart_part *part)
{
    /* From the CRLF of the delimiter's line, which ends an empty head too. */
    struct str rest = str_head(str_from(body, begin - 2), 2 + PART_HEAD_MAX + 2);
    ptrdiff_t blank = str_find(rest, STR("\r\n\r\n"));
    if (blank < 0)
        return rest.n == 2 + PART_HEAD_MAX + 2 ? ST_INVALID : ST_AGAIN;
    struct str head = str_of(rest.p + 2, (size_t)blank);
    if (str_find(head, boundary) >= 0)
        return ST_INVALID;
    part->content = begin + (size_t)blank + 2;
    /* An empty content has the CRLF of the next delimiter; without it some read a delimiter, others content. */
    struct str content = str_from(body, part->content);
    if (content.n < 2 + boundary.n)
        return ST_AGAIN;
    if (str_starts(content, STR("--")) && str_starts(str_from(content, 2), boundary))
        return ST_INVALID;
    return read_head(head, field, &part->wanted);
}

/* The content of a part that is wanted: small, and whole or not here yet. */
static enum status take_value(struct str body, struct str boundary, size_t content, size_t *searched, struct str *value)
{
    struct multipart_delimiter next;
    size_t from = content;
    enum status status = multipart_find_delimiter(body, boundary, &from, &next);
    if (status == ST_AGAIN)
        return body.n - content > MULTIPART_VALUE_MAX + 4 + boundary.n + 1 ? ST_INVALID : ST_AGAIN;
    TRY(status);
    if (next.begin - content > MULTIPART_VALUE_MAX)
        return ST_INVALID;
    *value = str_of(body.p + content, next.begin - content);
    *searched = next.begin;
    return ST_OK;
}

enum status multipart_find(struct str body, struct str boundary, struct str field, size_t *searched, struct str *value)
{
    struct multipart_delimiter here;
    struct multipart_part part;
    if (*searched == 0)
        TRY(multipart_check_start(body, boundary));
    for (;;) {
        size_t from = *searched;
        enum status status = multipart_find_delimiter(body, boundary, &from, &here);
        if (status == ST_AGAIN && *searched != 0)
            *searched = from;
        TRY(status);
        if (here.close)
            return ST_NOT_FOUND;
        TRY(multipart_read_part(body, boundary, here.end, field, &part));
        if (part.wanted)
            return take_value(body, boundary, part.content, searched, value);
        *searched = part.content;
    }
}

/* --- a body that flows through -------------------------------------------------------------------------------------------- */

/* Forgets what need not be read again. A delimiter is recognised with the CRLF before it, so some bytes in front stay. */
static void watch_drop(struct multipart_watch *watch, size_t boundary_n)
{
    size_t stay = boundary_n + 6;
    if (watch->searched <= stay)
        return;
    size_t drop = watch->searched - stay;
    memmove(watch->keep, watch->keep + drop, watch->kept - drop);
    watch->kept -= drop;
    watch->searched -= drop;
}

enum status multipart_watch_begin(struct multipart_watch *watch, struct str rest, struct str boundary, struct str field)
{
    watch->searched = 1; /* not the start of a body */
    watch->kept = 0;
    watch->closed = false;
    return multipart_watch_feed(watch, rest, boundary, field);
}

enum status multipart_watch_feed(struct multipart_watch *watch, struct str bytes, struct str boundary, struct str field)
{
    struct str value;
    while (bytes.n > 0 && !watch->closed) {
        size_t room = MULTIPART_WATCH_BYTES - watch->kept;
        size_t take = bytes.n < room ? bytes.n : room;
        if (take == 0)
            return ST_INVALID;
        memcpy(watch->keep + watch->kept, bytes.p, take);
        watch->kept += take;
        bytes = str_from(bytes, take);
        enum status status = multipart_find(str_of(watch->keep, watch->kept), boundary, field, &watch->searched, &value);
        if (status != ST_AGAIN && status != ST_NOT_FOUND)
            return ST_INVALID;
        watch->closed = status == ST_NOT_FOUND;
        watch_drop(watch, boundary.n);
    }
    return ST_OK;
}

enum status multipart_watch_end(const struct multipart_watch *watch)
{
    return watch->closed ? ST_OK : ST_INVALID;
}
