/* integration_put.c: the decisions behind writing an integration: which provider row, which hosts,
 * who may, and what comes with a workspace's own.
 *
 * Shared by /v1/integrations and /v1/virtual-keys, so both make the same entities. Invariant: an
 * integration with secrets is sealed for exactly the hosts of its base URL and its
 * credential_hosts, and a host never joins that set while a secret is kept.
 */
#include "common/wire.h"
#include "control-plane/api/credentials.h"
#include "control-plane/api/integrations.h"
#include "control-plane/api/members.h"
#include "control-plane/api/resolve.h"
#include "control-plane/domain/builtin.h"
#include "control-plane/domain/configuration.h"
#include "control-plane/domain/provision.h"

/* Values of Organisation.workspace_integrations. */
enum workspace_rule { RULE_OFF, RULE_ADMINS, RULE_ADMINS_AND_MANAGERS };

static const struct {
    const char *name, *slug;
} aliases[] = {
    {"aws-bedrock", "bedrock"}, {"amazon-bedrock", "bedrock"}, {"aws-sagemaker", "sagemaker"},
    {"azure", "azure-openai"},  {"azure-foundry", "azure-ai"}, {"gemini", "google"},
    {"vertex", "vertex-ai"},    {"snowflake", "cortex"},
};

struct str integrations_provider_slug(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(aliases); i++)
        if (str_eq(name, str_c(aliases[i].name)))
            return str_c(aliases[i].slug);
    return name;
}

static enum status find_type(struct api_call *call, struct str slug, Sluice__ProviderType **type)
{
    struct record_key key = {SLUICE__KIND__KIND_PROVIDER_TYPE, ID_NONE, ID_NONE,
                             builtin_provider_type_id(slug)};
    return record_get(call->txn, &key, call->arena, type, NULL);
}

enum status integrations_provider_type(struct api_call *call, struct str name,
                                       Sluice__ProviderType **type)
{
    enum status status = find_type(call, name, type);
    if (status == ST_NOT_FOUND)
        status = find_type(call, integrations_provider_slug(name), type);
    if (status == ST_NOT_FOUND)
        return api_invalid(call, "ai_provider_id", "no such provider in the catalog");
    return status;
}

enum status integrations_read_secrets(struct api_call *call, const struct record_key *key,
                                      Sluice__Integration *record, const struct json *secret,
                                      const struct json *configurations)
{
    struct upstream_host target;
    Sluice__ProviderType *type;
    struct str why;
    bool fresh = record->id.len == 0;
    if (secret == NULL && configurations == NULL && !fresh)
        return ST_OK;
    struct credentials c = {.org = key->org,
                            .owner = key->id,
                            .stored = record->secrets,
                            .key = secret,
                            .configurations = configurations,
                            .configurations_json = record->configurations_json,
                            .masked_json = record->masked_json};
    TRY(integrations_provider_type(call, str_c(record->provider_type), &type));
    TRY(credentials_merge(call, &c));
    TRY(credentials_derive_project(call, &c));
    struct upstream_input input = {type, c.configuration_tree, call->api->private_upstreams};
    enum status status = configuration_check(call->arena, c.configuration_tree, &why);
    if (status == ST_OK)
        status = upstream_host_make(call->arena, &input, &target, &why);
    if (status == ST_INVALID)
        return api_fail(call, status, STR_FMT, STR_ARG(why));
    TRY(status);
    TRY(credentials_seal(call, &c, target.hosts, target.host_count));
    record->secrets = c.sealed;
    record->custom_headers = c.headers;
    record->n_custom_headers = c.header_count;
    record->base_url = target.base_url;
    TRY(api_cstr(call->arena, str_c(c.configurations_json), &record->configurations_json));
    TRY(api_cstr(call->arena, call->api->private_upstreams, &record->allowed_private));
    return api_cstr(call->arena, str_c(c.masked_json), &record->masked_json);
}

/* The setting that holds for a workspace: its own, or the organisation's. */
static enum status effective_rule(struct api_call *call, const Sluice__Workspace *workspace,
                                  uint32_t *rule)
{
    struct record_key key = {SLUICE__KIND__KIND_ORGANISATION, call->auth.org, ID_NONE,
                             call->auth.org};
    Sluice__Organisation *organisation;
    if (workspace->workspace_integrations > 0) {
        *rule = workspace->workspace_integrations - 1;
        return ST_OK;
    }
    TRY(record_get(call->txn, &key, call->arena, &organisation, NULL));
    *rule = organisation->workspace_integrations;
    return ST_OK;
}

enum status integrations_check_workspace(struct api_call *call, const Sluice__Workspace *workspace)
{
    /* a service key is nobody's, and stands for the workspace's admins */
    enum member_role role = id_is_none(&call->auth.user) ? MEMBER_ROLE_ADMIN : call->auth.role;
    uint32_t rule;
    if (auth_is_org(&call->auth))
        return ST_OK;
    TRY(effective_rule(call, workspace, &rule));
    bool may = (rule >= RULE_ADMINS && role == MEMBER_ROLE_ADMIN) ||
               (rule == RULE_ADMINS_AND_MANAGERS && role == MEMBER_ROLE_MANAGER);
    if (!may)
        return api_fail(call, ST_FORBIDDEN,
                        "The organisation does not let you create integrations in this workspace");
    return ST_OK;
}

enum status integrations_put_new(struct api_call *call, const struct record_key *key,
                                 Sluice__Integration *record, const struct id *workspace,
                                 struct str provider_slug, bool create_provider)
{
    record->id = wire_id_data(&key->id);
    record->created_by = wire_id_data(&call->auth.actor);
    record->created_at_ms = record->updated_at_ms = call->now_ms;
    if (workspace != NULL)
        record->workspace = wire_id_data(workspace);
    enum status status = record_put(call->op, key, record, str_c(record->slug));
    if (status == ST_CONFLICT)
        return api_fail(call, status, "An integration with this slug already exists");
    TRY(status);
    api_audit(call, "create", "integration", workspace, &key->id, record->slug);
    if (workspace == NULL)
        return ST_OK;
    struct provision_grant grant = {
        .enabled = true, .create_provider = create_provider, .provider_slug = provider_slug};
    status = provision_set(call->op, key, record, workspace, &grant);
    if (status == ST_CONFLICT)
        return api_invalid(call, "default_provider_slug",
                           "is taken by another provider of the workspace");
    return status;
}

/* --- regions --- */

enum status integrations_check_regions(struct api_call *call, const Sluice__Integration *record)
{
    struct record_key group;
    for (size_t i = 0; i < record->n_regions; i++) {
        enum status status = record_find(call->txn, SLUICE__KIND__KIND_NODE_GROUP, &ID_NONE, &ID_NONE,
                                         str_c(record->regions[i]), &group);
        if (status == ST_NOT_FOUND)
            return api_fail(call, ST_INVALID,
                            "regions: there is no node group \"%s\"; it comes with the first node added to it",
                            record->regions[i]);
        TRY(status);
    }
    return ST_OK;
}

enum status integrations_republish_rules(struct api_call *call, const struct record_key *integration)
{
    struct record_cursor *cursor;
    struct record_key key;
    Sluice__ModelRule *rule;
    enum status status = record_cursor_open(call->txn, SLUICE__KIND__KIND_MODEL_RULE,
                                            &integration->org, &integration->id, &cursor);
    TRY(status);
    while ((status = record_cursor_next(cursor, call->arena, &key, &rule, NULL)) == ST_OK)
        if (rule->secrets != NULL && (status = record_update(call->op, &key, rule)) != ST_OK)
            break;
    record_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}
