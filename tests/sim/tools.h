/* tools.h: which of the offered functions the simulated model calls. Pure.
 *
 * Every API reads its own tool list into a toolbox; the rule is the same for all: a function is
 * called when the choice names it, or when a word (4 letters or more, split at '_' and '-') of its
 * name is in the text; a choice that demands a call and finds no word takes the first function.
 */
#ifndef SLUICE_TESTS_SIM_TOOLS_H
#define SLUICE_TESTS_SIM_TOOLS_H

#include "common/json_tree.h"

#define TOOLS_CALLS_MAX 8

struct tool {
    struct str name;
    const struct json *schema; /* of its arguments; NULL: none */
};

enum tools_mode { TOOLS_AUTO, TOOLS_NONE, TOOLS_DEMANDED };

struct toolbox {
    struct tool *offers; /* in the call's arena */
    size_t count;
    enum tools_mode mode;
    struct str wanted; /* the one function that must be called; p = NULL: any */
    bool one_only;     /* no parallel calls */
};

/* Reads `tools`, `tool_choice` and `parallel_tool_calls` of the chat API (tools[].function) or the
 * responses API (tools[]). ST_NO_MEMORY. */
MUST_USE enum status tools_read(struct toolbox *box, const struct json *root, struct arena *arena);
/* Makes room for `count` offers. ST_NO_MEMORY. */
MUST_USE enum status tools_reserve(struct toolbox *box, size_t count, struct arena *arena);
/* The functions to call for this text, at most TOOLS_CALLS_MAX; returns their number. */
size_t tools_pick(const struct toolbox *box, struct str text,
                  struct tool calls[static TOOLS_CALLS_MAX]);

#endif
