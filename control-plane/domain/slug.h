/* slug.h: slugs of entities: [a-zA-Z0-9_-]{1,255}, never the text of a UUID (ARCHITECTURE section
 * 8). Pure but for random bytes. */
#ifndef SLUICE_CONTROL_DOMAIN_SLUG_H
#define SLUICE_CONTROL_DOMAIN_SLUG_H

#include "common/arena.h"
#include "common/id.h"

#define SLUG_MAX 255

bool slug_is_valid(struct str slug);

/* prefix + name in slug letters (cut at 60) + "-" + 6 random hexadecimal digits. p = NULL without
 * memory. */
struct str slug_make(struct arena *arena, const char *prefix, struct str name);
/* `slug` + "-" + 6 random hexadecimal digits, within SLUG_MAX. p = NULL without memory. */
struct str slug_suffixed(struct arena *arena, struct str slug);

#endif
