/* json_write.h: writes JSON into a buf; commas and nesting are kept here, so a caller cannot forget
 * one.
 *
 * Borrows the buf. Errors (cap, memory) stay in the buf (buf_status). Invalid UTF-8 in a string
 * value becomes U+FFFD. Numbers are whole: no fraction, no exponent. Depth is bounded by
 * JSON_MAX_DEPTH (CHECKed: the shape is ours).
 *
 *   struct json_writer w;
 *   jw_init(&w, &buf);
 *   jw_object(&w);
 *   jw_field_str(&w, "object", STR("list"));
 *   jw_key(&w, "data"); jw_array(&w); ... jw_end(&w);
 *   jw_end(&w);
 */
#ifndef SLUICE_COMMON_JSON_WRITE_H
#define SLUICE_COMMON_JSON_WRITE_H

#include "common/buf.h"
#include "common/id.h"
#include "common/json_tree.h"

struct json_writer {
    struct buf *buf;
    unsigned depth;
    bool comma; /* the next value or key needs one before it */
    bool keyed; /* a key was written and waits for its value */
    bool in_array[JSON_MAX_DEPTH + 2];
};

void jw_init(struct json_writer *w, struct buf *buf);
void jw_object(struct json_writer *w);
void jw_array(struct json_writer *w);
void jw_end(struct json_writer *w); /* closes the innermost object or array */
void jw_key(struct json_writer *w, const char *name);
void jw_key_str(struct json_writer *w, struct str name);

void jw_str(struct json_writer *w, struct str value);
void jw_cstr(struct json_writer *w, const char *value); /* NULL writes null */
void jw_u64(struct json_writer *w, uint64_t value);
void jw_i64(struct json_writer *w, int64_t value);
void jw_bool(struct json_writer *w, bool value);
void jw_null(struct json_writer *w);
void jw_id(struct json_writer *w, const struct id *id); /* UUID text; none writes null */
void jw_time(struct json_writer *w, int64_t unix_ms);   /* RFC 3339; 0 writes null */
void jw_raw(struct json_writer *w, struct str json);    /* valid JSON, as it is */
/* value / 10^digits as a decimal without trailing zeros: (150000000, 9) -> 0.15 */
void jw_decimal(struct json_writer *w, int64_t value, unsigned digits);

#define jw_field_str(w, name, value)  (jw_key((w), (name)), jw_str((w), (value)))
#define jw_field_cstr(w, name, value) (jw_key((w), (name)), jw_cstr((w), (value)))
#define jw_field_u64(w, name, value)  (jw_key((w), (name)), jw_u64((w), (value)))
#define jw_field_i64(w, name, value)  (jw_key((w), (name)), jw_i64((w), (value)))
#define jw_field_bool(w, name, value) (jw_key((w), (name)), jw_bool((w), (value)))
#define jw_field_id(w, name, value)   (jw_key((w), (name)), jw_id((w), (value)))
#define jw_field_time(w, name, value) (jw_key((w), (name)), jw_time((w), (value)))
#define jw_field_raw(w, name, value)  (jw_key((w), (name)), jw_raw((w), (value)))

#endif
