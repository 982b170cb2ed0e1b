/* anthropic.h: the operations of Anthropic's own API, all after the contract of call.h, and what
 * they share. */
#ifndef SLUICE_TESTS_SIM_ANTHROPIC_ANTHROPIC_H
#define SLUICE_TESTS_SIM_ANTHROPIC_ANTHROPIC_H

#include "tests/sim/call.h"

void anthropic_messages(struct call *call);
void anthropic_count_tokens(struct call *call);
void anthropic_complete(struct call *call);
void anthropic_models_list(struct call *call);
void anthropic_models_get(struct call *call);

/* Judges the anthropic-version and anthropic-beta headers; *latest: it is 2026-10-21 or later.
 * False: an error is the outcome. */
MUST_USE bool anthropic_check_version(struct call *call, bool *latest);

#endif
