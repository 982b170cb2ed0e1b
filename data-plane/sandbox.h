/* sandbox.h: what a worker may still do once it serves (ARCHITECTURE section 8; list in sandbox.def).
 *
 * no_new_privs, non-dumpable, no core; Landlock: no file system at all, TCP connect to the listed ports only, no bind;
 * seccomp: an allow-list; open, exec, fork, ptrace and the like are refused with EPERM (connect to an unlisted port too, checked in
 * user space in OPENSOCKETFUNCTION as well, since kernels before 6.7 have no Landlock network rule).
 */
#ifndef SLUICE_DATA_SANDBOX_H
#define SLUICE_DATA_SANDBOX_H

#include "common/str.h"

#define SANDBOX_PORTS_MAX 64

struct sandbox_report {
    bool seccomp, landlock_files, landlock_network;
    int landlock_abi;
};

/* Locks this process for good. `ports`: TCP ports it may connect to. A layer the kernel does not have is reported, not an error, when
 * `require_all` is false. ST_IO: a layer failed; the caller must exit. */
MUST_USE enum status sandbox_lock(const uint16_t *ports, size_t count, bool require_all, struct sandbox_report *report);

/* Tries one forbidden act by name ("open", "exec", "fork", "connect", ...: sandbox_try.c) and tells whether the kernel refused it.
 * ST_NOT_FOUND: unknown act. */
MUST_USE enum status sandbox_try(const char *act, bool *refused);
/* The acts in order; NULL behind the last. */
const char *sandbox_act_name(size_t index);
/* `sluice-gateway selftest-sandbox`: locks this process, tries every act, prints one JSON object. 0 if all were refused. */
int sandbox_selftest_main(void);

#endif
