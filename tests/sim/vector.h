/* vector.h: the embedding of an input, in every encoding that a provider offers. Pure.
 *
 * Component k/4096 with k in [-127, 127], drawn from a hash of the input and the component's place:
 * exact in binary32 and in at most 12 decimals, so all encodings carry the very same value. The
 * same input gives the same vector in every API; a shorter vector is the beginning of the longer
 * one.
 */
#ifndef SLUICE_TESTS_SIM_VECTOR_H
#define SLUICE_TESTS_SIM_VECTOR_H

#include "common/json_write.h"

/* Of an input as it stands in the request, quotes included. */
uint64_t vector_hash(struct str input);
void vector_write_floats(struct json_writer *w, uint64_t hash, uint32_t dimensions);
/* little-endian binary32, as a JSON string */
void vector_write_base64(struct json_writer *w, uint64_t hash, uint32_t dimensions);
/* k itself, and k + 128 */
void vector_write_int8(struct json_writer *w, uint64_t hash, uint32_t dimensions);
void vector_write_uint8(struct json_writer *w, uint64_t hash, uint32_t dimensions);
/* One bit per component (k > 0), 8 to a number, `offset` added: 0 for unsigned, -128 for signed. */
void vector_write_bits(struct json_writer *w, uint64_t hash, uint32_t dimensions, int offset);

#endif
