/* credentials.h: taking credentials out of what a client sent, and into the vault.
 *
 *   sent    {"key":"sk-..","configurations":{"aws_region":"eu","aws_secret_access_key":"..",
 *            "custom_headers":{"x-a":".."}}}
 *   kept    {"aws_region":"eu"}
 *   masked  {"masked_key":"sk-***wxyz","masked_aws_secret_access_key":"***",
 *            "masked_custom_headers":{"x-a":"***"}}
 *   sealed  {"key":"sk-..","configurations.aws_secret_access_key":"..","custom_headers.x-a":".."}
 *
 * An update names what changes: an absent secret stays, null removes it, `configurations` replaces
 * all that is not secret. A stored secret never becomes readable through a change of host: when the
 * hosts grow, every secret must be sent again. Plaintext lives in the call's arena (wiped) and in
 * the caller's body (wiped), nowhere else. Writer thread.
 */
#ifndef SLUICE_CONTROL_API_CREDENTIALS_H
#define SLUICE_CONTROL_API_CREDENTIALS_H

#include "control-plane/api/fields.h"
#include "control-plane/domain/upstream_host.h"

#define CREDENTIALS_HEADERS_MAX 32

/* What an owner (integration or model rule) has stored, and what comes out. */
struct credentials {
    struct id org, owner;
    const Sluice__SealedSecrets *stored; /* NULL: none */
    const struct json *key;              /* member `key` of the body, or NULL */
    const struct json *configurations;   /* member of the body, or NULL: unchanged */
    const char *configurations_json;     /* in: what is stored; out: the text to store */
    const char *masked_json;             /* in and out */
    Sluice__Header **headers;            /* in and out: names of custom headers, values empty */
    size_t header_count;
    Sluice__SealedSecrets *sealed;   /* out; NULL: no secrets. Valid after credentials_seal */
    struct str plain;                /* between the two calls: JSON to seal */
    size_t count, carried;           /* secrets in all; of them taken over from before */
    struct json *configuration_tree; /* out: configurations_json parsed */
};

/* Splits and merges; no sealing yet, because the hosts depend on the result. ST_INVALID with a
 * message, vault statuses. */
MUST_USE enum status credentials_merge(struct api_call *call, struct credentials *c);

/* After credentials_merge: the project of a Google service account joins the configuration, if that
 * names none. ST_NO_MEMORY, ST_TOO_LARGE. */
MUST_USE enum status credentials_derive_project(struct api_call *call, struct credentials *c);

/* Seals for these hosts. ST_INVALID with a message: carried secrets and a new host. Vault statuses.
 */
MUST_USE enum status credentials_seal(struct api_call *call, struct credentials *c,
                                      const struct str *hosts, size_t host_count);

/* True if a configuration field of this name is a secret. */
bool credentials_is_secret(struct str name);

/* "sk-***wxyz", "***" for what is short. gives in the arena; p = NULL without memory. */
struct str credentials_mask(struct arena *arena, struct str value);

#endif
