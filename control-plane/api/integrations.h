/* integrations.h: what the files of /v1/integrations and /v1/virtual-keys share. Everything runs in
 * the call's transaction. */
#ifndef SLUICE_CONTROL_API_INTEGRATIONS_H
#define SLUICE_CONTROL_API_INTEGRATIONS_H

#include "control-plane/api/fields.h"

/* Canonical slug of a provider row for a name as clients write it ("aws-bedrock" -> "bedrock"). */
struct str integrations_provider_slug(struct str name);

/* The built-in row of a provider. ST_INVALID with a message if there is none. */
MUST_USE enum status integrations_provider_type(struct api_call *call, struct str name,
                                                Sluice__ProviderType **type);

/* Reads credentials and configuration of the body (`key`, `configurations`) into the record:
 * merges, computes base URL and hosts, seals. A body with neither leaves everything as it is.
 * ST_INVALID with a message, vault statuses. */
MUST_USE enum status integrations_read_secrets(struct api_call *call, const struct record_key *key,
                                               Sluice__Integration *record,
                                               const struct json *secret,
                                               const struct json *configurations);

/* May the caller create integrations inside this workspace? ST_FORBIDDEN with a message. */
MUST_USE enum status integrations_check_workspace(struct api_call *call,
                                                  const Sluice__Workspace *workspace);

/* Writes a new integration and, for a workspace's own, its access row and provider. ST_CONFLICT,
 * ST_INVALID with messages. */
MUST_USE enum status integrations_put_new(struct api_call *call, const struct record_key *key,
                                          Sluice__Integration *record, const struct id *workspace,
                                          struct str provider_slug, bool create_provider);

/* Writes the integration as changed now, with its audit record. */
MUST_USE enum status integrations_touch(struct api_call *call, const struct record_key *key,
                                        Sluice__Integration *record, const char *action);

/* regions: each must be the name of a node group. ST_INVALID (told). */
MUST_USE enum status integrations_check_regions(struct api_call *call,
                                                const Sluice__Integration *record);
/* The regions changed: its models' own secrets must reach, or leave, the nodes with it. */
MUST_USE enum status integrations_republish_rules(struct api_call *call,
                                                  const struct record_key *integration);

#endif
