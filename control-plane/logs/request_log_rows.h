/* request_log_rows.h: the rows of the request log. For request_log*.c only.
 *
 *   KV_EVENTS  [at_ms 8][name 16]                             -> packed UsageEvent; name =
 * BLAKE2b-128(attempt id) KV_MAIN    'O'[org 16][at_ms 8][name 16]                  -> nothing
 *              'W'[org 16][workspace 16][at_ms 8][name 16]    -> nothing
 *              'R'[org 16][request 16][at_ms 8][name 16]      -> nothing
 *              'T'[org 16][BLAKE2b-128(trace) 16][at_ms 8][name 16] -> nothing
 *              'S'                                            -> u64 rows, u64 bytes
 * Numbers big-endian, so that rows lie in the order of time and the oldest are the first.
 */
#ifndef SLUICE_CONTROL_LOGS_REQUEST_LOG_ROWS_H
#define SLUICE_CONTROL_LOGS_REQUEST_LOG_ROWS_H

#include "control-plane/logs/request_log.h"

/* What a row costs in the environment beside its own bytes: keys of the row and its indexes. */
#define REQUEST_LOG_ROW_BYTES 400u

struct request_log_size {
    uint64_t rows, bytes;
};
MUST_USE enum status request_log_size_get(struct kv_txn *txn, struct request_log_size *size);
MUST_USE enum status request_log_size_put(struct kv_txn *txn, const struct request_log_size *size);

/* Writes one packed event and its indexes; one that is there already is left alone. ST_INVALID: an
 * event that cannot be kept (ids, time). Store statuses. */
MUST_USE enum status request_log_row_put(struct kv_txn *txn, struct str packed,
                                         struct arena *scratch, struct request_log_size *size);
/* Drops the oldest rows while they are older than before_ms or the size is above bytes_max, at most
 * `rows`. left: some remain. */
MUST_USE enum status request_log_rows_drop(struct kv_txn *txn, int64_t before_ms,
                                           uint64_t bytes_max, size_t rows,
                                           struct request_log_size *size, bool *left);
MUST_USE enum status request_log_rows_list(struct kv_txn *txn,
                                           const struct request_log_question *question,
                                           const uint8_t *place, struct arena *arena,
                                           struct request_log_page *page);

#endif
