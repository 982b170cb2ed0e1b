/* event_usage.h: what a usage event counted, by price class.
 *
 * Sums by class and re-rating start from here. An event says its counts itself; one of a node that
 * did not yet says totals, and those are taken apart as they would be at a node. Pure.
 */
#ifndef SLUICE_CONTROL_LEDGER_EVENT_USAGE_H
#define SLUICE_CONTROL_LEDGER_EVENT_USAGE_H

#include "common/price.h"
#include "proto/usage.pb-c.h"

/* Classes that this version does not know are passed over. */
void event_usage(const Sluice__UsageEvent *event, struct price_usage *usage);

#endif
