/* list.h: one page of a list in the wire shape {"object":"list","data":[..],"total":N}.
 *
 * Both page dialects (page_size/current_page and pageSize/currentPage) are read; pages count from 0
 * and a page out of range is empty. A handler gives a row function, which filters, asks list_wants
 * for each match (which counts it), and writes those that are wanted. A row is unpacked into a
 * scratch arena that is freed behind it, so a walk's memory is one row's.
 */
#ifndef SLUICE_CONTROL_API_LIST_H
#define SLUICE_CONTROL_API_LIST_H

#include "control-plane/api/call.h"

#define LIST_PAGE_MAX 1000

struct list {
    struct api_call *call;
    uint64_t page, size, total;
};

/* One entity; `message` is of the kind's type and dies after the call. A status other than ST_OK
 * ends the walk with it. */
typedef enum status list_row_fn(struct list *list, const struct record_key *key,
                                const void *message, void *arg);

/* Reads the page asked for; writes nothing. */
void list_open(struct list *list, struct api_call *call, uint64_t default_size);
/* As list_open, and begins the object and its array `data`. */
void list_begin(struct list *list, struct api_call *call, uint64_t default_size);
/* Walks the entities of a kind below (org, parent), or with parent NULL all of the organisation, in
 * order of creation. */
MUST_USE enum status list_run(struct list *list, Sluice__Kind kind, const struct id *parent,
                              list_row_fn *row, void *arg);
/* Counts a match; true if it lies in the page. */
bool list_wants(struct list *list);
/* Ends the array and the object. */
void list_end(struct list *list);

#endif
