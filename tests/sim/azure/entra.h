/* entra.h: the tokens that the simulated Microsoft Entra gives out. */
#ifndef SLUICE_TESTS_SIM_AZURE_ENTRA_H
#define SLUICE_TESTS_SIM_AZURE_ENTRA_H

#include "tests/sim/request.h"

/* True if a credential claims to be such a token. */
bool entra_is_token(struct str credential);
/* True if it is one, and lives. */
bool entra_accepts(struct str credential);

#endif
