/* sigv4.h: AWS Signature Version 4 as a service judges it, byte by byte.
 *
 * Source: "Signature Version 4 signing process" of the AWS IAM user guide. The canonical request is
 * built again from what arrived; nothing of the client's is believed but the list of signed
 * headers, which must hold host and every x-amz-* header. Owner: the request's keep arena.
 */
#ifndef SLUICE_TESTS_SIM_AWS_SIGV4_H
#define SLUICE_TESTS_SIM_AWS_SIGV4_H

#include "tests/sim/request.h"

#define SIGV4_SKEW_S 300

/* Whether a request is signed for this service ("/bedrock/"), as far as its Authorization header
 * says. */
bool sigv4_is_for(const struct request *req, const char *service);
/* Verifies the signature for this service; false: the refusal is the reply, in the family's words.
 */
MUST_USE bool sigv4_admit(struct request *req, const char *service);

#endif
