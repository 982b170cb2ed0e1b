/* admin_paths.h: which paths are the control plane's. The prefixes are generated from control-plane/routes.def at build time
 * (admin_paths.def in the build folder), so a new admin route needs no line here. Pure. */
#ifndef SLUICE_DATA_WORKER_ADMIN_PATHS_H
#define SLUICE_DATA_WORKER_ADMIN_PATHS_H

#include "common/str.h"

/* True if `path` (percent-encoded, without query) is an admin prefix or lies below one. */
bool admin_paths_match(struct str path);

#endif
