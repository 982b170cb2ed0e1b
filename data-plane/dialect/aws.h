/* aws.h: what all services of AWS have in common here: paths and credentials.
 *
 * Configuration fields: aws_auth_type (accessKey, apiKey, assumedRole), aws_region,
 * aws_access_key_id, aws_secret_access_key, aws_session_token; the secret "key" is an API key. Of a
 * role: aws_role_arn, aws_external_id, aws_role_session_name, aws_sts_endpoint_url; it is assumed
 * with the access key.
 * Opened secrets lie in one guarded page (common/secret.h) while a request is signed, and nowhere
 * else. Loop thread only.
 */
#ifndef SLUICE_DATA_DIALECT_AWS_H
#define SLUICE_DATA_DIALECT_AWS_H

#include "data-plane/dialect/dialect.h"

#define AWS_REGION_MAX 32

/* True for a region's name: lower-case letters, digits and single hyphens ("us-gov-west-1"). */
bool aws_is_region(struct str text);
/* The region of a target: its configuration's, else the one in an amazonaws.com host, else
 * us-east-1. ST_INVALID: the configuration's is none. Copies to `room`. */
MUST_USE enum status aws_region(const struct dialect_target *target, struct str host,
                                char room[AWS_REGION_MAX], struct str *region);

/* Adds `row` to out with {model} filled by the id as one escaped path segment. ST_INVALID: the id
 * is none (empty, or over 2,048 bytes). ST_TOO_LARGE. */
MUST_USE enum status aws_path(struct str row, struct str model, struct buf *out);

/* What signs. Plain bytes, guarded; token: n = 0 none. */
struct aws_keys {
    struct str id, secret, token;
};

/* A configured plain string, borrowed; n = 0: not there. */
struct str aws_configured(const struct dialect_target *target, const char *name);
/* "https://host/path?query" -> its parts as they go out; ports that go without saying left out. */
void aws_split_url(struct str url, struct str *authority, struct str *path, struct str *query);
/* The stored access key -> room (guarded, AWS_KEYS_ROOM bytes); *used bytes of it. ST_NOT_FOUND. */
#define AWS_KEYS_ROOM (8192 + 512)
MUST_USE enum status aws_read_keys(const struct dialect_signing *signing, char *room, size_t *used,
                                   struct aws_keys *keys);
/* The keys of the configured role -> room (guarded, AWS_KEYS_ROOM bytes), as signing->token.
 * ST_UNSUPPORTED: signing->reason says what is missing. */
MUST_USE enum status aws_role_keys(const struct dialect_signing *signing, char *room, size_t *used,
                                   struct aws_keys *keys);

/* As back.sign: the lines that prove the request for `service` ("bedrock"). ST_NOT_FOUND: the
 * integration has no credential that fits. ST_UNSUPPORTED: signing->reason says what to store. */
enum status aws_sign(const struct dialect_signing *signing, const char *service);

#endif
