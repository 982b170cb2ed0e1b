/* batch_rows.h: the models that the rows of an uploaded batch file name, checked while the file
 * flows through.
 *
 *   form bytes --multipart_parts--> bytes of "file" --lines--> {"body":{"model":...}} --judge-->
 * allowed, or the row that is not
 *
 * A row (JSON Lines) that names a model in its body is judged whatever the form says its purpose
 * is. A row that cannot be read is an offence too, unless the purpose is one from which no provider
 * makes a batch (batch_rows.c); the purpose may come behind the file, so the verdict is whole at
 * the end only: nobody may hand on the form's last byte before. Holds one row, at most
 * max_row_bytes. One thread; call by call, no loop.
 */
#ifndef SLUICE_DATA_WORKER_BATCH_ROWS_H
#define SLUICE_DATA_WORKER_BATCH_ROWS_H

#include "common/buf.h"
#include "data-plane/worker/multipart_parts.h"

#define BATCH_MODEL_MAX  256
#define BATCH_REASON_MAX 512

/* ST_OK: rows may name this model. Else the status of the refusal, and a sentence in reason
 * (BATCH_REASON_MAX). */
typedef enum status batch_judge(void *arg, struct str model, char *reason);

struct batch_rows {
    struct multipart_parts parts;
    batch_judge *judge;
    void *arg;
    struct buf row;  /* the part of a row that is here */
    bool skipping;   /* to the end of a row that cannot be read */
    uint64_t number; /* of the row, from 1 */
    uint64_t bad;    /* the first row that cannot be read; 0: none */
    const char *why; /* and why not */
    char purpose[MULTIPART_VALUE_MAX];
    size_t purpose_n;
    unsigned files, purposes;
    char allowed[BATCH_MODEL_MAX]; /* the model that was judged last */
    size_t allowed_n;
    char reason[BATCH_REASON_MAX]; /* of a refusal; "" where its status says all */
};

/* Clears all but the row's room, which batch_rows_free releases (a zeroed struct may be freed). */
void batch_rows_begin(struct batch_rows *rows, struct str boundary, size_t max_row_bytes,
                      batch_judge *judge, void *arg);
/* The form's bytes that follow. ST_OK so far; ST_INVALID (malformed form or row, two files or
 * purposes), or the judge's: see reason. */
MUST_USE enum status batch_rows_feed(struct batch_rows *rows, struct str bytes);
/* The form is whole. As batch_rows_feed. */
MUST_USE enum status batch_rows_end(struct batch_rows *rows);
void batch_rows_free(struct batch_rows *rows);

#endif
