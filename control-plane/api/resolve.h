/* resolve.h: from an id or a slug to an entity, inside what the caller may see.
 *
 * Every path segment and every *_id member may be a UUID or a slug. A workspace key, and
 * a person who acts in a workspace, sees that workspace only: naming another one is 403 whether it
 * exists or not; an entity outside its workspace does not exist for it (404). An organisation key
 * sees all of its organisation and nothing beyond. Entities are unpacked into the call's arena.
 * Statuses: ST_NOT_FOUND and ST_FORBIDDEN with a message set, store statuses.
 */
#ifndef SLUICE_CONTROL_API_RESOLVE_H
#define SLUICE_CONTROL_API_RESOLVE_H

#include "control-plane/api/call.h"

/* A workspace by id or slug. */
MUST_USE enum status resolve_workspace(struct api_call *call, struct str name,
                                       struct record_key *key, Sluice__Workspace **workspace);

/* True if the caller may know of the workspace. ST_NO_MEMORY, store statuses. */
MUST_USE enum status resolve_sees_workspace(struct api_call *call, const struct id *workspace,
                                            bool *sees);

/* The workspace that a request is about: member or query parameter workspace_id; for workspace keys
 * their own if it says none. With an organisation key and no workspace_id: ST_INVALID if
 * `required`, else *workspace = NULL. */
MUST_USE enum status resolve_scope(struct api_call *call, bool required, struct record_key *key,
                                   Sluice__Workspace **workspace);

/* An integration that the caller may see: with a workspace key those of its workspace and those
 * enabled for it. */
MUST_USE enum status resolve_integration(struct api_call *call, struct str name,
                                         struct record_key *key, Sluice__Integration **integration);
/* As resolve_integration, and the caller may change it: a workspace key only its workspace's own.
 * ST_FORBIDDEN. */
MUST_USE enum status resolve_own_integration(struct api_call *call, struct str name,
                                             struct record_key *key,
                                             Sluice__Integration **integration);

/* Providers, configs and API keys: by id, or by slug in the workspace of the request (with an
 * organisation key and no workspace_id: the oldest workspace that has the slug). */
MUST_USE enum status resolve_provider(struct api_call *call, struct str name,
                                      struct record_key *key, Sluice__Provider **provider);
MUST_USE enum status resolve_config(struct api_call *call, struct str name, struct record_key *key,
                                    Sluice__Config **config);
MUST_USE enum status resolve_api_key(struct api_call *call, struct str name, struct record_key *key,
                                     Sluice__ApiKey **api_key);

/* A config bound as a default: by id or slug within one workspace (parent none: any of the
 * organisation, by id). */
MUST_USE enum status resolve_default_config(struct api_call *call, const struct id *workspace,
                                            struct str name, struct id *config);

/* The access row of an integration for a workspace; NULL if there is none. */
MUST_USE enum status resolve_access(struct api_call *call, const struct id *integration,
                                    const struct id *workspace, Sluice__WorkspaceAccess **access);

#endif
