/* json_lex.c: see json_lex.h.
 *
 * Strings are nearly all of a chat body, so they are passed sixteen bytes at a time: one comparison
 * finds a quote, a backslash, a control character or a byte of a longer UTF-8 sequence, and only
 * those are looked at singly.
 *
 *     "plain run ........ \n plain run .... é é é ... "
 *      ^ 16 at a time     ^ escape          ^ utf8 run
 *
 * Invariant: `p` never passes `end`, whatever the bytes; a block is loaded only if all of it lies
 * before `end`. It must never accept what another parser downstream might read differently: no
 * lenient spelling is known here.
 */
#include "common/json_lex.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

bool json_lex_fail(struct json_lex *lex, enum status status, const char *what)
{
    if (lex->status == ST_OK) {
        lex->status = status;
        lex->what = what;
    }
    return false;
}

static bool bad(struct json_lex *lex, const char *what)
{
    return json_lex_fail(lex, ST_BAD_JSON, what);
}

bool json_lex_init(struct json_lex *lex, struct str text)
{
    const char *start = text.n == 0 ? "" : text.p;
    *lex = (struct json_lex){.start = start, .p = start, .end = start + text.n, .status = ST_OK};
    if (str_starts(text, STR("\xEF\xBB\xBF")))
        return bad(lex, "byte order mark");
    return true;
}

enum status json_lex_outcome(const struct json_lex *lex, struct json_error *error)
{
    if (error != NULL)
        *error = (struct json_error){(size_t)(lex->p - lex->start), lex->what};
    return lex->status;
}

static inline void skip_space(struct json_lex *lex)
{
    while (lex->p < lex->end &&
           (*lex->p == ' ' || *lex->p == '\n' || *lex->p == '\r' || *lex->p == '\t'))
        lex->p++;
}

bool json_lex_peek(struct json_lex *lex)
{
    skip_space(lex);
    return lex->p < lex->end ? true : bad(lex, "unexpected end of text");
}

bool json_lex_finish(struct json_lex *lex)
{
    skip_space(lex);
    return lex->p == lex->end ? true : bad(lex, "bytes after the value");
}

/* --- strings */

/* First byte at or after p that is a quote, a backslash, below 0x20 or above 0x7F; `end` if there
 * is none. */
static inline const char *find_special(const char *p, const char *end)
{
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'),
                  space = _mm_set1_epi8(0x20);
    while (end - p >= 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* signed: 0x80..0xFF count as negative, so one comparison catches both ends */
        __m128i hit = _mm_or_si128(
            _mm_cmplt_epi8(block, space),
            _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash)));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        if (mask != 0)
            return p + __builtin_ctz(mask);
        p += 16;
    }
#else
    while (end - p >= 8) {
        const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
        uint64_t block;
        memcpy(&block, p, sizeof block);
        uint64_t quote = block ^ (ones * '"'), backslash = block ^ (ones * '\\');
        /* a borrow may mark a byte above a real hit, never hide one: the loop finds the exact byte */
        uint64_t hit = ((block - ones * 0x20) | (quote - ones) | (backslash - ones) | block) & high;
        if (hit != 0)
            break;
        p += 8;
    }
#endif
    while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' &&
           *p != '\\')
        p++;
    return p;
}

/* Passes the well-formed UTF-8 sequences beyond ASCII at p; stops at an ASCII byte, at the end or
 * at a bad sequence. */
static inline const char *skip_utf8(const char *text, const char *text_end)
{
    const unsigned char *p = (const unsigned char *)text, *end = (const unsigned char *)text_end;
    while (p < end && *p >= 0x80) {
        size_t left = (size_t)(end - p);
        if (*p < 0xE0) {
            if (left < 2 || *p < 0xC2 || (p[1] & 0xC0) != 0x80)
                break;
            p += 2;
        } else if (*p < 0xF0) {
            if (left < 3 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80 ||
                (*p == 0xE0 && p[1] < 0xA0) || (*p == 0xED && p[1] > 0x9F))
                break;
            p += 3;
        } else {
            if (left < 4 || *p > 0xF4 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80 ||
                (p[3] & 0xC0) != 0x80 || (*p == 0xF0 && p[1] < 0x90) || (*p == 0xF4 && p[1] > 0x8F))
                break;
            p += 4;
        }
    }
    return (const char *)p;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Four hexadecimal digits at p, or -1. */
static int32_t hex4(const char *p, const char *end)
{
    if (end - p < 4)
        return -1;
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(p[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* At a backslash. */
static bool pass_escape(struct json_lex *lex)
{
    const char *p = lex->p;
    if (lex->end - p < 2)
        return bad(lex, "unexpected end of text");
    switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': lex->p += 2; return true;
    case 'u': break;
    default: return bad(lex, "invalid escape");
    }
    int32_t unit = hex4(p + 2, lex->end);
    if (unit < 0)
        return bad(lex, "invalid escape");
    size_t n = 6;
    if (unit >= 0xD800 && unit <= 0xDFFF) {
        int32_t low =
            lex->end - p >= 12 && p[6] == '\\' && p[7] == 'u' ? hex4(p + 8, lex->end) : -1;
        if (unit > 0xDBFF || low < 0xDC00 || low > 0xDFFF)
            return bad(lex, "lone surrogate");
        n = 12;
    }
    lex->p += n;
    return true;
}

bool json_lex_string(struct json_lex *lex, bool *escaped)
{
    *escaped = false;
    lex->p++;
    for (;;) {
        lex->p = find_special(lex->p, lex->end);
        if (lex->p == lex->end)
            return bad(lex, "unexpected end of text");
        unsigned char c = (unsigned char)*lex->p;
        if (c == '"') {
            lex->p++;
            return true;
        }
        if (c == '\\') {
            *escaped = true;
            if (!pass_escape(lex))
                return false;
        } else if (c >= 0x80) {
            lex->p = skip_utf8(lex->p, lex->end);
            if (lex->p < lex->end && (unsigned char)*lex->p >= 0x80)
                return bad(lex, "invalid UTF-8");
        } else {
            return bad(lex, "control character in a string");
        }
    }
}

bool json_lex_name(struct json_lex *lex, struct str *raw, bool *escaped)
{
    if (!json_lex_peek(lex))
        return false;
    if (*lex->p != '"')
        return bad(lex, "member name expected");
    const char *from = lex->p;
    if (!json_lex_string(lex, escaped))
        return false;
    *raw = str_of(from, (size_t)(lex->p - from));
    if (!json_lex_peek(lex))
        return false;
    if (*lex->p != ':')
        return bad(lex, "colon expected");
    lex->p++;
    return true;
}

/* --- numbers and literals */

static bool is_digit(const struct json_lex *lex)
{
    return lex->p < lex->end && *lex->p >= '0' && *lex->p <= '9';
}

static bool pass_digits(struct json_lex *lex)
{
    if (!is_digit(lex))
        return bad(lex, "invalid number");
    while (is_digit(lex))
        lex->p++;
    return true;
}

static bool pass_number(struct json_lex *lex)
{
    if (*lex->p == '-')
        lex->p++;
    if (lex->p < lex->end && *lex->p == '0') {
        lex->p++;
        if (is_digit(lex))
            return bad(lex, "invalid number");
    } else if (!pass_digits(lex)) {
        return false;
    }
    if (lex->p < lex->end && *lex->p == '.') {
        lex->p++;
        if (!pass_digits(lex))
            return false;
    }
    if (lex->p < lex->end && (*lex->p == 'e' || *lex->p == 'E')) {
        lex->p++;
        if (lex->p < lex->end && (*lex->p == '+' || *lex->p == '-'))
            lex->p++;
        return pass_digits(lex);
    }
    return true;
}

bool json_lex_scalar(struct json_lex *lex, enum json_type *type)
{
    static const struct {
        struct str text;
        enum json_type type;
    } literals[] = {{{"true", 4}, JSON_TRUE}, {{"false", 5}, JSON_FALSE}, {{"null", 4}, JSON_NULL}};

    if (*lex->p == '-' || is_digit(lex)) {
        *type = JSON_NUMBER;
        return pass_number(lex);
    }
    struct str rest = str_of(lex->p, (size_t)(lex->end - lex->p));
    for (size_t i = 0; i < COUNT_OF(literals); i++) {
        if (str_starts(rest, literals[i].text)) {
            lex->p += literals[i].text.n;
            *type = literals[i].type;
            return true;
        }
    }
    return bad(lex, "value expected");
}

/* --- unescaping */

static size_t put_utf8(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* At a backslash of a validated string: gives its bytes in out and passes it. 0 if the text was not
 * validated. */
static size_t read_escape(const char **at, const char *end, char out[4])
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *p = *at;
    if (end - p < 2)
        return 0;
    const char *name = memchr(names, p[1], sizeof names - 1);
    if (name != NULL) {
        *at = p + 2;
        out[0] = values[name - names];
        return 1;
    }
    int32_t unit = p[1] == 'u' ? hex4(p + 2, end) : -1;
    if (unit < 0)
        return 0;
    uint32_t c = (uint32_t)unit;
    p += 6;
    if (c >= 0xD800 && c <= 0xDFFF) {
        int32_t low = end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? hex4(p + 2, end) : -1;
        if (c > 0xDBFF || low < 0xDC00 || low > 0xDFFF)
            return 0;
        c = 0x10000 + ((c - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
        p += 6;
    }
    *at = p;
    return put_utf8(c, out);
}

enum status json_unescape(struct str raw, char *out, struct str *text)
{
    if (raw.n < 2 || raw.p[0] != '"' || raw.p[raw.n - 1] != '"')
        return ST_INVALID;
    const char *p = raw.p + 1, *end = raw.p + raw.n - 1;
    if (memchr(p, '\\', (size_t)(end - p)) == NULL) {
        *text = str_of(p, (size_t)(end - p));
        return ST_OK;
    }
    size_t n = 0;
    while (p < end) {
        const char *escape = memchr(p, '\\', (size_t)(end - p));
        size_t run = (size_t)((escape == NULL ? end : escape) - p);
        memcpy(out + n, p, run);
        n += run;
        p += run;
        if (escape == NULL)
            break;
        char bytes[4];
        size_t count = read_escape(&p, end, bytes);
        if (count == 0)
            return ST_INVALID;
        memcpy(out + n, bytes, count);
        n += count;
    }
    *text = str_of(out, n);
    return ST_OK;
}

/* The unescaped bytes of a name, one by one; -1 at the end. */
struct name_reader {
    const char *p, *end;
    char bytes[4];
    size_t at, count;
};

static int name_next(struct name_reader *r)
{
    if (r->at < r->count)
        return (unsigned char)r->bytes[r->at++];
    if (r->p >= r->end)
        return -1;
    if (*r->p != '\\')
        return (unsigned char)*r->p++;
    r->count = read_escape(&r->p, r->end, r->bytes);
    r->at = 1;
    return r->count == 0 ? -1 : (unsigned char)r->bytes[0];
}

int json_name_cmp(struct str a, bool a_escaped, struct str b, bool b_escaped)
{
    CHECK(a.n >= 2 && b.n >= 2);
    if (!a_escaped && !b_escaped)
        return str_cmp(str_of(a.p + 1, a.n - 2), str_of(b.p + 1, b.n - 2));
    struct name_reader ra = {.p = a.p + 1, .end = a.p + a.n - 1},
                       rb = {.p = b.p + 1, .end = b.p + b.n - 1};
    for (;;) {
        int ca = name_next(&ra), cb = name_next(&rb);
        if (ca != cb)
            return ca < cb ? -1 : 1;
        if (ca < 0)
            return 0;
    }
}

bool json_name_is(struct str raw, bool escaped, struct str text)
{
    CHECK(raw.n >= 2);
    if (!escaped)
        return str_eq(str_of(raw.p + 1, raw.n - 2), text);
    struct name_reader r = {.p = raw.p + 1, .end = raw.p + raw.n - 1};
    for (size_t i = 0; i < text.n; i++)
        if (name_next(&r) != (unsigned char)text.p[i])
            return false;
    return name_next(&r) < 0;
}
