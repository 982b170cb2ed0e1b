/* bound_parts.h: what the parts of a prompt are that its bytes do not bound. For bound.c only.
 *
 * Walks messages and input items of the three dialects that callers speak (chat, messages, responses): their content arrays,
 * and the content of tool results within. A part of a kind that is not known is `opaque`: only the model's context window
 * bounds it. Names and kinds are compared unescaped. Pure, no allocation; the text must be proved JSON.
 */
#ifndef SLUICE_DATA_BOUND_PARTS_H
#define SLUICE_DATA_BOUND_PARTS_H

#include "common/json_scan.h"

struct bound_parts {
    uint64_t images, audios;
    bool opaque;
};

/* `list`: the raw value of messages, input or system. A plain string has no parts. Adds to `parts`. */
void bound_parts_of(struct str list, enum json_type type, struct bound_parts *parts);

/* Server tools: those that the provider runs, and so may run without the caller. */
enum bound_tool { BOUND_TOOL_WEB, BOUND_TOOL_FILE, BOUND_TOOL_CODE, BOUND_TOOL_QUIET, BOUND_TOOL_KINDS };
struct bound_tools {
    bool seen[BOUND_TOOL_KINDS];     /* QUIET: costs no more than the tokens that it brings in */
    uint64_t uses[BOUND_TOOL_KINDS]; /* sums of max_uses */
    bool uncapped; /* one of them has no max_uses */
    bool unknown;  /* one is of a kind that cannot be bounded at all */
};
/* `tools`: the raw array of a request. Adds to `found`. */
void bound_tools_of(struct str tools, struct bound_tools *found);

#endif
