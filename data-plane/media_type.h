/* media_type.h: what some bytes are, by how they begin. Pure. */
#ifndef SLUICE_DATA_MEDIA_TYPE_H
#define SLUICE_DATA_MEDIA_TYPE_H

#include "common/str.h"

/* "image/png" and the like for pictures, sound, films and PDF that models take; n = 0: none of
 * them. Source: WHATWG MIME Sniffing, sections 6 and 7. */
struct str media_type_of(struct str bytes);

#endif
