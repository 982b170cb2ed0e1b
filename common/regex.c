/* regex.c: runs a program over a text, all states at once (Thompson's construction).
 *
 *     text       m  i  n  i
 *     position  ^  ^  ^  ^  ^     at each: follow what needs no character (split, jump, ^ $ \b),
 *                                 then let every state that is left look at the next one
 *
 * Invariant: a state enters a position's list at most once (`mark`), so a position costs at most as
 * much as the program is long, and everything is counted against the caller's `work`. A program
 * may come from a file: every place is checked before it is read.
 */
#include "common/regex_program.h"

#define NO_CHAR 0xFFFFFFFFu /* before the first and behind the last */

struct run {
    const uint32_t *program;
    size_t words;
    uint32_t before, after; /* characters around the position */
    uint32_t turn;          /* of this position */
    size_t states, waiting;
    uint32_t mark[REGEX_WORDS_MAX];
    uint16_t state[REGEX_WORDS_MAX]; /* want a character */
    uint16_t wait[REGEX_WORDS_MAX];  /* to be entered at the next position */
    uint16_t stack[REGEX_WORDS_MAX];
};

uint32_t regex_next_char(struct str *text)
{
    const unsigned char *p = (const unsigned char *)text->p;
    size_t n = str_utf8_step(*text);
    uint32_t c = n == 1 ? p[0] : n == 2 ? p[0] & 0x1Fu : n == 3 ? p[0] & 0x0Fu : p[0] & 0x07u;
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3Fu);
    *text = str_from(*text, n == 0 ? 1 : n);
    return n == 0 ? 0xFFFD : c;
}

static bool is_word_char(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool holds(const struct run *run, enum regex_op op)
{
    bool edge = is_word_char(run->before) != is_word_char(run->after);
    switch (op) {
    case REGEX_BEGIN:
        return run->before == NO_CHAR;
    case REGEX_END:
        return run->after == NO_CHAR;
    case REGEX_WORD:
        return edge;
    default:
        return !edge;
    }
}

static void push(struct run *run, size_t *top, size_t place)
{
    if (place >= run->words || run->mark[place] == run->turn)
        return;
    run->mark[place] = run->turn;
    run->stack[(*top)++] = (uint16_t)place;
}

/* Adds the states that are reached from `place` without a character. True: the end is one. */
static bool enter(struct run *run, size_t place)
{
    size_t top = 0;
    bool matched = false;
    push(run, &top, place);
    while (top > 0) {
        size_t at = run->stack[--top];
        enum regex_op op = regex_op_of(run->program[at]);
        size_t target = at + (size_t)(ptrdiff_t)regex_argument(run->program[at]);
        if (op == REGEX_MATCH) {
            matched = true;
        } else if (op == REGEX_SPLIT || op == REGEX_JUMP) {
            push(run, &top, target);
            if (op == REGEX_SPLIT)
                push(run, &top, at + 1);
        } else if (op >= REGEX_BEGIN) {
            if (holds(run, op))
                push(run, &top, at + 1);
        } else {
            run->state[run->states++] = (uint16_t)at;
        }
    }
    return matched;
}

static bool in_class(const struct run *run, size_t at, size_t ranges, uint32_t c)
{
    for (size_t i = 0; i < ranges; i++) {
        const uint32_t *range = &run->program[at + 1 + 2 * i];
        if (c >= range[0] && c <= range[1])
            return true;
    }
    return false;
}

/* Lets the state at `at` look at the character: where it goes on, or 0. */
static size_t step(const struct run *run, size_t at, uint64_t *cost)
{
    uint32_t word = run->program[at], c = run->after;
    enum regex_op op = regex_op_of(word);
    size_t ranges = (size_t)(ptrdiff_t)regex_argument(word);
    switch (op) {
    case REGEX_CHAR:
        return c == word >> 8 ? at + 1 : 0;
    case REGEX_ANY:
        return c != '\n' && c != '\r' && c != 0x2028 && c != 0x2029 ? at + 1 : 0;
    default:
        if (ranges > (run->words - at - 1) / 2)
            return 0;
        *cost += ranges;
        return in_class(run, at, ranges, c) == (op == REGEX_CLASS) ? at + 1 + 2 * ranges : 0;
    }
}

/* One position: enters what waited, and the program's start, for a match may begin anywhere. */
static bool advance(struct run *run, uint64_t *cost)
{
    run->turn++;
    run->states = 0;
    bool matched = enter(run, 0);
    for (size_t i = 0; i < run->waiting && !matched; i++)
        matched = enter(run, run->wait[i]);
    *cost += run->waiting + run->states + 1;
    run->waiting = 0;
    if (matched || run->after == NO_CHAR)
        return matched;
    for (size_t i = 0; i < run->states; i++) {
        size_t next = step(run, run->state[i], cost);
        if (next > 0)
            run->wait[run->waiting++] = (uint16_t)next;
    }
    return false;
}

enum status regex_test(const uint32_t *program, size_t words, struct str text, uint64_t *work,
                       bool *found)
{
    struct run run;
    if (words > REGEX_WORDS_MAX)
        return ST_TOO_LARGE;
    run.program = program;
    run.words = words;
    run.before = run.after = NO_CHAR;
    run.turn = 0;
    run.states = run.waiting = 0;
    memset(run.mark, 0, words * sizeof run.mark[0]);
    for (;;) {
        uint64_t cost = 0;
        bool last = text.n == 0;
        if (last)
            run.after = NO_CHAR;
        else
            run.after = regex_next_char(&text);
        bool matched = advance(&run, &cost);
        if (cost > *work)
            return ST_TOO_LARGE;
        *work -= cost;
        if (matched || last) {
            *found = matched;
            return ST_OK;
        }
        run.before = run.after;
    }
}
