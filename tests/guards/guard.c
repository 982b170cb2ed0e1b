/* guard.c: the switch behind GUARD_OFF (common/guard.h), for test binaries only. */
#include "common/guard.h"

#include <stdlib.h>
#include <string.h>

bool guard_is_off(const char *name)
{
    const char *off = getenv("SLUICE_GUARDS_OFF");
    return off != NULL && strcmp(off, name) == 0;
}
