/* terms.h: the prices that held for an entry, out of the records, for re-rating.
 *
 * The control plane's side of data-plane/worker/terms.h: the same pages of the same books
 * (common/price_settle.h), found by what an entry says about its attempt. Records are read as they
 * are in the transaction; what was read is kept, by integration and by (integration, workspace,
 * model), until terms_free. One thread, one transaction's view: make a new one after records
 * changed.
 */
#ifndef SLUICE_CONTROL_LEDGER_TERMS_H
#define SLUICE_CONTROL_LEDGER_TERMS_H

#include "common/price_settle.h"
#include "control-plane/store/records.h"
#include "proto/usage.pb-c.h"

#define TERMS_KEPT_MAX 2000u /* models; when there are more, all are read again */

struct terms_integration;
struct terms_model;

struct terms {
    struct arena arena;
    struct terms_integration *integrations;
    struct terms_model *models;
    size_t count;
};

void terms_init(struct terms *terms);
void terms_free(struct terms *terms);

/* The pages that held at the instant at which the attempt was authorised. Borrows from `terms`
 * until the next call. ST_NOT_FOUND: its integration, or the row that priced it, is gone.
 * ST_BAD_FORMAT, ST_NO_MEMORY, ST_TOO_LARGE; store statuses. */
MUST_USE enum status terms_of(struct terms *terms, struct kv_txn *txn,
                              const Sluice__UsageEvent *event, struct price_terms *out);

#endif
