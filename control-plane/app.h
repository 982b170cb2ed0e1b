/* app.h: sluice-control as one object: what starts, in which order, and what stops.
 *
 * store, writer, vault -> built-in catalog -> link -> admin listener -> operator socket -> ready;
 * stopping is the reverse. One thread (main's).
 */
#ifndef SLUICE_CONTROL_APP_H
#define SLUICE_CONTROL_APP_H

#include "common/params.h"

struct app;

/* Starts everything. On failure everything is stopped again and `why` has one sentence. */
MUST_USE enum status app_start(const struct params *params, struct app **app, struct buf *why);
/* Stops taking requests, ends what runs, closes the store. NULL is fine. */
void app_stop(struct app *app);

uint16_t app_control_port(const struct app *app);
uint16_t app_link_port(const struct app *app);

/* Takes over what may change while it runs: certificate and key of the listeners. Everything else of
 * the configuration holds from the next start on. On failure all stays as it was, and `why` says what
 * is wrong: ST_INVALID, ST_IO, ST_NO_MEMORY. */
MUST_USE enum status app_reload(struct app *app, const struct params *params, struct buf *why);
/* Once a minute: readers of dead threads, old tombstones. */
void app_upkeep(struct app *app);

#endif
