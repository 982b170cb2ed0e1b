/* timeouts.h: how long an attempt may take, by part.
 *
 *   request  until the head of the answer: 408  x-portkey-request-timeout    request_timeout
 *   connect  until the connection stands        x-sluice-connect-timeout     connect_timeout
 *   first    until the answer's first byte      x-sluice-first-byte-timeout  first_byte_timeout
 *   idle     between two bytes of it            x-sluice-idle-timeout        idle_timeout
 *   total    from head to last byte             x-sluice-total-timeout       total_timeout
 *
 * The request's header says most, then the target's level of the config, then the configurations of
 * the provider's integration (both by the same names), then the installation's parameter; all in
 * milliseconds. request_timeout (the parameter) bounds all attempts of a request together, whatever
 * else is said. What is no number above 0 says nothing. Pure.
 */
#ifndef SLUICE_DATA_WORKER_TIMEOUTS_H
#define SLUICE_DATA_WORKER_TIMEOUTS_H

#include "data-plane/upstream.h"

struct req;

/* For the attempt that is about to begin. */
struct upstream_times timeouts_of(const struct req *req);
/* What an exchange that ended with `status` came to: ST_TIMED_OUT if the request's own time for it
 * was over. */
enum status timeouts_judge(const struct req *req, enum status status);

#endif
