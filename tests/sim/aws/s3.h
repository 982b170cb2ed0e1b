/* s3.h: what the batch jobs need of the simulated S3 (s3.c). */
#ifndef SLUICE_TESTS_SIM_AWS_S3_H
#define SLUICE_TESTS_SIM_AWS_S3_H

#include "tests/sim/sim.h"

/* The object of "s3://bucket/key", or NULL. */
struct object *s3_find_uri(struct sim *sim, struct str uri);
/* Stores `content` (copies) at "s3://bucket/key"; callers see it from `shown_ms` on. NULL: no
 * memory. */
struct object *s3_put_uri(struct sim *sim, struct str uri, struct str content, int64_t shown_ms);

#endif
