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

/* Once a minute: readers of dead threads, old tombstones. */
void app_upkeep(struct app *app);

#endif
