/* reply_list.h: lists of provider objects (files, batches, jobs) shown to one workspace: entries of other workspaces are taken out.
 *
 * The whole list is gathered (bounded), each entry's id is checked like step_own.c does, and what is owned is written out with its own bytes.
 * While the control plane is away an entry that nobody can vouch for is left out and the answer says so in x-sluice-list-partial: true.
 */
#ifndef SLUICE_DATA_WORKER_REPLY_LIST_H
#define SLUICE_DATA_WORKER_REPLY_LIST_H

#include "data-plane/worker/req.h"

#define REPLY_LIST_BYTES_MAX (8u * 1024u * 1024u)
#define REPLY_LIST_ITEMS_MAX 1000

/* True if this operation's answer is such a list. */
bool reply_list_applies(const struct req *req);
/* Bytes of the answer. False when they are too many. */
MUST_USE bool reply_list_feed(struct req *req, const char *p, size_t n);
/* The provider's answer is complete: filters and answers, now or when the questions are answered. */
void reply_list_done(struct req *req);
void reply_list_cancel(struct req *req);

#endif
