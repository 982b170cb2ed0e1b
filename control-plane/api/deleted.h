/* deleted.h: how long a deletion can be undone. */
#ifndef SLUICE_CONTROL_API_DELETED_H
#define SLUICE_CONTROL_API_DELETED_H

#include "control-plane/api/call.h"

#define DELETED_KEEP_MS   ((int64_t)30 * 24 * 3600 * 1000)
#define DELETED_PER_PURGE 1000

#endif
