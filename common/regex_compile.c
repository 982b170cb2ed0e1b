/* regex_compile.c: from a pattern to a program, in one descent.
 *
 *     a|b     SPLIT 3, a, JUMP 2, b          a*    SPLIT 3, a, JUMP -2
 *     a+      a, SPLIT -1                    a?    SPLIT 2, a
 *     a{2,3}  a, a, SPLIT 2, a               (the atom's own text is read again for every copy)
 *
 * A SPLIT that belongs before code which is there already is put in by moving that code: its jumps
 * are relative and stay inside it. Invariant: what is accepted means what ECMAScript says; the rest
 * is refused by place. Bounded by REGEX_WORDS_MAX, by GROUPS_MAX levels and by ATOMS_MAX atoms
 * read, copies included, so ((x{9}){9}){9} ends early and an empty group cannot be repeated for
 * ever.
 */
#include "common/regex_program.h"

#define GROUPS_MAX 32
#define COPIES_MAX 1000u
#define CODE_LAST  0x10FFFFu

struct compiler {
    struct str pattern;
    size_t at, n;
    uint32_t *program;
    unsigned depth;
    enum status status;
    struct regex_error error;
};

/* What the piece that was just read can take. */
enum atom { ATOM_PLAIN, ATOM_ASSERTION, ATOM_BAD };

struct range {
    uint32_t first, last;
};

static bool fail(struct compiler *c, enum status status, size_t at, const char *what)
{
    if (c->status == ST_OK) {
        c->status = status;
        c->error = (struct regex_error){at, what};
    }
    return false;
}

static bool emit(struct compiler *c, uint32_t word)
{
    if (c->n == REGEX_WORDS_MAX)
        return fail(c, ST_TOO_LARGE, c->at, "the pattern is too large");
    c->program[c->n++] = word;
    return true;
}

/* Puts one word before the code from `at` on. */
static bool insert(struct compiler *c, size_t at, enum regex_op op, size_t argument)
{
    if (!emit(c, 0))
        return false;
    memmove(&c->program[at + 1], &c->program[at], (c->n - 1 - at) * sizeof c->program[0]);
    c->program[at] = regex_word(op, (int32_t)argument);
    return true;
}

static char peek(const struct compiler *c, size_t ahead)
{
    return c->at + ahead < c->pattern.n ? c->pattern.p[c->at + ahead] : '\0';
}

static bool take(struct compiler *c, const char *text)
{
    if (!str_starts(str_from(c->pattern, c->at), str_c(text)))
        return false;
    c->at += strlen(text);
    return true;
}

static uint32_t take_char(struct compiler *c)
{
    struct str rest = str_from(c->pattern, c->at);
    uint32_t code = regex_next_char(&rest);
    c->at = c->pattern.n - rest.n;
    return code;
}

/* --- classes --- */

static const struct range digits[] = {{'0', '9'}};
static const struct range words[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
static const struct range spaces[] = {
    {0x09, 0x0D},     {0x20, 0x20},     {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200A},
    {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};

static const struct {
    char name; /* the capital stands for all others */
    const struct range *ranges;
    size_t count;
} sets[] = {{'d', digits, COUNT_OF(digits)},
            {'w', words, COUNT_OF(words)},
            {'s', spaces, COUNT_OF(spaces)}};

static bool emit_range(struct compiler *c, uint32_t first, uint32_t last, size_t *count)
{
    ++*count;
    return emit(c, first) && emit(c, last);
}

/* The ranges of \d and the like; false with status ST_OK when `name` is no such set. */
static bool emit_set(struct compiler *c, char name, size_t *count)
{
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        if (name != sets[i].name && name != sets[i].name - 'a' + 'A')
            continue;
        uint32_t from = 0;
        for (size_t k = 0; k < sets[i].count; k++) {
            struct range range = sets[i].ranges[k];
            bool all = name == sets[i].name ? emit_range(c, range.first, range.last, count)
                                            : emit_range(c, from, range.first - 1, count);
            if (!all)
                return false;
            from = range.last + 1;
        }
        return name == sets[i].name || emit_range(c, from, CODE_LAST, count);
    }
    return false;
}

/* --- escapes --- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_hex(struct compiler *c, size_t count, uint32_t *code)
{
    uint32_t value = 0;
    for (size_t i = 0; i < count; i++) {
        int digit = hex_digit(peek(c, i));
        if (digit < 0)
            return fail(c, ST_INVALID, c->at, "hexadecimal digits expected");
        value = value << 4 | (uint32_t)digit;
    }
    c->at += count;
    *code = value;
    return true;
}

/* \uHHHH, two of them for what lies beyond U+FFFF. */
static bool take_unicode(struct compiler *c, uint32_t *code)
{
    size_t start = c->at;
    uint32_t low = 0;
    if (!take_hex(c, 4, code))
        return false;
    if (*code < 0xD800 || *code > 0xDFFF)
        return true;
    if (*code <= 0xDBFF && take(c, "\\u") && take_hex(c, 4, &low) && low >= 0xDC00 &&
        low <= 0xDFFF) {
        *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
        return true;
    }
    return fail(c, ST_INVALID, start, "half of a surrogate pair");
}

/* Behind a backslash: an escape that stands for one character. */
static bool take_escape(struct compiler *c, uint32_t *code)
{
    static const char names[] = "tnvfr", values[] = "\t\n\v\f\r";
    size_t start = c->at;
    if (c->at >= c->pattern.n)
        return fail(c, ST_INVALID, start, "a backslash at the end");
    uint32_t next = take_char(c);
    const char *named = next != 0 && next < 0x80 ? strchr(names, (int)next) : NULL;
    bool letter = (next | 0x20) >= 'a' && (next | 0x20) <= 'z' && next < 0x80;
    if (named != NULL) {
        *code = (unsigned char)values[named - names];
        return true;
    }
    if (next == 'x')
        return take_hex(c, 2, code);
    if (next == 'u')
        return take_unicode(c, code);
    if (next == 'c' && (peek(c, 0) | 0x20) >= 'a' && (peek(c, 0) | 0x20) <= 'z') {
        *code = take_char(c) & 0x1F;
        return true;
    }
    if (next == '0' && (peek(c, 0) < '0' || peek(c, 0) > '9')) {
        *code = 0;
        return true;
    }
    if (next >= '0' && next <= '9')
        return fail(c, ST_INVALID, start, "back-references are not supported");
    if (letter)
        return fail(c, ST_INVALID, start, "this escape is not supported");
    *code = next;
    return true;
}

/* --- [...] --- */

/* One end of a range. *set: it was \d or the like and its ranges are out. */
static bool class_atom(struct compiler *c, uint32_t *code, size_t *count, bool *set)
{
    *set = false;
    if (!take(c, "\\")) {
        *code = take_char(c);
        return true;
    }
    char name = peek(c, 0);
    if (name == 'b') {
        c->at++;
        *code = '\b';
        return true;
    }
    if (name == '-') {
        c->at++;
        *code = '-';
        return true;
    }
    *set = emit_set(c, name, count);
    if (*set)
        c->at++;
    return *set || (c->status == ST_OK && take_escape(c, code));
}

static bool class_item(struct compiler *c, size_t *count)
{
    uint32_t first = 0, last = 0;
    size_t start = c->at;
    bool set = false;
    if (!class_atom(c, &first, count, &set))
        return false;
    bool range = peek(c, 0) == '-' && peek(c, 1) != ']' && c->at + 1 < c->pattern.n;
    if (!range)
        return set || emit_range(c, first, first, count);
    c->at++;
    bool other_set = false;
    if (!set && !class_atom(c, &last, count, &other_set))
        return false;
    if (set || other_set) /* [\d-x]: a dash like any other; the x is an item of its own */
        return emit_range(c, '-', '-', count) && (set || emit_range(c, first, first, count));
    if (first > last)
        return fail(c, ST_INVALID, start, "a range that runs backwards");
    return emit_range(c, first, last, count);
}

static bool class(struct compiler *c)
{
    size_t open = c->at - 1, head = c->n, count = 0;
    enum regex_op op = take(c, "^") ? REGEX_OTHER : REGEX_CLASS;
    if (!emit(c, 0))
        return false;
    while (!take(c, "]")) {
        if (c->at >= c->pattern.n)
            return fail(c, ST_INVALID, open, "unmatched [");
        if (!class_item(c, &count))
            return false;
    }
    c->program[head] = regex_word(op, (int32_t)count);
    return true;
}

/* --- atoms --- */

static bool alternatives(struct compiler *c);

static bool group(struct compiler *c)
{
    size_t open = c->at - 1;
    if (take(c, "?=") || take(c, "?!") || take(c, "?<=") || take(c, "?<!"))
        return fail(c, ST_INVALID, open, "look-around is not supported");
    if (take(c, "?<")) {
        while (c->at < c->pattern.n && peek(c, 0) != '>')
            c->at++;
        if (!take(c, ">"))
            return fail(c, ST_INVALID, open, "the group's name has no end");
    } else if (!take(c, "?:") && peek(c, 0) == '?') {
        return fail(c, ST_INVALID, open, "this kind of group is not supported");
    }
    if (++c->depth > GROUPS_MAX)
        return fail(c, ST_TOO_LARGE, open, "groups are nested too deeply");
    if (!alternatives(c))
        return false;
    c->depth--;
    return take(c, ")") || fail(c, ST_INVALID, open, "unmatched (");
}

static enum atom escaped(struct compiler *c)
{
    uint32_t code = 0;
    size_t head = c->n, count = 0;
    if (take(c, "b"))
        return emit(c, regex_word(REGEX_WORD, 0)) ? ATOM_ASSERTION : ATOM_BAD;
    if (take(c, "B"))
        return emit(c, regex_word(REGEX_INNER, 0)) ? ATOM_ASSERTION : ATOM_BAD;
    if (!emit(c, 0))
        return ATOM_BAD;
    if (emit_set(c, peek(c, 0), &count)) {
        c->at++;
        c->program[head] = regex_word(REGEX_CLASS, (int32_t)count);
        return ATOM_PLAIN;
    }
    if (c->status != ST_OK || !take_escape(c, &code))
        return ATOM_BAD;
    c->program[head] = regex_word(REGEX_CHAR, (int32_t)code);
    return ATOM_PLAIN;
}

/* {m}, {m,} or {m,n} at the present place: true, and read. Anything else is a literal brace. */
static bool take_braces(struct compiler *c, unsigned *least, unsigned *most)
{
    size_t start = c->at;
    unsigned value[2] = {0, 0}, given[2] = {0, 0};
    bool comma = false;
    c->at++;
    for (; c->at < c->pattern.n && peek(c, 0) != '}'; c->at++) {
        char next = peek(c, 0);
        if (next == ',' && !comma) {
            comma = true;
        } else if (next >= '0' && next <= '9') {
            given[comma]++;
            if (value[comma] <= COPIES_MAX)
                value[comma] = value[comma] * 10 + (unsigned)(next - '0');
        } else {
            break;
        }
    }
    if (peek(c, 0) != '}' || given[0] == 0) {
        c->at = start;
        return false;
    }
    c->at++;
    *least = value[0];
    *most = !comma ? value[0] : given[1] > 0 ? value[1] : UINT32_MAX;
    return true;
}

static enum atom atom(struct compiler *c)
{
    unsigned least, most;
    size_t start = c->at;
    if (peek(c, 0) == '{' && take_braces(c, &least, &most)) {
        (void)fail(c, ST_INVALID, start, "nothing to repeat");
        return ATOM_BAD;
    }
    uint32_t next = take_char(c);
    switch (next) {
    case '(':
        return group(c) ? ATOM_PLAIN : ATOM_BAD;
    case '[':
        return class(c) ? ATOM_PLAIN : ATOM_BAD;
    case '\\':
        return escaped(c);
    case '.':
        return emit(c, regex_word(REGEX_ANY, 0)) ? ATOM_PLAIN : ATOM_BAD;
    case '^':
        return emit(c, regex_word(REGEX_BEGIN, 0)) ? ATOM_ASSERTION : ATOM_BAD;
    case '$':
        return emit(c, regex_word(REGEX_END, 0)) ? ATOM_ASSERTION : ATOM_BAD;
    case '*':
    case '+':
    case '?':
        (void)fail(c, ST_INVALID, start, "nothing to repeat");
        return ATOM_BAD;
    default:
        return emit(c, regex_word(REGEX_CHAR, (int32_t)next)) ? ATOM_PLAIN : ATOM_BAD;
    }
}

/* --- repetition and alternatives --- */

static bool star(struct compiler *c, size_t start)
{
    size_t length = c->n - start;
    return insert(c, start, REGEX_SPLIT, length + 2) &&
           emit(c, regex_word(REGEX_JUMP, -(int32_t)(length + 1)));
}

/* One more of the block of code at `from`, `length` words. */
static bool copy(struct compiler *c, size_t from, size_t length)
{
    if (length > REGEX_WORDS_MAX - c->n)
        return fail(c, ST_TOO_LARGE, c->at, "the pattern is too large");
    memcpy(&c->program[c->n], &c->program[from], length * sizeof c->program[0]);
    c->n += length;
    return true;
}

/* The code from `start` on, which stands there once, least to most times. */
static bool repeat(struct compiler *c, size_t source, size_t start, unsigned least, unsigned most)
{
    size_t length = c->n - start, from = start;
    if (least > COPIES_MAX || (most != UINT32_MAX && most > COPIES_MAX))
        return fail(c, ST_TOO_LARGE, source, "too many repetitions");
    if (least > most)
        return fail(c, ST_INVALID, source, "a repetition that runs backwards");
    if (most == 0) {
        c->n = start;
        return true;
    }
    if (least == 0 && most == UINT32_MAX)
        return star(c, start);
    if (least == 0) {
        if (!insert(c, start, REGEX_SPLIT, length + 1))
            return false;
        from++;
        least = 1; /* of the copies wanted, one is there */
    }
    for (unsigned i = 1; i < least; i++)
        if (!copy(c, from, length))
            return false;
    if (most == UINT32_MAX)
        return emit(c, regex_word(REGEX_SPLIT, -(int32_t)length));
    for (unsigned i = least; i < most; i++)
        if (!emit(c, regex_word(REGEX_SPLIT, (int32_t)length + 1)) || !copy(c, from, length))
            return false;
    return true;
}

static bool piece(struct compiler *c)
{
    size_t source = c->at, start = c->n;
    enum atom kind = atom(c);
    if (kind == ATOM_BAD)
        return false;
    unsigned least = 1, most = 1;
    size_t sign = c->at;
    if (take(c, "*"))
        least = 0, most = UINT32_MAX;
    else if (take(c, "+"))
        most = UINT32_MAX;
    else if (take(c, "?"))
        least = 0;
    else if (peek(c, 0) != '{' || !take_braces(c, &least, &most))
        return true;
    if (kind == ATOM_ASSERTION)
        return fail(c, ST_INVALID, sign, "nothing to repeat");
    (void)take(c, "?"); /* lazy or greedy: whether it matches is the same */
    return repeat(c, source, start, least, most);
}

/* a|b|c. The jumps to the common end are chained through their arguments until it is known. */
static bool alternatives(struct compiler *c)
{
    size_t start = c->n, chain = 0; /* place + 1 of the last jump */
    for (;;) {
        while (c->at < c->pattern.n && peek(c, 0) != '|' && peek(c, 0) != ')')
            if (!piece(c))
                return false;
        if (!take(c, "|"))
            break;
        if (!insert(c, start, REGEX_SPLIT, c->n - start + 2) ||
            !emit(c, regex_word(REGEX_JUMP, (int32_t)chain)))
            return false;
        chain = c->n;
        start = c->n;
    }
    while (chain > 0) {
        size_t jump = chain - 1;
        chain = (size_t)regex_argument(c->program[jump]);
        c->program[jump] = regex_word(REGEX_JUMP, (int32_t)(c->n - jump));
    }
    return true;
}

enum status regex_compile(struct str pattern, uint32_t program[REGEX_WORDS_MAX], size_t *words_out,
                          struct regex_error *error)
{
    struct compiler c = {.pattern = pattern, .program = program, .status = ST_OK};
    if (pattern.n > REGEX_PATTERN_MAX)
        (void)fail(&c, ST_TOO_LARGE, REGEX_PATTERN_MAX, "the pattern is too long");
    else if (alternatives(&c) && c.at < pattern.n)
        (void)fail(&c, ST_INVALID, c.at, "unmatched )");
    else if (c.status == ST_OK && emit(&c, regex_word(REGEX_MATCH, 0)))
        *words_out = c.n;
    if (c.status != ST_OK)
        *error = c.error;
    return c.status;
}
