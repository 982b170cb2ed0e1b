/* json_lex.h: the tokens of RFC 8259, checked. Private to json_scan.c and json_tree.c.
 *
 * A lexer borrows the text and moves `p` towards `end`; it never reads past `end`. Every function
 * gives false when the text breaks a rule; then `what` names the rule and `p` the place. Allocates
 * nothing, one thread.
 */
#ifndef SLUICE_COMMON_JSON_LEX_H
#define SLUICE_COMMON_JSON_LEX_H

#include "common/json_scan.h"

struct json_lex {
    const char *start, *p, *end;
    const char *what;   /* why it stopped, a static sentence; NULL while all is well */
    enum status status; /* ST_OK, ST_BAD_JSON, ST_TOO_LARGE */
};

/* Starts before the first token; refuses a byte order mark. */
bool json_lex_init(struct json_lex *lex, struct str text);
/* Sets the outcome at the present place (the first one stays). Always false, for `return
 * json_lex_fail(...)`. */
bool json_lex_fail(struct json_lex *lex, enum status status, const char *what);
/* Skips white space; false at the end of the text, with `what` set. */
static inline bool json_lex_peek(struct json_lex *lex)
{
    while (lex->p < lex->end) {
        char c = *lex->p;
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
            return true;
        lex->p++;
    }
    return json_lex_fail(lex, ST_BAD_JSON, "unexpected end of text");
}
/* True if nothing but white space is left. */
bool json_lex_finish(struct json_lex *lex);
/* At the opening quote: passes the string. *escaped tells whether it holds a backslash. */
bool json_lex_string(struct json_lex *lex, bool *escaped);
/* At the first byte of a number or literal: passes it and gives its type. */
bool json_lex_scalar(struct json_lex *lex, enum json_type *type);
/* A member name and its colon; p stands behind the colon. gives the name with its quotes. */
bool json_lex_name(struct json_lex *lex, struct str *raw, bool *escaped);

/* Orders two validated raw names (with quotes) by their unescaped bytes. */
int json_name_cmp(struct str a, bool a_escaped, struct str b, bool b_escaped);
/* True if a validated raw name (with quotes) unescapes to `text`. */
bool json_name_is(struct str raw, bool escaped, struct str text);

/* Fills `error` (may be NULL) from a lexer that stopped and gives its status. */
enum status json_lex_outcome(const struct json_lex *lex, struct json_error *error);

#endif
