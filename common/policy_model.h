/* policy_model.h: the spellings of a model id. A deny of a model must hold for every way to write
 * its name.
 *
 *   canonical   one spelling for what providers may read as the same id: percent escapes undone
 *               (nested ones too), full-width letters and typographic dashes made plain, spaces,
 *               control and invisible characters dropped, lower case, cut at '?' or '#', '\' is
 *               '/', "//" "./" "../" resolved, outer '/' dropped; what leads to "models/",
 *               "deployments/", "engines/", "foundation-model/", "inference-profile/" dropped;
 *               ":latest" dropped
 *   forms       a canonical id without leading parts (path segments, "ft:", Bedrock region, vendor)
 *               and without trailing parts (":tag", "@version", "-latest", a date or a three-digit
 *               version), every combination
 *   undated     the shortest form: openai/gpt-4o-2024-08-06:beta -> gpt-4o
 *
 * Used for refusing only: an id is allowed by its exact bytes, denied by any form. Pure, no
 * allocation.
 */
#ifndef SLUICE_COMMON_POLICY_MODEL_H
#define SLUICE_COMMON_POLICY_MODEL_H

#include "common/str.h"

#define POLICY_MODEL_MAX   512 /* bytes of an id; longer ones are refused */
#define POLICY_MODEL_FORMS 10  /* leading and trailing cuts kept of one id */

struct policy_model {
    struct str raw;       /* borrowed, as the caller wrote it */
    struct str canonical; /* in room, or borrowed from raw where that is canonical already */
    uint16_t starts[POLICY_MODEL_FORMS], ends[POLICY_MODEL_FORMS];
    uint8_t start_count, end_count; /* >= 1 each; [0] cuts nothing */
    char room[POLICY_MODEL_MAX];
};

enum policy_model_match {
    POLICY_MODEL_OTHER,
    POLICY_MODEL_VARIANT, /* a form of the id is the named model: dated, tagged, prefixed */
    POLICY_MODEL_SAME,    /* another spelling of the same id */
};

/* Canonical spelling of `id`; borrows from id when nothing changes, else from `room`. May be empty.
 * ST_TOO_LARGE. */
MUST_USE enum status policy_model_canonical(struct str id, char room[POLICY_MODEL_MAX],
                                            struct str *canonical);

/* The shortest form of a canonical id; borrows from it. */
struct str policy_model_undated(struct str canonical);

/* Prepares an id for matching. Borrows id and points into *model: do not copy the struct.
 * ST_TOO_LARGE. */
MUST_USE enum status policy_model_init(struct policy_model *model, struct str id);

/* Is `model` the model that `named` (canonical) names, or a form of it? Where only one of them has
 * a path (openai/gpt-4o, gpt-4o) the path does not count; two different paths are two models. */
enum policy_model_match policy_model_compare(const struct policy_model *model, struct str named);

/* Does any form of `model` match the pattern ('*' = any run)? `pattern` is in lower case. */
bool policy_model_glob(const struct policy_model *model, struct str pattern);

#endif
