/* azure.h: Azure OpenAI: which deployment is meant, its address, its credential.
 *
 *   configurations: "azure_deployment_config": [{"alias": "fast", "azure_deployment_name":
 * "gpt4o-eu", "azure_api_version": "2024-10-21", "azure_model_slug": "gpt-4o", "is_default": true},
 * ...]
 *
 * A caller names a deployment by its alias, by its model's slug or by its own name; one who names
 * no model gets the default. Rules, lists and prices go by the slug. An integration without the
 * list has one deployment for each model, named like it. Pure but for the arena. Source: Azure
 * OpenAI REST API reference, "API specs"; "API evolution" (v1).
 */
#ifndef SLUICE_DATA_DIALECT_AZURE_H
#define SLUICE_DATA_DIALECT_AZURE_H

#include "data-plane/dialect/dialect.h"

#define AZURE_DEPLOYMENTS_MAX 64
#define AZURE_NAME_MAX        128          /* bytes of a deployment's name and of an API version */
#define AZURE_API_VERSION     "2024-10-21" /* where the configuration has none */

/* As back.resolve. */
enum status azure_resolve(struct arena *arena, const struct dialect_target *target, enum op op,
                          struct str asked, struct dialect_deployment *out, char *reason,
                          size_t room);

/* As back.path: {azure_deployment_id} is the target's model, {azure_api_version} its api_version.
 * With the version "v1" there is neither: /openai/v1/... ST_INVALID: a name that is none. */
enum status azure_path(const struct dialect_target *target, struct str row, bool stream,
                       struct buf *out);

/* As back.sign: the key, or the token that a client of Microsoft Entra is worth.
 *
 *   azure_auth_mode entra: azure_entra_tenant_id, azure_entra_client_id, azure_entra_client_secret;
 *   azure_entra_scope and azure_authority_host (of another cloud than the public one) if need be
 *
 * ST_UNSUPPORTED: signing->reason says why. */
enum status azure_sign(const struct dialect_signing *signing);

#endif
