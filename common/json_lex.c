/* json_lex.c: see json_lex.h.
 *
 * Strings are nearly all of a chat body, so they are read in blocks that become bit masks; only the
 * marked bytes are looked at:
 *
 *     " p l a i n \ n p l a i n ... "        special  0000 0100 0000 ... 1
 *       64 bytes; a short string 16            high     bytes beyond ASCII: str_is_utf8 at the end
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

bool json_lex_finish(struct json_lex *lex)
{
    while (lex->p < lex->end &&
           (*lex->p == ' ' || *lex->p == '\n' || *lex->p == '\r' || *lex->p == '\t'))
        lex->p++;
    return lex->p == lex->end ? true : bad(lex, "bytes after the value");
}

/* --- strings */

/* What a block of up to 64 bytes holds, one bit a byte. */
struct block {
    uint64_t special; /* quotes, backslashes, bytes below 0x20 */
    uint64_t high;    /* bytes above 0x7F */
    size_t n;
};

#if defined(__SSE2__)

static inline struct block read_16(const char *p)
{
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    const __m128i last_control = _mm_set1_epi8(0x1F);
    const __m128i control = _mm_cmpeq_epi8(_mm_max_epu8(bytes, last_control), last_control);
    const __m128i marks = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                       _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    return (struct block){(uint16_t)_mm_movemask_epi8(_mm_or_si128(control, marks)),
                          (uint16_t)_mm_movemask_epi8(bytes), 16};
}

#else

static inline struct block read_16(const char *p)
{
    struct block block = {0, 0, 16};
    for (size_t i = 0; i < 16; i++) {
        unsigned char c = (unsigned char)p[i];
        block.special |= (uint64_t)(c < 0x20 || c == '"' || c == '\\') << i;
        block.high |= (uint64_t)(c >> 7) << i;
    }
    return block;
}

#endif

static inline struct block read_64(const char *p)
{
    struct block block = {0, 0, 64};
    for (unsigned i = 0; i < 64; i += 16) {
        struct block part = read_16(p + i);
        block.special |= part.special << i;
        block.high |= part.high << i;
    }
    return block;
}

/* The last bytes of the text, fewer than 16. */
static struct block read_tail(const char *p, size_t n)
{
    char room[16] = {0};
    memcpy(room, p, n);
    struct block block = read_16(room);
    block.special &= (UINT64_C(1) << n) - 1;
    block.n = n;
    return block;
}

static inline struct block read_block(const char *p, const char *end)
{
    size_t left = (size_t)(end - p);
    if (left >= 64)
        return read_64(p);
    return left >= 16 ? read_16(p) : read_tail(p, left);
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

/* At a backslash: length of the escape, or 0 with the lexer failed there. */
static size_t escape_length(struct json_lex *lex, const char *p)
{
    static const bool simple[256] = {['"'] = true, ['\\'] = true, ['/'] = true, ['b'] = true,
                                     ['f'] = true, ['n'] = true,  ['r'] = true, ['t'] = true};
    if (lex->end - p >= 2 && simple[(unsigned char)p[1]])
        return 2;
    lex->p = p;
    if (lex->end - p < 2) {
        bad(lex, "unexpected end of text");
        return 0;
    }
    int32_t unit = p[1] == 'u' ? hex4(p + 2, lex->end) : -1;
    if (unit < 0) {
        bad(lex, "invalid escape");
        return 0;
    }
    if (unit < 0xD800 || unit > 0xDFFF)
        return 6;
    bool pair = lex->end - p >= 12 && p[6] == '\\' && p[7] == 'u';
    int32_t low = pair ? hex4(p + 8, lex->end) : -1;
    if (unit <= 0xDBFF && low >= 0xDC00 && low <= 0xDFFF)
        return 12;
    bad(lex, "lone surrogate");
    return 0;
}

/* The string from `from` ends at the quote `to`; `high` tells whether it has bytes beyond ASCII. */
static bool end_string(struct json_lex *lex, const char *from, const char *to, bool high)
{
    struct str text = str_of(from, (size_t)(to - from));
    lex->p = to + 1;
    if (!high || str_is_utf8(text))
        return true;
    size_t step;
    while ((step = str_utf8_step(text)) != 0)
        text = str_from(text, step);
    lex->p = text.p;
    return bad(lex, "invalid UTF-8");
}

/* Any string, from its first byte behind the quote. */
static bool pass_long_string(struct json_lex *lex, const char *from, bool *escaped)
{
    const char *p = from;
    uint64_t high = 0;
    while (p < lex->end) {
        struct block block = read_block(p, lex->end);
        size_t next = block.n;
        for (uint64_t todo = block.special; todo != 0;) {
            unsigned at = (unsigned)__builtin_ctzll(todo);
            if (p[at] == '"') {
                high |= block.high & ((UINT64_C(1) << at) - 1);
                return end_string(lex, from, p + at, high != 0);
            }
            if (p[at] != '\\') {
                lex->p = p + at;
                return bad(lex, "control character in a string");
            }
            *escaped = true;
            size_t length = escape_length(lex, p + at);
            if (length == 0)
                return false;
            if (at + length >= block.n) {
                next = at + length;
                break;
            }
            todo &= ~UINT64_C(0) << (at + length);
        }
        high |= block.high;
        p += next;
    }
    lex->p = lex->end;
    return bad(lex, "unexpected end of text");
}

bool json_lex_string(struct json_lex *lex, bool *escaped)
{
    const char *from = lex->p + 1;
    *escaped = false;
    if (lex->end - from >= 16) {
        struct block block = read_16(from);
        unsigned at = (unsigned)__builtin_ctzll(block.special | UINT64_C(1) << 16);
        if (at < 16 && from[at] == '"' && (block.high & ((UINT64_C(1) << at) - 1)) == 0) {
            lex->p = from + at + 1;
            return true;
        }
    }
    return pass_long_string(lex, from, escaped);
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
