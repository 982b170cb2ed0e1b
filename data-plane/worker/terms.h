/* terms.h: the prices that hold for one attempt, out of the catalog (price_settle.h).
 *
 * Between catalog_begin and catalog_end; copies into the request's arena, because the attempt is
 * priced by what held when it was authorised, however long it runs. Worker's thread. A damaged page
 * counts as absent: the model is then unpriced, never free.
 */
#ifndef SLUICE_DATA_WORKER_TERMS_H
#define SLUICE_DATA_WORKER_TERMS_H

#include "data-plane/worker/authorize.h"

/* Fills req->attempt.terms; the ceiling is the limits' and stays -1 here. */
void terms_copy(struct req *req, const struct authorize_view *view);

#endif
