/* source.h: a reply that is made piece by piece, paced by time and by the client's reading.
 *
 * Owner: the request; source_release frees it through its own `release`. `fill` is called when all
 * earlier bytes went out; it appends what comes next to `out` (may be nothing) and says what to do
 * then.
 */
#ifndef SLUICE_TESTS_SIM_SOURCE_H
#define SLUICE_TESTS_SIM_SOURCE_H

#include "common/buf.h"

enum source_step {
    SOURCE_MORE,  /* call again when these bytes are out */
    SOURCE_PAUSE, /* call again in *wait_ms */
    SOURCE_END,   /* that was all */
    SOURCE_CUT,   /* send these bytes, then close without the end */
    SOURCE_RESET, /* send these bytes, then RST */
    SOURCE_HANG,  /* send these bytes, then nothing until the client goes */
};

struct source {
    enum source_step (*fill)(struct source *source, struct buf *out, int64_t *wait_ms);
    void (*release)(
        struct source *source); /* frees the source itself; NULL: it lives in the request's keep */
};

static inline void source_release(struct source **source)
{
    if (*source != NULL && (*source)->release != NULL)
        (*source)->release(*source);
    *source = NULL;
}

#endif
