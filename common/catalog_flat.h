/* catalog_flat.h: the builder behind catalog_codec.c; nobody else includes it.
 *
 * A record grows in one buf: flat_begin makes the zeroed fixed part, the flat_put_* functions fill places in it (`to`: an offset
 * from the record's start) and append bytes, flat_end gives the finished record in the caller's arena. One thread.
 * Everything that can be refused gives ST_BAD_FORMAT: text that is not UTF-8, an id of another length than 16 or 0, an item
 * with the separator in it. Lack of memory and size (16 MiB) show in flat_end.
 */
#ifndef SLUICE_COMMON_CATALOG_FLAT_H
#define SLUICE_COMMON_CATALOG_FLAT_H

#include "common/buf.h"
#include "common/catalog_codec.h"

#define FLAT_MAX_BYTES (16u * 1024 * 1024) /* the link's message cap */

/* Where the parts of sealed secrets go. */
struct flat_secrets_at {
    size_t version, delivery_key, box, hosts;
};

/* Opens a record whose fixed part is zero behind `head`. The caller frees the buf. ST_NO_MEMORY, ST_TOO_LARGE. */
MUST_USE enum status flat_begin(struct buf *flat, size_t fixed_bytes, const struct cat_head *head);
/* Sets the length and copies the record into the arena. ST_NO_MEMORY, ST_TOO_LARGE. */
MUST_USE enum status flat_end(struct buf *flat, struct arena *arena, struct str *record);

/* copies n bytes to a fixed place. */
void flat_put(struct buf *flat, size_t to, const void *p, size_t n);
/* Sets the ref at `to` to the bytes added since `start`. */
void flat_put_ref(struct buf *flat, size_t to, size_t start);
MUST_USE enum status flat_put_str(struct buf *flat, size_t to, struct str text);
/* Appends one line and its newline. */
MUST_USE enum status flat_add_line(struct buf *flat, struct str text);
/* Appends text that must not hold a newline, without one. */
MUST_USE enum status flat_add_word(struct buf *flat, struct str text);
MUST_USE enum status flat_put_lines(struct buf *flat, size_t to, size_t count, char *const *items);
/* "a,b,c" */
MUST_USE enum status flat_put_commas(struct buf *flat, size_t to, size_t count, char *const *items);
/* The names of headers as lines. */
MUST_USE enum status flat_put_names(struct buf *flat, size_t to, size_t count, Sluice__Header *const *headers);
/* Raw bytes of exactly n, or none: then the place keeps its zeros. */
MUST_USE enum status flat_put_exact(struct buf *flat, size_t to, ProtobufCBinaryData bytes, size_t n);
/* The compiled form of a config; of one that cannot be used, the reason. */
MUST_USE enum status flat_put_plan(struct buf *flat, size_t to, struct str document);
/* Books of price_book.h; nothing when there are no pages. */
MUST_USE enum status flat_put_prices(struct buf *flat, size_t to, size_t count, Sluice__Prices *const *prices);
MUST_USE enum status flat_put_adjusts(struct buf *flat, size_t to, size_t count, Sluice__PriceAdjust *const *adjusts);
/* Books of several models, one after the other. */
MUST_USE enum status flat_put_model_prices(struct buf *flat, size_t to, size_t count,
                                           Sluice__ModelPrices *const *models);
/* The parts that a node can use: the first delivery box (publish sends only boxes that this node can open). */
MUST_USE enum status flat_put_secrets(struct buf *flat, struct flat_secrets_at to,
                                      const Sluice__SealedSecrets *secrets);
/* catalog_limits.c: the limits of the entity whose head stands in `flat`, as cat_limit after cat_limit. What decides and
 * cannot be read is ST_BAD_FORMAT. */
MUST_USE enum status flat_put_limits(struct buf *flat, size_t to, enum limit_level level, const char *usage_json,
                                     const char *rates_json, int64_t anew_ms);

#endif
