/* bootstrap.h: the first organisation: what exists before anybody can call the API.
 *
 * For sluicectl (init, org create, admin create). Runs inside an operation and writes its audit
 * record. Texts of new keys are given once, in op's arena: wipe it after showing them.
 */
#ifndef SLUICE_CONTROL_DOMAIN_BOOTSTRAP_H
#define SLUICE_CONTROL_DOMAIN_BOOTSTRAP_H

#include "control-plane/store/records.h"
#include "control-plane/store/writer.h"

struct bootstrap_order {
    struct str name;           /* of the organisation, 1 to 255 characters */
    struct str slug;           /* n = 0: made of the name */
    struct str workspace_name; /* of the default workspace; n = 0: "Default" */
    struct str workspace_slug; /* n = 0: "default" */
    struct str admin_email;    /* n = 0: no admin user */
    struct str admin_first_name, admin_last_name;
    struct str password_hash; /* of password_hash (auth/password.h); n = 0: none set */
};

struct bootstrap_result {
    struct id org, workspace, admin, org_key_id, workspace_key_id;
    struct str org_slug, workspace_slug;
    struct str org_key;       /* organisation-service key with all scopes of its kind */
    struct str workspace_key; /* workspace-service key with all scopes of its kind */
};

/* Makes organisation, default workspace, owner, and the two keys. ST_CONFLICT: the organisation's
 * slug is taken. ST_INVALID: a name, slug or e-mail that is none. Store statuses. */
MUST_USE enum status bootstrap_org(struct write_op *op, const struct bootstrap_order *order,
                                   struct bootstrap_result *result);

/* Adds a user, or changes role and password (which ends the sessions) of the one with this e-mail.
 * role: USER_ROLE_* (auth/roles.h). ST_INVALID (e-mail, role), ST_NOT_FOUND (organisation). */
MUST_USE enum status bootstrap_user(struct write_op *op, const struct id *org, struct str email,
                                    struct str first_name, struct str last_name,
                                    struct str password_hash, uint32_t role, struct id *user);

/* Makes a key with all scopes of its kind. `workspace` is NULL for an organisation key; `brought` n
 * = 0 makes a new text. ST_CONFLICT: the text is in use. */
MUST_USE enum status bootstrap_key(struct write_op *op, const struct id *org,
                                   const struct id *workspace, struct str name, struct str brought,
                                   struct id *id, struct str *text);

/* Finds an organisation by slug or id. ST_NOT_FOUND. */
MUST_USE enum status bootstrap_find_org(struct kv_txn *txn, struct str slug_or_id,
                                        struct record_key *key);

#endif
