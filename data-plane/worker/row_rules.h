/* row_rules.h: what a provider's row says of bodies in OpenAI's dialect that are passed on spliced:
 * renames of a chat's members, `developer` where the service knows only `system`, text embeddings.
 *
 * Translated bodies follow the same rules in data-plane/dialect (params_renamed).
 */
#ifndef SLUICE_DATA_WORKER_ROW_RULES_H
#define SLUICE_DATA_WORKER_ROW_RULES_H

#include "data-plane/worker/edits.h"

struct row_rules {
    struct str renames; /* "from to\n"* of top-level members */
    bool developer_to_system;
};

/* Adds the edits that the rules ask for. `text` is a validated JSON object. Where a body has both
 * names of a renamed member, the one that is renamed wins, as OpenAI's newer names do. */
void row_rules_apply(const struct row_rules *rules, struct str text, struct edits *edits);

/* Does an embeddings request (a validated JSON object) hold tokens where others hold text? */
bool row_rules_has_tokens(struct str text);

#endif
