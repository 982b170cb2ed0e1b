/* model_refresh.h: what an integration's provider lists itself, laid beside the catalog and the
 * integration's rules.
 *
 * A model that neither knows becomes a row that says it exists and nothing else (`discovered`):
 * who may use it follows allow_all_models, as before the row was there. A row that was listed once
 * and no longer is gets the time; a model of the catalog that the list lacks is noted in the
 * integration. Nothing is ever deleted or forbidden by it. Writer thread.
 */
#ifndef SLUICE_CONTROL_DOMAIN_MODEL_REFRESH_H
#define SLUICE_CONTROL_DOMAIN_MODEL_REFRESH_H

#include "control-plane/store/writer.h"

#define MODEL_RULES_MAX 5000 /* rows of one integration */
#define MODEL_SLUG_MAX  255

struct model_names {
    struct str *items; /* sorted, once each */
    size_t count;
};

struct model_refresh {
    const struct str *listed; /* as the provider said; any bytes, in any order, more than once */
    size_t listed_count;
    bool cut; /* there are more: what is not listed may still be there */
    /* out, in op's arena */
    size_t taken; /* names that can be names of models */
    struct model_names added, returned, vanished;
};

/* Writes the rules and fills what the record says of the list; the caller writes the record.
 * Beyond MODEL_RULES_MAX rows nothing is added. Store statuses. */
MUST_USE enum status model_refresh_apply(struct write_op *op, const struct record_key *key,
                                         Sluice__Integration *record,
                                         struct model_refresh *refresh);

/* 1 to MODEL_SLUG_MAX bytes of UTF-8 without control characters and blanks. */
bool model_slug_is_valid(struct str slug);

#endif
