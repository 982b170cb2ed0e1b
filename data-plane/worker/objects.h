/* objects.h: objects that live at a provider (files, batches, stored responses, fine-tuning jobs) belong to the workspace that made them.
 *
 * A worker remembers what it saw being made (positive answers only, OBJECTS_KNOWN_MAX, hashed); else the courier knows or asks the control
 * plane. Nobody can tell = refused (ST_CONTROL_AWAY). Another workspace's object is answered exactly like one that does not exist.
 */
#ifndef SLUICE_DATA_WORKER_OBJECTS_H
#define SLUICE_DATA_WORKER_OBJECTS_H

#include "data-plane/worker/mailbox.h"
#include "data-plane/worker/req.h"

#define OBJECTS_KNOWN_MAX 16384
#define OBJECTS_PER_CALL  8

/* An answer just named a new object of this workspace and provider. */
void objects_learn(const struct id *workspace, const struct id *provider, struct str object);
bool objects_known(const struct id *workspace, const struct id *provider, struct str object);

#endif
