/* ledger_rows.h: keys that the ledger's files share. For ledger*.c only. */
#ifndef SLUICE_CONTROL_LEDGER_ROWS_H
#define SLUICE_CONTROL_LEDGER_ROWS_H

#include "control-plane/ledger/ledger.h"

/* Key of a raw event in KV_EVENTS. */
void ledger_event_key(struct key *key, uint32_t day, const struct id *node, uint64_t boot,
                      uint64_t seq);
/* First day whose raw events are kept; 0: all. ST_BAD_FORMAT. */
MUST_USE enum status ledger_first_day(struct kv_txn *txn, uint32_t *day);

#endif
