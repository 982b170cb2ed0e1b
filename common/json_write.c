/* json_write.c: see json_write.h.
 *
 * Invariant: whatever the values hold, what comes out is valid JSON, as long as the calls nest;
 * calls that do not nest are a bug of ours and end the process. It must never copy a value from
 * outside without escaping it: jw_raw is for text that json_scan or json_tree has validated.
 */
#include "common/json_write.h"

#include "common/clock.h"

#define WRITE_MAX_DIGITS 18 /* of a fraction: 10^18 fits an int64_t */

void jw_init(struct json_writer *w, struct buf *buf)
{
    *w = (struct json_writer){.buf = buf};
}

/* Before a value: a comma between items; inside an object a key must be waiting. */
static void before_value(struct json_writer *w)
{
    bool object = w->depth > 0 && !w->in_array[w->depth];
    CHECK(!object || w->keyed);
    CHECK(w->depth > 0 || !w->comma);
    if (!object && w->comma)
        buf_add_char(w->buf, ',');
    w->keyed = false;
    w->comma = true;
}

static void open_container(struct json_writer *w, char bracket)
{
    before_value(w);
    CHECK(w->depth < JSON_MAX_DEPTH);
    w->in_array[++w->depth] = bracket == '[';
    w->comma = false;
    buf_add_char(w->buf, bracket);
}

void jw_object(struct json_writer *w)
{
    open_container(w, '{');
}

void jw_array(struct json_writer *w)
{
    open_container(w, '[');
}

void jw_end(struct json_writer *w)
{
    CHECK(w->depth > 0 && !w->keyed);
    buf_add_char(w->buf, w->in_array[w->depth] ? ']' : '}');
    w->depth--;
    w->comma = true;
}

static void add_escape(struct buf *buf, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    char text[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
    switch (c) {
    case '"':
    case '\\':
        text[1] = (char)c;
        break;
    case '\b':
        text[1] = 'b';
        break;
    case '\f':
        text[1] = 'f';
        break;
    case '\n':
        text[1] = 'n';
        break;
    case '\r':
        text[1] = 'r';
        break;
    case '\t':
        text[1] = 't';
        break;
    default:
        buf_add(buf, text, sizeof text);
        return;
    }
    buf_add(buf, text, 2);
}

static void add_quoted(struct buf *buf, struct str s)
{
    size_t from = 0, at = 0;
    buf_add_char(buf, '"');
    while (at < s.n) {
        unsigned char c = (unsigned char)s.p[at];
        size_t step = c < 0x80 ? 1 : str_utf8_step(str_from(s, at));
        if (step != 0 && c >= 0x20 && c != '"' && c != '\\') {
            at += step;
            continue;
        }
        buf_add(buf, s.p + from, at - from);
        if (step == 0)
            buf_add_lit(buf, "\xEF\xBF\xBD");
        else
            add_escape(buf, c);
        from = ++at;
    }
    if (at > from)
        buf_add(buf, s.p + from, at - from);
    buf_add_char(buf, '"');
}

void jw_key_str(struct json_writer *w, struct str name)
{
    CHECK(w->depth > 0 && !w->in_array[w->depth] && !w->keyed);
    if (w->comma)
        buf_add_char(w->buf, ',');
    add_quoted(w->buf, name);
    buf_add_char(w->buf, ':');
    w->keyed = true;
}

void jw_key(struct json_writer *w, const char *name)
{
    jw_key_str(w, str_c(name));
}

void jw_str(struct json_writer *w, struct str value)
{
    before_value(w);
    add_quoted(w->buf, value);
}

void jw_cstr(struct json_writer *w, const char *value)
{
    if (value == NULL)
        jw_null(w);
    else
        jw_str(w, str_c(value));
}

void jw_u64(struct json_writer *w, uint64_t value)
{
    before_value(w);
    buf_add_u64(w->buf, value);
}

void jw_i64(struct json_writer *w, int64_t value)
{
    before_value(w);
    buf_add_i64(w->buf, value);
}

void jw_bool(struct json_writer *w, bool value)
{
    before_value(w);
    buf_add_str(w->buf, value ? STR("true") : STR("false"));
}

void jw_null(struct json_writer *w)
{
    before_value(w);
    buf_add_lit(w->buf, "null");
}

void jw_id(struct json_writer *w, const struct id *id)
{
    char text[ID_TEXT + 1];
    if (id_is_none(id)) {
        jw_null(w);
        return;
    }
    id_to_text(id, text);
    jw_str(w, str_of(text, ID_TEXT));
}

void jw_time(struct json_writer *w, int64_t unix_ms)
{
    char text[CLOCK_TEXT + 1];
    if (unix_ms == 0) {
        jw_null(w);
        return;
    }
    clock_to_text(unix_ms, text);
    jw_str(w, str_of(text, CLOCK_TEXT));
}

void jw_raw(struct json_writer *w, struct str json)
{
    before_value(w);
    buf_add_str(w->buf, json);
}

void jw_decimal(struct json_writer *w, int64_t value, unsigned digits)
{
    CHECK(digits <= WRITE_MAX_DIGITS);
    uint64_t size = value < 0 ? 0u - (uint64_t)value : (uint64_t)value, scale = 1;
    for (unsigned i = 0; i < digits; i++)
        scale *= 10;
    uint64_t fraction = size % scale;
    before_value(w);
    if (value < 0)
        buf_add_char(w->buf, '-');
    buf_add_u64(w->buf, size / scale);
    if (fraction == 0)
        return;
    char text[WRITE_MAX_DIGITS];
    for (unsigned i = digits; i-- > 0; fraction /= 10)
        text[i] = (char)('0' + fraction % 10);
    while (text[digits - 1] == '0')
        digits--;
    buf_add_char(w->buf, '.');
    buf_add(w->buf, text, digits);
}
