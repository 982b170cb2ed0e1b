/* provision.h: create once, provision many: an integration's access to workspaces and the providers
 * that it makes there.
 *
 *   integration --(access row: enabled?, limits)--> workspace --(provider: slug of the
 * integration)--> developers
 *
 * Rules (issue 2, item 3): enabling makes a provider in the workspace unless one of this
 * integration is there; disabling keeps the row and the provider, and the row says no; a new
 * workspace gets every integration that has global access, with its default limits. Functions run
 * inside an operation and change nothing else. They write no audit record: the caller says what was
 * asked for. ST_CONFLICT: an explicit provider slug is taken in the workspace; store statuses.
 */
#ifndef SLUICE_CONTROL_DOMAIN_PROVISION_H
#define SLUICE_CONTROL_DOMAIN_PROVISION_H

#include "control-plane/store/records.h"
#include "control-plane/store/writer.h"

struct provision_grant {
    bool enabled;
    const char *usage_limits; /* canonical JSON; NULL keeps what is there, "" clears */
    const char *rate_limits;
    bool create_provider;
    struct str provider_slug; /* n = 0: the integration's, with a suffix if it is taken */
    struct str provider_name; /* n = 0: the integration's */
};

/* Writes the access row of (integration, workspace) and makes the provider when needed.
 * `integration` is the key of a live integration and `record` its content. */
MUST_USE enum status provision_set(struct write_op *op, const struct record_key *integration,
                                   const Sluice__Integration *record, const struct id *workspace,
                                   const struct provision_grant *grant);

/* Gives a workspace that was just made every integration with global access. */
MUST_USE enum status provision_workspace(struct write_op *op, const struct id *org,
                                         const struct id *workspace);

/* Applies an integration's global access to the workspaces that are there. `override` false: only
 * to those without a row. */
MUST_USE enum status provision_everywhere(struct write_op *op, const struct record_key *integration,
                                          const Sluice__Integration *record, bool override,
                                          const struct provision_grant *grant);

/* Removes an integration with its model rules, access rows and providers. */
MUST_USE enum status provision_remove_integration(struct write_op *op,
                                                  const struct record_key *integration);

/* Removes a config with its versions. */
MUST_USE enum status provision_remove_config(struct write_op *op, const struct record_key *config);

/* Removes what belongs to a workspace: providers, configs, keys, members, policies, access rows, its
 * own integrations; then itself. */
MUST_USE enum status provision_remove_workspace(struct write_op *op,
                                                const struct record_key *workspace);

/* Removes every entity of a kind below a parent. */
MUST_USE enum status provision_remove_all(struct write_op *op, Sluice__Kind kind,
                                          const struct id *org, const struct id *parent);

#endif
