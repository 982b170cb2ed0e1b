/* invites.h: values of Invite.state. Stored: append only. */
#ifndef SLUICE_CONTROL_API_INVITES_H
#define SLUICE_CONTROL_API_INVITES_H

enum invite_state { INVITE_PENDING, INVITE_CANCELLED, INVITE_ACCEPTED };

#endif
