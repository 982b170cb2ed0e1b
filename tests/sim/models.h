/* models.h: the models this simulated provider knows.
 *
 * Static list, plus names given with --model, plus every fine-tuned name (ft:...). Anything else
 * does not exist here, so that a gateway which sends a wrong string upstream is found out.
 */
#ifndef SLUICE_TESTS_SIM_MODELS_H
#define SLUICE_TESTS_SIM_MODELS_H

#include "common/str.h"
#include "tests/sim/options.h"

struct model {
    struct str name;
    const char *owner;
    uint32_t dimensions;   /* of an embedding model, else 0 */
    bool fixed_dimensions; /* refuses the `dimensions` parameter */
};

/* Row i of the built-in list and then of the options' names; false behind the last. */
bool models_at(const struct options *options, size_t i, struct model *model);
/* A model by exact name. ST_MODEL_NOT_FOUND. `model->name` borrows from the list or from `name`. */
MUST_USE enum status models_find(const struct options *options, struct str name,
                                 struct model *model);

#endif
