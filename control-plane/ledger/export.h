/* export.h: the ledger's entries as CSV or JSON lines, piece by piece.
 *
 * A caller asks for pieces until the end; each is read in a transaction of its own, so an export of
 * any length holds no snapshot and little memory. Entries that are written meanwhile may or may not
 * be in it; none is there twice. Owner: whoever began it ends it. One thread.
 */
#ifndef SLUICE_CONTROL_LEDGER_EXPORT_H
#define SLUICE_CONTROL_LEDGER_EXPORT_H

#include "common/buf.h"
#include "control-plane/ledger/ledger.h"

#define EXPORT_PIECE_EVENTS 500u
#define EXPORT_PIECE_BYTES  ((size_t)4 << 20)

enum export_format { EXPORT_JSONL, EXPORT_CSV };

struct export
{
    struct kv *kv;
    struct ledger_events_filter filter;
    enum export_format format;
    bool begun, ended;
    uint8_t place[LEDGER_EVENT_KEY];
    struct arena arena;
};

/* "csv", "jsonl". ST_INVALID. */
MUST_USE enum status export_format_read(struct str text, enum export_format *format);

/* Borrows kv. */
void export_begin(struct export *export, struct kv *kv, const struct ledger_events_filter *filter,
                  enum export_format format);
/* Appends the next piece, which may be empty. ST_END: there is none. ST_AGAIN (no reader slot),
 * ST_BAD_FORMAT, ST_NO_MEMORY, ST_TOO_LARGE. */
MUST_USE enum status export_next(struct export *export, struct buf *out);
void export_end(struct export *export);

#endif
