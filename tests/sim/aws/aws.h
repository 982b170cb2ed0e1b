/* aws.h: what the AWS services of the simulator share: keys, temporary credentials, errors, event
 * streams.
 *
 * Temporary credentials prove themselves: the secret and the session token follow from the key id
 * and the hour of death, so every process of the simulator accepts what another gave out.
 */
#ifndef SLUICE_TESTS_SIM_AWS_AWS_H
#define SLUICE_TESTS_SIM_AWS_AWS_H

#include "tests/sim/family.h"

#define AWS_EXAMPLE_ID     "AKIDEXAMPLE" /* published with the signature test suite */
#define AWS_EXAMPLE_SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

struct aws_credentials {
    struct str key_id, secret, token;
    int64_t expires_s;
};

/* The secret of a key id; checks the session token of a temporary one. False: *refusal is the
 * error's code. */
MUST_USE bool aws_find_secret(struct request *req, struct str key_id, struct str *secret,
                              const char **refusal);
/* Makes temporary credentials that live for `seconds`, or as long as --token-seconds says.
 * ST_NO_MEMORY. */
MUST_USE enum status aws_issue(struct sim *sim, struct arena *arena, int64_t seconds,
                               struct aws_credentials *credentials);

/* Unix seconds as 2025-01-31T23:59:59Z. */
struct str aws_time(struct arena *arena, int64_t unix_s);
/* Appends text with the five XML escapes. */
void aws_add_xml(struct buf *out, struct str text);
/* The error code of a status when nothing better is known. */
const char *aws_error_code(int status);
struct str aws_error_message(int status);
/* x-amzn-requestid */
void aws_head(struct request *req, struct buf *out);

/* Appends one frame of application/vnd.amazon.eventstream: `kind` is "event" or "exception", `name`
 * its type. */
void aws_add_frame(struct buf *out, const char *kind, const char *name, struct str payload);

#endif
