/* metadata.h: where the metadata of a request come from.
 *
 *   defaults of the workspace  over  defaults of the key  over  x-portkey-metadata
 *
 * What is no JSON object says nothing. Policies ask layer by layer (policies.h), conditions of a
 * config see all of them merged (step_plan.c). One thread.
 */
#ifndef SLUICE_DATA_WORKER_METADATA_H
#define SLUICE_DATA_WORKER_METADATA_H

#include "common/catalog_codec.h"

#define METADATA_LAYERS 3

struct req;

/* JSON objects in the order in which they win; n = 0: none. workspace: in the catalog read that is
 * open, or NULL. Borrows from it, the key's record and the request's head. */
void metadata_layers(const struct req *req, const struct cat_workspace *workspace,
                     struct str layers[METADATA_LAYERS]);

#endif
