/* reset_link.h: the one password reset link of a person.
 *
 * For the API and for sluicectl. Runs inside an operation and adds no audit record. The caller
 * wipes the ticket.
 */
#ifndef SLUICE_CONTROL_DOMAIN_RESET_LINK_H
#define SLUICE_CONTROL_DOMAIN_RESET_LINK_H

#include "control-plane/auth/ticket.h"
#include "control-plane/store/records.h"
#include "control-plane/store/writer.h"

#define RESET_LINK_MS ((int64_t)24 * 3600 * 1000)

/* Makes the link's ticket and keeps its hash with the user; an earlier link ends. Store statuses.
 */
MUST_USE enum status reset_link_make(struct write_op *op, const struct record_key *key,
                                     Sluice__User *user, struct ticket *ticket, int64_t *until_ms);

/* True if the ticket is the user's link and its time is not over. */
bool reset_link_fits(const Sluice__User *user, const struct ticket *ticket, int64_t now_ms);

#endif
