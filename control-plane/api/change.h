/* change.h: changes as dispatch.c asks for them. The call's own thread; blocks until durable. */
#ifndef SLUICE_CONTROL_API_CHANGE_H
#define SLUICE_CONTROL_API_CHANGE_H

#include "control-plane/api/call.h"

/* The caller against the call's route. ST_FORBIDDEN; ST_INVALID with a message: which workspace? */
MUST_USE enum status change_permit(struct api_call *call);

/* Inside an operation: is the caller still who they were, and may they still? To be asked before
 * anything is changed. Statuses of change_permit. */
MUST_USE enum status change_permit_again(struct api_call *call);

/* Runs the route's handler as one operation, or rehearses it (?dry_run=true). Statuses of the
 * handler and of the writer; ST_IN_USE with call->detail. */
MUST_USE enum status change_run(struct api_call *call);

/* A change that somebody known was refused is recorded: a few from each caller, the rest are in the
 * log alone. */
void change_keep_refusal(struct api_call *call, enum status refusal);

#endif
