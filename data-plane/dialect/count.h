/* count.h: how many tokens a chat is, when nobody says.
 *
 * For POST /v1/messages/count_tokens at providers that do not count. An estimate, by a rule that
 * does not depend on the provider: four ASCII characters, or one other character, are a token; 4
 * for each message, 3 for each answer; tools by their JSON; 1,600 for an image or a document, or a
 * sixteenth of the bytes of its data if that is more. Pure; linear in the size of the request.
 */
#ifndef SLUICE_DATA_DIALECT_COUNT_H
#define SLUICE_DATA_DIALECT_COUNT_H

#include "data-plane/dialect/chat.h"

uint64_t count_estimate(const struct chat *chat);
/* Of what stands between a JSON string's quotes. */
uint64_t count_words(struct str words);

#endif
