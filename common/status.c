/* status.c: the table behind status.h. The rows are data (status.def); nothing is decided here. */
#include "common/status.h"

#include <errno.h>
#include <stddef.h>

static const struct status_row rows[] = {
#define STATUS(name, http, code, ab, retryable, text) {#name, http, code, ab, retryable, text},
#include "common/status.def"
#undef STATUS
};

const struct status_row *status_row(enum status status)
{
    CHECK((size_t)status < COUNT_OF(rows));
    return &rows[status];
}

enum status status_from_errno(int err)
{
    switch (err) {
    case 0:
        return ST_OK;
    case ENOMEM:
        return ST_NO_MEMORY;
    case ENOSPC:
    case EDQUOT:
        return ST_STORE_FULL;
    case EAGAIN:
    case EINTR:
        return ST_AGAIN;
    case ENOENT:
        return ST_NOT_FOUND;
    case EEXIST:
        return ST_CONFLICT;
    default:
        return ST_IO;
    }
}
