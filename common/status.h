/* status.h: the one list of outcomes (status.def), as an enum and a table.
 *
 * Functions that can fail return `enum status` and are MUST_USE; out-parameters are set on ST_OK only.
 * `errno` is translated where it happens (status_from_errno) and never travels.
 */
#ifndef SLUICE_COMMON_STATUS_H
#define SLUICE_COMMON_STATUS_H

#include "common/check.h"

enum status {
#define STATUS(name, http, code, ab, retryable, text) ST_##name,
#include "common/status.def"
#undef STATUS
    ST_COUNT
};

struct status_row {
    const char *name; /* "INVALID" */
    int http;
    const char *code; /* stable API code */
    const char *ab;   /* admin errorCode or "" */
    int retryable;
    const char *text;
};

/* The row of a status. Never NULL. */
const struct status_row *status_row(enum status status);

/* ENOMEM -> NO_MEMORY, ENOSPC/EDQUOT -> STORE_FULL, EAGAIN/EINTR -> AGAIN, ENOENT -> NOT_FOUND, else IO. */
enum status status_from_errno(int err);

#define TRY(expr)                                                                                  \
    do {                                                                                           \
        enum status try_status_ = (expr);                                                          \
        if (try_status_ != ST_OK)                                                                  \
            return try_status_;                                                                    \
    } while (0)

#define TRY_OUT(expr)                                                                              \
    do {                                                                                           \
        status = (expr);                                                                           \
        if (status != ST_OK)                                                                       \
            goto out;                                                                              \
    } while (0)

#endif
