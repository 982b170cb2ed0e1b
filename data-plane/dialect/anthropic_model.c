/* anthropic_model.c: see anthropic_model.h.
 *
 *   claude-3-5-sonnet-20241022    3.5        claude-opus-4-20250514     4.0
 *   us.anthropic.claude-opus-4-6-v1:0  4.6   claude-fable-5             5.0
 *
 * The version is the first one or two numbers of at most two digits behind "claude"; a date has
 * eight. Source of the table below: Anthropic's pages on thinking, effort, structured outputs and
 * the release notes of each model (2026). What a model refuses in spite of it, it says itself.
 */
#include "data-plane/dialect/anthropic_model.h"

#define UNVERSIONED 400u

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The next run of letters and digits. */
static bool next_piece(struct str *rest, struct str *piece)
{
    size_t from = 0, to;
    while (from < rest->n && strchr("-._@/:", rest->p[from]) != NULL && rest->p[from] != '\0')
        from++;
    for (to = from; to < rest->n && (rest->p[to] == '\0' || strchr("-._@/:", rest->p[to]) == NULL);)
        to++;
    *piece = str_of(rest->p + from, to - from);
    *rest = str_from(*rest, to);
    return piece->n > 0;
}

/* One or two digits, all of the piece. */
static bool is_number(struct str piece, unsigned *value)
{
    if (piece.n == 0 || piece.n > 2 || !is_digit(piece.p[0]) || !is_digit(piece.p[piece.n - 1]))
        return false;
    *value = (unsigned)(piece.p[0] - '0');
    if (piece.n == 2)
        *value = *value * 10 + (unsigned)(piece.p[1] - '0');
    return true;
}

static unsigned version_of(struct str name)
{
    ptrdiff_t at = str_find(name, STR("claude"));
    struct str rest = at < 0 ? STR("") : str_from(name, (size_t)at + 6), piece;
    unsigned number, major = 0;
    bool found = false;
    while (next_piece(&rest, &piece)) {
        if (is_number(piece, &number)) {
            if (found)
                return major * 100 + number;
            major = number;
            found = true;
        } else if (found) {
            break;
        }
    }
    return major * 100;
}

void anthropic_model_of(struct str name, struct anthropic_model *model)
{
    unsigned version = version_of(name), v = version == 0 ? UNVERSIONED : version;
    *model = (struct anthropic_model){
        .version = version,
        .thinking = v >= 406   ? ANTHROPIC_THINKING_ADAPTIVE
                    : v >= 307 ? ANTHROPIC_THINKING_BUDGET
                               : ANTHROPIC_THINKING_NONE,
        .effort_xhigh = v >= 407,
        .effort_max = v >= 406,
        .output_format = v >= 401,
        .strict_tools = v >= 401,
        .either_sampling = v >= 401,
        .sampling = v < 407,
        .forced_tool = v <= 500 || str_find(name, STR("haiku")) >= 0,
        .system_inside = v >= 408,
    };
}
