/* event.h: reading usage events: what was counted, and words for their enums.
 *
 * Sums by class and re-rating start from the counts. An event says its counts itself; one of a node
 * that did not yet says totals, and those are taken apart as they would be at a node. Pure.
 */
#ifndef SLUICE_CONTROL_LEDGER_EVENT_H
#define SLUICE_CONTROL_LEDGER_EVENT_H

#include "common/price.h"
#include "proto/usage.pb-c.h"

#define EVENT_ATTEMPT_TEXT 49 /* base64url of 36 bytes, and NUL */

/* Classes that this version does not know are passed over. */
void event_usage(const Sluice__UsageEvent *event, struct price_usage *usage);

/* "ok", "timeout", ...; "provider", "estimated", ...; "unknown". Never NULL. */
const char *event_outcome_text(uint32_t outcome);
const char *event_source_text(Sluice__UsageSource source);

/* An attempt's id as it goes upstream (x-client-request-id); "" if it is none. */
void event_attempt_text(const ProtobufCBinaryData *attempt, char text[EVENT_ATTEMPT_TEXT]);

#endif
