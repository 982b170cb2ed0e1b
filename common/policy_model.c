/* policy_model.c: spellings and forms of model ids (policy_model.h).
 *
 * Invariant: canonical is idempotent and never longer than the id; a form is a slice of the
 * canonical text, so matching copies nothing. Cuts err on the side of denying: "-0613" counts as a
 * date even if it once was none, because what a form can do is refuse, never allow. This file must
 * not learn names of models: only shapes, and the few prefixes that clouds put before everybody's
 * ids.
 */
#include "common/policy_model.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* True for ids that are canonical as they stand: the common case, one pass over the bytes. */
static bool is_plain(struct str id)
{
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        bool plain =
            (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_' || (c == '.' && i > 0);
        if (!plain)
            return false;
    }
    return true;
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes percent escapes to the very end (also %2541): what an escape leaves is looked at again.
 * Linear. */
static size_t undo_percent(char *text, size_t n)
{
    size_t out = 0;
    for (size_t i = 0; i < n; i++) {
        text[out++] = text[i];
        while (out >= 3 && text[out - 3] == '%') {
            int high = hex_value(text[out - 2]), low = hex_value(text[out - 1]);
            if (high < 0 || low < 0)
                break;
            out -= 2;
            text[out - 1] = (char)(high * 16 + low);
        }
    }
    return out;
}

/* Code points of two or three bytes that look like, or hide in, an ASCII id: [first, last] -> 0
 * drops, '-' a dash, 1 the ASCII letter of a full-width one. */
static const struct {
    uint16_t first, last;
    char to;
} lookalikes[] = {
    {0x00A0, 0x00A0, 0},   {0x00AD, 0x00AD, 0},   {0x034F, 0x034F, 0},   {0x061C, 0x061C, 0},
    {0x180B, 0x180E, 0},   {0x2000, 0x200F, 0},   {0x2010, 0x2015, '-'}, {0x2028, 0x202F, 0},
    {0x205F, 0x206F, 0},   {0x2212, 0x2212, '-'}, {0x3000, 0x3000, 0},   {0xFE00, 0xFE0F, 0},
    {0xFE58, 0xFE58, '-'}, {0xFE63, 0xFE63, '-'}, {0xFEFF, 0xFEFF, 0},   {0xFF01, 0xFF5E, 1},
};

/* The bytes of the code point at `text`, 1 if it is no whole sequence of two or three. */
static size_t code_point(const char *text, size_t n, uint16_t *point)
{
    unsigned a = (unsigned char)text[0];
    unsigned b = n > 1 ? (unsigned char)text[1] : 0, c = n > 2 ? (unsigned char)text[2] : 0;
    if ((a & 0xE0) == 0xC0 && (b & 0xC0) == 0x80) {
        *point = (uint16_t)((a & 0x1F) << 6 | (b & 0x3F));
        return 2;
    }
    if ((a & 0xF0) == 0xE0 && (b & 0xC0) == 0x80 && (c & 0xC0) == 0x80) {
        *point = (uint16_t)((a & 0x0F) << 12 | (b & 0x3F) << 6 | (c & 0x3F));
        return 3;
    }
    *point = (uint16_t)a;
    return 1;
}

/* Look-alikes, spaces, control characters, case, backslashes. */
static size_t fold_bytes(char *text, size_t n)
{
    size_t out = 0;
    for (size_t i = 0; i < n;) {
        uint16_t point;
        size_t bytes = code_point(text + i, n - i, &point);
        int to = -1; /* keep the bytes */
        for (size_t k = 0; bytes > 1 && k < COUNT_OF(lookalikes); k++) {
            if (point >= lookalikes[k].first && point <= lookalikes[k].last)
                to = lookalikes[k].to == 1 ? point - 0xFF00 + 0x20 : lookalikes[k].to;
        }
        if (bytes == 1 && point < 0x80)
            to = point <= 0x20 || point == 0x7F ? 0 : point;
        if (to >= 'A' && to <= 'Z')
            to += 'a' - 'A';
        if (to > 0)
            text[out++] = to == '\\' ? '/' : (char)to;
        for (size_t k = 0; to < 0 && k < bytes; k++)
            text[out++] = text[i + k];
        i += bytes;
    }
    return out;
}

/* Cuts a query, resolves path segments, drops outer slashes. */
static size_t fold_path(char *text, size_t n)
{
    size_t out = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '?' || text[i] == '#')
            n = i;
    }
    for (size_t at = 0; at < n;) {
        size_t end = at;
        while (end < n && text[end] != '/')
            end++;
        size_t length = end - at;
        if (length == 2 && text[at] == '.' && text[at + 1] == '.') {
            while (out > 0 && text[out - 1] != '/')
                out--;
            out -= out > 0;
        } else if (length > 0 && !(length == 1 && text[at] == '.')) {
            if (out > 0)
                text[out++] = '/';
            memmove(text + out, text + at, length);
            out += length;
        }
        at = end + 1;
    }
    return out;
}

/* Where the id begins behind the last segment that only says "an id follows"; 0 if there is none.
 */
static size_t neutral_prefix(struct str text)
{
    static const struct str neutral[] = {
        {"models", 6},
        {"deployments", 11},
        {"engines", 7},
        {"foundation-model", 16},
        {"inference-profile", 17},
        {"application-inference-profile", 29},
        {"custom-model", 12},
    };
    size_t start = 0, segment = 0;
    for (size_t i = 0; i + 1 < text.n; i++) {
        if (text.p[i] == ':')
            segment = i + 1; /* arn:aws:bedrock:region::foundation-model/... */
        if (text.p[i] != '/')
            continue;
        struct str name = str_of(text.p + segment, i - segment);
        for (size_t k = 0; k < COUNT_OF(neutral); k++)
            start = str_eq(name, neutral[k]) ? i + 1 : start;
        segment = i + 1;
    }
    return start;
}

enum status policy_model_canonical(struct str id, char room[POLICY_MODEL_MAX],
                                   struct str *canonical)
{
    static const struct str latest = {":latest", 7};
    if (id.n > POLICY_MODEL_MAX)
        return ST_TOO_LARGE;
    if (is_plain(id)) {
        *canonical = id;
        return ST_OK;
    }
    size_t n = id.n, before;
    memcpy(room, id.p, n);
    do { /* every round but the last one shortens the text */
        before = n;
        n = undo_percent(room, n);
        n = fold_bytes(room, n);
        n = fold_path(room, n);
        size_t start = neutral_prefix(str_of(room, n));
        memmove(room, room + start, n - start);
        n -= start;
        while (str_ends(str_of(room, n), latest))
            n -= latest.n;
    } while (n < before);
    *canonical = str_of(room, n);
    return ST_OK;
}

/* --- trailing parts
 * ------------------------------------------------------------------------------- */

/* Digits at text[at..at+count) as a number, -1 if one is no digit. */
static int digits(struct str text, size_t at, size_t count)
{
    int value = 0;
    for (size_t i = at; i < at + count; i++) {
        if (i >= text.n || !is_digit(text.p[i]))
            return -1;
        value = value * 10 + (text.p[i] - '0');
    }
    return value;
}

static bool is_year(int v)
{
    return v >= 2019 && v <= 2059;
}

static bool is_month(int v)
{
    return v >= 1 && v <= 12;
}

static bool is_day(int v)
{
    return v >= 1 && v <= 31;
}

/* Is `s` (behind the '-') a date as providers write it, or a three-digit version? */
static bool is_date(struct str s)
{
    int d2 = digits(s, 0, 2), d4 = digits(s, 0, 4);
    switch (s.n) {
    case 3: /* 001 */
        return s.p[0] == '0' && digits(s, 0, 3) >= 0;
    case 4: /* MMDD, YYMM */
        return (is_month(d2) && is_day(digits(s, 2, 2))) ||
               (is_year(2000 + d2) && is_month(digits(s, 2, 2)));
    case 5: /* MM-DD */
        return s.p[2] == '-' && is_month(d2) && is_day(digits(s, 3, 2));
    case 6: /* YYMMDD */
        return is_year(2000 + d2) && is_month(digits(s, 2, 2)) && is_day(digits(s, 4, 2));
    case 7: /* MM-YYYY, YYYY-MM */
        return (s.p[2] == '-' && is_month(d2) && is_year(digits(s, 3, 4))) ||
               (s.p[4] == '-' && is_year(d4) && is_month(digits(s, 5, 2)));
    case 8: /* YYYYMMDD */
        return is_year(d4) && is_month(digits(s, 4, 2)) && is_day(digits(s, 6, 2));
    case 10: /* YYYY-MM-DD */
        return s.p[4] == '-' && s.p[7] == '-' && is_year(d4) && is_month(digits(s, 5, 2)) &&
               is_day(digits(s, 8, 2));
    default:
        return false;
    }
}

/* Bedrock's version before its ":0": anthropic.claude-3-haiku-20240307-v1:0 */
static bool is_version(struct str s)
{
    return s.n >= 2 && s.n <= 3 && s.p[0] == 'v' && digits(s, 1, s.n - 1) >= 0;
}

/* The length of `name` without its last trailing part; name.n if there is none. `tagged`: a ":tag"
 * was cut before. */
static size_t cut_end(struct str name, bool *tagged)
{
    ptrdiff_t colon = str_find_char(name, ':');
    if (colon > 0) {
        *tagged = true;
        return (size_t)colon;
    }
    for (size_t i = name.n; i-- > 1;) {
        if (name.p[i] == '@')
            return i;
    }
    if (name.n > 7 && str_ends(name, STR("-latest")))
        return name.n - 7;
    for (size_t length = name.n < 12 ? name.n : 12; length-- > 2;) { /* the longest date first */
        size_t dash = name.n - length - 1;
        if (dash == 0 || name.p[dash] != '-')
            continue;
        struct str tail = str_from(name, dash + 1);
        if (is_date(tail) || (*tagged && is_version(tail)))
            return dash;
    }
    return name.n;
}

/* --- leading parts
 * -------------------------------------------------------------------------------- */

/* Prefixes that clouds put before an id: Bedrock's regions, and vendors as Bedrock and Vertex write
 * them. */
static size_t cut_start(struct str name)
{
    static const char *const prefixes[] = {
        "ft:",         "us.",     "eu.",      "apac.",      "au.",        "ca.",
        "jp.",         "sa.",     "us-gov.",  "global.",    "anthropic.", "meta.",
        "amazon.",     "cohere.", "mistral.", "mistralai.", "ai21.",      "stability.",
        "deepseek.",   "google.", "openai.",  "qwen.",      "writer.",    "luma.",
        "twelvelabs.", "nvidia.", "minimax.", "moonshot.",  "endpoints.",
    };
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        struct str prefix = str_c(prefixes[i]);
        if (name.n > prefix.n && str_starts(name, prefix))
            return prefix.n;
    }
    return 0;
}

static void find_forms(struct policy_model *model)
{
    struct str text = model->canonical;
    size_t start = 0, end = text.n, cut;
    model->starts[0] = 0;
    model->ends[0] = (uint16_t)end;
    model->start_count = model->end_count = 1;
    for (size_t i = 0; i + 1 < text.n && model->start_count < POLICY_MODEL_FORMS - 4; i++) {
        if (text.p[i] == '/') {
            start = i + 1;
            model->starts[model->start_count++] = (uint16_t)start;
        }
    }
    for (size_t i = text.n; i-- > start;) { /* past the kept segments only the last one counts */
        if (text.p[i] == '/' && i + 1 < text.n) {
            start = i + 1;
            model->starts[model->start_count++] = (uint16_t)start;
            break;
        }
    }
    while (model->start_count < POLICY_MODEL_FORMS &&
           (cut = cut_start(str_from(text, start))) > 0) {
        start += cut;
        model->starts[model->start_count++] = (uint16_t)start;
    }
    bool tagged = false;
    while (model->end_count < POLICY_MODEL_FORMS) {
        cut = start + cut_end(str_of(text.p + start, end - start), &tagged);
        if (cut == end)
            break;
        end = cut;
        model->ends[model->end_count++] = (uint16_t)end;
    }
}

enum status policy_model_init(struct policy_model *model, struct str id)
{
    model->raw = id;
    TRY(policy_model_canonical(id, model->room, &model->canonical));
    find_forms(model);
    return ST_OK;
}

struct str policy_model_undated(struct str canonical)
{
    struct policy_model model; /* room stays unused */
    if (canonical.n > POLICY_MODEL_MAX)
        return canonical;
    model.canonical = canonical;
    find_forms(&model);
    size_t start = model.starts[model.start_count - 1], end = model.ends[model.end_count - 1];
    return str_of(canonical.p + start, end - start);
}

enum policy_model_match policy_model_compare(const struct policy_model *model, struct str named)
{
    struct str text = model->canonical;
    if (named.n == 0)
        return POLICY_MODEL_OTHER;
    if (str_eq(text, named))
        return POLICY_MODEL_SAME;
    if (str_find_char(text, '/') < 0) {
        while (str_find_char(named, '/') >= 0)
            named = str_from(named, (size_t)str_find_char(named, '/') + 1);
    }
    for (unsigned s = 0; s < model->start_count; s++) {
        for (unsigned e = 0; e < model->end_count; e++) {
            size_t start = model->starts[s], end = model->ends[e];
            if (end - start == named.n && memcmp(text.p + start, named.p, named.n) == 0)
                return POLICY_MODEL_VARIANT;
        }
    }
    return POLICY_MODEL_OTHER;
}

bool policy_model_glob(const struct policy_model *model, struct str pattern)
{
    for (unsigned s = 0; s < model->start_count; s++) {
        for (unsigned e = 0; e < model->end_count; e++) {
            size_t start = model->starts[s], end = model->ends[e];
            if (str_glob(pattern, str_of(model->canonical.p + start, end - start)))
                return true;
        }
    }
    return false;
}
