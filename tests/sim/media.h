/* media.h: what a piece of media is, by its first bytes. Pure.
 *
 * Providers look into what they are sent and refuse an image under a wrong name; so does the
 * simulator, because a gateway that guesses a media type is found out only this way.
 */
#ifndef SLUICE_TESTS_SIM_MEDIA_H
#define SLUICE_TESTS_SIM_MEDIA_H

#include "common/arena.h"

/* The picture that every image model makes: 1x1 PNG, in base64. */
#define MEDIA_PNG                                                                                  \
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+"                                \
    "M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

/* Decodes standard base64 with padding, without line breaks. ST_INVALID, ST_NO_MEMORY. */
MUST_USE enum status media_decode(struct str text, struct arena *arena, struct str *bytes);
/* The media type of these bytes (PNG, JPEG, GIF, WebP, PDF, WAV, MP3, OGG, FLAC, MP4), or NULL. */
const char *media_type(struct str bytes);

#endif
