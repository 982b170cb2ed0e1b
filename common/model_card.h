/* model_card.h: one row of GET /v1/models, and choosing among rows: the same in both planes.
 *
 * A card says what a workspace can call through one of its providers, by the name it is called by,
 * and what is known of it; what is not known is null or absent, never a guess. Borrows all texts.
 * Pure.
 *
 * Query of the list (all optional):
 *   provider     slug of a provider, with or without '@', or the kind of provider
 *   ai_service   kind of provider
 *   search       in id, name and description, any case
 *   type  status  input_modality  output_modality    one word
 *   capability   words separated by ',': all of them
 *   is_custom    true | false
 *   sort         name | provider | ai_service | context_window | created; order asc | desc
 *   limit  offset
 */
#ifndef SLUICE_COMMON_MODEL_CARD_H
#define SLUICE_COMMON_MODEL_CARD_H

#include "common/json_write.h"
#include "common/price.h"

enum model_card_source { MODEL_CARD_UNPRICED, MODEL_CARD_CATALOG, MODEL_CARD_INTEGRATION };

struct model_card {
    struct str provider;  /* slug, without '@' */
    struct str service;   /* kind of provider */
    struct str model;     /* as the caller names it behind '/' */
    struct str canonical; /* as the provider is sent it */
    struct str name, description, type, status;
    struct str release_date;                  /* "2024-06" or "2024-06-01" */
    struct str inputs, outputs, capabilities; /* lines, each ended by '\n' */
    uint64_t context_window_tokens, max_input_tokens, max_output_tokens; /* 0: not known */
    int64_t created_ms; /* of an integration's own row; 0: a built-in one */
    bool custom;
};

struct model_card_price {
    enum model_card_source source;
    struct price_row row;
};

/* What a list asks for; n = 0: not asked. Values are decoded and borrowed. */
struct model_card_query {
    struct str provider, service, search, type, status, input, output, capability, custom, sort;
    bool descending;
    uint64_t offset, limit; /* limit UINT64_MAX: all */
};

/* Takes one parameter of the URL, decoded; a name that is none of the list's is ignored. */
void model_card_ask(struct model_card_query *query, struct str name, struct str value);

/* True if cards of this provider can fit: to skip what cannot before its models are looked at. */
bool model_card_wants_provider(const struct model_card_query *query, struct str provider,
                               struct str service);
/* True if the card is asked for. */
bool model_card_fits(const struct model_card *card, const struct model_card_query *query);
/* Order of two cards: < 0, 0 or > 0; the id decides last, so an order is total. */
int model_card_compare(const struct model_card *a, const struct model_card *b,
                       const struct model_card_query *query);

/* Writes the card as one object. */
void model_card_write(struct json_writer *w, const struct model_card *card,
                      const struct model_card_price *price);

#endif
