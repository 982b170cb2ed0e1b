/* keeper.h: the courier's hold on the catalog file: applies what the feed brings, keeps it healthy, tells who listens.
 *
 * Several threads want the one writer handle (the feed applies, a thread of its own frees dead readers and dead generations every
 * second), so everything goes through a lock here. segment_status (revision, has_catalog, catalog_epoch) follows the file.
 * Failure: a damaged file ends the process (KEEPER_EXIT_DAMAGED) and the next courier makes a new one; so does a file in whose
 * operations KEEPER_DEATHS couriers in a row died, whatever killed them (the watchdog of catalog_file.h, a crash inside LMDB).
 */
#ifndef SLUICE_DATA_COURIER_KEEPER_H
#define SLUICE_DATA_COURIER_KEEPER_H

#include "common/buf.h"
#include "data-plane/catalog_file.h"
#include "data-plane/segment.h"

#define KEEPER_DEATHS         3
#define KEEPER_EXIT_DAMAGED   75
#define KEEPER_HOSTS_MAX      2048
#define KEEPER_HOSTS_BYTES    (KEEPER_HOSTS_MAX * 256u)

struct keeper;

struct keeper_config {
    const char *path;              /* of the catalog file */
    const struct segment *segment; /* borrowed for life */
    void (*changed)(void *arg);    /* a new revision is live; on the applying thread; may be NULL */
    void (*every_second)(void *arg); /* on the keeper's thread: for other slow work of the disk; may be NULL */
    void *arg;
};

/* Opens (makes, repairs) the file and starts the thread. gives. ST_IO, ST_NO_MEMORY. */
MUST_USE enum status keeper_open(const struct keeper_config *config, struct keeper **keeper);
void keeper_close(struct keeper *keeper);

/* As catalog_position, catalog_abandon, catalog_apply (catalog_file.h); any thread. */
void keeper_position(struct keeper *keeper, uint64_t *revision, struct id *store_id);
void keeper_abandon(struct keeper *keeper);
MUST_USE enum status keeper_apply(struct keeper *keeper, Sluice__ChangesReply *const *replies, size_t count,
                                  const char **refused, uint64_t *refused_revision);
uint64_t keeper_skipped(struct keeper *keeper);

/* Hosts that the live catalog names, one a line, each once, at most KEEPER_HOSTS_MAX. Appends to `out`. */
void keeper_hosts(struct keeper *keeper, struct buf *out);

#endif
