/* messages_shape.h: the tables of messages_shape.c: the body of each operation, by host. */
#ifndef SLUICE_TESTS_SIM_ANTHROPIC_MESSAGES_SHAPE_H
#define SLUICE_TESTS_SIM_ANTHROPIC_MESSAGES_SHAPE_H

#include "tests/sim/anthropic/messages.h"
#include "tests/sim/shape.h"

/* A member that is only taken with a beta; one row per member. */
struct messages_beta {
    const char *member, *beta;
};

const struct shape *messages_shape(const struct messages *messages);
const struct messages_beta *messages_beta_at(size_t i); /* NULL behind the last */

#endif
