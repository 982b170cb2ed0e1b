/* guard.h: places where a check that keeps money exact can be switched off, to see that a test notices.
 *
 * In the programs GUARD_OFF(name) is the constant false, and nothing of this is compiled in. The test binaries in
 * <build>/guards/ are built of the same sources with SLUICE_TEST_GUARDS and tests/guards/guard.c: there the environment variable
 * SLUICE_GUARDS_OFF names the one that is off. The names, and what fails without each: tests/fault/guards.py.
 */
#ifndef SLUICE_COMMON_GUARD_H
#define SLUICE_COMMON_GUARD_H

#ifdef SLUICE_TEST_GUARDS
#include <stdbool.h>

bool guard_is_off(const char *name);
#define GUARD_OFF(name) guard_is_off(name)
#else
#define GUARD_OFF(name) false
#endif

#endif
